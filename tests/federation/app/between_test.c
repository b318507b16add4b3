/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that the archive knows and this device is not in.  That what lies
 * between is asked for, and comes, is shown by tests/e2e/phone.suite.
 */
#include "tests/federation/app/world.h"

#include "federation/app/inside.h"
#include "federation/core/rec.h"

static struct world w;

static const struct thread_id thread = {{0x55}};

/* What the archive says of it: how it stood. */
static void
kept(struct fed_app *app, enum fed_thread_state state, struct view title)
{
    struct fed_app_rec_entry entry = {.kind = FED_APP_KEPT_THREAD,
                                      .seq = (uint64_t)state,
                                      .body = VIEW_LIT("a group"),
                                      .more = title};
    struct fed_app_rec_part part = {.entries = {.items = &entry, .len = 1}};
    struct fed_app_rec_part back;
    struct bytes b = {0};

    memcpy(entry.thread, thread.b, sizeof(entry.thread));
    CHECK_OK(fed_rec_encode(mem_heap(), &fed_app_rec_part_shape, &part, &b));
    CHECK_OK(fed_rec_decode(view_of(&b), &fed_app_rec_part_shape, &back));
    CHECK_OK(fed_app_import(app, &back));
    bytes_free(&b);
}

static void
expect(struct fed_app *app, bool away, enum fed_thread_state state,
       struct view title)
{
    struct fed_app_thread t;
    struct bytes hold = {0};

    CHECK_OK(fed_app_thread(app, &thread, &t, &hold));
    CHECK_EQ(t.away, away);
    CHECK_EQ(t.state, state);
    CHECK_VIEW(t.title, title);
    bytes_free(&hold);
}

TEST(away_until_it_is_over)
{
    struct fed_app *app;

    world_begin(&w, 31);
    world_join(&w, 0);
    app = w.apps[0].app;
    kept(app, FED_THREAD_ACTIVE, VIEW_LIT("one"));
    expect(app, true, FED_THREAD_ENDED, VIEW_LIT("one"));
    world_turn(&w, 0); /* it is not in: it stays away */
    kept(app, FED_THREAD_RESYNC, VIEW_LIT("two")); /* the newest counts */
    expect(app, true, FED_THREAD_ENDED, VIEW_LIT("two"));
    kept(app, FED_THREAD_REMOVED, VIEW_LIT("two"));
    expect(app, false, FED_THREAD_REMOVED, VIEW_LIT("two"));
    kept(app, FED_THREAD_ACTIVE, VIEW_LIT("three")); /* ours is known */
    expect(app, false, FED_THREAD_REMOVED, VIEW_LIT("two"));
    world_end(&w);
}

TEST(over_from_the_beginning)
{
    struct fed_app *app;

    world_begin(&w, 32);
    world_join(&w, 0);
    app = w.apps[0].app;
    kept(app, FED_THREAD_ENDED, VIEW_LIT("one"));
    expect(app, false, FED_THREAD_ENDED, VIEW_LIT("one"));
    world_end(&w);
}

int
main(void)
{
    return RUN(T(away_until_it_is_over), T(over_from_the_beginning));
}
