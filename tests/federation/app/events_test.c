/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is told when: that another clinic has a message before our own commit,
 * all else, also that it can be read so, after it.
 */
#include "tests/federation/app/world.h"

#include "federation/app/inside.h"

static struct world w;
static struct {
    uint64_t news_at; /* commits of the app that were done by then */
    uint64_t state_at;
    struct fed_app_event news;
    struct fed_app_event state;
    uint64_t state_read; /* of the message, when its news was told */
} told;

static void
note(void *ctx, const struct fed_app_event *ev)
{
    struct world_app *a = ctx;
    struct fed_app_message m;
    struct bytes hold = {0};

    if (ev->kind == FED_APP_EV_NEWS) {
        told.news = *ev;
        told.news_at = a->shelf.commits;
        CHECK_OK(fed_app_message(a->app, &ev->thread, ev->number, &m, &hold));
        told.state_read = m.state;
    } else if (ev->kind == FED_APP_EV_STATE) {
        told.state = *ev;
        told.state_at = a->shelf.commits;
    }
    bytes_free(&hold);
    world_event(ctx, ev);
}

TEST(news_before_the_commit_and_the_state_after_it)
{
    struct thread_id t;
    struct message_id id;
    struct world_app *a = &w.apps[0];

    world_begin(&w, 2);
    world_join(&w, 0);
    t = world_thread(&w, 0);
    a->app->c.event = note;
    CHECK_OK(fed_app_send(a->app, &t, VIEW_LIT("hello"), 0, NULL, 0, &id));
    world_turn(&w, 0);
    CHECK_EQ(a->events[FED_APP_EV_NEWS], 0);
    world_run(&w);
    CHECK_EQ(a->events[FED_APP_EV_NEWS], 1);
    CHECK(message_id_equal(&told.news.message, &id));
    CHECK(thread_id_equal(&told.news.thread, &t));
    CHECK_EQ(told.news.number, told.state.number);
    CHECK_EQ(told.state_read, FED_MESSAGE_QUEUED);
    CHECK_EQ(told.state_at, told.news_at + 1);
    world_end(&w);
}

/* It is true whatever becomes of our commit, and the state comes once that was
   done. */
TEST(news_of_a_commit_that_fails)
{
    struct thread_id t;
    struct message_id id;
    struct world_app *a = &w.apps[0];
    struct fed_show show = {.kind = FED_SHOW_STATE,
                            .code = FED_MESSAGE_ACCEPTED,
                            .term = 1,
                            .seq = 99};

    world_begin(&w, 3);
    world_join(&w, 0);
    t = world_thread(&w, 0);
    CHECK_OK(fed_app_send(a->app, &t, VIEW_LIT("hello"), 0, NULL, 0, &id));
    world_turn(&w, 0);
    a->events[FED_APP_EV_STATE] = 0;
    show.thread = t;
    show.message = id;
    show.peer = w.clinic;
    CHECK_OK(fed_app_show(a->app, &show));
    a->shelf.commit_gives = ERR_FULL;
    CHECK_ERR(fed_app_turn(a->app, &a->timer_ms), ERR_FULL);
    CHECK_EQ(a->events[FED_APP_EV_NEWS], 1);
    CHECK_EQ(a->events[FED_APP_EV_STATE], 0);
    a->shelf.commit_gives = OK;
    world_end(&w);
}

/* What repeats changes nothing, so it is no news; nor is what nobody else
   has. */
TEST(no_news)
{
    struct thread_id t;
    struct message_id id;
    struct world_app *a = &w.apps[0];
    struct fed_show show = {.kind = FED_SHOW_STATE,
                            .code = FED_MESSAGE_ACCEPTED,
                            .term = 1,
                            .seq = 99};

    world_begin(&w, 4);
    world_join(&w, 0);
    t = world_thread(&w, 0);
    CHECK_OK(fed_app_send(a->app, &t, VIEW_LIT("hello"), 0, NULL, 0, &id));
    world_turn(&w, 0);
    show.thread = t;
    show.message = id;
    CHECK_OK(fed_app_show(a->app, &show));
    show.peer = w.clinic;
    CHECK_OK(fed_app_show(a->app, &show)); /* once more */
    world_turn(&w, 0);
    CHECK_EQ(a->events[FED_APP_EV_NEWS], 0);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(news_before_the_commit_and_the_state_after_it),
               T(news_of_a_commit_that_fails), T(no_news));
}
