/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/core/early.h"

enum {
    ACK_MAX = 48 /* a frame shorter than this only says "got it" */
};

bool
fed_batch_sends_early(const struct fed_batch *b)
{
    bool worth = false;

    for (size_t i = 0; b != NULL && i < b->acts_len; i++) {
        if (b->acts[i].kind != FED_ACT_SEND) {
            return false;
        }
        worth = worth || b->acts[i].body.len >= ACK_MAX;
    }
    return worth;
}
