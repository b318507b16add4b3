/* SPDX-License-Identifier: Apache-2.0 */
/* ChaCha20-Poly1305 by the host's libsodium; there is no AES here. */
#include "crypto/prim/aead.h"

#include "crypto/prim/import_wasm.h"

enum err
prim_aead_seal(enum prim_aead a, struct view key, struct view nonce,
               struct view aad, struct view pt, uint8_t *out)
{
    if (a != PRIM_CHACHA20_POLY1305) {
        return ERR_UNSUPPORTED;
    }
    if (key.len != prim_aead_key_size(a) || nonce.len != PRIM_NONCE_SIZE) {
        return ERR_INVALID;
    }
    prim_host_chacha_seal(0, key.p, nonce.p, aad.p, aad.len, pt.p, pt.len, out);
    return OK;
}

enum err
prim_aead_open(enum prim_aead a, struct view key, struct view nonce,
               struct view aad, struct view ct, uint8_t *out)
{
    if (a != PRIM_CHACHA20_POLY1305) {
        return ERR_UNSUPPORTED;
    }
    if (key.len != prim_aead_key_size(a) || nonce.len != PRIM_NONCE_SIZE) {
        return ERR_INVALID;
    }
    if (ct.len < PRIM_TAG_SIZE ||
        prim_host_chacha_open(0, key.p, nonce.p, aad.p, aad.len, ct.p, ct.len,
                              out) != 0) {
        return ERR_AUTH;
    }
    return OK;
}

void
prim_xseal(const uint8_t key[PRIM_XKEY_SIZE],
           const uint8_t nonce[PRIM_XNONCE_SIZE], struct view aad,
           struct view pt, uint8_t *out)
{
    prim_host_chacha_seal(1, key, nonce, aad.p, aad.len, pt.p, pt.len, out);
}

enum err
prim_xopen(const uint8_t key[PRIM_XKEY_SIZE],
           const uint8_t nonce[PRIM_XNONCE_SIZE], struct view aad,
           struct view ct, uint8_t *out)
{
    if (ct.len < PRIM_TAG_SIZE ||
        prim_host_chacha_open(1, key, nonce, aad.p, aad.len, ct.p, ct.len,
                              out) != 0) {
        return ERR_AUTH;
    }
    return OK;
}
