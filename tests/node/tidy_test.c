/* SPDX-License-Identifier: Apache-2.0 */
/* When the node gives memory back: once it is quiet, or ten seconds later. */
#include "node/tidy.h"

#include "tests/support/check.h"

TEST(it_waits_until_it_is_quiet)
{
    struct node_tidy t = {0};

    CHECK(!node_tidy_turn(&t, 0));
    CHECK(!node_tidy_turn(&t, 500));
    CHECK(!node_tidy_turn(&t, 900));
    CHECK(node_tidy_turn(&t, 900));
    for (int i = 0; i < 29; i++) {
        CHECK(!node_tidy_turn(&t, 900));
    }
    CHECK(node_tidy_turn(&t, 900)); /* once more */
    for (int i = 0; i < 60; i++) {
        CHECK(!node_tidy_turn(&t, 901));
    }
}

TEST(a_few_steps_are_not_worth_it)
{
    struct node_tidy t = {0};

    CHECK(!node_tidy_turn(&t, 3));
    CHECK(!node_tidy_turn(&t, 3));
    CHECK(!node_tidy_turn(&t, 15));
    CHECK(node_tidy_turn(&t, 20)); /* with those of before it is */
}

TEST(a_busy_node_does_it_every_ten_seconds)
{
    struct node_tidy t = {0};
    unsigned done = 0;

    for (uint64_t s = 1; s <= 30; s++) {
        done += node_tidy_turn(&t, s * 100);
    }
    CHECK_EQ(done, 3);
}

int
main(void)
{
    return RUN(T(it_waits_until_it_is_quiet), T(a_few_steps_are_not_worth_it),
               T(a_busy_node_does_it_every_ten_seconds));
}
