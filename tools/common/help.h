/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of commands as text: help, man page (mdoc) and bash completion.
 */
#ifndef TOOLS_COMMON_HELP_H
#define TOOLS_COMMON_HELP_H

#include "tools/common/table.h"

#include <stdio.h>

/* All commands, a line each. */
void tool_help_all(const struct tool_table *t, FILE *to);

/* One command: usage, what it does, its flags. */
void tool_help_command(const struct tool_table *t, FILE *to,
                       const struct tool_command *c);

/* What `help WORD...` asks for: all of them, one, or those that begin with that
   word.  False: there is no such command, and nothing was printed. */
bool tool_help_for(const struct tool_table *t, FILE *to,
                   const char *const *words, size_t len);

/* Its page of section 1, in mdoc(7). */
void tool_help_man(const struct tool_table *t, FILE *to);

/* A script to be sourced by bash. */
void tool_help_completion(const struct tool_table *t, FILE *to);

#endif
