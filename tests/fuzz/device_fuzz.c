/* SPDX-License-Identifier: Apache-2.0 */
/* What decodes as a device message is encoded to the same bytes. */
#include "proto/base/assert.h"
#include "proto/msg/device.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = {data, size};
    struct proto_device_msg msg;
    struct bytes out = {0};

    if (proto_device_decode(in, &msg) != OK) {
        return 0;
    }
    ASSERT(proto_device_encode(mem_heap(), &msg, &out) == OK);
    ASSERT(view_equal(view_of(&out), in));
    bytes_free(&out);
    return 0;
}
