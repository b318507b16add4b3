/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads of pictures from anybody: whatever is taken as one fits, and neither
 * what is behind its head nor where it lies in memory changes what it is.
 */
#include "proto/base/assert.h"
#include "proto/msg/picture.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proto_picture p = {0};
    struct proto_picture again = {0};
    struct bytes longer = {0};
    enum err e = proto_picture_read(view_make(data, size), &p);

    if (e != OK) {
        ASSERT(e == ERR_UNSUPPORTED || e == ERR_FORMAT || e == ERR_LIMIT);
        ASSERT(e == ERR_LIMIT || p.type == PROTO_PICTURE_NONE);
        return 0;
    }
    ASSERT(proto_picture_fits(&p) && p.length == size);
    ASSERT(proto_picture_name(p.type)[0] != '\0');
    ASSERT(bytes_copy(mem_heap(), view_make(data, size), &longer) == OK);
    ASSERT(bytes_append(mem_heap(), &longer, VIEW_LIT("x")) == OK);
    e = proto_picture_read(view_of(&longer), &again);
    ASSERT(e == OK || e == ERR_LIMIT);
    ASSERT(again.type == p.type && again.width == p.width &&
           again.height == p.height);
    bytes_free(&longer);
    return 0;
}
