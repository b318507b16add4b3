/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the ratchet tree; only tree*.c includes this. */
#ifndef CRYPTO_MLS_TREE_INT_H
#define CRYPTO_MLS_TREE_INT_H

#include "crypto/mls/tree.h"

/* A parent node with its holders; copied before it changes when shared. */
struct mls_parent_box {
    struct mls_parent parent;
    uint32_t refs;
    uint32_t *unmerged;
    uint32_t cap;
};

/* Room for one more item in an array of *cap items. */
MUST_CHECK enum err mls_u32_grow(const struct mem *mem, uint32_t **at,
                                 uint32_t count, uint32_t *cap);

/* Extend with blank nodes to count. */
MUST_CHECK enum err mls_tree_extend(struct mls_tree *t, uint32_t count);

#endif
