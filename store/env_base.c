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
    /* in what is kept of the meta page */
    PAGE_AT = 24,
    TXN_AT = 128
};

void
store_env_base_put(int fd, const uint8_t *meta)
{
    uint8_t sector[SECTOR] = {0};
    enum err e;

    if (meta != NULL) {
        memcpy(sector, MAGIC, MAGIC_SIZE);
        memcpy(sector + MAGIC_SIZE, meta, STORE_ENV_META_SIZE);
        prim_sha256(view_make(sector, BODY), sector + BODY);
    }
    e = store_write_at(fd, VIEW_ARRAY(sector), BASE_AT);
    if (e != OK) {
        assert_fail("the base could not be written", "store/env_base.c",
                    (int)e);
    }
}

static enum err
read_base(const char *path, bool *has, uint8_t meta[STORE_ENV_META_SIZE])
{
    static const uint8_t zeros[SECTOR];
    uint8_t sector[SECTOR];
    uint8_t hash[PRIM_HASH_SIZE];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum err e;

    TRY(fd >= 0 ? OK : store_errno(errno));
    TRY(store_read_at(fd, sector, sizeof(sector), BASE_AT));
    *has = !view_equal(VIEW_ARRAY(sector), VIEW_ARRAY(zeros));
    prim_sha256(view_make(sector, BODY), hash);
    if (*has && (!view_equal(view_make(sector, MAGIC_SIZE),
                             view_make(MAGIC, MAGIC_SIZE)) ||
                 !view_equal(view_make(sector + BODY, sizeof(hash)),
                             VIEW_ARRAY(hash)))) {
        e = ERR_CORRUPT;
    }
    memcpy(meta, sector + MAGIC_SIZE, STORE_ENV_META_SIZE);
out:
    if (fd >= 0) {
        (void)close(fd);
    }
    return e;
}

/* The meta page of a commit, and the other one as that of the commit before:
   whichever is torn while it is written, this is done again. */
static enum err
write_metas(int fd, uint8_t meta[STORE_ENV_META_SIZE])
{
    uint64_t page = store_env_number(meta + PAGE_AT, 4);
    uint64_t txn = store_env_number(meta + TXN_AT, 8);
    enum err e;

    TRY(page >= 4096 && page <= 65536 && txn > 0 ? OK : ERR_CORRUPT);
    TRY(store_write_at(fd, view_make(meta, STORE_ENV_META_SIZE),
                       txn % 2 * page + STORE_ENV_META_AT));
    txn--;
    memcpy(meta + TXN_AT, &txn, sizeof(txn));
    TRY(store_write_at(fd, view_make(meta, STORE_ENV_META_SIZE),
                       txn % 2 * page + STORE_ENV_META_AT));
out:
    return e;
}

enum err
store_env_base_return(const char *path)
{
    uint8_t meta[STORE_ENV_META_SIZE];
    bool has = false;
    int fd = -1;
    enum err e;

    TRY(read_base(path, &has, meta));
    if (has) {
        fd = open(path, O_RDWR | O_DSYNC | O_CLOEXEC);
        TRY(fd >= 0 ? OK : store_errno(errno));
        TRY(write_metas(fd, meta));
        store_env_base_put(fd, NULL);
    }
out:
    if (fd >= 0) {
        (void)close(fd);
    }
    return e;
}
