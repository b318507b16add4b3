/* SPDX-License-Identifier: Apache-2.0 */
#include "store/settings.h"

#include "tests/store/fix.h"

static enum err
put_run(void *ctx, struct store_txn *txn)
{
    return store_setting_put(txn, ctx, VIEW_LIT("value"));
}

static enum err
del_run(void *ctx, struct store_txn *txn)
{
    return store_setting_del(txn, ctx);
}

TEST(settings_are_kept)
{
    char name[] = "node.web";
    char long_name[100];
    struct fix f;
    struct store_txn *txn;
    struct bytes b = {0};

    memset(long_name, 'n', sizeof(long_name));
    long_name[sizeof(long_name) - 1] = '\0';
    fix_begin(&f);
    FIX_WRITE(&f, put_run, name);
    CHECK_ERR(store_write(f.s, put_run, long_name, 0), ERR_LIMIT);
    fix_reopen(&f);
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_setting_get(txn, "node.web", &b));
    CHECK_VIEW(view_of(&b), VIEW_LIT("value"));
    bytes_free(&b);
    CHECK_ERR(store_setting_get(txn, "node.other", &b), ERR_MISSING);
    store_read_end(txn);
    FIX_WRITE(&f, del_run, name);
    CHECK_ERR(store_write(f.s, del_run, name, 0), ERR_MISSING);
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(settings_are_kept));
}
