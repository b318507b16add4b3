/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clinics that are reached through another node (decisions B 8): which relays
 * to use is the core thread's; what may pass through us is in the store.
 */
#include "federation/core/patient.h"
#include "node/ns.h"
#include "node/runner_impl.h"
#include "store/fed.h"

#include <string.h>

enum {
    TURN_MS = 1000,
    WAIT_MIN_MS = 5000,
    WAIT_MAX_MS = 900000,
    BEFORE_DAY_BYTES = 1024 * 1024 * 1024 /* all patients to one clinic */
};

/* A patient's device, to the clinic that was the patient's home before. */
static enum err
allow_before(struct node_runner *r, struct store_txn *txn,
             const struct node_party *device, const struct clinic_id *target,
             uint64_t *day_bytes_out)
{
    enum err e;
    uint8_t key[64];
    struct bytes rec = {0};

    memcpy(key, device->patient.b, 32);
    memcpy(key + 32, target->b, 32);
    TRY(store_fed_get(txn, FED_NS_ALLOW, VIEW_ARRAY(key), &rec));
    TRY(fed_before_record(view_of(&rec), clock_wall_ms(r->c.clock))
            ? OK
            : ERR_DENIED);
    *day_bytes_out = BEFORE_DAY_BYTES;
out:
    bytes_free(&rec);
    return e;
}

static enum err
allow_agreed(struct store_txn *txn, const struct clinic_id *target,
             uint64_t *day_bytes_out)
{
    enum err e;
    struct bytes b = {0};
    uint64_t n = 0;

    TRY(store_fed_get(txn, NODE_NS_SPLICE, clinic_id_view(target), &b));
    for (size_t i = 0; i < b.len && i < sizeof(n); i++) {
        n = n << 8 | b.p[i];
    }
    *day_bytes_out = n;
out:
    bytes_free(&b);
    return e;
}

/* Relay: an agreement with target, or with the patient of a device, and
   somebody known who asks. */
static enum err
allow(void *ctx, const struct clinic_id *from, const struct clinic_id *target,
      uint64_t *day_bytes_out)
{
    struct node_runner *r = ctx;
    struct store_txn *txn = NULL;
    struct node_party p;
    enum err e;

    if (!node_runner_party_find(r, from, &p) || !p.known || p.blocked) {
        return ERR_DENIED;
    }
    TRY(store_read_begin(r->c.store, &txn));
    e = allow_agreed(txn, target, day_bytes_out);
    if (e == ERR_MISSING && p.kind == FED_KIND_DEVICE) {
        e = allow_before(r, txn, &p, target, day_bytes_out);
    }
out:
    store_read_end(txn);
    return e == OK ? OK : ERR_DENIED;
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
node_runner_splice_changed(struct node_runner *r,
                           const struct clinic_id *target)
{
    fed_splice_judge(r->splice, target);
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
