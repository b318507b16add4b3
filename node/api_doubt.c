/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with how conversations are carried, for thread show and status:
 * who it is about and who carries, by the names that they have here; and that a
 * person has seen to it.
 */
#include "node/api_doubt.h"

#include "federation/core/hub.h"
#include "node/clinic/desk.h"
#include "node/clinic/event.h"
#include "store/clinic.h"
#include "store/conv.h"
#include "store/patient.h"

#include <string.h>

static const char *const words[NODE_DOUBTS] = {
    [FED_DOUBT_SILENT] = "silent",
    [FED_DOUBT_WITHHELD] = "withheld",
    [FED_DOUBT_UNDELIVERED] = "undelivered",
    [FED_DOUBT_NEVER] = "never delivered",
    [FED_DOUBT_CLOCK] = "clock",
    [NODE_DOUBT_FORK] = "two logs",
    [FED_DOUBT_KEPT_OUT] = "kept out",
    [FED_DOUBT_GHOST] = "not their device",
};

struct doubts {
    struct store_txn *txn;
    json_t *list;
    uint8_t what;
};

void
node_json_who(struct store_txn *txn, const uint8_t id[32], const char *key,
              json_t *o)
{
    struct store_clinic clinic = {0};
    struct store_patient patient = {0};
    struct clinic_id root;
    struct patient_id who;
    struct phi name = {0};

    memcpy(root.b, id, sizeof(root.b));
    memcpy(who.b, id, sizeof(who.b));
    if (store_clinic_get(txn, &root, &clinic) == OK) {
        node_clinic_label(txn, &clinic, &name);
    } else if (store_patient_get(txn, &who, &patient) == OK) {
        node_patient_label(txn, &patient, &name);
    }
    node_json_view(o, key, proto_phi_reveal(&name));
    store_clinic_clear(&clinic);
    store_patient_clear(&patient);
    phi_free(&name);
}

static enum err
each_doubt(void *ctx, struct view subject, uint64_t value)
{
    struct doubts *d = ctx;
    json_t *o;

    if (subject.len != 64 || (o = json_object()) == NULL) {
        return OK;
    }
    node_json_view(o, "what", view_str(words[d->what]));
    node_json_who(d->txn, subject.p, "who", o);
    node_json_who(d->txn, subject.p + 32, "carried_by", o);
    node_json_bool(o, "itself", memcmp(subject.p, subject.p + 32, 32) == 0);
    node_json_num(o, "since_ms", value);
    (void)json_array_append_new(d->list, o);
    return OK;
}

void
node_json_doubts(struct store_txn *txn, const struct conv_id *conv, json_t *out)
{
    struct doubts d = {txn, json_array(), 0};

    for (d.what = 1; d.list != NULL && d.what < NODE_DOUBTS; d.what++) {
        if (store_conv_marks(txn, conv, (uint8_t)(NODE_MARK_DOUBT + d.what),
                             (struct view){0}, each_doubt, &d) != OK) {
            break;
        }
    }
    if (json_array_size(d.list) > 0) {
        (void)json_object_set(out, "doubts", d.list);
    }
    json_decref(d.list);
}

/* Its title and what is in doubt of it; false: it is not there any more. */
static bool
put_conv(struct store_txn *txn, struct view at, json_t *o)
{
    struct conv_id id;
    struct store_conv conv = {0};
    struct phi name = {0};
    bool found =
        conv_id_from(at, &id) == OK && store_conv_get(txn, &id, &conv) == OK;

    if (found) {
        node_conv_label(txn, &conv, &name);
        node_json_view(o, "title", proto_phi_reveal(&name));
        node_json_doubts(txn, &id, o);
    }
    store_conv_clear(&conv);
    phi_free(&name);
    return found;
}

static enum err
each_conv(void *ctx, struct view subject, uint64_t value)
{
    struct doubts *d = ctx;
    json_t *o = json_object();

    (void)value;
    if (o != NULL && put_conv(d->txn, subject, o)) {
        node_json_hex(o, "id", subject);
        (void)json_array_append(d->list, o);
    }
    json_decref(o);
    return OK;
}

void
node_json_doubt_event(struct store_txn *txn, const struct store_event *ev,
                      json_t *out)
{
    if (ev->n < NODE_DOUBTS && words[ev->n] != NULL) {
        node_json_view(out, "what", view_str(words[ev->n]));
    }
    if (ev->b.len == 32) {
        node_json_who(txn, ev->b.p, "who", out);
    }
    (void)put_conv(txn, ev->a, out);
}

void
node_json_doubted(struct store_txn *txn, json_t *out)
{
    static const struct conv_id nowhere;
    struct doubts d = {txn, json_array(), 0};

    if (d.list != NULL &&
        store_conv_marks(txn, &nowhere, NODE_MARK_DOUBTED, (struct view){0},
                         each_conv, &d) == OK) {
        (void)json_object_set(out, "doubted", d.list);
    }
    json_decref(d.list);
}

/* --------------------------------------------------------------- gone hubs */

enum {
    GONE_MAX = 16
};

struct gone {
    struct fed_hub_gone hubs[GONE_MAX];
    size_t len;
};

static enum err
step_gone(void *ctx, struct fed_core *core)
{
    struct gone *g = ctx;

    return fed_core_hubs_gone(core, g->hubs, GONE_MAX, &g->len);
}

void
node_json_gone(struct node_call *c, json_t *out)
{
    struct gone g = {.len = 0};
    struct node_step step = {.step = step_gone, .ctx = &g, .when_full = true};
    struct store_txn *txn = NULL;
    json_t *list = node_json_array(out, "gone");

    if (node_runner_do(c->api->runner, &step) != OK || g.len == 0 ||
        store_read_begin(c->api->store, &txn) != OK) {
        return;
    }
    for (size_t i = 0; i < g.len; i++) {
        json_t *o = node_json_item(list);

        if (o != NULL) {
            node_json_who(txn, g.hubs[i].hub.b, "clinic", o);
            node_json_num(o, "since_ms", g.hubs[i].since_ms);
            node_json_num(o, "threads", g.hubs[i].threads);
        }
    }
    store_read_end(txn);
}

/* ------------------------------------------------------------------- settle */

struct settling {
    struct node_call *c;
    struct conv_id conv;
    size_t settled;
    size_t left;
};

static enum err
write_settle(void *ctx, struct store_txn *txn)
{
    enum err e;
    struct settling *s = ctx;

    TRY(node_desk_settle(txn, &s->conv, &s->settled, &s->left));
    TRY(node_audit_member(txn, s->c->api, NODE_AUDIT_SETTLE,
                          conv_id_view(&s->conv), s->settled));
out:
    return e;
}

enum err
node_cmd_thread_settle(struct node_call *c)
{
    enum err e;
    struct settling s = {.c = c};
    struct node_step step = {.write = write_settle, .ctx = &s};
    struct store_txn *txn = NULL;
    struct store_conv conv = {0};

    TRY(store_read_begin(c->api->store, &txn));
    TRY(node_find_conv(c, txn, node_call_arg(c, 0), &conv));
    s.conv = conv.id;
    store_read_end(txn);
    txn = NULL;
    TRY(node_runner_do(c->api->runner, &step));
    node_json_hex(c->out, "id", conv_id_view(&s.conv));
    node_json_num(c->out, "settled", s.settled);
    node_json_num(c->out, "left", s.left);
out:
    store_read_end(txn);
    store_conv_clear(&conv);
    return e;
}
