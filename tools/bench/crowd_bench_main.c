/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crowd-bench: what very many peers cost a running node.
 *
 *     crowd-bench clinics CONTROL PID COUNT
 *         COUNT clinics connect by one-time links and stay, idle
 *     crowd-bench devices CONTROL PID COUNT CONNECTED
 *         COUNT patients' devices enrol by invitations; CONNECTED of them stay
 *     crowd-bench fan CONTROL PID OTHERS COUNT
 *         COUNT messages to one clinic, and to a thread with OTHERS of them
 *
 * They speak the real protocol over real connections (crowd.h).  Prints a JSON
 * line: the node's private memory before, and for each that stays, and its CPU
 * time for an answer to `inbox` with a few and with all; or its CPU time for
 * a message, and what writing the frame alone takes.
 */
#include "tools/bench/crowd_fan.h"

#include "crypto/prim/init.h"
#include "proto/base/assert.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    AT_ONCE = 16, /* that join at the same time */
    FEW = 100,
    INBOXES = 500,
    QUIET_S = 60 /* before memory is looked at: they have all said that they
                     are still here */
};

/* Ask for a link and take it out of the answer. */
static void
get_link(struct tool_control *control, bool device, size_t number,
         char link[PROTO_LINK_TEXT_MAX])
{
    char request[256];

    if (device) {
        snprintf(request, sizeof(request),
                 "{\"do\":\"invite\",\"args\":[\"Patient %zu\"],"
                 "\"flags\":{}}\n",
                 number);
    } else {
        snprintf(request, sizeof(request),
                 "{\"do\":\"link create\",\"args\":[],\"flags\":"
                 "{\"one-time\":true}}\n");
    }
    tool_control_ask(control, request);
    tool_word_after(control->line, "\"link\":\"", link, PROTO_LINK_TEXT_MAX);
}

/* --------------------------------------------------------------------- crowd
 */

/* One of those that join is in; forget it. */
static bool
take_joined(const struct tool_crowd *c, struct tool_member **joining,
            size_t *len, struct tool_member **out)
{
    for (size_t i = 0; i < *len; i++) {
        struct tool_member *m = joining[i];

        if (m->failed) {
            fprintf(stderr, "crowd-bench: one was refused\n");
            exit(1);
        }
        if (tool_member_in(c, m) && tool_member_up(c, m)) {
            *out = m;
            joining[i] = joining[--*len];
            return true;
        }
    }
    return false;
}

static void
join_all(struct tool_crowd *c, struct tool_control *control, bool device,
         size_t count, size_t stay)
{
    struct tool_member *joining[AT_ONCE];
    struct tool_member *m;
    size_t begun = 0;
    size_t joined = 0;
    size_t len = 0;

    while (joined < count) {
        while (len < AT_ONCE && begun < count) {
            begun++;
            char link[PROTO_LINK_TEXT_MAX];

            get_link(control, device, c->joined++, link);
            joining[len++] = tool_crowd_join(c, device, link);
        }
        tool_crowd_turn(c, 5);
        while (take_joined(c, joining, &len, &m)) {
            joined++;
            if (joined + stay <= count) {
                tool_crowd_leave(c, m);
            }
        }
    }
}

/* ---------------------------------------------------------------------- runs
 */

/* User time of the node for one answer to `inbox`, us: each has a commit of its
   own, for the trail of who saw what. */
static double
inbox_us(struct tool_control *control, const char *pid)
{
    double cpu = tool_user_s(pid);

    for (size_t i = 0; i < INBOXES; i++) {
        tool_control_ask(control,
                         "{\"do\":\"inbox\",\"args\":[],\"flags\":{}}\n");
    }
    return (tool_user_s(pid) - cpu) / INBOXES * 1e6;
}

/* What many that stay connected cost in memory; how much slower the inbox is
   with very many than with a few. */
static void
run_idle(struct tool_crowd *c, struct tool_control *control, const char *pid,
         bool device, size_t count, size_t stay)
{
    double before = tool_private_kib(pid);
    double start = tool_now_s();
    size_t few = count < FEW ? count : FEW;
    double few_us;
    double took;
    double after;

    join_all(c, control, device, few, few < stay ? few : stay);
    few_us = inbox_us(control, pid);
    if (count > few) {
        join_all(c, control, device, count - few, stay > few ? stay - few : 0);
    }
    took = tool_now_s() - start;
    for (double until = tool_now_s() + QUIET_S; tool_now_s() < until;) {
        tool_crowd_turn(c, 10);
    }
    after = tool_private_kib(pid);
    printf("{\"bench\":\"%s\",\"joined\":%zu,\"connected\":%zu,\"joined_s\":"
           "%.1f,\"before_kib\":%.0f,\"private_kib\":%.0f,\"kib_each\":%.1f,"
           "\"inbox_few_us\":%.1f,\"inbox_us\":%.1f}\n",
           device ? "node_devices" : "node_peers", count, stay, took, before,
           after, (after - before) / (double)stay, few_us,
           inbox_us(control, pid));
}

static void
run_fan(struct tool_crowd *c, struct tool_control *control, const char *pid,
        size_t others, size_t count)
{
    struct tool_fan fan;

    join_all(c, control, false, others, others);
    tool_crowd_fan(c, control, pid, count, &fan);
    printf("{\"bench\":\"node_fan\",\"members\":%zu,\"one_ms\":%.3f,"
           "\"fan_ms\":%.3f,\"cpu_one_us\":%.0f,\"cpu_fan_us\":%.0f,"
           "\"frame_bytes\":%zu,\"frame_us\":%.1f}\n",
           others + 1, fan.one.p50_ms, fan.fan.p50_ms, fan.one.cpu_us,
           fan.fan.cpu_us, fan.frame_len, fan.frame_us);
}

int
main(int argc, char **argv)
{
    static struct tool_control control;
    struct rlimit files;
    struct tool_crowd crowd;
    bool device = argc == 6 && strcmp(argv[1], "devices") == 0;
    bool fan = argc == 6 && strcmp(argv[1], "fan") == 0;
    size_t count;
    size_t last;

    if (!device && !fan && !(argc == 5 && strcmp(argv[1], "clinics") == 0)) {
        fprintf(stderr, "usage: see tools/bench/crowd_bench_main.c\n");
        return 2;
    }
    ASSERT(prim_init() == OK && getrlimit(RLIMIT_NOFILE, &files) == 0);
    files.rlim_cur = files.rlim_max;
    ASSERT(setrlimit(RLIMIT_NOFILE, &files) == 0);
    signal(SIGPIPE, SIG_IGN);
    count = strtoull(argv[4], NULL, 10);
    last = argc == 6 ? strtoull(argv[5], NULL, 10) : count;
    ASSERT(count > 0 && last > 0);
    tool_control_open(&control, argv[2]);
    tool_crowd_open(&crowd);
    if (fan) {
        run_fan(&crowd, &control, argv[3], count, last);
    } else {
        ASSERT(last <= count);
        run_idle(&crowd, &control, argv[3], device, count, last);
    }
    tool_crowd_close(&crowd);
    close(control.fd);
    return 0;
}
