/* SPDX-License-Identifier: Apache-2.0 */
/* Tree arithmetic against its definition: every node of trees up to 64 leaves,
 * found by walking from the root. */
#include "crypto/mls/tree_math.h"

#include "tests/support/check.h"

/* Walk a subtree of 2^level leaves that starts at leaf first. */
static void
walk(uint32_t first, uint32_t level, uint32_t nodes)
{
    uint32_t node = 2 * first + (1u << level) - 1;
    uint32_t half = level == 0 ? 0 : 1u << (level - 1);
    uint32_t path[MLS_DEPTH_MAX];
    uint32_t n = mls_math_path(node, nodes, path);

    CHECK_EQ(mls_math_level(node), level);
    CHECK_EQ(mls_math_is_leaf(node), level == 0);
    for (uint32_t i = 0; i < nodes; i++) {
        bool inside = i >= 2 * first && i <= 2 * (first + (1u << level)) - 2;

        CHECK_EQ(mls_math_below(i, node), inside);
    }
    for (uint32_t i = 0; i < n; i++) {
        CHECK(mls_math_below(node, path[i]));
        CHECK_EQ(mls_math_level(path[i]), level + 1 + i);
    }
    if (level > 0) {
        uint32_t left = mls_math_left(node);
        uint32_t right = mls_math_right(node);

        CHECK_EQ(left, 2 * first + half - 1);
        CHECK_EQ(right, 2 * (first + half) + half - 1);
        CHECK_EQ(mls_math_parent(left), node);
        CHECK_EQ(mls_math_parent(right), node);
        CHECK_EQ(mls_math_sibling(left), right);
        CHECK_EQ(mls_math_sibling(right), left);
        walk(first, level - 1, nodes);
        walk(first + half, level - 1, nodes);
    }
}

TEST(every_node_of_small_trees)
{
    for (uint32_t depth = 0; depth <= 6; depth++) {
        uint32_t nodes = mls_math_nodes(1u << depth);

        CHECK_EQ(nodes, (2u << depth) - 1);
        CHECK_EQ(mls_math_root(nodes), (1u << depth) - 1);
        walk(0, depth, nodes);
    }
    CHECK_EQ(mls_math_nodes(0), 0);
}

TEST(common_ancestor)
{
    CHECK_EQ(mls_math_common(0, 0), 0);
    CHECK_EQ(mls_math_common(0, 2), 1);
    CHECK_EQ(mls_math_common(0, 4), 3);
    CHECK_EQ(mls_math_common(4, 6), 5);
    CHECK_EQ(mls_math_common(2, 3), 3);
    CHECK_EQ(mls_math_common(3, 2), 3);
    CHECK_EQ(mls_math_common(6, 8), 7);
}

int
main(void)
{
    return RUN(T(every_node_of_small_trees), T(common_ancestor));
}
