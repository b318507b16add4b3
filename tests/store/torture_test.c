/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each allocation fails once: what was being done says ERR_NOMEM and has
 * changed nothing, what is done next works, nothing leaks.
 */
#include "tests/store/story.h"
#include "tests/support/fail_mem.h"

enum {
    ITEMS = 12
};

/* Items until one fails; how many are in. */
static enum err
do_items(struct store *s, uint64_t *done)
{
    enum err e = OK;

    while (e == OK && *done < ITEMS) {
        e = story_item(s, *done + 1);
        *done += e == OK;
    }
    return e;
}

/* Count what a reader sees with memory that may fail. */
static enum err
see(void *ctx, const struct store_msg *m)
{
    ++*(uint64_t *)ctx;
    return m->pos > 0 ? OK : ERR_INTERNAL;
}

static enum err
read_items(struct store *s, uint64_t *n)
{
    struct conv_id conv = {{1}};
    struct store_txn *txn = NULL;
    enum err e;

    TRY(store_read_begin(s, &txn));
    TRY(store_msg_list(txn, &conv, 0, STORE_UP, ITEMS, see, n));
out:
    store_read_end(txn);
    return e;
}

/* A life whose n-th allocation fails; false when it had fewer. */
static bool
live(uint64_t n)
{
    struct fail_mem mem;
    struct fix f;
    uint64_t done = 0;
    uint64_t seen = 0;
    enum err e;

    fix_begin(&f);
    store_close(f.s);
    f.s = NULL;
    fail_mem_init(&mem, n);
    f.cfg.mem = &mem.mem;
    e = store_open(&f.cfg, &f.s);
    if (e != OK) {
        CHECK_ERR(e, ERR_NOMEM);
        CHECK_EQ(mem.live, 0);
        e = store_open(&f.cfg, &f.s);
    }
    CHECK_OK(e);
    e = do_items(f.s, &done);
    CHECK(e == OK || e == ERR_NOMEM);
    CHECK_OK(do_items(f.s, &done));
    e = read_items(f.s, &seen);
    if (e == ERR_NOMEM) {
        seen = 0;
        e = read_items(f.s, &seen);
    }
    CHECK_OK(e);
    CHECK_EQ(seen, ITEMS);
    mem.fail_at = 0; /* what follows is the test's own */
    CHECK_EQ(story_check(f.s), ITEMS);
    store_close(f.s);
    f.s = NULL;
    CHECK_EQ(mem.live, 0);
    f.cfg.mem = mem_heap();
    CHECK_OK(store_open(&f.cfg, &f.s));
    CHECK_EQ(story_check(f.s), ITEMS);
    fix_end(&f);
    return mem.hit;
}

TEST(every_failed_allocation_is_survived)
{
    uint64_t n = 1;

    /* All of the beginning; then, where it repeats itself, every 13th. */
    while (live(n)) {
        n += n < 120 ? 1 : 13;
    }
    printf("  %llu allocations\n", (unsigned long long)n);
}

int
main(void)
{
    return RUN(T(every_failed_allocation_is_survived));
}
