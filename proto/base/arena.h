/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arena: many small allocations that live and die together.  Grows in blocks
 * from the struct mem handed in; freeing wipes and gives back all of them.
 * Not for sharing between threads.
 */
#ifndef PROTO_BASE_ARENA_H
#define PROTO_BASE_ARENA_H

#include "proto/base/bytes.h"

struct arena_block;

/* Empty is {.mem = ...}. */
struct arena {
    const struct mem *mem;
    struct arena_block *last;
};

/* size zeroed bytes, aligned for any type, or NULL.  size 0 gives NULL. */
void *arena_alloc(struct arena *a, size_t size);

/* n zeroed items; NULL also when n * size overflows or is 0. */
void *arena_calloc(struct arena *a, size_t n, size_t size);

/* A copy of v that lives as long as the arena. */
MUST_CHECK enum err arena_copy(struct arena *a, struct view v,
                               struct view *out);

/* Wipe and give back everything; the arena can be used again. */
void arena_clear(struct arena *a);

#endif
