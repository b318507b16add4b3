/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/ext.h"

#include "proto/base/limits.h"
#include "tests/support/check.h"

TEST(u16_lists)
{
    struct mls_u16s list = MLS_U16S("\x00\x01\xab\xcd");

    CHECK_EQ(mls_u16s_count(list), 2);
    CHECK_EQ(mls_u16s_at(list, 1), 0xabcd);
    CHECK(mls_u16s_has(list, 1));
    CHECK(mls_u16s_has(list, 0xabcd));
    CHECK(!mls_u16s_has(list, 0x01ab));
    CHECK(!mls_u16s_has((struct mls_u16s){{0}}, 0));
}

static enum err
read_u16s(struct view in)
{
    struct proto_tls_rd r = proto_tls_rd_open(in);
    struct mls_u16s list;

    mls_u16s_read(&r, &list);
    return proto_tls_rd_end(&r);
}

TEST(u16_lists_from_outside)
{
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    size_t at = proto_tls_wr_begin(&w);

    CHECK_OK(read_u16s(check_hex("04 0001 0003")));
    CHECK_OK(read_u16s(check_hex("00")));
    CHECK_ERR(read_u16s(check_hex("03 0001 00")), ERR_FORMAT);
    for (uint32_t i = 0; i <= LIMIT_MLS_CAPABILITIES; i++) {
        proto_tls_wr_u16(&w, (uint16_t)i);
    }
    proto_tls_wr_end_vec(&w, at);
    CHECK_ERR(read_u16s(proto_tls_wr_view(&w)), ERR_LIMIT);
    proto_tls_wr_clear(&w);
}

TEST(extensions_are_walked_in_order)
{
    struct mls_extensions x;
    struct mls_extensions it;
    struct mls_extension ext;

    CHECK_OK(
        mls_extensions_from(check_hex("0001 01aa 0a0a 00 f001 02bbcc"), &x));
    it = x;
    CHECK(mls_extensions_next(&it, &ext));
    CHECK_EQ(ext.type, 1);
    CHECK_VIEW(ext.data, check_hex("aa"));
    CHECK(mls_extensions_next(&it, &ext));
    CHECK_EQ(ext.type, 0x0a0a);
    CHECK_EQ(ext.data.len, 0);
    CHECK(mls_extensions_next(&it, &ext));
    CHECK(!mls_extensions_next(&it, &ext));
    CHECK(mls_extensions_find(x, 0xf001, &ext));
    CHECK_VIEW(ext.data, check_hex("bbcc"));
    CHECK(!mls_extensions_find(x, 2, &ext));
    CHECK(!mls_extensions_twice(x));
    CHECK_OK(mls_extensions_from(check_hex("0001 00 0002 00 0001 00"), &x));
    CHECK(mls_extensions_twice(x));
}

TEST(extensions_from_outside)
{
    struct mls_extensions x = {{0}};
    uint8_t many[3 * (LIMIT_MLS_EXTENSIONS + 1)] = {0};

    CHECK_ERR(mls_extensions_from(check_hex("0001"), &x), ERR_FORMAT);
    CHECK_ERR(mls_extensions_from(check_hex("0001 02aa"), &x), ERR_FORMAT);
    CHECK_ERR(mls_extensions_from(check_hex("0001 00 00"), &x), ERR_FORMAT);
    CHECK_ERR(mls_extensions_from(VIEW_ARRAY(many), &x), ERR_LIMIT);
    CHECK_EQ(x.raw.len, 0);
    CHECK_OK(mls_extensions_from(view_make(many, sizeof(many) - 3), &x));
}

TEST(x509_is_a_list_of_certificates)
{
    struct mls_credential c;
    struct proto_tls_rd r =
        proto_tls_rd_open(check_hex("0002 06 02aabb 02ccdd"));

    mls_credential_read(&r, &c);
    CHECK_OK(proto_tls_rd_end(&r));
    r = proto_tls_rd_open(check_hex("0002 04 02aabb 02"));
    mls_credential_read(&r, &c);
    CHECK_ERR(proto_tls_rd_end(&r), ERR_FORMAT);
    /* others are opaque */
    r = proto_tls_rd_open(check_hex("3a3a 04 02aabb 02"));
    mls_credential_read(&r, &c);
    CHECK_OK(proto_tls_rd_end(&r));
    CHECK_EQ(c.type, 0x3a3a);
}

TEST(required_capabilities)
{
    struct view in = check_hex("02 0001 00 04 00010002");
    struct mls_required_capabilities x;
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());

    CHECK_OK(mls_required_capabilities_decode(in, &x));
    CHECK(mls_u16s_has(x.extensions, 1));
    CHECK_EQ(mls_u16s_count(x.proposals), 0);
    CHECK(mls_u16s_has(x.credentials, 2));
    mls_required_capabilities_write(&w, &x);
    CHECK_VIEW(proto_tls_wr_view(&w), in);
    proto_tls_wr_clear(&w);
    CHECK_ERR(mls_required_capabilities_decode(check_hex("00 00 00 00"), &x),
              ERR_FORMAT);
}

TEST(external_pub_has_a_length_of_its_own)
{
    struct view key;
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());

    CHECK_OK(mls_external_pub_decode(check_hex("02 abcd"), &key));
    CHECK_VIEW(key, check_hex("abcd"));
    mls_external_pub_write(&w, key);
    CHECK_VIEW(proto_tls_wr_view(&w), check_hex("02 abcd"));
    proto_tls_wr_clear(&w);
    CHECK_ERR(mls_external_pub_decode(check_hex("02 abcdef"), &key),
              ERR_FORMAT);
}

TEST(external_senders)
{
    struct view in = check_hex("0e 01aa 0001 02bbcc 01dd 0001 02eeff");
    struct mls_external_sender items[2];
    struct mls_external_sender none;
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    uint32_t count;

    CHECK_OK(mls_external_senders_check(in, &count));
    CHECK_EQ(count, 2);
    CHECK_OK(mls_external_senders_at(in, 0, &items[0]));
    CHECK_OK(mls_external_senders_at(in, 1, &items[1]));
    CHECK_VIEW(items[1].signature_key, check_hex("dd"));
    CHECK_ERR(mls_external_senders_at(in, 2, &none), ERR_MISSING);
    mls_external_senders_write(&w, items, 2);
    CHECK_VIEW(proto_tls_wr_view(&w), in);
    proto_tls_wr_clear(&w);
    CHECK_ERR(mls_external_senders_check(check_hex("02 01aa"), &count),
              ERR_FORMAT);
    CHECK_ERR(mls_external_senders_at(check_hex("00 00"), 0, &none),
              ERR_FORMAT);
}

int
main(void)
{
    return RUN(T(u16_lists), T(u16_lists_from_outside),
               T(extensions_are_walked_in_order), T(extensions_from_outside),
               T(x509_is_a_list_of_certificates), T(required_capabilities),
               T(external_pub_has_a_length_of_its_own), T(external_senders));
}
