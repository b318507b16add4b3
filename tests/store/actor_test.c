/* SPDX-License-Identifier: Apache-2.0 */
#include "store/actor.h"

#include "tests/support/check.h"

TEST(actors_are_told_apart)
{
    struct member_id m = {{1}};
    struct clinic_id c = {{1}};
    struct store_actor a = store_actor_member(&m);
    struct store_actor b = store_actor_peer(&c);
    struct store_actor s = store_actor_system();

    CHECK(store_actor_equal(&a, &a));
    CHECK(!store_actor_equal(&a, &b));
    CHECK(!store_actor_equal(&s, &b));
    CHECK_EQ(store_actor_id_len(STORE_ACTOR_SYSTEM), 0);
    CHECK_EQ(store_actor_id_len(STORE_ACTOR_AUTOMATION), 16);
    CHECK_EQ(store_actor_id_len(STORE_ACTOR_PATIENT), 32);
}

int
main(void)
{
    return RUN(T(actors_are_told_apart));
}
