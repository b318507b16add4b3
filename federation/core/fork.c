/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hub shows different logs to different members: who sees it says so to
 * all, people are told, and who saw it rejoins (decisions D 19).
 */
#include "federation/core/care.h"
#include "federation/core/watch.h"

#include <string.h>

/* We do not agree with the hub: say so to everybody, and rejoin. */
enum err
fed_fork_found(struct fed_core *core, struct fed_thread *t, enum err why)
{
    enum err e;

    TRY(fed_fork_tell(core, t, t->forked ? &t->fork_by : NULL, why));
    t->forked = false;
    TRY(fed_resync_begin(core, t));
    TRY(fed_intent_pump(core, t));
out:
    return e;
}

enum err
fed_fork_alert(struct fed_core *core, struct fed_party *p,
               const struct proto_fork_alert *in)
{
    enum err e;
    struct fed_show *show;
    struct fed_thread *t;
    struct thread_id id;

    memcpy(id.b, in->thread, sizeof(id.b));
    e = fed_thread_get(core, &id, &t);
    if (e == ERR_MISSING) {
        return OK;
    }
    TRY(e);
    /* Only a member's view of it means anything. */
    TRY(fed_thread_member(t, &p->subject) != NULL ? OK : ERR_DENIED);
    show = fed_tx_show(core, FED_SHOW_FORK);
    TRY(show == NULL ? ERR_NOMEM : OK);
    show->code = 1;
    show->thread = id;
    show->term = in->term;
    show->seq = in->seq;
    show->ts_ms = fed_now(core);
    memcpy(show->peer.b, t->rec.hub, sizeof(show->peer.b));
    memcpy(show->author.b, p->subject.b, sizeof(show->author.b));
out:
    return e;
}
