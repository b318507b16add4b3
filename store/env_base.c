/* SPDX-License-Identifier: Apache-2.0 */
#include "store/env_base.h"

#include "crypto/prim/hash.h"
#include "proto/base/assert.h"
#include "store/env_check.h"
#include "store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAGIC "balsamB1"

enum {
    BASE_AT = 1024,
    SECTOR = 512,
    MAGIC_SIZE = sizeof(MAGIC) - 1,
    BODY = SECTOR - PRIM_HASH_SIZE,
    SEEN_AT = MAGIC_SIZE + STORE_ENV_META_SIZE,
    /* in what is kept of the meta page */
    PAGE_AT = 24,
    TXN_AT = 128,
    TRIES = 5,
    /* more commits than that are not beyond a base: a damaged number */
    AHEAD_MAX = 4096
};

static enum err
write_base(int fd, const uint8_t *meta, uint64_t seen)
{
    uint8_t sector[SECTOR] = {0};

    if (meta != NULL) {
        memcpy(sector, MAGIC, MAGIC_SIZE);
        memcpy(sector + MAGIC_SIZE, meta, STORE_ENV_META_SIZE);
        memcpy(sector + SEEN_AT, &seen, sizeof(seen));
        prim_sha256(view_make(sector, BODY), sector + BODY);
    }
    return store_write_at(fd, VIEW_ARRAY(sector), BASE_AT);
}

void
store_env_base_put(int fd, const uint8_t *meta)
{
    enum err e = ERR_IO;

    /* Not given up at once: the next process would read what the kernel has,
     * and the disk would keep the base of before, to go back to after a power
     * loss.  A write that follows one that failed goes to the disk again. */
    for (int i = 0; i < TRIES && e == ERR_IO; i++) {
        e = write_base(fd, meta, 0);
    }
    if (e != OK) {
        assert_fail("the base could not be written", "store/env_base.c",
                    (int)e);
    }
}

static enum err
read_base(int fd, struct store_env_base *out)
{
    static const uint8_t zeros[SECTOR];
    struct store_env_base b = {.has = false};
    uint8_t sector[SECTOR];
    uint8_t hash[PRIM_HASH_SIZE];
    enum err e;

    TRY(store_read_at(fd, sector, sizeof(sector), BASE_AT));
    b.has = !view_equal(VIEW_ARRAY(sector), VIEW_ARRAY(zeros));
    prim_sha256(view_make(sector, BODY), hash);
    if (b.has) {
        memcpy(b.meta, sector + MAGIC_SIZE, STORE_ENV_META_SIZE);
        b.txn = store_env_number(b.meta + TXN_AT, 8);
        b.seen = store_env_number(sector + SEEN_AT, 8);
        b.seen = b.seen > b.txn ? b.seen : b.txn;
        TRY(view_equal(view_make(sector, MAGIC_SIZE),
                       view_make(MAGIC, MAGIC_SIZE)) &&
                    view_equal(view_make(sector + BODY, sizeof(hash)),
                               VIEW_ARRAY(hash))
                ? OK
                : ERR_CORRUPT);
    }
    *out = b;
out:
    return e;
}

/* The page's size, by the base. */
static enum err
page_of(const struct store_env_base *b, uint64_t *page)
{
    *page = store_env_number(b->meta + PAGE_AT, 4);
    return *page >= 4096 && *page <= 65536 && b->txn > 0 ? OK : ERR_CORRUPT;
}

/* The newest commit by the meta pages; they may be anything. */
static enum err
newest(int fd, const struct store_env_base *b, uint64_t *out)
{
    uint64_t page;
    enum err e;

    *out = b->txn;
    TRY(page_of(b, &page));
    for (uint64_t i = 0; i < 2; i++) {
        uint8_t meta[STORE_ENV_META_SIZE];
        uint64_t txn;

        TRY(store_read_at(fd, meta, sizeof(meta),
                          i * page + STORE_ENV_META_AT));
        txn = store_env_number(meta + TXN_AT, 8);
        if (memcmp(meta, b->meta, sizeof(uint32_t)) == 0 && txn > *out &&
            txn - b->txn <= AHEAD_MAX) {
            *out = txn;
        }
    }
out:
    return e;
}

/* The meta page of a commit, and the other one as that of the commit before:
   whichever is torn while it is written, this is done again. */
static enum err
write_metas(int fd, const struct store_env_base *b)
{
    uint8_t meta[STORE_ENV_META_SIZE];
    uint64_t before = b->txn - 1;
    uint64_t page;
    enum err e;

    TRY(page_of(b, &page));
    TRY(store_write_at(fd, VIEW_ARRAY(b->meta),
                       b->txn % 2 * page + STORE_ENV_META_AT));
    memcpy(meta, b->meta, sizeof(meta));
    memcpy(meta + TXN_AT, &before, sizeof(before));
    TRY(store_write_at(fd, VIEW_ARRAY(meta),
                       before % 2 * page + STORE_ENV_META_AT));
out:
    return e;
}

static enum err
go_back(const char *path, struct store_env_base *b, uint64_t seen)
{
    int fd = open(path, O_RDWR | O_DSYNC | O_CLOEXEC);
    enum err e;

    TRY(fd >= 0 ? OK : store_errno(errno));
    if (seen > b->seen) {
        b->seen = seen;
        TRY(write_base(fd, b->meta, seen));
    }
    TRY(write_metas(fd, b));
out:
    if (fd >= 0) {
        (void)close(fd);
    }
    return e;
}

static enum err
look(const char *path, struct store_env_base *b, uint64_t *seen)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum err e;

    *seen = 0;
    TRY(fd >= 0 ? OK : store_errno(errno));
    TRY(read_base(fd, b));
    TRY(b->has ? newest(fd, b, seen) : OK);
out:
    if (fd >= 0) {
        (void)close(fd);
    }
    return e;
}

enum err
store_env_base_return(const char *path, struct store_env_base *out)
{
    struct store_env_base b;
    uint64_t seen;
    enum err e;

    TRY(look(path, &b, &seen));
    TRY(b.has ? go_back(path, &b, seen) : OK);
    *out = b;
out:
    return e;
}

enum err
store_env_base_look(const char *path, struct store_env_base *out)
{
    struct store_env_base b;
    uint64_t seen;
    enum err e;

    TRY(look(path, &b, &seen));
    TRY(b.has && seen != b.txn ? ERR_STATE : OK);
    *out = b;
out:
    return e;
}
