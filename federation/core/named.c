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

enum {
    DOUBLED = 8 /* nine minutes */
};

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
    uint64_t began;

    TRY(fed_move_began(core, t, &began));
    *out = term < began && memcmp(t->rec.hub, p->root.b, 32) == 0;
    if (*out) {
        TRY(tell(core, t, p, term));
        t->wait_ms = fed_mono(core) + LIMIT_WAIT_MS;
        fed_tx_timer(core, t->wait_ms);
    }
out:
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

/* It sends us nothing before we say again where we stand. */
static void
stand(struct fed_core *core, struct fed_thread *t)
{
    t->stand_ms = fed_mono(core) + ((uint64_t)LIMIT_WAIT_MS << t->stands);
    t->stands += t->stands < DOUBLED ? 1 : 0;
    fed_tx_timer(core, t->stand_ms);
}

void
fed_named_heard(struct fed_core *core, struct fed_thread *t,
                const struct fed_party *p)
{
    if (t->stand_ms != 0 && memcmp(t->rec.hub, p->root.b, 32) == 0) {
        t->stand_ms = fed_mono(core);
        fed_tx_timer(core, t->stand_ms);
    }
}

void
fed_named_has(struct fed_core *core, struct fed_thread *t,
              const struct proto_log_part *in)
{
    t->stands = in->last < t->rec.seq ? t->stands : 0;
    if (in->last < t->rec.seq && in->entries.len == 0) {
        stand(core, t);
    }
}

/*
 * [named-other] It may order another log only because it does not know the
 * proof that made it the hub of ours: it was declared gone, or took it by other
 * words, in the same term.  Ours may be the only state of what counts.  So it
 * is told, and asked for what we have already: what differs behind that answer
 * is a fork.
 */
enum err
fed_named_unsure(struct fed_core *core, struct fed_thread *t, bool *out)
{
    enum err e;
    struct clinic_id hub;
    struct fed_party *p;
    struct proto_hub_move had;
    struct bytes hold = {0};

    memcpy(hub.b, t->rec.hub, sizeof(hub.b));
    *out = false;
    if (t->named_sure || t->rec.seq == 0 || fed_thread_hub_here(core, t)) {
        return OK;
    }
    e = fed_proof_get(core, &t->id, t->group.term, &had, &hold);
    if (e != OK || memcmp(had.to, hub.b, 32) != 0) {
        goto out;
    }
    *out = true;
    if (!t->named_asked) {
        TRY(fed_party_get(core, &hub, &p));
        TRY(fed_move_tell(core, t, p, t->group.term - 1));
        TRY(fed_pull_from(core, t, &hub, t->rec.seq));
        t->named_asked = true;
    }
out:
    bytes_free(&hold);
    return e == ERR_MISSING ? OK : e;
}

/* We leave the log that we have for the hub's, if it knows what made it the
   hub; as a fork, or because its own is gone. */
static enum err
leave(struct fed_core *core, struct fed_thread *t, bool fork)
{
    enum err e;
    bool unsure;

    TRY(fed_named_unsure(core, t, &unsure));
    if (unsure) {
        goto out;
    }
    if (fork) {
        TRY(fed_fork_found(core, t, ERR_STALE));
    } else {
        TRY(fed_resync_begin(core, t));
        TRY(fed_intent_pump(core, t));
    }
    fed_resync_back(t, t->back_term, t->back_seq);
out:
    return e;
}

enum err
fed_named_differs(struct fed_core *core, struct fed_thread *t)
{
    return leave(core, t, true);
}

enum err
fed_named_gone(struct fed_core *core, struct fed_thread *t, uint64_t term,
               bool pruned)
{
    bool may = term > t->rec.term ||
               (pruned && fed_now(core) > t->rec.ts_ms + LIMIT_LOG_AGE_MS);

    return leave(core, t, !may);
}

enum err
fed_named_forgot(struct fed_core *core, struct fed_thread *t, uint64_t term,
                 uint64_t seq, const uint8_t *prev)
{
    enum err e;
    struct fed_rec_log rec;
    struct bytes hold = {0};
    bool fork;

    if (t->back_term <= t->rec.term || seq < t->back_seq) {
        t->back_term = term;
        t->back_seq = seq;
    }
    e = fed_log_get(core, &t->id, seq, &rec, &hold);
    TRY(e == ERR_MISSING ? OK : e);
    fork = hold.len > 0 && prev != NULL && memcmp(rec.prev, prev, 32) != 0;
    TRY(leave(core, t, fork));
out:
    bytes_free(&hold);
    return e;
}

enum err
fed_named_lacks(struct fed_core *core, struct fed_thread *t,
                struct fed_party *p, uint64_t seq, bool *out)
{
    enum err e;
    struct fed_member *m = fed_thread_member(t, &p->subject);
    struct proto_hub_move had;
    struct bytes hold = {0};

    *out = false;
    e = fed_proof_get(core, &t->id, t->group.term, &had, &hold);
    if (e != OK || m == NULL || m->named == had.term ||
        seq < had.seq + (had.planned ? 0 : 1)) {
        goto out;
    }
    *out = true;
    m->named = had.term;
    TRY(fed_move_tell(core, t, p, had.term - 1));
out:
    bytes_free(&hold);
    return e == ERR_MISSING ? OK : e;
}

enum err
fed_named_answered(struct fed_core *core, struct fed_thread *t,
                   const struct proto_log_part *in, bool *again)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_log_entry entry;

    *again = false;
    if (!t->named_asked || in->first > t->rec.seq) {
        return OK;
    }
    t->named_asked = false;
    t->named_sure = in->code != PROTO_LOG_OK || in->last > 0;
    if (proto_list_next(&in->entries, &proto_log_entry_shape, &at, &entry) &&
        entry.term > t->rec.term && entry.seq <= t->rec.seq) {
        TRY(fed_named_forgot(core, t, entry.term, entry.seq, in->prev));
    }
    *again = t->named_sure && t->rec.state == FED_THREAD_ACTIVE;
out:
    return e;
}

void
fed_named_forget(struct fed_thread *t)
{
    t->named_asked = false;
    t->named_sure = false;
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
    if (unaware) {
        stand(core, t);
        goto out;
    }
    if (t->rec.state == FED_THREAD_ACTIVE) {
        TRY(fed_named_gone(core, t,
                           in->code == PROTO_LOG_UNKNOWN ? 0 : in->term,
                           in->code == PROTO_LOG_PRUNED));
    }
out:
    return e;
}

enum err
fed_named_step(struct fed_core *core, struct fed_thread *t)
{
    struct clinic_id hub;

    if (t->stand_ms == 0) {
        return OK;
    }
    if (fed_mono(core) < t->stand_ms) {
        fed_tx_timer(core, t->stand_ms);
        return OK;
    }
    t->stand_ms = 0;
    if (t->rec.state != FED_THREAD_ACTIVE || fed_thread_hub_here(core, t)) {
        return OK; /* rejoining says it as well */
    }
    memcpy(hub.b, t->rec.hub, sizeof(hub.b));
    return fed_pull_send(core, t, &hub);
}

void
fed_named_stood(struct fed_thread *t, struct fed_member *m,
                const struct proto_log_pull *in)
{
    m->rec.stood = in->from - 1;
    m->rec.stood_term = in->term;
    m->dirty = true;
    t->dirty = true;
}

enum err
fed_named_opens(struct fed_core *core, struct fed_thread *t)
{
    enum err e = OK;

    for (size_t i = 0; i < t->members_len; i++) {
        struct fed_member *m = &t->members[i];
        uint64_t term = m->rec.stood_term;

        m->rec.stood_term = 0;
        if (m->rec.closed && term >= t->group.term && term <= t->rec.term &&
            m->rec.stood <= t->rec.seq) {
            TRY(fed_move_open(core, t, m, m->rec.stood));
        }
    }
out:
    return e;
}

void
fed_named_open_all(struct fed_thread *t)
{
    for (size_t i = 0; i < t->members_len; i++) {
        struct fed_member *m = &t->members[i];

        m->rec.stood_term = 0;
        m->rec.closed = false;
        m->dirty = true;
    }
    t->dirty = true;
}
