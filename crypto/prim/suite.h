/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of algorithms and their sizes.  Everything above crypto/prim asks this
 * table instead of naming an algorithm, so that a suite is added by a row here
 * and its cases in hpke.c and labels.c.
 */
#ifndef CRYPTO_PRIM_SUITE_H
#define CRYPTO_PRIM_SUITE_H

#include "crypto/prim/aead.h"
#include "crypto/prim/curve.h"
#include "crypto/prim/hash.h"

/* Values are the HPKE registry's (RFC 9180 7.1, 7.2). */
enum prim_kem {
    PRIM_KEM_X25519 = 0x0020
};

enum prim_kdf {
    PRIM_HKDF_SHA256 = 0x0001
};

/* TLS SignatureScheme values. */
enum prim_sig {
    PRIM_ED25519 = 0x0807
};

/* Upper bounds over all suites, with room for P-256. */
enum {
    PRIM_KEM_PUB_MAX = 65,
    PRIM_SIG_PUB_MAX = 65,
    PRIM_SIG_MAX = 72
};

struct prim_suite {
    enum prim_kem kem;
    enum prim_kdf kdf;
    enum prim_aead aead;
    enum prim_sig sig;
    uint8_t hash_size;    /* Nh */
    uint8_t key_size;     /* Nk of the AEAD */
    uint8_t nonce_size;   /* Nn of the AEAD */
    uint8_t tag_size;     /* Nt of the AEAD */
    uint8_t kem_pub_size; /* Npk and Nenc */
    uint8_t kem_priv_size;
    uint8_t sig_pub_size;
};

/* An HPKE key pair; the public half is kept because opening needs it. */
struct prim_kem_pair {
    struct prim_secret priv;
    uint8_t pub_len;
    uint8_t pub[PRIM_KEM_PUB_MAX];
};

static inline struct view
prim_kem_pub(const struct prim_kem_pair *p)
{
    return view_make(p->pub, p->pub_len);
}

static inline void
prim_kem_pair_wipe(struct prim_kem_pair *p)
{
    mem_wipe(p, sizeof(*p));
}

#endif
