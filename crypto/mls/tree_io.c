/* SPDX-License-Identifier: Apache-2.0 */
/* The ratchet_tree extension: trees as bytes (RFC 9420 12.4.3.3). */
#include "crypto/mls/tree_int.h"

#include "proto/base/limits.h"

#include <string.h>

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
        TRY(mls_u32_grow(t->mem, &box->unmerged, box->parent.unmerged_count,
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
            TRY(mls_tree_extend(t, 2 * t->count + 1));
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
