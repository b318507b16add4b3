/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of store/ share: the store's parts, a transaction's parts,
 * and the numbers that every commit carries along.
 *
 * Internal to store/.
 */
#ifndef STORE_INNER_H
#define STORE_INNER_H

#include "store/env.h"
#include "store/hot.h"
#include "store/keys.h"
#include "store/redo.h"
#include "store/rows.h"
#include "store/seal.h"
#include "store/slots.h"
#include "store/writer.h"

#include <pthread.h>

enum {
    STORE_SCHEMA = 1
};

/* Numbers that grow; their order is on disk. */
enum store_counter {
    STORE_N_JOURNAL,
    STORE_N_AUDIT,
    STORE_N_MSG,
    STORE_N_ACTIVITY,
    STORE_N_SLOT,
    STORE_N_CONV,
    STORE_N_COMMIT, /* this one */
    STORE_N_COUNT_
};

/*
 * One record, written once a commit: counters, the head and base of the audit
 * chain, and how many keys each table has, which is how verify notices that
 * some are missing.
 */
struct store_state {
    uint64_t n[STORE_N_COUNT_];
    struct hash32 audit_head;
    struct hash32 audit_base; /* hash before the oldest kept row */
    uint64_t audit_base_seq;  /* its seq; 0: nothing was removed yet */
    uint64_t keys[STORE_T_COUNT_];
};

/* Written by create, restore and migrations. */
struct store_about {
    uint32_t schema;
    uint8_t env_id[16];
    uint64_t created_ms;
    uint64_t restored_ms;
    uint64_t restores;
    /* of a backup; else 0 */
    uint64_t copied_ms;
    uint64_t lacking; /* chunks of its blobs that were not there either */
};

/* A message that this transaction added. */
struct store_added {
    struct conv_id conv;
    struct message_id id;
    uint64_t seq;
};

enum {
    STORE_ADDED_MAX = 256
};

struct store_txn {
    struct store *s;
    struct store_env_txn *env;
    bool write;
    uint64_t writes;  /* puts and dels */
    uint64_t bytes;   /* of values put */
    uint64_t touched; /* a bit for each table */
    enum err failed;  /* the first write that failed */
    bool journal;     /* it has new journal rows */
    uint64_t now_ms;  /* of all its rows; 0: none yet */
    bool state_loaded;
    bool state_changed;
    struct store_state state;
    /* the conversation whose key was used last */
    bool conv_known;
    struct conv_id conv;
    uint8_t conv_key[STORE_KEY_SIZE];
    struct store_slots_txn slots;
    struct store_hot hot;      /* of a write transaction */
    struct store_rows rows[2]; /* journal, audit */
    struct store_added *added;
    size_t added_len;
};

struct store_writer {
    pthread_t thread;
    bool started;
    pthread_mutex_t mx;
    pthread_cond_t cond;
    pthread_cond_t settled; /* nothing is left for a gap */
    struct store_job *first;
    struct store_job *last;
    bool stop;
    bool busy;          /* a thread writes */
    uint64_t rest_ms;   /* without a commit; then LMDB's file catches up */
    uint64_t gap_ms;    /* the same when there is more for a gap */
    bool behind;        /* LMDB's file has not all on the disk, ... */
    bool soon;          /* ... keys are to be rotated ahead: ... */
    uint64_t settle_ms; /* ... which is done then, if none writes */
    unsigned settling;  /* threads that wait for that */
    uint64_t wakes_ms;  /* when the writer, waiting, looks by itself */
    struct store_batch *batch; /* of that thread */
    struct store_gap *gap;     /* ... of the writer's */
};

struct store {
    struct store_config cfg;
    struct bytes dir;
    int lock_fd;
    struct store_env *env;
    struct store_keys *keys;
    struct store_nonces nonces; /* writer only */
    struct store_slots *slots;
    struct store_redo *redo; /* NULL: none; the writing thread's */
    struct store_about about;
    struct store_writer writer;
    /* under stats_mx */
    pthread_mutex_t stats_mx;
    uint64_t commits;
    uint64_t jobs;
    uint64_t journal_seq;
};

/* ------------------------------------------------------------ transactions */

void store_txn_init(struct store_txn *txn, struct store *s,
                    struct store_env_txn *env, bool write);
/* Wipe what it knew; env is ended by the caller. */
void store_txn_clear(struct store_txn *txn);

/* Whether this transaction holds records of this table (hot.h). */
bool store_txn_holds(const struct store_txn *txn, enum store_table t);
/* Note a write; after a failed one the transaction cannot be committed. */
enum err store_txn_wrote(struct store_txn *txn, enum store_table t, enum err e);
/* What lies under key, opened; of an index nothing.  ERR_CORRUPT, logged */
MUST_CHECK enum err store_open_value(struct store_txn *txn, enum store_table t,
                                     struct view key, struct view sealed,
                                     const uint8_t under[32],
                                     struct bytes *out);

/* As store_get and store_put, under a key other than the table's. */
MUST_CHECK enum err store_get_under(struct store_txn *txn, enum store_table t,
                                    struct view key, const uint8_t under[32],
                                    struct bytes *out);
MUST_CHECK enum err store_put_under(struct store_txn *txn, enum store_table t,
                                    struct view key, const uint8_t under[32],
                                    struct view value);

/* Under txn->conv_key of conv, whose id is put in front of the seal. */
MUST_CHECK enum err store_put_conv(struct store_txn *txn, enum store_table t,
                                   struct view key, const struct conv_id *conv,
                                   struct view value);

/* Write what is held of a table (STORE_T_COUNT_: of all) and forget it. */
MUST_CHECK enum err store_hot_write(struct store_txn *txn, enum store_table t);

/* Log that a record is damaged, and give ERR_CORRUPT. */
enum err store_damaged(struct store_txn *txn, enum store_table t,
                       struct view key);

const char *store_table_name(enum store_table t);
bool store_table_is_index(enum store_table t);

/* ------------------------------------------------------------------- state */

/* The state of this transaction; in a write one changes are kept. */
MUST_CHECK enum err store_state(struct store_txn *txn,
                                struct store_state **out);
/* Write: the next number of a counter, from 1. */
MUST_CHECK enum err store_next(struct store_txn *txn, enum store_counter n,
                               uint64_t *out);
/* Write: before the commit. */
MUST_CHECK enum err store_state_save(struct store_txn *txn);

MUST_CHECK enum err store_about_get(struct store_txn *txn,
                                    struct store_about *out);
MUST_CHECK enum err store_about_put(struct store_txn *txn,
                                    const struct store_about *about);

/* ------------------------------------------------------------ conversations */

/* The data key of a conversation, in txn->conv_key.  ERR_MISSING */
MUST_CHECK enum err store_conv_key(struct store_txn *txn,
                                   const struct conv_id *id);

/* ------------------------------------------------------------------- writer */

MUST_CHECK enum err store_writer_start(struct store *s);
void store_writer_stop(struct store *s);
/* Have done what waits for a gap: LMDB's file has all on the disk, keys that
   are soon due are rotated.  Any thread that does not write. */
void store_writer_settle(struct store *s);
/*
 * A write transaction without the writer thread, which does not run: during
 * create, open and restore.
 */
MUST_CHECK enum err
store_write_alone(struct store *s,
                  enum err (*run)(void *ctx, struct store_txn *txn), void *ctx);

/* ------------------------------------------------------------------ numbers */

/* Big-endian, so that they sort. */
void store_put_u64(uint8_t out[8], uint64_t n);
uint64_t store_get_u64(const uint8_t in[8]);
void store_put_u32(uint8_t out[4], uint32_t n);
uint32_t store_get_u32(const uint8_t in[4]);

/* From one number of a list to the next: steps up are even, steps down odd.
   False: below 0, or above what 64 bits say; *out is then of no use. */
uint64_t store_step_from(uint64_t before, uint64_t n);
bool store_step_to(uint64_t before, uint64_t step, uint64_t *out);

/* The environment file's description for this config. */
struct store_env_config store_env_of(const struct store_config *cfg,
                                     const char *path);

#endif
