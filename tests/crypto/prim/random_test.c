/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/prim/random.h"

#include "proto/base/bytes.h"
#include "tests/support/check.h"

TEST(fills_and_differs)
{
    uint8_t a[64] = {0};
    uint8_t b[64] = {0};

    CHECK_OK(rng_fill(prim_rng_system(), a, sizeof(a) - 1));
    CHECK_OK(rng_fill(prim_rng_system(), b, sizeof(b) - 1));
    CHECK(!view_equal(VIEW_ARRAY(a), VIEW_ARRAY(b)));
    CHECK_EQ(a[63], 0);
    CHECK_OK(rng_fill(prim_rng_system(), a, 0));
}

int
main(void)
{
    return RUN(T(fills_and_differs));
}
