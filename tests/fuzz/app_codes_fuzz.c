/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Codes of devices, as they are pasted: what is a request is written again as
 * the same text but for spaces; what is a grant opens for nobody else.
 */
#include "federation/app/codes.h"
#include "proto/base/assert.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
same_but_spaces(struct view in, struct view text)
{
    size_t at = 0;

    for (size_t i = 0; i < in.len; i++) {
        if (in.p[i] > ' ') {
            if (at == text.len || text.p[at++] != in.p[i]) {
                return false;
            }
        }
    }
    return at == text.len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t priv[32] = {1};
    struct view in = {data, size};
    struct fed_app_rec_request r;
    struct fed_app_rec_grant g;
    struct bytes out = {0};
    struct bytes hold = {0};

    if (fed_app_request_read(mem_heap(), in, &r) == OK) {
        ASSERT(fed_app_request_text(mem_heap(), &r, &out) == OK);
        ASSERT(same_but_spaces(in, view_of(&out)));
    }
    memset(&r, 0, sizeof(r));
    ASSERT(fed_app_grant_read(mem_heap(), &r, priv, in, &g, &hold) != OK);
    bytes_free(&out);
    bytes_free(&hold);
    return 0;
}
