/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Migrations: a store of an older schema is brought up to date when it is
 * opened, step by step, each step one transaction that ends with the new
 * version: cut anywhere, the next open goes on.
 *
 * Internal to store/.
 */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "store/txn.h"

/* Brings a store from version - 1 to version. */
struct store_migration {
    uint32_t version;
    enum err (*run)(struct store_txn *txn);
};

/* The steps of this program, for store_open. */
MUST_CHECK enum err store_migrate(struct store *s);

/* The same with other steps, in order, from schema + 1; for its test. */
MUST_CHECK enum err store_migrate_by(struct store *s,
                                     const struct store_migration *steps,
                                     size_t n);

#endif
