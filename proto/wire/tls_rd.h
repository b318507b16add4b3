/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reader of the TLS presentation language with the variable-size vectors of
 * RFC 9420 2.1.2.  Remembers the first failure; later reads give zeros and
 * empty views, and proto_tls_rd_end reports it.  Views point into the input.
 */
#ifndef PROTO_WIRE_TLS_RD_H
#define PROTO_WIRE_TLS_RD_H

#include "proto/base/bytes.h"

struct proto_tls_rd {
    struct view left;
    enum err e;
};

struct proto_tls_rd proto_tls_rd_open(struct view in);

/*
 * The first failure, or ERR_FORMAT when bytes are left over.
 * ERR_FORMAT  too short, a length that is not in its shortest form, a presence
 *             byte other than 0 or 1, or trailing bytes
 */
MUST_CHECK enum err proto_tls_rd_end(const struct proto_tls_rd *r);

/* Make e the failure unless there is one already. */
void proto_tls_rd_fail(struct proto_tls_rd *r, enum err e);

/* True while nothing has failed and bytes are left. */
bool proto_tls_rd_more(const struct proto_tls_rd *r);

uint8_t proto_tls_rd_u8(struct proto_tls_rd *r);
uint16_t proto_tls_rd_u16(struct proto_tls_rd *r);
uint32_t proto_tls_rd_u32(struct proto_tls_rd *r);
uint64_t proto_tls_rd_u64(struct proto_tls_rd *r);

/* Exactly len bytes. */
struct view proto_tls_rd_fixed(struct proto_tls_rd *r, size_t len);

/* A variable-size length: 1, 2 or 4 bytes, shortest form only. */
uint32_t proto_tls_rd_varint(struct proto_tls_rd *r);

/* opaque<V>: the bytes of one vector. */
struct view proto_tls_rd_vec(struct proto_tls_rd *r);

/* The same as a reader of its own; its failures do not reach r. */
struct proto_tls_rd proto_tls_rd_sub(struct proto_tls_rd *r);

/* optional<T>: whether a value follows. */
bool proto_tls_rd_optional(struct proto_tls_rd *r);

#endif
