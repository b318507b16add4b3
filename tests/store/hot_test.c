/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records that are held until the commit: a transaction sees what it wrote,
 * walks see it too, and an aborted one leaves nothing.
 */
#include "store/hot.h"

#include "tests/store/fix.h"
#include "tests/support/fail_mem.h"

static const uint8_t under[32] = {1};

struct seen {
    char keys[64];
    enum err e;
};

static enum err
each(void *ctx, const struct store_hot_row *row)
{
    struct seen *s = ctx;
    size_t n = strlen(s->keys);

    (void)snprintf(s->keys + n, sizeof(s->keys) - n, "%c%d,", row->key.p[0],
                   (int)row->state);
    return s->e;
}

/* Three tables' rows; the one in the middle is drained first. */
static enum err
rows(const struct mem *mem)
{
    enum err e;
    struct store_hot hot = {0};
    struct seen s = {"", OK};
    uint8_t key[2] = {0};

    TRY(store_hot_set(&hot, mem, STORE_T_CONVS, VIEW_LIT("b"), STORE_HOT_PUT,
                      under, VIEW_LIT("1")));
    TRY(store_hot_set(&hot, mem, STORE_T_CONV_MARKS, VIEW_LIT("m"),
                      STORE_HOT_PUT, under, VIEW_LIT("2")));
    TRY(store_hot_set(&hot, mem, STORE_T_CONVS, VIEW_LIT("a"), STORE_HOT_CLEAN,
                      under, VIEW_LIT("3")));
    TRY(store_hot_set(&hot, mem, STORE_T_CONVS, VIEW_LIT("b"), STORE_HOT_DEL,
                      under, (struct view){0}));
    CHECK_EQ(hot.len, 3);
    TRY(store_hot_drain(&hot, mem, STORE_T_CONVS, each, &s));
    CHECK_STR(s.keys, "a0,b2,");
    CHECK(store_hot_find(&hot, STORE_T_CONVS, VIEW_LIT("a")) == NULL);
    CHECK(store_hot_find(&hot, STORE_T_CONV_MARKS, VIEW_LIT("m")) != NULL);
    s = (struct seen){"", ERR_IO};
    e = store_hot_drain(&hot, mem, STORE_T_COUNT_, each, &s);
    TRY(e == ERR_IO ? OK : e);
    CHECK_EQ(hot.len, 1); /* nothing is forgotten that was not written */
    for (int i = 0; i < 300; i++) {
        key[0] = (uint8_t)i;
        key[1] = (uint8_t)(i >> 8);
        TRY(store_hot_set(&hot, mem, STORE_T_CONVS, VIEW_ARRAY(key),
                          STORE_HOT_PUT, under, VIEW_ARRAY(key)));
    }
    for (int i = 0; i < 300; i++) {
        const struct store_hot_row *r;

        key[0] = (uint8_t)i;
        key[1] = (uint8_t)(i >> 8);
        r = store_hot_find(&hot, STORE_T_CONVS, VIEW_ARRAY(key));
        CHECK(r != NULL && view_equal(view_of(&r->value), VIEW_ARRAY(key)));
    }
out:
    store_hot_clear(&hot, mem);
    return e;
}

TEST(rows_are_held_and_drained)
{
    CHECK_OK(rows(mem_heap()));
}

TEST(every_allocation_may_fail)
{
    struct fail_mem fail;
    enum err e = ERR_NOMEM;

    for (uint64_t n = 1; e == ERR_NOMEM; n++) {
        fail_mem_init(&fail, n);
        e = rows(&fail.mem);
        CHECK(e == OK || e == ERR_NOMEM);
        CHECK_EQ(fail.live, 0);
    }
}

/* ------------------------------------------------------- in a transaction */

static enum err
count(struct store_txn *txn, uint64_t *n)
{
    enum err e;
    enum err end;
    struct store_scan sc;

    *n = 0;
    TRY(store_scan_begin(txn, STORE_T_CONV_MARKS, (struct view){0}, STORE_UP,
                         &sc));
    while (store_scan_next(&sc)) {
        ++*n;
    }
    end = store_scan_end(&sc);
    TRY(end);
out:
    return e;
}

/* ctx: whether to fail at the end. */
static enum err
write_some(void *ctx, struct store_txn *txn)
{
    enum err e;
    struct bytes b = {0};
    uint64_t n;

    TRY(store_put(txn, STORE_T_CONV_MARKS, VIEW_LIT("a"), VIEW_LIT("1")));
    TRY(store_put(txn, STORE_T_CONV_MARKS, VIEW_LIT("a"), VIEW_LIT("2")));
    TRY(store_put(txn, STORE_T_CONV_MARKS, VIEW_LIT("b"), VIEW_LIT("3")));
    TRY(store_get(txn, STORE_T_CONV_MARKS, VIEW_LIT("a"), &b));
    CHECK_VIEW(view_of(&b), VIEW_LIT("2"));
    CHECK_ERR(store_del(txn, STORE_T_CONV_MARKS, VIEW_LIT("c")), ERR_MISSING);
    TRY(store_del(txn, STORE_T_CONV_MARKS, VIEW_LIT("b")));
    CHECK_ERR(store_del(txn, STORE_T_CONV_MARKS, VIEW_LIT("b")), ERR_MISSING);
    CHECK_ERR(store_has(txn, STORE_T_CONV_MARKS, VIEW_LIT("b")), ERR_MISSING);
    TRY(store_put(txn, STORE_T_CONV_MARKS, VIEW_LIT("d"), VIEW_LIT("4")));
    TRY(count(txn, &n));
    CHECK_EQ(n, 2);
    TRY(store_count(txn, STORE_T_CONV_MARKS, &n));
    CHECK_EQ(n, 2);
    TRY(store_put(txn, STORE_T_CONV_MARKS, VIEW_LIT("b"), VIEW_LIT("5")));
    TRY(store_has(txn, STORE_T_CONV_MARKS, VIEW_LIT("b")));
    TRY(*(const bool *)ctx ? ERR_DENIED : OK);
out:
    bytes_free(&b);
    return e;
}

TEST(a_transaction_sees_what_it_holds)
{
    struct fix f;
    struct bytes b = {0};
    bool fail = true;

    fix_begin(&f);
    CHECK_ERR(store_write(f.s, write_some, &fail, 0), ERR_DENIED);
    CHECK_ERR(fix_get(&f, STORE_T_CONV_MARKS, VIEW_LIT("a"), &b), ERR_MISSING);
    fail = false;
    CHECK_OK(store_write(f.s, write_some, &fail, 0));
    fix_reopen(&f);
    CHECK_OK(fix_get(&f, STORE_T_CONV_MARKS, VIEW_LIT("a"), &b));
    CHECK_VIEW(view_of(&b), VIEW_LIT("2"));
    bytes_free(&b);
    CHECK_OK(fix_get(&f, STORE_T_CONV_MARKS, VIEW_LIT("b"), &b));
    CHECK_VIEW(view_of(&b), VIEW_LIT("5"));
    bytes_free(&b);
    CHECK_OK(fix_del(&f, STORE_T_CONV_MARKS, VIEW_LIT("a")));
    CHECK_ERR(fix_get(&f, STORE_T_CONV_MARKS, VIEW_LIT("a"), &b), ERR_MISSING);
    CHECK_ERR(fix_put(&f, STORE_T_CONV_MARKS, (struct view){0}, VIEW_LIT("x")),
              ERR_LIMIT);
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(rows_are_held_and_drained), T(every_allocation_may_fail),
               T(a_transaction_sees_what_it_holds));
}
