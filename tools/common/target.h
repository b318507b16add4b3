/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that a command is to write: a new one that only its owner reads, so
 * that nothing is overwritten; or "-", standard output.
 */
#ifndef TOOLS_COMMON_TARGET_H
#define TOOLS_COMMON_TARGET_H

#include "tools/common/say.h"

#include <stdbool.h>

struct tool_target {
    const char *path; /* borrowed; NULL: none is open */
    int fd;           /* to be written, from its beginning */
    bool unnamed;     /* it has no name before it is whole */
};

/* "-": standard output. */
bool tool_target_is_out(const char *path);

/* What it cannot be is said. */
enum tool_exit tool_target_open(const char *path, struct tool_target *out);

/* Keep what was written, or, unless code is OK, leave nothing behind.  Returns
   code, or that it could not be kept. */
enum tool_exit tool_target_close(struct tool_target *t, enum tool_exit code);

#endif
