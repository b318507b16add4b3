/* SPDX-License-Identifier: Apache-2.0 */
#include "node/clinic/about.h"
#include "node/clinic/desk.h"
#include "node/clinic/event.h"
#include "node/clinic/past.h"
#include "store/audit.h"
#include "store/journal.h"
#include "store/msg.h"

#include <string.h>

/* Who wrote it: us, by the member that it names, or a peer. */
static struct store_actor
author_of(struct store_txn *txn, const struct node_desk *desk,
          const struct fed_show *show, const struct proto_content *content)
{
    struct clinic_id root;
    struct patient_id patient;
    struct member_id member = desk->member;

    memcpy(root.b, show->author.b, sizeof(root.b));
    if (!clinic_id_equal(&root, &desk->self)) {
        memcpy(patient.b, show->author.b, sizeof(patient.b));
        return store_patient_has(txn, &patient) == OK
                   ? store_actor_patient(&patient)
                   : store_actor_peer(&root);
    }
    if (content != NULL) {
        memcpy(member.b, content->author.member, sizeof(member.b));
    }
    return store_actor_member(member_id_is_zero(&member) ? &desk->member
                                                         : &member);
}

/* Contents of the protocol itself have no place in a conversation. */
static bool
is_for_people(const struct proto_content *c)
{
    return c->kind != PROTO_CONTENT_RECEIPT &&
           c->kind != PROTO_CONTENT_HISTORY &&
           c->kind != PROTO_CONTENT_RESENT && c->kind != PROTO_CONTENT_LEAVE &&
           c->kind != PROTO_CONTENT_ASK && c->kind != PROTO_CONTENT_CONSENT &&
           c->kind != PROTO_CONTENT_WITHDRAWAL &&
           c->kind != PROTO_CONTENT_CHECKPOINT &&
           c->kind != PROTO_CONTENT_INTRO;
}

/* Write: the conversation shows that something came. */
static enum err
touch_conv(struct store_txn *txn, const struct proto_content *content,
           bool ours, struct store_conv *conv)
{
    enum err e = OK;
    bool changed = false;

    if (!ours && conv->box == STORE_BOX_ARCHIVED) {
        conv->box = STORE_BOX_ALL;
        changed = true;
    }
    if (content != NULL && content->kind == PROTO_CONTENT_TITLE) {
        phi_free(&conv->title);
        TRY(phi_from(store_txn_mem(txn), content->u.title.title, &conv->title));
        changed = true;
    }
    if (changed) {
        TRY(store_conv_put(txn, conv));
    }
out:
    return e;
}

static enum err
note_arrival(struct store_txn *txn, const struct store_conv *conv,
             const struct store_msg *m, uint64_t seq)
{
    enum err e;
    struct store_audit row = {.action = NODE_AUDIT_ARRIVED, .n = seq};

    TRY(node_desk_event(txn, NODE_EVENT_MESSAGE, conv_id_view(&conv->id), seq));
    if (store_actor_outside(&m->author)) {
        row.actor = m->author;
        row.object = conv_id_view(&conv->id);
        TRY(store_audit_append(txn, &row));
    }
out:
    return e;
}

static enum err
fill(struct store_txn *txn, const struct node_desk *desk,
     const struct fed_show *show, const struct proto_content *content,
     struct store_msg *m)
{
    enum err e;
    m->id = show->message;
    m->author = author_of(txn, desk, show, content);
    m->state = show->seq == 0 ? STORE_MSG_QUEUED : STORE_MSG_RECEIVED;
    if (show->seq != 0 && !store_actor_outside(&m->author)) {
        m->state = STORE_MSG_ACCEPTED; /* ours, brought back after a loss */
    }
    m->at_ms =
        show->ts_ms != 0 ? show->ts_ms : store_now_ms(store_txn_store(txn));
    m->log_term = show->term;
    m->log_seq = show->seq;
    m->flags = show->resent ? (unsigned)STORE_MSG_RESENT : 0u;
    m->flags |=
        show->resent && !show->proven ? (unsigned)STORE_MSG_CLAIMED : 0u;
    if (content == NULL) {
        m->flags |= STORE_MSG_OPAQUE;
    } else {
        m->kind = (uint16_t)content->kind;
        m->sent_ms = content->sent_ms;
        m->flags |= (content->flags & PROTO_CONTENT_AUTO) != 0
                        ? (unsigned)STORE_MSG_AUTO
                        : 0u;
        TRY(node_about_find(txn, &m->conv, content, &m->about));
    }
    TRY(bytes_copy(store_txn_mem(txn), view_of(&show->body), &m->body));
out:
    return e;
}

/*
 * The order of a conversation is that of the thread's log, at every member.
 * Ours that have no place yet wait at the end; how many is a mark.
 */
static enum err
waiting(struct store_txn *txn, const struct conv_id *conv, uint64_t *out)
{
    *out = 0;
    return store_conv_mark_get(txn, conv, NODE_MARK_WAITING, (struct view){0},
                               out);
}

static enum err
set_waiting(struct store_txn *txn, const struct conv_id *conv, uint64_t n)
{
    return store_conv_mark_put(txn, conv, NODE_MARK_WAITING, (struct view){0},
                               n);
}

/*
 * Write: the place of the message at a position in the conversation's thread, 0
 * if it has none there.  *before: it is of a thread before, whose places are
 * others.
 */
static enum err
place_at(struct store_txn *txn, const struct store_conv *conv, uint64_t pos,
         uint64_t *place_out, bool *before)
{
    struct store_msg m = {0};
    uint64_t seq;
    uint64_t there;
    enum err e;

    *place_out = 0;
    *before = false;
    TRY(store_msg_at(txn, &conv->id, pos, &seq));
    TRY(store_msg_get(txn, seq, &m));
    if (m.log_seq == 0) {
        goto out;
    }
    e = node_past_at(txn, &conv->id, &conv->thread, m.log_term, m.log_seq,
                     &there);
    *before = e == ERR_MISSING;
    TRY(*before ? OK : e);
    if (!*before && there == seq) {
        *place_out = node_log_place(m.log_term, m.log_seq);
    }
out:
    store_msg_clear(&m);
    return e;
}

/*
 * Brought back after a loss, a message belongs among what came later: *to
 * goes back to before those.  What failed has no place and holds nobody up.
 */
static enum err
before_later(struct store_txn *txn, const struct store_conv *conv,
             uint64_t mine, uint64_t *to)
{
    enum err e = OK;

    for (uint64_t pos = *to; pos > 1; pos--) {
        uint64_t place;
        bool before;

        TRY(place_at(txn, conv, pos - 1, &place, &before));
        if (before || (place != 0 && place <= mine)) {
            break;
        }
        if (place != 0) {
            *to = pos - 1;
        }
    }
out:
    return e;
}

/* Write: m was just added at the end; take it to its place. */
static enum err
place_new(struct store_txn *txn, const struct store_conv *conv,
          const struct store_msg *m)
{
    uint64_t mine = node_log_place(m->log_term, m->log_seq);
    uint64_t ours;
    uint64_t to;
    enum err e;

    TRY(waiting(txn, &conv->id, &ours));
    if (m->state == STORE_MSG_QUEUED) {
        TRY(set_waiting(txn, &conv->id, ours + 1));
        goto out;
    }
    to = conv->msgs - (ours < conv->msgs ? ours : conv->msgs - 1);
    if ((m->flags & STORE_MSG_RESENT) != 0) {
        TRY(before_later(txn, conv, mine, &to));
    }
    TRY(store_msg_move(txn, &conv->id, conv->msgs, to));
out:
    return e;
}

enum err
node_desk_waits_no_more(struct store_txn *txn, const struct conv_id *id,
                        uint64_t seq)
{
    struct store_conv conv = {0};
    uint64_t ours;
    uint64_t first;
    uint64_t found = 0;
    enum err e;

    TRY(store_conv_get(txn, id, &conv));
    TRY(waiting(txn, id, &ours));
    first = conv.msgs - (ours < conv.msgs ? ours : conv.msgs) + 1;
    for (uint64_t pos = first; pos <= conv.msgs && found != seq; pos++) {
        TRY(store_msg_at(txn, id, pos, &found));
        if (found == seq) {
            TRY(store_msg_move(txn, id, pos, first));
            TRY(set_waiting(txn, id, ours - 1));
        }
    }
out:
    store_conv_clear(&conv);
    return e;
}

/* The position of message seq, looked for from the end. */
static enum err
position_of(struct store_txn *txn, const struct store_conv *conv, uint64_t seq,
            uint64_t *out)
{
    enum err e = ERR_MISSING;

    for (uint64_t pos = conv->msgs; pos > 0; pos--) {
        uint64_t found;

        TRY(store_msg_at(txn, &conv->id, pos, &found));
        if (found == seq) {
            *out = pos;
            goto out;
        }
    }
    e = ERR_MISSING;
out:
    return e;
}

/*
 * Write: message seq is known and came again as m.  Brought back by a member,
 * or ours that still waits, it has its place now; otherwise it is a repeat
 * (the third net against those: decisions C 12).
 */
static enum err
place_known(struct store_txn *txn, const struct store_conv *conv,
            const struct store_msg *m, uint64_t seq)
{
    enum err e;
    struct store_msg known = {0};
    uint64_t mine = node_log_place(m->log_term, m->log_seq);
    uint64_t from;
    uint64_t to;

    TRY(store_msg_get(txn, seq, &known));
    if (m->log_seq == 0 || !node_about_same_side(&known.author, &m->author) ||
        mine == node_log_place(known.log_term, known.log_seq) ||
        (known.log_seq != 0 && (m->flags & STORE_MSG_RESENT) == 0)) {
        goto out;
    }
    known.state = m->state;
    known.at_ms = m->at_ms;
    known.log_term = m->log_term;
    known.log_seq = m->log_seq;
    TRY(store_msg_update(txn, &known));
    TRY(node_past_note(txn, &conv->id, &conv->thread, m->log_term, m->log_seq,
                       seq));
    TRY(node_desk_waits_no_more(txn, &conv->id, seq));
    TRY(position_of(txn, conv, seq, &from));
    to = from;
    TRY(before_later(txn, conv, mine, &to));
    TRY(store_msg_move(txn, &conv->id, from, to));
    TRY(node_desk_event(txn, NODE_EVENT_STATE, conv_id_view(&conv->id), seq));
out:
    store_msg_clear(&known);
    return e;
}

/* Write: what a patient is called, when they say it. */
static enum err
take_name(struct store_txn *txn, const struct store_msg *m,
          const struct proto_content *content)
{
    struct patient_id id;

    if (content == NULL || m->author.kind != STORE_ACTOR_PATIENT ||
        content->author.name.len == 0) {
        return OK;
    }
    memcpy(id.b, m->author.id, sizeof(id.b));
    return node_desk_patient_named(txn, store_txn_mem(txn), &id,
                                   content->author.name);
}

/* Write: content NULL: nobody here can decode it yet. */
static enum err
put_message(struct store_txn *txn, struct node_desk *desk,
            const struct fed_show *show, const struct proto_content *content)
{
    enum err e;
    struct store_conv conv = {0};
    struct store_msg m = {0};
    uint64_t seq = 0;

    TRY(node_desk_conv(txn, &show->thread, &conv));
    m.conv = conv.id;
    TRY(fill(txn, desk, show, content, &m));
    e = store_msg_add(txn, &m, &seq);
    if (e == ERR_EXISTS) {
        TRY(place_known(txn, &conv, &m, seq));
        goto out;
    }
    if (e != OK) {
        goto out;
    }
    TRY(node_past_note(txn, &m.conv, &show->thread, m.log_term, m.log_seq,
                       seq));
    TRY(node_about_added(txn, content, &m, seq));
    if (show->resent) {
        TRY(node_about_resent(txn, &m.conv, seq, &show->other));
    }
    if (content != NULL && content->kind == PROTO_CONTENT_TEXT) {
        TRY(node_desk_files(txn, desk, show, &content->u.text,
                            conv_id_view(&m.conv)));
    }
    store_conv_clear(&conv);
    TRY(store_conv_get(txn, &m.conv, &conv));
    TRY(place_new(txn, &conv, &m));
    TRY(touch_conv(txn, content, !store_actor_outside(&m.author), &conv));
    TRY(note_arrival(txn, &conv, &m, seq));
    TRY(take_name(txn, &m, content));
out:
    store_conv_clear(&conv);
    store_msg_clear(&m);
    return e;
}

enum err
node_desk_message(struct store_txn *txn, struct node_desk *desk,
                  const struct fed_show *show)
{
    struct proto_content content;

    if (proto_content_decode(view_of(&show->body), &content) != OK) {
        return put_message(txn, desk, show, NULL);
    }
    return is_for_people(&content) ? put_message(txn, desk, show, &content)
                                   : OK;
}

enum err
node_desk_said(struct store_txn *txn, struct node_desk *desk,
               const struct fed_show *show)
{
    struct proto_content content;

    if (proto_content_decode(view_of(&show->body), &content) != OK) {
        return OK; /* nothing that could be shown */
    }
    return put_message(txn, desk, show, &content);
}

/* Write: the hub accepted or refused one of ours. */
static enum err
own_state(struct store_txn *txn, const struct fed_show *show,
          const struct conv_id *conv)
{
    enum err e;
    struct store_msg m = {0};

    TRY(store_msg_find(txn, conv, &show->message, &m));
    if (show->code == FED_MESSAGE_ACCEPTED) {
        m.state = STORE_MSG_ACCEPTED;
        m.at_ms = show->ts_ms;
        m.log_term = show->term;
        m.log_seq = show->seq;
        TRY(node_past_note(txn, conv, &show->thread, m.log_term, m.log_seq,
                           m.seq));
    } else if (show->code == FED_MESSAGE_FAILED) {
        m.state = STORE_MSG_FAILED;
    }
    TRY(store_msg_update(txn, &m));
    TRY(node_desk_waits_no_more(txn, conv, m.seq));
    TRY(node_desk_event(txn, NODE_EVENT_STATE, conv_id_view(conv), m.seq));
out:
    store_msg_clear(&m);
    /* nothing to mark: a content of the protocol itself */
    return e == ERR_MISSING ? OK : e;
}

/* Write: a clinic has received, or its people have read, up to a place. */
static enum err
mark_upto(struct store_txn *txn, const struct fed_show *show,
          const struct conv_id *conv)
{
    enum err e;
    uint8_t kind =
        show->code == FED_MESSAGE_READ ? NODE_MARK_READ : NODE_MARK_DELIVERED;
    uint64_t place = node_log_place(show->term, show->seq);
    uint64_t before = 0;

    TRY(store_conv_mark_get(txn, conv, kind, subject_id_view(&show->other),
                            &before));
    if (place <= before) {
        goto out;
    }
    TRY(store_conv_mark_put(txn, conv, kind, subject_id_view(&show->other),
                            place));
    TRY(node_desk_event(txn, NODE_EVENT_STATE, conv_id_view(conv), 0));
out:
    return e;
}

enum err
node_desk_state(struct store_txn *txn, const struct fed_show *show)
{
    enum err e;
    struct store_conv conv = {0};

    TRY(node_desk_conv(txn, &show->thread, &conv));
    if (show->code == FED_MESSAGE_DELIVERED || show->code == FED_MESSAGE_READ) {
        TRY(mark_upto(txn, show, &conv.id));
    } else {
        TRY(own_state(txn, show, &conv.id));
    }
out:
    store_conv_clear(&conv);
    return e;
}

enum err
node_desk_trouble(struct store_txn *txn, uint16_t event,
                  const struct fed_show *show)
{
    enum err e;
    struct store_conv conv = {0};
    struct store_event ev = {.kind = event, .n = show->value};
    uint64_t seq = 0;

    TRY(node_desk_conv(txn, &show->thread, &conv));
    ev.a = conv_id_view(&conv.id);
    ev.b = clinic_id_view(&show->peer);
    if (event == NODE_EVENT_OVERDUE) {
        e = store_msg_by_id(txn, &conv.id, &show->message, &seq);
        if (e != OK && e != ERR_MISSING) {
            goto out;
        }
        ev.n = seq;
    }
    TRY(store_journal_append(txn, &ev, NULL));
out:
    store_conv_clear(&conv);
    return e;
}
