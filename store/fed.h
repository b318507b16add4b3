/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of the federation core, whose keys and values are its own
 * (decisions H 35: the core returns effects {put, delete, ...}; they are
 * written here in the same transaction as everything else).
 *
 * Two kinds.  store_fed_*: ordered records in up to 256 namespaces, sealed
 * under the master key, part of backups: thread state, the hub's log, answers
 * to requests, trees.  store_secret_*: MLS secrets, sealed under a key per
 * owner (a thread, or a fixed owner such as one for key packages) that lies in
 * secrets.slots and is overwritten in place when it is rotated (decisions
 * G 28): what is deleted or overwritten here cannot be read again once the
 * next rotation is done.  Never part of a backup.
 */
#ifndef STORE_FED_H
#define STORE_FED_H

#include "store/txn.h"

/* A key is 0 to STORE_FED_KEY_MAX bytes. */
enum {
    STORE_FED_KEY_MAX = STORE_KEY_MAX - 1,
    STORE_SECRET_KEY_MAX = 128
};

/*
 * Namespaces from this one on stay out of backups: what is on its way out
 * (decisions E 20).
 */
enum {
    STORE_FED_NO_BACKUP = 240
};

/* ERR_MISSING */
MUST_CHECK enum err store_fed_get(struct store_txn *txn, uint8_t ns,
                                  struct view key, struct bytes *out);
/* Write. */
MUST_CHECK enum err store_fed_put(struct store_txn *txn, uint8_t ns,
                                  struct view key, struct view value);
/* Write.  ERR_MISSING */
MUST_CHECK enum err store_fed_del(struct store_txn *txn, uint8_t ns,
                                  struct view key);

/*
 * Up to max records of a namespace whose keys begin with prefix, strictly
 * behind after (empty: from the start).  key and value are valid during the
 * call; an error from each ends the walk and is returned.
 */
MUST_CHECK enum err
store_fed_scan(struct store_txn *txn, uint8_t ns, struct view prefix,
               struct view after, enum store_dir dir, uint32_t max,
               enum err (*each)(void *ctx, struct view key, struct view value),
               void *ctx);

/*
 * Write: remove up to max records with this prefix whose keys are at most
 * upto (empty: no bound).  *removed tells how many.
 */
MUST_CHECK enum err store_fed_drop(struct store_txn *txn, uint8_t ns,
                                   struct view prefix, struct view upto,
                                   uint32_t max, uint32_t *removed);

/* Owner of secrets: a thread id, or any other 32 bytes that are fixed. */
struct store_owner {
    uint8_t b[32];
};

struct store_owner store_owner_of(const struct thread_id *thread);

/*
 * ERR_MISSING  no such record
 * ERR_STALE    the owner's key is gone (the slot file is older than the
 *              records, or a half was torn): the thread must resync
 * ERR_AGAIN    only in a read transaction: the key was rotated since it
 *              began; begin a new one
 */
MUST_CHECK enum err store_secret_get(struct store_txn *txn,
                                     const struct store_owner *owner,
                                     struct view key, struct bytes *out);

/*
 * Write.  After LIMIT_SECRET_PUTS puts or LIMIT_SECRET_AGE_MS the owner's key
 * is rotated by itself, in the same commit; from three quarters of either on
 * the writer does it when there is nothing else to do.
 */
MUST_CHECK enum err store_secret_put(struct store_txn *txn,
                                     const struct store_owner *owner,
                                     struct view key, struct view value);
/* Write.  ERR_MISSING */
MUST_CHECK enum err store_secret_del(struct store_txn *txn,
                                     const struct store_owner *owner,
                                     struct view key);

/* All records of an owner whose keys begin with prefix, by key. */
MUST_CHECK enum err store_secret_scan(
    struct store_txn *txn, const struct store_owner *owner, struct view prefix,
    enum err (*each)(void *ctx, struct view key, struct view value), void *ctx);

/* Write: remove those records (for a prefix); the owner keeps its slot. */
MUST_CHECK enum err store_secret_del_prefix(struct store_txn *txn,
                                            const struct store_owner *owner,
                                            struct view prefix);

/*
 * Write: a new key for the owner: at every epoch change.  All its records are
 * sealed again in this transaction; the old key is overwritten right after
 * the commit, before done is called.
 */
MUST_CHECK enum err store_secret_rotate(struct store_txn *txn,
                                        const struct store_owner *owner);

/* Write: remove the owner's records and destroy its key.  ERR_MISSING */
MUST_CHECK enum err store_secret_drop(struct store_txn *txn,
                                      const struct store_owner *owner);

/* Write: the same for every owner (after a restore or a rollback). */
MUST_CHECK enum err store_secret_drop_all(struct store_txn *txn);

/* The owners that have a slot. */
MUST_CHECK enum err
store_secret_owners(struct store_txn *txn,
                    enum err (*each)(void *ctx, const struct store_owner *o),
                    void *ctx);

#endif
