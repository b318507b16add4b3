/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What conversations, messages and verify know of each other.
 *
 * Internal to store/.
 */
#ifndef STORE_CONVS_H
#define STORE_CONVS_H

#include "store/msg.h"

enum {
    STORE_ORDER_KEY = 41,
    STORE_NAME_KEY = 25,  /* u8 kind, u64 number or hash 8, conversation */
    STORE_CHUNK_KEY = 20, /* conversation, u32 chunk */
    STORE_CHUNK_MSGS = 64,
    STORE_MSGID_KEY = 20, /* conversation 4, message id 8, u64 seq */
    STORE_PLACE_KEY = 68, /* conversation, ffffffff, thread, ~term, ~block */
    STORE_PLACE_RUNS = 1024
};

/* Write: c has a new message, seq; it moves to the top of its lists. */
MUST_CHECK enum err store_conv_advance(struct store_txn *txn,
                                       struct store_conv *c, uint64_t seq);

/* A bit for each view that the conversation is listed in. */
unsigned store_conv_views(const struct store_conv *c);
struct view store_order_key(const struct store_conv *c,
                            enum store_conv_view view,
                            uint8_t out[STORE_ORDER_KEY]);

/* What a conversation is found by: its number, the words of its title. */
struct view store_conv_number_key(const struct store_conv *c,
                                  uint8_t out[STORE_NAME_KEY]);
/* Write: add or remove the rows of both; those of the title when it changes. */
MUST_CHECK enum err store_conv_name(struct store_txn *txn,
                                    const struct store_conv *c, bool add);
MUST_CHECK enum err store_conv_rename(struct store_txn *txn,
                                      const struct store_conv *old,
                                      const struct store_conv *next);

/* Write: remove up to max messages of a conversation without a record. */
MUST_CHECK enum err store_msgs_drop(struct store_txn *txn,
                                    const struct conv_id *id, uint32_t max,
                                    bool *more);

/* Numbers of the messages of one chunk, by position. */
struct store_chunk {
    uint64_t seq[STORE_CHUNK_MSGS];
    size_t len;
};

MUST_CHECK enum err store_chunk_decode(struct view in, struct store_chunk *out);
MUST_CHECK enum err store_chunk_encode(const struct mem *mem,
                                       const struct store_chunk *c,
                                       struct bytes *out);

/* Messages at places that follow each other, numbered one after the other. */
struct store_run {
    uint64_t seq;
    uint16_t place; /* in the row's block */
    uint16_t n;
};

/* What lies in a block of places (place.c). */
struct store_runs {
    struct store_run run[STORE_PLACE_RUNS];
    size_t len;
};

MUST_CHECK enum err store_runs_decode(struct view in, struct store_runs *out);
MUST_CHECK enum err store_runs_encode(const struct mem *mem,
                                      const struct store_runs *in,
                                      struct bytes *out);

/* The conversation that a message's stored value names. */
MUST_CHECK enum err store_msg_conv(struct store_txn *txn, uint64_t seq,
                                   struct conv_id *out);

/* ERR_MISSING */
MUST_CHECK enum err store_chunk_get(struct store_txn *txn,
                                    const struct conv_id *id, uint32_t chunk,
                                    struct store_chunk *out);
struct view store_chunk_key(const struct conv_id *id, uint32_t chunk,
                            uint8_t out[STORE_CHUNK_KEY]);
struct view store_msgid_key(const struct conv_id *conv,
                            const struct message_id *id, uint64_t seq,
                            uint8_t out[STORE_MSGID_KEY]);

#endif
