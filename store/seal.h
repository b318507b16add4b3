/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sealed value: u8 version, 16 bytes of nonce, XChaCha20-Poly1305
 * ciphertext and tag.  The associated data is u8 table, u8 version, key, so
 * that a value opens only where it was put.
 *
 * The nonce is 10 bytes chosen at random when the store is opened and a
 * counter of 6 (then 8 zeros to XChaCha's 24): unique without asking for
 * randomness for each value, also across copies of a folder.
 *
 * Internal to store/.
 */
#ifndef STORE_SEAL_H
#define STORE_SEAL_H

#include "proto/base/bytes.h"
#include "proto/base/rng.h"

enum {
    STORE_NONCE_SIZE = 16,
    STORE_SEAL_EXTRA = 1 + STORE_NONCE_SIZE + 16
};

struct store_nonces {
    uint8_t prefix[10];
    uint64_t used;
};

MUST_CHECK enum err store_nonces_init(struct store_nonces *n,
                                      const struct rng *rng);

/* Writes pt.len + STORE_SEAL_EXTRA bytes. */
void store_seal(const uint8_t key[32], struct store_nonces *nonces,
                uint8_t table, struct view where, struct view pt, uint8_t *out);

/*
 * The plaintext in *out, empty before.
 * ERR_CORRUPT  it does not verify here; ERR_UNSUPPORTED  a newer version
 */
MUST_CHECK enum err store_unseal(const uint8_t key[32], uint8_t table,
                                 struct view where, struct view sealed,
                                 const struct mem *mem, struct bytes *out);
/* The same into room for sealed.len - STORE_SEAL_EXTRA bytes. */
MUST_CHECK enum err store_unseal_to(const uint8_t key[32], uint8_t table,
                                    struct view where, struct view sealed,
                                    uint8_t *out);

#endif
