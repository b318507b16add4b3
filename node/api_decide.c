/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions about clinics and patients: accepted, refused, ended, blocked. */
#include "node/api.h"
#include "node/clinic/desk.h"
#include "node/cut_off.h"

#include <string.h>

struct decision {
    struct node_call *c;
    struct node_who who;
    enum node_audit action;
};

static enum err
step_decide(void *ctx, struct fed_core *core)
{
    struct decision *d = ctx;
    struct fed_party_info who;

    switch ((int)d->action) {
    case NODE_AUDIT_ACCEPT:
        return fed_core_accept(core, &d->who.id);
    case NODE_AUDIT_REFUSE:
        return fed_core_refuse(core, &d->who.id);
    case NODE_AUDIT_DISCONNECT:
        return fed_core_disconnect(core, &d->who.id);
    case NODE_AUDIT_BLOCK:
        return fed_core_block(core, &d->who.id, true);
    case NODE_AUDIT_UNBLOCK:
        /* who is not blocked stays as connected as they are */
        if (fed_core_party(core, &d->who.id, &who) != OK || !who.blocked) {
            return ERR_MISSING;
        }
        return fed_core_block(core, &d->who.id, false);
    default:
        return ERR_INVALID;
    }
}

/* What is missing when there is nothing to decide. */
static const char *
nothing_to_do(enum node_audit action)
{
    return action == NODE_AUDIT_ACCEPT || action == NODE_AUDIT_REFUSE
               ? "nobody of this name waits for a decision"
           : action == NODE_AUDIT_UNBLOCK ? "they are not blocked"
                                          : "there is no connection";
}

/* The desk keeps blocked apart from disconnected. */
static enum err
block_clinic(struct store_txn *txn, const struct clinic_id *id, bool blocked)
{
    enum err e;
    struct store_clinic clinic = {0};

    TRY(store_clinic_get(txn, id, &clinic));
    clinic.state = blocked ? STORE_CLINIC_BLOCKED : STORE_CLINIC_DISCONNECTED;
    clinic.changed_ms = store_now_ms(store_txn_store(txn));
    TRY(store_clinic_put(txn, &clinic));
    TRY(node_desk_event(txn, NODE_EVENT_CLINIC, clinic_id_view(id),
                        (uint64_t)clinic.state));
out:
    store_clinic_clear(&clinic);
    return e;
}

enum err
node_block_patient(struct store_txn *txn, const struct clinic_id *who,
                   bool blocked)
{
    enum err e;
    struct store_patient p = {0};
    struct patient_id id;

    memcpy(id.b, who->b, sizeof(id.b));
    TRY(store_patient_get(txn, &id, &p));
    p.state = blocked ? STORE_PATIENT_BLOCKED : STORE_PATIENT_ENDED;
    p.changed_ms = store_now_ms(store_txn_store(txn));
    TRY(store_patient_put(txn, &p));
    TRY(node_desk_event(txn, NODE_EVENT_PATIENT, patient_id_view(&id),
                        (uint64_t)p.state));
out:
    store_patient_clear(&p);
    return e;
}

static enum err
write_decision(void *ctx, struct store_txn *txn)
{
    enum err e;
    struct decision *d = ctx;
    bool blocked = d->action == NODE_AUDIT_BLOCK;

    TRY(node_audit_member(txn, d->c->api, d->action, clinic_id_view(&d->who.id),
                          0));
    if (blocked || d->action == NODE_AUDIT_UNBLOCK) {
        TRY(d->who.patient ? node_block_patient(txn, &d->who.id, blocked)
                           : block_clinic(txn, &d->who.id, blocked));
    }
out:
    return e;
}

/* With the flag look: only what would be cut off by it. */
static enum err
decide(struct node_call *c, enum node_audit action)
{
    enum err e;
    struct decision d = {.c = c, .action = action};
    struct store_txn *txn = NULL;
    struct patient_id patient;
    struct node_step step = {.step = step_decide,
                             .write = write_decision,
                             .ctx = &d,
                             .when_full = action != NODE_AUDIT_ACCEPT};

    TRY(store_read_begin(c->api->store, &txn));
    TRY(node_find_who(c, txn, node_call_arg(c, 0), &d.who));
    if (d.who.patient &&
        (action == NODE_AUDIT_DISCONNECT || action == NODE_AUDIT_BLOCK)) {
        memcpy(patient.b, d.who.id.b, sizeof(patient.b));
        TRY(node_cut_off(txn, &c->api->root, &patient, c->out));
    }
    store_read_end(txn);
    txn = NULL;
    e = node_call_has(c, "look") ? OK : node_runner_do(c->api->runner, &step);
    if (e == ERR_MISSING) {
        e = node_call_fail(
            c, e,
            "There is nothing to do: %s. See balsam clinics, balsam patients "
            "and balsam requests.",
            nothing_to_do(action));
    }
    node_json_hex(c->out, "id", clinic_id_view(&d.who.id));
    node_json_view(c->out, "name", proto_phi_reveal(&d.who.name));
    node_json_bool(c->out, "patient", d.who.patient);
out:
    store_read_end(txn);
    phi_free(&d.who.name);
    return e;
}

enum err
node_cmd_accept(struct node_call *c)
{
    return decide(c, NODE_AUDIT_ACCEPT);
}

enum err
node_cmd_refuse(struct node_call *c)
{
    return decide(c, NODE_AUDIT_REFUSE);
}

enum err
node_cmd_disconnect(struct node_call *c)
{
    return decide(c, NODE_AUDIT_DISCONNECT);
}

enum err
node_cmd_block(struct node_call *c)
{
    return decide(c, NODE_AUDIT_BLOCK);
}

enum err
node_cmd_unblock(struct node_call *c)
{
    return decide(c, NODE_AUDIT_UNBLOCK);
}
