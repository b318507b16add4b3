/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes (decisions F 24): items of a patient and a clinic that are not
 * connected travel through the clinic that delivers, each hop a numbered
 * stream.  The relay looks at whom an item is for and never into it.  A
 * patient's item is copied to the queue of each of its devices, so that a
 * phone that is away holds up nobody's log.
 */
#include "federation/core/care.h"
#include "federation/core/frank.h"

#include "proto/msg/device.h"

#include <string.h>

bool
fed_route_needed(const struct fed_party *p)
{
    return p->via != NULL || p->kind == FED_KIND_PATIENT;
}

/* To every device of a patient that we deliver to, but except. */
static enum err
to_devices(struct fed_core *core, struct fed_party *patient, struct view item,
           const struct fed_party *except)
{
    enum err e = OK;
    struct fed_party *d;

    for (size_t i = 0; fed_patient_device(core, patient, i, &d); i++) {
        if (d == NULL || d == except) {
            continue;
        }
        if (d->rec.out_next - d->rec.out_acked >= LIMIT_DEVICE_QUEUE) {
            /* It has been away for too long: its threads start afresh. */
            TRY(fed_stream_drop(core, d));
            TRY(fed_stream_new(core, d));
            TRY(fed_party_close(core, d, PROTO_BYE_LIMIT));
        }
        TRY(fed_stream_item(core, d, item));
    }
out:
    return e;
}

enum err
fed_route_item(struct fed_core *core, struct fed_party *p, struct view item,
               const struct fed_party *except)
{
    struct proto_peer_msg msg = {.type = PROTO_PEER_ROUTE};

    if (p->via == NULL) {
        return to_devices(core, p, item, except);
    }
    memcpy(msg.u.route.to, p->root.b, sizeof(msg.u.route.to));
    msg.u.route.body = item;
    return fed_stream_put(core, p->via, &msg);
}

/* Whether a patient has, as far as we know, no device but this one. */
static enum err
is_only_device(struct fed_core *core, const struct fed_party *patient,
               const struct fed_party *device, bool *out)
{
    enum err e;
    struct ident_devices list;
    struct patient_id id;

    memcpy(id.b, patient->root.b, sizeof(id.b));
    e = fed_patient_list(core, &id, &list);
    *out = e == OK && list.len == 1 &&
           memcmp(list.device[0].id.b, device->root.b,
                  sizeof(device->root.b)) == 0;
    return e == ERR_MISSING ? OK : e;
}

/*
 * Who delivers copies what is for a patient to all its devices: an entry does
 * not go there when its author, who has it, is the only one.  A device that we
 * have not heard of has to rejoin, and reads on from there.
 */
enum err
fed_route_fan(struct fed_core *core, struct fed_thread *t, struct fed_party *p,
              uint64_t entry, const struct fed_party *except)
{
    enum err e;
    struct bytes item = {0};
    struct view frank;
    bool has = false;

    if (p->via != NULL && except != NULL && entry == t->rec.seq) {
        TRY(is_only_device(core, p, except, &has));
    }
    if (has) {
        goto out;
    }
    TRY(fed_frank_sign(core, t, entry, &frank));
    TRY(fed_stream_entry(core, &t->id, entry, frank, &item));
    TRY(fed_route_item(core, p, view_of(&item), except));
out:
    bytes_free(&item);
    return e;
}

/* ------------------------------------------------------------ who may route */

static struct fed_key
allow_key(const struct clinic_id *patient, const struct clinic_id *clinic)
{
    return fed_key_pair(clinic_id_view(patient), clinic_id_view(clinic));
}

enum err
fed_allow_get(struct fed_core *core, const struct clinic_id *patient,
              const struct clinic_id *clinic, struct fed_rec_allow *out)
{
    struct fed_key key = allow_key(patient, clinic);
    struct bytes hold = {0};
    enum err e =
        fed_tx_load(core, FED_NS_ALLOW, &key, &fed_rec_allow_shape, out, &hold);

    bytes_free(&hold);
    if (e == ERR_MISSING) {
        *out = (struct fed_rec_allow){0};
        e = OK;
    }
    return e;
}

enum err
fed_allow_put(struct fed_core *core, const struct clinic_id *patient,
              const struct clinic_id *clinic, const struct fed_rec_allow *rec)
{
    struct fed_key key = allow_key(patient, clinic);

    return fed_tx_save(core, FED_NS_ALLOW, &key, &fed_rec_allow_shape, rec);
}

enum err
fed_allow_next(struct fed_core *core, const struct clinic_id *patient,
               struct fed_key *at, struct fed_party **out)
{
    enum err e;

    for (;;) {
        struct bytes key = {0};
        struct bytes value = {0};
        struct fed_rec_allow allow = {0};
        struct clinic_id clinic;

        e = fed_tx_next(core, FED_NS_ALLOW, at, clinic_id_view(patient), &key,
                        &value);
        if (e == OK) {
            *at = fed_key_of(view_of(&key));
            at->b[at->len++] = 0;
            e = fed_rec_decode(view_of(&value), &fed_rec_allow_shape, &allow);
        }
        if (e == OK &&
            clinic_id_from(view_skip(view_of(&key), 32), &clinic) != OK) {
            e = ERR_CORRUPT;
        }
        bytes_free(&key);
        bytes_free(&value);
        if (e != OK) {
            return e;
        }
        *out = fed_party_find(core, &clinic);
        if (allow.allowed && *out != NULL && fed_party_open(*out)) {
            return OK;
        }
    }
}

enum err
fed_route_may(struct fed_core *core, const struct fed_party *patient,
              const struct fed_party *clinic, bool *may)
{
    enum err e;
    struct fed_rec_allow allow;

    *may = false;
    if (patient == NULL || clinic == NULL ||
        patient->kind != FED_KIND_PATIENT || patient->via != NULL ||
        !fed_party_open(patient) || clinic->kind != FED_KIND_CLINIC ||
        clinic->via != NULL || !fed_party_open(clinic)) {
        return OK;
    }
    e = fed_allow_get(core, &patient->root, &clinic->root, &allow);
    *may = e == OK && allow.allowed;
    return e;
}

/* --------------------------------------------------------------- the relay */

static enum err
hand_on(struct fed_core *core, struct fed_party *to,
        const struct clinic_id *from, const struct clinic_id *patient,
        struct view body)
{
    struct proto_peer_msg msg = {.type = PROTO_PEER_ROUTED};

    memcpy(msg.u.routed.from, from->b, sizeof(msg.u.routed.from));
    memcpy(msg.u.routed.patient, patient->b, sizeof(msg.u.routed.patient));
    msg.u.routed.body = body;
    return fed_stream_put(core, to, &msg);
}

/* One of our patient's devices, to a clinic. */
static enum err
from_device(struct fed_core *core, struct fed_party *device,
            const struct proto_route *in)
{
    enum err e;
    struct clinic_id to;
    struct fed_party *clinic;
    bool may;

    memcpy(to.b, in->to, sizeof(to.b));
    clinic = fed_party_find(core, &to);
    TRY(fed_route_may(core, fed_party_find(core, &device->subject), clinic,
                      &may));
    if (!may) {
        goto out; /* withdrawn meanwhile, or never allowed */
    }
    if (clinic->rec.out_next - clinic->rec.out_acked >= LIMIT_ROUTE_QUEUE) {
        e = ERR_AGAIN; /* the device keeps it and comes again */
        goto out;
    }
    TRY(hand_on(core, clinic, &device->root, &device->subject, in->body));
out:
    return e;
}

/* A clinic, to our patient's devices or to one of them. */
static enum err
from_clinic(struct fed_core *core, struct fed_party *clinic,
            const struct proto_route *in)
{
    enum err e;
    struct clinic_id to;
    struct fed_party *p;
    struct fed_party *patient;
    struct fed_party *d;
    bool may;

    memcpy(to.b, in->to, sizeof(to.b));
    p = fed_party_find(core, &to);
    patient = p == NULL ? NULL : fed_party_find(core, &p->subject);
    TRY(fed_route_may(core, patient, clinic, &may));
    for (size_t i = 0; may && fed_patient_device(core, patient, i, &d); i++) {
        if (d != NULL && (p == patient || p == d)) {
            TRY(hand_on(core, d, &clinic->root, &patient->root, in->body));
        }
    }
out:
    return e;
}

enum err
fed_route_recv(struct fed_core *core, struct fed_party *p,
               const struct proto_route *in)
{
    if (core->kind != FED_KIND_CLINIC || p->via != NULL) {
        return ERR_DENIED;
    }
    return p->kind == FED_KIND_DEVICE ? from_device(core, p, in)
                                      : from_clinic(core, p, in);
}

/* ------------------------------------------------------------- the far ends */

/* What may come through a relay: items, and no route in a route. */
static bool
routable(struct view body)
{
    uint16_t type = proto_peer_peek(body);

    return (type >= PROTO_PEER_WELCOME && type < PROTO_PEER_BLOB_OPEN &&
            type != PROTO_PEER_ROUTE && type != PROTO_PEER_ROUTED &&
            type != PROTO_PEER_AWAY) ||
           type == PROTO_DEVICE_LIST || type == PROTO_DEVICE_LIST_STATE ||
           type == PROTO_DEVICE_FRANK_GET || type == PROTO_DEVICE_FRANK;
}

enum err
fed_route_device(struct fed_core *core, struct fed_party *relay,
                 const uint8_t of[32], const uint8_t node[32],
                 struct fed_party **out)
{
    enum err e;
    struct clinic_id id;
    struct device_id device;
    struct patient_id patient;
    struct ident_devices list;
    struct fed_party *p;
    struct fed_party *d;

    *out = NULL;
    memcpy(id.b, of, sizeof(id.b));
    memcpy(patient.b, of, sizeof(patient.b));
    memcpy(device.b, node, sizeof(device.b));
    p = fed_party_find(core, &id);
    /* [route-relay] only who delivers speaks for the patient */
    if (p == NULL || p->kind != FED_KIND_PATIENT || p->via != relay) {
        return OK;
    }
    TRY(fed_patient_list(core, &patient, &list));
    /* [route-device] and only for devices in the list */
    if (ident_devices_find(&list, &device) == NULL) {
        goto out;
    }
    memcpy(id.b, node, sizeof(id.b));
    TRY(fed_party_get(core, &id, &d));
    if (d->stored || (d->up && d->kind != FED_KIND_DEVICE)) {
        TRY(d->kind == FED_KIND_DEVICE && d->via == relay ? OK : ERR_DENIED);
    }
    d->kind = FED_KIND_DEVICE;
    d->subject = p->root;
    d->via = relay;
    d->rec.ours = PROTO_STANCE_THREAD;
    d->rec.theirs = PROTO_STANCE_THREAD;
    *out = d;
out:
    return e == ERR_MISSING ? OK : e;
}

/*
 * On a new phone we have forgotten whom we had allowed.  [route-believed] Our
 * home, as the signed list names it, is believed about that; no longer than
 * there may be something in a log that was said before.
 */
enum err
fed_route_believed(struct fed_core *core, const struct clinic_id *relay,
                   bool *out)
{
    enum err e;
    struct fed_rec_patient self;
    struct ident_devices list;
    struct patient_id me;
    struct bytes hold = {0};

    *out = false;
    if (core->kind != FED_KIND_DEVICE) {
        return OK;
    }
    memcpy(me.b, core->me.b, sizeof(me.b));
    TRY(fed_patient_load(core, &me, &self, &hold));
    TRY(fed_patient_list(core, &me, &list));
    *out =
        fed_now(core) < self.believes_ms && clinic_id_equal(&list.home, relay);
out:
    bytes_free(&hold);
    return e == ERR_MISSING ? OK : e;
}

/* A clinic that one of ours carries. */
static enum err
far_clinic(struct fed_core *core, struct fed_party *relay,
           const struct proto_routed *in, struct fed_party **out)
{
    enum err e = OK;
    struct clinic_id id;
    struct fed_party *p;
    bool may;

    *out = NULL;
    memcpy(id.b, in->from, sizeof(id.b));
    p = fed_party_find(core, &id);
    if (memcmp(in->patient, core->me.b, sizeof(in->patient)) != 0) {
        return ERR_DENIED;
    }
    if (p != NULL && p->stored) {
        *out = p->via == relay && fed_party_open(p) ? p : NULL;
        return OK;
    }
    TRY(fed_route_believed(core, &relay->root, &may));
    if (may) {
        TRY(fed_party_get(core, &id, &p));
        p->via = relay;
        p->rec.ours = PROTO_STANCE_THREAD;
        p->rec.theirs = PROTO_STANCE_THREAD;
        TRY(fed_party_changed(core, p));
        *out = p;
    }
out:
    return e;
}

/* A list is good in itself, whoever brings it: it may say that this way is the
   patient's. */
static enum err
new_way(struct fed_core *core, struct fed_party *relay,
        const struct proto_routed *in)
{
    enum err e = OK;
    struct clinic_id id;
    struct patient_id patient;
    struct proto_device_msg msg;
    struct fed_party *p;

    memcpy(id.b, in->patient, sizeof(id.b));
    memcpy(patient.b, in->patient, sizeof(patient.b));
    p = fed_party_find(core, &id);
    if (p == NULL || !p->stored || p->kind != FED_KIND_PATIENT ||
        p->via == relay) {
        return OK;
    }
    if (proto_peer_peek(in->body) == PROTO_DEVICE_LIST &&
        proto_device_decode(in->body, &msg) == OK &&
        memcmp(msg.u.list.patient, in->patient, sizeof(in->patient)) == 0) {
        e = fed_patient_learn(core, &patient, msg.u.list.list, FED_LEARNED_LINK,
                              NULL);
        TRY(fed_ours(e) ? e : OK);
    }
    TRY(fed_detour_by(core, p, relay));
out:
    return e;
}

enum err
fed_routed_recv(struct fed_core *core, struct fed_party *p,
                const struct proto_routed *in)
{
    enum err e;
    struct fed_party *from;

    if (p->kind != FED_KIND_CLINIC || p->via != NULL || !routable(in->body)) {
        return ERR_DENIED;
    }
    if (core->kind == FED_KIND_CLINIC) {
        TRY(new_way(core, p, in));
        TRY(fed_route_device(core, p, in->patient, in->from, &from));
    } else {
        TRY(far_clinic(core, p, in, &from));
    }
    if (from == NULL) {
        goto out; /* not, or no longer, of those that we speak with */
    }
    TRY(fed_item(core, from, in->body));
out:
    return e;
}
