/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The redo record: durable before the commit, done again once and only on the
 * state that it begins with.  crash_test and power_test cut at every write.
 */
#include "store/backup.h"
#include "store/inner.h"
#include "store/redo.h"
#include "store/settings.h"
#include "tests/store/fix.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum {
    FILE_BYTES = STORE_REDO_SIZE,
    HEAD = 33
};

struct item {
    struct store_job job;
    struct fix *f;
    uint8_t value;
    size_t more; /* rows beside */
    bool del;
    bool die; /* right when it was told */
    bool told;
    bool done;
};

static enum err
item_run(void *ctx, struct store_txn *txn)
{
    const struct item *it = ctx;
    enum err e = OK;

    for (size_t i = 0; i < it->more; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "more.%zu", i);
        TRY(store_setting_put(txn, name, view_make(&it->value, 1)));
    }
    TRY(it->del ? store_setting_del(txn, "one")
                : store_setting_put(txn, "one", view_make(&it->value, 1)));
out:
    return e;
}

/* The value of "one", 0 when there is none. */
static uint8_t
one(struct fix *f)
{
    struct store_txn *txn;
    struct bytes b = {0};
    uint8_t value = 0;
    enum err e;

    CHECK_OK(store_read_begin(f->s, &txn));
    e = store_setting_get(txn, "one", &b);
    store_read_end(txn);
    CHECK(e == OK || e == ERR_MISSING);
    if (e == OK) {
        value = b.p[0];
    }
    bytes_free(&b);
    return value;
}

static void
item_early(void *ctx)
{
    struct item *it = ctx;

    it->told = true;
    CHECK(!it->done);
    if (it->die) {
        _exit(7);
    }
}

static void
item_done(void *ctx, enum err e)
{
    struct item *it = ctx;

    CHECK_OK(e);
    it->done = true;
}

/* On this thread, since the writer has nothing else to do. */
static void
put_here(struct fix *f, struct item *it)
{
    store_writer_settle(f->s);
    it->f = f;
    it->job.run = item_run;
    it->job.early = item_early;
    it->job.done = item_done;
    it->job.ctx = it;
    store_submit_here(f->s, &it->job);
    CHECK(it->done);
}

static void
begin(struct fix *f)
{
    fix_config(f, 5);
    fix_dir(f->dir);
    CHECK_OK(store_create(&f->cfg));
    CHECK_OK(store_open(&f->cfg, &f->s));
}

static void
reopen(struct fix *f)
{
    store_close(f->s);
    f->s = NULL;
    CHECK_OK(store_open(&f->cfg, &f->s));
}

static void
end(struct fix *f)
{
    store_close(f->s);
    fix_rm(f->dir);
}

/* A life that ends when the item is told, before LMDB has it. */
static void
die_told(struct fix *f, struct item it)
{
    int status = 0;
    pid_t pid;

    store_close(f->s);
    f->s = NULL;
    it.die = true;
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        if (store_open(&f->cfg, &f->s) != OK) {
            _exit(1);
        }
        put_here(f, &it);
        _exit(2);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

TEST(told_before_it_is_done_and_there_after_a_crash)
{
    struct item first = {.value = 1};
    struct fix f;

    begin(&f);
    put_here(&f, &first);
    CHECK(first.told);
    CHECK_EQ(one(&f), 1);
    die_told(&f, (struct item){.value = 2, .more = 20});
    CHECK_OK(store_open(&f.cfg, &f.s));
    CHECK_EQ(one(&f), 2);
    die_told(&f, (struct item){.del = true});
    CHECK_OK(store_open(&f.cfg, &f.s));
    CHECK_EQ(one(&f), 0);
    reopen(&f); /* and not once more */
    CHECK_EQ(one(&f), 0);
    end(&f);
}

static void
no_bad(void *ctx, const struct store_bad *bad)
{
    (void)ctx;
    printf("  damaged: %s\n", bad->table);
    CHECK(false);
}

static uint64_t
pending(struct fix *f)
{
    struct store_verify_result r;

    CHECK_OK(fix_verify(&f->cfg, no_bad, NULL, &r));
    CHECK_EQ(r.bad, 0);
    return r.pending;
}

/* The offline check says that there is a commit that LMDB does not have. */
TEST(seen_before_it_is_done)
{
    struct fix f;

    begin(&f);
    die_told(&f, (struct item){.value = 2, .more = 20});
    CHECK(pending(&f) > 20);
    CHECK(pending(&f) > 20); /* looking changes nothing */
    CHECK_OK(store_open(&f.cfg, &f.s));
    CHECK_EQ(one(&f), 2);
    store_close(f.s);
    CHECK_EQ(pending(&f), 0);
    CHECK_OK(store_open(&f.cfg, &f.s));
    end(&f);
}

/* Bytes of the file, read or written. */
static void
file_at(const struct fix *f, off_t at, uint8_t *bytes, size_t len, bool put)
{
    char path[FIX_PATH + 8];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/redo", f->dir);
    fd = open(path, O_RDWR);
    CHECK(fd >= 0);
    CHECK_EQ(put ? pwrite(fd, bytes, len, at) : pread(fd, bytes, len, at),
             (ssize_t)len);
    (void)close(fd);
}

TEST(a_torn_record_is_as_if_it_were_not_there)
{
    uint32_t len = HEAD + 1;

    for (off_t at = HEAD; at < (off_t)(HEAD + len); at += 37) {
        struct item first = {.value = 1};
        struct fix f;
        uint8_t head[4];
        uint8_t b;

        begin(&f);
        put_here(&f, &first);
        die_told(&f, (struct item){.value = 2});
        file_at(&f, 0, head, sizeof(head), false);
        len = store_get_u32(head);
        CHECK(len > 100 && len < 4096);
        file_at(&f, at, &b, 1, false);
        b ^= 0x40;
        file_at(&f, at, &b, 1, true);
        CHECK_OK(store_open(&f.cfg, &f.s));
        CHECK_EQ(one(&f), 1);
        end(&f);
    }
}

TEST(an_old_record_does_not_come_back)
{
    static uint8_t old[FILE_BYTES];
    struct item third = {.value = 3};
    struct fix f;

    begin(&f);
    die_told(&f, (struct item){.value = 2});
    file_at(&f, 0, old, sizeof(old), false);
    CHECK_OK(store_open(&f.cfg, &f.s));
    put_here(&f, &third);
    store_close(f.s);
    file_at(&f, 0, old, sizeof(old), true);
    CHECK_OK(store_open(&f.cfg, &f.s));
    CHECK_EQ(one(&f), 3);
    end(&f);
}

/* While LMDB's file is behind the writer may be at it. */
static void
put_behind(struct fix *f, struct item *it)
{
    CHECK_OK(store_write_here(f->s, item_run, NULL, it, 0));
}

/* A life that puts items with the values 1 .. n and ends without closing. */
static void
die_after(struct fix *f, uint8_t n, bool settle)
{
    int status = 0;
    pid_t pid;

    store_close(f->s);
    f->s = NULL;
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        if (store_open(&f->cfg, &f->s) != OK) {
            _exit(1);
        }
        f->s->writer.rest_ms = 600 * 1000; /* only when it is told */
        for (uint8_t value = 1; value <= n; value++) {
            struct item it = {.value = value, .more = value};

            put_behind(f, &it);
        }
        if (settle) {
            store_writer_settle(f->s);
        }
        _exit(7);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

TEST(many_in_a_row_are_done_again_in_order)
{
    struct fix f;

    begin(&f);
    die_after(&f, 20, false);
    CHECK(pending(&f) > 210);
    CHECK_OK(store_open(&f.cfg, &f.s));
    CHECK_EQ(one(&f), 20);
    end(&f);
}

static void
flip(const struct fix *f, off_t at)
{
    uint8_t b;

    file_at(f, at, &b, 1, false);
    b ^= 1;
    file_at(f, at, &b, 1, true);
}

static void
count_bad(void *ctx, const struct store_bad *bad)
{
    CHECK(strcmp(bad->table, "redo") == 0);
    ++*(unsigned *)ctx;
}

/* Neither opened nor called good, however often it is tried. */
static void
check_lost(struct fix *f, uint64_t lost)
{
    for (int i = 0; i < 2; i++) {
        struct store_verify_result r;
        unsigned bad = 0;

        CHECK_OK(fix_verify(&f->cfg, count_bad, &bad, &r));
        CHECK_EQ(bad, 1);
        CHECK_EQ(r.bad, 1);
        CHECK_EQ(r.lost, lost);
        CHECK_ERR(store_open(&f->cfg, &f->s), ERR_CORRUPT);
    }
}

static const off_t rows[] = {HEAD, HEAD + 1, 100};

/* What a head says is known otherwise, or said twice. */
TEST(a_rotten_head_is_not_missed)
{
    for (off_t at = 0; at < HEAD; at++) {
        for (uint8_t n = 1; n < 6; n += 2) {
            struct fix f;

            begin(&f);
            die_after(&f, n, false);
            flip(&f, n / 2 * STORE_REDO_STEP + at);
            CHECK(pending(&f) > n);
            CHECK_OK(store_open(&f.cfg, &f.s));
            CHECK_EQ(one(&f), n);
            end(&f);
            begin(&f);
            die_after(&f, n, false);
            flip(&f, (n - 1) * STORE_REDO_STEP + at);
            CHECK_OK(store_open(&f.cfg, &f.s));
            CHECK_EQ(one(&f), n);
            end(&f);
        }
    }
}

/* A record that rots takes those behind it along: that is said. */
TEST(what_follows_a_rotten_record_is_missed)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (off_t n = 0; n < 5; n++) {
            off_t at = n * STORE_REDO_STEP + rows[i];
            struct fix f;

            begin(&f);
            die_after(&f, 5, false);
            flip(&f, at);
            check_lost(&f, n == 4 ? 1 : (uint64_t)(5 - n));
            flip(&f, at); /* and nothing was touched */
            CHECK_OK(store_open(&f.cfg, &f.s));
            CHECK_EQ(one(&f), 5);
            end(&f);
        }
    }
}

TEST(a_single_record_that_rots_is_missed)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fix f;

        begin(&f);
        die_after(&f, 1, false);
        flip(&f, rows[i]);
        check_lost(&f, 1);
        flip(&f, rows[i]);
        CHECK_OK(store_open(&f.cfg, &f.s));
        CHECK_EQ(one(&f), 1);
        end(&f);
    }
}

/* The database file of a folder without the redo file beside it. */
TEST(a_folder_that_lacks_the_file_is_missed)
{
    char path[FIX_PATH + 8];
    char away[FIX_PATH + 8];
    struct fix f;

    begin(&f);
    die_after(&f, 3, false);
    (void)snprintf(path, sizeof(path), "%s/redo", f.dir);
    (void)snprintf(away, sizeof(away), "%s/away", f.dir);
    CHECK_EQ(rename(path, away), 0);
    check_lost(&f, 2); /* that many at least */
    CHECK_EQ(rename(away, path), 0);
    CHECK_OK(store_open(&f.cfg, &f.s));
    CHECK_EQ(one(&f), 3);
    end(&f);
}

/* What is behind the end of the row is most often of an earlier time. */
TEST(old_records_behind_the_row_are_not_missed)
{
    struct fix f;

    begin(&f);
    die_after(&f, 20, false);
    CHECK_OK(store_open(&f.cfg, &f.s));
    CHECK_EQ(one(&f), 20);
    for (uint8_t n = 1; n < 8; n++) {
        die_after(&f, n, false);
        CHECK(pending(&f) > n);
        CHECK_OK(store_open(&f.cfg, &f.s));
        CHECK_EQ(one(&f), n);
    }
    end(&f);
}

TEST(a_file_that_caught_up_needs_none)
{
    struct fix f;

    begin(&f);
    die_after(&f, 5, true);
    CHECK_EQ(pending(&f), 0);
    CHECK_OK(store_open(&f.cfg, &f.s));
    CHECK_EQ(one(&f), 5);
    end(&f);
}

/* More than the file holds: LMDB's catches up before it is full. */
TEST(a_full_file_begins_again)
{
    struct fix f;

    begin(&f);
    for (unsigned i = 0; i < 2 * STORE_REDO_SIZE / STORE_REDO_STEP; i++) {
        struct item it = {.value = (uint8_t)(i % 200 + 1)};

        put_behind(&f, &it);
        CHECK_EQ(one(&f), it.value);
    }
    reopen(&f);
    CHECK_EQ(one(&f), (2 * STORE_REDO_SIZE / STORE_REDO_STEP - 1) % 200 + 1);
    end(&f);
}

/* Nobody asks for it: with so many records LMDB's file catches up after a
   moment without a commit, with many more at once. */
static void
catches_up(unsigned items, uint64_t gap_ms)
{
    const uint64_t never_ms = 600 * 1000;
    struct fix f;

    begin(&f);
    f.s->writer.rest_ms = never_ms;
    f.s->writer.gap_ms = gap_ms == 0 ? never_ms : gap_ms;
    for (unsigned i = 0; i < items; i++) {
        struct item it = {.value = (uint8_t)(i + 1)};

        put_behind(&f, &it);
    }
    CHECK_EQ(pthread_mutex_lock(&f.s->writer.mx), 0);
    while (f.s->writer.behind) {
        CHECK_EQ(pthread_cond_wait(&f.s->writer.settled, &f.s->writer.mx), 0);
    }
    CHECK_EQ(pthread_mutex_unlock(&f.s->writer.mx), 0);
    end(&f);
}

TEST(a_gap_between_commits_is_used)
{
    catches_up(STORE_REDO_SIZE / STORE_REDO_STEP / 4 + 1, 1);
}

TEST(without_a_gap_it_is_done_all_the_same)
{
    catches_up(STORE_REDO_SIZE / STORE_REDO_STEP / 4 * 3 + 1, 0);
}

TEST(what_is_too_big_waits_for_its_commit)
{
    struct item big = {.value = 4, .more = STORE_REDO_ROWS};
    struct item next = {.value = 5};
    struct fix f;

    begin(&f);
    put_here(&f, &big);
    CHECK(!big.told);
    put_here(&f, &next);
    CHECK(next.told);
    reopen(&f);
    CHECK_EQ(one(&f), 5);
    end(&f);
}

TEST(a_folder_without_the_file_gets_one)
{
    struct item it = {.value = 6};
    char path[FIX_PATH + 8];
    struct fix f;

    begin(&f);
    store_close(f.s);
    (void)snprintf(path, sizeof(path), "%s/redo", f.dir);
    CHECK_EQ(unlink(path), 0);
    CHECK_OK(store_open(&f.cfg, &f.s));
    put_here(&f, &it);
    CHECK(it.told);
    end(&f);
}

/* Rather not open than without what was told. */
TEST(a_file_that_cannot_be_read_is_said)
{
    char path[FIX_PATH + 8];
    struct fix f;

    begin(&f);
    store_close(f.s);
    f.s = NULL;
    (void)snprintf(path, sizeof(path), "%s/redo", f.dir);
    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(mkdir(path, 0700), 0);
    CHECK_ERR(store_open(&f.cfg, &f.s), ERR_IO);
    CHECK_EQ(rmdir(path), 0);
    CHECK_OK(store_open(&f.cfg, &f.s));
    end(&f);
}

int
main(void)
{
    return RUN(
        T(told_before_it_is_done_and_there_after_a_crash),
        T(seen_before_it_is_done), T(a_torn_record_is_as_if_it_were_not_there),
        T(an_old_record_does_not_come_back),
        T(many_in_a_row_are_done_again_in_order),
        T(a_rotten_head_is_not_missed),
        T(what_follows_a_rotten_record_is_missed),
        T(a_single_record_that_rots_is_missed),
        T(a_folder_that_lacks_the_file_is_missed),
        T(old_records_behind_the_row_are_not_missed),
        T(a_file_that_caught_up_needs_none), T(a_gap_between_commits_is_used),
        T(without_a_gap_it_is_done_all_the_same), T(a_full_file_begins_again),
        T(what_is_too_big_waits_for_its_commit),
        T(a_folder_without_the_file_gets_one),
        T(a_file_that_cannot_be_read_is_said));
}
