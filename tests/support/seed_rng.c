/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/seed_rng.h"

uint64_t
seed_rng_next(struct seed_rng *s)
{
    uint64_t z = (s->state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t
seed_rng_below(struct seed_rng *s, uint64_t n)
{
    return seed_rng_next(s) % n;
}

static enum err
fill(void *ctx, uint8_t *out, size_t len)
{
    struct seed_rng *s = ctx;

    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)(seed_rng_next(s) >> 56);
    }
    return OK;
}

void
seed_rng_init(struct seed_rng *s, uint64_t seed)
{
    s->rng = (struct rng){fill, s};
    s->state = seed;
}
