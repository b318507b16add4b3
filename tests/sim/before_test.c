/* SPDX-License-Identifier: Apache-2.0 */
/* The clinic that was a patient's home: who carries to it, and for how long. */
#include "federation/core/care.h"
#include "proto/msg/device.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;

/* The list says that clinic is home from now on; d has signed it. */
static void
move_home(size_t d, size_t clinic)
{
    w.patients[0].list.home = node_root(&w, clinic);
    world_lose(&w, 0, WORLD_NODES - 1); /* nobody: it is signed anew */
    node_stepped(&w, d,
                 fed_core_set_list(w.nodes[d].core,
                                   view_of(&w.patients[0].text),
                                   (struct view){0}));
}

static bool
way(size_t d, size_t to, size_t through)
{
    struct clinic_id clinic = node_root(&w, to);
    struct clinic_id home = node_root(&w, through);
    struct clinic_id via;

    return fed_core_before(w.nodes[d].core, &clinic, &via) &&
           clinic_id_equal(&via, &home);
}

/* Does clinic c let the patient's devices through to clinic to? */
static bool
lets(size_t c, size_t to)
{
    struct clinic_id patient;
    struct clinic_id clinic = node_root(&w, to);
    struct fed_rec_allow rec;

    memcpy(patient.b, w.patients[0].key.pub, sizeof(patient.b));
    CHECK_OK(fed_allow_get(w.nodes[c].core, &patient, &clinic, &rec));
    return rec.before_ms > w.wall_ms;
}

static uint64_t
stance(size_t of, size_t to)
{
    const struct fed_party *p = world_party(&w, of, to);

    return p == NULL ? PROTO_STANCE_NONE : p->rec.ours;
}

/* d is a patient of all three clinics; 0 is home, and cannot be reached by d
   any more. */
static size_t
begin(uint64_t seed)
{
    size_t d;

    world_init(&w, seed, 3);
    d = world_device(&w, 0);
    for (size_t c = 0; c < 3; c++) {
        world_enrol(&w, d, c);
    }
    CHECK(!way(d, 0, 1));
    world_cut(&w, d, 0, true);
    world_run(&w, 1000);
    return d;
}

/* [before-proof] Strangers before; the list that the patient signed tells the
   home of before who comes.  Nobody is told of a clinic that never was home. */
TEST(the_new_home_knows_the_one_before)
{
    size_t d = begin(221);

    move_home(d, 1);
    world_run(&w, 3000);
    CHECK(way(d, 0, 1));
    CHECK(!way(d, 2, 1) && !way(d, 1, 1));
    CHECK(lets(1, 0));
    CHECK(!lets(1, 2) && !lets(2, 0));
    CHECK_EQ(stance(1, 0), PROTO_STANCE_THREAD);
    CHECK_EQ(stance(0, 1), PROTO_STANCE_THREAD);
    CHECK_EQ(stance(2, 0), PROTO_STANCE_NONE);
    CHECK_EQ(stance(0, 2), PROTO_STANCE_NONE);
    CHECK(fed_party_live(world_party(&w, 0, 1)));
    node_crash(&w, 0); /* and again */
    node_crash(&w, 1);
    node_start(&w, 0);
    node_start(&w, 1);
    world_run(&w, 3000);
    CHECK(fed_party_live(world_party(&w, 0, 1)) && lets(1, 0) && way(d, 0, 1));
    w.wall_ms += 91ull * 86400000;
    world_run(&w, 3000);
    CHECK(!way(d, 0, 1) && !lets(1, 0));
    world_end(&w);
}

/* Home again: there is no way that is needed. */
TEST(back_home)
{
    size_t d = begin(222);

    move_home(d, 1);
    world_run(&w, 2000);
    move_home(d, 2);
    world_run(&w, 2000);
    CHECK(way(d, 0, 2) && way(d, 1, 2) && lets(2, 0) && lets(2, 1));
    world_cut(&w, d, 0, false);
    move_home(d, 0);
    world_run(&w, 2000);
    CHECK(!way(d, 0, 2) && way(d, 2, 0) && way(d, 1, 0));
    world_end(&w);
}

static void
shows_list(size_t from, size_t to, struct view list)
{
    struct proto_device_list in = {.list = list};

    memcpy(in.patient, w.patients[0].key.pub, sizeof(in.patient));
    node_stepped(
        &w, to,
        fed_before_moved(w.nodes[to].core, world_party(&w, to, from), &in));
}

static void
says(size_t d, size_t to, size_t clinic)
{
    struct proto_device_home in = {.addrs = {0}};
    struct clinic_id root = node_root(&w, clinic);

    memcpy(in.clinic, root.b, sizeof(in.clinic));
    node_stepped(
        &w, to, fed_before_recv(w.nodes[to].core, world_party(&w, to, d), &in));
}

/* [before-proof] An old list, or one that names another, opens nothing;
   [before-home] who is not home carries to nobody. */
TEST(who_is_not_the_home)
{
    size_t d = begin(223);
    struct clinic_id stranger = node_root(&w, 2);
    struct fed_party *p;
    struct bytes old = {0};

    CHECK_OK(bytes_copy(mem_heap(), view_of(&w.patients[0].text), &old));
    move_home(d, 1);
    world_run(&w, 2000);
    world_befriend(&w, 1, 2);
    shows_list(2, 1, view_of(&w.patients[0].text));
    CHECK_EQ(stance(1, 2), PROTO_STANCE_GRANTED);
    CHECK_OK(fed_party_get(w.nodes[0].core, &stranger, &p));
    shows_list(2, 0, view_of(&w.patients[0].text));
    shows_list(2, 0, view_of(&old));
    CHECK_EQ(stance(0, 2), PROTO_STANCE_NONE);
    says(d, 2, 0);
    CHECK(!lets(2, 0));
    says(d, 1, 1);
    CHECK(!lets(1, 1));
    bytes_free(&old);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(the_new_home_knows_the_one_before), T(back_home),
               T(who_is_not_the_home));
}
