/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebSocket frames (RFC 6455 5), the server's side: messages come out whole and
 * unmasked, control frames in between.  Takes from its input exactly what
 * belongs to what it gives, so that a reader can pause anywhere (a library
 * that reads ahead would keep the rest to itself).  Pure.
 *
 * Refused: text, extensions (RSV bits), unmasked frames, lengths that are not
 * the shortest, control frames that are long or in pieces, pieces without a
 * beginning, and messages in so many pieces that only harm can be meant.
 */
#ifndef FEDERATION_WS_H
#define FEDERATION_WS_H

#include "proto/base/bytes.h"

enum {
    FED_WS_HEADER_MAX = 14, /* of a client's frame */
    FED_WS_HEADER_OUT = 10, /* of ours */
    FED_WS_CONTROL_MAX = 125,
    FED_WS_PIECES = 16, /* of a message, and one more for each KiB */
    FED_WS_PIECE = 1024
};

/* What came; the numbers are the opcodes. */
enum fed_ws_what {
    FED_WS_BINARY = 2,
    FED_WS_CLOSE = 8,
    FED_WS_PING = 9,
    FED_WS_PONG = 10
};

/* Codes of a close (RFC 6455 7.4.1). */
enum {
    FED_WS_NORMAL = 1000,
    FED_WS_GOING_AWAY = 1001,
    FED_WS_PROTOCOL = 1002,
    FED_WS_NOT_TEXT = 1003,
    FED_WS_TOO_BIG = 1009,
    FED_WS_OUR_FAULT = 1011,
    FED_WS_LATER = 1013
};

/* Empty is {.mem = ...}. */
struct fed_ws_rd {
    const struct mem *mem;
    uint8_t header[FED_WS_HEADER_MAX];
    uint8_t header_len;
    bool in_frame; /* the header is whole */
    bool fin;
    uint8_t opcode;
    uint8_t mask[4];
    uint64_t left; /* of the frame's payload */
    size_t mask_at;
    bool in_message;
    size_t pieces;
    struct bytes message;
    uint8_t control[FED_WS_CONTROL_MAX];
    uint8_t control_len;
};

/*
 * Take from the front of *in until something is whole.  *out is then valid
 * until the next call; of a message it is r->message, which may be changed in
 * place.
 *
 * OK           *what_out and *out
 * ERR_AGAIN    *in is used up
 * ERR_FORMAT   against the protocol: close with FED_WS_PROTOCOL
 * ERR_UNSUPPORTED  text: FED_WS_NOT_TEXT
 * ERR_LIMIT    a message above max, or too many pieces: FED_WS_TOO_BIG
 * After an error other than ERR_AGAIN r is not to be used any more.
 */
MUST_CHECK enum err fed_ws_next(struct fed_ws_rd *r, size_t max,
                                struct view *in, enum fed_ws_what *what_out,
                                struct view *out);

/* True while something has begun and is not whole. */
bool fed_ws_partial(const struct fed_ws_rd *r);

/* Bytes allocated for an unfinished message. */
size_t fed_ws_held(const struct fed_ws_rd *r);

void fed_ws_clear(struct fed_ws_rd *r);

/* The header of one of our frames; its length. */
size_t fed_ws_header(enum fed_ws_what what, uint64_t len,
                     uint8_t out[FED_WS_HEADER_OUT]);

#endif
