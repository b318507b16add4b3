/* SPDX-License-Identifier: Apache-2.0 */
/* Whose connections this node carries (decisions B 8). */
#include "node/api.h"
#include "node/ns.h"
#include "proto/base/limits.h"
#include "store/fed.h"

enum {
    QUOTA_MIB = 1024,
    QUOTA_MIB_MAX = 1024 * 1024
};

struct splice {
    struct node_call *c;
    struct clinic_id clinic;
    uint64_t bytes; /* a day; 0: no more */
};

static enum err
write_splice(void *ctx, struct store_txn *txn)
{
    enum err e;
    struct splice *s = ctx;
    uint8_t n[8];

    for (size_t i = 0; i < sizeof(n); i++) {
        n[i] = (uint8_t)(s->bytes >> (56 - 8 * i));
    }
    if (s->bytes > 0) {
        TRY(store_fed_put(txn, NODE_NS_SPLICE, clinic_id_view(&s->clinic),
                          VIEW_ARRAY(n)));
    } else {
        e = store_fed_del(txn, NODE_NS_SPLICE, clinic_id_view(&s->clinic));
        if (e != OK && e != ERR_MISSING) {
            goto out;
        }
    }
    TRY(node_audit_member(txn, s->c->api, NODE_AUDIT_SPLICE,
                          clinic_id_view(&s->clinic), s->bytes));
out:
    return e;
}

static enum err
set(struct node_call *c, uint64_t mib)
{
    enum err e;
    struct store_txn *txn = NULL;
    struct store_clinic clinic = {0};
    struct splice s = {.c = c, .bytes = mib * LIMIT_MIB(1u)};
    char text[PROTO_ADDR_TEXT_MAX];
    struct proto_addr via;

    TRY(store_read_begin(c->api->store, &txn));
    e = node_find_clinic(c, txn, node_call_arg(c, 0), &clinic);
    store_read_end(txn);
    if (e != OK) {
        goto out;
    }
    s.clinic = clinic.id;
    TRY(store_write(c->api->store, write_splice, &s, 0));
    node_runner_splice_changed(c->api->runner, &s.clinic);
    node_json_hex(c->out, "id", clinic_id_view(&clinic.id));
    node_json_num(c->out, "mib_a_day", mib);
    if (mib > 0 && c->api->addrs_len > 0 && !c->api->addrs[0].via) {
        via = c->api->addrs[0];
        via.via = true;
        via.via_root = c->api->root;
        proto_addr_format(&via, text);
        node_json_view(c->out, "address", view_str(text));
    }
out:
    store_clinic_clear(&clinic);
    return e;
}

enum err
node_cmd_splice_allow(struct node_call *c)
{
    uint64_t mib = 0;
    enum err e = node_call_number(c, "quota", QUOTA_MIB, &mib);

    if (e == OK && (mib == 0 || mib > QUOTA_MIB_MAX)) {
        e = node_call_fail(c, ERR_INVALID, "--quota is 1 to %d MiB a day.",
                           QUOTA_MIB_MAX);
    }
    return e == OK ? set(c, mib) : e;
}

enum err
node_cmd_splice_deny(struct node_call *c)
{
    return set(c, 0);
}
