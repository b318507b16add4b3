/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/bench/crowd_fan.h"

#include "proto/base/assert.h"
#include "proto/base/id.h"
#include "tools/bench/floor_tls.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    TEXT = 1024,
    REQUEST = 4096,
    WARM = 20,
    WAIT_S = 60,
    LATE_MS = 10, /* in which the last acknowledgements come */
    COUNT_MAX = 2000,
    MEMBERS_MAX = 64,
    FRAMES = 5000
};

/* ------------------------------------------------------------------ messages
 */

static void
turn_until(struct tool_crowd *c,
           bool (*done)(const struct tool_crowd *c, const void *what),
           const void *what)
{
    double end = tool_now_s() + WAIT_S;

    while (!done(c, what)) {
        if (tool_now_s() > end) {
            fprintf(stderr, "crowd-bench: it does not arrive\n");
            exit(1);
        }
        tool_crowd_turn(c, 5);
    }
}

static bool
are_in(const struct tool_crowd *c, const void *what)
{
    const size_t *len = what;

    for (size_t i = 0; i < *len; i++) {
        struct tool_member *m = c->members[i];
        struct fed_thread_info t;

        if (fed_core_thread(m->core, &m->group, &t) != OK ||
            t.state != FED_THREAD_ACTIVE) {
            return false;
        }
    }
    return true;
}

static bool
all_told(const struct tool_crowd *c, const void *what)
{
    const uint64_t *want = what;
    uint64_t sum = 0;

    for (size_t i = 0; i < c->len; i++) {
        sum += c->members[i]->messages;
    }
    return sum >= *want;
}

/* Until a frame has come to each of the first members of the crowd; nothing is
   read yet. */
static void
wait_for_frames(const struct tool_crowd *c, size_t members)
{
    struct pollfd fds[MEMBERS_MAX];
    double end = tool_now_s() + WAIT_S;
    size_t left = members;

    ASSERT(members <= MEMBERS_MAX);
    for (size_t i = 0; i < members; i++) {
        fds[i] = (struct pollfd){.fd = c->members[i]->fd, .events = POLLIN};
    }
    while (left > 0 && tool_now_s() < end) {
        (void)poll(fds, members, 1000);
        for (size_t i = 0; i < members; i++) {
            if (fds[i].fd >= 0 && fds[i].revents != 0) {
                fds[i].fd = -1;
                left--;
            }
        }
    }
}

/* Messages to the first members of the crowd. */
static struct tool_fan_cost
say(struct tool_crowd *c, struct tool_control *control, const char *pid,
    const char *thread, size_t members, size_t count)
{
    static double ms[COUNT_MAX];
    char request[REQUEST];
    double cpu = tool_cpu_s(pid);
    uint64_t want = 0;
    int n = snprintf(request, sizeof(request),
                     "{\"do\":\"send\",\"args\":[\"%s\",\"", thread);

    ASSERT(count <= COUNT_MAX);
    memset(request + n, 'x', TEXT);
    snprintf(request + n + TEXT, sizeof(request) - (size_t)n - TEXT,
             "\"],\"flags\":{\"brief\":true}}\n");
    for (size_t i = 0; i < c->len; i++) {
        want += c->members[i]->messages;
    }
    for (size_t i = 0; i < count; i++) {
        double start = tool_now_s();

        tool_control_write(control, request, strlen(request));
        wait_for_frames(c, members);
        ms[i] = (tool_now_s() - start) * 1e3;
        (void)tool_control_hear(control, 0);
        tool_control_must_be_ok(control);
        control->have = 0;
        want += members;
        turn_until(c, all_told, &want);
        for (double late = tool_now_s() + LATE_MS / 1e3; tool_now_s() < late;) {
            tool_crowd_turn(c, 1);
        }
    }
    tool_sort(ms, count);
    return (struct tool_fan_cost){.p50_ms = ms[count / 2],
                                  .cpu_us = (tool_cpu_s(pid) - cpu) /
                                            (double)count * 1e6};
}

static void
ask_with(struct tool_control *control, const char *what, const char *thread,
         const struct tool_member *m)
{
    char request[REQUEST];
    char hex[PROTO_HEX_MAX + 1];

    proto_hex(VIEW_ARRAY(m->root.pub), hex);
    snprintf(request, sizeof(request),
             "{\"do\":\"%s\",\"args\":[%s%s%s\"%s\"],\"flags\":{}}\n", what,
             thread == NULL ? "" : "\"", thread == NULL ? "" : thread,
             thread == NULL ? "" : "\",", hex);
    tool_control_ask(control, request);
}

/* A thread of the node and all of them; its id at the node's desk. */
static void
thread_of_all(struct tool_crowd *c, struct tool_control *control,
              char out[PROTO_HEX_MAX + 1])
{
    size_t in = 1;

    ask_with(control, "thread new", NULL, c->members[0]);
    tool_word_after(control->line, "\"id\":\"", out, PROTO_HEX_MAX + 1);
    turn_until(c, are_in, &in);
    while (in < c->len) {
        ask_with(control, "thread add", out, c->members[in++]);
        turn_until(c, are_in, &in);
    }
}

/* The conversation with one of them; its id at the node's desk. */
static void
thread_of_one(const struct tool_member *m, struct tool_control *control,
              char out[PROTO_HEX_MAX + 1])
{
    char hex[PROTO_HEX_MAX + 1];
    const char *at;

    tool_control_ask(control,
                     "{\"do\":\"clinics\",\"args\":[],\"flags\":{}}\n");
    proto_hex(VIEW_ARRAY(m->root.pub), hex);
    at = strstr(control->line, hex);
    ASSERT(at != NULL);
    tool_word_after(at, "\"thread\":\"", out, PROTO_HEX_MAX + 1);
}

/* --------------------------------------------------------------------- frame
 */

static void
tcp_pair(int out[2])
{
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(sa);
    int one = 1;
    int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ASSERT(l >= 0 && bind(l, (struct sockaddr *)&sa, sizeof(sa)) == 0 &&
           listen(l, 1) == 0 &&
           getsockname(l, (struct sockaddr *)&sa, &len) == 0);
    out[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT(out[0] >= 0 &&
           connect(out[0], (struct sockaddr *)&sa, sizeof(sa)) == 0);
    out[1] = accept(l, NULL, NULL);
    ASSERT(out[1] >= 0);
    setsockopt(out[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    close(l);
}

static void *
read_all(void *arg)
{
    static uint8_t buf[65536];
    struct floor_tls *t = tool_floor_tls_open(*(const int *)arg, 1);

    while (tool_floor_tls_read(t, buf, sizeof(buf)) > 0) {
    }
    tool_floor_tls_close(t);
    return NULL;
}

static double
thread_cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* CPU time to write one frame of this length, us. */
static double
frame_us(size_t len)
{
    struct bytes frame = {0};
    struct floor_tls *t;
    pthread_t reader;
    double cpu;
    int fds[2];

    ASSERT(bytes_alloc(mem_heap(), len, &frame) == OK);
    memset(frame.p, 'x', len);
    tcp_pair(fds);
    ASSERT(pthread_create(&reader, NULL, read_all, &fds[1]) == 0);
    t = tool_floor_tls_open(fds[0], 0);
    cpu = thread_cpu_s();
    for (size_t i = 0; i < FRAMES; i++) {
        tool_floor_tls_write(t, frame.p, len);
    }
    cpu = thread_cpu_s() - cpu;
    tool_floor_tls_shut(t);
    pthread_join(reader, NULL);
    tool_floor_tls_close(t);
    bytes_free(&frame);
    return cpu / FRAMES * 1e6;
}

void
tool_crowd_fan(struct tool_crowd *c, struct tool_control *control,
               const char *pid, size_t count, struct tool_fan *out)
{
    char one[PROTO_HEX_MAX + 1];
    char all[PROTO_HEX_MAX + 1];

    thread_of_one(c->members[0], control, one);
    (void)say(c, control, pid, one, 1, WARM);
    out->one = say(c, control, pid, one, 1, count);
    thread_of_all(c, control, all);
    (void)say(c, control, pid, all, c->len, WARM);
    for (size_t i = 0; i < c->len; i++) {
        c->members[i]->frame_max = 0; /* of joining */
    }
    out->fan = say(c, control, pid, all, c->len, count);
    out->frame_len = c->members[0]->frame_max;
    out->frame_us = frame_us(out->frame_len);
}
