/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages as shown.  A record lies under its thread and its place: the term
 * and number of the log, so that every device and clinic sees one order, or,
 * while the hub does not have it yet, behind everything in the order written.
 * Its number for people is given once and never changes.
 */
#include "federation/app/inside.h"
#include "federation/core/rec.h"
#include "proto/msg/content.h"

#include <string.h>

enum {
    SEQ_BITS = 40,
    PLACE_SIZE = 16 /* place and number */
};

static const uint64_t waits = (uint64_t)1 << 63;

uint64_t
fed_app_waiting(void)
{
    return waits;
}

uint64_t
fed_app_place(uint64_t term, uint64_t seq)
{
    return term << SEQ_BITS | (seq & (((uint64_t)1 << SEQ_BITS) - 1));
}

/* ------------------------------------------------------------------ records */

struct fed_app_key
fed_app_message_key(const struct thread_id *thread, uint64_t place)
{
    return fed_app_key_num(thread_id_view(thread), place);
}

static struct fed_app_key
id_key(const struct thread_id *thread, const uint8_t id[32])
{
    return fed_app_key(thread_id_view(thread), view_make(id, 32));
}

enum err
fed_app_find(struct fed_app *app, const struct thread_id *thread,
             const uint8_t id[32], uint64_t *place, uint64_t *number)
{
    enum err e;
    struct fed_app_key key = id_key(thread, id);
    struct bytes b = {0};

    TRY(fed_app_get(&app->kv, FED_APP_PLACE, &key, &b));
    TRY(b.len == PLACE_SIZE ? OK : ERR_CORRUPT);
    *place = fed_app_key_tail(view_make(b.p, 8));
    *number = fed_app_key_tail(view_make(b.p + 8, 8));
out:
    bytes_free(&b);
    return e;
}

enum err
fed_app_load_at(struct fed_app *app, const struct thread_id *thread,
                uint64_t place, struct fed_app_rec_message *out,
                struct bytes *hold)
{
    struct fed_app_key key = fed_app_message_key(thread, place);
    enum err e = fed_app_load(&app->kv, FED_APP_MESSAGE, &key,
                              &fed_app_rec_message_shape, out, hold);

    return e == ERR_MISSING ? ERR_CORRUPT : e;
}

static enum err
save_at(struct fed_app *app, const struct thread_id *thread, uint64_t place,
        const struct fed_app_rec_message *m)
{
    enum err e;
    struct fed_app_key key = fed_app_message_key(thread, place);
    struct fed_app_key id = id_key(thread, m->id);
    struct fed_app_key where =
        fed_app_key_num((struct view){0}, place); /* place, number */

    where = fed_app_key_num(fed_app_key_view(&where), m->number);
    TRY(fed_app_save(&app->kv, FED_APP_MESSAGE, &key,
                     &fed_app_rec_message_shape, m));
    TRY(fed_app_put(&app->kv, FED_APP_PLACE, &id, fed_app_key_view(&where)));
out:
    return e;
}

/* m goes from one place to another. */
static enum err
move(struct fed_app *app, const struct thread_id *thread, uint64_t from,
     uint64_t to, const struct fed_app_rec_message *m)
{
    enum err e;
    struct fed_app_key key = fed_app_message_key(thread, from);

    TRY(fed_app_del(&app->kv, FED_APP_MESSAGE, &key));
    TRY(save_at(app, thread, to, m));
out:
    return e;
}

static enum err
tell(struct fed_app *app, enum fed_app_event_kind kind,
     const struct thread_id *thread, const struct fed_app_rec_message *m)
{
    struct fed_app_event *ev;
    enum err e = fed_app_tell(app, kind, &ev);

    if (e == OK) {
        ev->thread = *thread;
        ev->number = m->number;
        ev->code = m->state;
        memcpy(ev->message.b, m->id, sizeof(ev->message.b));
    }
    return e;
}

/* ---------------------------------------------------------- what came in */

/* Contents of the protocol itself have no place in a conversation, and
   consents, of which history brings back the words, have a list of their own.
 */
static bool
for_people(const struct proto_content *c)
{
    return c->kind != PROTO_CONTENT_ASK && c->kind != PROTO_CONTENT_CONSENT &&
           c->kind != PROTO_CONTENT_WITHDRAWAL &&
           c->kind != PROTO_CONTENT_RECEIPT &&
           c->kind != PROTO_CONTENT_HISTORY &&
           c->kind != PROTO_CONTENT_RESENT && c->kind != PROTO_CONTENT_LEAVE &&
           c->kind != PROTO_CONTENT_CHECKPOINT &&
           c->kind != PROTO_CONTENT_INTRO;
}

static bool
ours(const struct fed_app *app, const uint8_t author[32])
{
    return memcmp(author, app->me.patient, 32) == 0;
}

/* An edit or deletion counts when its author wrote the target, and it is
   newer than the one that counted before. */
static enum err
apply_to_target(struct fed_app *app, const struct thread_id *thread,
                const struct fed_app_rec_message *m, uint64_t place,
                const struct proto_content *c)
{
    enum err e;
    bool edit = c->kind == PROTO_CONTENT_EDIT;
    const uint8_t *id = edit ? c->u.edit.target : c->u.del.target;
    struct fed_app_rec_message target;
    struct bytes hold = {0};
    uint64_t at;
    uint64_t number;

    if (!edit && c->kind != PROTO_CONTENT_DELETE) {
        return OK;
    }
    e = fed_app_find(app, thread, id, &at, &number);
    if (e != OK) {
        return e == ERR_MISSING ? OK : e;
    }
    TRY(fed_app_load_at(app, thread, at, &target, &hold));
    if (memcmp(target.author, m->author, sizeof(target.author)) != 0 ||
        (target.flags & FED_APP_MESSAGE_DELETED) != 0 ||
        (edit && place < target.edited)) {
        goto out;
    }
    if (edit) {
        target.flags |= FED_APP_MESSAGE_EDITED;
        target.text = c->u.edit.text;
        target.edited = place;
    } else {
        target.flags |= FED_APP_MESSAGE_DELETED;
        target.text = (struct view){0};
        target.content = (struct view){0}; /* gone here, not only hidden */
    }
    TRY(save_at(app, thread, at, &target));
    TRY(tell(app, FED_APP_EV_STATE, thread, &target));
out:
    bytes_free(&hold);
    return e;
}

static void
fill(struct fed_app *app, const struct fed_show *show,
     const struct proto_content *c, struct fed_app_rec_message *m)
{
    memset(m, 0, sizeof(*m));
    memcpy(m->id, show->message.b, sizeof(m->id));
    memcpy(m->author, show->author.b, sizeof(m->author));
    m->state = show->seq == 0 ? FED_MESSAGE_QUEUED : FED_MESSAGE_ACCEPTED;
    m->flags = (ours(app, m->author) ? FED_APP_MESSAGE_OURS : 0u) |
               (show->resent ? FED_APP_MESSAGE_RESENT : 0u) |
               (app->importing ? FED_APP_MESSAGE_ARCHIVED : 0u);
    if (c == NULL) {
        m->flags |= FED_APP_MESSAGE_OPAQUE;
    } else if ((c->flags & PROTO_CONTENT_AUTO) != 0) {
        m->flags |= FED_APP_MESSAGE_AUTO;
    }
    m->term = show->term;
    m->seq = show->seq;
    m->at_ms = show->ts_ms != 0 ? show->ts_ms : fed_app_now(app);
    m->content = view_of(&show->body);
}

/* The thread knows of one more. */
static enum err
count(struct fed_app *app, const struct fed_show *show,
      const struct proto_content *c, struct fed_app_rec_message *m,
      uint64_t *place)
{
    enum err e;
    struct fed_app_rec_thread t;
    struct bytes hold = {0};

    TRY(fed_app_thread_rec(app, &show->thread, &t, &hold));
    m->number = ++t.messages;
    if (m->seq == 0) {
        t.waiting++;
        *place = waits | ++t.queued;
    } else {
        *place = fed_app_place(m->term, m->seq);
        if (*place > fed_app_place(t.last_term, t.last_seq)) {
            t.last_term = m->term;
            t.last_seq = m->seq;
        }
    }
    if (!ours(app, m->author) && (c == NULL || c->kind == PROTO_CONTENT_TEXT)) {
        t.unread++;
    }
    if (c != NULL && c->kind == PROTO_CONTENT_TITLE) {
        t.title = c->u.title.title;
    }
    t.last_ms = m->at_ms > t.last_ms ? m->at_ms : t.last_ms;
    TRY(fed_app_thread_save(app, &show->thread, &t));
out:
    bytes_free(&hold);
    return e;
}

static enum err
add(struct fed_app *app, const struct fed_show *show,
    const struct proto_content *c)
{
    enum err e;
    struct fed_app_rec_message m;
    struct fed_app_key key;
    uint64_t place = 0;

    fill(app, show, c, &m);
    TRY(count(app, show, c, &m, &place));
    TRY(save_at(app, &show->thread, place, &m));
    key = fed_app_key_num(thread_id_view(&show->thread), m.number);
    TRY(fed_app_put(&app->kv, FED_APP_NUMBER, &key, VIEW_ARRAY(m.id)));
    if (!app->importing) {
        TRY(tell(app, FED_APP_EV_MESSAGE, &show->thread, &m));
        TRY(m.seq == 0 ? OK
                       : fed_app_archive_note(app, FED_APP_KEPT_MESSAGE,
                                              &show->thread, m.id));
    }
    if (c != NULL) {
        TRY(apply_to_target(app, &show->thread, &m, place, c));
        TRY(fed_app_files_of(app, &show->thread, &m, c));
    }
out:
    return e;
}

static enum err
waits_no_more(struct fed_app *app, const struct thread_id *thread,
              const struct fed_app_rec_message *m)
{
    enum err e;
    struct fed_app_rec_thread t;
    struct bytes hold = {0};

    TRY(fed_app_thread_rec(app, thread, &t, &hold));
    t.waiting -= t.waiting > 0 ? 1 : 0;
    if (m->seq != 0 && fed_app_place(m->term, m->seq) >
                           fed_app_place(t.last_term, t.last_seq)) {
        t.last_term = m->term;
        t.last_seq = m->seq;
    }
    TRY(fed_app_thread_save(app, thread, &t));
out:
    bytes_free(&hold);
    return e;
}

/*
 * The message at from is in its place now.  Repeats change nothing (the third
 * net against those: decisions C 12).
 */
static enum err
settle(struct fed_app *app, const struct fed_show *show, uint64_t from)
{
    enum err e;
    struct fed_app_rec_message m;
    struct bytes hold = {0};
    uint64_t to = fed_app_place(show->term, show->seq);

    TRY(fed_app_load_at(app, &show->thread, from, &m, &hold));
    if (show->seq == 0 || from == to ||
        ((from & waits) == 0 && !show->resent)) {
        goto out;
    }
    m.term = show->term;
    m.seq = show->seq;
    m.at_ms = show->ts_ms;
    if (m.state == FED_MESSAGE_QUEUED) {
        TRY(waits_no_more(app, &show->thread, &m));
    }
    m.state = FED_MESSAGE_ACCEPTED;
    TRY(move(app, &show->thread, from, to, &m));
    TRY(tell(app, FED_APP_EV_STATE, &show->thread, &m));
    TRY(fed_app_archive_note(app, FED_APP_KEPT_MESSAGE, &show->thread, m.id));
out:
    bytes_free(&hold);
    return e;
}

enum err
fed_app_show_message(struct fed_app *app, const struct fed_show *show)
{
    struct proto_content decoded;
    const struct proto_content *c = NULL;
    uint64_t place;
    uint64_t number;
    enum err e;

    if (proto_content_decode(view_of(&show->body), &decoded) == OK) {
        c = &decoded;
        if (!for_people(c)) {
            return OK;
        }
    }
    e = fed_app_find(app, &show->thread, show->message.b, &place, &number);
    if (e == OK) {
        return settle(app, show, place);
    }
    return e == ERR_MISSING ? add(app, show, c) : e;
}

/* ------------------------------------------------------------------- states */

/* What settle told of comes from another's commit: true before ours, too. */
static enum err
tell_news(struct fed_app *app)
{
    enum err e;
    struct fed_app_event state = app->events.at[app->events.len - 1];
    struct fed_app_event *ev;

    TRY(fed_app_tell(app, FED_APP_EV_NEWS, &ev));
    *ev = state;
    ev->kind = FED_APP_EV_NEWS;
out:
    return e;
}

/* The hub accepted or refused one of ours. */
static enum err
own_state(struct fed_app *app, const struct fed_show *show)
{
    enum err e;
    struct fed_app_rec_message m;
    struct bytes hold = {0};
    uint64_t place;
    uint64_t number;
    size_t told;

    e = fed_app_find(app, &show->thread, show->message.b, &place, &number);
    if (e != OK) {
        return e == ERR_MISSING ? OK : e; /* of the protocol itself */
    }
    if (show->code == FED_MESSAGE_ACCEPTED) {
        told = app->events.len;
        e = settle(app, show, place);
        return e == OK && app->events.len > told &&
                       !clinic_id_is_zero(&show->peer)
                   ? tell_news(app)
                   : e;
    }
    TRY(fed_app_load_at(app, &show->thread, place, &m, &hold));
    if (show->code == FED_MESSAGE_FAILED && m.state == FED_MESSAGE_QUEUED) {
        m.state = FED_MESSAGE_FAILED;
        TRY(waits_no_more(app, &show->thread, &m));
        TRY(save_at(app, &show->thread, place, &m));
        TRY(tell(app, FED_APP_EV_STATE, &show->thread, &m));
    }
out:
    bytes_free(&hold);
    return e;
}

struct fed_app_key
fed_app_mark_key(const struct thread_id *thread, uint64_t kind)
{
    uint8_t k = (uint8_t)kind;

    return fed_app_key(thread_id_view(thread), view_make(&k, 1));
}

/* A subject has received, or its people have read, up to a place. */
static enum err
mark_upto(struct fed_app *app, const struct fed_show *show)
{
    enum err e;
    struct fed_app_key key = fed_app_mark_key(&show->thread, show->code);
    struct fed_app_key upto =
        fed_app_key_num((struct view){0}, fed_app_place(show->term, show->seq));
    struct bytes before = {0};
    struct fed_app_event *ev;

    key = fed_app_key(fed_app_key_view(&key), subject_id_view(&show->other));
    e = fed_app_get(&app->kv, FED_APP_MARK, &key, &before);
    TRY(e == ERR_MISSING ? OK : e);
    if (fed_app_key_tail(view_of(&before)) >=
        fed_app_key_tail(fed_app_key_view(&upto))) {
        goto out;
    }
    TRY(fed_app_put(&app->kv, FED_APP_MARK, &key, fed_app_key_view(&upto)));
    TRY(fed_app_tell(app, FED_APP_EV_READ, &ev));
    ev->thread = show->thread;
    ev->code = show->code;
out:
    bytes_free(&before);
    return e;
}

enum err
fed_app_show_state(struct fed_app *app, const struct fed_show *show)
{
    return show->code == FED_MESSAGE_DELIVERED || show->code == FED_MESSAGE_READ
               ? mark_upto(app, show)
               : own_state(app, show);
}

enum err
fed_app_past(struct fed_app *app, const struct thread_id *thread, uint64_t term,
             uint64_t from, uint64_t to, const struct mem *mem,
             struct fed_past *out)
{
    enum err e;
    struct fed_app_rec_message m = {.flags = FED_APP_MESSAGE_DELETED};
    struct fed_app_key found;
    struct bytes hold = {0};

    while ((m.flags & FED_APP_MESSAGE_DELETED) != 0) {
        struct fed_app_key key =
            fed_app_message_key(thread, fed_app_place(term, from));

        bytes_free(&hold);
        TRY(fed_app_next(&app->kv, FED_APP_MESSAGE, &key,
                         thread_id_view(thread), &found, &hold));
        TRY(fed_rec_decode(view_of(&hold), &fed_app_rec_message_shape, &m));
        TRY(m.term == term && m.seq >= from && m.seq <= to ? OK : ERR_MISSING);
        from = m.seq + 1;
    }
    TRY(bytes_copy(mem, m.content, &out->content));
    memcpy(out->id.b, m.id, sizeof(out->id.b));
    memcpy(out->author.b, m.author, sizeof(out->author.b));
    out->seq = m.seq;
    out->ts_ms = m.at_ms;
out:
    bytes_free(&hold);
    return e;
}

enum err
fed_app_message_rec(struct fed_app *app, const struct thread_id *thread,
                    const uint8_t id[32], struct fed_app_rec_message *out,
                    struct bytes *hold)
{
    enum err e;
    uint64_t place;
    uint64_t number;

    TRY(fed_app_find(app, thread, id, &place, &number));
    TRY(fed_app_load_at(app, thread, place, out, hold));
out:
    return e;
}

enum err
fed_app_known(struct fed_app *app, const struct thread_id *thread,
              const struct message_id *id, uint64_t *term_out,
              uint64_t *seq_out)
{
    enum err e;
    struct fed_app_rec_message m;
    struct bytes hold = {0};
    uint64_t place;
    uint64_t number;

    TRY(fed_app_find(app, thread, id->b, &place, &number));
    TRY(fed_app_load_at(app, thread, place, &m, &hold));
    *term_out = m.term;
    *seq_out = m.seq;
out:
    bytes_free(&hold);
    return e;
}
