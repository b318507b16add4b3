/* SPDX-License-Identifier: Apache-2.0 */
/* Ratchet trees, in a Welcome, that break a rule (RFC 9420 7.1, 7.9.2,
 * 12.4.3.1, 12.4.3.3).  The tree is Alice, Bob, Carol and Dave; the nodes above
 * Alice and Bob and the root have keys, Dave is unmerged at the root. */
#include "crypto/mls/tree_hash.h"
#include "tests/negative/neg.h"

enum {
    NODES = 7,
    ABOVE_ALICE = 1,
    ROOT = 3,
    DAVES = 6
};

/* One position of the encoded tree. */
struct node {
    bool present;
    uint8_t type;     /* 1 leaf, 2 parent */
    struct view leaf; /* encoded */
    struct view key;
    struct view parent_hash;
    struct view unmerged;
};

static enum err
read_tree(struct view in, struct node nodes[NODES])
{
    struct proto_tls_rd r = proto_tls_rd_open(in);
    struct proto_tls_rd list = proto_tls_rd_sub(&r);

    for (size_t i = 0; i < NODES && proto_tls_rd_more(&list); i++) {
        struct mls_leaf_node leaf;

        nodes[i].present = proto_tls_rd_optional(&list);
        if (!nodes[i].present) {
            continue;
        }
        nodes[i].type = proto_tls_rd_u8(&list);
        if (nodes[i].type == 1) {
            mls_leaf_node_read(&list, &leaf);
            nodes[i].leaf = leaf.encoded;
        } else {
            nodes[i].key = proto_tls_rd_vec(&list);
            nodes[i].parent_hash = proto_tls_rd_vec(&list);
            nodes[i].unmerged = proto_tls_rd_vec(&list);
        }
    }
    return proto_tls_rd_end(&list);
}

static enum err
write_tree(struct neg *n, const struct node nodes[NODES], size_t count,
           struct view *out)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    size_t at = proto_tls_wr_begin(&w);

    for (size_t i = 0; i < count; i++) {
        proto_tls_wr_optional(&w, nodes[i].present);
        if (!nodes[i].present) {
            continue;
        }
        proto_tls_wr_u8(&w, nodes[i].type);
        if (nodes[i].type == 1) {
            proto_tls_wr_fixed(&w, nodes[i].leaf);
        } else {
            proto_tls_wr_vec(&w, nodes[i].key);
            proto_tls_wr_vec(&w, nodes[i].parent_hash);
            proto_tls_wr_vec(&w, nodes[i].unmerged);
        }
    }
    proto_tls_wr_end_vec(&w, at);
    TRY(w.e);
    TRY(neg_keep(n, proto_tls_wr_view(&w), out));
out:
    proto_tls_wr_clear(&w);
    return e;
}

/* The tree hash that goes with an encoded tree. */
static enum err
rehash(struct neg *n, struct neg_welcome_parts *p, struct view tree)
{
    enum err e;
    struct mls_tree t = {0};
    struct mls_hash hash;

    TRY(mls_tree_read(mem_heap(), n->alice->now->suite, tree, &t, NULL));
    TRY(mls_tree_root_hash(&t, &hash));
    TRY(neg_keep(n, mls_hash_view(&hash), &p->info.context.tree_hash));
out:
    mls_tree_free(&t);
    return e;
}

static enum err
put_raw(struct neg *n, struct neg_welcome_parts *p, struct view tree)
{
    return neg_set_extension(n, &p->info.extensions, MLS_EXT_RATCHET_TREE,
                             &tree);
}

/* Take the tree apart, change it, put it back, with its hash when it is one. */
static enum err
changed(struct neg *n, struct neg_welcome_parts *p,
        void (*change)(struct neg *n, struct node nodes[NODES]), size_t count,
        bool hash)
{
    enum err e;
    struct mls_extension ext = {0};
    struct node nodes[NODES + 1] = {{0}};
    struct view tree = {0};

    if (!mls_extensions_find(p->info.extensions, MLS_EXT_RATCHET_TREE, &ext)) {
        return ERR_MISSING;
    }
    TRY(read_tree(ext.data, nodes));
    if (change != NULL) {
        change(n, nodes);
    }
    TRY(write_tree(n, nodes, count, &tree));
    if (hash) {
        TRY(rehash(n, p, tree));
    }
    TRY(put_raw(n, p, tree));
out:
    return e;
}

#define TREE_CASE(name, count, hash)                                         \
    static enum err parts_##name(struct neg *n, struct neg_welcome_parts *p) \
    {                                                                        \
        return changed(n, p, change_##name, count, hash);                    \
    }                                                                        \
    static enum err name(struct neg *n, struct bytes *out)                   \
    {                                                                        \
        return neg_changed_welcome(n, false, parts_##name, out);             \
    }                                                                        \
    _Static_assert(true, "")

static const uint8_t OTHER_KEY[32] = {55};
static const uint8_t DAVE_TWICE[] = {0, 0, 0, 3, 0, 0, 0, 3};
static const uint8_t ONLY_DAVE[] = {0, 0, 0, 3};
static const uint8_t BOB_TOO[] = {0, 0, 0, 1, 0, 0, 0, 3};

/* [tree-trailing-blank] */
static void
change_trailing_blank(struct neg *n, struct node nodes[NODES])
{
    (void)n;
    nodes[DAVES].present = false;
}
TREE_CASE(trailing_blank, NODES, false);

/* [tree-parent-key-size] */
static void
change_parent_key_size(struct neg *n, struct node nodes[NODES])
{
    (void)n;
    nodes[ROOT].key.len--;
}
TREE_CASE(parent_key_size, NODES, false);

/* [tree-hash]: the tree of another GroupContext */
static void
change_tree_hash(struct neg *n, struct node nodes[NODES])
{
    (void)n;
    nodes[ROOT].key = VIEW_ARRAY(OTHER_KEY);
}
TREE_CASE(tree_hash, NODES, false);

/* [tree-parent-hash]: the same, with the right tree hash */
static void
change_parent_hash(struct neg *n, struct node nodes[NODES])
{
    change_tree_hash(n, nodes);
}
TREE_CASE(parent_hash, NODES, true);

/* [tree-unmerged-sorted] */
static void
change_unsorted(struct neg *n, struct node nodes[NODES])
{
    (void)n;
    nodes[ROOT].unmerged = VIEW_ARRAY(DAVE_TWICE);
}
TREE_CASE(unsorted, NODES, true);

/* [tree-unmerged-leaf]: not below that node */
static void
change_unmerged_elsewhere(struct neg *n, struct node nodes[NODES])
{
    (void)n;
    nodes[ABOVE_ALICE].unmerged = VIEW_ARRAY(ONLY_DAVE);
}
TREE_CASE(unmerged_elsewhere, NODES, true);

/* [tree-unmerged-between]: at the root, but not at the node below */
static void
change_unmerged_between(struct neg *n, struct node nodes[NODES])
{
    (void)n;
    nodes[ROOT].unmerged = VIEW_ARRAY(BOB_TOO);
}
TREE_CASE(unmerged_between, NODES, true);

/* [tree-parent-key-unique] */
static void
change_same_key(struct neg *n, struct node nodes[NODES])
{
    (void)n;
    nodes[ROOT].key = nodes[ABOVE_ALICE].key;
}
TREE_CASE(same_key, NODES, true);

/* [welcome-own-leaf] */
static void
change_without_dave(struct neg *n, struct node nodes[NODES])
{
    (void)n;
    nodes[ROOT].present = false;
}
TREE_CASE(without_dave, NODES - 2, true);

/* [leaf-signature]: a member's leaf at another member's place */
static void
change_leaves_swapped(struct neg *n, struct node nodes[NODES])
{
    struct view carol = nodes[4].leaf;

    (void)n;
    /* Alice's has source commit, so it is bound to its place */
    nodes[4].leaf = nodes[0].leaf;
    nodes[0].leaf = carol;
    nodes[ROOT].present = false;
    nodes[ABOVE_ALICE].present = false;
}

static enum err
parts_leaves_swapped(struct neg *n, struct neg_welcome_parts *p)
{
    p->info.signer = NEG_CAROL; /* where Alice's leaf is now */
    return changed(n, p, change_leaves_swapped, NODES, true);
}

static enum err
leaves_swapped(struct neg *n, struct bytes *out)
{
    return neg_changed_welcome(n, false, parts_leaves_swapped, out);
}

/* Bytes instead of a tree. */
static enum err
parts_garbage(struct neg *n, struct neg_welcome_parts *p)
{
    return put_raw(n, p, VIEW_LIT("\x02\x01\x09"));
}

/* [tree-format] */
static enum err
garbage(struct neg *n, struct bytes *out)
{
    return neg_changed_welcome(n, false, parts_garbage, out);
}

static enum err
parts_too_many(struct neg *n, struct neg_welcome_parts *p)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    size_t at = proto_tls_wr_begin(&w);
    struct view tree = {0};

    for (uint32_t i = 0; i < 2 * LIMIT_MLS_LEAVES; i++) {
        proto_tls_wr_optional(&w, false);
    }
    proto_tls_wr_optional(&w, true);
    proto_tls_wr_u8(&w, 1);
    mls_leaf_node_write(&w, mls_tree_leaf(&n->alice->now->tree, NEG_ALICE));
    proto_tls_wr_end_vec(&w, at);
    TRY(w.e);
    TRY(neg_keep(n, proto_tls_wr_view(&w), &tree));
    TRY(put_raw(n, p, tree));
out:
    proto_tls_wr_clear(&w);
    return e;
}

/* [tree-size] */
static enum err
too_many(struct neg *n, struct bytes *out)
{
    return neg_changed_welcome(n, false, parts_too_many, out);
}

static const struct neg_case CASES[] = {
    {MLS_RULE_TREE_FORMAT, NEG_JOIN, garbage},
    {MLS_RULE_TREE_SIZE, NEG_JOIN, too_many},
    {MLS_RULE_TREE_TRAILING_BLANK, NEG_JOIN, trailing_blank},
    {MLS_RULE_TREE_PARENT_KEY_SIZE, NEG_JOIN, parent_key_size},
    {MLS_RULE_TREE_HASH, NEG_JOIN, tree_hash},
    {MLS_RULE_TREE_PARENT_HASH, NEG_JOIN, parent_hash},
    {MLS_RULE_TREE_UNMERGED_SORTED, NEG_JOIN, unsorted},
    {MLS_RULE_TREE_UNMERGED_LEAF, NEG_JOIN, unmerged_elsewhere},
    {MLS_RULE_TREE_UNMERGED_BETWEEN, NEG_JOIN, unmerged_between},
    {MLS_RULE_TREE_PARENT_KEY_UNIQUE, NEG_JOIN, same_key},
    {MLS_RULE_WELCOME_OWN_LEAF, NEG_JOIN, without_dave},
    {MLS_RULE_LEAF_SIGNATURE, NEG_JOIN, leaves_swapped},
};

const struct neg_case *
neg_tree_cases(size_t *count_out)
{
    *count_out = sizeof(CASES) / sizeof(CASES[0]);
    return CASES;
}
