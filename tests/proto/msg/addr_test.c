/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/msg/addr.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"

static const char *const good[] = {
    "clinic.example.org:7341",
    "a:1",
    "xn--prxis-gra.example:65535",
    "192.0.2.1:80",
    "[2001:db8::1]:7341",
    "[::1]:1",
    ("via:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
     "@relay.example.org:7341"),
};

TEST(text_and_bytes_round_trip)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct proto_addr a;
        struct proto_addr b;
        struct bytes raw = {0};
        struct view v;
        struct proto_wr w = proto_wr_open(mem_heap());
        struct proto_rd r;
        char text[PROTO_ADDR_TEXT_MAX];

        CHECK_OK(proto_addr_parse(view_str(good[i]), &a));
        proto_addr_format(&a, text);
        CHECK_STR(text, good[i]);
        CHECK_OK(proto_addr_append(mem_heap(), &raw, &a));
        v = view_of(&raw);
        CHECK_OK(proto_addr_take(&v, &b));
        CHECK_EQ(v.len, 0);
        CHECK(proto_addr_equal(&a, &b));
        for (size_t cut = 0; cut < raw.len; cut++) {
            v = view_sub(view_of(&raw), 0, cut);
            CHECK_ERR(proto_addr_take(&v, &b), ERR_FORMAT);
        }
        proto_wr_addr(&w, &a);
        r = proto_rd_open(proto_wr_view(&w));
        proto_rd_addr(&r, &b);
        CHECK_OK(proto_rd_end(&r));
        CHECK(proto_addr_equal(&a, &b));
        proto_wr_clear(&w);
        bytes_free(&raw);
    }
}

TEST(bad_text_is_refused)
{
    static const char *const bad[] = {
        "",           "a",     "a:",     "a:0",    "a:65536",
        ":1",         "a:01",  "-a:1",   "a-:1",   "a..b:1",
        "a_b:1",      "a b:1", "[::1:1", "::1:1x", "[1.2.3.4]:1",
        "via:00@a:1", "a/b:1", "a.:1",   ".a:1",   "a:1:",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct proto_addr a;

        CHECK_ERR(proto_addr_parse(view_str(bad[i]), &a), ERR_INVALID);
    }
}

TEST(bad_bytes_are_refused)
{
    struct proto_addr a;
    struct view v = check_hex("04 0001");

    CHECK_ERR(proto_addr_take(&v, &a), ERR_UNSUPPORTED);
    v = check_hex("02 01020304 0000"); /* port 0 */
    CHECK_ERR(proto_addr_take(&v, &a), ERR_FORMAT);
    v = check_hex("01 01 41 0001"); /* a capital */
    CHECK_ERR(proto_addr_take(&v, &a), ERR_FORMAT);
    v = check_hex("01 00 0001"); /* no name */
    CHECK_ERR(proto_addr_take(&v, &a), ERR_FORMAT);
}

TEST(same_is_for_links_only)
{
    struct proto_rd r = proto_rd_open(check_hex("c403 00 0001"));
    struct proto_addr a;

    proto_rd_addr(&r, &a);
    CHECK_ERR(proto_rd_end(&r), ERR_FORMAT);
}

TEST(no_memory_changes_nothing)
{
    struct proto_addr a;

    CHECK_OK(proto_addr_parse(view_str(good[6]), &a));
    for (uint64_t n = 1;; n++) {
        struct fail_mem f;
        struct bytes b = {0};
        enum err e;

        fail_mem_init(&f, n);
        e = proto_addr_append(&f.mem, &b, &a);
        CHECK(e == OK || b.len == 0);
        bytes_free(&b);
        CHECK_EQ(f.live, 0);
        if (!f.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

/* The first and the last of each block, and their neighbours. */
TEST(how_far_it_reaches)
{
    static const struct {
        const char *text;
        enum proto_addr_scope scope;
    } cases[] = {
        {"127.0.0.1:1", PROTO_SCOPE_HOST},
        {"127.255.255.255:1", PROTO_SCOPE_HOST},
        {"0.0.0.0:1", PROTO_SCOPE_HOST},
        {"126.255.255.255:1", PROTO_SCOPE_ANY},
        {"128.0.0.1:1", PROTO_SCOPE_ANY},
        {"10.0.0.0:1", PROTO_SCOPE_NET},
        {"10.255.255.255:1", PROTO_SCOPE_NET},
        {"11.0.0.0:1", PROTO_SCOPE_ANY},
        {"172.15.255.255:1", PROTO_SCOPE_ANY},
        {"172.16.0.0:1", PROTO_SCOPE_NET},
        {"172.31.255.255:1", PROTO_SCOPE_NET},
        {"172.32.0.0:1", PROTO_SCOPE_ANY},
        {"192.168.0.1:1", PROTO_SCOPE_NET},
        {"192.168.255.255:1", PROTO_SCOPE_NET},
        {"192.169.0.1:1", PROTO_SCOPE_ANY},
        {"192.167.0.1:1", PROTO_SCOPE_ANY},
        {"169.254.255.1:1", PROTO_SCOPE_NET},
        {"169.253.1.1:1", PROTO_SCOPE_ANY},
        {"169.255.1.1:1", PROTO_SCOPE_ANY},
        {"100.64.0.0:1", PROTO_SCOPE_NET},
        {"100.127.255.255:1", PROTO_SCOPE_NET},
        {"100.63.255.255:1", PROTO_SCOPE_ANY},
        {"100.128.0.0:1", PROTO_SCOPE_ANY},
        {"[::1]:1", PROTO_SCOPE_HOST},
        {"[::2]:1", PROTO_SCOPE_ANY},
        {"[fc00::1]:1", PROTO_SCOPE_NET},
        {"[fdff::1]:1", PROTO_SCOPE_NET},
        {"[fe00::1]:1", PROTO_SCOPE_ANY},
        {"[fe80::1]:1", PROTO_SCOPE_NET},
        {"[febf::1]:1", PROTO_SCOPE_NET},
        {"[fec0::1]:1", PROTO_SCOPE_ANY},
        {"[2001:db8::1]:1", PROTO_SCOPE_ANY},
        {"[::ffff:10.1.2.3]:1", PROTO_SCOPE_NET},
        {"[::ffff:127.0.0.1]:1", PROTO_SCOPE_HOST},
        {"localhost:1", PROTO_SCOPE_HOST},
        {"north.example:1", PROTO_SCOPE_ANY},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct proto_addr a;

        CHECK_OK(proto_addr_parse(view_str(cases[i].text), &a));
        if (proto_addr_scope(&a) != cases[i].scope) {
            CHECK_STR(cases[i].text, "of its block");
        }
    }
}

int
main(void)
{
    return RUN(T(text_and_bytes_round_trip), T(bad_text_is_refused),
               T(bad_bytes_are_refused), T(same_is_for_links_only),
               T(no_memory_changes_nothing), T(how_far_it_reaches));
}
