/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an inbox shows of a conversation lies where the inbox finds it: in the
 * row of the order of all (STORE_VIEW_EVERY), so that a page of it is one walk
 * over neighbours.  A conversation's own row and key lie wherever its random
 * id says, which costs two searches, most of them memory that nobody has
 * touched for long.
 *
 *     conv_order, key u8 STORE_VIEW_EVERY, u64 activity, conversation
 *     value: data key, 32 bytes | record, sealed as one under the table's key
 *
 * The row goes, and with it this copy of the key and the record, when the
 * conversation moves or is deleted: as with the key's own row (conv_keys), who
 * has the master key and finds the page as it was could open it.  One seal and
 * not two, as opening them is most of what a page of an inbox costs.  It is
 * made from the conversation's record when the transaction writes, once however
 * often it moved.
 *
 * Internal to store/.
 */
#ifndef STORE_PAGE_H
#define STORE_PAGE_H

#include "store/conv.h"

/* Whether a row has such a value. */
bool store_page_is(enum store_table t, struct view key);

/* Write: the value for a conversation that is stored or held. */
MUST_CHECK enum err store_page_make(struct store_txn *txn, struct view key,
                                    struct bytes *out);

/* ERR_CORRUPT, logged */
MUST_CHECK enum err store_page_open(struct store_txn *txn, struct view key,
                                    struct view value, struct store_conv *out);

/* The same by activity and id.  ERR_CORRUPT: also when it is not there */
MUST_CHECK enum err store_page_get(struct store_txn *txn, uint64_t activity,
                                   const struct conv_id *id,
                                   struct store_conv *out);

#endif
