/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 by OpenSSL (it uses the processor's SHA instructions), through the
 * functions that keep their state in the caller's variable.  OpenSSL 3 calls
 * them deprecated; its EVP replacement allocates an object for each hash and
 * takes three to five times as long for our short inputs.  BLAKE2b by
 * libsodium.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/prim/hash.h"

#include <openssl/sha.h>
#include <sodium.h>

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct prim_sha256),
               "room for the state of SHA-256");

static SHA256_CTX *
ctx_of(struct prim_sha256 *h)
{
    return (SHA256_CTX *)(void *)h;
}

void
prim_sha256_init(struct prim_sha256 *h)
{
    SHA256_Init(ctx_of(h));
}

void
prim_sha256_update(struct prim_sha256 *h, struct view v)
{
    if (v.len > 0) {
        SHA256_Update(ctx_of(h), v.p, v.len);
    }
}

void
prim_sha256_final(struct prim_sha256 *h, uint8_t out[PRIM_HASH_SIZE])
{
    SHA256_Final(out, ctx_of(h));
    mem_wipe(h, sizeof(*h));
}

enum err
prim_blake2b(struct view key, struct view msg, uint8_t *out, size_t out_len)
{
    if (out_len < 16 || out_len > 64 ||
        (key.len != 0 && (key.len < 16 || key.len > 64))) {
        return ERR_INVALID;
    }
    if (crypto_generichash(out, out_len, msg.p, msg.len, key.p, key.len) != 0) {
        return ERR_INVALID;
    }
    return OK;
}
