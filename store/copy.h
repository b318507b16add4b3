/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records as they are on disk: checked one by one, and copied from one
 * environment to another that has the same vault key.
 *
 * Internal to store/.
 */
#ifndef STORE_COPY_H
#define STORE_COPY_H

#include "store/backup.h"
#include "store/inner.h"

/*
 * Whether a stored value verifies under its key and decodes.  Messages of a
 * conversation whose key is gone pass: they are being deleted.
 * ERR_CORRUPT; ERR_STALE  an MLS secret whose slot is gone
 */
MUST_CHECK enum err store_check_record(struct store_txn *txn,
                                       enum store_table t, struct view key,
                                       struct view sealed);

/*
 * That dir is marked as a backup, of the store env_id if that is not NULL.
 * ERR_MISSING  no marker; ERR_EXISTS  not a backup of this store;
 * ERR_UNSUPPORTED  of a newer version
 */
MUST_CHECK enum err store_backup_marker(const struct store_config *cfg,
                                        const char *dir,
                                        const uint8_t env_id[16]);

/* Read: how many chunks of recorded blobs have no file. */
MUST_CHECK enum err store_chunks_lacking(struct store_txn *txn, const char *dir,
                                         uint64_t *out);

/* Tables that a backup does not have.  Delete them, and what else it has not.
 */
bool store_table_is_left_out(enum store_table t);
MUST_CHECK enum err store_drop_left_out(struct store_txn *txn);

/*
 * Copy all checked records into to, whose environment is new and in bulk mode.
 * about and state are written from the arguments.
 * ERR_CORRUPT  a record does not verify (log: which); ERR_STATE  stopped
 */
MUST_CHECK enum err store_copy_tables(struct store_txn *from, struct store *to,
                                      const struct store_about *about,
                                      const struct store_progress *progress);

#endif
