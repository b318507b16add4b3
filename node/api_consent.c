/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Letting another clinic read what a patient says (decisions D 18): asked in
 * the patient's app, or recorded at our desk with who and why; and who can
 * read what in a conversation, in words.
 */
#include "crypto/ident/consent.h"
#include "crypto/ident/device_list.h"
#include "federation/core/patient.h"
#include "node/api.h"
#include "node/clinic/desk.h"
#include "node/day.h"
#include "proto/msg/group.h"
#include "store/member.h"

#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------- asking
 */

struct asking {
    struct node_call *c;
    struct thread_id thread;
    struct fed_ask ask;
    struct bytes profile;
    struct phi member; /* who records it */
    bool desk;
    struct message_id id;
};

static enum err
step_ask(void *ctx, struct fed_core *core)
{
    struct asking *a = ctx;

    if (a->desk) {
        return fed_core_desk_consent(
            core, &a->thread, &a->ask, &a->c->api->member,
            proto_phi_reveal(&a->member), node_call_flag(a->c, "why"));
    }
    return fed_core_ask(core, &a->thread, &a->ask, &a->id);
}

static enum err
write_ask(void *ctx, struct store_txn *txn)
{
    struct asking *a = ctx;

    return node_audit_member(txn, a->c->api,
                             a->desk ? NODE_AUDIT_DESK : NODE_AUDIT_ASK,
                             thread_id_view(&a->thread), 0);
}

/* none, all, or from a day on. */
static enum err
read_history(struct node_call *c, struct fed_ask *ask)
{
    struct view v = node_call_flag(c, "history");
    uint64_t from;

    ask->history = IDENT_HISTORY_NONE;
    if (v.len == 0 || view_equal(v, VIEW_LIT("none"))) {
        return OK;
    }
    if (view_equal(v, VIEW_LIT("all"))) {
        ask->history = IDENT_HISTORY_ALL;
        return OK;
    }
    if (node_day_ms(v, false, &from) == OK &&
        from <= store_now_ms(c->api->store)) {
        ask->history = IDENT_HISTORY_FROM;
        ask->history_from_ms = from;
        return OK;
    }
    return node_call_fail(c, ERR_INVALID,
                          "--history is none, all, or a day that was, such as "
                          "2026-01-31, from which on they may read.");
}

static enum err
read_flags(struct node_call *c, struct asking *a)
{
    enum err e;

    a->desk = node_call_has(c, "desk-consent");
    a->ask.purpose = node_call_flag(c, "purpose");
    if (a->ask.purpose.len == 0 || a->ask.purpose.len > IDENT_PURPOSE_MAX) {
        TRY(node_call_fail(c, ERR_INVALID,
                           "Say what for, in at most %d bytes: --purpose. The "
                           "patient reads it and decides.",
                           IDENT_PURPOSE_MAX));
    }
    if (a->desk && (node_call_flag(c, "why").len == 0 ||
                    node_call_flag(c, "why").len > IDENT_WHY_MAX)) {
        TRY(node_call_fail(c, ERR_INVALID,
                           "A consent at the desk needs --why, in at most %d "
                           "bytes: for example \"signed form of today\". The "
                           "patient's app shows it, with your name.",
                           IDENT_WHY_MAX));
    }
    if (!a->desk && node_call_has(c, "why")) {
        TRY(node_call_fail(c, ERR_INVALID, "--why belongs to --desk-consent."));
    }
    TRY(read_history(c, &a->ask));
    if (node_call_has(c, "expires")) {
        TRY(node_call_expiry(c, store_now_ms(c->api->store), &a->ask.until_ms));
    }
out:
    return e;
}

/* The one patient of a thread. */
static enum err
patient_in(struct node_call *c, struct store_txn *txn,
           const struct thread_id *thread, struct patient_id *out)
{
    enum err e;
    struct bytes b = {0};
    struct proto_group g;
    struct proto_list_at at = {0};
    struct proto_subject s;
    struct store_patient named = {0};
    size_t n = 0;

    TRY(node_desk_group(txn, thread, &b));
    TRY(proto_group_decode(view_of(&b), &g));
    if (node_call_has(c, "patient")) {
        TRY(node_find_patient(c, txn, node_call_flag(c, "patient"), &named));
    }
    while (proto_list_next(&g.subjects, &proto_subject_shape, &at, &s)) {
        if (s.kind == PROTO_SUBJECT_PATIENT &&
            (!node_call_has(c, "patient") ||
             memcmp(s.root, named.id.b, sizeof(s.root)) == 0)) {
            memcpy(out->b, s.root, sizeof(out->b));
            n++;
        }
    }
    if (n != 1) {
        TRY(node_call_fail(c, n == 0 ? ERR_MISSING : ERR_INVALID,
                           n == 0 ? "There is no such patient in this "
                                    "conversation."
                                  : "Several patients are in this "
                                    "conversation: say which, with "
                                    "--patient."));
    }
out:
    store_patient_clear(&named);
    bytes_free(&b);
    return e;
}

enum err
node_thread_asked_flags(struct node_call *c)
{
    struct asking a = {.c = c};

    return read_flags(c, &a);
}

/* Why the core refused, in words. */
static enum err
ask_failed(struct node_call *c, enum err e)
{
    switch ((int)e) {
    case ERR_MISSING:
    case ERR_STATE:
        return node_call_fail(c, e,
                              "This conversation has ended, or the patient "
                              "has not joined it yet.");
    case ERR_DENIED:
        return node_call_fail(c, e,
                              "The patient is not in this conversation, or "
                              "you are not connected with that clinic: balsam "
                              "clinics.");
    case ERR_INVALID:
        return node_call_fail(c, e, "The words are no text, or too long.");
    default:
        return e;
    }
}

/* Who records a consent: the member who acts. */
static enum err
own_member(struct node_call *c, struct store_txn *txn, struct phi *out)
{
    enum err e;
    struct store_member m = {0};

    TRY(store_member_get(txn, &c->api->member, &m));
    TRY(phi_from(c->api->mem, proto_phi_reveal(&m.name), out));
out:
    store_member_clear(&m);
    return e;
}

static enum err
do_ask(struct node_call *c, struct asking *a)
{
    struct node_step step = {.step = step_ask, .write = write_ask, .ctx = a};
    enum err e = node_runner_do(c->api->runner, &step);

    if (e != OK) {
        return ask_failed(c, e);
    }
    node_json_view(c->out, "state",
                   a->desk ? VIEW_LIT("recorded")
                   : a->ask.scope == IDENT_SCOPE_PRIVATE
                       ? VIEW_LIT("asked alone")
                       : VIEW_LIT("asked"));
    return OK;
}

static void
asking_clear(struct asking *a)
{
    bytes_free(&a->profile);
    phi_free(&a->member);
}

enum err
node_thread_add_asked(struct node_call *c, const struct thread_id *thread,
                      const struct store_clinic *clinic)
{
    enum err e;
    struct asking a = {.c = c, .thread = *thread};
    struct store_txn *txn = NULL;

    TRY(read_flags(c, &a));
    TRY(store_read_begin(c->api->store, &txn));
    TRY(patient_in(c, txn, thread, &a.ask.patient));
    TRY(bytes_copy(c->api->mem, view_of(&clinic->profile), &a.profile));
    TRY(own_member(c, txn, &a.member));
    store_read_end(txn);
    txn = NULL;
    a.ask.clinic = clinic->id;
    a.ask.profile = view_of(&a.profile);
    a.ask.scope = IDENT_SCOPE_THREAD;
    TRY(do_ask(c, &a));
out:
    store_read_end(txn);
    asking_clear(&a);
    return e;
}

/* May we open a conversation with the patient alone? */
enum err
node_cmd_thread_ask(struct node_call *c)
{
    enum err e;
    struct asking a = {.c = c};
    struct store_txn *txn = NULL;
    struct store_conv conv = {0};
    struct store_patient p = {0};

    TRY(read_flags(c, &a));
    if (a.desk) {
        TRY(node_call_fail(c, ERR_INVALID,
                           "A conversation alone is asked for in the app."));
    }
    TRY(store_read_begin(c->api->store, &txn));
    TRY(node_find_conv(c, txn, node_call_arg(c, 0), &conv));
    TRY(node_find_patient(c, txn, node_call_arg(c, 1), &p));
    store_read_end(txn);
    txn = NULL;
    if (!conv.has_thread) {
        TRY(ask_failed(c, ERR_MISSING));
    }
    a.thread = conv.thread;
    a.ask.patient = p.id;
    a.ask.clinic = c->api->root;
    a.ask.scope = IDENT_SCOPE_PRIVATE;
    TRY(do_ask(c, &a));
out:
    store_read_end(txn);
    store_conv_clear(&conv);
    store_patient_clear(&p);
    asking_clear(&a);
    return e;
}

/* ------------------------------------------------------------ what was said
 */

static const char *
code_word(uint16_t code)
{
    static const char *const words[] = {
        [FED_CONSENT_ASKED] = "asked",
        [FED_CONSENT_GIVEN] = "yes",
        [FED_CONSENT_REFUSED] = "no",
        [FED_CONSENT_DESK] = "yes at the desk",
        [FED_CONSENT_WITHDRAWN] = "withdrawn",
        [FED_CONSENT_INVALID] = "not valid",
    };

    return code < sizeof(words) / sizeof(*words) && words[code] != NULL
               ? words[code]
               : "something newer";
}

static void
show_history(uint64_t history, uint64_t from_ms, json_t *o)
{
    static const char *const words[IDENT_HISTORY_COUNT] = {
        [IDENT_HISTORY_NONE] = "none",
        [IDENT_HISTORY_FROM] = "from",
        [IDENT_HISTORY_ALL] = "all",
    };

    if (history < IDENT_HISTORY_COUNT) {
        node_json_view(o, "history", view_str(words[history]));
    }
    if (history == IDENT_HISTORY_FROM) {
        node_json_num(o, "history_from_ms", from_ms);
    }
}

static void
show_scope(uint64_t scope, json_t *o)
{
    node_json_view(o, "scope",
                   scope == IDENT_SCOPE_PRIVATE ? VIEW_LIT("alone")
                                                : VIEW_LIT("conversation"));
}

/* The words of a consent recorded at a desk, which are inside its signature. */
static void
show_desk(struct node_call *c, const struct clinic_id *asker, struct view in,
          json_t *o)
{
    struct ident_check check = {.root = asker};
    struct ident_desk_consent d;

    if (ident_desk_consent_open(c->api->mem, in, &check, &d) == OK) {
        node_json_view(o, "purpose", d.consent.purpose);
        node_json_view(o, "by", d.name);
        node_json_view(o, "why", d.why);
        show_history(d.consent.history, d.consent.history_from_ms, o);
        show_scope(d.consent.scope, o);
    }
}

void
node_json_consent(struct node_call *c, const struct clinic_id *speaker,
                  const struct proto_content *content, json_t *o)
{
    if (content->kind == PROTO_CONTENT_ASK) {
        node_json_view(o, "purpose", content->u.ask.purpose);
        show_history(content->u.ask.history, content->u.ask.history_from_ms, o);
        show_scope(content->u.ask.scope, o);
    } else if (content->kind == PROTO_CONTENT_CONSENT &&
               content->u.consent.code == PROTO_CONSENT_DESK) {
        show_desk(c, speaker, content->u.consent.consent, o);
    }
}

struct consents {
    struct node_call *c;
    struct store_txn *txn;
    json_t *array;
};

static void
name_clinic(struct consents *k, const struct clinic_id *id, json_t *o,
            const char *key)
{
    struct store_clinic clinic = {0};
    struct phi name = {0};

    if (clinic_id_equal(id, &k->c->api->root)) {
        node_json_own_name(o, key, k->c->api);
    } else if (store_clinic_get(k->txn, id, &clinic) == OK) {
        node_clinic_label(k->txn, &clinic, &name);
        node_json_view(o, key, proto_phi_reveal(&name));
    } else {
        node_json_hex(o, key, clinic_id_view(id));
    }
    store_clinic_clear(&clinic);
    phi_free(&name);
}

static void
name_patient(struct consents *k, const struct patient_id *id, json_t *o,
             const char *key)
{
    struct store_patient p = {0};
    struct phi name = {0};

    if (store_patient_get(k->txn, id, &p) == OK) {
        node_patient_label(k->txn, &p, &name);
        node_json_view(o, key, proto_phi_reveal(&name));
    } else {
        node_json_hex(o, key, patient_id_view(id));
    }
    store_patient_clear(&p);
    phi_free(&name);
}

static enum err
each_consent(void *ctx, const struct store_consent *s)
{
    struct consents *k = ctx;
    json_t *o = node_json_item(k->array);
    struct proto_content content;

    if (o == NULL) {
        return ERR_NOMEM;
    }
    node_json_num(o, "at_ms", s->at_ms);
    node_json_view(o, "said", view_str(code_word(s->code)));
    name_patient(k, &s->patient, o, "patient");
    name_clinic(k, &s->clinic, o, "clinic");
    if (!clinic_id_is_zero(&s->asker) && /* an answer names its patient */
        memcmp(s->asker.b, s->patient.b, sizeof(s->asker.b)) != 0) {
        name_clinic(k, &s->asker, o, "asked_by");
    }
    node_json_hex(o, "thread", conv_id_view(&s->conv));
    node_json_hex(o, "question", message_id_view(&s->question));
    if (proto_content_decode(view_of(&s->content), &content) == OK) {
        node_json_consent(k->c, &s->asker, &content, o);
    }
    return OK;
}

enum err
node_cmd_consents(struct node_call *c)
{
    enum err e;
    struct consents k = {.c = c};
    struct store_patient p = {0};
    bool one = json_array_size(c->args) > 0;

    TRY(store_read_begin(c->api->store, &k.txn));
    if (one) {
        TRY(node_find_patient(c, k.txn, node_call_arg(c, 0), &p));
    }
    k.array = node_json_array(c->out, "consents");
    TRY(store_consent_list(k.txn, one ? &p.id : NULL, each_consent, &k));
out:
    store_read_end(k.txn);
    store_patient_clear(&p);
    return e;
}

/* ------------------------------------------------------------- who reads it
 */

/* By which consent a clinic reads along, if by any. */
static void
show_consent(struct consents *k, const struct proto_group *g,
             const struct proto_subject *s, json_t *o)
{
    struct proto_list_at at = {0};
    struct proto_thread_consent t;
    json_t *list = NULL;

    while (
        proto_list_next(&g->consents, &proto_thread_consent_shape, &at, &t)) {
        struct patient_id patient;
        json_t *item;

        if (memcmp(t.clinic, s->root, sizeof(t.clinic)) != 0) {
            continue;
        }
        list = list == NULL ? node_json_array(o, "consents") : list;
        item = node_json_item(list);
        if (item == NULL) {
            return;
        }
        memcpy(patient.b, t.patient, sizeof(patient.b));
        name_patient(k, &patient, item, "patient");
        node_json_bool(item, "desk", t.desk);
        if (t.desk) {
            struct clinic_id asker;

            memcpy(asker.b, s->added_by, sizeof(asker.b));
            show_desk(k->c, &asker, t.consent, item);
        }
    }
}

/*
 * We have ended the connection with a patient whom we delivered to: what is
 * said here reaches them by the home that they signed since, if that is one of
 * the members (core/detour.c); else nothing does, until they move there.
 */
static void
show_ended(struct consents *k, const struct proto_group *g,
           const struct proto_subject *s, json_t *o)
{
    struct patient_id patient;
    struct store_patient p = {0};
    struct ident_devices list;
    struct proto_subject home;
    struct view signed_list;

    memcpy(patient.b, s->root, sizeof(patient.b));
    if (memcmp(s->node, k->c->api->root.b, sizeof(s->node)) == 0 &&
        store_patient_get(k->txn, &patient, &p) == OK &&
        p.state != STORE_PATIENT_JOINED && p.state != STORE_PATIENT_ASKS) {
        node_json_bool(o, "disconnected", true);
        if (proto_group_list(g, s->root, &signed_list) &&
            ident_devices_open(k->c->api->mem, &patient, signed_list, &list) ==
                OK &&
            !clinic_id_equal(&list.home, &k->c->api->root) &&
            proto_group_find(g, list.home.b, &home)) {
            name_clinic(k, &list.home, o, "reads_through");
        }
    }
    store_patient_clear(&p);
}

static void
show_member(struct consents *k, const struct proto_group *g,
            const struct proto_subject *s, json_t *o)
{
    struct clinic_id id;
    struct patient_id patient;
    bool is_patient = s->kind == PROTO_SUBJECT_PATIENT;

    memcpy(id.b, s->root, sizeof(id.b));
    memcpy(patient.b, s->root, sizeof(patient.b));
    node_json_hex(o, "id", clinic_id_view(&id));
    node_json_bool(o, "patient", is_patient);
    if (is_patient) {
        name_patient(k, &patient, o, "name");
        memcpy(id.b, s->node, sizeof(id.b));
        name_clinic(k, &id, o, "through");
        node_json_num(o, "device_list", s->generation);
        show_ended(k, g, s, o);
    } else {
        name_clinic(k, &id, o, "name");
        node_json_bool(o, "us", clinic_id_equal(&id, &k->c->api->root));
        node_json_bool(o, "orders",
                       memcmp(g->hub, s->root, sizeof(g->hub)) == 0);
        show_consent(k, g, s, o);
    }
    memcpy(id.b, s->added_by, sizeof(id.b));
    if (!clinic_id_is_zero(&id) &&
        memcmp(s->added_by, s->root, sizeof(s->root)) != 0) {
        memcpy(patient.b, s->added_by, sizeof(patient.b));
        if (store_patient_has(k->txn, &patient) == OK) {
            name_patient(k, &patient, o, "added_by");
        } else {
            name_clinic(k, &id, o, "added_by");
        }
    }
}

enum err
node_cmd_thread_members(struct node_call *c)
{
    enum err e;
    struct consents k = {.c = c};
    struct store_conv conv = {0};
    struct bytes b = {0};
    struct proto_group g;
    struct proto_list_at at = {0};
    struct proto_subject s;
    struct phi name = {0};

    TRY(store_read_begin(c->api->store, &k.txn));
    TRY(node_find_conv(c, k.txn, node_call_arg(c, 0), &conv));
    node_conv_label(k.txn, &conv, &name);
    node_json_view(c->out, "title", proto_phi_reveal(&name));
    k.array = node_json_array(c->out, "members");
    e = conv.has_thread ? node_desk_group(k.txn, &conv.thread, &b)
                        : ERR_MISSING;
    if (e == ERR_MISSING) {
        e = node_call_fail(c, e,
                           "Nobody is in this conversation yet: it opens when "
                           "the other side is there.");
    }
    TRY(e);
    TRY(proto_group_decode(view_of(&b), &g));
    while (proto_list_next(&g.subjects, &proto_subject_shape, &at, &s)) {
        json_t *o = node_json_item(k.array);

        TRY(o == NULL ? ERR_NOMEM : OK);
        show_member(&k, &g, &s, o);
    }
out:
    store_read_end(k.txn);
    store_conv_clear(&conv);
    bytes_free(&b);
    phi_free(&name);
    return e;
}
