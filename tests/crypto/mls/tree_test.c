/* SPDX-License-Identifier: Apache-2.0 */
/* The ratchet tree: its shape, its hashes, its encoding, and trees that lie. */
#include "crypto/mls/tree_hash.h"
#include "crypto/mls/tree_int.h"
#include "crypto/mls/treekem.h"

#include "tests/support/check.h"
#include "tests/support/fail_mem.h"
#include "tests/support/seed_rng.h"

#include <string.h>

static const uint8_t GROUP[] = "group";

/* Leaf number n, with keys of its own; signed by nobody. */
static struct mls_leaf *
leaf_of(const struct mem *mem, struct seed_rng *rng)
{
    uint8_t key[32];
    uint8_t sig[32];
    struct mls_leaf_node n = {
        .encryption_key = VIEW_ARRAY(key),
        .signature_key = VIEW_ARRAY(sig),
        .credential = {MLS_CREDENTIAL_BASIC, VIEW_LIT("x")},
        .capabilities = {.versions = MLS_U16S("\x00\x01"),
                         .suites = MLS_U16S("\x00\x01"),
                         .credentials = MLS_U16S("\x00\x01")},
        .source = MLS_LEAF_KEY_PACKAGE,
        .signature = VIEW_LIT("none"),
    };
    struct mls_leaf *leaf = NULL;

    CHECK_OK(rng_fill(&rng->rng, key, sizeof(key)));
    CHECK_OK(rng_fill(&rng->rng, sig, sizeof(sig)));
    if (mls_leaf_copy(mem, &n, &leaf) != OK) {
        return NULL;
    }
    return leaf;
}

static uint32_t
add(struct mls_tree *t, struct seed_rng *rng)
{
    struct mls_leaf *leaf = leaf_of(t->mem, rng);
    uint32_t index = UINT32_MAX;

    CHECK_OK(mls_tree_add(t, leaf, &index));
    mls_leaf_drop(leaf);
    return index;
}

/* Leaf index commits: fresh keys on its path. */
static void
commit(struct mls_tree *t, struct seed_rng *rng, uint32_t index)
{
    static const uint8_t seed[32] = {1};
    struct prim_sign_key key;
    struct mls_leaf_signer signer = {&key, VIEW_ARRAY(GROUP)};
    struct mls_own_path path;

    prim_ed25519_from_seed(seed, &key);
    CHECK_OK(mls_path_make(t, &rng->rng, index, mls_tree_leaf(t, index),
                           &signer, &path));
    mls_own_path_wipe(&path);
}

static const struct mls_suite *
suite(void)
{
    return mls_suite_find(MLS_SUITE_X25519_CHACHA20);
}

static struct bytes
encode(const struct mls_tree *t)
{
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    struct bytes out = {0};

    mls_tree_write(&w, t);
    CHECK_OK(proto_tls_wr_take(&w, &out));
    return out;
}

/* The tree is the same after a round trip, and its cached hashes are right. */
static void
check_tree(struct mls_tree *t)
{
    struct bytes one = encode(t);
    struct bytes two;
    struct mls_tree again = {0};
    struct mls_hash h1;
    struct mls_hash h2;

    CHECK_OK(mls_tree_read(t->mem, t->suite, view_of(&one), &again, NULL));
    two = encode(&again);
    CHECK_VIEW(view_of(&one), view_of(&two));
    CHECK_EQ(again.count, t->count);
    CHECK_OK(mls_tree_root_hash(t, &h1));
    CHECK_OK(mls_tree_root_hash(&again, &h2));
    CHECK_VIEW(mls_hash_view(&h1), mls_hash_view(&h2));
    CHECK_OK(mls_tree_verify(t, NULL));
    bytes_free(&one);
    bytes_free(&two);
    mls_tree_free(&again);
}

TEST(grows_and_shrinks)
{
    struct seed_rng rng;
    struct mls_tree t = mls_tree_empty(mem_heap(), suite());

    seed_rng_init(&rng, 1);
    for (uint32_t i = 0; i < 9; i++) {
        CHECK_EQ(add(&t, &rng), i);
    }
    CHECK_EQ(mls_tree_leaves(&t), 16);
    CHECK_EQ(mls_tree_members(&t), 9);
    mls_tree_remove(&t, 3);
    mls_tree_truncate(&t);
    CHECK_EQ(mls_tree_leaves(&t), 16);
    CHECK_EQ(add(&t, &rng), 3);
    mls_tree_remove(&t, 8);
    mls_tree_truncate(&t);
    CHECK_EQ(mls_tree_leaves(&t), 8);
    CHECK(mls_tree_leaf(&t, 8) == NULL);
    CHECK_EQ(add(&t, &rng), 8);
    CHECK_EQ(mls_tree_leaves(&t), 16);
    check_tree(&t);
    for (uint32_t i = 0; i < 9; i++) {
        mls_tree_remove(&t, i);
    }
    mls_tree_truncate(&t);
    CHECK_EQ(t.count, 0);
    CHECK_EQ(add(&t, &rng), 0);
    mls_tree_free(&t);
}

TEST(unmerged_leaves_and_resolution)
{
    struct seed_rng rng;
    struct mls_tree t = mls_tree_empty(mem_heap(), suite());
    struct mls_list all = {0};
    struct mls_list skip = {0};
    const struct mls_parent *root;

    seed_rng_init(&rng, 2);
    for (uint32_t i = 0; i < 4; i++) {
        add(&t, &rng);
    }
    commit(&t, &rng, 0);
    mls_tree_remove(&t, 3);
    commit(&t, &rng, 1);
    CHECK_EQ(add(&t, &rng), 3);
    root = mls_tree_parent(&t, 3);
    CHECK(root != NULL);
    CHECK_EQ(root->unmerged_count, 1);
    CHECK_EQ(root->unmerged[0], 3);
    CHECK(mls_tree_parent(&t, 5) == NULL);
    CHECK_OK(mls_tree_resolve(&t, 3, NULL, &all));
    CHECK_EQ(all.count, 2);
    CHECK_EQ(all.at[0], 3);
    CHECK_EQ(all.at[1], 6);
    all.count = 0;
    CHECK_OK(mls_list_push(t.mem, &skip, 3));
    CHECK_OK(mls_tree_resolve(&t, 5, &skip, &all));
    CHECK_EQ(all.count, 1);
    CHECK_EQ(all.at[0], 4);
    mls_list_free(&all);
    mls_list_free(&skip);
    mls_tree_free(&t);
}

/* The filtered path may end below the root, and skip nodes in between. */
TEST(filtered_path_of_a_half_empty_tree)
{
    struct seed_rng rng;
    struct mls_tree t = mls_tree_empty(mem_heap(), suite());
    uint32_t path[MLS_DEPTH_MAX];
    uint32_t copath[MLS_DEPTH_MAX];

    seed_rng_init(&rng, 3);
    for (uint32_t i = 0; i < 8; i++) {
        add(&t, &rng);
    }
    for (uint32_t i = 0; i < 4; i++) {
        mls_tree_remove(&t, i);
    }
    mls_tree_remove(&t, 5);
    CHECK_EQ(mls_tree_filtered(&t, 4, path, copath), 1);
    CHECK_EQ(path[0], 11);
    CHECK_EQ(copath[0], 13);
    commit(&t, &rng, 4);
    CHECK(mls_tree_parent(&t, 7) == NULL);
    CHECK_EQ(mls_tree_parent(&t, 11)->parent_hash.len, 0);
    check_tree(&t);
    mls_tree_free(&t);
}

TEST(copies_are_independent)
{
    struct seed_rng rng;
    struct fail_mem mem;
    struct mls_tree t;
    struct mls_tree copy = {0};
    struct mls_hash before;
    struct mls_hash after;

    seed_rng_init(&rng, 4);
    fail_mem_init(&mem, 0);
    t = mls_tree_empty(&mem.mem, suite());
    for (uint32_t i = 0; i < 6; i++) {
        add(&t, &rng);
    }
    commit(&t, &rng, 2);
    CHECK_OK(mls_tree_root_hash(&t, &before));
    CHECK_OK(mls_tree_copy(&t, &copy));
    add(&copy, &rng);
    mls_tree_remove(&copy, 0);
    commit(&copy, &rng, 5);
    check_tree(&copy);
    for (uint32_t i = 0; i < t.count; i++) {
        t.node[i].hash_.len = 0;
    }
    CHECK_OK(mls_tree_root_hash(&t, &after));
    CHECK_VIEW(mls_hash_view(&before), mls_hash_view(&after));
    mls_tree_free(&t);
    check_tree(&copy);
    mls_tree_free(&copy);
    CHECK_EQ(mem.live, 0);
}

TEST(random_trees_stay_valid)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct seed_rng rng;
        struct mls_tree t = mls_tree_empty(mem_heap(), suite());

        seed_rng_init(&rng, seed);
        add(&t, &rng);
        for (int op = 0; op < 40; op++) {
            uint32_t leaves = mls_tree_leaves(&t);
            uint32_t at = (uint32_t)seed_rng_below(&rng, leaves);
            bool there = mls_tree_leaf(&t, at) != NULL;

            switch (seed_rng_below(&rng, 4)) {
            case 0:
            case 1:
                add(&t, &rng);
                break;
            case 2:
                if (there && mls_tree_members(&t) > 1) {
                    mls_tree_remove(&t, at);
                    mls_tree_truncate(&t);
                }
                break;
            default:
                if (there) {
                    commit(&t, &rng, at);
                }
                break;
            }
            check_tree(&t);
        }
        mls_tree_free(&t);
    }
}

/* ------------------------------------------------------------- trees that lie
 */

/* Leaves 0 .. 7, committed by some, 5 and 7 unmerged in nodes 11 and 7. */
static struct mls_tree
sample(struct seed_rng *rng)
{
    struct mls_tree t = mls_tree_empty(mem_heap(), suite());

    seed_rng_init(rng, 9);
    for (uint32_t i = 0; i < 7; i++) {
        add(&t, rng);
    }
    mls_tree_remove(&t, 5);
    commit(&t, rng, 0);
    commit(&t, rng, 2);
    commit(&t, rng, 4);
    add(&t, rng);
    add(&t, rng);
    check_tree(&t);
    return t;
}

static void
refused(struct mls_tree *t, enum mls_rule rule)
{
    enum mls_rule broken = MLS_RULE_NONE;

    for (uint32_t i = 0; i < t->count; i++) {
        t->node[i].hash_.len = 0;
    }
    CHECK_ERR(mls_tree_verify(t, &broken), mls_rule_err(rule));
    CHECK_EQ(broken, rule);
    mls_tree_free(t);
}

TEST(lists_of_unmerged_leaves)
{
    struct seed_rng rng;
    struct mls_tree t = sample(&rng);
    struct mls_parent_box *root = t.node[7].box_;

    CHECK_EQ(root->parent.unmerged_count, 2);
    root->unmerged[0] = 7;
    root->unmerged[1] = 5;
    refused(&t, MLS_RULE_TREE_UNMERGED_SORTED); /* [tree-unmerged-sorted] */

    t = sample(&rng);
    t.node[7].box_->unmerged[1] = 9;
    refused(&t, MLS_RULE_TREE_UNMERGED_LEAF); /* [tree-unmerged-leaf] */

    t = sample(&rng);
    t.node[11].box_->unmerged[2] = 7;
    t.node[11].box_->unmerged[1] = 5;
    t.node[11].box_->unmerged[0] = 3; /* not below node 11 */
    t.node[11].box_->parent.unmerged_count = 3;
    refused(&t, MLS_RULE_TREE_UNMERGED_LEAF); /* [tree-unmerged-leaf] */

    t = sample(&rng);
    t.node[11].box_->parent.unmerged_count = 1;  /* 5, root has 5, 7 */
    refused(&t, MLS_RULE_TREE_UNMERGED_BETWEEN); /* [tree-unmerged-between] */
}

TEST(keys_and_hashes)
{
    struct seed_rng rng;
    struct mls_tree t = sample(&rng);

    memcpy(t.node[3].box_->parent.key, t.node[0].leaf->node.encryption_key.p,
           32);
    refused(&t, MLS_RULE_TREE_PARENT_KEY_UNIQUE); /* [tree-parent-key-unique] */

    t = sample(&rng);
    t.node[7].box_->parent.key[3] ^= 1;
    refused(&t, MLS_RULE_TREE_PARENT_HASH); /* [tree-parent-hash] */

    t = sample(&rng);
    t.node[11].box_->parent.parent_hash.b[0] ^= 1;
    refused(&t, MLS_RULE_TREE_PARENT_HASH); /* [tree-parent-hash] */

    /* a leaf that the root does not list as unmerged */
    t = sample(&rng);
    t.node[7].box_->parent.unmerged_count = 1;
    refused(&t, MLS_RULE_TREE_PARENT_HASH); /* [tree-parent-hash] */
}

static void
unreadable(struct view in, enum mls_rule rule)
{
    struct mls_tree t = {0};
    enum mls_rule broken = MLS_RULE_NONE;

    CHECK_ERR(mls_tree_read(mem_heap(), suite(), in, &t, &broken),
              mls_rule_err(rule));
    CHECK_EQ(broken, rule);
}

TEST(encodings)
{
    struct seed_rng rng;
    struct mls_tree t = sample(&rng);
    struct bytes good = encode(&t);
    struct proto_tls_rd r = proto_tls_rd_open(view_of(&good));
    struct view nodes = proto_tls_rd_vec(&r);
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    struct bytes bent = {0};
    size_t at;

    for (size_t n = 0; n < good.len; n++) {
        unreadable(view_sub(view_of(&good), 0, n),
                   MLS_RULE_TREE_FORMAT); /* [tree-format] */
    }
    unreadable(VIEW_LIT("\x00"), MLS_RULE_TREE_FORMAT);
    /* a parent where a leaf belongs */
    unreadable(VIEW_LIT("\x05\x01\x02\x00\x00\x00"), MLS_RULE_TREE_FORMAT);
    at = proto_tls_wr_begin(&w);
    proto_tls_wr_fixed(&w, nodes);
    proto_tls_wr_u8(&w, 0);
    proto_tls_wr_end_vec(&w, at);
    unreadable(proto_tls_wr_view(&w),
               MLS_RULE_TREE_TRAILING_BLANK); /* [tree-trailing-blank] */
    proto_tls_wr_clear(&w);
    at = proto_tls_wr_begin(&w);
    for (int i = 0; i < 8192; i++) {
        proto_tls_wr_u8(&w, 0);
    }
    proto_tls_wr_end_vec(&w, at);
    unreadable(proto_tls_wr_view(&w), MLS_RULE_TREE_SIZE); /* [tree-size] */
    proto_tls_wr_clear(&w);
    t.node[7].box_->parent.key_len = 31;
    bent = encode(&t);
    unreadable(view_of(&bent),
               MLS_RULE_TREE_PARENT_KEY_SIZE); /* [tree-parent-key-size] */
    bytes_free(&bent);
    bytes_free(&good);
    mls_tree_free(&t);
}

TEST(no_memory)
{
    struct seed_rng rng;
    struct mls_tree t = sample(&rng);
    struct bytes good = encode(&t);

    mls_tree_free(&t);
    for (uint64_t n = 1;; n++) {
        struct fail_mem mem;
        struct mls_tree copy = {0};
        struct mls_hash h;
        enum err e;

        fail_mem_init(&mem, n);
        e = mls_tree_read(&mem.mem, suite(), view_of(&good), &t, NULL);
        if (e == OK) {
            e = mls_tree_root_hash(&t, &h);
        }
        if (e == OK) {
            e = mls_tree_verify(&t, NULL);
        }
        if (e == OK) {
            e = mls_tree_copy(&t, &copy);
        }
        mls_tree_free(&copy);
        mls_tree_free(&t);
        t = (struct mls_tree){0};
        CHECK_EQ(mem.live, 0);
        if (!mem.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
    bytes_free(&good);
}

int
main(void)
{
    return RUN(T(grows_and_shrinks), T(unmerged_leaves_and_resolution),
               T(filtered_path_of_a_half_empty_tree), T(copies_are_independent),
               T(random_trees_stay_valid), T(lists_of_unmerged_leaves),
               T(keys_and_hashes), T(encodings), T(no_memory));
}
