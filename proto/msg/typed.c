/* SPDX-License-Identifier: Apache-2.0 */
/* Messages by the table of their protocol. */
#include "proto/msg/typed.h"

static const struct proto_typed *
find(const struct proto_typed_table *table, uint64_t type)
{
    for (size_t i = 0; i < table->len; i++) {
        if (table->at[i].type == type) {
            return &table->at[i];
        }
    }
    return NULL;
}

const struct proto_shape *
proto_typed_shape(const struct proto_typed_table *table, uint64_t type)
{
    const struct proto_typed *entry = find(table, type);

    return entry == NULL ? NULL : &entry->shape;
}

enum err
proto_typed_encode(const struct mem *mem, const struct proto_typed_table *table,
                   uint64_t type, const void *from, struct bytes *out)
{
    const struct proto_typed *entry = find(table, type);
    uint64_t head[2];

    if (entry == NULL) {
        return ERR_INVALID;
    }
    head[0] = entry->type;
    head[1] = entry->version;
    return proto_shape_encode(mem, &entry->shape, head, 2, from, out);
}

/* The head of an array that starts with a type and a version. */
static uint64_t
read_head(struct proto_rd *r, uint64_t *version)
{
    uint64_t type;

    if (proto_rd_list(r, 64) < 2) {
        proto_rd_fail(r, ERR_FORMAT);
    }
    type = proto_rd_u16(r);
    *version = proto_rd_u8(r);
    return r->e == OK ? type : 0;
}

uint16_t
proto_typed_peek(struct view in)
{
    struct proto_rd r = proto_rd_open(in);
    uint64_t version;

    return (uint16_t)read_head(&r, &version);
}

enum err
proto_typed_decode(struct view in, const struct proto_typed_table *table,
                   uint64_t *type_out, void *to)
{
    struct proto_rd r = proto_rd_open(in);
    const struct proto_typed *entry;
    uint64_t head[2];

    head[0] = read_head(&r, &head[1]);
    if (r.e != OK) {
        return r.e;
    }
    entry = find(table, head[0]);
    if (entry == NULL || head[1] != entry->version) {
        r = proto_rd_open(in);
        (void)proto_rd_raw(&r);
        return proto_rd_end(&r) == OK ? ERR_UNSUPPORTED : ERR_FORMAT;
    }
    *type_out = entry->type;
    return proto_shape_decode(in, &entry->shape, head, 2, to);
}
