/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What cannot be stored: a failed commit answers its requests and the node
 * goes on (decisions G 30).  Writes and allocations fail on purpose.
 */
#include "node/runner_impl.h"
#include "store/settings.h"
#include "tests/node/api_pair.h"

#include <stdatomic.h>

/* ---------------------------------------------------- writes that fail alone
 */

enum {
    ASKERS = 8,
    ROUNDS = 30
};

struct asker {
    struct node_runner *r;
    struct conv_id conv;
    bool bad;
    unsigned steps;
    unsigned writes;
    unsigned wrong;
    pthread_t thread;
};

static enum err
count_step(void *ctx, struct fed_core *core)
{
    (void)core;
    ((struct asker *)ctx)->steps++;
    return OK;
}

/* Writes first, so that the whole transaction has to be undone. */
static enum err
write_or_fail(void *ctx, struct store_txn *txn)
{
    struct asker *a = ctx;
    uint8_t who[1] = {(uint8_t)(a->bad ? 1 : 2)};
    enum err e = store_setting_put(txn, "test", VIEW_ARRAY(who));

    a->writes++;
    return e == OK && a->bad ? ERR_CORRUPT : e;
}

static void *
ask_often(void *ctx)
{
    struct asker *a = ctx;
    struct node_step step = {count_step, write_or_fail, a, false};

    for (int i = 0; i < ROUNDS; i++) {
        a->wrong += node_runner_do(a->r, &step) != (a->bad ? ERR_CORRUPT : OK);
    }
    return NULL;
}

TEST(one_bad_request_fails_alone)
{
    struct asker askers[ASKERS] = {0};
    struct node_runner_stats stats;

    make_two();
    connect_ends(&ends[0], &ends[1]);
    for (size_t i = 0; i < ASKERS; i++) {
        askers[i].r = ends[0].api.runner;
        askers[i].bad = i == 3;
        CHECK_EQ(pthread_create(&askers[i].thread, NULL, ask_often, &askers[i]),
                 0);
    }
    for (size_t i = 0; i < ASKERS; i++) {
        CHECK_EQ(pthread_join(askers[i].thread, NULL), 0);
        CHECK_EQ(askers[i].wrong, 0);
        CHECK(askers[i].steps >= ROUNDS);
    }
    node_runner_stats(ends[0].api.runner, &stats);
    CHECK(stats.failures >= ROUNDS);
    /* Its connections were cut; what is said now arrives all the same. */
    quiet(&ends[1], "send", "[\"Clinic A\", \"after\"]", "{}");
    until_last(&ends[0], "after", "received");
    quiet(&ends[0], "send", "[\"Clinic B\", \"and back\"]", "{}");
    until_last(&ends[1], "and back", NULL);
    remove_two();
}

/* ------------------------------------------------ every n-th allocation fails
 */

struct faulty {
    struct mem mem;
    atomic_ulong every; /* 0: none fails */
    atomic_ulong count;
    atomic_ulong hits;
};

static void *
faulty_alloc(void *ctx, size_t size)
{
    struct faulty *f = ctx;
    unsigned long every = atomic_load(&f->every);

    if (every != 0 && atomic_fetch_add(&f->count, 1) % every == every - 1) {
        (void)atomic_fetch_add(&f->hits, 1);
        return NULL;
    }
    return mem_heap()->alloc(mem_heap()->ctx, size);
}

static void
faulty_release(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    mem_heap()->release(mem_heap()->ctx, ptr, size);
}

struct talker {
    struct end *n;
    const char *to;
    char from;
    unsigned len;
    bool said[64]; /* the answer was yes */
    pthread_t thread;
};

static void *
talk(void *ctx)
{
    struct talker *t = ctx;
    char args[64];

    for (unsigned i = 0; i < t->len; i++) {
        json_t *a;

        (void)snprintf(args, sizeof(args), "[\"%s\", \"%c%u\"]", t->to, t->from,
                       i);
        a = ask(t->n, "send", args, "{}");
        t->said[i] = json_is_true(json_object_get(a, "ok"));
        json_decref(a);
    }
    return NULL;
}

/* The texts of the conversation, one a line; freed by the caller. */
static char *
texts_of(struct end *n)
{
    json_t *a = ask(n, "thread show", "[\"1\"]", "{\"limit\": \"5000\"}");
    const json_t *list = json_object_get(a, "messages");
    size_t len = json_array_size(list);
    char *out = calloc(len + 1, 16);
    size_t at = 0;

    CHECK(out != NULL);
    for (size_t i = 0; i < len; i++) {
        at += (size_t)snprintf(out + at, 16, "%s\n",
                               text(json_array_get(list, i), "text"));
    }
    json_decref(a);
    return out;
}

static bool
has_once(const char *texts, char from, unsigned number)
{
    char line[16];
    const char *at;

    (void)snprintf(line, sizeof(line), "\n%c%u\n", from, number);
    at = strstr(texts, line);
    return at != NULL && strstr(at + 1, line) == NULL;
}

/* Both show the same, and everything that was accepted, once. */
static bool
are_equal(const struct talker *talkers, size_t len)
{
    char *a = texts_of(&ends[0]);
    char *b = texts_of(&ends[1]);
    bool equal = strcmp(a, b) == 0;

    for (size_t i = 0; i < len; i++) {
        for (unsigned m = 0; m < talkers[i].len; m++) {
            equal = equal &&
                    (!talkers[i].said[m] || has_once(a, talkers[i].from, m));
        }
    }
    free(a);
    free(b);
    return equal;
}

TEST(the_node_goes_on_when_every_nth_allocation_fails)
{
    static const unsigned long steps[] = {2003, 701, 211};
    static struct faulty f;
    static struct talker talkers[12];
    size_t n = 0;
    unsigned answered = 0;

    f.mem = (struct mem){faulty_alloc, faulty_release, &f};
    ends[0].mem = &f.mem;
    make_two();
    connect_ends(&ends[0], &ends[1]);
    quiet(&ends[0], "send", "[\"Clinic B\", \"first\"]", "{}");
    until_last(&ends[1], "first", NULL);
    for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
        size_t from = n;

        atomic_store(&f.every, steps[s]);
        for (; n < from + 4; n++) {
            bool ours = n % 2 == 0;

            talkers[n] = (struct talker){.n = &ends[ours ? 0 : 1],
                                         .to = ours ? "Clinic B" : "Clinic A",
                                         .from = (char)('a' + n),
                                         .len = 40};
            CHECK_EQ(
                pthread_create(&talkers[n].thread, NULL, talk, &talkers[n]), 0);
        }
        for (size_t i = from; i < n; i++) {
            CHECK_EQ(pthread_join(talkers[i].thread, NULL), 0);
        }
    }
    atomic_store(&f.every, 0);
    CHECK(atomic_load(&f.hits) > 20);
    for (int i = 0; i < TRIES && !are_equal(talkers, n); i++) {
        (void)usleep(PAUSE_US);
    }
    CHECK(are_equal(talkers, n));
    for (size_t i = 0; i < n; i++) {
        for (unsigned m = 0; m < talkers[i].len; m++) {
            answered += talkers[i].said[m];
        }
    }
    CHECK(answered > 240); /* of 480, though one of them fails all the time */
    remove_two();
    ends[0].mem = NULL;
}

int
main(void)
{
    node_json_init();
    return RUN(T(one_bad_request_fails_alone),
               T(the_node_goes_on_when_every_nth_allocation_fails));
}
