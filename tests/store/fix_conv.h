/* SPDX-License-Identifier: Apache-2.0 */
/* Conversations that a test makes and changes, one write each. */
#ifndef TESTS_STORE_FIX_CONV_H
#define TESTS_STORE_FIX_CONV_H

#include "store/conv.h"
#include "tests/store/fix.h"

/* The run of these is a write of ctx, a struct store_conv. */
static inline enum err
conv_create_run(void *ctx, struct store_txn *txn)
{
    return store_conv_create(txn, ctx);
}

static inline enum err
conv_put_run(void *ctx, struct store_txn *txn)
{
    return store_conv_put(txn, ctx);
}

/* The conversation whose id is n in every byte, made at n. */
static inline struct store_conv
conv_made(uint8_t n)
{
    struct store_conv c = {.channel = STORE_CHANNEL_SECURE, .created_ms = n};

    memset(c.id.b, n, sizeof(c.id.b));
    return c;
}

#endif
