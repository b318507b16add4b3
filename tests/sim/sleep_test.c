/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine that was suspended: its wall clock goes on, its own stands still,
 * and its connections are dead before it knows.  What it missed meanwhile
 * nobody withheld.
 */
#include "federation/core/watch.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

static struct world w;
static const size_t all[] = {0, 1, 2};

/* The others live through hours, in which somebody says something. */
static void
others_go_on(const struct thread_id *t, unsigned hours)
{
    for (unsigned h = 0; h < hours; h++) {
        world_pass(&w, 1);
        if (h % 8 == 0) {
            world_said(&w, 1, t);
        }
    }
}

/* It accuses nobody, though it looks before it knows that it was away. */
TEST(a_clinic_sleeps_for_days)
{
    struct thread_id t = world_three(&w, 1);

    world_said(&w, 1, &t);
    CHECK_OK(world_say(&w, 2, &t)); /* and nobody has confirmed it */
    sim_take(&w, 2);
    sim_commit_due(&w, 2, true);
    world_sleep(&w, 2);
    others_go_on(&t, 40);
    world_wake(&w, 2);
    CHECK_OK(fed_core_tick(w.nodes[2].core));
    sim_take(&w, 2);
    CHECK_EQ(world_doubts(&w, 2), 0);
    world_run(&w, 60000);
    world_pass(&w, 30);
    CHECK_EQ(world_doubts(&w, 2), 0);
    CHECK_EQ(node_messages(&w, 2, &t), node_messages(&w, 1, &t));
    world_said(&w, 2, &t);
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    world_end(&w);
}

/* What it said last was numbered, and the others' receipts come when it is
   back: by sleep, or by a restart. */
static void
receipts_wait(uint64_t seed, bool restart)
{
    struct thread_id t = world_three(&w, seed);

    world_cut(&w, 1, 2, true);
    world_cut(&w, 0, 1, true);
    world_said(&w, 2, &t);
    world_sleep(&w, 2);
    world_cut(&w, 0, 1, false);
    others_go_on(&t, 40);
    world_cut(&w, 1, 2, false);
    world_wake(&w, 2);
    if (restart) {
        node_crash(&w, 2);
        node_start(&w, 2);
    }
    CHECK_OK(fed_core_tick(w.nodes[2].core));
    sim_take(&w, 2);
    CHECK_EQ(world_doubts(&w, 2), 0);
    world_run(&w, 60000);
    world_pass(&w, 5);
    CHECK_EQ(world_doubts(&w, 2), 0);
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    world_end(&w);
}

TEST(receipts_that_wait)
{
    receipts_wait(5, false);
    receipts_wait(6, true);
}

/* Nor when it only was set, with everybody there. */
TEST(a_wall_clock_that_is_set_by_days)
{
    struct thread_id t = world_three(&w, 2);

    world_said(&w, 1, &t);
    world_said(&w, 2, &t);
    w.wall_ms += UINT64_C(40) * LIMIT_HOUR_MS;
    for (size_t i = 0; i < 3; i++) {
        CHECK_OK(fed_core_tick(w.nodes[i].core));
        sim_take(&w, i);
    }
    world_run(&w, 60000);
    for (size_t i = 0; i < 3; i++) {
        CHECK_EQ(world_doubts(&w, i), 0);
    }
    world_pass(&w, 30);
    for (size_t i = 0; i < 3; i++) {
        CHECK_EQ(world_doubts(&w, i), 0);
    }
    world_end(&w);
}

static size_t phone;

static bool
keeps_the_log(struct world *in, size_t from, size_t to, struct view item,
              struct bytes *out)
{
    struct proto_peer_msg nothing = {.type = PROTO_PEER_ROSTER};
    uint64_t type = proto_peer_peek(item);

    (void)in;
    if (from != 0 || to != phone ||
        (type != PROTO_PEER_FAN && type != PROTO_PEER_LOG_PART &&
         type != PROTO_PEER_ANSWER)) {
        return false;
    }
    CHECK_OK(proto_peer_encode(mem_heap(), &nothing, out));
    return true;
}

/* A thread of two clinics and a phone, in which all have spoken. */
static struct thread_id
care(uint64_t seed)
{
    size_t who[3] = {0, 1, 0};
    struct thread_id t;

    world_friends(&w, seed, 2);
    phone = world_device(&w, 0);
    who[2] = phone;
    world_enrol(&w, phone, 0);
    t = world_open(&w, 0, phone);
    world_consent(&w, &t, 0, phone, 1, true);
    CHECK(world_in(&w, &t, who, 3));
    world_pass(&w, 3);
    for (size_t i = 0; i < 3; i++) {
        world_said(&w, who[i], &t);
    }
    return t;
}

/* An app that went on running looks as soon as it has what there is for it, as
   one that is started does. */
TEST(a_phone_sleeps_and_is_told_at_once)
{
    struct thread_id t = care(3);

    w.lie = keeps_the_log;
    world_sleep(&w, phone);
    others_go_on(&t, 40);
    world_wake(&w, phone);
    CHECK_OK(fed_core_tick(w.nodes[phone].core));
    sim_take(&w, phone);
    CHECK_EQ(world_doubts(&w, phone), 0);
    for (int i = 0; i < 15; i++) {
        world_skip(&w, 60000);
        world_run(&w, 2000);
    }
    CHECK(w.nodes[phone].doubts[FED_DOUBT_SILENT] > 0);
    w.lie = NULL;
    world_end(&w);
}

TEST(a_phone_sleeps_and_all_is_well)
{
    struct thread_id t = care(4);

    world_sleep(&w, phone);
    others_go_on(&t, 40);
    world_wake(&w, phone);
    CHECK_OK(fed_core_tick(w.nodes[phone].core));
    sim_take(&w, phone);
    world_pass(&w, 5);
    CHECK_EQ(world_doubts(&w, phone), 0);
    CHECK_EQ(node_messages(&w, phone, &t), node_messages(&w, 1, &t));
    world_end(&w);
}

int
main(void)
{
    return RUN(T(a_clinic_sleeps_for_days), T(receipts_that_wait),
               T(a_wall_clock_that_is_set_by_days),
               T(a_phone_sleeps_and_is_told_at_once),
               T(a_phone_sleeps_and_all_is_well));
}
