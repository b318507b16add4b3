/* SPDX-License-Identifier: Apache-2.0 */
#include "store/txn.h"

#include "tests/store/fix.h"

TEST(what_is_put_is_found_again)
{
    struct fix f;
    struct bytes b = {0};

    fix_begin(&f);
    CHECK_ERR(fix_get(&f, STORE_T_FED, VIEW_LIT("k"), &b), ERR_MISSING);
    CHECK_OK(fix_put(&f, STORE_T_FED, VIEW_LIT("k"), VIEW_LIT("one")));
    CHECK_OK(fix_put(&f, STORE_T_FED, VIEW_LIT("k"), VIEW_LIT("other")));
    CHECK_OK(fix_put(&f, STORE_T_FED, VIEW_LIT("empty"), (struct view){0}));
    fix_reopen(&f);
    CHECK_OK(fix_get(&f, STORE_T_FED, VIEW_LIT("k"), &b));
    CHECK_VIEW(view_of(&b), VIEW_LIT("other"));
    bytes_free(&b);
    CHECK_OK(fix_get(&f, STORE_T_FED, VIEW_LIT("empty"), &b));
    CHECK_EQ(b.len, 0);
    CHECK_OK(fix_del(&f, STORE_T_FED, VIEW_LIT("k")));
    CHECK_ERR(fix_del(&f, STORE_T_FED, VIEW_LIT("k")), ERR_MISSING);
    CHECK_ERR(fix_get(&f, STORE_T_FED, VIEW_LIT("k"), &b), ERR_MISSING);
    CHECK_ERR(fix_get(&f, STORE_T_FED, (struct view){0}, &b), ERR_MISSING);
    fix_end(&f);
}

TEST(keys_have_a_longest)
{
    struct fix f;
    struct bytes b = {0};
    uint8_t key[STORE_KEY_MAX + 1] = {1};

    fix_begin(&f);
    CHECK_ERR(fix_put(&f, STORE_T_FED, VIEW_ARRAY(key), VIEW_LIT("v")),
              ERR_LIMIT);
    CHECK_OK(
        fix_put(&f, STORE_T_FED, view_make(key, STORE_KEY_MAX), VIEW_LIT("v")));
    CHECK_OK(fix_get(&f, STORE_T_FED, view_make(key, STORE_KEY_MAX), &b));
    bytes_free(&b);
    fix_end(&f);
}

static enum err
read_own_write(void *ctx, struct store_txn *txn)
{
    struct bytes b = {0};
    enum err e;

    (void)ctx;
    TRY(store_put(txn, STORE_T_FED, VIEW_LIT("x"), VIEW_LIT("new")));
    TRY(store_get(txn, STORE_T_FED, VIEW_LIT("x"), &b));
    TRY(view_equal(view_of(&b), VIEW_LIT("new")) ? OK : ERR_INTERNAL);
out:
    bytes_free(&b);
    return e;
}

TEST(a_reader_sees_one_commit)
{
    struct fix f;
    struct store_txn *txn;
    struct bytes b = {0};

    fix_begin(&f);
    CHECK_OK(fix_put(&f, STORE_T_FED, VIEW_LIT("x"), VIEW_LIT("old")));
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_get(txn, STORE_T_FED, VIEW_LIT("x"), &b));
    bytes_free(&b);
    FIX_WRITE(&f, read_own_write, NULL);
    CHECK_OK(store_get(txn, STORE_T_FED, VIEW_LIT("x"), &b));
    CHECK_VIEW(view_of(&b), VIEW_LIT("old"));
    bytes_free(&b);
    store_read_end(txn);
    CHECK_OK(fix_get(&f, STORE_T_FED, VIEW_LIT("x"), &b));
    CHECK_VIEW(view_of(&b), VIEW_LIT("new"));
    bytes_free(&b);
    fix_end(&f);
}

TEST(word_hashes_depend_on_key_label_and_words)
{
    struct fix f;
    struct store_txn *txn;
    uint8_t a[16];
    uint8_t b[16];

    fix_begin(&f);
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_key_hash(txn, "one", VIEW_LIT("word"), a));
    CHECK_OK(store_key_hash(txn, "one", VIEW_LIT("word"), b));
    CHECK_VIEW(VIEW_ARRAY(a), VIEW_ARRAY(b));
    CHECK_OK(store_key_hash(txn, "two", VIEW_LIT("word"), b));
    CHECK(memcmp(a, b, 16) != 0);
    CHECK_OK(store_key_hash(txn, "one", VIEW_LIT("work"), b));
    CHECK(memcmp(a, b, 16) != 0);
    store_read_end(txn);
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(what_is_put_is_found_again), T(keys_have_a_longest),
               T(a_reader_sees_one_commit),
               T(word_hashes_depend_on_key_label_and_words));
}
