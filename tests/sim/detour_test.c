/* SPDX-License-Identifier: Apache-2.0 */
/* A clinic ends the connection with a patient: what others share goes on
   through her new home. */
#include "federation/core/care.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;

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

static struct clinic_id
patient(void)
{
    struct clinic_id id;

    memcpy(id.b, w.patients[0].key.pub, sizeof(id.b));
    return id;
}

/* Through whom node of reaches party to; of itself: directly. */
static struct fed_party *
party(size_t of, const struct clinic_id *id)
{
    return fed_party_find(w.nodes[of].core, id);
}

static bool
through(size_t of, struct clinic_id to, size_t relay)
{
    const struct fed_party *p = party(of, &to);

    return p != NULL && p->via != NULL && p->via == world_party(&w, of, relay);
}

static void
ended(size_t clinic)
{
    struct clinic_id who = patient();

    node_stepped(&w, clinic, fed_core_disconnect(w.nodes[clinic].core, &who));
    world_run(&w, 2000);
}

/* Clinic 0 orders a thread with 1 and the patient, who knows both. */
static struct thread_id
begin(uint64_t seed, size_t who[3])
{
    struct thread_id t;

    world_init(&w, seed, 3);
    world_befriend(&w, 0, 1);
    who[0] = 0;
    who[1] = 1;
    who[2] = world_device(&w, 0);
    world_enrol(&w, who[2], 0);
    world_enrol(&w, who[2], 1);
    t = world_open(&w, 0, who[2]);
    world_consent(&w, &t, 0, who[2], 1, true);
    CHECK(world_in(&w, &t, who, 3));
    return t;
}

TEST(who_orders_it_has_ended)
{
    size_t who[3];
    struct thread_id t = begin(301, who);
    struct clinic_id hub = node_root(&w, 0);
    struct clinic_id by;
    size_t d = who[2];

    CHECK_OK(world_say(&w, 0, &t));
    world_run(&w, 2000);
    CHECK(fed_core_reaches(w.nodes[d].core, &hub, &by));
    ended(0);
    CHECK(!fed_core_reaches(w.nodes[d].core, &hub, &by));
    CHECK(clinic_id_equal(&by, &hub));
    CHECK_OK(world_say(&w, 0, &t));
    CHECK_OK(world_say(&w, 1, &t));
    world_run(&w, 2000);
    CHECK(node_messages(&w, d, &t) == 1);
    node_crash(&w, 1);
    move_home(d, 1);
    world_run(&w, 2000);
    node_start(&w, 1);
    world_run(&w, 5000);
    CHECK(through(d, hub, 1) && through(0, patient(), 1));
    CHECK(fed_core_reaches(w.nodes[d].core, &hub, &by));
    CHECK_OK(world_say(&w, d, &t));
    CHECK_OK(world_say(&w, 0, &t));
    world_run(&w, 20); /* what a crash loses nobody was told of */
    node_crash(&w, d);
    node_crash(&w, 0);
    node_start(&w, 0);
    node_start(&w, d);
    world_heal(&w);
    CHECK(through(d, hub, 1) && through(0, patient(), 1));
    for (size_t i = 0; i < 3; i++) {
        CHECK_EQ(node_messages(&w, who[i], &t), 5);
    }
    world_end(&w);
}

/* Words without an answer when it ended: they come once. */
TEST(what_had_no_answer)
{
    size_t who[3];
    struct thread_id t = begin(302, who);
    size_t d = who[2];

    world_cut(&w, d, 0, true);
    CHECK_OK(world_say(&w, d, &t));
    world_run(&w, 1000);
    ended(0);
    world_cut(&w, d, 0, false);
    world_run(&w, 2000);
    move_home(d, 1);
    world_heal(&w);
    CHECK_OK(world_say(&w, d, &t));
    world_heal(&w);
    for (size_t i = 0; i < 3; i++) {
        CHECK_EQ(node_messages(&w, who[i], &t), 2);
    }
    world_end(&w);
}

/* [detour-direct] whom we deliver to; [detour-home] who is not the home that
   the patient signed. */
TEST(no_other_way_is_believed)
{
    size_t who[3];
    struct fed_party *p;
    struct clinic_id id;

    (void)begin(303, who);
    id = patient();
    world_befriend(&w, 0, 2);
    p = party(0, &id);
    move_home(who[2], 1);
    world_run(&w, 2000);
    node_stepped(&w, 0,
                 fed_detour_by(w.nodes[0].core, p, world_party(&w, 0, 1)));
    CHECK(p->via == NULL && p->rec.ours == PROTO_STANCE_GRANTED);
    ended(0);
    p->via = NULL; /* as it was before her device came */
    p->rec.ours = PROTO_STANCE_ENDED;
    node_stepped(&w, 0,
                 fed_detour_by(w.nodes[0].core, p, world_party(&w, 0, 2)));
    CHECK(p->via == NULL && p->rec.ours == PROTO_STANCE_ENDED);
    p->rec.blocked = true;
    node_stepped(&w, 0,
                 fed_detour_by(w.nodes[0].core, p, world_party(&w, 0, 1)));
    CHECK(p->via == NULL);
    p->rec.blocked = false;
    node_stepped(&w, 0,
                 fed_detour_by(w.nodes[0].core, p, world_party(&w, 0, 1)));
    CHECK(p->via == world_party(&w, 0, 1));
    world_end(&w);
}

int
main(void)
{
    return RUN(T(who_orders_it_has_ended), T(what_had_no_answer),
               T(no_other_way_is_believed));
}
