/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same person twice: two contacts become one, and apart again.  Both stay
 * as they are; the link is a row between them (decisions G 31).
 */
#include "node/api.h"
#include "node/clinic/desk.h"

struct merge {
    struct node_call *c;
    struct contact_id from;
    struct contact_id into;
    bool undo;
};

static enum err
write_merge(void *ctx, struct store_txn *txn)
{
    enum err e;
    struct merge *m = ctx;

    TRY(m->undo ? store_contact_unmerge(txn, &m->from)
                : store_contact_merge(txn, &m->from, &m->into));
    TRY(node_desk_event(txn, NODE_EVENT_CONTACT, contact_id_view(&m->from), 0));
    TRY(node_audit_member(txn, m->c->api, NODE_AUDIT_MERGE,
                          contact_id_view(&m->from), m->undo ? 0 : 1));
out:
    return e;
}

static bool
is_person(const struct store_contact *c)
{
    return c->kind == STORE_CONTACT_PATIENT || c->kind == STORE_CONTACT_UNKNOWN;
}

enum err
node_cmd_contact_link(struct node_call *c)
{
    enum err e;
    struct store_txn *txn = NULL;
    struct store_contact from = {0};
    struct store_contact into = {0};
    struct merge m = {.c = c};

    TRY(store_read_begin(c->api->store, &txn));
    TRY(node_find_contact(c, txn, node_call_arg(c, 0), &from));
    TRY(node_find_contact(c, txn, node_call_arg(c, 1), &into));
    store_read_end(txn);
    txn = NULL;
    if (is_person(&from) != is_person(&into)) {
        TRY(node_call_fail(c, ERR_INVALID,
                           "A patient and a clinic are not the same."));
    }
    m.from = from.id;
    m.into = into.id;
    e = store_write(c->api->store, write_merge, &m, 0);
    if (e == ERR_INVALID || e == ERR_EXISTS) {
        e = node_call_fail(c, e, "These two are one contact already.");
    }
    node_json_hex(c->out, "id", contact_id_view(&into.id));
    node_json_view(c->out, "name", proto_phi_reveal(&into.name));
out:
    store_read_end(txn);
    store_contact_clear(&from);
    store_contact_clear(&into);
    return e;
}

struct apart {
    struct merge *m;
    size_t n;
};

static enum err
each_part(void *ctx, const struct contact_id *from)
{
    struct apart *a = ctx;

    a->m->from = *from;
    a->n++;
    return OK;
}

/* Take the contact that was linked into this one apart again. */
enum err
node_cmd_contact_unlink(struct node_call *c)
{
    enum err e;
    struct store_txn *txn = NULL;
    struct store_contact into = {0};
    struct merge m = {.c = c, .undo = true};
    struct apart a = {.m = &m};

    TRY(store_read_begin(c->api->store, &txn));
    TRY(node_find_contact(c, txn, node_call_arg(c, 0), &into));
    TRY(store_contact_merged(txn, &into.id, each_part, &a));
    store_read_end(txn);
    txn = NULL;
    if (a.n == 0) {
        TRY(node_call_fail(c, ERR_MISSING,
                           "No other contact was linked with this one."));
    }
    TRY(store_write(c->api->store, write_merge, &m, 0)); /* the last one */
    node_json_hex(c->out, "id", contact_id_view(&m.from));
    node_json_view(c->out, "name", proto_phi_reveal(&into.name));
out:
    store_read_end(txn);
    store_contact_clear(&into);
    return e;
}
