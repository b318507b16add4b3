/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the environment share that know LMDB: env.c, env_open.c,
 * env_room.c; nobody else includes it.
 */
#ifndef STORE_ENV_IMPL_H
#define STORE_ENV_IMPL_H

#include "store/env.h"
#include "store/env_disk.h"

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
    STORE_ENV_TABLES = 64,
    STORE_ENV_POOL = 32
};

struct store_env {
    MDB_env *mdb;
    const struct log *log;
    enum store_env_mode mode;
    unsigned tables;
    uint32_t page;
    uint64_t map_size;
    uintptr_t map;    /* where it begins */
    bool map_full;    /* the last commit failed for that */
    bool cannot_grow; /* the last attempt failed */
    struct store_env_disk disk;
    atomic_bool full; /* the writer's to set */
    /* the writer's: commits that the disk may not have (store/env_base.h) */
    int base_fd; /* writes through to the disk */
    bool behind;
    MDB_txn *base; /* a reader, which keeps the pages of the base */
    /* opening went back to a base, so far beyond which LMDB's file was seen;
       it is kept until a commit or store_env_settle */
    bool returned;
    uint64_t ahead;
    MDB_dbi dbi[STORE_ENV_TABLES];
    /* readers */
    pthread_mutex_t mx;
    pthread_cond_t cond;
    unsigned readers;
    bool growing;
    MDB_txn *pool[STORE_ENV_POOL];
    unsigned pool_len;
};

struct store_env_txn {
    struct store_env *env;
    MDB_txn *mdb;
    bool write;
    bool map_full;
};

/* Our word for what LMDB returns. */
enum err store_env_err(int rc);

/*
 * Where the map begins: LMDB does not say, but each page knows its number, and
 * the entry of the first table lies in one.
 */
MUST_CHECK enum err store_env_find_map(struct store_env *env);

/* A read transaction out of the pool, and back into it. */
MUST_CHECK enum err store_env_begin_read(struct store_env *env, MDB_txn **out);
void store_env_end_read(struct store_env *env, MDB_txn *txn);

/* Bytes of the file up to the last page that was ever used. */
uint64_t store_env_used(struct store_env *env);

#endif
