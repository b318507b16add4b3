/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Items waiting to be sent, oldest first, read out as one run of bytes: each
 * item with the 4-byte header of a frame before it, or as it is (raw).  Not for
 * sharing between threads.
 */
#ifndef FEDERATION_TXQ_H
#define FEDERATION_TXQ_H

#include "proto/base/bytes.h"

/* Empty is {0}, or {.raw = true}. */
struct fed_txq {
    bool raw; /* no headers */
    struct bytes *ring;
    size_t cap, head, count;
    size_t off;   /* of the oldest, header included, already read out */
    size_t bytes; /* still to be read out */
};

/* Make sure that the next push succeeds. */
MUST_CHECK enum err fed_txq_room(const struct mem *mem, struct fed_txq *q);

/* Take an item.  ERR_NOMEM  it is untouched */
MUST_CHECK enum err fed_txq_push(const struct mem *mem, struct fed_txq *q,
                                 struct bytes *take_item);

/*
 * Read out at most cap bytes; items that are done are given back and counted
 * in *done_out.  0 when the queue is empty.
 */
size_t fed_txq_read(struct fed_txq *q, uint8_t *out, size_t cap,
                    size_t *done_out);

/* Give back everything, the ring too; raw stays. */
void fed_txq_clear(const struct mem *mem, struct fed_txq *q);

#endif
