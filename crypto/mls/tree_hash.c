/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/tree_hash.h"

#include "crypto/mls/validate.h"
#include "proto/base/assert.h"

/*
 * Leaves to be left out of a hash (original tree hash, RFC 9420 7.9),
 * ascending, and a writer that is used again for each input.
 */
struct hasher {
    const uint32_t *skip;
    uint32_t skip_count;
    struct proto_tls_wr w;
};

/* How many of the ascending at[0..n) are below value. */
static uint32_t
lower(const uint32_t *at, uint32_t n, uint32_t value)
{
    uint32_t lo = 0;
    uint32_t hi = n;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (at[mid] < value) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static bool
has(const uint32_t *at, uint32_t n, uint32_t value)
{
    uint32_t i = lower(at, n, value);

    return i < n && at[i] == value;
}

/* How many of at are leaves below node. */
static uint32_t
below(const uint32_t *at, uint32_t n, uint32_t node)
{
    uint32_t reach = (1u << mls_math_level(node)) - 1;

    return lower(at, n, (node + reach) / 2 + 1) -
           lower(at, n, (node - reach + 1) / 2);
}

enum {
    INPUT_LEAF = 1,
    INPUT_PARENT = 2
};

/* TreeHashInput of a leaf, RFC 9420 7.8. */
static void
write_leaf_input(struct hasher *h, const struct mls_tree *t, uint32_t node)
{
    const struct mls_leaf_node *leaf = mls_tree_leaf(t, node / 2);

    if (has(h->skip, h->skip_count, node / 2)) {
        leaf = NULL;
    }
    proto_tls_wr_u8(&h->w, INPUT_LEAF);
    proto_tls_wr_u32(&h->w, node / 2);
    proto_tls_wr_optional(&h->w, leaf != NULL);
    if (leaf != NULL) {
        proto_tls_wr_fixed(&h->w, leaf->encoded);
    }
}

/* TreeHashInput of a parent, RFC 9420 7.8. */
static void
write_parent_input(struct hasher *h, const struct mls_parent *p,
                   const struct mls_hash *left, const struct mls_hash *right)
{
    size_t at;

    proto_tls_wr_u8(&h->w, INPUT_PARENT);
    proto_tls_wr_optional(&h->w, p != NULL);
    if (p != NULL) {
        proto_tls_wr_vec(&h->w, view_make(p->key, p->key_len));
        proto_tls_wr_vec(&h->w, mls_hash_view(&p->parent_hash));
        at = proto_tls_wr_begin(&h->w);
        for (uint32_t i = 0; i < p->unmerged_count; i++) {
            if (!has(h->skip, h->skip_count, p->unmerged[i])) {
                proto_tls_wr_u32(&h->w, p->unmerged[i]);
            }
        }
        proto_tls_wr_end_vec(&h->w, at);
    }
    proto_tls_wr_vec(&h->w, mls_hash_view(left));
    proto_tls_wr_vec(&h->w, mls_hash_view(right));
}

/* Recurses once a level, of which there are at most 13. */
static enum err
hash_node(struct mls_tree *t, uint32_t node, struct hasher *h,
          struct mls_hash *out)
{
    enum err e;
    struct mls_hash left;
    struct mls_hash right;
    struct view input;
    bool whole = below(h->skip, h->skip_count, node) == 0;

    if (whole && t->node[node].hash_.len > 0) {
        *out = t->node[node].hash_;
        return OK;
    }
    if (mls_math_is_leaf(node)) {
        bytes_truncate(&h->w.out, 0);
        write_leaf_input(h, t, node);
    } else {
        TRY(hash_node(t, mls_math_left(node), h, &left));
        TRY(hash_node(t, mls_math_right(node), h, &right));
        bytes_truncate(&h->w.out, 0);
        write_parent_input(h, mls_tree_parent(t, node), &left, &right);
    }
    TRY(h->w.e);
    input = proto_tls_wr_view(&h->w);
    mls_hash_parts(t->suite, &input, 1, out);
    if (whole) {
        t->node[node].hash_ = *out;
    }
out:
    return e;
}

enum err
mls_tree_hash(struct mls_tree *t, uint32_t node, struct mls_hash *out)
{
    enum err e;
    struct hasher h = {NULL, 0, proto_tls_wr_open(t->mem)};

    ASSERT(node < t->count);
    e = hash_node(t, node, &h, out);
    proto_tls_wr_clear(&h.w);
    return e;
}

enum err
mls_tree_root_hash(struct mls_tree *t, struct mls_hash *out)
{
    return mls_tree_hash(t, mls_math_root(t->count), out);
}

/* RFC 9420 7.9: with the unmerged leaves of parent as if they were not there */
enum err
mls_tree_parent_hash(struct mls_tree *t, uint32_t parent, uint32_t sibling,
                     struct mls_hash *out)
{
    enum err e;
    const struct mls_parent *p = mls_tree_parent(t, parent);
    struct hasher h = {NULL, 0, proto_tls_wr_open(t->mem)};
    struct mls_hash original;
    struct view input;

    ASSERT(p != NULL);
    h.skip = p->unmerged;
    h.skip_count = p->unmerged_count;
    TRY(hash_node(t, sibling, &h, &original));
    bytes_truncate(&h.w.out, 0);
    proto_tls_wr_vec(&h.w, view_make(p->key, p->key_len));
    proto_tls_wr_vec(&h.w, mls_hash_view(&p->parent_hash));
    proto_tls_wr_vec(&h.w, mls_hash_view(&original));
    TRY(h.w.e);
    input = proto_tls_wr_view(&h.w);
    mls_hash_parts(t->suite, &input, 1, out);
out:
    proto_tls_wr_clear(&h.w);
    return e;
}

/* ------------------------------------------------------------- verification */

/* Whether every non-blank node from leaf up to below top lists leaf. */
static bool
listed_between(const struct mls_tree *t, uint32_t leaf, uint32_t top)
{
    for (uint32_t x = mls_math_parent(2 * leaf); x != top;
         x = mls_math_parent(x)) {
        const struct mls_parent *p = mls_tree_parent(t, x);

        if (p != NULL && !has(p->unmerged, p->unmerged_count, leaf)) {
            return false;
        }
    }
    return true;
}

static enum err
verify_unmerged(const struct mls_tree *t, uint32_t node, enum mls_rule *broken)
{
    enum err e = OK;
    const struct mls_parent *p = mls_tree_parent(t, node);

    for (uint32_t i = 0; i < p->unmerged_count; i++) {
        uint32_t leaf = p->unmerged[i];

        /* RFC 9420 12.4.3.1 [tree-unmerged-leaf] */
        TRY(mls_require(leaf < mls_tree_leaves(t) &&
                            mls_tree_leaf(t, leaf) != NULL &&
                            mls_math_below(2 * leaf, node),
                        MLS_RULE_TREE_UNMERGED_LEAF, broken));
        /* RFC 9420 12.4.3.1 [tree-unmerged-between] */
        TRY(mls_require(listed_between(t, leaf, node),
                        MLS_RULE_TREE_UNMERGED_BETWEEN, broken));
    }
out:
    return e;
}

static bool
ascending(const struct mls_parent *p)
{
    for (uint32_t i = 1; i < p->unmerged_count; i++) {
        if (p->unmerged[i - 1] >= p->unmerged[i]) {
            return false;
        }
    }
    return true;
}

/* What node says its parent's hash is; empty when it says nothing. */
static struct view
said_parent_hash(const struct mls_tree *t, uint32_t node)
{
    const struct mls_parent *p = mls_tree_parent(t, node);
    const struct mls_leaf_node *leaf = mls_tree_leaf(t, node / 2);

    if (p != NULL) {
        return mls_hash_view(&p->parent_hash);
    }
    if (mls_math_is_leaf(node) && leaf != NULL &&
        leaf->source == MLS_LEAF_COMMIT) {
        return leaf->parent_hash;
    }
    return (struct view){0};
}

/*
 * RFC 9420 7.9.2: whether node is parent-hash valid through its child: some D
 * in the resolution of child has node's parent hash, and the rest of that
 * resolution is exactly what node lists as unmerged below child.
 */
static enum err
linked(struct mls_tree *t, uint32_t node, uint32_t child, uint32_t sibling,
       bool *out)
{
    enum err e;
    const struct mls_parent *p = mls_tree_parent(t, node);
    struct mls_list all = {0};
    struct mls_hash want;
    uint32_t d = 0;
    uint32_t rest = 0;

    *out = false;
    TRY(mls_tree_resolve(t, child, NULL, &all));
    for (uint32_t i = 0; i < all.count; i++) {
        uint32_t x = all.at[i];

        if (mls_math_is_leaf(x) && has(p->unmerged, p->unmerged_count, x / 2)) {
            rest++;
        } else {
            d = x;
        }
    }
    if (rest + 1 == all.count &&
        rest == below(p->unmerged, p->unmerged_count, child) &&
        said_parent_hash(t, d).len > 0) {
        TRY(mls_tree_parent_hash(t, node, sibling, &want));
        *out = view_equal(said_parent_hash(t, d), mls_hash_view(&want));
    }
out:
    mls_list_free(&all);
    return e;
}

static enum err
verify_link(struct mls_tree *t, uint32_t node, enum mls_rule *broken)
{
    enum err e;
    uint32_t left = mls_math_left(node);
    uint32_t right = mls_math_right(node);
    bool by_left = false;
    bool by_right = false;

    TRY(linked(t, node, left, right, &by_left));
    TRY(linked(t, node, right, left, &by_right));
    /* RFC 9420 7.9.2 [tree-parent-hash] */
    TRY(mls_require(by_left != by_right, MLS_RULE_TREE_PARENT_HASH, broken));
out:
    return e;
}

static enum err
verify_keys(const struct mls_tree *t, enum mls_rule *broken)
{
    struct view *key = mem_calloc(t->mem, t->count, sizeof(*key));
    uint32_t n = 0;
    bool good;

    if (key == NULL) {
        return ERR_NOMEM;
    }
    for (uint32_t i = 0; i < t->count; i++) {
        if (!mls_tree_blank(t, i)) {
            key[n++] = mls_tree_key(t, i);
        }
    }
    good = mls_keys_unique(key, n);
    mem_free(t->mem, key, t->count * sizeof(*key));
    /* RFC 9420 12.4.3.1 [tree-parent-key-unique] */
    return mls_require(good, MLS_RULE_TREE_PARENT_KEY_UNIQUE, broken);
}

enum err
mls_tree_verify(struct mls_tree *t, enum mls_rule *broken)
{
    enum err e = OK;

    /* The order first: everything below searches in these lists. */
    for (uint32_t i = 1; i < t->count; i += 2) {
        const struct mls_parent *p = mls_tree_parent(t, i);

        /* RFC 9420 7.1 [tree-unmerged-sorted] */
        TRY(mls_require(p == NULL || ascending(p),
                        MLS_RULE_TREE_UNMERGED_SORTED, broken));
    }
    for (uint32_t i = 1; i < t->count; i += 2) {
        if (mls_tree_parent(t, i) != NULL) {
            TRY(verify_unmerged(t, i, broken));
        }
    }
    TRY(verify_keys(t, broken));
    for (uint32_t i = 1; i < t->count; i += 2) {
        if (mls_tree_parent(t, i) != NULL) {
            TRY(verify_link(t, i, broken));
        }
    }
out:
    return e;
}
