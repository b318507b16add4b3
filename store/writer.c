/* SPDX-License-Identifier: Apache-2.0 */
#include "store/writer.h"

#include "proto/base/assert.h"
#include "proto/base/limits.h"
#include "store/inner.h"

#include <string.h>
#include <time.h>

enum {
    REST_MS = 100,
    GAP_MS = 3
};

/* A job in the present batch. */
struct entry {
    struct store_job *job;
    bool ran;     /* in the transaction that is open */
    bool decided; /* it failed, with result */
    enum err result;
};

struct store_batch {
    struct entry e[LIMIT_STORE_BATCH_JOBS];
    size_t len;
};

enum verdict {
    COMMITTED,
    BAD_JOB, /* one failed after it had written: undo, go on without it */
    GREW,    /* the map was too small; once more */
    NO_COMMIT
};

/* A rotation ahead, as a job. */
struct ahead {
    struct store_job job;
    struct store *s;
    struct store_owner owner;
};

struct store_gap {
    struct ahead ahead[STORE_SLOTS_SOON];
    bool fails; /* the last rotation did */
};

/* Entries from .. end; what happened. */
struct attempt {
    size_t from;
    size_t end;
    size_t bad;
    enum err e;
    uint64_t journal_seq; /* newest row, when there are new ones */
};

/* ---------------------------------------------------------------- one batch */

static void
undo(struct store_batch *b, const struct attempt *a, struct store_txn *txn)
{
    store_env_abort(txn->env);
    for (size_t i = a->from; i < b->len; i++) {
        struct entry *en = &b->e[i];

        if (en->ran && en->job->undone != NULL) {
            en->job->undone(en->job->ctx);
        }
        en->ran = false;
    }
}

/* Run the jobs; false when the transaction has to be undone (a->bad, a->e). */
static bool
run_jobs(struct store_batch *b, struct attempt *a, struct store_txn *txn,
         bool full)
{
    for (size_t i = a->from; i < a->end; i++) {
        struct entry *en = &b->e[i];
        uint64_t writes = txn->writes;
        enum err e;

        if (en->decided) {
            continue;
        }
        if (full && (en->job->flags & STORE_JOB_FREES) == 0) {
            en->decided = true;
            en->result = ERR_FULL;
            continue;
        }
        e = en->job->run(en->job->ctx, txn);
        en->ran = true;
        if (e == OK) {
            e = txn->failed; /* a write failed and run went on */
        }
        if (e != OK && (txn->writes != writes || txn->failed != OK)) {
            a->bad = i;
            a->e = e;
            return false;
        }
        if (e != OK) {
            en->decided = true;
            en->result = e;
        }
        if (txn->bytes >= LIMIT_STORE_BATCH_BYTES) {
            a->end = i + 1;
        }
    }
    return true;
}

/* Make it durable at once, if it is small; and let out what waits for that. */
static bool
log_it(struct store_batch *b, const struct attempt *a, struct store_txn *txn)
{
    bool wanted = false;

    for (size_t i = a->from; i < a->end; i++) {
        wanted = wanted || (b->e[i].job->early != NULL && !b->e[i].decided);
    }
    /* Slots have their own order with the commit; on a full disk what is freed
     * shall be used again soon. */
    if (txn->slots.wrote || txn->slots.len > 0 ||
        (!wanted && store_env_is_full(txn->s->env)) || !store_redo_write(txn)) {
        return false;
    }
    for (size_t i = a->from; i < a->end; i++) {
        struct entry *en = &b->e[i];

        if (en->job->early != NULL && !en->decided) {
            en->job->early(en->job->ctx);
        }
    }
    return true;
}

static enum err
commit(struct store_batch *b, struct store_txn *txn, struct attempt *a)
{
    struct store_env_txn *env = txn->env;
    struct store *s = txn->s;
    bool logged;
    enum err e;

    if (txn->writes == 0 && !txn->state_changed) {
        store_env_abort(env);
        return OK;
    }
    e = store_state_save(txn);
    if (e != OK) {
        return e;
    }
    if (txn->journal) {
        a->journal_seq = txn->state.n[STORE_N_JOURNAL];
    }
    store_slots_before(txn);
    logged = log_it(b, a, txn);
    e = logged ? store_env_commit_soon(env) : store_env_commit(env);
    txn->env = NULL;
    if (e != OK && (logged || store_redo_unsure(s))) {
        /* Others know of it, or it is in the file and they would be told that
         * it failed: what is there is done again when the store is opened. */
        LOG(s->cfg.log, LOG_ERROR, "store.redo.needed", LOG_ERR(e));
        assert_fail("a commit could not be ended", "store/writer.c", (int)e);
    }
    if (e == OK) {
        store_slots_after(txn);
    }
    return e;
}

static void
forget_runs(struct store_batch *b, const struct attempt *a)
{
    for (size_t i = a->from; i < b->len; i++) {
        b->e[i].ran = false;
    }
}

static enum verdict
try_batch(struct store *s, struct store_batch *b, struct attempt *a)
{
    bool full = store_env_room(s->env, false) == ERR_FULL;
    struct store_env_txn *env;
    struct store_txn txn;
    enum verdict v;

    store_env_widen(s->env, STORE_REDO_ROWS);
    a->e = store_env_begin(s->env, true, &env);
    if (a->e != OK) {
        return NO_COMMIT;
    }
    store_txn_init(&txn, s, env, true);
    if (!run_jobs(b, a, &txn, full)) {
        v = store_env_map_full(env) ? GREW : BAD_JOB;
        undo(b, a, &txn);
    } else {
        a->e = commit(b, &txn, a);
        v = COMMITTED;
        if (a->e != OK) {
            v = NO_COMMIT;
            if (txn.env != NULL) {
                v = store_env_map_full(env) ? GREW : NO_COMMIT;
                undo(b, a, &txn);
            } else {
                v = store_env_commit_full(s->env) ? GREW : NO_COMMIT;
                for (size_t i = a->from; i < b->len; i++) {
                    if (b->e[i].ran && b->e[i].job->undone != NULL) {
                        b->e[i].job->undone(b->e[i].job->ctx);
                    }
                }
            }
        }
        forget_runs(b, a);
    }
    store_txn_clear(&txn);
    if (v == GREW && store_env_grow(s->env) != OK) {
        a->e = ERR_FULL;
        v = NO_COMMIT;
    }
    return v;
}

/* Results of entries from .. end, in order. */
static void
finish(struct store *s, struct store_batch *b, const struct attempt *a)
{
    ASSERT(pthread_mutex_lock(&s->stats_mx) == 0);
    s->commits++;
    s->jobs += a->end - a->from;
    if (a->journal_seq != 0) {
        s->journal_seq = a->journal_seq;
    }
    ASSERT(pthread_mutex_unlock(&s->stats_mx) == 0);
    for (size_t i = a->from; i < a->end; i++) {
        struct entry *en = &b->e[i];

        if (en->job->done != NULL) {
            en->job->done(en->job->ctx, en->decided ? en->result : OK);
        }
    }
    if (a->journal_seq != 0 && s->cfg.on_commit != NULL) {
        s->cfg.on_commit(s->cfg.on_commit_ctx, a->journal_seq);
    }
}

/*
 * The whole batch in one commit if nobody fails.  If one does, what was before
 * it is committed without it, then what comes after; so each job runs at most
 * once more.  If the commit itself fails, each job is tried alone, which finds
 * the one that is too big.
 */
static void
run_batch(struct store *s, struct store_batch *b)
{
    size_t from = 0;
    size_t limit = b->len; /* end of the next attempt */
    bool alone = false;

    while (from < b->len) {
        struct attempt a = {.from = from, .end = alone ? from + 1 : limit};
        enum verdict v = try_batch(s, b, &a);

        if (v == GREW) {
            continue;
        }
        if (v == BAD_JOB) {
            b->e[a.bad].decided = true;
            b->e[a.bad].result = a.e;
            limit = a.bad + 1;
            continue;
        }
        if (v == NO_COMMIT) {
            if (a.end - from > 1) {
                alone = true;
                continue;
            }
            b->e[from].decided = true;
            b->e[from].result = a.e;
            a.end = from + 1;
        }
        finish(s, b, &a);
        from = a.end;
        limit = from < limit ? limit : b->len;
    }
}

/* --------------------------------------------------------------------- gaps */

static enum err
ahead_run(void *ctx, struct store_txn *txn)
{
    const struct ahead *a = ctx;
    enum err e = store_secret_rotate(txn, &a->owner);

    return e == ERR_MISSING ? OK : e; /* it has none any more */
}

/* Said once when it begins and once when it is over: the message that makes a
   key due rotates it. */
static void
ahead_done(void *ctx, enum err e)
{
    const struct ahead *a = ctx;
    struct store_gap *gap = a->s->writer.gap;
    bool fails = e != OK;

    if (fails != gap->fails) {
        LOG(a->s->cfg.log, fails ? LOG_WARN : LOG_INFO, "store.slots.ahead",
            LOG_NUM("fails", fails), LOG_ERR(e));
        gap->fails = fails;
    }
}

/*
 * Nobody waits: what would cost a message its time is done now.  Keys that are
 * due before long are rotated, each a job, so that one that fails is its own
 * failure; their commit waits for the disk, so LMDB's file has caught up by it.
 */
static void
use_gap(struct store *s)
{
    struct store_writer *w = &s->writer;
    struct store_owner owners[STORE_SLOTS_SOON];
    size_t n = 0;

    if (store_redo_fill(s) != STORE_REDO_MUCH) { /* that comes in no gap */
        n = store_slots_take_soon(s, owners);
    }
    w->batch->len = n;
    for (size_t i = 0; i < n; i++) {
        struct ahead *a = &w->gap->ahead[i];

        *a = (struct ahead){.s = s, .owner = owners[i]};
        a->job =
            (struct store_job){.run = ahead_run, .done = ahead_done, .ctx = a};
        w->batch->e[i] = (struct entry){.job = &a->job};
    }
    run_batch(s, w->batch);
    store_env_settle(s->env);
}

/* ------------------------------------------------------------------ thread */

/* The clock of w->cond. */
static uint64_t
now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Whether something is to be done when nobody waits. */
static bool
has_gap_work(const struct store_writer *w)
{
    return w->behind || w->soon;
}

/* Whether it should be done now, if nothing else is. */
static bool
settle_due(const struct store_writer *w)
{
    return has_gap_work(w) && now_ms() >= w->settle_ms;
}

/* Under mx: until something was said, or it is time for that. */
static void
wait_for_jobs(struct store_writer *w)
{
    struct timespec until = {.tv_sec = (time_t)(w->settle_ms / 1000),
                             .tv_nsec = (long)(w->settle_ms % 1000) * 1000000};

    if (has_gap_work(w) && !w->busy) {
        w->wakes_ms = w->settle_ms;
        (void)pthread_cond_timedwait(&w->cond, &w->mx, &until);
    } else {
        w->wakes_ms = UINT64_MAX;
        ASSERT(pthread_cond_wait(&w->cond, &w->mx) == 0);
    }
}

/*
 * Wait for jobs and take some, to write, or none: to use the gap.  False: there
 * are none left, nor do any come.
 */
static bool
take_jobs(struct store *s, struct store_batch *b)
{
    struct store_writer *w = &s->writer;
    bool settle;

    ASSERT(pthread_mutex_lock(&w->mx) == 0);
    while (w->busy || (w->first == NULL && !w->stop && !settle_due(w))) {
        wait_for_jobs(w);
    }
    settle = settle_due(w) && w->first == NULL && !w->stop;
    b->len = 0;
    while (w->first != NULL && b->len < LIMIT_STORE_BATCH_JOBS) {
        b->e[b->len++] = (struct entry){.job = w->first};
        w->first = w->first->next;
    }
    if (w->first == NULL) {
        w->last = NULL;
    }
    w->busy = settle || b->len > 0;
    ASSERT(pthread_mutex_unlock(&w->mx) == 0);
    return settle || b->len > 0;
}

static void
end_busy(struct store *s)
{
    struct store_writer *w = &s->writer;
    bool behind = store_env_behind(s->env);
    bool soon = store_slots_soon(s) > 0;
    uint64_t wait_ms = 0;

    switch (store_redo_fill(s)) {
    case STORE_REDO_LITTLE:
        wait_ms = soon ? w->gap_ms : w->rest_ms;
        break;
    case STORE_REDO_SOME:
        wait_ms = w->gap_ms;
        break;
    case STORE_REDO_MUCH:
        break;
    }
    ASSERT(pthread_mutex_lock(&w->mx) == 0);
    w->busy = false;
    w->settle_ms = w->settling > 0 ? 0 : now_ms() + wait_ms;
    w->behind = behind;
    w->soon = soon;
    if (w->first != NULL || w->stop ||
        (has_gap_work(w) && w->settle_ms < w->wakes_ms)) {
        ASSERT(pthread_cond_signal(&w->cond) == 0);
    }
    if (!has_gap_work(w)) {
        ASSERT(pthread_cond_broadcast(&w->settled) == 0);
    }
    ASSERT(pthread_mutex_unlock(&w->mx) == 0);
}

void
store_writer_settle(struct store *s)
{
    struct store_writer *w = &s->writer;

    ASSERT(pthread_mutex_lock(&w->mx) == 0);
    w->settling++;
    while (w->busy || has_gap_work(w)) {
        w->settle_ms = 0;
        ASSERT(pthread_cond_signal(&w->cond) == 0);
        ASSERT(pthread_cond_wait(&w->settled, &w->mx) == 0);
    }
    w->settling--;
    ASSERT(pthread_mutex_unlock(&w->mx) == 0);
}

static void *
writer_main(void *arg)
{
    struct store *s = arg;

    while (take_jobs(s, s->writer.batch)) {
        if (s->writer.batch->len > 0) {
            run_batch(s, s->writer.batch);
        } else {
            use_gap(s);
        }
        end_busy(s);
    }
    return NULL;
}

static void
free_parts(struct store *s)
{
    struct store_writer *w = &s->writer;

    mem_free(s->cfg.mem, w->batch, sizeof(*w->batch));
    mem_free(s->cfg.mem, w->gap, sizeof(*w->gap));
    w->batch = NULL;
    w->gap = NULL;
}

enum err
store_writer_start(struct store *s)
{
    struct store_writer *w = &s->writer;

    w->rest_ms = REST_MS;
    w->gap_ms = GAP_MS;
    w->wakes_ms = UINT64_MAX;
    w->batch = mem_alloc(s->cfg.mem, sizeof(*w->batch));
    w->gap = mem_calloc(s->cfg.mem, 1, sizeof(*w->gap));
    if (w->batch == NULL || w->gap == NULL ||
        pthread_create(&w->thread, NULL, writer_main, s) != 0) {
        free_parts(s);
        return ERR_NOMEM;
    }
    w->started = true;
    return OK;
}

void
store_writer_stop(struct store *s)
{
    struct store_writer *w = &s->writer;

    if (!w->started) {
        return;
    }
    ASSERT(pthread_mutex_lock(&w->mx) == 0);
    w->stop = true;
    ASSERT(pthread_cond_signal(&w->cond) == 0);
    ASSERT(pthread_mutex_unlock(&w->mx) == 0);
    ASSERT(pthread_join(w->thread, NULL) == 0);
    w->started = false;
    free_parts(s);
}

void
store_submit(struct store *s, struct store_job *job)
{
    struct store_writer *w = &s->writer;

    job->next = NULL;
    ASSERT(pthread_mutex_lock(&w->mx) == 0);
    ASSERT(!w->stop);
    if (w->last != NULL) {
        w->last->next = job;
    } else {
        w->first = job;
    }
    w->last = job;
    ASSERT(pthread_cond_signal(&w->cond) == 0);
    ASSERT(pthread_mutex_unlock(&w->mx) == 0);
}

void
store_submit_here(struct store *s, struct store_job *job)
{
    struct store_writer *w = &s->writer;
    bool here;

    ASSERT(pthread_mutex_lock(&w->mx) == 0);
    here = !w->busy && w->first == NULL;
    w->busy = w->busy || here;
    ASSERT(pthread_mutex_unlock(&w->mx) == 0);
    if (!here) {
        job->early = NULL;
        store_submit(s, job);
        return;
    }
    job->next = NULL;
    w->batch->len = 1;
    w->batch->e[0] = (struct entry){.job = job};
    run_batch(s, w->batch);
    end_busy(s);
}
