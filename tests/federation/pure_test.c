/* SPDX-License-Identifier: Apache-2.0 */
/* The parts that do no I/O: addresses, back-off, frames, queue, allowance. */
#include "federation/addr.h"
#include "federation/backoff.h"
#include "federation/frame.h"
#include "federation/quota.h"
#include "federation/txq.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"
#include "tests/support/seed_rng.h"

#include <string.h>

TEST(addresses_read_and_write)
{
    static const char *const good[] = {"example.org:7300", "127.0.0.1:1",
                                       "[::1]:65535", "[2001:db8::7]:443",
                                       "a-b.c:80"};
    static const char *const bad[] = {"",
                                      "example.org",
                                      "example.org:",
                                      "example.org:70000",
                                      "example.org:080",
                                      "example.org:8o",
                                      ":7300",
                                      "::1:7300",
                                      "[::1]",
                                      "[::1]7300",
                                      "[::g]:1",
                                      "[]:1",
                                      "[127.0.0.1]:1",
                                      "a b:1",
                                      "a_b:1",
                                      "a:1 ",
                                      "a:1:2",
                                      "[::1"};
    struct fed_addr a;
    char text[FED_ADDR_TEXT_MAX + 1];
    char long_host[FED_HOST_MAX + 10];

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        CHECK_OK(fed_addr_parse(view_str(good[i]), 0, &a));
        fed_addr_text(&a, text);
        CHECK_STR(text, good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK_ERR(fed_addr_parse(view_str(bad[i]), 0, &a), ERR_FORMAT);
    }
    CHECK_OK(fed_addr_parse(VIEW_LIT("[fe80::1]"), 7300, &a));
    CHECK_EQ(a.port, 7300);
    memset(long_host, 'a', sizeof(long_host));
    CHECK_OK(fed_addr_parse(view_make(long_host, FED_HOST_MAX), 1, &a));
    CHECK_ERR(fed_addr_parse(view_make(long_host, FED_HOST_MAX + 1), 1, &a),
              ERR_FORMAT);
    CHECK_ERR(fed_addr_parse(view_make("a\0b:1", 5), 1, &a), ERR_FORMAT);
    CHECK_ERR(fed_addr_parse(view_make("[::1\0]:1", 8), 1, &a), ERR_FORMAT);
}

static struct fed_ip
ip(const char *text)
{
    struct fed_addr a;
    struct fed_ip out;

    CHECK_OK(fed_addr_parse(view_str(text), 9, &a));
    CHECK_OK(fed_addr_numeric(&a, &out));
    return out;
}

TEST(sites_are_hosts_or_networks)
{
    struct fed_ip a = ip("10.0.0.1"), b = ip("10.0.0.2");
    struct fed_ip c = ip("[2001:db8:0:1::1]"), d = ip("[2001:db8:0:1:9::]");
    struct fed_ip e = ip("[2001:db8:0:2::1]");
    struct fed_addr back;

    CHECK(fed_ip_same_site(&a, &a) && !fed_ip_same_site(&a, &b));
    CHECK(fed_ip_same_site(&c, &d) && !fed_ip_same_site(&c, &e));
    CHECK(!fed_ip_same_site(&a, &c));
    fed_ip_addr(&c, &back);
    CHECK_STR(back.host, "2001:db8:0:1::1");
    CHECK_EQ(back.port, 9);
}

TEST(backoff_grows_and_stays_in_bounds)
{
    struct seed_rng rng;
    uint64_t last = 0;

    seed_rng_init(&rng, 7);
    CHECK_EQ(fed_backoff_ms(0, 12345), 0);
    for (uint32_t n = 1; n < 2000; n = n < 20 ? n + 1 : n * 2) {
        uint64_t full = n > 10 ? FED_BACKOFF_MAX_MS : 1000ull << (n - 1);
        uint64_t low = UINT64_MAX;
        uint64_t high = 0;

        full = full < FED_BACKOFF_MAX_MS ? full : FED_BACKOFF_MAX_MS;
        for (int i = 0; i < 2000; i++) {
            uint64_t ms = fed_backoff_ms(n, seed_rng_next(&rng));

            low = ms < low ? ms : low;
            high = ms > high ? ms : high;
        }
        CHECK(low >= full / 2 && high <= full);
        CHECK(high - low > full / 3); /* spread over all of it */
        CHECK(high >= last);
        last = high - full / 50;
    }
    CHECK_EQ(fed_backoff_ms(UINT32_MAX, 0), FED_BACKOFF_MAX_MS);
}

TEST(frames_in_any_pieces)
{
    uint8_t wire[9000];
    struct seed_rng rng;

    seed_rng_init(&rng, 1);
    for (size_t len = 0; len < 8000; len = len * 3 + 1) {
        fed_frame_header((uint32_t)len, wire);
        for (size_t i = 0; i < len; i++) {
            wire[4 + i] = (uint8_t)i;
        }
        for (int round = 0; round < 20; round++) {
            struct fed_frame_rd r = {.mem = mem_heap()};
            struct view in = {NULL, 0};
            struct view frame;
            size_t at = 0;

            while (fed_frame_next(&r, 8000, &in, &frame) == ERR_AGAIN) {
                size_t n = (size_t)seed_rng_below(&rng, 3000) + 1;

                CHECK_EQ(in.len, 0);
                CHECK(at < len + 4);
                CHECK_EQ(fed_frame_partial(&r), at > 0);
                n = n < len + 4 - at ? n : len + 4 - at;
                in = view_make(wire + at, n);
                at += n;
            }
            CHECK_EQ(at, len + 4);
            CHECK_VIEW(frame, view_make(wire + 4, len));
            fed_frame_clear(&r);
        }
    }
}

TEST(a_length_promises_nothing)
{
    static const uint8_t huge[] = {0, 0xff, 0xff, 0xff, 1, 2, 3};
    static const uint8_t larger[] = {0x01, 0, 0, 1};
    struct fail_mem f;
    struct fed_frame_rd r;
    struct view in = VIEW_ARRAY(huge);
    struct view frame;

    fail_mem_init(&f, 0);
    r = (struct fed_frame_rd){.mem = &f.mem};
    CHECK_ERR(fed_frame_next(&r, 1u << 24, &in, &frame), ERR_AGAIN);
    CHECK(f.live <= 4096); /* of 16 MiB */
    fed_frame_clear(&r);
    CHECK_EQ(f.live, 0);
    in = VIEW_ARRAY(larger);
    CHECK_ERR(fed_frame_next(&r, 1u << 24, &in, &frame), ERR_LIMIT);
    CHECK_EQ(f.count, 1); /* refused before anything was allocated */
    fail_mem_init(&f, 1);
    in = VIEW_ARRAY(huge);
    r = (struct fed_frame_rd){.mem = &f.mem};
    CHECK_ERR(fed_frame_next(&r, 1u << 24, &in, &frame), ERR_NOMEM);
    fed_frame_clear(&r);
}

TEST(the_queue_keeps_order)
{
    struct fed_txq q = {0};
    struct fail_mem f;
    struct seed_rng rng;
    struct bytes wire = {0};
    struct bytes want = {0};
    size_t pushed = 0;
    size_t done = 0;

    fail_mem_init(&f, 0);
    seed_rng_init(&rng, 3);
    while (pushed < 300 || q.count > 0) {
        uint8_t buf[512];
        size_t n;

        if (pushed < 300 && seed_rng_below(&rng, 3) > 0) {
            struct bytes item = {0};
            uint8_t header[FED_FRAME_HEADER];

            CHECK_OK(bytes_alloc(&f.mem, seed_rng_below(&rng, 700), &item));
            fed_frame_header((uint32_t)item.len, header);
            CHECK_OK(bytes_append(mem_heap(), &want, VIEW_ARRAY(header)));
            CHECK_OK(bytes_append(mem_heap(), &want, view_of(&item)));
            CHECK_OK(fed_txq_push(&f.mem, &q, &item));
            CHECK(item.p == NULL);
            pushed++;
        }
        n = fed_txq_read(&q, buf, seed_rng_below(&rng, sizeof(buf)) + 1, &done);
        CHECK_OK(bytes_append(mem_heap(), &wire, view_make(buf, n)));
        CHECK_EQ(q.bytes, want.len - wire.len);
    }
    CHECK_VIEW(view_of(&wire), view_of(&want));
    fed_txq_clear(&f.mem, &q);
    CHECK_EQ(f.live, 0);
    bytes_free(&wire);
    bytes_free(&want);
}

TEST(a_full_queue_loses_nothing)
{
    struct fed_txq q = {0};
    struct fail_mem f;
    struct bytes item = {0};

    fail_mem_init(&f, 1);
    CHECK_OK(bytes_copy(mem_heap(), VIEW_LIT("kept"), &item));
    CHECK_ERR(fed_txq_push(&f.mem, &q, &item), ERR_NOMEM);
    CHECK_VIEW(view_of(&item), VIEW_LIT("kept"));
    CHECK_OK(fed_txq_push(&f.mem, &q, &item));
    fed_txq_clear(&f.mem, &q);
    CHECK_EQ(f.live, 0);
}

TEST(an_allowance_is_kept_over_time)
{
    struct fed_bucket b = {0};
    struct seed_rng rng;
    uint64_t now = 1000;
    uint64_t taken = 0;

    b.at_ms = now;
    seed_rng_init(&rng, 9);
    while (now < 101000) {
        uint64_t cost = seed_rng_below(&rng, 4000);

        taken += cost;
        now += fed_bucket_spend(&b, 10000, cost, now) + 1;
    }
    /* 100 s at 10,000 and two seconds of burst */
    CHECK(taken > 1000000 && taken < 1030000);
    CHECK_EQ(fed_bucket_spend(&b, 10000, 5, now + 10000), 0);
    CHECK_EQ(fed_bucket_spend(&b, 10000, 5, 0), 0); /* time does not go back */
}

int
main(void)
{
    return RUN(T(addresses_read_and_write), T(sites_are_hosts_or_networks),
               T(backoff_grows_and_stays_in_bounds), T(frames_in_any_pieces),
               T(a_length_promises_nothing), T(the_queue_keeps_order),
               T(a_full_queue_loses_nothing),
               T(an_allowance_is_kept_over_time));
}
