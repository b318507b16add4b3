/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/wire/tls_wr.h"

#include "proto/base/assert.h"
#include "proto/base/limits.h"

#include <string.h>

struct proto_tls_wr
proto_tls_wr_open(const struct mem *mem)
{
    struct proto_tls_wr w = {{0}, mem, OK};

    return w;
}

struct view
proto_tls_wr_view(const struct proto_tls_wr *w)
{
    return view_of(&w->out);
}

enum err
proto_tls_wr_take(struct proto_tls_wr *w, struct bytes *out)
{
    enum err e = w->e;

    if (e != OK) {
        proto_tls_wr_clear(w);
        return e;
    }
    *out = bytes_take(&w->out);
    return OK;
}

void
proto_tls_wr_clear(struct proto_tls_wr *w)
{
    bytes_free(&w->out);
    w->e = OK;
}

void
proto_tls_wr_fail(struct proto_tls_wr *w, enum err e)
{
    if (w->e == OK) {
        w->e = e;
    }
}

void
proto_tls_wr_fixed(struct proto_tls_wr *w, struct view v)
{
    if (w->e == OK) {
        w->e = bytes_append(w->mem, &w->out, v);
    }
}

static void
big_endian(struct proto_tls_wr *w, uint64_t n, size_t len)
{
    uint8_t b[8];

    for (size_t i = 0; i < len; i++) {
        b[i] = (uint8_t)(n >> (8 * (len - 1 - i)));
    }
    proto_tls_wr_fixed(w, view_make(b, len));
}

void
proto_tls_wr_u8(struct proto_tls_wr *w, uint8_t n)
{
    big_endian(w, n, 1);
}

void
proto_tls_wr_u16(struct proto_tls_wr *w, uint16_t n)
{
    big_endian(w, n, 2);
}

void
proto_tls_wr_u32(struct proto_tls_wr *w, uint32_t n)
{
    big_endian(w, n, 4);
}

void
proto_tls_wr_u64(struct proto_tls_wr *w, uint64_t n)
{
    big_endian(w, n, 8);
}

/* Writes the shortest form of n to out and returns its size; 0: too large. */
static size_t
varint_form(size_t n, uint8_t out[4])
{
    if (n < 64) {
        out[0] = (uint8_t)n;
        return 1;
    }
    if (n < 16384) {
        out[0] = (uint8_t)(0x40u | n >> 8);
        out[1] = (uint8_t)n;
        return 2;
    }
    if (n <= LIMIT_TLS_VECTOR) {
        out[0] = (uint8_t)(0x80u | n >> 24);
        out[1] = (uint8_t)(n >> 16);
        out[2] = (uint8_t)(n >> 8);
        out[3] = (uint8_t)n;
        return 4;
    }
    return 0;
}

void
proto_tls_wr_varint(struct proto_tls_wr *w, size_t n)
{
    uint8_t form[4];
    size_t len = varint_form(n, form);

    if (len == 0) {
        proto_tls_wr_fail(w, ERR_LIMIT);
        return;
    }
    proto_tls_wr_fixed(w, view_make(form, len));
}

void
proto_tls_wr_vec(struct proto_tls_wr *w, struct view v)
{
    proto_tls_wr_varint(w, v.len);
    proto_tls_wr_fixed(w, v);
}

void
proto_tls_wr_optional(struct proto_tls_wr *w, bool present)
{
    proto_tls_wr_u8(w, present ? 1 : 0);
}

size_t
proto_tls_wr_begin(const struct proto_tls_wr *w)
{
    return w->out.len;
}

void
proto_tls_wr_end_vec(struct proto_tls_wr *w, size_t at)
{
    static const uint8_t zeros[4];
    uint8_t form[4];
    size_t content;
    size_t len;

    if (w->e != OK) {
        return;
    }
    ASSERT(at <= w->out.len);
    content = w->out.len - at;
    len = varint_form(content, form);
    if (len == 0) {
        proto_tls_wr_fail(w, ERR_LIMIT);
        return;
    }
    proto_tls_wr_fixed(w, view_make(zeros, len));
    if (w->e != OK) {
        return;
    }
    memmove(w->out.p + at + len, w->out.p + at, content);
    memcpy(w->out.p + at, form, len);
}
