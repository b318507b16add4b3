/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue of the core thread: what happened, in order.  Each event counts
 * with what it takes in memory, not with what a peer sent: a flood of tiny
 * frames is a flood.  A peer that has much waiting is read no further until
 * that was dealt with, so that the others do not wait behind it; shares are
 * kept by a few bits of the connection's number.
 */
#include "node/runner_impl.h"

#include <string.h>

enum {
    OVERHEAD = 64 /* of the allocator, for the event and its frame */
};

static size_t
weight(const struct node_ev *ev)
{
    return sizeof(*ev) + ev->frame.len + OVERHEAD;
}

/* What waits from the connections that share these bits. */
static size_t *
share(struct node_runner *r, uint64_t serial)
{
    return &r->shares[serial % NODE_SHARES];
}

void
node_runner_push_locked(struct node_runner *r, struct node_ev *take_ev)
{
    *(r->last == NULL ? &r->first : &r->last->next) = take_ev;
    r->last = take_ev;
    r->queue_bytes += weight(take_ev);
    *share(r, take_ev->peer.serial) += weight(take_ev);
    r->queue_len++;
    (void)pthread_cond_signal(&r->wake);
}

void
node_runner_push(struct node_runner *r, struct node_ev *take_ev)
{
    (void)pthread_mutex_lock(&r->mx);
    node_runner_push_locked(r, take_ev);
    (void)pthread_mutex_unlock(&r->mx);
}

struct node_ev *
node_runner_pop(struct node_runner *r)
{
    struct node_ev *ev;

    (void)pthread_mutex_lock(&r->mx);
    ev = r->first;
    if (ev != NULL) {
        r->first = ev->next;
        if (r->first == NULL) {
            r->last = NULL;
        }
        r->queue_bytes -= weight(ev);
        *share(r, ev->peer.serial) -= weight(ev);
        r->queue_len--;
    }
    (void)pthread_mutex_unlock(&r->mx);
    return ev;
}

void
node_runner_free_event(struct node_runner *r, struct node_ev *ev)
{
    bytes_free(&ev->frame);
    mem_free(r->c.mem, ev, sizeof(*ev));
}

/* ------------------------------------------------------------------- pauses */

bool
node_runner_must_pause(struct node_runner *r, const struct fed_peer *peer,
                       bool *close_out)
{
    bool pause;

    (void)pthread_mutex_lock(&r->mx);
    pause = r->queue_bytes > NODE_QUEUE_HIGH ||
            *share(r, peer->serial) > NODE_SHARE_HIGH;
    *close_out = pause && r->paused_len == NODE_PAUSED;
    if (pause && !*close_out) {
        r->paused[r->paused_len++] = *peer;
    }
    (void)pthread_mutex_unlock(&r->mx);
    return pause;
}

void
node_runner_resume(struct node_runner *r)
{
    struct fed_peer peers[NODE_RESUMED];
    size_t n = 0;
    size_t kept = 0;

    (void)pthread_mutex_lock(&r->mx);
    for (size_t i = 0; i < r->paused_len; i++) {
        if (n < NODE_RESUMED && r->queue_bytes < NODE_QUEUE_LOW &&
            *share(r, r->paused[i].serial) < NODE_SHARE_LOW) {
            peers[n++] = r->paused[i];
        } else {
            r->paused[kept++] = r->paused[i];
        }
    }
    r->paused_len = kept;
    (void)pthread_mutex_unlock(&r->mx);
    for (size_t i = 0; i < n; i++) {
        fed_net_resume(r->net, &peers[i]);
    }
}
