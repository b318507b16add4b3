/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device that the desk suspended and resumed: it reads what was said to its
 * patient meanwhile, since the patient was in the thread all the time, and
 * nothing before it is resumed (decisions F 23).
 */
#include "tests/sim/scene.h"
#include "tests/sim/world.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;

static void
suspend(size_t clinic, size_t phone, bool yes)
{
    struct subject_id s = node_subject(&w, phone);
    struct patient_id patient;
    struct device_id device;

    memcpy(patient.b, s.b, sizeof(patient.b));
    memcpy(device.b, w.nodes[phone].key.pub, sizeof(device.b));
    node_stepped(
        &w, clinic,
        fed_core_suspend(w.nodes[clinic].core, &patient, &device, yes));
    w.nodes[phone].wants[clinic] = true; /* the app tries again */
}

/* The clinic and one phone: what is said waits, and goes by itself. */
TEST(alone_with_the_clinic)
{
    size_t both[2];
    struct thread_id t = world_phone(&w, 31, both);

    CHECK_EQ(node_messages(&w, both[1], &t), 1);
    suspend(0, both[1], true);
    world_run(&w, 2000);
    CHECK_OK(world_say(&w, 0, &t));
    CHECK_OK(world_say(&w, 0, &t));
    world_run(&w, 20000);
    CHECK_EQ(node_messages(&w, both[1], &t), 1);
    suspend(0, both[1], false);
    world_run(&w, 10000);
    CHECK_EQ(node_messages(&w, both[1], &t), 3);
    world_heal(&w);
    world_judge(&w, &t, both, 2);
    world_end(&w);
}

/* The same over a restart of the clinic in between. */
TEST(over_a_restart)
{
    size_t both[2];
    struct thread_id t = world_phone(&w, 32, both);

    suspend(0, both[1], true);
    world_run(&w, 2000);
    CHECK_OK(world_say(&w, 0, &t));
    world_run(&w, 2000);
    node_crash(&w, 0);
    node_start(&w, 0);
    CHECK_OK(world_say(&w, 0, &t));
    world_run(&w, 2000);
    suspend(0, both[1], false);
    world_run(&w, 10000);
    CHECK_EQ(node_messages(&w, both[1], &t), 3);
    world_end(&w);
}

/* The other phone reads on; the resumed one gets it from the clinic. */
TEST(beside_another_phone)
{
    size_t who[3];
    struct thread_id t = world_phones(&w, 33, who);
    size_t before;

    before = node_messages(&w, who[2], &t);
    suspend(0, who[2], true);
    world_run(&w, 2000);
    CHECK_OK(world_say(&w, 0, &t));
    CHECK_OK(world_say(&w, who[1], &t));
    world_run(&w, 3000);
    CHECK_EQ(node_messages(&w, who[2], &t), before);
    CHECK_EQ(node_messages(&w, who[1], &t), before + 2);
    suspend(0, who[2], false);
    world_run(&w, 20000);
    CHECK_EQ(node_messages(&w, who[2], &t), before + 2);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(alone_with_the_clinic), T(over_a_restart),
               T(beside_another_phone));
}
