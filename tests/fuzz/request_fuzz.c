/* SPDX-License-Identifier: Apache-2.0 */
/* What is read as a plain request, jansson reads as the same. */
#include "node/request.h"
#include "proto/base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_error_t error;
    json_t *plain = node_request_plain(view_make(data, size));
    json_t *full = size == 0 ? NULL
                             : json_loadb((const char *)data, size,
                                          JSON_REJECT_DUPLICATES, &error);

    if (plain != NULL) {
        ASSERT(full != NULL && json_equal(plain, full));
    }
    json_decref(plain);
    json_decref(full);
    return 0;
}
