/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Randomness of tests: a seeded generator (splitmix64), the same everywhere.
 * Never for keys that matter.
 */
#ifndef TESTS_SUPPORT_SEED_RNG_H
#define TESTS_SUPPORT_SEED_RNG_H

#include "proto/base/rng.h"

struct seed_rng {
    struct rng rng;
    uint64_t state;
};

/* s must stay where it is while s->rng is in use. */
void seed_rng_init(struct seed_rng *s, uint64_t seed);

uint64_t seed_rng_next(struct seed_rng *s);

/* 0 to n - 1; n > 0. */
uint64_t seed_rng_below(struct seed_rng *s, uint64_t n);

#endif
