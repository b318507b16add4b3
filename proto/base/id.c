/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/base/id.h"

#include "proto/base/assert.h"

void
proto_hex(struct view v, char out[PROTO_HEX_MAX + 1])
{
    static const char digits[] = "0123456789abcdef";

    ASSERT(v.len <= PROTO_HEX_MAX / 2);
    for (size_t i = 0; i < v.len; i++) {
        out[2 * i] = digits[v.p[i] >> 4];
        out[2 * i + 1] = digits[v.p[i] & 15];
    }
    out[2 * v.len] = '\0';
}

static int
nibble(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

enum err
proto_unhex(struct view hex, uint8_t *out, size_t out_len)
{
    if (hex.len / 2 != out_len || hex.len % 2 != 0) {
        return ERR_FORMAT;
    }
    for (size_t i = 0; i < out_len; i++) {
        int hi = nibble(hex.p[2 * i]);
        int lo = nibble(hex.p[2 * i + 1]);

        if (hi < 0 || lo < 0) {
            return ERR_FORMAT;
        }
        out[i] = (uint8_t)(hi << 4 | lo);
    }
    return OK;
}
