/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app-bench: a patient's app that writes to a clinic, as its patient would,
 * with its own sealed folder and over its home clinic.
 *
 *     app-bench FOLDER THREAD COUNT
 *         COUNT messages of 1 KiB at 50 a second in the app's thread of that
 *         number: from the press of the button until the thread's hub has
 *         acknowledged it durably and the app says so (its news, as people at
 *         a clinic hear it).  Between them it does what an app does that is
 *         open, such as its archive.  Prints a JSON line.
 *
 * When the hub is a clinic that the app reaches only through its home, each of
 * them goes through the relay and its acknowledgement comes back through it.
 */
#include "crypto/prim/init.h"
#include "crypto/prim/random.h"
#include "federation/io.h"
#include "federation/native/run.h"
#include "node/sysclock.h"
#include "proto/base/assert.h"
#include "tools/bench/control.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    TEXT = 1024,
    RATE = 50,
    COUNT_MAX = 10000,
    WAIT_MS = 20000
};

struct bench {
    struct thread_id thread;
    struct message_id sent;
    bool accepted;
    double accepted_s;
};

static void
must(enum err e, const char *what)
{
    if (e != OK) {
        fprintf(stderr, "app-bench: %s: %s\n", what, err_name(e));
        exit(1);
    }
}

static void
on_event(void *ctx, const struct fed_app_event *ev)
{
    struct bench *b = ctx;

    if (ev->kind == FED_APP_EV_NEWS &&
        message_id_equal(&ev->message, &b->sent)) {
        b->accepted = true;
        b->accepted_s = tool_now_s();
    }
}

static bool
is_accepted(void *ctx, struct fed_app *app)
{
    (void)app;
    return ((struct bench *)ctx)->accepted;
}

static bool
is_settled(void *ctx, struct fed_app *app)
{
    struct fed_app_sync sync;

    (void)ctx;
    fed_app_sync(app, &sync);
    return sync.settled;
}

static void
find_thread(struct fed_app *app, uint64_t number, struct thread_id *out)
{
    struct fed_app_thread t;
    struct bytes hold = {0};
    const struct thread_id *after = NULL;

    while (fed_app_thread_next(app, after, &t, &hold) == OK) {
        *out = t.id;
        after = out;
        if (t.number == number) {
            bytes_free(&hold);
            return;
        }
    }
    fprintf(stderr, "app-bench: no such thread\n");
    exit(1);
}

/* The app is open and nobody types. */
static void
idle(struct fed_run *run, double until_s)
{
    double left;

    while ((left = until_s - tool_now_s()) > 1e-3) {
        enum err e = fed_run_wait(run, NULL, NULL, (uint64_t)(left * 1e3));

        must(e == ERR_TIMEOUT ? OK : e, "idle");
    }
}

static void
measure(struct fed_run *run, struct bench *b, size_t count)
{
    static double ms[COUNT_MAX];
    char text[TEXT];
    double next = tool_now_s();

    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i < count; i++) {
        double start;

        idle(run, next);
        start = tool_now_s();
        b->accepted = false;
        must(fed_app_send(fed_run_app(run), &b->thread,
                          view_make(text, sizeof(text)), 0, NULL, 0, &b->sent),
             "send");
        must(fed_run_turn(run), "turn");
        must(fed_run_wait(run, is_accepted, b, WAIT_MS), "wait");
        ms[i] = (b->accepted_s - start) * 1e3;
        next += 1.0 / RATE;
    }
    tool_sort(ms, count);
    printf("{\"bench\":\"app_relayed\",\"per_s\":%d,\"p50_ms\":%.3f,"
           "\"p99_ms\":%.3f}\n",
           RATE, ms[count / 2], ms[count * 99 / 100]);
}

int
main(int argc, char **argv)
{
    struct fed_io io = fed_io_nng(mem_heap());
    struct bench b = {.accepted = false};
    struct fed_run *run = NULL;
    struct fed_run_config config = {
        .folder = {.mem = mem_heap(),
                   .clock = node_sysclock(),
                   .rng = prim_rng_system()},
        .io = &io,
        .event = on_event,
        .event_ctx = &b,
    };
    size_t count = argc == 4 ? strtoull(argv[3], NULL, 10) : 0;

    if (count == 0 || count > COUNT_MAX) {
        fprintf(stderr, "usage: see tools/bench/app_bench_main.c\n");
        return 2;
    }
    config.folder.dir = argv[1];
    signal(SIGPIPE, SIG_IGN);
    must(prim_init(), "cryptography");
    must(fed_run_open(&config, &run), "the folder");
    find_thread(fed_run_app(run), strtoull(argv[2], NULL, 10), &b.thread);
    must(fed_run_connect(run), "connect");
    must(fed_run_wait(run, is_settled, NULL, WAIT_MS), "the home clinic");
    measure(run, &b, count);
    fed_run_close(run);
    return 0;
}
