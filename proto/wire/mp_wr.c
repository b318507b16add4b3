/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/wire/mp_wr.h"

#include "proto/base/phi.h"

#include <msgpack/pack.h>

struct proto_wr
proto_wr_open(const struct mem *mem)
{
    struct proto_wr w = {{0}, mem, OK};

    return w;
}

struct view
proto_wr_view(const struct proto_wr *w)
{
    return view_of(&w->out);
}

enum err
proto_wr_take(struct proto_wr *w, struct bytes *out)
{
    enum err e = w->e;

    if (e != OK) {
        proto_wr_clear(w);
        return e;
    }
    *out = bytes_take(&w->out);
    return OK;
}

void
proto_wr_clear(struct proto_wr *w)
{
    bytes_free(&w->out);
    w->e = OK;
}

void
proto_wr_fail(struct proto_wr *w, enum err e)
{
    if (w->e == OK) {
        w->e = e;
    }
}

void
proto_wr_raw(struct proto_wr *w, struct view v)
{
    if (w->e == OK) {
        w->e = bytes_append(w->mem, &w->out, v);
    }
}

static int
append(void *ctx, const char *buf, size_t len)
{
    struct proto_wr *w = ctx;

    proto_wr_raw(w, view_make(buf, len));
    return w->e == OK ? 0 : -1;
}

/* The failure is kept in w; what msgpack-c returns says no more. */
static void
pack(struct proto_wr *w, int (*one)(msgpack_packer *pk, uint64_t n), uint64_t n)
{
    msgpack_packer pk;

    msgpack_packer_init(&pk, w, append);
    if (w->e == OK && one(&pk, n) != 0) {
        proto_wr_fail(w, ERR_INTERNAL);
    }
}

static int
pack_array(msgpack_packer *pk, uint64_t n)
{
    return msgpack_pack_array(pk, (size_t)n);
}

static int
pack_uint(msgpack_packer *pk, uint64_t n)
{
    return msgpack_pack_uint64(pk, n);
}

static int
pack_bool(msgpack_packer *pk, uint64_t n)
{
    return n != 0 ? msgpack_pack_true(pk) : msgpack_pack_false(pk);
}

static int
pack_nil(msgpack_packer *pk, uint64_t n)
{
    (void)n;
    return msgpack_pack_nil(pk);
}

static int
pack_bin(msgpack_packer *pk, uint64_t n)
{
    return msgpack_pack_bin(pk, (size_t)n);
}

static int
pack_str(msgpack_packer *pk, uint64_t n)
{
    return msgpack_pack_str(pk, (size_t)n);
}

static bool
in_range(struct proto_wr *w, size_t n)
{
    if ((uint64_t)n > UINT32_MAX) {
        proto_wr_fail(w, ERR_LIMIT);
        return false;
    }
    return true;
}

void
proto_wr_array(struct proto_wr *w, size_t n)
{
    if (in_range(w, n)) {
        pack(w, pack_array, n);
    }
}

void
proto_wr_uint(struct proto_wr *w, uint64_t n)
{
    pack(w, pack_uint, n);
}

void
proto_wr_bool(struct proto_wr *w, bool b)
{
    pack(w, pack_bool, b);
}

void
proto_wr_nil(struct proto_wr *w)
{
    pack(w, pack_nil, 0);
}

void
proto_wr_bin(struct proto_wr *w, struct view v)
{
    if (in_range(w, v.len)) {
        pack(w, pack_bin, v.len);
        proto_wr_raw(w, v);
    }
}

void
proto_wr_str(struct proto_wr *w, struct view v)
{
    if (!proto_utf8_valid(v)) {
        proto_wr_fail(w, ERR_INVALID);
    }
    if (in_range(w, v.len)) {
        pack(w, pack_str, v.len);
        proto_wr_raw(w, v);
    }
}
