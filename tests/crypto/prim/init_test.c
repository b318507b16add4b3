/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/prim/init.h"

#include "tests/support/check.h"

TEST(twice_is_fine)
{
    CHECK_OK(prim_init());
    CHECK_OK(prim_init());
}

int
main(void)
{
    return RUN(T(twice_is_fine));
}
