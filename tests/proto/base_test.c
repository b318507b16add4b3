/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/base/arena.h"
#include "proto/base/id.h"
#include "proto/base/phi.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"

#include <string.h>

TEST(bytes_grow_and_keep_content)
{
    struct bytes b = {0};

    for (int i = 0; i < 300; i++) {
        uint8_t c = (uint8_t)i;

        CHECK_OK(bytes_append(mem_heap(), &b, view_make(&c, 1)));
    }
    CHECK_EQ(b.len, 300);
    CHECK_EQ(b.p[299], 299 & 255);
    bytes_truncate(&b, 2);
    CHECK_VIEW(view_of(&b), check_hex("0001"));
    bytes_free(&b);
    bytes_free(&b);
    CHECK(b.p == NULL);
}

TEST(bytes_survive_a_failed_allocation)
{
    for (uint64_t n = 1;; n++) {
        struct fail_mem f;
        struct bytes b = {0};
        enum err e = OK;

        fail_mem_init(&f, n);
        for (int i = 0; i < 200 && e == OK; i++) {
            e = bytes_append(&f.mem, &b, VIEW_LIT("x"));
        }
        CHECK(e == OK || b.len > 0 || n == 1);
        bytes_free(&b);
        CHECK_EQ(f.live, 0);
        if (!f.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

/* What a freed buffer held must not be found in it. */
static uint8_t last_freed[64];

static void *
keep_alloc(void *ctx, size_t size)
{
    return size <= 64 ? ctx : NULL;
}

static void
keep_release(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    memcpy(last_freed, ptr, size);
}

TEST(freed_bytes_are_wiped)
{
    static uint8_t room[64];
    struct mem mem = {keep_alloc, keep_release, room};
    struct bytes b = {0};

    CHECK_OK(bytes_copy(&mem, VIEW_LIT("a secret of sixteen and more"), &b));
    memset(last_freed, 0xff, sizeof(last_freed));
    bytes_free(&b);
    for (size_t i = 0; i < 28; i++) {
        CHECK_EQ(last_freed[i], 0);
    }
}

TEST(calloc_refuses_overflow)
{
    CHECK(mem_calloc(mem_heap(), SIZE_MAX / 2, 3) == NULL);
    CHECK(mem_calloc(mem_heap(), 0, 3) == NULL);
}

TEST(arena_aligns_and_clears)
{
    struct arena a = {.mem = mem_heap()};
    struct view v;

    for (size_t n = 1; n < 5000; n = n * 3 + 1) {
        void *p = arena_alloc(&a, n);

        CHECK(p != NULL && (uintptr_t)p % 16 == 0);
        memset(p, 0xaa, n);
    }
    CHECK_OK(arena_copy(&a, VIEW_LIT("kept"), &v));
    CHECK_VIEW(v, VIEW_LIT("kept"));
    CHECK(arena_alloc(&a, 0) == NULL);
    CHECK(arena_calloc(&a, SIZE_MAX, 2) == NULL);
    arena_clear(&a);
    arena_clear(&a);
}

TEST(hex_round_trip)
{
    char hex[PROTO_HEX_MAX + 1];
    uint8_t back[3];

    proto_hex(check_hex("00ff7a"), hex);
    CHECK_STR(hex, "00ff7a");
    CHECK_OK(proto_unhex(VIEW_LIT("00FF7a"), back, 3));
    CHECK_VIEW(VIEW_ARRAY(back), check_hex("00ff7a"));
    CHECK_ERR(proto_unhex(VIEW_LIT("00ff7"), back, 3), ERR_FORMAT);
    CHECK_ERR(proto_unhex(VIEW_LIT("00ff7g"), back, 3), ERR_FORMAT);
}

TEST(utf8_accepts_only_well_formed)
{
    CHECK(proto_utf8_valid(VIEW_LIT("")));
    CHECK(proto_utf8_valid(VIEW_LIT("Gr\xc3\xbc\xc3\x9f \xf0\x9f\x8c\xbf")));
    CHECK(!proto_utf8_valid(check_hex("61 00 62")));
    CHECK(!proto_utf8_valid(check_hex("c0 af")));
    for (size_t i = 0; i < 20; i++) {
        uint8_t text[20];

        memset(text, 'a', sizeof(text));
        text[i] = 0;
        CHECK(!proto_utf8_valid(VIEW_ARRAY(text)));
        text[i] = 0x80;
        CHECK(!proto_utf8_valid(VIEW_ARRAY(text)));
        text[i] = 1;
        CHECK(proto_utf8_valid(VIEW_ARRAY(text)));
    }
    CHECK(!proto_utf8_valid(check_hex("e0 9f bf")));
    CHECK(!proto_utf8_valid(check_hex("ed a0 80")));
    CHECK(!proto_utf8_valid(check_hex("f4 90 80 80")));
    CHECK(!proto_utf8_valid(check_hex("f0 9f 8c")));
    CHECK(!proto_utf8_valid(check_hex("80")));
}

TEST(error_names)
{
    CHECK_STR(err_name(OK), "ok");
    CHECK_STR(err_name(ERR_LIMIT), "limit");
    CHECK_STR(err_name(ERR_COUNT_), "unknown");
    for (unsigned i = 0; i < ERR_COUNT_; i++) {
        CHECK(strcmp(err_name((enum err)i), "unknown") != 0);
    }
}

int
main(void)
{
    return RUN(T(bytes_grow_and_keep_content),
               T(bytes_survive_a_failed_allocation), T(freed_bytes_are_wiped),
               T(calloc_refuses_overflow), T(arena_aligns_and_clears),
               T(hex_round_trip), T(utf8_accepts_only_well_formed),
               T(error_names));
}
