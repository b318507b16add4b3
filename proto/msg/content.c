/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables behind content.h, and what all kinds have in common: each body
 * starts with salt, time and author, then come the kind's own fields.
 */
#include "proto/msg/content.h"

#include "proto/base/limits.h"

#include <string.h>

static const struct proto_field attachment_fields[] = {
    PROTO_FIXED(proto_attachment, blob),
    PROTO_FIXED(proto_attachment, key),
    PROTO_UINT(proto_attachment, size, LIMIT_BLOB_SIZE),
    PROTO_TEXT(proto_attachment, name, LIMIT_NAME),
    PROTO_TEXT(proto_attachment, type, LIMIT_NAME),
    PROTO_BIN(proto_attachment, chunks, 32u * LIMIT_BLOB_CHUNKS),
};
const struct proto_shape proto_attachment_shape =
    PROTO_SHAPE(proto_attachment, attachment_fields);

static const struct proto_field extension_fields[] = {
    PROTO_UINT(proto_extension, id, 0xffff),
    PROTO_BOOL(proto_extension, critical),
    PROTO_BIN(proto_extension, data, LIMIT_CONTENT),
};
const struct proto_shape proto_extension_shape =
    PROTO_SHAPE(proto_extension, extension_fields);

static const struct proto_field extensions_fields[] = {
    PROTO_LIST(proto_content, extensions, LIMIT_CONTENT_EXTENSIONS,
               proto_extension_shape),
};
static const struct proto_shape extensions_shape =
    PROTO_SHAPE(proto_content, extensions_fields);

static const struct proto_field text_fields[] = {
    PROTO_TEXT(proto_text, text, LIMIT_TEXT),
    PROTO_FIXED(proto_text, reply_to),
    PROTO_LIST(proto_text, attachments, LIMIT_ATTACHMENTS,
               proto_attachment_shape),
};

static const struct proto_field edit_fields[] = {
    PROTO_FIXED(proto_edit, target),
    PROTO_TEXT(proto_edit, text, LIMIT_TEXT),
};

static const struct proto_field delete_fields[] = {
    PROTO_FIXED(proto_delete, target),
};

static const struct proto_field reaction_fields[] = {
    PROTO_FIXED(proto_reaction, target),
    PROTO_TEXT(proto_reaction, emoji, LIMIT_EMOJI),
    PROTO_BOOL(proto_reaction, on),
};

static const struct proto_field receipt_fields[] = {
    PROTO_UINT(proto_receipt, what, PROTO_RECEIPT_READ),
    PROTO_UINT(proto_receipt, term, UINT64_MAX),
    PROTO_UINT(proto_receipt, upto, UINT64_MAX),
    PROTO_FIXED(proto_receipt, head),
};

static const struct proto_field history_fields[] = {
    PROTO_UINT(proto_history, term, UINT64_MAX),
    PROTO_UINT(proto_history, from, UINT64_MAX),
    PROTO_UINT(proto_history, to, UINT64_MAX),
    PROTO_FIXED(proto_history, who),
};

static const struct proto_field resent_fields[] = {
    PROTO_FIXED(proto_resent, id),
    PROTO_UINT(proto_resent, term, UINT64_MAX),
    PROTO_UINT(proto_resent, seq, UINT64_MAX),
    PROTO_UINT(proto_resent, ts_ms, UINT64_MAX),
    PROTO_UINT(proto_resent, part, LIMIT_BUNDLE_PARTS - 1),
    PROTO_FIXED(proto_resent, author),
    PROTO_BIN(proto_resent, content, LIMIT_CONTENT),
};

static const struct proto_field leave_fields[] = {
    PROTO_UINT(proto_leave, reason, 255),
};

static const struct proto_field title_fields[] = {
    PROTO_TEXT(proto_title, title, LIMIT_NAME),
};

static const struct proto_field ask_fields[] = {
    PROTO_FIXED(proto_ask, patient),
    PROTO_FIXED(proto_ask, clinic),
    PROTO_BIN(proto_ask, profile, LIMIT_MSG_PROFILE),
    PROTO_TEXT(proto_ask, purpose, LIMIT_MSG_PURPOSE),
    PROTO_UINT(proto_ask, history, 2),
    PROTO_UINT(proto_ask, history_from_ms, UINT64_MAX),
    PROTO_UINT(proto_ask, scope, 2),
    PROTO_UINT(proto_ask, until_ms, UINT64_MAX),
};

static const struct proto_field consent_fields[] = {
    PROTO_FIXED(proto_consent, ask),
    PROTO_UINT(proto_consent, code, PROTO_CONSENT_DESK),
    PROTO_FIXED(proto_consent, patient),
    PROTO_FIXED(proto_consent, clinic),
    PROTO_BIN(proto_consent, consent, LIMIT_MSG_CONSENT),
};

static const struct proto_field withdrawal_fields[] = {
    PROTO_BIN(proto_withdrawal, withdrawal, LIMIT_MSG_CONSENT),
};

static const struct proto_field checkpoint_fields[] = {
    PROTO_UINT(proto_checkpoint, term, UINT64_MAX),
    PROTO_UINT(proto_checkpoint, seq, UINT64_MAX),
    PROTO_FIXED(proto_checkpoint, head),
    PROTO_FIXED(proto_checkpoint, hub),
    PROTO_UINT(proto_checkpoint, epoch, UINT64_MAX),
    PROTO_UINT(proto_checkpoint, generation, UINT64_MAX),
};

static const struct proto_field intro_name_fields[] = {
    PROTO_FIXED(proto_intro_name, subject),
    PROTO_TEXT(proto_intro_name, name, LIMIT_NAME),
    PROTO_BIN(proto_intro_name, profile, LIMIT_MSG_PROFILE),
};
const struct proto_shape proto_intro_name_shape =
    PROTO_SHAPE(proto_intro_name, intro_name_fields);

static const struct proto_field intro_fields[] = {
    PROTO_TEXT(proto_intro, title, LIMIT_NAME),
    PROTO_LIST(proto_intro, names, LIMIT_INTRO_NAMES, proto_intro_name_shape),
};

static const struct proto_field part_fields[] = {
    PROTO_BIN(proto_part, content, LIMIT_BUNDLE),
};
const struct proto_shape proto_part_shape =
    PROTO_SHAPE(proto_part, part_fields);

static const struct proto_field bundle_fields[] = {
    PROTO_LIST(proto_bundle, parts, LIMIT_BUNDLE_PARTS, proto_part_shape),
};

/* [salt, sent_ms, member, name] before the fields of a kind. */
enum {
    COMMON = 4,
    VERSION = 1
};

static const struct proto_shape shapes[] = {
    [PROTO_CONTENT_TEXT] = PROTO_SHAPE(proto_text, text_fields),
    [PROTO_CONTENT_EDIT] = PROTO_SHAPE(proto_edit, edit_fields),
    [PROTO_CONTENT_DELETE] = PROTO_SHAPE(proto_delete, delete_fields),
    [PROTO_CONTENT_REACTION] = PROTO_SHAPE(proto_reaction, reaction_fields),
    [PROTO_CONTENT_RECEIPT] = PROTO_SHAPE(proto_receipt, receipt_fields),
    [PROTO_CONTENT_HISTORY] = PROTO_SHAPE(proto_history, history_fields),
    [PROTO_CONTENT_RESENT] = PROTO_SHAPE(proto_resent, resent_fields),
    [PROTO_CONTENT_LEAVE] = PROTO_SHAPE(proto_leave, leave_fields),
    [PROTO_CONTENT_TITLE] = PROTO_SHAPE(proto_title, title_fields),
    [PROTO_CONTENT_ASK] = PROTO_SHAPE(proto_ask, ask_fields),
    [PROTO_CONTENT_CONSENT] = PROTO_SHAPE(proto_consent, consent_fields),
    [PROTO_CONTENT_WITHDRAWAL] =
        PROTO_SHAPE(proto_withdrawal, withdrawal_fields),
    [PROTO_CONTENT_CHECKPOINT] =
        PROTO_SHAPE(proto_checkpoint, checkpoint_fields),
    [PROTO_CONTENT_INTRO] = PROTO_SHAPE(proto_intro, intro_fields),
    [PROTO_CONTENT_BUNDLE] = PROTO_SHAPE(proto_bundle, bundle_fields),
};

const char *
proto_content_word(uint64_t kind)
{
    static const char *const words[] = {
        [PROTO_CONTENT_TEXT] = "text",
        [PROTO_CONTENT_EDIT] = "edit",
        [PROTO_CONTENT_DELETE] = "delete",
        [PROTO_CONTENT_REACTION] = "reaction",
        [PROTO_CONTENT_RECEIPT] = "receipt",
        [PROTO_CONTENT_HISTORY] = "history",
        [PROTO_CONTENT_RESENT] = "resent",
        [PROTO_CONTENT_LEAVE] = "leave",
        [PROTO_CONTENT_TITLE] = "title",
        [PROTO_CONTENT_ASK] = "ask",
        [PROTO_CONTENT_CONSENT] = "consent",
        [PROTO_CONTENT_WITHDRAWAL] = "withdrawal",
        [PROTO_CONTENT_CHECKPOINT] = "checkpoint",
        [PROTO_CONTENT_INTRO] = "intro",
        [PROTO_CONTENT_BUNDLE] = "bundle",
    };
    bool known = kind < sizeof(words) / sizeof(words[0]);

    return known && words[kind] != NULL ? words[kind] : "newer";
}

const struct proto_shape *
proto_content_shape(uint64_t kind)
{
    if (kind >= sizeof(shapes) / sizeof(shapes[0]) ||
        shapes[kind].fields == NULL) {
        return NULL;
    }
    return &shapes[kind];
}

enum err
proto_content_encode(const struct mem *mem, const struct proto_content *in,
                     struct bytes *out)
{
    const struct proto_shape *shape = proto_content_shape((uint64_t)in->kind);
    struct proto_wr w;

    if (shape == NULL) {
        return ERR_INVALID;
    }
    if (in->author.name.len > LIMIT_NAME) {
        return ERR_LIMIT;
    }
    w = proto_wr_open(mem);
    proto_wr_array(&w, 5);
    proto_wr_uint(&w, (uint64_t)in->kind);
    proto_wr_uint(&w, VERSION);
    proto_wr_uint(&w, in->flags);
    proto_wr_array(&w, COMMON + shape->fields_len);
    proto_wr_bin(&w, VIEW_ARRAY(in->salt));
    proto_wr_uint(&w, in->sent_ms);
    proto_wr_bin(&w, VIEW_ARRAY(in->author.member));
    proto_wr_str(&w, in->author.name);
    proto_shape_put(&w, shape, &in->u);
    proto_shape_put(&w, &extensions_shape, in);
    return proto_wr_take(&w, out);
}

/* A value of this arity that we cannot read, or bytes that nobody can. */
static enum err
unsupported(struct view in)
{
    struct proto_rd r = proto_rd_open(in);

    (void)proto_rd_raw(&r);
    return proto_rd_end(&r) == OK ? ERR_UNSUPPORTED : ERR_FORMAT;
}

static enum err
check_extensions(const struct proto_list *list)
{
    struct proto_list_at at = {0};
    struct proto_extension ext;

    while (proto_list_next(list, &proto_extension_shape, &at, &ext)) {
        if (ext.critical) {
            return ERR_UNSUPPORTED;
        }
    }
    return OK;
}

bool
proto_content_may_bundle(struct view content)
{
    struct proto_rd r = proto_rd_open(content);
    uint64_t kind;

    proto_rd_array(&r, 5);
    kind = proto_rd_u16(&r);
    return r.e != OK ||
           (kind != PROTO_CONTENT_BUNDLE && kind != PROTO_CONTENT_LEAVE &&
            kind != PROTO_CONTENT_ASK && kind != PROTO_CONTENT_CONSENT &&
            kind != PROTO_CONTENT_WITHDRAWAL);
}

/* [bundle-parts] */
static enum err
check_parts(const struct proto_list *parts)
{
    struct proto_list_at at = {0};
    struct proto_part part;
    size_t size = 0;

    while (proto_list_next(parts, &proto_part_shape, &at, &part)) {
        size += part.content.len;
        if (!proto_content_may_bundle(part.content)) {
            return ERR_FORMAT;
        }
    }
    if (size > LIMIT_BUNDLE) {
        return ERR_LIMIT;
    }
    return parts->len > 0 ? OK : ERR_FORMAT;
}

enum err
proto_content_decode(struct view in, struct proto_content *out)
{
    struct proto_rd r = proto_rd_open(in);
    const struct proto_shape *shape;
    struct proto_content c = {0};
    struct proto_content ext;
    uint64_t kind;
    uint64_t version;
    enum err e;

    proto_rd_array(&r, 5);
    kind = proto_rd_u16(&r);
    version = proto_rd_u16(&r);
    if (r.e != OK) {
        return r.e;
    }
    shape = proto_content_shape(kind);
    c.kind = (enum proto_content_kind)kind;
    if (shape == NULL || version != VERSION) {
        *out = c;
        return unsupported(in);
    }
    c.flags = proto_rd_u32(&r);
    proto_rd_array(&r, COMMON + shape->fields_len);
    proto_rd_fixed(&r, c.salt, sizeof(c.salt));
    c.sent_ms = proto_rd_u64(&r);
    proto_rd_fixed(&r, c.author.member, sizeof(c.author.member));
    c.author.name = proto_rd_str(&r, LIMIT_NAME);
    proto_shape_get(&r, shape, &c.u);
    proto_shape_get(&r, &extensions_shape, &ext);
    c.extensions = ext.extensions;
    e = proto_rd_end(&r);
    if (e == OK && c.kind == PROTO_CONTENT_BUNDLE) {
        e = check_parts(&c.u.bundle.parts);
    }
    if (e != OK) {
        return e;
    }
    *out = c;
    return check_extensions(&c.extensions);
}

size_t
proto_content_padding(size_t len)
{
    size_t unit = 256;

    if (len > 2048) {
        /* Padme: keep log2(log2(len)) + 1 bits below the top one. */
        unsigned top = (unsigned)(63 - __builtin_clzll(len));
        unsigned keep = (unsigned)(63 - __builtin_clzll(top)) + 1;

        unit = (size_t)1 << (top - keep);
        if (unit < 256) {
            unit = 256;
        }
    }
    return (unit - len % unit) % unit;
}
