/* SPDX-License-Identifier: Apache-2.0 */
/* What a function that shows JSON to people prints. */
#ifndef TESTS_TOOLS_CLI_PRINTED_H
#define TESTS_TOOLS_CLI_PRINTED_H

#include "tests/support/check.h"

#include <jansson.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static char text[4096];

/* What show prints of this JSON; it is in text until the next time. */
static inline const char *
printed(void (*show)(const json_t *), const char *json)
{
    int fd = memfd_create("said", MFD_CLOEXEC);
    int out = dup(STDOUT_FILENO);
    json_t *o = json_loads(json, 0, NULL);
    ssize_t n;

    CHECK(fd >= 0 && out >= 0 && o != NULL);
    (void)fflush(stdout);
    CHECK(dup2(fd, STDOUT_FILENO) >= 0);
    show(o);
    (void)fflush(stdout);
    CHECK(dup2(out, STDOUT_FILENO) >= 0);
    n = pread(fd, text, sizeof(text) - 1, 0);
    CHECK(n >= 0);
    text[n] = '\0';
    (void)close(out);
    (void)close(fd);
    json_decref(o);
    return text;
}

#endif
