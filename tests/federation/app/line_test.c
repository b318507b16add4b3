/* SPDX-License-Identifier: Apache-2.0 */
/* Who came and went, on a phone: kept, read in order, and in the archive. */
#include "tests/federation/app/world.h"

#include "federation/app/inside.h"
#include "federation/core/rec.h"
#include "tests/support/fail_mem.h"

static struct world w;

enum {
    ROOM = 8
};

static enum err
show(struct fed_app *app, const struct thread_id *t,
     enum fed_member_change code, uint64_t entry, uint8_t who)
{
    struct fed_show s = {.kind = FED_SHOW_MEMBER,
                         .code = code,
                         .thread = *t,
                         .term = 1,
                         .seq = fed_place(entry, 0),
                         .ts_ms = 1000 + entry};

    s.author.b[0] = who;
    s.other.b[0] = 9;
    return fed_app_show(app, &s);
}

TEST(kept_in_order)
{
    struct thread_id t = {{0x77}};
    struct thread_id other = {{0x78}};
    struct fed_line l[ROOM];
    struct fed_app *app;
    size_t n;

    world_begin(&w, 11);
    world_join(&w, 0);
    app = w.apps[0].app;
    CHECK_OK(show(app, &t, FED_MEMBER_OUT, 301, 2));
    CHECK_OK(show(app, &t, FED_MEMBER_CAME, 20, 2));
    CHECK_OK(show(app, &t, FED_MEMBER_WANTS_OUT, 300, 2));
    CHECK_OK(show(app, &t, FED_MEMBER_OUT, 302, 3));
    CHECK_OK(show(app, &other, FED_MEMBER_CAME, 1, 4));
    world_turn(&w, 0);
    CHECK_OK(fed_app_lines(app, &t, l, ROOM, &n));
    CHECK_EQ(n, 3);
    CHECK(l[0].what == FED_LINE_CAME && l[0].who[0] == 2 && l[0].by[0] == 9);
    CHECK(l[1].what == FED_LINE_LEFT && l[1].who[0] == 2);
    CHECK(l[2].what == FED_LINE_REMOVED && l[2].who[0] == 3);
    CHECK_EQ(l[2].ts_ms, 1302);
    /* the newest of more than there is room for */
    CHECK_OK(fed_app_lines(app, &t, l, 2, &n));
    CHECK(n >= 1 && n <= 2);
    CHECK(l[n - 1].what == FED_LINE_REMOVED && l[n - 1].who[0] == 3);
    world_end(&w);
}

static enum err
import(struct fed_app *app, const struct thread_id *t, uint64_t what,
       uint64_t at)
{
    static const uint8_t device[32] = {5};
    struct fed_app_rec_entry entry = {.kind = FED_APP_KEPT_LINE,
                                      .term = what,
                                      .seq = at,
                                      .at_ms = 7,
                                      .body = VIEW_ARRAY(device)};
    struct fed_app_rec_part part = {.entries = {.items = &entry, .len = 1}};
    struct fed_app_rec_part back;
    struct bytes b = {0};
    enum err e;

    entry.thread[0] = t->b[0];
    entry.id[0] = 2;
    entry.author[0] = 9;
    CHECK_OK(fed_rec_encode(mem_heap(), &fed_app_rec_part_shape, &part, &b));
    CHECK_OK(fed_rec_decode(view_of(&b), &fed_app_rec_part_shape, &back));
    e = fed_app_import(app, &back);
    bytes_free(&b);
    return e;
}

/* What stood in a branch that lost a race goes, and nothing else. */
TEST(what_is_void_goes)
{
    struct thread_id t = {{0x77}};
    struct thread_id other = {{0x78}};
    struct fed_show s = {
        .kind = FED_SHOW_VOID, .thread = t, .term = 1, .value = 2, .seq = 20};
    struct fed_line l[ROOM];
    struct fed_app *app;
    size_t n;

    world_begin(&w, 15);
    world_join(&w, 0);
    app = w.apps[0].app;
    CHECK_OK(show(app, &t, FED_MEMBER_CAME, 20, 2));
    CHECK_OK(show(app, &t, FED_MEMBER_CAME, 21, 2));
    CHECK_OK(show(app, &t, FED_MEMBER_CAME, 21, 3));
    CHECK_OK(show(app, &t, FED_MEMBER_OUT, 4711, 3));
    CHECK_OK(show(app, &other, FED_MEMBER_CAME, 21, 2));
    CHECK_OK(fed_app_show(app, &s));
    CHECK_OK(fed_app_show(app, &s));
    world_turn(&w, 0);
    CHECK_OK(fed_app_lines(app, &t, l, ROOM, &n));
    CHECK_EQ(n, 1);
    CHECK(l[0].at == fed_line_at(1, fed_place(20, 0)));
    CHECK_OK(fed_app_lines(app, &other, l, ROOM, &n));
    CHECK_EQ(n, 1);
    s.term = 2; /* a later term's */
    s.seq = 1;
    CHECK_OK(fed_app_show(app, &s));
    CHECK_OK(fed_app_lines(app, &t, l, ROOM, &n));
    CHECK_EQ(n, 1);
    world_end(&w);
}

/* What is kept out on purpose has its line; what was lost is asked for. */
TEST(kept_out)
{
    struct thread_id t = {{0x77}};
    struct fed_line l[ROOM];
    struct fed_show s = {
        .kind = FED_SHOW_GAP, .thread = t, .term = 1, .ts_ms = 5};
    struct fed_app *app;
    size_t n;

    world_begin(&w, 14);
    world_join(&w, 0);
    app = w.apps[0].app;
    s.author.b[0] = 2;
    for (uint64_t code = FED_GAP_NEVER; code <= FED_GAP_LOST; code++) {
        s.code = code;
        s.seq = 30 + code;
        CHECK_OK(fed_app_show(app, &s));
    }
    world_turn(&w, 0);
    CHECK_OK(fed_app_lines(app, &t, l, ROOM, &n));
    CHECK_EQ(n, 3);
    CHECK(l[0].what == FED_LINE_REVOKED && l[0].who[0] == 2);
    CHECK(l[1].what == FED_LINE_UNBOUND && l[1].ts_ms == 5);
    CHECK(l[2].what == FED_LINE_LOST && l[2].ts_ms == 5);
    CHECK(fed_line_filled(&l[2], fed_line_at(1, fed_place(34, 0))));
    CHECK(fed_line_filled(&l[0], fed_line_at(1, fed_place(32, 3))));
    CHECK(!fed_line_filled(&l[0], fed_line_at(1, fed_place(33, 0))));
    world_end(&w);
}

/* What another phone knew; what is none of it changes nothing. */
TEST(from_the_archive)
{
    struct thread_id t = {{0x77}};
    struct fed_line l[ROOM];
    struct fed_app *app;
    size_t n;

    world_begin(&w, 12);
    world_join(&w, 0);
    app = w.apps[0].app;
    CHECK_OK(import(app, &t, FED_LINE_REMOVED, 500));
    CHECK_OK(import(app, &t, FED_LINE_REMOVED, 500));
    CHECK_OK(import(app, &t, 0, 501));
    CHECK_OK(import(app, &t, FED_LINE_MISSING, 502));
    CHECK_OK(fed_app_lines(app, &t, l, ROOM, &n));
    CHECK_EQ(n, 1);
    CHECK(l[0].what == FED_LINE_REMOVED && l[0].at == 500 && l[0].ts_ms == 7);
    CHECK(l[0].who[0] == 2 && l[0].by[0] == 9 && l[0].device[0] == 5);
    world_end(&w);
}

/* A thread that we came late into goes on from the one that was said first. */
TEST(goes_on_from_another)
{
    struct thread_id t = {{0x77}};
    struct fed_show s = {.kind = FED_SHOW_THREAD,
                         .code = FED_THREAD_ACTIVE,
                         .value = PROTO_GROUP_CONTINUES,
                         .thread = t};
    struct proto_group group = {.term = 3, .flags = PROTO_GROUP_CONTINUES};
    struct fed_app_thread info;
    struct bytes hold = {0};
    struct fed_app *app;

    world_begin(&w, 14);
    world_join(&w, 0);
    app = w.apps[0].app;
    memset(group.prev, 5, sizeof(group.prev)); /* of its log, by now */
    CHECK_OK(proto_group_encode(mem_heap(), &group, &s.body));
    CHECK_OK(fed_app_show(app, &s));
    bytes_free(&s.body);
    CHECK_OK(fed_app_thread(app, &t, &info, &hold));
    CHECK(thread_id_is_zero(&info.after));
    s.kind = FED_SHOW_CONTINUED;
    for (uint8_t k = 8; k < 10; k++) {
        CHECK_OK(bytes_copy(mem_heap(), thread_id_view(&t), &s.body));
        memset(s.body.p, k, s.body.len);
        CHECK_OK(fed_app_show(app, &s));
        bytes_free(&s.body);
        bytes_free(&hold);
        CHECK_OK(fed_app_thread(app, &t, &info, &hold));
        CHECK(info.after.b[0] == 8 && info.after.b[31] == 8);
    }
    bytes_free(&hold);
    world_turn(&w, 0);
    world_end(&w);
}

TEST(every_allocation_may_fail)
{
    struct thread_id t = {{0x77}};
    struct fed_line l[ROOM];
    size_t n = 0;

    world_begin(&w, 13);
    world_join(&w, 0);
    fed_app_close(w.apps[0].app);
    w.apps[0].app = NULL;
    w.apps[0].serial = 0;
    for (uint64_t at = 1;; at++) {
        struct fail_mem f;
        enum err e;

        fail_mem_init(&f, at);
        e = world_app_open(&w, 0, &f.mem);
        e = e == OK ? show(w.apps[0].app, &t, FED_MEMBER_CAME, 1, 2) : e;
        e = e == OK ? fed_app_turn(w.apps[0].app, &w.apps[0].timer_ms) : e;
        e = e == OK ? fed_app_lines(w.apps[0].app, &t, l, ROOM, &n) : e;
        fed_app_close(w.apps[0].app);
        w.apps[0].app = NULL;
        CHECK_EQ(f.live, 0);
        if (!f.hit) {
            CHECK_OK(e);
            CHECK_EQ(n, 1);
            break;
        }
        CHECK(e == ERR_NOMEM || e == OK); /* OK: tried again later */
    }
    world_end(&w);
}

int
main(void)
{
    return RUN(T(kept_in_order), T(what_is_void_goes), T(kept_out),
               T(from_the_archive), T(goes_on_from_another),
               T(every_allocation_may_fail));
}
