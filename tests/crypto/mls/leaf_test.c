/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/leaf.h"

#include "tests/crypto/mls/sample.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"

static void
leaf_round_trip(enum mls_leaf_source source)
{
    struct mls_leaf_node n = sample_leaf(source);
    struct mls_leaf_node back;
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    struct proto_tls_wr again = proto_tls_wr_open(mem_heap());
    struct view in;

    mls_leaf_node_write(&w, &n);
    in = proto_tls_wr_view(&w);
    CHECK_OK(mls_leaf_node_decode(in, &back));
    CHECK_VIEW(back.encoded, in);
    CHECK_VIEW(back.encryption_key, n.encryption_key);
    CHECK_VIEW(back.signature_key, n.signature_key);
    CHECK_VIEW(back.credential.data, n.credential.data);
    CHECK_VIEW(back.capabilities.proposals.raw, n.capabilities.proposals.raw);
    CHECK_EQ(back.source, source);
    CHECK_VIEW(back.signature, n.signature);
    mls_leaf_node_write(&again, &back);
    CHECK_VIEW(proto_tls_wr_view(&again), in);
    for (size_t len = 0; len < in.len; len++) {
        CHECK_ERR(mls_leaf_node_decode(view_make(in.p, len), &back),
                  ERR_FORMAT);
    }
    proto_tls_wr_clear(&w);
    proto_tls_wr_clear(&again);
}

TEST(leaf_node_round_trips)
{
    leaf_round_trip(MLS_LEAF_KEY_PACKAGE);
    leaf_round_trip(MLS_LEAF_UPDATE);
    leaf_round_trip(MLS_LEAF_COMMIT);
}

TEST(leaf_node_of_unknown_source)
{
    struct mls_leaf_node n = sample_leaf((enum mls_leaf_source)4);
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());

    mls_leaf_node_write(&w, &n);
    CHECK_ERR(mls_leaf_node_decode(proto_tls_wr_view(&w), &n), ERR_FORMAT);
    proto_tls_wr_clear(&w);
}

/* RFC 9420 7.2: the group and the place are signed, but not in key packages. */
TEST(leaf_node_tbs)
{
    static const enum mls_leaf_source SOURCES[] = {
        MLS_LEAF_KEY_PACKAGE, MLS_LEAF_UPDATE, MLS_LEAF_COMMIT};

    for (size_t i = 0; i < 3; i++) {
        struct mls_leaf_node n = sample_leaf(SOURCES[i]);
        struct proto_tls_wr whole = proto_tls_wr_open(mem_heap());
        struct proto_tls_wr tbs = proto_tls_wr_open(mem_heap());
        size_t unsigned_len;
        struct view v;

        mls_leaf_node_write(&whole, &n);
        unsigned_len = proto_tls_wr_view(&whole).len - 2 - n.signature.len;
        mls_leaf_node_write_tbs(&tbs, &n, VIEW_LIT("gid"), 9);
        v = proto_tls_wr_view(&tbs);
        CHECK_VIEW(view_sub(v, 0, unsigned_len),
                   view_sub(proto_tls_wr_view(&whole), 0, unsigned_len));
        CHECK_VIEW(view_skip(v, unsigned_len),
                   SOURCES[i] == MLS_LEAF_KEY_PACKAGE
                       ? (struct view){0}
                       : check_hex("03 676964 00000009"));
        proto_tls_wr_clear(&whole);
        proto_tls_wr_clear(&tbs);
    }
}

TEST(a_leaf_is_shared_and_freed_by_the_last)
{
    struct mls_leaf_node n = sample_leaf(MLS_LEAF_COMMIT);
    struct mls_leaf *leaf = NULL;
    struct mls_leaf *same;

    CHECK_OK(mls_leaf_copy(mem_heap(), &n, &leaf));
    same = mls_leaf_hold(leaf);
    mls_leaf_drop(leaf);
    CHECK_VIEW(same->node.credential.data, VIEW_LIT("alice"));
    CHECK(same->node.credential.data.p != n.credential.data.p);
    CHECK(same->node.encoded.len > 0);
    mls_leaf_drop(same);
    mls_leaf_drop(NULL);
    CHECK_ERR(mls_leaf_new(mem_heap(), check_hex("00"), &leaf), ERR_FORMAT);
    CHECK_ERR(mls_leaf_new(mem_heap(), (struct view){0}, &leaf), ERR_FORMAT);
}

TEST(leaf_torture)
{
    struct mls_leaf_node n = sample_leaf(MLS_LEAF_COMMIT);

    for (uint64_t at = 1;; at++) {
        struct fail_mem f;
        struct mls_leaf *leaf = NULL;
        enum err e;

        fail_mem_init(&f, at);
        e = mls_leaf_copy(&f.mem, &n, &leaf);
        mls_leaf_drop(leaf);
        CHECK_EQ(f.live, 0);
        if (!f.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

TEST(key_package_round_trips)
{
    struct mls_key_package kp = sample_key_package();
    struct mls_key_package back;
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    struct proto_tls_wr again = proto_tls_wr_open(mem_heap());
    struct view in;

    mls_key_package_write(&w, &kp);
    in = proto_tls_wr_view(&w);
    CHECK_OK(mls_key_package_decode(in, &back));
    CHECK_VIEW(back.encoded, in);
    CHECK_VIEW(back.init_key, kp.init_key);
    mls_key_package_write(&again, &back);
    CHECK_VIEW(proto_tls_wr_view(&again), in);
    proto_tls_wr_clear(&again);
    mls_key_package_write_tbs(&again, &back);
    CHECK_VIEW(proto_tls_wr_view(&again),
               view_sub(in, 0, in.len - 2 - kp.signature.len));
    for (size_t len = 0; len < in.len; len++) {
        CHECK_ERR(mls_key_package_decode(view_make(in.p, len), &back),
                  ERR_FORMAT);
    }
    proto_tls_wr_clear(&w);
    proto_tls_wr_clear(&again);
}

int
main(void)
{
    return RUN(T(leaf_node_round_trips), T(leaf_node_of_unknown_source),
               T(leaf_node_tbs), T(a_leaf_is_shared_and_freed_by_the_last),
               T(leaf_torture), T(key_package_round_trips));
}
