/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbered streams between two nodes (decisions C 12): for each peer one in
 * each direction, {stream id, seq from 1}.  What a message brings about and
 * the row that says "applied" are one transaction, so it happens exactly once.
 */
#ifndef STORE_STREAM_H
#define STORE_STREAM_H

#include "store/txn.h"

/* How far a stream of the peer's has been applied. */
struct store_stream_in {
    struct stream_id id;
    uint64_t applied; /* highest applied seq, 0: none yet */
};

/* The peer's present stream.  ERR_MISSING  never heard of one */
MUST_CHECK enum err store_stream_in_get(struct store_txn *txn,
                                        const struct clinic_id *peer,
                                        struct store_stream_in *out);

/*
 * Write: the peer says in hello that it uses this stream.  The one before is
 * remembered, so that its return is noticed.
 *
 * OK         it is the present one, or a new one, which starts at 0
 * ERR_STALE  it is one that the peer has left: the peer was rolled back
 */
MUST_CHECK enum err store_stream_in_open(struct store_txn *txn,
                                         const struct clinic_id *peer,
                                         const struct stream_id *id);

/*
 * Write: message seq of stream id is being applied in this transaction.
 *
 * ERR_EXISTS  applied already: acknowledge, do not apply
 * ERR_STATE   seq is not the next one, or no such stream was opened
 * ERR_STALE   a stream that the peer has left
 */
MUST_CHECK enum err store_stream_in_apply(struct store_txn *txn,
                                          const struct clinic_id *peer,
                                          const struct stream_id *id,
                                          uint64_t seq);

/* Write: forget the peer's streams (it was forgotten itself). */
MUST_CHECK enum err store_stream_in_forget(struct store_txn *txn,
                                           const struct clinic_id *peer);

#endif
