/* SPDX-License-Identifier: Apache-2.0 */
#include "store/backup.h"

#include "proto/base/limits.h"
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"
#include "store/blobs.h"
#include "store/copy.h"
#include "store/file.h"
#include "store/records.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    FORMAT = 1,
    SMALL_FILE = 1024
};

/*
 * The environment being written: a store that is only what copying needs.
 * keys are borrowed.
 */
static enum err
bulk_open(const struct store_config *cfg, struct store_keys *keys,
          const char *path, struct store *out)
{
    struct store_env_config ec = store_env_of(cfg, path);
    enum err e;

    *out = (struct store){.cfg = *cfg, .lock_fd = -1, .keys = keys};
    TRY(store_nonces_init(&out->nonces, cfg->rng));
    (void)unlink(path);
    TRY(store_env_create(&ec));
    ec.mode = STORE_ENV_BULK;
    TRY(store_env_open(&ec, &out->env));
out:
    return e;
}

/* -------------------------------------------------------------- the marker */

enum err
store_backup_marker(const struct store_config *cfg, const char *dir,
                    const uint8_t env_id[16])
{
    char path[STORE_PATH_MAX];
    struct bytes b = {0};
    struct proto_rd r;
    uint8_t got[16];
    uint64_t format;
    enum err e;

    TRY(store_path(path, dir, "backup"));
    TRY(store_file_read(cfg->mem, path, SMALL_FILE, &b));
    r = proto_rd_open(view_of(&b));
    proto_rd_array(&r, 2);
    format = proto_rd_u64(&r);
    proto_rd_fixed(&r, got, sizeof(got));
    TRY(proto_rd_end(&r) == OK ? OK : ERR_EXISTS);
    TRY(format <= FORMAT ? OK : ERR_UNSUPPORTED);
    TRY(env_id == NULL || memcmp(got, env_id, sizeof(got)) == 0 ? OK
                                                                : ERR_EXISTS);
out:
    bytes_free(&b);
    return e;
}

static enum err
write_marker(const struct store_config *cfg, const char *dir,
             const uint8_t env_id[16])
{
    struct proto_wr w = proto_wr_open(cfg->mem);
    struct bytes b = {0};
    enum err e;

    proto_wr_array(&w, 2);
    proto_wr_uint(&w, FORMAT);
    proto_wr_bin(&w, view_make(env_id, 16));
    TRY(proto_wr_take(&w, &b));
    TRY(store_file_replace(dir, "backup", view_of(&b)));
out:
    bytes_free(&b);
    return e;
}

static bool
is_empty(const char *dir)
{
    DIR *dp = opendir(dir);
    const struct dirent *d;
    bool empty = dp != NULL;

    while (dp != NULL && (d = readdir(dp)) != NULL) {
        if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0) {
            empty = false;
        }
    }
    if (dp != NULL) {
        (void)closedir(dp);
    }
    return empty;
}

static enum err
prepare_dir(const struct store_config *cfg, const char *dir,
            const uint8_t env_id[16])
{
    char path[STORE_PATH_MAX];
    enum err e;

    TRY(store_mkdir(dir));
    e = store_backup_marker(cfg, dir, env_id);
    if (e == ERR_MISSING) {
        TRY(is_empty(dir) ? OK : ERR_EXISTS);
        TRY(write_marker(cfg, dir, env_id));
    } else {
        TRY(e);
    }
    TRY(store_path(path, dir, "blobs"));
    TRY(store_mkdir(path));
out:
    return e;
}

/* ------------------------------------------------------------------- chunks */

struct chunks {
    struct store *s; /* for its rng */
    const char *from;
    const char *to;
    const struct store_progress *progress;
    uint64_t done;
    uint64_t total;
};

static enum err
copy_chunk(struct chunks *c, const struct hash32 *hash)
{
    char folder[STORE_PATH_MAX];
    char path[STORE_PATH_MAX];
    struct bytes b = {0};
    enum err e;

    TRY(store_chunk_path(c->to, hash, folder, path));
    if (access(path, F_OK) == 0) {
        return OK;
    }
    e = store_chunk_read_in(c->s->cfg.mem, c->from, hash, &b);
    if (e == ERR_CORRUPT || e == ERR_MISSING) {
        LOG(c->s->cfg.log, LOG_WARN, "store.chunk.not_copied", LOG_ERR(e),
            LOG_TAG("chunk", log_tag_of(hash32_view(hash))));
        return OK;
    }
    TRY(e);
    TRY(store_chunk_write_in(c->s, c->to, hash, view_of(&b)));
out:
    bytes_free(&b);
    return e;
}

static enum err
count_file(void *ctx, const struct store_chunk_file *f)
{
    struct chunks *c = ctx;

    c->total += f->named;
    return OK;
}

static enum err
copy_file(void *ctx, const struct store_chunk_file *f)
{
    struct chunks *c = ctx;
    enum err e = OK;

    if (f->named) {
        TRY(copy_chunk(c, &f->hash));
        c->done++;
        if (c->progress != NULL &&
            !c->progress->step(c->progress->ctx, c->done, c->total)) {
            e = ERR_STATE;
        }
    }
out:
    return e;
}

static enum err
copy_chunks(struct chunks *c)
{
    enum err e;

    TRY(store_chunk_each(c->from, count_file, c));
    TRY(store_chunk_each(c->from, copy_file, c));
out:
    return e;
}

/* Chunks that came while the others were copied. */
static enum err
copy_late_chunks(struct store_txn *txn, struct chunks *c)
{
    struct store_scan sc;
    enum err e;
    enum err end;

    TRY(store_scan_begin(txn, STORE_T_BLOBS, (struct view){0}, STORE_UP, &sc));
    while (e == OK && store_scan_next(&sc)) {
        struct store_blob b = {0};

        e = store_blob_decode(store_txn_mem(txn), sc.value, &b);
        for (size_t i = 0; e == OK && i < b.chunks_len; i++) {
            if (store_chunk_has(c->s, &b.chunks[i])) {
                e = copy_chunk(c, &b.chunks[i]);
            }
        }
        store_blob_clear(&b);
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
out:
    return e;
}

enum err
store_chunks_lacking(struct store_txn *txn, const char *dir, uint64_t *out)
{
    struct store_scan sc;
    uint64_t n = 0;
    enum err e;
    enum err end;

    TRY(store_scan_begin(txn, STORE_T_BLOBS, (struct view){0}, STORE_UP, &sc));
    while (e == OK && store_scan_next(&sc)) {
        struct store_blob b = {0};

        e = store_blob_decode(store_txn_mem(txn), sc.value, &b);
        for (size_t i = 0; e == OK && i < b.chunks_len; i++) {
            char folder[STORE_PATH_MAX];
            char path[STORE_PATH_MAX];

            e = store_chunk_path(dir, &b.chunks[i], folder, path);
            n += e == OK && access(path, F_OK) != 0;
        }
        store_blob_clear(&b);
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
    *out = n;
out:
    return e;
}

/* ------------------------------------------------------------------- backup */

static enum err
copy_keys(const struct store_config *cfg, const char *from, const char *to,
          struct bytes *file)
{
    char path[STORE_PATH_MAX];
    enum err e;

    TRY(store_path(path, from, "keys"));
    e = store_file_read(cfg->mem, path, SMALL_FILE, file);
    TRY(e == ERR_FORMAT ? ERR_CORRUPT : e);
    if (to != NULL) {
        TRY(store_file_replace(to, "keys", view_of(file)));
    }
out:
    return e;
}

enum err
store_backup(struct store *s, const char *dir,
             const struct store_progress *progress)
{
    char fresh[STORE_PATH_MAX];
    char path[STORE_PATH_MAX];
    struct chunks c = {
        .s = s, .from = s->cfg.dir, .to = dir, .progress = progress};
    struct store_txn *txn = NULL;
    struct store to = {.env = NULL};
    struct store_about about = s->about;
    struct bytes keys = {0};
    enum err e;
    enum err end;

    TRY(prepare_dir(&s->cfg, dir, s->about.env_id));
    TRY(copy_chunks(&c));
    TRY(store_path(fresh, dir, "fresh.mdb"));
    TRY(store_path(path, dir, "data.mdb"));
    TRY(bulk_open(&s->cfg, s->keys, fresh, &to));
    TRY(store_read_begin(s, &txn));
    TRY(copy_late_chunks(txn, &c));
    about.copied_ms = store_now_ms(s);
    TRY(store_chunks_lacking(txn, dir, &about.lacking));
    TRY(store_copy_tables(txn, &to, &about, progress));
    TRY(copy_keys(&s->cfg, s->cfg.dir, dir, &keys));
out:
    store_read_end(txn);
    end = store_env_close(to.env);
    e = e == OK ? end : e;
    if (e == OK) {
        e = rename(fresh, path) == 0 ? OK : store_errno(errno);
        store_sync_dir(dir);
    } else if (to.env != NULL) {
        (void)unlink(fresh);
    }
    bytes_free(&keys);
    return e;
}

/* ------------------------------------------------------------------ restore */

/* What restore is busy with. */
struct restore {
    struct store from; /* the backup, read-only */
    struct store to;
    struct store_keys *keys;
    struct store_txn txn;
    bool reading;
};

static enum err
open_backup(const struct store_config *cfg, const char *dir, struct restore *r)
{
    char path[STORE_PATH_MAX];
    struct store_env_config ec;
    struct store_env_txn *env;
    enum err e;

    e = store_backup_marker(cfg, dir, NULL);
    TRY(e == ERR_EXISTS ? ERR_CORRUPT : e);
    r->from = (struct store){.cfg = *cfg, .lock_fd = -1, .keys = r->keys};
    TRY(store_path(path, dir, "data.mdb"));
    ec = store_env_of(cfg, path);
    ec.mode = STORE_ENV_READ_ONLY;
    TRY(store_env_open(&ec, &r->from.env));
    TRY(store_env_begin(r->from.env, false, &env));
    store_txn_init(&r->txn, &r->from, env, false);
    r->reading = true;
    e = store_about_get(&r->txn, &r->from.about);
    TRY(e == ERR_MISSING ? ERR_CORRUPT : e);
    TRY(r->from.about.schema <= STORE_SCHEMA ? OK : ERR_UNSUPPORTED);
out:
    return e;
}

static void
end_restore(struct restore *r)
{
    if (r->reading) {
        store_env_abort(r->txn.env);
        store_txn_clear(&r->txn);
    }
    ERR_IGNORE(store_env_close(r->from.env), "it is read-only");
    ERR_IGNORE(store_env_close(r->to.env), "it is being given up");
}

static enum err
restored_about(const struct store_config *cfg, const struct restore *r,
               struct store_about *about)
{
    *about = r->from.about;
    about->restores++;
    about->restored_ms = clock_wall_ms(cfg->clock);
    about->copied_ms = 0;
    about->lacking = 0;
    return rng_fill(cfg->rng, about->env_id, sizeof(about->env_id));
}

/* As store_create, the environment comes last. */
static enum err
restore_in(const struct store_config *cfg, const char *backup_dir,
           const struct store_progress *progress, struct restore *r)
{
    char fresh[STORE_PATH_MAX];
    char path[STORE_PATH_MAX];
    struct chunks c = {
        .s = &r->to, .from = backup_dir, .to = cfg->dir, .progress = progress};
    struct store_about about;
    struct bytes keys = {0};
    enum err e;

    TRY(store_path(path, cfg->dir, "data.mdb"));
    TRY(access(path, F_OK) == 0 ? ERR_EXISTS : OK);
    TRY(copy_keys(cfg, backup_dir, NULL, &keys));
    TRY(store_keys_unwrap(&cfg->key, view_of(&keys), r->keys->vault));
    TRY(store_keys_derive(r->keys));
    TRY(open_backup(cfg, backup_dir, r));
    TRY(restored_about(cfg, r, &about));
    TRY(store_path(fresh, cfg->dir, "fresh.mdb"));
    TRY(bulk_open(cfg, r->keys, fresh, &r->to));
    TRY(store_copy_tables(&r->txn, &r->to, &about, progress));
    e = store_env_close(r->to.env);
    r->to.env = NULL;
    TRY(e);
    TRY(store_path(path, cfg->dir, "blobs"));
    TRY(store_mkdir(path));
    TRY(copy_chunks(&c));
    TRY(store_slots_create(cfg->dir));
    TRY(store_file_replace(cfg->dir, "keys", view_of(&keys)));
    TRY(store_path(path, cfg->dir, "data.mdb"));
    TRY(rename(fresh, path) == 0 ? OK : store_errno(errno));
    store_sync_dir(cfg->dir);
out:
    bytes_free(&keys);
    return e;
}

enum err
store_restore(const struct store_config *cfg, const char *backup_dir,
              const struct store_progress *progress)
{
    struct restore r = {.reading = false};
    int lock = -1;
    enum err e;

    TRY(store_mkdir(cfg->dir));
    TRY(store_lock(cfg->dir, "lock", &lock));
    r.keys = mem_alloc(cfg->mem, sizeof(*r.keys));
    TRY(r.keys != NULL ? OK : ERR_NOMEM);
    e = restore_in(cfg, backup_dir, progress, &r);
    end_restore(&r);
    TRY(e);
out:
    mem_free(cfg->mem, r.keys, sizeof(*r.keys));
    if (lock >= 0) {
        (void)close(lock);
    }
    return e;
}
