/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread with a patient whose state nobody has any more: the clinic came
 * from a backup, the phone is a new one.  Its clinic founds one that continues
 * it; what the patient consented to goes on (decisions D 18, E 21).
 */
#include "federation/core/care.h"
#include "federation/core/hub.h"
#include "federation/core/successor.h"
#include "federation/core/trust.h"
#include "tests/sim/scene.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;

/* The thread that node i has in the place of t now. */
static struct thread_id
now_of(size_t i, const struct thread_id *t)
{
    struct thread_id id = *t;

    for (int n = 0; n < 8; n++) {
        struct fed_thread *at = world_thread(&w, i, &id);

        if (at == NULL || !fed_has_successor(at)) {
            break;
        }
        memcpy(id.b, at->rec.next, sizeof(id.b));
    }
    return id;
}

/* Wait for another one. */
static struct thread_id
anew(size_t i, const struct thread_id *t)
{
    struct thread_id id = *t;

    for (int n = 0; n < 400 && thread_id_equal(&id, t); n++) {
        world_run(&w, 100);
        id = now_of(i, t);
    }
    CHECK(!thread_id_equal(&id, t));
    return id;
}

/* The old phone is gone, and there is a new one. */
static size_t
new_phone(size_t lost, size_t clinic)
{
    size_t d;

    world_lose(&w, 0, lost);
    d = world_device(&w, 0);
    w.nodes[lost].wants[clinic] = false;
    world_ask(&w, d, clinic);
    return d;
}

TEST(the_clinic_and_the_phone)
{
    size_t both[2];
    struct rows disk = {0};
    struct thread_id t = world_phone(&w, 701, both);
    struct thread_id u = world_open(&w, 0, both[1]);
    struct thread_id now;

    world_heal(&w);
    node_snapshot(&w, 0, &disk);
    node_crash(&w, 0);
    node_crash(&w, both[1]);
    node_restore(&w, 0, &disk);
    rows_free(&disk);
    world_run(&w, 2000);
    both[1] = new_phone(both[1], 0);
    now = anew(0, &t);
    CHECK(world_in(&w, &now, both, 2));
    CHECK_OK(world_say(&w, 0, &now));
    CHECK_OK(world_say(&w, both[1], &now));
    world_run(&w, 5000);
    CHECK(node_messages(&w, both[1], &now) >= 2);
    CHECK(node_messages(&w, 0, &now) >= 2);
    now = anew(0, &u); /* and the other one */
    CHECK(world_in(&w, &now, both, 2));
    world_end(&w);
}

/* The phone's own data came back too, from a copy. */
TEST(both_from_backups)
{
    size_t both[2];
    struct rows disk = {0};
    struct rows phone = {0};
    struct thread_id t = world_phone(&w, 702, both);
    struct thread_id now;

    CHECK_OK(world_say(&w, both[1], &t));
    world_heal(&w);
    node_snapshot(&w, 0, &disk);
    node_snapshot(&w, both[1], &phone);
    node_crash(&w, 0);
    node_crash(&w, both[1]);
    node_restore(&w, 0, &disk);
    node_restore(&w, both[1], &phone);
    rows_free(&disk);
    rows_free(&phone);
    now = anew(0, &t);
    CHECK(world_in(&w, &now, both, 2));
    CHECK_OK(world_say(&w, 0, &now));
    CHECK_OK(world_say(&w, both[1], &now));
    world_heal(&w);
    now = now_of(0, &t);
    CHECK(node_messages(&w, both[1], &now) + node_messages(&w, both[1], &t) >=
          4);
    world_end(&w);
}

/* Another device still has it: it lets the clinic in, nothing is founded. */
TEST(a_tablet_has_it)
{
    size_t who[3];
    struct rows disk = {0};
    struct rows phone = {0};
    struct thread_id t = world_phones(&w, 703, who);
    struct thread_id now;

    world_heal(&w);
    node_snapshot(&w, 0, &disk);
    node_snapshot(&w, who[1], &phone);
    for (size_t i = 0; i < 3; i++) {
        node_crash(&w, who[i]);
    }
    node_restore(&w, 0, &disk);
    node_restore(&w, who[1], &phone);
    rows_free(&disk);
    rows_free(&phone);
    world_run(&w, 20000);
    now = now_of(0, &t);
    CHECK(thread_id_equal(&now, &t)); /* it waits for the tablet */
    node_start(&w, who[2]);
    world_heal(&w);
    now = now_of(0, &t);
    CHECK(thread_id_equal(&now, &t));
    CHECK(world_in(&w, &t, who, 3));
    world_end(&w);
}

/* [consent-carried] Two clinics and the patient: nobody is asked again. */
TEST(a_consent_goes_on)
{
    size_t three[3] = {0, 1, 0};
    struct rows a = {0};
    struct rows b = {0};
    struct thread_id t;
    struct thread_id now;
    size_t asked;

    world_init(&w, 704, 2);
    world_befriend(&w, 0, 1);
    three[2] = world_device(&w, 0);
    world_enrol(&w, three[2], 0);
    t = world_open(&w, 0, three[2]);
    world_consent(&w, &t, 0, three[2], 1, true);
    CHECK(world_in(&w, &t, three, 3));
    CHECK_OK(world_say(&w, 1, &t));
    world_heal(&w);
    node_snapshot(&w, 0, &a);
    node_snapshot(&w, 1, &b);
    for (size_t i = 0; i < 3; i++) {
        node_crash(&w, three[i]);
    }
    node_restore(&w, 0, &a);
    node_restore(&w, 1, &b);
    rows_free(&a);
    rows_free(&b);
    world_run(&w, 2000);
    asked = w.nodes[0].consents[FED_CONSENT_ASKED];
    three[2] = new_phone(three[2], 0);
    now = anew(0, &t);
    CHECK(world_in(&w, &now, three, 3));
    CHECK_OK(world_say(&w, 0, &now));
    CHECK_OK(world_say(&w, 1, &now));
    CHECK_OK(world_say(&w, three[2], &now));
    world_run(&w, 5000);
    CHECK(node_messages(&w, 0, &now) >= 3);
    CHECK(node_messages(&w, 1, &now) >= 3);
    CHECK(node_messages(&w, three[2], &now) >= 3);
    CHECK_EQ(w.nodes[0].consents[FED_CONSENT_ASKED], asked);
    CHECK_EQ(w.nodes[1].intros > 0, true); /* who is who is said again */
    world_end(&w);
}

/* [successor-brought] Clinic 1 orders the thread into which clinic 0 brought
   its patient: 1 founds the new one, and 0 brings the patient again. */
static struct thread_id
brought(uint64_t seed, size_t three[3])
{
    struct thread_id t;
    struct clinic_id to;

    world_init(&w, seed, 2);
    world_befriend(&w, 0, 1);
    three[2] = world_device(&w, 0);
    world_enrol(&w, three[2], 0);
    t = world_open(&w, 0, three[2]);
    world_consent(&w, &t, 0, three[2], 1, true);
    CHECK(world_in(&w, &t, three, 3));
    to = node_root(&w, 1);
    node_stepped(&w, 0, fed_core_hand_over(w.nodes[0].core, &t, &to, false));
    world_run(&w, 3000);
    CHECK(memcmp(world_thread(&w, 1, &t)->rec.hub, to.b, 32) == 0);
    CHECK_OK(world_say(&w, three[2], &t));
    world_heal(&w);
    return t;
}

/* All three come from what stood there, the phone as well or a new one. */
static void
lose_all(size_t three[3], bool phone)
{
    struct rows disk[3] = {{0}};

    for (size_t i = 0; i < 3; i++) {
        node_snapshot(&w, three[i], &disk[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        node_crash(&w, three[i]);
    }
    for (size_t i = 0; i < (phone ? 3 : 2); i++) {
        node_restore(&w, three[i], &disk[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        rows_free(&disk[i]);
    }
    if (!phone) {
        world_run(&w, 2000);
        three[2] = new_phone(three[2], 0);
    }
}

static void
all_talk(const struct thread_id *t, const size_t three[3])
{
    for (size_t i = 0; i < 3; i++) {
        CHECK_OK(world_say(&w, three[i], t));
    }
    world_run(&w, 5000);
    for (size_t i = 0; i < 3; i++) {
        CHECK(node_messages(&w, three[i], t) >= 3);
    }
}

TEST(another_clinic_brought_the_patient)
{
    size_t three[3] = {0, 1, 0};
    struct thread_id t = brought(705, three);
    struct thread_id now;
    size_t asked = w.nodes[1].consents[FED_CONSENT_ASKED];

    lose_all(three, true);
    now = anew(1, &t);
    CHECK(world_in(&w, &now, three, 3));
    all_talk(&now, three);
    CHECK_EQ(w.nodes[1].consents[FED_CONSENT_ASKED], asked);
    world_heal(&w);
    world_end(&w);
}

TEST(another_clinic_brought_whose_phone_is_new)
{
    size_t three[3] = {0, 1, 0};
    struct thread_id t = brought(706, three);
    struct thread_id now;
    size_t heard = w.nodes[1].intros;

    lose_all(three, false);
    now = anew(1, &t);
    CHECK(world_in(&w, &now, three, 3));
    all_talk(&now, three);
    CHECK(w.nodes[1].intros > heard); /* who is who, again */
    world_end(&w);
}

/* [successor-brought] The clinic that brought the patient has left; the other
   one, whose patient it is too, brings it. */
static void
who_brought_left(uint64_t seed, bool phone)
{
    size_t three[3] = {0, 1, 0};
    size_t both[2] = {1, 0};
    struct thread_id t = brought(seed, three);
    struct rows disk[2] = {{0}};
    struct thread_id now;
    size_t had;

    world_enrol(&w, three[2], 1);
    node_stepped(&w, 0, fed_core_leave(w.nodes[0].core, &t));
    world_run(&w, 3000);
    CHECK_EQ(node_state(&w, 0, &t), FED_THREAD_REMOVED);
    had = node_messages(&w, 0, &t);
    both[1] = three[2];
    for (size_t i = 0; i < 2; i++) {
        node_snapshot(&w, both[i], &disk[i]);
    }
    node_crash(&w, both[0]);
    node_crash(&w, both[1]);
    for (size_t i = 0; i < (phone ? 2 : 1); i++) {
        node_restore(&w, both[i], &disk[i]);
    }
    rows_free(&disk[0]);
    rows_free(&disk[1]);
    if (!phone) {
        world_run(&w, 2000);
        both[1] = new_phone(both[1], 1);
    }
    now = anew(1, &t);
    CHECK(world_in(&w, &now, both, 2));
    CHECK_OK(world_say(&w, 1, &now));
    CHECK_OK(world_say(&w, both[1], &now));
    world_run(&w, 5000);
    CHECK(node_messages(&w, 1, &now) >= 2);
    CHECK(node_messages(&w, both[1], &now) >= 2);
    CHECK_EQ(node_messages(&w, 0, &t) + node_messages(&w, 0, &now), had);
    world_end(&w);
}

TEST(who_brought_the_patient_has_left)
{
    who_brought_left(708, true);
}

TEST(who_brought_has_left_and_the_phone_is_new)
{
    who_brought_left(709, false);
}

/*
 * [successor-withdrawn] The clinics come from backups of before the patient
 * took back what clinic 1 was allowed; the phone knows.  What it wrote
 * meanwhile is for clinic 0 alone.
 */
TEST(what_was_taken_back_stays_so)
{
    size_t three[3] = {0, 1, 0};
    size_t both[2] = {0, 0};
    struct rows disk[2] = {{0}};
    struct rows phone = {0};
    struct clinic_id one;
    struct thread_id t;
    struct thread_id now;
    size_t had;

    world_init(&w, 707, 2);
    world_befriend(&w, 0, 1);
    three[2] = both[1] = world_device(&w, 0);
    world_enrol(&w, three[2], 0);
    t = world_open(&w, 0, three[2]);
    world_consent(&w, &t, 0, three[2], 1, true);
    CHECK(world_in(&w, &t, three, 3));
    CHECK_OK(world_say(&w, three[2], &t));
    world_heal(&w);
    node_snapshot(&w, 0, &disk[0]);
    node_snapshot(&w, 1, &disk[1]);
    one = node_root(&w, 1);
    node_stepped(&w, three[2], fed_core_withdraw(w.nodes[three[2]].core, &one));
    world_run(&w, 3000);
    CHECK(node_state(&w, 1, &t) == FED_THREAD_REMOVED);
    had = node_messages(&w, 1, &t);
    node_crash(&w, 0);
    CHECK_OK(world_say(&w, three[2], &t)); /* it waits */
    world_run(&w, 500);
    node_snapshot(&w, three[2], &phone);
    node_crash(&w, 1);
    node_crash(&w, three[2]);
    node_restore(&w, three[2], &phone);
    node_restore(&w, 0, &disk[0]);
    node_restore(&w, 1, &disk[1]);
    rows_free(&disk[0]);
    rows_free(&disk[1]);
    rows_free(&phone);
    now = anew(0, &t);
    CHECK(world_in(&w, &now, both, 2));
    world_run(&w, 5000);
    CHECK_OK(world_say(&w, three[2], &now));
    world_run(&w, 5000);
    CHECK(node_messages(&w, 0, &now) >= 2);
    CHECK(node_state(&w, 1, &now) != FED_THREAD_ACTIVE);
    CHECK(node_messages(&w, 1, &now) + node_messages(&w, 1, &t) <= had);
    CHECK(!fed_subject_is(world_thread(&w, 0, &now), one.b,
                          PROTO_SUBJECT_CLINIC));
    world_end(&w);
}

int
main(void)
{
    return RUN(T(the_clinic_and_the_phone), T(both_from_backups),
               T(a_tablet_has_it), T(a_consent_goes_on),
               T(another_clinic_brought_the_patient),
               T(another_clinic_brought_whose_phone_is_new),
               T(who_brought_the_patient_has_left),
               T(who_brought_has_left_and_the_phone_is_new),
               T(what_was_taken_back_stays_so));
}
