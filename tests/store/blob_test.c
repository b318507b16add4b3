/* SPDX-License-Identifier: Apache-2.0 */
#include "store/blob.h"

#include "crypto/prim/hash.h"
#include "tests/store/fix.h"

#include <fcntl.h>
#include <time.h>

static uint8_t data[3][STORE_BLOB_CHUNK];

struct op {
    enum {
        PUT,
        REF,
        UNREF
    } kind;
    uint64_t size;
    const struct hash32 *chunks;
    size_t n;
    struct hash32 id;
    struct view ref;
};

static enum err
op_run(void *ctx, struct store_txn *txn)
{
    struct op *op = ctx;

    switch (op->kind) {
    case PUT:
        return store_blob_put(txn, op->size, op->chunks, op->n, &op->id);
    case REF:
        return store_blob_ref(txn, &op->id, op->ref);
    case UNREF:
        return store_blob_unref(txn, &op->id, op->ref);
    }
    return ERR_INTERNAL;
}

/* Two full chunks and a short one. */
static void
make_chunks(struct hash32 hash[3])
{
    for (size_t i = 0; i < 3; i++) {
        memset(data[i], (int)i + 1, sizeof(data[i]));
        prim_sha256(view_make(data[i], i < 2 ? sizeof(data[i]) : 100),
                    hash[i].b);
    }
}

static struct view
chunk(size_t i)
{
    return view_make(data[i], i < 2 ? sizeof(data[i]) : 100);
}

TEST(a_transfer_goes_on_where_it_stopped)
{
    struct fix f;
    struct hash32 hash[3];
    struct op op = {.kind = PUT, .chunks = hash, .n = 3};
    struct store_blob b = {0};
    struct store_txn *txn;
    struct bytes got = {0};

    make_chunks(hash);
    fix_begin(&f);
    op.size = 2 * STORE_BLOB_CHUNK + 100;
    FIX_WRITE(&f, op_run, &op);
    FIX_WRITE(&f, op_run, &op);
    CHECK_OK(store_chunk_write(f.s, &hash[0], chunk(0)));
    CHECK_OK(store_chunk_write(f.s, &hash[2], chunk(2)));
    CHECK_OK(store_chunk_write(f.s, &hash[2], chunk(2)));
    CHECK_ERR(store_chunk_write(f.s, &hash[1], chunk(2)), ERR_AUTH);
    fix_reopen(&f);
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_blob_get(txn, &op.id, &b));
    store_read_end(txn);
    CHECK_EQ(b.chunks_len, 3);
    CHECK_EQ(b.size, op.size);
    CHECK_EQ(store_blob_missing(f.s, &b, 0), 1);
    CHECK_EQ(store_blob_missing(f.s, &b, 2), 3);
    CHECK_ERR(store_chunk_read(f.s, &hash[1], &got), ERR_MISSING);
    CHECK_OK(store_chunk_write(f.s, &hash[1], chunk(1)));
    CHECK_EQ(store_blob_missing(f.s, &b, 0), 3);
    CHECK_OK(store_chunk_read(f.s, &hash[1], &got));
    CHECK_VIEW(view_of(&got), chunk(1));
    bytes_free(&got);
    store_blob_clear(&b);
    fix_end(&f);
}

TEST(sizes_must_fit)
{
    struct fix f;
    struct hash32 hash[3];
    struct op op = {.kind = PUT, .chunks = hash, .n = 3};

    make_chunks(hash);
    fix_begin(&f);
    op.size = 2 * STORE_BLOB_CHUNK;
    CHECK_ERR(store_write(f.s, op_run, &op, 0), ERR_INVALID);
    op.size = 3 * STORE_BLOB_CHUNK + 1;
    CHECK_ERR(store_write(f.s, op_run, &op, 0), ERR_INVALID);
    op.size = LIMIT_BLOB_SEALED + 1;
    CHECK_ERR(store_write(f.s, op_run, &op, 0), ERR_LIMIT);
    op.kind = REF;
    op.ref = VIEW_LIT("r");
    CHECK_ERR(store_write(f.s, op_run, &op, 0), ERR_MISSING);
    fix_end(&f);
}

TEST(a_damaged_chunk_is_refused_and_can_be_written_again)
{
    struct fix f;
    struct hash32 hash[3];
    char path[2 * FIX_PATH];
    char hex[PROTO_HEX_MAX + 1];
    struct bytes got = {0};
    int fd;

    make_chunks(hash);
    fix_begin(&f);
    CHECK_OK(store_chunk_write(f.s, &hash[2], chunk(2)));
    proto_hex(hash32_view(&hash[2]), hex);
    (void)snprintf(path, sizeof(path), "%s/blobs/%.2s/%s", f.dir, hex, hex + 2);
    fd = open(path, O_WRONLY);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, "x", 1), 1);
    (void)close(fd);
    CHECK_ERR(store_chunk_read(f.s, &hash[2], &got), ERR_CORRUPT);
    CHECK_OK(store_chunk_write(f.s, &hash[2], chunk(2)));
    CHECK_OK(store_chunk_read(f.s, &hash[2], &got));
    bytes_free(&got);
    fix_end(&f);
}

TEST(what_nobody_needs_is_swept_after_a_day)
{
    struct fix f;
    struct hash32 hash[3];
    struct op used = {.kind = PUT, .chunks = hash, .n = 1};
    struct op unused = {.kind = PUT, .chunks = hash + 1, .n = 1};
    uint64_t now = (uint64_t)time(NULL) * 1000;
    uint64_t n = 9;

    make_chunks(hash);
    fix_begin(&f);
    f.wall_ms = now;
    used.size = unused.size = STORE_BLOB_CHUNK;
    for (size_t i = 0; i < 3; i++) {
        CHECK_OK(store_chunk_write(f.s, &hash[i], chunk(i)));
    }
    FIX_WRITE(&f, op_run, &used);
    FIX_WRITE(&f, op_run, &unused);
    used.kind = REF;
    used.ref = VIEW_LIT("message");
    FIX_WRITE(&f, op_run, &used);
    CHECK_OK(store_blob_sweep(f.s, now + LIMIT_BLOB_AGE_MS / 2, &n));
    CHECK_EQ(n, 0);
    CHECK_OK(store_blob_sweep(f.s, now + LIMIT_BLOB_AGE_MS + 60000, &n));
    CHECK_EQ(n, 2);
    CHECK(store_chunk_has(f.s, &hash[0]));
    CHECK(!store_chunk_has(f.s, &hash[1]));
    CHECK(!store_chunk_has(f.s, &hash[2]));
    used.kind = UNREF;
    FIX_WRITE(&f, op_run, &used);
    CHECK_ERR(store_write(f.s, op_run, &used, 0), ERR_MISSING);
    CHECK_OK(store_blob_sweep(f.s, now + LIMIT_BLOB_AGE_MS + 60000, &n));
    CHECK_EQ(n, 1);
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(a_transfer_goes_on_where_it_stopped), T(sizes_must_fit),
               T(a_damaged_chunk_is_refused_and_can_be_written_again),
               T(what_nobody_needs_is_swept_after_a_day));
}
