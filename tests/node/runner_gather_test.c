/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Acknowledgements that come alone wait for more to do, for 5 ms at most, and
 * share its commit.  The clock stands still for it.
 */
#include "node/runner_impl.h"
#include "tests/node/api_pair.h"

#include <stdatomic.h>

/* 0: it goes on. */
static _Atomic uint64_t stands;

static uint64_t
mono(void *ctx)
{
    uint64_t at = atomic_load(&stands);

    (void)ctx;
    return at != 0 ? at : clock_mono_ms(node_sysclock());
}

static uint64_t
wall(void *ctx)
{
    (void)ctx;
    return clock_wall_ms(node_sysclock());
}

static const struct clock held = {wall, mono, NULL};

static struct node_runner_stats
stats_of(struct end *n)
{
    struct node_runner_stats st;

    node_runner_stats(n->api.runner, &st);
    return st;
}

/* Until nothing has happened for a while. */
static void
until_quiet(struct end *n)
{
    uint64_t steps;

    do {
        steps = stats_of(n).steps;
        (void)usleep(20 * PAUSE_US);
    } while (stats_of(n).steps != steps);
}

/* Until n has done so many steps more than before. */
static void
until_steps(struct end *n, const struct node_runner_stats *before,
            uint64_t more)
{
    for (int i = 0; i < TRIES && stats_of(n).steps < before->steps + more;
         i++) {
        (void)usleep(PAUSE_US);
    }
    until_quiet(n);
    CHECK_EQ(stats_of(n).steps, before->steps + more);
}

TEST(acknowledgements_alone_wait_and_are_one_commit)
{
    struct end *hub = &ends[0]; /* who made the link */
    struct node_runner_stats before;

    hub->clock = &held;
    make_two();
    connect_ends(hub, &ends[1]);
    quiet(hub, "send", "[\"Clinic B\", \"first\"]", "{}");
    until_last(&ends[1], "first", NULL);
    until_quiet(hub);
    atomic_store(&stands, clock_mono_ms(node_sysclock()));
    before = stats_of(hub);
    /* What was asked for does not wait; the other's answer to it does ... */
    quiet(hub, "send", "[\"Clinic B\", \"second\"]", "{}");
    until_steps(hub, &before, 2);
    CHECK_EQ(stats_of(hub).batches, before.batches + 1);
    /* ... and goes along with what is in a hurry ... */
    quiet(hub, "send", "[\"Clinic B\", \"third\"]", "{}");
    until_steps(hub, &before, 4);
    CHECK_EQ(stats_of(hub).batches, before.batches + 2);
    /* ... or is done after a few milliseconds. */
    atomic_store(&stands, 0);
    for (int i = 0; i < TRIES && stats_of(hub).batches < before.batches + 3;
         i++) {
        (void)usleep(PAUSE_US);
    }
    CHECK_EQ(stats_of(hub).batches, before.batches + 3);
    CHECK_EQ(stats_of(hub).steps, before.steps + 4);
    remove_two();
    hub->clock = NULL;
}

int
main(void)
{
    node_json_init();
    return RUN(T(acknowledgements_alone_wait_and_are_one_commit));
}
