/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages that are an array [type, version, field, ...] (proto/README.md,
 * registry): what two protocols, of nodes and of devices, have in common.
 */
#ifndef PROTO_MSG_TYPED_H
#define PROTO_MSG_TYPED_H

#include "proto/msg/shape.h"

/* One kind of message. */
struct proto_typed {
    uint16_t type;
    uint8_t version;
    struct proto_shape shape;
};

/* All kinds of one protocol. */
struct proto_typed_table {
    const struct proto_typed *at;
    size_t len;
};

#define PROTO_TYPED_TABLE(array)                    \
    {                                               \
        (array), sizeof(array) / sizeof((array)[0]) \
    }

/* NULL: the table has no such type. */
const struct proto_shape *
proto_typed_shape(const struct proto_typed_table *table, uint64_t type);

/*
 * Encode the struct at from as type says.  The caller frees *out.
 *
 * ERR_LIMIT  a field above its bound; ERR_INVALID  no such type
 */
MUST_CHECK enum err proto_typed_encode(const struct mem *mem,
                                       const struct proto_typed_table *table,
                                       uint64_t type, const void *from,
                                       struct bytes *out);

/*
 * Decode; views in *to point into in.  *type_out is written when the type is
 * known, *to may be half written on failure.
 *
 * ERR_FORMAT, ERR_LIMIT  malformed
 * ERR_UNSUPPORTED  well-formed, but a type or version not in the table
 */
MUST_CHECK enum err proto_typed_decode(struct view in,
                                       const struct proto_typed_table *table,
                                       uint64_t *type_out, void *to);

/* The type of a message; 0: it has none. */
uint16_t proto_typed_peek(struct view in);

#endif
