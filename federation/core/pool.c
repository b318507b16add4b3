/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key packages of devices: the clinic that delivers keeps a few of each device
 * and hands out each once; the last resort is for when the others are gone.
 * It says when there are few left, and the device sends more.
 */
#include "federation/core/care.h"
#include "federation/core/frank.h"
#include "federation/core/rows.h"

#include "proto/msg/device.h"

#include <string.h>

/* ------------------------------------------------------------ the clinic's end
 */

/* What there is of a device. */
struct stock {
    uint64_t left;
    uint64_t next;   /* number of the next record */
    uint64_t last_s; /* end of the last resort's life; 0: none */
    struct fed_key first;
    struct fed_key last;
};

static enum err
count(struct fed_core *core, const struct clinic_id *device, struct stock *out)
{
    enum err e;
    struct fed_rows rows = fed_rows_of(FED_NS_POOL, clinic_id_view(device));
    uint64_t now_s = fed_now(core) / 1000;

    *out = (struct stock){.next = 1};
    while ((e = fed_rows_next(core, &rows)) == OK) {
        struct fed_key found = fed_rows_key(&rows);
        struct fed_rec_pool rec;

        TRY(fed_rec_decode(view_of(&rows.value), &fed_rec_pool_shape, &rec));
        out->next = fed_key_tail(fed_key_view(&found)) + 1;
        if (rec.until_s <= now_s) {
            TRY(fed_tx_del(core, FED_NS_POOL, &found));
        } else if (rec.last_resort) {
            out->last_s = rec.until_s;
            out->last = found;
        } else if (out->left++ == 0) {
            out->first = found;
        }
    }
    e = fed_rows_all(e);
out:
    fed_rows_free(&rows);
    return e;
}

static enum err
say_state(struct fed_core *core, struct fed_party *p, const uint8_t req[16],
          enum proto_device_code code)
{
    enum err e;
    struct stock stock;
    struct proto_device_msg msg = {.type = PROTO_DEVICE_KP_STATE};
    struct proto_device_kp_state *out = &msg.u.kp_state;

    TRY(count(core, &p->root, &stock));
    memcpy(out->req, req, sizeof(out->req));
    out->code = (uint64_t)code;
    out->suite = core->config.suite;
    out->left = stock.left;
    out->last_resort_s = stock.last_s;
    TRY(fed_device_put(core, p, &msg));
out:
    return e;
}

enum err
fed_pool_left(struct fed_core *core, const struct clinic_id *device,
              uint64_t *out)
{
    struct stock stock;
    enum err e = count(core, device, &stock);

    *out = stock.left;
    return e;
}

enum err
fed_pool_drop(struct fed_core *core, const struct clinic_id *device)
{
    return fed_tx_drop(core, FED_NS_POOL, clinic_id_view(device));
}

/* A key package that is the patient's by the list; device NULL: any of it. */
static enum err
check(struct fed_core *core, const struct clinic_id *patient,
      const struct clinic_id *device, struct view kp,
      struct mls_key_package_info *info)
{
    enum err e;
    struct mls_env env = fed_mls_env(core);
    struct fed_who who;
    struct patient_id id;
    struct device_id key;
    struct ident_devices list;
    struct ident_device_cert cert;

    TRY(mls_key_package_check(&env, kp, info));
    TRY(info->suite == core->config.suite ? OK : ERR_UNSUPPORTED);
    TRY(fed_cred_who(info->member.credential, &who));
    TRY(who.kind == FED_KIND_DEVICE && clinic_id_equal(&who.subject, patient) &&
                (device == NULL || clinic_id_equal(&who.node, device))
            ? OK
            : ERR_DENIED);
    memcpy(id.b, patient->b, sizeof(id.b));
    TRY(fed_patient_list(core, &id, &list));
    TRY(device_id_from(info->member.signature_key, &key));
    /* [pool-certified] a relay's own key package is not the device's */
    TRY(ident_device_cert_verify(core->mem, info->member.credential, &list,
                                 &key, &cert));
out:
    return e;
}

enum err
fed_pool_check(struct fed_core *core, const struct clinic_id *patient,
               struct view kp)
{
    struct mls_key_package_info info;

    return check(core, patient, NULL, kp, &info);
}

static enum err
keep(struct fed_core *core, const struct fed_party *p, struct stock *stock,
     struct view kp, bool last_resort)
{
    enum err e;
    struct mls_key_package_info info;
    struct fed_rec_pool rec = {.last_resort = last_resort, .kp = kp};
    struct fed_key key;

    TRY(check(core, &p->subject, &p->root, kp, &info));
    rec.until_s = info.not_after_s;
    if (last_resort && stock->last_s != 0) {
        TRY(fed_tx_del(core, FED_NS_POOL, &stock->last));
    }
    if (!last_resort && stock->left >= LIMIT_POOL_MAX) {
        goto out;
    }
    key = fed_key_num(clinic_id_view(&p->root), stock->next++);
    TRY(fed_tx_save(core, FED_NS_POOL, &key, &fed_rec_pool_shape, &rec));
    stock->left += last_resort ? 0 : 1;
out:
    return e;
}

/* The direct conversation, once there is a key package to add a device by. */
static enum err
converse(struct fed_core *core, struct fed_party *patient)
{
    static const uint8_t none[32];
    enum err e;
    struct bytes kps = {0};

    if (patient->rec.ours != PROTO_STANCE_GRANTED || patient->via != NULL ||
        memcmp(patient->rec.direct, none, sizeof(none)) != 0) {
        return OK;
    }
    TRY(fed_pool_take(core, patient, &kps));
    TRY(kps.len > 0 ? fed_hub_direct(core, patient, view_of(&kps)) : OK);
out:
    bytes_free(&kps);
    return e;
}

static enum err
published(struct fed_core *core, struct fed_party *p,
          const struct proto_device_kp_publish *in)
{
    enum err e;
    struct stock stock;
    struct proto_list_at at = {0};
    struct proto_key_package kp;
    struct fed_party *patient = fed_party_find(core, &p->subject);

    TRY(count(core, &p->root, &stock));
    while (proto_list_next(&in->kps, &proto_key_package_shape, &at, &kp)) {
        TRY(keep(core, p, &stock, kp.kp, false));
    }
    if (in->last_resort.len > 0) {
        TRY(keep(core, p, &stock, in->last_resort, true));
    }
    TRY(say_state(core, p, in->req, PROTO_DEVICE_OK));
    if (patient != NULL) {
        TRY(converse(core, patient));
        TRY(fed_pool_filled(core, patient));
    }
out:
    return e;
}

/* One of a device: a fresh one, else the last resort; empty: it has none.  What
   the list does not certify any more is gone [pool-certified]. */
static enum err
take_one(struct fed_core *core, const struct fed_party *patient,
         const struct clinic_id *device, struct bytes *out, bool *void_out)
{
    enum err e;
    struct stock stock;
    struct fed_rec_pool rec;
    struct mls_key_package_info info;
    struct bytes hold = {0};

    for (;;) {
        const struct fed_key *at;

        bytes_free(&hold);
        TRY(count(core, device, &stock));
        if (stock.left == 0 && stock.last_s == 0) {
            goto out;
        }
        at = stock.left > 0 ? &stock.first : &stock.last;
        TRY(fed_tx_load(core, FED_NS_POOL, at, &fed_rec_pool_shape, &rec,
                        &hold));
        e = check(core, &patient->root, device, rec.kp, &info);
        if (fed_ours(e)) {
            goto out;
        }
        if (e == OK) {
            break;
        }
        TRY(fed_tx_del(core, FED_NS_POOL, at));
        *void_out = true;
    }
    TRY(bytes_copy(core->mem, rec.kp, out));
    if (stock.left > 0) {
        TRY(fed_tx_del(core, FED_NS_POOL, &stock.first));
    }
out:
    bytes_free(&hold);
    return e;
}

enum err
fed_pool_take(struct fed_core *core, struct fed_party *patient,
              struct bytes *out)
{
    static const uint8_t unasked[16];
    enum err e = OK;
    struct bytes kp[PROTO_PATIENT_DEVICES] = {{0}};
    struct proto_key_package list[PROTO_PATIENT_DEVICES];
    struct fed_rec_kps rec = {0};
    struct fed_party *d;
    size_t n = 0;

    for (size_t i = 0; fed_patient_device(core, patient, i, &d); i++) {
        bool fewer = false;
        struct stock stock;

        if (d == NULL || n == PROTO_PATIENT_DEVICES) {
            continue;
        }
        TRY(take_one(core, patient, &d->root, &kp[n], &fewer));
        if (kp[n].len > 0) {
            list[n].kp = view_of(&kp[n]);
            n++;
            fewer = true;
        }
        TRY(count(core, &d->root, &stock));
        TRY(fewer && (stock.left < LIMIT_POOL_LOW || stock.last_s == 0)
                ? say_state(core, d, unasked, PROTO_DEVICE_OK)
                : OK);
    }
    if (n > 0) {
        rec.kps = (struct proto_list){.items = list, .len = (uint32_t)n};
        TRY(fed_rec_encode(core->mem, &fed_rec_kps_shape, &rec, out));
    }
out:
    for (size_t i = 0; i < PROTO_PATIENT_DEVICES; i++) {
        bytes_free(&kp[i]);
    }
    return e;
}

enum err
fed_pool_filled(struct fed_core *core, struct fed_party *patient)
{
    enum err e = OK;

    for (size_t i = core->busy_len; i > 0; i--) {
        struct fed_thread *t;
        struct thread_id id;
        uint64_t number = 0;
        struct fed_rec_intent rec;
        struct bytes hold = {0};
        struct bytes kps = {0};

        if (i > core->busy_len) {
            continue;
        }
        id = core->busy[i - 1].id;
        e = fed_thread_get(core, &id, &t);
        while (e == OK) {
            e = fed_intent_next(core, &t->id, &number, &rec, &hold);
            if (e == OK && rec.kind == FED_INTENT_ADD && rec.data.len == 0 &&
                memcmp(rec.id, patient->root.b, 32) == 0) {
                e = fed_pool_take(core, patient, &kps);
                rec.data = view_of(&kps);
                e = e == OK ? fed_intent_put(core, t, number, &rec) : e;
                t->next_intent = 0;
                t->idle = false;
                bytes_free(&kps);
            }
            bytes_free(&hold);
            number++;
        }
        TRY(e == ERR_MISSING ? OK : e);
        e = fed_thread_get(core, &id, &t);
        if (e != ERR_MISSING) {
            TRY(e);
            TRY(fed_intent_pump(core, t));
        }
    }
    e = OK;
out:
    return e;
}

/* Another clinic wants to add our patient (single use, rate-limited). */
enum err
fed_pool_claimed(struct fed_core *core, struct fed_party *p,
                 const struct proto_kp_claim *in)
{
    enum err e;
    struct proto_peer_msg msg = {.type = PROTO_PEER_KP_ANSWER};
    struct proto_kp_answer *a = &msg.u.kp_answer;
    struct clinic_id who;
    struct patient_id id;
    struct fed_party *patient;
    struct fed_rec_allow allow;
    struct fed_rec_patient rec;
    struct fed_rec_kps kps;
    struct bytes hold = {0};
    struct bytes taken = {0};
    uint64_t now = fed_now(core);

    memcpy(who.b, in->who, sizeof(who.b));
    memcpy(id.b, in->who, sizeof(id.b));
    memcpy(a->req, in->req, sizeof(a->req));
    memcpy(a->thread, in->thread, sizeof(a->thread));
    memcpy(a->who, in->who, sizeof(a->who));
    a->code = PROTO_ANSWER_DENIED;
    patient = fed_party_find(core, &who);
    TRY(fed_allow_get(core, &who, &p->root, &allow));
    if (now - allow.since_ms >= LIMIT_CLAIMS_MS) {
        allow.since_ms = now;
        allow.claims = 0;
    }
    /* [claim-allowed] [claim-limited] */
    if (patient != NULL && patient->kind == FED_KIND_PATIENT &&
        patient->via == NULL && fed_party_open(patient) && allow.allowed &&
        allow.claims < LIMIT_CLAIMS && in->suite == core->config.suite) {
        allow.claims++;
        TRY(fed_allow_put(core, &who, &p->root, &allow));
        TRY(fed_pool_take(core, patient, &taken));
        TRY(fed_patient_load(core, &id, &rec, &hold));
        a->list = rec.list;
    }
    if (taken.len > 0) {
        TRY(fed_rec_decode(view_of(&taken), &fed_rec_kps_shape, &kps));
        a->kps = kps.kps;
        a->code = PROTO_ANSWER_ACCEPTED;
    }
    TRY(fed_stream_put(core, p, &msg));
out:
    bytes_free(&hold);
    bytes_free(&taken);
    return e;
}

/* ------------------------------------------------------------ the device's end
 */

static enum err
publish(struct fed_core *core, struct fed_party *clinic, uint64_t n,
        bool last_resort)
{
    enum err e = OK;
    struct bytes made[LIMIT_POOL_TARGET + 1] = {{0}};
    struct proto_key_package list[LIMIT_POOL_TARGET];
    struct proto_device_msg msg = {.type = PROTO_DEVICE_KP_PUBLISH};
    struct proto_device_kp_publish *out = &msg.u.kp_publish;

    TRY(rng_fill(core->config.rng, out->req, sizeof(out->req)));
    out->suite = core->config.suite;
    for (uint64_t i = 0; i < n; i++) {
        TRY(fed_kp_make(core, &clinic->root, false, &made[i]));
        list[i].kp = view_of(&made[i]);
    }
    if (last_resort) {
        TRY(fed_kp_make(core, &clinic->root, true, &made[LIMIT_POOL_TARGET]));
        out->last_resort = view_of(&made[LIMIT_POOL_TARGET]);
    }
    out->kps = (struct proto_list){.items = list, .len = (uint32_t)n};
    TRY(fed_device_put(core, clinic, &msg));
out:
    for (size_t i = 0; i <= LIMIT_POOL_TARGET; i++) {
        bytes_free(&made[i]);
    }
    return e;
}

static enum err
on_state(struct fed_core *core, struct fed_party *p,
         const struct proto_device_kp_state *in)
{
    uint64_t soon_s = fed_now(core) / 1000 + LIMIT_KP_DAYS * 86400u / 3u;
    bool last = in->last_resort_s < soon_s;

    if (in->suite != core->config.suite ||
        (in->left >= LIMIT_POOL_LOW && !last)) {
        return OK;
    }
    return publish(core, p,
                   in->left < LIMIT_POOL_LOW ? LIMIT_POOL_TARGET - in->left : 0,
                   last);
}

/* Connected: does it have enough to be added by? */
enum err
fed_device_lively(struct fed_core *core, struct fed_party *p)
{
    static const uint8_t unasked[16];
    enum err e = OK;
    struct stock stock;
    struct fed_party *patient;

    if (core->kind != FED_KIND_CLINIC || p->kind != FED_KIND_DEVICE ||
        p->via != NULL) {
        return OK;
    }
    patient = fed_party_find(core, &p->subject);
    TRY(patient != NULL ? converse(core, patient) : OK); /* who came back */
    if (p->keys_asked) {
        goto out;
    }
    p->keys_asked = true;
    TRY(count(core, &p->root, &stock));
    if (stock.left < LIMIT_POOL_LOW || stock.last_s == 0) {
        TRY(say_state(core, p, unasked, PROTO_DEVICE_OK));
    }
out:
    return e;
}

/* -------------------------------------------------------------------- items */

static enum err
on_allow(struct fed_core *core, struct fed_party *p,
         const struct proto_device_allow *in)
{
    enum err e;
    struct clinic_id clinic;
    struct fed_rec_allow allow;

    memcpy(clinic.b, in->clinic, sizeof(clinic.b));
    TRY(fed_allow_get(core, &p->subject, &clinic, &allow));
    if (in->serial <= allow.serial) {
        goto out;
    }
    allow.serial = in->serial;
    allow.allowed = in->allowed;
    TRY(fed_allow_put(core, &p->subject, &clinic, &allow));
out:
    return e;
}

/* What a device wants of a clinic. */
static bool
asks(enum proto_device_type type)
{
    return type == PROTO_DEVICE_KP_PUBLISH || type == PROTO_DEVICE_ALLOW ||
           type == PROTO_DEVICE_CONTINUE;
}

static enum err
asked(struct fed_core *core, struct fed_party *p,
      const struct proto_device_msg *msg)
{
    if (msg->type == PROTO_DEVICE_KP_PUBLISH) {
        return published(core, p, &msg->u.kp_publish);
    }
    return msg->type == PROTO_DEVICE_ALLOW
               ? on_allow(core, p, &msg->u.allow)
               : fed_after_asked(core, p, &msg->u.next);
}

/* Between a device and a clinic that orders its threads or keeps its archive.
 */
static enum err
rest(struct fed_core *core, struct fed_party *p,
     const struct proto_device_msg *msg)
{
    if (msg->type == PROTO_DEVICE_FRANK_GET) {
        return fed_prove_asked(core, p, &msg->u.frank_get);
    }
    if (msg->type == PROTO_DEVICE_FRANK) {
        return fed_prove_got(core, p, &msg->u.frank);
    }
    return msg->type == PROTO_DEVICE_LIST_STATE
               ? OK
               : fed_archive_item(core, p, msg);
}

enum err
fed_device_item(struct fed_core *core, struct fed_party *p, struct view body)
{
    struct proto_device_msg msg;
    enum err e = proto_device_decode(body, &msg);
    bool from_device = core->kind == FED_KIND_CLINIC &&
                       p->kind == FED_KIND_DEVICE && p->via == NULL;

    if (e != OK) {
        return e;
    }
    if (msg.type == PROTO_DEVICE_LIST) {
        return fed_list_recv(core, p, VIEW_ARRAY(msg.u.list.patient),
                             msg.u.list.list);
    }
    if (msg.type == PROTO_DEVICE_HOME &&
        (from_device || core->kind == FED_KIND_DEVICE)) {
        return fed_home_recv(core, p, &msg.u.home);
    }
    if (from_device && msg.type == PROTO_DEVICE_BEFORE) {
        return fed_before_recv(core, p, &msg.u.home);
    }
    if (from_device && asks(msg.type)) {
        return asked(core, p, &msg);
    }
    if (msg.type == PROTO_DEVICE_KP_STATE && core->kind == FED_KIND_DEVICE) {
        return on_state(core, p, &msg.u.kp_state);
    }
    return rest(core, p, &msg);
}
