/* SPDX-License-Identifier: Apache-2.0 */
/* What two devices of one patient show each other. */
#include "federation/app/codes.h"

#include "crypto/prim/curve.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"
#include "tests/support/seed_rng.h"

#include <stdio.h>
#include <string.h>

struct pair {
    uint8_t priv[32];
    struct fed_app_rec_request request;
};

static struct pair
asking(uint8_t seed)
{
    struct pair p;

    memset(&p, seed, sizeof(p));
    prim_x25519_base(p.priv, p.request.seal);
    return p;
}

static enum err
story(const struct mem *mem, const struct rng *rng)
{
    enum err e;
    struct pair us = asking(3);
    struct pair other = asking(4);
    struct fed_app_rec_request r;
    struct fed_app_rec_grant g = {.cert = VIEW_LIT("certificate"),
                                  .list = VIEW_LIT("list"),
                                  .addrs = VIEW_LIT("addresses")};
    struct fed_app_rec_grant got;
    struct bytes text = {0};
    struct bytes grant = {0};
    struct bytes hold = {0};

    memset(g.patient, 7, sizeof(g.patient));
    TRY(fed_app_request_text(mem, &us.request, &text));
    TRY(fed_app_request_read(mem, view_of(&text), &r));
    CHECK(memcmp(&r, &us.request, sizeof(r)) == 0);
    TRY(fed_app_grant_text(mem, rng, &r, &g, &grant));
    TRY(fed_app_grant_read(mem, &us.request, us.priv, view_of(&grant), &got,
                           &hold));
    CHECK_VIEW(got.cert, g.cert);
    CHECK_VIEW(got.addrs, g.addrs);
    CHECK(memcmp(got.patient, g.patient, sizeof(g.patient)) == 0);
    e = fed_app_grant_read(mem, &other.request, other.priv, view_of(&grant),
                           &got, &hold);
    TRY(e == ERR_AUTH ? OK : e == OK ? ERR_INTERNAL : e);
out:
    bytes_free(&text);
    bytes_free(&grant);
    bytes_free(&hold);
    return e;
}

TEST(a_grant_is_for_one_device)
{
    struct seed_rng rng;

    seed_rng_init(&rng, 1);
    CHECK_OK(story(mem_heap(), &rng.rng));
}

TEST(every_allocation_may_fail)
{
    struct seed_rng rng;

    for (uint64_t n = 1;; n++) {
        struct fail_mem f;
        enum err e;

        fail_mem_init(&f, n);
        seed_rng_init(&rng, n);
        e = story(&f.mem, &rng.rng);
        CHECK_EQ(f.live, 0);
        if (!f.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

TEST(a_pasted_code_is_forgiven_spaces_but_no_letters)
{
    struct pair us = asking(5);
    struct fed_app_rec_request r;
    struct bytes text = {0};
    char pasted[512];

    CHECK_OK(fed_app_request_text(mem_heap(), &us.request, &text));
    snprintf(pasted, sizeof(pasted), " %.*s\n  %.*s \r\n", 30,
             (const char *)text.p, (int)text.len - 30,
             (const char *)text.p + 30);
    CHECK_OK(fed_app_request_read(mem_heap(), view_str(pasted), &r));
    for (size_t i = 9; i < text.len; i++) {
        uint8_t was = text.p[i];
        enum err e;

        text.p[i] = was == 'A' ? 'B' : 'A';
        e = fed_app_request_read(mem_heap(), view_of(&text), &r);
        CHECK(e == ERR_AUTH || e == ERR_FORMAT);
        text.p[i] = was;
    }
    CHECK_ERR(
        fed_app_request_read(mem_heap(), view_make(text.p, text.len - 4), &r),
        ERR_AUTH);
    CHECK_ERR(fed_app_request_read(mem_heap(), VIEW_LIT("balsam:l#AAAA"), &r),
              ERR_FORMAT);
    CHECK_ERR(fed_app_request_read(mem_heap(), (struct view){0}, &r),
              ERR_FORMAT);
    bytes_free(&text);
}

int
main(void)
{
    return RUN(T(a_grant_is_for_one_device), T(every_allocation_may_fail),
               T(a_pasted_code_is_forgiven_spaces_but_no_letters));
}
