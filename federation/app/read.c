/* SPDX-License-Identifier: Apache-2.0 */
/* Messages for a person: in order, by number, with who has them. */
#include "federation/app/inside.h"
#include "federation/core/rec.h"
#include "proto/msg/content.h"

#include <string.h>

/* How many others have it, by one kind of mark. */
static enum err
marks(struct fed_app *app, const struct thread_id *thread, uint64_t kind,
      uint64_t place, uint64_t *out)
{
    enum err e;
    struct fed_app_key prefix = fed_app_mark_key(thread, kind);
    struct fed_app_key at = prefix;
    struct bytes value = {0};

    *out = 0;
    for (;;) {
        bytes_free(&value);
        e = fed_app_next(&app->kv, FED_APP_MARK, &at, fed_app_key_view(&prefix),
                         &at, &value);
        if (e != OK) {
            break;
        }
        *out += fed_app_key_tail(view_of(&value)) >= place ? 1 : 0;
        at = fed_app_key(fed_app_key_view(&at), VIEW_LIT("\0"));
    }
    bytes_free(&value);
    return e == ERR_MISSING ? OK : e;
}

/* What the content says. */
static enum err
reveal(struct fed_app *app, struct fed_app_message *out,
       const struct fed_app_rec_message *m)
{
    enum err e = OK;
    struct proto_content c;
    uint64_t place;
    static const uint8_t none[32];

    if ((m->flags & FED_APP_MESSAGE_DELETED) != 0) {
        out->kind = PROTO_CONTENT_TEXT;
        return OK;
    }
    if ((m->flags & FED_APP_MESSAGE_OPAQUE) != 0 ||
        proto_content_decode(m->content, &c) != OK) {
        return OK;
    }
    out->kind = c.kind;
    out->name = c.author.name;
    switch (c.kind) {
    case PROTO_CONTENT_TEXT:
        out->text =
            (m->flags & FED_APP_MESSAGE_EDITED) != 0 ? m->text : c.u.text.text;
        out->files = c.u.text.attachments;
        if (memcmp(c.u.text.reply_to, none, sizeof(none)) != 0) {
            e = fed_app_find(app, &out->thread, c.u.text.reply_to, &place,
                             &out->reply_to);
        }
        break;
    case PROTO_CONTENT_EDIT:
        out->text = c.u.edit.text;
        e = fed_app_find(app, &out->thread, c.u.edit.target, &place,
                         &out->reply_to);
        break;
    case PROTO_CONTENT_DELETE:
        e = fed_app_find(app, &out->thread, c.u.del.target, &place,
                         &out->reply_to);
        break;
    case PROTO_CONTENT_REACTION:
        out->text = c.u.reaction.emoji;
        e = fed_app_find(app, &out->thread, c.u.reaction.target, &place,
                         &out->reply_to);
        break;
    case PROTO_CONTENT_TITLE:
        out->text = c.u.title.title;
        break;
    case PROTO_CONTENT_RECEIPT:
    case PROTO_CONTENT_HISTORY:
    case PROTO_CONTENT_RESENT:
    case PROTO_CONTENT_LEAVE:
    case PROTO_CONTENT_ASK:
    case PROTO_CONTENT_CONSENT:
    case PROTO_CONTENT_WITHDRAWAL:
    case PROTO_CONTENT_CHECKPOINT:
    case PROTO_CONTENT_INTRO:
    case PROTO_CONTENT_BUNDLE:
        break;
    }
    return e == ERR_MISSING ? OK : e;
}

static enum err
show_rec(struct fed_app *app, const struct thread_id *thread,
         const struct fed_app_rec_message *m, struct fed_app_message *out)
{
    enum err e;

    memset(out, 0, sizeof(*out));
    out->thread = *thread;
    memcpy(out->id.b, m->id, sizeof(out->id.b));
    memcpy(out->author.b, m->author, sizeof(out->author.b));
    out->number = m->number;
    out->state = (enum fed_message_state)m->state;
    out->flags = (unsigned)m->flags;
    out->term = m->term;
    out->seq = m->seq;
    out->at_ms = m->at_ms;
    out->content = m->content;
    if (m->seq != 0) {
        uint64_t place = fed_app_place(m->term, m->seq);

        TRY(marks(app, thread, FED_MESSAGE_DELIVERED, place, &out->delivered));
        TRY(marks(app, thread, FED_MESSAGE_READ, place, &out->read));
    }
    TRY(reveal(app, out, m));
out:
    return e;
}

/* The place of message number.  ERR_MISSING */
static enum err
place_at(struct fed_app *app, const struct thread_id *thread, uint64_t number,
         uint64_t *out)
{
    enum err e;
    struct fed_app_key key = fed_app_key_num(thread_id_view(thread), number);
    struct bytes id = {0};
    uint64_t n;

    TRY(fed_app_get(&app->kv, FED_APP_NUMBER, &key, &id));
    TRY(id.len == 32 ? OK : ERR_CORRUPT);
    TRY(fed_app_find(app, thread, id.p, out, &n));
out:
    bytes_free(&id);
    return e;
}

enum err
fed_app_message(struct fed_app *app, const struct thread_id *thread,
                uint64_t number, struct fed_app_message *out,
                struct bytes *hold)
{
    enum err e;
    struct fed_app_rec_message m;
    uint64_t place;

    TRY(place_at(app, thread, number, &place));
    TRY(fed_app_load_at(app, thread, place, &m, hold));
    TRY(show_rec(app, thread, &m, out));
out:
    return e;
}

enum err
fed_app_message_next(struct fed_app *app, const struct thread_id *thread,
                     uint64_t *place, struct fed_app_message *out,
                     struct bytes *hold)
{
    enum err e;
    struct fed_app_key from = fed_app_message_key(thread, *place + 1);
    struct fed_app_key key;
    struct bytes value = {0};
    struct fed_app_rec_message m;

    TRY(fed_app_next(&app->kv, FED_APP_MESSAGE, &from, thread_id_view(thread),
                     &key, &value));
    TRY(fed_rec_decode(view_of(&value), &fed_app_rec_message_shape, &m));
    TRY(show_rec(app, thread, &m, out));
    *place = fed_app_key_tail(fed_app_key_view(&key));
    bytes_free(hold);
    *hold = bytes_take(&value);
out:
    bytes_free(&value);
    return e;
}
