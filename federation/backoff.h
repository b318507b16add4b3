/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long to wait before the next dial: jittered exponential back-off from
 * 1 s to 15 min (design 6).  Pure.
 */
#ifndef FEDERATION_BACKOFF_H
#define FEDERATION_BACKOFF_H

#include <stdint.h>

enum {
    FED_BACKOFF_MIN_MS = 1000,
    FED_BACKOFF_MAX_MS = 15 * 60 * 1000
};

/*
 * The wait after failures failures in a row (1 is the first), in milliseconds:
 * evenly spread over the upper half of min(MIN * 2^(failures - 1), MAX), so
 * that peers of one node do not come back at the same moment.  random is 64
 * random bits.  0 failures: no wait.
 */
uint64_t fed_backoff_ms(uint32_t failures, uint64_t random);

#endif
