/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clinic that was home goes on having queues for a patient's devices, and
 * may be one that only clinics reach.  For 90 days the new home lets its own
 * patient's devices through to it (decisions F 24): a splice, in which the
 * stream of device and clinic goes on as it is, so that nothing is lost, said
 * twice or in another order, whichever of the three stops, and the new home
 * sees none of it.  The device says which clinic it was; and that the patient
 * is now with the new one is proven to it by the list that the patient signed.
 */
#include "federation/core/care.h"
#include "federation/core/move.h"
#include "federation/core/rows.h"

#include "proto/msg/device.h"

#include <string.h>

enum {
    PER_PATIENT = 4,  /* homes before, at a time */
    PER_GREETING = 16 /* patients named to one of them */
};

/* ------------------------------------------------------------- on a device */

static struct patient_id
patient_of(const struct clinic_id *subject)
{
    struct patient_id id;

    memcpy(id.b, subject->b, sizeof(id.b));
    return id;
}

static enum err
set_before(struct fed_core *core, const struct clinic_id *patient,
           const struct clinic_id *clinic, uint64_t until_ms)
{
    enum err e;
    struct fed_rec_allow rec;

    TRY(fed_allow_get(core, patient, clinic, &rec));
    if (rec.before_ms != until_ms) {
        rec.before_ms = until_ms;
        TRY(fed_allow_put(core, patient, clinic, &rec));
    }
out:
    return e;
}

enum err
fed_before_left(struct fed_core *core, const struct ident_devices *was,
                const struct ident_devices *now)
{
    enum err e = OK;

    if (core->kind != FED_KIND_DEVICE ||
        memcmp(now->patient.b, core->me.b, sizeof(now->patient.b)) != 0 ||
        clinic_id_equal(&was->home, &now->home)) {
        return OK;
    }
    TRY(set_before(core, &core->me, &now->home, 0));
    if (!clinic_id_is_zero(&was->home)) {
        TRY(set_before(core, &core->me, &was->home,
                       fed_now(core) + LIMIT_LOG_AGE_MS));
    }
out:
    return e;
}

bool
fed_before_record(struct view rec, uint64_t now_ms)
{
    struct fed_rec_allow allow;

    return fed_rec_decode(rec, &fed_rec_allow_shape, &allow) == OK &&
           allow.before_ms > now_ms;
}

/* Was this one our home, and are we still its patient, or asking it as one more
   device? */
static bool
was_home(struct fed_core *core, const struct fed_party *p)
{
    struct fed_rec_allow rec;

    return p->stored && p->kind == FED_KIND_CLINIC && p->via == NULL &&
           (p->rec.ours == PROTO_STANCE_GRANTED ||
            p->rec.ours == PROTO_STANCE_ASKED) &&
           fed_allow_get(core, &core->me, &p->root, &rec) == OK &&
           rec.before_ms > fed_now(core);
}

/* *out is what our list names. */
static bool
home_is(struct fed_core *core, struct clinic_id *out)
{
    struct patient_id me = patient_of(&core->me);
    struct ident_devices list;

    if (core->kind != FED_KIND_DEVICE ||
        fed_patient_list(core, &me, &list) != OK) {
        return false;
    }
    *out = list.home;
    return true;
}

bool
fed_core_before(struct fed_core *core, const struct clinic_id *clinic,
                struct clinic_id *via)
{
    const struct fed_party *p = fed_party_find(core, clinic);
    struct clinic_id home;

    if (p == NULL || !home_is(core, &home) || clinic_id_equal(clinic, &home) ||
        !was_home(core, p)) {
        return false;
    }
    *via = home;
    return true;
}

enum err
fed_before_say(struct fed_core *core, struct fed_party *p)
{
    enum err e = OK;
    struct proto_device_msg msg = {.type = PROTO_DEVICE_BEFORE};
    struct clinic_id home;

    if (!home_is(core, &home) || !clinic_id_equal(&home, &p->root)) {
        return OK;
    }
    for (size_t i = 0; i < core->parties_len; i++) {
        const struct fed_party *b = core->parties[i];

        if (b != p && was_home(core, b)) {
            memcpy(msg.u.home.clinic, b->root.b, sizeof(msg.u.home.clinic));
            msg.u.home.addrs = view_of(&b->addrs);
            TRY(fed_device_put(core, p, &msg));
        }
    }
out:
    return e;
}

enum err
fed_core_was_home(struct fed_core *core, const struct clinic_id *clinic,
                  uint64_t until_ms)
{
    enum err e;
    struct clinic_id home;
    struct fed_party *p;

    if (!home_is(core, &home) || clinic_id_equal(clinic, &home)) {
        return OK;
    }
    TRY(set_before(core, &core->me, clinic, until_ms));
    p = fed_party_find(core, &home);
    TRY(p != NULL && fed_party_live(p) ? fed_before_say(core, p) : OK);
out:
    return e;
}

/* --------------------------------------------------------- on the new home */

/* How many homes before are kept of the patient. */
static enum err
count(struct fed_core *core, const struct clinic_id *patient, size_t *out)
{
    enum err e;
    struct fed_rows rows = fed_rows_of(FED_NS_ALLOW, clinic_id_view(patient));
    uint64_t now = fed_now(core);

    *out = 0;
    while ((e = fed_rows_next(core, &rows)) == OK) {
        *out += fed_before_record(view_of(&rows.value), now) ? 1 : 0;
    }
    fed_rows_free(&rows);
    return fed_rows_all(e);
}

/* [before-home] only the home that the list names is asked, and of a clinic
   that is not itself. */
enum err
fed_before_recv(struct fed_core *core, struct fed_party *p,
                const struct proto_device_home *in)
{
    enum err e;
    struct patient_id id = patient_of(&p->subject);
    struct proto_node_addr node = {.addrs = in->addrs};
    struct ident_devices list;
    struct clinic_id clinic;
    struct fed_rec_allow rec;
    size_t n;

    memcpy(clinic.b, in->clinic, sizeof(clinic.b));
    TRY(fed_patient_list(core, &id, &list));
    if (!clinic_id_equal(&list.home, &core->config.self.root) ||
        clinic_id_equal(&clinic, &core->config.self.root)) {
        goto out;
    }
    TRY(fed_allow_get(core, &p->subject, &clinic, &rec));
    if (rec.before_ms + LIMIT_LOG_AGE_MS <= fed_now(core)) {
        TRY(count(core, &p->subject, &n));
        if (n >= PER_PATIENT) {
            goto out;
        }
        TRY(set_before(core, &p->subject, &clinic,
                       fed_now(core) + LIMIT_LOG_AGE_MS));
    }
    memcpy(node.root, clinic.b, sizeof(node.root));
    TRY(fed_roster_meet(core, p, &node));
out:
    return e == ERR_MISSING ? OK : e;
}

/* Of one row: is this patient's home of before the one that we greeted? */
static enum err
tell_moved(struct fed_core *core, struct fed_party *p, struct view key,
           struct view value, size_t *told)
{
    enum err e;
    struct proto_device_msg msg = {.type = PROTO_DEVICE_LIST};
    struct fed_rec_patient rec;
    struct bytes hold = {0};
    struct patient_id id;

    if (key.len != 64 || memcmp(key.p + 32, p->root.b, 32) != 0 ||
        !fed_before_record(value, fed_now(core))) {
        return OK;
    }
    memcpy(id.b, key.p, sizeof(id.b));
    TRY(fed_patient_load(core, &id, &rec, &hold));
    memcpy(msg.u.list.patient, id.b, sizeof(msg.u.list.patient));
    msg.u.list.list = rec.list;
    TRY(fed_device_say(core, p, &msg));
    ++*told;
out:
    bytes_free(&hold);
    return e == ERR_MISSING ? OK : e;
}

enum err
fed_before_greeted(struct fed_core *core, struct fed_party *p)
{
    enum err e = OK;
    struct fed_rows rows = fed_rows_of(FED_NS_ALLOW, (struct view){0});
    size_t told = 0;

    if (core->kind != FED_KIND_CLINIC || p->kind != FED_KIND_CLINIC ||
        p->rec.ours != PROTO_STANCE_THREAD ||
        p->rec.theirs != PROTO_STANCE_NONE) {
        return OK;
    }
    while (told < PER_GREETING && (e = fed_rows_next(core, &rows)) == OK) {
        TRY(tell_moved(core, p, view_of(&rows.key), view_of(&rows.value),
                       &told));
    }
    e = fed_rows_all(e);
out:
    fed_rows_free(&rows);
    return e;
}

/* ------------------------------------------------------ on the home before */

/*
 * A clinic that we need not know shows the newest list of a patient of ours.
 * [before-proof] it counts when the list that is newest here names that clinic.
 */
enum err
fed_before_moved(struct fed_core *core, struct fed_party *p,
                 const struct proto_device_list *in)
{
    enum err e;
    struct clinic_id root;
    struct patient_id id;
    struct fed_party *patient;
    struct ident_devices list;

    memcpy(root.b, in->patient, sizeof(root.b));
    id = patient_of(&root);
    patient = fed_party_find(core, &root);
    if (p->kind != FED_KIND_CLINIC || patient == NULL || !patient->stored ||
        patient->kind != FED_KIND_PATIENT || patient->via != NULL ||
        patient->rec.ours != PROTO_STANCE_GRANTED) {
        return OK; /* nobody whose queues are here */
    }
    e = fed_patient_learn(core, &id, in->list, FED_LEARNED_LINK, NULL);
    TRY(fed_ours(e) ? e : OK);
    TRY(fed_patient_list(core, &id, &list));
    if (!clinic_id_equal(&list.home, &p->root) ||
        p->rec.ours != PROTO_STANCE_NONE) {
        goto out;
    }
    TRY(fed_party_stance(core, p, PROTO_STANCE_THREAD));
    TRY(fed_contact_say(core, p));
    TRY(fed_party_lively(core, p));
out:
    return e;
}
