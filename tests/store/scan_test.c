/* SPDX-License-Identifier: Apache-2.0 */
/* Walks over a table. */
#include "tests/store/fix.h"

static enum err
put_many(void *ctx, struct store_txn *txn)
{
    const char *const *keys = ctx;
    enum err e = OK;

    for (size_t i = 0; e == OK && keys[i] != NULL; i++) {
        e = store_put(txn, STORE_T_FED, view_str(keys[i]), view_str(keys[i]));
    }
    return e;
}

/* The keys that a walk gives, with a comma behind each. */
static void
walk(struct fix *f, const char *prefix, const char *after, enum store_dir dir,
     char *out)
{
    struct store_txn *txn;
    struct store_scan sc;

    CHECK_OK(store_read_begin(f->s, &txn));
    CHECK_OK(store_scan_begin(txn, STORE_T_FED, view_str(prefix), dir, &sc));
    if (after != NULL) {
        store_scan_after(&sc, view_str(after));
    }
    *out = '\0';
    while (store_scan_next(&sc)) {
        CHECK_VIEW(sc.key, sc.value);
        strncat(out, (const char *)sc.key.p, sc.key.len);
        strncat(out, ",", 2);
    }
    CHECK_OK(store_scan_end(&sc));
    store_read_end(txn);
}

TEST(walks_keep_to_their_prefix_and_order)
{
    static const char *const keys[] = {"a",  "b",     "b1",        "b2", "b2x",
                                       "b3", "b\xff", "b\xff\xff", "c",  NULL};
    struct fix f;
    char got[256];

    fix_begin(&f);
    walk(&f, "", NULL, STORE_UP, got);
    CHECK_STR(got, "");
    walk(&f, "", NULL, STORE_DOWN, got);
    CHECK_STR(got, "");
    CHECK_OK(store_write(f.s, put_many, (void *)(uintptr_t)keys, 0));
    walk(&f, "", NULL, STORE_UP, got);
    CHECK_STR(got, "a,b,b1,b2,b2x,b3,b\xff,b\xff\xff,c,");
    walk(&f, "", NULL, STORE_DOWN, got);
    CHECK_STR(got, "c,b\xff\xff,b\xff,b3,b2x,b2,b1,b,a,");
    walk(&f, "b", NULL, STORE_UP, got);
    CHECK_STR(got, "b,b1,b2,b2x,b3,b\xff,b\xff\xff,");
    walk(&f, "b", NULL, STORE_DOWN, got);
    CHECK_STR(got, "b\xff\xff,b\xff,b3,b2x,b2,b1,b,");
    walk(&f, "b2", NULL, STORE_DOWN, got);
    CHECK_STR(got, "b2x,b2,");
    walk(&f, "b\xff", NULL, STORE_DOWN, got);
    CHECK_STR(got, "b\xff\xff,b\xff,");
    walk(&f, "b", "b1", STORE_UP, got);
    CHECK_STR(got, "b2,b2x,b3,b\xff,b\xff\xff,");
    walk(&f, "b", "b11", STORE_UP, got);
    CHECK_STR(got, "b2,b2x,b3,b\xff,b\xff\xff,");
    walk(&f, "b", "b2", STORE_DOWN, got);
    CHECK_STR(got, "b1,b,");
    walk(&f, "b", "b21", STORE_DOWN, got);
    CHECK_STR(got, "b2,b1,b,");
    walk(&f, "d", NULL, STORE_UP, got);
    CHECK_STR(got, "");
    walk(&f, "d", NULL, STORE_DOWN, got);
    CHECK_STR(got, "");
    fix_end(&f);
}

static enum err
delete_walking(void *ctx, struct store_txn *txn)
{
    struct store_scan sc;
    unsigned n = 0;
    enum err e =
        store_scan_begin(txn, STORE_T_FED, VIEW_LIT("b"), STORE_UP, &sc);

    (void)ctx;
    while (e == OK && store_scan_next(&sc)) {
        e = n++ % 2 == 0 ? store_scan_del(&sc) : OK;
    }
    return e == OK ? store_scan_end(&sc) : e;
}

TEST(a_walk_may_delete)
{
    static const char *const keys[] = {"a",  "b1", "b2", "b3",
                                       "b4", "b5", "c",  NULL};
    struct fix f;
    char got[256];

    fix_begin(&f);
    CHECK_OK(store_write(f.s, put_many, (void *)(uintptr_t)keys, 0));
    FIX_WRITE(&f, delete_walking, NULL);
    walk(&f, "", NULL, STORE_UP, got);
    CHECK_STR(got, "a,b2,b4,c,");
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(walks_keep_to_their_prefix_and_order), T(a_walk_may_delete));
}
