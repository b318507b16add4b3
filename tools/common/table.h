/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program of ours can do: one table of commands and flags.  The parser,
 * the help, the man page and the shell completion all come from it.  Pure.
 */
#ifndef TOOLS_COMMON_TABLE_H
#define TOOLS_COMMON_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum {
    TOOL_FLAGS_MAX = 14 /* of one command */
};

struct tool_flag {
    const char *name;  /* "--label"; NULL ends the list */
    const char *value; /* "TEXT"; NULL: it takes none */
    const char *help;
    bool repeats;
};

struct tool_command {
    const char *name; /* one or two words: "link create" */
    const char *args; /* as shown: "THREAD [TEXT]" */
    unsigned args_min;
    unsigned args_max;
    const char *summary; /* a line */
    const char *details; /* sentences for help and man page, or NULL */
    struct tool_flag flags[TOOL_FLAGS_MAX + 1];
};

struct tool_table {
    const char *program; /* "balsam" */
    const char *about;   /* of the man page: "speak to this clinic's node" */
    const char *exits;   /* sentences of its EXIT STATUS */
    const char *also;    /* ".Xr balsamd 8" */
    const struct tool_command *commands; /* in the order of the help; the last
                                            has name NULL */
    const struct tool_flag *globals; /* that every command takes; likewise */
};

/* NULL when there is none of that name. */
const struct tool_command *tool_command_named(const struct tool_table *table,
                                              const char *name);

#endif
