/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing to a clinic that is connected again, before the new thread of their
 * conversation has come: it waits for it.
 */
#include "node/say.h"

#include "node/clinic/desk.h"
#include "store/conv.h"
#include "tests/node/api_pair.h"

#include <pthread.h>
#include <semaphore.h>

/* The conversation with the one clinic, and its thread. */
struct gap {
    struct conv_id conv;
    struct thread_id thread;
    bool closed;
};

static enum err
each_clinic(void *ctx, const struct store_clinic *c)
{
    CHECK(node_clinic_conv(c, ctx));
    return OK;
}

/* As between the new contact and its thread; and after it. */
static enum err
write_gap(void *ctx, struct store_txn *txn)
{
    struct gap *g = ctx;
    struct store_conv conv = {0};
    enum err e;

    TRY(store_conv_get(txn, &g->conv, &conv));
    if (g->closed) {
        g->thread = conv.thread;
        conv.flags |= STORE_CONV_CLOSED;
        memset(conv.thread.b, 0x77, sizeof(conv.thread.b));
    } else {
        conv.thread = g->thread;
        conv.flags &= ~(unsigned)STORE_CONV_CLOSED;
    }
    TRY(store_conv_put(txn, &conv));
    TRY(node_desk_event(txn, NODE_EVENT_CONV, conv_id_view(&g->conv), 0));
out:
    store_conv_clear(&conv);
    return e;
}

static void
begin_gap(struct end *n, struct gap *g)
{
    struct store_txn *txn = NULL;

    CHECK_OK(store_read_begin(n->api.store, &txn));
    CHECK_OK(store_clinic_list(txn, each_clinic, &g->conv));
    store_read_end(txn);
    g->closed = true;
    CHECK_OK(store_write(n->api.store, write_gap, g, 0));
}

static void
end_gap(struct end *n, struct gap *g)
{
    g->closed = false;
    CHECK_OK(store_write(n->api.store, write_gap, g, 0));
}

static sem_t asking;

static void *
say_it(void *ctx)
{
    (void)sem_post(&asking);
    return ask(ctx, "send", "[\"1\", \"new times\"]", "{}"); /* its number */
}

TEST(waits_for_the_new_thread)
{
    struct gap g = {0};
    pthread_t thread;
    void *answer = NULL;

    make_two();
    connect_ends(&ends[0], &ends[1]);
    quiet(&ends[0], "send", "[\"Clinic B\", \"old times\"]", "{}");
    until_last(&ends[1], "old times", NULL);
    begin_gap(&ends[1], &g);
    CHECK_EQ(sem_init(&asking, 0, 0), 0);
    CHECK_EQ(pthread_create(&thread, NULL, say_it, &ends[1]), 0);
    (void)sem_wait(&asking);
    end_gap(&ends[1], &g);
    CHECK_EQ(pthread_join(thread, &answer), 0);
    CHECK_STR(text(answer, "text"), "new times");
    json_decref(answer);
    until_last(&ends[0], "new times", NULL);
    (void)sem_destroy(&asking);
    remove_two();
}

/* Who is not connected hears so at once. */
TEST(an_end_is_an_end)
{
    make_two();
    connect_ends(&ends[0], &ends[1]);
    quiet(&ends[0], "disconnect", "[\"Clinic B\"]", "{}");
    bad(&ends[0], "send", "[\"Clinic B\", \"anyone?\"]", "{}", "state");
    remove_two();
}

/* Again and again, written without looking whether it is open. */
TEST(disconnect_and_come_back)
{
    make_two();
    connect_ends(&ends[0], &ends[1]);
    for (int i = 0; i < 5; i++) {
        char words[64];

        quiet(&ends[i % 2], "disconnect",
              i % 2 == 0 ? "[\"Clinic B\"]" : "[\"Clinic A\"]", "{}");
        connect_ends(&ends[0], &ends[1]);
        (void)snprintf(words, sizeof(words), "[\"1\", \"time %d\"]", i);
        quiet(&ends[1], "send", words, "{}");
        (void)snprintf(words, sizeof(words), "time %d", i);
        until_last(&ends[0], words, NULL);
    }
    remove_two();
}

int
main(void)
{
    node_json_init();
    return RUN(T(waits_for_the_new_thread), T(an_end_is_an_end),
               T(disconnect_and_come_back));
}
