/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol's records (enum fed_ns) and the app's (enum fed_app_space) in a
 * store: open ones in namespaces, secret ones under the slot key of their owner
 * (decisions G 28), key packages under one of their own.  The same for a
 * clinic's node and for an app on an ordinary computer.
 */
#ifndef FEDERATION_NATIVE_RECORDS_H
#define FEDERATION_NATIVE_RECORDS_H

#include "store/fed.h"
#include "store/store.h"

/* Any thread; each is a read transaction of its own.  ERR_MISSING */
MUST_CHECK enum err fed_records_get(struct store *s, uint8_t space,
                                    struct view key, const struct mem *mem,
                                    struct bytes *out);
/* The first record with key >= from.  ERR_MISSING  none */
MUST_CHECK enum err fed_records_next(struct store *s, uint8_t space,
                                     struct view from, const struct mem *mem,
                                     struct bytes *key_out,
                                     struct bytes *value_out);

/* Write: an empty value is a value; del of what is not there is OK. */
MUST_CHECK enum err fed_records_put(struct store_txn *txn, uint8_t space,
                                    struct view key, struct view value);
MUST_CHECK enum err fed_records_del(struct store_txn *txn, uint8_t space,
                                    struct view key);

/* Write: a new slot key for what belongs to thread, if it has one. */
MUST_CHECK enum err fed_records_rotate(struct store_txn *txn,
                                       const struct thread_id *thread);

#endif
