/* SPDX-License-Identifier: Apache-2.0 */
/* What our programs say and ask at a terminal, and what they end with. */
#ifndef TOOLS_COMMON_SAY_H
#define TOOLS_COMMON_SAY_H

#include "proto/base/bytes.h"
#include "tools/common/args.h"

#include <jansson.h>

/* What the program ends with. */
enum tool_exit {
    TOOL_EXIT_OK = 0,
    TOOL_EXIT_FAILED = 1,
    TOOL_EXIT_USAGE = 2,
    TOOL_EXIT_WAITS = 3,   /* asked for; it is not so yet */
    TOOL_EXIT_NOT_UP = 4,  /* the node does not run */
    TOOL_EXIT_DECLINED = 5 /* the person said no */
};

/* Say on standard error what is wrong and what to do; returns code. */
enum tool_exit tool_say(enum tool_exit code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The command `help` of both programs. */
enum tool_exit tool_say_help(const struct tool_args *args);

/* Print an answer as JSON. */
void tool_print_json(const json_t *answer);

/* Whether a person at the terminal says yes to question. */
bool tool_confirm(const char *question);

/* All of a stream, without one newline at its end. */
MUST_CHECK enum err tool_read_all(int fd, struct bytes *out);

/* Before anything is made: whether the files of --png, --svg and --pdf can be
   written where they are to be; what is there stays as it is. */
enum tool_exit tool_files_first(const struct tool_args *args);

/* The QR code of a link as the flags --qr, --png and --svg ask. */
enum tool_exit tool_show_qr(const struct tool_args *args, const char *text,
                            bool on_terminal);

/*
 * First of all.  Secrets pass through here: no core dump, no tracing by others.
 * And what is closed of standard input and output leads nowhere, so that no
 * file or socket of ours takes its place.
 */
void tool_begin(void);

/* Last of all: code, unless what was printed did not reach where it was to
   go; then that is said. */
enum tool_exit tool_end(enum tool_exit code);

#endif
