/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When every member of a thread has lost its state (all were restored), nobody
 * can let anybody in any more.  Then the hub, which has compared with
 * everybody, founds a thread that continues it: the same members, log numbers
 * that go on, what waited to be said, and what some of them still have of the
 * log is asked for as history (decisions G 31: a conversation has one thread,
 * replaceable).
 */
#include "federation/core/successor.h"
#include "federation/core/care.h"
#include "federation/core/trust.h"

#include <string.h>

enum {
    SUCCESSORS = 64 /* of one thread, each founded after a loss by all */
};

bool
fed_has_successor(const struct fed_thread *t)
{
    static const uint8_t none[32];

    return memcmp(t->rec.next, none, sizeof(none)) != 0;
}

enum err
fed_successor_newest(struct fed_core *core, const struct fed_thread *old,
                     struct thread_id *id, struct fed_thread **out)
{
    enum err e = OK;
    struct fed_thread *t = NULL;

    *out = NULL;
    memcpy(id->b, old->rec.next, sizeof(id->b));
    for (int i = 0; i < SUCCESSORS && e == OK; i++) {
        e = fed_thread_get(core, id, &t);
        *out = e == OK ? t : NULL;
        if (e != OK || !fed_has_successor(t)) {
            break;
        }
        memcpy(id->b, t->rec.next, sizeof(id->b));
    }
    return e == ERR_MISSING ? OK : e;
}

void
fed_successor_follows(struct fed_thread *old, const struct fed_thread *t)
{
    memcpy(old->rec.next, t->id.b, sizeof(old->rec.next));
    old->dirty = true;
}

enum err
fed_successor_replace(struct fed_core *core, struct fed_thread *old,
                      struct fed_thread *t)
{
    enum err e;
    uint64_t from = old->rec.gap_from;
    uint64_t to = t->rec.seq;

    fed_successor_follows(old, t);
    TRY(fed_intent_move(core, old, t));
    TRY(fed_thread_over(core, old, FED_THREAD_ENDED));
    if (old->rec.missing_from != 0 &&
        (from == 0 || old->rec.missing_from < from)) {
        from = old->rec.missing_from;
    }
    if (from != 0 && from <= to) {
        TRY(fed_missing_add(core, t, t->rec.term, from, to));
    }
out:
    return e;
}

/* The patients' consents were for the thread that this one continues. */
static enum err
carry_consents(struct fed_core *core, const struct fed_thread *old,
               struct fed_thread *t)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_thread_consent c;

    while (proto_list_next(&old->group.consents, &proto_thread_consent_shape,
                           &at, &c)) {
        TRY(fed_consent_carry(core, &old->id, &t->id, &c));
    }
out:
    return e;
}

/* [successor-withdrawn] Did a patient of the thread take back what this clinic
   was allowed?  Then it does not come along. */
static enum err
was_withdrawn(struct fed_core *core, const struct fed_thread *old,
              const uint8_t clinic[32], bool *out)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_subject s;

    *out = false;
    while (!*out && proto_list_next(&old->group.subjects, &proto_subject_shape,
                                    &at, &s)) {
        struct fed_rec_consent rec;
        struct bytes hold = {0};

        if (s.kind != PROTO_SUBJECT_PATIENT) {
            continue;
        }
        TRY(fed_consent_pair(core, &old->id, s.root, clinic, &rec, &hold));
        *out = fed_consent_over(&rec);
        bytes_free(&hold);
    }
out:
    return e;
}

/*
 * [successor-brought] A patient lets itself be brought into a thread only by a
 * clinic that it is a patient of: each clinic brings again whom it had brought,
 * who founds the thread at once, the others when they come into it.  Where such
 * a clinic has left, who founds the thread does it for a patient of its own.
 */
static bool
ours_to_bring(struct fed_core *core, const struct proto_group *group,
              const struct proto_subject *patient)
{
    struct clinic_id root;
    struct proto_subject by;
    const struct fed_party *p;

    if (memcmp(patient->added_by, core->me.b, 32) == 0) {
        return true;
    }
    memcpy(root.b, patient->root, sizeof(root.b));
    p = fed_party_find(core, &root);
    return !proto_group_find(group, patient->added_by, &by) && p != NULL &&
           p->stored && p->kind == FED_KIND_PATIENT && p->via == NULL &&
           p->rec.ours == PROTO_STANCE_GRANTED && !p->rec.blocked;
}

static enum err
add_members(struct fed_core *core, const struct fed_thread *old,
            struct fed_thread *t)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_subject s;
    bool gone;

    while (
        proto_list_next(&old->group.subjects, &proto_subject_shape, &at, &s)) {
        if (memcmp(s.root, core->config.self.root.b, 32) == 0) {
            continue;
        }
        if (s.kind == PROTO_SUBJECT_PATIENT) {
            TRY(ours_to_bring(core, &old->group, &s)
                    ? fed_intent_bring(core, t, s.root)
                    : OK);
            continue;
        }
        TRY(was_withdrawn(core, old, s.root, &gone));
        TRY(gone ? OK : fed_intent_bring(core, t, s.root));
    }
out:
    return e;
}

/* Whom somebody here wanted in, who was not yet: a thread that was founded
   again may be lost before it has all of its members. */
static enum err
add_waiting(struct fed_core *core, const struct fed_thread *old,
            struct fed_thread *from, struct fed_thread *t)
{
    enum err e = OK;

    for (uint64_t number = 0; e == OK; number++) {
        struct fed_rec_intent rec;
        struct bytes hold = {0};
        struct proto_subject s;

        e = fed_intent_next(core, &from->id, &number, &rec, &hold);
        if (e == OK && rec.kind == FED_INTENT_ADD &&
            !proto_group_find(&old->group, rec.id, &s)) {
            e = fed_intent_bring(core, t, rec.id);
        }
        bytes_free(&hold);
    }
    return e == ERR_MISSING ? OK : e;
}

/* Is somebody in the new one whom a patient has withdrawn from? */
static enum err
good_company(struct fed_core *core, const struct fed_thread *old,
             const struct fed_thread *t, bool *out)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_subject s;
    bool gone = false;

    while (!gone &&
           proto_list_next(&t->group.subjects, &proto_subject_shape, &at, &s)) {
        TRY(was_withdrawn(core, old, s.root, &gone));
    }
    *out = !gone;
out:
    return e;
}

enum err
fed_successor_bring(struct fed_core *core, const struct fed_thread *old,
                    struct fed_thread *t)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_subject s;
    struct proto_subject now;
    bool good;

    if (core->kind != FED_KIND_CLINIC || old->rec.group.len == 0) {
        return OK;
    }
    TRY(good_company(core, old, t, &good));
    if (!good) {
        goto out;
    }
    TRY(carry_consents(core, old, t));
    while (
        proto_list_next(&old->group.subjects, &proto_subject_shape, &at, &s)) {
        if (s.kind == PROTO_SUBJECT_PATIENT &&
            memcmp(s.added_by, core->me.b, 32) == 0 &&
            !proto_group_find(&t->group, s.root, &now)) {
            TRY(fed_intent_bring(core, t, s.root));
        }
    }
out:
    return e;
}

enum err
fed_successor_direct(struct fed_core *core, const struct fed_thread *old,
                     const struct thread_id *id)
{
    enum err e = OK;
    struct fed_party *p;

    if ((old->rec.flags & PROTO_GROUP_DIRECT) == 0 || old->members_len == 0) {
        return OK;
    }
    TRY(fed_party_get(core, &old->members[0].node, &p));
    memcpy(p->rec.direct, id->b, sizeof(p->rec.direct));
    TRY(fed_party_changed(core, p));
out:
    return e;
}

/* Is whoever brought each patient still there to do it again, or may we? */
static bool
may_bring(struct fed_core *core, const struct fed_thread *t)
{
    struct proto_list_at at = {0};
    struct proto_subject s;
    struct proto_subject by;

    while (proto_list_next(&t->group.subjects, &proto_subject_shape, &at, &s)) {
        if (s.kind == PROTO_SUBJECT_PATIENT &&
            !ours_to_bring(core, &t->group, &s) &&
            !proto_group_find(&t->group, s.added_by, &by)) {
            return false;
        }
    }
    return true;
}

/* lost: the successor that was founded before, and went; or NULL. */
static enum err
found(struct fed_core *core, struct fed_thread *old, struct fed_thread *lost)
{
    enum err e;
    struct thread_id id;
    struct fed_thread *t;
    struct clinic_id best = old->best;
    uint64_t flags =
        (old->rec.flags & PROTO_GROUP_DIRECT) | PROTO_GROUP_CONTINUES;

    if (!may_bring(core, old)) {
        return OK;
    }
    TRY(rng_fill(core->config.rng, id.b, sizeof(id.b)));
    TRY(fed_hub_continue(core, &id, flags, old->id.b, &t));
    t->rec.term = old->rec.term + 1;
    t->rec.seq = old->best_seq > old->rec.seq ? old->best_seq : old->rec.seq;
    t->rec.ts_ms = old->rec.ts_ms;
    if (lost != NULL) {
        t->rec.term = lost->rec.term + 1;
        t->rec.seq = lost->rec.seq > t->rec.seq ? lost->rec.seq : t->rec.seq;
    }
    t->rec.epoch_seq = t->rec.seq;
    t->rec.epoch_ts_ms = t->rec.ts_ms;
    t->best = best;
    if (core->config.log != NULL) {
        LOG(core->config.log, LOG_WARN, "fed.thread.continued",
            LOG_TAG("thread", log_tag_of(thread_id_view(&old->id))),
            LOG_TAG("by", log_tag_of(thread_id_view(&id))),
            LOG_NUM("seq", t->rec.seq));
    }
    if (lost != NULL) {
        t->between = lost->id;
    }
    TRY(fed_thread_show(core, t));
    TRY(fed_successor_direct(core, old, &id));
    TRY(carry_consents(core, old, t));
    TRY(add_members(core, old, t));
    TRY(add_waiting(core, old, old, t));
    TRY(lost != NULL ? add_waiting(core, old, lost, t) : OK);
    TRY(fed_successor_replace(core, old, t));
    TRY(lost != NULL ? fed_intent_move(core, lost, t) : OK);
    TRY(fed_intent_pump(core, t));
out:
    return e;
}

enum err
fed_successor_found(struct fed_core *core, struct fed_thread *old)
{
    return found(core, old, NULL);
}

enum err
fed_successor_asks(struct fed_core *core, const struct fed_party *p, bool *out)
{
    enum err e = OK;

    *out = false;
    for (size_t i = 0; i < core->busy_len && !*out; i++) {
        struct fed_thread *t = NULL;

        e = fed_thread_get(core, &core->busy[i].id, &t);
        TRY(e == ERR_MISSING ? OK : e);
        *out = t != NULL && t->rec.state == FED_THREAD_RESYNC &&
               memcmp(t->rec.hub, p->root.b, 32) == 0;
    }
    e = OK;
out:
    return e;
}

enum err
fed_successor_before(struct fed_core *core, const struct proto_group *group,
                     struct fed_thread **out)
{
    struct thread_id id;
    enum err e;

    memcpy(id.b, group->prev, sizeof(id.b));
    e = fed_thread_get(core, &id, out);
    if (e == ERR_MISSING) {
        *out = NULL;
    }
    return e == ERR_MISSING ? OK : e;
}

/* The members of the one before still wait for it: it is founded once more.
   Where something was numbered somebody was in it, and left. */
enum err
fed_successor_again(struct fed_core *core, struct fed_thread *t)
{
    static const uint8_t nothing[32];
    enum err e = OK;
    struct fed_thread *old = NULL;

    if ((t->group.flags & PROTO_GROUP_CONTINUES) != 0 &&
        memcmp(t->rec.head, nothing, sizeof(nothing)) == 0) {
        TRY(fed_successor_before(core, &t->group, &old));
    }
    if (old != NULL && memcmp(old->rec.next, t->id.b, sizeof(t->id.b)) == 0) {
        TRY(found(core, old, t));
    }
    TRY(fed_thread_over(core, t, FED_THREAD_ENDED));
out:
    return e;
}
