/* SPDX-License-Identifier: Apache-2.0 */
#include "node/plain.h"

#include "proto/base/phi.h"

static bool
is_plain(uint32_t c)
{
    if (c < 0x20 || (c >= 0x7f && c < 0xa0)) {
        return false; /* C0, DEL, C1 */
    }
    if (c == 0x061c || c == 0x200e || c == 0x200f || c == 0xfeff) {
        return false; /* marks of direction, byte order mark */
    }
    /* separators, embeddings and overrides; isolates; tags */
    return (c < 0x2028 || c > 0x202e) && (c < 0x2060 || c > 0x206f) &&
           (c & ~0x7fu) != 0xe0000;
}

bool
node_plain(struct view text)
{
    size_t i = 0;

    if (!proto_utf8_valid(text)) {
        return false;
    }
    while (i < text.len) {
        uint32_t c = text.p[i];
        size_t more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;

        c = more == 0 ? c : c & (0x3fu >> more);
        for (i++; more > 0; more--) {
            c = c << 6 | (text.p[i++] & 0x3fu);
        }
        if (!is_plain(c)) {
            return false;
        }
    }
    return true;
}
