/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many seeds of stories with clinics, a patient and its devices.  A failing
 * seed is printed; replay it with BALSAM_SIM_SEED=n TEST=name;
 * BALSAM_SIM_SEEDS=n runs n of each.
 */
#include "tests/sim/story.h"
#include "tests/support/check.h"

static struct world w;

TEST(clinic_and_patient)
{
    static const struct story s = {.nodes = 2,
                                   .devices = 1,
                                   .steps = 60,
                                   .crash = 20,
                                   .broken = 3000,
                                   .cut = 20,
                                   .rekey = 40};

    CHECK_EQ(story_all(&w, &s, 30), 0);
}

TEST(two_devices)
{
    static const struct story s = {.nodes = 3,
                                   .devices = 2,
                                   .steps = 70,
                                   .crash = 20,
                                   .broken = 3000,
                                   .cut = 20,
                                   .rekey = 40};

    CHECK_EQ(story_all(&w, &s, 30), 0);
}

TEST(three_parties)
{
    static const struct story s = {.nodes = 4,
                                   .devices = 2,
                                   .steps = 80,
                                   .crash = 20,
                                   .broken = 3000,
                                   .cut = 20,
                                   .rekey = 40};

    CHECK_EQ(story_all(&w, &s, 30), 0);
}

TEST(carried)
{
    static const struct story s = {.nodes = 4,
                                   .devices = 2,
                                   .steps = 80,
                                   .crash = 20,
                                   .broken = 3000,
                                   .cut = 20,
                                   .rekey = 40,
                                   .relay = true};

    CHECK_EQ(story_all(&w, &s, 30), 0);
}

TEST(keys_that_change)
{
    static const struct story s = {.nodes = 4,
                                   .devices = 1,
                                   .steps = 60,
                                   .crash = 10,
                                   .broken = 2000,
                                   .rekey = 20,
                                   .rotate = 30};

    CHECK_EQ(story_all(&w, &s, 30), 0);
}

TEST(put_back)
{
    static const struct story s = {.nodes = 3,
                                   .devices = 1,
                                   .steps = 70,
                                   .crash = 10,
                                   .broken = 2000,
                                   .rekey = 20,
                                   .restore = 20};

    CHECK_EQ(story_all(&w, &s, 20), 0);
}

TEST(put_back_while_carried)
{
    static const struct story s = {.nodes = 3,
                                   .devices = 1,
                                   .steps = 70,
                                   .crash = 10,
                                   .broken = 2000,
                                   .rekey = 20,
                                   .restore = 20,
                                   .relay = true};

    CHECK_EQ(story_all(&w, &s, 20), 0);
}

TEST(short_of_memory)
{
    static const struct story s = {.nodes = 3,
                                   .devices = 1,
                                   .steps = 60,
                                   .crash = 10,
                                   .broken = 1000,
                                   .rekey = 30,
                                   .hunger = 500};

    CHECK_EQ(story_all(&w, &s, 20), 0);
}

int
main(void)
{
    return RUN(T(clinic_and_patient), T(two_devices), T(three_parties),
               T(carried), T(keys_that_change), T(put_back),
               T(put_back_while_carried), T(short_of_memory));
}
