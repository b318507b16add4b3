/* SPDX-License-Identifier: Apache-2.0 */
/* The head of a PNG file, and bytes behind it that differ by seed. */
#ifndef TESTS_SUPPORT_PICTURE_H
#define TESTS_SUPPORT_PICTURE_H

#include <stdint.h>
#include <string.h>

enum {
    SAMPLE_PNG = 300
};

static inline void
sample_png(uint8_t *to, uint32_t width, uint32_t height, uint8_t seed)
{
    static const uint8_t head[16] = {0x89, 'P',  'N', 'G', '\r', '\n',
                                     0x1a, '\n', 0,   0,   0,    13,
                                     'I',  'H',  'D', 'R'};

    memset(to, seed, SAMPLE_PNG);
    memcpy(to, head, sizeof(head));
    for (int i = 0; i < 4; i++) {
        to[16 + i] = (uint8_t)(width >> (24 - 8 * i));
        to[20 + i] = (uint8_t)(height >> (24 - 8 * i));
    }
}

#endif
