/* SPDX-License-Identifier: Apache-2.0 */
/* What decodes as a peer message is encoded to the same bytes. */
#include "proto/base/assert.h"
#include "proto/msg/peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = {data, size};
    struct proto_peer_msg msg;
    struct bytes out = {0};

    if (proto_peer_decode(in, &msg) != OK) {
        return 0;
    }
    ASSERT((unsigned)msg.type == proto_peer_peek(in));
    ASSERT(proto_peer_encode(mem_heap(), &msg, &out) == OK);
    ASSERT(view_equal(view_of(&out), in));
    bytes_free(&out);
    return 0;
}
