/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patients in a group: which leaves are their devices, and which clinics may
 * read along (decisions D 18, F 23).  Both are judged on what stands in the
 * group itself, so that every member, also one that comes later, comes to the
 * same answer: the patient's signed device list, and for each clinic that did
 * not bring the patient in, a consent.
 */
#include "federation/core/care.h"

#include <string.h>

/* The list of a patient in a group, verified.  ERR_DENIED  none, or not good */
static enum err
list_in(struct fed_core *core, const struct proto_group *group,
        const uint8_t patient[32], struct ident_devices *out)
{
    enum err e;
    struct patient_id id;
    struct view list;

    memcpy(id.b, patient, sizeof(id.b));
    /* [patient-list] */
    if (!proto_group_list(group, patient, &list)) {
        return ERR_DENIED;
    }
    e = ident_devices_open(core->mem, &id, list, out);
    return e == OK || fed_ours(e) ? e : ERR_DENIED;
}

static const struct ident_device *
device_in(const struct ident_devices *list, const struct clinic_id *node)
{
    struct device_id id;

    memcpy(id.b, node->b, sizeof(id.b));
    return ident_devices_find(list, &id);
}

bool
fed_members_listed(struct fed_core *core, const struct proto_group *group,
                   const struct fed_who *who)
{
    struct ident_devices list;

    return list_in(core, group, who->subject.b, &list) == OK &&
           device_in(&list, &who->node) != NULL;
}

/* Is this leaf one of the patient's devices, by its certificate? */
static enum err
judge_cert(struct fed_core *core, const struct mls_member *leaf,
           const struct fed_who *who, const struct ident_devices *list)
{
    enum err e;
    struct ident_device_cert cert;
    struct device_id key;
    struct patient_id patient;
    struct ident_devices known;

    TRY(device_id_from(leaf->signature_key, &key));
    memcpy(patient.b, who->subject.b, sizeof(patient.b));
    /* [device-certified] in the list, certified, and its own key */
    TRY(ident_device_cert_verify(core->mem, leaf->credential, list, &key,
                                 &cert));
    TRY(patient_id_equal(&cert.patient, &patient) ? OK : ERR_DENIED);
    /* [device-removed] also by a newer list that this thread has not seen */
    e = fed_patient_list(core, &patient, &known);
    if (e == OK && known.generation > list->generation) {
        TRY(device_in(&known, &who->node) != NULL ? OK : ERR_DENIED);
    }
    e = e == ERR_MISSING ? OK : e;
out:
    return e == OK || fed_ours(e) ? e : ERR_DENIED;
}

/* ------------------------------------------------------------------ commits */

struct change {
    struct fed_core *core;
    const struct fed_thread *t;
    const struct mls_stage *stage;
    const struct proto_group *after;
};

static bool
leaf_removed(const struct mls_stage *stage, uint32_t leaf)
{
    struct mls_leaf_change c;

    for (size_t i = 0; mls_stage_leaf(stage, i, &c); i++) {
        if (c.leaf == leaf && c.what == MLS_REMOVED) {
            return true;
        }
    }
    return false;
}

/* Is a leaf of this patient new, or has it another certificate? */
static bool
has_new_leaf(const struct mls_stage *stage, const uint8_t patient[32])
{
    struct mls_leaf_change c;
    struct clinic_id who;

    for (size_t i = 0; mls_stage_leaf(stage, i, &c); i++) {
        if (c.what != MLS_REMOVED &&
            fed_cred_subject(c.after.credential, &who) == OK &&
            memcmp(who.b, patient, 32) == 0) {
            return true;
        }
    }
    return false;
}

static enum err
judge_new_leaves(const struct change *c, const struct proto_subject *s,
                 const struct ident_devices *list)
{
    enum err e = OK;
    struct mls_leaf_change leaf;

    for (size_t i = 0; mls_stage_leaf(c->stage, i, &leaf); i++) {
        struct fed_who who;

        if (leaf.what == MLS_REMOVED) {
            continue;
        }
        TRY(fed_cred_who(leaf.after.credential, &who));
        if (memcmp(who.subject.b, s->root, 32) == 0) {
            TRY(judge_cert(c->core, &leaf.after, &who, list));
        }
    }
out:
    return e;
}

/* A newer list: who is not in it any more is not in the group. */
static enum err
judge_newer(const struct change *c, const struct proto_subject *s,
            const struct ident_devices *list)
{
    enum err e = OK;
    struct proto_subject b;
    struct ident_devices old;
    uint32_t n = mls_group_leaf_count(c->t->mls);

    if (proto_group_find(&c->t->group, s->root, &b)) {
        TRY(list_in(c->core, &c->t->group, s->root, &old));
        /* [patient-list-newer] never an older one, nor another */
        e = ident_devices_compare(&old, list);
        TRY(e == OK ? OK : ERR_DENIED);
    }
    for (uint32_t i = 0; i < n; i++) {
        struct fed_who who;

        /* [device-gone] */
        if (fed_leaf_who(c->t->mls, i, &who) == OK &&
            memcmp(who.subject.b, s->root, 32) == 0 &&
            !leaf_removed(c->stage, i) && device_in(list, &who.node) == NULL) {
            return ERR_DENIED;
        }
    }
    /* [patient-list-alarm] two lists of one generation */
    TRY(fed_patient_judge(c->core, list));
out:
    return e;
}

static enum err
judge_patient(const struct change *c, const struct proto_subject *s)
{
    enum err e = OK;
    struct ident_devices list;
    struct view now = {0};
    struct view before = {0};
    bool same;

    if (!proto_group_list(c->after, s->root, &now)) {
        return ERR_DENIED;
    }
    same = proto_group_list(&c->t->group, s->root, &before) &&
           view_equal(now, before);
    if (same && !has_new_leaf(c->stage, s->root)) {
        return OK;
    }
    TRY(list_in(c->core, c->after, s->root, &list));
    /* [patient-generation] */
    TRY(list.generation == s->generation ? OK : ERR_DENIED);
    if (!same) {
        TRY(judge_newer(c, s, &list));
    }
    TRY(judge_new_leaves(c, s, &list));
out:
    return e;
}

/* ----------------------------------------------------------------- consents */

/* Signed at the desk of a clinic that is in the thread. */
static enum err
open_desk(struct fed_core *core, const struct proto_group *group,
          struct view in, struct ident_consent *out)
{
    enum err e;
    struct proto_list_at at = {0};
    struct proto_subject s;

    while (proto_list_next(&group->subjects, &proto_subject_shape, &at, &s)) {
        struct clinic_id asker;
        struct ident_check check = {.root = &asker, .now_ms = core->judge_ms};
        struct ident_desk_consent desk;

        memcpy(asker.b, s.root, sizeof(asker.b));
        e = s.kind == PROTO_SUBJECT_CLINIC
                ? ident_desk_consent_open(core->mem, in, &check, &desk)
                : ERR_AUTH;
        if (e == OK) {
            *out = desk.consent;
        }
        if (e == OK || fed_ours(e)) {
            return e;
        }
    }
    return ERR_DENIED;
}

/* [consent-covers] this clinic, this thread, not over; [consent-withdrawn] and
   not taken back */
static enum err
covers(struct fed_core *core, const struct thread_id *thread,
       const struct proto_thread_consent *in,
       const struct ident_consent *consent)
{
    enum err e;
    struct clinic_id clinic;
    uint64_t withdrawn;

    memcpy(clinic.b, in->clinic, sizeof(clinic.b));
    TRY(fed_consent_withdrawn(core, thread, in->patient, in->clinic,
                              &withdrawn));
    TRY(consent->serial > withdrawn &&
                memcmp(consent->patient.b, in->patient, 32) == 0 &&
                ident_consent_covers(consent, &clinic, IDENT_SCOPE_THREAD,
                                     thread, core->judge_ms)
            ? OK
            : ERR_DENIED);
out:
    return e;
}

enum err
fed_members_opened(struct fed_core *core, const struct proto_group *group,
                   const struct proto_thread_consent *in,
                   struct ident_consent *out)
{
    enum err e;
    struct ident_devices list;

    if (in->desk) {
        return open_desk(core, group, in->consent, out);
    }
    TRY(list_in(core, group, in->patient, &list));
    /* [consent-signed] by a device of the patient */
    TRY(ident_consent_open(core->mem, in->consent, &list, out));
out:
    return e;
}

static enum err
judge_consent(struct fed_core *core, const struct thread_id *thread,
              const struct proto_group *group,
              const struct proto_thread_consent *in)
{
    enum err e;
    struct ident_consent consent;

    TRY(fed_members_opened(core, group, in, &consent));
    TRY(covers(core, thread, in, &consent));
out:
    return e == OK || fed_ours(e) ? e : ERR_DENIED;
}

/*
 * A thread that continues one whose state all members lost goes on with what
 * was consented to for that one: as it stood there, though the phone that
 * signed it may be gone; or by its signature; or, on a new phone, which has
 * forgotten, by its home's word (route.c).
 */
static enum err
judge_carried(struct fed_core *core, const struct thread_id *thread,
              const struct proto_group *group,
              const struct proto_thread_consent *in)
{
    enum err e;
    struct thread_id before;
    struct clinic_id hub;
    struct fed_thread *old = NULL; /* a new phone may know of none */
    struct proto_thread_consent was;
    struct fed_rec_consent rec;
    struct bytes hold = {0};
    enum fed_recall taken;
    bool good = false;

    memcpy(before.b, group->prev, sizeof(before.b));
    memcpy(hub.b, group->hub, sizeof(hub.b));
    TRY(fed_consent_pair(core, &before, in->patient, in->clinic, &rec, &hold));
    /* [consent-withdrawn] */
    if (fed_consent_over(&rec)) {
        /* but for us who said so there once more: the clinic goes again */
        TRY(fed_consent_taken(core, thread, in->patient, in->clinic, &taken));
        e = taken == FED_RECALL_SAID ? OK : ERR_DENIED;
        goto out;
    }
    e = fed_thread_get(core, &before, &old);
    TRY(e == ERR_MISSING ? OK : e);
    /* [consent-carried] */
    if (old != NULL &&
        proto_group_consent(&old->group, in->patient, in->clinic, &was) &&
        was.desk == in->desk && view_equal(was.consent, in->consent)) {
        goto out;
    }
    e = judge_consent(core, &before, group, in);
    if (e == ERR_DENIED) {
        TRY(fed_route_believed(core, &hub, &good));
        e = good ? OK : ERR_DENIED;
    }
out:
    bytes_free(&hold);
    return e;
}

enum err
fed_members_consent(struct fed_core *core, const struct thread_id *thread,
                    const struct proto_group *group,
                    const struct proto_thread_consent *in)
{
    enum err e = judge_consent(core, thread, group, in);

    return e == ERR_DENIED && (group->flags & PROTO_GROUP_CONTINUES) != 0 &&
                   group->term == 1
               ? judge_carried(core, thread, group, in)
               : e;
}

/* May clinic read what patient says?  before: as it was, NULL on joining. */
static enum err
judge_pair(struct fed_core *core, const struct fed_thread *t,
           const struct proto_group *after, const struct proto_subject *patient,
           const struct proto_subject *clinic)
{
    struct proto_thread_consent now;
    struct proto_thread_consent was;

    if (memcmp(patient->added_by, clinic->root, 32) == 0) {
        return OK; /* the patient came with it */
    }
    /* [consent-needed] */
    if (!proto_group_consent(after, patient->root, clinic->root, &now)) {
        return ERR_DENIED;
    }
    if (t == NULL) {
        return OK; /* its members judged it when it came */
    }
    if (proto_group_consent(&t->group, patient->root, clinic->root, &was) &&
        was.desk == now.desk && view_equal(was.consent, now.consent)) {
        return OK;
    }
    return fed_members_consent(core, &t->id, after, &now);
}

static enum err
judge_pairs(struct fed_core *core, const struct fed_thread *t,
            const struct proto_group *after, const struct proto_subject *p)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_subject s;

    while (proto_list_next(&after->subjects, &proto_subject_shape, &at, &s)) {
        if (s.kind == PROTO_SUBJECT_CLINIC) {
            TRY(judge_pair(core, t, after, p, &s));
        }
    }
out:
    return e;
}

/* Nothing is kept about those who are not there. */
static bool
nothing_left_over(const struct proto_group *after)
{
    struct proto_list_at at = {0};
    struct proto_patient_list l;
    struct proto_thread_consent c;
    struct proto_subject s;

    while (proto_list_next(&after->lists, &proto_patient_list_shape, &at, &l)) {
        if (!proto_group_find(after, l.patient, &s) ||
            s.kind != PROTO_SUBJECT_PATIENT) {
            return false;
        }
    }
    at = (struct proto_list_at){0};
    while (proto_list_next(&after->consents, &proto_thread_consent_shape, &at,
                           &c)) {
        if (!proto_group_find(after, c.patient, &s) ||
            !proto_group_find(after, c.clinic, &s)) {
            return false;
        }
    }
    return true;
}

enum err
fed_members_commit(struct fed_core *core, const struct fed_thread *t,
                   const struct mls_stage *stage,
                   const struct proto_group *after)
{
    enum err e = OK;
    struct change c = {core, t, stage, after};
    struct proto_list_at at = {0};
    struct proto_subject s;

    while (proto_list_next(&after->subjects, &proto_subject_shape, &at, &s)) {
        if (s.kind == PROTO_SUBJECT_PATIENT) {
            TRY(judge_patient(&c, &s));
            TRY(judge_pairs(core, t, after, &s));
        }
    }
    /* [group-left-over] */
    TRY(nothing_left_over(after) ? OK : ERR_DENIED);
out:
    return e;
}

/* ------------------------------------------------------------------ joining */

/* A leaf of a group that we join; how often has its subject one? */
static enum err
judge_member(struct fed_core *core, const struct mls_group *mls, uint32_t leaf,
             const struct proto_group *group)
{
    enum err e;
    struct mls_member m;
    struct fed_who who;
    struct proto_subject s;
    struct ident_devices list;
    uint32_t first;

    if (mls_member_at(mls, leaf, &m) != OK) {
        return OK; /* blank */
    }
    TRY(fed_cred_who(m.credential, &who));
    TRY(proto_group_find(group, who.subject.b, &s) ? OK : ERR_DENIED);
    TRY(fed_leaf_at(mls, &who.node, &first));
    TRY(first == leaf ? OK : ERR_DENIED);
    if (who.kind == FED_KIND_CLINIC) {
        TRY(s.kind == PROTO_SUBJECT_CLINIC ? OK : ERR_DENIED);
        goto out;
    }
    TRY(s.kind == PROTO_SUBJECT_PATIENT ? OK : ERR_DENIED);
    TRY(list_in(core, group, s.root, &list));
    TRY(list.generation == s.generation ? OK : ERR_DENIED);
    TRY(judge_cert(core, &m, &who, &list));
out:
    return e == OK || fed_ours(e) ? e : ERR_DENIED;
}

enum err
fed_policy_members(struct fed_core *core, const struct mls_group *mls,
                   const struct proto_group *group)
{
    enum err e = OK;
    uint32_t n = mls_group_leaf_count(mls);
    struct proto_list_at at = {0};
    struct proto_subject s;

    /* [thread-members] each leaf is one of a participant's */
    for (uint32_t i = 0; i < n; i++) {
        TRY(judge_member(core, mls, i, group));
    }
    while (proto_list_next(&group->subjects, &proto_subject_shape, &at, &s)) {
        if (s.kind == PROTO_SUBJECT_PATIENT) {
            TRY(judge_pairs(core, NULL, group, &s));
        }
    }
    TRY(nothing_left_over(group) ? OK : ERR_DENIED);
out:
    return e;
}
