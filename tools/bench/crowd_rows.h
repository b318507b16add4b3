/* SPDX-License-Identifier: Apache-2.0 */
/* The records of one member of a crowd, in key order. */
#ifndef TOOLS_BENCH_CROWD_ROWS_H
#define TOOLS_BENCH_CROWD_ROWS_H

#include "federation/core/core.h"

struct tool_row {
    enum fed_ns ns;
    struct bytes key;
    struct bytes value;
};

struct tool_rows {
    struct tool_row *at;
    size_t len;
    size_t cap;
};

/* As the core reads them. */
struct fed_store tool_rows_store(struct tool_rows *rows);
/* All writes of a batch. */
void tool_rows_write(struct tool_rows *rows, const struct fed_batch *batch);
void tool_rows_clear(struct tool_rows *rows);

#endif
