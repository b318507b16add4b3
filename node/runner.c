/* SPDX-License-Identifier: Apache-2.0 */
#include "node/runner.h"

#include "node/runner_impl.h"

#include <string.h>
#include <time.h>

/* ---------------------------------------------------------------- requests */

/*
 * Tell everybody in the list; askers' structs are gone right after.  Each has
 * its own semaphore, so that none is woken for another's sake.
 */
void
node_runner_finish_all(struct node_ask *list, enum err e)
{
    while (list != NULL) {
        struct node_ask *next = list->next;

        list->e = e;
        (void)sem_post(&list->finished);
        list = next;
    }
}

void
node_runner_finish(struct node_ask *ask, enum err e)
{
    ask->next = NULL;
    node_runner_finish_all(ask, e);
}

enum err
node_runner_begin(struct node_runner *r, const struct node_step *step,
                  struct node_ask **out)
{
    struct node_ask *ask = mem_alloc(r->c.mem, sizeof(*ask));
    struct node_ev *ev = mem_alloc(r->c.mem, sizeof(*ev));
    enum err e;

    TRY(ask == NULL || ev == NULL ? ERR_NOMEM : OK);
    ask->step = *step;
    (void)sem_init(&ask->finished, 0, 0);
    ev->kind = NODE_EV_ASK;
    ev->ask = ask;
    (void)pthread_mutex_lock(&r->mx);
    if (r->stopping) {
        e = ERR_STATE;
    } else {
        node_runner_push_locked(r, ev);
        ev = NULL;
    }
    (void)pthread_mutex_unlock(&r->mx);
    TRY(e);
    *out = ask;
    return OK;
out:
    mem_free(r->c.mem, ev, sizeof(*ev));
    mem_free(r->c.mem, ask, sizeof(*ask));
    return e;
}

enum err
node_runner_wait(struct node_runner *r, struct node_ask **take_ask)
{
    struct node_ask *ask = *take_ask;
    enum err e;

    *take_ask = NULL;
    while (sem_wait(&ask->finished) != 0) {
        ; /* a signal came */
    }
    (void)sem_destroy(&ask->finished);
    e = ask->e;
    mem_free(r->c.mem, ask, sizeof(*ask));
    return e;
}

enum err
node_runner_do(struct node_runner *r, const struct node_step *step)
{
    struct node_ask *ask = NULL;
    enum err e = node_runner_begin(r, step, &ask);

    return e == OK ? node_runner_wait(r, &ask) : e;
}

/* ------------------------------------------------------------------- steps */

static bool
is_fatal(enum err e)
{
    return e == ERR_NOMEM || e == ERR_IO || e == ERR_CORRUPT ||
           e == ERR_INTERNAL;
}

/* OK, or why the core is not as it should be. */
static enum err
do_ask(struct node_runner *r, struct node_ask *ask)
{
    enum err e = OK;

    if (ask->step.step != NULL) {
        e = ask->step.step(ask->step.ctx, r->core);
    }
    if (e != OK && !is_fatal(e)) {
        node_runner_finish(ask, e);
        return OK;
    }
    ask->next = NULL;
    *r->asks_end = ask;
    r->asks_end = &ask->next;
    return e;
}

/* The disk is full: say so, and let a peer try again later. */
static enum err
refuse(struct node_runner *r, struct node_ev *ev)
{
    if (ev->kind == NODE_EV_ASK) {
        node_runner_finish(ev->ask, ERR_FULL);
        return OK;
    }
    fed_net_close(r->net, &ev->peer);
    return fed_core_peer_down(r->core, &ev->peer.root, ev->peer.serial);
}

static enum err
do_step(struct node_runner *r, struct node_ev *ev)
{
    if (node_runner_no_room(r, ev)) {
        return refuse(r, ev);
    }
    r->made.grows = r->made.grows || node_runner_ev_grows(ev);
    switch (ev->kind) {
    case NODE_EV_FRAME:
        return fed_core_frame(r->core, &ev->peer.root, ev->peer.serial,
                              view_of(&ev->frame));
    case NODE_EV_UP:
        return fed_core_peer_up(r->core, &ev->up);
    case NODE_EV_DOWN:
        return fed_core_peer_down(r->core, &ev->peer.root, ev->peer.serial);
    case NODE_EV_OUTDATED:
        return fed_core_outdated(r->core, &ev->peer.root);
    case NODE_EV_ASK:
        return do_ask(r, ev->ask);
    }
    return OK;
}

/* decisions A 3: what time it is at least, for the handshake and for people. */
static void
look_at_clock(struct node_runner *r)
{
    struct fed_clock clock;

    fed_core_clock(r->core, &clock);
    atomic_store(&r->known_ms, clock.known_ms);
    if (clock.behind && !atomic_load(&r->clock_behind)) {
        LOG(r->c.log, LOG_ERROR, "node.clock.behind",
            LOG_MS("by_ms", clock.known_ms - clock_wall_ms(r->c.clock)));
    }
    atomic_store(&r->clock_behind, clock.behind);
}

/* When the batch has to be taken, now that it has this too. */
static void
gather(struct node_runner *r, const struct node_ev *ev)
{
    bool ack = ev->kind == NODE_EV_FRAME &&
               proto_peer_peek(view_of(&ev->frame)) == PROTO_PEER_ACK;

    r->made.hurry = r->made.hurry || !ack;
    if (r->made.steps == 1) {
        r->gather_ms = clock_mono_ms(r->c.clock) + NODE_GATHER_MS;
    }
}

static void
do_event(struct node_runner *r, struct node_ev *ev)
{
    enum err e;

    (void)atomic_fetch_add(&r->steps, 1);
    r->dirty = true;
    r->careful -= r->careful > 0;
    r->made.steps++;
    r->made.framed = ev->kind == NODE_EV_FRAME || ev->kind == NODE_EV_UP;
    r->made.peer = ev->peer;
    gather(r, ev);
    e = do_step(r, ev);
    if (ev->kind == NODE_EV_UP) {
        look_at_clock(r);
    }
    if (is_fatal(e)) {
        node_runner_start_over(r, &r->made, e);
    } else if (e != OK) {
        LOG(r->c.log, LOG_WARN, "node.step.refused", LOG_ERR(e),
            LOG_NUM("kind", ev->kind));
    }
}

/* ------------------------------------------------------------- core thread */

/*
 * Nobody waits for what an acknowledgement frees: those of one message's many
 * members come within milliseconds, and are one commit.
 */
static bool
may_gather(struct node_runner *r)
{
    bool stopping;

    (void)pthread_mutex_lock(&r->mx);
    stopping = r->stopping;
    (void)pthread_mutex_unlock(&r->mx);
    return r->dirty && !r->made.hurry && !stopping &&
           clock_mono_ms(r->c.clock) < r->gather_ms;
}

/* Take the batch that the steps so far made, and give it to the writer. */
static void
take_batch(struct node_runner *r)
{
    const struct fed_batch *batch = NULL;
    enum err e;

    if (r->committing || !r->dirty || may_gather(r)) {
        return;
    }
    r->dirty = false;
    e = fed_core_take(r->core, &batch);
    if (e != OK) {
        node_runner_start_over(r, &r->made, e);
    } else if (batch != NULL || r->asks != NULL) {
        node_runner_submit(r, batch);
    } else {
        r->made = (struct node_made){0};
    }
}

static bool
timer_due(const struct node_runner *r)
{
    return r->timer_ms != 0 && clock_mono_ms(r->c.clock) >= r->timer_ms;
}

/* One step to a batch, and this batch has its own. */
static bool
must_wait(const struct node_runner *r)
{
    return r->unsound || (r->careful > 0 && (r->committing || r->dirty));
}

/* How long nothing has to be done unless something comes; at most a second,
   for the watchdog. */
static uint64_t
rest_ms(const struct node_runner *r)
{
    uint64_t now = clock_mono_ms(r->c.clock);
    uint64_t ms = r->unsound ? 100 : 1000;

    if (r->dirty && !r->committing && !r->unsound) {
        ms = r->gather_ms > now ? r->gather_ms - now : 0;
    }
    if (r->timer_ms != 0 && !must_wait(r)) {
        uint64_t left = r->timer_ms > now ? r->timer_ms - now : 0;

        ms = left < ms ? left : ms;
    }
    return ms;
}

/* Sleep until there is something to do. */
static void
wait_for_work(struct node_runner *r)
{
    uint64_t ms = rest_ms(r);
    bool idle = must_wait(r);
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    until.tv_sec += (time_t)(ms / 1000) + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_mutex_lock(&r->mx);
    if ((idle || (r->first == NULL && r->again == NULL)) &&
        (!r->stopping || r->committing) &&
        !(r->committing && r->commit.finished)) {
        (void)pthread_cond_timedwait(&r->wake, &r->mx, &until);
    }
    (void)pthread_mutex_unlock(&r->mx);
}

/* Do what waits; true when there may be more. */
static bool
do_some(struct node_runner *r)
{
    struct node_ev *ev = NULL;

    for (int i = 0; i < NODE_STEPS_PER_BATCH && !must_wait(r); i++) {
        struct node_ev again = {.kind = NODE_EV_ASK, .ask = r->again};

        if (r->again != NULL) {
            r->again = again.ask->next;
            do_event(r, &again);
            continue;
        }
        if (node_runner_commit_finished(r)) {
            node_runner_end_commit(
                r); /* what it lets out does not wait for the next */
            continue;
        }
        ev = node_runner_pop(r);
        if (ev == NULL) {
            return false;
        }
        do_event(r, ev);
        node_runner_free_event(r, ev);
    }
    return !must_wait(r);
}

static void
one_turn(struct node_runner *r)
{
    bool more;
    enum err e;

    (void)atomic_fetch_add(&r->beats, 1);
    if (node_runner_commit_finished(r)) {
        node_runner_end_commit(r);
    }
    if (!node_runner_mend(r)) {
        wait_for_work(r);
        return;
    }
    more = do_some(r);
    node_runner_resume(r);
    node_runner_via_turn(r);
    if (timer_due(r) && !must_wait(r)) {
        r->timer_ms = 0;
        r->dirty = true;
        r->made.steps++;
        r->made.framed = false;
        r->made.hurry = true;
        e = fed_core_tick(r->core);
        if (is_fatal(e)) {
            node_runner_start_over(r, &r->made, e);
        }
    }
    take_batch(r);
    if (!more) {
        wait_for_work(r);
    }
}

static bool
may_end(struct node_runner *r)
{
    bool end;

    (void)pthread_mutex_lock(&r->mx);
    end = r->stopping && !r->committing && r->first == NULL && r->again == NULL;
    (void)pthread_mutex_unlock(&r->mx);
    return end && !r->dirty;
}

void *
node_runner_thread(void *ctx)
{
    struct node_runner *r = ctx;

    look_at_clock(r);
    while (!may_end(r)) {
        one_turn(r);
    }
    return NULL;
}
