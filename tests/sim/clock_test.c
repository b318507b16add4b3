/* SPDX-License-Identifier: Apache-2.0 */
/* What time it is at least (decisions A 3). */
#include "federation/core/trust.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

static struct world w;

static bool
behind(size_t i)
{
    struct fed_clock clock;

    fed_core_clock(w.nodes[i].core, &clock);
    return clock.behind;
}

/* A connection from another clinic whose certificate begins at ms. */
static void
certified(size_t i, size_t other, uint64_t ms)
{
    struct fed_up up = {.serial = 9000 + other, .certified_ms = ms};

    up.root = node_root(&w, other);
    up.generation = w.nodes[other].generation;
    CHECK_OK(fed_core_peer_up(w.nodes[i].core, &up));
    CHECK_OK(fed_core_peer_down(w.nodes[i].core, &up.root, up.serial));
}

/* The battery is empty: after a restart it is last year. */
TEST(a_clock_behind_what_was_stored)
{
    struct thread_id t;
    static const size_t both[] = {0, 1};

    world_init(&w, 1, 2);
    world_befriend(&w, 0, 1);
    world_run(&w, 40000);
    CHECK(!behind(0));
    node_crash(&w, 0);
    w.wall_ms -= 400 * IDENT_DAY_MS;
    node_start(&w, 0);
    CHECK(behind(0));
    t = world_direct(&w, 0, 1);
    CHECK_OK(world_say(&w, 0, &t)); /* and it works nevertheless */
    CHECK_OK(world_say(&w, 1, &t));
    world_heal(&w);
    world_judge(&w, &t, both, 2);
    w.wall_ms += 400 * IDENT_DAY_MS;
    CHECK(!behind(0));
    world_end(&w);
}

/* An hour or a night is no reason to say anything. */
TEST(a_clock_that_is_set)
{
    world_init(&w, 2, 2);
    world_befriend(&w, 0, 1);
    world_run(&w, 40000);
    w.wall_ms -= IDENT_DAY_MS / 2;
    CHECK(!behind(0));
    world_end(&w);
}

TEST(a_clock_behind_what_others_signed)
{
    world_init(&w, 3, 3);
    world_befriend(&w, 0, 1);
    certified(0, 1, w.wall_ms + 100 * IDENT_DAY_MS);
    CHECK(behind(0)); /* it is the only one that we know */
    world_befriend(&w, 0, 2);
    CHECK(!behind(0)); /* one liar among two */
    certified(0, 2, w.wall_ms + 50 * IDENT_DAY_MS);
    CHECK(behind(0));
    world_end(&w);
}

/* It is still known after a restart. */
TEST(what_others_signed_is_stored)
{
    world_init(&w, 4, 2);
    world_befriend(&w, 0, 1);
    certified(0, 1, w.wall_ms + 100 * IDENT_DAY_MS);
    CHECK_OK(fed_core_tick(w.nodes[0].core));
    sim_take(&w, 0);
    sim_commit_due(&w, 0, true);
    node_crash(&w, 0);
    node_start(&w, 0);
    CHECK(behind(0));
    world_end(&w);
}

int
main(void)
{
    return RUN(T(a_clock_behind_what_was_stored), T(a_clock_that_is_set),
               T(a_clock_behind_what_others_signed),
               T(what_others_signed_is_stored));
}
