/* SPDX-License-Identifier: Apache-2.0 */
#include "store/env.h"

#include "store/env_check.h"
#include "store/env_disk.h"
#include "tests/store/fix_env.h"

#include <fcntl.h>
#include <pthread.h>

static enum err
put(struct store_env_txn *txn, struct view key, struct view value, bool append)
{
    uint8_t *to;
    enum err e = store_env_put(txn, 1, key, value.len, append, &to);

    if (e == OK) {
        memcpy(to, value.p, value.len);
    }
    return e;
}

TEST(only_what_was_committed_stays)
{
    struct place p;
    struct store_env_txn *txn;
    struct view v;

    place_begin(&p);
    CHECK_OK(store_env_begin(p.env, true, &txn));
    CHECK_OK(put(txn, VIEW_LIT("a"), VIEW_LIT("1"), false));
    CHECK_OK(store_env_commit(txn));
    CHECK_OK(store_env_begin(p.env, true, &txn));
    CHECK_OK(put(txn, VIEW_LIT("b"), VIEW_LIT("2"), true));
    CHECK_ERR(put(txn, VIEW_LIT("a"), VIEW_LIT("3"), true), ERR_EXISTS);
    CHECK_OK(store_env_get(txn, 1, VIEW_LIT("b"), &v));
    store_env_abort(txn);
    CHECK_OK(store_env_close(p.env));
    CHECK_OK(store_env_open(&p.cfg, &p.env));
    CHECK_OK(store_env_begin(p.env, false, &txn));
    CHECK_OK(store_env_get(txn, 1, VIEW_LIT("a"), &v));
    CHECK_VIEW(v, VIEW_LIT("1"));
    CHECK_ERR(store_env_get(txn, 1, VIEW_LIT("b"), &v), ERR_MISSING);
    CHECK_ERR(store_env_get(txn, 2, VIEW_LIT("a"), &v), ERR_MISSING);
    store_env_abort(txn);
    place_end(&p);
}

TEST(sizes_are_checked_before_the_map_is_used)
{
    struct place p;
    struct stat st;
    uint32_t page;
    uint64_t size;
    uint8_t byte;
    int fd;

    place_begin(&p);
    CHECK_OK(store_env_close(p.env));
    p.env = NULL;
    CHECK_OK(store_env_check(p.path, &page, &size));
    CHECK_EQ(page, 4096);
    CHECK_EQ(stat(p.path, &st), 0);
    for (off_t len = st.st_size - 1; len > 0; len -= 1111) {
        CHECK_EQ(truncate(p.path, len), 0);
        CHECK_ERR(store_env_open(&p.cfg, &p.env), ERR_CORRUPT);
    }
    fix_rm(p.dir);
    place_begin(&p);
    CHECK_OK(store_env_close(p.env));
    /* Magic, version, page size, flags and roots of a meta page. */
    fd = open(p.path, O_RDWR);
    CHECK(fd >= 0);
    for (off_t at = 10; at < 152; at++) {
        enum err e;

        CHECK_EQ(pread(fd, &byte, 1, at), 1);
        byte ^= 0x80;
        CHECK_EQ(pwrite(fd, &byte, 1, at), 1);
        e = store_env_check(p.path, &page, &size);
        CHECK(e == OK || e == ERR_CORRUPT || e == ERR_UNSUPPORTED);
        if (at == 10 || (at >= 16 && at < 24) || (at >= 40 && at < 44) ||
            at >= 144) {
            CHECK(e != OK);
        }
        byte ^= 0x80;
        CHECK_EQ(pwrite(fd, &byte, 1, at), 1);
    }
    (void)close(fd);
    CHECK_OK(store_env_open(&p.cfg, &p.env));
    place_end(&p);
}

TEST(an_interrupted_create_is_done_again)
{
    struct place p;
    char path[FIX_PATH + 32];
    int fd;

    place_begin(&p);
    CHECK_OK(store_env_close(p.env));
    CHECK_EQ(unlink(p.path), 0);
    (void)snprintf(path, sizeof(path), "%s.new", p.path);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, "half a meta page", 16), 16);
    (void)close(fd);
    CHECK_ERR(store_env_open(&p.cfg, &p.env), ERR_MISSING);
    CHECK_OK(store_env_create(&p.cfg));
    CHECK_OK(store_env_open(&p.cfg, &p.env));
    place_end(&p);
}

struct reader {
    struct store_env *env;
    struct store_env_txn *txn;
};

static void *
grow_thread(void *arg)
{
    struct reader *r = arg;

    return store_env_grow(r->env) == OK ? NULL : arg;
}

TEST(the_map_grows_when_readers_are_gone)
{
    struct place p;
    struct reader r;
    struct store_env_info before;
    struct store_env_info after;
    pthread_t thread;
    struct view v;
    void *bad;

    place_begin(&p);
    r.env = p.env;
    CHECK_OK(store_env_begin(p.env, true, &r.txn));
    CHECK_OK(put(r.txn, VIEW_LIT("a"), VIEW_LIT("1"), false));
    CHECK_OK(store_env_commit(r.txn));
    CHECK_OK(store_env_begin(p.env, false, &r.txn));
    store_env_info(p.env, NULL, &before);
    CHECK_EQ(pthread_create(&thread, NULL, grow_thread, &r), 0);
    CHECK_OK(store_env_get(r.txn, 1, VIEW_LIT("a"), &v));
    CHECK_VIEW(v, VIEW_LIT("1"));
    store_env_abort(r.txn);
    CHECK_EQ(pthread_join(thread, &bad), 0);
    CHECK(bad == NULL);
    store_env_info(p.env, NULL, &after);
    CHECK_EQ(after.map_bytes, before.map_bytes * 2);
    CHECK_OK(store_env_begin(p.env, false, &r.txn));
    CHECK_OK(store_env_get(r.txn, 1, VIEW_LIT("a"), &v));
    CHECK_VIEW(v, VIEW_LIT("1"));
    store_env_abort(r.txn);
    place_end(&p);
}

TEST(the_file_is_allocated_ahead)
{
    struct place p;
    struct store_env_disk d;
    struct stat st;
    int fd;

    place_begin(&p);
    CHECK_OK(store_env_room(p.env, false));
    CHECK_EQ(stat(p.path, &st), 0);
    CHECK((uint64_t)st.st_size > p.cfg.reserve);
    CHECK((uint64_t)st.st_blocks * 512 >= p.cfg.reserve);
    fd = open(p.path, O_RDWR);
    CHECK(fd >= 0);
    store_env_disk_init(&d, fd, p.cfg.reserve);
    CHECK_EQ(d.allocated, st.st_size);
    CHECK(store_env_disk_left(&d, 20000) >= store_env_disk_want(&d));
    (void)close(fd);
    place_end(&p);
}

TEST(bulk_mode_is_for_files_not_yet_in_use)
{
    struct place p;
    struct store_env_txn *txn;
    struct view v;

    place_begin(&p);
    CHECK_OK(store_env_close(p.env));
    p.cfg.mode = STORE_ENV_BULK;
    CHECK_OK(store_env_open(&p.cfg, &p.env));
    CHECK_OK(store_env_begin(p.env, true, &txn));
    CHECK_OK(put(txn, VIEW_LIT("a"), VIEW_LIT("1"), true));
    CHECK_OK(store_env_commit(txn));
    CHECK_OK(store_env_close(p.env));
    p.cfg.mode = STORE_ENV_READ_ONLY;
    CHECK_OK(store_env_open(&p.cfg, &p.env));
    CHECK_OK(store_env_begin(p.env, false, &txn));
    CHECK_OK(store_env_get(txn, 1, VIEW_LIT("a"), &v));
    store_env_abort(txn);
    place_end(&p);
}

int
main(void)
{
    return RUN(T(only_what_was_committed_stays),
               T(sizes_are_checked_before_the_map_is_used),
               T(an_interrupted_create_is_done_again),
               T(the_map_grows_when_readers_are_gone),
               T(the_file_is_allocated_ahead),
               T(bulk_mode_is_for_files_not_yet_in_use));
}
