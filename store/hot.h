/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hot records: what many jobs of one transaction read and write again (a
 * conversation, its place in lists, the numbers of its messages) is held open
 * in memory, and sealed and written once, before the commit.
 *
 * Internal to store/; the writer's.  An aborted transaction drops it, so
 * nothing of it can be seen that is not committed.
 */
#ifndef STORE_HOT_H
#define STORE_HOT_H

#include "store/txn.h"

enum store_hot_state {
    STORE_HOT_CLEAN, /* as in the environment */
    STORE_HOT_PUT,
    STORE_HOT_DEL
};

struct store_hot_row {
    enum store_table t;
    enum store_hot_state state;
    struct bytes key;
    struct bytes value;
    uint8_t under[32]; /* the key that it is sealed under */
};

/* Empty: all zeros. */
struct store_hot {
    struct store_hot_row **at; /* open addressing */
    size_t cap;
    size_t len;
};

/* Whether records of a table are held. */
bool store_hot_has(enum store_table t);

/* NULL: not held. */
struct store_hot_row *store_hot_find(const struct store_hot *hot,
                                     enum store_table t, struct view key);

/* Whether a row is held that a walk over this prefix would not see as it is. */
bool store_hot_under(const struct store_hot *hot, enum store_table t,
                     struct view prefix);

/* Hold a record, in place of what was held.  ERR_NOMEM: nothing changed */
MUST_CHECK enum err store_hot_set(struct store_hot *hot, const struct mem *mem,
                                  enum store_table t, struct view key,
                                  enum store_hot_state state,
                                  const uint8_t under[32], struct view value);

/*
 * All rows of a table (STORE_T_COUNT_: of all) in key order, to each; then
 * they are forgotten.  Stops at the first error, and forgets nothing then.
 */
MUST_CHECK enum err store_hot_drain(
    struct store_hot *hot, const struct mem *mem, enum store_table t,
    enum err (*each)(void *ctx, const struct store_hot_row *row), void *ctx);

void store_hot_clear(struct store_hot *hot, const struct mem *mem);

#endif
