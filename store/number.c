/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in keys: big-endian, so that they sort. */
#include "store/inner.h"

void
store_put_u64(uint8_t out[8], uint64_t n)
{
    for (int i = 0; i < 8; i++) {
        out[i] = (uint8_t)(n >> (56 - 8 * i));
    }
}

uint64_t
store_get_u64(const uint8_t in[8])
{
    uint64_t n = 0;

    for (int i = 0; i < 8; i++) {
        n = n << 8 | in[i];
    }
    return n;
}

void
store_put_u32(uint8_t out[4], uint32_t n)
{
    for (int i = 0; i < 4; i++) {
        out[i] = (uint8_t)(n >> (24 - 8 * i));
    }
}

uint32_t
store_get_u32(const uint8_t in[4])
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 |
           (uint32_t)in[2] << 8 | in[3];
}

uint64_t
store_step_from(uint64_t before, uint64_t n)
{
    return n >= before ? (n - before) << 1 : ((before - n) << 1) - 1;
}

bool
store_step_to(uint64_t before, uint64_t step, uint64_t *out)
{
    uint64_t by = (step >> 1) + (step & 1);

    return (step & 1) != 0 ? !__builtin_sub_overflow(before, by, out)
                           : !__builtin_add_overflow(before, by, out);
}
