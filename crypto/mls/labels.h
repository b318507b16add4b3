/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The labelled operations of RFC 9420 5.1, 5.2, 8 and 9.1.  Labels are given
 * without the "MLS 1.0 " in front (RefHash labels in full, as in the RFC) and
 * are at most MLS_LABEL_MAX bytes, which ASSERTs except where it says so.
 */
#ifndef CRYPTO_MLS_LABELS_H
#define CRYPTO_MLS_LABELS_H

#include "crypto/mls/suite.h"
#include "proto/base/rng.h"

enum {
    MLS_LABEL_MAX = 255
};

/* RefHash(label, value), RFC 9420 5.2; label such as
 * "MLS 1.0 KeyPackage Reference". */
void mls_ref_hash(const struct mls_suite *s, struct view label,
                  struct view value, struct mls_hash *out);

/*
 * SignWithLabel.  Writes *sig_len_out (at most PRIM_SIG_MAX) bytes to sig_out.
 * ERR_NOMEM  the content is copied once behind its label
 */
MUST_CHECK enum err mls_sign(const struct mls_suite *s, const struct mem *mem,
                             const struct prim_sign_key *key, struct view label,
                             struct view content, uint8_t sig_out[PRIM_SIG_MAX],
                             size_t *sig_len_out);

/*
 * VerifyWithLabel.
 * ERR_AUTH   the signature does not verify under pub
 * ERR_NOMEM  as above
 */
MUST_CHECK enum err mls_verify(const struct mls_suite *s, const struct mem *mem,
                               struct view pub, struct view label,
                               struct view content, struct view sig);

/*
 * EncryptWithLabel.  Writes s->prim.kem_pub_size bytes to enc_out and
 * pt.len + s->prim.tag_size bytes to ct_out.  Errors: see prim_hpke_seal.
 */
MUST_CHECK enum err mls_encrypt(const struct mls_suite *s,
                                const struct rng *rng, struct view pub,
                                struct view label, struct view context,
                                struct view pt, uint8_t *enc_out,
                                uint8_t *ct_out);

/*
 * DecryptWithLabel.  Writes ct.len - s->prim.tag_size bytes to pt_out.
 * Errors: see prim_hpke_open.
 */
MUST_CHECK enum err mls_decrypt(const struct mls_suite *s,
                                const struct prim_kem_pair *pair,
                                struct view enc, struct view label,
                                struct view context, struct view ct,
                                uint8_t *pt_out);

/*
 * ExpandWithLabel: len bytes.
 * ERR_LIMIT  the label is above MLS_LABEL_MAX or len above 0xffff or
 *            PRIM_HKDF_MAX (only lengths and labels that an application chose
 *            can fail)
 */
MUST_CHECK enum err mls_expand(const struct mls_suite *s, struct view secret,
                               struct view label, struct view context,
                               uint8_t *out, size_t len);

/* The same into a secret of len <= PRIM_SECRET_MAX bytes; cannot fail. */
void mls_expand_secret(const struct mls_suite *s,
                       const struct prim_secret *secret, struct view label,
                       struct view context, size_t len,
                       struct prim_secret *out);

/* The same with the context in parts, at most MLS_CONTEXT_PARTS_MAX. */
enum {
    MLS_CONTEXT_PARTS_MAX = 6
};
MUST_CHECK enum err mls_expand_parts(const struct mls_suite *s,
                                     struct view secret, struct view label,
                                     const struct view *context, size_t n,
                                     uint8_t *out, size_t len);

/* DeriveSecret(secret, label); out may be secret. */
void mls_derive_secret(const struct mls_suite *s,
                       const struct prim_secret *secret, struct view label,
                       struct prim_secret *out);

/* DeriveTreeSecret; len <= PRIM_SECRET_MAX; out may be secret. */
void mls_derive_tree_secret(const struct mls_suite *s,
                            const struct prim_secret *secret, struct view label,
                            uint32_t generation, size_t len,
                            struct prim_secret *out);

#endif
