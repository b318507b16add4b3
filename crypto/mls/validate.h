/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of RFC 9420 for one object, for a list of proposals, and for the
 * leaves of a tree as a set.  Nothing here changes anything.  Rules that need
 * the tree's inner nodes or the key schedule are where those are.
 *
 * Each function names the rules it can report; for enum mls_rule *broken see
 * rule.h.  Credentials are judged by the caller ([leaf-credential]): these
 * functions only see bytes.
 */
#ifndef CRYPTO_MLS_VALIDATE_H
#define CRYPTO_MLS_VALIDATE_H

#include "crypto/mls/framing.h"

/* ------------------------------------------------------------- one object */

/*
 * A leaf node by itself (7.2, 7.3), for a suite; no signature, no lifetime.
 *
 * Rules: leaf-source-key-package, leaf-source-update, leaf-source-commit (by
 * source), leaf-key-size, leaf-version, leaf-suite, leaf-credential-listed,
 * leaf-extension-listed, leaf-extension-twice
 */
MUST_CHECK enum err mls_leaf_check(const struct mls_suite *s,
                                   const struct mls_leaf_node *n,
                                   enum mls_leaf_source source,
                                   enum mls_rule *broken);

/* The same for a leaf in a tree, of any source. */
MUST_CHECK enum err mls_leaf_check_any(const struct mls_suite *s,
                                       const struct mls_leaf_node *n,
                                       enum mls_rule *broken);

/*
 * A leaf node against the extensions of the GroupContext (7.3, 13.4).
 * Unlisted or malformed required_capabilities: see mls_group_extensions_check.
 *
 * Rules: leaf-required-extension, leaf-required-proposal,
 * leaf-required-credential, leaf-group-extension
 */
MUST_CHECK enum err mls_leaf_check_group(const struct mls_leaf_node *n,
                                         struct mls_extensions group,
                                         enum mls_rule *broken);

/* A lifetime's limits, seconds. */
struct mls_lifetime_policy {
    uint64_t now_s;   /* since 1970 */
    uint64_t skew_s;  /* how far clocks may differ */
    uint64_t total_s; /* longest lifetime accepted; 0: any */
};

/*
 * The lifetime of a leaf of source key_package; others pass.  Mandatory for
 * what we send and for key packages we are about to use (7.3).
 *
 * Rules: leaf-lifetime, leaf-lifetime-total
 */
MUST_CHECK enum err mls_leaf_check_lifetime(const struct mls_leaf_node *n,
                                            const struct mls_lifetime_policy *p,
                                            enum mls_rule *broken);

/*
 * A key package by itself (10, 10.1), both signatures included; no lifetime.
 *
 * Rules: those of mls_leaf_check, key-package-version, key-package-suite,
 * key-package-init-key, key-package-init-key-size,
 * key-package-extension-twice, leaf-signature, key-package-signature.
 * ERR_NOMEM
 *
 * That the leaf's capabilities list the package's own extensions (10) binds who
 * makes a package; 10.1 does not have receivers check it and mlspp breaks it.
 */
MUST_CHECK enum err mls_key_package_validate(const struct mls_suite *s,
                                             const struct mem *mem,
                                             const struct mls_key_package *kp,
                                             enum mls_rule *broken);

/*
 * The extensions of a GroupContext, present or proposed, by themselves.
 *
 * Rules: group-extension-twice, group-extension-format
 */
MUST_CHECK enum err mls_group_extensions_check(struct mls_extensions group,
                                               enum mls_rule *broken);

/*
 * A GroupInfo by itself, before its tree is known.
 *
 * Rules: group-info-version, group-info-suite (not suite s),
 * group-info-extension-twice, group-info-extension-format,
 * group-extension-twice, group-extension-format
 */
MUST_CHECK enum err mls_group_info_check(const struct mls_suite *s,
                                         const struct mls_group_info *x,
                                         enum mls_rule *broken);

/* ----------------------------------------------------- the leaves of a tree */

/* The leaves of a tree, blank ones NULL.  Borrowed for the call. */
struct mls_leaves {
    const struct mls_leaf_node *(*at)(const void *ctx, uint32_t index);
    const void *ctx;
    uint32_t count;
};

/*
 * Leaf n, not yet or newly at index, against all other leaves (7.3).
 *
 * Rules: leaf-credential-by-all, leaf-credential-of-all,
 * leaf-signature-key-unique, leaf-encryption-key-unique
 */
MUST_CHECK enum err mls_leaf_check_among(const struct mls_leaf_node *n,
                                         uint32_t index,
                                         const struct mls_leaves *leaves,
                                         enum mls_rule *broken);

/*
 * All leaves among themselves and against the extensions of the GroupContext,
 * in one pass: for joining, and after a commit that changed many.
 *
 * Rules: those of mls_leaf_check_group and mls_leaf_check_among.  ERR_NOMEM
 */
MUST_CHECK enum err mls_leaves_check(const struct mem *mem,
                                     const struct mls_leaves *leaves,
                                     struct mls_extensions group,
                                     enum mls_rule *broken);

/*
 * Whether no two of n keys are the same.  Sorts keys in place, so
 * that a large tree costs n log n.
 */
bool mls_keys_unique(struct view *keys, size_t n);

/* -------------------------------------------------------------- proposals */

/* What proposals are judged against: the epoch that they are of. */
struct mls_list_scope {
    const struct mls_suite *suite;
    const struct mem *mem;
    struct view group_id;
    struct mls_extensions extensions; /* of the GroupContext */
    struct mls_leaves leaves;         /* before the commit */
};

/* A proposal with where it came from. */
struct mls_listed {
    const struct mls_proposal *proposal;
    struct mls_sender sender; /* for one by value, the committer */
    bool by_reference;
};

/*
 * One proposal by itself (12.1), as when it is received; the leaf of an Add is
 * judged against x->extensions, use those the same commit sets.
 *
 * Rules: those of mls_key_package_validate, mls_leaf_check and
 * mls_leaf_check_group; update-sender, leaf-update-key, leaf-signature,
 * remove-leaf, psk-reinit, psk-branch, psk-nonce, reinit-version,
 * reinit-extension-twice, those of mls_group_extensions_check.  ERR_NOMEM
 */
MUST_CHECK enum err mls_proposal_validate(const struct mls_list_scope *x,
                                          const struct mls_listed *p,
                                          enum mls_rule *broken);

/* What the first commit of a successor group may do in addition (11.2, 11.3).
 */
enum mls_commit_kind {
    MLS_COMMIT_NORMAL,
    MLS_COMMIT_REINIT, /* a PSK of usage reinit */
    MLS_COMMIT_BRANCH  /* a PSK of usage branch */
};

/*
 * A list for a commit by the member at leaf committer (12.2), each proposal by
 * itself included.  What follows from the new tree is for the caller:
 * mls_leaves_check or mls_leaf_check_among on the leaves after.
 *
 * Rules: those of mls_proposal_validate, list-own-update, list-self-remove,
 * list-leaf-twice, list-client-twice, list-client-present, list-psk-twice,
 * list-group-extensions-twice, list-reinit-alone, list-external-init,
 * list-type-supported, list-leaves, group-required-supported,
 * group-extension-supported, message-size (too many PSKs).  ERR_NOMEM
 */
MUST_CHECK enum err mls_list_validate(const struct mls_list_scope *x,
                                      enum mls_commit_kind kind,
                                      uint32_t committer,
                                      const struct mls_listed *list, size_t n,
                                      enum mls_rule *broken);

/*
 * The proposals of an external commit (12.2, 12.4.3.2) with its path.  That the
 * removed leaf is the joiner's own is for the caller to judge by credential
 * ([external-remove-self]).
 *
 * Rules: external-reference, external-one-init, external-one-remove,
 * external-proposal-type, external-path, external-kem (its size),
 * list-psk-twice, message-size (too many PSKs), leaf-update-key (as
 * the removed leaf), and of the proposals remove-leaf, psk-reinit, psk-branch,
 * psk-nonce.  ERR_NOMEM
 */
MUST_CHECK enum err mls_external_list_validate(const struct mls_list_scope *x,
                                               const struct mls_commit *commit,
                                               enum mls_rule *broken);

/* Whether these proposals need a path (12.4). */
bool mls_path_required(const struct mls_listed *list, size_t n);

/*
 * The leaf node of a commit's path (7.3, 12.4.2), to be put at leaf_index:
 * form, signature, against the new extensions; before is the leaf it replaces,
 * or NULL.
 *
 * Rules: those of mls_leaf_check and mls_leaf_check_group, leaf-signature,
 * leaf-commit-key.  ERR_NOMEM
 */
MUST_CHECK enum err mls_path_leaf_validate(const struct mls_list_scope *x,
                                           const struct mls_leaf_node *n,
                                           uint32_t leaf_index,
                                           const struct mls_leaf_node *before,
                                           enum mls_rule *broken);

/*
 * The PSKs of a GroupSecrets (12.4.3.1); *kind_out says whether it is a
 * successor's Welcome.
 *
 * Rules: welcome-psk-one, psk-nonce
 */
MUST_CHECK enum err mls_welcome_psks_check(const struct mls_suite *s,
                                           const struct mls_psk_ids *psks,
                                           enum mls_commit_kind *kind_out,
                                           enum mls_rule *broken);

#endif
