/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include "proto/base/assert.h"
#include "proto/base/limits.h"
#include "store/backup.h"
#include "store/copy.h"
#include "store/file.h"
#include "store/inner.h"
#include "store/migrate.h"
#include "store/redo.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAP_SIZE (256ull << 30)

enum {
    KEYS_FILE_MAX = 1024
};

struct store_env_config
store_env_of(const struct store_config *cfg, const char *path)
{
    return (struct store_env_config){
        .path = path,
        .map_size = cfg->map_size != 0 ? cfg->map_size : MAP_SIZE,
        .reserve =
            cfg->reserve_bytes != 0 ? cfg->reserve_bytes : LIMIT_STORE_RESERVE,
        .tables = STORE_T_COUNT_,
        .log = cfg->log,
    };
}

static void
init_conds(struct store_writer *w)
{
    pthread_condattr_t attr;

    ASSERT(pthread_condattr_init(&attr) == 0);
    ASSERT(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    ASSERT(pthread_cond_init(&w->cond, &attr) == 0);
    ASSERT(pthread_cond_init(&w->settled, &attr) == 0);
    (void)pthread_condattr_destroy(&attr);
}

static void
free_store(struct store *s)
{
    const struct mem *mem = s->cfg.mem;

    store_writer_stop(s);
    store_slots_close(s->slots);
    store_redo_close(s);
    ERR_IGNORE(store_env_close(s->env), "fails only in bulk mode");
    mem_free(mem, s->keys, sizeof(*s->keys));
    if (s->lock_fd >= 0) {
        (void)close(s->lock_fd);
    }
    bytes_free(&s->dir);
    (void)pthread_mutex_destroy(&s->writer.mx);
    (void)pthread_cond_destroy(&s->writer.cond);
    (void)pthread_cond_destroy(&s->writer.settled);
    (void)pthread_mutex_destroy(&s->stats_mx);
    mem_free(mem, s, sizeof(*s));
}

static enum err
new_store(const struct store_config *cfg, struct store **out)
{
    struct store *s = mem_alloc(cfg->mem, sizeof(*s));
    enum err e;

    if (s == NULL) {
        return ERR_NOMEM;
    }
    s->cfg = *cfg;
    s->cfg.key = (struct store_key_source){0};
    s->lock_fd = -1;
    ASSERT(pthread_mutex_init(&s->writer.mx, NULL) == 0);
    init_conds(&s->writer);
    ASSERT(pthread_mutex_init(&s->stats_mx, NULL) == 0);
    TRY(bytes_copy(cfg->mem, view_make(cfg->dir, strlen(cfg->dir) + 1),
                   &s->dir));
    s->cfg.dir = (const char *)s->dir.p;
    s->keys = mem_alloc(cfg->mem, sizeof(*s->keys));
    TRY(s->keys != NULL ? OK : ERR_NOMEM);
    TRY(store_nonces_init(&s->nonces, cfg->rng));
    *out = s;
    s = NULL;
out:
    if (s != NULL) {
        free_store(s);
    }
    return e;
}

/* ------------------------------------------------------------------- create */

static enum err
write_about(void *ctx, struct store_txn *txn)
{
    struct store *s = ctx;
    struct store_about about = {.schema = STORE_SCHEMA};
    enum err e;

    about.created_ms = store_now_ms(s);
    TRY(store_random(s, about.env_id, sizeof(about.env_id)));
    TRY(store_about_put(txn, &about));
out:
    return e;
}

/* The environment comes last: without it there is no store. */
static enum err
create_in(const struct store_config *cfg)
{
    char path[STORE_PATH_MAX];
    char fresh[STORE_PATH_MAX];
    struct store *s = NULL;
    struct store_env_config ec;
    struct bytes file = {0};
    enum err e;

    TRY(new_store(cfg, &s));
    TRY(store_lock(cfg->dir, "lock", &s->lock_fd));
    TRY(store_path(path, cfg->dir, "data.mdb"));
    TRY(access(path, F_OK) == 0 ? ERR_EXISTS : OK);
    TRY(store_random(s, s->keys->vault, sizeof(s->keys->vault)));
    TRY(store_keys_derive(s->keys));
    TRY(store_keys_wrap(cfg, &cfg->key, s->keys->vault, &file));
    TRY(store_file_replace(cfg->dir, "keys", view_of(&file)));
    TRY(store_slots_create(cfg->dir));
    TRY(store_slots_open(s, &s->slots));
    TRY(store_path(path, cfg->dir, "blobs"));
    TRY(store_mkdir(path));
    /* Filled under another name, so that a half-made one is never opened. */
    TRY(store_path(fresh, cfg->dir, "fresh.mdb"));
    ec = store_env_of(cfg, fresh);
    TRY(store_env_create(&ec));
    TRY(store_env_open(&ec, &s->env));
    TRY(store_write_alone(s, write_about, s));
    ERR_IGNORE(store_env_close(s->env), "fails only in bulk mode");
    s->env = NULL;
    TRY(store_path(path, cfg->dir, "data.mdb"));
    TRY(rename(fresh, path) == 0 ? OK : ERR_IO);
    store_sync_dir(cfg->dir);
    TRY(store_path(fresh, cfg->dir, "fresh.mdb-lock"));
    (void)unlink(fresh);
out:
    bytes_free(&file);
    if (s != NULL) {
        free_store(s);
    }
    return e;
}

enum err
store_create(const struct store_config *cfg)
{
    enum err e;

    TRY(store_mkdir(cfg->dir));
    TRY(create_in(cfg));
out:
    return e;
}

/* --------------------------------------------------------------------- open */

static enum err
recover(void *ctx, struct store_txn *txn)
{
    (void)ctx;
    return store_slots_recover(txn);
}

static enum err
read_about(struct store *s, bool *dirty)
{
    static const uint8_t prefix = 'w';
    struct store_txn *txn = NULL;
    struct store_state *st;
    struct store_scan sc;
    enum err e;

    TRY(store_read_begin(s, &txn));
    e = store_about_get(txn, &s->about);
    TRY(e == ERR_MISSING ? ERR_CORRUPT : e);
    TRY(store_state(txn, &st));
    s->journal_seq = st->n[STORE_N_JOURNAL];
    TRY(store_scan_begin(txn, STORE_T_SLOTS, view_make(&prefix, 1), STORE_UP,
                         &sc));
    *dirty = store_scan_next(&sc);
    TRY(store_scan_end(&sc));
out:
    store_read_end(txn);
    return e;
}

/* Locked, with its keys and its database, and nothing done again. */
static enum err
open_env(struct store *s, const struct store_key_source *key)
{
    char path[STORE_PATH_MAX];
    struct store_env_config ec;
    struct bytes file = {0};
    enum err e;

    TRY(store_path(path, s->cfg.dir, "data.mdb"));
    TRY(access(path, F_OK) == 0 ? OK : ERR_MISSING);
    TRY(store_lock(s->cfg.dir, "lock", &s->lock_fd));
    TRY(store_path(path, s->cfg.dir, "keys"));
    e = store_file_read(s->cfg.mem, path, KEYS_FILE_MAX, &file);
    TRY(e == ERR_MISSING || e == ERR_FORMAT ? ERR_CORRUPT : e);
    TRY(store_keys_unwrap(key, view_of(&file), s->keys->vault));
    TRY(store_keys_derive(s->keys));
    TRY(store_path(path, s->cfg.dir, "data.mdb"));
    ec = store_env_of(&s->cfg, path);
    TRY(store_env_open(&ec, &s->env));
out:
    bytes_free(&file);
    return e;
}

static enum err
open_parts(struct store *s, const struct store_key_source *key)
{
    bool dirty = false;
    enum err e;

    TRY(open_env(s, key));
    TRY(store_redo_open(s));
    TRY(store_slots_open(s, &s->slots));
    /* known before the first job: a full disk is a reason to refuse, not to
     * stay down */
    ERR_IGNORE(store_env_room(s->env, true), "it is looked up later");
    TRY(read_about(s, &dirty));
    TRY(s->about.schema <= STORE_SCHEMA ? OK : ERR_UNSUPPORTED);
    TRY(store_migrate(s));
    if (dirty) {
        TRY(store_write_alone(s, recover, NULL));
    }
out:
    return e;
}

enum err
store_open(const struct store_config *cfg, struct store **out)
{
    struct store *s = NULL;
    enum err e;

    TRY(new_store(cfg, &s));
    TRY(open_parts(s, &cfg->key));
    TRY(store_writer_start(s));
    *out = s;
    s = NULL;
out:
    if (e != OK) {
        LOG(cfg->log, LOG_ERROR, "store.open_failed", LOG_ERR(e));
    }
    if (s != NULL) {
        free_store(s);
    }
    return e;
}

static enum err
known_schema(struct store *s)
{
    struct store_about about;
    struct store_txn *txn = NULL;
    enum err e;

    TRY(store_read_begin(s, &txn));
    TRY(store_about_get(txn, &about));
    TRY(about.schema <= STORE_SCHEMA ? OK : ERR_UNSUPPORTED);
out:
    store_read_end(txn);
    return e;
}

/* As a restored one begins (store_restore). */
static enum err
begin_anew(void *ctx, struct store_txn *txn)
{
    struct store *s = ctx;
    struct store_about about;
    struct store_state *st;
    enum err e;

    TRY(store_about_get(txn, &about));
    TRY(store_drop_left_out(txn));
    about.restores++;
    about.restored_ms = store_now_ms(s);
    TRY(store_random(s, about.env_id, sizeof(about.env_id)));
    TRY(store_about_put(txn, &about));
    TRY(store_state(txn, &st));
    st->n[STORE_N_SLOT] = 0;
    /* The file has records of those that are lost: none is to come again. */
    st->n[STORE_N_COMMIT] += STORE_REDO_SIZE / STORE_REDO_STEP;
out:
    return e;
}

enum err
store_forgo_lost(const struct store_config *cfg, uint64_t *lost)
{
    struct store_redo_found found;
    struct store *s = NULL;
    enum err e;

    TRY(new_store(cfg, &s));
    TRY(open_env(s, &cfg->key));
    TRY(store_redo_pending(s, &found));
    TRY(found.lost > 0 ? OK : ERR_MISSING);
    TRY(known_schema(s));
    TRY(store_slots_wipe(cfg->dir)); /* from here on it has to be ended */
    TRY(store_redo_forgo(s, begin_anew, s, lost));
out:
    if (s != NULL) {
        free_store(s);
    }
    return e;
}

void
store_close(struct store *s)
{
    if (s != NULL) {
        free_store(s);
    }
}

enum err
store_rekey(struct store *s, const struct store_key_source *key)
{
    struct bytes file = {0};
    enum err e;

    TRY(store_keys_wrap(&s->cfg, key, s->keys->vault, &file));
    TRY(store_file_replace(s->cfg.dir, "keys", view_of(&file)));
out:
    bytes_free(&file);
    return e;
}

/* ------------------------------------------------------------------- status */

enum err
store_status(struct store *s, struct store_status *out)
{
    struct store_env_info info;

    memset(out, 0, sizeof(*out));
    store_env_info(s->env, NULL, &info);
    memcpy(out->env_id, s->about.env_id, sizeof(out->env_id));
    out->schema = s->about.schema;
    out->created_ms = s->about.created_ms;
    out->restored_ms = s->about.restored_ms;
    out->restores = s->about.restores;
    out->used_bytes = info.used_bytes;
    out->file_bytes = info.file_bytes;
    out->map_bytes = info.map_bytes;
    out->disk_full = info.full;
    ASSERT(pthread_mutex_lock(&s->stats_mx) == 0);
    out->commits = s->commits;
    out->jobs = s->jobs;
    out->journal_seq = s->journal_seq;
    ASSERT(pthread_mutex_unlock(&s->stats_mx) == 0);
    return OK;
}

bool
store_is_full(const struct store *s)
{
    return store_env_is_full(s->env);
}

const struct mem *
store_mem(const struct store *s)
{
    return s->cfg.mem;
}

uint64_t
store_now_ms(const struct store *s)
{
    return clock_wall_ms(s->cfg.clock);
}

enum err
store_random(const struct store *s, uint8_t *out, size_t len)
{
    return rng_fill(s->cfg.rng, out, len);
}
