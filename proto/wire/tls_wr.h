/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writer of the TLS presentation language (RFC 9420 2.1.2).  Remembers the
 * first failure; proto_tls_wr_take reports it.  Always clear or take.
 */
#ifndef PROTO_WIRE_TLS_WR_H
#define PROTO_WIRE_TLS_WR_H

#include "proto/base/bytes.h"

struct proto_tls_wr {
    struct bytes out;
    const struct mem *mem;
    enum err e;
};

struct proto_tls_wr proto_tls_wr_open(const struct mem *mem);

/* What was written so far; invalid after the next write. */
struct view proto_tls_wr_view(const struct proto_tls_wr *w);

/*
 * Hand over what was written and leave w empty; on failure w is emptied too.
 * ERR_NOMEM; ERR_LIMIT  a vector above LIMIT_TLS_VECTOR
 */
MUST_CHECK enum err proto_tls_wr_take(struct proto_tls_wr *w,
                                      struct bytes *out);

/* Wipe and give back. */
void proto_tls_wr_clear(struct proto_tls_wr *w);

/* Make e the failure unless there is one already. */
void proto_tls_wr_fail(struct proto_tls_wr *w, enum err e);

void proto_tls_wr_u8(struct proto_tls_wr *w, uint8_t n);
void proto_tls_wr_u16(struct proto_tls_wr *w, uint16_t n);
void proto_tls_wr_u32(struct proto_tls_wr *w, uint32_t n);
void proto_tls_wr_u64(struct proto_tls_wr *w, uint64_t n);
void proto_tls_wr_fixed(struct proto_tls_wr *w, struct view v);
void proto_tls_wr_varint(struct proto_tls_wr *w, size_t n);

/* opaque<V> */
void proto_tls_wr_vec(struct proto_tls_wr *w, struct view v);

/* The presence byte of optional<T>; the value is written after it. */
void proto_tls_wr_optional(struct proto_tls_wr *w, bool present);

/*
 * A vector whose content is written between begin and end; nests.
 *     size_t at = proto_tls_wr_begin(w); ... proto_tls_wr_end_vec(w, at);
 */
size_t proto_tls_wr_begin(const struct proto_tls_wr *w);
void proto_tls_wr_end_vec(struct proto_tls_wr *w, size_t at);

#endif
