/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From hub to hub.  A planned move is offered, accepted, and is then the last
 * commit of the hub that goes; it goes on sending what came before to those
 * who lack it.  The next hub sends nothing to a member before that member says
 * where it stands, so no entry of a new term overtakes one of the old.
 *
 * Who finds, by a proof, that a thread moved while it was away, rejoins with
 * the new hub; what it, or we as a hub that was alone, had beyond the point of
 * the move is given back as resent messages (resync.c).
 */
#include "federation/core/move.h"

#include "federation/core/trust.h"
#include "federation/core/watch.h"

#include "crypto/prim/hash.h"

#include <string.h>

/* ---------------------------------------------------------------- judgement */

/* Where the commit stands: it is judged before and after it is in the log. */
static enum err
in_place(struct fed_core *core, const struct fed_thread *t,
         const struct proto_group *after, bool *out)
{
    enum err e;
    struct fed_rec_log rec;
    struct bytes hold = {0};

    *out = after->term == fed_move_next(t) &&
           memcmp(after->prev, t->rec.head, 32) == 0;
    if (*out) {
        return OK;
    }
    e = fed_log_get(core, &t->id, t->rec.seq, &rec, &hold);
    if (e == OK) {
        *out = (after->term == rec.term + 1 || after->term == rec.term) &&
               memcmp(after->prev, rec.prev, 32) == 0;
    }
    bytes_free(&hold);
    return e == ERR_MISSING ? OK : e;
}

enum err
fed_move_judge(struct fed_core *core, const struct fed_thread *t,
               const struct proto_group *after, const struct clinic_id *by)
{
    enum err e;
    const struct proto_hub_move *proof = t->moving;
    bool placed;

    /* [move-clinic] */
    if (fed_move_order(&t->group, t->group.hub, after->hub) == SIZE_MAX) {
        return ERR_DENIED;
    }
    /* [move-term] [move-prev] the next term, behind our last entry */
    TRY(in_place(core, t, after, &placed));
    TRY(placed ? OK : ERR_DENIED);
    if (memcmp(by->b, t->group.hub, 32) == 0) {
        goto out;
    }
    /* [move-signer] else only the next hub itself, with its proof */
    TRY(memcmp(by->b, after->hub, 32) == 0 && proof != NULL &&
                proof->term == after->term && !proof->planned &&
                memcmp(proof->to, by->b, 32) == 0 &&
                memcmp(proof->hub, t->group.hub, 32) == 0 &&
                memcmp(proof->head, after->prev, 32) == 0
            ? OK
            : ERR_DENIED);
out:
    return e;
}

/* ------------------------------------------------------------------ applied */

/* What we handed over once and is still on its way to one of them stays. */
static void
close_members(struct fed_thread *t)
{
    for (size_t i = 0; i < t->members_len; i++) {
        struct fed_rec_member *m = &t->members[i].rec;

        m->closed = true;
        t->members[i].dirty = true;
        if (m->rows > 0 && m->acked < t->rec.handed) {
            continue;
        }
        m->acked = t->rec.seq;
        m->fanned = t->rec.seq;
        m->rows = 0;
    }
}

enum err
fed_move_applied(struct fed_core *core, struct fed_thread *t)
{
    enum err e;
    uint8_t before[32];
    struct clinic_id hub = fed_move_root(t->group.hub);
    struct fed_party *p;
    bool was = fed_thread_hub_here(core, t);

    memcpy(before, t->rec.hub, sizeof(before));
    t->rec.others = fed_move_others(&t->group, before);
    TRY(fed_move_set_hub(core, t, t->group.hub));
    t->rec.term = t->group.term;
    t->rec.handed = was ? t->rec.seq : t->rec.handed;
    t->rec.late = false; /* its messages were for the hub before */
    TRY(mls_forget_past(t->mls, mls_group_epoch(t->mls)));
    TRY(fed_mls_save(core, t));
    TRY(fed_move_show(core, t, before, t->rec.seq,
                      t->moving == NULL ? FED_HUB_HANDED : FED_HUB_TAKEN));
    if (fed_thread_hub_here(core, t)) {
        close_members(t);
        TRY(fed_named_opens(core, t));
        TRY(fed_roster_send(core, t));
        goto out;
    }
    TRY(fed_move_meet(core, &hub, &p));
    TRY(fed_pull_send(core, t, &hub)); /* here we stand */
out:
    return e;
}

enum err
fed_move_open(struct fed_core *core, struct fed_thread *t, struct fed_member *m,
              uint64_t upto)
{
    m->rec.closed = false;
    m->rec.acked = upto;
    m->rec.fanned = upto;
    m->rec.rows = 0;
    m->dirty = true;
    t->dirty = true;
    return fed_fan_member(core, t, m);
}

/* ------------------------------------------------------------------- proofs */

/*
 * [move-yields] Our hub itself says that it is none, as another took the thread
 * in its term: it may hand it to whom it likes.  Who came into the branch that
 * lost knows neither what made it the hub nor who was a member then, so it
 * cannot tell a quorum.
 */
static bool
yields(const struct fed_thread *t, const struct fed_party *p,
       const struct proto_hub_move *in, uint64_t began)
{
    return memcmp(t->rec.hub, p->root.b, 32) == 0 && p->via == NULL &&
           memcmp(in->to, p->root.b, 32) != 0 && in->term >= began &&
           in->began < began;
}

/* A proof about a hub that, as we know, is none any more; ours began then. */
static enum err
earlier(struct fed_core *core, struct fed_thread *t, struct fed_party *p,
        const struct proto_hub_move *in, uint64_t began)
{
    enum err e;
    struct proto_hub_move now;
    struct bytes hold = {0};
    bool none;

    e = fed_proof_ended(core, t, in->began, &now, &hold);
    none = e == ERR_MISSING;
    TRY(none ? OK : e);
    if (none && memcmp(t->rec.hub, in->to, 32) == 0 &&
        t->group.term == in->term) {
        TRY(fed_proof_put(core, in)); /* we came in behind it */
        goto out;
    }
    if (!none && now.term == in->term && memcmp(now.to, in->to, 32) == 0 &&
        memcmp(now.head, in->head, 32) == 0) {
        goto out;
    }
    if (yields(t, p, in, began)) {
        TRY(fed_rejoin_lost(core, t, in, none ? in->seq : now.seq));
        goto out;
    }
    /* [move-settled] what this hub followed from is settled */
    if (!none && now.term == began && memcmp(now.hub, in->hub, 32) == 0 &&
        fed_proof_beats(t, in, &now)) {
        TRY(fed_rejoin_lost(core, t, in, now.seq));
        goto out;
    }
    TRY(fed_move_tell(core, t, p, in->term - 1));
out:
    bytes_free(&hold);
    return e;
}

/* More of the old hub's log is to come. */
static void
await(struct fed_core *core, struct fed_thread *t)
{
    t->moved_seq = t->rec.seq;
    t->moved_ms = fed_mono(core) + LIMIT_MOVE_WAIT_MS;
    fed_tx_timer(core, t->moved_ms);
}

/* A proof that our hub is none any more, in a term behind ours. */
static enum err
next_term(struct fed_core *core, struct fed_thread *t, struct fed_party *p,
          const struct proto_hub_move *in)
{
    enum err e;
    bool there = t->rec.state == FED_THREAD_ACTIVE && t->mls != NULL;

    TRY(fed_proof_put(core, in));
    if (there && !in->planned && t->rec.seq == in->seq &&
        memcmp(t->rec.head, in->head, 32) == 0) {
        t->moving = in;
        e = fed_follow_commit(core, t, in->term, in->ts_ms, in->commit);
        t->moving = NULL;
        TRY(e == OK || fed_ours(e) ? e
                                   : fed_rejoin(core, t, in, in->seq, false));
        goto out;
    }
    if (there && in->planned && t->rec.seq < in->seq &&
        !fed_thread_hub_here(core, t)) {
        /* The hub that goes still sends what comes before. */
        if (t->moved_ms == 0) {
            await(core, t);
        }
        TRY(fed_busy_add(core, &t->id));
        goto out;
    }
    (void)p;
    TRY(fed_rejoin(core, t, in, in->seq, false));
out:
    return e;
}

enum err
fed_move_step(struct fed_core *core, struct fed_thread *t)
{
    enum err e;
    struct proto_hub_move in;
    struct bytes hold = {0};
    struct clinic_id hub = fed_move_root(t->rec.hub);
    const struct fed_party *p = fed_party_find(core, &hub);
    uint64_t began;

    TRY(fed_move_began(core, t, &began));
    e = fed_proof_ended(core, t, began, &in, &hold);
    if (e == OK && t->rec.state == FED_THREAD_ACTIVE &&
        fed_mono(core) >= t->moved_ms) {
        /* It may be there, and have nothing of that any more. */
        if (p != NULL && fed_party_live(p) && t->rec.seq > t->moved_seq) {
            await(core, t);
        } else {
            e = fed_rejoin(core, t, &in, in.seq, false);
        }
    } else if (e == ERR_MISSING && t->moved_ms != 0) {
        t->moved_ms = 0; /* it came */
        if (t->waiting == 0) {
            fed_busy_del(core, &t->id);
        }
    }
out:
    bytes_free(&hold);
    return e == ERR_MISSING ? OK : e;
}

/*
 * A proof of a hub that we have not heard of: who sent it tells us all that it
 * has since our term.  When that begins no earlier, we do not ask at once
 * again.
 */
static enum err
ask_between(struct fed_core *core, struct fed_thread *t,
            const struct fed_party *p)
{
    if (fed_mono(core) < t->chain_ms) {
        return OK;
    }
    t->chain_ms = fed_mono(core) + LIMIT_MISSING_MS;
    return fed_pull_send(core, t, &p->root);
}

/*
 * [move-heard] Of a thread that we were asked into and could not enter, only
 * that it is and who asked us is known: nobody who could sign.  Whom that
 * clinic names, directly, is asked instead; it could as well have asked us into
 * a thread of that one.
 */
static enum err
heard(struct fed_core *core, struct fed_thread *t, const struct fed_party *p,
      const struct proto_hub_move *in)
{
    enum err e = OK;
    struct clinic_id to = fed_move_root(in->to);
    struct fed_party *other;

    if (memcmp(t->rec.hub, p->root.b, 32) != 0 || p->via != NULL ||
        t->rec.state != FED_THREAD_RESYNC || in->term <= t->rec.term ||
        fed_move_far(t, in->term) ||
        clinic_id_equal(&to, &core->config.self.root)) {
        return OK;
    }
    mls_group_free(t->joining);
    t->joining = NULL;
    TRY(fed_move_set_hub(core, t, in->to));
    t->rec.term = in->term; /* nobody leads us in a circle */
    TRY(fed_move_meet(core, &to, &other));
    TRY(fed_intent_pump(core, t));
out:
    return e;
}

/* Of a thread whose members we know, from one of them. */
static enum err
told(struct fed_core *core, struct fed_thread *t, struct fed_party *p,
     const struct proto_hub_move *in)
{
    enum err e;
    uint64_t began;
    bool undone;

    fed_named_heard(core, t, p);
    TRY(fed_move_began(core, t, &began));
    if (in->began > began) {
        TRY(ask_between(core, t, p)); /* [move-chain] */
        goto out;
    }
    if (in->began == began && memcmp(in->hub, t->rec.hub, 32) != 0) {
        TRY(fed_move_tell(core, t, p, in->began - 1)); /* two took it */
        goto out;
    }
    /* [move-jump] */
    TRY(in->term > in->began && !fed_move_far(t, in->term) ? OK : ERR_DENIED);
    e = fed_proof_check(core, t, in);
    if (e == ERR_DENIED && yields(t, p, in, began)) {
        e = OK;
    } else if (e == ERR_DENIED) {
        TRY(fed_undone_tell(core, t, p, in, &undone));
        TRY(undone ? OK : ERR_DENIED);
        goto out;
    }
    TRY(e);
    if (in->began < began) {
        TRY(earlier(core, t, p, in, began));
    } else if (in->term > t->rec.term) {
        TRY(next_term(core, t, p, in));
    } else {
        /* A hub that came back from a restore went on beside a quorum. */
        TRY(fed_rejoin_lost(core, t, in, in->seq));
    }
out:
    return e;
}

enum err
fed_move_recv(struct fed_core *core, struct fed_party *p,
              const struct proto_hub_move *in)
{
    enum err e;
    struct fed_thread *t;
    struct thread_id id;
    bool stale;

    memcpy(id.b, in->thread, sizeof(id.b));
    e = fed_thread_get(core, &id, &t);
    if (e != OK || t->rec.state == FED_THREAD_ENDED ||
        t->rec.state == FED_THREAD_REMOVED) {
        return e == ERR_MISSING ? OK : e;
    }
    if (t->group_ext.len == 0) {
        return heard(core, t, p, in);
    }
    TRY(fed_thread_member(t, &p->subject) != NULL ? OK : ERR_DENIED);
    TRY(fed_reword_recv(core, t, p, in, &stale));
    TRY(stale ? OK : told(core, t, p, in));
out:
    return e;
}
