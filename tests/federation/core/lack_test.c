/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions for a key of the archive, at the clinic that hands them on: few, in
 * nobody else's name, and no answer that nobody asked for.
 */
#include "tests/federation/app/world.h"

#include "crypto/prim/init.h"
#include "federation/app/inside.h"
#include "federation/core/archive.h"
#include "proto/msg/device.h"

static struct world w;

/* How many rows lie with the clinic for app n's device. */
static uint64_t
waiting(size_t n)
{
    struct clinic_id id;
    struct fed_party_info info;

    memcpy(id.b, world_device(&w, n).b, sizeof(id.b));
    CHECK_OK(fed_core_party(w.core, &id, &info));
    return info.queued;
}

static void
asks(size_t n, const struct proto_device_archive_key *k)
{
    CHECK_OK(fed_core_archive_key(w.apps[n].app->core, &w.clinic, k));
    world_turn(&w, n);
    world_run(&w);
}

/* [archive-key-rate] [archive-key-own] [archive-key-asked] At the clinic. */
TEST(few_questions_an_hour)
{
    struct proto_device_archive_key k = {.generation = 7};
    uint64_t before;

    world_begin(&w, 54);
    world_join(&w, 0);
    world_add(&w, 0, 1);
    w.apps[1].cut = true;
    world_break(&w, 1);
    world_run(&w);
    before = waiting(1);
    memcpy(k.device, world_device(&w, 0).b, sizeof(k.device));
    for (int i = 0; i < 3; i++) {
        asks(0, &k);
    }
    CHECK_EQ(waiting(1), before + 1);
    for (int i = 0; i < 30; i++) {
        k.generation++;
        asks(0, &k);
    }
    CHECK_EQ(waiting(1), before + 4);
    w.ms += 3600000;
    asks(0, &k);
    CHECK_EQ(waiting(1), before + 5);
    memcpy(k.device, world_device(&w, 1).b, sizeof(k.device));
    k.sealed = VIEW_LIT("nobody asked for it");
    asks(0, &k);
    CHECK_EQ(waiting(1), before + 5);
    k.sealed = (struct view){0}; /* in another's name */
    asks(0, &k);
    CHECK_EQ(waiting(1), before + 5);
    world_end(&w);
}

int
main(void)
{
    return prim_init() == OK ? RUN(T(few_questions_an_hour)) : 1;
}
