/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The redo file: what small transactions are about to commit, each written
 * first as one piece.  LMDB's commit writes a dozen pages all over its file and
 * waits for the disk twice; this is one write in place and one wait.  From then
 * on the transaction is durable: LMDB's commit follows at once, but does not
 * wait for the disk (store_env_commit_soon), and what waits for durability
 * alone (store_job.early) need not even wait for that.
 *
 * Records follow one another from the beginning of the file until LMDB's file
 * has caught up (store_writer_settle): when nothing is written for a moment,
 * before the file is full, and with each commit that is not in it.  Opening a
 * store whose process ended before that goes back to what LMDB's file then
 * was, and does the records again, all in one commit.
 *
 *     each record begins at a multiple of 4096:
 *     u32 length | u64 number of the commit | 17 bytes, the beginning (version,
 *     nonce) of the sealed state that the transaction found | u32 length | as
 *     many bytes as the length says, sealed under the key of the meta table and
 *     bound to the number and those 17 bytes
 *     plain: msgpack array of [table, key, value as stored, or nil: deleted]...
 *
 * A record fits the store only while it has exactly the state that the record
 * names, since every commit seals the state anew.  So one that is torn, done
 * already, or of another copy of the folder is not done.  Whether more is
 * missing than may be, redo_open.c judges: then the store is not opened.
 *
 * Internal to store/.
 */
#ifndef STORE_REDO_H
#define STORE_REDO_H

#include "proto/wire/mp_rd.h"
#include "store/txn.h"

struct store_redo;

enum {
    STORE_REDO_MAX = 64 << 10, /* of a record; longer ones do without */
    STORE_REDO_ROWS = 256,     /* of a record */
    STORE_REDO_SIZE = 1 << 20, /* of the file */
    STORE_REDO_STEP = 4096     /* records begin at multiples of it */
};

/*
 * Do again what was cut short, if anything was, and make or open the file.
 * Before the first transaction after store_env_open.  A store whose file cannot
 * be made goes on without.
 * ERR_CORRUPT  commits that were told of cannot be read (log: how many)
 * ERR_FULL, ERR_NOMEM; ERR_IO  what is there cannot be read
 */
MUST_CHECK enum err store_redo_open(struct store *s);
void store_redo_close(struct store *s);

/*
 * The same for a store whose file has lost commits that were told of, which is
 * not opened otherwise: change, with ctx, is part of the commit that goes on
 * without them.  ERR_MISSING  none is lost
 */
MUST_CHECK enum err store_redo_forgo(struct store *s,
                                     enum err (*change)(void *ctx,
                                                        struct store_txn *txn),
                                     void *ctx, uint64_t *lost);

/* What the file has beyond LMDB's. */
struct store_redo_found {
    uint64_t commits;
    uint64_t rows;
    uint64_t lost; /* commits that were told of, at least; 0: none is missing */
};

/* Read.  ERR_CORRUPT  one is not a record of ours */
MUST_CHECK enum err store_redo_pending(struct store *s,
                                       struct store_redo_found *out);

/* A write transaction begins; it wrote or deleted this. */
void store_redo_begin(struct store *s);
void store_redo_note(struct store_txn *txn, enum store_table t,
                     struct view key);

/*
 * Before the state record is put: bind to the present one, as commit number.
 * Then, right before the commit: whether the transaction is durable by its
 * record.  If not, it may be all the same (unsure): then the commit must not
 * fail and others be told so.
 */
void store_redo_bind(struct store_txn *txn, uint64_t number);
bool store_redo_write(struct store_txn *txn);
bool store_redo_unsure(const struct store *s);

/* How much LMDB's file has to catch up with. */
enum store_redo_fill {
    STORE_REDO_LITTLE,
    STORE_REDO_SOME, /* so much that a gap between commits should be used */
    STORE_REDO_MUCH  /* so much that it should be now */
};

enum store_redo_fill store_redo_fill(const struct store *s);

/* A row of a record; del: it was deleted. */
struct store_redo_row {
    enum store_table t;
    bool del;
    struct view key;
    struct view value;
};

/* The rows of a plain record one by one; store_redo_end: ERR_CORRUPT */
struct store_redo_rd {
    struct proto_rd r;
    uint32_t left;
};

void store_redo_rows(struct view plain, struct store_redo_rd *out);
bool store_redo_next(struct store_redo_rd *rd, struct store_redo_row *out);
MUST_CHECK enum err store_redo_end(const struct store_redo_rd *rd);
struct proto_wr;
void store_redo_row_write(struct proto_wr *w, const struct store_redo_row *row);

#endif
