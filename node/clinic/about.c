/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a message does to the one it is about: edits, deletions, reactions,
 * answers.  Only its own author's side edits or deletes a message, and the
 * text that was there stays on record.  The newest edit by the log counts,
 * whatever came first.  What comes before its target waits for it by a mark.
 */
#include "node/clinic/about.h"

#include "node/clinic/event.h"

#include <string.h>

enum {
    ID = 32,
    SEQ = 8
};

/* The message id that a content is about, or NULL. */
static const uint8_t *
target_of(const struct proto_content *c)
{
    static const uint8_t none[ID];
    const uint8_t *t = NULL;

    switch ((int)c->kind) {
    case PROTO_CONTENT_TEXT:
        t = c->u.text.reply_to;
        break;
    case PROTO_CONTENT_EDIT:
        t = c->u.edit.target;
        break;
    case PROTO_CONTENT_DELETE:
        t = c->u.del.target;
        break;
    case PROTO_CONTENT_REACTION:
        t = c->u.reaction.target;
        break;
    default: /* about no message */
        break;
    }
    return t == NULL || memcmp(t, none, sizeof(none)) == 0 ? NULL : t;
}

enum err
node_about_find(struct store_txn *txn, const struct conv_id *conv,
                const struct proto_content *content, uint64_t *seq_out)
{
    const uint8_t *target = target_of(content);
    struct message_id id;
    enum err e;

    *seq_out = 0;
    if (target == NULL) {
        return OK;
    }
    memcpy(id.b, target, sizeof(id.b));
    e = store_msg_by_id(txn, conv, &id, seq_out);
    return e == ERR_MISSING ? OK : e;
}

bool
node_about_same_side(const struct store_actor *a, const struct store_actor *b)
{
    bool own_a = !store_actor_outside(a);
    bool own_b = !store_actor_outside(b);

    return own_a == own_b && (own_a || store_actor_equal(a, b));
}

/* ----------------------------------------------------------------- applying */

/* Ours that waits is newer than everything that has a place. */
static uint64_t
place(const struct store_msg *m)
{
    return m->log_seq == 0 ? UINT64_MAX
                           : node_log_place(m->log_term, m->log_seq);
}

/* Whether the target shows an edit that is newer than m. */
static enum err
is_outdone(struct store_txn *txn, const struct store_msg *target,
           const struct store_msg *m, bool *is)
{
    enum err e = OK;
    struct store_msg shown = {0};

    *is = false;
    if ((target->flags & STORE_MSG_EDITED) != 0) {
        TRY(store_msg_get(txn, target->about, &shown));
        *is = place(&shown) > place(m);
    }
out:
    store_msg_clear(&shown);
    return e;
}

/* Write: m, which is message seq, does what it says to the one it is about. */
static enum err
apply(struct store_txn *txn, const struct proto_content *content,
      const struct store_msg *m, uint64_t seq)
{
    enum err e;
    struct store_msg target = {0};
    bool outdone;

    if (m->about == 0 || (content->kind != PROTO_CONTENT_EDIT &&
                          content->kind != PROTO_CONTENT_DELETE)) {
        return OK;
    }
    TRY(store_msg_get(txn, m->about, &target));
    if (!node_about_same_side(&target.author, &m->author)) {
        goto out;
    }
    if (content->kind == PROTO_CONTENT_DELETE) {
        target.flags |= STORE_MSG_DELETED;
    } else {
        TRY(is_outdone(txn, &target, m, &outdone));
        if (outdone) {
            goto out;
        }
        target.flags |= STORE_MSG_EDITED;
        target.about = seq;
    }
    TRY(store_msg_update(txn, &target));
out:
    store_msg_clear(&target);
    return e;
}

/* ------------------------------------------------------------------ waiting */

/* Of the mark of a message that came before the one with this id. */
static struct view
early_key(const uint8_t target[ID], uint64_t seq, uint8_t out[ID + SEQ])
{
    memcpy(out, target, ID);
    for (size_t i = 0; i < SEQ; i++) {
        out[ID + i] = (uint8_t)(seq >> (56 - 8 * i));
    }
    return view_make(out, ID + SEQ);
}

/* Those that waited for one message, as many as are taken at once. */
struct early {
    uint64_t seq[16];
    size_t len;
};

static enum err
each_early(void *ctx, struct view subject, uint64_t value)
{
    struct early *early = ctx;

    (void)subject;
    if (early->len == sizeof(early->seq) / sizeof(early->seq[0])) {
        return ERR_EXISTS; /* enough: ends the walk */
    }
    early->seq[early->len++] = value;
    return OK;
}

/* Write: message `of` came, and message seq was about it. */
static enum err
take_early(struct store_txn *txn, const struct store_msg *of, uint64_t of_seq,
           uint64_t seq)
{
    enum err e;
    struct store_msg m = {0};
    struct proto_content content;
    uint8_t key[ID + SEQ];

    TRY(store_msg_get(txn, seq, &m));
    m.about = of_seq;
    TRY(store_msg_update(txn, &m));
    if (proto_content_decode(view_of(&m.body), &content) == OK) {
        TRY(apply(txn, &content, &m, seq));
    }
    TRY(store_conv_mark_put(txn, &of->conv, NODE_MARK_EARLY,
                            early_key(of->id.b, seq, key), 0));
out:
    store_msg_clear(&m);
    return e;
}

static enum err
take_all_early(struct store_txn *txn, const struct store_msg *m, uint64_t seq)
{
    enum err e;
    struct early early;

    do {
        early.len = 0;
        e = store_conv_marks(txn, &m->conv, NODE_MARK_EARLY,
                             message_id_view(&m->id), each_early, &early);
        TRY(e == ERR_EXISTS ? OK : e);
        for (size_t i = 0; i < early.len; i++) {
            TRY(take_early(txn, m, seq, early.seq[i]));
        }
    } while (early.len == sizeof(early.seq) / sizeof(early.seq[0]));
out:
    return e;
}

enum err
node_about_added(struct store_txn *txn, const struct proto_content *content,
                 const struct store_msg *m, uint64_t seq)
{
    enum err e;
    const uint8_t *target = content == NULL ? NULL : target_of(content);
    uint8_t key[ID + SEQ];

    if (target != NULL && m->about == 0) {
        TRY(store_conv_mark_put(txn, &m->conv, NODE_MARK_EARLY,
                                early_key(target, seq, key), seq));
    }
    if (content != NULL) {
        TRY(apply(txn, content, m, seq));
    }
    TRY(take_all_early(txn, m, seq));
out:
    return e;
}

/* -------------------------------------------------------------- resent by */

enum err
node_about_resent(struct store_txn *txn, const struct conv_id *conv,
                  uint64_t seq, const struct subject_id *by)
{
    uint8_t key[SEQ + ID];

    for (size_t i = 0; i < SEQ; i++) {
        key[i] = (uint8_t)(seq >> (56 - 8 * i));
    }
    memcpy(key + SEQ, by->b, ID);
    return store_conv_mark_put(txn, conv, NODE_MARK_RESENT, VIEW_ARRAY(key), 1);
}

static enum err
each_resent(void *ctx, struct view subject, uint64_t value)
{
    struct clinic_id *by = ctx;

    (void)value;
    return clinic_id_from(view_skip(subject, SEQ), by);
}

enum err
node_about_resent_by(struct store_txn *txn, const struct conv_id *conv,
                     uint64_t seq, struct clinic_id *by_out)
{
    uint8_t key[SEQ];
    enum err e;

    for (size_t i = 0; i < SEQ; i++) {
        key[i] = (uint8_t)(seq >> (56 - 8 * i));
    }
    *by_out = (struct clinic_id){{0}};
    TRY(store_conv_marks(txn, conv, NODE_MARK_RESENT, VIEW_ARRAY(key),
                         each_resent, by_out));
    TRY(clinic_id_is_zero(by_out) ? ERR_MISSING : OK);
out:
    return e;
}
