/* SPDX-License-Identifier: Apache-2.0 */
/* Making, opening and closing LMDB's file; what its errors mean to us. */
#include "proto/base/assert.h"
#include "proto/base/limits.h"
#include "store/env_base.h"
#include "store/env_check.h"
#include "store/env_impl.h"
#include "store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    NAME_SIZE = 8
};

/* ------------------------------------------------------- our words for it */

enum err
store_env_err(int rc)
{
    switch (rc) {
    case MDB_SUCCESS:
        return OK;
    case MDB_NOTFOUND:
        return ERR_MISSING;
    case MDB_KEYEXIST:
        return ERR_EXISTS;
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
        return ERR_FULL;
    case MDB_READERS_FULL:
        return ERR_AGAIN;
    case MDB_PAGE_NOTFOUND:
    case MDB_CORRUPTED:
    case MDB_PANIC:
    case MDB_INVALID:
    case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL:
    case MDB_INCOMPATIBLE:
    case MDB_BAD_TXN:
        return ERR_CORRUPT;
    case MDB_VERSION_MISMATCH:
        return ERR_UNSUPPORTED;
    case MDB_BAD_VALSIZE:
        return ERR_LIMIT;
    case EAGAIN:
    case EBUSY:
        return ERR_STATE;
    default:
        return store_errno(rc);
    }
}

static void
on_mdb_assert(MDB_env *mdb, const char *msg)
{
    (void)msg;
    LOG(mdb_env_get_userctx(mdb), LOG_ERROR, "store.env.damaged",
        LOG_WORD("found_by", "lmdb"));
    assert_fail("the database file is damaged; run balsam verify", "lmdb", 0);
}

/* ------------------------------------------------------------------- open */

/* Address space may be limited: take half until it is granted. */
static enum err
open_mapped(MDB_env *mdb, const char *path, unsigned flags, uint64_t floor,
            uint64_t *map_size)
{
    uint64_t size = *map_size;
    int rc;

    for (;;) {
        rc = mdb_env_set_mapsize(mdb, size);
        if (rc == 0) {
            rc = mdb_env_open(mdb, path, flags, 0600);
        }
        if (rc != ENOMEM || size / 2 < floor) {
            break;
        }
        size /= 2;
    }
    *map_size = size;
    return store_env_err(rc);
}

static unsigned
mode_flags(enum store_env_mode mode)
{
    switch (mode) {
    case STORE_ENV_NORMAL:
        break;
    case STORE_ENV_READ_ONLY:
        return MDB_RDONLY | MDB_NOLOCK;
    case STORE_ENV_BULK:
        return MDB_NOSYNC | MDB_NOLOCK;
    }
    return 0;
}

static enum err
open_table(struct store_env *env, MDB_txn *txn, unsigned t)
{
    char name[NAME_SIZE];
    unsigned flags;
    enum err e;

    (void)snprintf(name, sizeof(name), "t%02u", t);
    TRY(store_env_err(mdb_dbi_open(
        txn, name, env->mode == STORE_ENV_READ_ONLY ? 0 : MDB_CREATE,
        &env->dbi[t])));
    TRY(store_env_err(mdb_dbi_flags(txn, env->dbi[t], &flags)));
    TRY(flags == 0 ? OK : ERR_CORRUPT);
out:
    return e == ERR_MISSING ? ERR_CORRUPT : e;
}

/* Reading first: opening an up-to-date file writes nothing. */
static enum err
open_tables(struct store_env *env)
{
    enum err e;
    MDB_txn *txn = NULL;
    MDB_stat st;
    MDB_dbi root;
    unsigned flags = env->mode == STORE_ENV_READ_ONLY ? MDB_RDONLY : 0;

    TRY(store_env_err(mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn)));
    TRY(store_env_err(mdb_dbi_open(txn, NULL, 0, &root)));
    TRY(store_env_err(mdb_stat(txn, root, &st)));
    if (st.ms_entries >= env->tables) {
        flags = MDB_RDONLY;
    }
    mdb_txn_abort(txn);
    txn = NULL;
    TRY(store_env_err(mdb_txn_begin(env->mdb, NULL, flags, &txn)));
    for (unsigned t = 0; t < env->tables; t++) {
        TRY(open_table(env, txn, t));
    }
    e = store_env_err(mdb_txn_commit(txn));
    txn = NULL;
out:
    if (txn != NULL) {
        mdb_txn_abort(txn);
    }
    return e;
}

enum err
store_env_find_map(struct store_env *env)
{
    enum err e;
    MDB_txn *txn = NULL;
    MDB_dbi root;
    MDB_val k = {3, NULL};
    MDB_val v;
    uintptr_t at;
    uint64_t number;
    char name[] = "t00";

    k.mv_data = name;
    TRY(store_env_err(mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn)));
    TRY(store_env_err(mdb_dbi_open(txn, NULL, 0, &root)));
    TRY(store_env_err(mdb_get(txn, root, &k, &v)));
    at = (uintptr_t)v.mv_data & ~((uintptr_t)env->page - 1);
    number = store_env_number((const uint8_t *)v.mv_data -
                                  ((uintptr_t)v.mv_data - at),
                              sizeof(number));
    TRY(number < env->map_size / env->page ? OK : ERR_CORRUPT);
    env->map = at - number * env->page;
out:
    if (txn != NULL) {
        mdb_txn_abort(txn);
    }
    return e == ERR_MISSING ? ERR_CORRUPT : e;
}

static enum err
open_at(const struct store_env_config *cfg, const char *path, uint64_t size,
        struct store_env *env)
{
    enum err e;
    const void *log = cfg->log;
    void *ctx;
    uint64_t floor = size < LIMIT_MIB(16u) ? LIMIT_MIB(16u) : size * 2;

    memcpy(&ctx, &log, sizeof(ctx)); /* LMDB's context is not const */
    if (env->map_size < size) {
        env->map_size = size * 2;
    }
    TRY(store_env_err(mdb_env_create(&env->mdb)));
    TRY(store_env_err(mdb_env_set_maxdbs(env->mdb, STORE_ENV_TABLES)));
    TRY(store_env_err(
        mdb_env_set_maxreaders(env->mdb, LIMIT_STORE_READERS + 1)));
    TRY(store_env_err(mdb_env_set_assert(env->mdb, on_mdb_assert)));
    TRY(store_env_err(mdb_env_set_userctx(env->mdb, ctx)));
    TRY(open_mapped(env->mdb, path,
                    MDB_NOSUBDIR | MDB_NOTLS | mode_flags(cfg->mode), floor,
                    &env->map_size));
    TRY(open_tables(env));
    if (env->page == 0) {
        MDB_stat st;

        TRY(store_env_err(mdb_env_stat(env->mdb, &st)));
        env->page = st.ms_psize;
    }
    TRY(store_env_find_map(env));
out:
    return e;
}

static void
close_env(struct store_env *env)
{
    while (env->pool_len > 0) {
        mdb_txn_abort(env->pool[--env->pool_len]);
    }
    if (env->base != NULL) {
        mdb_txn_abort(env->base);
    }
    if (env->mdb != NULL) {
        mdb_env_close(env->mdb);
    }
    if (env->base_fd >= 0) {
        (void)close(env->base_fd);
    }
    (void)pthread_mutex_destroy(&env->mx);
    (void)pthread_cond_destroy(&env->cond);
    free(env);
}

static struct store_env *
new_env(const struct store_env_config *cfg, uint32_t page)
{
    struct store_env *env = calloc(1, sizeof(*env));

    ASSERT(cfg->tables <= STORE_ENV_TABLES);
    if (env == NULL) {
        return NULL;
    }
    env->log = cfg->log;
    env->mode = cfg->mode;
    env->tables = cfg->tables;
    env->page = page;
    env->map_size = cfg->map_size;
    env->base_fd = -1;
    ASSERT(pthread_mutex_init(&env->mx, NULL) == 0);
    ASSERT(pthread_cond_init(&env->cond, NULL) == 0);
    return env;
}

enum err
store_env_create(const struct store_env_config *cfg)
{
    char temp[STORE_PATH_MAX];
    char lock[STORE_PATH_MAX];
    char dir[STORE_PATH_MAX];
    struct store_env *env = NULL;
    struct store_env_config bulk = *cfg;
    char *slash;
    enum err e;
    int n;

    n = snprintf(temp, sizeof(temp), "%s.new", cfg->path);
    TRY(n > 0 && n < STORE_PATH_MAX - 8 ? OK : ERR_LIMIT);
    (void)snprintf(lock, sizeof(lock), "%.*s-lock", STORE_PATH_MAX - 8, temp);
    (void)snprintf(dir, sizeof(dir), "%s", cfg->path);
    slash = strrchr(dir, '/');
    TRY(slash != NULL ? OK : ERR_INVALID);
    *slash = '\0';
    (void)unlink(temp);
    (void)unlink(lock);
    bulk.mode = STORE_ENV_BULK;
    env = new_env(&bulk, 0);
    TRY(env != NULL ? OK : ERR_NOMEM);
    TRY(open_at(&bulk, temp, 0, env));
    e = store_env_close(env);
    env = NULL;
    TRY(e);
    TRY(rename(temp, cfg->path) == 0 ? OK : store_errno(errno));
    store_sync_dir(dir);
out:
    if (env != NULL) {
        close_env(env);
    }
    return e;
}

enum err
store_env_return(const char *path)
{
    struct store_env_base base;

    return store_env_base_return(path, &base);
}

/* Hold what opening went back to, until somebody says that it is done with. */
static enum err
hold_base(struct store_env *env, const struct store_env_base *base)
{
    enum err e = OK;

    if (base->has && env->mode == STORE_ENV_NORMAL) {
        TRY(store_env_err(
            mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &env->base)));
        env->behind = true;
    }
    env->returned = base->has;
    env->ahead = base->has ? base->seen - base->txn : 0;
out:
    return e;
}

enum err
store_env_open(const struct store_env_config *cfg, struct store_env **out)
{
    struct store_env *env = NULL;
    struct store_env_base base;
    uint64_t size = 0;
    uint32_t page = 0;
    mdb_filehandle_t fd;
    enum err e;

    TRY(cfg->mode == STORE_ENV_READ_ONLY
            ? store_env_base_look(cfg->path, &base)
            : store_env_base_return(cfg->path, &base));
    TRY(store_env_check(cfg->path, &page, &size));
    env = new_env(cfg, page);
    TRY(env != NULL ? OK : ERR_NOMEM);
    TRY(open_at(cfg, cfg->path, size, env));
    TRY(store_env_err(mdb_env_get_fd(env->mdb, &fd)));
    store_env_disk_init(&env->disk, fd, cfg->reserve);
    if (cfg->mode == STORE_ENV_NORMAL) {
        env->base_fd = open(cfg->path, O_RDWR | O_DSYNC | O_CLOEXEC);
        TRY(env->base_fd >= 0 ? OK : store_errno(errno));
    }
    TRY(hold_base(env, &base));
    *out = env;
    env = NULL;
out:
    if (env != NULL) {
        close_env(env);
    }
    return e;
}

enum err
store_env_close(struct store_env *env)
{
    enum err e = OK;

    if (env == NULL) {
        return OK;
    }
    if (env->mode == STORE_ENV_BULK) {
        /* Not in use yet: a failure here is not one that lost anything. */
        e = store_env_err(mdb_env_sync(env->mdb, 1));
    }
    ASSERT(env->readers == 0);
    if (!env->returned) {
        store_env_settle(env);
    }
    close_env(env);
    return e;
}
