/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device that was added by one without the newest key of the archive gets
 * that key from any other of the patient's devices; the clinic in between can
 * neither read it nor give one of its own, and who was removed or suspended
 * neither gets nor gives one.
 */
#include "tests/federation/app/world.h"

#include "crypto/prim/init.h"
#include "federation/app/inside.h"
#include "federation/core/archive.h"
#include "federation/core/care.h"
#include "proto/msg/device.h"
#include "tests/support/fail_mem.h"

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
    bool has;

    CHECK_OK(fed_app_ring_has(w.apps[n].app, number, &has));
    return has;
}

/* A list is signed by app 0 that app 1 has without its key; 2 was removed. */
static void
begin(uint64_t seed)
{
    struct bytes words = {0};
    struct bytes qr = {0};
    struct device_id gone;
    unsigned bad = 0;

    world_begin(&w, seed);
    world_join(&w, 0);
    CHECK_OK(fed_app_code(w.apps[0].app, &words, &qr));
    world_app_says(&w, 0, "before");
    world_run(&w);
    world_add(&w, 0, 1);
    world_add(&w, 0, 2);
    for (size_t n = 1; n < 3; n++) {
        w.apps[n].cut = true;
        world_break(&w, n);
    }
    gone = world_device(&w, 2);
    CHECK_OK(fed_app_remove_device(w.apps[0].app, view_of(&qr), &gone, &bad));
    world_turn(&w, 0);
    world_run(&w);
    world_app_says(&w, 0, "afterwards");
    world_run(&w);
    CHECK_OK(fed_app_list_came(w.apps[1].app, w.apps[0].app->me.list));
    world_turn(&w, 1);
    CHECK(number_of(1) == number_of(0) && !has_key(1, number_of(0)));
    bytes_free(&words);
    bytes_free(&qr);
}

/* Granted by app 1, which has only its list. */
static void
granted(size_t n)
{
    struct bytes request = {0};
    struct bytes grant = {0};

    CHECK_OK(world_app_open(&w, n, mem_heap()));
    CHECK_OK(fed_app_be_added(w.apps[n].app, &request));
    world_turn(&w, n);
    CHECK_OK(
        fed_app_add_device(w.apps[1].app, view_of(&request), true, &grant));
    world_turn(&w, 1);
    CHECK_OK(fed_app_granted(w.apps[n].app, view_of(&grant)));
    world_turn(&w, n);
    CHECK(!has_key(n, number_of(n)));
    bytes_free(&request);
    bytes_free(&grant);
}

TEST(another_device_gives_it)
{
    begin(51);
    granted(3);
    w.apps[0].cut = true;
    world_break(&w, 0);
    world_run(&w);
    CHECK_STR(world_texts(&w, 3, text), "");
    w.apps[0].cut = false; /* the question waited for it */
    world_run(&w);
    CHECK(has_key(3, number_of(0)));
    CHECK_STR(world_texts(&w, 3, text), "before|afterwards|");
    world_app_says(&w, 3, "and more");
    world_run(&w);
    CHECK_STR(world_texts(&w, 0, text), "before|afterwards|and more|");
    world_end(&w);
}

/* A question or an answer as the clinic would hand it on. */
static void
shown(size_t n, const struct proto_device_archive_key *key)
{
    struct proto_device_msg msg = {.type = PROTO_DEVICE_ARCHIVE_KEY};
    struct fed_show show = {
        .kind = FED_SHOW_ARCHIVE, .code = FED_ARCHIVE_KEY, .peer = w.clinic};

    msg.u.archive_key = *key;
    CHECK_OK(proto_device_encode(mem_heap(), &msg, &show.body));
    CHECK_OK(fed_app_show(w.apps[n].app, &show));
    bytes_free(&show.body);
}

/* What app n answers to that question; empty: nothing. */
static void
answer_of(size_t n, const struct proto_device_archive_key *question,
          struct bytes *out)
{
    const struct fed_batch *b = NULL;

    shown(n, question);
    CHECK_OK(fed_core_take(w.apps[n].app->core, &b));
    for (size_t i = 0; b != NULL && i < b->acts_len; i++) {
        struct proto_peer_msg frame;
        struct proto_device_msg msg;

        if (b->acts[i].kind == FED_ACT_SEND &&
            proto_peer_decode(view_of(&b->acts[i].body), &frame) == OK &&
            frame.type == PROTO_PEER_DATA &&
            proto_device_decode(frame.u.data.body, &msg) == OK &&
            msg.type == PROTO_DEVICE_ARCHIVE_KEY) {
            CHECK_OK(bytes_copy(mem_heap(), msg.u.archive_key.sealed, out));
        }
    }
    if (b != NULL) {
        fed_core_done(w.apps[n].app->core, b);
    }
}

/* [archive-key-signed] Not one bit of an answer can be another; one of a
   removed device, or for another key, is none. */
TEST(the_clinic_gives_none)
{
    struct proto_device_archive_key k = {.generation = 0};
    struct bytes good = {0};

    begin(52);
    granted(3);
    memcpy(k.device, world_device(&w, 3).b, sizeof(k.device));
    k.generation = number_of(0);
    CHECK_OK(fed_app_list_came(w.apps[0].app, w.apps[3].app->me.list));
    answer_of(0, &k, &good);
    CHECK(good.len > 0);
    k.sealed = view_of(&good);
    for (size_t i = 0; i < good.len; i++) {
        good.p[i] ^= 1;
        shown(3, &k);
        CHECK(!has_key(3, k.generation));
        good.p[i] ^= 1;
    }
    k.generation--;
    shown(3, &k);
    k.generation++;
    shown(1, &k); /* not its own */
    CHECK(!has_key(3, k.generation) && !has_key(1, k.generation));
    shown(3, &k);
    CHECK(has_key(3, k.generation));
    bytes_free(&good);
    world_end(&w);
}

/* [archive-key-listed] Who is not in the list gets nothing, also of a list that
   the others do not have yet; nor does this device itself. */
TEST(who_is_not_listed_gets_none)
{
    struct proto_device_archive_key k = {.generation = 0};
    struct bytes out = {0};

    begin(53);
    memcpy(k.device, world_device(&w, 2).b, sizeof(k.device));
    k.generation = number_of(2);
    CHECK(number_of(2) < number_of(0) && has_key(0, k.generation));
    answer_of(0, &k, &out);
    k.generation = number_of(0);
    answer_of(0, &k, &out);
    memcpy(k.device, world_device(&w, 0).b, sizeof(k.device));
    answer_of(0, &k, &out);
    memcpy(k.device, world_device(&w, 1).b, sizeof(k.device));
    k.generation++;
    answer_of(0, &k, &out);
    CHECK_EQ(out.len, 0);
    k.generation--;
    answer_of(0, &k, &out);
    CHECK(out.len > 0);
    bytes_free(&out);
    world_end(&w);
}

/* [archive-key-listed] Suspended by the desk: not asked, and not answered. */
TEST(who_is_suspended)
{
    struct patient_id patient;
    struct device_id device;
    uint8_t key[32] = {5};

    begin(55);
    w.apps[1].cut = false;
    world_run(&w);
    CHECK(has_key(1, number_of(0)));
    device = world_device(&w, 1);
    memcpy(patient.b, w.apps[0].app->me.patient, sizeof(patient.b));
    CHECK_OK(fed_core_suspend(w.core, &patient, &device, true));
    world_clinic_turn(&w);
    w.apps[0].cut = true;
    world_break(&w, 0);
    CHECK_OK(fed_app_secret_del(w.apps[1].app, "ring")); /* not for others */
    granted(3);
    CHECK_OK(fed_app_ring_put(w.apps[1].app, number_of(0), key));
    world_run(&w);
    CHECK(!has_key(3, number_of(3)));
    w.apps[0].cut = false;
    world_run(&w);
    CHECK(has_key(3, number_of(3)));
    CHECK_STR(world_texts(&w, 3, text), "before|afterwards|");
    world_end(&w);
}

/* A part under a key that this device never had. */
TEST(an_older_key_is_asked_for)
{
    uint8_t key[32] = {9};
    bool lacks;

    world_begin(&w, 56);
    world_join(&w, 0);
    world_add(&w, 0, 1);
    CHECK_OK(fed_app_ring_put(w.apps[0].app, 5, key));
    CHECK_OK(fed_app_lack_note(w.apps[1].app, 5));
    CHECK_OK(fed_app_lack_note(w.apps[1].app, number_of(1) + 1)); /* none */
    world_break(&w, 1);
    world_run(&w);
    CHECK(has_key(1, 5));
    world_break(&w, 1);
    world_run(&w);
    CHECK_OK(fed_app_lacks(w.apps[1].app, &lacks));
    CHECK(!lacks);
    world_end(&w);
}

TEST(memory_runs_out)
{
    struct proto_device_archive_key k = {.generation = 0};
    struct proto_device_msg msg = {.type = PROTO_DEVICE_ARCHIVE_KEY};
    struct fed_show show = {.kind = FED_SHOW_ARCHIVE, .code = FED_ARCHIVE_KEY};
    struct bytes good = {0};
    struct fail_mem f;
    uint64_t n = 0;
    enum err e;

    begin(57);
    granted(3);
    memcpy(k.device, world_device(&w, 3).b, sizeof(k.device));
    k.generation = number_of(0);
    CHECK_OK(fed_app_list_came(w.apps[0].app, w.apps[3].app->me.list));
    answer_of(0, &k, &good);
    k.sealed = view_of(&good);
    msg.u.archive_key = k;
    show.peer = w.clinic;
    CHECK_OK(proto_device_encode(mem_heap(), &msg, &show.body));
    do {
        const struct mem *mem = w.apps[3].app->mem;

        fail_mem_init(&f, ++n);
        w.apps[3].app->mem = &f.mem;
        e = fed_app_show_lack(w.apps[3].app, &show);
        w.apps[3].app->mem = mem;
        CHECK_EQ(f.live, 0);
        CHECK(f.hit ? e == ERR_NOMEM && !has_key(3, k.generation) : e == OK);
    } while (f.hit);
    CHECK(n > 3 && has_key(3, k.generation));
    bytes_free(&show.body);
    bytes_free(&good);
    world_end(&w);
}

int
main(void)
{
    if (prim_init() != OK) {
        return 1;
    }
    return RUN(T(another_device_gives_it), T(the_clinic_gives_none),
               T(who_is_not_listed_gets_none), T(who_is_suspended),
               T(an_older_key_is_asked_for), T(memory_runs_out));
}
