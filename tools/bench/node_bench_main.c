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
#include "proto/base/assert.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    WRITERS = 8,
    PIPE = 32, /* requests under way on each connection */
    LINE = 1 << 20,
    TEXT = 1024,
    RATE = 50,
    SINGLES_MAX = 10000
};

static double
now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---------------------------------------------------------- control socket */

struct control {
    int fd;
    size_t have; /* bytes in line after the ones given out */
    char line[LINE];
};

static int
try_connect(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ASSERT(fd >= 0 && strlen(path) < sizeof(addr.sun_path));
    memcpy(addr.sun_path, path, strlen(path));
    if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void
control_open(struct control *c, const char *path)
{
    c->fd = try_connect(path);
    c->have = 0;
    if (c->fd < 0) {
        fprintf(stderr, "node-bench: no node answers at %s\n", path);
        exit(1);
    }
}

static void
control_write(const struct control *c, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(c->fd, p, len);

        ASSERT(n > 0);
        p += n;
        len -= (size_t)n;
    }
}

static void
control_say(const struct control *c, const char *line)
{
    control_write(c, line, strlen(line));
}

/* The next line, NUL-terminated, in c->line; its length with the newline. */
static size_t
control_hear(struct control *c, size_t used)
{
    char *end;

    memmove(c->line, c->line + used, c->have - used);
    c->have -= used;
    while ((end = memchr(c->line, '\n', c->have)) == NULL) {
        ssize_t n = read(c->fd, c->line + c->have, LINE - c->have);

        if (n <= 0 || c->have + (size_t)n == LINE) {
            fprintf(stderr, "node-bench: the node went away\n");
            exit(1);
        }
        c->have += (size_t)n;
    }
    *end = '\0';
    return (size_t)(end - c->line) + 1;
}

static void
must_be_ok(const struct control *c)
{
    if (strstr(c->line, "\"ok\":true") == NULL) {
        fprintf(stderr, "node-bench: %.300s\n", c->line);
        exit(1);
    }
}

/* Ask and wait; the answer is in c->line. */
static void
control_ask(struct control *c, const char *request)
{
    control_say(c, request);
    c->have = 0;
    (void)control_hear(c, 0);
    must_be_ok(c);
    c->have = 0;
}

static uint64_t
number_after(const char *text, const char *key)
{
    const char *at = strstr(text, key);

    return at == NULL ? 0 : strtoull(at + strlen(key), NULL, 10);
}

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

static int
by_size(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;

    return (*x > *y) - (*x < *y);
}

/* Until the node says that our message number in its thread is accepted. */
static void
hear_accepted(struct control *watch, size_t *used, uint64_t number)
{
    for (;;) {
        *used = control_hear(watch, *used);
        if (strstr(watch->line, "\"event\":\"state\"") != NULL &&
            number_after(watch->line, "\"n\":") == number) {
            return;
        }
    }
}

static int
run_single(char **arg)
{
    static struct control send;
    static struct control watch;
    static double ms[SINGLES_MAX];
    char request[TEXT + 512];
    size_t count = strtoull(arg[2], NULL, 10);
    size_t used;
    double next;

    ASSERT(count > 0 && count <= SINGLES_MAX);
    control_open(&send, arg[0]);
    control_open(&watch, arg[0]);
    control_say(&watch, "{\"do\":\"watch\",\"args\":[],\"flags\":{}}\n");
    used = control_hear(&watch, 0);
    make_send(request, sizeof(request), arg[1], "\"brief\":true");
    next = now_s();
    for (size_t i = 0; i < count; i++) {
        double start;

        while ((start = now_s()) < next) {
            usleep((useconds_t)((next - start) * 1e6) + 1);
        }
        control_ask(&send, request);
        hear_accepted(&watch, &used, number_after(send.line, "\"number\":"));
        ms[i] = (now_s() - start) * 1e3;
        next += 1.0 / RATE;
    }
    qsort(ms, count, sizeof(ms[0]), by_size);
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
    struct control c;
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
        control_write(&w->c, lines, len);
        for (size_t i = 0; i < PIPE; i++) {
            used = control_hear(&w->c, used);
            must_be_ok(&w->c);
        }
        ASSERT(used == w->c.have);
        w->c.have = 0;
    }
    return NULL;
}

static double
cpu_s(const char *pid)
{
    char path[64];
    char text[1024];
    unsigned long user = 0;
    unsigned long kernel = 0;
    FILE *f;
    size_t n;
    const char *at;

    snprintf(path, sizeof(path), "/proc/%s/stat", pid);
    f = fopen(path, "r");
    ASSERT(f != NULL);
    n = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    text[n] = '\0';
    at = strrchr(text, ')');
    ASSERT(at != NULL &&
           sscanf(at + 1,
                  " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                  &kernel) == 2);
    return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

struct figures {
    uint64_t messages; /* of all conversations together */
    uint64_t commits;
    uint64_t used; /* without the pages that are free again */
};

static struct figures
figures_of(struct control *c)
{
    struct figures f;

    control_ask(c, "{\"do\":\"status\",\"args\":[],\"flags\":{}}\n");
    f.messages = number_after(c->line, "\"messages\":");
    f.commits = number_after(c->line, "\"commits\":");
    f.used = number_after(c->line, "\"used_bytes\":") -
             number_after(c->line, "\"free_bytes\":");
    return f;
}

static int
run_flood(char **arg, int argc)
{
    static struct writer writers[WRITERS];
    static struct control a;
    static struct control b;
    struct flood f = {.control = arg[0],
                      .count = strtoull(arg[4], NULL, 10) / PIPE * PIPE,
                      .threads = arg + 5,
                      .threads_len = (size_t)argc - 5};
    double cpu[2];
    double start;
    double took;
    struct figures fig[4];
    double n = (double)f.count;

    control_open(&a, arg[0]);
    control_open(&b, arg[1]);
    fig[0] = figures_of(&a);
    fig[1] = figures_of(&b);
    cpu[0] = cpu_s(arg[2]);
    cpu[1] = cpu_s(arg[3]);
    start = now_s();
    for (size_t i = 0; i < WRITERS; i++) {
        writers[i].flood = &f;
        control_open(&writers[i].c, arg[0]);
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
    took = now_s() - start;
    fig[2] = figures_of(&a);
    fig[3] = figures_of(&b);
    printf("{\"bench\":\"node_sustained\",\"messages\":%.0f,\"per_s\":%.0f,"
           "\"cpu_us_a\":%.1f,\"cpu_us_b\":%.1f,\"disk_bytes_a\":%.0f,"
           "\"disk_bytes_b\":%.0f,\"commits_a\":%.3f,\"commits_b\":%.3f}\n",
           n, n / took, (cpu_s(arg[2]) - cpu[0]) / n * 1e6,
           (cpu_s(arg[3]) - cpu[1]) / n * 1e6,
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
    static struct control c;
    double start = now_s();
    pid_t child = fork();

    ASSERT(child >= 0);
    if (child == 0) {
        arg[2] = arg[0];
        execv(arg[0], arg + 2);
        _exit(127);
    }
    while ((c.fd = try_connect(arg[1])) < 0) {
        usleep(200);
    }
    control_ask(&c, "{\"do\":\"status\",\"args\":[],\"flags\":{}}\n");
    printf("{\"bench\":\"node_start\",\"ms\":%.1f}\n", (now_s() - start) * 1e3);
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
