/* SPDX-License-Identifier: Apache-2.0 */
#include "store/fed.h"

#include "tests/store/fix.h"

struct op {
    enum {
        PUT,
        DEL,
        DROP
    } kind;
    uint8_t ns;
    struct view key;
    struct view upto;
    uint32_t max;
    uint32_t removed;
};

static enum err
op_run(void *ctx, struct store_txn *txn)
{
    struct op *op = ctx;

    switch (op->kind) {
    case PUT:
        return store_fed_put(txn, op->ns, op->key, op->key);
    case DEL:
        return store_fed_del(txn, op->ns, op->key);
    case DROP:
        return store_fed_drop(txn, op->ns, op->key, op->upto, op->max,
                              &op->removed);
    }
    return ERR_INTERNAL;
}

static void
put(struct fix *f, uint8_t ns, const char *key)
{
    struct op op = {.kind = PUT, .ns = ns, .key = view_str(key)};

    FIX_WRITE(f, op_run, &op);
}

static enum err
see(void *ctx, struct view key, struct view value)
{
    char *out = ctx;

    CHECK_VIEW(key, value);
    if (key.len > 0) {
        strncat(out, (const char *)key.p, key.len);
    }
    strncat(out, ",", 2);
    return OK;
}

static void
expect(struct fix *f, uint8_t ns, const char *prefix, const char *after,
       enum store_dir dir, uint32_t max, const char *want)
{
    struct store_txn *txn;
    char got[128] = "";

    CHECK_OK(store_read_begin(f->s, &txn));
    CHECK_OK(store_fed_scan(txn, ns, view_str(prefix), view_str(after), dir,
                            max, see, got));
    store_read_end(txn);
    CHECK_STR(got, want);
}

TEST(namespaces_are_apart_and_ordered)
{
    struct fix f;
    struct op op = {.kind = DROP, .ns = 1, .max = 10};
    struct store_txn *txn;
    struct bytes b = {0};

    fix_begin(&f);
    put(&f, 1, "a1");
    put(&f, 1, "a2");
    put(&f, 1, "a3");
    put(&f, 1, "b");
    put(&f, 2, "a1");
    put(&f, 255, "z");
    put(&f, 255, "");
    expect(&f, 1, "", "", STORE_UP, 10, "a1,a2,a3,b,");
    expect(&f, 1, "a", "", STORE_DOWN, 10, "a3,a2,a1,");
    expect(&f, 1, "a", "a1", STORE_UP, 1, "a2,");
    expect(&f, 255, "", "", STORE_DOWN, 10, "z,,");
    expect(&f, 3, "", "", STORE_UP, 10, "");
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_fed_get(txn, 2, VIEW_LIT("a1"), &b));
    bytes_free(&b);
    CHECK_ERR(store_fed_get(txn, 2, VIEW_LIT("a2"), &b), ERR_MISSING);
    store_read_end(txn);
    op.key = VIEW_LIT("a");
    op.upto = VIEW_LIT("a2");
    FIX_WRITE(&f, op_run, &op);
    CHECK_EQ(op.removed, 2);
    expect(&f, 1, "", "", STORE_UP, 10, "a3,b,");
    op.key = op.upto = (struct view){0};
    op.max = 1;
    FIX_WRITE(&f, op_run, &op);
    CHECK_EQ(op.removed, 1);
    expect(&f, 1, "", "", STORE_UP, 10, "b,");
    op.kind = DEL;
    op.key = VIEW_LIT("none");
    CHECK_ERR(store_write(f.s, op_run, &op, 0), ERR_MISSING);
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(namespaces_are_apart_and_ordered));
}
