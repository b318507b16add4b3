/* SPDX-License-Identifier: Apache-2.0 */
#include "node/runner.h"

#include "federation/core/early.h"
#include "node/news.h"
#include "node/runner_impl.h"
#include "proto/base/assert.h"

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

/* ------------------------------------------------------------------ commit */

static enum err
put_shows(struct node_runner *r, struct store_txn *txn,
          const struct fed_batch *b)
{
    for (size_t i = 0; i < b->shows_len; i++) {
        enum err e = node_desk_show(txn, &r->desk, &b->shows[i]);

        if (e != OK) {
            LOG(r->c.log, LOG_ERROR, "node.desk.refused", LOG_ERR(e),
                LOG_NUM("show", b->shows[i].kind),
                LOG_NUM("code", b->shows[i].code));
            return e;
        }
    }
    return OK;
}

static enum err
run_commit(void *ctx, struct store_txn *txn)
{
    enum err e = OK;
    struct node_runner *r = ctx;
    const struct fed_batch *b = r->commit.batch;

    if (b != NULL) {
        TRY(node_runner_write(txn, b));
        TRY(put_shows(r, txn, b));
    }
    for (struct node_ask *a = r->commit.asks; a != NULL; a = a->next) {
        if (a->step.write != NULL) {
            TRY(a->step.write(a->step.ctx, txn));
        }
    }
out:
    return e;
}

/* On the writer thread: hand the result back to the core thread. */
static void
commit_done(void *ctx, enum err e)
{
    struct node_runner *r = ctx;

    (void)pthread_mutex_lock(&r->mx);
    r->commit.e = e;
    r->commit.finished = true;
    (void)pthread_cond_signal(&r->wake);
    (void)pthread_mutex_unlock(&r->mx);
}

/*
 * Whether its frames may leave once it is durable: there is nothing else to do
 * for it but to send, also at the desk.
 */
static bool
sends_early(const struct fed_batch *batch)
{
    bool worth = fed_batch_sends_early(batch);

    for (size_t i = 0; worth && i < batch->shows_len; i++) {
        if (batch->shows[i].kind != FED_SHOW_MESSAGE &&
            batch->shows[i].kind != FED_SHOW_STATE) {
            return false;
        }
    }
    return worth;
}

/* On the core thread: the batch is durable, LMDB's commit comes. */
static void
commit_early(void *ctx)
{
    struct node_runner *r = ctx;
    const struct fed_batch *batch = r->commit.batch;

    for (size_t i = 0; i < batch->acts_len; i++) {
        node_runner_act(r, &batch->acts[i]);
    }
    r->commit.sent = true;
}

static bool
has_message(const struct fed_batch *batch)
{
    for (size_t i = 0; i < batch->shows_len; i++) {
        if (batch->shows[i].kind == FED_SHOW_MESSAGE) {
            return true;
        }
    }
    return false;
}

/* This node or a peer was put back, or a newer copy of this node runs. */
static void
say_rollback(struct node_runner *r, const struct fed_show *show)
{
    struct log_tag peer = log_tag_of(clinic_id_view(&show->peer));

    if (show->code == 0) {
        LOG(r->c.log, LOG_WARN, "node.restored", LOG_TAG("peer", peer));
    } else if (show->code == 1) {
        LOG(r->c.log, LOG_WARN, "node.peer.restored", LOG_TAG("peer", peer));
    } else {
        LOG(r->c.log, LOG_ERROR, "node.superseded", LOG_TAG("peer", peer));
        atomic_store(&r->superseded, true);
    }
}

/* What a durable batch shows to whoever waits, and what it sends. */
static void
act_upon(struct node_runner *r, const struct fed_batch *batch, bool sent)
{
    for (size_t i = 0; i < batch->shows_len; i++) {
        const struct fed_show *show = &batch->shows[i];

        if (show->kind == FED_SHOW_PARTY || show->kind == FED_SHOW_LINK ||
            show->kind == FED_SHOW_PROFILE) {
            node_runner_answer(r, show);
        } else if (show->kind == FED_SHOW_BAD) {
            LOG(r->c.log, LOG_WARN, "node.peer.bad",
                LOG_TAG("peer", log_tag_of(clinic_id_view(&show->peer))),
                LOG_ERR((enum err)show->code));
        } else if (show->kind == FED_SHOW_ROLLBACK) {
            say_rollback(r, show);
        }
    }
    for (size_t i = 0; i < batch->acts_len && !sent; i++) {
        node_runner_act(r, &batch->acts[i]);
    }
    if (has_message(batch)) {
        node_blobs_kick(r->blobs);
    }
    if (batch->timer_ms != 0) {
        r->timer_ms = batch->timer_ms;
    }
}

/* Let its effects out, or tell who waits for it; see runner_fail.c. */
enum err
node_runner_settle(struct node_runner *r, struct node_made *made)
{
    struct node_commit done;

    (void)pthread_mutex_lock(&r->mx);
    while (!r->commit.finished) {
        (void)pthread_cond_wait(&r->wake, &r->mx);
    }
    done = r->commit;
    r->commit = (struct node_commit){0};
    (void)pthread_mutex_unlock(&r->mx);
    r->committing = false;
    *made = done.made;
    (void)atomic_fetch_add(&r->batches, 1);
    if (done.e == OK && done.batch != NULL) {
        node_runner_party_follow(r, done.batch);
        act_upon(r, done.batch, done.sent);
        fed_core_done(r->core, done.batch);
    }
    if (done.e != OK && done.made.steps > 1) {
        node_runner_again(r, done.asks);
    } else {
        node_runner_finish_all(done.asks, done.e);
    }
    return done.e;
}

static void
end_commit(struct node_runner *r)
{
    struct node_made made;
    enum err e = node_runner_settle(r, &made);

    if (e != OK) {
        node_runner_start_over(r, &made, e);
    }
}

static bool
commit_finished(struct node_runner *r)
{
    bool yes;

    (void)pthread_mutex_lock(&r->mx);
    yes = r->committing && r->commit.finished;
    (void)pthread_mutex_unlock(&r->mx);
    return yes;
}

/* The queue is empty and the batch small. */
static bool
nothing_waits(struct node_runner *r)
{
    bool none;

    (void)pthread_mutex_lock(&r->mx);
    none = r->first == NULL && r->again == NULL;
    (void)pthread_mutex_unlock(&r->mx);
    return none && r->commit.made.steps <= NODE_STEPS_ALONE;
}

/* What is true already, whatever becomes of our commit (node/news.h). */
static void
tell_news(const struct node_runner *r, const struct fed_batch *batch)
{
    size_t n = batch == NULL || r->c.on_news == NULL ? 0 : batch->shows_len;

    for (size_t i = 0; i < n; i++) {
        if (node_news_is(&batch->shows[i])) {
            r->c.on_news(r->c.on_news_ctx, &batch->shows[i]);
        }
    }
}

static void
submit_commit(struct node_runner *r, const struct fed_batch *batch)
{
    r->commit =
        (struct node_commit){.batch = batch, .asks = r->asks, .made = r->made};
    r->asks = NULL;
    r->asks_end = &r->asks;
    r->made = (struct node_made){0};
    r->commit.job.flags = r->commit.made.grows ? 0 : STORE_JOB_FREES;
    r->commit.job.run = run_commit;
    r->commit.job.done = commit_done;
    r->commit.job.ctx = r;
    r->committing = true;
    if (!nothing_waits(r)) {
        store_submit(r->c.store, &r->commit.job);
        return;
    }
    tell_news(r, batch);
    /* Nothing else to do meanwhile: no other thread has to be woken. */
    r->commit.job.early = sends_early(batch) ? commit_early : NULL;
    store_submit_here(r->c.store, &r->commit.job);
    if (commit_finished(r)) {
        end_commit(r);
    }
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
        submit_commit(r, batch);
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

/* Sleep until there is something to do; at most a second, for the watchdog. */
static void
wait_for_work(struct node_runner *r)
{
    uint64_t now = clock_mono_ms(r->c.clock);
    uint64_t ms = r->unsound ? 100 : 1000;
    bool idle = must_wait(r);
    struct timespec until;

    if (r->dirty && !r->committing && !r->unsound) {
        ms = r->gather_ms > now ? r->gather_ms - now : 0;
    }
    if (r->timer_ms != 0 && !idle) {
        uint64_t left = r->timer_ms > now ? r->timer_ms - now : 0;

        ms = left < ms ? left : ms;
    }
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
        if (commit_finished(r)) {
            end_commit(r); /* what it lets out does not wait for the next */
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
    if (commit_finished(r)) {
        end_commit(r);
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
