/* SPDX-License-Identifier: Apache-2.0 */
/* How far long work is: a bar on a terminal, nothing elsewhere. */
#ifndef TOOLS_CLI_PROGRESS_H
#define TOOLS_CLI_PROGRESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Whether anybody would see it. */
bool tool_progress_seen(void);
void tool_progress_draw(uint64_t done, uint64_t total);
/* A line of the node: {"done": n, "total": n}. */
void tool_progress_line(const json_t *line);

#endif
