/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/proposal.h"

#include "proto/base/limits.h"
#include "tests/crypto/mls/sample.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"

TEST(commit_with_every_proposal_round_trips)
{
    struct sample_commit x;
    struct mls_commit back;
    struct arena a = {.mem = mem_heap()};
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    struct proto_tls_wr again = proto_tls_wr_open(mem_heap());
    struct view in;

    sample_commit_init(&x);
    mls_commit_write(&w, &x.commit);
    in = proto_tls_wr_view(&w);
    CHECK_OK(mls_commit_decode(&a, in, &back));
    CHECK_EQ(back.count, 10);
    CHECK_EQ(back.proposals[2].u.proposal.u.remove, 0x01020304);
    CHECK_VIEW(back.proposals[8].u.proposal.u.unknown, VIEW_LIT("who knows"));
    CHECK_VIEW(back.proposals[9].u.reference, VIEW_LIT("a ref"));
    CHECK_EQ(back.path->count, 2);
    CHECK_EQ(back.path->nodes[0].count, 2);
    CHECK_EQ(back.path->nodes[1].count, 0);
    mls_commit_write(&again, &back);
    CHECK_VIEW(proto_tls_wr_view(&again), in);
    for (size_t len = 0; len < in.len; len++) {
        CHECK_ERR(mls_commit_decode(&a, view_make(in.p, len), &back),
                  ERR_FORMAT);
        arena_clear(&a);
    }
    proto_tls_wr_clear(&w);
    proto_tls_wr_clear(&again);
    arena_clear(&a);
}

TEST(commit_torture)
{
    struct sample_commit x;
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());

    sample_commit_init(&x);
    mls_commit_write(&w, &x.commit);
    for (uint64_t at = 1;; at++) {
        struct fail_mem f;
        struct arena a;
        struct mls_commit back;
        enum err e;

        fail_mem_init(&f, at);
        a = (struct arena){.mem = &f.mem};
        e = mls_commit_decode(&a, proto_tls_wr_view(&w), &back);
        arena_clear(&a);
        CHECK_EQ(f.live, 0);
        if (!f.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
    proto_tls_wr_clear(&w);
}

static enum err
decode_commit(const char *hex)
{
    struct arena a = {.mem = mem_heap()};
    struct mls_commit commit;
    enum err e = mls_commit_decode(&a, check_hex(hex), &commit);

    arena_clear(&a);
    return e;
}

TEST(malformed_commits)
{
    CHECK_OK(decode_commit("00 00"));
    CHECK_ERR(decode_commit("00 02"), ERR_FORMAT);    /* presence */
    CHECK_ERR(decode_commit("00 00 00"), ERR_FORMAT); /* left over */
    CHECK_ERR(decode_commit("01 03 00"), ERR_FORMAT); /* neither kind */
    CHECK_ERR(decode_commit("01 00 00"), ERR_FORMAT);
    CHECK_ERR(decode_commit("03 02 02aa 00"), ERR_FORMAT);
    CHECK_OK(decode_commit("03 02 01aa 00"));
    CHECK_OK(decode_commit("05 01 f000 01aa 00")); /* unknown type */
    CHECK_ERR(decode_commit("04 01 f000 01 00"), ERR_FORMAT);
}

TEST(counts_are_bounded)
{
    struct arena a = {.mem = mem_heap()};
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    struct mls_commit commit;
    size_t at = proto_tls_wr_begin(&w);

    for (uint32_t i = 0; i <= LIMIT_MLS_PROPOSALS; i++) {
        proto_tls_wr_u8(&w, MLS_BY_REFERENCE);
        proto_tls_wr_vec(&w, (struct view){0});
    }
    proto_tls_wr_end_vec(&w, at);
    proto_tls_wr_optional(&w, false);
    CHECK_ERR(mls_commit_decode(&a, proto_tls_wr_view(&w), &commit), ERR_LIMIT);
    proto_tls_wr_clear(&w);
    arena_clear(&a);
}

TEST(psk_ids)
{
    struct mls_psk_id a = sample_psk(MLS_PSK_EXTERNAL);
    struct mls_psk_id b = a;
    struct proto_tls_rd r;

    CHECK(mls_psk_id_equal(&a, &b));
    b.nonce = VIEW_ARRAY(SAMPLE_KEY_B);
    CHECK(!mls_psk_id_equal(&a, &b));
    b = sample_psk(MLS_PSK_RESUMPTION);
    CHECK(!mls_psk_id_equal(&a, &b));
    a = b;
    CHECK(mls_psk_id_equal(&a, &b));
    a.epoch++;
    CHECK(!mls_psk_id_equal(&a, &b));
    a = b;
    a.usage = MLS_PSK_BRANCH;
    CHECK(!mls_psk_id_equal(&a, &b));
    r = proto_tls_rd_open(check_hex("03 00 00"));
    mls_psk_id_read(&r, &a);
    CHECK_ERR(proto_tls_rd_end(&r), ERR_FORMAT);
    r = proto_tls_rd_open(check_hex("02 04 00 0000000000000000 00"));
    mls_psk_id_read(&r, &a);
    CHECK_ERR(proto_tls_rd_end(&r), ERR_FORMAT);
    r = proto_tls_rd_open(check_hex("02 03 00 0000000000000000 00"));
    mls_psk_id_read(&r, &a);
    CHECK_OK(proto_tls_rd_end(&r));
}

int
main(void)
{
    return RUN(T(commit_with_every_proposal_round_trips), T(commit_torture),
               T(malformed_commits), T(counts_are_bounded), T(psk_ids));
}
