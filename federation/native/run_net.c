/* SPDX-License-Identifier: Apache-2.0 */
/* The network of an app: callbacks into its queue, frames out. */
#include "crypto/ident/cert.h"
#include "federation/native/run_impl.h"
#include "proto/msg/peer.h"

#include <string.h>

/* ---------------------------------------------------------------- callbacks */

/* Only clinics that we dialled, each by the root that was expected. */
static enum err
verify(void *ctx, struct view chain, const struct device_id *tls_key,
       const struct clinic_id *expected, struct fed_verdict *out)
{
    struct fed_run *r = ctx;
    struct ident_check check = {.root = expected, .key = tls_key->b};
    struct ident_node n;
    enum err e;

    if (expected == NULL) {
        return ERR_DENIED;
    }
    check.now_ms = clock_wall_ms(r->clock);
    TRY(ident_chain_verify(r->mem, chain, &check, &n));
    out->kind = FED_PEER_CLINIC;
    out->root = n.root;
    out->known = true;
out:
    return e;
}

static struct fed_run_ev *
new_ev(struct fed_run *r, enum fed_run_kind kind, const struct fed_peer *peer)
{
    struct fed_run_ev *ev = mem_alloc(r->mem, sizeof(*ev));

    if (ev != NULL) {
        ev->kind = kind;
        ev->peer = *peer;
    }
    return ev;
}

static uint64_t
generation_of(struct fed_run *r, const struct fed_peer_info *info)
{
    struct ident_check check = {.root = &info->peer.root};
    struct ident_node n;

    check.now_ms = clock_wall_ms(r->clock);
    return ident_chain_verify(r->mem, info->chain, &check, &n) == OK
               ? n.generation
               : 0;
}

static void *
on_peer_up(void *ctx, const struct fed_peer_info *info)
{
    struct fed_run *r = ctx;
    struct fed_run_ev *ev = new_ev(r, FED_RUN_UP, &info->peer);

    if (ev == NULL) {
        fed_net_close(r->net, &info->peer);
        return NULL;
    }
    ev->up.kind = FED_KIND_CLINIC;
    ev->up.root = info->peer.root;
    ev->up.serial = info->peer.serial;
    ev->up.generation = generation_of(r, info);
    memcpy(ev->up.exporter, info->exporter, sizeof(ev->up.exporter));
    ev->up.dialled = info->dialled;
    fed_run_push(r, ev);
    return NULL;
}

static enum fed_flow
on_frame(void *ctx, void *peer_ctx, const struct fed_peer *peer,
         struct view frame)
{
    struct fed_run *r = ctx;
    uint16_t type = proto_peer_peek(frame);
    struct fed_run_ev *ev;
    bool pause;

    (void)peer_ctx;
    if (type >= PROTO_PEER_SPLICE_OPEN && type <= PROTO_PEER_SPLICE_CLOSE) {
        if (fed_splice_frame(r->splice, peer, frame) != OK) {
            fed_net_close(r->net, peer);
        }
        return FED_GO;
    }
    ev = new_ev(r, FED_RUN_FRAME, peer);
    if (ev == NULL || bytes_copy(r->mem, frame, &ev->frame) != OK) {
        mem_free(r->mem, ev, sizeof(*ev));
        fed_net_close(r->net, peer); /* a hole: it is said again */
        return FED_PAUSE;
    }
    (void)pthread_mutex_lock(&r->mx);
    pause = r->queued + frame.len > FED_RUN_QUEUE_HIGH;
    (void)pthread_mutex_unlock(&r->mx);
    ev->paused = pause;
    fed_run_push(r, ev);
    return pause ? FED_PAUSE : FED_GO;
}

void
fed_run_resume(struct fed_run *r, const struct fed_run_ev *ev)
{
    if (ev->paused && r->net != NULL) {
        fed_net_resume(r->net, &ev->peer);
    }
}

/* ------------------------------------------------------------------ sending */

static bool
has_late(const struct fed_run *r, const struct fed_peer *peer)
{
    for (const struct fed_run_late *l = r->late; l != NULL; l = l->next) {
        if (l->peer.serial == peer->serial) {
            return true;
        }
    }
    return false;
}

enum err
fed_run_send(struct fed_run *r, const struct fed_peer *peer,
             struct bytes *take_frame)
{
    enum err e = ERR_AGAIN;
    struct fed_run_late **at = &r->late;
    struct fed_run_late *l;

    (void)pthread_mutex_lock(&r->late_mx);
    if (!has_late(r, peer)) {
        e = fed_net_send(r->net, peer, take_frame);
    }
    if (e == ERR_AGAIN) {
        l = mem_alloc(r->mem, sizeof(*l));
        e = l == NULL ? ERR_NOMEM : OK;
        if (l != NULL) {
            l->peer = *peer;
            l->frame = bytes_take(take_frame);
            while (*at != NULL) {
                at = &(*at)->next;
            }
            *at = l;
        }
    }
    (void)pthread_mutex_unlock(&r->late_mx);
    return e;
}

/* What waits for this connection, in order, while there is room. */
static void
flush(struct fed_run *r, const struct fed_peer *peer, bool gone)
{
    struct fed_run_late **at = &r->late;
    bool full = false;

    (void)pthread_mutex_lock(&r->late_mx);
    while (*at != NULL) {
        struct fed_run_late *l = *at;

        if (l->peer.serial != peer->serial || full) {
            at = &l->next;
            continue;
        }
        if (!gone && fed_net_send(r->net, &l->peer, &l->frame) == ERR_AGAIN) {
            full = true;
            continue;
        }
        *at = l->next;
        bytes_free(&l->frame);
        mem_free(r->mem, l, sizeof(*l));
    }
    (void)pthread_mutex_unlock(&r->late_mx);
}

void
fed_run_late_free(struct fed_run *r)
{
    while (r->late != NULL) {
        struct fed_run_late *l = r->late;

        r->late = l->next;
        bytes_free(&l->frame);
        mem_free(r->mem, l, sizeof(*l));
    }
}

static void
on_writable(void *ctx, void *peer_ctx, const struct fed_peer *peer)
{
    struct fed_run *r = ctx;

    (void)peer_ctx;
    flush(r, peer, false);
    fed_splice_writable(r->splice, peer);
}

static void
on_peer_down(void *ctx, void *peer_ctx, const struct fed_peer *peer,
             enum fed_why why)
{
    struct fed_run *r = ctx;
    struct fed_run_ev *ev = new_ev(r, FED_RUN_DOWN, peer);

    (void)peer_ctx;
    flush(r, peer, true);
    if (ev != NULL) {
        ev->why = why;
        fed_run_push(r, ev);
    }
    fed_splice_peer_down(r->splice, peer);
}

static void
on_dial_failed(void *ctx, const struct clinic_id *root, enum fed_why why,
               uint64_t retry_ms)
{
    struct fed_run *r = ctx;
    struct fed_peer peer = {*root, 0};
    struct fed_run_ev *ev = new_ev(r, FED_RUN_FAILED, &peer);

    if (ev != NULL) {
        ev->why = why;
        ev->last = retry_ms == 0;
        fed_run_push(r, ev);
    }
}

/* An app only goes through others (its home, to the one before). */
static enum err
carries_nothing(void *ctx, const struct clinic_id *from,
                const struct clinic_id *target, uint64_t *day_bytes_out)
{
    (void)ctx;
    (void)from;
    (void)target;
    (void)day_bytes_out;
    return ERR_DENIED;
}

static bool
takes_nobody(void *ctx, const struct clinic_id *relay)
{
    (void)ctx;
    (void)relay;
    return false;
}

/* ---------------------------------------------------------------------- life
 */

enum err
fed_run_net_start(struct fed_run *r, const struct fed_identity *id)
{
    struct fed_net_config c = {
        .mem = r->mem,
        .clock = r->clock,
        .rng = r->rng,
        .log = r->log,
        .io = r->io,
        .user = {verify, on_peer_up, on_frame, on_writable, on_peer_down,
                 on_dial_failed, r},
        .identity = *id,
        .tuning = r->tuning,
    };

    struct fed_splice_config s = {
        .mem = r->mem,
        .clock = r->clock,
        .root = id->root,
        .user = {carries_nothing, takes_nobody, NULL},
    };
    enum err e;

    TRY(fed_net_start(&c, &r->net));
    s.net = r->net;
    TRY(fed_splice_new(&s, &r->splice));
out:
    return e;
}

void
fed_run_net_stop(struct fed_run *r)
{
    fed_net_stop(r->net);
    fed_splice_free(r->splice);
    r->net = NULL;
    r->splice = NULL;
}

enum err
fed_run_addr(const struct proto_addr *in, struct fed_addr *out)
{
    char text[PROTO_ADDR_TEXT_MAX];

    proto_addr_format(in, text);
    return fed_addr_parse(view_str(text), 0, out);
}
