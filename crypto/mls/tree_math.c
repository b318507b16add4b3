/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/tree_math.h"

#include "proto/base/assert.h"

uint32_t
mls_math_nodes(uint32_t leaves)
{
    return leaves == 0 ? 0 : 2 * leaves - 1;
}

uint32_t
mls_math_root(uint32_t nodes)
{
    uint32_t log2 = 0;

    ASSERT(nodes > 0);
    while (nodes >> (log2 + 1) != 0) {
        log2++;
    }
    return (1u << log2) - 1;
}

uint32_t
mls_math_level(uint32_t node)
{
    uint32_t level = 0;

    while ((node >> level & 1) != 0) {
        level++;
    }
    return level;
}

bool
mls_math_is_leaf(uint32_t node)
{
    return (node & 1) == 0;
}

uint32_t
mls_math_left(uint32_t node)
{
    uint32_t level = mls_math_level(node);

    ASSERT(level > 0);
    return node ^ (1u << (level - 1));
}

uint32_t
mls_math_right(uint32_t node)
{
    uint32_t level = mls_math_level(node);

    ASSERT(level > 0);
    return node ^ (3u << (level - 1));
}

uint32_t
mls_math_parent(uint32_t node)
{
    uint32_t level = mls_math_level(node);
    uint32_t bit = node >> (level + 1) & 1;

    return (node | 1u << level) ^ (bit << (level + 1));
}

uint32_t
mls_math_sibling(uint32_t node)
{
    uint32_t parent = mls_math_parent(node);

    return node < parent ? mls_math_right(parent) : mls_math_left(parent);
}

bool
mls_math_below(uint32_t node, uint32_t top)
{
    uint32_t reach = (1u << mls_math_level(top)) - 1;

    return node >= top - reach && node <= top + reach;
}

uint32_t
mls_math_path(uint32_t node, uint32_t nodes, uint32_t path[MLS_DEPTH_MAX])
{
    uint32_t root = mls_math_root(nodes);
    uint32_t n = 0;

    ASSERT(node < nodes);
    while (node != root && n < MLS_DEPTH_MAX) {
        node = mls_math_parent(node);
        path[n] = node;
        n++;
    }
    return n;
}

uint32_t
mls_math_common(uint32_t a, uint32_t b)
{
    while (!mls_math_below(b, a)) {
        a = mls_math_parent(a);
    }
    return a;
}
