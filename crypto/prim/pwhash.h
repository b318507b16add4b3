/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and verifiers from passwords: Argon2id (RFC 9106).  Native only. */
#ifndef CRYPTO_PRIM_PWHASH_H
#define CRYPTO_PRIM_PWHASH_H

#include "crypto/prim/secret.h"

enum {
    PRIM_PW_SALT_SIZE = 16,
    PRIM_PW_STRING_SIZE = 128
};

/* Cost of one hash: passes over mem_kib of memory, one lane. */
struct prim_pw_cost {
    uint32_t passes;
    uint32_t mem_kib;
};

/*
 * PRIM_SECRET_MAX key bytes from a password.
 * ERR_NOMEM    not enough memory for mem_kib
 * ERR_INVALID  a cost outside what Argon2id allows (passes >= 1, 8 KiB)
 */
MUST_CHECK enum err prim_pw_key(struct view password,
                                const uint8_t salt[PRIM_PW_SALT_SIZE],
                                const struct prim_pw_cost *cost,
                                struct prim_secret *out);

/*
 * A NUL-terminated verifier "$argon2id$v=19$..." with a random salt inside.
 * Errors as above.
 */
MUST_CHECK enum err prim_pw_store(struct view password,
                                  const struct prim_pw_cost *cost,
                                  char out[PRIM_PW_STRING_SIZE]);

/* ERR_AUTH  another password, or stored is not a verifier */
MUST_CHECK enum err prim_pw_verify(const char *stored, struct view password);

#endif
