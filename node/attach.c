/* SPDX-License-Identifier: Apache-2.0 */
#include "node/attach.h"

#include "store/blob.h"
#include "store/writer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void
node_attach_clear(struct node_attach *a)
{
    bytes_free(&a->chunks);
    mem_wipe(a, sizeof(*a));
}

static enum err
step(const struct node_attach_progress *p, uint64_t done)
{
    return p == NULL || p->step(p->ctx, done) ? OK : ERR_AGAIN;
}

/* Up to cap bytes; less only at the end. */
static enum err
read_piece(int fd, uint8_t *to, size_t cap, size_t *len_out)
{
    size_t len = 0;

    while (len < cap) {
        ssize_t n = read(fd, to + len, cap - len);

        if (n == 0) {
            break;
        }
        if (n < 0 && errno != EINTR) {
            return ERR_IO;
        }
        len += n > 0 ? (size_t)n : 0;
    }
    *len_out = len;
    return OK;
}

static enum err
write_piece(int fd, const uint8_t *from, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, from, len);

        if (n < 0 && errno != EINTR) {
            return errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
        }
        if (n > 0) {
            from += n;
            len -= (size_t)n;
        }
    }
    return OK;
}

struct record {
    const struct node_attach *a;
    struct hash32 id;
};

static enum err
put_record(void *ctx, struct store_txn *txn)
{
    struct record *r = ctx;
    size_t n = r->a->chunks.len / 32;

    return store_blob_put(txn, (uint64_t)n * FED_CHUNK,
                          (const struct hash32 *)r->a->chunks.p, n, &r->id);
}

/* One chunk of both, from the heap: too large for a stack. */
struct buffers {
    uint8_t plain[FED_CHUNK_PLAIN];
    uint8_t chunk[FED_CHUNK];
};

static enum err
seal_pieces(struct store *s, int fd, const struct node_attach_progress *p,
            struct buffers *b, struct node_attach *a)
{
    uint64_t index = 0;
    size_t len = FED_CHUNK_PLAIN;
    enum err e;

    while (len == FED_CHUNK_PLAIN) {
        struct hash32 hash;

        TRY(read_piece(fd, b->plain, FED_CHUNK_PLAIN, &len));
        if (len == 0 && index > 0) {
            break;
        }
        TRY(len > LIMIT_BLOB_SIZE - a->size ? ERR_LIMIT : OK);
        TRY(fed_chunk_seal(a->key, index++, view_make(b->plain, len), b->chunk,
                           &hash));
        TRY(store_chunk_write(s, &hash, view_make(b->chunk, FED_CHUNK)));
        TRY(bytes_append(store_mem(s), &a->chunks, hash32_view(&hash)));
        a->size += len;
        TRY(step(p, a->size));
    }
    e = OK;
out:
    return e;
}

enum err
node_attach_seal(struct store *s, int fd,
                 const struct node_attach_progress *progress,
                 struct node_attach *out)
{
    const struct mem *mem = store_mem(s);
    struct buffers *b = mem_alloc(mem, sizeof(*b));
    struct node_attach a = {.size = 0};
    struct record r = {.a = &a};
    enum err e;

    TRY(b == NULL ? ERR_NOMEM : OK);
    TRY(store_random(s, a.key, sizeof(a.key)));
    TRY(seal_pieces(s, fd, progress, b, &a));
    TRY(store_write(s, put_record, &r, 0));
    a.blob = r.id;
    *out = a;
    a = (struct node_attach){.size = 0};
out:
    mem_free(mem, b, sizeof(*b));
    node_attach_clear(&a);
    return e;
}

static enum err
open_pieces(struct store *s, const struct node_attach *a, int fd,
            const struct node_attach_progress *p, uint8_t *plain)
{
    const struct hash32 *hash = (const struct hash32 *)a->chunks.p;
    size_t n = a->chunks.len / 32;
    struct bytes chunk = {0};
    uint64_t done = 0;
    enum err e = OK;

    for (size_t i = 0; i < n; i++) {
        size_t len = fed_chunk_piece(a->size, i);

        bytes_free(&chunk);
        TRY(store_chunk_read(s, &hash[i], &chunk));
        TRY(fed_chunk_open(a->key, i, &hash[i], view_of(&chunk), plain));
        TRY(write_piece(fd, plain, len));
        done += len;
        TRY(step(p, done));
    }
out:
    bytes_free(&chunk);
    return e;
}

enum err
node_attach_open(struct store *s, const struct node_attach *a, int fd,
                 const struct node_attach_progress *progress)
{
    const struct mem *mem = store_mem(s);
    const struct hash32 *hash = (const struct hash32 *)a->chunks.p;
    size_t n = a->chunks.len / 32;
    uint8_t *plain = NULL;
    enum err e;

    TRY(a->chunks.len % 32 == 0 && n == fed_chunk_count(a->size) ? OK
                                                                 : ERR_AUTH);
    for (size_t i = 0; i < n; i++) {
        TRY(store_chunk_has(s, &hash[i]) ? OK : ERR_MISSING);
    }
    plain = mem_alloc(mem, FED_CHUNK_PLAIN);
    TRY(plain == NULL ? ERR_NOMEM : OK);
    TRY(open_pieces(s, a, fd, progress, plain));
out:
    mem_free(mem, plain, FED_CHUNK_PLAIN);
    return e;
}
