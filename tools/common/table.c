/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/common/table.h"

#include <string.h>

const struct tool_command *
tool_command_named(const struct tool_table *table, const char *name)
{
    for (const struct tool_command *c = table->commands; c->name != NULL; c++) {
        if (strcmp(c->name, name) == 0) {
            return c;
        }
    }
    return NULL;
}
