/* SPDX-License-Identifier: Apache-2.0 */
#include "node/runner.h"

#include "node/runner_impl.h"
#include "proto/base/assert.h"

#include <string.h>
#include <time.h>

/* ------------------------------------------------------------------- queue */

void
node_runner_push(struct node_runner *r, struct node_ev *take_ev)
{
    (void)pthread_mutex_lock(&r->mx);
    *(r->last == NULL ? &r->first : &r->last->next) = take_ev;
    r->last = take_ev;
    r->queue_bytes += take_ev->frame.len;
    r->queue_len++;
    (void)pthread_cond_signal(&r->wake);
    (void)pthread_mutex_unlock(&r->mx);
}

static void
free_event(struct node_runner *r, struct node_ev *ev)
{
    bytes_free(&ev->frame);
    mem_free(r->c.mem, ev, sizeof(*ev));
}

/* Let paused peers go on once the queue is short again. */
static void
resume_paused(struct node_runner *r)
{
    struct fed_peer peers[NODE_PAUSED];
    size_t n = 0;

    (void)pthread_mutex_lock(&r->mx);
    if (r->paused_len > 0 && r->queue_bytes < NODE_QUEUE_LOW) {
        n = r->paused_len;
        memcpy(peers, r->paused, n * sizeof(peers[0]));
        r->paused_len = 0;
    }
    (void)pthread_mutex_unlock(&r->mx);
    for (size_t i = 0; i < n; i++) {
        fed_net_resume(r->net, &peers[i]);
    }
}

/* ---------------------------------------------------------------- requests */

/* Tell everybody in the list; askers' structs are gone right after. */
static void
finish_asks(struct node_runner *r, struct node_ask *list, enum err e)
{
    (void)pthread_mutex_lock(&r->mx);
    while (list != NULL) {
        struct node_ask *next = list->next;

        list->e = e;
        list->finished = true;
        list = next;
    }
    (void)pthread_cond_broadcast(&r->finished);
    (void)pthread_mutex_unlock(&r->mx);
}

static void
finish_ask(struct node_runner *r, struct node_ask *ask, enum err e)
{
    ask->next = NULL;
    finish_asks(r, ask, e);
}

enum err
node_runner_do(struct node_runner *r, const struct node_step *step)
{
    struct node_ask ask = {.step = step};
    struct node_ev *ev = mem_alloc(r->c.mem, sizeof(*ev));

    if (ev == NULL) {
        return ERR_NOMEM;
    }
    ev->kind = NODE_EV_ASK;
    ev->ask = &ask;
    (void)pthread_mutex_lock(&r->mx);
    if (r->stopping) {
        (void)pthread_mutex_unlock(&r->mx);
        free_event(r, ev);
        return ERR_STATE;
    }
    (void)pthread_mutex_unlock(&r->mx);
    node_runner_push(r, ev);
    (void)pthread_mutex_lock(&r->mx);
    while (!ask.finished) {
        (void)pthread_cond_wait(&r->finished, &r->mx);
    }
    (void)pthread_mutex_unlock(&r->mx);
    return ask.e;
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
        if (a->step->write != NULL) {
            TRY(a->step->write(a->step->ctx, txn));
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

static void
submit_commit(struct node_runner *r, const struct fed_batch *batch)
{
    r->commit = (struct node_commit){.batch = batch, .asks = r->asks};
    r->asks = NULL;
    r->asks_end = &r->asks;
    r->commit.job.run = run_commit;
    r->commit.job.done = commit_done;
    r->commit.job.ctx = r;
    r->committing = true;
    store_submit(r->c.store, &r->commit.job);
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

/* What a durable batch shows to whoever waits, and what it sends. */
static void
act_upon(struct node_runner *r, const struct fed_batch *batch)
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
        }
    }
    for (size_t i = 0; i < batch->acts_len; i++) {
        node_runner_act(r, &batch->acts[i]);
    }
    if (has_message(batch)) {
        node_blobs_kick(r->blobs);
    }
    if (batch->timer_ms != 0) {
        r->timer_ms = batch->timer_ms;
    }
}

/* The stances in the handshake's copy follow the core's. */
static void
follow_parties(struct node_runner *r, const struct fed_batch *batch)
{
    for (size_t i = 0; i < batch->shows_len; i++) {
        const struct fed_show *show = &batch->shows[i];

        if (show->kind == FED_SHOW_PARTY || show->kind == FED_SHOW_REVOKED) {
            node_runner_party_update(r, &show->peer);
        }
    }
}

/* The commit is through: let its effects out, or tell who waits for it. */
static enum err
settle_commit(struct node_runner *r)
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
    (void)atomic_fetch_add(&r->batches, 1);
    if (done.e == OK && done.batch != NULL) {
        follow_parties(r, done.batch);
        act_upon(r, done.batch);
        fed_core_done(r->core, done.batch);
    }
    finish_asks(r, done.asks, done.e);
    return done.e;
}

/* Everything uncommitted is dropped; peers say again what was not acked. */
static void
start_over(struct node_runner *r, enum err why)
{
    struct node_party *p = NULL;
    size_t n;
    enum err e;

    (void)atomic_fetch_add(&r->failures, 1);
    LOG(r->c.log, LOG_ERROR, "node.batch.dropped", LOG_ERR(why));
    if (r->committing) {
        ERR_IGNORE(settle_commit(r), "it is dropped either way");
    }
    (void)pthread_rwlock_rdlock(&r->parties_lock);
    n = r->parties_len;
    p = n == 0 ? NULL : mem_calloc(r->c.mem, n, sizeof(*p));
    if (p != NULL) {
        memcpy(p, r->parties, n * sizeof(*p));
    }
    (void)pthread_rwlock_unlock(&r->parties_lock);
    for (size_t i = 0; p != NULL && i < n; i++) {
        struct fed_peer peer = {p[i].root, 0};

        fed_net_close(r->net, &peer);
    }
    mem_free(r->c.mem, p, n * sizeof(*p));
    e = fed_core_reset(r->core);
    if (e != OK) {
        LOG(r->c.log, LOG_ERROR, "node.core.not_reset", LOG_ERR(e));
    }
    finish_asks(r, r->asks, why);
    r->asks = NULL;
    r->asks_end = &r->asks;
    r->dirty = false;
}

static void
end_commit(struct node_runner *r)
{
    enum err e = settle_commit(r);

    if (e != OK) {
        start_over(r, e);
    }
}

/* ------------------------------------------------------------------- steps */

static bool
is_fatal(enum err e)
{
    return e == ERR_NOMEM || e == ERR_IO || e == ERR_CORRUPT ||
           e == ERR_INTERNAL;
}

/* True when the core is as it should be. */
static bool
do_ask(struct node_runner *r, struct node_ask *ask)
{
    enum err e = OK;

    if (ask->step->step != NULL) {
        e = ask->step->step(ask->step->ctx, r->core);
    }
    if (e != OK) {
        finish_ask(r, ask, e);
        return !is_fatal(e);
    }
    ask->next = NULL;
    *r->asks_end = ask;
    r->asks_end = &ask->next;
    return true;
}

static void
do_event(struct node_runner *r, struct node_ev *ev)
{
    enum err e = OK;
    bool sane = true;

    (void)atomic_fetch_add(&r->steps, 1);
    r->dirty = true;
    switch (ev->kind) {
    case NODE_EV_FRAME:
        e = fed_core_frame(r->core, &ev->peer.root, ev->peer.serial,
                           view_of(&ev->frame));
        break;
    case NODE_EV_UP:
        e = fed_core_peer_up(r->core, &ev->up);
        break;
    case NODE_EV_DOWN:
        e = fed_core_peer_down(r->core, &ev->peer.root, ev->peer.serial);
        break;
    case NODE_EV_ASK:
        sane = do_ask(r, ev->ask);
        break;
    }
    if (e != OK && !is_fatal(e)) {
        LOG(r->c.log, LOG_WARN, "node.step.refused", LOG_ERR(e),
            LOG_NUM("kind", ev->kind));
    }
    if (!sane || is_fatal(e)) {
        start_over(r, sane ? e : ERR_INTERNAL);
    }
    free_event(r, ev);
}

/* ------------------------------------------------------------- core thread */

static struct node_ev *
pop(struct node_runner *r)
{
    struct node_ev *ev;

    (void)pthread_mutex_lock(&r->mx);
    ev = r->first;
    if (ev != NULL) {
        r->first = ev->next;
        if (r->first == NULL) {
            r->last = NULL;
        }
        r->queue_bytes -= ev->frame.len;
        r->queue_len--;
    }
    (void)pthread_mutex_unlock(&r->mx);
    return ev;
}

/* Take the batch that the steps so far made, and give it to the writer. */
static void
take_batch(struct node_runner *r)
{
    const struct fed_batch *batch = NULL;
    enum err e;

    if (r->committing || !r->dirty) {
        return;
    }
    r->dirty = false;
    e = fed_core_take(r->core, &batch);
    if (e != OK) {
        start_over(r, e);
        return;
    }
    if (batch != NULL || r->asks != NULL) {
        submit_commit(r, batch);
    }
}

static bool
timer_due(const struct node_runner *r)
{
    return r->timer_ms != 0 && clock_mono_ms(r->c.clock) >= r->timer_ms;
}

/* Sleep until there is something to do; at most a second, for the watchdog. */
static void
wait_for_work(struct node_runner *r)
{
    uint64_t now = clock_mono_ms(r->c.clock);
    uint64_t ms = 1000;
    struct timespec until;

    if (r->timer_ms != 0) {
        uint64_t left = r->timer_ms > now ? r->timer_ms - now : 0;

        ms = left < ms ? left : ms;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    until.tv_sec += (time_t)(ms / 1000) + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_mutex_lock(&r->mx);
    if (r->first == NULL && (!r->stopping || r->committing) &&
        !(r->committing && r->commit.finished)) {
        (void)pthread_cond_timedwait(&r->wake, &r->mx, &until);
    }
    (void)pthread_mutex_unlock(&r->mx);
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

static void
one_turn(struct node_runner *r)
{
    struct node_ev *ev = NULL;
    enum err e;

    (void)atomic_fetch_add(&r->beats, 1);
    if (commit_finished(r)) {
        end_commit(r);
    }
    for (int i = 0; i < NODE_STEPS_PER_BATCH && !commit_finished(r); i++) {
        ev = pop(r);
        if (ev == NULL) {
            break;
        }
        do_event(r, ev);
    }
    resume_paused(r);
    if (timer_due(r)) {
        r->timer_ms = 0;
        r->dirty = true;
        e = fed_core_tick(r->core);
        if (is_fatal(e)) {
            start_over(r, e);
        }
    }
    take_batch(r);
    if (ev == NULL) {
        wait_for_work(r);
    }
}

static bool
may_end(struct node_runner *r)
{
    bool end;

    (void)pthread_mutex_lock(&r->mx);
    end = r->stopping && !r->committing && r->first == NULL;
    (void)pthread_mutex_unlock(&r->mx);
    return end && !r->dirty;
}

static void *
core_thread(void *ctx)
{
    struct node_runner *r = ctx;

    while (!may_end(r)) {
        one_turn(r);
    }
    return NULL;
}

/* -------------------------------------------------------------------- life */

static void
init_locks(struct node_runner *r)
{
    pthread_condattr_t attr;

    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&r->mx, NULL);
    (void)pthread_mutex_init(&r->late_mx, NULL);
    (void)pthread_mutex_init(&r->follow_mx, NULL);
    (void)pthread_rwlock_init(&r->parties_lock, NULL);
    (void)pthread_cond_init(&r->wake, &attr);
    (void)pthread_cond_init(&r->finished, &attr);
    (void)pthread_cond_init(&r->follow_cond, &attr);
    (void)pthread_condattr_destroy(&attr);
}

static void
free_runner(struct node_runner *r)
{
    struct node_ev *ev;

    while ((ev = pop(r)) != NULL) {
        if (ev->kind == NODE_EV_ASK) {
            finish_ask(r, ev->ask, ERR_STATE);
        }
        free_event(r, ev);
    }
    node_runner_late_free(r);
    fed_core_free(r->core);
    node_desk_clear(&r->desk);
    node_identity_clear(&r->identity);
    bytes_free(&r->addrs);
    bytes_free(&r->profile);
    mem_free(r->c.mem, r->parties, r->parties_cap * sizeof(*r->parties));
    for (size_t i = 0; i < NODE_FOLLOWS; i++) {
        node_answer_clear(&r->follows[i].answer);
    }
    for (size_t i = 0; i < NODE_PROFILES; i++) {
        bytes_free(&r->profiles[i].profile);
    }
    (void)pthread_mutex_destroy(&r->mx);
    (void)pthread_mutex_destroy(&r->late_mx);
    (void)pthread_mutex_destroy(&r->follow_mx);
    (void)pthread_rwlock_destroy(&r->parties_lock);
    (void)pthread_cond_destroy(&r->wake);
    (void)pthread_cond_destroy(&r->finished);
    (void)pthread_cond_destroy(&r->follow_cond);
    mem_free(r->c.mem, r, sizeof(*r));
}

/* Copy what the caller may change or free. */
static enum err
copy_self(struct node_runner *r, const struct node_identity *id,
          struct view addrs, struct view profile)
{
    enum err e;
    const struct mem *mem = r->c.mem;
    struct node_identity copy = *id;
    struct bytes a = {0};
    struct bytes p = {0};

    copy.renewal_cert = (struct bytes){0};
    copy.chain = (struct bytes){0};
    copy.revocation = (struct bytes){0};
    TRY(bytes_copy(mem, view_of(&id->renewal_cert), &copy.renewal_cert));
    TRY(bytes_copy(mem, view_of(&id->chain), &copy.chain));
    TRY(bytes_copy(mem, view_of(&id->revocation), &copy.revocation));
    TRY(bytes_copy(mem, addrs, &a));
    TRY(bytes_copy(mem, profile, &p));
    node_identity_clear(&r->identity);
    bytes_free(&r->addrs);
    bytes_free(&r->profile);
    r->identity = copy;
    r->addrs = a;
    r->profile = p;
    return OK;
out:
    node_identity_clear(&copy);
    bytes_free(&a);
    bytes_free(&p);
    return e;
}

static struct fed_self
self_of(const struct node_runner *r)
{
    struct fed_self s = {
        .root = r->identity.root,
        .chain = view_of(&r->identity.chain),
        .node_seed = VIEW_ARRAY(r->identity.node.seed),
        .addrs = view_of(&r->addrs),
        .profile = view_of(&r->profile),
        .revocation = view_of(&r->identity.revocation),
    };

    return s;
}

static struct fed_identity
net_identity_of(const struct node_runner *r)
{
    struct fed_identity id = {
        .root = r->identity.root,
        .node_seed = VIEW_ARRAY(r->identity.node.seed),
        .chain = view_of(&r->identity.chain),
    };

    return id;
}

static enum err
start_parts(struct node_runner *r)
{
    enum err e;
    struct fed_core_config core = {
        .mem = r->c.mem,
        .rng = r->c.rng,
        .clock = r->c.clock,
        .log = r->c.log,
        .store = node_runner_store(r),
        .self = self_of(r),
    };
    struct fed_net_config net = {
        .mem = r->c.mem,
        .clock = r->c.clock,
        .rng = r->c.rng,
        .log = r->c.log,
        .io = r->c.io,
        .user = node_runner_net_user(r),
        .identity = net_identity_of(r),
        .tuning = r->c.tuning,
    };

    TRY(fed_core_new(&core, &r->core));
    TRY(node_runner_parties_load(r));
    if (r->c.restored) {
        TRY(fed_core_restored(r->core));
    }
    TRY(node_runner_blobs_start(r));
    TRY(fed_net_start(&net, &r->net));
    r->dirty = true;
    if (pthread_create(&r->thread, NULL, core_thread, r) != 0) {
        TRY(ERR_IO);
    }
    r->started = true;
out:
    return e;
}

enum err
node_runner_start(const struct node_runner_config *config,
                  struct node_runner **out)
{
    enum err e;
    struct node_runner *r = mem_alloc(config->mem, sizeof(*r));

    if (r == NULL) {
        return ERR_NOMEM;
    }
    init_locks(r);
    r->c = *config;
    r->c.identity = NULL;
    r->c.addrs = (struct view){0};
    r->c.profile = (struct view){0};
    r->asks_end = &r->asks;
    r->desk.mem = config->mem;
    r->desk.self = config->identity->root;
    r->desk.member = config->member;
    TRY(copy_self(r, config->identity, config->addrs, config->profile));
    TRY(start_parts(r));
    *out = r;
    r = NULL;
out:
    node_runner_stop(r);
    return e;
}

void
node_runner_stop(struct node_runner *r)
{
    if (r == NULL) {
        return;
    }
    if (r->started) {
        (void)pthread_mutex_lock(&r->mx);
        r->stopping = true;
        (void)pthread_cond_signal(&r->wake);
        (void)pthread_mutex_unlock(&r->mx);
        (void)pthread_join(r->thread, NULL);
    }
    (void)pthread_mutex_lock(&r->late_mx);
    r->closing = true;
    (void)pthread_mutex_unlock(&r->late_mx);
    fed_net_stop(r->net);
    node_blobs_stop(r->blobs);
    free_runner(r);
}

struct fed_net *
node_runner_net(struct node_runner *r)
{
    return r->net;
}

void
node_runner_stats(struct node_runner *r, struct node_runner_stats *out)
{
    out->batches = atomic_load(&r->batches);
    out->steps = atomic_load(&r->steps);
    out->failures = atomic_load(&r->failures);
    out->beats = atomic_load(&r->beats);
    (void)pthread_mutex_lock(&r->mx);
    out->queued = r->queue_len;
    (void)pthread_mutex_unlock(&r->mx);
}

/* --------------------------------------------------------------- new selves */

struct self_change {
    struct node_runner *r;
    const struct node_identity *identity;
    struct view addrs;
    struct view profile;
};

static enum err
step_set_self(void *ctx, struct fed_core *core)
{
    struct self_change *c = ctx;
    struct fed_self self;
    struct fed_identity net;
    enum err e;

    TRY(copy_self(c->r, c->identity, c->addrs, c->profile));
    self = self_of(c->r);
    net = net_identity_of(c->r);
    TRY(fed_core_set_self(core, &self));
    TRY(fed_net_set_identity(c->r->net, &net));
out:
    return e;
}

enum err
node_runner_set_self(struct node_runner *r,
                     const struct node_identity *identity, struct view addrs,
                     struct view profile)
{
    struct self_change c = {r, identity, addrs, profile};
    struct node_step step = {.step = step_set_self, .ctx = &c};

    return node_runner_do(r, &step);
}
