/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/sample.h"

#include <string.h>

static void
fill_field(const struct proto_field *f, uint8_t *at, uint8_t n,
           uint8_t item[PROTO_ITEM_SIZE])
{
    static const uint8_t words[] = "words of a sample";
    uint64_t number = f->max < n ? f->max : n;
    bool yes = true;
    struct view v = {words, f->max < 5 ? (size_t)f->max : 5};
    struct proto_list list = {.items = item, .len = 1};

    switch (f->kind) {
    case PROTO_FIELD_UINT:
        memcpy(at, &number, sizeof(number));
        break;
    case PROTO_FIELD_BOOL:
        memcpy(at, &yes, sizeof(yes));
        break;
    case PROTO_FIELD_FIXED:
        memset(at, n, (size_t)f->max);
        break;
    case PROTO_FIELD_BIN:
    case PROTO_FIELD_TEXT:
        memcpy(at, &v, sizeof(v));
        break;
    case PROTO_FIELD_LIST:
        sample_fill(f->item, item, n, NULL);
        memcpy(at, &list, sizeof(list));
        break;
    }
}

void
sample_fill(const struct proto_shape *shape, void *to, uint8_t n,
            uint8_t item[PROTO_ITEM_SIZE])
{
    memset(to, 0, shape->size);
    for (uint32_t i = 0; i < shape->fields_len; i++) {
        fill_field(&shape->fields[i], (uint8_t *)to + shape->fields[i].offset,
                   (uint8_t)(n + i), item);
    }
}
