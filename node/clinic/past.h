/* SPDX-License-Identifier: Apache-2.0 */
/*
 * History: where the logs of threads have what is on the desk, for members
 * that ask to have it again (decisions E 22).
 */
#ifndef NODE_CLINIC_PAST_H
#define NODE_CLINIC_PAST_H

#include "federation/core/effects.h"
#include "node/ns.h"
#include "store/msg.h"

/* Write: message seq of a conversation is at a place of thread's log; place 0:
   at none, which changes nothing. */
MUST_CHECK enum err node_past_note(struct store_txn *txn,
                                   const struct conv_id *conv,
                                   const struct thread_id *thread,
                                   uint64_t term, uint64_t place, uint64_t seq);

/* Read: the message that a thread, or one that it continues, has at a place.
   ERR_MISSING  none */
MUST_CHECK enum err node_past_at(struct store_txn *txn,
                                 const struct conv_id *conv,
                                 const struct thread_id *thread, uint64_t term,
                                 uint64_t place, uint64_t *seq_out);

/* Read: the thread that *thread continues, whose places are its own.
   ERR_MISSING  it continues none */
MUST_CHECK enum err node_past_continued(struct store_txn *txn,
                                        struct thread_id *thread);

/* Write: FED_SHOW_CONTINUED.  The two conversations stay what they are, and
   point to each other, so nobody can mix one into another; what was said first
   stays. */
MUST_CHECK enum err node_past_link(struct store_txn *txn,
                                   const struct fed_show *show);

/* Read: the conversation that the one of this thread goes on from
   (NODE_NS_FROM) or in (NODE_NS_NEXT).  ERR_MISSING  none */
MUST_CHECK enum err node_past_linked(struct store_txn *txn, enum node_ns ns,
                                     const struct thread_id *thread,
                                     struct conv_id *out);
/* Write: the one before a thread in its conversation, where its group names
   another.  Read.  ERR_MISSING */
MUST_CHECK enum err node_past_follows(struct store_txn *txn,
                                      const struct thread_id *thread,
                                      const struct thread_id *before);
MUST_CHECK enum err node_past_before(struct store_txn *txn,
                                     const struct thread_id *thread,
                                     struct thread_id *out);

/* Read: fed_store.past; self: our root. */
MUST_CHECK enum err
node_past_first(struct store_txn *txn, const struct clinic_id *self,
                const struct thread_id *thread, uint64_t term, uint64_t from,
                uint64_t to, const struct mem *mem, struct fed_past *out);

#endif
