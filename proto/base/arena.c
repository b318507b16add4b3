/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/base/arena.h"

#include <stdalign.h>
#include <string.h>

enum {
    BLOCK_MIN = 1024,
    BLOCK_MAX = 256 * 1024
};

struct arena_block {
    struct arena_block *prev;
    size_t size; /* whole allocation, this header included */
    size_t used; /* likewise */
};

#define ROUND_UP(n) \
    (((n) + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1))

static struct arena_block *
add_block(struct arena *a, size_t need)
{
    size_t header = ROUND_UP(sizeof(struct arena_block));
    size_t size = a->last == NULL ? BLOCK_MIN : a->last->size * 2;
    struct arena_block *b;

    if (size > BLOCK_MAX) {
        size = BLOCK_MAX;
    }
    if (need > SIZE_MAX / 2) {
        return NULL;
    }
    if (size < header + need) {
        size = header + need;
    }
    b = mem_alloc(a->mem, size);
    if (b == NULL) {
        return NULL;
    }
    b->prev = a->last;
    b->size = size;
    b->used = header;
    a->last = b;
    return b;
}

void *
arena_alloc(struct arena *a, size_t size)
{
    struct arena_block *b = a->last;
    size_t need;
    void *p;

    if (size == 0 || size > SIZE_MAX / 2) {
        return NULL;
    }
    need = ROUND_UP(size);
    if (b == NULL || b->size - b->used < need) {
        b = add_block(a, need);
        if (b == NULL) {
            return NULL;
        }
    }
    p = (uint8_t *)b + b->used;
    b->used += need;
    return p;
}

void *
arena_calloc(struct arena *a, size_t n, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(n, size, &total)) {
        return NULL;
    }
    return arena_alloc(a, total);
}

enum err
arena_copy(struct arena *a, struct view v, struct view *out)
{
    uint8_t *p;

    if (v.len == 0) {
        *out = (struct view){0};
        return OK;
    }
    p = arena_alloc(a, v.len);
    if (p == NULL) {
        return ERR_NOMEM;
    }
    memcpy(p, v.p, v.len);
    *out = view_make(p, v.len);
    return OK;
}

void
arena_clear(struct arena *a)
{
    while (a->last != NULL) {
        struct arena_block *b = a->last;

        a->last = b->prev;
        mem_free(a->mem, b, b->size);
    }
}
