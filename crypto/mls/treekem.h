/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TreeKEM (RFC 9420 7.4 - 7.6): making an UpdatePath, applying one that came,
 * and the private keys that a member holds of nodes above its leaf.
 *
 * A tree given here is the new epoch's, after the proposals; it is changed.
 */
#ifndef CRYPTO_MLS_TREEKEM_H
#define CRYPTO_MLS_TREEKEM_H

#include "crypto/mls/labels.h"
#include "crypto/mls/proposal.h"
#include "crypto/mls/tree.h"
#include "crypto/prim/hpke.h"

/* A leaf and its ancestors in a tree of LIMIT_MLS_LEAVES leaves. */
enum {
    MLS_TREE_KEYS_MAX = 13
};

struct mls_node_pair {
    uint32_t node;
    struct prim_kem_pair pair;
};

/* The private keys that we hold.  Empty is {0}. */
struct mls_tree_keys {
    uint32_t count;
    struct mls_node_pair at[MLS_TREE_KEYS_MAX];
};

void mls_tree_keys_wipe(struct mls_tree_keys *k);

/* Replace or add the pair of node. */
void mls_tree_keys_set(struct mls_tree_keys *k, uint32_t node,
                       const struct prim_kem_pair *pair);

/* Our pair for node as it is in t, or NULL: by key, not by place. */
const struct prim_kem_pair *mls_tree_keys_find(const struct mls_tree_keys *k,
                                               const struct mls_tree *t,
                                               uint32_t node);

/* Wipe the pairs that t no longer has. */
void mls_tree_keys_prune(struct mls_tree_keys *k, const struct mls_tree *t);

/* A path that we made: secrets for each node of our filtered direct path. */
struct mls_own_path {
    uint32_t count;
    uint32_t node[MLS_DEPTH_MAX];
    uint32_t copath[MLS_DEPTH_MAX];
    struct prim_secret secret[MLS_DEPTH_MAX]; /* path_secret */
    struct prim_kem_pair pair[MLS_DEPTH_MAX];
    struct prim_kem_pair leaf_pair;
    struct prim_secret commit; /* commit_secret */
};

void mls_own_path_wipe(struct mls_own_path *p);

/* Who signs a new leaf, and what for. */
struct mls_leaf_signer {
    const struct prim_sign_key *key;
    struct view group_id;
};

/*
 * Fresh keys for the direct path of leaf index and for the leaf itself, which
 * is like (its keys, source, parent hash and signature are filled in).  t has
 * them afterwards.
 */
MUST_CHECK enum err mls_path_make(struct mls_tree *t, const struct rng *rng,
                                  uint32_t index,
                                  const struct mls_leaf_node *like,
                                  const struct mls_leaf_signer *signer,
                                  struct mls_own_path *out);

/*
 * The UpdatePath of p, encrypted to everybody but the leaves in skip (those
 * that this commit added).  context is the encoded provisional GroupContext.
 * out lives in a and borrows from t.
 */
MUST_CHECK enum err
mls_path_encrypt(const struct mls_tree *t, const struct rng *rng,
                 struct arena *a, uint32_t index, const struct mls_own_path *p,
                 const struct mls_list *skip, struct view context,
                 struct mls_update_path *out);

/* Keep the private keys of a path we made. */
void mls_path_keep(struct mls_tree_keys *keys, uint32_t index,
                   const struct mls_own_path *p);

/*
 * Put a received path into the tree: new parents, the new leaf at index.
 *
 * Rules: path-length, path-ciphertexts, path-key-size, path-keys-unique,
 * path-parent-hash.
 */
MUST_CHECK enum err mls_path_apply(struct mls_tree *t, uint32_t index,
                                   const struct mls_update_path *path,
                                   const struct mls_list *skip,
                                   enum mls_rule *broken);

/* A received path, seen by a member. */
struct mls_path_in {
    const struct mls_update_path *path;
    uint32_t sender; /* leaf */
    uint32_t own;    /* leaf */
    const struct mls_list *skip;
    struct view context; /* encoded provisional GroupContext */
};

/*
 * After mls_path_apply: decrypt our part, add the new keys to keys, which are
 * pruned first.
 *
 * Rules: path-decrypt, path-secret-key.
 */
MUST_CHECK enum err mls_path_decrypt(const struct mls_tree *t,
                                     const struct mls_path_in *in,
                                     struct mls_tree_keys *keys,
                                     struct prim_secret *commit_out,
                                     enum mls_rule *broken);

/*
 * The keys that follow from the path secret in a Welcome (12.4.3.1): of the
 * lowest common ancestor of own and signer, and of what is above it.
 *
 * Rules: welcome-path-secret.
 */
MUST_CHECK enum err mls_path_from_welcome(const struct mls_tree *t,
                                          uint32_t own, uint32_t signer,
                                          struct view path_secret,
                                          struct mls_tree_keys *keys,
                                          enum mls_rule *broken);

#endif
