/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The group's own description after a change: who takes part, the device
 * lists of patients, and the consents that let clinics read along.
 */
#include "federation/core/care.h"
#include "federation/core/move.h"

#include <string.h>

/* The new description while it is put together; views into the old one and
   into what was loaded. */
struct draft {
    struct fed_core *core;
    const struct fed_thread *t;
    const struct fed_regroup *want;
    struct proto_subject *subjects;
    uint32_t subjects_len;
    struct proto_patient_list lists[PROTO_GROUP_PATIENTS];
    uint32_t lists_len;
    struct proto_thread_consent *consents;
    struct bytes *holds; /* of consents */
    uint32_t consents_len;
    size_t cap;
};

static void
draft_clear(struct draft *d)
{
    for (uint32_t i = 0; d->holds != NULL && i < d->consents_len; i++) {
        bytes_free(&d->holds[i]);
    }
    mem_free(d->core->mem, d->holds, d->cap * sizeof(d->holds[0]));
    mem_free(d->core->mem, d->consents, d->cap * sizeof(d->consents[0]));
    mem_free(d->core->mem, d->subjects, d->cap * sizeof(d->subjects[0]));
}

static enum err
draft_open(struct draft *d)
{
    size_t n = d->t->group.subjects.len + 1u;

    d->cap = n * (PROTO_GROUP_PATIENTS + 1u);
    d->subjects = mem_calloc(d->core->mem, d->cap, sizeof(d->subjects[0]));
    d->consents = mem_calloc(d->core->mem, d->cap, sizeof(d->consents[0]));
    d->holds = mem_calloc(d->core->mem, d->cap, sizeof(d->holds[0]));
    return d->subjects == NULL || d->consents == NULL || d->holds == NULL
               ? ERR_NOMEM
               : OK;
}

static void
put_subjects(struct draft *d)
{
    const struct proto_subject *add = d->want->add;
    struct proto_list_at at = {0};
    struct proto_subject s;

    while (
        proto_list_next(&d->t->group.subjects, &proto_subject_shape, &at, &s)) {
        if (d->want->remove != NULL &&
            memcmp(d->want->remove, s.root, 32) == 0) {
            continue;
        }
        if (d->want->patient != NULL &&
            memcmp(d->want->patient, s.root, 32) == 0) {
            s.generation = d->want->generation;
        }
        if (add != NULL && memcmp(add->root, s.root, 32) < 0) {
            d->subjects[d->subjects_len++] = *add;
            add = NULL;
        }
        d->subjects[d->subjects_len++] = s;
    }
    if (add != NULL) {
        d->subjects[d->subjects_len++] = *add;
    }
}

/* Subjects are sorted, so lists and consents made in their order are. */
static enum err
put_list(struct draft *d, const struct proto_subject *s)
{
    struct proto_patient_list *l = &d->lists[d->lists_len];

    if (d->lists_len == PROTO_GROUP_PATIENTS) {
        return ERR_LIMIT;
    }
    memcpy(l->patient, s->root, sizeof(l->patient));
    if (d->want->patient != NULL &&
        memcmp(d->want->patient, s->root, 32) == 0) {
        l->list = d->want->list;
    } else if (!proto_group_list(&d->t->group, s->root, &l->list)) {
        return ERR_DENIED;
    }
    d->lists_len++;
    return OK;
}

static enum err
put_consent(struct draft *d, const struct proto_subject *patient,
            const struct proto_subject *clinic)
{
    enum err e;
    struct proto_thread_consent *c = &d->consents[d->consents_len];
    struct fed_rec_consent rec;

    if (clinic->kind != PROTO_SUBJECT_CLINIC ||
        memcmp(patient->added_by, clinic->root, 32) == 0) {
        return OK;
    }
    if (!proto_group_consent(&d->t->group, patient->root, clinic->root, c)) {
        e = fed_consent_find(d->core, &d->t->id, patient->root, clinic->root,
                             &rec, &d->holds[d->consents_len]);
        if (e != OK) {
            return e == ERR_MISSING ? ERR_DENIED : e;
        }
        memcpy(c->patient, patient->root, sizeof(c->patient));
        memcpy(c->clinic, clinic->root, sizeof(c->clinic));
        c->desk = rec.desk;
        c->consent = rec.consent;
    }
    d->consents_len++;
    return OK;
}

enum err
fed_regroup(struct fed_core *core, const struct fed_thread *t,
            const struct fed_regroup *want, struct bytes *out)
{
    enum err e;
    struct draft d = {.core = core, .t = t, .want = want};
    struct proto_group group = t->group;

    TRY(draft_open(&d));
    put_subjects(&d);
    for (uint32_t i = 0; i < d.subjects_len; i++) {
        if (d.subjects[i].kind != PROTO_SUBJECT_PATIENT) {
            continue;
        }
        TRY(put_list(&d, &d.subjects[i]));
        for (uint32_t k = 0; k < d.subjects_len; k++) {
            TRY(put_consent(&d, &d.subjects[i], &d.subjects[k]));
        }
    }
    if (want->hub != NULL) {
        memcpy(group.hub, want->hub, sizeof(group.hub));
        memcpy(group.prev, t->rec.head, sizeof(group.prev));
        group.term = fed_move_next(t);
    }
    group.subjects =
        (struct proto_list){.items = d.subjects, .len = d.subjects_len};
    group.lists = (struct proto_list){.items = d.lists, .len = d.lists_len};
    group.consents =
        (struct proto_list){.items = d.consents, .len = d.consents_len};
    TRY(proto_group_encode(core->mem, &group, out));
out:
    draft_clear(&d);
    return e;
}
