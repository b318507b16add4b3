/* SPDX-License-Identifier: Apache-2.0 */
/* Contents, group extensions and AAD are encoded to the bytes they came as. */
#include "proto/base/assert.h"
#include "proto/msg/content.h"
#include "proto/msg/group.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = {data, size};
    struct proto_content c;
    struct proto_group group;
    struct proto_aad aad;
    struct bytes out = {0};

    if (proto_content_decode(in, &c) == OK) {
        ASSERT(proto_content_encode(mem_heap(), &c, &out) == OK);
        ASSERT(view_equal(view_of(&out), in));
        bytes_free(&out);
    }
    if (proto_group_decode(in, &group) == OK) {
        ASSERT(proto_group_encode(mem_heap(), &group, &out) == OK);
        ASSERT(view_equal(view_of(&out), in));
        bytes_free(&out);
    }
    if (proto_aad_decode(in, &aad) == OK) {
        ASSERT(proto_aad_encode(mem_heap(), &aad, &out) == OK);
        ASSERT(view_equal(view_of(&out), in));
        bytes_free(&out);
    }
    return 0;
}
