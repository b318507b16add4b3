/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/prim/random.h"

#include <sodium.h>

static enum err
fill(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    randombytes_buf(out, len);
    return OK;
}

const struct rng *
prim_rng_system(void)
{
    static const struct rng rng = {fill, NULL};

    return &rng;
}
