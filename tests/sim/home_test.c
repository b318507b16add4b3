/* SPDX-License-Identifier: Apache-2.0 */
/* Stories of a patient whose way to a clinic changes: a new phone, another
   home, a clinic that was carried and becomes direct. */
#include "federation/core/hub.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;

/* The lost phone signed lists that the new one, its clock behind, cannot know:
   it hears of them and goes above. */
TEST(a_new_phone_whose_clock_is_behind)
{
    size_t two[2] = {0, 0};
    size_t lost;
    struct thread_id t;

    world_init(&w, 201, 1);
    lost = world_device(&w, 0);
    w.patients[0].count = 50;
    world_lose(&w, 0, WORLD_NODES - 1); /* nobody: the list is signed anew */
    world_enrol(&w, lost, 0);
    node_stepped(&w, lost,
                 fed_core_set_list(w.nodes[lost].core,
                                   view_of(&w.patients[0].text),
                                   (struct view){0}));
    world_run(&w, 1000);
    t = world_care(&w, 0, lost);
    node_crash(&w, lost);
    world_lose(&w, 0, lost);
    w.patients[0].count = 5;
    two[1] = world_device(&w, 0);
    world_ask(&w, two[1], 0);
    world_run(&w, 2000);
    CHECK_EQ(w.nodes[two[1]].enrols[PROTO_REDEEM_REFUSED], 0);
    CHECK_EQ(w.nodes[two[1]].devices[FED_DEVICES_NEW], 1);
    CHECK_EQ(node_state(&w, two[1], &t), 0);
    w.patients[0].count = 51;
    world_lose(&w, 0, lost);
    node_stepped(&w, two[1],
                 fed_core_set_list(w.nodes[two[1]].core,
                                   view_of(&w.patients[0].text),
                                   view_of(&w.nodes[two[1]].chain)));
    CHECK(world_in(&w, &t, two, 2));
    CHECK_OK(world_say(&w, two[1], &t));
    world_run(&w, 2000);
    CHECK_EQ(node_messages(&w, 0, &t), 1);
    world_end(&w);
}

/* decisions D 16: the one clinic is gone; another goes on, once. */
TEST(another_clinic_goes_on)
{
    size_t two[2] = {1, 0};
    size_t d;
    struct thread_id t;
    struct thread_id u;
    struct clinic_id with;
    uint64_t since;

    world_init(&w, 202, 2);
    d = two[1] = world_device(&w, 0);
    world_enrol(&w, d, 0);
    world_enrol(&w, d, 1);
    t = world_care(&w, 0, d);
    CHECK_OK(world_say(&w, d, &t));
    world_run(&w, 1000);
    node_crash(&w, 0);
    w.wall_ms += 71ull * 3600000;
    world_run(&w, 1000);
    CHECK_OK(fed_core_stands(w.nodes[d].core, &t, &since));
    CHECK_EQ(since, 0);
    w.wall_ms += 2ull * 3600000;
    world_run(&w, 1000);
    CHECK_OK(fed_core_stands(w.nodes[d].core, &t, &since));
    CHECK(since != 0);
    with = node_root(&w, 0);
    CHECK_ERR(fed_core_continue(w.nodes[1].core, &t, &with, &u), ERR_STATE);
    with = node_root(&w, 1);
    for (int i = 0; i < 3; i++) {
        node_stepped(&w, d, fed_core_continue(w.nodes[d].core, &t, &with, &u));
        world_run(&w, 500);
    }
    CHECK(world_in(&w, &u, two, 2));
    CHECK_OK(world_say(&w, d, &u));
    CHECK_OK(world_say(&w, d, &t)); /* stays for who is gone */
    world_run(&w, 2000);
    CHECK_EQ(node_messages(&w, 1, &u), 1);
    CHECK_EQ(node_messages(&w, d, &t), 1); /* and one waits */
    CHECK_EQ(node_state(&w, 1, &t), 0);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(a_new_phone_whose_clock_is_behind), T(another_clinic_goes_on));
}
