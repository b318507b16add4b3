/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of the journal and of the audit: the ones of a commit lie together, a
 * record for as many as fit a quarter of a page.  A row alone costs twice as
 * much for its seal and key as for what it says; and most begin as one shortly
 * before them does (same time, kind and conversation, another message), so a
 * row names that one and says only what differs.
 *
 *     key u64, the number of the first row
 *     value: msgpack array of [uint like, bin rest]..., flat
 *     like: 0, rest is the whole row; or (back - 1) * 128 + same: it begins
 *     with the first same bytes of the row that is back before it, and has at
 *     most STORE_ROWS_LIKE in all
 *
 * Internal to store/.
 */
#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include "proto/wire/mp_rd.h"
#include "store/txn.h"

enum {
    STORE_ROWS_MAX = 64,
    STORE_ROWS_BYTES = 960, /* as written, before another record begins */
    STORE_ROWS_BACK = 16,
    STORE_ROWS_LIKE = 127
};

/* Rows that a transaction has appended and not written.  Empty: zeros. */
struct store_rows {
    uint64_t first;
    uint32_t n;
    size_t packed;                /* bytes as written */
    size_t last[STORE_ROWS_BACK]; /* of row i, at i % STORE_ROWS_BACK */
    struct bytes list;            /* u32 like | u32 length | row, each */
};

/* Write: when what this transaction does happens, once and for all of it. */
uint64_t store_rows_now(struct store_txn *txn);

/* Write: append row number seq, the one after the last. */
MUST_CHECK enum err store_rows_add(struct store_txn *txn, enum store_table t,
                                   uint64_t seq, struct view row);
/* Write what was appended, of both tables. */
MUST_CHECK enum err store_rows_write(struct store_txn *txn);

/* A record being read. */
struct store_rows_rd {
    struct proto_rd r;
    uint32_t left;
    uint64_t seq;  /* of the next row */
    uint64_t like; /* of the last one, as written */
    struct view rest;
    uint32_t n;                   /* rows read */
    uint8_t len[STORE_ROWS_BACK]; /* and how they begin */
    uint8_t head[STORE_ROWS_BACK][STORE_ROWS_LIKE];
};

/*
 * Then store_rows_next until it says false, and store_rows_end.  A row is valid
 * until STORE_ROWS_BACK more were read.
 */
void store_rows_open(struct view key, struct view value,
                     struct store_rows_rd *out);
bool store_rows_next(struct store_rows_rd *rd, struct view *row,
                     uint64_t *seq_out);
/* ERR_CORRUPT */
MUST_CHECK enum err store_rows_end(const struct store_rows_rd *rd);

/* Rows behind number after, in order, at most max.  An error of each ends it.
 */
MUST_CHECK enum err store_rows_walk(
    struct store_txn *txn, enum store_table t, uint64_t after, uint32_t max,
    enum err (*each)(void *ctx, uint64_t seq, struct view row), void *ctx);

/*
 * Write: remove the oldest records until about max rows are gone or may, which
 * is asked about each row of a record, says that one stays (*stay).
 * gone is told of each row that goes; may be NULL.
 */
struct store_rows_prune {
    enum err (*may)(void *ctx, uint64_t seq, struct view row, bool *stay);
    void (*gone)(void *ctx, uint64_t seq, struct view row);
    void *ctx;
};
MUST_CHECK enum err store_rows_drop(struct store_txn *txn, enum store_table t,
                                    const struct store_rows_prune *p,
                                    uint32_t max, uint32_t *removed);

#endif
