/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shapes: a message is a C struct and a table of its fields.  One writer and
 * one strict reader serve all of them, so that there is one place where bytes
 * from outside are bounded, and one encoding per value.
 *
 * On the wire a shape is a msgpack array with exactly its fields in order.
 * Numbers are uint64_t members, flags bool, ids and hashes arrays of their
 * size, byte strings and text struct view, lists struct proto_list.  Nothing
 * is allocated while reading: views and lists point into the input.
 */
#ifndef PROTO_MSG_SHAPE_H
#define PROTO_MSG_SHAPE_H

#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"

#include <stddef.h>

enum proto_field_kind {
    PROTO_FIELD_UINT,  /* uint64_t, at most max */
    PROTO_FIELD_BOOL,  /* bool */
    PROTO_FIELD_FIXED, /* uint8_t[max] */
    PROTO_FIELD_BIN,   /* struct view, at most max bytes */
    PROTO_FIELD_TEXT,  /* struct view, UTF-8, at most max bytes */
    PROTO_FIELD_LIST   /* struct proto_list, at most max items of shape item */
};

struct proto_shape;

struct proto_field {
    enum proto_field_kind kind;
    uint32_t offset;
    uint64_t max;
    const struct proto_shape *item;
};

struct proto_shape {
    const struct proto_field *fields;
    uint32_t fields_len;
    uint32_t size; /* of the struct; an item's is at most PROTO_ITEM_SIZE */
};

enum {
    PROTO_ITEM_SIZE = 256
};

/*
 * Items of one shape.  To write: items points to an array of len structs.
 * What was read: items is NULL, raw holds the len items as they came, already
 * checked; go through them with proto_list_next.
 */
struct proto_list {
    const void *items;
    uint32_t len;
    struct view raw;
};

#define PROTO_UINT(S, m, most)                                \
    {                                                         \
        PROTO_FIELD_UINT, offsetof(struct S, m), (most), NULL \
    }
#define PROTO_BOOL(S, m)                                 \
    {                                                    \
        PROTO_FIELD_BOOL, offsetof(struct S, m), 0, NULL \
    }
#define PROTO_FIXED(S, m)                                                     \
    {                                                                         \
        PROTO_FIELD_FIXED, offsetof(struct S, m), sizeof(((struct S *)0)->m), \
            NULL                                                              \
    }
#define PROTO_BIN(S, m, most)                                \
    {                                                        \
        PROTO_FIELD_BIN, offsetof(struct S, m), (most), NULL \
    }
#define PROTO_TEXT(S, m, most)                                \
    {                                                         \
        PROTO_FIELD_TEXT, offsetof(struct S, m), (most), NULL \
    }
#define PROTO_LIST(S, m, most, shape)                             \
    {                                                             \
        PROTO_FIELD_LIST, offsetof(struct S, m), (most), &(shape) \
    }
#define PROTO_SHAPE(S, table)                                         \
    {                                                                 \
        (table), sizeof(table) / sizeof((table)[0]), sizeof(struct S) \
    }

/* Write the fields of *from (an object of the shape), without array head. */
void proto_shape_put(struct proto_wr *w, const struct proto_shape *shape,
                     const void *from);

/*
 * Read the fields into *to, whose bytes are zeroed first.  Failures stay in r:
 * ERR_FORMAT  malformed; ERR_LIMIT  a value above the table's bound
 */
void proto_shape_get(struct proto_rd *r, const struct proto_shape *shape,
                     void *to);

/*
 * A whole value: the array of head_len numbers and then the fields.  For what
 * starts with [type, version].
 */
MUST_CHECK enum err proto_shape_encode(const struct mem *mem,
                                       const struct proto_shape *shape,
                                       const uint64_t *head, size_t head_len,
                                       const void *from, struct bytes *out);

/*
 * The same back; head must be what is there.
 * ERR_UNSUPPORTED  another head
 */
MUST_CHECK enum err proto_shape_decode(struct view in,
                                       const struct proto_shape *shape,
                                       const uint64_t *head, size_t head_len,
                                       void *to);

/*
 * The next item of a list into *item (an object of shape, the list's).  Start
 * with *at = {0}.  False at the end.
 */
struct proto_list_at {
    uint32_t index;
    struct view left;
};
bool proto_list_next(const struct proto_list *list,
                     const struct proto_shape *shape, struct proto_list_at *at,
                     void *item);

#endif
