/* SPDX-License-Identifier: Apache-2.0 */
#include "store/env_check.h"

#include "store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    META_PAGES = 2,
    META_SIZE = 152,
    META_FLAGS_AT = 10,
    META_IS_META = 0x08,
    META_MAGIC_AT = 16,
    META_VERSION_AT = 20,
    META_DBS_AT = 40, /* two of 48 bytes: free list, tables */
    META_DB_SIZE = 48,
    META_DB_FLAGS = 4,
    META_DB_ROOT = 40,
    META_LAST_AT = 136,
    META_TXN_AT = 144,
    FREE_FLAGS = 0x4008 /* integer keys; no folder of its own */
};

struct meta {
    uint8_t b[META_SIZE];
    uint32_t page;
    uint64_t last;
    uint64_t txn;
};

#define META_MAGIC 0xbeefc0deu
#define NO_PAGE UINT64_MAX

uint64_t
store_env_number(const uint8_t *p, size_t size)
{
    uint64_t n = 0;

    memcpy(&n, p, size); /* little-endian file of this machine */
    return n;
}

static enum err
read_meta(int fd, uint64_t offset, struct meta *out)
{
    enum err e;

    TRY(store_read_at(fd, out->b, sizeof(out->b), offset));
    if (store_env_number(out->b + META_FLAGS_AT, 2) != META_IS_META ||
        store_env_number(out->b + META_MAGIC_AT, 4) != META_MAGIC) {
        return ERR_CORRUPT;
    }
    if (store_env_number(out->b + META_VERSION_AT, 4) != 1) {
        return ERR_UNSUPPORTED;
    }
    out->page = (uint32_t)store_env_number(out->b + META_DBS_AT, 4);
    out->last = store_env_number(out->b + META_LAST_AT, 8);
    out->txn = store_env_number(out->b + META_TXN_AT, 8);
    if (out->page < 4096 || out->page > 65536 ||
        (out->page & (out->page - 1)) != 0) {
        return ERR_CORRUPT;
    }
out:
    return e;
}

/* What LMDB 0.9.24 would believe of the page that counts, checked first. */
static enum err
check_meta(const struct meta *m, uint64_t file_size)
{
    if (m->last >= file_size / m->page) {
        return ERR_CORRUPT;
    }
    for (size_t i = 0; i < 2; i++) {
        const uint8_t *db = m->b + META_DBS_AT + i * META_DB_SIZE;
        uint64_t root = store_env_number(db + META_DB_ROOT, 8);
        uint64_t flags = store_env_number(db + META_DB_FLAGS, 2);

        if ((root != NO_PAGE && (root < META_PAGES || root > m->last)) ||
            flags != (i == 0 ? FREE_FLAGS : 0u)) {
            return ERR_CORRUPT;
        }
    }
    return OK;
}

/*
 * Commits go to the two pages in turn, the even ones to the first: another
 * picture is a damaged number, and would show an older state as the present.
 */
static bool
in_turn(const struct meta m[META_PAGES])
{
    uint64_t a = m[0].txn;
    uint64_t b = m[1].txn;

    return a % 2 == 0 &&
           (b % 2 == 1 ? a == b + 1 || b == a + 1 : a == 0 && b == 0);
}

enum err
store_env_check(const char *path, uint32_t *page, uint64_t *size)
{
    struct meta m[META_PAGES];
    struct stat st;
    enum err e;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    TRY(fd >= 0 ? OK : store_errno(errno));
    TRY(fstat(fd, &st) == 0 ? OK : ERR_IO);
    TRY(S_ISREG(st.st_mode) ? OK : ERR_CORRUPT);
    TRY(read_meta(fd, 0, &m[0]));
    TRY(read_meta(fd, m[0].page, &m[1]));
    TRY(m[0].page == m[1].page && in_turn(m) ? OK : ERR_CORRUPT);
    TRY(check_meta(&m[m[1].txn > m[0].txn], (uint64_t)st.st_size));
    *page = m[0].page;
    *size = (uint64_t)st.st_size;
out:
    if (fd >= 0) {
        (void)close(fd);
    }
    return e;
}
