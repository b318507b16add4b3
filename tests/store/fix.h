/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store of its own for each test: a new folder, a seeded rng, a clock that
 * the test moves, a raw key.
 */
#ifndef TESTS_STORE_FIX_H
#define TESTS_STORE_FIX_H

#include "store/backup.h"
#include "store/store.h"
#include "store/txn.h"
#include "store/writer.h"
#include "tests/support/check.h"
#include "tests/support/seed_rng.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FIX_PATH = 256
};

struct fix {
    char dir[FIX_PATH];
    uint64_t wall_ms;
    uint64_t mono_ms;
    struct clock clock;
    struct seed_rng rng;
    struct store_config cfg;
    struct store *s;
};

static inline uint64_t
fix_wall(void *ctx)
{
    return ((struct fix *)ctx)->wall_ms;
}

static inline uint64_t
fix_mono(void *ctx)
{
    return ((struct fix *)ctx)->mono_ms;
}

static inline int
fix_rm_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static inline void
fix_rm(const char *dir)
{
    (void)nftw(dir, fix_rm_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A new empty folder, in memory where there is such a place. */
static inline void
fix_dir(char out[FIX_PATH])
{
    const char *tmp = getenv("TMPDIR");

    (void)snprintf(out, FIX_PATH, "%s/balsam-store-XXXXXX",
                   tmp != NULL                     ? tmp
                   : access("/dev/shm", W_OK) == 0 ? "/dev/shm"
                                                   : "/tmp");
    CHECK(mkdtemp(out) != NULL);
}

/* Everything but a folder and a store. */
static inline void
fix_config(struct fix *f, uint64_t seed)
{
    static const uint8_t key[32] = {1, 2, 3};

    memset(f, 0, sizeof(*f));
    f->wall_ms = 1700000000000;
    f->clock = (struct clock){fix_wall, fix_mono, f};
    seed_rng_init(&f->rng, seed);
    f->cfg = (struct store_config){
        .dir = f->dir,
        .key = {STORE_KEY_RAW, {key, sizeof(key)}},
        .mem = mem_heap(),
        .clock = &f->clock,
        .rng = &f->rng.rng,
        .map_size = 1u << 30,
        .reserve_bytes = 1u << 20,
        .pw_passes = 1,
        .pw_mem_kib = 64,
    };
}

/* f must stay where it is until fix_end. */
static inline void
fix_begin(struct fix *f)
{
    fix_config(f, 7);
    fix_dir(f->dir);
    CHECK_OK(store_create(&f->cfg));
    CHECK_OK(store_open(&f->cfg, &f->s));
}

static inline void
fix_reopen(struct fix *f)
{
    store_close(f->s);
    f->s = NULL;
    /* Another process would not draw the same numbers. */
    seed_rng_init(&f->rng, seed_rng_next(&f->rng));
    CHECK_OK(store_open(&f->cfg, &f->s));
}

static inline void
fix_end(struct fix *f)
{
    store_close(f->s);
    f->s = NULL;
    fix_rm(f->dir);
}

/* Run fn in a write transaction, expecting want. */
#define FIX_WRITE(f, fn, ctx) CHECK_OK(store_write((f)->s, (fn), (ctx), 0))

/* One put or del, for tests that need no more. */
struct fix_kv {
    enum store_table t;
    struct view key;
    struct view value;
    bool del;
};

static inline enum err
fix_kv_run(void *ctx, struct store_txn *txn)
{
    const struct fix_kv *kv = ctx;

    return kv->del ? store_del(txn, kv->t, kv->key)
                   : store_put(txn, kv->t, kv->key, kv->value);
}

static inline enum err
fix_put(struct fix *f, enum store_table t, struct view key, struct view value)
{
    struct fix_kv kv = {t, key, value, false};

    return store_write(f->s, fix_kv_run, &kv, 0);
}

static inline enum err
fix_del(struct fix *f, enum store_table t, struct view key)
{
    struct fix_kv kv = {t, key, {0}, true};

    return store_write(f->s, fix_kv_run, &kv, 0);
}

static inline enum err
fix_get(struct fix *f, enum store_table t, struct view key, struct bytes *out)
{
    struct store_txn *txn = NULL;
    enum err e = store_read_begin(f->s, &txn);

    if (e == OK) {
        e = store_get(txn, t, key, out);
    }
    store_read_end(txn);
    return e;
}

/* The store of cfg, which is not open, looked through. */
static inline enum err
fix_verify(const struct store_config *cfg,
           void (*found)(void *ctx, const struct store_bad *bad), void *ctx,
           struct store_verify_result *r)
{
    const struct store_verify_how how = {.found = found, .ctx = ctx};

    return store_verify(cfg, &how, r);
}

#endif
