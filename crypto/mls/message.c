/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/message.h"

#include "crypto/mls/array.h"
#include "proto/base/limits.h"

#include <string.h>

static void
read_sender(struct proto_tls_rd *r, struct mls_sender *out)
{
    uint8_t type = proto_tls_rd_u8(r);

    switch (type) {
    case MLS_SENDER_MEMBER:
    case MLS_SENDER_EXTERNAL:
        out->index = proto_tls_rd_u32(r);
        break;
    case MLS_SENDER_NEW_MEMBER_PROPOSAL:
    case MLS_SENDER_NEW_MEMBER_COMMIT:
        break;
    default:
        proto_tls_rd_fail(r, ERR_FORMAT);
        return;
    }
    out->type = (enum mls_sender_type)type;
}

static void
write_sender(struct proto_tls_wr *w, const struct mls_sender *x)
{
    proto_tls_wr_u8(w, (uint8_t)x->type);
    if (x->type == MLS_SENDER_MEMBER || x->type == MLS_SENDER_EXTERNAL) {
        proto_tls_wr_u32(w, x->index);
    }
}

static enum mls_content_type
read_content_type(struct proto_tls_rd *r)
{
    uint8_t type = proto_tls_rd_u8(r);

    if (type < MLS_CONTENT_APPLICATION || type > MLS_CONTENT_COMMIT) {
        proto_tls_rd_fail(r, ERR_FORMAT);
        return MLS_CONTENT_APPLICATION;
    }
    return (enum mls_content_type)type;
}

void
mls_content_body_read(struct proto_tls_rd *r, struct arena *a,
                      struct mls_content *out)
{
    struct mls_proposal *proposal;
    struct mls_commit *commit;

    switch (out->type) {
    case MLS_CONTENT_APPLICATION:
        out->u.application = proto_tls_rd_vec(r);
        break;
    case MLS_CONTENT_PROPOSAL:
        proposal = arena_alloc(a, sizeof(*proposal));
        if (proposal == NULL) {
            proto_tls_rd_fail(r, ERR_NOMEM);
            return;
        }
        mls_proposal_read(r, a, proposal);
        out->u.proposal = proposal;
        break;
    case MLS_CONTENT_COMMIT:
        commit = arena_alloc(a, sizeof(*commit));
        if (commit == NULL) {
            proto_tls_rd_fail(r, ERR_NOMEM);
            return;
        }
        mls_commit_read(r, a, commit);
        out->u.commit = commit;
        break;
    default:
        proto_tls_rd_fail(r, ERR_FORMAT);
    }
}

void
mls_content_body_write(struct proto_tls_wr *w, const struct mls_content *c)
{
    switch (c->type) {
    case MLS_CONTENT_APPLICATION:
        proto_tls_wr_vec(w, c->u.application);
        break;
    case MLS_CONTENT_PROPOSAL:
        mls_proposal_write(w, c->u.proposal);
        break;
    case MLS_CONTENT_COMMIT:
        mls_commit_write(w, c->u.commit);
        break;
    default:
        proto_tls_wr_fail(w, ERR_INVALID);
    }
}

void
mls_content_read(struct proto_tls_rd *r, struct arena *a,
                 struct mls_content *out)
{
    struct view start = r->left;

    memset(out, 0, sizeof(*out));
    out->group_id = proto_tls_rd_vec(r);
    out->epoch = proto_tls_rd_u64(r);
    read_sender(r, &out->sender);
    out->authenticated_data = proto_tls_rd_vec(r);
    out->type = read_content_type(r);
    mls_content_body_read(r, a, out);
    out->encoded = mls_rd_since(r, start);
}

void
mls_content_write(struct proto_tls_wr *w, const struct mls_content *c)
{
    proto_tls_wr_vec(w, c->group_id);
    proto_tls_wr_u64(w, c->epoch);
    write_sender(w, &c->sender);
    proto_tls_wr_vec(w, c->authenticated_data);
    proto_tls_wr_u8(w, (uint8_t)c->type);
    mls_content_body_write(w, c);
}

void
mls_content_write_signed(struct proto_tls_wr *w, const struct mls_content *c)
{
    if (c->encoded.len > 0) {
        proto_tls_wr_fixed(w, c->encoded);
    } else {
        mls_content_write(w, c);
    }
}

void
mls_auth_read(struct proto_tls_rd *r, enum mls_content_type type,
              struct mls_auth *out)
{
    memset(out, 0, sizeof(*out));
    out->signature = proto_tls_rd_vec(r);
    if (type == MLS_CONTENT_COMMIT) {
        out->confirmation_tag = proto_tls_rd_vec(r);
    }
}

void
mls_auth_write(struct proto_tls_wr *w, enum mls_content_type type,
               const struct mls_auth *auth)
{
    proto_tls_wr_vec(w, auth->signature);
    if (type == MLS_CONTENT_COMMIT) {
        proto_tls_wr_vec(w, auth->confirmation_tag);
    }
}

enum err
mls_authenticated_decode(struct arena *a, struct view in,
                         struct mls_authenticated *out)
{
    struct proto_tls_rd r = proto_tls_rd_open(in);
    uint16_t wire = proto_tls_rd_u16(&r);

    if (wire != MLS_WIRE_PUBLIC && wire != MLS_WIRE_PRIVATE) {
        proto_tls_rd_fail(&r, ERR_FORMAT);
    }
    out->wire = wire == MLS_WIRE_PUBLIC ? MLS_WIRE_PUBLIC : MLS_WIRE_PRIVATE;
    mls_content_read(&r, a, &out->content);
    mls_auth_read(&r, out->content.type, &out->auth);
    return proto_tls_rd_end(&r);
}

void
mls_authenticated_write(struct proto_tls_wr *w,
                        const struct mls_authenticated *x)
{
    proto_tls_wr_u16(w, (uint16_t)x->wire);
    mls_content_write_signed(w, &x->content);
    mls_auth_write(w, x->content.type, &x->auth);
}

void
mls_authenticated_write_transcript(struct proto_tls_wr *w,
                                   const struct mls_authenticated *x)
{
    proto_tls_wr_u16(w, (uint16_t)x->wire);
    mls_content_write_signed(w, &x->content);
    proto_tls_wr_vec(w, x->auth.signature);
}

static void
read_public(struct proto_tls_rd *r, struct arena *a,
            struct mls_public_message *out)
{
    mls_content_read(r, a, &out->content);
    mls_auth_read(r, out->content.type, &out->auth);
    out->membership_tag = (struct view){0};
    if (out->content.sender.type == MLS_SENDER_MEMBER) {
        out->membership_tag = proto_tls_rd_vec(r);
    }
}

static void
write_public(struct proto_tls_wr *w, const struct mls_public_message *x)
{
    mls_content_write(w, &x->content);
    mls_auth_write(w, x->content.type, &x->auth);
    if (x->content.sender.type == MLS_SENDER_MEMBER) {
        proto_tls_wr_vec(w, x->membership_tag);
    }
}

static void
read_private(struct proto_tls_rd *r, struct mls_private_message *out)
{
    out->group_id = proto_tls_rd_vec(r);
    out->epoch = proto_tls_rd_u64(r);
    out->type = read_content_type(r);
    out->authenticated_data = proto_tls_rd_vec(r);
    out->sender_data = proto_tls_rd_vec(r);
    out->ciphertext = proto_tls_rd_vec(r);
}

static void
write_private(struct proto_tls_wr *w, const struct mls_private_message *x)
{
    proto_tls_wr_vec(w, x->group_id);
    proto_tls_wr_u64(w, x->epoch);
    proto_tls_wr_u8(w, (uint8_t)x->type);
    proto_tls_wr_vec(w, x->authenticated_data);
    proto_tls_wr_vec(w, x->sender_data);
    proto_tls_wr_vec(w, x->ciphertext);
}

void
mls_message_write(struct proto_tls_wr *w, const struct mls_message *m)
{
    proto_tls_wr_u16(w, MLS_VERSION_10);
    proto_tls_wr_u16(w, (uint16_t)m->wire);
    switch (m->wire) {
    case MLS_WIRE_PUBLIC:
        write_public(w, &m->u.public_message);
        break;
    case MLS_WIRE_PRIVATE:
        write_private(w, &m->u.private_message);
        break;
    case MLS_WIRE_WELCOME:
        mls_welcome_write(w, &m->u.welcome);
        break;
    case MLS_WIRE_GROUP_INFO:
        mls_group_info_write(w, &m->u.group_info);
        break;
    case MLS_WIRE_KEY_PACKAGE:
        mls_key_package_write(w, &m->u.key_package);
        break;
    default:
        proto_tls_wr_fail(w, ERR_INVALID);
    }
}

static void
read_body(struct proto_tls_rd *r, struct arena *a, struct mls_message *out)
{
    switch (out->wire) {
    case MLS_WIRE_PUBLIC:
        read_public(r, a, &out->u.public_message);
        break;
    case MLS_WIRE_PRIVATE:
        read_private(r, &out->u.private_message);
        break;
    case MLS_WIRE_WELCOME:
        mls_welcome_read(r, a, &out->u.welcome);
        break;
    case MLS_WIRE_GROUP_INFO:
        mls_group_info_read(r, &out->u.group_info);
        break;
    case MLS_WIRE_KEY_PACKAGE:
        mls_key_package_read(r, &out->u.key_package);
        break;
    default:
        proto_tls_rd_fail(r, ERR_UNSUPPORTED);
    }
}

enum err
mls_message_decode(struct arena *a, struct view in, struct mls_message *out,
                   enum mls_rule *broken)
{
    enum err e;
    enum err form;
    struct proto_tls_rd r = proto_tls_rd_open(in);
    uint16_t version = proto_tls_rd_u16(&r);
    uint16_t wire = proto_tls_rd_u16(&r);

    /* our own bound, RFC 9420 6 [message-size] */
    TRY(mls_require(in.len <= LIMIT_MLS_MESSAGE, MLS_RULE_MESSAGE_SIZE,
                    broken));
    TRY(mls_require(r.e == OK, MLS_RULE_MESSAGE_FORMAT, broken));
    /* RFC 9420 6 [message-version] */
    TRY(mls_require(version == MLS_VERSION_10, MLS_RULE_MESSAGE_VERSION,
                    broken));
    /* RFC 9420 6 [wire-format] */
    TRY(mls_require(wire >= MLS_WIRE_PUBLIC && wire <= MLS_WIRE_KEY_PACKAGE,
                    MLS_RULE_WIRE_FORMAT, broken));
    out->wire = (enum mls_wire_format)wire;
    read_body(&r, a, out);
    form = proto_tls_rd_end(&r);
    /* RFC 9420 6 [message-format]: trailing bytes too */
    TRY(mls_require(form != ERR_FORMAT, MLS_RULE_MESSAGE_FORMAT, broken));
    TRY(mls_require(form != ERR_LIMIT, MLS_RULE_MESSAGE_SIZE, broken));
    TRY(form);
out:
    return e;
}
