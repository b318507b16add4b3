/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `balsam` can do: one table of commands and flags.  The parser, the
 * help, the man page and the shell completion all come from it.  Pure.
 */
#ifndef TOOLS_CLI_COMMANDS_H
#define TOOLS_CLI_COMMANDS_H

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

/* All commands, in the order of the help; the last has name NULL. */
const struct tool_command *tool_commands(void);

/* Flags that every command takes; the last has name NULL. */
const struct tool_flag *tool_global_flags(void);

/* NULL when there is none of that name. */
const struct tool_command *tool_command_named(const char *name);

#endif
