/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Going on without commits whose redo records are gone: what is left is what a
 * restored backup of right before them would be, wherever it is cut short.
 */
#include "store/inner.h"
#include "store/redo.h"
#include "store/settings.h"
#include "tests/store/plog.h"
#include "tests/store/story.h"

#include <sys/wait.h>

enum {
    ITEMS = 8, /* the first of each owner has no record */
    WHOLE = 2, /* records before the one that rots */
    LEFT = STORY_OWNERS + WHOLE,
    LOST = ITEMS - LEFT,
    NEVER_MS = 600 * 1000
};

static void
rot(const struct fix *f)
{
    char path[FIX_PATH + 8];
    uint8_t b;
    off_t at = WHOLE * STORE_REDO_STEP + 100;
    int fd;

    (void)snprintf(path, sizeof(path), "%s/redo", f->dir);
    fd = open(path, O_RDWR);
    CHECK(fd >= 0);
    CHECK_EQ(pread(fd, &b, 1, at), 1);
    b ^= 1;
    CHECK_EQ(pwrite(fd, &b, 1, at), 1);
    (void)close(fd);
}

static void
in_child(struct fix *f, void (*run)(struct fix *f))
{
    int status = 0;
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        run(f);
        _exit(7);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 7 || WEXITSTATUS(status) == PLOG_KILLED);
}

static void
open_and_rest_never(struct fix *f)
{
    CHECK_OK(store_open(&f->cfg, &f->s));
    f->s->writer.rest_ms = NEVER_MS;
}

/* Of what a backup has, and of what it has not. */
static enum err
put_fed(void *ctx, struct store_txn *txn)
{
    enum err e;

    (void)ctx;
    TRY(store_fed_put(txn, 1, VIEW_LIT("key"), VIEW_LIT("value")));
    TRY(store_fed_put(txn, STORE_FED_NO_BACKUP, VIEW_LIT("key"),
                      VIEW_LIT("value")));
out:
    return e;
}

static void
live(struct fix *f)
{
    open_and_rest_never(f);
    CHECK_OK(store_write(f->s, put_fed, NULL, 0));
    for (uint64_t item = 1; item <= ITEMS; item++) {
        CHECK_OK(story_item_here(f->s, item, NULL));
    }
}

/* A store whose last commits are lost. */
static void
begin(struct fix *f)
{
    struct store_verify_result r;

    fix_config(f, 1);
    fix_dir(f->dir);
    CHECK_OK(store_create(&f->cfg));
    in_child(f, live);
    rot(f);
    CHECK_OK(fix_verify(&f->cfg, story_found, NULL, &r));
    CHECK_EQ(r.lost, LOST);
    CHECK_ERR(store_open(&f->cfg, &f->s), ERR_CORRUPT);
}

/* Whole, restored, and nothing of it can be used a second time. */
static void
check_anew(struct fix *f)
{
    struct clinic_id peer = {{1}};
    struct store_verify_result r;
    struct store_outbox_status st;
    struct store_status status;
    struct conv_id id = {{1}};
    struct store_conv c = {.msgs = 0};
    struct bytes b = {0};
    struct store_txn *txn;

    CHECK_OK(fix_verify(&f->cfg, story_found, NULL, &r));
    CHECK_EQ(r.bad, 0);
    CHECK_EQ(r.lost, 0);
    CHECK_EQ(r.msgs, LEFT);
    CHECK_EQ(r.audit_rows, LEFT);
    CHECK_OK(store_open(&f->cfg, &f->s));
    CHECK_OK(store_status(f->s, &status));
    CHECK_EQ(status.restores, 1);
    CHECK_OK(store_read_begin(f->s, &txn));
    CHECK_OK(store_conv_get(txn, &id, &c));
    CHECK_EQ(c.msgs, LEFT);
    store_conv_clear(&c);
    CHECK_ERR(store_outbox_status(txn, &peer, &st), ERR_MISSING);
    for (uint64_t i = 0; i < STORY_OWNERS; i++) {
        struct store_owner owner = story_owner(i);

        CHECK_ERR(store_secret_get(txn, &owner, VIEW_LIT("epoch"), &b),
                  ERR_MISSING);
    }
    CHECK_ERR(store_fed_get(txn, STORE_FED_NO_BACKUP, VIEW_LIT("key"), &b),
              ERR_MISSING);
    CHECK_OK(store_fed_get(txn, 1, VIEW_LIT("key"), &b));
    bytes_free(&b);
    store_read_end(txn);
}

static enum err
put_one(void *ctx, struct store_txn *txn)
{
    (void)ctx;
    return store_setting_put(txn, "one", VIEW_LIT("1"));
}

static void
one_more(struct fix *f)
{
    open_and_rest_never(f);
    CHECK_OK(store_write_here(f->s, put_one, NULL, NULL, 0));
}

TEST(what_is_left_is_as_if_restored)
{
    struct store_verify_result r;
    struct fix f;
    uint64_t lost = 0;

    begin(&f);
    CHECK_OK(store_forgo_lost(&f.cfg, &lost));
    CHECK_EQ(lost, LOST);
    check_anew(&f);
    for (uint64_t item = LEFT + 1; item < LEFT + 10; item++) {
        CHECK_OK(story_item(f.s, item)); /* it goes on */
    }
    store_close(f.s);
    f.s = NULL;
    CHECK_OK(fix_verify(&f.cfg, story_found, NULL, &r));
    CHECK_EQ(r.bad, 0);
    CHECK_EQ(r.msgs, LEFT + 9);
    fix_rm(f.dir);
}

/* Records of the lost commits are behind those that are new. */
TEST(what_was_lost_is_not_missed_again)
{
    struct fix f;
    uint64_t lost = 0;

    begin(&f);
    CHECK_OK(store_forgo_lost(&f.cfg, &lost));
    in_child(&f, one_more);
    CHECK_OK(store_open(&f.cfg, &f.s));
    fix_end(&f);
}

TEST(without_a_loss_nothing_is_touched)
{
    struct store_status status;
    struct fix f;
    uint64_t lost = 0;

    fix_config(&f, 1);
    fix_dir(f.dir);
    CHECK_ERR(store_forgo_lost(&f.cfg, &lost), ERR_MISSING);
    CHECK_OK(store_create(&f.cfg));
    CHECK_ERR(store_forgo_lost(&f.cfg, &lost), ERR_MISSING);
    in_child(&f, live); /* and a crash is no loss */
    CHECK_ERR(store_forgo_lost(&f.cfg, &lost), ERR_MISSING);
    CHECK_OK(store_open(&f.cfg, &f.s));
    CHECK_ERR(store_forgo_lost(&f.cfg, &lost), ERR_STATE);
    CHECK_EQ(story_check(f.s), ITEMS);
    CHECK_OK(store_status(f.s, &status));
    CHECK_EQ(status.restores, 0);
    fix_end(&f);
}

static void
forgo(struct fix *f)
{
    uint64_t lost;

    CHECK_OK(store_forgo_lost(&f->cfg, &lost));
}

TEST(cut_short_it_is_done_again)
{
    uint64_t n = 1;

    plog_init();
    CHECK(plog != NULL);
    for (bool over = false; !over; n++) {
        struct fix f;
        uint64_t lost;
        enum err e;

        plog->mode = PLOG_OFF;
        begin(&f);
        plog_reset(PLOG_KILL);
        plog->kill_at = n;
        plog->tear = n % 2 == 0;
        in_child(&f, forgo);
        over = plog->ops < n;
        plog->mode = PLOG_OFF;
        e = store_forgo_lost(&f.cfg, &lost);
        CHECK(e == OK || e == ERR_MISSING); /* it was done */
        CHECK(!over || e == ERR_MISSING);
        check_anew(&f);
        fix_end(&f);
    }
    CHECK(n > 10);
    printf("  cut at %llu writes and syncs\n", (unsigned long long)n);
}

int
main(void)
{
    return RUN(
        T(what_is_left_is_as_if_restored), T(what_was_lost_is_not_missed_again),
        T(without_a_loss_nothing_is_touched), T(cut_short_it_is_done_again));
}
