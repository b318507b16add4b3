/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A clinic is named as the hub of a thread, by the hub that went or by those
 * who were left, and cannot follow to where that was: it was put back to
 * before, or what it was to get is lost.  All the others look to it, or to who
 * came after it.
 */
#include "federation/core/move.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;
static const size_t all[] = {0, 1, 2, 3};

/* Node to says yes to the offer of node 0, and is away before it hears more. */
static void
said_yes(const struct thread_id *t, size_t to)
{
    world_hand_over(&w, 0, t, to);
    for (int i = 0; i < 1000 && !world_hub_is(&w, 0, t, to); i++) {
        world_step(&w, 1);
    }
    CHECK(world_hub_is(&w, 0, t, to));
    node_crash(&w, to);
    CHECK(world_thread(&w, 0, t)->rec.handed != 0);
}

/* All are in it, with one hub, and what they say arrives at all. */
static void
goes_on(const struct thread_id *t, size_t hub, size_t n, size_t messages)
{
    for (size_t i = 0; i < n; i++) {
        CHECK_EQ(node_state(&w, i, t), FED_THREAD_ACTIVE);
        CHECK(world_hub_is(&w, i, t, hub));
        CHECK_OK(world_say(&w, i, t));
    }
    world_heal(&w);
    world_judge(&w, t, all, n);
    for (size_t i = 0; i < n; i++) {
        CHECK_EQ(node_messages(&w, i, t), messages + n + 1);
    }
    world_end(&w);
}

TEST(put_back_to_before_it_was_handed_the_thread)
{
    struct thread_id t = world_settled(&w, 1, 3);
    struct rows before = {0};

    CHECK_OK(world_say(&w, 0, &t));
    world_heal(&w);
    node_snapshot(&w, 1, &before);
    world_hand_over(&w, 0, &t, 1);
    world_heal(&w);
    CHECK(world_hub_is(&w, 2, &t, 1));
    CHECK_OK(world_say(&w, 2, &t));
    world_heal(&w);
    world_put_back(&w, 1, &before);
    rows_free(&before);
    CHECK_OK(world_say(&w, 0, &t));
    world_heal(&w);
    goes_on(&t, 1, 3, 3);
}

TEST(put_back_to_before_it_took_the_thread)
{
    struct thread_id t = world_settled(&w, 2, 3);
    struct rows before[3] = {{.len = 0}};
    size_t next;

    CHECK_OK(world_say(&w, 0, &t));
    world_heal(&w);
    node_snapshot(&w, 1, &before[1]);
    node_snapshot(&w, 2, &before[2]);
    node_crash(&w, 0);
    CHECK_OK(world_say(&w, 1, &t));
    CHECK_OK(world_say(&w, 2, &t));
    world_outlast(&w, 4, 3000);
    next = world_hub_is(&w, 1, &t, 1) ? 1 : 2;
    CHECK(world_hub_is(&w, 3 - next, &t, next));
    world_put_back(&w, next, &before[next]);
    rows_free(&before[1]);
    rows_free(&before[2]);
    world_heal(&w);
    goes_on(&t, next, 3, 3);
}

/* Before it heard that it is the hub it asked the one of before, which did not
   answer in time: that one has most of the log all the same. */
TEST(who_did_not_answer_before_has_most)
{
    struct thread_id t = world_settled(&w, 30, 4);
    struct rows before = {0};

    world_heal(&w);
    node_snapshot(&w, 1, &before);
    world_hand_over(&w, 0, &t, 1);
    world_heal(&w);
    CHECK(world_hub_is(&w, 3, &t, 1));
    world_cut(&w, 1, 2, true);
    world_cut(&w, 1, 3, true);
    CHECK_OK(world_say(&w, 0, &t));
    world_run(&w, 5000);
    w.delay_ms = 100;
    world_put_back(&w, 1, &before);
    rows_free(&before);
    world_cut(&w, 1, 2, false);
    world_cut(&w, 1, 3, false);
    world_run(&w, 150);
    world_skip(&w, 2 * LIMIT_MOVE_WAIT_MS);
    world_run(&w, 5000);
    CHECK_EQ(node_state(&w, 1, &t), FED_THREAD_ACTIVE);
    CHECK(world_hub_is(&w, 1, &t, 1));
    CHECK_EQ(w.nodes[0].gaps, 0); /* it stayed in */
    for (size_t i = 0; i < 4; i++) {
        CHECK_EQ(w.nodes[i].forks, 0);
    }
    goes_on(&t, 1, 4, 1);
}

/* Two who are cut off from each other take the thread, and each lets somebody
   in: who came into the branch that loses knows of no other, and was no member
   when the one that wins began. */
TEST(let_in_where_it_lost_the_race)
{
    static const size_t five[] = {0, 1, 2, 3, 4};
    struct thread_id t;
    size_t hub;

    world_friends(&w, 31, 5);
    t = world_group(&w, 0, 3);
    world_heal(&w);
    for (size_t i = 1; i < 5; i += 2) {
        world_cut(&w, 2, i, true);
        world_cut(&w, 4, i, true);
    }
    node_crash(&w, 0);
    CHECK_OK(world_say(&w, 1, &t));
    CHECK_OK(world_say(&w, 2, &t));
    world_outlast(&w, 4, 3000);
    for (size_t i = 1; i < 3; i++) {
        struct clinic_id root = node_root(&w, i + 2);

        CHECK(world_hub_is(&w, i, &t, i));
        node_stepped(&w, i, fed_core_add(w.nodes[i].core, &t, &root));
        world_run(&w, 5000);
        CHECK_EQ(node_state(&w, i + 2, &t), FED_THREAD_ACTIVE);
    }
    world_heal(&w);
    hub = world_hub_is(&w, 1, &t, 1) ? 1 : 2;
    for (size_t i = 0; i < 5; i++) {
        CHECK_EQ(node_state(&w, i, &t), FED_THREAD_ACTIVE);
        CHECK(world_hub_is(&w, i, &t, hub));
    }
    CHECK(world_in(&w, &t, five, 5));
    world_end(&w);
}

/* Two pairs take it, of which one knows a later term of the hub, and the other
   has more of its log: the one that counts has the lower term. */
TEST(taken_in_a_lower_term)
{
    static const size_t five[] = {0, 1, 2, 3, 4};
    struct rows before = {0};
    struct thread_id t;
    size_t hub;

    world_friends(&w, 32, 5);
    t = world_group(&w, 0, 5);
    world_heal(&w);
    node_snapshot(&w, 0, &before);
    for (size_t i = 1; i < 3; i++) {
        world_cut(&w, i, 3, true);
        world_cut(&w, i, 4, true);
    }
    world_cut(&w, 0, 3, true);
    world_cut(&w, 0, 4, true);
    for (int i = 0; i < 5; i++) {
        CHECK_OK(world_say(&w, 0, &t));
        world_run(&w, 3000);
    }
    for (size_t i = 1; i < 5; i++) {
        world_cut(&w, 0, i, i < 3);
    }
    world_put_back(&w, 0, &before);
    rows_free(&before);
    world_later(&w, WORLD_GONE_MS, 5000);
    CHECK_EQ(world_thread(&w, 3, &t)->rec.term, 2);
    node_crash(&w, 0);
    CHECK_OK(world_say(&w, 1, &t));
    CHECK_OK(world_say(&w, 3, &t));
    world_outlast(&w, 4, 3000);
    hub = world_hub_is(&w, 1, &t, 1) ? 1 : 2;
    CHECK(world_hub_is(&w, hub, &t, hub));
    CHECK_EQ(world_thread(&w, 1, &t)->rec.term, 2);
    CHECK_EQ(world_thread(&w, 3, &t)->rec.term, 3);
    world_heal(&w);
    for (size_t i = 0; i < 5; i++) {
        CHECK_EQ(node_state(&w, i, &t), FED_THREAD_ACTIVE);
        CHECK(world_hub_is(&w, i, &t, hub));
        CHECK_OK(world_say(&w, i, &t));
    }
    world_heal(&w);
    world_judge(&w, &t, five, 5);
    for (size_t i = 0; i < 5; i++) { /* and the thread's title */
        CHECK_EQ(node_messages(&w, i, &t), 5 + 2 + 5 + 1);
    }
    world_end(&w);
}

/* What it was to get lies in streams of a folder that was put back. */
TEST(the_last_commit_to_it_is_lost)
{
    struct thread_id t = world_settled(&w, 3, 4);

    said_yes(&t, 3);
    world_run(&w, 2000);
    CHECK(world_hub_is(&w, 2, &t, 3));
    world_put_back(&w, 0, NULL);
    CHECK_OK(world_say(&w, 1, &t));
    world_run(&w, 2000);
    world_heal(&w);
    goes_on(&t, 3, 4, 1);
}

/* The others waited, and took it again, before it heard of anything. */
TEST(handed_over_to_who_is_away)
{
    struct thread_id t = world_settled(&w, 4, 4);
    size_t next = 4;

    said_yes(&t, 3);
    CHECK_OK(world_say(&w, 0, &t));
    CHECK_OK(world_say(&w, 1, &t));
    CHECK_OK(world_say(&w, 2, &t));
    world_outlast(&w, 4, 3000);
    for (size_t i = 0; i < 3; i++) {
        next = world_hub_is(&w, i, &t, i) ? i : next;
    }
    CHECK(next < 3);
    world_heal(&w);
    /* what the others said; not the commit that made it the hub */
    CHECK(w.nodes[3].gaps <= 1);
    goes_on(&t, next, 4, 3);
}

/* Likewise, and who had handed it over has it again, and hands it on. */
TEST(handed_over_to_who_is_away_and_on)
{
    for (uint64_t seed = 5; seed < 13; seed++) {
        struct thread_id t = world_settled(&w, seed, 4);
        size_t to;

        said_yes(&t, 3);
        CHECK_OK(world_say(&w, 1, &t));
        CHECK_OK(world_say(&w, 2, &t));
        world_outlast(&w, 4, 3000);
        to = world_hub_is(&w, 0, &t, 0) ? 1 : 0;
        for (size_t i = 0; i < 3; i++) {
            if (world_hub_is(&w, i, &t, i)) {
                world_hand_over(&w, i, &t, to);
                break;
            }
        }
        world_run(&w, 2000);
        CHECK(world_hub_is(&w, 2, &t, to));
        world_heal(&w);
        CHECK(w.nodes[3].gaps <= 1);
        goes_on(&t, to, 4, 2);
    }
}

/* The first in the order of successors, when node 0 goes. */
static size_t
successor(const struct thread_id *t, size_t n)
{
    struct fed_thread *at = world_thread(&w, 0, t);
    size_t best = 1;

    for (size_t i = 2; i < n; i++) {
        if (fed_move_order(&at->group, w.nodes[0].root.pub,
                           w.nodes[i].root.pub) <
            fed_move_order(&at->group, w.nodes[0].root.pub,
                           w.nodes[best].root.pub)) {
            best = i;
        }
    }
    return best;
}

/* Node 0 from all but one. */
static void
cut_off(size_t but, bool cut)
{
    for (size_t i = 1; i < 4; i++) {
        if (i != but) {
            world_cut(&w, 0, i, cut);
        }
    }
}

/*
 * Whom it was handed to has heard nothing of that and takes it, in the same
 * term.  The old hub comes back, alone with the state of what counts: that
 * clinic's log is another than its own, and it keeps what it has.
 */
TEST(handed_over_to_who_takes_it)
{
    for (uint64_t seed = 30; seed < 38; seed++) {
        struct thread_id t = world_settled(&w, seed, 4);
        size_t next = successor(&t, 4);

        w.delay_ms = seed % 2 == 0 ? 0 : 100;
        cut_off(next, true);
        said_yes(&t, next);
        sim_commit_due(&w, 0, true);
        node_crash(&w, 0);
        cut_off(next, false);
        node_start(&w, next);
        for (size_t i = 1; i < 4; i++) {
            CHECK_OK(world_say(&w, i, &t));
        }
        world_outlast(&w, 4, 3000);
        CHECK(world_hub_is(&w, 1, &t, next) && world_hub_is(&w, 2, &t, next));
        for (size_t i = 1; i < (seed < 34 ? 4 : 1); i++) {
            CHECK_OK(world_say(&w, i, &t));
            world_run(&w, 2000);
        }
        node_start(&w, 0);
        for (int i = 0; i < 2000; i++) {
            world_step(&w, 10);
            CHECK_EQ(node_state(&w, 0, &t), FED_THREAD_ACTIVE);
        }
        world_heal(&w);
        CHECK_EQ(w.nodes[0].forks + w.nodes[0].gaps, 0);
        goes_on(&t, next, 4, seed < 34 ? 6 : 3);
    }
}

/* Who heard of the new hub before that itself did, says where it stands, and
   neither leaves its state nor is forgotten, though it restarts. */
TEST(where_it_stands_is_said_too_early)
{
    struct thread_id t = world_settled(&w, 20, 3);

    world_hand_over(&w, 0, &t, 1);
    for (int i = 0; i < 1000 && !world_hub_is(&w, 0, &t, 1); i++) {
        world_step(&w, 1);
    }
    world_cut(&w, 0, 1, true);
    world_run(&w, 1000);
    CHECK(world_hub_is(&w, 2, &t, 1));
    CHECK(world_hub_is(&w, 1, &t, 0));
    node_crash(&w, 2);
    world_run(&w, 1000);
    world_cut(&w, 0, 1, false);
    world_run(&w, 5000);
    CHECK(world_hub_is(&w, 1, &t, 1));
    node_start(&w, 2);
    world_run(&w, 2000);
    CHECK_OK(world_say(&w, 0, &t));
    world_heal(&w);
    CHECK_EQ(node_messages(&w, 2, &t), 1 + 1);
    CHECK_EQ(w.nodes[2].gaps, 0);
    goes_on(&t, 1, 3, 1);
}

/* It compares, as one member is away: the others keep what they have. */
TEST(nobody_leaves_its_state_for_a_hub_that_compares)
{
    struct thread_id t = world_settled(&w, 21, 4);
    struct rows before = {0};

    node_snapshot(&w, 1, &before);
    world_hand_over(&w, 0, &t, 1);
    world_heal(&w);
    CHECK_OK(world_say(&w, 2, &t));
    world_heal(&w);
    node_crash(&w, 3);
    world_put_back(&w, 1, &before);
    rows_free(&before);
    CHECK_OK(world_say(&w, 0, &t));
    CHECK_OK(world_say(&w, 2, &t));
    world_run(&w, 20000);
    CHECK_EQ(node_state(&w, 1, &t), FED_THREAD_CHECKING);
    for (size_t i = 0; i < 3; i += 2) {
        struct fed_thread *at = world_thread(&w, i, &t);
        struct clinic_id hub = node_root(&w, 1);

        CHECK_OK(fed_pull_send(w.nodes[i].core, at, &hub));
        sim_take(&w, i);
    }
    world_run(&w, 20000);
    CHECK_EQ(node_state(&w, 0, &t), FED_THREAD_ACTIVE);
    CHECK_EQ(node_state(&w, 2, &t), FED_THREAD_ACTIVE);
    world_heal(&w);
    CHECK_EQ(w.nodes[0].gaps + w.nodes[2].gaps, 0);
    goes_on(&t, 1, 4, 3);
}

int
main(void)
{
    return RUN(
        T(put_back_to_before_it_was_handed_the_thread),
        T(put_back_to_before_it_took_the_thread),
        T(who_did_not_answer_before_has_most), T(let_in_where_it_lost_the_race),
        T(taken_in_a_lower_term), T(the_last_commit_to_it_is_lost),
        T(handed_over_to_who_is_away), T(handed_over_to_who_is_away_and_on),
        T(handed_over_to_who_takes_it), T(where_it_stands_is_said_too_early),
        T(nobody_leaves_its_state_for_a_hub_that_compares));
}
