/* SPDX-License-Identifier: Apache-2.0 */
/*
 * News: who watches is told that a peer has our message durably as soon as the
 * peer says so, before our own store has noted it.
 *
 * That is true whatever becomes of our commit: the peer answers only after its
 * own, and says it again until we have acknowledged it.  So news carries no
 * number of the journal: the numbered event follows when it is stored, and who
 * goes on from a number that it was given misses nothing, also after a crash
 * in between.
 */
#ifndef NODE_NEWS_H
#define NODE_NEWS_H

#include "federation/core/effects.h"

enum {
    NODE_NEWS_KEPT = 32 /* a watcher that is further behind reads the journal */
};

struct node_api;

/* A message of ours that its thread's hub has. */
struct node_news_item {
    struct thread_id thread;
    struct message_id message;
    uint64_t at_ms; /* when the hub took it */
};

/* Under the journal's mutex of the api.  Empty: zeros. */
struct node_news {
    struct node_news_item kept[NODE_NEWS_KEPT];
    uint64_t told; /* ever */
    unsigned listeners;
};

/* Whether a show is news: durable elsewhere, not by what we do with it. */
bool node_news_is(const struct fed_show *show);

/* ctx: the api.  Any thread; costs nothing while nobody listens. */
void node_news_tell(void *ctx, const struct fed_show *show);

/* Listen from now on; what is told later comes after what this returns. */
uint64_t node_news_listen(struct node_api *api);
void node_news_leave(struct node_api *api);

/* The first one after *after, which goes on; false: there is none. */
bool node_news_next(struct node_api *api, uint64_t *after,
                    struct node_news_item *out);

/* As node_api_wait, or until there is news. */
bool node_news_wait(struct node_api *api, uint64_t journal_after,
                    uint64_t after);

#endif
