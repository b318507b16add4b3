/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/wire/mp_rd.h"

#include "proto/base/limits.h"
#include "proto/base/phi.h"

#include <string.h>

/* The first bytes of https://github.com/msgpack/msgpack/blob/master/spec.md */
enum {
    FIXARRAY = 0x90,
    FIXSTR = 0xa0,
    NIL = 0xc0,
    FALSE_ = 0xc2,
    TRUE_ = 0xc3,
    BIN8 = 0xc4,
    BIN16 = 0xc5,
    BIN32 = 0xc6,
    UINT8 = 0xcc,
    UINT16 = 0xcd,
    UINT32 = 0xce,
    UINT64 = 0xcf,
    STR8 = 0xd9,
    STR16 = 0xda,
    STR32 = 0xdb,
    ARRAY16 = 0xdc,
    ARRAY32 = 0xdd
};

enum kind {
    KIND_NONE, /* failed */
    KIND_UINT,
    KIND_BOOL,
    KIND_NIL,
    KIND_BIN,
    KIND_STR,
    KIND_ARRAY
};

/* A value's head: what it is, and its number, length or count. */
struct head {
    enum kind kind;
    uint64_t n;
};

struct proto_rd
proto_rd_open(struct view in)
{
    struct proto_rd r = {in, OK};

    return r;
}

enum err
proto_rd_end(const struct proto_rd *r)
{
    if (r->e != OK) {
        return r->e;
    }
    return r->left.len == 0 ? OK : ERR_FORMAT;
}

void
proto_rd_fail(struct proto_rd *r, enum err e)
{
    if (r->e == OK) {
        r->e = e;
        r->left = (struct view){0};
    }
}

bool
proto_rd_more(const struct proto_rd *r)
{
    return r->e == OK && r->left.len > 0;
}

static struct view
take(struct proto_rd *r, uint64_t len)
{
    struct view v;

    if (len > r->left.len) {
        proto_rd_fail(r, ERR_FORMAT);
    }
    if (r->e != OK) {
        return (struct view){0};
    }
    v = view_sub(r->left, 0, (size_t)len);
    r->left = view_skip(r->left, (size_t)len);
    return v;
}

/* A big-endian number of size bytes that needs all of them: at least min. */
static struct head
wide(struct proto_rd *r, enum kind kind, size_t size, uint64_t min)
{
    struct head h = {kind, 0};
    struct view v = take(r, size);

    for (size_t i = 0; i < v.len; i++) {
        h.n = h.n << 8 | v.p[i];
    }
    if (h.n < min) {
        proto_rd_fail(r, ERR_FORMAT);
    }
    return h;
}

/* [msgpack-shortest] one encoding per value */
static struct head
wide_head(struct proto_rd *r, uint8_t first)
{
    switch (first) {
    case UINT8:
        return wide(r, KIND_UINT, 1, 0x80);
    case UINT16:
        return wide(r, KIND_UINT, 2, 0x100);
    case UINT32:
        return wide(r, KIND_UINT, 4, 0x10000);
    case UINT64:
        return wide(r, KIND_UINT, 8, 0x100000000);
    case BIN8:
        return wide(r, KIND_BIN, 1, 0);
    case BIN16:
        return wide(r, KIND_BIN, 2, 0x100);
    case BIN32:
        return wide(r, KIND_BIN, 4, 0x10000);
    case STR8:
        return wide(r, KIND_STR, 1, 32);
    case STR16:
        return wide(r, KIND_STR, 2, 0x100);
    case STR32:
        return wide(r, KIND_STR, 4, 0x10000);
    case ARRAY16:
        return wide(r, KIND_ARRAY, 2, 16);
    case ARRAY32:
        return wide(r, KIND_ARRAY, 4, 0x10000);
    default: /* [msgpack-kinds] maps, floats, extensions, negatives */
        proto_rd_fail(r, ERR_FORMAT);
        return (struct head){KIND_NONE, 0};
    }
}

static struct head
head(struct proto_rd *r)
{
    struct view v = take(r, 1);
    struct head h = {KIND_NONE, 0};
    uint8_t first;

    if (v.len == 0) {
        return h;
    }
    first = v.p[0];
    if (first < 0x80) {
        return (struct head){KIND_UINT, first};
    }
    if ((first & 0xf0) == FIXARRAY) {
        return (struct head){KIND_ARRAY, first & 0x0fu};
    }
    if ((first & 0xe0) == FIXSTR) {
        return (struct head){KIND_STR, first & 0x1fu};
    }
    if (first == NIL) {
        return (struct head){KIND_NIL, 0};
    }
    if (first == FALSE_ || first == TRUE_) {
        return (struct head){KIND_BOOL, first == TRUE_};
    }
    h = wide_head(r, first);
    return r->e == OK ? h : (struct head){KIND_NONE, 0};
}

/* The number of a head of this kind, at most max. */
static uint64_t
expect(struct proto_rd *r, enum kind kind, uint64_t max)
{
    struct head h = head(r);

    if (h.kind != kind) {
        proto_rd_fail(r, ERR_FORMAT);
    } else if (h.n > max) {
        proto_rd_fail(r, ERR_LIMIT);
    }
    return r->e == OK ? h.n : 0;
}

void
proto_rd_array(struct proto_rd *r, uint32_t n)
{
    if (expect(r, KIND_ARRAY, UINT32_MAX) != n) {
        proto_rd_fail(r, ERR_FORMAT);
    }
}

uint32_t
proto_rd_list(struct proto_rd *r, uint32_t max)
{
    uint32_t n = (uint32_t)expect(r, KIND_ARRAY, max);

    if (n > r->left.len) {
        proto_rd_fail(r, ERR_FORMAT);
        return 0;
    }
    return n;
}

uint64_t
proto_rd_uint(struct proto_rd *r, uint64_t max)
{
    return expect(r, KIND_UINT, max);
}

uint8_t
proto_rd_u8(struct proto_rd *r)
{
    return (uint8_t)expect(r, KIND_UINT, UINT8_MAX);
}

uint16_t
proto_rd_u16(struct proto_rd *r)
{
    return (uint16_t)expect(r, KIND_UINT, UINT16_MAX);
}

uint32_t
proto_rd_u32(struct proto_rd *r)
{
    return (uint32_t)expect(r, KIND_UINT, UINT32_MAX);
}

uint64_t
proto_rd_u64(struct proto_rd *r)
{
    return expect(r, KIND_UINT, UINT64_MAX);
}

bool
proto_rd_bool(struct proto_rd *r)
{
    return expect(r, KIND_BOOL, 1) == 1;
}

bool
proto_rd_nil(struct proto_rd *r)
{
    if (!proto_rd_more(r) || r->left.p[0] != NIL) {
        return false;
    }
    r->left = view_skip(r->left, 1);
    return true;
}

struct view
proto_rd_bin(struct proto_rd *r, size_t max)
{
    return take(r, expect(r, KIND_BIN, max));
}

void
proto_rd_fixed(struct proto_rd *r, uint8_t *out, size_t len)
{
    struct view v = proto_rd_bin(r, UINT32_MAX);

    if (v.len != len) {
        proto_rd_fail(r, ERR_FORMAT);
    }
    if (r->e != OK) {
        memset(out, 0, len);
        return;
    }
    if (len > 0) {
        memcpy(out, v.p, len);
    }
}

struct view
proto_rd_str(struct proto_rd *r, size_t max)
{
    struct view v = take(r, expect(r, KIND_STR, max));

    if (!proto_utf8_valid(v)) {
        proto_rd_fail(r, ERR_FORMAT);
        return (struct view){0};
    }
    return v;
}

/* [msgpack-depth] bounded, without recursion */
struct view
proto_rd_raw(struct proto_rd *r)
{
    struct view start = r->left;
    uint64_t todo[LIMIT_MSGPACK_DEPTH + 1] = {1};
    size_t depth = 0;

    while (r->e == OK) {
        struct head h;

        while (todo[depth] == 0) {
            if (depth == 0) {
                return view_sub(start, 0, start.len - r->left.len);
            }
            depth--;
        }
        todo[depth]--;
        h = head(r);
        if (h.kind == KIND_BIN) {
            take(r, h.n);
        } else if (h.kind == KIND_STR) {
            if (!proto_utf8_valid(take(r, h.n))) {
                proto_rd_fail(r, ERR_FORMAT);
            }
        } else if (h.kind == KIND_ARRAY) {
            if (depth == LIMIT_MSGPACK_DEPTH) {
                proto_rd_fail(r, ERR_LIMIT);
                break;
            }
            todo[++depth] = h.n;
        }
    }
    return (struct view){0};
}
