/* SPDX-License-Identifier: Apache-2.0 */
/* What `balsam` can do. */
#ifndef TOOLS_CLI_COMMANDS_H
#define TOOLS_CLI_COMMANDS_H

#include "tools/common/table.h"

/* The table of `balsam`. */
const struct tool_table *tool_balsam(void);

#endif
