/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread has another hub than the one whose log we have: what that means
 * for what we asked the other for, and how we come in with it, without the
 * entries that are not of its log.
 */
#include "federation/core/branch.h"
#include "federation/core/move.h"
#include "federation/core/trust.h"
#include "federation/core/watch.h"

#include <string.h>

enum {
    VOID_TERMS = 8 /* that lose a race at once */
};

/* Told at the entry that made it so. */
enum err
fed_move_show(struct fed_core *core, const struct fed_thread *t,
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

enum err
fed_move_show_void(struct fed_core *core, const struct fed_thread *t,
                   uint64_t from, uint64_t to, uint64_t seq)
{
    struct fed_show *show = fed_tx_show(core, FED_SHOW_VOID);

    if (show == NULL) {
        return ERR_NOMEM;
    }
    show->thread = t->id;
    show->term = from;
    show->value = to;
    show->seq = seq;
    return OK;
}

/* We will have to do with a clinic that we may not know. */
enum err
fed_move_meet(struct fed_core *core, const struct clinic_id *root,
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

/* The thread has hub now: nothing that was asked of the one before counts. */
enum err
fed_move_set_hub(struct fed_core *core, struct fed_thread *t,
                 const uint8_t hub[32])
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

/* What our group says of its hub is void, if the one that counts began before:
   then it is what is known of that one (fed_move_began). */
static enum err
began_before(struct fed_core *core, struct fed_thread *t,
             const struct proto_hub_move *in)
{
    enum err e = OK;
    struct proto_group group = t->group;
    struct bytes ext = {0};

    if (in->term >= group.term) {
        return OK;
    }
    memcpy(group.hub, in->to, sizeof(group.hub));
    group.term = in->term;
    TRY(proto_group_encode(core->mem, &group, &ext));
    TRY(fed_thread_group(core, t, view_of(&ext)));
out:
    bytes_free(&ext);
    return e;
}

/*
 * Rejoin with the hub of a proof; entries behind from are not of its log.
 * again: those we have were said again, as they lost a race.  The hub may be
 * we, who were put back since, or did not get what made us so: all the others
 * look to us, so we compare with them as any hub that lost its state, and hear
 * from them if it is another by now.
 */
enum err
fed_rejoin(struct fed_core *core, struct fed_thread *t,
           const struct proto_hub_move *in, uint64_t from, bool again)
{
    enum err e = OK;
    uint8_t before[32];
    struct clinic_id to = fed_move_root(in->to);
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
    TRY(began_before(core, t, in));
    TRY(fed_move_set_hub(core, t, in->to));
    TRY(fed_resync_begin(core, t));
    t->rec.term = in->term; /* the next proof follows from this one */
    cut_behind(t, from, gap);
    t->rec.handed = 0;
    TRY(fed_move_show(core, t, before, in->planned ? in->seq : in->seq + 1,
                      in->planned ? FED_HUB_HANDED : FED_HUB_TAKEN));
    TRY(fed_move_meet(core, &to, &p));
    TRY(fed_intent_pump(core, t));
out:
    return e == OK || fed_ours(e) ? e : ERR_INTERNAL;
}

enum err
fed_rejoin_void(struct fed_core *core, struct fed_thread *t, uint64_t first,
                uint64_t from)
{
    enum err e = OK;
    uint64_t entry = from + 1;

    /* a term is the hub's word: it may name any */
    first = t->rec.term - first < VOID_TERMS ? first : t->rec.term - VOID_TERMS;
    if (t->rec.seq > from && t->rec.seq - from > LIMIT_HISTORY) {
        entry = t->rec.seq - LIMIT_HISTORY + 1;
    }
    /* Of what we said: we may have more of it than where we stand, as who was
       put back does. */
    for (uint64_t n = 0; n <= t->rec.term - first; n++) {
        TRY(fed_past_later(core, t, first + n, entry));
    }
    fed_branch_lost(t, first, t->rec.term, from);
    TRY(fed_move_show_void(core, t, first, t->rec.term, from));
out:
    return e;
}

/*
 * The last entry up to from that can be of the log that counts: it ended in
 * term, so what the hub before both numbered in later ones, as it was put back,
 * is not.  Terms grow with the log.
 */
static enum err
common(struct fed_core *core, const struct fed_thread *t, uint64_t term,
       uint64_t *from)
{
    enum err e = OK;
    struct fed_rec_log rec;
    uint64_t low = t->rec.kept > 0 ? t->rec.kept - 1 : 0; /* it can be */
    uint64_t high = *from;

    while (e == OK && low < high) {
        uint64_t mid = high - (high - low) / 2;
        struct bytes hold = {0};

        e = fed_log_get(core, &t->id, mid, &rec, &hold);
        bytes_free(&hold);
        if (e == OK && rec.term <= term) {
            low = mid;
        } else if (e == OK) {
            high = mid - 1;
        }
    }
    *from = e == OK && low < *from ? low : *from;
    return e == ERR_MISSING ? OK : e; /* we have no log */
}

/* Two began this term; the other one counts. */
enum err
fed_rejoin_lost(struct fed_core *core, struct fed_thread *t,
                const struct proto_hub_move *in, uint64_t from)
{
    enum err e;
    uint64_t term;
    /* Told of it only: what we have behind from is of a term before. */
    bool told = t->rec.had_seq != 0 && t->rec.had_term < t->rec.term;

    TRY(fed_proof_behind(core, t, in, &term));
    TRY(common(core, t, term, &from));
    if (t->rec.seq > from && !told) {
        TRY(fed_rejoin_void(
            core, t, in->term < t->rec.term ? in->term : t->rec.term, from));
    }
    TRY(fed_proof_drop(core, t, in->began));
    TRY(fed_proof_put(core, in));
    /* Who came in by us alone hears it from nobody else. */
    TRY(fed_thread_hub_here(core, t) ? fed_move_remind(core, t) : OK);
    TRY(fed_rejoin(core, t, in, from < in->seq ? from : in->seq, !told));
out:
    return e;
}
