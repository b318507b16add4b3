/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256, HMAC and HKDF (RFC 6234, 2104, 5869), and keyed BLAKE2b.  State is
 * in the caller's variables; nothing allocates.  "parts" are hashed one after
 * the other as if they were one message.
 */
#ifndef CRYPTO_PRIM_HASH_H
#define CRYPTO_PRIM_HASH_H

#include "crypto/prim/secret.h"

enum {
    PRIM_HASH_SIZE = 32,
    PRIM_HKDF_MAX = 255 * PRIM_HASH_SIZE
};

/* A running SHA-256; the content belongs to the backend. */
struct prim_sha256 {
    uint64_t opaque_[14];
};

void prim_sha256_init(struct prim_sha256 *h);
void prim_sha256_update(struct prim_sha256 *h, struct view v);
/* Writes the digest and wipes h. */
void prim_sha256_final(struct prim_sha256 *h, uint8_t out[PRIM_HASH_SIZE]);

void prim_sha256(struct view msg, uint8_t out[PRIM_HASH_SIZE]);
void prim_sha256_parts(const struct view *parts, size_t n,
                       uint8_t out[PRIM_HASH_SIZE]);

/* A running HMAC-SHA-256.  May be copied to MAC several messages. */
struct prim_hmac {
    struct prim_sha256 inner;
    struct prim_sha256 outer;
};

void prim_hmac_init(struct prim_hmac *m, struct view key);
void prim_hmac_update(struct prim_hmac *m, struct view v);
/* Writes the MAC and wipes m. */
void prim_hmac_final(struct prim_hmac *m, uint8_t out[PRIM_HASH_SIZE]);

void prim_hmac_sha256(struct view key, struct view msg,
                      uint8_t out[PRIM_HASH_SIZE]);

/* HKDF-Extract. */
void prim_hkdf_extract(struct view salt, struct view ikm,
                       struct prim_secret *out);
void prim_hkdf_extract_parts(struct view salt, const struct view *parts,
                             size_t n, struct prim_secret *out);

/*
 * HKDF-Expand: len bytes.
 * ERR_LIMIT  len is above PRIM_HKDF_MAX; out is not written
 */
MUST_CHECK enum err prim_hkdf_expand(struct view prk, struct view info,
                                     uint8_t *out, size_t len);
MUST_CHECK enum err prim_hkdf_expand_parts(struct view prk,
                                           const struct view *parts, size_t n,
                                           uint8_t *out, size_t len);

/*
 * Keyed BLAKE2b of out_len (16 to 64) bytes; key is empty or 16 to 64 bytes.
 * ERR_INVALID  another length
 */
MUST_CHECK enum err prim_blake2b(struct view key, struct view msg, uint8_t *out,
                                 size_t out_len);

#endif
