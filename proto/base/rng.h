/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes, handed in.  A real one never fails halfway and never seeds. */
#ifndef PROTO_BASE_RNG_H
#define PROTO_BASE_RNG_H

#include "proto/base/err.h"

#include <stddef.h>
#include <stdint.h>

struct rng {
    enum err (*fill)(void *ctx, uint8_t *out, size_t len);
    void *ctx;
};

/* len random bytes.  ERR_IO  the source failed; out is not to be used */
MUST_CHECK static inline enum err
rng_fill(const struct rng *rng, uint8_t *out, size_t len)
{
    return rng->fill(rng->ctx, out, len);
}

#endif
