/* SPDX-License-Identifier: Apache-2.0 */
/* The order of a conversation's messages: positions, and changing them. */
#include "store/convs.h"
#include "store/inner.h"
#include "store/msg.h"

static uint32_t
chunk_of(uint64_t pos)
{
    return (uint32_t)((pos - 1) / STORE_CHUNK_MSGS);
}

static size_t
place_in(uint64_t pos)
{
    return (size_t)((pos - 1) % STORE_CHUNK_MSGS);
}

enum err
store_msg_at(struct store_txn *txn, const struct conv_id *conv, uint64_t pos,
             uint64_t *seq_out)
{
    struct store_chunk c;
    enum err e;

    TRY(pos >= 1 && (pos - 1) / STORE_CHUNK_MSGS <= UINT32_MAX ? OK
                                                               : ERR_MISSING);
    TRY(store_chunk_get(txn, conv, chunk_of(pos), &c));
    TRY(place_in(pos) < c.len ? OK : ERR_MISSING);
    *seq_out = c.seq[place_in(pos)];
out:
    return e;
}

static enum err
put_chunk(struct store_txn *txn, const struct conv_id *conv, uint32_t number,
          const struct store_chunk *c)
{
    uint8_t buf[STORE_CHUNK_KEY];
    struct bytes b = {0};
    enum err e;

    TRY(store_chunk_encode(store_txn_mem(txn), c, &b));
    TRY(store_put(txn, STORE_T_MSG_INDEX, store_chunk_key(conv, number, buf),
                  view_of(&b)));
out:
    bytes_free(&b);
    return e;
}

/*
 * One chunk's part of the move: the positions from first to last in it move by
 * one, *carry comes in at one end and what falls out at the other is the next
 * *carry.
 */
static enum err
shift(struct store_txn *txn, const struct conv_id *conv, uint64_t first,
      uint64_t last, bool down, uint64_t *carry)
{
    struct store_chunk c;
    enum err e;

    TRY(store_chunk_get(txn, conv, chunk_of(first), &c));
    TRY(place_in(last) < c.len ? OK : ERR_MISSING);
    for (uint64_t n = 0; n <= last - first; n++) {
        size_t i = place_in(down ? last - n : first + n);
        uint64_t falls = c.seq[i];

        c.seq[i] = *carry;
        *carry = falls;
    }
    TRY(put_chunk(txn, conv, chunk_of(first), &c));
out:
    return e;
}

enum err
store_msg_move(struct store_txn *txn, const struct conv_id *conv, uint64_t from,
               uint64_t to)
{
    bool down = to > from; /* the others move down, towards from */
    uint64_t at = to;
    uint64_t carry;
    uint64_t target;
    enum err e;

    TRY(store_msg_at(txn, conv, from, &carry));
    TRY(store_msg_at(txn, conv, to, &target));
    while (from != to) {
        uint32_t chunk = chunk_of(at);
        uint64_t low = (uint64_t)chunk * STORE_CHUNK_MSGS + 1;
        uint64_t high = low + STORE_CHUNK_MSGS - 1;

        if (down) {
            low = low < from ? from : low;
            TRY(shift(txn, conv, low, at, true, &carry));
            if (low == from) {
                break;
            }
            at = low - 1;
        } else {
            high = high > from ? from : high;
            TRY(shift(txn, conv, at, high, false, &carry));
            if (high == from) {
                break;
            }
            at = high + 1;
        }
    }
    e = OK;
out:
    return e;
}
