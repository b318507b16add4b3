/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom a person blocks on one device, all of them block: whichever decided
 * last, in whatever order it comes, also on a phone that has only the code.
 */
#include "tests/federation/app/world.h"

#include "crypto/prim/init.h"
#include "federation/app/block.h"
#include "federation/app/inside.h"
#include "federation/core/archive.h"
#include "federation/core/care.h"
#include "federation/core/rec.h"
#include "proto/msg/device.h"
#include "tests/support/fail_mem.h"

enum {
    CLINICS = 5
};

static struct world w;

static struct clinic_id
other(uint8_t i)
{
    struct clinic_id id = {{0}};

    memset(id.b, 0x40 + i, sizeof(id.b));
    return id;
}

/* App n has heard of the others. */
static void
heard(size_t n)
{
    for (uint8_t i = 0; i < CLINICS; i++) {
        struct fed_app_rec_clinic rec;
        struct clinic_id id = other(i);
        struct bytes hold = {0};

        CHECK_OK(fed_app_clinic_rec(w.apps[n].app, &id, &rec, &hold));
        rec.state = rec.state == 0 ? FED_APP_CLINIC_IN_THREAD : rec.state;
        CHECK_OK(fed_app_clinic_save(w.apps[n].app, &id, &rec));
        bytes_free(&hold);
    }
    world_turn(&w, n);
}

static bool
blocks(size_t n, uint8_t i)
{
    struct clinic_id id = other(i);
    bool out;

    CHECK_OK(fed_app_is_blocked(w.apps[n].app, &id, &out));
    return out;
}

static void
block(size_t n, uint8_t i, bool on)
{
    struct clinic_id id = other(i);

    CHECK_OK(fed_app_block(w.apps[n].app, &id, on));
    world_turn(&w, n);
}

static void
cut(size_t n, bool yes)
{
    w.apps[n].cut = yes;
    if (yes) {
        world_break(&w, n);
    }
}

static void
begin(uint64_t seed, size_t devices)
{
    world_begin(&w, seed);
    world_join(&w, 0);
    heard(0);
    for (size_t n = 1; n < devices; n++) {
        world_add(&w, 0, n);
        heard(n);
    }
}

TEST(another_device_follows)
{
    begin(71, 2);
    block(0, 0, true);
    world_run(&w);
    CHECK(blocks(1, 0) && !blocks(1, 1));
    block(1, 0, false);
    block(1, 1, true);
    world_run(&w);
    CHECK(!blocks(0, 0) && blocks(0, 1));
    world_add(&w, 1, 2); /* and one that comes later, which never heard of it */
    CHECK(!blocks(2, 0) && blocks(2, 1));
    world_end(&w);
}

/* [shared-order] The clock says who was last; at one moment a block stays. */
TEST(two_decide_at_once)
{
    begin(72, 2);
    block(0, 0, true);
    world_run(&w);
    for (size_t n = 0; n < 2; n++) {
        cut(n, true);
    }
    block(0, 0, false); /* the same moment: two blocks one, one lets it back */
    block(0, 1, true);
    block(1, 1, true);
    block(1, 1, false);
    w.ms += 10;
    block(1, 0, false);
    w.ms += 10;
    block(1, 0, true);
    for (size_t n = 0; n < 2; n++) {
        cut(n, false);
    }
    world_run(&w);
    CHECK(blocks(0, 0) && blocks(1, 0));
    CHECK(blocks(0, 1) == blocks(1, 1));
    cut(0, true);
    cut(1, true);
    block(0, 2, true);
    block(1, 2, true);
    block(1, 3, true);
    block(0, 3, true);
    block(0, 3, false); /* above its own: later than what the other says */
    cut(0, false);
    cut(1, false);
    world_run(&w);
    CHECK(blocks(0, 2) && blocks(1, 2) && !blocks(0, 3) && !blocks(1, 3));
    world_end(&w);
}

/* Whatever happens, all of them end with the same. */
static void
seeded(uint64_t seed)
{
    begin(seed, 3);
    for (int i = 0; i < 60; i++) {
        size_t n = seed_rng_next(&w.rng) % 3;
        uint8_t which = (uint8_t)(seed_rng_next(&w.rng) % CLINICS);

        switch (seed_rng_next(&w.rng) % 4) {
        case 0:
            cut(n, !w.apps[n].cut);
            break;
        case 1:
            world_tick(&w);
            break;
        case 2:
            w.ms -= seed_rng_next(&w.rng) % 4000; /* clocks differ */
            block(n, which, !blocks(n, which));
            break;
        default:
            block(n, which, !blocks(n, which));
        }
    }
    for (size_t n = 0; n < 3; n++) {
        cut(n, false);
    }
    world_run(&w);
    for (uint8_t i = 0; i < CLINICS; i++) {
        CHECK(blocks(0, i) == blocks(1, i) && blocks(1, i) == blocks(2, i));
    }
    for (size_t n = 0; n < 3; n++) {
        CHECK(!fed_app_shared_waits(w.apps[n].app));
    }
    block(2, 0, !blocks(2, 0)); /* what is decided now counts */
    world_run(&w);
    CHECK(blocks(0, 0) == blocks(2, 0) && blocks(1, 0) == blocks(2, 0));
    world_end(&w);
}

TEST(all_end_with_the_same)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        seeded(700 + seed);
    }
}

/* By the code alone, under the key of before. */
TEST(a_new_phone_knows_it)
{
    struct bytes words = {0};
    struct bytes qr = {0};
    struct fed_party_info info;
    struct clinic_id who;
    struct proto_link l;
    unsigned bad = 0;

    begin(73, 2);
    CHECK_OK(fed_app_code(w.apps[0].app, &words, &qr));
    block(1, 3, true);
    world_run(&w);
    cut(0, true);
    cut(1, true);
    CHECK_OK(world_app_open(&w, 2, mem_heap()));
    CHECK_OK(fed_app_recover(w.apps[2].app, view_of(&qr), &bad));
    world_turn(&w, 2);
    l = world_link(&w);
    CHECK_OK(
        fed_app_join(w.apps[2].app, &l, VIEW_LIT("Ann"), (struct view){0}));
    world_turn(&w, 2);
    world_run(&w);
    CHECK(blocks(2, 3) && !blocks(2, 2));
    who = other(3); /* whatever its home says of it */
    CHECK_OK(fed_core_party(w.apps[2].app->core, &who, &info));
    CHECK(info.blocked && info.ours == PROTO_STANCE_NONE);
    world_add(&w, 2, 3); /* it said it under the new key */
    CHECK(blocks(3, 3) && !blocks(3, 2));
    bytes_free(&words);
    bytes_free(&qr);
    world_end(&w);
}

/* What the clinic keeps of it. */
static struct shelf_rec *
kept(void)
{
    for (size_t i = 0; i < w.shelf.len; i++) {
        struct shelf_rec *r = &w.shelf.recs[i];

        if (r->space == FED_NS_ARCHIVE &&
            fed_key_tail(view_of(&r->key)) == FED_ARCHIVE_AT_SHARED) {
            return r;
        }
    }
    return NULL;
}

static void
shown(size_t n, struct view body)
{
    struct fed_show show = {
        .kind = FED_SHOW_ARCHIVE, .code = FED_ARCHIVE_SHARED, .peer = w.clinic};

    CHECK_OK(bytes_copy(mem_heap(), body, &show.body));
    CHECK_OK(fed_app_show(w.apps[n].app, &show));
    world_turn(&w, n);
    bytes_free(&show.body);
}

/* App n writes that clinic i is blocked, above whatever was decided. */
static void
later_of(size_t n, uint8_t i, struct bytes *out)
{
    struct proto_device_msg msg = {.type = PROTO_DEVICE_SHARED};
    struct clinic_id id = other(i);
    struct fed_app_rec_choice choice = {
        .kind = FED_APP_CHOICE_BLOCKED, .serial = INT64_MAX - 9, .on = true};
    struct fed_app_rec_shared rec = {{&choice, 1, {0}}};
    struct bytes body = {0};
    struct bytes sealed = {0};

    memcpy(choice.clinic, id.b, sizeof(choice.clinic));
    CHECK_OK(
        fed_rec_encode(mem_heap(), &fed_app_rec_shared_shape, &rec, &body));
    CHECK_OK(fed_app_sealed_make(w.apps[n].app, "balsam v1 archive shared",
                                 view_of(&body), &sealed));
    msg.u.shared.generation = fed_app_ring_number(w.apps[n].app);
    msg.u.shared.sealed = view_of(&sealed);
    CHECK_OK(proto_device_encode(mem_heap(), &msg, out));
    bytes_free(&body);
    bytes_free(&sealed);
}

/* [shared-key] What a removed device writes under its key is not taken, and
   what is older changes nothing; the clinic cannot make any. */
TEST(nobody_else_decides)
{
    struct bytes words = {0};
    struct bytes qr = {0};
    struct bytes first = {0};
    struct bytes forged = {0};
    struct device_id gone;
    struct proto_device_msg msg;
    unsigned bad = 0;

    begin(74, 3);
    CHECK_OK(fed_app_code(w.apps[0].app, &words, &qr));
    block(0, 0, true);
    world_run(&w);
    CHECK_OK(bytes_copy(mem_heap(), view_of(&kept()->value), &first));
    block(0, 0, false);
    world_run(&w);
    shown(1, view_of(&first));
    CHECK(!blocks(1, 0));
    block(2, 1, true); /* only it and the clinic will have this */
    w.apps[1].cut = true;
    world_break(&w, 1);
    world_run(&w);
    CHECK_OK(bytes_copy(mem_heap(), view_of(&kept()->value), &forged));
    block(0, 1, false);
    cut(2, true);
    gone = world_device(&w, 2);
    CHECK_OK(fed_app_remove_device(w.apps[0].app, view_of(&qr), &gone, &bad));
    world_turn(&w, 0);
    world_run(&w);
    cut(1, false);
    world_run(&w);
    CHECK(!blocks(0, 1) && !blocks(1, 1));
    shown(1, view_of(&forged)); /* as the clinic could, later */
    CHECK(!blocks(1, 1));
    bytes_free(&forged);
    later_of(2, 1, &forged);
    CHECK_OK(proto_device_decode(view_of(&forged), &msg));
    CHECK(msg.u.shared.generation < fed_app_ring_number(w.apps[1].app));
    shown(1, view_of(&forged));
    CHECK(!blocks(1, 1));
    bytes_free(&forged);
    later_of(0, 1, &forged);
    shown(1, view_of(&forged));
    CHECK(blocks(1, 1)); /* of one that is in the list it counts */
    world_run(&w);
    for (size_t i = 0; i < kept()->value.len; i += 7) {
        bytes_free(&forged);
        CHECK_OK(bytes_copy(mem_heap(), view_of(&kept()->value), &forged));
        forged.p[i] ^= 1;
        if (proto_device_decode(view_of(&forged), &msg) == OK &&
            msg.type == PROTO_DEVICE_SHARED) {
            shown(1, view_of(&forged));
        }
        CHECK(!blocks(1, 0) && blocks(1, 1) && !blocks(1, 2));
    }
    bytes_free(&words);
    bytes_free(&qr);
    bytes_free(&first);
    bytes_free(&forged);
    world_end(&w);
}

/* [home-restored] It has lost it: the devices say it again. */
TEST(the_home_has_lost_it)
{
    struct fed_show show = {.kind = FED_SHOW_ROLLBACK, .code = 1};

    begin(75, 2);
    block(0, 4, true);
    world_run(&w);
    CHECK_OK(shelf_change(&w.shelf, FED_NS_ARCHIVE, true, view_of(&kept()->key),
                          (struct view){0}));
    CHECK_OK(shelf_commit(&w.shelf, NULL, 0));
    CHECK(kept() == NULL);
    show.peer = w.clinic;
    CHECK_OK(fed_app_show(w.apps[1].app, &show));
    world_turn(&w, 1);
    cut(1, true);
    cut(1, false);
    world_run(&w);
    CHECK(kept() != NULL);
    world_add(&w, 1, 2);
    CHECK(blocks(2, 4));
    world_end(&w);
}

TEST(memory_runs_out)
{
    struct fed_show show = {.kind = FED_SHOW_ARCHIVE,
                            .code = FED_ARCHIVE_SHARED};
    struct fail_mem f;
    uint64_t n = 0;
    enum err e;

    begin(76, 2);
    cut(1, true);
    block(0, 0, true);
    world_run(&w);
    cut(1, false);
    world_connect(&w, 1);
    show.peer = w.clinic;
    CHECK_OK(bytes_copy(mem_heap(), view_of(&kept()->value), &show.body));
    do {
        const struct mem *mem = w.apps[1].app->mem;

        fail_mem_init(&f, ++n);
        w.apps[1].app->mem = &f.mem;
        w.apps[1].app->kv.mem = &f.mem;
        e = fed_app_show_shared(w.apps[1].app, &show);
        fed_app_kv_clear(&w.apps[1].app->kv);
        w.apps[1].app->mem = mem;
        w.apps[1].app->kv.mem = mem;
        CHECK_EQ(f.live, 0);
        CHECK(f.hit ? e == ERR_NOMEM : e == OK);
    } while (f.hit);
    CHECK(n > 5);
    bytes_free(&show.body);
    world_end(&w);
}

int
main(void)
{
    if (prim_init() != OK) {
        return 1;
    }
    return RUN(T(another_device_follows), T(two_decide_at_once),
               T(all_end_with_the_same), T(a_new_phone_knows_it),
               T(nobody_else_decides), T(the_home_has_lost_it),
               T(memory_runs_out));
}
