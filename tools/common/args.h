/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command line, read by a table of commands.  Flags may
 * stand anywhere; `--` ends them.  Views point into argv.
 */
#ifndef TOOLS_COMMON_ARGS_H
#define TOOLS_COMMON_ARGS_H

#include "proto/base/err.h"
#include "tools/common/table.h"

enum {
    TOOL_ARGS_MAX = 16,
    TOOL_GIVEN_MAX = 64,
    TOOL_PROBLEM_MAX = 256
};

struct tool_given {
    const char *name;  /* of the flag, from the table */
    const char *value; /* NULL for a flag without one */
};

struct tool_args {
    const struct tool_table *table;
    const struct tool_command *command;
    const char *arg[TOOL_ARGS_MAX];
    size_t arg_len;
    struct tool_given given[TOOL_GIVEN_MAX];
    size_t given_len;
};

/*
 * Read argv[1] on.  With --help anywhere, arguments may be missing.
 *
 * ERR_MISSING  no command was given
 * ERR_INVALID  a mistake; problem_out is a sentence saying what to write
 */
MUST_CHECK enum err tool_args_read(const struct tool_table *table, int argc,
                                   const char *const *argv,
                                   struct tool_args *out,
                                   char problem_out[TOOL_PROBLEM_MAX]);

/* Whether a flag was given. */
bool tool_args_has(const struct tool_args *a, const char *flag);

/* The value of a flag (the last, if it repeats), or otherwise. */
const char *tool_args_value(const struct tool_args *a, const char *flag,
                            const char *otherwise);

/* The n-th value of a repeating flag, from 0; NULL past the last. */
const char *tool_args_nth(const struct tool_args *a, const char *flag,
                          size_t n);

#endif
