/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory: where it comes from and who owns it.
 *
 * struct view is borrowed and never freed.  struct bytes is owned and freed by
 * its holder.  Every byte given back is wiped first, so a freed buffer never
 * leaks a key or a patient's word.
 *
 * Allocation is handed in as a struct mem, so that tests can fail each one in
 * turn.  A struct mem must outlive what was allocated from it; all functions
 * accept empty values.
 */
#ifndef PROTO_BASE_BYTES_H
#define PROTO_BASE_BYTES_H

#include "proto/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An allocator.  alloc returns NULL when there is no memory. */
struct mem {
    void *(*alloc)(void *ctx, size_t size);
    void (*release)(void *ctx, void *ptr, size_t size);
    void *ctx;
};

/* The process heap.  Never NULL; shared, any thread. */
const struct mem *mem_heap(void);

/* size zeroed bytes (size > 0) or NULL. */
void *mem_alloc(const struct mem *mem, size_t size);

/* n zeroed items of size bytes; NULL also when n * size overflows or is 0. */
void *mem_calloc(const struct mem *mem, size_t n, size_t size);

/* Wipe and give back.  ptr may be NULL; size is what was asked for. */
void mem_free(const struct mem *mem, void *ptr, size_t size);

/* Overwrite in a way that the compiler does not remove. */
void mem_wipe(void *ptr, size_t size);

/* Borrowed bytes.  p may be NULL when len is 0. */
struct view {
    const uint8_t *p;
    size_t len;
};

/* Owned bytes.  Empty is {0}. */
struct bytes {
    uint8_t *p;
    size_t len;
    size_t cap;
    const struct mem *mem;
};

/* A view of an array (not of a pointer). */
#define VIEW_ARRAY(a) ((struct view){(const uint8_t *)(a), sizeof(a)})
/* A view of a string literal, without its NUL. */
#define VIEW_LIT(s) ((struct view){(const uint8_t *)("" s ""), sizeof(s) - 1})

struct view view_make(const void *p, size_t len);
struct view view_str(const char *s);
struct view view_of(const struct bytes *b);

/* v without its first n bytes; n <= v.len. */
struct view view_skip(struct view v, size_t n);

/* v[off .. off+len); must lie inside v. */
struct view view_sub(struct view v, size_t off, size_t len);

/* Equality of public data, not constant time (secrets: prim_equal). */
bool view_equal(struct view a, struct view b);

/* Order of public data, as memcmp, shorter first. */
int view_cmp(struct view a, struct view b);

/* len zeroed bytes, owned by *out (which must be empty).  len may be 0. */
MUST_CHECK enum err bytes_alloc(const struct mem *mem, size_t len,
                                struct bytes *out);

/* A copy of v, owned by *out (which must be empty). */
MUST_CHECK enum err bytes_copy(const struct mem *mem, struct view v,
                               struct bytes *out);

/* Make room for extra more bytes behind len without changing len. */
MUST_CHECK enum err bytes_reserve(const struct mem *mem, struct bytes *b,
                                  size_t extra);

/* Append a copy of v, which must not point into b.  b may be empty. */
MUST_CHECK enum err bytes_append(const struct mem *mem, struct bytes *b,
                                 struct view v);

/* Shorten to len, wiping the tail; len <= b->len. */
void bytes_truncate(struct bytes *b, size_t len);

/* Wipe, give back, leave empty. */
void bytes_free(struct bytes *b);

/* Give the contents to the result and leave *take_b empty. */
struct bytes bytes_take(struct bytes *take_b);

#endif
