/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node that begins again: what it had under way when it went, and what a
 * disk that was put back does (decisions E 20).
 */
#include "federation/core/inside.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

static struct world w;

/*
 * A new key for our leaf is no wish of people, so no intent stands for it.
 * Its answer is waited for all the same after a restart.
 */
TEST(rekey_under_way)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        static const size_t both[] = {0, 1};
        struct thread_id t;
        size_t follower;

        world_friends(&w, seed, 2);
        world_heal(&w);
        t = world_direct(&w, 0, 1);
        follower = world_thread(&w, 0, &t)->rec.hub[0] == node_root(&w, 0).b[0]
                       ? 1
                       : 0;
        node_rotate(&w, follower, false);
        CHECK_OK(world_say(&w, follower, &t));
        while (world_thread(&w, follower, &t)->stage == NULL) {
            world_step(&w, 1);
        }
        sim_take(&w, follower);
        sim_commit_due(&w, follower, true);
        world_run(&w, 1 + world_below(&w, 60));
        node_crash(&w, follower);
        node_start(&w, follower);
        world_heal(&w);
        CHECK_EQ(node_messages(&w, 1 - follower, &t), 1);
        world_judge(&w, &t, both, 2);
        world_end(&w);
    }
}

int
main(void)
{
    return RUN(T(rekey_under_way));
}
