/* SPDX-License-Identifier: Apache-2.0 */
/* Writing and waiting for it; and writing where there is no writer. */
#include "proto/base/assert.h"
#include "store/inner.h"

struct wait {
    enum err (*run)(void *ctx, struct store_txn *txn);
    void (*early)(void *ctx);
    void *ctx;
    pthread_mutex_t mx;
    pthread_cond_t cond;
    bool over;
    enum err e;
};

static enum err
wait_run(void *ctx, struct store_txn *txn)
{
    struct wait *w = ctx;

    return w->run(w->ctx, txn);
}

static void
wait_early(void *ctx)
{
    struct wait *w = ctx;

    w->early(w->ctx);
}

static void
wait_done(void *ctx, enum err e)
{
    struct wait *w = ctx;

    ASSERT(pthread_mutex_lock(&w->mx) == 0);
    w->over = true;
    w->e = e;
    ASSERT(pthread_cond_signal(&w->cond) == 0);
    ASSERT(pthread_mutex_unlock(&w->mx) == 0);
}

static enum err
submit_and_wait(struct store *s, struct wait *w, unsigned flags,
                void (*submit)(struct store *s, struct store_job *job))
{
    struct store_job job = {.run = wait_run,
                            .done = wait_done,
                            .early = w->early == NULL ? NULL : wait_early,
                            .ctx = w,
                            .flags = flags};

    ASSERT(!pthread_equal(pthread_self(), s->writer.thread));
    ASSERT(pthread_mutex_init(&w->mx, NULL) == 0);
    ASSERT(pthread_cond_init(&w->cond, NULL) == 0);
    submit(s, &job);
    ASSERT(pthread_mutex_lock(&w->mx) == 0);
    while (!w->over) {
        ASSERT(pthread_cond_wait(&w->cond, &w->mx) == 0);
    }
    ASSERT(pthread_mutex_unlock(&w->mx) == 0);
    ASSERT(pthread_mutex_destroy(&w->mx) == 0);
    ASSERT(pthread_cond_destroy(&w->cond) == 0);
    return w->e;
}

enum err
store_write(struct store *s, enum err (*run)(void *ctx, struct store_txn *txn),
            void *ctx, unsigned flags)
{
    struct wait w = {.run = run, .ctx = ctx};

    return submit_and_wait(s, &w, flags, store_submit);
}

enum err
store_write_here(struct store *s,
                 enum err (*run)(void *ctx, struct store_txn *txn),
                 void (*early)(void *ctx), void *ctx, unsigned flags)
{
    struct wait w = {.run = run, .early = early, .ctx = ctx};

    return submit_and_wait(s, &w, flags, store_submit_here);
}

enum err
store_write_alone(struct store *s,
                  enum err (*run)(void *ctx, struct store_txn *txn), void *ctx)
{
    struct store_env_txn *env = NULL;
    struct store_txn txn;
    enum err e;
    bool map_full;

    ASSERT(!s->writer.started);
    do {
        TRY(store_env_begin(s->env, true, &env));
        store_txn_init(&txn, s, env, true);
        e = run(ctx, &txn);
        e = e == OK ? txn.failed : e;
        e = e == OK ? store_state_save(&txn) : e;
        map_full = store_env_map_full(env);
        if (e == OK) {
            store_slots_before(&txn);
            e = store_env_commit(env);
            map_full = e != OK && store_env_commit_full(s->env);
            if (e == OK) {
                store_slots_after(&txn);
            }
        } else {
            store_env_abort(env);
        }
        store_txn_clear(&txn);
    } while (map_full && store_env_grow(s->env) == OK);
out:
    return e;
}
