/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A full disk: RLIMIT_FSIZE stands in for it (with SIGXFSZ ignored, as the
 * daemon does).  New work is refused, nothing is lost, deletes and
 * acknowledgements go on, and work is taken again when there is room.
 */
#include "tests/store/fix.h"

#include <signal.h>
#include <sys/resource.h>

enum {
    LIMIT = 6 << 20,
    ITEM = 20000
};

static struct view
key_of(unsigned i, uint8_t out[4])
{
    out[0] = 'i';
    out[1] = (uint8_t)(i >> 8);
    out[2] = (uint8_t)i;
    return view_make(out, 3);
}

static enum err
put_item(struct fix *f, unsigned i)
{
    static uint8_t value[ITEM];
    uint8_t key[4];

    return fix_put(f, STORE_T_FED, key_of(i, key), VIEW_ARRAY(value));
}

static void
limit(uint64_t bytes)
{
    struct rlimit r = {bytes, RLIM_INFINITY};

    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &r), 0);
}

static unsigned
count_items(struct fix *f)
{
    unsigned n = 0;
    uint8_t key[4];

    for (;; n++) {
        struct bytes b = {0};
        enum err e = fix_get(f, STORE_T_FED, key_of(n, key), &b);

        CHECK(e != OK || b.len == ITEM);
        bytes_free(&b);
        if (e != OK) {
            CHECK_ERR(e, ERR_MISSING);
            return n;
        }
    }
}

TEST(a_full_disk_loses_nothing_and_takes_deletes)
{
    struct fix f;
    struct store_status st;
    unsigned n = 0;
    unsigned freed = 0;
    uint8_t key[4];

    (void)signal(SIGXFSZ, SIG_IGN);
    fix_begin(&f);
    limit(LIMIT);
    while (put_item(&f, n) == OK) {
        n++;
        CHECK(n < 1000);
    }
    CHECK(n > 20);
    CHECK_ERR(put_item(&f, n), ERR_FULL);
    CHECK_ERR(put_item(&f, n + 1), ERR_FULL);
    CHECK_OK(store_status(f.s, &st));
    CHECK(st.disk_full);
    CHECK_EQ(count_items(&f), n);
    /* What frees room is taken, from the newest on. */
    while (freed < n / 2) {
        struct fix_kv kv = {STORE_T_FED, key_of(n - 1 - freed, key), {0}, true};

        CHECK_OK(store_write(f.s, fix_kv_run, &kv, STORE_JOB_FREES));
        freed++;
    }
    fix_reopen(&f);
    CHECK_EQ(count_items(&f), n - freed);
    /* Freed pages are room as well. */
    CHECK_OK(put_item(&f, n - freed));
    CHECK_EQ(count_items(&f), n - freed + 1);
    limit(RLIM_INFINITY);
    for (unsigned i = n - freed + 1; i < n + 50; i++) {
        CHECK_OK(put_item(&f, i));
    }
    CHECK_OK(store_status(f.s, &st));
    CHECK(!st.disk_full);
    CHECK_EQ(count_items(&f), n + 50);
    fix_end(&f);
}

TEST(create_on_a_full_disk_can_be_tried_again)
{
    struct fix f;
    uint64_t bytes;
    enum err e = ERR_FULL;

    (void)signal(SIGXFSZ, SIG_IGN);
    fix_config(&f, 5);
    fix_dir(f.dir);
    for (bytes = 0; e != OK; bytes += 3000) {
        limit(bytes);
        e = store_create(&f.cfg);
        limit(RLIM_INFINITY);
        CHECK(e == OK || e == ERR_FULL || e == ERR_IO);
        CHECK(bytes < 4 << 20);
    }
    CHECK_OK(store_open(&f.cfg, &f.s));
    CHECK_OK(put_item(&f, 0));
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(a_full_disk_loses_nothing_and_takes_deletes),
               T(create_on_a_full_disk_can_be_tried_again));
}
