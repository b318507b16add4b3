/* SPDX-License-Identifier: Apache-2.0 */
/* Room on disk: what is used, what is free inside, what there is behind it. */
#include "proto/base/assert.h"
#include "store/env_check.h"
#include "store/env_impl.h"

#include <string.h>
#include <sys/stat.h>

uint64_t
store_env_used(struct store_env *env)
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

    if (store_env_begin_read(env, &txn) == OK) {
        n = free_bytes(env, txn);
        store_env_end_read(env, txn);
    }
    return n;
}

enum err
store_env_room(struct store_env *env, bool frees)
{
    uint64_t used = store_env_used(env);
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
    out->used_bytes = store_env_used(env);
    out->map_bytes = env->map_size;
    if (mdb_env_get_fd(env->mdb, &fd) == 0 && fstat(fd, &st) == 0) {
        out->file_bytes = (uint64_t)st.st_size;
    }
    out->full = atomic_load(&env->full);
    if (txn != NULL) {
        out->free_bytes = free_bytes(env, txn->mdb);
    }
}
