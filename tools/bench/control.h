/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the benchmarks share: a connection to a running node's control socket
 * (lines of JSON), what a process costs, time.
 * Whatever goes wrong ends the process with a sentence.
 */
#ifndef TOOLS_BENCH_CONTROL_H
#define TOOLS_BENCH_CONTROL_H

#include <stddef.h>
#include <stdint.h>

enum {
    TOOL_CONTROL_LINE = 1 << 20
};

struct tool_control {
    int fd;
    size_t have; /* bytes in line after the ones given out */
    char line[TOOL_CONTROL_LINE];
};

/* -1: nobody answers there. */
int tool_control_try(const char *path);
void tool_control_open(struct tool_control *c, const char *path);
void tool_control_write(const struct tool_control *c, const char *p,
                        size_t len);
/* The next line after the first used bytes, NUL-terminated, in c->line; its
   length with the newline. */
size_t tool_control_hear(struct tool_control *c, size_t used);
/* The line in c->line says that it went well. */
void tool_control_must_be_ok(const struct tool_control *c);
/* Ask and wait until it went well; the answer is in c->line. */
void tool_control_ask(struct tool_control *c, const char *request);

/* The number right after key; 0: no such key. */
uint64_t tool_number_after(const char *text, const char *key);
/* The text between key and the next quote. */
void tool_word_after(const char *text, const char *key, char *out, size_t cap);

/* CPU time of a process, user and system; in steps of 10 ms. */
double tool_cpu_s(const char *pid);
/* Without what the kernel does for it, such as waiting for the disk. */
double tool_user_s(const char *pid);
/* Private memory of a process in KiB; LMDB's page cache apart. */
double tool_private_kib(const char *pid);

double tool_now_s(void);
/* Smallest first. */
void tool_sort(double *v, size_t len);

#endif
