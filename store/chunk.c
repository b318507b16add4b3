/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chunk files: blobs/ab/cdef... named by the hash of their content.  A file
 * under its final name is complete and durable.
 */
#include "crypto/prim/hash.h"
#include "proto/base/limits.h"
#include "store/blobs.h"
#include "store/file.h"
#include "store/inner.h"
#include "store/records.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NAME_LEN = 62
};

enum err
store_chunk_path(const char *dir, const struct hash32 *hash,
                 char folder[STORE_PATH_MAX], char path[STORE_PATH_MAX])
{
    char hex[PROTO_HEX_MAX + 1];
    int n;

    proto_hex(hash32_view(hash), hex);
    n = snprintf(folder, STORE_PATH_MAX, "%s/blobs/%.2s", dir, hex);
    if (n <= 0 || n >= STORE_PATH_MAX - NAME_LEN - 32) {
        return ERR_LIMIT;
    }
    (void)snprintf(path, STORE_PATH_MAX, "%.*s/%s", STORE_PATH_MAX - 80, folder,
                   hex + 2);
    return OK;
}

/* A name of its own for each writer, so that two may write the same chunk. */
static enum err
write_temp(struct store *s, const char *folder, struct view bytes,
           char temp[STORE_PATH_MAX])
{
    uint8_t random[8];
    char hex[PROTO_HEX_MAX + 1];
    enum err e;

    TRY(store_random(s, random, sizeof(random)));
    proto_hex(VIEW_ARRAY(random), hex);
    (void)snprintf(temp, STORE_PATH_MAX, "%.*s/new-%s", STORE_PATH_MAX - 80,
                   folder, hex);
    TRY(store_file_make(temp, O_EXCL, bytes));
out:
    return e;
}

/*
 * Whether the chunk is there and whole; then it is as good as new, so that the
 * sweep leaves it alone until a record lists it.
 */
static bool
keep_existing(const struct mem *mem, const char *dir, const struct hash32 *hash,
              const char *path)
{
    struct bytes b = {0};
    bool good = access(path, F_OK) == 0 &&
                store_chunk_read_in(mem, dir, hash, &b) == OK;

    bytes_free(&b);
    return good && utimensat(AT_FDCWD, path, NULL, 0) == 0;
}

enum err
store_chunk_write_in(struct store *s, const char *dir,
                     const struct hash32 *hash, struct view bytes)
{
    char folder[STORE_PATH_MAX];
    char path[STORE_PATH_MAX];
    char temp[STORE_PATH_MAX];
    char top[STORE_PATH_MAX];
    struct hash32 got;
    enum err e;

    TRY(bytes.len <= STORE_BLOB_CHUNK ? OK : ERR_LIMIT);
    prim_sha256(bytes, got.b);
    TRY(hash32_equal(&got, hash) ? OK : ERR_AUTH);
    TRY(store_chunk_path(dir, hash, folder, path));
    if (keep_existing(s->cfg.mem, dir, hash, path)) {
        return OK;
    }
    if (access(folder, F_OK) != 0) {
        TRY(store_path(top, dir, "blobs"));
        TRY(store_mkdir(folder));
        store_sync_dir(top);
    }
    TRY(write_temp(s, folder, bytes, temp));
    TRY(rename(temp, path) == 0 ? OK : store_errno(errno));
    store_sync_dir(folder);
out:
    return e;
}

enum err
store_chunk_write(struct store *s, const struct hash32 *hash, struct view bytes)
{
    return store_chunk_write_in(s, s->cfg.dir, hash, bytes);
}

enum err
store_chunk_read_in(const struct mem *mem, const char *dir,
                    const struct hash32 *hash, struct bytes *out)
{
    char folder[STORE_PATH_MAX];
    char path[STORE_PATH_MAX];
    struct bytes b = {0};
    struct hash32 got;
    enum err e;

    TRY(store_chunk_path(dir, hash, folder, path));
    e = store_file_read(mem, path, STORE_BLOB_CHUNK, &b);
    TRY(e == ERR_FORMAT ? ERR_CORRUPT : e);
    prim_sha256(view_of(&b), got.b);
    TRY(hash32_equal(&got, hash) ? OK : ERR_CORRUPT);
    *out = bytes_take(&b);
out:
    bytes_free(&b);
    return e;
}

enum err
store_chunk_read(struct store *s, const struct hash32 *hash, struct bytes *out)
{
    enum err e = store_chunk_read_in(s->cfg.mem, s->cfg.dir, hash, out);

    if (e == ERR_CORRUPT) {
        LOG(s->cfg.log, LOG_ERROR, "store.chunk.damaged",
            LOG_TAG("chunk", log_tag_of(hash32_view(hash))));
    }
    return e;
}

bool
store_chunk_has(struct store *s, const struct hash32 *hash)
{
    char folder[STORE_PATH_MAX];
    char path[STORE_PATH_MAX];

    return store_chunk_path(s->cfg.dir, hash, folder, path) == OK &&
           access(path, F_OK) == 0;
}

size_t
store_blob_missing(struct store *s, const struct store_blob *b, size_t from)
{
    size_t i = from;

    while (i < b->chunks_len && store_chunk_has(s, &b->chunks[i])) {
        i++;
    }
    return i;
}

/* ------------------------------------------------------------ all the files */

static enum err
each_file(const char *folder, const char *start, const char *name,
          enum err (*each)(void *ctx, const struct store_chunk_file *f),
          void *ctx)
{
    struct store_chunk_file f = {.named = false};
    char hex[PROTO_HEX_MAX + 1];
    struct stat st;
    size_t n = strlen(name);

    if (name[0] == '.') {
        return OK;
    }
    if (snprintf(f.path, sizeof(f.path), "%s/%s", folder, name) >=
            (int)sizeof(f.path) ||
        stat(f.path, &st) != 0 || !S_ISREG(st.st_mode)) {
        return OK; /* not one of ours, or gone meanwhile */
    }
    f.changed_ms = (uint64_t)st.st_mtime * 1000;
    if (n == NAME_LEN) {
        (void)snprintf(hex, sizeof(hex), "%.2s%.62s", start, name);
        f.named = proto_unhex(view_make(hex, PROTO_HEX_MAX), f.hash.b,
                              sizeof(f.hash.b)) == OK;
    }
    return each(ctx, &f);
}

enum err
store_chunk_each(const char *dir,
                 enum err (*each)(void *ctx, const struct store_chunk_file *f),
                 void *ctx)
{
    char folder[STORE_PATH_MAX];
    enum err e = OK;

    for (int i = 0; e == OK && i < 256; i++) {
        const struct dirent *d;
        char start[3];
        DIR *dp;

        (void)snprintf(start, sizeof(start), "%02x", (unsigned)i & 0xff);
        if (snprintf(folder, sizeof(folder), "%s/blobs/%s", dir, start) >=
            (int)sizeof(folder)) {
            return ERR_LIMIT;
        }
        dp = opendir(folder);
        if (dp == NULL) {
            continue;
        }
        while (e == OK && (d = readdir(dp)) != NULL) {
            e = each_file(folder, start, d->d_name, each, ctx);
        }
        (void)closedir(dp);
    }
    return e;
}

/* -------------------------------------------------------------------- sweep */

struct sweep {
    uint64_t before_ms;
    struct hash32 *listed; /* sorted */
    size_t len;
    size_t cap;
    const struct mem *mem;
    uint64_t removed;
};

static enum err
drop_run(void *ctx, struct store_txn *txn)
{
    const struct sweep *w = ctx;

    return store_blob_drop_unused(txn, w->before_ms);
}

static enum err
list_chunks(struct sweep *w, const struct store_blob *b)
{
    if (w->len + b->chunks_len > w->cap) {
        size_t cap = (w->len + b->chunks_len) * 2;
        struct hash32 *p = mem_calloc(w->mem, cap, sizeof(*p));

        if (p == NULL) {
            return ERR_NOMEM;
        }
        if (w->len > 0) {
            memcpy(p, w->listed, w->len * sizeof(*p));
        }
        mem_free(w->mem, w->listed, w->cap * sizeof(*p));
        w->listed = p;
        w->cap = cap;
    }
    if (b->chunks_len > 0) {
        memcpy(w->listed + w->len, b->chunks,
               b->chunks_len * sizeof(*b->chunks));
        w->len += b->chunks_len;
    }
    return OK;
}

static int
by_hash(const void *a, const void *b)
{
    return hash32_cmp(a, b);
}

static enum err
list_blobs(struct store *s, struct sweep *w)
{
    struct store_txn *txn = NULL;
    struct store_scan sc;
    enum err e;
    enum err end;

    TRY(store_read_begin(s, &txn));
    TRY(store_scan_begin(txn, STORE_T_BLOBS, (struct view){0}, STORE_UP, &sc));
    while (e == OK && store_scan_next(&sc)) {
        struct store_blob b = {0};

        e = store_blob_decode(s->cfg.mem, sc.value, &b);
        e = e == OK ? list_chunks(w, &b) : e;
        store_blob_clear(&b);
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
    if (w->len > 1) {
        qsort(w->listed, w->len, sizeof(*w->listed), by_hash);
    }
out:
    store_read_end(txn);
    return e;
}

/* Old files that no record lists; a chunk may come before its record. */
static enum err
sweep_file(void *ctx, const struct store_chunk_file *f)
{
    struct sweep *w = ctx;

    if (f->changed_ms < w->before_ms &&
        (!f->named || w->len == 0 ||
         bsearch(&f->hash, w->listed, w->len, sizeof(*w->listed), by_hash) ==
             NULL) &&
        unlink(f->path) == 0) {
        w->removed++;
    }
    return OK;
}

enum err
store_blob_sweep(struct store *s, uint64_t now_ms, uint64_t *removed)
{
    struct sweep w = {.mem = s->cfg.mem};
    enum err e;

    w.before_ms = now_ms > LIMIT_BLOB_AGE_MS ? now_ms - LIMIT_BLOB_AGE_MS : 0;
    TRY(store_write(s, drop_run, &w, STORE_JOB_FREES));
    TRY(list_blobs(s, &w));
    TRY(store_chunk_each(s->cfg.dir, sweep_file, &w));
    *removed = w.removed;
out:
    mem_free(w.mem, w.listed, w.cap * sizeof(*w.listed));
    return e;
}
