/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/tree.h"

#include "proto/base/assert.h"
#include "proto/base/limits.h"

#include <string.h>

/* A parent node with its holders; copied before it changes when shared. */
struct mls_parent_box {
    struct mls_parent parent;
    uint32_t refs;
    uint32_t *unmerged;
    uint32_t cap;
};

enum {
    LIST_MIN = 8
};

/* ------------------------------------------------------------------- lists */

/* Room for one more item in an array of cap items. */
static enum err
grow(const struct mem *mem, uint32_t **at, uint32_t count, uint32_t *cap)
{
    uint32_t more = *cap == 0 ? LIST_MIN : *cap * 2;
    uint32_t *bigger;

    if (count < *cap) {
        return OK;
    }
    bigger = mem_calloc(mem, more, sizeof(*bigger));
    if (bigger == NULL) {
        return ERR_NOMEM;
    }
    if (count > 0) {
        memcpy(bigger, *at, count * sizeof(*bigger));
    }
    mem_free(mem, *at, *cap * sizeof(*bigger));
    *at = bigger;
    *cap = more;
    return OK;
}

enum err
mls_list_push(const struct mem *mem, struct mls_list *list, uint32_t value)
{
    enum err e;

    list->mem_ = mem;
    TRY(grow(mem, &list->at, list->count, &list->cap_));
    list->at[list->count] = value;
    list->count++;
out:
    return e;
}

void
mls_list_free(struct mls_list *list)
{
    if (list->at != NULL) {
        mem_free(list->mem_, list->at, list->cap_ * sizeof(*list->at));
    }
    *list = (struct mls_list){0};
}

bool
mls_list_has(const struct mls_list *list, uint32_t value)
{
    uint32_t lo = 0;
    uint32_t hi = list == NULL ? 0 : list->count;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (list->at[mid] == value) {
            return true;
        }
        if (list->at[mid] < value) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return false;
}

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
    TRY(grow(mem, &n->box_->unmerged, p->unmerged_count, &n->box_->cap));
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

/* Extend with blank nodes to count. */
static enum err
extend(struct mls_tree *t, uint32_t count)
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
        TRY(extend(t, mls_math_nodes(leaves == 0 ? 1 : 2 * leaves)));
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

/* ------------------------------------------------------------ import, export
 */

static void
write_parent(struct proto_tls_wr *w, const struct mls_parent *p)
{
    size_t at;

    proto_tls_wr_vec(w, view_make(p->key, p->key_len));
    proto_tls_wr_vec(w, mls_hash_view(&p->parent_hash));
    at = proto_tls_wr_begin(w);
    for (uint32_t i = 0; i < p->unmerged_count; i++) {
        proto_tls_wr_u32(w, p->unmerged[i]);
    }
    proto_tls_wr_end_vec(w, at);
}

enum {
    NODE_LEAF = 1,
    NODE_PARENT = 2
};

void
mls_tree_write(struct proto_tls_wr *w, const struct mls_tree *t)
{
    size_t at = proto_tls_wr_begin(w);
    uint32_t end = t->count;

    while (end > 0 && mls_tree_blank(t, end - 1)) {
        end--;
    }
    for (uint32_t i = 0; i < end; i++) {
        const struct mls_parent *p = mls_tree_parent(t, i);

        proto_tls_wr_optional(w, !mls_tree_blank(t, i));
        if (t->node[i].leaf != NULL) {
            proto_tls_wr_u8(w, NODE_LEAF);
            proto_tls_wr_fixed(w, t->node[i].leaf->node.encoded);
        } else if (p != NULL) {
            proto_tls_wr_u8(w, NODE_PARENT);
            write_parent(w, p);
        }
    }
    proto_tls_wr_end_vec(w, at);
}

static enum err
read_leaf(struct mls_tree *t, uint32_t i, struct proto_tls_rd *r)
{
    struct mls_leaf_node n;

    mls_leaf_node_read(r, &n);
    if (r->e != OK) {
        return r->e;
    }
    return mls_leaf_new(t->mem, n.encoded, &t->node[i].leaf);
}

static enum err
read_parent(struct mls_tree *t, uint32_t i, struct proto_tls_rd *r,
            enum mls_rule *broken)
{
    enum err e;
    struct view key = proto_tls_rd_vec(r);
    struct view hash = proto_tls_rd_vec(r);
    struct proto_tls_rd leaves = proto_tls_rd_sub(r);
    struct mls_parent_box *box;
    struct mls_hash parent_hash = {0};

    if (r->e != OK) {
        return r->e;
    }
    /* RFC 9420 7.1 [tree-parent-key-size] */
    TRY(mls_require(key.len == t->suite->prim.kem_pub_size,
                    MLS_RULE_TREE_PARENT_KEY_SIZE, broken));
    if (hash.len > sizeof(parent_hash.b)) {
        return ERR_FORMAT;
    }
    parent_hash.len = (uint8_t)hash.len;
    if (hash.len > 0) {
        memcpy(parent_hash.b, hash.p, hash.len);
    }
    TRY(mls_tree_set_parent(t, i, key, &parent_hash));
    box = t->node[i].box_;
    while (proto_tls_rd_more(&leaves)) {
        uint32_t leaf = proto_tls_rd_u32(&leaves);

        /* The order is judged by mls_tree_verify. */
        TRY(grow(t->mem, &box->unmerged, box->parent.unmerged_count,
                 &box->cap));
        box->parent.unmerged = box->unmerged;
        box->unmerged[box->parent.unmerged_count++] = leaf;
    }
    TRY(proto_tls_rd_end(&leaves));
out:
    return e;
}

static enum err
read_node(struct mls_tree *t, uint32_t i, struct proto_tls_rd *r,
          enum mls_rule *broken)
{
    uint8_t type;

    if (!proto_tls_rd_optional(r)) {
        return r->e;
    }
    type = proto_tls_rd_u8(r);
    if (r->e != OK) {
        return r->e;
    }
    /* RFC 9420 12.4.3.3: leaves and parents in their places */
    if (type == NODE_LEAF && mls_math_is_leaf(i)) {
        return read_leaf(t, i, r);
    }
    if (type == NODE_PARENT && !mls_math_is_leaf(i)) {
        return read_parent(t, i, r, broken);
    }
    return ERR_FORMAT;
}

/* Nodes, one after the other, extending the tree as they come. */
static enum err
read_nodes(struct mls_tree *t, struct proto_tls_rd *nodes, uint32_t *last_out,
           enum mls_rule *broken)
{
    enum err e;
    uint32_t i = 0;

    while (proto_tls_rd_more(nodes)) {
        /* RFC 9420 12.4.3.3 [tree-size] */
        TRY(mls_require(i < mls_math_nodes(LIMIT_MLS_LEAVES),
                        MLS_RULE_TREE_SIZE, broken));
        if (i >= t->count) {
            TRY(extend(t, 2 * t->count + 1));
        }
        TRY(read_node(t, i, nodes, broken));
        i++;
    }
    *last_out = i;
    e = proto_tls_rd_end(nodes);
out:
    return e;
}

enum err
mls_tree_read(const struct mem *mem, const struct mls_suite *suite,
              struct view in, struct mls_tree *out, enum mls_rule *broken)
{
    enum err e;
    struct proto_tls_rd r = proto_tls_rd_open(in);
    struct proto_tls_rd nodes = proto_tls_rd_sub(&r);
    struct mls_tree t = mls_tree_empty(mem, suite);
    uint32_t n = 0;

    /* RFC 9420 12.4.3.3 [tree-format] */
    TRY(mls_require_ok(proto_tls_rd_end(&r), ERR_FORMAT, MLS_RULE_TREE_FORMAT,
                       broken));
    e = read_nodes(&t, &nodes, &n, broken);
    if (e == ERR_FORMAT) {
        e = mls_broken(MLS_RULE_TREE_FORMAT, broken);
    }
    TRY(e);
    TRY(mls_require(n > 0, MLS_RULE_TREE_FORMAT, broken));
    /* RFC 9420 12.4.3.3 [tree-trailing-blank] */
    TRY(mls_require(!mls_tree_blank(&t, n - 1), MLS_RULE_TREE_TRAILING_BLANK,
                    broken));
    *out = t;
    t = (struct mls_tree){0};
out:
    mls_tree_free(&t);
    return e;
}
