/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The archive's keys: who was removed, with everything that it has and all that
 * the clinic keeps, reads nothing that was archived afterwards; who stays, who
 * comes later and who has the code reads all.
 */
#include "tests/federation/app/world.h"

#include "crypto/prim/init.h"
#include "federation/app/inside.h"
#include "federation/core/archive.h"
#include "federation/core/care.h"
#include "proto/msg/device.h"
#include "tests/support/fail_mem.h"

#include <stdio.h>

static struct world w;
static char text[512];

static uint64_t
number_of(size_t n)
{
    return fed_app_ring_number(w.apps[n].app);
}

static bool
has_key(size_t n, uint64_t number)
{
    uint8_t key[32];

    return fed_app_ring_key(w.apps[n].app, number, key) == OK;
}

/* Is it the record of the keys? */
static bool
is_keys(const struct shelf_rec *r)
{
    return r->space == FED_NS_ARCHIVE &&
           fed_key_tail(view_of(&r->key)) == FED_ARCHIVE_AT_KEYS;
}

/* Everything that the clinic keeps is put before app n. */
static void
offer_all(size_t n)
{
    uint64_t parts = 0;
    uint64_t seq = 0;

    CHECK_OK(fed_app_archive_want(w.apps[n].app));
    for (size_t i = 0; i < w.shelf.len; i++) {
        const struct shelf_rec *r = &w.shelf.recs[i];

        parts +=
            r->space == FED_NS_ARCHIVE && r->value.len > 16 && r->key.p[32] == 0
                ? 1
                : 0;
    }
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < w.shelf.len; i++) {
            const struct shelf_rec *r = &w.shelf.recs[i];
            struct fed_show show = {.kind = FED_SHOW_ARCHIVE, .value = parts};

            if (r->space != FED_NS_ARCHIVE || r->value.len <= 16) {
                continue;
            }
            if (r->key.p[32] != 0 && !is_keys(r)) {
                continue;
            }
            if (is_keys(r)) {
                show.code = FED_ARCHIVE_KEYS;
            } else {
                show.seq = ++seq;
            }
            CHECK_OK(bytes_copy(mem_heap(), view_of(&r->value), &show.body));
            CHECK_OK(fed_app_show(w.apps[n].app, &show));
            bytes_free(&show.body);
        }
        seq = 0;
        CHECK_OK(fed_app_archive_want(w.apps[n].app));
    }
    CHECK(parts > 0);
}

TEST(a_removed_device_reads_nothing_more)
{
    struct bytes words = {0};
    struct bytes qr = {0};
    struct device_id gone;
    uint64_t before;
    unsigned bad = 0;

    world_begin(&w, 31);
    world_join(&w, 0);
    CHECK_OK(fed_app_code(w.apps[0].app, &words, &qr));
    world_app_says(&w, 0, "before");
    world_run(&w);
    world_add(&w, 0, 1);
    world_add(&w, 0, 2);
    before = number_of(0);
    CHECK(has_key(0, before) && has_key(1, before) && has_key(2, before));
    CHECK_STR(world_texts(&w, 1, text), "before|");
    CHECK_STR(world_texts(&w, 2, text), "before|");
    w.apps[1].cut = true; /* from here on it has what it has */
    world_break(&w, 1);
    gone = world_device(&w, 1);
    CHECK_OK(fed_app_remove_device(w.apps[0].app, view_of(&qr), &gone, &bad));
    world_turn(&w, 0);
    world_run(&w);
    CHECK(number_of(0) > before && number_of(2) == number_of(0));
    CHECK(has_key(2, number_of(0))); /* by the clinic, which cannot read it */
    world_app_says(&w, 0, "afterwards");
    world_app_says(&w, 2, "me too");
    world_run(&w);
    offer_all(1);
    CHECK(!has_key(1, number_of(0)));
    CHECK_STR(world_texts(&w, 1, text), "before|");
    /* who comes later reads what was said under both keys */
    world_add(&w, 2, 3);
    CHECK(has_key(3, before) && has_key(3, number_of(0)));
    CHECK_STR(world_texts(&w, 3, text), "before|afterwards|me too|");
    bytes_free(&words);
    bytes_free(&qr);
    world_end(&w);
}

/* After more than one list, by the code alone; and a device after that. */
TEST(a_new_phone_has_all_keys)
{
    struct proto_link l;
    struct bytes words = {0};
    struct bytes qr = {0};
    struct device_id gone;
    uint64_t first;
    unsigned bad = 0;
    uint8_t all[32];

    world_begin(&w, 32);
    world_join(&w, 0);
    CHECK_OK(fed_app_code(w.apps[0].app, &words, &qr));
    first = number_of(0);
    world_app_says(&w, 0, "one");
    world_run(&w);
    world_add(&w, 0, 1);
    gone = world_device(&w, 1);
    w.apps[1].cut = true;
    world_break(&w, 1);
    CHECK_OK(fed_app_remove_device(w.apps[0].app, view_of(&qr), &gone, &bad));
    world_turn(&w, 0);
    world_run(&w);
    world_app_says(&w, 0, "two");
    world_run(&w);
    CHECK_OK(world_app_open(&w, 2, mem_heap()));
    CHECK_OK(fed_app_recover(w.apps[2].app, view_of(&qr), &bad));
    world_turn(&w, 2);
    CHECK_OK(fed_app_secret(w.apps[2].app, "archive_all", all, sizeof(all)));
    l = world_link(&w);
    CHECK_OK(
        fed_app_join(w.apps[2].app, &l, VIEW_LIT("Ann"), (struct view){0}));
    world_turn(&w, 2);
    world_run(&w);
    CHECK_STR(world_texts(&w, 2, text), "one|two|");
    CHECK(has_key(2, first) && has_key(2, number_of(2)));
    CHECK_ERR(fed_app_secret(w.apps[2].app, "archive_all", all, sizeof(all)),
              ERR_MISSING); /* it makes the keys of lists to come, too */
    world_app_says(&w, 2, "three");
    world_run(&w);
    world_add(&w, 2, 3);
    CHECK(has_key(3, first));
    CHECK_STR(world_texts(&w, 3, text), "one|two|three|");
    bytes_free(&words);
    bytes_free(&qr);
    world_end(&w);
}

/* [home-restored] The home has lost parts and keys: it gets all of it again. */
TEST(the_home_came_from_a_backup)
{
    struct fed_show show = {.kind = FED_SHOW_ROLLBACK, .code = 1};
    struct fed_app_me me;

    world_begin(&w, 34);
    world_join(&w, 0);
    world_app_says(&w, 0, "one");
    world_run(&w);
    world_add(&w, 0, 1);
    for (size_t i = w.shelf.len; i > 0; i--) {
        const struct shelf_rec *r = &w.shelf.recs[i - 1];

        if (r->space == FED_NS_ARCHIVE) {
            CHECK_OK(shelf_change(&w.shelf, FED_NS_ARCHIVE, true,
                                  view_of(&r->key), (struct view){0}));
        }
    }
    CHECK_OK(shelf_commit(&w.shelf, NULL, 0));
    fed_app_me(w.apps[0].app, &me);
    show.peer = me.home;
    for (size_t n = 0; n < 2; n++) {
        CHECK_OK(fed_app_show(w.apps[n].app, &show));
        world_turn(&w, n);
    }
    world_run(&w);
    world_app_says(&w, 1, "two");
    world_run(&w);
    world_add(&w, 1, 2);
    CHECK(has_key(2, number_of(0)));
    CHECK_STR(world_texts(&w, 2, text), "one|two|");
    world_end(&w);
}

/* What the clinic keeps of the keys. */
static void
kept_keys(struct bytes *out)
{
    for (size_t i = 0; i < w.shelf.len; i++) {
        const struct shelf_rec *r = &w.shelf.recs[i];

        if (is_keys(r)) {
            CHECK_OK(bytes_copy(mem_heap(), view_of(&r->value), out));
        }
    }
}

/* [archive-keys-signed] [archive-keys-newer] */
TEST(the_clinic_makes_no_key)
{
    struct proto_device_msg msg = {.type = PROTO_DEVICE_ARCHIVE_KEYS};
    struct proto_device_archive_keys *k = &msg.u.archive_keys;
    struct bytes good = {0};
    struct bytes bent = {0};
    struct fed_show show = {.kind = FED_SHOW_ARCHIVE, .code = FED_ARCHIVE_KEYS};
    uint64_t now;

    world_begin(&w, 33);
    world_join(&w, 0);
    now = number_of(0);
    kept_keys(&good);
    CHECK_OK(proto_device_decode(view_of(&good), &msg));
    CHECK_EQ(k->generation, now);
    for (size_t i = 0; i < k->keys.len; i++) {
        struct bytes body = {0};

        CHECK_OK(bytes_copy(mem_heap(), k->keys, &bent));
        bent.p[i] ^= 1;
        k->keys = view_of(&bent);
        k->generation = now + 1;
        CHECK_OK(proto_device_encode(mem_heap(), &msg, &body));
        show.body = body;
        CHECK_OK(fed_app_show(w.apps[0].app, &show));
        CHECK(!has_key(0, now + 1));
        bytes_free(&body);
        CHECK_OK(proto_device_decode(view_of(&good), &msg));
        bytes_free(&bent);
    }
    /* an older one does not take its place */
    k->generation = now - 1;
    CHECK_OK(fed_core_archive_keys(w.apps[0].app->core, &w.clinic, k));
    world_turn(&w, 0);
    world_run(&w);
    for (size_t i = 0; i < w.shelf.len; i++) {
        const struct shelf_rec *r = &w.shelf.recs[i];

        if (is_keys(r)) {
            CHECK_VIEW(view_of(&r->value), view_of(&good));
        }
    }
    bytes_free(&good);
    world_end(&w);
}

/* [archive-keys-of-list] Keys that were signed for another list are not given
   in the name of the newest: they would take the place of good ones. */
TEST(keys_of_another_list_stay_here)
{
    struct fed_app_key at = fed_app_key(VIEW_LIT("keys"), (struct view){0});
    struct proto_device_msg msg;
    struct bytes good = {0};
    struct bytes now = {0};
    struct view keys;

    world_begin(&w, 35);
    world_join(&w, 0);
    kept_keys(&good);
    CHECK_OK(proto_device_decode(view_of(&good), &msg));
    keys = msg.u.archive_keys.keys;
    CHECK(keys.len > 0);
    CHECK_OK(
        fed_app_number_put(&w.apps[0].app->kv, "keys_of", number_of(0) - 1));
    CHECK_OK(fed_app_put(&w.apps[0].app->kv, FED_APP_ME, &at,
                         VIEW_LIT("those of before")));
    CHECK_OK(fed_app_ring_due(w.apps[0].app));
    world_turn(&w, 0);
    world_run(&w);
    kept_keys(&now);
    CHECK_OK(proto_device_decode(view_of(&now), &msg));
    CHECK_VIEW(msg.u.archive_keys.keys, keys);
    CHECK_EQ(msg.u.archive_keys.generation, number_of(0));
    CHECK(!view_equal(view_of(&now), view_of(&good))); /* its ring is */
    bytes_free(&good);
    bytes_free(&now);
    world_end(&w);
}

TEST(memory_runs_out)
{
    struct ident_devices list;
    struct prim_sign_key patient;
    struct fail_mem f;
    uint64_t n = 0;
    enum err e;

    world_begin(&w, 34);
    world_join(&w, 0);
    CHECK_OK(ident_key_new(&w.rng.rng, &patient));
    list = w.apps[0].app->list;
    list.generation = ident_generation(1234, 0);
    do {
        const struct mem *mem = w.apps[0].app->mem;

        fail_mem_init(&f, ++n);
        w.apps[0].app->mem = &f.mem;
        e = fed_app_ring_sign(w.apps[0].app, &patient, &list);
        w.apps[0].app->mem = mem;
        CHECK_EQ(f.live, 0);
        CHECK(f.hit ? e == ERR_NOMEM : e == OK);
    } while (f.hit);
    CHECK(n > 5 && has_key(0, 1234));
    world_end(&w);
}

int
main(void)
{
    if (prim_init() != OK) {
        return 1;
    }
    return RUN(T(a_removed_device_reads_nothing_more),
               T(a_new_phone_has_all_keys), T(the_home_came_from_a_backup),
               T(the_clinic_makes_no_key), T(keys_of_another_list_stay_here),
               T(memory_runs_out));
}
