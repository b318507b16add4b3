/* SPDX-License-Identifier: Apache-2.0 */
#include "node/news.h"

#include "node/api.h"

#include <time.h>

bool
node_news_is(const struct fed_show *show)
{
    return show->kind == FED_SHOW_STATE && show->code == FED_MESSAGE_ACCEPTED &&
           !clinic_id_is_zero(&show->peer);
}

void
node_news_tell(void *ctx, const struct fed_show *show)
{
    struct node_api *api = ctx;
    struct node_news *n = &api->news;

    (void)pthread_mutex_lock(&api->journal_mx);
    if (n->listeners > 0) {
        n->kept[n->told++ % NODE_NEWS_KEPT] =
            (struct node_news_item){show->thread, show->message, show->ts_ms};
        (void)pthread_cond_broadcast(&api->journal_cond);
    }
    (void)pthread_mutex_unlock(&api->journal_mx);
}

uint64_t
node_news_listen(struct node_api *api)
{
    uint64_t told;

    (void)pthread_mutex_lock(&api->journal_mx);
    api->news.listeners++;
    told = api->news.told;
    (void)pthread_mutex_unlock(&api->journal_mx);
    return told;
}

void
node_news_leave(struct node_api *api)
{
    (void)pthread_mutex_lock(&api->journal_mx);
    api->news.listeners--;
    (void)pthread_mutex_unlock(&api->journal_mx);
}

bool
node_news_next(struct node_api *api, uint64_t *after,
               struct node_news_item *out)
{
    const struct node_news *n = &api->news;
    bool any;

    (void)pthread_mutex_lock(&api->journal_mx);
    if (n->told - *after > NODE_NEWS_KEPT) {
        *after = n->told - NODE_NEWS_KEPT;
    }
    any = *after < n->told;
    if (any) {
        *out = n->kept[(*after)++ % NODE_NEWS_KEPT];
    }
    (void)pthread_mutex_unlock(&api->journal_mx);
    return any;
}

bool
node_news_wait(struct node_api *api, uint64_t journal_after, uint64_t after)
{
    struct timespec until;
    bool stopping;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 1; /* to look whether anybody still listens */
    (void)pthread_mutex_lock(&api->journal_mx);
    if (api->journal_seq <= journal_after && api->news.told <= after &&
        !api->stopping) {
        (void)pthread_cond_timedwait(&api->journal_cond, &api->journal_mx,
                                     &until);
    }
    stopping = api->stopping;
    (void)pthread_mutex_unlock(&api->journal_mx);
    return !stopping;
}
