/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Saying something in a thread, for people and on our own account: an intent,
 * which becomes a message when the batch closes, with what else was said in it.
 */
#include "federation/core/bound.h"
#include "federation/core/came.h"
#include "federation/core/trust.h"

#include <string.h>

static enum err
show_queued(struct fed_core *core, const struct fed_thread *t,
            const struct message_id *id, struct view content)
{
    enum err e;
    struct fed_show *show = fed_tx_show(core, FED_SHOW_MESSAGE);

    TRY(show == NULL ? ERR_NOMEM : OK);
    show->thread = t->id;
    show->message = *id;
    memcpy(show->author.b, core->me.b, 32);
    show->ts_ms = fed_now(core);
    TRY(bytes_copy(core->mem, content, &show->body));
out:
    return e;
}

/* What people are not shown as a message. */
static bool
for_machines(enum proto_content_kind kind)
{
    return kind == PROTO_CONTENT_RECEIPT || kind == PROTO_CONTENT_HISTORY ||
           kind == PROTO_CONTENT_RESENT || kind == PROTO_CONTENT_LEAVE ||
           kind == PROTO_CONTENT_ASK || kind == PROTO_CONTENT_CONSENT ||
           kind == PROTO_CONTENT_WITHDRAWAL || kind == PROTO_CONTENT_INTRO ||
           kind == PROTO_CONTENT_CHECKPOINT;
}

enum err
fed_intent_say(struct fed_core *core, struct fed_thread *t,
               struct proto_content *content, bool hold,
               struct message_id *id_out)
{
    static const uint8_t zero[16];
    enum err e;
    struct bytes data = {0};
    struct message_id id;
    struct fed_rec_intent rec = {.kind = FED_INTENT_SAY, .held = hold};

    if (memcmp(content->salt, zero, sizeof(zero)) == 0) {
        TRY(rng_fill(core->config.rng, content->salt, sizeof(content->salt)));
    }
    if (content->sent_ms == 0) {
        content->sent_ms = fed_now(core);
    }
    TRY(proto_content_encode(core->mem, content, &data));
    TRY(data.len <= LIMIT_CONTENT ? OK : ERR_LIMIT);
    if (for_machines(content->kind) && fed_intent_full(core, t)) {
        goto out; /* said again, or asked for again, when there is room */
    }
    fed_message_id(&core->me, view_of(&data), &id);
    if (!for_machines(content->kind)) {
        TRY(show_queued(core, t, &id, view_of(&data)));
    }
    memcpy(rec.id, id.b, sizeof(rec.id));
    rec.data = view_of(&data);
    TRY(fed_intent_add(core, t, &rec));
    if (content->kind == PROTO_CONTENT_LEAVE) {
        TRY(fed_came_wish(core, t, &core->me, t->rec.term,
                          fed_place(t->rec.seq, 0), content->sent_ms));
    }
    t->pump = true;
    if (id_out != NULL) {
        *id_out = id;
    }
out:
    bytes_free(&data);
    return e;
}
