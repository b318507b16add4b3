/* SPDX-License-Identifier: Apache-2.0 */
/* A patient takes back what a clinic was allowed, by a clock that went back. */
#include "tests/sim/scene.h"
#include "tests/support/check.h"

static struct world w;

/* A thread of both clinics and the phone, which said yes; its device. */
static size_t
begin(uint64_t seed, struct thread_id *t)
{
    size_t three[3] = {0, 1, 0};
    size_t d;

    world_init(&w, seed, 2);
    world_befriend(&w, 0, 1);
    d = three[2] = world_device(&w, 0);
    world_enrol(&w, d, 0);
    *t = world_open(&w, 0, d);
    world_consent(&w, t, 0, d, 1, true);
    CHECK(world_in(&w, t, three, 3));
    return d;
}

/* By d, whose clock is an hour behind: the clinic is out, and may not come back
   by what it was given. */
static void
takes_back(size_t d, const struct thread_id *t)
{
    struct clinic_id one = node_root(&w, 1);

    w.wall_ms -= 3600000;
    node_stepped(&w, d, fed_core_withdraw(w.nodes[d].core, &one));
    w.wall_ms += 3600000;
    world_run(&w, 4000);
    CHECK_EQ(node_state(&w, 1, t), FED_THREAD_REMOVED);
    CHECK_EQ(w.nodes[0].consents[FED_CONSENT_WITHDRAWN], 1);
    CHECK_ERR(fed_core_add(w.nodes[0].core, t, &one), ERR_DENIED);
}

/* [withdrawal-above] */
TEST(the_clock_went_back)
{
    struct thread_id t;
    size_t three[3] = {0, 1, 0};

    three[2] = begin(241, &t);
    takes_back(three[2], &t);
    world_consent(&w, &t, 0, three[2], 1, true); /* and again */
    CHECK(world_in(&w, &t, three, 3));
    world_end(&w);
}

/* One that was not there when the consent was given. */
TEST(of_a_later_device)
{
    struct thread_id t;
    size_t in[2] = {0, 0};

    (void)begin(242, &t);
    in[1] = world_device(&w, 0);
    world_enrol_further(&w, in[1], 0);
    CHECK(world_in(&w, &t, in, 2));
    takes_back(in[1], &t);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(the_clock_went_back), T(of_a_later_device));
}
