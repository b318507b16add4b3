/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backup, restore and scrub.
 *
 * A backup is a folder: one commit's records (sealed as they are), the key
 * file, the chunk files.  It has no MLS secrets, no slot file, no outbox, no
 * streams of ours and no namespaces from STORE_FED_NO_BACKUP on (E 20); how far
 * the peers' streams had been applied it has, since that belongs to the
 * records.  Whoever restores it needs the master key besides.  Writing into a
 * folder that holds an earlier backup of the same store adds the new chunks and
 * replaces the rest at the end, at once.
 */
#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include "store/store.h"

/* Called now and then; false stops the work with ERR_STATE.  May be NULL. */
struct store_progress {
    bool (*step)(void *ctx, uint64_t done, uint64_t total);
    void *ctx;
};

/*
 * Online: while the store works.  Any thread but the writer's.
 * ERR_EXISTS   dir has something that is not a backup of this store
 * ERR_CORRUPT  a record does not verify; the earlier backup is untouched
 */
MUST_CHECK enum err store_backup(struct store *s, const char *dir,
                                 const struct store_progress *progress);

/*
 * Make a store in cfg->dir (as store_create) from a backup, opened with
 * cfg->key.  Every record is verified; a chunk file that is damaged is left out
 * (log: which).  The new store has a new env id and
 * says when and how often it was restored; whoever opens it next must resync
 * its threads and choose new streams.
 *
 * ERR_EXISTS, ERR_AUTH, ERR_CORRUPT, ERR_UNSUPPORTED, ERR_FULL; on failure
 * cfg->dir holds no store
 */
MUST_CHECK enum err store_restore(const struct store_config *cfg,
                                  const char *backup_dir,
                                  const struct store_progress *progress);

/*
 * Go on without commits that others were told of and that cannot be read any
 * more (store_verify_result.lost), offline: cfg->dir becomes what a backup made
 * right before them would have been restored to, in one commit.  Its
 * conversations' secrets, streams and outbox are gone, it has a new env id and
 * says that it was restored.  *lost: so many at least.
 *
 * ERR_MISSING  there is no store, or it has lost none: nothing was changed
 * ERR_STATE    open somewhere
 * ERR_AUTH, ERR_CORRUPT, ERR_UNSUPPORTED, ERR_FULL
 */
MUST_CHECK enum err store_forgo_lost(const struct store_config *cfg,
                                     uint64_t *lost);

struct store_txn;

/* A bad record that verify found. */
struct store_bad {
    const char *table; /* its name; "slots", "blobs", "file" */
    struct view key;   /* its key on disk, may be empty */
    enum err e;        /* CORRUPT, MISSING (an index or list points to it) */
};

struct store_verify_result {
    uint64_t records;
    uint64_t chunks;
    uint64_t bad;
    uint64_t audit_rows;
    uint64_t audit_heads; /* signed, as the trail found them */
    uint64_t pending;     /* rows of commits that are only in the redo file:
                             opening the store brings them to the others */
    uint64_t lost;        /* commits, at least, that cannot be read from there
                             any more; the store is not opened (one is bad) */
    uint64_t convs;
    uint64_t msgs;
    uint64_t made_ms; /* of a backup: when */
};

/* How to look through a store. */
struct store_verify_how {
    /* A backup's folder, which is looked through in cfg->dir's place, may be
       read-only and may be looked at while the node runs; or NULL. */
    const char *backup;
    /* For each bad record. */
    void (*found)(void *ctx, const struct store_bad *bad);
    /* Checks the audit chain (node_trail_verify): the layers above know who
       signs it.  NULL: the chain alone. */
    enum err (*trail)(struct store_txn *txn, uint64_t *rows, uint64_t *heads,
                      uint64_t *bad_seq);
    /* At the end, for what the caller wants to know besides.  May be NULL. */
    void (*look)(void *ctx, struct store_txn *txn);
    void *ctx;                             /* of found and look */
    const struct store_progress *progress; /* may be NULL */
};

/*
 * Offline scrub: open cfg->dir read-only, verify every record, index entry,
 * count, slot, chunk file and the audit chain.  OK also when bad ones were
 * found (result->bad).  Written is only what the next store_open would write
 * before anything else: after a crash LMDB's file is taken back to what the
 * disk had for sure.  In a backup nothing is written.
 *
 * A damaged page may end the process in LMDB: who must not end asks from
 * another one.
 *
 * ERR_STATE    open somewhere
 * ERR_CORRUPT  too damaged to be looked through (found was told what)
 * ERR_MISSING, ERR_AUTH, ERR_UNSUPPORTED  as store_open, store_restore
 */
MUST_CHECK enum err store_verify(const struct store_config *cfg,
                                 const struct store_verify_how *how,
                                 struct store_verify_result *result);

#endif
