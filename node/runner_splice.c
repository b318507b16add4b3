/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clinics that are reached through another node (decisions B 8): which relays
 * to use is the core thread's; what may pass through us is in the store.
 */
#include "node/ns.h"
#include "node/runner_impl.h"
#include "store/fed.h"

enum {
    TURN_MS = 1000,
    WAIT_MIN_MS = 5000,
    WAIT_MAX_MS = 900000
};

/* Relay: an agreement with target, and somebody known who asks. */
static enum err
allow(void *ctx, const struct clinic_id *from, const struct clinic_id *target,
      uint64_t *day_bytes_out)
{
    struct node_runner *r = ctx;
    struct store_txn *txn = NULL;
    struct node_party p;
    struct bytes b = {0};
    uint64_t n = 0;
    enum err e = ERR_DENIED;

    if (!node_runner_party_find(r, from, &p) || !p.known || p.blocked) {
        return ERR_DENIED;
    }
    if (store_read_begin(r->c.store, &txn) == OK &&
        store_fed_get(txn, NODE_NS_SPLICE, clinic_id_view(target), &b) == OK) {
        for (size_t i = 0; i < b.len && i < sizeof(n); i++) {
            n = n << 8 | b.p[i];
        }
        *day_bytes_out = n;
        e = OK;
    }
    store_read_end(txn);
    bytes_free(&b);
    return e;
}

/* Target: a clinic that we are connected with; TLS inside proves the rest. */
static bool
accept_from(void *ctx, const struct clinic_id *relay)
{
    struct node_party p;

    return node_runner_party_find(ctx, relay, &p) && p.known && !p.blocked;
}

enum err
node_runner_splice_start(struct node_runner *r)
{
    struct fed_splice_config c = {
        .mem = r->c.mem,
        .clock = r->c.clock,
        .root = r->identity.root,
        .net = r->net,
        .user = {allow, accept_from, r},
    };

    return fed_splice_new(&c, &r->splice);
}

void
node_runner_via_want(struct node_runner *r, const struct clinic_id *target,
                     const struct clinic_id *via, const struct fed_addr *addr)
{
    struct node_via *free_one = NULL;

    for (size_t i = 0; i < NODE_VIAS; i++) {
        struct node_via *v = &r->vias[i];

        if (v->used && clinic_id_equal(&v->target, target) &&
            clinic_id_equal(&v->via, via)) {
            v->next_ms = 0;
            return;
        }
        free_one = !v->used && free_one == NULL ? v : free_one;
    }
    if (free_one != NULL) {
        *free_one = (struct node_via){.used = true,
                                      .target = *target,
                                      .via = *via,
                                      .addr = *addr,
                                      .wait_ms = WAIT_MIN_MS};
    }
}

void
node_runner_via_unwant(struct node_runner *r, const struct clinic_id *target)
{
    for (size_t i = 0; i < NODE_VIAS; i++) {
        if (r->vias[i].used && clinic_id_equal(&r->vias[i].target, target)) {
            r->vias[i].used = false;
        }
    }
}

/* Another attempt: to the relay first, through it when it is up. */
static void
attempt(struct node_runner *r, struct node_via *v, uint64_t now)
{
    enum err e;

    if (fed_net_find(r->net, &v->via, NULL)) {
        e = fed_splice_dial(r->splice, &v->target, &v->via);
        v->next_ms = now + v->wait_ms;
        v->wait_ms =
            v->wait_ms > WAIT_MAX_MS / 2 ? WAIT_MAX_MS : 2 * v->wait_ms;
    } else {
        e = fed_net_dial_once(r->net, &v->via, &v->addr, 1);
        v->next_ms = now + WAIT_MIN_MS;
    }
    if (e != OK) {
        LOG(r->c.log, LOG_INFO, "node.splice.not_dialled", LOG_ERR(e));
    }
}

void
node_runner_via_turn(struct node_runner *r)
{
    uint64_t now = clock_mono_ms(r->c.clock);

    if (now < r->via_turn_ms) {
        return;
    }
    r->via_turn_ms = now + TURN_MS;
    for (size_t i = 0; i < NODE_VIAS; i++) {
        struct node_via *v = &r->vias[i];

        if (!v->used) {
            continue;
        }
        if (fed_net_find(r->net, &v->target, NULL)) {
            v->wait_ms = WAIT_MIN_MS;
        } else if (now >= v->next_ms) {
            attempt(r, v, now);
        }
    }
}
