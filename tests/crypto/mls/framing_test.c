/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/framing.h"

#include "tests/crypto/mls/attacker.h"
#include "tests/crypto/mls/sample.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"
#include "tests/support/seed_rng.h"

#include <string.h>

/* An epoch with known keys; the member at leaf 5 signs. */
struct epoch {
    const struct mls_suite *s;
    struct prim_sign_key key;
    struct prim_secret membership;
    struct prim_secret sender_data;
    struct mls_key_nonce ratchet;
    struct view context;
    struct sample_commit commit;
};

static void
secret_of(struct prim_secret *out, uint8_t fill, uint8_t len)
{
    out->len = len;
    memset(out->b, fill, len);
}

static void
epoch_init(struct epoch *x, uint16_t suite)
{
    static const uint8_t SEED[32] = {9};

    x->s = mls_suite_find(suite);
    prim_ed25519_from_seed(SEED, &x->key);
    secret_of(&x->membership, 1, x->s->prim.hash_size);
    secret_of(&x->sender_data, 2, x->s->prim.hash_size);
    secret_of(&x->ratchet.key, 3, x->s->prim.key_size);
    secret_of(&x->ratchet.nonce, 4, x->s->prim.nonce_size);
    x->context = VIEW_LIT("an encoded group context");
    sample_commit_init(&x->commit);
    /* what came with the message is the joiner's key */
    x->commit.path.leaf_node.signature_key = prim_sign_key_pub(&x->key);
    x->commit.add.leaf_node.signature_key = prim_sign_key_pub(&x->key);
}

/* Sign and seal c as a public message. */
static enum err
make_public(const struct epoch *x, const struct mem *mem,
            const struct mls_content *c, struct bytes *out)
{
    enum err e;
    uint8_t sig[PRIM_SIG_MAX];
    size_t sig_len = 0;
    struct mls_authenticated a = {
        MLS_WIRE_PUBLIC, *c, {.confirmation_tag = VIEW_LIT("tag")}};

    TRY(mls_content_sign(x->s, mem, MLS_WIRE_PUBLIC, c, x->context, &x->key,
                         sig, &sig_len));
    a.auth.signature = view_make(sig, sig_len);
    TRY(mls_public_seal(x->s, mem, &a, x->context, &x->membership, out));
out:
    return e;
}

/* Decode, open and authenticate a public message. */
static enum err
take_public(const struct epoch *x, struct arena *a, struct view in,
            struct mls_authenticated *out, enum mls_rule *broken)
{
    enum err e;
    struct mls_message m;
    struct mls_unverified u;
    struct view key = prim_sign_key_pub(&x->key);
    struct mls_sender sender;

    TRY(mls_message_decode(a, in, &m, broken));
    TRY(mls_public_open(x->s, a->mem, &m.u.public_message, x->context,
                        &x->membership, &u, broken));
    sender = mls_unverified_sender(&u);
    if (sender.type == MLS_SENDER_NEW_MEMBER_COMMIT ||
        sender.type == MLS_SENDER_NEW_MEMBER_PROPOSAL) {
        TRY(mls_unverified_joiner_key(&u, &key));
    }
    TRY(mls_authenticate(x->s, a->mem, &u, x->context, key, out, broken));
out:
    return e;
}

TEST(public_messages_of_every_sender)
{
    struct epoch x;
    struct mls_content c[4];
    struct mls_proposal_or_ref *p;

    epoch_init(&x, MLS_SUITE_X25519_CHACHA20);
    p = x.commit.proposals;
    c[0] = sample_content(&x.commit.commit, MLS_SENDER_MEMBER);
    c[1] = sample_content(&x.commit.commit, MLS_SENDER_NEW_MEMBER_COMMIT);
    c[2] = sample_content(NULL, MLS_SENDER_EXTERNAL);
    c[2].type = MLS_CONTENT_PROPOSAL;
    c[2].u.proposal = &p[2].u.proposal; /* remove */
    c[3] = sample_content(NULL, MLS_SENDER_NEW_MEMBER_PROPOSAL);
    c[3].type = MLS_CONTENT_PROPOSAL;
    c[3].u.proposal = &p[0].u.proposal; /* add */
    for (size_t i = 0; i < 4; i++) {
        struct arena a = {.mem = mem_heap()};
        struct bytes out = {0};
        struct mls_authenticated got;

        CHECK_OK(make_public(&x, mem_heap(), &c[i], &out));
        CHECK_OK(take_public(&x, &a, view_of(&out), &got, NULL));
        CHECK_VIEW(got.content.authenticated_data, VIEW_LIT("aad"));
        CHECK_EQ(got.content.sender.type, c[i].sender.type);
        /* the context is signed for members and joiners' commits only */
        x.context = VIEW_LIT("another group context");
        CHECK_ERR(take_public(&x, &a, view_of(&out), &got, NULL),
                  i < 2 ? ERR_AUTH : OK);
        x.context = VIEW_LIT("an encoded group context");
        bytes_free(&out);
        arena_clear(&a);
    }
}

static void
refused(const struct epoch *x, struct view in, enum mls_rule rule)
{
    struct arena a = {.mem = mem_heap()};
    struct mls_authenticated got;
    enum mls_rule broken = MLS_RULE_NONE;
    enum err e = take_public(x, &a, in, &got, &broken);

    arena_clear(&a);
    CHECK_STR(mls_rule_name(broken), mls_rule_name(rule));
    CHECK_ERR(e, mls_rule_err(rule));
}

/* [membership-tag] [signature] */
TEST(tampered_public_messages)
{
    struct epoch x;
    struct mls_content c;
    struct bytes out = {0};
    struct prim_sign_key honest;

    epoch_init(&x, MLS_SUITE_X25519_AES128GCM);
    c = sample_content(&x.commit.commit, MLS_SENDER_MEMBER);
    CHECK_OK(make_public(&x, mem_heap(), &c, &out));
    /* the last byte is the membership tag's, the 60th the commit's */
    out.p[out.len - 1] ^= 1;
    refused(&x, view_of(&out), MLS_RULE_MEMBERSHIP_TAG);
    out.p[out.len - 1] ^= 1;
    out.p[60] ^= 1;
    refused(&x, view_of(&out), MLS_RULE_MEMBERSHIP_TAG);
    bytes_free(&out);
    /* an insider signs with another key */
    honest = x.key;
    x.key.seed[0] ^= 1;
    prim_ed25519_from_seed(x.key.seed, &x.key);
    CHECK_OK(make_public(&x, mem_heap(), &c, &out));
    x.key = honest;
    refused(&x, view_of(&out), MLS_RULE_SIGNATURE);
    bytes_free(&out);
}

/* GHSA-8x3w-qj7j-gqhf: a tag cut short is no tag. [membership-tag] */
TEST(a_shorter_membership_tag)
{
    struct epoch x;
    struct mls_content c;
    struct bytes out = {0};
    struct arena a = {.mem = mem_heap()};
    struct mls_message m;
    struct mls_unverified u;
    enum mls_rule broken = MLS_RULE_NONE;

    epoch_init(&x, MLS_SUITE_X25519_CHACHA20);
    c = sample_content(&x.commit.commit, MLS_SENDER_MEMBER);
    CHECK_OK(make_public(&x, mem_heap(), &c, &out));
    CHECK_OK(mls_message_decode(&a, view_of(&out), &m, NULL));
    for (size_t len = 0; len < 32; len++) {
        m.u.public_message.membership_tag.len = len;
        CHECK_ERR(mls_public_open(x.s, mem_heap(), &m.u.public_message,
                                  x.context, &x.membership, &u, &broken),
                  ERR_AUTH);
        CHECK_EQ(broken, MLS_RULE_MEMBERSHIP_TAG);
    }
    bytes_free(&out);
    arena_clear(&a);
}

static void
refused_content(struct epoch *x, struct mls_content *c,
                enum mls_sender_type sender, enum mls_rule rule)
{
    struct bytes out = {0};

    c->sender.type = sender;
    if (c->type == MLS_CONTENT_APPLICATION) {
        /* sealing refuses, so write it by hand */
        struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
        struct mls_message m = {.wire = MLS_WIRE_PUBLIC,
                                .u = {.public_message = {.content = *c}}};

        CHECK_ERR(make_public(x, mem_heap(), c, &out), ERR_INVALID);
        mls_message_write(&w, &m);
        CHECK_OK(proto_tls_wr_take(&w, &out));
    } else {
        CHECK_OK(make_public(x, mem_heap(), c, &out));
    }
    refused(x, view_of(&out), rule);
    bytes_free(&out);
}

/* [application-private] [sender-external-content] [sender-external-proposal]
 * [sender-joiner-add] [sender-joiner-commit] [external-path] */
TEST(who_may_send_what)
{
    struct epoch x;
    struct mls_content commit;
    struct mls_content proposal;
    struct mls_content application;
    struct mls_proposal_or_ref *p;

    epoch_init(&x, MLS_SUITE_X25519_CHACHA20);
    p = x.commit.proposals;
    commit = sample_content(&x.commit.commit, MLS_SENDER_EXTERNAL);
    proposal = commit;
    proposal.type = MLS_CONTENT_PROPOSAL;
    application = commit;
    application.type = MLS_CONTENT_APPLICATION;
    application.u.application = VIEW_LIT("words");
    refused_content(&x, &application, MLS_SENDER_MEMBER,
                    MLS_RULE_APPLICATION_PRIVATE);
    refused_content(&x, &commit, MLS_SENDER_EXTERNAL,
                    MLS_RULE_SENDER_EXTERNAL_CONTENT);
    for (size_t i = 0; i < 9; i++) {
        uint16_t type = p[i].u.proposal.type;

        proposal.u.proposal = &p[i].u.proposal;
        if (type == 2 || type == 6 || type > 7) {
            refused_content(&x, &proposal, MLS_SENDER_EXTERNAL,
                            MLS_RULE_SENDER_EXTERNAL_PROPOSAL);
        }
        if (type != 1) {
            refused_content(&x, &proposal, MLS_SENDER_NEW_MEMBER_PROPOSAL,
                            MLS_RULE_SENDER_JOINER_ADD);
        }
    }
    refused_content(&x, &commit, MLS_SENDER_NEW_MEMBER_PROPOSAL,
                    MLS_RULE_SENDER_JOINER_ADD);
    refused_content(&x, &proposal, MLS_SENDER_NEW_MEMBER_COMMIT,
                    MLS_RULE_SENDER_JOINER_COMMIT);
    x.commit.commit.path = NULL;
    refused_content(&x, &commit, MLS_SENDER_NEW_MEMBER_COMMIT,
                    MLS_RULE_EXTERNAL_PATH);
}

static enum err
make_private(const struct epoch *x, const struct mem *mem,
             const struct rng *rng, const struct mls_content *c, size_t padding,
             struct bytes *out)
{
    enum err e;
    uint8_t sig[PRIM_SIG_MAX];
    size_t sig_len = 0;
    struct mls_authenticated a = {
        MLS_WIRE_PRIVATE, *c, {.confirmation_tag = VIEW_LIT("tag")}};
    struct mls_private_keys keys = {&x->sender_data, 77, &x->ratchet};

    TRY(mls_content_sign(x->s, mem, MLS_WIRE_PRIVATE, c, x->context, &x->key,
                         sig, &sig_len));
    a.auth.signature = view_make(sig, sig_len);
    TRY(mls_private_seal(x->s, mem, rng, &a, &keys, padding, out));
out:
    return e;
}

static enum err
take_private(const struct epoch *x, struct arena *a, struct view in,
             struct mls_authenticated *out, enum mls_rule *broken)
{
    enum err e;
    struct mls_message m;
    struct mls_unverified u;
    struct mls_sender_data from;

    TRY(mls_message_decode(a, in, &m, broken));
    TRY(mls_private_sender(x->s, a->mem, &m.u.private_message, &x->sender_data,
                           &from, broken));
    CHECK_EQ(from.leaf_index, 5);
    CHECK_EQ(from.generation, 77);
    TRY(mls_private_open(x->s, a, &m.u.private_message, &from, &x->ratchet, &u,
                         broken));
    TRY(mls_authenticate(x->s, a->mem, &u, x->context,
                         prim_sign_key_pub(&x->key), out, broken));
out:
    return e;
}

static struct mls_content
application_content(void)
{
    struct mls_content c = sample_content(NULL, MLS_SENDER_MEMBER);

    c.type = MLS_CONTENT_APPLICATION;
    c.u.application = VIEW_LIT("words of people");
    return c;
}

static void
private_round_trip(uint16_t suite, size_t padding)
{
    struct epoch x;
    struct mls_content c[2];
    struct seed_rng rng;

    seed_rng_init(&rng, 1);
    epoch_init(&x, suite);
    c[0] = application_content();
    c[1] = sample_content(&x.commit.commit, MLS_SENDER_MEMBER);
    for (size_t i = 0; i < 2; i++) {
        struct arena a = {.mem = mem_heap()};
        struct bytes out = {0};
        struct bytes other = {0};
        struct mls_authenticated got;

        CHECK_OK(make_private(&x, mem_heap(), &rng.rng, &c[i], padding, &out));
        CHECK_OK(
            make_private(&x, mem_heap(), &rng.rng, &c[i], padding, &other));
        /* the reuse guard makes the same content another ciphertext */
        CHECK(!view_equal(view_of(&out), view_of(&other)));
        CHECK_OK(take_private(&x, &a, view_of(&out), &got, NULL));
        CHECK_VIEW(got.content.authenticated_data, VIEW_LIT("aad"));
        CHECK_EQ(got.content.sender.index, 5);
        CHECK_EQ(got.content.type, c[i].type);
        if (i == 0) {
            CHECK_VIEW(got.content.u.application, c[0].u.application);
        } else {
            CHECK_VIEW(got.auth.confirmation_tag, VIEW_LIT("tag"));
        }
        bytes_free(&out);
        bytes_free(&other);
        arena_clear(&a);
    }
}

TEST(private_messages_round_trip)
{
    private_round_trip(MLS_SUITE_X25519_AES128GCM, 0);
    private_round_trip(MLS_SUITE_X25519_CHACHA20, 0);
    private_round_trip(MLS_SUITE_X25519_CHACHA20, 1);
    private_round_trip(MLS_SUITE_X25519_CHACHA20, 4000);
}

TEST(only_members_send_private_messages)
{
    struct epoch x;
    struct mls_content c;
    struct seed_rng rng;
    struct bytes out = {0};

    seed_rng_init(&rng, 1);
    epoch_init(&x, MLS_SUITE_X25519_CHACHA20);
    c = sample_content(&x.commit.commit, MLS_SENDER_NEW_MEMBER_COMMIT);
    CHECK_ERR(make_private(&x, mem_heap(), &rng.rng, &c, 0, &out), ERR_INVALID);
    CHECK_EQ(out.len, 0);
}

/* [sender-data] [ciphertext] */
TEST(tampered_private_messages)
{
    struct epoch x;
    struct mls_content c = application_content();
    struct seed_rng rng;
    struct bytes out = {0};
    struct arena a = {.mem = mem_heap()};
    struct mls_message m;

    seed_rng_init(&rng, 1);
    epoch_init(&x, MLS_SUITE_X25519_CHACHA20);
    CHECK_OK(make_private(&x, mem_heap(), &rng.rng, &c, 10, &out));
    CHECK_OK(mls_message_decode(&a, view_of(&out), &m, NULL));
    for (size_t i = 4; i < out.len; i++) {
        struct mls_authenticated got;
        enum mls_rule broken = MLS_RULE_NONE;
        enum err e;
        const uint8_t *sample = m.u.private_message.ciphertext.p;
        const uint8_t *at = out.p + i;

        out.p[i] ^= 0x04; /* keeps content types known */
        e = take_private(&x, &a, view_of(&out), &got, &broken);
        out.p[i] ^= 0x04;
        CHECK(e != OK);
        if (at >= sample) {
            /* the first Nh bytes make the sender data's key */
            CHECK_EQ(broken, at - sample < 32 ? MLS_RULE_SENDER_DATA
                                              : MLS_RULE_CIPHERTEXT);
        }
    }
    bytes_free(&out);
    arena_clear(&a);
}

/* AAD, padding and content that an insider seals around our checks. */
static void
refused_plaintext(const struct epoch *x, struct view plaintext,
                  enum mls_rule rule)
{
    struct attack_private attack = {x->s,
                                    VIEW_LIT("group"),
                                    3,
                                    MLS_CONTENT_APPLICATION,
                                    VIEW_LIT("aad"),
                                    &x->sender_data,
                                    &x->ratchet,
                                    5,
                                    77,
                                    plaintext};
    struct arena a = {.mem = mem_heap()};
    struct bytes out = {0};
    struct mls_authenticated got;
    enum mls_rule broken = MLS_RULE_NONE;
    enum err e;

    CHECK_OK(attack_private_seal(mem_heap(), &attack, &out));
    e = take_private(x, &a, view_of(&out), &got, &broken);
    bytes_free(&out);
    arena_clear(&a);
    CHECK_STR(mls_rule_name(broken), mls_rule_name(rule));
    CHECK_ERR(e, mls_rule_err(rule));
}

/* [padding-zero] [content-format] [signature] */
TEST(plaintexts_of_an_insider)
{
    struct epoch x;

    epoch_init(&x, MLS_SUITE_X25519_CHACHA20);
    refused_plaintext(&x, check_hex("01 aa 02 5151 00 00 01 00"),
                      MLS_RULE_PADDING_ZERO);
    refused_plaintext(&x, check_hex("01 aa 02 5151 80"), MLS_RULE_PADDING_ZERO);
    refused_plaintext(&x, check_hex("05 aa"), MLS_RULE_CONTENT_FORMAT);
    refused_plaintext(&x, check_hex("01 aa"), MLS_RULE_CONTENT_FORMAT);
    refused_plaintext(&x, check_hex("01 aa 02 5151 00 00"), MLS_RULE_SIGNATURE);
}

TEST(external_senders_are_found_by_place)
{
    struct mls_extensions x;
    struct mls_external_sender s;
    enum mls_rule broken = MLS_RULE_NONE;

    CHECK_OK(mls_extensions_from(check_hex("0005 08 07 01aa 0001 02bbcc"), &x));
    CHECK_OK(mls_external_sender_find(x, 0, &s, &broken));
    CHECK_VIEW(s.signature_key, check_hex("aa"));
    /* [sender-external-index] */
    CHECK_ERR(mls_external_sender_find(x, 1, &s, &broken), ERR_DENIED);
    CHECK_EQ(broken, MLS_RULE_SENDER_EXTERNAL_INDEX);
    broken = MLS_RULE_NONE;
    CHECK_ERR(
        mls_external_sender_find((struct mls_extensions){{0}}, 0, &s, &broken),
        ERR_DENIED);
    CHECK_EQ(broken, MLS_RULE_SENDER_EXTERNAL_INDEX);
}

TEST(joiner_keys_are_only_joiners)
{
    struct mls_unverified u = {0};
    struct view key;

    u.hidden_.content = sample_content(NULL, MLS_SENDER_MEMBER);
    CHECK_ERR(mls_unverified_joiner_key(&u, &key), ERR_INVALID);
}

TEST(framing_torture)
{
    struct epoch x;
    struct mls_content c;

    epoch_init(&x, MLS_SUITE_X25519_CHACHA20);
    c = sample_content(&x.commit.commit, MLS_SENDER_MEMBER);
    for (uint64_t at = 1;; at++) {
        struct fail_mem f;
        struct seed_rng rng;
        struct arena a;
        struct bytes pub = {0};
        struct bytes priv = {0};
        struct mls_authenticated got;
        enum mls_rule broken = MLS_RULE_NONE;
        enum err e;

        seed_rng_init(&rng, 1);
        fail_mem_init(&f, at);
        a = (struct arena){.mem = &f.mem};
        e = make_public(&x, &f.mem, &c, &pub);
        e = e != OK ? e : make_private(&x, &f.mem, &rng.rng, &c, 99, &priv);
        e = e != OK ? e : take_public(&x, &a, view_of(&pub), &got, &broken);
        e = e != OK ? e : take_private(&x, &a, view_of(&priv), &got, &broken);
        bytes_free(&pub);
        bytes_free(&priv);
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

int
main(void)
{
    return RUN(T(public_messages_of_every_sender), T(tampered_public_messages),
               T(a_shorter_membership_tag), T(who_may_send_what),
               T(private_messages_round_trip),
               T(only_members_send_private_messages),
               T(tampered_private_messages), T(plaintexts_of_an_insider),
               T(external_senders_are_found_by_place),
               T(joiner_keys_are_only_joiners), T(framing_torture));
}
