/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit trail as an auditor reads it: who did what with whose, by the names
 * that they have today beside the ids that the rows keep.
 */
#include "node/api.h"
#include "node/clinic/desk.h"
#include "node/day.h"
#include "node/trail.h"

enum {
    AUDIT_LIMIT = 10000
};

struct audit {
    struct node_call *c;
    struct store_txn *txn;
    json_t *rows;
    uint64_t since_ms;
};

static const char *
action_word(uint16_t action)
{
    static const char *const words[] = {
        [NODE_AUDIT_INIT] = "node made",
        [NODE_AUDIT_LINK_CREATE] = "link made",
        [NODE_AUDIT_LINK_REVOKE] = "link revoked",
        [NODE_AUDIT_LINK_ROTATE] = "link replaced",
        [NODE_AUDIT_CONNECT] = "asked to connect",
        [NODE_AUDIT_ACCEPT] = "request accepted",
        [NODE_AUDIT_REFUSE] = "request refused",
        [NODE_AUDIT_DISCONNECT] = "disconnected",
        [NODE_AUDIT_BLOCK] = "blocked",
        [NODE_AUDIT_UNBLOCK] = "unblocked",
        [NODE_AUDIT_READ] = "conversation read",
        [NODE_AUDIT_SEND] = "message sent",
        [NODE_AUDIT_EDIT] = "message edited",
        [NODE_AUDIT_DELETE] = "message deleted",
        [NODE_AUDIT_SAVE_FILE] = "file saved",
        [NODE_AUDIT_THREAD_NEW] = "conversation made",
        [NODE_AUDIT_THREAD_ADD] = "clinic added",
        [NODE_AUDIT_THREAD_REMOVE] = "clinic removed",
        [NODE_AUDIT_THREAD_LEAVE] = "conversation left",
        [NODE_AUDIT_THREAD_HAND] = "conversation handed over",
        [NODE_AUDIT_REPORTED] = "message reported to us",
        [NODE_AUDIT_REPORT] = "message reported",
        [NODE_AUDIT_REPORT_READ] = "reports read",
        [NODE_AUDIT_REPORT_CLOSE] = "report closed",
        [NODE_AUDIT_SETTLE] = "doubt settled",
        [NODE_AUDIT_CONTACT] = "contact changed",
        [NODE_AUDIT_NOTE] = "note added",
        [NODE_AUDIT_PROFILE] = "profile changed",
        [NODE_AUDIT_RECOVERY] = "recovery sheet",
        [NODE_AUDIT_KEY] = "key rotated",
        [NODE_AUDIT_BACKUP] = "backup",
        [NODE_AUDIT_CONNECTED] = "connection changed",
        [NODE_AUDIT_ARRIVED] = "message arrived",
        [NODE_AUDIT_SPLICE] = "splice changed",
        [NODE_AUDIT_INVITE] = "invitation",
        [NODE_AUDIT_INBOX] = "inbox read",
        [NODE_AUDIT_WATCH] = "message shown while watching",
        [NODE_AUDIT_CONTACT_READ] = "contact read",
        [NODE_AUDIT_CONTACT_FIND] = "contacts looked for",
        [NODE_AUDIT_PATIENT] = "patient changed",
        [NODE_AUDIT_DEVICES] = "devices changed",
        [NODE_AUDIT_COMPARED] = "keys compared",
        [NODE_AUDIT_ASK] = "consent asked for",
        [NODE_AUDIT_DESK] = "consent at the desk",
        [NODE_AUDIT_MERGE] = "contacts linked",
        [NODE_AUDIT_TRAIL_READ] = "audit trail read",
        [NODE_AUDIT_RESTORED] = "restored from a backup",
        [NODE_AUDIT_LINK_AGAIN] = "used link opened by somebody else",
    };

    return action < sizeof(words) / sizeof(*words) && words[action] != NULL
               ? words[action]
               : "something newer";
}

/* ---------------------------------------------------- names, as of today */

static void
name_member(struct store_txn *txn, struct view id, json_t *o, const char *key)
{
    struct store_member m = {0};
    struct member_id member;

    if (member_id_from(id, &member) == OK &&
        store_member_get(txn, &member, &m) == OK) {
        node_json_view(o, key, proto_phi_reveal(&m.name));
    }
    store_member_clear(&m);
}

/* A clinic's or a patient's key: both are as long. */
static void
name_outside(struct audit *a, struct view id, json_t *o, const char *key)
{
    struct store_clinic clinic = {0};
    struct store_patient patient = {0};
    struct clinic_id root;
    struct patient_id who;
    struct phi name = {0};

    if (clinic_id_from(id, &root) != OK || patient_id_from(id, &who) != OK) {
        return;
    }
    if (clinic_id_equal(&root, &a->c->api->root)) {
        node_json_own_name(o, key, a->c->api);
        return;
    }
    if (store_clinic_get(a->txn, &root, &clinic) == OK) {
        node_clinic_label(a->txn, &clinic, &name);
    } else if (store_patient_get(a->txn, &who, &patient) == OK) {
        node_patient_label(a->txn, &patient, &name);
    }
    if (phi_len(&name) > 0) {
        node_json_view(o, key, proto_phi_reveal(&name));
    }
    store_clinic_clear(&clinic);
    store_patient_clear(&patient);
    phi_free(&name);
}

static bool
name_conv(struct audit *a, const struct conv_id *id, json_t *o)
{
    struct store_conv conv = {0};
    struct phi name = {0};
    bool found = store_conv_get(a->txn, id, &conv) == OK;

    if (found) {
        node_conv_label(a->txn, &conv, &name);
        node_json_view(o, "about_name", proto_phi_reveal(&name));
        node_json_num(o, "conversation", conv.number);
    }
    store_conv_clear(&conv);
    phi_free(&name);
    return found;
}

/* The conversation of a thread. */
static bool
name_thread(struct audit *a, struct view id, json_t *o)
{
    struct thread_id thread;
    struct conv_id conv;

    return thread_id_from(id, &thread) == OK &&
           store_conv_by_thread(a->txn, &thread, &conv) == OK &&
           name_conv(a, &conv, o);
}

/* A conversation, else a contact. */
static void
name_inside(struct audit *a, struct view id, json_t *o)
{
    struct store_contact contact = {0};
    struct conv_id conv;
    struct contact_id who;

    if (conv_id_from(id, &conv) == OK && !name_conv(a, &conv, o) &&
        contact_id_from(id, &who) == OK &&
        store_contact_resolve(a->txn, &who, &who) == OK &&
        store_contact_get(a->txn, &who, &contact) == OK) {
        node_json_view(o, "about_name", proto_phi_reveal(&contact.name));
    }
    store_contact_clear(&contact);
}

/* Whose link, or what it is called. */
static void
name_link(struct audit *a, struct view id, json_t *o)
{
    struct store_link link = {0};
    struct store_invite invite = {0};
    struct store_contact contact = {0};
    struct link_id which;

    if (link_id_from(id, &which) != OK) {
        return;
    }
    if (store_invite_get(a->txn, &which, &invite) == OK &&
        store_contact_get(a->txn, &invite.contact, &contact) == OK) {
        node_json_view(o, "about_name", proto_phi_reveal(&contact.name));
    } else if (store_link_get(a->txn, &which, &link) == OK) {
        node_json_view(o, "about_name", proto_phi_reveal(&link.label));
    }
    store_link_clear(&link);
    store_invite_clear(&invite);
    store_contact_clear(&contact);
}

/* By its length: what each kind of action is about. */
static void
name_about(struct audit *a, struct view id, json_t *o)
{
    switch (id.len) {
    case sizeof(struct clinic_id):
        if (!name_thread(a, id, o)) { /* as long as these */
            name_outside(a, id, o, "about_name");
        }
        break;
    case sizeof(struct conv_id):
        name_inside(a, id, o);
        break;
    case sizeof(struct link_id):
        name_link(a, id, o);
        break;
    default:
        break;
    }
}

static void
name_actor(struct audit *a, const struct store_actor *actor, struct view id,
           json_t *o)
{
    if (actor->kind == STORE_ACTOR_MEMBER) {
        name_member(a->txn, id, o, "actor_name");
    } else if (store_actor_outside(actor)) {
        name_outside(a, id, o, "actor_name");
    }
}

static enum err
each_row(void *ctx, const struct store_audit *row)
{
    struct audit *a = ctx;
    json_t *o;
    size_t id = store_actor_id_len(row->actor.kind);

    if (row->at_ms < a->since_ms) {
        return OK;
    }
    o = node_json_item(a->rows);
    if (o == NULL) {
        return ERR_NOMEM;
    }
    node_json_num(o, "number", row->seq);
    node_json_num(o, "at_ms", row->at_ms);
    node_json_view(o, "action", view_str(action_word(row->action)));
    node_json_view(o, "actor",
                   view_str(row->actor.kind == STORE_ACTOR_MEMBER ? "member"
                            : row->actor.kind == STORE_ACTOR_PEER ? "clinic"
                            : row->actor.kind == STORE_ACTOR_PATIENT
                                ? "patient"
                                : "system"));
    if (id > 0) {
        node_json_hex(o, "actor_id", view_make(row->actor.id, id));
        name_actor(a, &row->actor, view_make(row->actor.id, id), o);
    }
    if (row->object.len > 0) {
        node_json_hex(o, "about", row->object);
        name_about(a, row->object, o);
    }
    node_json_num(o, "n", row->n);
    return OK;
}

static enum err
verify_chain(struct audit *a)
{
    uint64_t rows = 0;
    uint64_t bad = 0;
    uint64_t heads = 0;
    enum err e = node_trail_verify(a->txn, &rows, &heads, &bad);

    if (e == ERR_CORRUPT) {
        return node_call_fail(a->c, e,
                              "The audit trail was changed: entry "
                              "%llu does not follow from those "
                              "before, or its signature is wrong. Keep "
                              "the data as it is, and compare with a "
                              "backup.",
                              (unsigned long long)bad);
    }
    node_json_num(a->c->out, "rows", rows);
    node_json_num(a->c->out, "signed_heads", heads);
    node_json_bool(a->c->out, "intact", e == OK);
    return e;
}

/* A day as 2027-01-31, in milliseconds. */
static enum err
read_since(struct node_call *c, uint64_t *out)
{
    struct view v = node_call_flag(c, "since");

    *out = 0;
    if (!node_call_has(c, "since") || node_day_ms(v, false, out) == OK) {
        return OK;
    }
    return node_call_fail(c, ERR_INVALID,
                          "--since needs a day such as 2027-01-31.");
}

/* It names people: who reads it is on record, too. */
static enum err
write_read(void *ctx, struct store_txn *txn)
{
    const struct audit *a = ctx;

    return node_audit_member(txn, a->c->api, NODE_AUDIT_TRAIL_READ,
                             (struct view){0}, json_array_size(a->rows));
}

enum err
node_cmd_audit(struct node_call *c)
{
    enum err e;
    struct audit a = {.c = c};
    struct hash32 hash;
    uint64_t last = 0;
    uint64_t max = 0;

    TRY(node_call_limit(c, 100, AUDIT_LIMIT, &max));
    TRY(read_since(c, &a.since_ms));
    TRY(store_read_begin(c->api->store, &a.txn));
    TRY(store_audit_head(a.txn, &last, &hash));
    if (node_call_has(c, "verify")) {
        TRY(verify_chain(&a));
    }
    node_json_hex(c->out, "head", hash32_view(&hash));
    a.rows = node_json_array(c->out, "entries");
    TRY(store_audit_read(a.txn, last > max ? last - max : 0, (uint32_t)max,
                         each_row, &a));
    store_read_end(a.txn);
    a.txn = NULL;
    node_json_num(c->out, "earlier",
                  json_array_size(a.rows) == max && last > max ? last - max
                                                               : 0);
    TRY(store_write(c->api->store, write_read, &a, STORE_JOB_FREES));
out:
    store_read_end(a.txn);
    return e;
}
