/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Authenticated encryption.  The tag (PRIM_TAG_SIZE) follows the ciphertext.
 * Plaintext is released only when the tag verified.
 */
#ifndef CRYPTO_PRIM_AEAD_H
#define CRYPTO_PRIM_AEAD_H

#include "crypto/prim/secret.h"

/* Values are the HPKE registry's (RFC 9180 7.3). */
enum prim_aead {
    PRIM_AES_128_GCM = 1,
    PRIM_CHACHA20_POLY1305 = 3
};

enum {
    PRIM_TAG_SIZE = 16,
    PRIM_NONCE_SIZE = 12,
    PRIM_KEY_MAX = 32
};

/* 16 or 32. */
size_t prim_aead_key_size(enum prim_aead a);

/*
 * Writes pt.len + PRIM_TAG_SIZE bytes to out, which is pt.p or does not
 * overlap it.
 *
 * ERR_INVALID      the key or the nonce (PRIM_NONCE_SIZE) has a wrong length
 * ERR_UNSUPPORTED  this build has no such cipher (AES in wasm)
 * ERR_LIMIT        longer than the cipher or its library takes
 */
MUST_CHECK enum err prim_aead_seal(enum prim_aead a, struct view key,
                                   struct view nonce, struct view aad,
                                   struct view pt, uint8_t *out);

/*
 * Writes ct.len - PRIM_TAG_SIZE bytes to out, which is ct.p or does not
 * overlap it.  On failure out holds no plaintext.
 *
 * ERR_AUTH     the tag does not verify, or ct is shorter than a tag
 * ERR_INVALID, ERR_UNSUPPORTED, ERR_LIMIT  as above
 */
MUST_CHECK enum err prim_aead_open(enum prim_aead a, struct view key,
                                   struct view nonce, struct view aad,
                                   struct view ct, uint8_t *out);

/* Sealing at rest: random 24-byte nonces never collide. */
enum {
    PRIM_XKEY_SIZE = 32,
    PRIM_XNONCE_SIZE = 24
};

/* XChaCha20-Poly1305.  Writes pt.len + PRIM_TAG_SIZE bytes; as above. */
void prim_xseal(const uint8_t key[PRIM_XKEY_SIZE],
                const uint8_t nonce[PRIM_XNONCE_SIZE], struct view aad,
                struct view pt, uint8_t *out);

/* Writes ct.len - PRIM_TAG_SIZE bytes; ERR_AUTH as above. */
MUST_CHECK enum err prim_xopen(const uint8_t key[PRIM_XKEY_SIZE],
                               const uint8_t nonce[PRIM_XNONCE_SIZE],
                               struct view aad, struct view ct, uint8_t *out);

#endif
