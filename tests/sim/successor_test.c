/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that was founded anew, and who had it before is put back to before
 * that: nobody stays with one that is over (decisions G 31).
 */
#include "federation/core/care.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;
static const size_t all[] = {0, 1};

/* Both of two lose their state, and go on in another thread; kept: what node
   i had before that. */
static struct thread_id
founded_anew(uint64_t seed, bool hub_kept, size_t *hub, struct rows *kept)
{
    struct thread_id t;
    struct thread_id now;

    world_friends(&w, seed, 2);
    t = world_direct(&w, 0, 1);
    CHECK_OK(world_say(&w, 0, &t));
    world_heal(&w);
    *hub = world_thread(&w, 0, &t)->rec.hub[0] == node_root(&w, 0).b[0] ? 0 : 1;
    sim_commit_due(&w, hub_kept ? *hub : 1 - *hub, true);
    node_snapshot(&w, hub_kept ? *hub : 1 - *hub, kept);
    node_crash(&w, *hub);
    world_put_back(&w, 1 - *hub, NULL);
    node_start(&w, *hub);
    world_put_back(&w, *hub, NULL);
    world_heal(&w);
    CHECK_EQ(node_state(&w, 0, &t), FED_THREAD_ENDED);
    CHECK_EQ(node_state(&w, 1, &t), FED_THREAD_ENDED);
    now = world_direct(&w, *hub, 1 - *hub);
    CHECK(!thread_id_equal(&now, &t));
    CHECK_EQ(node_state(&w, 0, &now), FED_THREAD_ACTIVE);
    CHECK_EQ(node_state(&w, 1, &now), FED_THREAD_ACTIVE);
    return t;
}

static void
in_one_again(size_t hub, const struct thread_id *t)
{
    struct thread_id now;

    for (int i = 0; i < 4; i++) {
        w.mono_ms += 2 * LIMIT_MOVE_WAIT_MS;
        w.wall_ms += 2 * LIMIT_MOVE_WAIT_MS;
        world_run(&w, 3000);
    }
    world_heal(&w);
    now = world_direct(&w, hub, 1 - hub);
    for (size_t i = 0; i < 2; i++) {
        struct thread_id id;
        struct thread_id after;
        const struct thread_id *at = NULL;

        CHECK_EQ(node_state(&w, i, t), FED_THREAD_ENDED);
        CHECK_EQ(node_state(&w, i, &now), FED_THREAD_ACTIVE);
        while (fed_core_thread_next(w.nodes[i].core, at, &id) == OK) {
            CHECK(thread_id_equal(&id, &now) ||
                  node_state(&w, i, &id) == FED_THREAD_ENDED);
            after = id;
            at = &after;
        }
        CHECK_OK(world_say(&w, i, &now));
    }
    world_heal(&w);
    world_judge(&w, &now, all, 2);
    world_end(&w);
}

/* It asks who orders the old one, and hears of a thread that it does not
   know. */
TEST(a_member_put_back_to_before)
{
    struct rows before = {0};
    size_t hub;
    struct thread_id t = founded_anew(1, false, &hub, &before);

    world_put_back(&w, 1 - hub, &before);
    rows_free(&before);
    CHECK_EQ(node_state(&w, 1 - hub, &t), FED_THREAD_RESYNC);
    in_one_again(hub, &t);
}

/* The hub knows the old one alone, whose member says that it goes on in the
   new one; but that member has lost its state there. */
TEST(the_hub_put_back_to_before)
{
    struct rows before = {0};
    size_t hub;
    struct thread_id t = founded_anew(2, true, &hub, &before);
    struct thread_id next = world_direct(&w, hub, 1 - hub);

    node_crash(&w, hub);
    world_put_back(&w, 1 - hub, NULL);
    CHECK_EQ(node_state(&w, 1 - hub, &next), FED_THREAD_RESYNC);
    CHECK_OK(world_say(&w, 1 - hub, &next));
    node_start(&w, hub);
    world_put_back(&w, hub, &before);
    rows_free(&before);
    CHECK_EQ(node_state(&w, hub, &t), FED_THREAD_CHECKING);
    in_one_again(hub, &t);
}

/* Nor has that member lost it: the hub takes it from there. */
TEST(the_hub_alone_put_back_to_before)
{
    struct rows before = {0};
    size_t hub;
    struct thread_id t = founded_anew(3, true, &hub, &before);
    struct thread_id next = world_direct(&w, hub, 1 - hub);

    CHECK_OK(world_say(&w, 1 - hub, &next));
    world_heal(&w);
    world_put_back(&w, hub, &before);
    rows_free(&before);
    CHECK_EQ(node_state(&w, hub, &t), FED_THREAD_CHECKING);
    in_one_again(hub, &t);
}

int
main(void)
{
    return RUN(T(a_member_put_back_to_before), T(the_hub_put_back_to_before),
               T(the_hub_alone_put_back_to_before));
}
