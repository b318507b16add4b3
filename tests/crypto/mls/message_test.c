/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/message.h"

#include "proto/base/limits.h"
#include "tests/crypto/mls/sample.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"

#include <string.h>

/* Write, read, write again; every prefix is malformed. */
static void
round_trip(const struct mls_message *m)
{
    struct arena a = {.mem = mem_heap()};
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    struct proto_tls_wr again = proto_tls_wr_open(mem_heap());
    struct mls_message back;
    struct view in;

    mls_message_write(&w, m);
    CHECK_OK(w.e);
    in = proto_tls_wr_view(&w);
    CHECK_OK(mls_message_decode(&a, in, &back, NULL));
    CHECK_EQ(back.wire, m->wire);
    mls_message_write(&again, &back);
    CHECK_VIEW(proto_tls_wr_view(&again), in);
    for (size_t len = 0; len < in.len; len++) {
        enum mls_rule broken = MLS_RULE_NONE;

        CHECK_ERR(mls_message_decode(&a, view_make(in.p, len), &back, &broken),
                  ERR_FORMAT);
        CHECK_EQ(broken, MLS_RULE_MESSAGE_FORMAT);
        arena_clear(&a);
    }
    proto_tls_wr_clear(&w);
    proto_tls_wr_clear(&again);
    arena_clear(&a);
}

static struct mls_message
public_message(const struct mls_content *c)
{
    return (struct mls_message){
        .wire = MLS_WIRE_PUBLIC,
        .u = {.public_message = {*c,
                                 {VIEW_ARRAY(SAMPLE_SIG), VIEW_LIT("tag")},
                                 VIEW_LIT("membership")}}};
}

TEST(public_messages_round_trip)
{
    struct sample_commit x;
    struct mls_content c;
    struct mls_message m;

    sample_commit_init(&x);
    for (int sender = MLS_SENDER_MEMBER; sender <= MLS_SENDER_NEW_MEMBER_COMMIT;
         sender++) {
        c = sample_content(&x.commit, (enum mls_sender_type)sender);
        m = public_message(&c);
        round_trip(&m);
    }
    c.type = MLS_CONTENT_PROPOSAL;
    c.u.proposal = &x.proposals[0].u.proposal;
    m = public_message(&c);
    round_trip(&m);
    c.type = MLS_CONTENT_APPLICATION;
    c.u.application = VIEW_LIT("words");
    m = public_message(&c);
    round_trip(&m);
}

TEST(the_other_messages_round_trip)
{
    struct mls_encrypted_group_secrets secrets[2] = {
        {VIEW_LIT("ref a"), {VIEW_LIT("kem a"), VIEW_LIT("ct a")}},
        {VIEW_LIT("ref b"), {VIEW_LIT("kem b"), VIEW_LIT("ct b")}}};
    struct mls_message m = {
        .wire = MLS_WIRE_PRIVATE,
        .u = {.private_message = {VIEW_LIT("group"), 1, MLS_CONTENT_COMMIT,
                                  VIEW_LIT("aad"), VIEW_LIT("who"),
                                  VIEW_LIT("what")}}};

    round_trip(&m);
    m = (struct mls_message){
        .wire = MLS_WIRE_WELCOME,
        .u = {.welcome = {1, secrets, 2, VIEW_LIT("group info")}}};
    round_trip(&m);
    m = (struct mls_message){.wire = MLS_WIRE_GROUP_INFO,
                             .u = {.group_info = {sample_context(),
                                                  {VIEW_ARRAY(SAMPLE_GREASE)},
                                                  VIEW_LIT("tag"),
                                                  4,
                                                  VIEW_ARRAY(SAMPLE_SIG)}}};
    round_trip(&m);
    m = (struct mls_message){.wire = MLS_WIRE_KEY_PACKAGE,
                             .u = {.key_package = sample_key_package()}};
    round_trip(&m);
}

static void
refused(struct view in, enum err want, enum mls_rule rule)
{
    struct arena a = {.mem = mem_heap()};
    struct mls_message m;
    enum mls_rule broken = MLS_RULE_NONE;
    enum err e = mls_message_decode(&a, in, &m, &broken);

    arena_clear(&a);
    CHECK_ERR(e, want);
    CHECK_STR(mls_rule_name(broken), mls_rule_name(rule));
}

/* [message-format] [message-version] [wire-format] */
TEST(messages_are_refused_by_name)
{
    refused(check_hex(""), ERR_FORMAT, MLS_RULE_MESSAGE_FORMAT);
    refused(check_hex("0001 00"), ERR_FORMAT, MLS_RULE_MESSAGE_FORMAT);
    refused(check_hex("0002 0001"), ERR_UNSUPPORTED, MLS_RULE_MESSAGE_VERSION);
    refused(check_hex("0001 0000"), ERR_UNSUPPORTED, MLS_RULE_WIRE_FORMAT);
    refused(check_hex("0001 0006"), ERR_UNSUPPORTED, MLS_RULE_WIRE_FORMAT);
    /* an empty welcome, and one byte too many */
    refused(check_hex("0001 0003 0001 00 00 00"), ERR_FORMAT,
            MLS_RULE_MESSAGE_FORMAT);
    /* no such content type */
    refused(check_hex("0001 0002 00 0000000000000000 04 00 00 00"), ERR_FORMAT,
            MLS_RULE_MESSAGE_FORMAT);
    /* no such sender */
    refused(check_hex("0001 0001 00 0000000000000000 05 00 01 00 00"),
            ERR_FORMAT, MLS_RULE_MESSAGE_FORMAT);
}

/* [message-size] */
TEST(messages_above_the_bound_are_refused)
{
    struct bytes big = {0};

    CHECK_OK(bytes_alloc(mem_heap(), LIMIT_MLS_MESSAGE + 1, &big));
    refused(view_of(&big), ERR_LIMIT, MLS_RULE_MESSAGE_SIZE);
    bytes_free(&big);
}

TEST(message_torture)
{
    struct sample_commit x;
    struct mls_content c;
    struct mls_message m;

    sample_commit_init(&x);
    c = sample_content(&x.commit, MLS_SENDER_MEMBER);
    m = public_message(&c);
    for (uint64_t at = 1;; at++) {
        struct fail_mem f;
        struct arena a;
        struct proto_tls_wr w;
        struct mls_message back;
        enum mls_rule broken = MLS_RULE_NONE;
        enum err e;

        fail_mem_init(&f, at);
        a = (struct arena){.mem = &f.mem};
        w = proto_tls_wr_open(&f.mem);
        mls_message_write(&w, &m);
        e = w.e;
        if (e == OK) {
            e = mls_message_decode(&a, proto_tls_wr_view(&w), &back, &broken);
        }
        proto_tls_wr_clear(&w);
        arena_clear(&a);
        CHECK_EQ(f.live, 0);
        CHECK_EQ(broken, MLS_RULE_NONE);
        if (!f.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

TEST(group_context_and_secrets_round_trip)
{
    struct mls_psk_id psks[2] = {sample_psk(MLS_PSK_EXTERNAL),
                                 sample_psk(MLS_PSK_RESUMPTION)};
    struct mls_group_secrets s = {
        VIEW_LIT("joiner"), true, VIEW_LIT("path"), {psks, 2}};
    struct mls_group_context c = sample_context();
    struct arena a = {.mem = mem_heap()};
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    struct proto_tls_wr again = proto_tls_wr_open(mem_heap());

    mls_group_context_write(&w, &c);
    CHECK_OK(mls_group_context_decode(proto_tls_wr_view(&w), &c));
    CHECK_VIEW(c.encoded, proto_tls_wr_view(&w));
    mls_group_context_write(&again, &c);
    CHECK_VIEW(proto_tls_wr_view(&again), proto_tls_wr_view(&w));
    proto_tls_wr_clear(&w);
    proto_tls_wr_clear(&again);
    mls_group_secrets_write(&w, &s);
    memset(&s, 0, sizeof(s));
    CHECK_OK(mls_group_secrets_decode(&a, proto_tls_wr_view(&w), &s));
    CHECK(s.has_path_secret);
    CHECK_EQ(s.psks.count, 2);
    mls_group_secrets_write(&again, &s);
    CHECK_VIEW(proto_tls_wr_view(&again), proto_tls_wr_view(&w));
    proto_tls_wr_clear(&w);
    proto_tls_wr_clear(&again);
    CHECK_OK(mls_group_secrets_decode(&a, check_hex("00 00 00"), &s));
    CHECK(!s.has_path_secret);
    CHECK_ERR(mls_group_secrets_decode(&a, check_hex("00 02 00 00"), &s),
              ERR_FORMAT);
    arena_clear(&a);
}

TEST(authenticated_content_and_transcript)
{
    struct sample_commit x;
    struct arena a = {.mem = mem_heap()};
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    struct proto_tls_wr again = proto_tls_wr_open(mem_heap());
    struct mls_authenticated back;
    struct mls_authenticated auth;
    struct view in;

    sample_commit_init(&x);
    auth =
        (struct mls_authenticated){MLS_WIRE_PRIVATE,
                                   sample_content(&x.commit, MLS_SENDER_MEMBER),
                                   {VIEW_ARRAY(SAMPLE_SIG), VIEW_LIT("tag")}};
    mls_authenticated_write(&w, &auth);
    in = proto_tls_wr_view(&w);
    CHECK_OK(mls_authenticated_decode(&a, in, &back));
    mls_authenticated_write(&again, &back);
    CHECK_VIEW(proto_tls_wr_view(&again), in);
    proto_tls_wr_clear(&again);
    /* all but confirmation_tag<V> */
    mls_authenticated_write_transcript(&again, &back);
    CHECK_VIEW(proto_tls_wr_view(&again), view_sub(in, 0, in.len - 4));
    CHECK_ERR(mls_authenticated_decode(&a, check_hex("0003"), &back),
              ERR_FORMAT);
    proto_tls_wr_clear(&w);
    proto_tls_wr_clear(&again);
    arena_clear(&a);
}

int
main(void)
{
    return RUN(T(public_messages_round_trip), T(the_other_messages_round_trip),
               T(messages_are_refused_by_name),
               T(messages_above_the_bound_are_refused), T(message_torture),
               T(group_context_and_secrets_round_trip),
               T(authenticated_content_and_transcript));
}
