/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices come in.  By a link the patient becomes known, with the device list
 * as the proof of which devices speak for it; a further device of a patient
 * who is known needs no link, its list is enough.  On a device: asking, until
 * there is an answer.
 */
#include "federation/core/bound.h"
#include "federation/core/care.h"
#include "federation/core/rows.h"

#include "crypto/ident/redeem.h"
#include "proto/msg/device.h"

#include <string.h>

static bool
zeros(const uint8_t *b, size_t len)
{
    uint8_t any = 0;

    for (size_t i = 0; i < len; i++) {
        any |= b[i];
    }
    return any == 0;
}

/* -------------------------------------------------------------- connections */

enum err
fed_device_up(struct fed_core *core, struct fed_party *p,
              const struct fed_up *up, bool *may)
{
    enum err e = OK;
    struct fed_who who;
    const struct fed_party *patient;

    *may = false;
    if (up->kind != FED_KIND_DEVICE) {
        *may = p->kind == FED_KIND_CLINIC;
        goto out;
    }
    if (core->kind != FED_KIND_CLINIC ||
        (p->stored && p->kind != FED_KIND_DEVICE)) {
        goto out;
    }
    e = fed_cred_who(up->cert, &who);
    if (e != OK || who.kind != FED_KIND_DEVICE ||
        !clinic_id_equal(&who.node, &p->root) ||
        (p->stored && !clinic_id_equal(&who.subject, &p->subject))) {
        e = OK; /* not whose key the connection proved */
        goto out;
    }
    patient = fed_party_find(core, &who.subject);
    *may = !p->rec.blocked && (patient == NULL || !patient->rec.blocked) &&
           (patient == NULL || patient->kind == FED_KIND_PATIENT);
    p->kind = FED_KIND_DEVICE;
    p->subject = who.subject;
    p->via = p->stored ? p->via : NULL; /* until it is taken (take_device) */
out:
    return e;
}

/* Key packages of before a loss are of no use any more. */
static enum err
own_rejoin(struct fed_core *core, const struct fed_party *relay)
{
    enum err e = OK;
    struct fed_rows rows;

    TRY(fed_rows_threads(core, &rows));
    while ((e = fed_rows_next(core, &rows)) == OK) {
        struct thread_id id;
        struct clinic_id hub;
        struct fed_rec_thread rec;
        struct fed_thread *t;
        struct fed_party *p;

        TRY(fed_rows_thread(&rows, &id));
        TRY(fed_rec_decode(view_of(&rows.value), &fed_rec_thread_shape, &rec));
        memcpy(hub.b, rec.hub, sizeof(hub.b));
        p = fed_party_find(core, &hub);
        if (rec.state == FED_THREAD_ACTIVE && p != NULL && p->via == relay) {
            TRY(fed_thread_get(core, &id, &t));
            TRY(fed_resync_begin(core, t));
        }
    }
    e = fed_rows_all(e);
out:
    fed_rows_free(&rows);
    return e;
}

enum err
fed_device_reset(struct fed_core *core, struct fed_party *p)
{
    if (core->kind == FED_KIND_DEVICE) {
        return own_rejoin(core, p); /* what the relay still had for us */
    }
    return p->kind == FED_KIND_DEVICE ? fed_pool_drop(core, &p->root) : OK;
}

/* ------------------------------------------------------------ the device's end
 */

enum err
fed_core_enrol(struct fed_core *core, const struct fed_enrol *enrol)
{
    enum err e;
    struct fed_party *p;
    struct fed_rec_claim claim = {enrol->name, enrol->birth};
    struct fed_rec_patient self;
    struct patient_id me;
    struct bytes data = {0};
    struct bytes hold = {0};

    if (core->kind != FED_KIND_DEVICE) {
        return ERR_STATE;
    }
    TRY(fed_party_get(core, &enrol->inv.root, &p));
    if (p->rec.ours == PROTO_STANCE_GRANTED && p->via == NULL) {
        return ERR_EXISTS;
    }
    TRY(fed_rec_encode(core->mem, &fed_rec_claim_shape, &claim, &data));
    p->fresh = p->fresh || !p->stored;
    p->via = NULL; /* its own link: no longer through another */
    TRY(fed_contact_kp(core, p, view_of(&data)));
    TRY(fed_party_addrs(core, p, enrol->inv.addrs));
    memcpy(p->rec.link, enrol->inv.link.b, sizeof(p->rec.link));
    p->rec.one_time = enrol->inv.one_time;
    p->rec.in_person = enrol->inv.in_person;
    memcpy(p->rec.secret, enrol->inv.secret, sizeof(p->rec.secret));
    p->rec.ours = PROTO_STANCE_ASKED;
    p->denied = false;
    p->looking = false;
    if (zeros(enrol->inv.link.b, sizeof(enrol->inv.link.b))) {
        memcpy(me.b, core->me.b, sizeof(me.b));
        TRY(fed_patient_load(core, &me, &self, &hold));
        self.believes_ms = fed_now(core) + LIMIT_LOG_AGE_MS;
        TRY(fed_patient_save(core, &me, &self));
    }
    TRY(fed_party_changed(core, p));
    TRY(p->greeted ? fed_enrol_send(core, p) : OK);
out:
    bytes_free(&data);
    bytes_free(&hold);
    return e;
}

enum err
fed_device_say(struct fed_core *core, struct fed_party *p,
               const struct proto_device_msg *msg)
{
    enum err e;
    struct bytes frame = {0};

    if (!p->up) {
        return OK;
    }
    TRY(proto_device_encode(core->mem, msg, &frame));
    TRY(fed_tx_act(core, FED_ACT_SEND, p, &frame));
out:
    bytes_free(&frame);
    return e == OK || e == ERR_NOMEM ? e : ERR_INTERNAL;
}

enum err
fed_device_put(struct fed_core *core, struct fed_party *p, const void *msg)
{
    enum err e;
    struct bytes item = {0};

    TRY(proto_device_encode(core->mem, msg, &item));
    TRY(fed_route_needed(p) ? fed_route_item(core, p, view_of(&item), NULL)
                            : fed_stream_item(core, p, view_of(&item)));
out:
    bytes_free(&item);
    return e == OK || fed_ours(e) ? e : ERR_INTERNAL;
}

/* Ask: on each connection until there is an answer. */
enum err
fed_enrol_send(struct fed_core *core, struct fed_party *p)
{
    enum err e;
    struct proto_device_msg msg = {.type = PROTO_DEVICE_ENROL};
    struct proto_device_enrol *in = &msg.u.enrol;
    struct ident_redeem what = {.owner = p->root};
    struct fed_rec_claim claim;
    uint8_t proof[IDENT_PROOF];

    TRY(fed_rec_decode(view_of(&p->kp), &fed_rec_claim_shape, &claim));
    memcpy(in->link, p->rec.link, sizeof(in->link));
    memcpy(in->patient, core->me.b, sizeof(in->patient));
    in->list = view_of(&core->list);
    in->cert = view_of(&core->chain);
    in->name = claim.name;
    in->birth = claim.birth;
    if (p->rec.one_time) {
        memcpy(what.redeemer.b, core->me.b, sizeof(what.redeemer.b));
        memcpy(what.link.b, p->rec.link, sizeof(what.link.b));
        memcpy(what.exporter, p->exporter, sizeof(what.exporter));
        ident_redeem_prove(p->rec.secret, &what, proof);
        in->proof = VIEW_ARRAY(proof);
    }
    TRY(fed_device_say(core, p, &msg));
out:
    return e;
}

static enum err
on_enrolled(struct fed_core *core, struct fed_party *p,
            const struct proto_device_enrolled *in)
{
    enum err e;
    struct fed_show *show;

    if (core->kind != FED_KIND_DEVICE || p->rec.ours != PROTO_STANCE_ASKED ||
        memcmp(p->rec.link, in->link, sizeof(in->link)) != 0) {
        return OK; /* answered meanwhile */
    }
    show = fed_tx_show(core, FED_SHOW_ENROL);
    TRY(show == NULL ? ERR_NOMEM : OK);
    show->peer = p->root;
    show->code = in->code;
    show->value = in->tries | (in->birth ? FED_ENROL_BIRTH : 0u);
    memcpy(show->link.b, in->link, sizeof(show->link.b));
    TRY(bytes_copy(core->mem, in->forward, &show->body));
    if (in->code != PROTO_REDEEM_OK && in->code != PROTO_REDEEM_REVIEW) {
        if (!in->birth || in->tries == 0) {
            mem_wipe(p->rec.secret, sizeof(p->rec.secret));
        }
        TRY(fed_party_stance(core, p, PROTO_STANCE_NONE));
    }
out:
    return e;
}

/* ------------------------------------------------------------- the clinic's
 * end
 */

static enum err
answer(struct fed_core *core, struct fed_party *p,
       const struct proto_device_enrol *in, enum proto_redeem_code code,
       const struct fed_rec_link *link)
{
    struct proto_device_msg msg = {.type = PROTO_DEVICE_ENROLLED};
    struct proto_device_enrolled *out = &msg.u.enrolled;

    memcpy(out->link, in->link, sizeof(out->link));
    out->code = (uint64_t)code;
    if (link != NULL && code == PROTO_REDEEM_ROTATED) {
        out->forward = link->forward;
    }
    if (link != NULL && code == PROTO_REDEEM_PROOF && link->birth.len > 0) {
        out->birth = true;
        out->tries = link->birth_tries >= LIMIT_BIRTH_TRIES
                         ? 0
                         : LIMIT_BIRTH_TRIES - link->birth_tries;
    }
    return fed_device_say(core, p, &msg);
}

/*
 * The device is the patient's, by a list that may be newer than ours.
 * ERR_STALE  ours is newer and does not have it
 */
static enum err
check_device(struct fed_core *core, struct fed_party *p,
             const struct proto_device_enrol *in)
{
    enum err e;
    struct patient_id id;
    struct device_id key;
    struct ident_devices list;
    struct ident_devices known;
    struct ident_device_cert cert;

    memcpy(id.b, in->patient, sizeof(id.b));
    memcpy(key.b, p->root.b, sizeof(key.b));
    TRY(memcmp(p->subject.b, id.b, sizeof(id.b)) == 0 ? OK : ERR_AUTH);
    TRY(ident_devices_open(core->mem, &id, in->list, &list));
    e = fed_patient_list(core, &id, &known);
    if (e != ERR_MISSING) {
        TRY(e);
        e = ident_devices_compare(&known, &list);
        if (e == ERR_CORRUPT) {
            TRY(fed_patient_judge(core, &list)); /* shows the alarm */
        }
        if (e == ERR_STALE) {
            TRY(ident_device_cert_verify(core->mem, in->cert, &list, &key,
                                         &cert));
            TRY(ident_devices_find(&known, &key) == NULL ? ERR_STALE : OK);
            list = known; /* what we have is newer */
        }
        TRY(e == ERR_EXISTS ? OK : e);
    }
    TRY(ident_device_cert_verify(core->mem, in->cert, &list, &key, &cert));
out:
    return e;
}

/* The device has a stream to us from now on, once both said yes. */
static enum err
take_device(struct fed_core *core, struct fed_party *p,
            enum proto_stance stance)
{
    enum err e = OK;

    bool was = p->rec.ours == PROTO_STANCE_GRANTED;

    p->fresh = p->fresh || !p->stored;
    p->via = NULL;
    p->rec.ours = (uint64_t)stance;
    TRY(fed_party_save(core, p));
    TRY(!was && stance == PROTO_STANCE_GRANTED ? fed_idle_here(core, p) : OK);
    TRY(p->greeted ? fed_contact_say(core, p) : OK);
    TRY(fed_party_lively(core, p));
out:
    return e;
}

/* The list is kept, and the patient's party is there. */
static enum err
know(struct fed_core *core, struct fed_party *p,
     const struct proto_device_enrol *in, enum fed_learned learned,
     struct fed_party **out)
{
    enum err e;
    struct patient_id id;
    struct fed_party *patient;

    memcpy(id.b, in->patient, sizeof(id.b));
    TRY(fed_party_get(core, &p->subject, &patient));
    patient->kind = FED_KIND_PATIENT;
    e = fed_patient_learn(core, &id, in->list, learned, NULL);
    TRY(fed_ours(e) ? e : OK);
    *out = patient;
    e = OK;
out:
    return e;
}

static enum err
show_used(struct fed_core *core, const struct fed_party *p,
          const uint8_t link[8], enum proto_redeem_code code, uint64_t value)
{
    struct fed_show *show = fed_tx_show(core, FED_SHOW_LINK_USED);

    if (show == NULL) {
        return ERR_NOMEM;
    }
    show->peer = p->subject;
    show->who = FED_KIND_PATIENT;
    show->code = (uint64_t)code;
    show->value = value;
    memcpy(show->link.b, link, sizeof(show->link.b));
    return OK;
}

/* By a link that is good. */
static enum err
accept_enrol(struct fed_core *core, struct fed_party *p,
             const struct proto_device_enrol *in, struct fed_rec_link *link)
{
    enum err e;
    struct fed_party *patient;
    struct fed_party *before = fed_party_find(core, &p->subject);
    bool known = before != NULL && before->stored;
    bool person = link->one_time && link->in_person;
    enum proto_stance stance =
        link->review ? PROTO_STANCE_REVIEW : PROTO_STANCE_GRANTED;
    struct fed_rec_patient rec;
    struct bytes hold = {0};
    struct patient_id id;

    TRY(know(core, p, in, person ? FED_LEARNED_IN_PERSON : FED_LEARNED_LINK,
             &patient));
    TRY(fed_link_use(core, patient, in->link, link));
    memcpy(id.b, in->patient, sizeof(id.b));
    TRY(fed_patient_load(core, &id, &rec, &hold));
    rec.learned =
        person ? (uint64_t)FED_LEARNED_IN_PERSON : (uint64_t)FED_LEARNED_LINK;
    TRY(fed_patient_save(core, &id, &rec));
    patient->via = NULL; /* its own link: directly (decisions F 24) */
    patient->rec.ours = (uint64_t)stance;
    patient->rec.theirs = PROTO_STANCE_GRANTED;
    TRY(fed_party_changed(core, patient));
    TRY(fed_patient_show(core, patient, known, in->name));
    TRY(show_used(core, p, in->link,
                  link->review ? PROTO_REDEEM_REVIEW : PROTO_REDEEM_OK, 0));
    TRY(answer(core, p, in,
               link->review ? PROTO_REDEEM_REVIEW : PROTO_REDEEM_OK, link));
    TRY(fed_contact_profile(core, p));
    TRY(take_device(core, p, stance));
    TRY(fed_newer_follows(core, p, in->list));
out:
    bytes_free(&hold);
    return e;
}

/* Is the date of birth that the link asks for there?  Five wrong ones, and the
   link is dead (decisions F 27). */
static enum err
check_birth(struct fed_core *core, struct fed_party *p,
            const struct proto_device_enrol *in, struct fed_rec_link *link,
            bool *good)
{
    enum err e = OK;
    struct fed_key key = fed_key_of(VIEW_ARRAY(in->link));
    uint8_t a[32];
    uint8_t b[32];

    *good = link->birth.len == 0;
    if (*good || in->birth.len == 0) {
        return OK;
    }
    prim_sha256(in->birth, a);
    prim_sha256(link->birth, b);
    *good = prim_equal(VIEW_ARRAY(a), VIEW_ARRAY(b));
    if (*good) {
        return OK;
    }
    link->birth_tries++;
    link->revoked = link->revoked || link->birth_tries >= LIMIT_BIRTH_TRIES;
    TRY(fed_tx_save(core, FED_NS_LINK, &key, &fed_rec_link_shape, link));
    TRY(show_used(core, p, in->link, PROTO_REDEEM_PROOF,
                  link->birth_tries >= LIMIT_BIRTH_TRIES
                      ? 0
                      : LIMIT_BIRTH_TRIES - link->birth_tries));
out:
    return e;
}

static enum err
by_link(struct fed_core *core, struct fed_party *p,
        const struct proto_device_enrol *in)
{
    enum err e;
    struct fed_rec_link link;
    struct bytes hold = {0};
    enum proto_redeem_code code;
    bool good = false;

    TRY(fed_link_load(core, &p->subject, in->link, &link, &hold, &code));
    if (code == PROTO_REDEEM_OK &&
        fed_link_proof(core, p, &link, in->link, in->proof) != OK) {
        code = PROTO_REDEEM_PROOF;
        link.birth = (struct view){0}; /* it is not about that */
    } else if (code == PROTO_REDEEM_OK) {
        TRY(check_birth(core, p, in, &link, &good));
        code = good ? PROTO_REDEEM_OK : PROTO_REDEEM_PROOF;
    }
    if (code == PROTO_REDEEM_OK) {
        TRY(accept_enrol(core, p, in, &link));
        goto out;
    }
    if (code == PROTO_REDEEM_USED && link.one_time) {
        TRY(fed_bound_again(core, p, in->link, &link));
    }
    TRY(answer(core, p, in, code, &link));
out:
    bytes_free(&hold);
    return e;
}

/* A further device, or the same again. */
static enum err
further(struct fed_core *core, struct fed_party *p,
        const struct proto_device_enrol *in, struct fed_party *patient)
{
    enum err e;
    enum proto_stance stance = (enum proto_stance)patient->rec.ours;

    TRY(know(core, p, in, FED_LEARNED_LINK, &patient));
    TRY(answer(core, p, in,
               stance == PROTO_STANCE_GRANTED ? PROTO_REDEEM_OK
                                              : PROTO_REDEEM_REVIEW,
               NULL));
    TRY(fed_contact_profile(core, p));
    TRY(take_device(core, p, stance));
    TRY(fed_newer_follows(core, p, in->list));
out:
    return e;
}

static enum err
on_enrol(struct fed_core *core, struct fed_party *p,
         const struct proto_device_enrol *in)
{
    enum err e;
    struct fed_party *patient;
    struct patient_id id;

    if (core->kind != FED_KIND_CLINIC || p->kind != FED_KIND_DEVICE) {
        return fed_party_bad(core, p, ERR_DENIED);
    }
    e = check_device(core, p, in);
    if (e == ERR_STALE) {
        memcpy(id.b, in->patient, sizeof(id.b));
        TRY(fed_newer_give(core, p, &id));
        goto out;
    }
    if (e != OK) {
        TRY(fed_ours(e) ? e : fed_party_bad(core, p, e));
        TRY(answer(core, p, in, PROTO_REDEEM_REFUSED, NULL));
        goto out;
    }
    patient = fed_party_find(core, &p->subject);
    if (patient != NULL && patient->stored && patient->via == NULL &&
        (patient->rec.ours == PROTO_STANCE_GRANTED ||
         patient->rec.ours == PROTO_STANCE_REVIEW)) {
        TRY(further(core, p, in, patient));
    } else {
        TRY(by_link(core, p, in));
    }
out:
    return e;
}

enum err
fed_device_frame(struct fed_core *core, struct fed_party *p, struct view frame)
{
    struct proto_device_msg msg;
    enum err e = proto_device_decode(frame, &msg);

    if (e != OK) {
        return fed_party_bad(core, p, e);
    }
    if (msg.type == PROTO_DEVICE_ENROL) {
        return on_enrol(core, p, &msg.u.enrol);
    }
    if (msg.type == PROTO_DEVICE_ENROLLED) {
        return on_enrolled(core, p, &msg.u.enrolled);
    }
    if (msg.type == PROTO_DEVICE_LIST) {
        return core->kind == FED_KIND_DEVICE
                   ? fed_newer_came(core, p, &msg.u.list)
                   : fed_before_moved(core, p, &msg.u.list);
    }
    return fed_party_bad(core, p, ERR_STATE);
}

/* ------------------------------------------------------------ what follows */

/* The patient's stance is its devices'. */
enum err
fed_patient_stance(struct fed_core *core, struct fed_party *patient,
                   enum proto_stance ours)
{
    enum err e;
    struct patient_id id;
    struct ident_devices list = {.len = 0};

    memcpy(id.b, patient->root.b, sizeof(id.b));
    TRY(fed_party_stance(core, patient, ours));
    e = fed_patient_list(core, &id, &list);
    if (e == ERR_MISSING) {
        return OK;
    }
    TRY(e);
    for (uint32_t i = 0; i < list.len; i++) {
        struct clinic_id device;
        struct fed_party *d;

        memcpy(device.b, list.device[i].id.b, sizeof(device.b));
        d = fed_party_find(core, &device);
        if (d != NULL && d->kind == FED_KIND_DEVICE && d->stored &&
            d->via == NULL) {
            TRY(take_device(core, d, ours));
        }
    }
    e = OK;
out:
    return e;
}

/* A device says that its patient left this clinic. */
enum err
fed_device_left(struct fed_core *core, struct fed_party *device)
{
    struct fed_party *patient = fed_party_find(core, &device->subject);

    if (patient == NULL || patient->rec.ours != PROTO_STANCE_GRANTED) {
        return fed_party_stance(core, device, PROTO_STANCE_ENDED);
    }
    return fed_contact_ended(core, patient);
}
