/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ratchet tree (RFC 9420 4, 7.7, 7.8): an array of 2^(d+1) - 1 nodes, each
 * blank, a leaf or a parent, with a cache of tree hashes.
 *
 * A tree is copied for each staged epoch.  Leaves and parents are counted and
 * shared between the copies; a parent is copied when it changes, so a copy
 * costs a pointer and a hash a node.  A call that fails for lack of memory may
 * leave its tree half changed: work on a copy.  Whoever changes a node forgets
 * the hashes of it and of its ancestors.  Public data only; not between
 * threads.
 */
#ifndef CRYPTO_MLS_TREE_H
#define CRYPTO_MLS_TREE_H

#include "crypto/mls/leaf.h"
#include "crypto/mls/rule.h"
#include "crypto/mls/suite.h"
#include "crypto/mls/tree_math.h"

/* A parent node (RFC 9420 7.1). */
struct mls_parent {
    uint8_t key_len;
    uint8_t key[PRIM_KEM_PUB_MAX]; /* encryption_key */
    struct mls_hash parent_hash;
    const uint32_t *unmerged; /* leaf indices, ascending */
    uint32_t unmerged_count;
};

struct mls_parent_box;

/* One position of the array: at most one of the two is set. */
struct mls_tree_node {
    struct mls_leaf *leaf;
    struct mls_parent_box *box_;
    struct mls_hash hash_; /* the cached tree hash; empty when unknown */
};

/* Empty is {0}. */
struct mls_tree {
    const struct mem *mem;
    const struct mls_suite *suite;
    struct mls_tree_node *node;
    uint32_t count; /* nodes: 2^(d+1) - 1; 0 when empty */
    uint32_t cap_;  /* allocated; those beyond count are blank */
};

/* A list of nodes or leaves, grown as needed.  Empty is {0}. */
struct mls_list {
    uint32_t *at;
    uint32_t count;
    uint32_t cap_;
    const struct mem *mem_;
};

MUST_CHECK enum err mls_list_push(const struct mem *mem, struct mls_list *list,
                                  uint32_t value);
void mls_list_free(struct mls_list *list);
/* Whether an ascending list has value; NULL is an empty list. */
bool mls_list_has(const struct mls_list *list, uint32_t value);

struct mls_tree mls_tree_empty(const struct mem *mem,
                               const struct mls_suite *suite);
void mls_tree_free(struct mls_tree *t);

/* An independent copy that shares the nodes.  *out is empty on entry. */
MUST_CHECK enum err mls_tree_copy(const struct mls_tree *t,
                                  struct mls_tree *out);

/* Leaf positions: (count + 1) / 2. */
uint32_t mls_tree_leaves(const struct mls_tree *t);
uint32_t mls_tree_members(const struct mls_tree *t);

/* The leaf at a leaf index, or NULL when blank or outside. */
const struct mls_leaf_node *mls_tree_leaf(const struct mls_tree *t,
                                          uint32_t leaf);

/* The parent at a node index, or NULL when blank (or a leaf). */
const struct mls_parent *mls_tree_parent(const struct mls_tree *t,
                                         uint32_t node);

bool mls_tree_blank(const struct mls_tree *t, uint32_t node);

/* The HPKE public key of a non-blank node. */
struct view mls_tree_key(const struct mls_tree *t, uint32_t node);

/*
 * Add leaf at the leftmost blank position, extending the tree when it is full
 * (RFC 9420 7.7, 12.1.1), and list it as unmerged in every non-blank ancestor.
 * Holds leaf.  *index_out is its leaf index.
 * ERR_LIMIT  LIMIT_MLS_LEAVES
 */
MUST_CHECK enum err mls_tree_add(struct mls_tree *t, struct mls_leaf *leaf,
                                 uint32_t *index_out);

/* Replace a leaf and blank its direct path (12.1.2).  Holds leaf. */
void mls_tree_update(struct mls_tree *t, uint32_t index, struct mls_leaf *leaf);

/* Blank a leaf and its direct path; mls_tree_truncate comes after the last
   removal of a commit (12.1.3). */
void mls_tree_remove(struct mls_tree *t, uint32_t index);

/* Drop right halves without a member (7.7). */
void mls_tree_truncate(struct mls_tree *t);

/* Replace a leaf and nothing else. */
void mls_tree_set_leaf(struct mls_tree *t, uint32_t index,
                       struct mls_leaf *leaf);

/* Replace a parent with one without unmerged leaves. */
MUST_CHECK enum err mls_tree_set_parent(struct mls_tree *t, uint32_t node,
                                        struct view key,
                                        const struct mls_hash *parent_hash);

/* Blank every node of the direct path of a leaf. */
void mls_tree_blank_path(struct mls_tree *t, uint32_t index);

/*
 * Append the resolution of node (RFC 9420 4.1.1) to out, leaving out the
 * leaf indices in skip (those that this very commit added, ascending, 7.5).
 */
MUST_CHECK enum err mls_tree_resolve(const struct mls_tree *t, uint32_t node,
                                     const struct mls_list *skip,
                                     struct mls_list *out);

/*
 * The filtered direct path of a leaf (4.1.2): its ancestors without those whose
 * child on the copath has an empty resolution, and these children.  Returns
 * how many.
 */
uint32_t mls_tree_filtered(const struct mls_tree *t, uint32_t index,
                           uint32_t path[MLS_DEPTH_MAX],
                           uint32_t copath[MLS_DEPTH_MAX]);

/* The encoded ratchet_tree, without trailing blanks (12.4.3.3). */
void mls_tree_write(struct proto_tls_wr *w, const struct mls_tree *t);

/*
 * A tree from an encoded ratchet_tree; form only, see mls_tree_verify.
 * Rules: tree-format, tree-trailing-blank, tree-size, tree-parent-key-size.
 */
MUST_CHECK enum err mls_tree_read(const struct mem *mem,
                                  const struct mls_suite *suite, struct view in,
                                  struct mls_tree *out, enum mls_rule *broken);

#endif
