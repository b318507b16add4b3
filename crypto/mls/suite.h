/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cipher suites of MLS (RFC 9420 17.1): 1 and 3, with room for 2.  Advertise
 * only what mls_suite_find knows.
 */
#ifndef CRYPTO_MLS_SUITE_H
#define CRYPTO_MLS_SUITE_H

#include "crypto/prim/suite.h"

enum {
    MLS_SUITE_X25519_AES128GCM = 0x0001,
    MLS_SUITE_X25519_CHACHA20 = 0x0003
};

struct mls_suite {
    uint16_t id;
    struct prim_suite prim;
};

/* A hash or MAC value of a suite: public.  Empty is {0}. */
struct mls_hash {
    uint8_t len;
    uint8_t b[PRIM_HASH_SIZE];
};

/* NULL when this build does not have it. */
const struct mls_suite *mls_suite_find(uint16_t id);

/* The built suites, preferred first: 3, then 1.  NULL from i = their number. */
const struct mls_suite *mls_suite_at(size_t i);

static inline struct view
mls_hash_view(const struct mls_hash *h)
{
    return view_make(h->b, h->len);
}

/* The suite's hash over parts. */
void mls_hash_parts(const struct mls_suite *s, const struct view *parts,
                    size_t n, struct mls_hash *out);

/* MAC(key, msg): HMAC with the suite's hash. */
void mls_mac(const struct mls_suite *s, const struct prim_secret *key,
             struct view msg, struct mls_hash *out);

/*
 * RFC 9420 6.1, 6.2: length first, then constant time.
 * ERR_AUTH  mac is not the MAC of msg
 */
MUST_CHECK enum err mls_mac_verify(const struct mls_suite *s,
                                   const struct prim_secret *key,
                                   struct view msg, struct view mac);

#endif
