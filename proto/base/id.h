/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fixed-size ids, each its own type so that they cannot be mixed up.  Public
 * data: compared plainly.  All bytes; no byte order.
 */
#ifndef PROTO_BASE_ID_H
#define PROTO_BASE_ID_H

#include "proto/base/bytes.h"

#include <string.h>

/*
 * Defines struct NAME { uint8_t b[SIZE]; } with NAME_view, NAME_equal,
 * NAME_cmp, NAME_is_zero and NAME_from (ERR_FORMAT when v is not SIZE bytes).
 */
#define PROTO_ID(NAME, SIZE)                                                 \
    struct NAME {                                                            \
        uint8_t b[SIZE];                                                     \
    };                                                                       \
    static inline struct view NAME##_view(const struct NAME *id)             \
    {                                                                        \
        return view_make(id->b, sizeof(id->b));                              \
    }                                                                        \
    static inline bool NAME##_equal(const struct NAME *a,                    \
                                    const struct NAME *b)                    \
    {                                                                        \
        return memcmp(a->b, b->b, sizeof(a->b)) == 0;                        \
    }                                                                        \
    static inline int NAME##_cmp(const struct NAME *a, const struct NAME *b) \
    {                                                                        \
        return memcmp(a->b, b->b, sizeof(a->b));                             \
    }                                                                        \
    static inline bool NAME##_is_zero(const struct NAME *id)                 \
    {                                                                        \
        static const struct NAME zero;                                       \
        return NAME##_equal(id, &zero);                                      \
    }                                                                        \
    MUST_CHECK static inline enum err NAME##_from(struct view v,             \
                                                  struct NAME *out)          \
    {                                                                        \
        if (v.len != sizeof(out->b)) {                                       \
            return ERR_FORMAT;                                               \
        }                                                                    \
        memcpy(out->b, v.p, sizeof(out->b));                                 \
        return OK;                                                           \
    }                                                                        \
    struct NAME

/* A clinic: its root public key (Ed25519).  design.md 4 */
PROTO_ID(clinic_id, 32);
/* A patient: the patient public key (Ed25519).  decisions.md F 23 */
PROTO_ID(patient_id, 32);
/* Any subject of a thread, clinic or patient, by root public key. */
PROTO_ID(subject_id, 32);
/* One endpoint of a subject: the Ed25519 public key of its node or device. */
PROTO_ID(device_id, 32);
/* An MLS group id, random. */
PROTO_ID(thread_id, 32);
/* A message inside a thread: 0x01 and 31 bytes of a salted hash. */
PROTO_ID(message_id, 32);
/* A desk conversation, local to one node, random.  decisions.md G 31 */
PROTO_ID(conv_id, 16);
PROTO_ID(contact_id, 16);
PROTO_ID(member_id, 16);
/* A link.  decisions.md B 6 */
PROTO_ID(link_id, 8);
/* One direction between two nodes.  decisions.md C 12 */
PROTO_ID(stream_id, 16);
/* Idempotency key of a request. */
PROTO_ID(request_id, 16);
/* SHA-256, such as a log head or the name of a blob chunk. */
PROTO_ID(hash32, 32);

enum {
    PROTO_HEX_MAX = 64
};

/* Lower-case hex of v (at most PROTO_HEX_MAX / 2 bytes), NUL-terminated. */
void proto_hex(struct view v, char out[PROTO_HEX_MAX + 1]);

/*
 * Exactly out_len bytes from 2 * out_len hex digits of either case.
 * ERR_FORMAT otherwise.
 */
MUST_CHECK enum err proto_unhex(struct view hex, uint8_t *out, size_t out_len);

#endif
