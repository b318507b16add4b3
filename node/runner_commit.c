/* SPDX-License-Identifier: Apache-2.0 */
/* A batch becomes durable, and then what it does is let out. */
#include "federation/core/early.h"
#include "node/news.h"
#include "node/runner_impl.h"

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

    node_runner_act_all(r, batch);
    r->commit.sent = true;
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
    if (!sent) {
        node_runner_act_all(r, batch);
    }
    if (r->desk.files) { /* no commit is under way */
        r->desk.files = false;
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

void
node_runner_end_commit(struct node_runner *r)
{
    struct node_made made;
    enum err e = node_runner_settle(r, &made);

    if (e != OK) {
        node_runner_start_over(r, &made, e);
    }
}

bool
node_runner_commit_finished(struct node_runner *r)
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

void
node_runner_submit(struct node_runner *r, const struct fed_batch *batch)
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
    tell_news(r, batch);
    if (!nothing_waits(r)) {
        store_submit(r->c.store, &r->commit.job);
        return;
    }
    /* Nothing else to do meanwhile: no other thread has to be woken. */
    r->commit.job.early = sends_early(batch) ? commit_early : NULL;
    store_submit_here(r->c.store, &r->commit.job);
    if (node_runner_commit_finished(r)) {
        node_runner_end_commit(r);
    }
}
