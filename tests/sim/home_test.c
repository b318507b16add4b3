/* SPDX-License-Identifier: Apache-2.0 */
/* Stories of a patient whose way to a clinic changes: a new phone, another
   home, a clinic that was carried and becomes direct. */
#include "federation/core/care.h"
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
    world_run(&w, 1000); /* and noticed */
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

/* Is a clinic that nobody spoke of known to d once from routed its item? */
static bool
believes(size_t d, size_t from)
{
    struct proto_peer_msg msg = {.type = PROTO_PEER_HUB_SEEN};
    struct proto_routed in;
    struct bytes item = {0};
    struct clinic_id stranger = {{9}};
    struct subject_id patient = node_subject(&w, d);
    struct fed_party *p;

    stranger.b[1] = (uint8_t)from;
    stranger.b[2] = (uint8_t)(w.wall_ms >> 20);
    CHECK_OK(proto_peer_encode(mem_heap(), &msg, &item));
    memcpy(in.from, stranger.b, sizeof(in.from));
    memcpy(in.patient, patient.b, sizeof(in.patient));
    in.body = view_of(&item);
    node_stepped(
        &w, d, fed_routed_recv(w.nodes[d].core, world_party(&w, d, from), &in));
    bytes_free(&item);
    p = fed_party_find(w.nodes[d].core, &stranger);
    return p != NULL && p->stored;
}

/* [route-believed] by its home, and for a while. */
TEST(what_a_new_phone_believes)
{
    size_t lost;
    size_t d;

    world_init(&w, 203, 2);
    lost = world_device(&w, 0);
    world_enrol(&w, lost, 0);
    CHECK(!believes(lost, 0)); /* by a link: it knows whom it allowed */
    node_crash(&w, lost);
    world_lose(&w, 0, lost);
    d = world_device(&w, 0);
    world_enrol_further(&w, d, 0);
    world_enrol(&w, d, 1);
    CHECK(!believes(d, 1)); /* not its home */
    CHECK(believes(d, 0));
    w.wall_ms += 91ull * 86400000;
    CHECK(!believes(d, 0));
    world_end(&w);
}

/* [home-restored] The app hears that its home came from a backup, and not that
   it was only off. */
TEST(a_home_from_a_backup)
{
    size_t both[2];
    struct rows disk = {0};
    struct thread_id t = world_phone(&w, 204, both);

    node_crash(&w, 0);
    node_start(&w, 0);
    world_run(&w, 3000);
    CHECK_EQ(w.nodes[both[1]].put_back, 0);
    node_snapshot(&w, 0, &disk);
    CHECK_OK(world_say(&w, both[1], &t));
    world_run(&w, 3000);
    node_crash(&w, 0);
    node_restore(&w, 0, &disk);
    rows_free(&disk);
    world_run(&w, 3000);
    CHECK(w.nodes[both[1]].put_back > 0);
    CHECK(world_in(&w, &t, both, 2));
    world_end(&w);
}

int
main(void)
{
    return RUN(T(a_new_phone_whose_clock_is_behind), T(another_clinic_goes_on),
               T(what_a_new_phone_believes), T(a_home_from_a_backup));
}
