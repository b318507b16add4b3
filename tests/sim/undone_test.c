/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A clinic takes a thread and is away at once; nobody has heard of it.  The hub
 * comes back meanwhile, and those whose words made the other one the hub go on
 * with it: their words count no more, and it is told so when it is there again.
 */
#include "federation/core/move.h"
#include "tests/sim/changes.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

static struct world w;
static const size_t all[] = {0, 1, 2, 3};

/* The hub is away for three days; who takes the thread, that nobody has heard
   of it yet. */
static size_t
took(const struct thread_id *t)
{
    size_t taker = 0;

    node_crash(&w, 0);
    for (size_t i = 1; i < 4; i++) {
        CHECK_OK(world_say(&w, i, t));
    }
    world_run(&w, 3000);
    world_skip(&w, LIMIT_CHECK_MS + LIMIT_HOUR_MS);
    for (int ms = 0; ms < 100000 && taker == 0; ms++) {
        world_step(&w, 1);
        for (size_t i = 1; i < 4; i++) {
            taker = world_hub_is(&w, i, t, i) ? i : taker;
        }
    }
    CHECK(taker != 0);
    for (size_t i = 0; i < 4; i++) {
        world_break(&w, taker, i);
    }
    sim_commit_due(&w, taker, true);
    return taker;
}

static void
begin(struct thread_id *t, uint64_t seed)
{
    *t = world_settled(&w, seed, 4);
    w.delay_ms = 50;
    w.commit_ms = 30;
    world_heal(&w);
}

/* The others write to each other with the hub that came back. */
static void
go_on(const struct thread_id *t, size_t taker, unsigned hours)
{
    node_start(&w, 0);
    world_run(&w, 5000);
    for (size_t i = 0; i < 4; i++) {
        if (i != taker) {
            CHECK(world_hub_is(&w, i, t, 0));
            CHECK_OK(world_say(&w, i, t));
        }
    }
    world_pass(&w, hours);
}

/* How many lines tell that somebody took the thread. */
static size_t
taken_lines(size_t i, const struct thread_id *t)
{
    struct fed_line lines[64];
    size_t len = sim_lines(&w, i, t, lines, 64);
    size_t n = 0;

    for (size_t k = 0; k < len; k++) {
        n += lines[k].what == FED_LINE_TAKEN ? 1 : 0;
    }
    return n;
}

/* All are with hub, have all that was said, and see it taken so often. */
static void
together(const struct thread_id *t, size_t hub, size_t taken)
{
    world_heal(&w);
    world_pass(&w, 2);
    world_heal(&w);
    for (size_t i = 0; i < 4; i++) {
        CHECK_EQ(node_state(&w, i, t), FED_THREAD_ACTIVE);
        CHECK(world_hub_is(&w, i, t, hub));
        CHECK_OK(world_say(&w, i, t));
    }
    world_heal(&w);
    world_judge(&w, t, all, 4);
    for (size_t i = 0; i < 4; i++) { /* and the thread's title */
        CHECK_EQ(node_messages(&w, i, t), 3 + 3 + 1 + 4 + 1);
        CHECK_EQ(taken_lines(i, t), taken);
    }
    world_end(&w);
}

TEST(it_comes_back_to_the_hub)
{
    struct thread_id t;
    size_t taker;

    begin(&t, 41);
    taker = took(&t);
    node_crash(&w, taker);
    go_on(&t, taker, 80); /* the hub waits for who is not there (E 20) */
    node_start(&w, taker);
    CHECK(world_hub_is(&w, taker, &t, taker));
    CHECK_EQ(taken_lines(taker, &t), 1);
    CHECK_OK(world_say(&w, taker, &t));
    together(&t, 0, 0);
}

/* Nobody has read more of the old hub's log: its term loses (D 16). */
TEST(soon_back_it_is_followed)
{
    struct thread_id t;
    size_t taker;

    begin(&t, 42);
    taker = took(&t);
    node_crash(&w, taker);
    go_on(&t, taker, 2);
    node_start(&w, taker);
    CHECK_OK(world_say(&w, taker, &t));
    together(&t, taker, 1);
}

static void
says(size_t taker, const struct thread_id *t, size_t by, uint64_t moved)
{
    struct proto_hub_seen seen = {.term = 1, .moved = moved};

    if (by == taker) {
        return;
    }
    CHECK_OK(fed_undone_heard(w.nodes[taker].core, world_thread(&w, taker, t),
                              world_party(&w, taker, by), &seen));
    CHECK(world_hub_is(&w, taker, t, taker));
}

/* [move-undone] one whose word it was made of, before anybody follows. */
TEST(not_by_anybody_nor_later)
{
    struct thread_id t;
    size_t taker;
    uint64_t term;

    begin(&t, 43);
    taker = took(&t);
    term = world_thread(&w, taker, &t)->group.term;
    says(taker, &t, 0, term); /* the old hub has no word in it */
    for (size_t i = 1; i < 4; i++) {
        says(taker, &t, i, term + 1); /* another proof */
    }
    world_heal(&w);
    for (size_t i = 1; i < 4; i++) {
        says(taker, &t, i, term); /* they follow */
    }
    world_heal(&w);
    for (size_t i = 0; i < 4; i++) {
        CHECK(world_hub_is(&w, i, &t, taker));
    }
    world_end(&w);
}

int
main(void)
{
    return RUN(T(it_comes_back_to_the_hub), T(soon_back_it_is_followed),
               T(not_by_anybody_nor_later));
}
