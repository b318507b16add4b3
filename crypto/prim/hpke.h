/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HPKE (RFC 9180), base mode: single-shot seal, open and export, and key
 * derivation.  "info" is given in parts that are hashed one after the other.
 * Nothing allocates.
 */
#ifndef CRYPTO_PRIM_HPKE_H
#define CRYPTO_PRIM_HPKE_H

#include "crypto/prim/suite.h"
#include "proto/base/rng.h"

/* DeriveKeyPair(ikm), RFC 9180 7.1.3. */
MUST_CHECK enum err prim_kem_derive(const struct prim_suite *s, struct view ikm,
                                    struct prim_kem_pair *out);

/* A fresh pair.  ERR_IO  no randomness */
MUST_CHECK enum err prim_kem_generate(const struct prim_suite *s,
                                      const struct rng *rng,
                                      struct prim_kem_pair *out);

/* The pair of a serialised private key.  ERR_INVALID  wrong length */
MUST_CHECK enum err prim_kem_from_priv(const struct prim_suite *s,
                                       struct view priv,
                                       struct prim_kem_pair *out);

/*
 * Seal pt to the holder of pub.  Writes s->kem_pub_size bytes to enc_out and
 * pt.len + s->tag_size bytes to ct_out.
 *
 * ERR_INVALID  pub is not a usable public key
 * ERR_IO       no randomness
 */
MUST_CHECK enum err prim_hpke_seal(const struct prim_suite *s,
                                   const struct rng *rng, struct view pub,
                                   const struct view *info, size_t info_n,
                                   struct view aad, struct view pt,
                                   uint8_t *enc_out, uint8_t *ct_out);

/*
 * Writes ct.len - s->tag_size bytes to pt_out.
 *
 * ERR_AUTH     not sealed to this key with this info and aad, or too short
 * ERR_INVALID  enc is not a usable public key
 */
MUST_CHECK enum err prim_hpke_open(const struct prim_suite *s,
                                   const struct prim_kem_pair *pair,
                                   struct view enc, const struct view *info,
                                   size_t info_n, struct view aad,
                                   struct view ct, uint8_t *pt_out);

/*
 * SetupBaseS and Export of len bytes under context; errors as for seal, and
 * ERR_LIMIT for more than PRIM_HKDF_MAX bytes.
 */
MUST_CHECK enum err
prim_hpke_export_send(const struct prim_suite *s, const struct rng *rng,
                      struct view pub, const struct view *info, size_t info_n,
                      struct view context, uint8_t *enc_out, uint8_t *out,
                      size_t len);

/* SetupBaseR and Export; errors as for open, and ERR_LIMIT. */
MUST_CHECK enum err prim_hpke_export_receive(const struct prim_suite *s,
                                             const struct prim_kem_pair *pair,
                                             struct view enc,
                                             const struct view *info,
                                             size_t info_n, struct view context,
                                             uint8_t *out, size_t len);

#endif
