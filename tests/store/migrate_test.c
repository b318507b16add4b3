/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps to later schemas, made up here: each once, in order, a cut in between
 * goes on where it stopped, a newer store is left alone.
 */
#include "store/migrate.h"

#include "store/inner.h"
#include "tests/store/fix.h"

static enum err
to_two(struct store_txn *txn)
{
    return store_put(txn, STORE_T_FED, VIEW_LIT("two"), VIEW_LIT("x"));
}

static enum err
to_three(struct store_txn *txn)
{
    enum err e = store_has(txn, STORE_T_FED, VIEW_LIT("two"));

    return e == OK ? store_del(txn, STORE_T_FED, VIEW_LIT("two")) : e;
}

static enum err
broken(struct store_txn *txn)
{
    enum err e = store_put(txn, STORE_T_FED, VIEW_LIT("bad"), VIEW_LIT("x"));

    return e == OK ? ERR_FULL : e;
}

static const struct store_migration steps[] = {{2, to_two}, {3, to_three}};
static const struct store_migration broken_steps[] = {{2, to_two}, {3, broken}};

/* As it is when store_open migrates: no writer yet. */
static enum err
migrate(struct fix *f, const struct store_migration *s, size_t n)
{
    enum err e;

    store_writer_stop(f->s);
    f->s->writer.stop = false;
    e = store_migrate_by(f->s, s, n);
    CHECK_OK(store_writer_start(f->s));
    return e;
}

static bool
has(struct fix *f, const char *key)
{
    struct bytes b = {0};
    enum err e = fix_get(f, STORE_T_FED, view_str(key), &b);

    bytes_free(&b);
    return e == OK;
}

TEST(steps_are_done_once_and_in_order)
{
    struct fix f;

    fix_begin(&f);
    CHECK_EQ(f.s->about.schema, 1);
    CHECK_ERR(migrate(&f, broken_steps, 2), ERR_FULL);
    CHECK_EQ(f.s->about.schema, 2);
    CHECK(has(&f, "two") && !has(&f, "bad"));
    CHECK_OK(migrate(&f, steps, 2));
    CHECK_EQ(f.s->about.schema, 3);
    CHECK(!has(&f, "two"));
    CHECK_OK(migrate(&f, steps, 2));
    CHECK(!has(&f, "two"));
    store_close(f.s);
    f.s = NULL;
    /* This program knows no schema 3. */
    CHECK_ERR(store_open(&f.cfg, &f.s), ERR_UNSUPPORTED);
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(steps_are_done_once_and_in_order));
}
