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

/* Two devices answer one question before they hear of each other, a and then b:
   the clinic is in, and out when the second takes it back. */
static void
both_answer(uint64_t seed, bool a, bool b)
{
    struct thread_id t;
    struct fed_ask ask = {.purpose = VIEW_LIT("A second look at the knee"),
                          .scope = IDENT_SCOPE_THREAD};
    struct subject_id patient;
    struct message_id id;
    size_t who[4] = {0, 2, 3, 1};

    world_init(&w, seed, 2);
    world_befriend(&w, 0, 1);
    who[1] = world_device(&w, 0);
    world_enrol(&w, who[1], 0);
    who[2] = world_device(&w, 0);
    world_enrol_further(&w, who[2], 0);
    t = world_open(&w, 0, who[1]);
    CHECK(world_in(&w, &t, who, 3));
    patient = node_subject(&w, who[1]);
    memcpy(ask.patient.b, patient.b, sizeof(ask.patient.b));
    ask.clinic = node_root(&w, 1);
    node_stepped(&w, 0, fed_core_ask(w.nodes[0].core, &t, &ask, &id));
    world_run(&w, 2000);
    node_stepped(&w, who[1], fed_core_answer(w.nodes[who[1]].core, &t, &id, a));
    node_stepped(&w, who[2], fed_core_answer(w.nodes[who[2]].core, &t, &id, b));
    world_run(&w, 4000);
    CHECK(world_in(&w, &t, who, 4));
    CHECK_EQ(w.nodes[0].consents[FED_CONSENT_GIVEN], a + b);
    CHECK_EQ(w.nodes[0].consents[FED_CONSENT_REFUSED], 2 - a - b);
    takes_back(who[2], &t);
    world_end(&w);
}

/* [yes-stays] */
TEST(of_two_answers_the_yes_stays)
{
    both_answer(243, true, false);
    both_answer(244, false, true);
    both_answer(245, true, true);
}

int
main(void)
{
    return RUN(T(the_clock_went_back), T(of_a_later_device),
               T(of_two_answers_the_yes_stays));
}
