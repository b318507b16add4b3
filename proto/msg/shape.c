/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields are reached by their offset; memcpy keeps that free of aliasing
 * surprises.  Depth is that of the tables, never of the input.
 */
#include "proto/msg/shape.h"

#include "proto/base/assert.h"

#include <string.h>

static const void *
at_const(const void *base, uint32_t offset)
{
    return (const uint8_t *)base + offset;
}

static void
put_list(struct proto_wr *w, const struct proto_field *f,
         const struct proto_list *list)
{
    if (list->len > f->max) {
        proto_wr_fail(w, ERR_LIMIT);
        return;
    }
    proto_wr_array(w, list->len);
    if (list->items == NULL) {
        if (list->raw.len > 0) {
            proto_wr_raw(w, list->raw);
        }
        return;
    }
    for (uint32_t i = 0; i < list->len; i++) {
        proto_wr_array(w, f->item->fields_len);
        proto_shape_put(w, f->item,
                        (const uint8_t *)list->items +
                            (size_t)i * f->item->size);
    }
}

static void
put_bytes(struct proto_wr *w, const struct proto_field *f, const void *from)
{
    struct view v;

    memcpy(&v, from, sizeof(v));
    if (v.len > f->max) {
        proto_wr_fail(w, ERR_LIMIT);
    } else if (f->kind == PROTO_FIELD_TEXT) {
        proto_wr_str(w, v);
    } else {
        proto_wr_bin(w, v);
    }
}

static void
put_field(struct proto_wr *w, const struct proto_field *f, const void *from)
{
    uint64_t n;
    bool b;
    struct proto_list list;

    switch (f->kind) {
    case PROTO_FIELD_UINT:
        memcpy(&n, from, sizeof(n));
        if (n > f->max) {
            proto_wr_fail(w, ERR_LIMIT);
        }
        proto_wr_uint(w, n);
        break;
    case PROTO_FIELD_BOOL:
        memcpy(&b, from, sizeof(b));
        proto_wr_bool(w, b);
        break;
    case PROTO_FIELD_FIXED:
        proto_wr_bin(w, view_make(from, (size_t)f->max));
        break;
    case PROTO_FIELD_BIN:
    case PROTO_FIELD_TEXT:
        put_bytes(w, f, from);
        break;
    case PROTO_FIELD_LIST:
        memcpy(&list, from, sizeof(list));
        put_list(w, f, &list);
        break;
    }
}

void
proto_shape_put(struct proto_wr *w, const struct proto_shape *shape,
                const void *from)
{
    for (uint32_t i = 0; i < shape->fields_len; i++) {
        put_field(w, &shape->fields[i],
                  at_const(from, shape->fields[i].offset));
    }
}

static void
get_list(struct proto_rd *r, const struct proto_field *f, void *to)
{
    struct proto_list list = {0};
    _Alignas(max_align_t) uint8_t item[PROTO_ITEM_SIZE];
    struct view from;

    ASSERT(f->item->size <= sizeof(item));
    list.len = proto_rd_list(r, (uint32_t)f->max);
    from = r->left;
    for (uint32_t i = 0; i < list.len && r->e == OK; i++) {
        proto_rd_array(r, f->item->fields_len);
        proto_shape_get(r, f->item, item);
    }
    if (r->e == OK) {
        list.raw = view_sub(from, 0, from.len - r->left.len);
    } else {
        list.len = 0;
    }
    memcpy(to, &list, sizeof(list));
}

static void
get_field(struct proto_rd *r, const struct proto_field *f, void *to)
{
    uint64_t n;
    bool b;
    struct view v;

    switch (f->kind) {
    case PROTO_FIELD_UINT:
        n = proto_rd_uint(r, f->max);
        memcpy(to, &n, sizeof(n));
        break;
    case PROTO_FIELD_BOOL:
        b = proto_rd_bool(r);
        memcpy(to, &b, sizeof(b));
        break;
    case PROTO_FIELD_FIXED:
        proto_rd_fixed(r, to, (size_t)f->max);
        break;
    case PROTO_FIELD_BIN:
        v = proto_rd_bin(r, (size_t)f->max);
        memcpy(to, &v, sizeof(v));
        break;
    case PROTO_FIELD_TEXT:
        v = proto_rd_str(r, (size_t)f->max);
        memcpy(to, &v, sizeof(v));
        break;
    case PROTO_FIELD_LIST:
        get_list(r, f, to);
        break;
    }
}

void
proto_shape_get(struct proto_rd *r, const struct proto_shape *shape, void *to)
{
    memset(to, 0, shape->size);
    for (uint32_t i = 0; i < shape->fields_len; i++) {
        get_field(r, &shape->fields[i],
                  (uint8_t *)to + shape->fields[i].offset);
    }
}

enum err
proto_shape_encode(const struct mem *mem, const struct proto_shape *shape,
                   const uint64_t *head, size_t head_len, const void *from,
                   struct bytes *out)
{
    struct proto_wr w = proto_wr_open(mem);

    proto_wr_array(&w, head_len + shape->fields_len);
    for (size_t i = 0; i < head_len; i++) {
        proto_wr_uint(&w, head[i]);
    }
    proto_shape_put(&w, shape, from);
    return proto_wr_take(&w, out);
}

enum err
proto_shape_decode(struct view in, const struct proto_shape *shape,
                   const uint64_t *head, size_t head_len, void *to)
{
    struct proto_rd r = proto_rd_open(in);

    proto_rd_array(&r, (uint32_t)head_len + shape->fields_len);
    for (size_t i = 0; i < head_len; i++) {
        if (proto_rd_u64(&r) != head[i]) {
            proto_rd_fail(&r, ERR_UNSUPPORTED);
        }
    }
    proto_shape_get(&r, shape, to);
    return proto_rd_end(&r);
}

bool
proto_list_next(const struct proto_list *list, const struct proto_shape *shape,
                struct proto_list_at *at, void *item)
{
    struct proto_rd r;

    if (at->index >= list->len) {
        return false;
    }
    if (list->items != NULL) {
        memcpy(item,
               (const uint8_t *)list->items + (size_t)at->index * shape->size,
               shape->size);
        at->index++;
        return true;
    }
    r = proto_rd_open(at->index == 0 ? list->raw : at->left);
    proto_rd_array(&r, shape->fields_len);
    proto_shape_get(&r, shape, item);
    at->left = r.left;
    at->index++;
    return r.e == OK;
}
