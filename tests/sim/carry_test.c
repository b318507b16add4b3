/* SPDX-License-Identifier: Apache-2.0 */
/* Who may move an attachment's chunks, and for whom. */
#include "federation/core/care.h"
#include "federation/core/carry.h"
#include "tests/sim/world.h"
#include "tests/support/check.h"

#include <string.h>

enum {
    CLINICS = 3,
    PHONE = CLINICS
};

static struct world w;
static const struct clinic_id nobody = {{0}};

/* What clinic at says to peer with far behind it. */
static enum fed_right
right(size_t at, const struct thread_id *t, const struct clinic_id *peer,
      const struct clinic_id *far, struct clinic_id *patient)
{
    enum fed_right out = FED_RIGHT_NONE;

    CHECK_OK(
        fed_core_blob_right(w.nodes[at].core, t, peer, far, &out, patient));
    return out;
}

/* [blob-relay] a member, a device of ours to a clinic that its patient allows,
   who delivers for a member; nobody else */
TEST(who_may_move_files)
{
    static const struct thread_id other = {{9}};
    size_t two[2] = {0, PHONE};
    size_t three[3] = {0, 1, PHONE};
    struct clinic_id root[CLINICS + 1];
    struct clinic_id who;
    struct clinic_id patient;
    struct patient_id person;
    struct device_id device;
    struct subject_id s;
    struct thread_id t;

    world_init(&w, 21, CLINICS);
    for (size_t a = 0; a < CLINICS; a++) {
        for (size_t b = a + 1; b < CLINICS; b++) {
            world_befriend(&w, a, b);
        }
    }
    CHECK_EQ(world_device(&w, 0), PHONE);
    world_enrol(&w, PHONE, 0);
    t = world_open(&w, 0, PHONE);
    CHECK(world_in(&w, &t, two, 2));
    world_consent(&w, &t, 0, PHONE, 1, true);
    CHECK(world_in(&w, &t, three, 3));
    world_heal(&w);
    for (size_t i = 0; i <= PHONE; i++) {
        root[i] = node_root(&w, i);
    }
    s = node_subject(&w, PHONE);
    memcpy(who.b, s.b, sizeof(who.b));
    memcpy(person.b, s.b, sizeof(person.b));
    memcpy(device.b, root[PHONE].b, sizeof(device.b));

    /* members, connected */
    CHECK(right(0, &t, &root[1], &nobody, &patient) == FED_RIGHT_MEMBER);
    CHECK(clinic_id_is_zero(&patient));
    CHECK(right(0, &t, &root[PHONE], &nobody, &patient) == FED_RIGHT_MEMBER);
    CHECK(clinic_id_equal(&patient, &who));
    CHECK(right(0, &t, &root[2], &nobody, &patient) == FED_RIGHT_NONE);
    CHECK(right(0, &other, &root[1], &nobody, &patient) == FED_RIGHT_NONE);
    /* a device through its clinic, to those that its patient speaks with */
    CHECK(right(0, &other, &root[PHONE], &root[1], &patient) ==
          FED_RIGHT_CARRY);
    CHECK(clinic_id_equal(&patient, &who));
    CHECK(right(0, &other, &root[PHONE], &root[2], &patient) == FED_RIGHT_NONE);
    CHECK(right(0, &other, &root[PHONE], &who, &patient) == FED_RIGHT_NONE);
    CHECK(right(0, &other, &who, &root[1], &patient) == FED_RIGHT_NONE);
    /* who delivers, for its patient in a thread */
    CHECK(right(1, &t, &root[0], &who, &patient) == FED_RIGHT_MEMBER);
    CHECK(clinic_id_equal(&patient, &who));
    CHECK(right(1, &t, &root[2], &who, &patient) == FED_RIGHT_NONE);
    CHECK(right(1, &other, &root[0], &who, &patient) == FED_RIGHT_NONE);
    CHECK(right(1, &t, &root[0], &root[2], &patient) == FED_RIGHT_NONE);
    /* a suspended device */
    node_stepped(&w, 0,
                 fed_core_suspend(w.nodes[0].core, &person, &device, true));
    CHECK(right(0, &other, &root[PHONE], &root[1], &patient) == FED_RIGHT_NONE);
    world_free(&w);
}

int
main(void)
{
    return RUN(T(who_may_move_files));
}
