/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/base/bytes.h"

#include "proto/base/assert.h"

#include <stdlib.h>
#include <string.h>

static void *
heap_alloc(void *ctx, size_t size)
{
    (void)ctx;
    return malloc(size);
}

static void
heap_release(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    (void)size;
    free(ptr);
}

const struct mem *
mem_heap(void)
{
    static const struct mem heap = {heap_alloc, heap_release, NULL};

    return &heap;
}

void *
mem_alloc(const struct mem *mem, size_t size)
{
    void *p;

    ASSERT(mem != NULL && size > 0);
    p = mem->alloc(mem->ctx, size);
    if (p != NULL) {
        memset(p, 0, size);
    }
    return p;
}

void *
mem_calloc(const struct mem *mem, size_t n, size_t size)
{
    size_t total;

    if (n == 0 || size == 0 || __builtin_mul_overflow(n, size, &total)) {
        return NULL;
    }
    return mem_alloc(mem, total);
}

void
mem_free(const struct mem *mem, void *ptr, size_t size)
{
    if (ptr == NULL) {
        return;
    }
    mem_wipe(ptr, size);
    mem->release(mem->ctx, ptr, size);
}

void
mem_wipe(void *ptr, size_t size)
{
    if (size > 0) {
        memset(ptr, 0, size);
        __asm__ __volatile__("" : : "r"(ptr) : "memory");
    }
}

struct view
view_make(const void *p, size_t len)
{
    struct view v = {p, len};

    return v;
}

struct view
view_str(const char *s)
{
    return view_make(s, strlen(s));
}

struct view
view_of(const struct bytes *b)
{
    return view_make(b->p, b->len);
}

struct view
view_skip(struct view v, size_t n)
{
    ASSERT(n <= v.len);
    return view_sub(v, n, v.len - n);
}

struct view
view_sub(struct view v, size_t off, size_t len)
{
    ASSERT(off <= v.len && len <= v.len - off);
    return view_make(len == 0 ? NULL : v.p + off, len);
}

bool
view_equal(struct view a, struct view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

int
view_cmp(struct view a, struct view b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

    if (c != 0) {
        return c;
    }
    return (a.len > b.len) - (a.len < b.len);
}

enum err
bytes_alloc(const struct mem *mem, size_t len, struct bytes *out)
{
    uint8_t *p = NULL;

    ASSERT(out->p == NULL);
    if (len > 0) {
        p = mem_alloc(mem, len);
        if (p == NULL) {
            return ERR_NOMEM;
        }
    }
    out->p = p;
    out->len = len;
    out->cap = len;
    out->mem = mem;
    return OK;
}

enum err
bytes_copy(const struct mem *mem, struct view v, struct bytes *out)
{
    enum err e = bytes_alloc(mem, v.len, out);

    if (e == OK && v.len > 0) {
        memcpy(out->p, v.p, v.len);
    }
    return e;
}

enum err
bytes_reserve(const struct mem *mem, struct bytes *b, size_t extra)
{
    size_t need;
    size_t cap;
    uint8_t *p;

    if (__builtin_add_overflow(b->len, extra, &need)) {
        return ERR_NOMEM;
    }
    if (need <= b->cap) {
        return OK;
    }
    cap = b->cap < 64 ? 64 : b->cap;
    while (cap < need) {
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    }
    p = mem_alloc(mem, cap);
    if (p == NULL) {
        return ERR_NOMEM;
    }
    if (b->len > 0) {
        memcpy(p, b->p, b->len);
    }
    mem_free(b->mem, b->p, b->cap);
    b->p = p;
    b->cap = cap;
    b->mem = mem;
    return OK;
}

enum err
bytes_append(const struct mem *mem, struct bytes *b, struct view v)
{
    enum err e = bytes_reserve(mem, b, v.len);

    if (e == OK && v.len > 0) {
        memcpy(b->p + b->len, v.p, v.len);
        b->len += v.len;
    }
    return e;
}

void
bytes_truncate(struct bytes *b, size_t len)
{
    ASSERT(len <= b->len);
    if (len < b->len) {
        mem_wipe(b->p + len, b->len - len);
    }
    b->len = len;
}

void
bytes_free(struct bytes *b)
{
    if (b->p != NULL) {
        mem_free(b->mem, b->p, b->cap);
    }
    *b = (struct bytes){0};
}

struct bytes
bytes_take(struct bytes *take_b)
{
    struct bytes b = *take_b;

    *take_b = (struct bytes){0};
    return b;
}
