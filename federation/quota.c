/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/quota.h"

enum {
    BURST_S = 2
};

uint32_t
fed_bucket_spend(struct fed_bucket *b, uint32_t per_s, uint64_t cost,
                 uint64_t now_ms)
{
    uint64_t room = (uint64_t)per_s * BURST_S;
    uint64_t passed = now_ms > b->at_ms ? now_ms - b->at_ms : 0;
    uint64_t wait;

    /* More than the burst is never earned, and the product stays small. */
    passed = passed < BURST_S * 1000u ? passed : BURST_S * 1000u;
    /* at_ms moves only by what was earned in whole bytes */
    if (passed * per_s >= 1000) {
        uint64_t earned = passed * per_s / 1000;

        b->spent = b->spent > earned ? b->spent - earned : 0;
        b->at_ms = now_ms;
    }
    b->spent += cost;
    if (b->spent <= room) {
        return 0;
    }
    wait = (b->spent - room) * 1000 / per_s + 1;
    return wait < FED_QUOTA_WAIT_MAX_MS ? (uint32_t)wait
                                        : FED_QUOTA_WAIT_MAX_MS;
}
