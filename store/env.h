/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment: LMDB behind a small ordered key-value interface, and the
 * only place that knows it.  Raw bytes in, raw bytes out: sealing is above.
 *
 * Default durability: a commit that returned OK survives power loss.  The file
 * is kept allocated ahead of what is used, so that a commit does not run out
 * of disk halfway: ordinary work leaves the reserve alone, deletes and
 * acknowledgements may use it.
 *
 * Internal to store/.
 */
#ifndef STORE_ENV_H
#define STORE_ENV_H

#include "proto/base/bytes.h"
#include "proto/base/log.h"

struct store_env;
struct store_env_txn;
struct store_env_cur;

enum store_env_mode {
    STORE_ENV_NORMAL,
    STORE_ENV_READ_ONLY, /* no file is written: one that store_env_return
                            would change is ERR_STATE */
    STORE_ENV_BULK       /* no sync until close: files not yet in use */
};

struct store_env_config {
    const char *path;
    uint64_t map_size;
    uint64_t reserve;
    unsigned tables; /* numbered from 0 */
    enum store_env_mode mode;
    const struct log *log;
};

/*
 * Make the file: written under path + ".new", synced, renamed, its folder
 * synced.  What an interrupted call left is replaced.  ERR_FULL, ERR_IO
 */
MUST_CHECK enum err store_env_create(const struct store_env_config *cfg);

/*
 * Sizes are checked before anything is mapped.  Missing tables are made.
 * ERR_MISSING, ERR_CORRUPT, ERR_NOMEM, ERR_IO, ERR_UNSUPPORTED
 */
MUST_CHECK enum err store_env_open(const struct store_env_config *cfg,
                                   struct store_env **out);
/* In bulk mode ERR_IO, ERR_FULL when the last sync failed.  NULL is accepted.
 */
MUST_CHECK enum err store_env_close(struct store_env *env);

/*
 * One write transaction at a time, from one thread at a time.  A thread has at
 * most one read transaction open.
 * ERR_AGAIN  too many readers
 */
MUST_CHECK enum err store_env_begin(struct store_env *env, bool write,
                                    struct store_env_txn **out);
/* Ends txn in every case.  A failed sync ends the process.  ERR_FULL */
MUST_CHECK enum err store_env_commit(struct store_env_txn *txn);

/*
 * The same without waiting for the disk: after a power loss, or when the
 * process ends without store_env_close, the file is opened as it was before
 * the first of these since the last store_env_commit or store_env_settle.  To
 * be readable is not to be durable: who calls it keeps what it did elsewhere.
 */
MUST_CHECK enum err store_env_commit_soon(struct store_env_txn *txn);

/* The writer's: whether there are such commits; wait until the disk has them.
   Pages that they freed are used again only then. */
bool store_env_behind(const struct store_env *env);
void store_env_settle(struct store_env *env);

/*
 * Whether opening went back to such a state, which is kept until the next
 * store_env_commit or store_env_settle; if not, the file is closed as it was
 * opened.  *ahead: how many commits LMDB's file was seen to have beyond it.
 */
bool store_env_returned(const struct store_env *env, uint64_t *ahead);

/* Go back to it without opening: for who reads only.  ERR_MISSING,
   ERR_CORRUPT, ERR_IO */
MUST_CHECK enum err store_env_return(const char *path);

void store_env_abort(struct store_env_txn *txn);

/* Whether this write transaction, or the last commit, failed because the map
   is too small. */
bool store_env_map_full(const struct store_env_txn *txn);
bool store_env_commit_full(const struct store_env *env);

/*
 * Whether the commit of a transaction over so many rows, none longer than
 * STORE_REDO_MAX, may find the map too small, however unlikely.  Before such a
 * transaction begins: make the map larger if it is so, once.
 */
bool store_env_tight(struct store_env *env, size_t rows);
void store_env_widen(struct store_env *env, size_t rows);

/*
 * Double the map, when no reader is open; new ones wait.  No write transaction
 * may be open.  ERR_FULL  no address space
 */
MUST_CHECK enum err store_env_grow(struct store_env *env);

/*
 * Whether there is room for a batch: OK, or ERR_FULL when it would touch the
 * reserve and frees is false.  Before a write transaction begins.
 */
MUST_CHECK enum err store_env_room(struct store_env *env, bool frees);

/* What the last store_env_room said.  Any thread. */
bool store_env_is_full(const struct store_env *env);

/* ERR_MISSING, ERR_CORRUPT.  *value is valid until the next write. */
MUST_CHECK enum err store_env_get(struct store_env_txn *txn, unsigned table,
                                  struct view key, struct view *value);

/*
 * Room for a value of len bytes, new or not, which the caller fills before the
 * next call on txn.  append says that key is above all others.
 */
MUST_CHECK enum err store_env_put(struct store_env_txn *txn, unsigned table,
                                  struct view key, size_t len, bool append,
                                  uint8_t **value);
MUST_CHECK enum err store_env_del(struct store_env_txn *txn, unsigned table,
                                  struct view key);
MUST_CHECK enum err store_env_entries(struct store_env_txn *txn, unsigned table,
                                      uint64_t *out);

MUST_CHECK enum err store_env_cur_open(struct store_env_txn *txn,
                                       unsigned table,
                                       struct store_env_cur **out);
void store_env_cur_close(struct store_env_cur *cur);

enum store_env_step {
    STORE_ENV_SEEK, /* the first key at or above *key */
    STORE_ENV_NEXT,
    STORE_ENV_PREV,
    STORE_ENV_FIRST,
    STORE_ENV_LAST
};

/* ERR_MISSING at the end.  key and value as store_env_get. */
MUST_CHECK enum err store_env_cur_move(struct store_env_cur *cur,
                                       enum store_env_step step,
                                       struct view *key, struct view *value);
/* Remove the present key; the next NEXT gives the one behind it. */
MUST_CHECK enum err store_env_cur_del(struct store_env_cur *cur);

struct store_env_info {
    uint64_t used_bytes;
    uint64_t file_bytes;
    uint64_t map_bytes;
    uint64_t free_bytes; /* of used, in pages that can be used again */
    bool full;           /* the last store_env_room said so */
};

/* free_bytes only when txn is not NULL. */
void store_env_info(struct store_env *env, struct store_env_txn *txn,
                    struct store_env_info *out);

#endif
