/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/msg/b64.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

enum err
proto_b64_append(const struct mem *mem, struct view v, struct bytes *out)
{
    size_t rest = v.len % 3;
    size_t len = v.len / 3 * 4 + (rest == 0 ? 0 : rest + 1);
    uint32_t acc = 0;
    unsigned bits = 0;
    enum err e = bytes_reserve(mem, out, len);

    if (e != OK) {
        return e;
    }
    for (size_t i = 0; i < v.len; i++) {
        acc = acc << 8 | v.p[i];
        for (bits += 8; bits >= 6; bits -= 6) {
            out->p[out->len++] = (uint8_t)alphabet[acc >> (bits - 6) & 0x3f];
        }
    }
    if (bits > 0) {
        out->p[out->len++] = (uint8_t)alphabet[acc << (6 - bits) & 0x3f];
    }
    return OK;
}

/* 0 to 63, or 64 for another character. */
static uint32_t
value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - (uint32_t)'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - (uint32_t)'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - (uint32_t)'0' + 52;
    }
    if (c == '-') {
        return 62;
    }
    return c == '_' ? 63 : 64;
}

bool
proto_b64_char(uint8_t c)
{
    return value(c) < 64;
}

enum err
proto_b64_decode(struct view text, uint8_t *out, size_t cap, size_t *len)
{
    uint32_t acc = 0;
    unsigned bits = 0;
    size_t at = 0;

    for (size_t i = 0; i < text.len; i++) {
        uint32_t n = value(text.p[i]);

        if (n > 63) {
            return ERR_FORMAT;
        }
        acc = acc << 6 | n;
        bits += 6;
        if (bits < 8) {
            continue;
        }
        bits -= 8;
        if (at == cap) {
            return ERR_LIMIT;
        }
        out[at++] = (uint8_t)(acc >> bits);
    }
    /* [b64-canonical] */
    if (text.len % 4 == 1 || (acc & ((1u << bits) - 1)) != 0) {
        return ERR_FORMAT;
    }
    *len = at;
    return OK;
}
