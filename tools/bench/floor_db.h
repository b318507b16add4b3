/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor's own durable log: LMDB in its default, safe mode, one append key,
 * a batch a commit.  Used by floor_main.c only.  Ends the process on error.
 */
#ifndef TOOLS_BENCH_FLOOR_DB_H
#define TOOLS_BENCH_FLOOR_DB_H

#include "proto/base/bytes.h"

struct floor_db;

/* dir must exist and be empty. */
struct floor_db *tool_floor_db_open(const char *dir);

/* All n values under the next keys, in one durable commit. */
void tool_floor_db_commit(struct floor_db *db, const struct view *values,
                          size_t n);

/* Commits so far, each with its two flushes. */
uint64_t tool_floor_db_commits(const struct floor_db *db);

/* Size of the used part of the file in bytes. */
uint64_t tool_floor_db_size(const struct floor_db *db);

void tool_floor_db_close(struct floor_db *db);

#endif
