/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When what came has its turn: acknowledgements gather for a moment, nothing
 * else does.  The clock is the test's: a tenth of a millisecond passes whenever
 * it is looked at, and it is long past for the system, so nobody sleeps.
 */
#include "crypto/prim/init.h"
#include "crypto/prim/random.h"
#include "federation/native/run_impl.h"
#include "proto/msg/peer.h"
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHORT_MS = FED_RUN_GATHER_MS - 1,
    LONG_MS = FED_RUN_GATHER_MS + 3, /* the time that passes meanwhile, too */
    LIMIT_MS = 1000
};

static struct {
    atomic_ullong looks; /* at the clock */
    pthread_t here;
    struct fed_run *run;
    uint64_t start_ms;
    uint64_t more_ms; /* when more comes; 0: never */
    uint8_t more;     /* what: a type of frame */
    bool flood;       /* it comes again and again */
    uint64_t first_turn_ms;
    size_t left; /* events, at the first turn */
    char dir[256];
} t;

static uint64_t
passed(void)
{
    return 1000 + atomic_load(&t.looks) / 10;
}

static void
come(uint8_t type)
{
    struct fed_run_ev *ev = mem_calloc(mem_heap(), 1, sizeof(*ev));
    struct proto_peer_msg msg = {.type = type};

    CHECK(ev != NULL);
    ev->kind = FED_RUN_FRAME;
    CHECK_OK(proto_peer_encode(mem_heap(), &msg, &ev->frame));
    fed_run_push(t.run, ev);
}

static uint64_t
mono(void *ctx)
{
    (void)ctx;
    (void)atomic_fetch_add(&t.looks, 1);
    if (t.run == NULL || !pthread_equal(t.here, pthread_self())) {
        return passed();
    }
    CHECK(passed() < t.start_ms + LIMIT_MS * 2); /* it waits for ever */
    if (t.more_ms != 0 && passed() >= t.more_ms) {
        t.more_ms =
            t.flood && passed() < t.start_ms + LIMIT_MS ? passed() + 1 : 0;
        come(t.more);
    }
    return passed();
}

static uint64_t
wall(void *ctx)
{
    (void)ctx;
    return UINT64_C(1700000000000);
}

static const struct clock clock_ = {wall, mono, NULL};

/* Asked after each turn. */
static bool
first_turn(void *ctx, struct fed_app *app)
{
    (void)ctx;
    (void)app;
    t.first_turn_ms = passed() - t.start_ms;
    for (const struct fed_run_ev *ev = t.run->first; ev != NULL;
         ev = ev->next) {
        t.left++;
    }
    return true;
}

static void
begin(void)
{
    struct fed_run_config c = {
        .folder = {.dir = t.dir,
                   .mem = mem_heap(),
                   .clock = &clock_,
                   .rng = prim_rng_system()},
        .create = true,
    };
    struct fed_run *run = NULL;
    const char *tmp = getenv("TMPDIR");

    memset(&t, 0, sizeof(t));
    t.here = pthread_self();
    (void)snprintf(t.dir, sizeof(t.dir), "%s/balsam-run-XXXXXX",
                   tmp == NULL ? "/tmp" : tmp);
    CHECK(mkdtemp(t.dir) != NULL);
    CHECK_OK(fed_run_open(&c, &run));
    CHECK_OK(fed_run_turn(run));
    run->timer_ms = 0; /* an app without an identity looks again at once */
    t.run = run;
    t.start_ms = passed();
}

static void
end(void)
{
    char cmd[300];
    struct fed_run *run = t.run;

    t.run = NULL;
    fed_run_close(run);
    (void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", t.dir);
    CHECK_EQ(system(cmd), 0);
}

/* An answer that comes right behind it shares its commit. */
TEST(an_ack_waits_for_what_follows)
{
    begin();
    come(PROTO_PEER_ACK);
    t.more_ms = t.start_ms + SHORT_MS - 1;
    t.more = PROTO_PEER_HELLO;
    CHECK_OK(fed_run_wait(t.run, first_turn, NULL, LIMIT_MS));
    CHECK(t.more_ms == 0); /* it came before the turn */
    CHECK_EQ(t.left, 0);   /* and was taken */
    CHECK(t.first_turn_ms <= LONG_MS);
    end();
}

/* Not for ever, however many of them come. */
TEST(acks_wait_for_a_moment_only)
{
    begin();
    come(PROTO_PEER_ACK);
    t.more_ms = t.start_ms + 1;
    t.more = PROTO_PEER_ACK;
    t.flood = true;
    CHECK_OK(fed_run_wait(t.run, first_turn, NULL, LIMIT_MS));
    CHECK(t.first_turn_ms >= SHORT_MS);
    CHECK(t.first_turn_ms <= LONG_MS);
    end();
}

/* Somebody waits for anything else. */
TEST(nothing_else_waits)
{
    begin();
    come(PROTO_PEER_HELLO);
    CHECK_OK(fed_run_wait(t.run, first_turn, NULL, LIMIT_MS));
    CHECK(t.first_turn_ms < SHORT_MS);
    end();
    begin();
    come(PROTO_PEER_ACK);
    come(PROTO_PEER_HELLO);
    CHECK_OK(fed_run_wait(t.run, first_turn, NULL, LIMIT_MS));
    CHECK_EQ(t.left, 0);
    CHECK(t.first_turn_ms < SHORT_MS);
    end();
}

/* Who ends the program does not wait for it. */
TEST(stopping_waits_for_nothing)
{
    begin();
    come(PROTO_PEER_ACK);
    fed_run_stop(t.run);
    CHECK_OK(fed_run_wait(t.run, first_turn, NULL, LIMIT_MS));
    CHECK(t.first_turn_ms < SHORT_MS);
    end();
}

int
main(void)
{
    if (prim_init() != OK) {
        return 1;
    }
    return RUN(T(an_ack_waits_for_what_follows), T(acks_wait_for_a_moment_only),
               T(nothing_else_waits), T(stopping_waits_for_nothing));
}
