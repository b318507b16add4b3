/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device that nobody has seen for 90 days is out of every thread, also of
 * those that its clinic only carries; it comes back by itself and reads what
 * was said (reference threads 6.4).
 */
#include "tests/sim/scene.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;

static void
days(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; i == 60 && k < w.nodes_len; k++) {
            if (w.nodes[k].kind == FED_KIND_CLINIC && w.nodes[k].core != NULL) {
                node_rotate(&w, k, false); /* certificates are for 90 days */
            }
        }
        world_skip(&w, IDENT_DAY_MS);
        world_run(&w, 50);
    }
}

static struct fed_device_info
info(size_t clinic, size_t phone)
{
    struct subject_id s = node_subject(&w, phone);
    struct patient_id patient;
    struct fed_device_info out = {.queued = 0};

    memcpy(patient.b, s.b, sizeof(patient.b));
    for (size_t i = 0;
         fed_core_device_at(w.nodes[clinic].core, &patient, i, &out) == OK;
         i++) {
        if (memcmp(out.id.b, w.nodes[phone].key.pub, 32) == 0) {
            return out;
        }
    }
    CHECK(false);
    return out;
}

static void
back(size_t phone)
{
    node_start(&w, phone);
    world_run(&w, 20000);
}

TEST(ninety_days_and_back)
{
    size_t who[3];
    struct thread_id t = world_phones(&w, 601, who);
    size_t before;
    size_t at = 0;
    struct fed_queue_info q;

    before = node_messages(&w, who[2], &t);
    node_crash(&w, who[2]);
    CHECK_OK(world_say(&w, 0, &t));
    world_run(&w, 3000);
    CHECK(info(0, who[2]).queued > 0);
    CHECK(w.wall_ms - info(0, who[2]).waits_ms < 10000);
    CHECK(fed_core_queue_next(w.nodes[0].core, &at, &q));
    CHECK(q.queued > 0 && !q.idle);
    CHECK(!fed_core_queue_next(w.nodes[0].core, &at, &q));
    days(89);
    CHECK_EQ(w.nodes[0].devices[FED_DEVICES_IDLE], 0);
    CHECK(!info(0, who[2]).idle);
    days(2);
    CHECK_EQ(w.nodes[0].devices[FED_DEVICES_IDLE], 1);
    CHECK_EQ(w.nodes[0].members[4], 1);
    CHECK_EQ(w.nodes[who[1]].members[4], 1); /* said in the thread */
    CHECK(info(0, who[2]).idle);
    CHECK_EQ(info(0, who[2]).queued, 0);
    CHECK_EQ(info(0, who[2]).keys_left, 0);
    CHECK(!info(0, who[1]).idle); /* it was there all the time */
    CHECK_OK(world_say(&w, 0, &t));
    CHECK_OK(world_say(&w, who[1], &t));
    world_run(&w, 3000);
    CHECK_EQ(info(0, who[2]).queued, 0);
    back(who[2]);
    CHECK_EQ(w.nodes[0].devices[FED_DEVICES_BACK], 1);
    CHECK(world_in(&w, &t, who, 3));
    CHECK_OK(world_say(&w, 0, &t));
    world_heal(&w);
    CHECK_EQ(node_messages(&w, who[2], &t), before + 4);
    CHECK(info(0, who[2]).keys_left > 0);
    world_end(&w);
}

/* The only phone of a patient: what is said waits for it. */
TEST(the_only_phone)
{
    size_t both[2];
    struct thread_id t = world_phone(&w, 602, both);

    node_crash(&w, both[1]);
    days(91);
    CHECK_EQ(w.nodes[0].devices[FED_DEVICES_IDLE], 1);
    CHECK_EQ(w.nodes[0].members[4], 1);
    CHECK_OK(world_say(&w, 0, &t));
    CHECK_OK(world_say(&w, 0, &t));
    world_run(&w, 3000);
    back(both[1]);
    CHECK(world_in(&w, &t, both, 2));
    world_heal(&w);
    CHECK_EQ(node_messages(&w, both[1], &t), 3);
    CHECK_OK(world_say(&w, both[1], &t));
    world_heal(&w);
    CHECK_EQ(node_messages(&w, 0, &t), 4);
    world_end(&w);
}

/* A clinic that only carries says it to the one that orders. */
TEST(in_a_carried_thread)
{
    size_t who[4] = {1, 0, 0, 0};
    struct thread_id u;

    world_init(&w, 603, 2);
    world_befriend(&w, 0, 1);
    who[1] = world_device(&w, 0);
    world_enrol(&w, who[1], 0);
    who[2] = world_device(&w, 0);
    world_enrol_further(&w, who[2], 0);
    u = world_private(&w, who[1]);
    CHECK(world_in(&w, &u, who, 3));
    CHECK_OK(world_say(&w, 1, &u));
    world_heal(&w);
    node_crash(&w, who[2]);
    days(91);
    world_run(&w, 5000);
    CHECK_EQ(w.nodes[0].devices[FED_DEVICES_IDLE], 1);
    CHECK_EQ(w.nodes[who[1]].members[4], 3); /* also of all, and alone */
    CHECK_EQ(w.nodes[1].members[4], 2);
    CHECK_OK(world_say(&w, 1, &u));
    world_run(&w, 3000);
    back(who[2]);
    CHECK(world_in(&w, &u, who, 3));
    CHECK_OK(world_say(&w, who[1], &u));
    world_heal(&w);
    CHECK_EQ(node_messages(&w, who[2], &u), 3);
    world_end(&w);
}

/* A clinic that was off for as long removes nobody before they could come. */
TEST(the_clinic_was_off_itself)
{
    size_t d;

    world_init(&w, 604, 1);
    d = world_device(&w, 0);
    world_enrol(&w, d, 0);
    world_run(&w, 3000);
    node_crash(&w, d);
    node_crash(&w, 0);
    days(100);
    node_start(&w, 0);
    world_run(&w, 3000);
    world_skip(&w, LIMIT_HOUR_MS);
    world_run(&w, 3000);
    CHECK_EQ(w.nodes[0].devices[FED_DEVICES_IDLE], 0);
    node_start(&w, d);
    world_run(&w, 3000);
    days(2);
    CHECK_EQ(w.nodes[0].devices[FED_DEVICES_IDLE], 0);
    world_end(&w);
}

/* [idle-clock] The clinic's wall clock alone goes 91 days ahead, for long
   enough: only when somebody else's says the same it is believed. */
TEST(a_clock_that_jumps)
{
    size_t who[3];
    struct thread_id t = world_phones(&w, 605, who);

    node_crash(&w, who[2]);
    world_run(&w, 3000);
    w.wall_ms += 91 * (uint64_t)IDENT_DAY_MS;
    for (int i = 0; i < 14; i++) {
        world_skip(&w, LIMIT_HOUR_MS);
        world_run(&w, 50);
    }
    CHECK_EQ(w.nodes[0].devices[FED_DEVICES_IDLE], 0);
    node_crash(&w, who[1]);
    node_start(&w, who[1]);
    world_run(&w, 3000);
    world_skip(&w, LIMIT_HOUR_MS);
    world_run(&w, 3000);
    CHECK_EQ(w.nodes[0].devices[FED_DEVICES_IDLE], 1);
    back(who[2]);
    CHECK(world_in(&w, &t, who, 3));
    world_end(&w);
}

int
main(void)
{
    return RUN(T(ninety_days_and_back), T(the_only_phone),
               T(in_a_carried_thread), T(the_clinic_was_off_itself),
               T(a_clock_that_jumps));
}
