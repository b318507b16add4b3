/* SPDX-License-Identifier: Apache-2.0 */
/* The recovery sheet as a page of text with a QR code. */
#ifndef TOOLS_CLI_SHEET_H
#define TOOLS_CLI_SHEET_H

#include "tools/cli/cmd.h"

#include <stdio.h>

struct tool_sheet {
    const char *name;   /* of the clinic */
    const char *clinic; /* its id, in hex */
    const char *words;  /* separated by blanks; secret */
    const char *code;   /* text of the QR code; secret */
};

/* Into a new file at path (mode 0600), or to screen when path is NULL. */
enum tool_exit tool_sheet_give(const char *path, FILE *screen,
                               const struct tool_sheet *sheet);

#endif
