/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame reader, fed in pieces that the input chooses: the frames are the
 * same as in one piece, re-encode to what was read, and the buffer never holds
 * more than twice what arrived (but for its smallest size).
 */
#include "federation/frame.h"
#include "proto/base/assert.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    MAX = 6000,
    PIECE_MAX = 97,
    SMALLEST = 4096
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fed_frame_rd whole = {.mem = mem_heap()};
    struct fed_frame_rd parts = {.mem = mem_heap()};
    struct view all = view_make(data + (size > 0), size - (size > 0));
    struct view rest = all;
    size_t step = size > 0 ? data[0] % PIECE_MAX + 1u : 1;
    size_t fed = 0;
    struct view piece = {NULL, 0};
    enum err e = OK;

    while (e == OK) {
        uint8_t header[FED_FRAME_HEADER];
        struct view want, got;
        struct view before = rest;
        enum err f = ERR_AGAIN;

        e = fed_frame_next(&whole, MAX, &rest, &want);
        while (f == ERR_AGAIN && (piece.len > 0 || fed < all.len)) {
            if (piece.len == 0) {
                size_t n = all.len - fed < step ? all.len - fed : step;

                piece = view_sub(all, fed, n);
                fed += n;
            }
            f = fed_frame_next(&parts, MAX, &piece, &got);
            ASSERT(fed_frame_held(&parts) <= SMALLEST ||
                   fed_frame_held(&parts) <= 2 * fed);
        }
        ASSERT(e == f);
        if (e == OK) {
            ASSERT(view_equal(want, got) && want.len <= MAX);
            fed_frame_header((uint32_t)want.len, header);
            ASSERT(view_equal(VIEW_ARRAY(header),
                              view_sub(before, 0, sizeof(header))));
            ASSERT(
                view_equal(want, view_sub(before, sizeof(header), want.len)));
        }
    }
    fed_frame_clear(&whole);
    fed_frame_clear(&parts);
    return 0;
}
