/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill -9 at the n-th write or sync of a life that begins with store_create:
 * whatever n, nothing acknowledged is missing and nothing is half there.
 *
 * BALSAM_KILLS=N tries N points instead of a small number.
 */
#include "store/inner.h"
#include "tests/store/plog.h"
#include "tests/store/story.h"

#include <sys/wait.h>

enum {
    ITEMS = 34,
    SETTLE = 9, /* after so many items LMDB's file catches up */
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
    for (uint64_t item = 1; item <= ITEMS; item++) {
        if (story_item_here(f->s, item, item % 2 == 0 ? NULL : acked) != OK) {
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

/* Kill a life at its n-th operation and look; false when it ended before. */
static bool
kill_at(uint64_t n, bool tear)
{
    struct store_verify_result r;
    struct fix f;
    uint64_t items;
    uint64_t next;
    int status = 0;
    pid_t pid;
    enum err e;

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
    seed_rng_init(&f.rng, n + 1000000);
    e = store_open(&f.cfg, &f.s);
    if (e == ERR_MISSING) {
        /* Killed in create: it is made as if nothing had been there. */
        CHECK_EQ(plog->acked, 0);
        CHECK_OK(store_create(&f.cfg));
        e = store_open(&f.cfg, &f.s);
    }
    CHECK_OK(e);
    items = story_check(f.s);
    CHECK(items >= plog->acked && items <= plog->acked + 1);
    next = items + 1;
    CHECK_OK(story_item(f.s, next));
    CHECK_EQ(story_check(f.s), next);
    store_close(f.s);
    f.s = NULL;
    CHECK_OK(fix_verify(&f.cfg, story_found, NULL, &r));
    CHECK_EQ(r.bad, 0);
    fix_rm(f.dir);
    return WEXITSTATUS(status) == PLOG_KILLED;
}

TEST(a_kill_at_any_write_loses_nothing)
{
    const char *more = getenv("BALSAM_KILLS");
    uint64_t kills = more != NULL ? strtoull(more, NULL, 10) : KILLS;
    struct seed_rng rng;
    uint64_t total;
    uint64_t done = 0;

    plog_init();
    CHECK(plog != NULL);
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
    return RUN(T(a_kill_at_any_write_loses_nothing));
}
