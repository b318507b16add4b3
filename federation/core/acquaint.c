/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a group tells us about who is in it: patients that another clinic
 * brought become known, on a device clinics do, and who delivers carries for
 * the clinics that its patient shares a thread with.
 */
#include "federation/core/care.h"

#include <string.h>

/* A patient whom another clinic delivers for, from what a group says. */
static enum err
introduced(struct fed_core *core, const struct proto_subject *s,
           struct fed_party *p)
{
    enum err e;
    struct clinic_id via;

    memcpy(via.b, s->node, sizeof(via.b));
    TRY(clinic_id_equal(&via, &core->config.self.root) ? ERR_MISSING : OK);
    TRY(fed_party_get(core, &via, &p->via));
    p->kind = FED_KIND_PATIENT;
    p->rec.ours = PROTO_STANCE_THREAD;
    p->rec.theirs = PROTO_STANCE_THREAD;
    TRY(fed_party_changed(core, p));
out:
    return e;
}

enum err
fed_patient_party(struct fed_core *core, const struct proto_subject *s,
                  struct fed_party **out)
{
    enum err e;
    struct clinic_id root;
    struct fed_party *p;

    memcpy(root.b, s->root, sizeof(root.b));
    TRY(fed_party_get(core, &root, &p));
    if (!p->stored) {
        TRY(introduced(core, s, p));
    }
    TRY(p->kind == FED_KIND_PATIENT ? OK : ERR_DENIED);
    *out = p;
out:
    return e;
}

/* On a device: a clinic in one of our threads, carried by who delivers. */
static enum err
met_clinic(struct fed_core *core, const struct proto_subject *me,
           const struct proto_subject *s)
{
    enum err e;
    struct clinic_id root;
    struct clinic_id via;
    struct fed_party *p;

    memcpy(root.b, s->root, sizeof(root.b));
    memcpy(via.b, me->node, sizeof(via.b));
    TRY(fed_party_get(core, &root, &p));
    if (p->stored || clinic_id_equal(&root, &via)) {
        goto out;
    }
    TRY(fed_party_get(core, &via, &p->via));
    p->rec.ours = PROTO_STANCE_THREAD;
    p->rec.theirs = PROTO_STANCE_THREAD;
    TRY(fed_party_changed(core, p));
out:
    return e;
}

/* A clinic in a thread with a patient that we deliver for is carried to. */
static enum err
carry(struct fed_core *core, const struct proto_group *group,
      const struct proto_subject *patient)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_subject s;
    struct clinic_id who;
    struct clinic_id clinic;
    struct fed_rec_allow allow;

    memcpy(who.b, patient->root, sizeof(who.b));
    while (proto_list_next(&group->subjects, &proto_subject_shape, &at, &s)) {
        memcpy(clinic.b, s.root, sizeof(clinic.b));
        if (s.kind != PROTO_SUBJECT_CLINIC ||
            clinic_id_equal(&clinic, &core->config.self.root)) {
            continue;
        }
        TRY(fed_allow_get(core, &who, &clinic, &allow));
        if (!allow.allowed) {
            allow.allowed = true;
            TRY(fed_allow_put(core, &who, &clinic, &allow));
        }
    }
out:
    return e;
}

static enum err
know_patient(struct fed_core *core, const struct proto_group *group,
             const struct proto_subject *s)
{
    enum err e;
    struct fed_party *p;
    struct patient_id id;
    struct clinic_id by;
    struct view list;
    struct fed_rec_patient rec;
    struct bytes hold = {0};
    bool known;

    memcpy(id.b, s->root, sizeof(id.b));
    memcpy(by.b, s->added_by, sizeof(by.b));
    e = fed_patient_load(core, &id, &rec, &hold);
    known = e == OK;
    TRY(e == ERR_MISSING ? OK : e);
    TRY(fed_patient_party(core, s, &p));
    if (proto_group_list(group, s->root, &list)) {
        e = fed_patient_learn(core, &id, list, FED_LEARNED_INTRODUCED, &by);
        TRY(fed_ours(e) ? e : OK);
    }
    if (!known) {
        TRY(fed_patient_show(core, p, false, (struct view){0}));
    }
    if (p->via == NULL) {
        TRY(carry(core, group, s));
    }
    e = OK;
out:
    bytes_free(&hold);
    return e;
}

enum err
fed_patient_group(struct fed_core *core, struct fed_thread *t)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_subject s;
    struct proto_subject me = {.kind = 0};

    if (core->kind == FED_KIND_DEVICE &&
        !proto_group_find(&t->group, core->me.b, &me)) {
        return OK;
    }
    while (proto_list_next(&t->group.subjects, &proto_subject_shape, &at, &s)) {
        if (s.kind == PROTO_SUBJECT_CLINIC) {
            TRY(core->kind == FED_KIND_DEVICE ? met_clinic(core, &me, &s) : OK);
        } else if (memcmp(s.root, core->me.b, 32) != 0) {
            e = know_patient(core, &t->group, &s);
            TRY(e == ERR_MISSING || e == ERR_DENIED ? OK : e);
        }
    }
    e = fed_detour(core);
out:
    return e;
}
