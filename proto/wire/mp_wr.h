/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writer of the msgpack that mp_rd.h reads: msgpack-c packing into bytes, in
 * the shortest encoding.  Remembers the first failure; proto_wr_take reports
 * it.  Always clear or take.
 */
#ifndef PROTO_WIRE_MP_WR_H
#define PROTO_WIRE_MP_WR_H

#include "proto/base/id.h"

struct proto_wr {
    struct bytes out;
    const struct mem *mem;
    enum err e;
};

struct proto_wr proto_wr_open(const struct mem *mem);

/* What was written so far; invalid after the next write. */
struct view proto_wr_view(const struct proto_wr *w);

/*
 * Hand over what was written and leave w empty; on failure w is emptied too.
 * ERR_NOMEM; ERR_LIMIT  a value above 4 GiB
 */
MUST_CHECK enum err proto_wr_take(struct proto_wr *w, struct bytes *out);

/* Wipe and give back. */
void proto_wr_clear(struct proto_wr *w);

/* Make e the failure unless there is one already. */
void proto_wr_fail(struct proto_wr *w, enum err e);

/* An array of n items, which are written next. */
void proto_wr_array(struct proto_wr *w, size_t n);

void proto_wr_uint(struct proto_wr *w, uint64_t n);
void proto_wr_bool(struct proto_wr *w, bool b);
void proto_wr_nil(struct proto_wr *w);
void proto_wr_bin(struct proto_wr *w, struct view v);

/* v must be UTF-8 without NUL; ERR_INVALID otherwise. */
void proto_wr_str(struct proto_wr *w, struct view v);

/* One complete value, encoded already. */
void proto_wr_raw(struct proto_wr *w, struct view v);

#endif
