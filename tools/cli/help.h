/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of commands.h as text: help, man page (mdoc) and bash completion.
 */
#ifndef TOOLS_CLI_HELP_H
#define TOOLS_CLI_HELP_H

#include "tools/cli/commands.h"

#include <stdio.h>

/* All commands, a line each. */
void tool_help_all(FILE *to);

/* One command: usage, what it does, its flags. */
void tool_help_command(FILE *to, const struct tool_command *c);

/* balsam(1) in mdoc(7). */
void tool_help_man(FILE *to);

/* A script to be sourced by bash. */
void tool_help_completion(FILE *to);

#endif
