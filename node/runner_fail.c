/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What cannot be stored (decisions G 30).  A batch that fails is dropped
 * whole: the core is reset, everyone is disconnected and says again what was
 * not acknowledged, and people's requests are done once more.  From then on
 * steps are taken one to a batch for a while, so that the bad one stands alone
 * when it fails again: a request gets the error, and the clinic that a bad
 * frame came from is refused for a while, so that the others go on.
 *
 * A full disk is known before a step: what would grow is refused and nothing
 * is dropped; what deletes, acknowledges or only looks goes on.
 */
#include "node/runner_impl.h"

#include "store/store.h"

#include <string.h>

enum {
    SUSPECT_MIN_MS = 1000,
    SUSPECT_MAX_MS = 10 * 60 * 1000,
    SUSPECT_FULL_MS = 8 * 1000 /* room may come any moment */
};

/* ---------------------------------------------------------------- suspects */

bool
node_runner_is_suspect(struct node_runner *r, const struct clinic_id *root)
{
    uint64_t now = clock_mono_ms(r->c.clock);
    bool is = false;

    (void)pthread_rwlock_rdlock(&r->parties_lock);
    for (size_t i = 0; i < NODE_SUSPECTS; i++) {
        const struct node_suspect *s = &r->suspects[i];

        is = is || (s->until_ms > now && clinic_id_equal(&s->root, root));
    }
    (void)pthread_rwlock_unlock(&r->parties_lock);
    return is;
}

/* Each time it happens again, a clinic is refused for twice as long. */
static void
suspect(struct node_runner *r, const struct clinic_id *root, uint64_t max_ms)
{
    struct node_suspect *s = NULL;
    uint64_t now = clock_mono_ms(r->c.clock);

    (void)pthread_rwlock_wrlock(&r->parties_lock);
    for (size_t i = 0; i < NODE_SUSPECTS; i++) {
        if (clinic_id_equal(&r->suspects[i].root, root)) {
            s = &r->suspects[i];
        }
    }
    if (s == NULL) {
        s = &r->suspects[r->suspects_next];
        r->suspects_next = (r->suspects_next + 1) % NODE_SUSPECTS;
        *s = (struct node_suspect){.root = *root};
    }
    if (s->wait_ms == 0 || now > s->until_ms + SUSPECT_MAX_MS) {
        s->wait_ms = SUSPECT_MIN_MS;
    } else {
        s->wait_ms = s->wait_ms * 2 < max_ms ? s->wait_ms * 2 : max_ms;
    }
    s->until_ms = now + s->wait_ms;
    (void)pthread_rwlock_unlock(&r->parties_lock);
    LOG(r->c.log, LOG_ERROR, "node.peer.frame_not_stored",
        LOG_TAG("peer", log_tag_of(clinic_id_view(root))),
        LOG_MS("refused_ms", s->wait_ms));
}

/* --------------------------------------------------------------- once more */

void
node_runner_again(struct node_runner *r, struct node_ask *list)
{
    struct node_ask **end = &r->again;

    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = list;
}

void
node_runner_start_over(struct node_runner *r, const struct node_made *made,
                       enum err why)
{
    struct node_made bad = *made;
    struct node_made under_way = {0};
    bool alone = bad.steps == 1;
    enum err e;

    (void)atomic_fetch_add(&r->failures, 1);
    LOG(r->c.log, LOG_ERROR, "node.batch.dropped", LOG_ERR(why),
        LOG_NUM("steps", bad.steps));
    if (r->committing) {
        ERR_IGNORE(node_runner_settle(r, &under_way), "dropped either way");
    }
    fed_net_close_all(r->net);
    e = fed_core_reset(r->core);
    r->unsound = e != OK;
    if (e != OK) {
        LOG(r->c.log, LOG_ERROR, "node.core.not_reset", LOG_ERR(e));
    }
    if (alone && made == &r->made) {
        node_runner_finish_all(r->asks, why);
    } else {
        node_runner_again(r, r->asks);
    }
    r->asks = NULL;
    r->asks_end = &r->asks;
    r->made = (struct node_made){0};
    r->dirty = false;
    r->careful = NODE_STEPS_CAREFUL;
    if (alone && bad.framed) {
        suspect(r, &bad.peer.root,
                why == ERR_FULL ? SUSPECT_FULL_MS : SUSPECT_MAX_MS);
    }
}

bool
node_runner_mend(struct node_runner *r)
{
    struct node_ask *asks = r->again;
    struct node_ev *ev;
    enum err e;

    if (!r->unsound) {
        return true;
    }
    e = fed_core_reset(r->core);
    if (e == OK) {
        LOG(r->c.log, LOG_INFO, "node.core.reset", LOG_ERR(e));
        r->unsound = false;
        return true;
    }
    r->again = NULL;
    node_runner_finish_all(asks, e);
    while ((ev = node_runner_pop(r)) != NULL) {
        if (ev->kind == NODE_EV_ASK) {
            node_runner_finish(ev->ask, e);
        }
        node_runner_free_event(r, ev);
    }
    return false;
}

/* ------------------------------------------------------------- a full disk */

/* Greetings, acknowledgements and looks cost the store next to nothing. */
static bool
frame_grows(struct view frame)
{
    switch ((int)proto_peer_peek(frame)) {
    case PROTO_PEER_HELLO:
    case PROTO_PEER_ACK:
    case PROTO_PEER_LINK_OPEN:
    case PROTO_PEER_LINK_INFO:
    case PROTO_PEER_BYE:
        return false;
    default:
        return true;
    }
}

bool
node_runner_ev_grows(const struct node_ev *ev)
{
    switch (ev->kind) {
    case NODE_EV_FRAME:
        return frame_grows(view_of(&ev->frame));
    case NODE_EV_ASK:
        return !ev->ask->step.when_full;
    case NODE_EV_UP:
    case NODE_EV_DOWN:
    case NODE_EV_OUTDATED:
        break;
    }
    return false;
}

bool
node_runner_no_room(struct node_runner *r, const struct node_ev *ev)
{
    return node_runner_ev_grows(ev) && store_is_full(r->c.store);
}
