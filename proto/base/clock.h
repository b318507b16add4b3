/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time, handed in so that tests run in a seeded world.  Wall time is
 * milliseconds since 1970, UTC, and may jump; order never depends on it.
 * Monotonic time is milliseconds from an arbitrary start and never goes back.
 */
#ifndef PROTO_BASE_CLOCK_H
#define PROTO_BASE_CLOCK_H

#include <stdint.h>

struct clock {
    uint64_t (*wall_ms)(void *ctx);
    uint64_t (*mono_ms)(void *ctx);
    void *ctx;
};

static inline uint64_t
clock_wall_ms(const struct clock *c)
{
    return c->wall_ms(c->ctx);
}

static inline uint64_t
clock_mono_ms(const struct clock *c)
{
    return c->mono_ms(c->ctx);
}

#endif
