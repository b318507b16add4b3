/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/base/limits.h"
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"

static enum err
number(const char *hex, uint64_t max, uint64_t *n)
{
    struct proto_rd r = proto_rd_open(check_hex(hex));

    *n = proto_rd_uint(&r, max);
    return proto_rd_end(&r);
}

TEST(numbers_at_every_boundary)
{
    static const struct {
        const char *hex;
        uint64_t n;
    } good[] = {
        {"00", 0},
        {"7f", 127},
        {"cc80", 128},
        {"ccff", 255},
        {"cd0100", 256},
        {"cdffff", 65535},
        {"ce00010000", 65536},
        {"ceffffffff", UINT32_MAX},
        {"cf0000000100000000", UINT64_C(1) << 32},
        {"cfffffffffffffffff", UINT64_MAX},
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct proto_wr w = proto_wr_open(mem_heap());
        uint64_t n;

        CHECK_OK(number(good[i].hex, UINT64_MAX, &n));
        CHECK(n == good[i].n);
        proto_wr_uint(&w, good[i].n);
        CHECK_VIEW(proto_wr_view(&w), check_hex(good[i].hex));
        proto_wr_clear(&w);
    }
}

/* [msgpack-shortest] */
TEST(longer_encodings_are_refused)
{
    static const char *const bad[] = {
        "cc7f", "cd00ff", "ce0000ffff",       "cf00000000ffffffff",
        "cc",   "cd01",   "cf00000001000000", "",
    };
    static const char *const bad_raw[] = {
        "c5000161", "c6000000ff", "d90161",   "da001061", "db000000",
        "dc000f",   "dd0000ffff", "dc000190", "c400c0",
    };
    uint64_t n;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK_ERR(number(bad[i], UINT64_MAX, &n), ERR_FORMAT);
        CHECK_EQ(n, 0);
    }
    for (size_t i = 0; i < sizeof(bad_raw) / sizeof(bad_raw[0]); i++) {
        struct proto_rd r = proto_rd_open(check_hex(bad_raw[i]));

        (void)proto_rd_raw(&r);
        CHECK_ERR(proto_rd_end(&r), ERR_FORMAT);
    }
}

/* [msgpack-kinds] */
TEST(maps_floats_extensions_and_negatives_are_refused)
{
    static const char *const bad[] = {
        "80",   "8101c0",     "de0000", "df00000000", "ca00000000",
        "c1",   "cb00000000", "d401ff", "c70001",     "e0",
        "ff",   "d0ff",       "d1ffff", "d2ffffffff", "d3ffffffffffffffff",
        "c800", "c900000000", "d8",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct proto_rd r = proto_rd_open(check_hex(bad[i]));

        CHECK_EQ(proto_rd_raw(&r).len, 0);
        CHECK_ERR(proto_rd_end(&r), ERR_FORMAT);
    }
}

TEST(another_type_than_asked_for)
{
    struct proto_rd r = proto_rd_open(check_hex("c401ff"));

    CHECK_EQ(proto_rd_u8(&r), 0);
    CHECK_ERR(proto_rd_end(&r), ERR_FORMAT);
    r = proto_rd_open(check_hex("01"));
    CHECK(!proto_rd_bool(&r));
    CHECK_ERR(proto_rd_end(&r), ERR_FORMAT);
    r = proto_rd_open(check_hex("a161"));
    CHECK_EQ(proto_rd_bin(&r, 9).len, 0);
    CHECK_ERR(proto_rd_end(&r), ERR_FORMAT);
    r = proto_rd_open(check_hex("c401ff"));
    CHECK_EQ(proto_rd_str(&r, 9).len, 0);
    CHECK_ERR(proto_rd_end(&r), ERR_FORMAT);
}

TEST(limits_are_kept)
{
    uint64_t n;
    struct proto_rd r;

    CHECK_ERR(number("cd0100", 255, &n), ERR_LIMIT);
    r = proto_rd_open(check_hex("cd0100"));
    CHECK_EQ(proto_rd_u8(&r), 0);
    CHECK_ERR(proto_rd_end(&r), ERR_LIMIT);
    r = proto_rd_open(check_hex("ce00010000"));
    CHECK_EQ(proto_rd_u16(&r), 0);
    CHECK_ERR(proto_rd_end(&r), ERR_LIMIT);
    r = proto_rd_open(check_hex("cf0000000100000000"));
    CHECK_EQ(proto_rd_u32(&r), 0);
    CHECK_ERR(proto_rd_end(&r), ERR_LIMIT);
    r = proto_rd_open(check_hex("c403616263"));
    CHECK_EQ(proto_rd_bin(&r, 2).len, 0);
    CHECK_ERR(proto_rd_end(&r), ERR_LIMIT);
    r = proto_rd_open(check_hex("a3616263"));
    CHECK_EQ(proto_rd_str(&r, 2).len, 0);
    CHECK_ERR(proto_rd_end(&r), ERR_LIMIT);
    r = proto_rd_open(check_hex("93010203"));
    CHECK_EQ(proto_rd_list(&r, 2), 0);
    CHECK_ERR(proto_rd_end(&r), ERR_LIMIT);
}

TEST(a_count_is_never_more_than_what_is_there)
{
    struct proto_rd r = proto_rd_open(check_hex("ddffffffff 010203"));

    CHECK_EQ(proto_rd_list(&r, UINT32_MAX), 0);
    CHECK_ERR(proto_rd_end(&r), ERR_FORMAT);
    r = proto_rd_open(check_hex("c6ffffffff 010203"));
    CHECK_EQ(proto_rd_bin(&r, SIZE_MAX).len, 0);
    CHECK_ERR(proto_rd_end(&r), ERR_FORMAT);
}

TEST(the_first_failure_sticks)
{
    struct proto_rd r = proto_rd_open(check_hex("9201c0"));

    proto_rd_array(&r, 3);
    CHECK_EQ(proto_rd_u8(&r), 0);
    CHECK(!proto_rd_nil(&r));
    proto_rd_fail(&r, ERR_AUTH);
    CHECK_ERR(proto_rd_end(&r), ERR_FORMAT);
    CHECK(!proto_rd_more(&r));
    r = proto_rd_open(check_hex("00ff"));
    CHECK_EQ(proto_rd_u8(&r), 0);
    CHECK_ERR(proto_rd_end(&r), ERR_FORMAT);
}

TEST(strings_are_utf8)
{
    struct proto_rd r = proto_rd_open(check_hex("a2c3bc"));

    CHECK_VIEW(proto_rd_str(&r, 10), VIEW_LIT("\xc3\xbc"));
    CHECK_OK(proto_rd_end(&r));
    r = proto_rd_open(check_hex("a2c328"));
    CHECK_EQ(proto_rd_str(&r, 10).len, 0);
    CHECK_ERR(proto_rd_end(&r), ERR_FORMAT);
    r = proto_rd_open(check_hex("a100"));
    (void)proto_rd_raw(&r);
    CHECK_ERR(proto_rd_end(&r), ERR_FORMAT);
}

TEST(ids_have_their_size)
{
    struct proto_rd r = proto_rd_open(check_hex("c4080102030405060708"));
    struct link_id id = proto_rd_link_id(&r);

    CHECK_OK(proto_rd_end(&r));
    CHECK_VIEW(link_id_view(&id), check_hex("0102030405060708"));
    r = proto_rd_open(check_hex("c40701020304050607"));
    id = proto_rd_link_id(&r);
    CHECK_ERR(proto_rd_end(&r), ERR_FORMAT);
    CHECK(link_id_is_zero(&id));
}

/* [msgpack-depth] */
TEST(depth_is_bounded)
{
    uint8_t deep[LIMIT_MSGPACK_DEPTH + 2];
    struct proto_rd r;

    memset(deep, 0x91, sizeof(deep));
    deep[LIMIT_MSGPACK_DEPTH] = 0xc0;
    r = proto_rd_open(view_make(deep, LIMIT_MSGPACK_DEPTH + 1));
    CHECK_EQ(proto_rd_raw(&r).len, LIMIT_MSGPACK_DEPTH + 1);
    CHECK_OK(proto_rd_end(&r));
    deep[LIMIT_MSGPACK_DEPTH] = 0x91;
    deep[LIMIT_MSGPACK_DEPTH + 1] = 0xc0;
    r = proto_rd_open(VIEW_ARRAY(deep));
    (void)proto_rd_raw(&r);
    CHECK_ERR(proto_rd_end(&r), ERR_LIMIT);
}

static enum err
write_all(const struct mem *mem, struct bytes *out)
{
    struct proto_wr w = proto_wr_open(mem);

    proto_wr_array(&w, 7);
    proto_wr_uint(&w, 300);
    proto_wr_bool(&w, true);
    proto_wr_nil(&w);
    proto_wr_bin(&w, VIEW_LIT("bin"));
    proto_wr_str(&w, VIEW_LIT("a text that is longer than thirty-one bytes"));
    proto_wr_array(&w, 2);
    proto_wr_uint(&w, 1);
    proto_wr_bool(&w, false);
    proto_wr_raw(&w, VIEW_LIT("\x90"));
    return proto_wr_take(&w, out);
}

TEST(what_is_written_is_read)
{
    struct bytes b = {0};
    struct proto_rd r;

    CHECK_OK(write_all(mem_heap(), &b));
    r = proto_rd_open(view_of(&b));
    proto_rd_array(&r, 7);
    CHECK_EQ(proto_rd_u16(&r), 300);
    CHECK(proto_rd_bool(&r));
    CHECK(proto_rd_nil(&r));
    CHECK_VIEW(proto_rd_bin(&r, 3), VIEW_LIT("bin"));
    CHECK_EQ(proto_rd_str(&r, 100).len, 43);
    CHECK_VIEW(proto_rd_raw(&r), check_hex("9201c2"));
    CHECK_EQ(proto_rd_list(&r, 5), 0);
    CHECK_OK(proto_rd_end(&r));
    r = proto_rd_open(view_of(&b));
    CHECK_VIEW(proto_rd_raw(&r), view_of(&b));
    bytes_free(&b);
}

TEST(writer_refuses_bad_text)
{
    struct proto_wr w = proto_wr_open(mem_heap());
    struct bytes b = {0};

    proto_wr_str(&w, VIEW_LIT("\xff"));
    proto_wr_uint(&w, 1);
    CHECK_ERR(proto_wr_take(&w, &b), ERR_INVALID);
    CHECK_EQ(b.len, 0);
}

TEST(writer_reports_no_memory)
{
    for (uint64_t n = 1;; n++) {
        struct fail_mem f;
        struct bytes b = {0};
        enum err e;

        fail_mem_init(&f, n);
        e = write_all(&f.mem, &b);
        bytes_free(&b);
        CHECK_EQ(f.live, 0);
        if (!f.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

int
main(void)
{
    return RUN(T(numbers_at_every_boundary), T(longer_encodings_are_refused),
               T(maps_floats_extensions_and_negatives_are_refused),
               T(another_type_than_asked_for), T(limits_are_kept),
               T(a_count_is_never_more_than_what_is_there),
               T(the_first_failure_sticks), T(strings_are_utf8),
               T(ids_have_their_size), T(depth_is_bounded),
               T(what_is_written_is_read), T(writer_refuses_bad_text),
               T(writer_reports_no_memory));
}
