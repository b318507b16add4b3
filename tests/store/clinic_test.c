/* SPDX-License-Identifier: Apache-2.0 */
#include "store/clinic.h"

#include "proto/base/limits.h"
#include "tests/store/fix.h"

static enum err
put_run(void *ctx, struct store_txn *txn)
{
    return store_clinic_put(txn, ctx);
}

static enum err
del_run(void *ctx, struct store_txn *txn)
{
    return store_clinic_del(txn, ctx);
}

static enum err
count(void *ctx, const struct store_clinic *c)
{
    CHECK_EQ(c->state, STORE_CLINIC_CONNECTED);
    ++*(unsigned *)ctx;
    return OK;
}

TEST(clinics_are_kept_changed_and_removed)
{
    struct fix f;
    struct store_clinic c = {.id = {{1}}, .generation = 4};
    struct store_clinic got = {.generation = 0};
    struct store_txn *txn;
    unsigned n = 0;
    uint8_t number = 0;

    fix_begin(&f);
    FIX_WRITE(&f, put_run, &c);
    c.state = STORE_CLINIC_CONNECTED;
    CHECK_OK(bytes_copy(mem_heap(), VIEW_LIT("signed"), &c.profile));
    CHECK_OK(store_clinic_add_address(mem_heap(), &c, 1, VIEW_LIT("a:1")));
    CHECK_OK(store_clinic_add_address(mem_heap(), &c, 2, VIEW_LIT("a:1")));
    CHECK_ERR(store_clinic_add_address(mem_heap(), &c, 1, VIEW_LIT("a:1")),
              ERR_EXISTS);
    FIX_WRITE(&f, put_run, &c);
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_clinic_get(txn, &c.id, &got));
    CHECK_EQ(got.generation, 4);
    CHECK_EQ(got.addresses_len, 2);
    CHECK_EQ(got.addresses[1].type, 2);
    CHECK_VIEW(view_of(&got.profile), VIEW_LIT("signed"));
    store_clinic_clear(&got);
    CHECK_OK(store_clinic_list(txn, count, &n));
    CHECK_EQ(n, 1);
    store_read_end(txn);
    while (c.addresses_len < LIMIT_CLINIC_ADDRESSES) {
        number++;
        CHECK_OK(
            store_clinic_add_address(mem_heap(), &c, 3, view_make(&number, 1)));
    }
    CHECK_ERR(store_clinic_add_address(mem_heap(), &c, 3, VIEW_LIT("x")),
              ERR_LIMIT);
    FIX_WRITE(&f, put_run, &c);
    FIX_WRITE(&f, del_run, &c.id);
    CHECK_ERR(store_write(f.s, del_run, &c.id, 0), ERR_MISSING);
    store_clinic_clear(&c);
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(clinics_are_kept_changed_and_removed));
}
