/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict reader of the msgpack that we speak: unsigned integers, booleans,
 * nil, byte strings, UTF-8 strings and arrays, each in its one shortest
 * encoding.  Maps, floats, extensions and negative numbers are refused.
 *
 *     struct proto_rd r = proto_rd_open(in);
 *     proto_rd_array(&r, 3);
 *     v.type = proto_rd_u16(&r);
 *     ...
 *     TRY(proto_rd_end(&r));
 *
 * Remembers the first failure; later reads give zeros and empty views, and
 * proto_rd_end reports it.  Allocates nothing.  Views point into the input.
 */
#ifndef PROTO_WIRE_MP_RD_H
#define PROTO_WIRE_MP_RD_H

#include "proto/base/id.h"

struct proto_rd {
    struct view left;
    enum err e;
};

struct proto_rd proto_rd_open(struct view in);

/*
 * The first failure, or ERR_FORMAT when bytes are left over.
 * ERR_FORMAT  malformed, not the shortest encoding, another type than asked
 *             for, or trailing bytes
 * ERR_LIMIT   a length, count or number above what the reader allowed
 */
MUST_CHECK enum err proto_rd_end(const struct proto_rd *r);

/* Make e the failure unless there is one already. */
void proto_rd_fail(struct proto_rd *r, enum err e);

/* True while nothing has failed and bytes are left. */
bool proto_rd_more(const struct proto_rd *r);

/* An array of exactly n items, which are read next. */
void proto_rd_array(struct proto_rd *r, uint32_t n);

/*
 * An array of at most max items, which are read next: its count.  The count is
 * never more than the bytes that are left, so it may be allocated for.
 */
uint32_t proto_rd_list(struct proto_rd *r, uint32_t max);

/* A number; ERR_LIMIT above max. */
uint64_t proto_rd_uint(struct proto_rd *r, uint64_t max);
uint8_t proto_rd_u8(struct proto_rd *r);
uint16_t proto_rd_u16(struct proto_rd *r);
uint32_t proto_rd_u32(struct proto_rd *r);
uint64_t proto_rd_u64(struct proto_rd *r);

bool proto_rd_bool(struct proto_rd *r);

/* Whether the next value is nil; if it is, it is read. */
bool proto_rd_nil(struct proto_rd *r);

/* A byte string of at most max bytes. */
struct view proto_rd_bin(struct proto_rd *r, size_t max);

/* A byte string of exactly len bytes, copied; on failure out is zeroed. */
void proto_rd_fixed(struct proto_rd *r, uint8_t *out, size_t len);

/* Well-formed UTF-8 without NUL, at most max bytes. */
struct view proto_rd_str(struct proto_rd *r, size_t max);

/*
 * The bytes of the next value whatever it is, checked as above and at most
 * LIMIT_MSGPACK_DEPTH deep: for what is verified or passed on as it came.
 */
struct view proto_rd_raw(struct proto_rd *r);

/* Ids are byte strings of their own size: proto_rd_clinic_id(&r), ... */
#define PROTO_RD_ID(NAME)                                           \
    static inline struct NAME proto_rd_##NAME(struct proto_rd *r) { \
        struct NAME id;                                             \
                                                                    \
        proto_rd_fixed(r, id.b, sizeof(id.b));                      \
        return id;                                                  \
    } struct NAME

PROTO_RD_ID(clinic_id);
PROTO_RD_ID(patient_id);
PROTO_RD_ID(subject_id);
PROTO_RD_ID(device_id);
PROTO_RD_ID(thread_id);
PROTO_RD_ID(message_id);
PROTO_RD_ID(conv_id);
PROTO_RD_ID(contact_id);
PROTO_RD_ID(member_id);
PROTO_RD_ID(link_id);
PROTO_RD_ID(stream_id);
PROTO_RD_ID(request_id);
PROTO_RD_ID(hash32);

#endif
