/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/wire/tls_rd.h"

struct proto_tls_rd
proto_tls_rd_open(struct view in)
{
    struct proto_tls_rd r = {in, OK};

    return r;
}

enum err
proto_tls_rd_end(const struct proto_tls_rd *r)
{
    if (r->e != OK) {
        return r->e;
    }
    return r->left.len == 0 ? OK : ERR_FORMAT;
}

void
proto_tls_rd_fail(struct proto_tls_rd *r, enum err e)
{
    if (r->e == OK) {
        r->e = e;
        r->left = (struct view){0};
    }
}

bool
proto_tls_rd_more(const struct proto_tls_rd *r)
{
    return r->e == OK && r->left.len > 0;
}

struct view
proto_tls_rd_fixed(struct proto_tls_rd *r, size_t len)
{
    struct view v;

    if (len > r->left.len) {
        proto_tls_rd_fail(r, ERR_FORMAT);
    }
    if (r->e != OK) {
        return (struct view){0};
    }
    v = view_sub(r->left, 0, len);
    r->left = view_skip(r->left, len);
    return v;
}

static uint64_t
big_endian(struct proto_tls_rd *r, size_t len)
{
    struct view v = proto_tls_rd_fixed(r, len);
    uint64_t n = 0;

    for (size_t i = 0; i < v.len; i++) {
        n = n << 8 | v.p[i];
    }
    return n;
}

uint8_t
proto_tls_rd_u8(struct proto_tls_rd *r)
{
    return (uint8_t)big_endian(r, 1);
}

uint16_t
proto_tls_rd_u16(struct proto_tls_rd *r)
{
    return (uint16_t)big_endian(r, 2);
}

uint32_t
proto_tls_rd_u32(struct proto_tls_rd *r)
{
    return (uint32_t)big_endian(r, 4);
}

uint64_t
proto_tls_rd_u64(struct proto_tls_rd *r)
{
    return big_endian(r, 8);
}

/* RFC 9420 2.1.2 [varint-minimal] */
uint32_t
proto_tls_rd_varint(struct proto_tls_rd *r)
{
    uint8_t first = proto_tls_rd_u8(r);
    uint32_t n = first & 0x3fu;

    switch (first >> 6) {
    case 0:
        return n;
    case 1:
        n = n << 8 | proto_tls_rd_u8(r);
        if (n < 64) {
            proto_tls_rd_fail(r, ERR_FORMAT);
        }
        return r->e == OK ? n : 0;
    case 2:
        n = n << 24 | (uint32_t)big_endian(r, 3);
        if (n < 16384) {
            proto_tls_rd_fail(r, ERR_FORMAT);
        }
        return r->e == OK ? n : 0;
    default:
        proto_tls_rd_fail(r, ERR_FORMAT);
        return 0;
    }
}

struct view
proto_tls_rd_vec(struct proto_tls_rd *r)
{
    return proto_tls_rd_fixed(r, proto_tls_rd_varint(r));
}

struct proto_tls_rd
proto_tls_rd_sub(struct proto_tls_rd *r)
{
    struct proto_tls_rd sub = proto_tls_rd_open(proto_tls_rd_vec(r));

    sub.e = r->e;
    return sub;
}

bool
proto_tls_rd_optional(struct proto_tls_rd *r)
{
    uint8_t present = proto_tls_rd_u8(r);

    if (present > 1) {
        proto_tls_rd_fail(r, ERR_FORMAT);
        return false;
    }
    return present == 1;
}
