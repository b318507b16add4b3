/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures of clinics: each connected clinic and each device of a patient gets
 * them, byte for byte, whatever is lost on the way; and nobody else, nor
 * anything else than what a signed profile names.
 */
#include "federation/core/picture.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"
#include "tests/support/picture.h"

#include <string.h>

static struct world w;
static uint8_t first[SAMPLE_PNG];
static uint8_t second[SAMPLE_PNG];

static void
make(void)
{
    sample_png(first, 240, 240, 1);
    sample_png(second, 100, 200, 2);
}

/* What node i has of clinic of. */
static struct view
has(size_t i, size_t of)
{
    struct clinic_id root = node_root(&w, of);
    const struct row *r =
        rows_find(&w.nodes[i].rows, WORLD_PICTURE, clinic_id_view(&root));

    return r == NULL ? (struct view){0} : view_of(&r->value);
}

static void
settle(size_t i)
{
    sim_take(&w, i);
    sim_commit_due(&w, i, true);
}

/* Node i asks or answers what its core would not. */
static void
put(size_t i, size_t to, const struct proto_peer_msg *msg)
{
    CHECK_OK(fed_stream_put(w.nodes[i].core, world_party(&w, i, to), msg));
    settle(i);
}

TEST(comes_with_the_connection_and_follows_the_profile)
{
    world_init(&w, 1, 3);
    node_picture(&w, 0, VIEW_ARRAY(first));
    world_befriend(&w, 0, 1);
    world_befriend(&w, 2, 0);
    world_heal(&w);
    for (size_t i = 1; i < 3; i++) {
        CHECK_VIEW(has(i, 0), VIEW_ARRAY(first));
        CHECK_EQ(has(0, i).len, 0);
    }
    node_picture(&w, 0, VIEW_ARRAY(second));
    node_picture(&w, 1, VIEW_ARRAY(first));
    world_heal(&w);
    CHECK_VIEW(has(1, 0), VIEW_ARRAY(second));
    CHECK_VIEW(has(2, 0), VIEW_ARRAY(second));
    CHECK_VIEW(has(0, 1), VIEW_ARRAY(first));
    CHECK_EQ(has(2, 1).len, 0); /* not connected to it */
    node_picture(&w, 0, (struct view){0});
    world_heal(&w);
    CHECK(!world_party(&w, 1, 0)->rec.pictured);
    CHECK_EQ(world_party(&w, 1, 0)->rec.picture_len, 0);
    CHECK_EQ(w.nodes[0].bad + w.nodes[1].bad + w.nodes[2].bad, 0);
    world_end(&w);
}

/* One, another and the first again while they cannot talk: one question. */
TEST(changed_while_away)
{
    world_init(&w, 2, 2);
    world_befriend(&w, 0, 1);
    node_picture(&w, 0, VIEW_ARRAY(first));
    world_heal(&w);
    world_cut(&w, 0, 1, true);
    world_run(&w, 2000);
    node_picture(&w, 0, VIEW_ARRAY(second));
    world_run(&w, 1000);
    node_picture(&w, 0, VIEW_ARRAY(first));
    world_run(&w, 1000);
    node_picture(&w, 0, VIEW_ARRAY(second));
    world_cut(&w, 0, 1, false);
    world_heal(&w);
    CHECK_VIEW(has(1, 0), VIEW_ARRAY(second));
    world_end(&w);
}

/* Connections break, nodes die, allocations fail: it comes all the same. */
TEST(whatever_is_lost)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        world_init(&w, seed, 3);
        world_befriend(&w, 0, 1);
        world_befriend(&w, 0, 2);
        w.break_ppm = 3000;
        w.hunger = seed % 3 == 0 ? 400 : 0;
        for (int turn = 0; turn < 6; turn++) {
            size_t who = world_below(&w, 3);

            node_picture(
                &w, 0, turn % 2 == 0 ? VIEW_ARRAY(first) : VIEW_ARRAY(second));
            world_run(&w, world_below(&w, 1500));
            node_crash(&w, who);
            world_run(&w, world_below(&w, 500));
            node_start(&w, who);
            world_run(&w, world_below(&w, 1500));
        }
        w.break_ppm = 0;
        w.hunger = 0;
        world_heal(&w);
        /* asked too often meanwhile: the hour passes */
        world_run(&w, 2 * LIMIT_HOUR_MS);
        world_heal(&w);
        CHECK_VIEW(has(1, 0), VIEW_ARRAY(second));
        CHECK_VIEW(has(2, 0), VIEW_ARRAY(second));
        world_end(&w);
    }
}

/* What a lying node answers instead of its picture. */
static struct proto_picture_msg lie;
static size_t lies;

static bool
lies_about_it(struct world *world, size_t from, size_t to, struct view item,
              struct bytes *instead)
{
    struct proto_peer_msg msg = {.type = PROTO_PEER_PICTURE};

    (void)world;
    (void)to;
    if (from != 0 || proto_peer_peek(item) != PROTO_PEER_PICTURE) {
        return false;
    }
    CHECK_OK(proto_peer_decode(item, &msg));
    msg.u.picture.code = lie.code;
    msg.u.picture.bytes = lie.bytes;
    CHECK_OK(proto_peer_encode(mem_heap(), &msg, instead));
    lies++;
    return true;
}

/* [picture-hash] [picture-length] refused, and asked again at most once on a
   connection; the true one comes later. */
TEST(not_what_the_profile_names)
{
    const struct view bad[] = {VIEW_ARRAY(second),
                               view_make(first, sizeof(first) - 1),
                               (struct view){0}};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        world_init(&w, 3 + i, 2);
        world_befriend(&w, 0, 1);
        world_heal(&w);
        lie = (struct proto_picture_msg){.bytes = bad[i]};
        lies = 0;
        w.lie = lies_about_it;
        node_picture(&w, 0, VIEW_ARRAY(first));
        world_run(&w, 5000);
        CHECK_EQ(lies, 1);
        CHECK_EQ(w.nodes[1].bad, 1);
        CHECK_EQ(has(1, 0).len, 0);
        world_run(&w, 60000);
        CHECK_EQ(lies, 1);
        w.lie = NULL;
        world_break(&w, 0, 1);
        world_heal(&w);
        CHECK_VIEW(has(1, 0), VIEW_ARRAY(first));
        world_end(&w);
    }
}

/* [picture-kind] The hash is right, but nobody would call it a picture. */
TEST(not_a_picture)
{
    static const char text[] = "<svg onload='alert(1)'/>";

    world_init(&w, 7, 2);
    world_befriend(&w, 0, 1);
    node_picture(&w, 0, VIEW_ARRAY(text));
    world_run(&w, 5000);
    CHECK_EQ(w.nodes[1].bad, 1);
    CHECK_EQ(has(1, 0).len, 0);
    world_end(&w);
}

static size_t given[PROTO_PICTURE_CODE_COUNT];

static bool
counts(struct world *world, size_t from, size_t to, struct view item,
       struct bytes *instead)
{
    struct proto_peer_msg msg;

    (void)world;
    (void)to;
    (void)instead;
    if (from == 0 && proto_peer_peek(item) == PROTO_PEER_PICTURE) {
        CHECK_OK(proto_peer_decode(item, &msg));
        given[msg.u.picture.code]++;
    }
    return false;
}

/* Who asks too often hears "later", and asks again by itself; what nobody asked
   for is not looked at. */
TEST(asked_too_often)
{
    struct proto_peer_msg get = {.type = PROTO_PEER_PICTURE_GET};
    struct proto_peer_msg told = {.type = PROTO_PEER_PICTURE};
    struct fed_party *p;

    world_init(&w, 8, 2);
    world_befriend(&w, 0, 1);
    node_picture(&w, 0, VIEW_ARRAY(first));
    world_heal(&w);
    memset(given, 0, sizeof(given));
    w.lie = counts;
    memcpy(get.u.picture_get.hash, w.nodes[0].core->picture_hash, 32);
    for (int i = 0; i < 10; i++) {
        put(1, 0, &get);
    }
    world_heal(&w);
    CHECK_EQ(given[PROTO_PICTURE_OK], LIMIT_PICTURES_HOUR - 1);
    CHECK_EQ(given[PROTO_PICTURE_LATER], 11 - LIMIT_PICTURES_HOUR);
    get.u.picture_get.hash[0] ^= 1;
    put(1, 0, &get);
    world_heal(&w);
    CHECK_EQ(given[PROTO_PICTURE_GONE], 1);
    node_picture(&w, 0, VIEW_ARRAY(second));
    world_run(&w, 5000);
    CHECK_VIEW(has(1, 0), VIEW_ARRAY(first));
    memcpy(told.u.picture.hash, w.nodes[0].core->picture_hash, 32);
    told.u.picture.bytes = VIEW_ARRAY(first);
    put(0, 1, &told); /* wrong, but nobody asked */
    world_run(&w, 5000);
    CHECK_EQ(w.nodes[1].bad, 0);
    p = world_party(&w, 1, 0);
    CHECK(p->picture_ms > 0 && !p->picture_asked);
    world_run(&w, LIMIT_HOUR_MS + 60000);
    world_heal(&w);
    CHECK_VIEW(has(1, 0), VIEW_ARRAY(second));
    w.lie = NULL;
    world_end(&w);
}

/* [picture-from-whom] [picture-to-whom] */
TEST(between_whom)
{
    struct proto_picture_get get = {{0}};
    struct proto_picture_msg told = {.code = PROTO_PICTURE_OK};
    struct fed_party *p;
    struct thread_id alone;
    size_t d;

    world_init(&w, 9, 2);
    node_picture(&w, 0, VIEW_ARRAY(first));
    node_picture(&w, 1, VIEW_ARRAY(second));
    world_befriend(&w, 0, 1);
    d = world_device(&w, 0);
    world_enrol(&w, d, 0);
    alone = world_private(&w, d); /* with 1, which 0 only carries */
    CHECK_OK(world_say(&w, d, &alone));
    world_heal(&w);
    CHECK_VIEW(has(d, 0), VIEW_ARRAY(first));
    CHECK_EQ(has(d, 1).len, 0);
    /* a device gives none, and has no right to send one */
    p = world_party(&w, 0, d);
    CHECK_ERR(fed_picture_recv(w.nodes[0].core, p, &told), ERR_DENIED);
    p = world_party(&w, d, 0);
    CHECK_ERR(fed_picture_give(w.nodes[d].core, p, &get), ERR_DENIED);
    /* nothing of it passes a relay */
    p = world_party(&w, d, 1);
    CHECK(p->via != NULL);
    CHECK_ERR(fed_picture_recv(w.nodes[d].core, p, &told), ERR_DENIED);
    p = world_party(&w, 1, d);
    CHECK(p->via != NULL);
    CHECK_ERR(fed_picture_give(w.nodes[1].core, p, &get), ERR_DENIED);
    node_picture(&w, 0, VIEW_ARRAY(second));
    world_heal(&w);
    CHECK_VIEW(has(d, 0), VIEW_ARRAY(second));
    world_end(&w);
}

/* A contact that ended has no picture; who connects again gets it again. */
TEST(disconnected_and_restored)
{
    struct clinic_id zero;
    struct rows before = {0};

    world_init(&w, 10, 2);
    world_befriend(&w, 0, 1);
    world_heal(&w);
    node_snapshot(&w, 1, &before);
    node_picture(&w, 0, VIEW_ARRAY(first));
    world_heal(&w);
    CHECK_VIEW(has(1, 0), VIEW_ARRAY(first));
    node_crash(&w, 1);
    node_restore(&w, 1, &before);
    rows_free(&before);
    CHECK_EQ(has(1, 0).len, 0);
    world_heal(&w);
    CHECK_VIEW(has(1, 0), VIEW_ARRAY(first));
    zero = node_root(&w, 0);
    CHECK_OK(fed_core_disconnect(w.nodes[1].core, &zero));
    settle(1);
    CHECK(!world_party(&w, 1, 0)->rec.pictured);
    world_heal(&w);
    rows_del(&w.nodes[1].rows, WORLD_PICTURE, clinic_id_view(&zero));
    world_befriend(&w, 1, 0);
    world_heal(&w);
    CHECK_VIEW(has(1, 0), VIEW_ARRAY(first));
    world_end(&w);
}

static enum err
asks(struct fed_core *core, struct fed_party *p)
{
    p->rec.pictured = false;
    p->picture_asked = false;
    return fed_picture_ask(core, p);
}

static enum err
gives(struct fed_core *core, struct fed_party *p)
{
    struct proto_picture_get in;

    memcpy(in.hash, core->picture_hash, sizeof(in.hash));
    return fed_picture_give(core, p, &in);
}

static enum err
takes(struct fed_core *core, struct fed_party *p)
{
    struct proto_picture_msg in = {.bytes = VIEW_ARRAY(first)};

    memcpy(in.hash, p->rec.picture, sizeof(in.hash));
    p->rec.pictured = false;
    p->picture_asked = true;
    return fed_picture_recv(core, p, &in);
}

/* Each allocation of a step of node i with the other fails once: the batch is
   dropped, and the picture is there all the same. */
static void
each_fails(uint64_t seed, size_t i,
           enum err (*step)(struct fed_core *core, struct fed_party *p))
{
    enum err e = ERR_NOMEM;
    uint64_t n;

    world_init(&w, seed, 2);
    node_picture(&w, 0, VIEW_ARRAY(first));
    world_befriend(&w, 0, 1);
    world_heal(&w);
    for (n = 1; e != OK; n++) {
        settle(i);
        w.nodes[i].fail_in = n;
        e = step(w.nodes[i].core, world_party(&w, i, 1 - i));
        w.nodes[i].fail_in = 0;
        CHECK(e == OK || e == ERR_NOMEM);
        w.hunger = e == OK ? 0 : UINT64_MAX; /* so that it starts afresh */
        node_stepped(&w, i, e);
        w.hunger = 0;
        world_heal(&w);
        CHECK_VIEW(has(1, 0), VIEW_ARRAY(first));
        CHECK_EQ(w.nodes[0].bad + w.nodes[1].bad, 0);
    }
    CHECK(n > 2); /* something was allocated */
    world_end(&w);
}

TEST(no_memory_for_a_picture)
{
    each_fails(20, 1, asks);
    each_fails(21, 0, gives);
    each_fails(22, 1, takes);
}

int
main(void)
{
    make();
    return RUN(T(comes_with_the_connection_and_follows_the_profile),
               T(changed_while_away), T(whatever_is_lost),
               T(not_what_the_profile_names), T(not_a_picture),
               T(asked_too_often), T(between_whom),
               T(disconnected_and_restored), T(no_memory_for_a_picture));
}
