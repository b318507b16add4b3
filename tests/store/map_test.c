/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LMDB's map may be too small at any step of a commit: whichever it is, the map
 * grows, or who asked is told that there is no room; nothing that was durable
 * is missing, and the process goes on.
 */
#include "store/env_impl.h"
#include "store/inner.h"
#include "store/settings.h"
#include "tests/store/fix.h"

#include <sys/wait.h>

enum {
    PAGE = 4096,
    FIRST = 96, /* pages of the smallest map */
    MAPS = 48,  /* one page more each */
    ITEMS = 60,
    LONGER = 1300,
    LONGEST = 9000
};

struct item {
    uint32_t n;
    bool told;
};

static enum err
item_run(void *ctx, struct store_txn *txn)
{
    const struct item *it = ctx;
    static uint8_t bytes[LONGEST]; /* of the thread that writes */
    size_t size = 900 + it->n * LONGER % (LONGEST - 900);
    char name[32];
    enum err e;

    store_put_u32(bytes, it->n);
    (void)snprintf(name, sizeof(name), "item.%u", it->n);
    TRY(store_setting_put(txn, name, view_make(bytes, size)));
    TRY(store_setting_put(txn, "last", view_make(bytes, 4)));
out:
    return e;
}

static void
item_early(void *ctx)
{
    ((struct item *)ctx)->told = true;
}

/* Items until they do not fit; how many there are.  What was told is there. */
static uint32_t
put_items(struct fix *f)
{
    uint32_t n = 0;

    while (n < ITEMS) {
        struct item it = {.n = n + 1};
        enum err e = store_write_here(f->s, item_run, item_early, &it, 0);

        CHECK(e == OK || (e == ERR_FULL && !it.told));
        if (e != OK) {
            break;
        }
        n++;
    }
    return n;
}

static uint32_t
last(struct fix *f)
{
    struct store_txn *txn;
    struct bytes b = {0};
    uint32_t n = 0;
    enum err e;

    CHECK_OK(store_read_begin(f->s, &txn));
    e = store_setting_get(txn, "last", &b);
    store_read_end(txn);
    CHECK(e == OK || e == ERR_MISSING);
    if (e == OK) {
        n = store_get_u32(b.p);
    }
    bytes_free(&b);
    return n;
}

/* A life with such a map, which may be made larger before it is full or not; it
   does not end before its time. */
static void
live(struct fix *f, bool before)
{
    uint32_t n;

    if (store_open(&f->cfg, &f->s) != OK) {
        _exit(1);
    }
    f->s->writer.rest_ms = 600 * 1000; /* pages are not free again */
    f->s->writer.gap_ms = 600 * 1000;
    f->s->env->cannot_grow = !before;
    n = put_items(f);
    _exit(n == ITEMS && last(f) == n ? 7 : 2); /* without closing */
}

static void
grows(bool before)
{
    for (uint64_t i = 0; i < MAPS; i++) {
        struct fix f;
        int status = 0;
        pid_t pid;

        fix_config(&f, i);
        fix_dir(f.dir);
        f.cfg.map_size = (FIRST + i) * PAGE;
        CHECK_OK(store_create(&f.cfg));
        pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            live(&f, before);
        }
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        CHECK(WIFEXITED(status));
        CHECK_EQ(WEXITSTATUS(status), 7);
        CHECK_OK(store_open(&f.cfg, &f.s)); /* with the same small map */
        CHECK_EQ(last(&f), ITEMS);
        store_close(f.s);
        fix_rm(f.dir);
    }
}

TEST(a_map_that_is_full_at_any_step_grows)
{
    grows(false);
}

TEST(a_map_that_is_almost_full_grows)
{
    grows(true);
}

int
main(void)
{
    return RUN(T(a_map_that_is_full_at_any_step_grows),
               T(a_map_that_is_almost_full_grows));
}
