/* SPDX-License-Identifier: Apache-2.0 */
/* Records of carried attachments: what is read is written as the same bytes. */
#include "node/carried.h"
#include "proto/base/assert.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct node_carried c;
    uint8_t key[NODE_CARRIED_KEY];
    uint8_t value[NODE_CARRIED_VALUE];
    struct view in = view_make(data, size);
    struct view k = view_sub(in, 0, size < sizeof(key) ? size : sizeof(key));

    if (node_carried_read(k, view_skip(in, k.len), &c) == OK) {
        node_carried_write(&c, key, value);
        ASSERT(view_equal(VIEW_ARRAY(key), k));
        ASSERT(view_equal(VIEW_ARRAY(value), view_skip(in, k.len)));
    }
    return 0;
}
