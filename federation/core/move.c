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

#include "federation/core/branch.h"
#include "federation/core/trust.h"
#include "federation/core/watch.h"

#include "crypto/prim/hash.h"

#include <string.h>

enum {
    VOID_TERMS = 8 /* that lose a race at once */
};

static struct clinic_id
root_of(const uint8_t b[32])
{
    struct clinic_id id;

    memcpy(id.b, b, sizeof(id.b));
    return id;
}

/* Told at the entry that made it so. */
static enum err
show_hub(struct fed_core *core, const struct fed_thread *t,
         const uint8_t before[32], uint64_t seq, enum fed_hub_change code)
{
    struct fed_show *show = fed_tx_show(core, FED_SHOW_HUB);

    if (show == NULL) {
        return ERR_NOMEM;
    }
    show->thread = t->id;
    show->code = (uint64_t)code;
    show->term = t->rec.term;
    show->seq = fed_place(seq, 0);
    show->ts_ms = t->rec.ts_ms;
    memcpy(show->peer.b, t->rec.hub, sizeof(show->peer.b));
    memcpy(show->other.b, before, sizeof(show->other.b));
    return OK;
}

/* We will have to do with a clinic that we may not know. */
static enum err
meet(struct fed_core *core, const struct clinic_id *root,
     struct fed_party **out)
{
    enum err e;
    struct fed_party *p;

    if (clinic_id_equal(root, &core->config.self.root)) {
        *out = NULL;
        return OK;
    }
    TRY(fed_party_get(core, root, &p));
    if (!p->rec.blocked && (!p->stored || p->rec.ours == PROTO_STANCE_NONE ||
                            p->rec.ours == PROTO_STANCE_ENDED)) {
        p->rec.ours = PROTO_STANCE_THREAD;
        p->fresh = p->fresh || !p->stored;
        TRY(fed_party_changed(core, p));
        TRY(p->greeted ? fed_contact_say(core, p) : OK);
    }
    *out = p;
out:
    return e;
}

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

/* Key packages were asked for with another hub's name. */
static enum err
claim_again(struct fed_core *core, struct fed_thread *t)
{
    enum err e;
    uint64_t number = 0;

    for (;; number++) {
        struct fed_rec_intent rec;
        struct bytes hold = {0};

        e = fed_intent_next(core, &t->id, &number, &rec, &hold);
        if (e == OK && rec.kind == FED_INTENT_ADD) {
            rec.submitted = false;
            rec.data = (struct view){0};
            e = fed_intent_put(core, t, number, &rec);
        } else if (e == OK && rec.kind == FED_INTENT_MOVE) {
            e = fed_intent_done(core, t, number);
        }
        bytes_free(&hold);
        if (e != OK) {
            return e == ERR_MISSING ? OK : e;
        }
    }
}

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

/* The thread has hub now: nothing that was asked of the one before counts. */
static enum err
set_hub(struct fed_core *core, struct fed_thread *t, const uint8_t hub[32])
{
    enum err e;

    memcpy(t->rec.hub, hub, sizeof(t->rec.hub));
    fed_gone_over(core, t);
    TRY(fed_intent_again(core, t));
    TRY(claim_again(core, t));
    t->pulling = false;
    t->asked = false;
    t->orphan_ms = 0;
    t->orphan_asked = 0;
    t->wait_ms = 0;
    fed_refused_none(t);
    fed_named_forget(t);
    t->draining = false;
    t->next_intent = 0;
    t->idle = false;
    t->dirty = true;
    fed_busy_note(core, t, NULL);
out:
    return e;
}

enum err
fed_move_applied(struct fed_core *core, struct fed_thread *t)
{
    enum err e;
    uint8_t before[32];
    struct clinic_id hub = root_of(t->group.hub);
    struct fed_party *p;
    bool was = fed_thread_hub_here(core, t);

    memcpy(before, t->rec.hub, sizeof(before));
    t->rec.others = fed_move_others(&t->group, before);
    TRY(set_hub(core, t, t->group.hub));
    t->rec.term = t->group.term;
    t->rec.handed = was ? t->rec.seq : t->rec.handed;
    t->rec.late = false; /* its messages were for the hub before */
    TRY(mls_forget_past(t->mls, mls_group_epoch(t->mls)));
    TRY(fed_mls_save(core, t));
    TRY(show_hub(core, t, before, t->rec.seq,
                 t->moving == NULL ? FED_HUB_HANDED : FED_HUB_TAKEN));
    if (fed_thread_hub_here(core, t)) {
        close_members(t);
        TRY(fed_named_opens(core, t));
        TRY(fed_roster_send(core, t));
        goto out;
    }
    TRY(meet(core, &hub, &p));
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

/* What we have behind from is not of the log; gap: of a rejoining that was not
   done yet. */
static void
cut_behind(struct fed_thread *t, uint64_t from, uint64_t gap)
{
    if (t->rec.seq > from) {
        t->rec.gap_from = from + 1;
        if (t->rec.back_to == 0 || from < t->rec.back_to) {
            t->rec.back_to = from; /* what an earlier proof cut off, too */
        }
    }
    if (gap != 0 && gap < t->rec.gap_from) {
        t->rec.gap_from = gap;
    }
}

/*
 * Rejoin with the hub of a proof; entries behind from are not of its log.
 * again: those we have were said again, as they lost a race.  The hub may be
 * we, who were put back since, or did not get what made us so: all the others
 * look to us, so we compare with them as any hub that lost its state, and hear
 * from them if it is another by now.
 */
static enum err
rejoin(struct fed_core *core, struct fed_thread *t,
       const struct proto_hub_move *in, uint64_t from, bool again)
{
    enum err e = OK;
    uint8_t before[32];
    struct clinic_id to = root_of(in->to);
    struct fed_party *p;
    uint64_t gap = 0; /* of a rejoining that was not done yet */

    memcpy(before, t->rec.hub, sizeof(before));
    if (t->rec.state == FED_THREAD_RESYNC ||
        t->rec.state == FED_THREAD_CHECKING) {
        mls_group_free(t->joining);
        t->joining = NULL;
        gap = t->rec.gap_from;
        t->rec.state = FED_THREAD_ENDED;
    }
    if (t->rec.had_seq == 0) {
        /* Given back in the term that lost, it is given back once more. */
        t->rec.had_seq = again ? in->seq + LIMIT_HISTORY : t->rec.seq;
        t->rec.had_term = t->rec.term;
        TRY(again ? fed_proof_behind(core, t, in, &t->rec.had_term) : OK);
    }
    t->rec.others = fed_proof_others(t, in);
    TRY(set_hub(core, t, in->to));
    TRY(fed_resync_begin(core, t));
    t->rec.term = in->term; /* the next proof follows from this one */
    cut_behind(t, from, gap);
    t->rec.handed = 0;
    TRY(show_hub(core, t, before, in->planned ? in->seq : in->seq + 1,
                 in->planned ? FED_HUB_HANDED : FED_HUB_TAKEN));
    TRY(meet(core, &to, &p));
    TRY(fed_intent_pump(core, t));
out:
    return e == OK || fed_ours(e) ? e : ERR_INTERNAL;
}

/* Two began this term; the other one counts. */
static enum err
lost_race(struct fed_core *core, struct fed_thread *t,
          const struct proto_hub_move *in, uint64_t from)
{
    enum err e = OK;
    uint64_t first;
    uint64_t entry = from + 1;
    /* Told of it only: what we have behind from is of a term before. */
    bool told = t->rec.had_seq != 0 && t->rec.had_term < t->rec.term;

    if (t->rec.seq > from && !told) {
        /* a term is the hub's word: it may name any */
        first = in->term < t->rec.term ? in->term : t->rec.term;
        first =
            t->rec.term - first < VOID_TERMS ? first : t->rec.term - VOID_TERMS;
        if (t->rec.seq - from > LIMIT_HISTORY) {
            entry = t->rec.seq - LIMIT_HISTORY + 1;
        }
        /* Of what we said: we may have more of it than where we stand, as who
           was put back does. */
        for (uint64_t n = 0; n <= t->rec.term - first; n++) {
            TRY(fed_past_later(core, t, first + n, entry));
        }
        fed_branch_lost(t, first, t->rec.term, from);
    }
    TRY(fed_proof_drop(core, t, in->began));
    TRY(fed_proof_put(core, in));
    /* Who came in by us alone hears it from nobody else. */
    TRY(fed_thread_hub_here(core, t) ? fed_move_remind(core, t) : OK);
    TRY(rejoin(core, t, in, from < in->seq ? from : in->seq, !told));
out:
    return e;
}

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
        TRY(lost_race(core, t, in, none ? in->seq : now.seq));
        goto out;
    }
    /* [move-settled] what this hub followed from is settled */
    if (!none && now.term == began && memcmp(now.hub, in->hub, 32) == 0 &&
        fed_proof_beats(t, in, &now)) {
        TRY(lost_race(core, t, in, now.seq));
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
        TRY(e == OK || fed_ours(e) ? e : rejoin(core, t, in, in->seq, false));
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
    TRY(rejoin(core, t, in, in->seq, false));
out:
    return e;
}

enum err
fed_move_step(struct fed_core *core, struct fed_thread *t)
{
    enum err e;
    struct proto_hub_move in;
    struct bytes hold = {0};
    struct clinic_id hub = root_of(t->rec.hub);
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
            e = rejoin(core, t, &in, in.seq, false);
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
    struct clinic_id to = root_of(in->to);
    struct fed_party *other;

    if (memcmp(t->rec.hub, p->root.b, 32) != 0 || p->via != NULL ||
        t->rec.state != FED_THREAD_RESYNC || in->term <= t->rec.term ||
        fed_move_far(t, in->term) ||
        clinic_id_equal(&to, &core->config.self.root)) {
        return OK;
    }
    mls_group_free(t->joining);
    t->joining = NULL;
    TRY(set_hub(core, t, in->to));
    t->rec.term = in->term; /* nobody leads us in a circle */
    TRY(meet(core, &to, &other));
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
    TRY(e == ERR_DENIED && yields(t, p, in, began) ? OK : e);
    if (in->began < began) {
        TRY(earlier(core, t, p, in, began));
    } else if (in->term > t->rec.term) {
        TRY(next_term(core, t, p, in));
    } else {
        /* A hub that came back from a restore went on beside a quorum. */
        TRY(lost_race(core, t, in, in->seq));
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
