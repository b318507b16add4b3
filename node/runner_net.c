/* SPDX-License-Identifier: Apache-2.0 */
/* The runner and the network: callbacks in, frames and dials out. */
#include "crypto/ident/device_list.h"
#include "node/runner_impl.h"
#include "proto/msg/addr.h"

#include <string.h>

static void flush_late(struct node_runner *r, const struct fed_peer *peer,
                       bool gone);

/* ---------------------------------------------------------------- incoming */

/* The first byte of a device certificate: an array of two. */
static bool
is_device(struct view chain)
{
    return chain.len > 0 && chain.p[0] == 0x92;
}

/*
 * A device is what it proves to be: its key.  The core judges the certificate
 * by the patient's list once it is up, and takes nothing but an enrolment from
 * one that it does not know.
 */
static enum err
verify_device(struct node_runner *r, struct view cert,
              const struct device_id *key, struct fed_verdict *out)
{
    struct ident_device_claim claim;
    struct node_party p;
    enum err e;

    TRY(ident_device_cert_peek(cert, &claim));
    out->kind = FED_PEER_DEVICE;
    memcpy(out->root.b, key->b, sizeof(key->b));
    out->known = false;
    if (node_runner_party_find(r, &out->root, &p)) {
        TRY(p.blocked || p.kind != FED_KIND_DEVICE ? ERR_DENIED : OK);
        out->known = p.known;
    }
out:
    return e;
}

static bool
is_known(struct node_runner *r, const struct clinic_id *root)
{
    struct node_party p;

    return node_runner_party_find(r, root, &p) && p.known;
}

/*
 * A good chain, but for our clock: it says at least on which side of the days
 * that it is for that clock is.  Not yet proven to be the peer's; words only.
 */
static void
hear_chain(struct node_runner *r, const struct ident_node *n)
{
    uint64_t now = clock_wall_ms(r->c.clock);

    if (n->not_before_ms > now) {
        node_clocks_hear(&r->clocks, &n->root, NODE_CLOCK_AFTER,
                         n->not_before_ms, is_known(r, &n->root));
    } else if (n->not_after_ms < now) {
        node_clocks_hear(&r->clocks, &n->root, NODE_CLOCK_BEFORE,
                         n->not_after_ms, is_known(r, &n->root));
    }
}

/* As ident_chain_verify; ERR_TIMEOUT when it has expired. */
static enum err
verify_chain(struct node_runner *r, struct view chain,
             const struct ident_check *check, struct ident_node *out)
{
    struct ident_check ever = *check;
    struct ident_node n;
    enum err e = ident_chain_verify(r->c.mem, chain, check, out);

    ever.known_ms = UINT64_MAX;
    if (e == ERR_STALE &&
        ident_chain_verify(r->c.mem, chain, &ever, &n) == OK) {
        hear_chain(r, &n);
        return ERR_TIMEOUT;
    }
    if (e == OK && out->clock_behind) {
        hear_chain(r, out);
    }
    return e;
}

static enum err
verify(void *ctx, struct view chain, const struct device_id *tls_key,
       const struct clinic_id *expected, struct fed_verdict *out)
{
    struct node_runner *r = ctx;
    struct ident_check check = {.root = expected, .key = tls_key->b};
    struct ident_node n;
    struct node_party p;
    enum err e;

    if (is_device(chain)) {
        return expected != NULL ? ERR_AUTH
                                : verify_device(r, chain, tls_key, out);
    }
    check.now_ms = clock_wall_ms(r->c.clock);
    check.known_ms = atomic_load(&r->known_ms);
    TRY(verify_chain(r, chain, &check, &n));
    TRY(node_runner_is_suspect(r, &n.root) ? ERR_AGAIN : OK);
    out->root = n.root;
    out->known = false;
    if (node_runner_party_find(r, &n.root, &p)) {
        if (p.blocked || p.kind != FED_KIND_CLINIC) {
            return ERR_DENIED;
        }
        if (n.generation < p.generation) {
            return ERR_STALE;
        }
        out->known = p.known;
    }
    if (n.clock_behind) {
        LOG(r->c.log, LOG_WARN, "node.clock.behind",
            LOG_TAG("peer", log_tag_of(clinic_id_view(&n.root))));
    }
out:
    return e;
}

static struct node_ev *
new_event(struct node_runner *r, enum node_ev_kind kind,
          const struct fed_peer *peer)
{
    struct node_ev *ev = mem_alloc(r->c.mem, sizeof(*ev));

    if (ev != NULL) {
        ev->kind = kind;
        ev->peer = *peer;
    }
    return ev;
}

/* What the chain of a connected peer certifies. */
static void
read_chain(struct node_runner *r, const struct fed_peer_info *info,
           struct fed_up *up)
{
    struct ident_check check = {.root = &info->peer.root};
    struct ident_node n;

    check.now_ms = clock_wall_ms(r->c.clock);
    check.known_ms = atomic_load(&r->known_ms);
    if (ident_chain_verify(r->c.mem, info->chain, &check, &n) == OK) {
        up->generation = n.generation;
        up->certified_ms = n.not_before_ms;
    }
}

static void *
on_peer_up(void *ctx, const struct fed_peer_info *info)
{
    struct node_runner *r = ctx;
    struct node_ev *ev = new_event(r, NODE_EV_UP, &info->peer);

    if (ev == NULL || (info->kind == FED_PEER_DEVICE &&
                       bytes_copy(r->c.mem, info->chain, &ev->frame) != OK)) {
        mem_free(r->c.mem, ev, sizeof(*ev));
        fed_net_close(r->net, &info->peer);
        return NULL;
    }
    ev->up.root = info->peer.root;
    ev->up.serial = info->peer.serial;
    if (info->kind == FED_PEER_DEVICE) {
        ev->up.kind = FED_KIND_DEVICE;
        ev->up.cert = view_of(&ev->frame);
    } else {
        ev->up.kind = FED_KIND_CLINIC;
        read_chain(r, info, &ev->up);
    }
    memcpy(ev->up.exporter, info->exporter, sizeof(ev->up.exporter));
    ev->up.dialled = info->dialled;
    node_runner_push(r, ev);
    node_blobs_peer_up(r->blobs, &info->peer.root);
    return info->kind == FED_PEER_CLINIC ? r : NULL;
}

/* One that is no frame at all ends the connection, before it is queued. */
static void
take_blob_frame(struct node_runner *r, const struct fed_peer *peer,
                struct view frame)
{
    struct proto_peer_msg m;
    enum err e = proto_peer_decode(frame, &m);

    if (e == OK || e == ERR_UNSUPPORTED) {
        node_blobs_frame(r->blobs, &peer->root, frame);
        return;
    }
    LOG(r->c.log, LOG_WARN, "node.blobs.bad_frame",
        LOG_TAG("peer", log_tag_of(clinic_id_view(&peer->root))), LOG_ERR(e));
    fed_net_close(r->net, peer);
}

/* What time it is at a clinic, as its greeting says. */
static void
hear_greeting(struct node_runner *r, const struct fed_peer *peer,
              struct view frame)
{
    struct proto_peer_msg m;

    if (proto_peer_decode(frame, &m) == OK) {
        node_clocks_hear(&r->clocks, &peer->root, NODE_CLOCK_SAID,
                         m.u.hello.now_ms, is_known(r, &peer->root));
    }
}

static enum fed_flow
on_frame(void *ctx, void *peer_ctx, const struct fed_peer *peer,
         struct view frame)
{
    struct node_runner *r = ctx;
    struct node_ev *ev;
    bool too_many;
    bool pause;
    uint16_t type = proto_peer_peek(frame);

    if (type == PROTO_PEER_HELLO && peer_ctx != NULL) { /* of a clinic */
        hear_greeting(r, peer, frame);
    }
    if (type >= PROTO_PEER_SPLICE_OPEN && type <= PROTO_PEER_SPLICE_CLOSE) {
        if (fed_splice_frame(r->splice, peer, frame) != OK) {
            fed_net_close(r->net, peer);
        }
        return FED_GO;
    }
    if (type >= PROTO_PEER_BLOB_OPEN && type <= PROTO_PEER_BLOB_WANT) {
        take_blob_frame(r, peer, frame);
        return FED_GO;
    }
    ev = new_event(r, NODE_EV_FRAME, peer);
    if (ev == NULL || bytes_copy(r->c.mem, frame, &ev->frame) != OK) {
        mem_free(r->c.mem, ev, sizeof(*ev));
        /* a lost frame would be a hole: the peer says it again */
        fed_net_close(r->net, peer);
        return FED_PAUSE;
    }
    node_runner_push(r, ev);
    pause = node_runner_must_pause(r, peer, &too_many);
    if (too_many) {
        fed_net_close(r->net, peer); /* it says it again later */
    }
    return pause ? FED_PAUSE : FED_GO;
}

static void
on_peer_down(void *ctx, void *peer_ctx, const struct fed_peer *peer,
             enum fed_why why)
{
    struct node_runner *r = ctx;
    struct node_ev *ev = new_event(r, NODE_EV_DOWN, peer);

    (void)peer_ctx;
    (void)why;
    if (ev != NULL) {
        node_runner_push(r, ev);
    }
    (void)pthread_mutex_lock(&r->late_mx);
    flush_late(r, peer, true);
    (void)pthread_mutex_unlock(&r->late_mx);
    node_blobs_peer_down(r->blobs, &peer->root);
    fed_splice_peer_down(r->splice, peer);
}

/* A clinic that we know refuses us: it has seen a newer key of this node. */
static void
hear_outdated(struct node_runner *r, const struct clinic_id *root)
{
    struct fed_peer peer = {.root = *root};
    struct node_ev *ev = new_event(r, NODE_EV_OUTDATED, &peer);

    if (ev != NULL) {
        node_runner_push(r, ev); /* else it says so again */
    }
    if (!atomic_exchange(&r->outdated, true)) {
        LOG(r->c.log, LOG_ERROR, "node.outdated",
            LOG_TAG("peer", log_tag_of(clinic_id_view(root))));
    }
}

static void
on_dial_failed(void *ctx, const struct clinic_id *root, enum fed_why why,
               uint64_t retry_ms)
{
    struct node_runner *r = ctx;
    struct node_party p;

    (void)retry_ms;
    if (why == FED_WHY_OUTDATED && node_runner_party_find(r, root, &p) &&
        p.known) {
        hear_outdated(r, root);
    }
    if (why == FED_WHY_EXPIRED) { /* a day is tolerated */
        node_clocks_hear(&r->clocks, root, NODE_CLOCK_AFTER,
                         atomic_load(&r->expires_ms) + IDENT_TOLERANCE_MS,
                         is_known(r, root));
    }
    node_runner_unreachable(r, root, why);
}

/* ---------------------------------------------------------------- outgoing */

/* Send, or say that there is no room.  A gone connection takes nothing. */
static bool
try_send(struct node_runner *r, const struct fed_peer *peer,
         struct bytes *take_frame)
{
    enum err e = fed_net_send(r->net, peer, take_frame);

    if (e == ERR_AGAIN) {
        return false;
    }
    bytes_free(take_frame);
    return true;
}

/* What a frame that waits takes in memory. */
static size_t
late_weight(const struct bytes *frame)
{
    return sizeof(struct node_late) + frame->len + 64;
}

static bool
has_late(const struct node_runner *r, const struct fed_peer *peer)
{
    const struct node_late *l = r->late_first;

    if (r->late_shares[peer->serial % NODE_SHARES] == 0) {
        return false;
    }
    for (; l != NULL; l = l->next) {
        if (l->peer.serial == peer->serial) {
            return true;
        }
    }
    return false;
}

static void
send_frame(struct node_runner *r, const struct fed_act *act)
{
    struct fed_peer peer = {act->peer, act->serial};
    struct bytes frame = {0};
    struct node_late *late;

    if (bytes_copy(r->c.mem, view_of(&act->body), &frame) != OK) {
        fed_net_close(r->net, &peer);
        return;
    }
    (void)pthread_mutex_lock(&r->late_mx);
    if (has_late(r, &peer) || !try_send(r, &peer, &frame)) {
        size_t *share = &r->late_shares[peer.serial % NODE_SHARES];
        size_t more = late_weight(&frame);

        late = *share + more > NODE_LATE_MAX
                   ? NULL
                   : mem_alloc(r->c.mem, sizeof(*late));
        if (late == NULL) { /* who does not read has to ask again */
            fed_net_close(r->net, &peer);
            bytes_free(&frame);
        } else {
            *share += more;
            late->peer = peer;
            late->frame = bytes_take(&frame);
            *(r->late_last == NULL ? &r->late_first : &r->late_last->next) =
                late;
            r->late_last = late;
        }
    }
    (void)pthread_mutex_unlock(&r->late_mx);
}

/*
 * Send what waits for this connection, in order, while there is room; all of
 * it goes when the connection is gone.
 */
static void
flush_late(struct node_runner *r, const struct fed_peer *peer, bool gone)
{
    struct node_late **at = &r->late_first;
    bool full = false;

    r->late_last = NULL;
    while (*at != NULL) {
        struct node_late *l = *at;

        size_t weight = late_weight(&l->frame);

        if (l->peer.serial == peer->serial && gone) {
            bytes_free(&l->frame);
        } else if (l->peer.serial != peer->serial || full ||
                   !try_send(r, &l->peer, &l->frame)) {
            full = full || l->peer.serial == peer->serial;
            r->late_last = l;
            at = &l->next;
            continue;
        }
        *at = l->next;
        r->late_shares[l->peer.serial % NODE_SHARES] -= weight;
        mem_free(r->c.mem, l, sizeof(*l));
    }
}

static void
on_writable(void *ctx, void *peer_ctx, const struct fed_peer *peer)
{
    struct node_runner *r = ctx;

    (void)peer_ctx;
    (void)pthread_mutex_lock(&r->late_mx);
    flush_late(r, peer, false);
    (void)pthread_mutex_unlock(&r->late_mx);
    node_blobs_writable(r->blobs, &peer->root);
    fed_splice_writable(r->splice, peer);
}

void
node_runner_late_free(struct node_runner *r)
{
    while (r->late_first != NULL) {
        struct node_late *l = r->late_first;

        r->late_first = l->next;
        bytes_free(&l->frame);
        mem_free(r->c.mem, l, sizeof(*l));
    }
    r->late_last = NULL;
}

/* Keep a connection to whoever has one of these addresses. */
static void
dial(struct node_runner *r, const struct fed_act *act)
{
    struct view in = view_of(&act->body);
    struct fed_addr addrs[FED_DIAL_ADDRS];
    size_t n = 0;
    bool relayed = false;
    bool via;
    enum err e;

    while (in.len > 0 && n < FED_DIAL_ADDRS) {
        struct proto_addr a;
        char text[PROTO_ADDR_TEXT_MAX];

        if (proto_addr_take(&in, &a) != OK) {
            break;
        }
        via = a.via;
        a.via = false; /* as text: the relay's own address */
        proto_addr_format(&a, text);
        if (a.kind == PROTO_ADDR_SAME ||
            fed_addr_parse(view_str(text), 0, &addrs[n]) != OK) {
            continue;
        }
        if (via) {
            node_runner_via_want(r, &act->peer, &a.via_root, &addrs[n]);
            relayed = true;
        } else {
            n++;
        }
    }
    if (n == 0 && (relayed || fed_net_find(r->net, &act->peer, NULL))) {
        return; /* who came by itself tells later where it can be found */
    }
    if (n == 0) {
        node_runner_unreachable(r, &act->peer, FED_WHY_NO_ADDRESS);
        return;
    }
    e = fed_net_dial(r->net, &act->peer, addrs, n);
    if (e != OK) {
        LOG(r->c.log, LOG_WARN, "node.dial.refused",
            LOG_TAG("peer", log_tag_of(clinic_id_view(&act->peer))),
            LOG_ERR(e));
    }
}

static void
act_on(struct node_runner *r, const struct fed_act *act)
{
    struct fed_peer peer = {act->peer, act->serial};

    switch (act->kind) {
    case FED_ACT_SEND:
        send_frame(r, act);
        break;
    case FED_ACT_KNOWN:
        node_runner_party_update(r, &act->peer);
        fed_net_known(r->net, &peer);
        break;
    case FED_ACT_CLOSE:
        node_runner_party_update(r, &act->peer);
        fed_net_close(r->net, &peer);
        break;
    case FED_ACT_WANT:
        dial(r, act);
        break;
    case FED_ACT_UNWANT:
        fed_net_undial(r->net, &act->peer);
        node_runner_via_unwant(r, &act->peer);
        break;
    case FED_ACT_RENEW:
        atomic_store(&r->renew_above, act->generation);
        break;
    case FED_ACT_ROTATE: /* done with the transaction */
        break;
    }
}

static bool
is_send_to(const struct fed_act *act, const struct fed_act *other)
{
    return act->kind == FED_ACT_SEND && other->kind == FED_ACT_SEND &&
           act->serial == other->serial &&
           clinic_id_equal(&act->peer, &other->peer);
}

/* Frames to one peer in a row from a[i] on: several?  The first that is not. */
static bool
are_to_one(const struct fed_act *a, size_t i, size_t n, size_t *to_out)
{
    size_t to = i + 1;

    while (to < n && is_send_to(&a[i], &a[to])) {
        to++;
    }
    *to_out = to;
    return to > i + 1;
}

/*
 * An answer and what follows from it go to the same peer: in one write, so that
 * it is woken once.
 */
void
node_runner_act_all(struct node_runner *r, const struct fed_batch *batch)
{
    const struct fed_act *a = batch->acts;
    size_t n = batch->acts_len;

    for (size_t i = 0, to; i < n; i = to) {
        struct fed_peer peer = {a[i].peer, a[i].serial};
        bool several = are_to_one(a, i, n, &to);

        if (several) {
            fed_net_together(r->net, &peer, true);
        }
        for (size_t k = i; k < to; k++) {
            act_on(r, &a[k]);
        }
        if (several) {
            fed_net_together(r->net, &peer, false);
        }
    }
}

struct fed_net_user
node_runner_net_user(struct node_runner *r)
{
    struct fed_net_user u = {
        .verify = verify,
        .on_peer_up = on_peer_up,
        .on_frame = on_frame,
        .on_writable = on_writable,
        .on_peer_down = on_peer_down,
        .on_dial_failed = on_dial_failed,
        .ctx = r,
    };

    return u;
}
