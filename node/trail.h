/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit trail's heads, signed with the node's key (design 7), so that who
 * changes rows and their hashes afterwards has to forge a signature as well.
 * The public keys that ever signed are kept beside them: keys rotate, what
 * they signed stays.
 */
#ifndef NODE_TRAIL_H
#define NODE_TRAIL_H

#include "node/identity.h"
#include "store/audit.h"

/* Write: sign the present head, when it is not yet. */
MUST_CHECK enum err node_trail_sign(struct store_txn *txn,
                                    const struct node_identity *id);

/*
 * Recompute the chain and check every signed head.  *heads_out tells how many
 * there are.
 * ERR_CORRUPT  the first bad row is *bad_seq
 */
MUST_CHECK enum err node_trail_verify(struct store_txn *txn, uint64_t *rows,
                                      uint64_t *heads_out, uint64_t *bad_seq);

#endif
