/* SPDX-License-Identifier: Apache-2.0 */
#include "store/env.h"

#include "proto/base/assert.h"
#include "store/env_base.h"
#include "store/env_impl.h"

#include <stdlib.h>
#include <string.h>

enum {
    TIGHT_PAGES = 64,
    TIGHT_ROW = 12,
    TIGHT_PART = 64
};

struct store_env_cur {
    MDB_cursor *mdb;
    struct store_env_txn *txn;
};

static enum err
txn_err(struct store_env_txn *txn, int rc)
{
    if (rc == MDB_MAP_FULL) {
        txn->map_full = true;
    }
    return store_env_err(rc);
}

/* ----------------------------------------------------------- transactions */

enum err
store_env_begin_read(struct store_env *env, MDB_txn **out)
{
    MDB_txn *txn = NULL;
    int rc;

    ASSERT(pthread_mutex_lock(&env->mx) == 0);
    while (env->growing) {
        ASSERT(pthread_cond_wait(&env->cond, &env->mx) == 0);
    }
    env->readers++;
    if (env->pool_len > 0) {
        txn = env->pool[--env->pool_len];
    }
    ASSERT(pthread_mutex_unlock(&env->mx) == 0);
    rc = txn != NULL ? mdb_txn_renew(txn)
                     : mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);
    if (rc == 0) {
        *out = txn;
        return OK;
    }
    if (txn != NULL) {
        mdb_txn_abort(txn);
    }
    ASSERT(pthread_mutex_lock(&env->mx) == 0);
    env->readers--;
    ASSERT(pthread_cond_broadcast(&env->cond) == 0);
    ASSERT(pthread_mutex_unlock(&env->mx) == 0);
    return store_env_err(rc);
}

void
store_env_end_read(struct store_env *env, MDB_txn *txn)
{
    bool kept = false;

    mdb_txn_reset(txn);
    ASSERT(pthread_mutex_lock(&env->mx) == 0);
    if (env->pool_len < STORE_ENV_POOL) {
        env->pool[env->pool_len++] = txn;
        kept = true;
    }
    env->readers--;
    ASSERT(pthread_cond_broadcast(&env->cond) == 0);
    ASSERT(pthread_mutex_unlock(&env->mx) == 0);
    if (!kept) {
        mdb_txn_abort(txn);
    }
}

enum err
store_env_begin(struct store_env *env, bool write, struct store_env_txn **out)
{
    struct store_env_txn *txn = calloc(1, sizeof(*txn));
    enum err e;

    if (txn == NULL) {
        return ERR_NOMEM;
    }
    txn->env = env;
    txn->write = write;
    e = write ? store_env_err(mdb_txn_begin(env->mdb, NULL, 0, &txn->mdb))
              : store_env_begin_read(env, &txn->mdb);
    if (e != OK) {
        free(txn);
        return e;
    }
    *out = txn;
    return OK;
}

void
store_env_abort(struct store_env_txn *txn)
{
    if (txn->write) {
        mdb_txn_abort(txn->mdb);
    } else {
        store_env_end_read(txn->env, txn->mdb);
    }
    free(txn);
}

/* The disk has all: there is nothing to go back to. */
static void
forget_base(struct store_env *env)
{
    if (env->behind) {
        store_env_base_put(env->base_fd, NULL);
        mdb_txn_reset(env->base);
        env->behind = false;
        env->returned = false;
    }
}

/* A write or sync failed: what the disk has now is unknown to us, and the next
   sync would not tell.  Recovery is a new process. */
static void
end_process(const struct store_env *env, enum err e, int rc)
{
    LOG(env->log, LOG_ERROR, "store.env.commit_failed", LOG_ERR(e),
        LOG_NUM("code", rc));
    assert_fail("a commit could not be written", "store/env.c", rc);
}

/* Whether it was the meta page that could not be written: then who reads the
   file may find the commit or not, and LMDB takes no more. */
static bool
gave_up(struct store_env *env)
{
    MDB_txn *txn = NULL;
    int rc = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);

    if (rc == 0) {
        mdb_txn_abort(txn);
    }
    return rc == MDB_PANIC;
}

static enum err
end_commit(struct store_env_txn *txn)
{
    struct store_env *env = txn->env;
    int rc;
    enum err e;

    ASSERT(txn->write);
    rc = mdb_txn_commit(txn->mdb);
    e = store_env_err(rc);
    env->map_full = rc == MDB_MAP_FULL;
    free(txn);
    if (e != OK && env->mode == STORE_ENV_NORMAL &&
        ((e != ERR_FULL && e != ERR_NOMEM) || gave_up(env))) {
        end_process(env, e, rc);
    }
    return e;
}

enum err
store_env_commit(struct store_env_txn *txn)
{
    struct store_env *env = txn->env;
    size_t id = mdb_txn_id(txn->mdb);
    enum err e = end_commit(txn);
    MDB_envinfo info;

    if (e == OK && env->behind) {
        /* With its sync the disk has all; it had none if it wrote nothing. */
        ASSERT(mdb_env_info(env->mdb, &info) == 0);
        if (info.me_last_txnid == id) {
            forget_base(env);
        }
    }
    return e;
}

/*
 * Note what the disk has, and hold its pages, while a write transaction that
 * will be the first beyond it is open.  False: no reader is to be had.
 */
static bool
note_base(struct store_env_txn *txn)
{
    struct store_env *env = txn->env;
    size_t id = mdb_txn_id(txn->mdb) - 1;
    const uint8_t *page0 = (const uint8_t *)env->map;
    int rc;

    rc = env->base == NULL
             ? mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &env->base)
             : mdb_txn_renew(env->base);
    if (rc != 0) {
        return false;
    }
    ASSERT(mdb_txn_id(env->base) == id);
    store_env_base_put(env->base_fd,
                       page0 + id % 2 * env->page + STORE_ENV_META_AT);
    env->behind = true;
    return true;
}

enum err
store_env_commit_soon(struct store_env_txn *txn)
{
    struct store_env *env = txn->env;
    enum err e;

    ASSERT(env->mode == STORE_ENV_NORMAL);
    if (!env->behind && !note_base(txn)) {
        return store_env_commit(txn);
    }
    ASSERT(mdb_env_set_flags(env->mdb, MDB_NOSYNC, 1) == 0);
    e = end_commit(txn);
    ASSERT(mdb_env_set_flags(env->mdb, MDB_NOSYNC, 0) == 0);
    return e;
}

bool
store_env_behind(const struct store_env *env)
{
    return env->behind;
}

bool
store_env_returned(const struct store_env *env, uint64_t *ahead)
{
    *ahead = env->ahead;
    return env->returned;
}

void
store_env_settle(struct store_env *env)
{
    int rc = env->behind ? mdb_env_sync(env->mdb, 1) : 0;

    if (rc != 0) {
        end_process(env, store_env_err(rc), rc);
    }
    forget_base(env);
}

bool
store_env_map_full(const struct store_env_txn *txn)
{
    return txn->map_full;
}

bool
store_env_commit_full(const struct store_env *env)
{
    return env->map_full;
}

bool
store_env_tight(struct store_env *env, size_t rows)
{
    /* Each row makes a path of pages new and may split them; the list of what
     * is free has a part of the map's pages at most. */
    uint64_t need = (TIGHT_PAGES + TIGHT_ROW * rows) * env->page;

    return store_env_used(env) + need + env->map_size / TIGHT_PART >
           env->map_size;
}

void
store_env_widen(struct store_env *env, size_t rows)
{
    if (store_env_tight(env, rows) && !env->cannot_grow) {
        ERR_IGNORE(store_env_grow(env), "it goes on with what there is");
    }
}

enum err
store_env_grow(struct store_env *env)
{
    int rc;

    if (!env->returned) {
        store_env_settle(env);
    }
    ASSERT(pthread_mutex_lock(&env->mx) == 0);
    env->growing = true;
    while (env->readers > 0) {
        ASSERT(pthread_cond_wait(&env->cond, &env->mx) == 0);
    }
    rc = mdb_env_set_mapsize(env->mdb, env->map_size * 2);
    if (rc == 0) {
        env->map_size *= 2;
    } else {
        /* LMDB has dropped the old map already: put it back. */
        ASSERT(mdb_env_set_mapsize(env->mdb, env->map_size) == 0);
    }
    ASSERT(store_env_find_map(env) == OK);
    env->growing = false;
    env->cannot_grow = rc != 0;
    ASSERT(pthread_cond_broadcast(&env->cond) == 0);
    ASSERT(pthread_mutex_unlock(&env->mx) == 0);
    LOG(env->log, LOG_INFO, "store.env.map_grown",
        LOG_NUM("map_bytes", env->map_size), LOG_NUM("code", rc));
    return rc == 0 ? OK : ERR_FULL;
}

/* -------------------------------------------------------- keys and values */

static MDB_val
val_of(struct view v)
{
    MDB_val m;

    m.mv_size = v.len;
    memcpy(&m.mv_data, &v.p, sizeof(m.mv_data)); /* LMDB does not write it */
    return m;
}

/*
 * A damaged page can name bytes outside of the file.  Pages that the present
 * transaction has written are not in the map, and not damaged.
 */
static enum err
inside(struct store_env_txn *txn, const MDB_val *v, struct view *out)
{
    struct store_env *env = txn->env;
    uintptr_t at = (uintptr_t)v->mv_data;
    uint64_t end = store_env_used(env);

    if (at >= env->map && at - env->map < env->map_size) {
        if (v->mv_size > end || at - env->map > end - v->mv_size) {
            return ERR_CORRUPT;
        }
    } else if (!txn->write) {
        return ERR_CORRUPT;
    }
    *out = view_make(v->mv_data, v->mv_size);
    return OK;
}

enum err
store_env_get(struct store_env_txn *txn, unsigned table, struct view key,
              struct view *value)
{
    MDB_val k = val_of(key);
    MDB_val v;
    int rc = mdb_get(txn->mdb, txn->env->dbi[table], &k, &v);

    return rc != 0 ? store_env_err(rc) : inside(txn, &v, value);
}

enum err
store_env_put(struct store_env_txn *txn, unsigned table, struct view key,
              size_t len, bool append, uint8_t **value)
{
    MDB_val k = val_of(key);
    MDB_val v = {len, NULL};
    int rc = mdb_put(txn->mdb, txn->env->dbi[table], &k, &v,
                     MDB_RESERVE | (append ? MDB_APPEND : 0u));

    if (rc == 0) {
        *value = v.mv_data;
    }
    return txn_err(txn, rc);
}

enum err
store_env_del(struct store_env_txn *txn, unsigned table, struct view key)
{
    MDB_val k = val_of(key);

    return txn_err(txn, mdb_del(txn->mdb, txn->env->dbi[table], &k, NULL));
}

enum err
store_env_entries(struct store_env_txn *txn, unsigned table, uint64_t *out)
{
    MDB_stat st;
    int rc = mdb_stat(txn->mdb, txn->env->dbi[table], &st);

    if (rc == 0) {
        *out = st.ms_entries;
    }
    return store_env_err(rc);
}

enum err
store_env_cur_open(struct store_env_txn *txn, unsigned table,
                   struct store_env_cur **out)
{
    struct store_env_cur *cur = calloc(1, sizeof(*cur));
    int rc;

    if (cur == NULL) {
        return ERR_NOMEM;
    }
    cur->txn = txn;
    rc = mdb_cursor_open(txn->mdb, txn->env->dbi[table], &cur->mdb);
    if (rc != 0) {
        free(cur);
        return store_env_err(rc);
    }
    *out = cur;
    return OK;
}

void
store_env_cur_close(struct store_env_cur *cur)
{
    if (cur != NULL) {
        mdb_cursor_close(cur->mdb);
        free(cur);
    }
}

enum err
store_env_cur_move(struct store_env_cur *cur, enum store_env_step step,
                   struct view *key, struct view *value)
{
    static const MDB_cursor_op ops[] = {
        [STORE_ENV_SEEK] = MDB_SET_RANGE, [STORE_ENV_NEXT] = MDB_NEXT,
        [STORE_ENV_PREV] = MDB_PREV,      [STORE_ENV_FIRST] = MDB_FIRST,
        [STORE_ENV_LAST] = MDB_LAST,
    };
    MDB_val k = val_of(*key);
    MDB_val v;
    enum err e;

    TRY(store_env_err(mdb_cursor_get(cur->mdb, &k, &v, ops[step])));
    TRY(inside(cur->txn, &k, key));
    TRY(inside(cur->txn, &v, value));
out:
    return e;
}

enum err
store_env_cur_del(struct store_env_cur *cur)
{
    return txn_err(cur->txn, mdb_cursor_del(cur->mdb, 0));
}
