/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/ws.h"

#include "federation/frame.h"

#include <string.h>

enum {
    FIN = 0x80,
    RSV = 0x70,
    OPCODE = 0x0f,
    MASKED = 0x80,
    LEN7 = 0x7f,
    LEN_16 = 126,
    LEN_64 = 127,
    MASK_LEN = 4,
    CONTINUATION = 0,
    TEXT = 1,
    CONTROL = 0x08
};

/* How long the header is, as far as its first bytes say. */
static size_t
header_need(const struct fed_ws_rd *r)
{
    uint8_t len;

    if (r->header_len < 2) {
        return 2;
    }
    len = r->header[1] & LEN7;
    return 2 + MASK_LEN + (len == LEN_16 ? 2u : len == LEN_64 ? 8u : 0u);
}

/* The first two bytes, before anything more is waited for. */
static enum err
check_start(const struct fed_ws_rd *r)
{
    uint8_t opcode = r->header[0] & OPCODE;
    uint8_t len = r->header[1] & LEN7;

    /* RFC 6455 5.2, 5.1 [ws-rsv] [ws-masked] */
    if ((r->header[0] & RSV) != 0 || (r->header[1] & MASKED) == 0) {
        return ERR_FORMAT;
    }
    if ((opcode & CONTROL) != 0) {
        /* RFC 6455 5.5 [ws-control] */
        if (opcode > FED_WS_PONG || len > FED_WS_CONTROL_MAX ||
            (r->header[0] & FIN) == 0) {
            return ERR_FORMAT;
        }
        return OK;
    }
    if (opcode == TEXT) {
        return ERR_UNSUPPORTED;
    }
    if (opcode > FED_WS_BINARY) {
        return ERR_FORMAT;
    }
    /* RFC 6455 5.4 [ws-pieces] */
    return (opcode == CONTINUATION) == r->in_message ? OK : ERR_FORMAT;
}

/* RFC 6455 5.2 [ws-length] */
static enum err
read_length(struct fed_ws_rd *r)
{
    uint8_t len = r->header[1] & LEN7;
    size_t n = len == LEN_16 ? 2 : len == LEN_64 ? 8 : 0;
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++) {
        v = v << 8 | r->header[2 + i];
    }
    if ((n == 2 && v < LEN_16) || (n == 8 && (v <= UINT16_MAX || v >> 63))) {
        return ERR_FORMAT;
    }
    r->left = n == 0 ? len : v;
    memcpy(r->mask, r->header + 2 + n, MASK_LEN);
    return OK;
}

/* The header is whole: what may come of it? */
static enum err
begin_frame(struct fed_ws_rd *r, size_t max)
{
    enum err e;

    TRY(read_length(r));
    r->fin = (r->header[0] & FIN) != 0;
    r->opcode = r->header[0] & OPCODE;
    r->in_frame = true;
    r->mask_at = 0;
    if ((r->opcode & CONTROL) != 0) {
        r->control_len = 0;
        return OK;
    }
    r->pieces++;
    TRY(r->message.len <= max && r->left <= max - r->message.len ? OK
                                                                 : ERR_LIMIT);
    TRY(r->pieces <= FED_WS_PIECES + r->message.len / FED_WS_PIECE ? OK
                                                                   : ERR_LIMIT);
    r->in_message = true;
out:
    return e;
}

/* ERR_AGAIN when the header is not whole yet. */
static enum err
read_header(struct fed_ws_rd *r, size_t max, struct view *in)
{
    enum err e;

    while (r->header_len < header_need(r)) {
        TRY(in->len > 0 ? OK : ERR_AGAIN);
        r->header[r->header_len++] = in->p[0];
        *in = view_skip(*in, 1);
        if (r->header_len == 2) {
            TRY(check_start(r));
        }
    }
    TRY(begin_frame(r, max));
out:
    return e;
}

static void
unmask(struct fed_ws_rd *r, struct view from, uint8_t *to)
{
    for (size_t i = 0; i < from.len; i++) {
        to[i] = from.p[i] ^ r->mask[(r->mask_at + i) % MASK_LEN];
    }
    r->mask_at = (r->mask_at + from.len) % MASK_LEN;
    r->left -= from.len;
}

/* Take what there is of the frame's payload. */
static enum err
read_payload(struct fed_ws_rd *r, struct view *in)
{
    size_t n = r->left < in->len ? (size_t)r->left : in->len;
    struct view part = view_sub(*in, 0, n);
    enum err e = OK;

    if ((r->opcode & CONTROL) != 0) {
        unmask(r, part, r->control + r->control_len);
        r->control_len = (uint8_t)(r->control_len + n);
    } else if (n > 0) {
        TRY(fed_frame_room(r->mem, &r->message, n,
                           r->message.len + (size_t)r->left));
        unmask(r, part, r->message.p + r->message.len);
        r->message.len += n;
    }
    *in = view_skip(*in, n);
    TRY(r->left == 0 ? OK : ERR_AGAIN);
out:
    return e;
}

/* A frame is whole; true when something can be given. */
static bool
end_frame(struct fed_ws_rd *r, enum fed_ws_what *what_out, struct view *out)
{
    r->in_frame = false;
    r->header_len = 0;
    if ((r->opcode & CONTROL) != 0) {
        *what_out = (enum fed_ws_what)r->opcode;
        *out = view_make(r->control, r->control_len);
        return true;
    }
    if (!r->fin) {
        return false;
    }
    r->in_message = false;
    r->pieces = 0;
    *what_out = FED_WS_BINARY;
    *out = view_of(&r->message);
    return true;
}

enum err
fed_ws_next(struct fed_ws_rd *r, size_t max, struct view *in,
            enum fed_ws_what *what_out, struct view *out)
{
    enum err e;
    bool whole = false;

    do {
        if (!r->in_frame) {
            if (r->header_len == 0 && !r->in_message) {
                bytes_free(&r->message); /* of the one before */
            }
            TRY(read_header(r, max, in));
        }
        TRY(read_payload(r, in));
        whole = end_frame(r, what_out, out);
    } while (!whole);
    /* RFC 6455 5.5.1: a code is two bytes [ws-close] */
    if (*what_out == FED_WS_CLOSE && out->len == 1) {
        e = ERR_FORMAT;
    }
out:
    return e;
}

bool
fed_ws_partial(const struct fed_ws_rd *r)
{
    return r->in_frame || r->header_len > 0 || r->in_message;
}

size_t
fed_ws_held(const struct fed_ws_rd *r)
{
    return r->message.cap;
}

void
fed_ws_clear(struct fed_ws_rd *r)
{
    bytes_free(&r->message);
    *r = (struct fed_ws_rd){.mem = r->mem};
}

size_t
fed_ws_header(enum fed_ws_what what, uint64_t len,
              uint8_t out[FED_WS_HEADER_OUT])
{
    size_t n = len < LEN_16 ? 0 : len <= UINT16_MAX ? 2 : 8;

    out[0] = (uint8_t)(FIN | (uint8_t)what);
    out[1] = n == 0 ? (uint8_t)len : n == 2 ? LEN_16 : LEN_64;
    for (size_t i = 0; i < n; i++) {
        out[2 + i] = (uint8_t)(len >> (8 * (n - 1 - i)));
    }
    return 2 + n;
}
