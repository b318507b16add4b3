/* SPDX-License-Identifier: Apache-2.0 */
/* News is kept for who listens, in order, the newest of it. */
#include "node/api.h"
#include "tests/support/check.h"

static struct fed_show
accepted(uint8_t n)
{
    struct fed_show show = {
        .kind = FED_SHOW_STATE, .code = FED_MESSAGE_ACCEPTED, .ts_ms = n};

    show.message.b[0] = n;
    show.peer.b[0] = 1;
    return show;
}

static void
make(struct node_api *api)
{
    pthread_condattr_t attr;

    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&api->journal_mx, NULL);
    (void)pthread_cond_init(&api->journal_cond, &attr);
    (void)pthread_condattr_destroy(&attr);
}

TEST(only_what_another_has_is_news)
{
    struct fed_show show = accepted(1);

    CHECK(node_news_is(&show));
    show.code = FED_MESSAGE_DELIVERED;
    CHECK(!node_news_is(&show));
    show = accepted(1);
    show.kind = FED_SHOW_MESSAGE;
    CHECK(!node_news_is(&show));
    show = accepted(1);
    show.peer.b[0] = 0; /* we are the hub, and have yet to store it */
    CHECK(!node_news_is(&show));
}

TEST(who_listens_hears_it_once)
{
    struct node_api api = {0};
    struct node_news_item item;
    struct fed_show show = accepted(1);
    uint64_t after;
    uint64_t other;

    make(&api);
    node_news_tell(&api, &show); /* nobody listens */
    after = node_news_listen(&api);
    CHECK(!node_news_next(&api, &after, &item));
    other = node_news_listen(&api);
    show = accepted(2);
    node_news_tell(&api, &show);
    CHECK(node_news_wait(&api, 0, after)); /* at once */
    CHECK(node_news_next(&api, &after, &item));
    CHECK_EQ(item.message.b[0], 2);
    CHECK_EQ(item.at_ms, 2);
    CHECK(!node_news_next(&api, &after, &item));
    CHECK(node_news_next(&api, &other, &item));
    CHECK_EQ(item.message.b[0], 2);
    node_news_leave(&api);
    node_news_leave(&api);
    show = accepted(3);
    node_news_tell(&api, &show);
    CHECK(!node_news_next(&api, &after, &item));
    api.stopping = true;
    CHECK(!node_news_wait(&api, 0, after));
}

TEST(who_is_behind_gets_the_newest)
{
    struct node_api api = {0};
    struct node_news_item item;
    uint64_t after;

    make(&api);
    after = node_news_listen(&api);
    for (uint8_t i = 0; i < NODE_NEWS_KEPT + 3; i++) {
        struct fed_show show = accepted(i);

        node_news_tell(&api, &show);
    }
    for (uint8_t i = 3; i < NODE_NEWS_KEPT + 3; i++) {
        CHECK(node_news_next(&api, &after, &item));
        CHECK_EQ(item.message.b[0], i);
    }
    CHECK(!node_news_next(&api, &after, &item));
}

int
main(void)
{
    return RUN(T(only_what_another_has_is_news), T(who_listens_hears_it_once),
               T(who_is_behind_gets_the_newest));
}
