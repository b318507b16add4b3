/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with how conversations are carried, for thread show and status:
 * who it is about and who carries, by the names that they have here.
 */
#include "node/api_doubt.h"

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
};

struct doubts {
    struct store_txn *txn;
    json_t *list;
    uint8_t what;
};

/* Whoever has this id, by name; nothing: nobody, or not known here. */
static void
name_of(struct store_txn *txn, const uint8_t id[32], const char *key, json_t *o)
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
    name_of(d->txn, subject.p, "who", o);
    name_of(d->txn, subject.p + 32, "carried_by", o);
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

static enum err
each_conv(void *ctx, struct view subject, uint64_t value)
{
    struct doubts *d = ctx;
    struct conv_id id;
    struct store_conv conv = {0};
    struct phi name = {0};
    json_t *o = json_object();

    (void)value;
    if (o != NULL && conv_id_from(subject, &id) == OK &&
        store_conv_get(d->txn, &id, &conv) == OK) {
        node_conv_label(d->txn, &conv, &name);
        node_json_hex(o, "id", conv_id_view(&id));
        node_json_view(o, "title", proto_phi_reveal(&name));
        node_json_doubts(d->txn, &id, o);
        (void)json_array_append(d->list, o);
    }
    json_decref(o);
    store_conv_clear(&conv);
    phi_free(&name);
    return OK;
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
