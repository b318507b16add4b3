/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signing and sealing of contents, and the way back (RFC 9420 6).
 *
 *   sending:   mls_content_sign, [confirmation tag], mls_public_seal
 *              or mls_private_seal
 *   receiving: mls_message_decode, mls_public_open
 *              or mls_private_sender, [look up the key], mls_private_open;
 *              then mls_authenticate with the sender's key
 *
 * What was opened but whose signature was not verified is a struct
 * mls_unverified, of which only what is needed to find the key can be asked.
 * "context" is always the encoded GroupContext of the epoch the message is of.
 * For enum mls_rule *broken see rule.h.
 */
#ifndef CRYPTO_MLS_FRAMING_H
#define CRYPTO_MLS_FRAMING_H

#include "crypto/mls/key_schedule.h"
#include "crypto/mls/message.h"
#include "crypto/mls/rule.h"

/* ---------------------------------------------------------------- sending */

/* FramedContentTBS, what the signature covers. */
void mls_content_write_tbs(struct proto_tls_wr *w, enum mls_wire_format wire,
                           const struct mls_content *c, struct view context);

/*
 * The signature that goes into mls_auth.  context is used when the sender is a
 * member or a new member's commit.
 */
MUST_CHECK enum err
mls_content_sign(const struct mls_suite *s, const struct mem *mem,
                 enum mls_wire_format wire, const struct mls_content *c,
                 struct view context, const struct prim_sign_key *key,
                 uint8_t sig_out[PRIM_SIG_MAX], size_t *sig_len_out);

/*
 * An MLSMessage with a PublicMessage.  x->wire is MLS_WIRE_PUBLIC and x is
 * signed.  membership_key is used when the sender is a member, and may be NULL
 * otherwise.  *out must be empty.  ERR_INVALID  application data; ERR_NOMEM
 */
MUST_CHECK enum err
mls_public_seal(const struct mls_suite *s, const struct mem *mem,
                const struct mls_authenticated *x, struct view context,
                const struct prim_secret *membership_key, struct bytes *out);

/* What seals a private message. */
struct mls_private_keys {
    const struct prim_secret *sender_data; /* sender_data_secret */
    uint32_t generation;
    const struct mls_key_nonce *key; /* of that generation */
};

/*
 * An MLSMessage with a PrivateMessage.  x->wire is MLS_WIRE_PRIVATE, the sender
 * a member, and x is signed.  padding zero bytes are added inside.
 * *out must be empty.  ERR_INVALID  another sender; ERR_NOMEM, ERR_IO (rng)
 */
MUST_CHECK enum err mls_private_seal(const struct mls_suite *s,
                                     const struct mem *mem,
                                     const struct rng *rng,
                                     const struct mls_authenticated *x,
                                     const struct mls_private_keys *keys,
                                     size_t padding, struct bytes *out);

/* -------------------------------------------------------------- receiving */

/* Opened, not verified.  Borrows from the message and the arena. */
struct mls_unverified {
    struct mls_authenticated hidden_;
};

/*
 * Check the sender and content rules of 6.1 and, of a member, the membership
 * tag.  out borrows from m.
 *
 * Rules: sender-external-content, sender-external-proposal,
 * sender-joiner-commit, sender-joiner-add, external-path (a new member's
 * commit without one), membership-tag.  ERR_NOMEM
 */
MUST_CHECK enum err
mls_public_open(const struct mls_suite *s, const struct mem *mem,
                const struct mls_public_message *m, struct view context,
                const struct prim_secret *membership_key,
                struct mls_unverified *out, enum mls_rule *broken);

struct mls_sender_data {
    uint32_t leaf_index;
    uint32_t generation;
    uint8_t reuse_guard[4];
};

/*
 * Who sent a private message, and with which key.  The caller must check that
 * the leaf is not blank (6.3.2, [sender-data-leaf]) before it uses it.
 *
 * Rules: sender-data.  ERR_NOMEM
 */
MUST_CHECK enum err mls_private_sender(const struct mls_suite *s,
                                       const struct mem *mem,
                                       const struct mls_private_message *m,
                                       const struct prim_secret *sender_data,
                                       struct mls_sender_data *out,
                                       enum mls_rule *broken);

/*
 * Open with the key of that leaf, type and generation.  The plaintext is in a,
 * which wipes it, and out borrows from it and from m.
 *
 * Rules: ciphertext, content-format, padding-zero.  ERR_NOMEM
 */
MUST_CHECK enum err mls_private_open(const struct mls_suite *s, struct arena *a,
                                     const struct mls_private_message *m,
                                     const struct mls_sender_data *from,
                                     const struct mls_key_nonce *key,
                                     struct mls_unverified *out,
                                     enum mls_rule *broken);

/* What may be known before the signature is verified, to find the key. */
struct mls_sender mls_unverified_sender(const struct mls_unverified *u);

/*
 * Of a new member's proposal or commit: the signature key that came with it
 * (6.1).  ERR_INVALID  of another sender
 */
MUST_CHECK enum err mls_unverified_joiner_key(const struct mls_unverified *u,
                                              struct view *key_out);

/*
 * Verify the signature; out borrows what u borrows and is verified.  key is
 * that of the sender, see 6.1.
 *
 * Rules: signature.  ERR_NOMEM
 */
MUST_CHECK enum err mls_authenticate(const struct mls_suite *s,
                                     const struct mem *mem,
                                     const struct mls_unverified *u,
                                     struct view context, struct view key,
                                     struct mls_authenticated *out,
                                     enum mls_rule *broken);

/*
 * The external sender at a place in the external_senders extension of the
 * GroupContext.
 *
 * Rules: sender-external-index
 */
MUST_CHECK enum err mls_external_sender_find(struct mls_extensions context,
                                             uint32_t index,
                                             struct mls_external_sender *out,
                                             enum mls_rule *broken);

/* ProposalRef (5.2) of a proposal's AuthenticatedContent. */
MUST_CHECK enum err mls_proposal_ref(const struct mls_suite *s,
                                     const struct mem *mem,
                                     const struct mls_authenticated *x,
                                     struct mls_hash *out);
/* KeyPackageRef (5.2). */
void mls_key_package_ref(const struct mls_suite *s, struct view encoded,
                         struct mls_hash *out);

/* ------------------------------------------------- signing of other structs */

/* Each writes the signature; *sig_len_out at most PRIM_SIG_MAX.  ERR_NOMEM */
MUST_CHECK enum err
mls_leaf_node_sign(const struct mls_suite *s, const struct mem *mem,
                   const struct mls_leaf_node *n, struct view group_id,
                   uint32_t leaf_index, const struct prim_sign_key *key,
                   uint8_t sig_out[PRIM_SIG_MAX], size_t *sig_len_out);
MUST_CHECK enum err mls_key_package_sign(const struct mls_suite *s,
                                         const struct mem *mem,
                                         const struct mls_key_package *kp,
                                         const struct prim_sign_key *key,
                                         uint8_t sig_out[PRIM_SIG_MAX],
                                         size_t *sig_len_out);
MUST_CHECK enum err mls_group_info_sign(const struct mls_suite *s,
                                        const struct mem *mem,
                                        const struct mls_group_info *x,
                                        const struct prim_sign_key *key,
                                        uint8_t sig_out[PRIM_SIG_MAX],
                                        size_t *sig_len_out);

/* Rules: leaf-signature.  ERR_NOMEM */
MUST_CHECK enum err
mls_leaf_node_verify(const struct mls_suite *s, const struct mem *mem,
                     const struct mls_leaf_node *n, struct view group_id,
                     uint32_t leaf_index, enum mls_rule *broken);
/* Rules: key-package-signature.  ERR_NOMEM */
MUST_CHECK enum err mls_key_package_verify(const struct mls_suite *s,
                                           const struct mem *mem,
                                           const struct mls_key_package *kp,
                                           enum mls_rule *broken);
/* key is the signer's.  Rules: group-info-signature.  ERR_NOMEM */
MUST_CHECK enum err mls_group_info_verify(const struct mls_suite *s,
                                          const struct mem *mem,
                                          const struct mls_group_info *x,
                                          struct view key,
                                          enum mls_rule *broken);

#endif
