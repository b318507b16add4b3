/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/base/phi.h"

#include <string.h>

enum err
phi_from(const struct mem *mem, struct view v, struct phi *out)
{
    if (!proto_utf8_valid(v)) {
        return ERR_FORMAT;
    }
    return bytes_copy(mem, v, &out->hidden_);
}

size_t
phi_len(const struct phi *p)
{
    return p->hidden_.len;
}

struct view
proto_phi_reveal(const struct phi *p)
{
    return view_of(&p->hidden_);
}

void
phi_free(struct phi *p)
{
    bytes_free(&p->hidden_);
}

/* Length of the sequence that lead begins (0: not a lead byte). */
static size_t
sequence_len(uint8_t lead)
{
    if (lead < 0x80) {
        return lead == 0 ? 0 : 1;
    }
    if (lead >= 0xc2 && lead <= 0xdf) {
        return 2;
    }
    if ((lead & 0xf0) == 0xe0) {
        return 3;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        return 4;
    }
    return 0;
}

/* The second byte also rules out overlong forms, surrogates and > U+10FFFF. */
static bool
second_ok(uint8_t lead, uint8_t second)
{
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;

    return second >= low && second <= high;
}

/* Eight bytes that are ASCII, and no NUL among them. */
static bool
plain_eight(const uint8_t *p)
{
    const uint64_t ones = 0x0101010101010101u;
    const uint64_t tops = 0x8080808080808080u;
    uint64_t w;

    memcpy(&w, p, sizeof(w));
    return ((w | (w - ones)) & tops) == 0;
}

bool
proto_utf8_valid(struct view v)
{
    size_t i = 0;

    while (i < v.len) {
        if (v.len - i >= sizeof(uint64_t) && plain_eight(v.p + i)) {
            i += sizeof(uint64_t);
            continue;
        }
        size_t n = sequence_len(v.p[i]);

        if (n == 0 || n > v.len - i) {
            return false;
        }
        for (size_t k = 1; k < n; k++) {
            if ((v.p[i + k] & 0xc0) != 0x80 ||
                (k == 1 && !second_ok(v.p[i], v.p[i + 1]))) {
                return false;
            }
        }
        i += n;
    }
    return true;
}
