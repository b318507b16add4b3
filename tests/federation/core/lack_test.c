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

static void
shares(size_t n, uint64_t number, size_t size)
{
    static uint8_t sealed[PROTO_DEVICE_SHARED_MAX];
    struct proto_device_shared s = {.generation = 0xf0000000u};

    memset(sealed, (int)(number & 0xff), sizeof(sealed));
    s.sealed = view_make(sealed, size);
    CHECK_OK(fed_core_shared(w.apps[n].app->core, &w.clinic, &s));
    world_turn(&w, n);
    world_run(&w);
}

static void
gives_keys(size_t n, uint64_t generation)
{
    struct proto_device_archive_keys k = {.generation = generation,
                                          .keys = VIEW_LIT("keys"),
                                          .ring = VIEW_LIT("ring")};

    CHECK_OK(fed_core_archive_keys(w.apps[n].app->core, &w.clinic, &k));
    world_turn(&w, n);
    world_run(&w);
}

/* [archive-rate] A device that says without end fills nobody's queue; another
   one is heard meanwhile. */
TEST(a_flooding_device)
{
    uint64_t before;
    uint64_t full;

    world_begin(&w, 55);
    world_join(&w, 0);
    world_add(&w, 0, 1);
    world_add(&w, 0, 2);
    w.apps[1].cut = true;
    world_break(&w, 1);
    world_run(&w);
    before = waiting(1);
    for (uint64_t i = 1; i <= 200; i++) {
        shares(0, i, 16);
    }
    full = waiting(1);
    CHECK(full > before && full <= before + 60);
    for (uint64_t i = 1; i <= 10; i++) {
        gives_keys(0, 0xf0000000u + i); /* of one and the same allowance */
    }
    CHECK_EQ(waiting(1), full);
    shares(2, 77, 16);
    gives_keys(2, 0xf1000000u);
    CHECK_EQ(waiting(1), full + 2);
    w.ms += 3600000;
    full = waiting(1);
    for (uint64_t i = 1; i <= 200; i++) { /* few, and large */
        shares(0, i, PROTO_DEVICE_SHARED_MAX);
    }
    CHECK(waiting(1) > full);
    CHECK(waiting(1) <= full + 1024 * 1024 / PROTO_DEVICE_SHARED_MAX);
    world_end(&w);
}

int
main(void)
{
    return prim_init() == OK
               ? RUN(T(few_questions_an_hour), T(a_flooding_device))
               : 1;
}
