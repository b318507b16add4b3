/* SPDX-License-Identifier: Apache-2.0 */
/* The system's randomness (getrandom; crypto.getRandomValues in a browser). */
#ifndef CRYPTO_PRIM_RANDOM_H
#define CRYPTO_PRIM_RANDOM_H

#include "proto/base/rng.h"

/* Never NULL; any thread; never fails. */
const struct rng *prim_rng_system(void);

#endif
