/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A clinic took a thread, and was away before anybody heard of it; meanwhile
 * the hub came back, and those whose words the proof has went on with it.  So
 * the proof is refused [move-statement-void]: by all, as they read in the log
 * how far each of them went on.  Who said such a word tells it to the one that
 * took the thread, whom it made the hub: without it there is no quorum, and as
 * nobody followed, that one goes back to where the others are.
 *
 * One author is believed, as without its word nobody would have taken the
 * thread; and only before anybody follows: later it would part the thread.
 */
#include "federation/core/move.h"

#include <string.h>

enum err
fed_undone_tell(struct fed_core *core, struct fed_thread *t,
                struct fed_party *p, const struct proto_hub_move *in,
                bool *told)
{
    enum err e = OK;
    struct proto_peer_msg msg = {.type = PROTO_PEER_HUB_SEEN};

    *told = false;
    if (t->rec.state != FED_THREAD_ACTIVE ||
        memcmp(in->to, p->root.b, 32) != 0) {
        return OK;
    }
    TRY(fed_proof_void(core, t, in, told));
    if (*told) {
        memcpy(msg.u.hub_seen.thread, t->id.b, 32);
        msg.u.hub_seen.term = t->rec.term;
        msg.u.hub_seen.moved = in->term;
        TRY(fed_stream_put(core, p, &msg));
    }
out:
    return e;
}

/* Has a member taken the log that we began, or come into it? */
static bool
followed(const struct fed_thread *t)
{
    bool any = false;

    for (size_t i = 0; i < t->members_len; i++) {
        any = any || !t->members[i].rec.closed;
    }
    return any;
}

static enum err
go_back(struct fed_core *core, struct fed_thread *t,
        const struct proto_hub_move *taken)
{
    enum err e;
    struct proto_hub_move back = *taken;

    memcpy(back.to, taken->hub, sizeof(back.to));
    back.term = taken->began;
    TRY(fed_rejoin_void(core, t, taken->term, taken->seq));
    TRY(fed_proof_drop(core, t, taken->began));
    TRY(fed_rejoin(core, t, &back, taken->seq, true));
    /* Nor is it news that the hub is what it was. */
    TRY(fed_move_show_void(core, t, taken->began, taken->began, taken->seq));
    t->rec.others = 0; /* of that hub's beginning it is known no more */
out:
    return e;
}

enum err
fed_undone_heard(struct fed_core *core, struct fed_thread *t,
                 struct fed_party *p, const struct proto_hub_seen *in)
{
    enum err e;
    struct proto_hub_move taken;
    struct proto_hub_said said;
    struct bytes hold = {0};

    if (t->rec.state != FED_THREAD_ACTIVE || p->via != NULL ||
        !fed_thread_hub_here(core, t) || t->group.term != in->moved ||
        followed(t)) {
        return OK;
    }
    e = fed_proof_get(core, &t->id, in->moved, &taken, &hold);
    if (e == OK && !taken.planned &&
        memcmp(taken.to, core->config.self.root.b, 32) == 0) {
        /* [move-undone] an author of the proof says that its word is void */
        TRY(fed_proof_said(core, &taken, &p->root, &said));
        TRY(go_back(core, t, &taken));
    }
out:
    bytes_free(&hold);
    return e == ERR_MISSING ? OK : e;
}
