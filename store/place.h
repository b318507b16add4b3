/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places: where the logs of threads have a conversation's messages, so that a
 * question for history costs what its answer costs, however long the
 * conversation is.  A conversation may have had several threads, each its own
 * terms and places: they are kept apart.  What a message says of its own place
 * decides; a row that says otherwise is passed over.
 */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include "store/msg.h"

/* Of one term of a thread's log. */
struct store_place {
    struct conv_id conv;
    struct thread_id thread;
    uint64_t term;
};

/*
 * Write: message seq is at this place now.  Of two at one place the later one
 * counts, while it is there.
 */
MUST_CHECK enum err store_place_put(struct store_txn *txn,
                                    const struct store_place *in,
                                    uint64_t place, uint64_t seq);

/*
 * The message in the first of the places from..to that has one which was not
 * deleted.  *out must be empty.  ERR_MISSING  there is none
 */
MUST_CHECK enum err store_place_first(struct store_txn *txn,
                                      const struct store_place *in,
                                      uint64_t from, uint64_t to,
                                      struct store_msg *out);

#endif
