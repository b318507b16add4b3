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

/* Tables that a backup does not have. */
bool store_table_is_left_out(enum store_table t);

/*
 * Copy all checked records into to, whose environment is new and in bulk mode.
 * about and state are written from the arguments.
 * ERR_CORRUPT  a record does not verify (log: which); ERR_STATE  stopped
 */
MUST_CHECK enum err store_copy_tables(struct store_txn *from, struct store *to,
                                      const struct store_about *about,
                                      const struct store_progress *progress);

#endif
