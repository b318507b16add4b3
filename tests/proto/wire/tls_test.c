/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/wire/tls_rd.h"
#include "proto/wire/tls_wr.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"

static enum err
varint(const char *hex, uint32_t *out)
{
    struct proto_tls_rd r = proto_tls_rd_open(check_hex(hex));

    *out = proto_tls_rd_varint(&r);
    return proto_tls_rd_end(&r);
}

TEST(varint_boundaries)
{
    static const struct {
        const char *hex;
        uint32_t n;
    } good[] = {
        {"00", 0},       {"3f", 63},          {"4040", 64},
        {"7fff", 16383}, {"80004000", 16384}, {"bfffffff", 0x3fffffff},
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
        uint32_t n;

        CHECK_OK(varint(good[i].hex, &n));
        CHECK_EQ(n, good[i].n);
        proto_tls_wr_varint(&w, n);
        CHECK_VIEW(proto_tls_wr_view(&w), check_hex(good[i].hex));
        proto_tls_wr_clear(&w);
    }
}

/* [varint-minimal] */
TEST(varint_rejects)
{
    uint32_t n;

    CHECK_ERR(varint("403f", &n), ERR_FORMAT);
    CHECK_ERR(varint("80003fff", &n), ERR_FORMAT);
    CHECK_ERR(varint("c0", &n), ERR_FORMAT);
    CHECK_ERR(varint("ffffffffffffffff", &n), ERR_FORMAT);
    CHECK_ERR(varint("40", &n), ERR_FORMAT);
    CHECK_ERR(varint("800040", &n), ERR_FORMAT);
    CHECK_ERR(varint("", &n), ERR_FORMAT);
}

TEST(reads_in_order_and_stops_at_the_first_failure)
{
    struct proto_tls_rd r =
        proto_tls_rd_open(check_hex("01 0203 04050607 08090a0b0c0d0e0f"));

    CHECK_EQ(proto_tls_rd_u8(&r), 1);
    CHECK_EQ(proto_tls_rd_u16(&r), 0x0203);
    CHECK_EQ(proto_tls_rd_u32(&r), 0x04050607);
    CHECK(proto_tls_rd_more(&r));
    CHECK_EQ(proto_tls_rd_u64(&r), 0x08090a0b0c0d0e0f);
    CHECK_OK(proto_tls_rd_end(&r));
    CHECK_EQ(proto_tls_rd_u8(&r), 0);
    CHECK_ERR(proto_tls_rd_end(&r), ERR_FORMAT);
}

TEST(vector_longer_than_input_is_refused)
{
    struct proto_tls_rd r = proto_tls_rd_open(check_hex("05 61626364"));

    CHECK_EQ(proto_tls_rd_vec(&r).len, 0);
    CHECK_ERR(proto_tls_rd_end(&r), ERR_FORMAT);
    CHECK(!proto_tls_rd_more(&r));
}

TEST(trailing_bytes_and_presence)
{
    struct proto_tls_rd r = proto_tls_rd_open(check_hex("0100"));

    CHECK(proto_tls_rd_optional(&r));
    CHECK_ERR(proto_tls_rd_end(&r), ERR_FORMAT);
    CHECK(!proto_tls_rd_optional(&r));
    CHECK_OK(proto_tls_rd_end(&r));
    r = proto_tls_rd_open(check_hex("02"));
    CHECK(!proto_tls_rd_optional(&r));
    CHECK_ERR(proto_tls_rd_end(&r), ERR_FORMAT);
}

static enum err
write_nested(const struct mem *mem, size_t inner, struct bytes *out)
{
    struct proto_tls_wr w = proto_tls_wr_open(mem);
    size_t outer_at;
    size_t inner_at;

    proto_tls_wr_u16(&w, 7);
    outer_at = proto_tls_wr_begin(&w);
    proto_tls_wr_vec(&w, VIEW_LIT("abc"));
    inner_at = proto_tls_wr_begin(&w);
    for (size_t i = 0; i < inner; i++) {
        proto_tls_wr_u8(&w, (uint8_t)i);
    }
    proto_tls_wr_end_vec(&w, inner_at);
    proto_tls_wr_end_vec(&w, outer_at);
    return proto_tls_wr_take(&w, out);
}

TEST(nested_vectors_of_every_length_form)
{
    static const size_t sizes[] = {0, 1, 63, 64, 16383, 16384, 70000};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct bytes b = {0};
        struct proto_tls_rd r;
        struct proto_tls_rd sub;

        CHECK_OK(write_nested(mem_heap(), sizes[i], &b));
        r = proto_tls_rd_open(view_of(&b));
        CHECK_EQ(proto_tls_rd_u16(&r), 7);
        sub = proto_tls_rd_sub(&r);
        CHECK_OK(proto_tls_rd_end(&r));
        CHECK_VIEW(proto_tls_rd_vec(&sub), VIEW_LIT("abc"));
        CHECK_EQ(proto_tls_rd_vec(&sub).len, sizes[i]);
        CHECK_OK(proto_tls_rd_end(&sub));
        bytes_free(&b);
    }
}

TEST(writer_reports_no_memory)
{
    for (uint64_t n = 1;; n++) {
        struct fail_mem f;
        struct bytes b = {0};
        enum err e;

        fail_mem_init(&f, n);
        e = write_nested(&f.mem, 20000, &b);
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
    return RUN(
        T(varint_boundaries), T(varint_rejects),
        T(reads_in_order_and_stops_at_the_first_failure),
        T(vector_longer_than_input_is_refused), T(trailing_bytes_and_presence),
        T(nested_vectors_of_every_length_form), T(writer_reports_no_memory));
}
