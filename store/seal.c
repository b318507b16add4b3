/* SPDX-License-Identifier: Apache-2.0 */
#include "store/seal.h"

#include "crypto/prim/aead.h"
#include "proto/base/assert.h"
#include "store/txn.h"

#include <string.h>

enum {
    VERSION = 1,
    PREFIX = 10,
    AAD_MAX = 2 + STORE_KEY_MAX
};

enum err
store_nonces_init(struct store_nonces *n, const struct rng *rng)
{
    n->used = 0;
    return rng_fill(rng, n->prefix, sizeof(n->prefix));
}

static void
next_nonce(struct store_nonces *n, uint8_t out[STORE_NONCE_SIZE])
{
    ASSERT(n->used < (1ull << 48) - 1);
    n->used++;
    memcpy(out, n->prefix, PREFIX);
    for (int i = 0; i < STORE_NONCE_SIZE - PREFIX; i++) {
        out[PREFIX + i] = (uint8_t)(n->used >> (8 * i));
    }
}

static struct view
make_aad(uint8_t table, struct view where, uint8_t out[AAD_MAX])
{
    ASSERT(where.len <= STORE_KEY_MAX);
    out[0] = table;
    out[1] = VERSION;
    if (where.len > 0) {
        memcpy(out + 2, where.p, where.len);
    }
    return view_make(out, 2 + where.len);
}

void
store_seal(const uint8_t key[32], struct store_nonces *nonces, uint8_t table,
           struct view where, struct view pt, uint8_t *out)
{
    uint8_t nonce[PRIM_XNONCE_SIZE] = {0};
    uint8_t aad[AAD_MAX];

    next_nonce(nonces, nonce);
    out[0] = VERSION;
    memcpy(out + 1, nonce, STORE_NONCE_SIZE);
    prim_xseal(key, nonce, make_aad(table, where, aad), pt,
               out + 1 + STORE_NONCE_SIZE);
}

enum err
store_unseal_to(const uint8_t key[32], uint8_t table, struct view where,
                struct view sealed, uint8_t *out)
{
    uint8_t nonce[PRIM_XNONCE_SIZE] = {0};
    uint8_t aad[AAD_MAX];
    enum err e;

    if (sealed.len < STORE_SEAL_EXTRA) {
        return ERR_CORRUPT;
    }
    if (sealed.p[0] != VERSION) {
        return sealed.p[0] > VERSION ? ERR_UNSUPPORTED : ERR_CORRUPT;
    }
    memcpy(nonce, sealed.p + 1, STORE_NONCE_SIZE);
    e = prim_xopen(key, nonce, make_aad(table, where, aad),
                   view_skip(sealed, 1 + STORE_NONCE_SIZE), out);
    return e == ERR_AUTH ? ERR_CORRUPT : e;
}

enum err
store_unseal(const uint8_t key[32], uint8_t table, struct view where,
             struct view sealed, const struct mem *mem, struct bytes *out)
{
    struct bytes pt = {0};
    enum err e;

    TRY(sealed.len < STORE_SEAL_EXTRA ? ERR_CORRUPT : OK);
    TRY(bytes_alloc(mem, sealed.len - STORE_SEAL_EXTRA, &pt));
    TRY(store_unseal_to(key, table, where, sealed, pt.p));
    *out = bytes_take(&pt);
out:
    bytes_free(&pt);
    return e;
}
