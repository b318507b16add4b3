/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of a member of the crowd, as a core writes and reads them.  That
 * the crowd speaks with a node is seen by each run of crowd-bench.
 */
#include "tools/bench/crowd_rows.h"

#include "tests/support/check.h"

static void
write_one(struct tool_rows *rows, enum fed_ns ns, struct view key,
          struct view value, bool del)
{
    struct fed_write w = {.ns = ns, .del = del};
    struct fed_write *list[1] = {&w};
    struct fed_batch batch = {.writes = list, .writes_len = 1};

    CHECK_OK(bytes_copy(mem_heap(), key, &w.key));
    CHECK_OK(bytes_copy(mem_heap(), value, &w.value));
    tool_rows_write(rows, &batch);
    bytes_free(&w.key);
    bytes_free(&w.value);
}

TEST(records_are_in_order_of_their_keys)
{
    struct tool_rows rows = {0};
    struct fed_store s = tool_rows_store(&rows);
    struct bytes key = {0};
    struct bytes value = {0};
    uint8_t k;

    for (unsigned i = 0; i < 100; i++) {
        k = (uint8_t)(i * 37 % 100);
        write_one(&rows, FED_NS_OUT, view_make(&k, 1), view_make(&k, 1), false);
    }
    write_one(&rows, FED_NS_GONE, VIEW_LIT("x"), VIEW_LIT("y"), false);
    k = 40;
    write_one(&rows, FED_NS_OUT, view_make(&k, 1), VIEW_LIT("new"), false);
    k = 41;
    write_one(&rows, FED_NS_OUT, view_make(&k, 1), (struct view){0}, true);
    write_one(&rows, FED_NS_OUT, view_make(&k, 1), (struct view){0}, true);
    CHECK_ERR(s.get(s.ctx, FED_NS_OUT, view_make(&k, 1), mem_heap(), &value),
              ERR_MISSING);
    CHECK_OK(
        s.next(s.ctx, FED_NS_OUT, view_make(&k, 1), mem_heap(), &key, &value));
    CHECK_EQ(key.p[0], 42);
    bytes_free(&key);
    bytes_free(&value);
    k = 40;
    CHECK_OK(s.get(s.ctx, FED_NS_OUT, view_make(&k, 1), mem_heap(), &value));
    CHECK_VIEW(view_of(&value), VIEW_LIT("new"));
    bytes_free(&value);
    k = 100;
    CHECK_ERR(
        s.next(s.ctx, FED_NS_OUT, view_make(&k, 1), mem_heap(), &key, &value),
        ERR_MISSING); /* not into the next namespace */
    tool_rows_clear(&rows);
}

int
main(void)
{
    return RUN(T(records_are_in_order_of_their_keys));
}
