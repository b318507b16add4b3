/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/bench/floor_db.h"

#include "proto/base/assert.h"

#include <lmdb.h>

struct floor_db {
    MDB_env *env;
    MDB_dbi dbi;
    uint64_t next;
    uint64_t commits;
};

struct floor_db *
tool_floor_db_open(const char *dir)
{
    struct floor_db *db = mem_alloc(mem_heap(), sizeof(*db));
    MDB_txn *txn;

    ASSERT(db != NULL && mdb_env_create(&db->env) == 0);
    ASSERT(mdb_env_set_mapsize(db->env, (size_t)16 << 30) == 0);
    ASSERT(mdb_env_open(db->env, dir, 0, 0600) == 0);
    ASSERT(mdb_txn_begin(db->env, NULL, 0, &txn) == 0);
    ASSERT(mdb_dbi_open(txn, NULL, 0, &db->dbi) == 0);
    ASSERT(mdb_txn_commit(txn) == 0);
    return db;
}

void
tool_floor_db_commit(struct floor_db *db, const struct view *values, size_t n)
{
    MDB_txn *txn;

    ASSERT(mdb_txn_begin(db->env, NULL, 0, &txn) == 0);
    for (size_t i = 0; i < n; i++) {
        uint64_t key = __builtin_bswap64(db->next++);
        MDB_val k = {sizeof(key), &key};
        MDB_val v = {values[i].len, NULL};

        ASSERT(mdb_put(txn, db->dbi, &k, &v, MDB_APPEND | MDB_RESERVE) == 0);
        __builtin_memcpy(v.mv_data, values[i].p, values[i].len);
    }
    ASSERT(mdb_txn_commit(txn) == 0);
    db->commits++;
}

uint64_t
tool_floor_db_commits(const struct floor_db *db)
{
    return db->commits;
}

uint64_t
tool_floor_db_size(const struct floor_db *db)
{
    MDB_envinfo info;
    MDB_stat stat;

    ASSERT(mdb_env_info(db->env, &info) == 0);
    ASSERT(mdb_env_stat(db->env, &stat) == 0);
    return (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize;
}

void
tool_floor_db_close(struct floor_db *db)
{
    mdb_env_close(db->env);
    mem_free(mem_heap(), db, sizeof(*db));
}
