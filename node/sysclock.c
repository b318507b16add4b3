/* SPDX-License-Identifier: Apache-2.0 */
#include "node/sysclock.h"

#include <stddef.h>
#include <time.h>

static uint64_t
read_ms(clockid_t id)
{
    struct timespec t = {0, 0};

    (void)clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint64_t
wall(void *ctx)
{
    (void)ctx;
    return read_ms(CLOCK_REALTIME);
}

static uint64_t
mono(void *ctx)
{
    (void)ctx;
    return read_ms(CLOCK_MONOTONIC);
}

const struct clock *
node_sysclock(void)
{
    static const struct clock c = {wall, mono, NULL};

    return &c;
}
