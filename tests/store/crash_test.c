/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill -9 at the n-th write or sync of a life that begins with store_create:
 * whatever n, nothing acknowledged is missing and nothing is half there.  The
 * same when that one fails, or up to three: what was said to have failed is not
 * there.
 *
 * BALSAM_KILLS=N tries N points instead of a small number.
 */
#include "store/inner.h"
#include "tests/store/plog.h"
#include "tests/store/story.h"

#include <signal.h>
#include <sys/wait.h>

enum {
    ITEMS = 34,
    SETTLE = 9, /* after so many items there is a gap */
    KILLS = 60
};

static void
acked(uint64_t item)
{
    plog->acked = item;
}

/* The life of the child: create, open, do the items; does not return. */
static void
live(struct fix *f)
{
    if (store_create(&f->cfg) != OK || store_open(&f->cfg, &f->s) != OK) {
        _exit(1);
    }
    story_gaps(f->s);
    for (uint64_t item = 1; item <= ITEMS; item++) {
        if (story_item_here(f->s, item, item % 2 == 0 ? NULL : acked) != OK) {
            plog->failed = item; /* and so it has to be */
            _exit(2);
        }
        acked(item);
        if (item % SETTLE == 0) {
            store_writer_settle(f->s);
        }
    }
    store_close(f->s);
    _exit(0);
}

/* What such a life left; how many items it has. */
static uint64_t
look(struct fix *f, uint64_t n)
{
    struct store_verify_result r;
    uint64_t items;
    uint64_t next;
    enum err e;

    seed_rng_init(&f->rng, n + 1000000);
    e = store_open(&f->cfg, &f->s);
    if (e == ERR_MISSING) {
        /* Killed in create: it is made as if nothing had been there. */
        CHECK_EQ(plog->acked, 0);
        CHECK_OK(store_create(&f->cfg));
        e = store_open(&f->cfg, &f->s);
    }
    CHECK_OK(e);
    items = story_check(f->s);
    CHECK(items >= plog->acked && items <= plog->acked + 1);
    next = items + 1;
    CHECK_OK(story_item(f->s, next));
    CHECK_EQ(story_check(f->s), next);
    store_close(f->s);
    f->s = NULL;
    CHECK_OK(fix_verify(&f->cfg, story_found, NULL, &r));
    CHECK_EQ(r.bad, 0);
    fix_rm(f->dir);
    return items;
}

/* Kill a life at its n-th operation and look; false when it ended before. */
static bool
kill_at(uint64_t n, bool tear)
{
    struct fix f;
    int status = 0;
    pid_t pid;

    fix_config(&f, n);
    fix_dir(f.dir);
    plog_reset(PLOG_KILL);
    plog->kill_at = n;
    plog->tear = tear;
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        live(&f);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status) &&
          (WEXITSTATUS(status) == PLOG_KILLED || WEXITSTATUS(status) == 0));
    plog->mode = PLOG_OFF;
    (void)look(&f, n);
    return WEXITSTATUS(status) == PLOG_KILLED;
}

/* The n-th write or sync of a life fails; false when it has no n. */
static bool
fail_at(uint64_t n, uint64_t fails, int number, bool tear)
{
    struct fix f;
    uint64_t items;
    int status = 0;
    pid_t pid;

    fix_config(&f, n);
    fix_dir(f.dir);
    plog_reset(PLOG_KILL);
    plog->kill_at = n;
    plog->fail = number;
    plog->fails = fails;
    plog->tear = tear;
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        (void)signal(SIGABRT, SIG_DFL);
        CHECK(freopen("/dev/null", "w", stderr) != NULL);
        live(&f);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    /* It went on, or told who asked, or ended: an assertion says why. */
    CHECK(WIFEXITED(status) ? WEXITSTATUS(status) <= 2
                            : WTERMSIG(status) == SIGABRT);
    plog->mode = PLOG_OFF;
    items = look(&f, n);
    CHECK(plog->failed == 0 || items + 1 == plog->failed);
    return plog->ops >= n;
}

static uint64_t
wanted(void)
{
    const char *more = getenv("BALSAM_KILLS");

    return more != NULL ? strtoull(more, NULL, 10) : KILLS;
}

TEST(a_write_or_sync_that_fails_loses_nothing)
{
    static const int numbers[] = {EIO, ENOSPC};
    struct seed_rng rng;
    uint64_t total;

    if (plog == NULL) {
        plog_init();
        CHECK(plog != NULL);
    }
    CHECK(!fail_at(UINT64_MAX, 1, EIO, false));
    total = plog->ops;
    seed_rng_init(&rng, 43);
    for (uint64_t i = 0; i < wanted(); i++) {
        uint64_t n = wanted() >= 4 * total ? 1 + i / 4 % total
                                           : 1 + seed_rng_below(&rng, total);

        CHECK(fail_at(n, 1 + i % 3, numbers[i % 2], i / 2 % 2 == 0));
    }
}

TEST(a_kill_at_any_write_loses_nothing)
{
    uint64_t kills = wanted();
    struct seed_rng rng;
    uint64_t total;
    uint64_t done = 0;

    if (plog == NULL) {
        plog_init();
        CHECK(plog != NULL);
    }
    /* How long a life is that nobody ends. */
    CHECK(!kill_at(UINT64_MAX, false));
    total = plog->ops;
    seed_rng_init(&rng, 42);
    if (kills >= 2 * total) {
        for (uint64_t n = 1; n <= total; n++) {
            CHECK(kill_at(n, false));
            CHECK(kill_at(n, true));
            done += 2;
        }
    }
    for (; done < kills; done++) {
        uint64_t n = 1 + seed_rng_below(&rng, total);

        CHECK(kill_at(n, seed_rng_below(&rng, 2) == 0));
    }
    printf("  %llu kills over %llu writes and syncs\n",
           (unsigned long long)done, (unsigned long long)total);
}

int
main(void)
{
    return RUN(T(a_kill_at_any_write_loses_nothing),
               T(a_write_or_sync_that_fails_loses_nothing));
}
