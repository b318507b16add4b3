/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patients: how their key was learned, their devices, and what two people
 * compare at the desk (decisions F 23, F 25).
 */
#include "crypto/ident/patient.h"
#include "federation/core/patient.h"
#include "node/api.h"
#include "node/clinic/desk.h"
#include "node/twins.h"

#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- the list
 */

static const char *
state_word(enum store_patient_state s)
{
    static const char *const words[STORE_PATIENT_STATE_COUNT_] = {
        [STORE_PATIENT_KNOWN] = "in a thread",
        [STORE_PATIENT_ASKS] = "waits for you",
        [STORE_PATIENT_JOINED] = "joined",
        [STORE_PATIENT_ENDED] = "ended",
        [STORE_PATIENT_BLOCKED] = "blocked",
    };

    return s < STORE_PATIENT_STATE_COUNT_ && words[s] != NULL ? words[s]
                                                              : "unknown";
}

/* -------------------------------------------------- what waits for devices
 */

struct queues {
    const struct mem *mem;
    struct fed_queue_info *at;
    size_t len;
    size_t cap;
};

static void
queues_clear(struct queues *q)
{
    mem_free(q->mem, q->at, q->cap * sizeof(q->at[0]));
}

static enum err
queues_add(struct queues *q, const struct fed_queue_info *one)
{
    if (q->len == q->cap) {
        size_t cap = q->cap == 0 ? 64 : q->cap * 2;
        struct fed_queue_info *more = mem_calloc(q->mem, cap, sizeof(q->at[0]));

        if (more == NULL) {
            return ERR_NOMEM;
        }
        if (q->len > 0) {
            memcpy(more, q->at, q->len * sizeof(q->at[0]));
        }
        queues_clear(q);
        q->at = more;
        q->cap = cap;
    }
    q->at[q->len++] = *one;
    return OK;
}

static int
by_patient(const void *a, const void *b)
{
    const struct fed_queue_info *x = a;
    const struct fed_queue_info *y = b;

    return patient_id_cmp(&x->patient, &y->patient);
}

static enum err
step_queues(void *ctx, struct fed_core *core)
{
    struct queues *q = ctx;
    struct fed_queue_info one;
    size_t at = 0;
    enum err e = OK;

    q->len = 0;
    while (e == OK && fed_core_queue_next(core, &at, &one)) {
        e = queues_add(q, &one);
    }
    return e;
}

/* For all devices of one patient together; q is sorted. */
static void
show_queue(const struct queues *q, const struct patient_id *id, json_t *o)
{
    uint64_t queued = 0;
    uint64_t since_ms = 0;
    uint64_t idle = 0;
    size_t lo = 0;
    size_t hi = q->len;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (patient_id_cmp(&q->at[mid].patient, id) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    for (; lo < q->len && patient_id_equal(&q->at[lo].patient, id); lo++) {
        const struct fed_queue_info *one = &q->at[lo];

        queued += one->queued;
        idle += one->idle ? 1 : 0;
        if (one->waits_ms != 0 && (since_ms == 0 || one->waits_ms < since_ms)) {
            since_ms = one->waits_ms;
        }
    }
    node_json_num(o, "queued", queued);
    if (queued > 0) {
        node_json_num(o, "queued_since_ms", since_ms);
    }
    node_json_num(o, "idle_devices", idle);
}

static void
name_of_clinic(struct store_txn *txn, const struct clinic_id *id, json_t *o,
               const char *key)
{
    struct store_clinic clinic = {0};
    struct phi name = {0};

    if (store_clinic_get(txn, id, &clinic) == OK) {
        node_clinic_label(txn, &clinic, &name);
        node_json_view(o, key, proto_phi_reveal(&name));
    } else {
        node_json_hex(o, key, clinic_id_view(id));
    }
    store_clinic_clear(&clinic);
    phi_free(&name);
}

static void
show(struct node_call *c, struct store_txn *txn, const struct store_patient *p,
     json_t *o)
{
    struct phi name = {0};

    node_patient_label(txn, p, &name);
    node_json_hex(o, "id", patient_id_view(&p->id));
    node_json_view(o, "name", proto_phi_reveal(&name));
    node_json_view(o, "claim", proto_phi_reveal(&p->claim));
    node_json_view(o, "state", view_str(state_word(p->state)));
    node_json_view(o, "learned", view_str(node_learned_word(p->learned)));
    node_json_bool(o, "verified",
                   p->learned == STORE_LEARNED_SCANNED ||
                       p->learned == STORE_LEARNED_COMPARED);
    node_json_bool(o, "alarm", p->alarm);
    node_json_bool(o, "new_identity", p->replaces);
    node_json_bool(o, "direct", clinic_id_equal(&p->delivery, &c->api->root));
    if (p->has_introducer) {
        name_of_clinic(txn, &p->introducer, o, "introduced_by");
    }
    if (p->has_caller) {
        name_of_clinic(txn, &p->caller, o, "called_so_by");
    }
    if (!clinic_id_equal(&p->delivery, &c->api->root)) {
        name_of_clinic(txn, &p->delivery, o, "through");
    }
    if (p->has_contact) {
        node_json_hex(o, "contact", contact_id_view(&p->contact));
    }
    if (p->has_conv) {
        node_json_hex(o, "thread", conv_id_view(&p->conv));
    }
    node_json_num(o, "since_ms", p->created_ms);
    phi_free(&name);
}

struct list {
    struct node_call *c;
    struct store_txn *txn;
    json_t *array;
    bool requests;
    const struct queues *queues; /* NULL: of no interest */
};

static enum err
each_patient(void *ctx, const struct store_patient *p)
{
    struct list *l = ctx;
    json_t *o;

    if (l->requests != (p->state == STORE_PATIENT_ASKS)) {
        return OK;
    }
    o = node_json_item(l->array);
    if (o == NULL) {
        return ERR_NOMEM;
    }
    show(l->c, l->txn, p, o);
    if (l->queues != NULL) {
        show_queue(l->queues, &p->id, o);
    }
    return p->has_introducer && p->has_contact
               ? node_twins_of(l->txn, &p->contact, o)
               : OK;
}

enum err
node_patients_list(struct node_call *c, struct store_txn *txn, bool requests,
                   json_t *array)
{
    struct list l = {c, txn, array, requests, NULL};

    return store_patient_list(txn, each_patient, &l);
}

enum err
node_cmd_patients(struct node_call *c)
{
    enum err e;
    struct store_txn *txn = NULL;
    struct queues q = {.mem = c->api->mem};
    struct node_step step = {.step = step_queues, .ctx = &q};
    struct list l = {.c = c, .queues = &q};

    TRY(node_runner_do(c->api->runner, &step));
    if (q.len > 0) {
        qsort(q.at, q.len, sizeof(q.at[0]), by_patient);
    }
    TRY(store_read_begin(c->api->store, &txn));
    l.txn = txn;
    l.array = node_json_array(c->out, "patients");
    TRY(store_patient_list(txn, each_patient, &l));
out:
    store_read_end(txn);
    queues_clear(&q);
    return e;
}

static enum err
find(struct node_call *c, struct store_patient *out, struct phi *name)
{
    enum err e;
    struct store_txn *txn = NULL;

    TRY(store_read_begin(c->api->store, &txn));
    TRY(node_find_patient(c, txn, node_call_arg(c, 0), out));
    node_patient_label(txn, out, name);
out:
    store_read_end(txn);
    return e;
}

/* ------------------------------------------------------------------ devices
 */

struct devices {
    struct patient_id patient;
    struct fed_device_info list[IDENT_DEVICES_MAX];
    size_t len;
};

static enum err
step_devices(void *ctx, struct fed_core *core)
{
    struct devices *d = ctx;
    enum err e = OK;

    d->len = 0;
    while (e == OK && d->len < IDENT_DEVICES_MAX) {
        e = fed_core_device_at(core, &d->patient, d->len, &d->list[d->len]);
        d->len += e == OK ? 1 : 0;
    }
    return e == ERR_MISSING ? OK : e;
}

static void
show_device(const struct fed_device_info *d, const struct patient_id *patient,
            json_t *o)
{
    node_json_hex(o, "id", device_id_view(&d->id));
    node_json_bool(o, "may_add", d->may_add);
    node_json_bool(o, "suspended", d->suspended);
    node_json_bool(o, "idle", d->idle);
    node_json_bool(o, "online", d->up);
    if (d->seen_ms > 0) {
        node_json_num(o, "seen_ms", d->seen_ms);
    }
    node_json_num(o, "queued", d->queued);
    if (d->waits_ms > 0) {
        node_json_num(o, "queued_since_ms", d->waits_ms);
    }
    node_json_num(o, "keys_left", d->keys_left);
    node_json_bool(o, "by_patient_key",
                   memcmp(d->by.b, patient->b, sizeof(d->by.b)) == 0);
}

static enum err
load_devices(struct node_call *c, struct devices *d, struct store_patient *p,
             struct phi *name)
{
    enum err e;
    struct node_step step = {.step = step_devices, .ctx = d};

    TRY(find(c, p, name));
    d->patient = p->id;
    TRY(node_runner_do(c->api->runner, &step));
    node_json_hex(c->out, "patient", patient_id_view(&p->id));
    node_json_view(c->out, "name", proto_phi_reveal(name));
    node_json_bool(c->out, "alarm", p->alarm);
out:
    return e;
}

enum err
node_cmd_devices(struct node_call *c)
{
    enum err e;
    struct devices d = {.len = 0};
    struct store_patient p = {0};
    struct phi name = {0};
    json_t *list = node_json_array(c->out, "devices");

    TRY(load_devices(c, &d, &p, &name));
    for (size_t i = 0; i < d.len; i++) {
        json_t *o = node_json_item(list);

        TRY(o == NULL ? ERR_NOMEM : OK);
        show_device(&d.list[i], &d.patient, o);
    }
out:
    store_patient_clear(&p);
    phi_free(&name);
    return e;
}

struct suspend {
    struct node_call *c;
    struct patient_id patient;
    struct device_id device;
    bool suspended;
};

static enum err
step_suspend(void *ctx, struct fed_core *core)
{
    struct suspend *s = ctx;

    return fed_core_suspend(core, &s->patient, &s->device, s->suspended);
}

static enum err
write_suspend(void *ctx, struct store_txn *txn)
{
    struct suspend *s = ctx;

    return node_audit_member(
        txn, s->c->api, NODE_AUDIT_DEVICES, patient_id_view(&s->patient),
        s->suspended ? FED_DEVICES_SUSPENDED : FED_DEVICES_RESUMED);
}

/* The device whose id begins so. */
static enum err
pick(struct node_call *c, const struct devices *d, struct device_id *out)
{
    struct view ref = node_call_arg(c, 1);
    size_t n = 0;

    for (size_t i = 0; i < d->len; i++) {
        char hex[PROTO_HEX_MAX + 1];

        proto_hex(device_id_view(&d->list[i].id), hex);
        if (ref.len >= 4 && ref.len <= strlen(hex) &&
            memcmp(hex, ref.p, ref.len) == 0) {
            *out = d->list[i].id;
            n++;
        }
    }
    return n == 1 ? OK
                  : node_call_fail(c, n == 0 ? ERR_MISSING : ERR_INVALID,
                                   "Give the beginning of one device's id, as "
                                   "balsam devices shows it.");
}

static enum err
suspend(struct node_call *c, bool suspended)
{
    enum err e;
    struct devices d = {.len = 0};
    struct suspend s = {.c = c, .suspended = suspended};
    struct store_patient p = {0};
    struct phi name = {0};
    struct node_step step = {.step = step_suspend,
                             .write = write_suspend,
                             .ctx = &s,
                             .when_full = suspended};

    TRY(load_devices(c, &d, &p, &name));
    s.patient = p.id;
    TRY(pick(c, &d, &s.device));
    TRY(node_runner_do(c->api->runner, &step));
    node_json_hex(c->out, "device", device_id_view(&s.device));
out:
    store_patient_clear(&p);
    phi_free(&name);
    return e;
}

enum err
node_cmd_device_suspend(struct node_call *c)
{
    return suspend(c, true);
}

enum err
node_cmd_device_resume(struct node_call *c)
{
    return suspend(c, false);
}

/* ---------------------------------------------------------------- comparing
 */

enum {
    OLD_KEYS = 8 /* of one contact that are blocked together */
};

/* Once a new key was compared, those that the contact had before are no longer
   believed: somebody else may have the phone. */
struct compared {
    struct node_call *c;
    struct clinic_id who;
    struct contact_id contact;
    struct clinic_id old[OLD_KEYS];
    size_t old_len;
};

static enum err
each_old(void *ctx, const struct store_patient *p)
{
    struct compared *k = ctx;

    if (p->has_contact && contact_id_equal(&p->contact, &k->contact) &&
        memcmp(p->id.b, k->who.b, sizeof(k->who.b)) != 0 &&
        p->state != STORE_PATIENT_BLOCKED && k->old_len < OLD_KEYS) {
        memcpy(k->old[k->old_len++].b, p->id.b, sizeof(p->id.b));
    }
    return OK;
}

static enum err
find_old(struct node_call *c, const struct store_patient *p, struct compared *k)
{
    enum err e;
    struct store_txn *txn = NULL;

    if (!p->replaces || !p->has_contact) {
        return OK;
    }
    k->contact = p->contact;
    TRY(store_read_begin(c->api->store, &txn));
    TRY(store_patient_list(txn, each_old, k));
out:
    store_read_end(txn);
    return e;
}

static enum err
step_compared(void *ctx, struct fed_core *core)
{
    enum err e;
    struct compared *k = ctx;

    TRY(fed_core_compared(core, &k->who));
    for (size_t i = 0; i < k->old_len; i++) {
        TRY(fed_core_block(core, &k->old[i], true));
    }
out:
    return e;
}

static enum err
write_compared(void *ctx, struct store_txn *txn)
{
    enum err e;
    struct compared *k = ctx;

    TRY(node_audit_member(txn, k->c->api, NODE_AUDIT_COMPARED,
                          clinic_id_view(&k->who), 0));
    for (size_t i = 0; i < k->old_len; i++) {
        TRY(node_audit_member(txn, k->c->api, NODE_AUDIT_BLOCK,
                              clinic_id_view(&k->old[i]), 0));
        TRY(node_block_patient(txn, &k->old[i], true));
    }
out:
    return e;
}

/* What was scanned or typed from the other side's screen. */
static enum err
check_code(struct node_call *c, const struct hash32 *code)
{
    enum err e = ident_compare_check(node_call_flag(c, "code"), code);

    if (e == ERR_AUTH) {
        return node_call_fail(c, e,
                              "This code belongs to other keys: somebody may "
                              "be in between. Do not go on; ask the patient "
                              "to join again by a link shown in person.");
    }
    return e == OK ? OK
                   : node_call_fail(c, e,
                                    "This is no code for comparing. Scan the "
                                    "one that the patient's app shows.");
}

enum err
node_cmd_compare(struct node_call *c)
{
    enum err e;
    struct store_patient p = {0};
    struct phi name = {0};
    struct compared k = {.c = c};
    struct node_step step = {
        .step = step_compared, .write = write_compared, .ctx = &k};
    struct subject_id ours;
    struct subject_id theirs;
    struct hash32 code;
    struct bytes words = {0};
    struct bytes qr = {0};
    bool same = node_call_has(c, "same");

    TRY(find(c, &p, &name));
    memcpy(ours.b, c->api->root.b, sizeof(ours.b));
    memcpy(theirs.b, p.id.b, sizeof(theirs.b));
    ident_compare(&ours, &theirs, &code);
    TRY(ident_compare_words(c->api->mem, &code, &words));
    TRY(ident_compare_qr(c->api->mem, &code, &qr));
    if (node_call_has(c, "code")) {
        TRY(check_code(c, &code));
        same = true;
    }
    if (same) {
        memcpy(k.who.b, p.id.b, sizeof(k.who.b));
        TRY(find_old(c, &p, &k));
        TRY(node_runner_do(c->api->runner, &step));
    }
    node_json_hex(c->out, "id", patient_id_view(&p.id));
    node_json_view(c->out, "name", proto_phi_reveal(&name));
    node_json_view(c->out, "words", view_of(&words));
    node_json_view(c->out, "code", view_of(&qr));
    node_json_num(c->out, "blocked", k.old_len);
    node_json_bool(c->out, "compared",
                   same || p.learned == STORE_LEARNED_COMPARED);
out:
    store_patient_clear(&p);
    phi_free(&name);
    bytes_free(&words);
    bytes_free(&qr);
    return e;
}
