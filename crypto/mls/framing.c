/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contents and public messages: what is signed, what is authenticated by the
 * membership key, and the rules of who may send what.
 */
#include "crypto/mls/framing.h"

#include <string.h>

/* RFC 9420 6.1: FramedContentTBS has the context for these. */
static bool
signs_context(const struct mls_content *c)
{
    return c->sender.type == MLS_SENDER_MEMBER ||
           c->sender.type == MLS_SENDER_NEW_MEMBER_COMMIT;
}

void
mls_content_write_tbs(struct proto_tls_wr *w, enum mls_wire_format wire,
                      const struct mls_content *c, struct view context)
{
    proto_tls_wr_u16(w, MLS_VERSION_10);
    proto_tls_wr_u16(w, (uint16_t)wire);
    mls_content_write_signed(w, c);
    if (signs_context(c)) {
        proto_tls_wr_fixed(w, context);
    }
}

enum err
mls_content_sign(const struct mls_suite *s, const struct mem *mem,
                 enum mls_wire_format wire, const struct mls_content *c,
                 struct view context, const struct prim_sign_key *key,
                 uint8_t sig_out[PRIM_SIG_MAX], size_t *sig_len_out)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(mem);

    mls_content_write_tbs(&w, wire, c, context);
    TRY(w.e);
    TRY(mls_sign(s, mem, key, VIEW_LIT("FramedContentTBS"),
                 proto_tls_wr_view(&w), sig_out, sig_len_out));
out:
    proto_tls_wr_clear(&w);
    return e;
}

/* AuthenticatedContentTBM, RFC 9420 6.2. */
static void
write_tbm(struct proto_tls_wr *w, const struct mls_authenticated *x,
          struct view context)
{
    mls_content_write_tbs(w, x->wire, &x->content, context);
    mls_auth_write(w, x->content.type, &x->auth);
}

enum err
mls_public_seal(const struct mls_suite *s, const struct mem *mem,
                const struct mls_authenticated *x, struct view context,
                const struct prim_secret *membership_key, struct bytes *out)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(mem);
    struct mls_message m = {.wire = MLS_WIRE_PUBLIC};
    struct mls_hash tag = {0};

    if (x->wire != MLS_WIRE_PUBLIC ||
        x->content.type == MLS_CONTENT_APPLICATION) {
        TRY(ERR_INVALID);
    }
    if (x->content.sender.type == MLS_SENDER_MEMBER) {
        write_tbm(&w, x, context);
        TRY(w.e);
        mls_mac(s, membership_key, proto_tls_wr_view(&w), &tag);
        proto_tls_wr_clear(&w);
    }
    m.u.public_message =
        (struct mls_public_message){x->content, x->auth, mls_hash_view(&tag)};
    mls_message_write(&w, &m);
    TRY(proto_tls_wr_take(&w, out));
out:
    proto_tls_wr_clear(&w);
    return e;
}

/* RFC 9420 12.1.8 [sender-external-proposal] */
static bool
external_may_propose(uint16_t type)
{
    return type == MLS_PROPOSAL_ADD || type == MLS_PROPOSAL_REMOVE ||
           type == MLS_PROPOSAL_PSK || type == MLS_PROPOSAL_REINIT ||
           type == MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS;
}

/* Who may send what in a public message. */
static enum err
check_sender(const struct mls_content *c, enum mls_rule *broken)
{
    enum err e;

    /* RFC 9420 6 [application-private] */
    TRY(mls_require(c->type != MLS_CONTENT_APPLICATION,
                    MLS_RULE_APPLICATION_PRIVATE, broken));
    switch (c->sender.type) {
    case MLS_SENDER_EXTERNAL:
        /* RFC 9420 6.1 [sender-external-content] */
        TRY(mls_require(c->type == MLS_CONTENT_PROPOSAL,
                        MLS_RULE_SENDER_EXTERNAL_CONTENT, broken));
        TRY(mls_require(external_may_propose(c->u.proposal->type),
                        MLS_RULE_SENDER_EXTERNAL_PROPOSAL, broken));
        break;
    case MLS_SENDER_NEW_MEMBER_PROPOSAL:
        /* RFC 9420 6.1 [sender-joiner-add] */
        TRY(mls_require(c->type == MLS_CONTENT_PROPOSAL &&
                            c->u.proposal->type == MLS_PROPOSAL_ADD,
                        MLS_RULE_SENDER_JOINER_ADD, broken));
        break;
    case MLS_SENDER_NEW_MEMBER_COMMIT:
        /* RFC 9420 6.1 [sender-joiner-commit] */
        TRY(mls_require(c->type == MLS_CONTENT_COMMIT,
                        MLS_RULE_SENDER_JOINER_COMMIT, broken));
        /* RFC 9420 12.4.3.2 [external-path] */
        TRY(mls_require(c->u.commit->path != NULL, MLS_RULE_EXTERNAL_PATH,
                        broken));
        break;
    case MLS_SENDER_MEMBER:
    default:
        e = OK;
    }
out:
    return e;
}

enum err
mls_public_open(const struct mls_suite *s, const struct mem *mem,
                const struct mls_public_message *m, struct view context,
                const struct prim_secret *membership_key,
                struct mls_unverified *out, enum mls_rule *broken)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(mem);
    struct mls_authenticated x = {MLS_WIRE_PUBLIC, m->content, m->auth};

    TRY(check_sender(&m->content, broken));
    if (m->content.sender.type == MLS_SENDER_MEMBER) {
        write_tbm(&w, &x, context);
        TRY(w.e);
        /* RFC 9420 6.2 [membership-tag] */
        TRY(mls_require_ok(mls_mac_verify(s, membership_key,
                                          proto_tls_wr_view(&w),
                                          m->membership_tag),
                           ERR_AUTH, MLS_RULE_MEMBERSHIP_TAG, broken));
    }
    out->hidden_ = x;
out:
    proto_tls_wr_clear(&w);
    return e;
}

struct mls_sender
mls_unverified_sender(const struct mls_unverified *u)
{
    return u->hidden_.content.sender;
}

enum err
mls_unverified_joiner_key(const struct mls_unverified *u, struct view *key_out)
{
    const struct mls_content *c = &u->hidden_.content;

    if (c->sender.type == MLS_SENDER_NEW_MEMBER_PROPOSAL) {
        *key_out = c->u.proposal->u.add->leaf_node.signature_key;
        return OK;
    }
    if (c->sender.type == MLS_SENDER_NEW_MEMBER_COMMIT) {
        *key_out = c->u.commit->path->leaf_node.signature_key;
        return OK;
    }
    return ERR_INVALID;
}

enum err
mls_authenticate(const struct mls_suite *s, const struct mem *mem,
                 const struct mls_unverified *u, struct view context,
                 struct view key, struct mls_authenticated *out,
                 enum mls_rule *broken)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(mem);
    const struct mls_authenticated *x = &u->hidden_;

    mls_content_write_tbs(&w, x->wire, &x->content, context);
    TRY(w.e);
    /* RFC 9420 6.1 [signature] */
    TRY(mls_require_ok(mls_verify(s, mem, key, VIEW_LIT("FramedContentTBS"),
                                  proto_tls_wr_view(&w), x->auth.signature),
                       ERR_AUTH, MLS_RULE_SIGNATURE, broken));
    *out = *x;
out:
    proto_tls_wr_clear(&w);
    return e;
}

enum err
mls_external_sender_find(struct mls_extensions context, uint32_t index,
                         struct mls_external_sender *out, enum mls_rule *broken)
{
    struct mls_extension ext;

    /* RFC 9420 12.1.8.1 [sender-external-index] */
    if (!mls_extensions_find(context, MLS_EXT_EXTERNAL_SENDERS, &ext)) {
        return mls_broken(MLS_RULE_SENDER_EXTERNAL_INDEX, broken);
    }
    return mls_require(mls_external_senders_at(ext.data, index, out) == OK,
                       MLS_RULE_SENDER_EXTERNAL_INDEX, broken);
}

enum err
mls_proposal_ref(const struct mls_suite *s, const struct mem *mem,
                 const struct mls_authenticated *x, struct mls_hash *out)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(mem);

    mls_authenticated_write(&w, x);
    TRY(w.e);
    mls_ref_hash(s, VIEW_LIT("MLS 1.0 Proposal Reference"),
                 proto_tls_wr_view(&w), out);
out:
    proto_tls_wr_clear(&w);
    return e;
}

void
mls_key_package_ref(const struct mls_suite *s, struct view encoded,
                    struct mls_hash *out)
{
    mls_ref_hash(s, VIEW_LIT("MLS 1.0 KeyPackage Reference"), encoded, out);
}
