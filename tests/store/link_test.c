/* SPDX-License-Identifier: Apache-2.0 */
#include "store/link.h"

#include "tests/store/fix.h"

static enum err
put_run(void *ctx, struct store_txn *txn)
{
    return store_link_put(txn, ctx);
}

static enum err
del_run(void *ctx, struct store_txn *txn)
{
    return store_link_del(txn, ctx);
}

static enum err
count(void *ctx, const struct store_link *l)
{
    CHECK_EQ(l->uses_max, 1);
    ++*(unsigned *)ctx;
    return OK;
}

TEST(links_are_kept_changed_and_removed)
{
    struct fix f;
    struct store_link l = {.id = {{1}}, .uses_max = 1, .secret = {7}};
    struct store_link got = {.flags = 0};
    struct store_txn *txn;
    unsigned n = 0;

    fix_begin(&f);
    CHECK_OK(phi_from(mem_heap(), VIEW_LIT("front desk"), &l.label));
    FIX_WRITE(&f, put_run, &l);
    l.uses = 1;
    l.flags = STORE_LINK_ONE_TIME | STORE_LINK_REVOKED;
    l.has_bound = true;
    l.bound.b[0] = 3;
    FIX_WRITE(&f, put_run, &l);
    l.id.b[0] = 2;
    FIX_WRITE(&f, put_run, &l);
    l.id.b[0] = 1;
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_link_get(txn, &l.id, &got));
    CHECK_EQ(got.uses, 1);
    CHECK_EQ(got.secret[0], 7);
    CHECK(got.has_bound && got.bound.b[0] == 3 && !got.has_next);
    CHECK_EQ(phi_len(&got.label), 10);
    store_link_clear(&got);
    CHECK_OK(store_link_list(txn, count, &n));
    CHECK_EQ(n, 2);
    store_read_end(txn);
    FIX_WRITE(&f, del_run, &l.id);
    CHECK_ERR(store_write(f.s, del_run, &l.id, 0), ERR_MISSING);
    store_link_clear(&l);
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(links_are_kept_changed_and_removed));
}
