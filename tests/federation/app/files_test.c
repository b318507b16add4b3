/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several files move side by side, in turns and with bounded windows; the
 * clinic's end is played here, chunk by chunk.
 */
#include "federation/app/inside.h"
#include "federation/core/chunk.h"
#include "tests/federation/app/world.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;

enum {
    BIG = 24, /* chunks */
    FILES = 6
};

static uint8_t data[BIG * FED_CHUNK_PLAIN];

/* What the clinic has of each file that goes up. */
struct shelved {
    uint8_t blob[32];
    uint64_t chunks;
    uint64_t has;
};

static struct shelved shelved[FILES];
static size_t shelved_len;

static struct shelved *
shelf_of(const uint8_t blob[32])
{
    for (size_t i = 0; i < shelved_len; i++) {
        if (memcmp(shelved[i].blob, blob, 32) == 0) {
            return &shelved[i];
        }
    }
    CHECK(shelved_len < FILES);
    memcpy(shelved[shelved_len].blob, blob, 32);
    shelved[shelved_len].has = 0;
    return &shelved[shelved_len++];
}

static void
tell(struct fed_app *app, const struct fed_app_moving *mv,
     const struct shelved *s)
{
    struct proto_peer_msg msg = {.type = PROTO_PEER_BLOB_STATE};
    struct bytes frame = {0};
    struct clinic_id root = w.clinic;

    memcpy(msg.u.blob_state.thread, mv->thread.b, 32);
    memcpy(msg.u.blob_state.blob, s->blob, 32);
    msg.u.blob_state.next = s->has;
    msg.u.blob_state.code =
        s->has == s->chunks ? PROTO_BLOB_COMPLETE : PROTO_BLOB_MORE;
    CHECK_OK(proto_peer_encode(mem_heap(), &msg, &frame));
    CHECK_OK(fed_app_frame(app, &root, mv->serial, view_of(&frame)));
    bytes_free(&frame);
}

/* The clinic takes one chunk of what moves in slot i, or says where it is. */
static bool
serve(struct fed_app *app, size_t i)
{
    struct fed_app_moving mv = app->moves[i];
    struct fed_app_rec_file f;
    struct bytes hold = {0};
    struct shelved *s;

    if (!mv.active) {
        return false;
    }
    CHECK_OK(fed_app_file_load(app, &mv.thread, mv.blob, &f, &hold));
    s = shelf_of(mv.blob);
    s->chunks = f.chunks.len / 32;
    bytes_free(&hold);
    CHECK(mv.asked <= s->has + 2); /* the window is what may be in memory */
    s->has += mv.asked > s->has ? 1 : 0;
    tell(app, &mv, s);
    return true;
}

static struct thread_id
with_files(uint64_t seed)
{
    struct thread_id t;
    struct message_id id;

    shelved_len = 0;
    world_begin(&w, seed);
    world_join(&w, 0);
    t = world_thread(&w, 0);
    for (size_t n = 0; n < FILES; n++) {
        struct fed_app_file_in file = {
            VIEW_LIT("scan.bin"), VIEW_LIT("image/png"),
            view_make(data, n + 1 == FILES ? 10 : sizeof(data))};

        CHECK_OK(
            fed_app_send(w.apps[0].app, &t, VIEW_LIT("see"), 0, &file, 1, &id));
    }
    world_turn(&w, 0);
    return t;
}

static uint32_t
left(struct fed_app *app)
{
    uint32_t n = 0;

    CHECK_OK(fed_app_files_left(app, &n));
    return n;
}

TEST(a_small_file_is_not_behind_big_ones)
{
    struct fed_app *app;
    size_t rounds = 0;
    size_t small = 0;
    uint64_t most = 0;

    (void)with_files(21);
    app = w.apps[0].app;
    CHECK_OK(fed_app_files_pump(app));
    CHECK_EQ(left(app), FILES);
    while (left(app) > 0 && ++rounds < 1000) {
        size_t active = 0;

        for (size_t i = 0; i < FED_APP_MOVES; i++) {
            active += serve(app, i) ? 1 : 0;
        }
        CHECK(active > 0);
        world_turn(&w, 0);
        for (size_t i = 0; small == 0 && i < shelved_len; i++) {
            most = shelved[i].has > most ? shelved[i].has : most;
            if (shelved[i].chunks == 1 && shelved[i].has == 1) {
                small = rounds;
            }
        }
    }
    CHECK_EQ(left(app), 0);
    CHECK(small > 0 && most < BIG);
    /* side by side: four slots for five big ones, and little is lost */
    CHECK(rounds < (size_t)BIG * 5 / FED_APP_MOVES + 40);
    world_end(&w);
}

/* Killed in between, each goes on from where the clinic has it. */
TEST(each_goes_on_where_it_was)
{
    struct fed_app *app;
    uint64_t had = 0;

    (void)with_files(22);
    app = w.apps[0].app;
    CHECK_OK(fed_app_files_pump(app));
    for (int round = 0; round < 6; round++) {
        for (size_t i = 0; i < FED_APP_MOVES; i++) {
            (void)serve(app, i);
        }
        world_turn(&w, 0);
    }
    for (size_t i = 0; i < shelved_len; i++) {
        had += shelved[i].has;
    }
    CHECK(had > 4);
    fed_app_files_down(app, app->moves[0].serial);
    for (size_t i = 0; i < FED_APP_MOVES; i++) {
        CHECK(!app->moves[i].active);
    }
    CHECK_OK(fed_app_files_pump(app));
    for (int round = 0; left(app) > 0 && round < 1000; round++) {
        for (size_t i = 0; i < FED_APP_MOVES; i++) {
            (void)serve(app, i);
        }
        world_turn(&w, 0);
    }
    CHECK_EQ(left(app), 0);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(a_small_file_is_not_behind_big_ones),
               T(each_goes_on_where_it_was));
}
