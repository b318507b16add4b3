/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread gets another hub: handed over, or taken by those who are left; the
 * hub that comes back; two who begin the same term; and what a clinic that
 * lies about it can not do.
 */
#include "federation/core/move.h"
#include "tests/sim/store.h"
#include "tests/sim/story.h"
#include "tests/support/check.h"

#include <stdio.h>
#include <string.h>

enum {
    DAY_MS = 86400000
};

static struct world w;
static const size_t all[] = {0, 1, 2, 3};

static void
end(void)
{
    char fault[sizeof(w.fault)];

    memcpy(fault, w.fault, sizeof(fault));
    world_free(&w);
    if (fault[0] != '\0') {
        printf("  %s\n", fault);
        check_fail(__FILE__, __LINE__, "the oracle is content");
    }
}

static struct fed_thread *
thread_of(size_t i, const struct thread_id *id)
{
    struct fed_thread *t = NULL;

    CHECK_OK(fed_thread_get(w.nodes[i].core, id, &t));
    return t;
}

static struct fed_thread_info
info_of(size_t i, const struct thread_id *id)
{
    struct fed_thread_info info;

    memset(&info, 0, sizeof(info));
    CHECK_OK(fed_core_thread(w.nodes[i].core, id, &info));
    return info;
}

static bool
hub_is(size_t i, const struct thread_id *id, size_t hub)
{
    struct fed_thread_info info = info_of(i, id);
    struct clinic_id root = node_root(&w, hub);

    return clinic_id_equal(&info.hub, &root);
}

/* n friends in one thread, ordered by node 0. */
static struct thread_id
group(uint64_t seed, size_t n)
{
    struct clinic_id with[WORLD_NODES];
    struct thread_id t;

    world_init(&w, seed, n);
    for (size_t a = 0; a < n; a++) {
        for (size_t b = a + 1; b < n; b++) {
            world_befriend(&w, a, b);
        }
    }
    for (size_t i = 1; i < n; i++) {
        with[i - 1] = node_root(&w, i);
    }
    CHECK_OK(fed_core_thread_open(w.nodes[0].core, with, n - 1,
                                  VIEW_LIT("All of us"), &t));
    sim_take(&w, 0);
    world_heal(&w);
    return t;
}

static void
say(size_t i, const struct thread_id *t)
{
    CHECK_OK(world_say(&w, i, t));
}

/* Time passes, and everybody who is up lives through it. */
static void
pass(uint64_t ms)
{
    w.mono_ms += ms;
    w.wall_ms += ms;
    world_run(&w, 3000);
}

/* The hub is away for long enough, and something waits. */
static void
outlast(void)
{
    world_run(&w, 3000);
    pass(3 * DAY_MS + 3600000);
    pass(2 * LIMIT_MOVE_WAIT_MS);
    pass(2 * LIMIT_MOVE_WAIT_MS);
}

/* The first of these in the order of successors of node 0. */
static size_t
first_of(const struct thread_id *t, size_t from, size_t n)
{
    struct fed_thread *at = thread_of(from, t);
    size_t best = SIZE_MAX;
    size_t first = SIZE_MAX;

    for (size_t i = 1; i < n; i++) {
        size_t order = fed_move_order(&at->group, w.nodes[0].root.pub,
                                      w.nodes[i].root.pub);

        if (order < first) {
            first = order;
            best = i;
        }
    }
    return best;
}

/* ------------------------------------------------------------------ planned */

TEST(handed_over)
{
    struct thread_id t = group(1, 3);
    struct clinic_id to = node_root(&w, 2);
    uint64_t term = info_of(0, &t).term;

    say(0, &t);
    say(1, &t);
    CHECK_OK(fed_core_hand_over(w.nodes[0].core, &t, &to, false));
    sim_take(&w, 0);
    for (size_t i = 0; i < 3; i++) {
        say(i, &t);
    }
    world_heal(&w);
    for (size_t i = 0; i < 3; i++) {
        CHECK(hub_is(i, &t, 2));
        CHECK_EQ(info_of(i, &t).term, term + 1);
        CHECK_EQ(w.nodes[i].hubs[FED_HUB_HANDED], 1);
        say(i, &t);
    }
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    CHECK_EQ(node_messages(&w, 1, &t), 8 + 1);
    CHECK_EQ(w.nodes[0].gaps + w.nodes[1].gaps + w.nodes[2].gaps, 0);
    end();
}

/* Nobody who is away loses what was said before, or after. */
TEST(handed_over_while_one_is_away)
{
    struct thread_id t = group(2, 4);
    struct clinic_id to = node_root(&w, 1);

    node_crash(&w, 3);
    for (int i = 0; i < 5; i++) {
        say(0, &t);
        say(1, &t);
    }
    CHECK_OK(fed_core_hand_over(w.nodes[0].core, &t, &to, false));
    sim_take(&w, 0);
    world_run(&w, 5000);
    CHECK(hub_is(1, &t, 1));
    for (int i = 0; i < 5; i++) {
        say(2, &t);
    }
    world_run(&w, 5000);
    world_heal(&w);
    CHECK(hub_is(3, &t, 1));
    world_judge(&w, &t, all, 4);
    CHECK_EQ(w.nodes[3].gaps, 0);
    CHECK_EQ(node_messages(&w, 3, &t), 15 + 1);
    end();
}

/* The hub's clinic leaves: it hands over first, then is removed. */
TEST(the_hub_leaves)
{
    struct thread_id t = group(3, 3);
    static const size_t left[] = {1, 2};

    say(0, &t);
    CHECK_OK(fed_core_leave(w.nodes[0].core, &t));
    sim_take(&w, 0);
    world_heal(&w);
    CHECK_EQ(node_state(&w, 0, &t), FED_THREAD_REMOVED);
    CHECK(!hub_is(1, &t, 0) && !hub_is(2, &t, 0));
    say(1, &t);
    say(2, &t);
    world_heal(&w);
    world_judge(&w, &t, left, 2);
    end();
}

TEST(nobody_to_hand_over_to)
{
    struct thread_id t;

    world_init(&w, 4, 1);
    CHECK_OK(
        fed_core_thread_open(w.nodes[0].core, NULL, 0, VIEW_LIT("alone"), &t));
    CHECK_ERR(fed_core_hand_over(w.nodes[0].core, &t, NULL, false),
              ERR_INVALID);
    CHECK_ERR(fed_core_leave(w.nodes[0].core, &t), ERR_INVALID);
    end();
}

/* A copy of the old hub's folder from before hears that it is none. */
TEST(handed_over_then_restored)
{
    struct thread_id t = group(5, 3);
    struct clinic_id to = node_root(&w, 1);
    struct rows before = {0};

    say(0, &t);
    world_heal(&w);
    node_snapshot(&w, 0, &before);
    CHECK_OK(fed_core_hand_over(w.nodes[0].core, &t, &to, false));
    sim_take(&w, 0);
    world_heal(&w);
    say(2, &t);
    world_heal(&w);
    node_crash(&w, 0);
    node_restore(&w, 0, &before);
    rows_free(&before);
    world_heal(&w);
    CHECK(hub_is(0, &t, 1));
    say(0, &t);
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    end();
}

/* ---------------------------------------------------------------- unplanned */

TEST(taken_over)
{
    struct thread_id t = group(6, 3);
    size_t next = first_of(&t, 1, 3);
    size_t other = 3 - next;

    say(0, &t);
    world_heal(&w);
    node_crash(&w, 0);
    say(other, &t);
    world_run(&w, 5000);
    pass(2 * DAY_MS);
    CHECK(hub_is(other, &t, 0)); /* not yet */
    outlast();
    CHECK(hub_is(next, &t, next));
    CHECK(hub_is(other, &t, next));
    CHECK_EQ(w.nodes[other].hubs[FED_HUB_TAKEN], 1);
    say(next, &t);
    world_run(&w, 5000);
    CHECK_EQ(node_messages(&w, next, &t), 3 + 1);
    CHECK_EQ(node_messages(&w, other, &t), 3 + 1);
    world_heal(&w); /* the old hub comes back */
    CHECK(hub_is(0, &t, next));
    say(0, &t);
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    end();
}

/* One other clinic: that clinic alone. */
TEST(taken_over_by_the_only_other)
{
    struct thread_id t;
    struct fed_thread_info info;
    size_t hub;
    size_t other;

    world_init(&w, 7, 2);
    world_befriend(&w, 0, 1);
    t = world_direct(&w, 0, 1);
    world_heal(&w);
    info = info_of(0, &t);
    hub = info.hub_here ? 0 : 1;
    other = 1 - hub;
    node_crash(&w, hub);
    say(other, &t);
    outlast();
    CHECK(hub_is(other, &t, other));
    world_heal(&w);
    CHECK(hub_is(hub, &t, other));
    say(hub, &t);
    world_heal(&w);
    world_judge(&w, &t, all, 2);
    end();
}

/* What the old hub and those with it said alone is said again. */
TEST(the_old_hub_was_only_cut_off)
{
    for (uint64_t seed = 101; seed <= 110; seed++) {
        struct thread_id t;

        if (story_only() != 0 && story_only() != seed) {
            continue;
        }
        t = group(seed, 4);

        say(1, &t);
        world_heal(&w);
        for (size_t i = 1; i < 4; i++) {
            world_cut(&w, 0, i, true);
        }
        world_run(&w, 2000);
        for (int i = 0; i < 4; i++) {
            say(0, &t); /* alone */
            say(1 + (size_t)world_below(&w, 3), &t);
        }
        outlast();
        CHECK(!hub_is(1, &t, 0));
        CHECK(hub_is(0, &t, 0));
        say(0, &t);
        say(2, &t);
        world_run(&w, 2000);
        world_heal(&w);
        CHECK(!hub_is(0, &t, 0));
        say(0, &t);
        world_heal(&w);
        world_judge(&w, &t, all, 4);
        CHECK(w.nodes[1].resent >= 5);
        end();
    }
}

/* Who had got more from the old hub than the others takes over. */
TEST(most_of_the_log_leads)
{
    struct thread_id t = group(8, 3);
    size_t first = first_of(&t, 1, 3);
    size_t other = 3 - first;

    world_cut(&w, 0, first, true);
    world_cut(&w, first, other, true);
    world_run(&w, 1000);
    say(0, &t);
    world_run(&w, 3000);
    CHECK_EQ(node_messages(&w, other, &t), 1 + 1);
    node_crash(&w, 0);
    world_cut(&w, first, other, false);
    say(first, &t);
    outlast();
    CHECK(hub_is(first, &t, other));
    CHECK(hub_is(other, &t, other));
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    end();
}

/* Two who do not see each other both begin the next term. */
TEST(two_successors)
{
    for (uint64_t seed = 201; seed <= 210; seed++) {
        struct thread_id t;
        size_t first;

        if (story_only() != 0 && story_only() != seed) {
            continue;
        }
        t = group(seed, 3);
        first = first_of(&t, 1, 3);

        say(1, &t);
        world_heal(&w);
        node_crash(&w, 0);
        world_cut(&w, 1, 2, true);
        world_run(&w, 1000);
        say(1, &t);
        say(2, &t);
        outlast();
        CHECK(hub_is(1, &t, 1));
        CHECK(hub_is(2, &t, 2));
        say(1, &t);
        say(2, &t);
        world_run(&w, 2000);
        world_cut(&w, 1, 2, false);
        world_run(&w, 5000);
        say(1, &t);
        say(2, &t);
        world_heal(&w);
        CHECK(hub_is(0, &t, first));
        CHECK(hub_is(1, &t, first));
        CHECK(hub_is(2, &t, first));
        world_judge(&w, &t, all, 3);
        CHECK_EQ(node_messages(&w, 0, &t), 7 + 1);
        end();
    }
}

int
main(void)
{
    return RUN(T(handed_over), T(handed_over_while_one_is_away),
               T(the_hub_leaves), T(nobody_to_hand_over_to),
               T(handed_over_then_restored), T(taken_over),
               T(taken_over_by_the_only_other), T(the_old_hub_was_only_cut_off),
               T(most_of_the_log_leads), T(two_successors));
}
