/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/tree_int.h"

#include "proto/base/assert.h"
#include "proto/base/limits.h"

#include <string.h>

/* ------------------------------------------------------------------ parents */

static void
drop_box(const struct mem *mem, struct mls_parent_box *box)
{
    if (box == NULL) {
        return;
    }
    box->refs--;
    if (box->refs == 0) {
        if (box->unmerged != NULL) {
            mem_free(mem, box->unmerged, box->cap * sizeof(*box->unmerged));
        }
        mem_free(mem, box, sizeof(*box));
    }
}

/* A box of its own for the parent at n. */
static enum err
own_box(const struct mem *mem, struct mls_tree_node *n)
{
    struct mls_parent_box *old = n->box_;
    struct mls_parent_box *box;

    if (old->refs == 1) {
        return OK;
    }
    box = mem_alloc(mem, sizeof(*box));
    if (box == NULL) {
        return ERR_NOMEM;
    }
    *box = *old;
    box->refs = 1;
    box->unmerged = NULL;
    if (old->cap > 0) {
        box->unmerged = mem_calloc(mem, old->cap, sizeof(*box->unmerged));
        if (box->unmerged == NULL) {
            mem_free(mem, box, sizeof(*box));
            return ERR_NOMEM;
        }
        memcpy(box->unmerged, old->unmerged,
               old->parent.unmerged_count * sizeof(*box->unmerged));
    }
    box->parent.unmerged = box->unmerged;
    old->refs--;
    n->box_ = box;
    return OK;
}

/* List leaf as unmerged in the parent at n, keeping the list ascending. */
static enum err
add_unmerged(const struct mem *mem, struct mls_tree_node *n, uint32_t leaf)
{
    enum err e;
    struct mls_parent *p;
    uint32_t *at;
    uint32_t i;

    TRY(own_box(mem, n));
    p = &n->box_->parent;
    TRY(mls_u32_grow(mem, &n->box_->unmerged, p->unmerged_count,
                     &n->box_->cap));
    at = n->box_->unmerged;
    for (i = p->unmerged_count; i > 0 && at[i - 1] > leaf; i--) {
        at[i] = at[i - 1];
    }
    at[i] = leaf;
    p->unmerged = at;
    p->unmerged_count++;
out:
    return e;
}

/* --------------------------------------------------------------------- tree */

struct mls_tree
mls_tree_empty(const struct mem *mem, const struct mls_suite *suite)
{
    return (struct mls_tree){.mem = mem, .suite = suite};
}

static void
blank(const struct mem *mem, struct mls_tree_node *n)
{
    mls_leaf_drop(n->leaf);
    drop_box(mem, n->box_);
    n->leaf = NULL;
    n->box_ = NULL;
    n->hash_.len = 0;
}

void
mls_tree_free(struct mls_tree *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        blank(t->mem, &t->node[i]);
    }
    if (t->node != NULL) {
        mem_free(t->mem, t->node, t->cap_ * sizeof(*t->node));
    }
    t->node = NULL;
    t->count = 0;
    t->cap_ = 0;
}

enum err
mls_tree_copy(const struct mls_tree *t, struct mls_tree *out)
{
    struct mls_tree_node *node = NULL;

    if (t->count > 0) {
        node = mem_calloc(t->mem, t->count, sizeof(*node));
        if (node == NULL) {
            return ERR_NOMEM;
        }
        memcpy(node, t->node, t->count * sizeof(*node));
    }
    for (uint32_t i = 0; i < t->count; i++) {
        if (node[i].leaf != NULL) {
            mls_leaf_hold(node[i].leaf);
        }
        if (node[i].box_ != NULL) {
            node[i].box_->refs++;
        }
    }
    *out = (struct mls_tree){t->mem, t->suite, node, t->count, t->count};
    return OK;
}

enum err
mls_tree_extend(struct mls_tree *t, uint32_t count)
{
    struct mls_tree_node *node;

    if (count > t->cap_) {
        node = mem_calloc(t->mem, count, sizeof(*node));
        if (node == NULL) {
            return ERR_NOMEM;
        }
        if (t->node != NULL) {
            memcpy(node, t->node, t->count * sizeof(*node));
            mem_free(t->mem, t->node, t->cap_ * sizeof(*node));
        }
        t->node = node;
        t->cap_ = count;
    }
    t->count = count;
    return OK;
}

uint32_t
mls_tree_leaves(const struct mls_tree *t)
{
    return (t->count + 1) / 2;
}

uint32_t
mls_tree_members(const struct mls_tree *t)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < t->count; i += 2) {
        n += t->node[i].leaf != NULL;
    }
    return n;
}

const struct mls_leaf_node *
mls_tree_leaf(const struct mls_tree *t, uint32_t leaf)
{
    if (leaf >= mls_tree_leaves(t) || t->node[2 * leaf].leaf == NULL) {
        return NULL;
    }
    return &t->node[2 * leaf].leaf->node;
}

const struct mls_parent *
mls_tree_parent(const struct mls_tree *t, uint32_t node)
{
    if (node >= t->count || t->node[node].box_ == NULL) {
        return NULL;
    }
    return &t->node[node].box_->parent;
}

bool
mls_tree_blank(const struct mls_tree *t, uint32_t node)
{
    return t->node[node].leaf == NULL && t->node[node].box_ == NULL;
}

struct view
mls_tree_key(const struct mls_tree *t, uint32_t node)
{
    const struct mls_tree_node *n = &t->node[node];

    if (n->leaf != NULL) {
        return n->leaf->node.encryption_key;
    }
    ASSERT(n->box_ != NULL);
    return view_make(n->box_->parent.key, n->box_->parent.key_len);
}

/* Node changed: forget the tree hashes of it and of its ancestors. */
static void
touch(struct mls_tree *t, uint32_t node)
{
    uint32_t path[MLS_DEPTH_MAX];
    uint32_t n = mls_math_path(node, t->count, path);

    t->node[node].hash_.len = 0;
    for (uint32_t i = 0; i < n; i++) {
        t->node[path[i]].hash_.len = 0;
    }
}

void
mls_tree_set_leaf(struct mls_tree *t, uint32_t index, struct mls_leaf *leaf)
{
    struct mls_tree_node *n = &t->node[2 * index];

    ASSERT(index < mls_tree_leaves(t));
    mls_leaf_hold(leaf);
    mls_leaf_drop(n->leaf);
    n->leaf = leaf;
    touch(t, 2 * index);
}

enum err
mls_tree_add(struct mls_tree *t, struct mls_leaf *leaf, uint32_t *index_out)
{
    enum err e = OK;
    uint32_t leaves = mls_tree_leaves(t);
    uint32_t path[MLS_DEPTH_MAX];
    uint32_t index = 0;
    uint32_t n;

    while (index < leaves && t->node[2 * index].leaf != NULL) {
        index++;
    }
    if (index == leaves) {
        /* RFC 9420 7.7: double the tree, with a new blank root */
        if (leaves >= LIMIT_MLS_LEAVES) {
            return ERR_LIMIT;
        }
        TRY(mls_tree_extend(t, mls_math_nodes(leaves == 0 ? 1 : 2 * leaves)));
    }
    mls_tree_set_leaf(t, index, leaf);
    n = mls_math_path(2 * index, t->count, path);
    for (uint32_t i = 0; i < n; i++) {
        if (t->node[path[i]].box_ != NULL) {
            TRY(add_unmerged(t->mem, &t->node[path[i]], index));
        }
    }
    *index_out = index;
out:
    return e;
}

void
mls_tree_blank_path(struct mls_tree *t, uint32_t index)
{
    uint32_t path[MLS_DEPTH_MAX];
    uint32_t n = mls_math_path(2 * index, t->count, path);

    for (uint32_t i = 0; i < n; i++) {
        blank(t->mem, &t->node[path[i]]);
    }
}

void
mls_tree_update(struct mls_tree *t, uint32_t index, struct mls_leaf *leaf)
{
    mls_tree_set_leaf(t, index, leaf);
    mls_tree_blank_path(t, index);
}

void
mls_tree_remove(struct mls_tree *t, uint32_t index)
{
    blank(t->mem, &t->node[2 * index]);
    mls_tree_blank_path(t, index);
}

void
mls_tree_truncate(struct mls_tree *t)
{
    uint32_t last = mls_tree_leaves(t);
    uint32_t leaves = 1;
    uint32_t count;

    while (last > 0 && t->node[2 * (last - 1)].leaf == NULL) {
        last--;
    }
    while (leaves < last) {
        leaves *= 2;
    }
    count = mls_math_nodes(last == 0 ? 0 : leaves);
    for (uint32_t i = count; i < t->count; i++) {
        blank(t->mem, &t->node[i]);
    }
    t->count = count;
}

enum err
mls_tree_set_parent(struct mls_tree *t, uint32_t node, struct view key,
                    const struct mls_hash *parent_hash)
{
    struct mls_parent_box *box;

    ASSERT(node < t->count && !mls_math_is_leaf(node));
    if (key.len > PRIM_KEM_PUB_MAX) {
        return ERR_INVALID;
    }
    box = mem_alloc(t->mem, sizeof(*box));
    if (box == NULL) {
        return ERR_NOMEM;
    }
    box->refs = 1;
    box->parent.key_len = (uint8_t)key.len;
    memcpy(box->parent.key, key.p, key.len);
    box->parent.parent_hash = *parent_hash;
    drop_box(t->mem, t->node[node].box_);
    t->node[node].box_ = box;
    touch(t, node);
    return OK;
}

/* --------------------------------------------------------------- resolution */

enum err
mls_tree_resolve(const struct mls_tree *t, uint32_t node,
                 const struct mls_list *skip, struct mls_list *out)
{
    enum err e = OK;
    uint32_t todo[MLS_DEPTH_MAX];
    uint32_t n = 1;

    todo[0] = node;
    while (n > 0) {
        uint32_t x = todo[--n];
        const struct mls_parent *p = mls_tree_parent(t, x);

        if (p != NULL) {
            TRY(mls_list_push(t->mem, out, x));
            for (uint32_t i = 0; i < p->unmerged_count; i++) {
                if (!mls_list_has(skip, p->unmerged[i])) {
                    TRY(mls_list_push(t->mem, out, 2 * p->unmerged[i]));
                }
            }
        } else if (!mls_math_is_leaf(x)) {
            todo[n++] = mls_math_right(x);
            todo[n++] = mls_math_left(x);
        } else if (t->node[x].leaf != NULL && !mls_list_has(skip, x / 2)) {
            TRY(mls_list_push(t->mem, out, x));
        }
    }
out:
    return e;
}

/* Whether the resolution of node is empty: nothing in the subtree. */
static bool
is_empty(const struct mls_tree *t, uint32_t node)
{
    uint32_t reach = (1u << mls_math_level(node)) - 1;

    for (uint32_t i = node - reach; i <= node + reach; i++) {
        if (!mls_tree_blank(t, i)) {
            return false;
        }
    }
    return true;
}

uint32_t
mls_tree_filtered(const struct mls_tree *t, uint32_t index,
                  uint32_t path[MLS_DEPTH_MAX], uint32_t copath[MLS_DEPTH_MAX])
{
    uint32_t all[MLS_DEPTH_MAX];
    uint32_t n = mls_math_path(2 * index, t->count, all);
    uint32_t below = 2 * index;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t sibling = mls_math_sibling(below);

        if (!is_empty(t, sibling)) {
            path[kept] = all[i];
            copath[kept] = sibling;
            kept++;
        }
        below = all[i];
    }
    return kept;
}
