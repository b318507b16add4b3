/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages, all of them under one global append-only number (dense pages:
 * about 1,370 bytes for 1 KiB), each sealed under its conversation's data key.
 * A conversation finds its messages by position through small lists of
 * numbers, 64 to a row.
 */
#ifndef STORE_MSG_H
#define STORE_MSG_H

#include "store/actor.h"
#include "store/conv.h"

/* Numbers are on disk. */
enum store_msg_state {
    STORE_MSG_RECEIVED = 0,
    STORE_MSG_QUEUED = 1,    /* ours, on its way to the hub */
    STORE_MSG_ACCEPTED = 2,  /* ours, in the thread's log */
    STORE_MSG_DELIVERED = 3, /* ours, acknowledged by every member's node */
    STORE_MSG_FAILED = 4,    /* ours, past its deadline or refused */
    STORE_MSG_LOCAL = 5,     /* a note: never leaves */
    STORE_MSG_STATE_COUNT_
};

enum store_msg_flag {
    STORE_MSG_DELETED = 1, /* a placeholder is shown */
    STORE_MSG_EDITED = 2,
    STORE_MSG_AUTO = 4,    /* by a machine */
    STORE_MSG_OPAQUE = 8,  /* needs a newer version; body as received */
    STORE_MSG_RESENT = 16, /* came back by history.request */
    STORE_MSG_EVENT = 32,  /* something that happened, not written */
    STORE_MSG_CLAIMED = 64 /* resent by another than its author: its word */
};

struct store_msg {
    uint64_t seq; /* global; set by add */
    uint64_t pos; /* in its conversation, from 1; set by store_msg_list;
                     elsewhere where it was added */
    struct conv_id conv;
    struct message_id id; /* zero: none (local notes) */
    uint16_t kind;        /* of the content; of the layer above */
    enum store_msg_state state;
    unsigned flags; /* enum store_msg_flag */
    struct store_actor author;
    uint64_t at_ms;    /* accepted by the hub, or stored here */
    uint64_t sent_ms;  /* the sender's own clock; 0: unknown */
    uint64_t log_term; /* place in the thread's log; 0, 0: none */
    uint64_t log_seq;
    uint64_t about;    /* seq of the message it edits, deletes, ... or 0 */
    struct bytes body; /* content as the layer above encodes it */
};

void store_msg_clear(struct store_msg *m);

/*
 * Write: append m to its conversation, which moves to the top of its box;
 * seq and pos are chosen here.  *seq_out may be NULL.
 *
 * ERR_EXISTS   this conversation has a message with this id; *seq_out is it
 * ERR_MISSING  no such conversation
 * ERR_LIMIT    body above LIMIT_MSG_BODY
 */
MUST_CHECK enum err store_msg_add(struct store_txn *txn,
                                  const struct store_msg *m, uint64_t *seq_out);

/* ERR_MISSING  never written, or its conversation was deleted */
MUST_CHECK enum err store_msg_get(struct store_txn *txn, uint64_t seq,
                                  struct store_msg *out);

/*
 * Write: replace a message's record by m, which is as it was read but for
 * state, flags, body, times, place and about.  ERR_MISSING  no such message in
 * its conversation
 */
MUST_CHECK enum err store_msg_update(struct store_txn *txn,
                                     const struct store_msg *m);

/* The message with this id in a conversation.  ERR_MISSING */
MUST_CHECK enum err store_msg_find(struct store_txn *txn,
                                   const struct conv_id *conv,
                                   const struct message_id *id,
                                   struct store_msg *out);

/* Only its seq; of one that this transaction added without opening it. */
MUST_CHECK enum err store_msg_by_id(struct store_txn *txn,
                                    const struct conv_id *conv,
                                    const struct message_id *id,
                                    uint64_t *seq_out);

/*
 * Up to max messages of a conversation: with STORE_UP those at positions
 * above from, oldest first; with STORE_DOWN those below from (0: the end),
 * newest first.  m is valid during the call.
 */
MUST_CHECK enum err
store_msg_list(struct store_txn *txn, const struct conv_id *conv, uint64_t from,
               enum store_dir dir, uint32_t max,
               enum err (*each)(void *ctx, const struct store_msg *m),
               void *ctx);

/* Seq of the message at a position.  ERR_MISSING  there is none */
MUST_CHECK enum err store_msg_at(struct store_txn *txn,
                                 const struct conv_id *conv, uint64_t pos,
                                 uint64_t *seq_out);

/*
 * Write: take the message at position from to position to; those between move
 * by one.  ERR_MISSING  one of the positions does not exist
 */
MUST_CHECK enum err store_msg_move(struct store_txn *txn,
                                   const struct conv_id *conv, uint64_t from,
                                   uint64_t to);

#endif
