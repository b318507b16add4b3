/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Doubts about how a conversation is carried (FED_SHOW_DOUBT, FED_SHOW_FORK):
 * marks of the conversation while they last, one per member and clinic that
 * carries, and under no conversation the ids of those that have any, so that
 * status finds them.  Most are over when what is missing has come; two logs,
 * what was never delivered, and a device that was none of the patient's, stay
 * until a person has seen to it.  Ids and
 * times only.
 */
#include "node/clinic/desk.h"
#include "node/clinic/event.h"
#include "store/conv.h"
#include "store/journal.h"

#include <string.h>

static const struct conv_id nowhere;

struct found {
    bool any;
    uint8_t subject[64];
};

static enum err
each_mark(void *ctx, struct view subject, uint64_t value)
{
    struct found *f = ctx;

    (void)value;
    if (subject.len == sizeof(f->subject)) {
        f->any = true;
        memcpy(f->subject, subject.p, sizeof(f->subject));
    }
    return OK;
}

static bool
lasts(uint8_t what)
{
    return what == NODE_DOUBT_FORK || what == FED_DOUBT_NEVER ||
           what == FED_DOUBT_GHOST;
}

static enum err
first(struct store_txn *txn, const struct conv_id *conv, uint8_t what,
      struct view prefix, struct found *out)
{
    out->any = false;
    return store_conv_marks(txn, conv, (uint8_t)(NODE_MARK_DOUBT + what),
                            prefix, each_mark, out);
}

/* The index follows the marks. */
static enum err
note(struct store_txn *txn, const struct conv_id *conv, uint64_t now_ms)
{
    enum err e = OK;
    struct found f = {false, {0}};

    for (uint8_t what = 0; what < NODE_DOUBTS && !f.any; what++) {
        TRY(first(txn, conv, what, (struct view){0}, &f));
    }
    TRY(store_conv_mark_put(txn, &nowhere, NODE_MARK_DOUBTED,
                            conv_id_view(conv), f.any ? now_ms : 0));
out:
    return e;
}

static enum err
say(struct store_txn *txn, uint16_t kind, const struct conv_id *conv,
    struct view who, uint8_t what)
{
    struct store_event ev = {.kind = kind, .n = what};

    ev.a = conv_id_view(conv);
    ev.b = who;
    return store_journal_append(txn, &ev, NULL);
}

static enum err
set(struct store_txn *txn, const struct conv_id *conv, uint8_t what,
    const struct fed_show *show, bool on)
{
    enum err e;
    uint8_t kind = (uint8_t)(NODE_MARK_DOUBT + what);
    struct found f = {false, {0}};
    uint8_t subject[64];

    /* One about a member, whoever carries now. */
    TRY(first(txn, conv, what, subject_id_view(&show->author), &f));
    if (f.any) {
        TRY(store_conv_mark_put(txn, conv, kind, VIEW_ARRAY(f.subject), 0));
    }
    if (on) {
        memcpy(subject, show->author.b, 32);
        memcpy(subject + 32, show->peer.b, 32);
        TRY(store_conv_mark_put(txn, conv, kind, VIEW_ARRAY(subject),
                                show->ts_ms == 0 ? 1 : show->ts_ms));
    }
out:
    return e;
}

enum err
node_desk_doubt(struct store_txn *txn, const struct fed_show *show)
{
    enum err e;
    struct store_conv conv = {0};
    bool fork = show->kind == FED_SHOW_FORK;
    bool on = fork || show->value != 0;
    uint8_t what = fork ? NODE_DOUBT_FORK : (uint8_t)show->code;

    if (what >= NODE_DOUBTS) {
        return OK;
    }
    TRY(node_desk_conv(txn, &show->thread, &conv));
    TRY(set(txn, &conv.id, what, show, on));
    TRY(note(txn, &conv.id, show->ts_ms == 0 ? 1 : show->ts_ms));
    TRY(say(txn, on ? NODE_EVENT_DOUBT : NODE_EVENT_SETTLED, &conv.id,
            subject_id_view(&show->author), what));
out:
    store_conv_clear(&conv);
    return e;
}

static enum err
count_mark(void *ctx, struct view subject, uint64_t value)
{
    size_t *n = ctx;

    (void)subject;
    (void)value;
    (*n)++;
    return OK;
}

/* All of one kind. */
static enum err
settle(struct store_txn *txn, const struct conv_id *conv, uint8_t what,
       size_t *n)
{
    enum err e;
    struct found f = {false, {0}};

    for (;;) {
        TRY(first(txn, conv, what, (struct view){0}, &f));
        if (!f.any) {
            break;
        }
        TRY(store_conv_mark_put(txn, conv, (uint8_t)(NODE_MARK_DOUBT + what),
                                VIEW_ARRAY(f.subject), 0));
        TRY(say(txn, NODE_EVENT_SETTLED, conv, view_make(f.subject, 32), what));
        (*n)++;
    }
out:
    return e;
}

enum err
node_desk_settle(struct store_txn *txn, const struct conv_id *conv,
                 size_t *settled_out, size_t *left_out)
{
    enum err e = OK;
    size_t settled = 0;
    size_t left = 0;

    for (uint8_t what = 0; what < NODE_DOUBTS; what++) {
        TRY(lasts(what)
                ? settle(txn, conv, what, &settled)
                : store_conv_marks(txn, conv, (uint8_t)(NODE_MARK_DOUBT + what),
                                   (struct view){0}, count_mark, &left));
    }
    TRY(note(txn, conv, 1));
    *settled_out = settled;
    *left_out = left;
out:
    return e;
}
