/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outbox: what a peer has not acknowledged yet, oldest first, numbered as the
 * entries of our stream to it (store/stream.h).  A stream id is chosen when
 * the first entry is pushed, and again by store_outbox_restream.  Backups do
 * not contain it (decisions E 20).
 */
#ifndef STORE_OUTBOX_H
#define STORE_OUTBOX_H

#include "store/txn.h"

struct store_outbox_entry {
    uint64_t seq;
    uint64_t queued_ms;
    uint64_t deadline_ms; /* 0: none */
    uint64_t ref;         /* of the layer above, such as a message's seq */
    struct view msg;
};

struct store_outbox_status {
    struct stream_id stream;
    uint64_t next_seq;  /* of the next push, from 1 */
    uint64_t acked;     /* highest acknowledged seq */
    uint64_t count;     /* entries waiting */
    uint64_t bytes;     /* of their msg */
    uint64_t oldest_ms; /* queued_ms of the oldest; 0: none */
};

/*
 * Write: queue msg as the newest entry for peer.  Copies msg.  *seq_out
 * becomes its number in our stream to the peer.
 *
 * ERR_LIMIT  the queue holds LIMIT_OUTBOX_ENTRIES or LIMIT_OUTBOX_BYTES
 */
MUST_CHECK enum err store_outbox_push(struct store_txn *txn,
                                      const struct clinic_id *peer,
                                      struct view msg, uint64_t deadline_ms,
                                      uint64_t ref, uint64_t *seq_out);

/*
 * Write (may use the reserve): the peer has applied everything up to upto of
 * stream id.  *removed tells how many entries went; 0 for a repeat.
 *
 * ERR_STALE  not our present stream
 * ERR_STATE  upto was never sent
 */
MUST_CHECK enum err store_outbox_ack(struct store_txn *txn,
                                     const struct clinic_id *peer,
                                     const struct stream_id *id, uint64_t upto,
                                     uint64_t *removed);

/*
 * Entries above seq after, oldest first, until max entries or bytes_max bytes
 * were given (at least one, if there is one).  An error from each ends the
 * walk and is returned.
 */
MUST_CHECK enum err store_outbox_read(
    struct store_txn *txn, const struct clinic_id *peer, uint64_t after,
    uint32_t max, uint64_t bytes_max,
    enum err (*each)(void *ctx, const struct store_outbox_entry *entry),
    void *ctx);

/* ERR_MISSING  nothing was ever queued for this peer */
MUST_CHECK enum err store_outbox_status(struct store_txn *txn,
                                        const struct clinic_id *peer,
                                        struct store_outbox_status *out);

/* Peers with a stream, waiting entries or not. */
MUST_CHECK enum err
store_outbox_peers(struct store_txn *txn,
                   enum err (*each)(void *ctx, const struct clinic_id *peer,
                                    const struct store_outbox_status *status),
                   void *ctx);

/*
 * Write: leave our stream to the peer for a new one; waiting entries are
 * numbered from 1 in it, in the same order.
 */
MUST_CHECK enum err store_outbox_restream(struct store_txn *txn,
                                          const struct clinic_id *peer);

/* Write: drop the waiting entries and the stream. */
MUST_CHECK enum err store_outbox_forget(struct store_txn *txn,
                                        const struct clinic_id *peer);

#endif
