/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stories of patients: enrolling, devices that come and go, threads of three
 * with consent, a clinic that only carries.
 */
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;

static void
talk(const struct thread_id *t, const size_t *who, size_t len, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        CHECK_OK(world_say(&w, who[(size_t)i % len], t));
        world_run(&w, 30);
    }
}

TEST(clinic_and_patient_talk)
{
    size_t both[2] = {0, 0};
    struct thread_id t;

    world_init(&w, 1, 1);
    both[1] = world_device(&w, 0);
    world_enrol(&w, both[1], 0);
    t = world_care(&w, 0, both[1]);
    talk(&t, both, 2, 20);
    world_heal(&w);
    world_judge(&w, &t, both, 2);
    CHECK_EQ(node_messages(&w, 0, &t), 20);
    CHECK_EQ(w.nodes[both[1]].enrols[PROTO_REDEEM_OK], 1);
    CHECK_EQ(w.nodes[0].patients, 1);
    world_end(&w);
}

TEST(a_device_that_is_away)
{
    size_t both[2] = {0, 0};
    struct thread_id t;

    world_init(&w, 2, 1);
    both[1] = world_device(&w, 0);
    world_enrol(&w, both[1], 0);
    t = world_care(&w, 0, both[1]);
    for (int k = 0; k < 4; k++) {
        talk(&t, both, 2, 6);
        node_crash(&w, both[(size_t)k % 2]);
        world_run(&w, 500);
        CHECK_OK(world_say(&w, both[1 - (size_t)k % 2], &t));
        CHECK_OK(world_say(&w, both[1 - (size_t)k % 2], &t));
        world_run(&w, 500);
        node_start(&w, both[(size_t)k % 2]);
        world_run(&w, 1000);
    }
    world_heal(&w);
    world_judge(&w, &t, both, 2);
    CHECK_EQ(node_messages(&w, 0, &t), 32);
    world_end(&w);
}

/* The second joins by itself, and all of it is announced (decisions D 14). */
TEST(two_devices_of_one_patient)
{
    size_t who[3] = {0, 0, 0};
    struct thread_id t;
    struct fed_thread_info a;
    struct fed_thread_info b;
    size_t before;

    world_init(&w, 3, 1);
    who[1] = world_device(&w, 0);
    world_enrol(&w, who[1], 0);
    t = world_care(&w, 0, who[1]);
    talk(&t, who, 2, 4);
    world_heal(&w);
    before = node_messages(&w, 0, &t);
    who[2] = world_device(&w, 0);
    world_enrol_further(&w, who[2], 0);
    CHECK(world_in(&w, &t, who, 3));
    talk(&t, who, 3, 9);
    world_heal(&w);
    CHECK_EQ(node_messages(&w, 0, &t), before + 9);
    CHECK_EQ(node_messages(&w, who[1], &t), before + 9);
    CHECK_EQ(node_messages(&w, who[2], &t), 9);
    CHECK_EQ(w.nodes[0].members[3], 1);
    CHECK_EQ(w.nodes[who[1]].members[3], 1);
    CHECK_EQ(w.nodes[who[1]].devices[FED_DEVICES_NEW], 1);
    CHECK_OK(fed_core_thread(w.nodes[0].core, &t, &a));
    CHECK_OK(fed_core_thread(w.nodes[who[2]].core, &t, &b));
    CHECK_VIEW(VIEW_ARRAY(a.authenticator), VIEW_ARRAY(b.authenticator));
    world_end(&w);
}

/* The patient key signs a list without it, on the device that is left. */
TEST(a_lost_device_is_out_of_every_thread)
{
    size_t who[3] = {0, 0, 0};
    struct thread_id t;
    struct thread_id u;
    size_t before;

    world_init(&w, 4, 1);
    who[1] = world_device(&w, 0);
    world_enrol(&w, who[1], 0);
    who[2] = world_device(&w, 0);
    t = world_care(&w, 0, who[1]);
    world_enrol_further(&w, who[2], 0);
    CHECK(world_in(&w, &t, who, 3));
    u = world_open(&w, 0, who[1]);
    CHECK(world_in(&w, &u, who, 3));
    talk(&t, who, 3, 6);
    world_heal(&w);
    before = node_messages(&w, who[1], &t);
    world_lose(&w, 0, who[1]);
    node_stepped(&w, who[2],
                 fed_core_set_list(w.nodes[who[2]].core,
                                   view_of(&w.patients[0].text),
                                   (struct view){0}));
    world_run(&w, 3000);
    CHECK_OK(world_say(&w, 0, &t));
    CHECK_OK(world_say(&w, who[2], &t));
    CHECK_OK(world_say(&w, 0, &u));
    world_run(&w, 3000);
    CHECK_EQ(node_messages(&w, who[1], &t), before);
    CHECK_EQ(node_messages(&w, who[1], &u), 0);
    CHECK_EQ(w.nodes[0].members[4], 2);
    CHECK_EQ(node_messages(&w, who[2], &u), 1);
    world_end(&w);
}

TEST(a_device_suspended_at_the_desk)
{
    size_t who[3] = {0, 0, 0};
    struct thread_id t;
    struct patient_id patient;
    struct device_id device;
    struct subject_id s;
    size_t before;

    world_init(&w, 5, 1);
    who[1] = world_device(&w, 0);
    world_enrol(&w, who[1], 0);
    who[2] = world_device(&w, 0);
    world_enrol_further(&w, who[2], 0);
    t = world_care(&w, 0, who[1]);
    CHECK(world_in(&w, &t, who, 3));
    talk(&t, who, 3, 6);
    world_heal(&w);
    before = node_messages(&w, who[2], &t);
    s = node_subject(&w, who[2]);
    memcpy(patient.b, s.b, sizeof(patient.b));
    memcpy(device.b, w.nodes[who[2]].key.pub, sizeof(device.b));
    node_stepped(&w, 0,
                 fed_core_suspend(w.nodes[0].core, &patient, &device, true));
    world_run(&w, 2000);
    CHECK_OK(world_say(&w, 0, &t));
    CHECK_OK(world_say(&w, who[1], &t));
    world_run(&w, 3000);
    CHECK_EQ(node_messages(&w, who[2], &t), before);
    CHECK_EQ(node_messages(&w, who[1], &t), before + 2);
    node_stepped(&w, 0,
                 fed_core_suspend(w.nodes[0].core, &patient, &device, false));
    w.nodes[who[2]].wants[0] = true; /* the app tries again */
    world_run(&w, 4000);
    CHECK_OK(world_say(&w, 0, &t));
    world_heal(&w);
    CHECK_EQ(node_state(&w, who[2], &t), FED_THREAD_ACTIVE);
    world_end(&w);
}

/* decisions D 18: asked in the app, then both clinics and the patient. */
TEST(two_clinics_and_the_patient)
{
    size_t who[3] = {0, 1, 0};
    struct thread_id t;
    struct clinic_id one;

    world_init(&w, 6, 2);
    world_befriend(&w, 0, 1);
    who[2] = world_device(&w, 0);
    world_enrol(&w, who[2], 0);
    t = world_open(&w, 0, who[2]);
    one = node_root(&w, 1);
    CHECK_ERR(fed_core_add(w.nodes[0].core, &t, &one), ERR_DENIED);
    world_consent(&w, &t, 0, who[2], 1, false);
    world_run(&w, 2000);
    CHECK_EQ(node_state(&w, 1, &t), 0);
    CHECK_EQ(w.nodes[0].consents[FED_CONSENT_REFUSED], 1);
    world_consent(&w, &t, 0, who[2], 1, true);
    CHECK(world_in(&w, &t, who, 3));
    talk(&t, who, 3, 12);
    world_heal(&w);
    world_judge(&w, &t, who, 3);
    CHECK_EQ(node_messages(&w, 1, &t), 12);
    CHECK_EQ(w.nodes[1].patients, 1);
    CHECK_EQ(w.nodes[who[2]].consents[FED_CONSENT_GIVEN], 1);
    CHECK_EQ(w.nodes[1].intros, 2); /* by the clinic and the patient */
    CHECK_EQ(w.nodes[1].members[2] + w.nodes[1].gaps, 0); /* no detour */
    world_end(&w);
}

TEST(a_consent_recorded_at_the_desk)
{
    size_t who[3] = {0, 1, 0};
    struct thread_id t;
    struct fed_ask ask = {.purpose = VIEW_LIT("Second opinion"),
                          .scope = IDENT_SCOPE_THREAD};
    struct subject_id s;
    struct member_id member = {{7}};

    world_init(&w, 7, 2);
    world_befriend(&w, 0, 1);
    who[2] = world_device(&w, 0);
    world_enrol(&w, who[2], 0);
    t = world_open(&w, 0, who[2]);
    s = node_subject(&w, who[2]);
    memcpy(ask.patient.b, s.b, sizeof(ask.patient.b));
    ask.clinic = node_root(&w, 1);
    node_stepped(&w, 0,
                 fed_core_desk_consent(w.nodes[0].core, &t, &ask, &member,
                                       VIEW_LIT("Ann"),
                                       VIEW_LIT("Said so at the desk")));
    CHECK(world_in(&w, &t, who, 3));
    talk(&t, who, 3, 6);
    world_heal(&w);
    world_judge(&w, &t, who, 3);
    CHECK_EQ(w.nodes[who[2]].consents[FED_CONSENT_DESK], 1);
    world_end(&w);
}

TEST(a_clinic_that_only_carries)
{
    size_t two[2] = {1, 0};
    struct thread_id u;

    world_init(&w, 8, 2);
    world_befriend(&w, 0, 1);
    two[1] = world_device(&w, 0);
    world_enrol(&w, two[1], 0);
    u = world_private(&w, two[1]);
    talk(&u, two, 2, 12);
    node_crash(&w, 0);
    CHECK_OK(world_say(&w, 1, &u));
    CHECK_OK(world_say(&w, two[1], &u));
    world_run(&w, 2000);
    node_start(&w, 0);
    world_heal(&w);
    world_judge(&w, &u, two, 2);
    CHECK_EQ(node_messages(&w, 1, &u), 14);
    CHECK_EQ(node_state(&w, 0, &u), 0);
    CHECK_EQ(node_messages(&w, 0, &u), 0);
    world_end(&w);
}

/* A phone that is gone, the patient key on a new one (decisions F 23). */
TEST(identity_back_on_a_new_phone)
{
    size_t three[3] = {0, 1, 0};
    size_t two[2] = {1, 0};
    struct thread_id t;
    struct thread_id u;
    size_t lost;
    size_t now;

    world_init(&w, 9, 2);
    world_befriend(&w, 0, 1);
    lost = world_device(&w, 0);
    world_enrol(&w, lost, 0);
    u = world_private(&w, lost);
    t = w.nodes[lost].ask_in;
    node_crash(&w, lost);
    world_lose(&w, 0, lost);
    now = world_device(&w, 0);
    world_enrol_further(&w, now, 0);
    three[2] = two[1] = now;
    CHECK(world_in(&w, &t, three, 3));
    CHECK_OK(world_say(&w, 1, &u));
    CHECK(world_in(&w, &u, two, 2));
    CHECK_OK(world_say(&w, now, &u));
    CHECK_OK(world_say(&w, now, &t));
    world_run(&w, 4000);
    CHECK_EQ(node_messages(&w, 1, &u), 2);
    CHECK(node_messages(&w, now, &u) >= 1); /* since it joined */
    CHECK_EQ(node_messages(&w, 1, &t), 1);
    CHECK_EQ(w.nodes[1].members[4], 2); /* the lost one is out of both */
    world_end(&w);
}

TEST(the_patient_leaves)
{
    size_t three[3] = {0, 1, 0};
    struct thread_id t;

    world_init(&w, 10, 2);
    world_befriend(&w, 0, 1);
    three[2] = world_device(&w, 0);
    world_enrol(&w, three[2], 0);
    t = world_open(&w, 0, three[2]);
    world_consent(&w, &t, 0, three[2], 1, true);
    CHECK(world_in(&w, &t, three, 3));
    node_stepped(&w, three[2], fed_core_leave(w.nodes[three[2]].core, &t));
    world_heal(&w);
    CHECK_EQ(node_state(&w, three[2], &t), FED_THREAD_REMOVED);
    CHECK_OK(world_say(&w, 1, &t));
    world_heal(&w);
    CHECK_EQ(node_messages(&w, 0, &t), 1);
    CHECK_EQ(node_messages(&w, three[2], &t), 0);
    world_end(&w);
}

/* The clinic goes at the next commit, and does not come back by the old
   consent (decisions D 18). */
TEST(consent_withdrawn)
{
    size_t three[3] = {0, 1, 0};
    size_t two[2] = {0, 0};
    struct thread_id t;
    struct clinic_id one;

    world_init(&w, 11, 2);
    world_befriend(&w, 0, 1);
    three[2] = two[1] = world_device(&w, 0);
    world_enrol(&w, three[2], 0);
    t = world_open(&w, 0, three[2]);
    world_consent(&w, &t, 0, three[2], 1, true);
    CHECK(world_in(&w, &t, three, 3));
    talk(&t, three, 3, 3);
    world_heal(&w);
    one = node_root(&w, 1);
    node_stepped(&w, three[2], fed_core_withdraw(w.nodes[three[2]].core, &one));
    world_run(&w, 3000);
    CHECK_EQ(node_state(&w, 1, &t), FED_THREAD_REMOVED);
    CHECK_EQ(w.nodes[0].consents[FED_CONSENT_WITHDRAWN], 1);
    CHECK_ERR(fed_core_add(w.nodes[0].core, &t, &one), ERR_DENIED);
    talk(&t, two, 2, 4);
    world_heal(&w);
    CHECK_EQ(node_messages(&w, 1, &t), 3);
    CHECK_EQ(node_messages(&w, 0, &t), 7);
    world_consent(&w, &t, 0, three[2], 1, true); /* and again */
    CHECK(world_in(&w, &t, three, 3));
    CHECK_OK(world_say(&w, 1, &t));
    world_heal(&w);
    CHECK_EQ(node_messages(&w, three[2], &t), 8);
    world_end(&w);
}

/* A clinic that orders the thread itself is left. */
TEST(withdrawn_from_the_clinic_that_orders)
{
    size_t d;
    struct thread_id u;
    struct thread_id again = {{0}};
    struct clinic_id one;
    struct clinic_id with;
    struct subject_id s;

    world_init(&w, 12, 2);
    world_befriend(&w, 0, 1);
    d = world_device(&w, 0);
    world_enrol(&w, d, 0);
    u = world_private(&w, d);
    one = node_root(&w, 1);
    node_stepped(&w, d, fed_core_withdraw(w.nodes[d].core, &one));
    world_run(&w, 4000);
    CHECK_EQ(node_state(&w, d, &u), FED_THREAD_REMOVED);
    s = node_subject(&w, d);
    memcpy(with.b, s.b, sizeof(with.b));
    ERR_IGNORE(fed_core_thread_open(w.nodes[1].core, &with, 1, (struct view){0},
                                    &again),
               "whether it may, the patient's side says");
    world_run(&w, 5000);
    CHECK_EQ(node_state(&w, d, &again), 0);
    world_end(&w);
}

TEST(review_and_date_of_birth)
{
    size_t d;
    struct fed_link link = {.label = VIEW_LIT("Reception"),
                            .one_time = true,
                            .patients = true,
                            .birth = VIEW_LIT("1980-02-29"),
                            .review = true};
    struct fed_enrol enrol = {.name = VIEW_LIT("Ida"), .inv.one_time = true};
    struct thread_id t;
    struct subject_id s;
    struct clinic_id who;

    world_init(&w, 13, 2);
    d = world_device(&w, 0);
    link.id.b[0] = 9;
    memset(link.secret, 3, sizeof(link.secret));
    memset(enrol.inv.secret, 3, sizeof(enrol.inv.secret));
    enrol.inv.link = link.id;
    enrol.inv.root = node_root(&w, 0);
    node_stepped(&w, 0, fed_core_link_put(w.nodes[0].core, &link));
    CHECK_OK(fed_core_connect(w.nodes[1].core, &enrol.inv));
    node_stepped(&w, 1, OK);
    node_stepped(&w, d, fed_core_enrol(w.nodes[d].core, &enrol));
    world_run(&w, 2000);
    CHECK_EQ(w.nodes[1].links_shown[PROTO_REDEEM_REFUSED], 1);
    CHECK_EQ(w.nodes[d].enrols[PROTO_REDEEM_PROOF], 1);
    CHECK_EQ(w.nodes[0].links_used[PROTO_REDEEM_PROOF], 0);
    enrol.birth = VIEW_LIT("1980-02-28");
    node_stepped(&w, d, fed_core_enrol(w.nodes[d].core, &enrol));
    world_run(&w, 2000);
    CHECK_EQ(w.nodes[0].links_used[PROTO_REDEEM_PROOF], 1);
    enrol.birth = link.birth;
    node_stepped(&w, d, fed_core_enrol(w.nodes[d].core, &enrol));
    world_run(&w, 2000);
    CHECK_EQ(w.nodes[d].enrols[PROTO_REDEEM_REVIEW], 1);
    s = node_subject(&w, d);
    memcpy(who.b, s.b, sizeof(who.b));
    node_stepped(&w, 0, fed_core_accept(w.nodes[0].core, &who));
    world_run(&w, 3000);
    t = world_care(&w, 0, d);
    CHECK(!thread_id_is_zero(&t));
    world_end(&w);
}

TEST(five_wrong_dates_of_birth)
{
    size_t d;
    struct fed_link link = {.label = VIEW_LIT("Reception"),
                            .patients = true,
                            .birth = VIEW_LIT("1980-02-29")};
    struct fed_enrol enrol = {.name = VIEW_LIT("Ida"),
                              .birth = VIEW_LIT("1980-03-01")};

    world_init(&w, 14, 1);
    d = world_device(&w, 0);
    link.id.b[0] = 9;
    enrol.inv.link = link.id;
    enrol.inv.root = node_root(&w, 0);
    node_stepped(&w, 0, fed_core_link_put(w.nodes[0].core, &link));
    for (int i = 0; i < 5; i++) {
        node_stepped(&w, d, fed_core_enrol(w.nodes[d].core, &enrol));
        world_run(&w, 1500);
    }
    enrol.birth = link.birth;
    node_stepped(&w, d, fed_core_enrol(w.nodes[d].core, &enrol));
    world_run(&w, 1500);
    CHECK_EQ(w.nodes[0].links_used[PROTO_REDEEM_PROOF], 5);
    CHECK_EQ(w.nodes[d].enrols[PROTO_REDEEM_REVOKED], 1);
    world_end(&w);
}

int
main(void)
{
    return RUN(
        T(clinic_and_patient_talk), T(a_device_that_is_away),
        T(two_devices_of_one_patient), T(a_lost_device_is_out_of_every_thread),
        T(a_device_suspended_at_the_desk), T(two_clinics_and_the_patient),
        T(a_consent_recorded_at_the_desk), T(a_clinic_that_only_carries),
        T(identity_back_on_a_new_phone), T(the_patient_leaves),
        T(consent_withdrawn), T(withdrawn_from_the_clinic_that_orders),
        T(review_and_date_of_birth), T(five_wrong_dates_of_birth));
}
