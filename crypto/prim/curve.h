/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X25519 (RFC 7748) and Ed25519 (RFC 8032), both libsodium's, natively and in
 * wasm, so that every member accepts exactly the same signatures.
 */
#ifndef CRYPTO_PRIM_CURVE_H
#define CRYPTO_PRIM_CURVE_H

#include "crypto/prim/secret.h"

enum {
    PRIM_X25519_SIZE = 32,
    PRIM_ED25519_PUB = 32,
    PRIM_ED25519_SEED = 32,
    PRIM_ED25519_SIG = 64
};

/* The public key of priv. */
void prim_x25519_base(const uint8_t priv[PRIM_X25519_SIZE],
                      uint8_t pub_out[PRIM_X25519_SIZE]);

/* ERR_INVALID  the shared secret is zero: a degenerate public key */
MUST_CHECK enum err prim_x25519(const uint8_t priv[PRIM_X25519_SIZE],
                                const uint8_t pub[PRIM_X25519_SIZE],
                                uint8_t shared_out[PRIM_X25519_SIZE]);

/* A signing key: the seed and, so that signing is fast, its public key. */
struct prim_sign_key {
    uint8_t seed[PRIM_ED25519_SEED];
    uint8_t pub[PRIM_ED25519_PUB];
};

void prim_ed25519_from_seed(const uint8_t seed[PRIM_ED25519_SEED],
                            struct prim_sign_key *out);

/*
 * The X25519 key that goes with a signing key, to seal to whoever is known by
 * that one alone.  ERR_INVALID  no good point
 */
MUST_CHECK enum err prim_x25519_of_pub(const uint8_t pub[PRIM_ED25519_PUB],
                                       uint8_t out[PRIM_X25519_SIZE]);
/* Its private half; secret. */
void prim_x25519_of_key(const struct prim_sign_key *key,
                        uint8_t priv_out[PRIM_X25519_SIZE]);

void prim_ed25519_sign(const struct prim_sign_key *key, struct view msg,
                       uint8_t sig_out[PRIM_ED25519_SIG]);

/* ERR_AUTH  the signature, or the length of one of them, is wrong */
MUST_CHECK enum err prim_ed25519_verify(struct view pub, struct view msg,
                                        struct view sig);

static inline struct view
prim_sign_key_pub(const struct prim_sign_key *k)
{
    return view_make(k->pub, sizeof(k->pub));
}

#endif
