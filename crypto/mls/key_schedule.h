/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key schedule, RFC 9420 8:
 *
 *   init_secret[n-1], commit_secret, GroupContext[n] -> joiner_secret
 *   joiner_secret, psk_secret                        -> welcome_secret
 *   joiner_secret, psk_secret, GroupContext[n]       -> struct mls_epoch_keys
 *
 * "group_context" is always the encoded GroupContext of the new epoch.  The
 * caller wipes what it no longer needs: commit, joiner and psk secret after the
 * schedule ran, init_secret after the next epoch was made, encryption_secret
 * after the secret tree took it.
 */
#ifndef CRYPTO_MLS_KEY_SCHEDULE_H
#define CRYPTO_MLS_KEY_SCHEDULE_H

#include "crypto/mls/labels.h"

/* What one epoch has, RFC 9420 table 4.  Empty is {0}. */
struct mls_epoch_keys {
    struct prim_secret sender_data;
    struct prim_secret encryption;
    struct prim_secret exporter;
    struct prim_secret external;
    struct prim_secret confirmation;
    struct prim_secret membership;
    struct prim_secret resumption_psk;
    struct prim_secret authenticator; /* epoch_authenticator: not secret */
    struct prim_secret init;          /* for the next epoch */
};

void mls_epoch_keys_wipe(struct mls_epoch_keys *k);

/* An AEAD key and nonce. */
struct mls_key_nonce {
    struct prim_secret key;
    struct prim_secret nonce;
};

/* The zero vector of Nh bytes: commit_secret without a path, no PSKs. */
void mls_zero_secret(const struct mls_suite *s, struct prim_secret *out);

void mls_joiner_secret(const struct mls_suite *s,
                       const struct prim_secret *init,
                       const struct prim_secret *commit,
                       struct view group_context, struct prim_secret *out);

void mls_welcome_secret(const struct mls_suite *s,
                        const struct prim_secret *joiner,
                        const struct prim_secret *psk, struct prim_secret *out);

/* "key" and "nonce" that seal the GroupInfo in a Welcome, RFC 9420 12.4.3.1. */
void mls_welcome_key(const struct mls_suite *s,
                     const struct prim_secret *welcome,
                     struct mls_key_nonce *out);

void mls_epoch_keys_derive(const struct mls_suite *s,
                           const struct prim_secret *joiner,
                           const struct prim_secret *psk,
                           struct view group_context,
                           struct mls_epoch_keys *out);

/* MLS-Exporter, RFC 9420 8.5.  Errors: see mls_expand. */
MUST_CHECK enum err mls_exporter(const struct mls_suite *s,
                                 const struct prim_secret *exporter,
                                 struct view label, struct view context,
                                 uint8_t *out, size_t len);

/* external_priv, external_pub = KEM.DeriveKeyPair(external_secret), 8.  */
MUST_CHECK enum err mls_external_pair(const struct mls_suite *s,
                                      const struct prim_secret *external,
                                      struct prim_kem_pair *out);

/*
 * The init secret of an external commit, RFC 9420 8.3: the joiner's side.
 * Writes s->prim.kem_pub_size bytes to kem_output_out.
 * ERR_INVALID  external_pub is not a usable key; ERR_IO
 */
MUST_CHECK enum err mls_external_init_send(const struct mls_suite *s,
                                           const struct rng *rng,
                                           struct view external_pub,
                                           uint8_t *kem_output_out,
                                           struct prim_secret *init_out);

/* The members' side.  ERR_INVALID  kem_output is not a usable key */
MUST_CHECK enum err
mls_external_init_receive(const struct mls_suite *s,
                          const struct prim_kem_pair *external_pair,
                          struct view kem_output, struct prim_secret *init_out);

/* Key and nonce of the sender data, RFC 9420 6.3.2.  ciphertext: the whole
 * content ciphertext, of which the first Nh bytes are the sample. */
void mls_sender_data_key(const struct mls_suite *s,
                         const struct prim_secret *sender_data,
                         struct view ciphertext, struct mls_key_nonce *out);

#endif
