/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One author's words keep their order, also where those that were numbered in
 * a term that is void are said again while others wait.
 */
#include "federation/core/inside.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

static struct world w;
static const size_t all[] = {0, 1, 2, 3};

static void
say(size_t i, const struct thread_id *t)
{
    CHECK_OK(world_say(&w, i, t));
    world_run(&w, 3000);
}

/* Nodes 2 and 3 take the thread, 0 orders it beside them in a term of its
   own, which is void, with 1. */
static struct thread_id
beside_a_quorum(uint64_t seed)
{
    struct thread_id t;

    t = world_settled(&w, seed, 4);
    for (size_t i = 0; i < 2; i++) {
        world_cut(&w, i, 2, true);
        world_cut(&w, i, 3, true);
    }
    CHECK_OK(world_say(&w, 2, &t));
    world_outlast(&w, 4, 5000);
    CHECK(world_thread(&w, 2, &t)->rec.hub[0] != node_root(&w, 0).b[0]);
    return t;
}

/* It is put back, and ordered by it the thread has another term. */
static void
begins_a_term(const struct thread_id *t)
{
    uint64_t term = world_thread(&w, 0, t)->rec.term;

    world_put_back(&w, 0, NULL);
    world_later(&w, WORLD_GONE_MS, 5000);
    CHECK_EQ(world_thread(&w, 0, t)->rec.term, term + 1);
}

/* What waits when it hears of it was said later than what is said again. */
TEST(words_wait_behind_what_is_said_again)
{
    struct thread_id t = beside_a_quorum(1);

    begins_a_term(&t);
    say(0, &t);
    say(0, &t);
    world_cut(&w, 0, 1, true);
    world_put_back(&w, 0, NULL);
    CHECK_EQ(node_state(&w, 0, &t), FED_THREAD_CHECKING);
    say(0, &t);
    say(0, &t);
    world_heal(&w);
    CHECK_EQ(node_state(&w, 0, &t), FED_THREAD_ACTIVE);
    CHECK_EQ(node_messages(&w, 3, &t), 5 + 1);
    world_judge(&w, &t, all, 4);
    world_end(&w);
}

/* It fell back behind some of them, and stands there: all are said again. */
TEST(all_of_a_void_term_is_said_again)
{
    struct thread_id t = beside_a_quorum(2);

    begins_a_term(&t);
    say(0, &t);
    world_cut(&w, 0, 1, true);
    for (int i = 0; i < 6; i++) {
        say(0, &t);
    }
    world_put_back(&w, 0, NULL); /* before they are connected again */
    world_cut(&w, 0, 1, false);
    world_later(&w, WORLD_GONE_MS, 5000);
    CHECK_EQ(node_state(&w, 0, &t), FED_THREAD_ACTIVE);
    world_heal(&w);
    say(0, &t);
    world_heal(&w);
    CHECK_EQ(node_messages(&w, 3, &t), 9 + 1);
    world_judge(&w, &t, all, 4);
    world_end(&w);
}

/* What was numbered in the moment before it hears of that is not stored yet. */
TEST(what_is_being_stored_is_said_again)
{
    for (uint64_t seed = 3; seed < 8; seed++) {
        struct thread_id t = beside_a_quorum(seed);
        size_t said = 0;

        begins_a_term(&t);
        w.commit_ms = 60;
        for (size_t i = 2; i < 4; i++) {
            world_cut(&w, 0, i, false);
        }
        while (node_state(&w, 0, &t) == FED_THREAD_ACTIVE && said < 2000) {
            CHECK_OK(world_say(&w, 0, &t));
            world_step(&w, 5);
            said++;
        }
        CHECK(said < 2000);
        world_heal(&w);
        CHECK_EQ(node_messages(&w, 3, &t), 1 + said + 1);
        world_judge(&w, &t, all, 4);
        world_end(&w);
    }
}

int
main(void)
{
    return RUN(T(words_wait_behind_what_is_said_again),
               T(all_of_a_void_term_is_said_again),
               T(what_is_being_stored_is_said_again));
}
