/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A clinic that orders a thread, as we know, and does not know it any more: it
 * was put back to before, or one that did, or what told it so is lost.  What
 * it says or answers shows that; then it is told the proof, and we wait, with
 * our state, for what follows.  It becomes hub by that, without a state, and
 * takes ours (check.c).
 */
#include "federation/core/move.h"
#include "federation/core/watch.h"

#include <string.h>

static enum err
tell(struct fed_core *core, struct fed_thread *t, struct fed_party *p,
     uint64_t term)
{
    if (fed_mono(core) < t->named_ms) {
        return OK;
    }
    t->named_ms = fed_mono(core) + LIMIT_MISSING_MS;
    return fed_move_tell(core, t, p, term);
}

enum err
fed_named_unaware(struct fed_core *core, struct fed_thread *t,
                  struct fed_party *p, uint64_t term, bool *out)
{
    enum err e;
    struct proto_hub_move move;
    struct bytes hold = {0};
    uint64_t began;

    *out = false;
    TRY(fed_move_began(core, t, &began));
    if (term >= began || memcmp(t->rec.hub, p->root.b, 32) != 0) {
        goto out;
    }
    e = fed_proof_get(core, &t->id, began, &move, &hold);
    *out = e == OK && memcmp(move.to, p->root.b, 32) == 0;
    TRY(e == ERR_MISSING ? OK : e);
    if (*out) {
        TRY(tell(core, t, p, term));
        t->wait_ms = fed_mono(core) + LIMIT_WAIT_MS;
        fed_tx_timer(core, t->wait_ms);
    }
out:
    bytes_free(&hold);
    return e;
}

enum err
fed_named_other(struct fed_core *core, struct fed_party *p,
                const struct thread_id *id, uint64_t term)
{
    enum err e;
    struct fed_thread *t;
    uint64_t began;

    TRY(fed_thread_get(core, id, &t));
    TRY(fed_move_began(core, t, &began));
    TRY(term < began ? tell(core, t, p, term) : OK);
out:
    return e;
}

enum err
fed_named_none(struct fed_core *core, struct fed_thread *t, struct fed_party *p,
               const struct proto_log_part *in)
{
    enum err e = OK;
    bool unaware = false;

    TRY(in->code == PROTO_LOG_UNKNOWN
            ? OK
            : fed_named_unaware(core, t, p, in->term, &unaware));
    TRY(t->rec.state == FED_THREAD_ACTIVE && !unaware
            ? fed_fork_found(core, t, ERR_STALE)
            : OK);
out:
    return e;
}
