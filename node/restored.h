/* SPDX-License-Identifier: Apache-2.0 */
/* Whether this node's store came from a backup since it was last opened. */
#ifndef NODE_RESTORED_H
#define NODE_RESTORED_H

#include "store/store.h"

struct store_txn;

/* Restored more often than was noted; whoever opens it resyncs (decisions E).
 */
bool node_is_restored(struct store_txn *txn, const struct store_status *status);

/*
 * Write: note that, with a row in the audit trail; nothing is written when
 * there is nothing new.  Errors of store/settings.h and store/audit.h.
 */
MUST_CHECK enum err node_restored_note(struct store_txn *txn,
                                       const struct store_status *status);

#endif
