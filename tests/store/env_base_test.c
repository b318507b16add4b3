/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Going back to the base.  That it is noted in time, and held, is shown by
 * power_test and crash_test.
 */
#include "store/env_base.h"

#include "tests/store/fix_env.h"

#include <fcntl.h>

enum {
    BASE_AT = 1024,
    SECTOR = 512,
    ITEMS = 200
};

/* Set every item to n, by a commit that waits for the disk or not. */
static void
commit(struct place *p, uint32_t n, bool soon)
{
    struct store_env_txn *txn;

    CHECK_OK(store_env_begin(p->env, true, &txn));
    for (uint32_t i = 0; i < ITEMS; i++) {
        const uint8_t key[] = {(uint8_t)(i >> 8), (uint8_t)i};
        uint8_t *to;

        CHECK_OK(store_env_put(txn, 1, VIEW_ARRAY(key), 100, false, &to));
        memset(to, (int)n, 100);
    }
    CHECK_OK(soon ? store_env_commit_soon(txn) : store_env_commit(txn));
    CHECK_EQ(store_env_behind(p->env), soon);
}

static void
copy_file(const char *from, const char *to)
{
    static uint8_t b[8 << 20];
    int in = open(from, O_RDONLY);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ssize_t n = read(in, b, sizeof(b));

    CHECK(n > 0 && n < (ssize_t)sizeof(b));
    CHECK_EQ(write(out, b, (size_t)n), n);
    (void)close(in);
    (void)close(out);
}

/* What all items of a file are when it is opened. */
static uint8_t
opened(const struct place *p, const char *path)
{
    struct store_env_config cfg = p->cfg;
    struct store_env *env;
    struct store_env_txn *txn;
    struct view v;
    uint8_t value = 0;

    cfg.path = path;
    CHECK_OK(store_env_open(&cfg, &env));
    CHECK_OK(store_env_begin(env, false, &txn));
    for (uint32_t i = 0; i < ITEMS; i++) {
        const uint8_t key[] = {(uint8_t)(i >> 8), (uint8_t)i};

        CHECK_OK(store_env_get(txn, 1, VIEW_ARRAY(key), &v));
        CHECK_EQ(v.len, 100);
        CHECK(i == 0 || v.p[99] == value);
        value = v.p[99];
    }
    store_env_abort(txn);
    CHECK_OK(store_env_close(env));
    return value;
}

static uint8_t
copied(const struct place *p)
{
    copy_file(p->path, p->copy);
    return opened(p, p->copy);
}

TEST(opening_goes_back_to_what_the_disk_had_for_sure)
{
    struct place p;

    place_begin(&p);
    commit(&p, 1, false);
    CHECK_EQ(copied(&p), 1);
    for (uint32_t n = 2; n < 40; n++) {
        commit(&p, n, true);
        CHECK_EQ(copied(&p), 1);
        CHECK_EQ(opened(&p, p.copy), 1); /* and is there for good */
    }
    store_env_settle(p.env);
    CHECK(!store_env_behind(p.env));
    CHECK_EQ(copied(&p), 39);
    commit(&p, 40, true);
    CHECK_EQ(copied(&p), 39);
    commit(&p, 41, false); /* with its sync */
    CHECK_EQ(copied(&p), 41);
    place_end(&p);
}

/* How many commits there were is known until somebody took them over. */
TEST(what_was_beyond_is_remembered)
{
    struct store_env_base base;
    struct store_env_config cfg;
    struct store_env *env;
    struct store_env_txn *txn;
    uint64_t ahead;
    struct place p;

    place_begin(&p);
    commit(&p, 1, false);
    CHECK(!store_env_returned(p.env, &ahead));
    for (uint32_t n = 2; n < 9; n++) {
        commit(&p, n, true);
    }
    copy_file(p.path, p.copy);
    cfg = p.cfg;
    cfg.path = p.copy;
    cfg.mode = STORE_ENV_READ_ONLY;
    CHECK_ERR(store_env_open(&cfg, &env), ERR_STATE);
    CHECK_OK(store_env_return(p.copy));
    CHECK_OK(store_env_base_look(p.copy, &base));
    CHECK_EQ(base.seen, base.txn + 7);
    for (int i = 0; i < 4; i++) { /* by readers and by those who do nothing */
        cfg.mode = i % 2 == 0 ? STORE_ENV_NORMAL : STORE_ENV_READ_ONLY;
        CHECK_OK(store_env_open(&cfg, &env));
        CHECK(store_env_returned(env, &ahead));
        CHECK_EQ(ahead, 7);
        CHECK_OK(store_env_close(env));
    }
    cfg.mode = STORE_ENV_NORMAL;
    CHECK_OK(store_env_open(&cfg, &env));
    CHECK_OK(store_env_begin(env, true, &txn));
    store_env_abort(txn);
    CHECK(store_env_behind(env));
    store_env_settle(env);
    CHECK(!store_env_returned(env, &ahead));
    CHECK_OK(store_env_close(env));
    CHECK_OK(store_env_base_look(p.copy, &base));
    CHECK(!base.has);
    place_end(&p);
}

TEST(closing_catches_up)
{
    struct place p;

    place_begin(&p);
    commit(&p, 1, false);
    commit(&p, 2, true);
    CHECK_OK(store_env_close(p.env));
    copy_file(p.path, p.copy);
    CHECK_EQ(opened(&p, p.copy), 2);
    CHECK_OK(store_env_open(&p.cfg, &p.env));
    place_end(&p);
}

TEST(a_damaged_base_is_said)
{
    struct place p;
    struct store_env *env;
    struct store_env_config cfg;

    place_begin(&p);
    commit(&p, 1, false);
    commit(&p, 2, true);
    cfg = p.cfg;
    cfg.path = p.copy;
    for (off_t at = 0; at < SECTOR; at += 11) {
        uint8_t b;
        int fd;

        copy_file(p.path, p.copy);
        fd = open(p.copy, O_RDWR);
        CHECK_EQ(pread(fd, &b, 1, BASE_AT + at), 1);
        b ^= 4;
        CHECK_EQ(pwrite(fd, &b, 1, BASE_AT + at), 1);
        (void)close(fd);
        CHECK_ERR(store_env_open(&cfg, &env), ERR_CORRUPT);
    }
    place_end(&p);
}

TEST(no_file_and_no_base)
{
    struct store_env_base base;
    struct place p;

    place_begin(&p);
    commit(&p, 1, false);
    CHECK_OK(store_env_base_return(p.path, &base));
    CHECK(!base.has);
    CHECK_ERR(store_env_base_return(p.copy, &base), ERR_MISSING);
    CHECK_EQ(copied(&p), 1);
    place_end(&p);
}

int
main(void)
{
    return RUN(T(opening_goes_back_to_what_the_disk_had_for_sure),
               T(what_was_beyond_is_remembered), T(closing_catches_up),
               T(a_damaged_base_is_said), T(no_file_and_no_base));
}
