/* SPDX-License-Identifier: Apache-2.0 */
#include "store/member.h"

#include "tests/store/fix.h"

static enum err
put_run(void *ctx, struct store_txn *txn)
{
    return store_member_put(txn, ctx);
}

static enum err
put(struct fix *f, uint8_t id, const char *login)
{
    struct store_member m = {.id = {{id}}, .admin = id == 1};
    enum err e;

    CHECK_OK(phi_from(mem_heap(), VIEW_LIT("Name"), &m.name));
    CHECK_OK(phi_from(mem_heap(), view_str(login), &m.login));
    e = store_write(f->s, put_run, &m, 0);
    store_member_clear(&m);
    return e;
}

static uint8_t
by_login(struct fix *f, const char *login)
{
    struct member_id id = {{0}};
    struct store_txn *txn;
    enum err e;

    CHECK_OK(store_read_begin(f->s, &txn));
    e = store_member_by_login(txn, view_str(login), &id);
    CHECK(e == OK || e == ERR_MISSING);
    store_read_end(txn);
    return id.b[0];
}

static enum err
count(void *ctx, const struct store_member *m)
{
    CHECK_EQ(phi_len(&m->name), 4);
    ++*(unsigned *)ctx;
    return OK;
}

TEST(logins_are_unique_without_case)
{
    struct fix f;
    struct store_txn *txn;
    struct store_member m = {.admin = false};
    struct member_id one = {{1}};
    unsigned n = 0;

    fix_begin(&f);
    CHECK_OK(put(&f, 1, "Ann@x.org"));
    CHECK_OK(put(&f, 2, "ben"));
    CHECK_OK(put(&f, 3, ""));
    CHECK_OK(put(&f, 4, ""));
    CHECK_ERR(put(&f, 5, "ANN@X.ORG"), ERR_EXISTS);
    CHECK_EQ(by_login(&f, "ann@X.org"), 1);
    CHECK_OK(put(&f, 1, "anna"));
    CHECK_EQ(by_login(&f, "ann@x.org"), 0);
    CHECK_EQ(by_login(&f, "anna"), 1);
    CHECK_OK(put(&f, 5, "Ann@x.org"));
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_member_list(txn, count, &n));
    CHECK_EQ(n, 5);
    CHECK_OK(store_member_get(txn, &one, &m));
    CHECK(m.admin);
    store_member_clear(&m);
    one.b[0] = 9;
    CHECK_ERR(store_member_get(txn, &one, &m), ERR_MISSING);
    store_read_end(txn);
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(logins_are_unique_without_case));
}
