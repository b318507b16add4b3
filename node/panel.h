/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A clinic's list of patients to invite, as a table in a text file (CSV, RFC
 * 4180): one line a patient, the first line names the columns.
 *
 *     name,phone,email,birth,purpose
 *     Ann Miller,+1 555 0100,,1980-02-29,asthma plan
 *
 * "name" is needed, the others may be missing or empty; a semicolon or a tab
 * separates as well.  What is wrong is reported for every line, so that one
 * reading is enough to mend the file.
 *
 * Pure; any thread.
 */
#ifndef NODE_PANEL_H
#define NODE_PANEL_H

#include "proto/base/bytes.h"

enum {
    NODE_PANEL_ROWS = 1000, /* patients in one file */
    NODE_PANEL_BYTES = 1024 * 1024
};

/* One patient; views into the panel, without spaces around. */
struct node_panel_row {
    uint32_t line; /* of the file, from 1 */
    struct view name;
    struct view phone;
    struct view email;
    struct view birth;
    struct view purpose;
};

struct node_panel {
    const struct mem *mem;
    struct bytes text;
    struct node_panel_row *rows; /* rows_cap of them are owned */
    size_t rows_len;
    size_t rows_cap;
};

/* Wipes. */
void node_panel_clear(struct node_panel *p);

/* Told of each line that is wrong: what, in a sentence. */
struct node_panel_wrong {
    void (*say)(void *ctx, uint32_t line, const char *what);
    void *ctx;
};

/*
 * ERR_INVALID  something is wrong and was said; *out has the other lines, so
 *              that more can be said about them
 * ERR_LIMIT    more than NODE_PANEL_ROWS or NODE_PANEL_BYTES
 */
MUST_CHECK enum err node_panel_read(const struct mem *mem, struct view csv,
                                    uint64_t now_ms,
                                    const struct node_panel_wrong *wrong,
                                    struct node_panel *out);

/*
 * What is wrong with one row, or NULL; fields are as a person typed them.
 * The same rules hold for an invitation that is not from a file.
 */
const char *node_panel_judge(const struct node_panel_row *row, uint64_t now_ms);

#endif
