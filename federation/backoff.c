/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/backoff.h"

uint64_t
fed_backoff_ms(uint32_t failures, uint64_t random)
{
    uint64_t full = FED_BACKOFF_MAX_MS;

    if (failures == 0) {
        return 0;
    }
    if (failures <= 10) { /* 2^10 s is above the maximum */
        uint64_t grown = (uint64_t)FED_BACKOFF_MIN_MS << (failures - 1);

        full = grown < full ? grown : full;
    }
    return full - random % (full / 2 + 1);
}
