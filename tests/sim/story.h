/* SPDX-License-Identifier: Apache-2.0 */
/* Random stories, told from a seed. */
#ifndef TESTS_SIM_STORY_H
#define TESTS_SIM_STORY_H

#include "tests/sim/world.h"

/* What may happen in a story. */
struct story {
    size_t nodes;
    size_t steps;
    uint64_t crash;   /* chances in a thousand, per step */
    uint64_t broken;  /* connections, per million and 5 ms */
    uint64_t cut;     /* partitions */
    uint64_t rekey;   /* commits, that race */
    uint64_t restore; /* a backup is restored, or a folder copied back */
    uint64_t rotate;  /* node keys */
    uint64_t hunger;  /* allocations that fail */
    bool group;       /* one thread of all, else the direct one of 0 and 1 */
    size_t devices;   /* of one patient, behind nodes - devices clinics */
    bool relay;       /* clinic 0 only carries between 1 and the patient */
    enum world_tooth tooth;
};

/* Tell it in *w (which must be free); w->fault says what went wrong. */
void story_tell(struct world *w, const struct story *s, uint64_t seed);

/*
 * Have n seeds from first told, print the fault of each that failed, and count
 * them.  BALSAM_SIM_SEEDS=n takes n seeds, BALSAM_SIM_SEED=n that one alone.
 */
uint64_t story_each(struct world *w, uint64_t first, uint64_t n,
                    void (*tell)(const void *ctx, uint64_t seed),
                    const void *ctx);
/* The same of one story, from seed 1. */
uint64_t story_all(struct world *w, const struct story *s, uint64_t n);
/* BALSAM_SIM_SEED, or 0: for tests with seeds of their own. */
uint64_t story_only(void);

#endif
