/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic of the array-based tree (RFC 9420 4.1, Appendix C).  Leaf i is
 * node 2i; a tree has 2^d leaves and 2^(d+1) - 1 nodes.  Pure; sizes are
 * bounded by LIMIT_MLS_LEAVES, so nothing overflows 32 bits.
 */
#ifndef CRYPTO_MLS_TREE_MATH_H
#define CRYPTO_MLS_TREE_MATH_H

#include <stdbool.h>
#include <stdint.h>

/* Deeper than any tree of LIMIT_MLS_LEAVES leaves. */
enum {
    MLS_DEPTH_MAX = 32
};

/* Nodes of a tree with leaves leaves; 0 for 0. */
uint32_t mls_math_nodes(uint32_t leaves);

/* The root of a full tree with nodes nodes (> 0). */
uint32_t mls_math_root(uint32_t nodes);

/* Height above the leaves: 0 for a leaf. */
uint32_t mls_math_level(uint32_t node);

bool mls_math_is_leaf(uint32_t node);

/* Children of a parent node. */
uint32_t mls_math_left(uint32_t node);
uint32_t mls_math_right(uint32_t node);

/* Parent and sibling; node is not the root. */
uint32_t mls_math_parent(uint32_t node);
uint32_t mls_math_sibling(uint32_t node);

/* Whether node is at or below top. */
bool mls_math_below(uint32_t node, uint32_t top);

/*
 * The direct path of node: its ancestors, parent first, root last (none for
 * the root).  Returns how many.
 */
uint32_t mls_math_path(uint32_t node, uint32_t nodes,
                       uint32_t path[MLS_DEPTH_MAX]);

/* The lowest common ancestor of two nodes; a node is its own ancestor. */
uint32_t mls_math_common(uint32_t a, uint32_t b);

#endif
