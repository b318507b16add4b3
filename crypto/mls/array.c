/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/array.h"

#include <string.h>

void *
mls_array_add(struct proto_tls_rd *r, struct arena *a, struct mls_array *array)
{
    if (r->e != OK) {
        return NULL;
    }
    if (array->count == array->max) {
        proto_tls_rd_fail(r, ERR_LIMIT);
        return NULL;
    }
    if (array->count == array->cap) {
        uint32_t cap = array->cap == 0 ? 4 : array->cap * 2;
        void *items = arena_calloc(a, cap, array->size);

        if (items == NULL) {
            proto_tls_rd_fail(r, ERR_NOMEM);
            return NULL;
        }
        if (array->count > 0) {
            memcpy(items, array->items, array->count * array->size);
        }
        array->items = items;
        array->cap = cap;
    }
    return (uint8_t *)array->items + array->size * array->count++;
}

void
mls_rd_join(struct proto_tls_rd *r, const struct proto_tls_rd *sub)
{
    enum err e = proto_tls_rd_end(sub);

    if (e != OK) {
        proto_tls_rd_fail(r, e);
    }
}

struct view
mls_rd_since(const struct proto_tls_rd *r, struct view start)
{
    if (r->e != OK) {
        return (struct view){0};
    }
    return view_sub(start, 0, start.len - r->left.len);
}
