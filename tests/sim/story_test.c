/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stories of clinics that connect and talk, each from a seed.
 * BALSAM_SIM_SEED replays one; BALSAM_SIM_SEEDS runs more of each.
 */
#include "tests/sim/scene.h"
#include "tests/sim/world.h"
#include "tests/support/check.h"

#include <stdlib.h>

static struct world w;

static void
begin(uint64_t seed, size_t nodes)
{
    world_init(&w, seed, nodes);
}

TEST(two_clinics_talk)
{
    static const size_t both[] = {0, 1};
    struct thread_id t;

    begin(1, 2);
    world_befriend(&w, 0, 1);
    t = world_direct(&w, 0, 1);
    for (int i = 0; i < 20; i++) {
        CHECK_OK(world_say(&w, (size_t)i % 2, &t));
        world_run(&w, 30);
    }
    world_heal(&w);
    world_judge(&w, &t, both, 2);
    CHECK_EQ(node_messages(&w, 0, &t), 20);
    CHECK_EQ(node_messages(&w, 1, &t), 20);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(two_clinics_talk));
}
