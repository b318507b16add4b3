/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal: every change, in the transaction that made it, numbered from 1,
 * with kinds and ids and no text (decisions G 32).  Inbox, search, webhooks,
 * automation and event streams read it from durable cursors of their own and
 * can be rebuilt from the tables.
 *
 * The typed tables of store/ do not write journal rows by themselves, but for
 * store_msg_add and its kin, which say so: the layer that knows why something
 * changed appends the row.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "store/txn.h"

enum {
    STORE_EVENT_ID_MAX = 32
};

struct store_event {
    uint64_t seq;   /* set by append */
    uint64_t at_ms; /* set by append when 0 */
    uint16_t kind;  /* numbers of the layers above; 0 is not used */
    struct view a;  /* up to two ids of up to 32 bytes; may be empty */
    struct view b;
    uint64_t n; /* a number, such as a message's seq */
};

/* Write.  *seq_out may be NULL. */
MUST_CHECK enum err store_journal_append(struct store_txn *txn,
                                         const struct store_event *ev,
                                         uint64_t *seq_out);

/* Seq of the newest row, 0 when there is none. */
MUST_CHECK enum err store_journal_last(struct store_txn *txn, uint64_t *out);

/*
 * Up to max rows above seq after, oldest first.  ev is valid during the call;
 * an error from each ends the walk and is returned.
 */
MUST_CHECK enum err
store_journal_read(struct store_txn *txn, uint64_t after, uint32_t max,
                   enum err (*each)(void *ctx, const struct store_event *ev),
                   void *ctx);

/* A consumer's cursor: the last seq it has dealt with; 0 when never set. */
MUST_CHECK enum err store_cursor_get(struct store_txn *txn, const char *name,
                                     uint64_t *out);
/* Write. */
MUST_CHECK enum err store_cursor_put(struct store_txn *txn, const char *name,
                                     uint64_t seq);
/* Write.  ERR_MISSING  no such consumer */
MUST_CHECK enum err store_cursor_del(struct store_txn *txn, const char *name);

/*
 * Write: remove up to max rows that are older than before_ms and behind every
 * cursor.  *removed tells how many.
 */
MUST_CHECK enum err store_journal_prune(struct store_txn *txn,
                                        uint64_t before_ms, uint32_t max,
                                        uint32_t *removed);

#endif
