/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After a restore (decisions E 20 and 21).  Everything that could make us use
 * a key twice goes at once; streams begin anew; followers rejoin; and a hub
 * first compares with its members, adopts the longest chain that follows from
 * what it still has, and numbers again only in a new term.
 */
#include "federation/core/care.h"
#include "federation/core/move.h"
#include "federation/core/rows.h"
#include "federation/core/successor.h"
#include "federation/core/trust.h"
#include "federation/core/watch.h"

#include "crypto/prim/hash.h"

#include <string.h>

enum {
    TERMS = 64 /* that a hub has begun, and forgot; more is no member's word */
};

/* ------------------------------------------------------------- the restore */

static enum err
rollback_party(struct fed_core *core, struct fed_party *p)
{
    enum err e;

    if (fed_route_needed(p)) {
        return OK; /* no stream of its own */
    }
    TRY(fed_stream_drop(core, p));
    TRY(fed_stream_new(core, p));
    if (p->up) {
        TRY(fed_tx_act(core, FED_ACT_CLOSE, p, NULL));
        p->up = false;
        p->greeted = false;
    }
    p->met = false;
    if (p->stored) {
        TRY(fed_party_save(core, p));
    }
    if (p->kind == FED_KIND_DEVICE) {
        p->keys_asked = false;
        TRY(fed_pool_drop(core, &p->root)); /* some may be handed out */
    }
    if (p->rec.ours == PROTO_STANCE_ASKED && core->kind == FED_KIND_CLINIC) {
        struct bytes kp = {0};

        TRY(fed_kp_make(core, &p->root, false, &kp));
        bytes_free(&p->kp);
        p->kp = kp;
        TRY(fed_party_save(core, p));
    }
out:
    return e;
}

/* Has this stored thread to do with p?  NULL: everybody. */
static enum err
concerns(struct view value, const struct fed_party *p, bool *out)
{
    enum err e;
    struct fed_rec_thread rec;
    struct proto_group group;
    struct proto_subject s;
    struct proto_list_at at = {0};

    *out = true;
    TRY(fed_rec_decode(value, &fed_rec_thread_shape, &rec));
    if (p == NULL || memcmp(rec.hub, p->root.b, 32) == 0) {
        goto out;
    }
    *out = false;
    if (rec.group.len > 0) {
        TRY(proto_group_decode(rec.group, &group) == OK ? OK : ERR_CORRUPT);
        while (
            proto_list_next(&group.subjects, &proto_subject_shape, &at, &s)) {
            *out = *out || memcmp(s.node, p->root.b, 32) == 0 ||
                   memcmp(s.root, p->subject.b, 32) == 0;
        }
    }
out:
    return e;
}

static enum err
rollback_thread(struct fed_core *core, const struct thread_id *id)
{
    enum err e;
    struct fed_thread *t;

    TRY(fed_thread_get(core, id, &t));
    if (t->rec.state == FED_THREAD_ACTIVE ||
        t->rec.state == FED_THREAD_OPENING) {
        TRY(fed_resync_begin(core, t));
    }
    TRY(t->dirty ? fed_thread_save(core, t) : OK);
    fed_thread_trim(core);
out:
    return e;
}

/* All threads, or those that p takes part in. */
static enum err
rollback_threads(struct fed_core *core, const struct fed_party *p)
{
    enum err e;
    struct fed_rows rows;

    TRY(fed_rows_threads(core, &rows));
    while ((e = fed_rows_next(core, &rows)) == OK) {
        struct thread_id id;
        bool with;

        TRY(fed_rows_thread(&rows, &id));
        TRY(concerns(view_of(&rows.value), p, &with));
        TRY(with ? rollback_thread(core, &id) : OK);
    }
    e = fed_rows_all(e);
out:
    fed_rows_free(&rows);
    return e;
}

/* Key packages that p was asked for are asked for again; NULL: everybody, the
   questions went with the streams. */
static enum err
claim_again(struct fed_core *core, const struct thread_id *id,
            const struct fed_party *p)
{
    enum err e;
    struct fed_thread *t;
    uint64_t number = 0;

    TRY(fed_thread_get(core, id, &t));
    for (;; number++) {
        struct fed_rec_intent rec;
        struct bytes hold = {0};

        e = fed_intent_next(core, id, &number, &rec, &hold);
        if (e == OK && rec.kind == FED_INTENT_ADD && rec.data.len == 0 &&
            rec.submitted &&
            (p == NULL || memcmp(rec.id, p->subject.b, 32) == 0)) {
            rec.submitted = false;
            e = fed_intent_put(core, t, number, &rec);
        }
        bytes_free(&hold);
        TRY(e);
    }
out:
    return e == ERR_MISSING ? OK : e;
}

static enum err
claims_again(struct fed_core *core, const struct fed_party *p)
{
    enum err e = OK;

    for (size_t i = 0; i < core->busy_len; i++) {
        TRY(claim_again(core, &core->busy[i].id, p));
    }
out:
    return e;
}

/* A later copy of us than all that anybody has met. */
static enum err
new_incarnation(struct fed_core *core, uint64_t seen)
{
    struct fed_key key = {.len = 0};
    uint64_t *n = &core->self.incarnation;

    if (seen > *n) {
        /* Whatever a peer claims, it never comes near the end. */
        *n = seen - *n > UINT32_MAX ? *n + UINT32_MAX : seen;
    }
    (*n)++;
    return fed_tx_save(core, FED_NS_SELF, &key, &fed_rec_self_shape,
                       &core->self);
}

enum err
fed_rollback(struct fed_core *core)
{
    enum err e;
    struct fed_show *show;

    TRY(new_incarnation(core, 0));
    TRY(fed_tx_drop(core, FED_NS_KP, (struct view){0}));
    core->touched_all = true;
    for (size_t i = 0; i < core->parties_len; i++) {
        TRY(rollback_party(core, core->parties[i]));
    }
    TRY(rollback_threads(core, NULL));
    fed_asks_lost(core, NULL);
    TRY(claims_again(core, NULL));
    core->start_ms = fed_mono(core);
    show = fed_tx_show(core, FED_SHOW_ROLLBACK);
    TRY(show == NULL ? ERR_NOMEM : OK);
out:
    return e;
}

enum err
fed_rollback_with(struct fed_core *core, struct fed_party *p,
                  uint64_t incarnation)
{
    enum err e;
    struct fed_show *show;

    TRY(new_incarnation(core, incarnation));
    TRY(rollback_party(core, p));
    TRY(rollback_threads(core, p));
    fed_asks_lost(core, p);
    TRY(claims_again(core, p));
    show = fed_tx_show(core, FED_SHOW_ROLLBACK);
    TRY(show == NULL ? ERR_NOMEM : OK);
    show->peer = p->root;
out:
    return e;
}

/* --------------------------------------------------------------- comparing */

void
fed_check_begin(struct fed_core *core, struct fed_thread *t)
{
    t->check_ms = fed_mono(core);
    memset(&t->best, 0, sizeof(t->best));
    t->best_seq = 0;
    t->heard_term = 0;
    for (size_t i = 0; i < t->members_len; i++) {
        struct fed_member *m = &t->members[i];

        m->asked = false;
        m->told = false;
        m->lost = false;
        m->mute = false; /* to what it was asked before */
        m->without = 0;
    }
}

/* Who has not answered by then is not waited for (decisions E 20). */
static uint64_t
waited_ms(const struct fed_core *core, const struct fed_thread *t)
{
    return LIMIT_CHECK_MS +
           (t->check_ms > core->start_ms ? t->check_ms : core->start_ms);
}

/* Ask every member that can be reached; enough have answered? */
static enum err
compare(struct fed_core *core, struct fed_thread *t, bool *enough)
{
    enum err e = OK;

    *enough = true;
    for (size_t i = 0; i < t->members_len; i++) {
        struct fed_member *m = &t->members[i];
        struct fed_party *p = fed_party_find(core, &m->node);

        if (m->told || fed_move_gone(core, t, &m->node)) {
            continue;
        }
        *enough = false;
        if (p != NULL && fed_party_live(p) && !m->asked) {
            m->asked = true;
            TRY(fed_pull_send(core, t, &m->node));
        }
    }
    if (fed_mono(core) >= waited_ms(core, t)) {
        *enough = true;
    }
out:
    return e;
}

/* Who could be reached (all, or within 72 hours) has no state either. */
static bool
all_lost(const struct fed_thread *t)
{
    bool any = false;

    for (size_t i = 0; i < t->members_len; i++) {
        any = any || t->members[i].lost;
        if (t->members[i].told && !t->members[i].lost) {
            return false;
        }
    }
    return any;
}

/* Whom to ask for the state: who has most of the log, else another. */
static struct fed_party *
whom(struct fed_core *core, struct fed_thread *t)
{
    bool others = fed_unanswered_other(core, t);
    const struct fed_member *m = fed_thread_member(t, &t->best);

    if (m != NULL && !m->lost && (!m->mute || !others)) {
        return fed_party_find(core, &t->best);
    }
    for (size_t i = 0; i < t->members_len; i++) {
        struct fed_party *p;

        m = &t->members[i];
        p = fed_party_find(core, &m->node);
        if (p != NULL && fed_party_live(p) && !m->lost && !m->mute) {
            return p;
        }
    }
    return NULL;
}

enum err
fed_check_step(struct fed_core *core, struct fed_thread *t)
{
    enum err e;
    bool enough;
    struct fed_party *p;

    TRY(compare(core, t, &enough));
    if (!enough) {
        fed_tx_timer(core, waited_ms(core, t));
        goto out;
    }
    if (t->members_len == 0) {
        /* Nobody else was in it yet: nothing to rejoin. */
        TRY(fed_successor_again(core, t));
        goto out;
    }
    p = whom(core, t);
    if (p == NULL && all_lost(t)) {
        TRY(fed_successor_found(core, t));
        goto out;
    }
    if (p != NULL && fed_party_live(p)) {
        TRY(fed_resync_ask(core, t, p));
    }
out:
    return e;
}

/* Every device of a patient that could be asked says that it has no state. */
static bool
none_has(struct fed_core *core, const struct fed_party *patient,
         const struct fed_member *m)
{
    struct patient_id id;
    struct ident_devices list;
    struct clinic_id root;
    const struct fed_party *d;

    memcpy(id.b, patient->root.b, sizeof(id.b));
    if (fed_patient_list(core, &id, &list) != OK) {
        return false;
    }
    for (uint32_t i = 0; i < list.len; i++) {
        memcpy(root.b, list.device[i].id.b, sizeof(root.b));
        d = fed_party_find(core, &root);
        if ((m->without & UINT32_C(1) << i) == 0 &&
            (patient->via != NULL ||
             (d != NULL && d->stored && !d->rec.blocked && !d->rec.away))) {
            return false;
        }
    }
    return true;
}

/*
 * A device has nothing of the thread: it answers so, or asks for the state
 * itself.  The question went to all of them, so the others answer too; one that
 * has it lets us in.
 */
enum err
fed_check_without(struct fed_core *core, struct fed_thread *t,
                  const struct fed_party *device)
{
    enum err e = OK;
    struct fed_member *m = fed_thread_member(t, &device->subject);
    const struct fed_party *patient = fed_party_find(core, &device->subject);
    struct patient_id id;
    struct ident_devices list;

    if (m == NULL || patient == NULL) {
        return OK;
    }
    memcpy(id.b, patient->root.b, sizeof(id.b));
    TRY(fed_patient_list(core, &id, &list));
    for (uint32_t i = 0; i < list.len; i++) {
        if (memcmp(list.device[i].id.b, device->root.b, 32) == 0) {
            m->without |= UINT32_C(1) << i;
        }
    }
    if (none_has(core, patient, m)) {
        m->told = true;
        m->lost = true;
        t->asked = false;
        TRY(fed_check_step(core, t));
    }
out:
    return e == ERR_MISSING ? OK : e;
}

/* The patient has other devices now: they are asked, unless one had it. */
enum err
fed_check_devices(struct fed_core *core, struct fed_thread *t,
                  const uint8_t patient[32])
{
    struct clinic_id id;
    struct fed_member *m;

    memcpy(id.b, patient, sizeof(id.b));
    m = fed_thread_member(t, &id);
    if (t->rec.state != FED_THREAD_CHECKING || m == NULL ||
        (m->told && !m->lost)) {
        return OK;
    }
    m->asked = false;
    m->told = false;
    m->lost = false;
    m->without = 0;
    return fed_check_step(core, t);
}

/* A phone in a drawer is waited for as long as a clinic. */
enum err
fed_check_waited(struct fed_core *core, struct fed_thread *t)
{
    bool any = false;

    if (t->rec.state != FED_THREAD_CHECKING ||
        fed_mono(core) < waited_ms(core, t)) {
        return OK;
    }
    for (size_t i = 0; i < t->members_len; i++) {
        struct fed_member *m = &t->members[i];

        any = any || (m->without != 0 && !m->lost);
        m->lost = m->lost || m->without != 0;
    }
    if (!any) {
        return OK;
    }
    t->asked = false;
    return fed_check_step(core, t);
}

/* Follow a member's entries from our head; how far do they lead? */
static enum err
follows(const struct fed_thread *t, const struct proto_log_part *in,
        uint64_t *upto)
{
    struct proto_list_at at = {0};
    struct proto_log_entry entry;
    uint64_t seq = t->rec.seq;
    uint8_t head[32];

    if (memcmp(in->prev, t->rec.head, sizeof(head)) != 0) {
        return ERR_AUTH; /* not our chain */
    }
    memcpy(head, t->rec.head, sizeof(head));
    while (proto_list_next(&in->entries, &proto_log_entry_shape, &at, &entry)) {
        uint8_t hash[32];

        if (entry.seq != seq + 1) {
            return ERR_INVALID;
        }
        if (entry.kind == PROTO_ENTRY_GONE) {
            if (entry.message.len != sizeof(hash)) {
                return ERR_FORMAT;
            }
            memcpy(hash, entry.message.p, sizeof(hash));
        } else {
            prim_sha256(entry.message, hash);
        }
        fed_log_head(head, entry.term, entry.seq, entry.ts_ms, hash, head);
        seq = entry.seq;
    }
    *upto = in->last > seq ? in->last : seq;
    return OK;
}

/*
 * The chain is compared, not adopted entry by entry: the GroupInfo of the best
 * member brings its head, and what it stands for is asked for as history.
 */
enum err
fed_check_part(struct fed_core *core, struct fed_thread *t, struct fed_party *p,
               const struct proto_log_part *in)
{
    enum err e = OK;
    struct fed_member *m = fed_thread_member(t, &p->subject);
    uint64_t upto = 0;

    if (t->rec.state != FED_THREAD_CHECKING || m == NULL) {
        return OK;
    }
    m->told = true;
    /* [check-term] Who rejoins, too, may have been shown places of a term that
       only we and it knew of. */
    if (in->code != PROTO_LOG_UNKNOWN && in->term > t->heard_term &&
        in->term <= t->rec.term + TERMS) {
        t->heard_term = in->term;
    }
    if (in->code != PROTO_LOG_UNKNOWN && in->term < t->rec.term) {
        /* What proves our term may have been lost with our streams. */
        TRY(fed_move_tell(core, t, p, in->term));
    }
    if (in->code == PROTO_LOG_OK && follows(t, in, &upto) == OK &&
        (clinic_id_is_zero(&t->best) || upto > t->best_seq)) {
        t->best = p->subject;
        t->best_seq = upto;
    } else if (in->code == PROTO_LOG_PRUNED && in->last > t->best_seq) {
        t->best = p->subject; /* further than it keeps heads */
        t->best_seq = in->last;
    }
    TRY(fed_check_step(core, t));
out:
    return e;
}
