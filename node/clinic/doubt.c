/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Doubts about how a conversation is carried (FED_SHOW_DOUBT, FED_SHOW_FORK):
 * marks of the conversation while they last, one per member and clinic that
 * carries, and under no conversation the ids of those that have any, so that
 * status finds them.  Ids and times only.
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

/* The index follows the marks. */
static enum err
note(struct store_txn *txn, const struct conv_id *conv, uint64_t now_ms)
{
    enum err e = OK;
    struct found f = {false, {0}};

    for (uint8_t what = 0; what < NODE_DOUBTS && !f.any; what++) {
        TRY(store_conv_marks(txn, conv, (uint8_t)(NODE_MARK_DOUBT + what),
                             (struct view){0}, each_mark, &f));
    }
    TRY(store_conv_mark_put(txn, &nowhere, NODE_MARK_DOUBTED,
                            conv_id_view(conv), f.any ? now_ms : 0));
out:
    return e;
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
    TRY(store_conv_marks(txn, conv, kind, subject_id_view(&show->author),
                         each_mark, &f));
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
    struct store_event ev = {.kind = NODE_EVENT_DOUBT, .n = on ? what : 0};

    if (what >= NODE_DOUBTS) {
        return OK;
    }
    TRY(node_desk_conv(txn, &show->thread, &conv));
    TRY(set(txn, &conv.id, what, show, on));
    TRY(note(txn, &conv.id, show->ts_ms == 0 ? 1 : show->ts_ms));
    ev.a = conv_id_view(&conv.id);
    ev.b = subject_id_view(&show->author);
    TRY(store_journal_append(txn, &ev, NULL));
out:
    store_conv_clear(&conv);
    return e;
}
