/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tree hashes and parent hashes (RFC 9420 7.8, 7.9) and what they prove about a
 * tree that somebody gave us.
 */
#ifndef CRYPTO_MLS_TREE_HASH_H
#define CRYPTO_MLS_TREE_HASH_H

#include "crypto/mls/tree.h"

/* The tree hash of node, from the cache where it is still right. */
MUST_CHECK enum err mls_tree_hash(struct mls_tree *t, uint32_t node,
                                  struct mls_hash *out);

/* The tree hash of the root: what the GroupContext holds. */
MUST_CHECK enum err mls_tree_root_hash(struct mls_tree *t,
                                       struct mls_hash *out);

/*
 * The parent hash that a child in the other half takes from parent, whose
 * copath child is sibling (7.9): over the encryption key, the parent hash and
 * the original tree hash of sibling.
 */
MUST_CHECK enum err mls_tree_parent_hash(struct mls_tree *t, uint32_t parent,
                                         uint32_t sibling,
                                         struct mls_hash *out);

/*
 * What a joiner checks of the inner nodes of a tree (12.4.3.1): parent hashes,
 * unmerged leaves, unique keys.  Leaves by themselves are checked elsewhere.
 * Rules: tree-parent-hash, tree-unmerged-sorted, tree-unmerged-leaf,
 * tree-unmerged-between, tree-parent-key-unique.
 */
MUST_CHECK enum err mls_tree_verify(struct mls_tree *t, enum mls_rule *broken);

#endif
