/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node-bench: two running, connected nodes under load, through their control
 * sockets, as staff would use them.  tools/bench/run sets them up, runs the
 * floor beside them and puts both into ratios.
 *
 *     node-bench single CONTROL_A THREAD COUNT
 *         COUNT messages at 50 a second: A submits; until B has acknowledged
 *         it durably (the hub accepted it)
 *     node-bench flood CONTROL_A CONTROL_B PID_A PID_B COUNT THREAD...
 *         COUNT messages over the threads, from 8 connections that have 32
 *         requests under way each (256, as the floor has): until B has all
 *     node-bench start BALSAMD CONTROL - FLAG...
 *         from exec of BALSAMD with these flags to the first answer
 *
 * A must not be the hub of the threads for `single`.  Prints a JSON line.
 */
#include "tools/bench/control.h"

#include "proto/base/assert.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    WRITERS = 8,
    PIPE = 32, /* requests under way on each connection */
    TEXT = 1024,
    RATE = 50,
    SINGLES_MAX = 10000
};

/* A request to send a message, as a line; its length. */
static size_t
make_send(char *out, size_t cap, const char *thread, const char *flags)
{
    int n = snprintf(out, cap, "{\"do\":\"send\",\"args\":[\"%s\",\"", thread);

    ASSERT(n > 0 && (size_t)n + TEXT + 64 < cap);
    memset(out + n, 'x', TEXT);
    n += TEXT;
    return (size_t)(n + snprintf(out + n, cap - (size_t)n,
                                 "\"],\"flags\":{%s}}\n", flags));
}

/* ------------------------------------------------------------------ single */

/* Until the node says that our message number in its thread is accepted. */
static void
hear_accepted(struct tool_control *watch, size_t *used, uint64_t number)
{
    for (;;) {
        *used = tool_control_hear(watch, *used);
        if (strstr(watch->line, "\"event\":\"state\"") != NULL &&
            tool_number_after(watch->line, "\"n\":") == number) {
            return;
        }
    }
}

static int
run_single(char **arg)
{
    static struct tool_control send;
    static struct tool_control watch;
    static double ms[SINGLES_MAX];
    static const char watch_line[] =
        "{\"do\":\"watch\",\"args\":[],\"flags\":{}}\n";
    char request[TEXT + 512];
    size_t count = strtoull(arg[2], NULL, 10);
    size_t used;
    double next;

    ASSERT(count > 0 && count <= SINGLES_MAX);
    tool_control_open(&send, arg[0]);
    tool_control_open(&watch, arg[0]);
    tool_control_write(&watch, watch_line, sizeof(watch_line) - 1);
    used = tool_control_hear(&watch, 0);
    make_send(request, sizeof(request), arg[1], "\"brief\":true");
    next = tool_now_s();
    for (size_t i = 0; i < count; i++) {
        double start;

        while ((start = tool_now_s()) < next) {
            usleep((useconds_t)((next - start) * 1e6) + 1);
        }
        tool_control_ask(&send, request);
        hear_accepted(&watch, &used,
                      tool_number_after(send.line, "\"number\":"));
        ms[i] = (tool_now_s() - start) * 1e3;
        next += 1.0 / RATE;
    }
    tool_sort(ms, count);
    printf("{\"bench\":\"node_single\",\"per_s\":%d,\"p50_ms\":%.3f,"
           "\"p99_ms\":%.3f}\n",
           RATE, ms[count / 2], ms[count * 99 / 100]);
    return 0;
}

/* ------------------------------------------------------------------- flood */

struct flood {
    const char *control;
    char **threads;
    size_t threads_len;
    uint64_t count;
    _Atomic uint64_t next;
};

struct writer {
    struct flood *flood;
    pthread_t thread;
    struct tool_control c;
    char lines[PIPE * (TEXT + 512)];
};

/* Send as many as may be under way, and wait for all of them. */
static void *
write_some(void *arg)
{
    struct writer *w = arg;
    struct flood *f = w->flood;
    const size_t cap = sizeof(w->lines);
    char *lines = w->lines;
    uint64_t first;

    while ((first = atomic_fetch_add(&f->next, PIPE)) < f->count) {
        size_t len = 0;
        size_t used = 0;

        for (uint64_t i = first; i < first + PIPE; i++) {
            len += make_send(lines + len, cap - len,
                             f->threads[i % f->threads_len], "\"brief\":true");
        }
        tool_control_write(&w->c, lines, len);
        for (size_t i = 0; i < PIPE; i++) {
            used = tool_control_hear(&w->c, used);
            tool_control_must_be_ok(&w->c);
        }
        ASSERT(used == w->c.have);
        w->c.have = 0;
    }
    return NULL;
}

struct figures {
    uint64_t messages; /* of all conversations together */
    uint64_t commits;
    uint64_t used; /* without the pages that are free again */
};

static struct figures
figures_of(struct tool_control *c)
{
    struct figures f;

    tool_control_ask(c, "{\"do\":\"status\",\"args\":[],\"flags\":{}}\n");
    f.messages = tool_number_after(c->line, "\"messages\":");
    f.commits = tool_number_after(c->line, "\"commits\":");
    f.used = tool_number_after(c->line, "\"used_bytes\":") -
             tool_number_after(c->line, "\"free_bytes\":");
    return f;
}

static int
run_flood(char **arg, int argc)
{
    static struct writer writers[WRITERS];
    static struct tool_control a;
    static struct tool_control b;
    struct flood f = {.control = arg[0],
                      .count = strtoull(arg[4], NULL, 10) / PIPE * PIPE,
                      .threads = arg + 5,
                      .threads_len = (size_t)argc - 5};
    double cpu[2];
    double start;
    double took;
    struct figures fig[4];
    double n = (double)f.count;

    tool_control_open(&a, arg[0]);
    tool_control_open(&b, arg[1]);
    fig[0] = figures_of(&a);
    fig[1] = figures_of(&b);
    cpu[0] = tool_cpu_s(arg[2]);
    cpu[1] = tool_cpu_s(arg[3]);
    start = tool_now_s();
    for (size_t i = 0; i < WRITERS; i++) {
        writers[i].flood = &f;
        tool_control_open(&writers[i].c, arg[0]);
        ASSERT(pthread_create(&writers[i].thread, NULL, write_some,
                              &writers[i]) == 0);
    }
    for (size_t i = 0; i < WRITERS; i++) {
        pthread_join(writers[i].thread, NULL);
        close(writers[i].c.fd);
    }
    while (figures_of(&b).messages < fig[1].messages + f.count) {
        usleep(1000);
    }
    took = tool_now_s() - start;
    fig[2] = figures_of(&a);
    fig[3] = figures_of(&b);
    printf("{\"bench\":\"node_sustained\",\"messages\":%.0f,\"per_s\":%.0f,"
           "\"cpu_us_a\":%.1f,\"cpu_us_b\":%.1f,\"disk_bytes_a\":%.0f,"
           "\"disk_bytes_b\":%.0f,\"commits_a\":%.3f,\"commits_b\":%.3f}\n",
           n, n / took, (tool_cpu_s(arg[2]) - cpu[0]) / n * 1e6,
           (tool_cpu_s(arg[3]) - cpu[1]) / n * 1e6,
           (double)(fig[2].used - fig[0].used) / n,
           (double)(fig[3].used - fig[1].used) / n,
           (double)(fig[2].commits - fig[0].commits) / n,
           (double)(fig[3].commits - fig[1].commits) / n);
    return 0;
}

/* ------------------------------------------------------------------- start */

static int
run_start(char **arg)
{
    static struct tool_control c;
    double start = tool_now_s();
    pid_t child = fork();

    ASSERT(child >= 0);
    if (child == 0) {
        arg[2] = arg[0];
        execv(arg[0], arg + 2);
        _exit(127);
    }
    while ((c.fd = tool_control_try(arg[1])) < 0) {
        usleep(200);
    }
    tool_control_ask(&c, "{\"do\":\"status\",\"args\":[],\"flags\":{}}\n");
    printf("{\"bench\":\"node_start\",\"ms\":%.1f}\n",
           (tool_now_s() - start) * 1e3);
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    return 0;
}

int
main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc == 5 && strcmp(argv[1], "single") == 0) {
        return run_single(argv + 2);
    }
    if (argc >= 8 && strcmp(argv[1], "flood") == 0) {
        return run_flood(argv + 2, argc - 2);
    }
    if (argc >= 5 && strcmp(argv[1], "start") == 0) {
        return run_start(argv + 2);
    }
    fprintf(stderr, "usage: see tools/bench/node_bench_main.c\n");
    return 2;
}
