/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/bench/control.h"

#include "proto/base/assert.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* ------------------------------------------------------------------- control
 */

int
tool_control_try(const char *path)
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

void
tool_control_open(struct tool_control *c, const char *path)
{
    c->fd = tool_control_try(path);
    c->have = 0;
    if (c->fd < 0) {
        fprintf(stderr, "bench: no node answers at %s\n", path);
        exit(1);
    }
}

void
tool_control_write(const struct tool_control *c, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(c->fd, p, len);

        ASSERT(n > 0);
        p += n;
        len -= (size_t)n;
    }
}

size_t
tool_control_hear(struct tool_control *c, size_t used)
{
    char *end;

    memmove(c->line, c->line + used, c->have - used);
    c->have -= used;
    while ((end = memchr(c->line, '\n', c->have)) == NULL) {
        ssize_t n = read(c->fd, c->line + c->have, TOOL_CONTROL_LINE - c->have);

        if (n <= 0 || c->have + (size_t)n == TOOL_CONTROL_LINE) {
            fprintf(stderr, "bench: the node went away\n");
            exit(1);
        }
        c->have += (size_t)n;
    }
    *end = '\0';
    return (size_t)(end - c->line) + 1;
}

void
tool_control_must_be_ok(const struct tool_control *c)
{
    if (strstr(c->line, "\"ok\":true") == NULL) {
        fprintf(stderr, "bench: %.300s\n", c->line);
        exit(1);
    }
}

void
tool_control_ask(struct tool_control *c, const char *request)
{
    tool_control_write(c, request, strlen(request));
    c->have = 0;
    (void)tool_control_hear(c, 0);
    tool_control_must_be_ok(c);
    c->have = 0;
}

uint64_t
tool_number_after(const char *text, const char *key)
{
    const char *at = strstr(text, key);

    return at == NULL ? 0 : strtoull(at + strlen(key), NULL, 10);
}

void
tool_word_after(const char *text, const char *key, char *out, size_t cap)
{
    const char *at = strstr(text, key);
    size_t len;

    ASSERT(at != NULL);
    at += strlen(key);
    len = strcspn(at, "\"");
    ASSERT(len < cap);
    memcpy(out, at, len);
    out[len] = '\0';
}

/* ------------------------------------------------------------------- process
 */

static int
by_size(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;

    return (*x > *y) - (*x < *y);
}

void
tool_sort(double *v, size_t len)
{
    qsort(v, len, sizeof(v[0]), by_size);
}

double
tool_now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
cpu_of(const char *pid, double *user_out, double *kernel_out)
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
    *user_out = (double)user / (double)sysconf(_SC_CLK_TCK);
    *kernel_out = (double)kernel / (double)sysconf(_SC_CLK_TCK);
}

double
tool_cpu_s(const char *pid)
{
    double user;
    double kernel;

    cpu_of(pid, &user, &kernel);
    return user + kernel;
}

double
tool_user_s(const char *pid)
{
    double user;
    double kernel;

    cpu_of(pid, &user, &kernel);
    return user;
}

double
tool_private_kib(const char *pid)
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
