/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/prim/import_wasm.h"
#include "crypto/prim/random.h"

static enum err
fill(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    prim_host_random(out, len);
    return OK;
}

const struct rng *
prim_rng_system(void)
{
    static const struct rng rng = {fill, NULL};

    return &rng;
}
