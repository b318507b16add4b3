/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/ws.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"
#include "tests/support/seed_rng.h"

#include <string.h>

enum {
    MAX = 100000
};

/* A client's frame: first byte, payload, mask. */
static void
add(struct bytes *to, uint8_t first, struct view payload)
{
    static const uint8_t mask[4] = {0x11, 0x22, 0x33, 0x44};
    uint8_t h[FED_WS_HEADER_OUT];
    size_t n = fed_ws_header(FED_WS_BINARY, payload.len, h);

    h[0] = first;
    h[1] |= 0x80;
    CHECK_OK(bytes_append(mem_heap(), to, view_make(h, n)));
    CHECK_OK(bytes_append(mem_heap(), to, VIEW_ARRAY(mask)));
    CHECK_OK(bytes_append(mem_heap(), to, payload));
    for (size_t i = 0; i < payload.len; i++) {
        to->p[to->len - payload.len + i] ^= mask[i % 4];
    }
}

static struct bytes
pattern(size_t len)
{
    struct bytes b = {0};

    CHECK_OK(bytes_alloc(mem_heap(), len, &b));
    for (size_t i = 0; i < len; i++) {
        b.p[i] = (uint8_t)(i * 7);
    }
    return b;
}

TEST(messages_of_all_sizes_in_all_pieces)
{
    static const size_t sizes[] = {0, 1, 125, 126, 127, 65535, 65536, MAX};
    struct seed_rng rng;

    seed_rng_init(&rng, 1);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct fed_ws_rd r = {.mem = mem_heap()};
        struct bytes want = pattern(sizes[i]);
        struct bytes wire = {0};
        struct view left;
        struct view out;
        enum fed_ws_what what;
        int got = 0;

        add(&wire, 0x82, view_of(&want));
        add(&wire, 0x82, view_of(&want));
        left = view_of(&wire);
        while (left.len > 0) {
            size_t n = seed_rng_below(&rng, left.len) + 1;
            struct view in = view_sub(left, 0, n);

            while (fed_ws_next(&r, MAX, &in, &what, &out) == OK) {
                CHECK_EQ(what, FED_WS_BINARY);
                CHECK_VIEW(out, view_of(&want));
                got++;
            }
            CHECK_EQ(in.len, 0);
            left = view_skip(left, n);
        }
        CHECK_EQ(got, 2);
        CHECK(!fed_ws_partial(&r));
        fed_ws_clear(&r);
        bytes_free(&wire);
        bytes_free(&want);
    }
}

TEST(nothing_is_read_ahead)
{
    struct fed_ws_rd r = {.mem = mem_heap()};
    struct bytes wire = {0};
    struct view in;
    struct view out;
    enum fed_ws_what what;

    add(&wire, 0x82, VIEW_LIT("one"));
    add(&wire, 0x82, VIEW_LIT("two"));
    in = view_of(&wire);
    CHECK_OK(fed_ws_next(&r, MAX, &in, &what, &out));
    CHECK_EQ(in.len, wire.len / 2);
    CHECK_OK(fed_ws_next(&r, MAX, &in, &what, &out));
    CHECK_VIEW(out, VIEW_LIT("two"));
    fed_ws_clear(&r);
    bytes_free(&wire);
}

TEST(pieces_with_control_frames_between)
{
    struct fed_ws_rd r = {.mem = mem_heap()};
    struct bytes wire = {0};
    struct view in;
    struct view out;
    enum fed_ws_what what;

    add(&wire, 0x02, VIEW_LIT("ab"));
    add(&wire, 0x89, VIEW_LIT("ping"));
    add(&wire, 0x00, VIEW_LIT("cd"));
    add(&wire, 0x8a, VIEW_LIT(""));
    add(&wire, 0x80, VIEW_LIT("ef"));
    add(&wire, 0x88, VIEW_LIT("\x03\xe8"));
    in = view_of(&wire);
    CHECK_OK(fed_ws_next(&r, MAX, &in, &what, &out));
    CHECK_EQ(what, FED_WS_PING);
    CHECK_VIEW(out, VIEW_LIT("ping"));
    CHECK_OK(fed_ws_next(&r, MAX, &in, &what, &out));
    CHECK_EQ(what, FED_WS_PONG);
    CHECK(fed_ws_partial(&r));
    CHECK_OK(fed_ws_next(&r, MAX, &in, &what, &out));
    CHECK_EQ(what, FED_WS_BINARY);
    CHECK_VIEW(out, VIEW_LIT("abcdef"));
    CHECK_OK(fed_ws_next(&r, MAX, &in, &what, &out));
    CHECK_EQ(what, FED_WS_CLOSE);
    CHECK_EQ(out.len, 2);
    fed_ws_clear(&r);
    bytes_free(&wire);
}

static enum err
read_one(const char *hex, size_t max)
{
    struct fed_ws_rd r = {.mem = mem_heap()};
    struct view in = check_hex(hex);
    struct view out;
    enum fed_ws_what what;
    enum err e;

    do {
        e = fed_ws_next(&r, max, &in, &what, &out);
    } while (e == OK);
    fed_ws_clear(&r);
    return e;
}

/* [ws-rsv] [ws-masked] [ws-control] [ws-pieces] [ws-length] [ws-close] */
TEST(what_is_against_the_protocol)
{
    static const char *const bad[] = {
        "c2 80 00000000",                /* RSV1: nobody compresses here */
        "92 80 00000000",                /* RSV3 */
        "82 00",                         /* not masked */
        "83 80 00000000",                /* no such opcode */
        "8b 80 00000000",                /* no such control frame */
        "89 fe 007e 00000000",           /* a long ping */
        "09 80 00000000",                /* a ping in pieces */
        "80 80 00000000",                /* a piece of nothing */
        "02 80 00000000 82 80 00000000", /* a message inside another */
        "82 fe 007d 00000000",           /* not the shortest */
        "82 ff 000000000000ffff 00000000",
        "82 ff 8000000000000000 00000000",
        "88 81 00000000 03", /* half a code */
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK_ERR(read_one(bad[i], MAX), ERR_FORMAT);
    }
    CHECK_ERR(read_one("81 80 00000000", MAX), ERR_UNSUPPORTED);
    CHECK_ERR(read_one("82 80 00000000", MAX), ERR_AGAIN);
}

TEST(lengths_are_checked_before_anything_is_held)
{
    CHECK_ERR(read_one("82 8b 00000000", 10), ERR_LIMIT);
    CHECK_ERR(read_one("82 ff 7fffffffffffffff 00000000", MAX), ERR_LIMIT);
    CHECK_ERR(read_one("02 86 00000000 000000000000 80 85 00000000", 10),
              ERR_LIMIT);
    CHECK_ERR(
        read_one("02 86 00000000 000000000000 80 84 00000000 00000000", 10),
        ERR_AGAIN);
}

/* A message of endless small or empty pieces. */
TEST(a_flood_of_pieces)
{
    struct fed_ws_rd r = {.mem = mem_heap()};
    struct bytes wire = {0};
    struct view in;
    struct view out;
    enum fed_ws_what what;

    add(&wire, 0x02, VIEW_LIT(""));
    for (int i = 0; i < 40; i++) {
        add(&wire, 0x00, VIEW_LIT(""));
    }
    in = view_of(&wire);
    CHECK_ERR(fed_ws_next(&r, MAX, &in, &what, &out), ERR_LIMIT);
    CHECK_EQ(in.len, (41 - FED_WS_PIECES - 1) * 6);
    fed_ws_clear(&r);
    bytes_free(&wire);
}

TEST(a_promise_is_not_allocated)
{
    struct fed_ws_rd r = {.mem = mem_heap()};
    struct view in = check_hex("82 ff 0000000000ffffff 00000000 01 02");
    struct view out;
    enum fed_ws_what what;

    CHECK_ERR(fed_ws_next(&r, 1 << 24, &in, &what, &out), ERR_AGAIN);
    CHECK(fed_ws_held(&r) <= 4096);
    fed_ws_clear(&r);
}

TEST(torture)
{
    struct bytes want = pattern(20000);
    struct bytes wire = {0};

    add(&wire, 0x02, view_of(&want));
    add(&wire, 0x80, view_of(&want));
    for (uint64_t n = 1;; n++) {
        struct fail_mem f;
        struct fed_ws_rd r;
        struct view left = view_of(&wire);
        struct view out;
        enum fed_ws_what what;
        enum err e = ERR_AGAIN;

        fail_mem_init(&f, n);
        r = (struct fed_ws_rd){.mem = &f.mem};
        while (left.len > 0 && e == ERR_AGAIN) {
            size_t take = left.len < 1000 ? left.len : 1000;
            struct view in = view_sub(left, 0, take);

            e = fed_ws_next(&r, MAX, &in, &what, &out);
            left = view_skip(left, take);
        }
        fed_ws_clear(&r);
        CHECK_EQ(f.live, 0);
        if (!f.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
    bytes_free(&wire);
    bytes_free(&want);
}

int
main(void)
{
    return RUN(T(messages_of_all_sizes_in_all_pieces), T(nothing_is_read_ahead),
               T(pieces_with_control_frames_between),
               T(what_is_against_the_protocol),
               T(lengths_are_checked_before_anything_is_held),
               T(a_flood_of_pieces), T(a_promise_is_not_allocated), T(torture));
}
