/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading vectors of structs into an arena when their count is not known
 * beforehand.  Only for the decoders of crypto/mls.
 */
#ifndef CRYPTO_MLS_ARRAY_H
#define CRYPTO_MLS_ARRAY_H

#include "proto/base/arena.h"
#include "proto/wire/tls_rd.h"

/* Items of size bytes each, at most max.  Empty is {.size = , .max = }. */
struct mls_array {
    void *items;
    uint32_t count;
    uint32_t cap;
    size_t size;
    uint32_t max;
};

/*
 * One more zeroed item, or NULL with r failed: ERR_LIMIT above max, ERR_NOMEM.
 * Items may move.
 */
void *mls_array_add(struct proto_tls_rd *r, struct arena *a,
                    struct mls_array *array);

/* Pass the failure of a sub-reader that must be used up on to r. */
void mls_rd_join(struct proto_tls_rd *r, const struct proto_tls_rd *sub);

/* What was read of r since its rest was start; empty after a failure. */
struct view mls_rd_since(const struct proto_tls_rd *r, struct view start);

#endif
