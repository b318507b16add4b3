/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message and the one it is about.  Functions over a transaction of the
 * store; those that say "Write" need a write transaction.
 */
#ifndef NODE_CLINIC_ABOUT_H
#define NODE_CLINIC_ABOUT_H

#include "node/clinic/desk.h"
#include "proto/msg/content.h"
#include "store/msg.h"

/* Whether both were written by the same clinic. */
bool node_about_same_side(const struct store_actor *a,
                          const struct store_actor *b);

/* The message that content is about: its seq, or 0 when there is none here. */
MUST_CHECK enum err node_about_find(struct store_txn *txn,
                                    const struct conv_id *conv,
                                    const struct proto_content *content,
                                    uint64_t *seq_out);

/*
 * Write: m was just added as message seq (m->about as found; content NULL:
 * nobody here can read it).  It edits or deletes what it is about, or waits
 * for that; and what waited for it is applied.
 */
MUST_CHECK enum err node_about_added(struct store_txn *txn,
                                     const struct proto_content *content,
                                     const struct store_msg *m, uint64_t seq);

/* Write: message seq was brought back by a member. */
MUST_CHECK enum err node_about_resent(struct store_txn *txn,
                                      const struct conv_id *conv, uint64_t seq,
                                      const struct subject_id *by);
/* By whom.  ERR_MISSING  nobody said so */
MUST_CHECK enum err node_about_resent_by(struct store_txn *txn,
                                         const struct conv_id *conv,
                                         uint64_t seq,
                                         struct clinic_id *by_out);

#endif
