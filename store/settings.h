/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings of the node: small named values whose meaning belongs to the layer
 * that names them ("fed.profile", "node.web").  Names are literals of the
 * code, never words of people.
 */
#ifndef STORE_SETTINGS_H
#define STORE_SETTINGS_H

#include "store/txn.h"

/* ERR_MISSING  never set */
MUST_CHECK enum err store_setting_get(struct store_txn *txn, const char *name,
                                      struct bytes *out);

/* Write.  ERR_LIMIT  a name over 64 bytes or a value over 1 MiB */
MUST_CHECK enum err store_setting_put(struct store_txn *txn, const char *name,
                                      struct view value);

/* Write.  ERR_MISSING  never set */
MUST_CHECK enum err store_setting_del(struct store_txn *txn, const char *name);

#endif
