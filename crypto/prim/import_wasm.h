/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the wasm build imports from its host: one function a line, all in the
 * module "balsam".  Pointers are offsets in our memory.  The host side is
 * node/web/shared/core/host.ts; the two files list the same names.
 */
#ifndef CRYPTO_PRIM_IMPORT_WASM_H
#define CRYPTO_PRIM_IMPORT_WASM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __wasm__
#define PRIM_IMPORT(NAME) \
    __attribute__((import_module("balsam"), import_name(#NAME)))
#else
#define PRIM_IMPORT(NAME)
#endif

PRIM_IMPORT(random) void prim_host_random(uint8_t *out, size_t len);

PRIM_IMPORT(x25519_base)
void prim_host_x25519_base(const uint8_t *priv, uint8_t *pub);

/* These return 0 when all is well. */
PRIM_IMPORT(x25519)
int prim_host_x25519(const uint8_t *priv, const uint8_t *pub, uint8_t *shared);

PRIM_IMPORT(x25519_of_pub)
int prim_host_x25519_of_pub(const uint8_t *pub, uint8_t *out);

PRIM_IMPORT(x25519_of_key)
void prim_host_x25519_of_key(const uint8_t *seed_and_pub, uint8_t *priv);

PRIM_IMPORT(ed25519_pub)
void prim_host_ed25519_pub(const uint8_t *seed, uint8_t *pub);

PRIM_IMPORT(ed25519_sign)
void prim_host_ed25519_sign(const uint8_t *seed_and_pub, const uint8_t *msg,
                            size_t len, uint8_t *sig);

PRIM_IMPORT(ed25519_verify)
int prim_host_ed25519_verify(const uint8_t *pub, const uint8_t *msg, size_t len,
                             const uint8_t *sig);

/* extended: XChaCha20-Poly1305 with its 24-byte nonce. */
PRIM_IMPORT(chacha_seal)
void prim_host_chacha_seal(int extended, const uint8_t *key,
                           const uint8_t *nonce, const uint8_t *aad,
                           size_t aad_len, const uint8_t *pt, size_t pt_len,
                           uint8_t *out);

PRIM_IMPORT(chacha_open)
int prim_host_chacha_open(int extended, const uint8_t *key,
                          const uint8_t *nonce, const uint8_t *aad,
                          size_t aad_len, const uint8_t *ct, size_t ct_len,
                          uint8_t *out);

PRIM_IMPORT(blake2b)
void prim_host_blake2b(const uint8_t *key, size_t key_len, const uint8_t *msg,
                       size_t len, uint8_t *out, size_t out_len);

#endif
