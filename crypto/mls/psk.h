/* SPDX-License-Identifier: Apache-2.0 */
/* The pre-shared key chain, RFC 9420 8.4. */
#ifndef CRYPTO_MLS_PSK_H
#define CRYPTO_MLS_PSK_H

#include "crypto/mls/labels.h"

/* One PSK: its encoded PreSharedKeyID (with the nonce) and its secret. */
struct mls_psk_input {
    struct view id;
    struct view secret;
};

/*
 * psk_secret over n PSKs in order; the zero vector for n = 0.
 * ERR_LIMIT  n is above LIMIT_MLS_PSKS
 */
MUST_CHECK enum err mls_psk_secret(const struct mls_suite *s,
                                   const struct mls_psk_input *psks, size_t n,
                                   struct prim_secret *out);

#endif
