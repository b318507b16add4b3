/* SPDX-License-Identifier: Apache-2.0 */
/* The file of the slots: its size, its halves. */
#include "crypto/prim/aead.h"
#include "proto/base/assert.h"
#include "proto/base/limits.h"
#include "store/file.h"
#include "store/slots_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PAGE = 4096,
    HALF = 128,
    PER_PAGE = PAGE / HALF,
    EXTENT = 16 * PAGE,
    GENERATION_AT = 32,
    NONCE_AT = 40,
    SEALED_AT = 64,
    AAD_SIZE = 64
};

static uint64_t
half_at(uint32_t index, unsigned half)
{
    uint64_t pair = index / PER_PAGE;

    return (pair * 2 + half) * PAGE + (uint64_t)(index % PER_PAGE) * HALF;
}

static enum err
extend(int fd, uint64_t from, uint64_t to)
{
    static const uint8_t zeros[PAGE];
    enum err e = OK;

    for (uint64_t at = from; e == OK && at < to; at += PAGE) {
        e = store_write_at(fd, VIEW_ARRAY(zeros), at);
    }
    return e;
}

enum err
store_slots_create(const char *dir)
{
    char path[STORE_PATH_MAX];
    enum err e;
    int fd = -1;

    TRY(store_path(path, dir, "secrets.slots"));
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    TRY(fd >= 0 ? OK : store_errno(errno));
    TRY(extend(fd, 0, EXTENT));
    store_sync_fd(fd);
out:
    if (fd >= 0) {
        (void)close(fd);
    }
    return e;
}

enum err
store_slots_wipe(const char *dir)
{
    char path[STORE_PATH_MAX];
    struct stat st;
    enum err e;
    int fd = -1;

    TRY(store_path(path, dir, "secrets.slots"));
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        return store_slots_create(dir);
    }
    TRY(fd >= 0 && fstat(fd, &st) == 0 ? OK : store_errno(errno));
    TRY(extend(fd, 0, (uint64_t)st.st_size));
    store_sync_fd(fd);
out:
    if (fd >= 0) {
        (void)close(fd);
    }
    return e;
}

enum err
store_slots_open(struct store *s, struct store_slots **out)
{
    char path[STORE_PATH_MAX];
    struct store_slots *slots = NULL;
    struct stat st;
    enum err e;
    int fd = -1;

    TRY(store_path(path, s->cfg.dir, "secrets.slots"));
    fd = open(path, O_RDWR | O_CLOEXEC);
    TRY(fd >= 0 ? OK : ERR_CORRUPT);
    TRY(fstat(fd, &st) == 0 ? OK : ERR_IO);
    slots = mem_alloc(s->cfg.mem, sizeof(*slots));
    TRY(slots != NULL ? OK : ERR_NOMEM);
    slots->s = s;
    slots->fd = fd;
    /* An extent that was cut short is written again. */
    slots->size = (uint64_t)st.st_size / EXTENT * EXTENT;
    slots->ahead_puts = LIMIT_SECRET_PUTS / 4 * 3;
    /* In a sparse copy halves may be holes, which need room when it counts. */
    (void)fallocate(fd, 0, 0, st.st_size);
    *out = slots;
    return OK;
out:
    if (fd >= 0) {
        (void)close(fd);
    }
    return e;
}

void
store_slots_close(struct store_slots *slots)
{
    const struct mem *mem;

    if (slots == NULL) {
        return;
    }
    mem = slots->s->cfg.mem;
    (void)close(slots->fd);
    mem_free(mem, slots->uses, slots->uses_len * sizeof(*slots->uses));
    mem_free(mem, slots->wiped, slots->wiped_len * sizeof(*slots->wiped));
    mem_free(mem, slots, sizeof(*slots));
}

/* ------------------------------------------------------------------ halves */

static struct view
half_aad(const struct store_slot *slot, uint8_t out[AAD_SIZE])
{
    static const char label[] = "balsam v1 slot";
    size_t n = sizeof(label);

    memcpy(out, label, n);
    memcpy(out + n, slot->owner.b, sizeof(slot->owner.b));
    n += sizeof(slot->owner.b);
    store_put_u32(out + n, slot->index);
    store_put_u64(out + n + 4, slot->generation);
    return view_make(out, n + 12);
}

enum err
store_half_write(struct store_txn *txn, const struct store_slot *slot,
                 const uint8_t key[STORE_SLOT_KEY_SIZE])
{
    struct store_slots *slots = txn->s->slots;
    uint64_t at = half_at(slot->index, slot->generation & 1);
    uint8_t half[HALF] = {0};
    uint8_t aad[AAD_SIZE];
    enum err e = OK;

    while (at + HALF > slots->size) {
        TRY(extend(slots->fd, slots->size, slots->size + EXTENT));
        slots->size += EXTENT;
    }
    memcpy(half, slot->owner.b, sizeof(slot->owner.b));
    store_put_u64(half + GENERATION_AT, slot->generation);
    TRY(store_random(txn->s, half + NONCE_AT, PRIM_XNONCE_SIZE));
    prim_xseal(txn->s->keys->slots, half + NONCE_AT, half_aad(slot, aad),
               view_make(key, STORE_SLOT_KEY_SIZE), half + SEALED_AT);
    TRY(store_write_at(slots->fd, VIEW_ARRAY(half), at));
out:
    return e;
}

enum err
store_half_read(struct store_txn *txn, const struct store_slot *slot,
                uint8_t key[STORE_SLOT_KEY_SIZE])
{
    struct store_slots *slots = txn->s->slots;
    uint8_t half[HALF];
    uint8_t aad[AAD_SIZE];
    enum err e;

    e = store_read_at(slots->fd, half, sizeof(half),
                      half_at(slot->index, slot->generation & 1));
    TRY(e == ERR_CORRUPT ? ERR_STALE : e);
    e = prim_xopen(
        txn->s->keys->slots, half + NONCE_AT, half_aad(slot, aad),
        view_make(half + SEALED_AT, STORE_SLOT_KEY_SIZE + PRIM_TAG_SIZE), key);
    TRY(e == OK ? OK : ERR_STALE);
out:
    return e;
}

void
store_half_wipe(struct store_slots *slots, uint32_t index, unsigned half)
{
    static const uint8_t zeros[HALF];
    uint64_t at = half_at(index, half);

    /* Blocks that are there already: a failure is the disk's, and an old key
     * that stays readable is not something to go on with. */
    if (at + HALF <= slots->size) {
        ASSERT(store_write_at(slots->fd, VIEW_ARRAY(zeros), at) == OK);
    }
}
