/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of the node port: a u32 length, big-endian, and that many bytes
 * (design 3).  Length 0 carries nothing: it says "accepted" as the acceptor's
 * first frame and "still here" later.  The reader grows its buffer with what
 * arrives, never with what a length promises, and checks the length first.
 */
#ifndef FEDERATION_FRAME_H
#define FEDERATION_FRAME_H

#include "proto/base/bytes.h"

enum {
    FED_FRAME_HEADER = 4
};

/* Empty is {.mem = ...}. */
struct fed_frame_rd {
    const struct mem *mem;
    uint8_t header[FED_FRAME_HEADER];
    uint8_t header_len;
    bool in_body;
    uint32_t need; /* bytes of the body, when in_body */
    struct bytes body;
};

/*
 * Take from the front of *in until a frame is whole.  *frame_out is then a view
 * into *in or into r, valid until the next call; it may be empty (length 0).
 *
 * OK         a frame
 * ERR_AGAIN  *in is used up
 * ERR_LIMIT  a frame above max; r is not to be used any more
 */
MUST_CHECK enum err fed_frame_next(struct fed_frame_rd *r, uint32_t max,
                                   struct view *in, struct view *frame_out);

/* True while a frame has begun and is not whole. */
bool fed_frame_partial(const struct fed_frame_rd *r);

/* Bytes allocated for an unfinished frame. */
size_t fed_frame_held(const struct fed_frame_rd *r);

void fed_frame_clear(struct fed_frame_rd *r);

/*
 * Room in *body for n more bytes of need in all: never more than twice what is
 * there by then, whatever a length promises.
 */
MUST_CHECK enum err fed_frame_room(const struct mem *mem, struct bytes *body,
                                   size_t n, size_t need);

/* The header of a body of len bytes. */
void fed_frame_header(uint32_t len, uint8_t out[FED_FRAME_HEADER]);

#endif
