/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crowd-bench: what very many peers cost a running node.
 *
 *     crowd-bench clinics CONTROL PID COUNT
 *         COUNT clinics connect by one-time links and stay, idle
 *     crowd-bench devices CONTROL PID COUNT CONNECTED
 *         COUNT patients' devices enrol by invitations; CONNECTED of them stay
 *
 * They speak the real protocol over real connections (crowd.h).  Prints a JSON
 * line with the node's private memory before, and for each that stays.
 */
#include "tools/bench/crowd.h"

#include "crypto/prim/init.h"
#include "proto/base/assert.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    AT_ONCE = 16, /* that join at the same time */
    LINE = 1 << 16,
    QUIET_S = 60 /* before memory is looked at: they have all said that they
                     are still here */
};

static double
now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Private memory of a process in KiB; LMDB's page cache apart. */
static double
private_kib(const char *pid)
{
    char path[64];
    char line[512];
    bool counts = true;
    double sum = 0;
    double kb;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%s/smaps", pid);
    f = fopen(path, "r");
    ASSERT(f != NULL);
    while (fgets(line, sizeof(line), f) != NULL) {
        if (strchr("0123456789abcdef", line[0]) != NULL) {
            counts = strstr(line, "/data.mdb") == NULL; /* a mapping begins */
        } else if (counts && (sscanf(line, "Private_Clean: %lf", &kb) == 1 ||
                              sscanf(line, "Private_Dirty: %lf", &kb) == 1)) {
            sum += kb;
        }
    }
    fclose(f);
    return sum;
}

/* ---------------------------------------------------------- control socket */

static int
control_open(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ASSERT(fd >= 0 && strlen(path) < sizeof(addr.sun_path));
    memcpy(addr.sun_path, path, strlen(path));
    if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0) {
        fprintf(stderr, "crowd-bench: no node answers at %s\n", path);
        exit(1);
    }
    return fd;
}

/* Ask for a link and take it out of the answer. */
static void
get_link(int fd, bool device, size_t number, char link[PROTO_LINK_TEXT_MAX])
{
    static char line[LINE];
    char request[256];
    size_t have = 0;
    const char *at;
    int n = device ? snprintf(request, sizeof(request),
                              "{\"do\":\"invite\",\"args\":[\"Patient %zu\"],"
                              "\"flags\":{}}\n",
                              number)
                   : snprintf(request, sizeof(request),
                              "{\"do\":\"link create\",\"args\":[],\"flags\":"
                              "{\"one-time\":true}}\n");

    ASSERT(write(fd, request, (size_t)n) == n);
    while (have == 0 || line[have - 1] != '\n') {
        ssize_t got = read(fd, line + have, LINE - 1 - have);

        ASSERT(got > 0);
        have += (size_t)got;
    }
    line[have] = '\0';
    at = strstr(line, "\"link\":\"");
    if (at == NULL) {
        fprintf(stderr, "crowd-bench: %.300s\n", line);
        exit(1);
    }
    at += strlen("\"link\":\"");
    n = (int)strcspn(at, "\"");
    ASSERT(n < PROTO_LINK_TEXT_MAX);
    memcpy(link, at, (size_t)n);
    link[n] = '\0';
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
join_all(struct tool_crowd *c, int control, bool device, size_t count,
         size_t stay)
{
    struct tool_member *joining[AT_ONCE];
    struct tool_member *m;
    size_t begun = 0;
    size_t joined = 0;
    size_t len = 0;

    while (joined < count) {
        while (len < AT_ONCE && begun < count) {
            char link[PROTO_LINK_TEXT_MAX];

            get_link(control, device, begun++, link);
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

int
main(int argc, char **argv)
{
    struct rlimit files;
    struct tool_crowd crowd;
    bool device = argc == 6 && strcmp(argv[1], "devices") == 0;
    size_t count;
    size_t stay;
    double before;
    double after;
    double start = now_s();
    double took;
    int control;

    if (!device && !(argc == 5 && strcmp(argv[1], "clinics") == 0)) {
        fprintf(stderr, "usage: see tools/bench/crowd_bench_main.c\n");
        return 2;
    }
    ASSERT(prim_init() == OK && getrlimit(RLIMIT_NOFILE, &files) == 0);
    files.rlim_cur = files.rlim_max;
    ASSERT(setrlimit(RLIMIT_NOFILE, &files) == 0);
    signal(SIGPIPE, SIG_IGN);
    count = strtoull(argv[4], NULL, 10);
    stay = device ? strtoull(argv[5], NULL, 10) : count;
    ASSERT(stay > 0 && stay <= count);
    control = control_open(argv[2]);
    tool_crowd_open(&crowd);
    before = private_kib(argv[3]);
    join_all(&crowd, control, device, count, stay);
    took = now_s() - start;
    for (double until = now_s() + QUIET_S; now_s() < until;) {
        tool_crowd_turn(&crowd, 10);
    }
    after = private_kib(argv[3]);
    printf("{\"bench\":\"%s\",\"joined\":%zu,\"connected\":%zu,\"joined_s\":"
           "%.1f,\"before_kib\":%.0f,\"private_kib\":%.0f,\"kib_each\":%.1f}\n",
           device ? "node_devices" : "node_peers", count, stay, took, before,
           after, (after - before) / (double)stay);
    tool_crowd_close(&crowd);
    close(control);
    return 0;
}
