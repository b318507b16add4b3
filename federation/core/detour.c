/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another way to the clinics of a thread.  Who carried a patient's threads, or
 * orders one, may end the connection with her; the threads that others share
 * go on (decisions D 18).  So her devices go through her home, when that is a
 * member too: it carries already what it takes part in.  Everybody can judge
 * that, since the list that the patient signed names her home; and it is her
 * device that begins to come this way, so who still delivers is not passed by.
 */
#include "federation/core/care.h"
#include "federation/core/rows.h"
#include "federation/core/trust.h"

#include "proto/msg/device.h"

#include <string.h>

/* ------------------------------------------------------------- on a device */

/* Our home, if we are its patient and it carries for us. */
static struct fed_party *
home_of(struct fed_core *core)
{
    struct patient_id me;
    struct ident_devices list;
    struct fed_party *p;

    memcpy(me.b, core->me.b, sizeof(me.b));
    if (core->kind != FED_KIND_DEVICE ||
        fed_patient_list(core, &me, &list) != OK) {
        return NULL;
    }
    p = fed_party_find(core, &list.home);
    return p != NULL && p->stored && p->kind == FED_KIND_CLINIC &&
                   p->via == NULL && fed_party_open(p)
               ? p
               : NULL;
}

/* It has ended the connection, or said no to this device, which came late; or
   who carries to it has. */
static bool
is_stuck(const struct fed_party *p, const struct fed_party *home)
{
    if (!p->stored || p->kind != FED_KIND_CLINIC || p->rec.blocked ||
        p == home) {
        return false;
    }
    if (p->via == NULL) {
        return p->rec.ours == PROTO_STANCE_ENDED ||
               p->rec.ours == PROTO_STANCE_REFUSED ||
               p->rec.ours == PROTO_STANCE_NONE;
    }
    return p->via != home && (p->via->via != NULL || !fed_party_open(p->via));
}

static bool
clinic_in(const struct proto_group *group, const struct fed_party *p)
{
    struct proto_subject s;

    return proto_group_find(group, p->root.b, &s) &&
           s.kind == PROTO_SUBJECT_CLINIC;
}

/* Is there a thread of ours in which both take part? */
static enum err
meet(struct fed_core *core, const struct fed_party *p,
     const struct fed_party *home, bool *out)
{
    enum err e;
    struct fed_rows rows;

    *out = false;
    TRY(fed_rows_threads(core, &rows));
    while (!*out && (e = fed_rows_next(core, &rows)) == OK) {
        struct fed_rec_thread rec;
        struct proto_group group;

        TRY(fed_rec_decode(view_of(&rows.value), &fed_rec_thread_shape, &rec));
        *out = rec.state != FED_THREAD_ENDED &&
               rec.state != FED_THREAD_REMOVED && rec.group.len > 0 &&
               proto_group_decode(rec.group, &group) == OK &&
               clinic_in(&group, p) && clinic_in(&group, home);
    }
    e = fed_rows_all(e);
out:
    fed_rows_free(&rows);
    return e;
}

/* What it has for us since it was last heard of.  Where something of ours had
   no answer, nobody knows what became of it: the device comes in again. */
static enum err
catch_up(struct fed_core *core, struct fed_thread *t)
{
    enum err e = OK;
    struct clinic_id hub;

    if (t->rec.state == FED_THREAD_ACTIVE && t->subs_len == 0 &&
        t->stage == NULL) {
        memcpy(hub.b, t->rec.hub, sizeof(hub.b));
        t->pulling = true;
        TRY(fed_pull_send(core, t, &hub));
        goto out;
    }
    if (t->rec.state == FED_THREAD_ACTIVE) {
        TRY(fed_resync_begin(core, t));
    }
    TRY(fed_intent_pump(core, t));
out:
    return e;
}

static enum err
catch_up_all(struct fed_core *core, const struct fed_party *hub)
{
    enum err e;
    struct fed_rows rows;

    TRY(fed_rows_threads(core, &rows));
    while ((e = fed_rows_next(core, &rows)) == OK) {
        struct fed_rec_thread rec;
        struct thread_id id;
        struct fed_thread *t;

        TRY(fed_rows_thread(&rows, &id));
        TRY(fed_rec_decode(view_of(&rows.value), &fed_rec_thread_shape, &rec));
        if (memcmp(rec.hub, hub->root.b, sizeof(rec.hub)) == 0 &&
            (rec.state == FED_THREAD_ACTIVE ||
             rec.state == FED_THREAD_RESYNC)) {
            TRY(fed_thread_get(core, &id, &t));
            TRY(catch_up(core, t));
        }
    }
    e = fed_rows_all(e);
out:
    fed_rows_free(&rows);
    return e;
}

/* The home is to carry to it, and it has to know of that. */
static enum err
tell(struct fed_core *core, struct fed_party *p)
{
    enum err e;
    struct proto_device_msg msg = {.type = PROTO_DEVICE_ALLOW};
    struct fed_rec_patient self;
    struct patient_id me;
    struct bytes hold = {0};

    memcpy(me.b, core->me.b, sizeof(me.b));
    TRY(fed_patient_load(core, &me, &self, &hold));
    memcpy(msg.u.allow.clinic, p->root.b, sizeof(msg.u.allow.clinic));
    msg.u.allow.allowed = true;
    msg.u.allow.serial = fed_now(core);
    TRY(fed_device_put(core, p->via, &msg));
    TRY(fed_list_send(core, p, &core->me, self.list));
out:
    bytes_free(&hold);
    return e;
}

static enum err
go_round(struct fed_core *core, struct fed_party *p, struct fed_party *home)
{
    enum err e;

    if (p->via == NULL) {
        TRY(fed_stream_drop(core, p));
        TRY(fed_stream_new(core, p));
    }
    fed_asks_lost(core, p);
    p->via = home;
    p->rec.theirs = PROTO_STANCE_THREAD;
    if (p->rec.ours != PROTO_STANCE_GRANTED) {
        p->rec.ours = PROTO_STANCE_THREAD;
    }
    TRY(fed_party_changed(core, p));
    TRY(tell(core, p));
    TRY(catch_up_all(core, p));
out:
    return e;
}

enum err
fed_detour(struct fed_core *core)
{
    enum err e = OK;
    struct fed_party *home = home_of(core);
    bool both;

    for (size_t i = 0; home != NULL && i < core->parties_len; i++) {
        struct fed_party *p = core->parties[i];

        if (is_stuck(p, home)) {
            TRY(meet(core, p, home, &both));
            TRY(both ? go_round(core, p, home) : OK);
        }
    }
out:
    return e;
}

bool
fed_core_reaches(struct fed_core *core, const struct clinic_id *clinic,
                 struct clinic_id *through)
{
    const struct fed_party *p = fed_party_find(core, clinic);

    *through = p != NULL && p->via != NULL ? p->via->root : *clinic;
    return p != NULL && p->stored && fed_party_open(p);
}

/* ------------------------------------------------------------- on a clinic */

/* What we had for a device directly it asks for again. */
static enum err
device_by(struct fed_core *core, const struct device_id *id,
          struct fed_party *patient, struct fed_party *relay)
{
    enum err e = OK;
    struct clinic_id root;
    struct fed_party *d;

    memcpy(root.b, id->b, sizeof(root.b));
    d = fed_party_find(core, &root);
    if (d == NULL || d->kind != FED_KIND_DEVICE ||
        !clinic_id_equal(&d->subject, &patient->root)) {
        goto out;
    }
    if (d->via == NULL && d->stored) {
        TRY(fed_stream_drop(core, d));
        TRY(fed_stream_new(core, d));
    }
    d->via = relay;
    d->rec.ours = PROTO_STANCE_THREAD;
    d->rec.theirs = PROTO_STANCE_THREAD;
    TRY(d->stored ? fed_party_save(core, d) : OK);
out:
    return e;
}

enum err
fed_detour_by(struct fed_core *core, struct fed_party *patient,
              struct fed_party *relay)
{
    enum err e;
    struct patient_id id;
    struct ident_devices list;

    memcpy(id.b, patient->root.b, sizeof(id.b));
    /* [detour-direct] not whom we deliver to ourselves, or want nothing of */
    if (patient->via == relay || patient->rec.blocked ||
        !fed_party_open(relay) ||
        (patient->via == NULL && patient->rec.ours != PROTO_STANCE_ENDED)) {
        return OK;
    }
    TRY(fed_patient_list(core, &id, &list));
    /* [detour-home] the patient's own word, signed */
    if (!clinic_id_equal(&list.home, &relay->root)) {
        goto out;
    }
    fed_asks_lost(core, patient);
    patient->via = relay;
    patient->rec.theirs = PROTO_STANCE_THREAD;
    if (patient->rec.ours != PROTO_STANCE_GRANTED) {
        patient->rec.ours = PROTO_STANCE_THREAD;
    }
    for (uint32_t i = 0; i < list.len; i++) {
        TRY(device_by(core, &list.device[i].id, patient, relay));
    }
    TRY(fed_party_changed(core, patient));
out:
    return e == ERR_MISSING ? OK : e;
}
