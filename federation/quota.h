/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Token bucket: how much a peer may send per second, with two seconds of
 * burst.  Who sends more is read more slowly, not closed.  Pure.
 */
#ifndef FEDERATION_QUOTA_H
#define FEDERATION_QUOTA_H

#include <stdint.h>

enum {
    FED_QUOTA_WAIT_MAX_MS = 10000,
    FED_QUOTA_FRAME_COST = 64 /* bytes that an empty frame counts as */
};

/* Zeroed is full. */
struct fed_bucket {
    uint64_t spent; /* bytes of the allowance in use */
    uint64_t at_ms;
};

/*
 * Spend cost bytes at now_ms of an allowance of per_s (> 0).  The result is
 * how many milliseconds to wait before taking more; 0 while within it.
 */
uint32_t fed_bucket_spend(struct fed_bucket *b, uint32_t per_s, uint64_t cost,
                          uint64_t now_ms);

#endif
