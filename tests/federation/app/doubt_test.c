/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person is told about how a thread is carried: while it lasts, until it
 * was seen to, and, on a phone that is on for a moment, before it is off.
 */
#include "tests/federation/app/world.h"

#include "federation/app/doubt.h"
#include "federation/app/inside.h"
#include "proto/base/limits.h"
#include "tests/support/fail_mem.h"

static struct world w;

static size_t
doubts(struct fed_app *app, const struct thread_id *t,
       struct fed_app_doubt out[8])
{
    size_t n = 0;

    while (n < 8 && fed_app_doubt_next(app, t, n == 0 ? NULL : &out[n - 1],
                                       &out[n]) == OK) {
        n++;
    }
    return n;
}

static enum err
show(struct fed_app *app, const struct thread_id *t, enum fed_show_kind kind,
     uint64_t code, uint8_t who, uint64_t on)
{
    struct fed_show s = {
        .kind = kind, .code = code, .value = on, .thread = *t, .ts_ms = 5};

    s.author.b[0] = who;
    s.peer.b[0] = 9;
    return fed_app_show_doubt(app, &s);
}

TEST(told_and_over)
{
    struct fed_app_doubt d[8];
    struct thread_id t;
    struct thread_id other = {{1}};
    struct fed_app *app;
    uint64_t n;

    world_begin(&w, 1);
    world_join(&w, 0);
    t = world_thread(&w, 0);
    app = w.apps[0].app;
    CHECK_EQ(doubts(app, &t, d), 0);
    CHECK_OK(show(app, &t, FED_SHOW_DOUBT, FED_DOUBT_SILENT, 2, 1));
    CHECK_OK(show(app, &t, FED_SHOW_DOUBT, FED_DOUBT_SILENT, 1, 1));
    CHECK_OK(show(app, &t, FED_SHOW_DOUBT, FED_DOUBT_NEVER, 1, 1));
    CHECK_OK(show(app, &t, FED_SHOW_FORK, 0, 1, 0));
    CHECK_OK(show(app, &t, FED_SHOW_DOUBT, FED_DOUBT_REPORT, 1, 1));
    CHECK_OK(show(app, &other, FED_SHOW_FORK, 0, 1, 0));
    world_turn(&w, 0);
    CHECK_EQ(w.apps[0].trouble, FED_APP_TROUBLE_DOUBT);
    CHECK_EQ(w.apps[0].events[FED_APP_EV_TROUBLE], 6);
    CHECK_EQ(doubts(app, &t, d), 5);
    CHECK(d[0].what == FED_APP_DOUBT_SILENT && d[0].who.b[0] == 1);
    CHECK(d[1].what == FED_APP_DOUBT_SILENT && d[1].who.b[0] == 2);
    CHECK(d[1].carries.b[0] == 9 && d[1].since_ms == 5);
    CHECK_EQ(d[2].what, FED_APP_DOUBT_NEVER);
    CHECK_EQ(d[3].what, FED_APP_DOUBT_FORK);
    CHECK_EQ(d[4].what, FED_APP_DOUBT_REPORT);
    CHECK_OK(fed_app_settle(app, &t, &n));
    CHECK_EQ(n, 3);
    world_turn(&w, 0);
    CHECK_EQ(doubts(app, &t, d), 2);
    CHECK_OK(show(app, &t, FED_SHOW_DOUBT, FED_DOUBT_SILENT, 1, 0));
    CHECK_OK(show(app, &t, FED_SHOW_DOUBT, FED_DOUBT_SILENT, 2, 0));
    world_turn(&w, 0);
    CHECK_EQ(doubts(app, &t, d), 0);
    CHECK_EQ(doubts(app, &other, d), 1);
    CHECK_OK(fed_app_settle(app, &t, &n));
    CHECK_EQ(n, 0);
    world_end(&w);
}

TEST(not_taken_for_a_day)
{
    struct fed_app_doubt d[8];
    struct thread_id t;

    world_begin(&w, 2);
    world_join(&w, 0);
    t = world_thread(&w, 0);
    w.apps[0].cut = true;
    world_break(&w, 0);
    world_app_says(&w, 0, "waits");
    CHECK_EQ(doubts(w.apps[0].app, &t, d), 0);
    w.ms += LIMIT_OVERDUE_MS + 1;
    CHECK_EQ(doubts(w.apps[0].app, &t, d), 1);
    CHECK_EQ(d[0].what, FED_APP_DOUBT_WAITS);
    CHECK(clinic_id_equal(&d[0].who, &w.clinic));
    CHECK(clinic_id_equal(&d[0].carries, &w.clinic));
    w.apps[0].cut = false;
    world_run(&w);
    CHECK_EQ(doubts(w.apps[0].app, &t, d), 0);
    world_end(&w);
}

/* The phone was off, and begins anew without a network. */
static void
switch_off(void)
{
    w.apps[0].cut = true;
    world_break(&w, 0);
    fed_app_close(w.apps[0].app);
    CHECK_OK(world_app_open(&w, 0, mem_heap()));
    world_turn(&w, 0);
}

/* Connected, and all that was under way is there; the clinic says nothing by
   itself. */
static void
only_connect(void)
{
    w.apps[0].cut = false;
    world_connect(&w, 0);
    while (w.frames != NULL) {
        struct world_frame *f = w.frames;

        w.frames = f->next;
        world_deliver(&w, f);
        bytes_free(&f->frame);
        free(f);
    }
}

/* [device-rest] The phone was off for longer than its clinic may be silent. */
TEST(silence_is_seen_before_it_is_off)
{
    struct fed_app_doubt d[8];
    struct thread_id t;
    bool owed;

    world_begin(&w, 3);
    world_join(&w, 0);
    t = world_thread(&w, 0);
    world_app_says(&w, 0, "one");
    world_run(&w);
    world_clinic_says(&w, "two");
    world_run(&w);
    switch_off();
    w.ms += LIMIT_SILENT_MS + 2 * LIMIT_HOUR_MS;
    CHECK_OK(fed_app_tick(w.apps[0].app)); /* off: nothing to judge by */
    world_turn(&w, 0);
    CHECK_EQ(doubts(w.apps[0].app, &t, d), 0);
    only_connect();
    CHECK_EQ(doubts(w.apps[0].app, &t, d), 0);
    CHECK_OK(fed_app_rest(w.apps[0].app, &owed));
    CHECK(owed);
    world_turn(&w, 0);
    CHECK_EQ(doubts(w.apps[0].app, &t, d), 1);
    CHECK_EQ(d[0].what, FED_APP_DOUBT_SILENT);
    CHECK(clinic_id_equal(&d[0].who, &w.clinic));
    CHECK(clinic_id_equal(&d[0].carries, &w.clinic));
    CHECK_OK(fed_app_rest(w.apps[0].app, &owed));
    CHECK(!owed);
    world_clinic_says(&w, "three");
    world_run(&w);
    CHECK_EQ(doubts(w.apps[0].app, &t, d), 0);
    world_end(&w);
}

/* The clinic said its word meanwhile: no alarm. */
TEST(off_is_not_silence)
{
    struct fed_app_doubt d[8];
    struct thread_id t;
    bool owed;

    world_begin(&w, 4);
    world_join(&w, 0);
    t = world_thread(&w, 0);
    world_app_says(&w, 0, "one");
    world_run(&w);
    world_clinic_says(&w, "two");
    world_run(&w);
    w.apps[0].cut = true;
    world_break(&w, 0);
    for (int h = 0; h < 40; h++) {
        w.ms += LIMIT_HOUR_MS;
        world_run(&w);
    }
    only_connect();
    CHECK_OK(fed_app_rest(w.apps[0].app, &owed));
    world_turn(&w, 0);
    CHECK_EQ(doubts(w.apps[0].app, &t, d), 0);
    world_end(&w);
}

TEST(every_allocation_may_fail)
{
    struct fed_app_doubt d[8];
    struct thread_id t;
    uint64_t n;

    world_begin(&w, 5);
    world_join(&w, 0);
    t = world_thread(&w, 0);
    fed_app_close(w.apps[0].app);
    w.apps[0].app = NULL;
    w.apps[0].serial = 0;
    for (uint64_t at = 1;; at++) {
        struct fail_mem f;
        enum err e;

        fail_mem_init(&f, at);
        e = world_app_open(&w, 0, &f.mem);
        e = e == OK ? show(w.apps[0].app, &t, FED_SHOW_FORK, 0, 1, 0) : e;
        e = e == OK ? fed_app_turn(w.apps[0].app, &w.apps[0].timer_ms) : e;
        e = e == OK ? fed_app_doubt_next(w.apps[0].app, &t, NULL, &d[0]) : e;
        e = e == OK ? fed_app_settle(w.apps[0].app, &t, &n) : e;
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
    return RUN(T(told_and_over), T(not_taken_for_a_day),
               T(silence_is_seen_before_it_is_off), T(off_is_not_silence),
               T(every_allocation_may_fail));
}
