/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The greeting.  Each side says which stream it sends, how much of it was
 * acknowledged, and what it has of the other's.  Comparing the four numbers
 * shows whether one of the two was put back to an older state (decisions C 12
 * and E 20): whoever hears of acknowledgements or items that it cannot
 * remember, was.
 */
#include "federation/core/care.h"
#include "federation/core/move.h"
#include "federation/core/trust.h"
#include "federation/core/watch.h"

#include <string.h>

static bool
is_zero(const uint8_t *id)
{
    static const uint8_t zero[16];

    return memcmp(id, zero, sizeof(zero)) == 0;
}

static bool
same(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, 16) == 0;
}

enum err
fed_hello_send(struct fed_core *core, struct fed_party *p)
{
    struct proto_peer_msg msg = {.type = PROTO_PEER_HELLO};
    struct proto_hello *h = &msg.u.hello;
    bool friends = p->stored && p->rec.ours != PROTO_STANCE_NONE;

    h->version_min = PROTO_VERSION_MIN;
    h->version_max = PROTO_VERSION_MAX;
    h->suites = PROTO_SUITE_BIT_1 | PROTO_SUITE_BIT_3;
    h->frame_max = LIMIT_FRAME;
    h->now_ms = fed_now(core);
    /* [detour-ended] a device that comes through its home we take no more */
    h->stance = p->kind == FED_KIND_DEVICE && p->via != NULL
                    ? PROTO_STANCE_ENDED
                    : p->rec.ours;
    h->revocation = view_of(&core->revocation);
    memcpy(h->out_stream, p->rec.out_stream, sizeof(h->out_stream));
    p->dirty = p->dirty || (p->stored && !p->rec.out_told);
    p->rec.out_told = true;
    h->out_acked = p->rec.out_acked;
    h->out_last = p->rec.out_next - 1;
    memcpy(h->in_stream, p->rec.in_stream, sizeof(h->in_stream));
    h->in_applied = p->rec.in_applied;
    if (friends) {
        memcpy(h->profile_seen, p->rec.profile, sizeof(h->profile_seen));
        h->addrs = view_of(&core->addrs);
        h->incarnation = core->self.incarnation;
        h->incarnation_seen = p->rec.incarnation;
    }
    return fed_party_say(core, p, &msg);
}

/* What the peer remembers of our stream: is it more than we do? */
static bool
forgot_ours(const struct fed_party *p, const struct proto_hello *h)
{
    if (is_zero(h->in_stream)) {
        return false;
    }
    if (same(h->in_stream, p->rec.out_stream)) {
        /* What was queued since we started it cannot have yet. */
        return h->in_applied >= (p->met ? p->rec.out_next : p->known_next);
    }
    return !same(h->in_stream, p->rec.out_before);
}

/* What the peer says that we acknowledged: do we remember it? */
static bool
forgot_theirs(const struct fed_party *p, const struct proto_hello *h)
{
    if (same(h->out_stream, p->rec.in_stream)) {
        return h->out_acked > p->rec.in_applied;
    }
    return !is_zero(p->rec.in_stream) && h->out_acked > 0;
}

/* The peer was put back: it has less of our stream than it acknowledged. */
static bool
peer_forgot(const struct fed_party *p, const struct proto_hello *h)
{
    return same(h->in_stream, p->rec.out_stream) &&
           h->in_applied < p->rec.out_acked;
}

static enum err
show_rollback(struct fed_core *core, const struct fed_party *p)
{
    struct fed_show *show = fed_tx_show(core, FED_SHOW_ROLLBACK);

    if (show == NULL) {
        return ERR_NOMEM;
    }
    show->code = 1;
    show->peer = p->root;
    return OK;
}

/*
 * Bring both streams together.  *again: we were put back, as p says; what we
 * have to do with p was dropped and the connection is closed.  It is only p's
 * word: what we have with others stays, they say it themselves.
 */
static enum err
streams(struct fed_core *core, struct fed_party *p, const struct proto_hello *h,
        bool *again)
{
    enum err e;

    *again = false;
    if (forgot_ours(p, h) || forgot_theirs(p, h) ||
        h->incarnation_seen > core->self.incarnation) {
        *again = true;
        TRY(fed_rollback_with(core, p, h->incarnation_seen));
        goto out;
    }
    if (peer_forgot(p, h)) {
        TRY(show_rollback(core, p));
    }
    if (!same(h->out_stream, p->rec.in_stream)) {
        if (!is_zero(p->rec.in_stream)) {
            TRY(fed_device_reset(core, p));
            fed_asks_lost(core, p);
            p->picture_asked = false;
            /* [home-restored] what it kept for us may be gone */
            TRY(core->kind == FED_KIND_DEVICE &&
                        h->incarnation > p->rec.incarnation
                    ? show_rollback(core, p)
                    : OK);
        }
        memcpy(p->rec.in_stream, h->out_stream, sizeof(p->rec.in_stream));
        p->rec.in_applied = h->out_acked;
        p->dirty = true;
    }
    p->sent = p->rec.out_acked;
    if (same(h->in_stream, p->rec.out_stream)) {
        TRY(fed_stream_acked(core, p, h->in_applied));
    }
    if (p->sent < p->rec.out_acked) {
        p->sent = p->rec.out_acked;
    }
    e = OK;
out:
    return e;
}

/*
 * Two copies of this node: the one that was running when a newer one greeted
 * the peer stops.  A node that has just started was restored instead, and
 * becomes the newer one (fed_rollback).
 */
static bool
superseded(const struct fed_core *core, const struct fed_party *p,
           const struct proto_hello *h)
{
    return p->met && h->incarnation_seen > core->self.incarnation;
}

/* One clinic alone cannot stop us: most of those that we talk to say so. */
static bool
agreed(const struct fed_core *core)
{
    size_t open = 0;
    size_t say = 0;

    for (size_t i = 0; i < core->parties_len; i++) {
        if (core->parties[i]->kind != FED_KIND_CLINIC ||
            core->parties[i]->via != NULL) {
            continue;
        }
        open += fed_party_open(core->parties[i]) ? 1 : 0;
        say += core->parties[i]->superseded ? 1 : 0;
    }
    return 2 * say >= open;
}

static enum err
stop_copy(struct fed_core *core, struct fed_party *p)
{
    struct fed_show *show;

    p->superseded = fed_party_open(p) && p->kind == FED_KIND_CLINIC;
    if (p->superseded && agreed(core)) {
        show = fed_tx_show(core, FED_SHOW_ROLLBACK);
        if (show == NULL) {
            return ERR_NOMEM;
        }
        show->code = 2;
        show->peer = p->root;
    }
    return fed_party_close(core, p, PROTO_BYE_COPY);
}

static enum err
revocation(struct fed_core *core, struct fed_party *p,
           const struct proto_hello *h)
{
    enum err e;
    uint64_t min;
    struct fed_show *show;

    if (h->revocation.len == 0 || p->kind != FED_KIND_CLINIC) {
        return OK;
    }
    e = ident_revoke_open(core->mem, &p->root, h->revocation, &min);
    if (e != OK) {
        return fed_ours(e) ? e : fed_party_bad(core, p, e);
    }
    if (min <= p->rec.revoked || !p->stored) {
        return OK;
    }
    p->rec.revoked = min;
    p->dirty = true;
    show = fed_tx_show(core, FED_SHOW_REVOKED);
    if (show == NULL) {
        return ERR_NOMEM;
    }
    show->peer = p->root;
    show->value = min;
    return OK;
}

enum err
fed_hello_addrs(struct fed_core *core, struct fed_party *p, struct view addrs)
{
    enum err e;
    struct bytes copy = {0};

    if (addrs.len == 0 || view_equal(addrs, view_of(&p->addrs))) {
        return OK;
    }
    TRY(bytes_copy(core->mem, addrs, &copy));
    bytes_free(&p->addrs);
    p->addrs = bytes_take(&copy);
    p->rec.addrs = view_of(&p->addrs);
    p->dirty = p->stored;
    if (p->wanted) { /* say where it can be found now */
        p->wanted = false;
        TRY(fed_party_want(core, p));
    }
out:
    return e;
}

static bool
speaks(const struct proto_hello *h)
{
    return h->version_min <= PROTO_VERSION_MAX &&
           h->version_max >= PROTO_VERSION_MIN &&
           (h->suites & (PROTO_SUITE_BIT_1 | PROTO_SUITE_BIT_3)) != 0;
}

enum err
fed_hello_recv(struct fed_core *core, struct fed_party *p,
               const struct proto_hello *h)
{
    enum err e;
    bool again = false;
    uint64_t before = p->rec.theirs;

    if (!speaks(h)) {
        return fed_party_close(core, p, PROTO_BYE_VERSION);
    }
    TRY(revocation(core, p, h));
    if (p->rec.generation < p->rec.revoked) {
        TRY(fed_party_close(core, p, PROTO_BYE_REVOKED));
        goto out;
    }
    if (p->stored) {
        if (superseded(core, p, h)) {
            TRY(stop_copy(core, p));
            goto out;
        }
        /* [hello-older-copy] what it remembers says nothing about us; our own
           greeting told it that it is not the newest */
        if (h->incarnation != 0 && h->incarnation < p->rec.incarnation) {
            TRY(fed_party_close(core, p, PROTO_BYE_COPY));
            goto out;
        }
        TRY(streams(core, p, h, &again));
        if (again) {
            goto out;
        }
    } else {
        memcpy(p->rec.in_stream, h->out_stream, sizeof(p->rec.in_stream));
        p->rec.in_applied = h->out_acked;
    }
    if (h->incarnation > p->rec.incarnation) {
        p->rec.incarnation = h->incarnation;
        p->dirty = p->stored;
    }
    memcpy(p->profile_seen, h->profile_seen, sizeof(p->profile_seen));
    p->their_last = h->out_last;
    p->greeted = true;
    p->superseded = false;
    p->met = true;
    fed_watch_met(core, p);
    fed_gone_met(core, p);
    fed_idle_clock(core, h->now_ms);
    fed_tx_timer(core, fed_mono(core) + LIMIT_HOUR_MS);
    p->denied = false;
    if (p->stored) {
        TRY(fed_hello_addrs(core, p, h->addrs));
    }
    if (p->rec.theirs != h->stance) {
        p->rec.theirs = h->stance;
        if (p->stored) {
            TRY(fed_party_changed(core, p));
        }
    }
    TRY(fed_contact_greeted(core, p, before));
out:
    return e;
}
