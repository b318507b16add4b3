/* SPDX-License-Identifier: Apache-2.0 */
#include "store/blob.h"

#include "crypto/prim/hash.h"
#include "proto/base/limits.h"
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"
#include "store/blobs.h"
#include "store/inner.h"
#include "store/records.h"

#include <string.h>

enum {
    REF_MAX = 64,
    REF_KEY = 32 + REF_MAX
};

void
store_blob_clear(struct store_blob *b)
{
    mem_free(b->mem, b->chunks, b->chunks_len * sizeof(*b->chunks));
    memset(b, 0, sizeof(*b));
}

void
store_blob_id(const struct hash32 *chunks, size_t n, struct hash32 *out)
{
    prim_sha256(view_make(chunks, n * sizeof(*chunks)), out->b);
}

/* Whether n chunks, all full but the last, make size bytes. */
static bool
fits(uint64_t size, size_t n)
{
    return n == (size + STORE_BLOB_CHUNK - 1) / STORE_BLOB_CHUNK &&
           size <= LIMIT_BLOB_SEALED;
}

enum err
store_blob_decode(const struct mem *mem, struct view in, struct store_blob *out)
{
    struct store_blob b = {.mem = mem};
    struct proto_rd r = proto_rd_open(in);
    struct view all;
    enum err e;

    proto_rd_array(&r, 3);
    b.size = proto_rd_u64(&r);
    b.created_ms = proto_rd_u64(&r);
    all = proto_rd_bin(&r, LIMIT_BLOB_CHUNKS * sizeof(*b.chunks));
    TRY(store_rd_done(&r));
    TRY(all.len % sizeof(*b.chunks) == 0 &&
                fits(b.size, all.len / sizeof(*b.chunks))
            ? OK
            : ERR_CORRUPT);
    if (all.len > 0) {
        b.chunks = mem_alloc(mem, all.len);
        TRY(b.chunks != NULL ? OK : ERR_NOMEM);
        memcpy(b.chunks, all.p, all.len);
        b.chunks_len = all.len / sizeof(*b.chunks);
    }
    store_blob_id(b.chunks, b.chunks_len, &b.id);
    *out = b;
out:
    return e;
}

enum err
store_blob_encode(const struct mem *mem, const struct store_blob *b,
                  struct bytes *out)
{
    struct proto_wr w = proto_wr_open(mem);

    proto_wr_array(&w, 3);
    proto_wr_uint(&w, b->size);
    proto_wr_uint(&w, b->created_ms);
    proto_wr_bin(&w, view_make(b->chunks, b->chunks_len * sizeof(*b->chunks)));
    return proto_wr_take(&w, out);
}

enum err
store_blob_put(struct store_txn *txn, uint64_t size,
               const struct hash32 *chunks, size_t n, struct hash32 *id_out)
{
    struct store_blob b = {.size = size, .chunks_len = n};
    struct bytes record = {0};
    struct bytes copy = {0};
    enum err e;

    TRY(size <= LIMIT_BLOB_SEALED && n <= LIMIT_BLOB_CHUNKS ? OK : ERR_LIMIT);
    TRY(fits(size, n) ? OK : ERR_INVALID);
    store_blob_id(chunks, n, &b.id);
    e = store_has(txn, STORE_T_BLOBS, hash32_view(&b.id));
    if (e == ERR_MISSING) {
        TRY(bytes_copy(store_txn_mem(txn),
                       view_make(chunks, n * sizeof(*chunks)), &copy));
        b.chunks = (struct hash32 *)(void *)copy.p;
        b.created_ms = store_now_ms(txn->s);
        TRY(store_blob_encode(store_txn_mem(txn), &b, &record));
        e = store_put(txn, STORE_T_BLOBS, hash32_view(&b.id), view_of(&record));
    }
    TRY(e);
    *id_out = b.id;
out:
    bytes_free(&record);
    bytes_free(&copy);
    return e;
}

enum err
store_blob_get(struct store_txn *txn, const struct hash32 *id,
               struct store_blob *out)
{
    struct store_blob b = {0};
    struct bytes record = {0};
    enum err e;

    TRY(store_get(txn, STORE_T_BLOBS, hash32_view(id), &record));
    TRY(store_blob_decode(store_txn_mem(txn), view_of(&record), &b));
    TRY(hash32_equal(&b.id, id) ? OK : ERR_CORRUPT);
    *out = b;
    b = (struct store_blob){0};
out:
    store_blob_clear(&b);
    bytes_free(&record);
    return e;
}

static enum err
ref_key(const struct hash32 *id, struct view ref, uint8_t out[REF_KEY],
        struct view *key)
{
    if (ref.len == 0 || ref.len > REF_MAX) {
        return ERR_LIMIT;
    }
    memcpy(out, id->b, sizeof(id->b));
    memcpy(out + sizeof(id->b), ref.p, ref.len);
    *key = view_make(out, sizeof(id->b) + ref.len);
    return OK;
}

enum err
store_blob_ref(struct store_txn *txn, const struct hash32 *id, struct view ref)
{
    uint8_t buf[REF_KEY];
    struct view key;
    enum err e;

    TRY(ref_key(id, ref, buf, &key));
    TRY(store_has(txn, STORE_T_BLOBS, hash32_view(id)));
    TRY(store_put(txn, STORE_T_BLOB_REFS, key, (struct view){0}));
out:
    return e;
}

enum err
store_blob_unref(struct store_txn *txn, const struct hash32 *id,
                 struct view ref)
{
    uint8_t buf[REF_KEY];
    struct view key;
    enum err e;

    TRY(ref_key(id, ref, buf, &key));
    TRY(store_del(txn, STORE_T_BLOB_REFS, key));
out:
    return e;
}

/* Whether anybody needs it. */
static enum err
has_refs(struct store_txn *txn, struct view id, bool *out)
{
    struct store_scan sc;
    enum err e;

    TRY(store_scan_begin(txn, STORE_T_BLOB_REFS, id, STORE_UP, &sc));
    *out = store_scan_next(&sc);
    TRY(store_scan_end(&sc));
out:
    return e;
}

enum err
store_blob_drop_unused(struct store_txn *txn, uint64_t before_ms)
{
    struct store_scan sc;
    enum err e;
    enum err end;

    TRY(store_scan_begin(txn, STORE_T_BLOBS, (struct view){0}, STORE_UP, &sc));
    while (e == OK && store_scan_next(&sc)) {
        struct store_blob b = {0};
        bool used = true;

        e = store_blob_decode(store_txn_mem(txn), sc.value, &b);
        if (e == OK && b.created_ms < before_ms) {
            e = has_refs(txn, sc.key, &used);
        }
        if (e == OK && !used) {
            e = store_scan_del(&sc);
        }
        store_blob_clear(&b);
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
out:
    return e;
}
