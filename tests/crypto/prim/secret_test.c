/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/prim/secret.h"

#include "tests/support/check.h"

#include <string.h>

TEST(set_and_wipe)
{
    struct prim_secret s = {0};

    CHECK_OK(prim_secret_set(&s, VIEW_LIT("0123456789")));
    CHECK_VIEW(prim_secret_view(&s), VIEW_LIT("0123456789"));
    CHECK_OK(prim_secret_set(&s, VIEW_LIT("ab")));
    CHECK_VIEW(prim_secret_view(&s), VIEW_LIT("ab"));
    CHECK_EQ(s.b[2], 0);
    CHECK_ERR(
        prim_secret_set(&s, VIEW_LIT("012345678901234567890123456789012")),
        ERR_LIMIT);
    CHECK_VIEW(prim_secret_view(&s), VIEW_LIT("ab"));
    prim_secret_wipe(&s);
    CHECK_EQ(s.len, 0);
    CHECK(prim_is_zero(VIEW_ARRAY(s.b)));
}

TEST(equal_compares_length_then_bytes)
{
    uint8_t a[40] = {0};
    uint8_t b[40] = {0};

    CHECK(prim_equal(VIEW_ARRAY(a), VIEW_ARRAY(b)));
    CHECK(prim_equal((struct view){0}, (struct view){0}));
    CHECK(!prim_equal(VIEW_ARRAY(a), view_make(b, 39)));
    CHECK(!prim_equal(VIEW_ARRAY(a), (struct view){0}));
    for (size_t i = 0; i < sizeof(a); i++) {
        b[i] = 0x80;
        CHECK(!prim_equal(VIEW_ARRAY(a), VIEW_ARRAY(b)));
        CHECK(!prim_is_zero(VIEW_ARRAY(b)));
        b[i] = 0;
    }
    CHECK(prim_is_zero(VIEW_ARRAY(b)));
}

/* What a SCRUBBED buffer of a finished call left behind, by its address. */
static const volatile uint8_t *left;

__attribute__((noinline)) static int
use_secret(int early)
{
    SCRUBBED(key, 64);
    SCRUBBED_SECRET(s);

    memset(key, 0xa5, sizeof(key));
    left = key;
    s.len = 1;
    if (early) {
        return 1;
    }
    return key[3];
}

TEST(scrubbed_is_wiped_by_scope)
{
    uint8_t inside[64] = {0};

    for (int round = 0; round < 2; round++) {
        uint8_t copy[64];
        {
            SCRUBBED(key, 64);

            memset(key, 0x5a, sizeof(key));
            left = key;
            memcpy(inside, key, sizeof(inside));
            prim_scrub_end(&key_scrub_);
            memcpy(copy, key, sizeof(copy));
        }
        CHECK_EQ(inside[0], 0x5a);
        CHECK(prim_is_zero(VIEW_ARRAY(copy)));
        CHECK_EQ(use_secret(round), round ? 1 : 0xa5);
    }
}

int
main(void)
{
    return RUN(T(set_and_wipe), T(equal_compares_length_then_bytes),
               T(scrubbed_is_wiped_by_scope));
}
