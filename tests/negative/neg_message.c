/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that break a rule of framing (RFC 9420 6, 12.1.8, 15.3). */
#include "tests/crypto/mls/attacker.h"
#include "tests/negative/neg.h"

#include <string.h>

static const uint8_t NO_TAG[32];

/* An honest commit of Alice. */
static enum err
honest(struct neg *n, bool as_private, struct bytes *out)
{
    enum err e;
    struct mls_committed c = {0};
    struct mls_commit_opts opts = {.as_private = as_private};

    TRY(mls_commit(n->alice, &opts, &c));
    *out = bytes_take(&c.commit);
out:
    mls_committed_clear(&c);
    return e;
}

/* Application data of somebody. */
static enum err
words(struct mls_group *g, struct bytes *out)
{
    enum err e;
    struct mls_protected p = {0};

    TRY(mls_protect(g, VIEW_LIT("words"), VIEW_LIT("aad"), 20, &p));
    *out = bytes_take(&p.message);
out:
    mls_protected_clear(&p);
    return e;
}

/* [message-format] */
static enum err
one_byte_too_many(struct neg *n, struct bytes *out)
{
    enum err e = honest(n, false, out);

    return e != OK ? e : bytes_append(mem_heap(), out, VIEW_LIT("\0"));
}

static enum err
cut_short(struct neg *n, struct bytes *out)
{
    enum err e = honest(n, false, out);

    if (e == OK) {
        bytes_truncate(out, out->len - 1);
    }
    return e;
}

/* [message-size] */
static enum err
too_large(struct neg *n, struct bytes *out)
{
    struct bytes zeros = {0};
    enum err e;

    TRY(honest(n, false, out));
    TRY(bytes_alloc(mem_heap(), LIMIT_MLS_MESSAGE, &zeros));
    TRY(bytes_append(mem_heap(), out, view_of(&zeros)));
out:
    bytes_free(&zeros);
    return e;
}

/* [message-version] */
static enum err
of_version_two(struct neg *n, struct bytes *out)
{
    enum err e = honest(n, false, out);

    if (e == OK) {
        out->p[1] = 2;
    }
    return e;
}

/* [wire-format] */
static enum err
of_no_wire_format(struct neg *n, struct bytes *out)
{
    enum err e = honest(n, false, out);

    if (e == OK) {
        out->p[3] = 9;
    }
    return e;
}

static enum err
key_package_as_handshake(struct neg *n, struct bytes *out)
{
    return bytes_copy(mem_heap(), view_of(&n->dave.key_package), out);
}

/* [message-group] */
static enum err
of_another_group(struct neg *n, struct bytes *out)
{
    struct mls_content c = neg_content(n, MLS_CONTENT_PROPOSAL);
    struct mls_proposal p = {.type = MLS_PROPOSAL_REMOVE, .u = {.remove = 2}};

    c.group_id = VIEW_LIT("another group");
    c.u.proposal = &p;
    return neg_public(n, &c, &n->who[NEG_ALICE].key, (struct view){0}, out);
}

/* [message-epoch-past] */
static enum err
of_the_past(struct neg *n, struct bytes *out)
{
    struct mls_content c = neg_content(n, MLS_CONTENT_PROPOSAL);
    struct mls_proposal p = {.type = MLS_PROPOSAL_REMOVE, .u = {.remove = 2}};

    c.epoch--;
    c.u.proposal = &p;
    return neg_public(n, &c, &n->who[NEG_ALICE].key, (struct view){0}, out);
}

/* [message-epoch-future] */
static enum err
of_the_future(struct neg *n, struct bytes *out)
{
    struct mls_content c = neg_content(n, MLS_CONTENT_PROPOSAL);
    struct mls_proposal p = {.type = MLS_PROPOSAL_REMOVE, .u = {.remove = 2}};

    c.epoch++;
    c.u.proposal = &p;
    return neg_public(n, &c, &n->who[NEG_ALICE].key, (struct view){0}, out);
}

/* [application-private] */
static enum err
application_in_public(struct neg *n, struct bytes *out)
{
    enum err e;
    const struct mls_epoch *now = n->alice->now;
    struct mls_content c = neg_content(n, MLS_CONTENT_APPLICATION);
    struct mls_message m = {.wire = MLS_WIRE_PUBLIC};
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    uint8_t sig[PRIM_SIG_MAX];
    size_t len = 0;
    struct mls_auth auth = {0};
    struct mls_hash tag;

    c.u.application = VIEW_LIT("words");
    TRY(mls_content_sign(now->suite, mem_heap(), MLS_WIRE_PUBLIC, &c,
                         view_of(&now->encoded), &n->who[NEG_ALICE].key, sig,
                         &len));
    auth.signature = view_make(sig, len);
    mls_content_write_tbs(&w, MLS_WIRE_PUBLIC, &c, view_of(&now->encoded));
    mls_auth_write(&w, c.type, &auth);
    mls_mac(now->suite, &now->keys.membership, proto_tls_wr_view(&w), &tag);
    proto_tls_wr_clear(&w);
    m.u.public_message =
        (struct mls_public_message){c, auth, mls_hash_view(&tag)};
    mls_message_write(&w, &m);
    TRY(proto_tls_wr_take(&w, out));
out:
    proto_tls_wr_clear(&w);
    return e;
}

static enum err
from_sender(struct neg *n, struct mls_sender sender, enum neg_who signs,
            const struct mls_proposal *p, struct bytes *out)
{
    struct mls_content c = neg_content(n, MLS_CONTENT_PROPOSAL);
    struct mls_commit empty = {0};

    c.sender = sender;
    c.u.proposal = p;
    if (p == NULL) {
        c.type = MLS_CONTENT_COMMIT;
        c.u.commit = &empty;
    }
    return neg_public(n, &c, &n->who[signs].key, VIEW_ARRAY(NO_TAG), out);
}

static const struct mls_proposal REMOVE_CAROL = {.type = MLS_PROPOSAL_REMOVE,
                                                 .u = {.remove = NEG_CAROL}};

/* [sender-leaf] */
static enum err
from_a_blank_leaf(struct neg *n, struct bytes *out)
{
    return from_sender(n, (struct mls_sender){MLS_SENDER_MEMBER, 3}, NEG_ALICE,
                       &REMOVE_CAROL, out);
}

static enum err
from_outside_the_tree(struct neg *n, struct bytes *out)
{
    return from_sender(n, (struct mls_sender){MLS_SENDER_MEMBER, 1u << 30},
                       NEG_ALICE, &REMOVE_CAROL, out);
}

/* [sender-external-index] */
static enum err
from_an_unlisted_sender(struct neg *n, struct bytes *out)
{
    return from_sender(n, (struct mls_sender){MLS_SENDER_EXTERNAL, 1},
                       NEG_SENDER, &REMOVE_CAROL, out);
}

/* [sender-external-content] */
static enum err
commit_from_outside(struct neg *n, struct bytes *out)
{
    return from_sender(n, (struct mls_sender){MLS_SENDER_EXTERNAL, 0},
                       NEG_SENDER, NULL, out);
}

/* [sender-external-proposal] */
static enum err
external_init_from_outside(struct neg *n, struct bytes *out)
{
    struct mls_proposal p = {.type = MLS_PROPOSAL_EXTERNAL_INIT};

    return from_sender(n, (struct mls_sender){MLS_SENDER_EXTERNAL, 0},
                       NEG_SENDER, &p, out);
}

/* [sender-joiner-commit] */
static enum err
proposal_as_joining_commit(struct neg *n, struct bytes *out)
{
    return from_sender(n, (struct mls_sender){MLS_SENDER_NEW_MEMBER_COMMIT, 0},
                       NEG_DAVE, &REMOVE_CAROL, out);
}

/* [sender-joiner-add] */
static enum err
joiner_removes(struct neg *n, struct bytes *out)
{
    return from_sender(n,
                       (struct mls_sender){MLS_SENDER_NEW_MEMBER_PROPOSAL, 0},
                       NEG_DAVE, &REMOVE_CAROL, out);
}

/* [signature] */
static enum err
signed_by_another(struct neg *n, struct bytes *out)
{
    return from_sender(n, (struct mls_sender){MLS_SENDER_MEMBER, NEG_CAROL},
                       NEG_ALICE, &REMOVE_CAROL, out);
}

static enum err
sender_signed_by_another(struct neg *n, struct bytes *out)
{
    return from_sender(n, (struct mls_sender){MLS_SENDER_EXTERNAL, 0},
                       NEG_ALICE, &REMOVE_CAROL, out);
}

/* [membership-tag] */
static enum err
with_another_tag(struct neg *n, struct bytes *out)
{
    enum err e = honest(n, false, out);

    if (e == OK) {
        out->p[out->len - 1] ^= 1;
    }
    return e;
}

/* Change one byte of a private message: in the sender data or the end. */
static enum err
flipped_private(struct neg *n, bool sender_data, struct bytes *out)
{
    enum err e;
    struct mls_message m;
    struct view in;

    TRY(words(n->alice, out));
    in = view_of(out);
    TRY(mls_message_decode(&n->arena, in, &m, NULL));
    in = sender_data ? m.u.private_message.sender_data
                     : m.u.private_message.ciphertext;
    out->p[(size_t)(in.p - out->p) + in.len - 1] ^= 1;
out:
    return e;
}

/* [sender-data] */
static enum err
other_sender_data(struct neg *n, struct bytes *out)
{
    return flipped_private(n, true, out);
}

/* [ciphertext] */
static enum err
other_ciphertext(struct neg *n, struct bytes *out)
{
    return flipped_private(n, false, out);
}

/* A private message of Alice with any plaintext, leaf and generation. */
static enum err
insider(struct neg *n, uint32_t leaf, uint32_t ahead, struct view plaintext,
        struct bytes *out)
{
    enum err e;
    const struct mls_epoch *now = n->alice->now;
    struct mls_step *step = NULL;
    struct attack_private x = {
        .suite = now->suite,
        .group_id = now->context.group_id,
        .epoch = now->context.epoch,
        .type = MLS_CONTENT_APPLICATION,
        .sender_data = &now->keys.sender_data,
        .leaf = leaf,
        .plaintext = plaintext,
    };

    TRY(mls_secret_tree_send(now->secrets, now->own, MLS_RATCHET_APPLICATION,
                             &step));
    x.key = mls_step_key(step);
    x.generation = mls_step_generation(step) + ahead;
    TRY(attack_private_seal(mem_heap(), &x, out));
out:
    mls_step_free(step);
    return e;
}

/* [sender-data-leaf] */
static enum err
private_from_a_blank_leaf(struct neg *n, struct bytes *out)
{
    return insider(n, 3, 0, VIEW_LIT("\0"), out);
}

/* [padding-zero] */
static enum err
talking_padding(struct neg *n, struct bytes *out)
{
    return insider(n, 0, 0, VIEW_LIT("\x01x\x01ypsst"), out);
}

/* [content-format] */
static enum err
senseless_plaintext(struct neg *n, struct bytes *out)
{
    return insider(n, 0, 0, VIEW_LIT("\x09x"), out);
}

/* [signature] */
static enum err
unsigned_words(struct neg *n, struct bytes *out)
{
    return insider(n, 0, 0, VIEW_LIT("\x01x\x02xx"), out);
}

/* [generation-forward] */
static enum err
far_ahead(struct neg *n, struct bytes *out)
{
    return insider(n, 0, UINT32_MAX / 2, VIEW_LIT("\0"), out);
}

/* [generation-used] */
static enum err
replayed(struct neg *n, struct bytes *out)
{
    enum err e;
    struct mls_unprotected u = {0};

    TRY(words(n->alice, out));
    TRY(mls_unprotect(n->bob, view_of(out), &u));
out:
    mls_unprotected_clear(&u);
    return e;
}

/* [own-message] */
static enum err
bobs_own_words(struct neg *n, struct bytes *out)
{
    return words(n->bob, out);
}

static enum err
bobs_own_proposal(struct neg *n, struct bytes *out)
{
    return neg_propose(n, NEG_BOB, &REMOVE_CAROL, out);
}

/* Alice commits, and Bob follows. */
static enum err
follow(struct neg *n, const struct mls_proposal_in *in)
{
    enum err e;
    struct mls_commit_opts opts = {.proposals = in, .proposals_len = 1};
    struct mls_committed c = {0};
    struct mls_processed p = {0};

    TRY(mls_commit(n->alice, &opts, &c));
    TRY(mls_process(n->bob, view_of(&c.commit), &p));
    TRY(mls_merge(n->bob, &p.stage));
    TRY(mls_merge(n->alice, &c.stage));
out:
    mls_committed_clear(&c);
    mls_processed_clear(&p);
    return e;
}

/* [group-suspended] */
static enum err
after_reinit(struct neg *n, struct bytes *out)
{
    enum err e;
    struct mls_proposal_in in = {.type = MLS_PROPOSAL_REINIT,
                                 .group_id = VIEW_LIT("next"),
                                 .suite = n->suite};

    TRY(follow(n, &in));
    TRY(neg_propose(n, NEG_ALICE, &REMOVE_CAROL, out));
out:
    return e;
}

/* [member-removed] */
static enum err
after_removal(struct neg *n, struct bytes *out)
{
    enum err e;
    struct mls_proposal_in in = {.type = MLS_PROPOSAL_REMOVE, .leaf = NEG_BOB};

    TRY(follow(n, &in));
    TRY(neg_propose(n, NEG_ALICE, &REMOVE_CAROL, out));
out:
    return e;
}

static const struct neg_case CASES[] = {
    {MLS_RULE_MESSAGE_FORMAT, NEG_PROCESS, one_byte_too_many},
    {MLS_RULE_MESSAGE_FORMAT, NEG_PROCESS, cut_short},
    {MLS_RULE_MESSAGE_SIZE, NEG_PROCESS, too_large},
    {MLS_RULE_MESSAGE_VERSION, NEG_PROCESS, of_version_two},
    {MLS_RULE_WIRE_FORMAT, NEG_PROCESS, of_no_wire_format},
    {MLS_RULE_WIRE_FORMAT, NEG_PROCESS, key_package_as_handshake},
    {MLS_RULE_MESSAGE_GROUP, NEG_PROCESS, of_another_group},
    {MLS_RULE_MESSAGE_EPOCH_PAST, NEG_PROCESS, of_the_past},
    {MLS_RULE_MESSAGE_EPOCH_FUTURE, NEG_PROCESS, of_the_future},
    {MLS_RULE_APPLICATION_PRIVATE, NEG_UNPROTECT, application_in_public},
    {MLS_RULE_SENDER_LEAF, NEG_PROCESS, from_a_blank_leaf},
    {MLS_RULE_SENDER_LEAF, NEG_PROCESS, from_outside_the_tree},
    {MLS_RULE_SENDER_EXTERNAL_INDEX, NEG_PROCESS, from_an_unlisted_sender},
    {MLS_RULE_SENDER_EXTERNAL_CONTENT, NEG_PROCESS, commit_from_outside},
    {MLS_RULE_SENDER_EXTERNAL_PROPOSAL, NEG_PROCESS,
     external_init_from_outside},
    {MLS_RULE_SENDER_JOINER_COMMIT, NEG_PROCESS, proposal_as_joining_commit},
    {MLS_RULE_SENDER_JOINER_ADD, NEG_PROCESS, joiner_removes},
    {MLS_RULE_SIGNATURE, NEG_PROCESS, signed_by_another},
    {MLS_RULE_SIGNATURE, NEG_PROCESS, sender_signed_by_another},
    {MLS_RULE_MEMBERSHIP_TAG, NEG_PROCESS, with_another_tag},
    {MLS_RULE_SENDER_DATA, NEG_UNPROTECT, other_sender_data},
    {MLS_RULE_CIPHERTEXT, NEG_UNPROTECT, other_ciphertext},
    {MLS_RULE_SENDER_DATA_LEAF, NEG_UNPROTECT, private_from_a_blank_leaf},
    {MLS_RULE_PADDING_ZERO, NEG_UNPROTECT, talking_padding},
    {MLS_RULE_CONTENT_FORMAT, NEG_UNPROTECT, senseless_plaintext},
    {MLS_RULE_SIGNATURE, NEG_UNPROTECT, unsigned_words},
    {MLS_RULE_GENERATION_FORWARD, NEG_UNPROTECT, far_ahead},
    {MLS_RULE_GENERATION_USED, NEG_UNPROTECT, replayed},
    {MLS_RULE_OWN_MESSAGE, NEG_UNPROTECT, bobs_own_words},
    {MLS_RULE_OWN_MESSAGE, NEG_PROCESS, bobs_own_proposal},
    {MLS_RULE_GROUP_SUSPENDED, NEG_PROCESS, after_reinit},
    {MLS_RULE_MEMBER_REMOVED, NEG_PROCESS, after_removal},
};

const struct neg_case *
neg_message_cases(size_t *count_out)
{
    *count_out = sizeof(CASES) / sizeof(CASES[0]);
    return CASES;
}
