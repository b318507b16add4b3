/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many seeds of the same stories.  A failing seed is printed; replay it with
 * BALSAM_SIM_SEED=n TEST=name; BALSAM_SIM_SEEDS=n runs n of each.
 */
#include "tests/sim/scene.h"
#include "tests/sim/story.h"
#include "tests/support/check.h"
static struct world w;

TEST(two_clinics)
{
    static const struct story s = {
        .nodes = 2, .steps = 60, .crash = 20, .broken = 3000, .cut = 20};

    CHECK_EQ(story_all(&w, &s, 60), 0);
}

TEST(two_clinics_and_commits)
{
    static const struct story s = {.nodes = 2,
                                   .steps = 60,
                                   .crash = 20,
                                   .broken = 3000,
                                   .cut = 20,
                                   .rekey = 60};

    CHECK_EQ(story_all(&w, &s, 60), 0);
}

TEST(group)
{
    static const struct story s = {.nodes = 4,
                                   .steps = 80,
                                   .crash = 20,
                                   .broken = 3000,
                                   .cut = 20,
                                   .rekey = 60,
                                   .group = true};

    CHECK_EQ(story_all(&w, &s, 40), 0);
}

TEST(rotation)
{
    static const struct story s = {.nodes = 3,
                                   .steps = 60,
                                   .crash = 10,
                                   .broken = 2000,
                                   .rekey = 20,
                                   .rotate = 30,
                                   .group = true};

    CHECK_EQ(story_all(&w, &s, 20), 0);
}

TEST(put_back)
{
    static const struct story s = {.nodes = 2,
                                   .steps = 60,
                                   .crash = 10,
                                   .broken = 2000,
                                   .rekey = 20,
                                   .restore = 30};

    CHECK_EQ(story_all(&w, &s, 40), 0);
}

TEST(put_back_in_a_group)
{
    static const struct story s = {.nodes = 3,
                                   .steps = 80,
                                   .crash = 10,
                                   .broken = 2000,
                                   .rekey = 20,
                                   .restore = 20,
                                   .group = true};

    CHECK_EQ(story_all(&w, &s, 40), 0);
}

TEST(short_of_memory)
{
    static const struct story s = {.nodes = 3,
                                   .steps = 80,
                                   .crash = 10,
                                   .broken = 1000,
                                   .rekey = 30,
                                   .hunger = 500,
                                   .group = true};

    CHECK_EQ(story_all(&w, &s, 40), 0);
}

/* A clinic is short of memory at any point of being asked in: it comes in, and
   the conversation says the same about that everywhere. */
TEST(short_of_memory_when_asked_in)
{
    static const size_t all[] = {0, 1, 2};

    for (uint64_t n = 1; n < 400; n += 5) {
        struct thread_id t;

        world_friends(&w, n, 3);
        w.hunger = UINT64_MAX / 2; /* once */
        w.nodes[2].fail_in = n;
        t = world_group(&w, 0, 3);
        w.hunger = 0;
        world_heal(&w);
        CHECK_OK(world_say(&w, 1, &t));
        world_heal(&w);
        world_run(&w, 3 * LIMIT_MISSING_MS);
        world_heal(&w);
        world_judge(&w, &t, all, 3);
        world_end(&w);
    }
}

int
main(void)
{
    return RUN(T(two_clinics), T(two_clinics_and_commits), T(group),
               T(rotation), T(put_back), T(put_back_in_a_group),
               T(short_of_memory), T(short_of_memory_when_asked_in));
}
