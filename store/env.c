/* SPDX-License-Identifier: Apache-2.0 */
#include "store/env.h"

#include "proto/base/assert.h"
#include "proto/base/limits.h"
#include "store/env_base.h"
#include "store/env_check.h"
#include "store/env_disk.h"
#include "store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TABLES_MAX = 64,
    POOL_MAX = 32,
    NAME_SIZE = 8
};

struct store_env {
    MDB_env *mdb;
    const struct log *log;
    enum store_env_mode mode;
    unsigned tables;
    uint32_t page;
    uint64_t map_size;
    uintptr_t map; /* where it begins */
    struct store_env_disk disk;
    atomic_bool full; /* the writer's to set */
    /* the writer's: commits that the disk may not have (store/env_base.h) */
    int base_fd; /* writes through to the disk */
    bool behind;
    MDB_txn *base; /* a reader, which keeps the pages of the base */
    MDB_dbi dbi[TABLES_MAX];
    /* readers */
    pthread_mutex_t mx;
    pthread_cond_t cond;
    unsigned readers;
    bool growing;
    MDB_txn *pool[POOL_MAX];
    unsigned pool_len;
};

struct store_env_txn {
    struct store_env *env;
    MDB_txn *mdb;
    bool write;
    bool map_full;
};

struct store_env_cur {
    MDB_cursor *mdb;
    struct store_env_txn *txn;
};

/* ------------------------------------------------------- our words for it */

static enum err
env_err(int rc)
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

static enum err
txn_err(struct store_env_txn *txn, int rc)
{
    if (rc == MDB_MAP_FULL) {
        txn->map_full = true;
    }
    return env_err(rc);
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
    return env_err(rc);
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
    TRY(env_err(mdb_dbi_open(txn, name,
                             env->mode == STORE_ENV_READ_ONLY ? 0 : MDB_CREATE,
                             &env->dbi[t])));
    TRY(env_err(mdb_dbi_flags(txn, env->dbi[t], &flags)));
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

    TRY(env_err(mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn)));
    TRY(env_err(mdb_dbi_open(txn, NULL, 0, &root)));
    TRY(env_err(mdb_stat(txn, root, &st)));
    if (st.ms_entries >= env->tables) {
        flags = MDB_RDONLY;
    }
    mdb_txn_abort(txn);
    txn = NULL;
    TRY(env_err(mdb_txn_begin(env->mdb, NULL, flags, &txn)));
    for (unsigned t = 0; t < env->tables; t++) {
        TRY(open_table(env, txn, t));
    }
    e = env_err(mdb_txn_commit(txn));
    txn = NULL;
out:
    if (txn != NULL) {
        mdb_txn_abort(txn);
    }
    return e;
}

/*
 * Where the map begins: LMDB does not say, but each page knows its number, and
 * the entry of the first table lies in one.
 */
static enum err
find_map(struct store_env *env)
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
    TRY(env_err(mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn)));
    TRY(env_err(mdb_dbi_open(txn, NULL, 0, &root)));
    TRY(env_err(mdb_get(txn, root, &k, &v)));
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
    TRY(env_err(mdb_env_create(&env->mdb)));
    TRY(env_err(mdb_env_set_maxdbs(env->mdb, TABLES_MAX)));
    TRY(env_err(mdb_env_set_maxreaders(env->mdb, LIMIT_STORE_READERS + 1)));
    TRY(env_err(mdb_env_set_assert(env->mdb, on_mdb_assert)));
    TRY(env_err(mdb_env_set_userctx(env->mdb, ctx)));
    TRY(open_mapped(env->mdb, path,
                    MDB_NOSUBDIR | MDB_NOTLS | mode_flags(cfg->mode), floor,
                    &env->map_size));
    TRY(open_tables(env));
    if (env->page == 0) {
        MDB_stat st;

        TRY(env_err(mdb_env_stat(env->mdb, &st)));
        env->page = st.ms_psize;
    }
    TRY(find_map(env));
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

    ASSERT(cfg->tables <= TABLES_MAX);
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
store_env_open(const struct store_env_config *cfg, struct store_env **out)
{
    struct store_env *env = NULL;
    uint64_t size = 0;
    uint32_t page = 0;
    mdb_filehandle_t fd;
    enum err e;

    TRY(store_env_check(cfg->path, &page, &size));
    env = new_env(cfg, page);
    TRY(env != NULL ? OK : ERR_NOMEM);
    TRY(open_at(cfg, cfg->path, size, env));
    TRY(env_err(mdb_env_get_fd(env->mdb, &fd)));
    store_env_disk_init(&env->disk, fd, cfg->reserve);
    if (cfg->mode == STORE_ENV_NORMAL) {
        env->base_fd = open(cfg->path, O_RDWR | O_DSYNC | O_CLOEXEC);
        TRY(env->base_fd >= 0 ? OK : store_errno(errno));
    }
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
        e = env_err(mdb_env_sync(env->mdb, 1));
    }
    ASSERT(env->readers == 0);
    store_env_settle(env);
    close_env(env);
    return e;
}

/* ----------------------------------------------------------- transactions */

static enum err
begin_read(struct store_env *env, MDB_txn **out)
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
    return env_err(rc);
}

static void
end_read(struct store_env *env, MDB_txn *txn)
{
    bool kept = false;

    mdb_txn_reset(txn);
    ASSERT(pthread_mutex_lock(&env->mx) == 0);
    if (env->pool_len < POOL_MAX) {
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
    e = write ? env_err(mdb_txn_begin(env->mdb, NULL, 0, &txn->mdb))
              : begin_read(env, &txn->mdb);
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
        end_read(txn->env, txn->mdb);
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

static enum err
end_commit(struct store_env_txn *txn)
{
    struct store_env *env = txn->env;
    int rc;
    enum err e;

    ASSERT(txn->write);
    rc = mdb_txn_commit(txn->mdb);
    e = env_err(rc);
    free(txn);
    if (e != OK && e != ERR_FULL && e != ERR_NOMEM &&
        env->mode == STORE_ENV_NORMAL) {
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

void
store_env_settle(struct store_env *env)
{
    int rc = env->behind ? mdb_env_sync(env->mdb, 1) : 0;

    if (rc != 0) {
        end_process(env, env_err(rc), rc);
    }
    forget_base(env);
}

bool
store_env_map_full(const struct store_env_txn *txn)
{
    return txn->map_full;
}

enum err
store_env_grow(struct store_env *env)
{
    int rc;

    store_env_settle(env);
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
    ASSERT(find_map(env) == OK);
    env->growing = false;
    ASSERT(pthread_cond_broadcast(&env->cond) == 0);
    ASSERT(pthread_mutex_unlock(&env->mx) == 0);
    LOG(env->log, LOG_INFO, "store.env.map_grown",
        LOG_NUM("map_bytes", env->map_size), LOG_NUM("code", rc));
    return rc == 0 ? OK : ERR_FULL;
}

/* ------------------------------------------------------------ room on disk */

static uint64_t
used_bytes(struct store_env *env)
{
    MDB_envinfo info;

    ASSERT(mdb_env_info(env->mdb, &info) == 0);
    return ((uint64_t)info.me_last_pgno + 1) * env->page;
}

/* Pages of the free list; walks it, so only when it matters. */
static uint64_t
free_bytes(struct store_env *env, MDB_txn *txn)
{
    MDB_cursor *cur;
    MDB_val k;
    MDB_val v;
    uint64_t pages = 0;

    if (mdb_cursor_open(txn, 0, &cur) != 0) {
        return 0;
    }
    while (mdb_cursor_get(cur, &k, &v, MDB_NEXT) == 0) {
        if (v.mv_size >= sizeof(uint64_t)) {
            pages += store_env_number(v.mv_data, sizeof(uint64_t));
        }
    }
    mdb_cursor_close(cur);
    return pages * env->page;
}

static uint64_t
free_inside(struct store_env *env)
{
    MDB_txn *txn;
    uint64_t n = 0;

    if (begin_read(env, &txn) == OK) {
        n = free_bytes(env, txn);
        end_read(env, txn);
    }
    return n;
}

enum err
store_env_room(struct store_env *env, bool frees)
{
    uint64_t used = used_bytes(env);
    uint64_t want;
    uint64_t have;
    bool full;

    if (env->mode != STORE_ENV_NORMAL) {
        return OK;
    }
    have = store_env_disk_left(&env->disk, used);
    want = store_env_disk_want(&env->disk);
    if (atomic_load(&env->full)) {
        want += want / 20; /* not back and forth at the edge */
    }
    if (have < want) {
        store_env_settle(env); /* what commits freed is room now */
    }
    full = have < want && have + free_inside(env) < want;
    if (full != atomic_load(&env->full)) {
        atomic_store(&env->full, full);
        LOG(env->log, full ? LOG_ERROR : LOG_INFO, "store.env.disk",
            LOG_NUM("full", full), LOG_BYTES("left_bytes", have));
    }
    return full && !frees ? ERR_FULL : OK;
}

bool
store_env_is_full(const struct store_env *env)
{
    return atomic_load(&env->full);
}

void
store_env_info(struct store_env *env, struct store_env_txn *txn,
               struct store_env_info *out)
{
    struct stat st;
    mdb_filehandle_t fd;

    memset(out, 0, sizeof(*out));
    out->used_bytes = used_bytes(env);
    out->map_bytes = env->map_size;
    if (mdb_env_get_fd(env->mdb, &fd) == 0 && fstat(fd, &st) == 0) {
        out->file_bytes = (uint64_t)st.st_size;
    }
    out->full = atomic_load(&env->full);
    if (txn != NULL) {
        out->free_bytes = free_bytes(env, txn->mdb);
    }
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
    uint64_t end = used_bytes(env);

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

    return rc != 0 ? env_err(rc) : inside(txn, &v, value);
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
    return env_err(rc);
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
        return env_err(rc);
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

    TRY(env_err(mdb_cursor_get(cur->mdb, &k, &v, ops[step])));
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
