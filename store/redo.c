/* SPDX-License-Identifier: Apache-2.0 */
#include "store/redo.h"

#include "proto/base/assert.h"
#include "proto/wire/mp_wr.h"
#include "store/file.h"
#include "store/inner.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "redo"
#define STATE_KEY VIEW_LIT("state")
#define LABEL "redo"

enum {
    BOUND = 1 + STORE_NONCE_SIZE, /* of the state: version and nonce */
    WHERE = sizeof(LABEL) - 1 + BOUND,
    HEAD = 4,
    RECORD_MAX = STORE_REDO_MAX + STORE_REDO_STEP,
    NOTES = 8 << 10
};

struct store_redo {
    int fd;      /* writes through to the disk */
    uint64_t at; /* the next record */
    bool bound;
    uint8_t where[WHERE];
    bool over; /* more than fits */
    size_t rows;
    size_t len;
    uint8_t notes[NOTES]; /* u8 table | u16 length | key, each */
};

/* ------------------------------------------------------------------ records */

void
store_redo_row_write(struct proto_wr *w, const struct store_redo_row *row)
{
    proto_wr_uint(w, row->t);
    proto_wr_bin(w, row->key);
    if (row->del) {
        proto_wr_nil(w);
    } else {
        proto_wr_bin(w, row->value);
    }
}

void
store_redo_rows(struct view plain, struct store_redo_rd *out)
{
    out->r = proto_rd_open(plain);
    out->left = proto_rd_list(&out->r, 3 * STORE_REDO_ROWS);
    if (out->left % 3 != 0) {
        proto_rd_fail(&out->r, ERR_FORMAT);
    }
    out->left /= 3;
}

bool
store_redo_next(struct store_redo_rd *rd, struct store_redo_row *out)
{
    if (rd->left == 0) {
        return false;
    }
    rd->left--;
    *out = (struct store_redo_row){0};
    out->t = (enum store_table)proto_rd_uint(&rd->r, STORE_T_COUNT_ - 1);
    out->key = proto_rd_bin(&rd->r, STORE_KEY_MAX);
    out->del = proto_rd_nil(&rd->r);
    if (!out->del) {
        out->value = proto_rd_bin(&rd->r, STORE_REDO_MAX);
    }
    if (out->key.len == 0) {
        proto_rd_fail(&rd->r, ERR_FORMAT);
    }
    return rd->r.e == OK;
}

enum err
store_redo_end(const struct store_redo_rd *rd)
{
    return proto_rd_end(&rd->r) == OK ? OK : ERR_CORRUPT;
}

/* ------------------------------------------------------------------ writing */

void
store_redo_begin(struct store *s)
{
    if (s->redo != NULL) {
        s->redo->bound = false;
        s->redo->over = false;
        s->redo->rows = 0;
        s->redo->len = 0;
    }
}

void
store_redo_note(struct store_txn *txn, enum store_table t, struct view key)
{
    struct store_redo *r = txn->s->redo;
    uint8_t *at;

    if (r == NULL || r->over) {
        return;
    }
    if (r->rows == STORE_REDO_ROWS || key.len + 3 > NOTES - r->len) {
        r->over = true;
        return;
    }
    at = r->notes + r->len;
    at[0] = (uint8_t)t;
    at[1] = (uint8_t)(key.len >> 8);
    at[2] = (uint8_t)key.len;
    memcpy(at + 3, key.p, key.len);
    r->len += 3 + key.len;
    r->rows++;
}

/* Where the record behind one of len bytes begins. */
static uint64_t
behind(uint64_t at, size_t len)
{
    uint64_t end = at + HEAD + len;

    return (end + STORE_REDO_STEP - 1) / STORE_REDO_STEP * STORE_REDO_STEP;
}

/* Where a record is sealed for, by a sealed state. */
static bool
bind_to(struct view state, uint8_t where[WHERE])
{
    if (state.len < BOUND) {
        return false;
    }
    memcpy(where, LABEL, sizeof(LABEL) - 1);
    memcpy(where + sizeof(LABEL) - 1, state.p, BOUND);
    return true;
}

/* By the one that LMDB has; false: none. */
static bool
where_of(struct store_env_txn *env, uint8_t where[WHERE])
{
    struct view state;

    return store_env_get(env, STORE_T_META, STATE_KEY, &state) == OK &&
           bind_to(state, where);
}

void
store_redo_bind(struct store_txn *txn)
{
    struct store_redo *r = txn->s->redo;

    if (r != NULL && !r->over) {
        r->bound = where_of(txn->env, r->where);
    }
}

/* What the noted keys have now. */
static enum err
make_plain(struct store_txn *txn, const struct store_redo *r, struct bytes *out)
{
    struct proto_wr w = proto_wr_open(txn->s->cfg.mem);
    size_t at = 0;
    enum err e = OK;

    proto_wr_array(&w, 3 * r->rows);
    while (at < r->len) {
        size_t len = (size_t)r->notes[at + 1] << 8 | r->notes[at + 2];
        struct store_redo_row row = {.t = (enum store_table)r->notes[at],
                                     .key = view_make(r->notes + at + 3, len)};

        e = store_env_get(txn->env, row.t, row.key, &row.value);
        row.del = e == ERR_MISSING;
        TRY(row.del ? OK : e);
        TRY(proto_wr_view(&w).len + row.value.len <= STORE_REDO_MAX
                ? OK
                : ERR_LIMIT);
        store_redo_row_write(&w, &row);
        at += 3 + len;
    }
    e = proto_wr_take(&w, out);
out:
    proto_wr_clear(&w);
    return e;
}

bool
store_redo_write(struct store_txn *txn)
{
    struct store *s = txn->s;
    struct store_redo *r = s->redo;
    struct bytes plain = {0};
    struct bytes file = {0};
    enum err e;

    if (r == NULL || !r->bound || r->over) {
        return false;
    }
    if (!store_env_behind(s->env)) {
        r->at = 0; /* LMDB's file has what the others are for */
    }
    TRY(make_plain(txn, r, &plain));
    TRY(plain.len + HEAD + STORE_SEAL_EXTRA <= RECORD_MAX &&
                behind(r->at, plain.len + STORE_SEAL_EXTRA) <= STORE_REDO_SIZE
            ? OK
            : ERR_LIMIT);
    TRY(bytes_alloc(s->cfg.mem, HEAD + plain.len + STORE_SEAL_EXTRA, &file));
    store_put_u32(file.p, (uint32_t)(plain.len + STORE_SEAL_EXTRA));
    store_seal(s->keys->table[STORE_T_META], &s->nonces, STORE_T_META,
               VIEW_ARRAY(r->where), view_of(&plain), file.p + HEAD);
    TRY(store_write_at(r->fd, view_of(&file), r->at));
    r->at = behind(r->at, plain.len + STORE_SEAL_EXTRA);
out:
    bytes_free(&plain);
    bytes_free(&file);
    return e == OK;
}

bool
store_redo_much(const struct store *s)
{
    return s->redo != NULL && s->redo->at > STORE_REDO_SIZE / 4 * 3 &&
           store_env_behind(s->env);
}

/* ------------------------------------------------------------------ opening */

static enum err
put_row(struct store_env_txn *env, const struct store_redo_row *row)
{
    uint8_t *to;
    enum err e;

    if (row->del) {
        e = store_env_del(env, row->t, row->key);
        return e == ERR_MISSING ? OK : e;
    }
    e = store_env_put(env, row->t, row->key, row->value.len, false, &to);
    if (e == OK && row->value.len > 0) {
        memcpy(to, row->value.p, row->value.len);
    }
    return e;
}

/* Reading records one after the other. */
struct reading {
    struct store *s;
    int fd; /* -1: there is no file */
    uint64_t at;
    bool more;            /* where is known */
    uint8_t where[WHERE]; /* the state that the next one is for */
};

/* The first follows what LMDB has. */
static enum err
begin_reading(struct store *s, struct reading *r)
{
    struct store_env_txn *env = NULL;
    char path[STORE_PATH_MAX];
    enum err e;

    *r = (struct reading){.s = s, .fd = -1};
    TRY(store_path(path, s->cfg.dir, FILE_NAME));
    TRY(store_env_begin(s->env, false, &env));
    r->more = where_of(env, r->where);
    store_env_abort(env);
    r->fd = open(path, O_RDONLY | O_CLOEXEC);
    TRY(r->fd >= 0 || errno == ENOENT ? OK : store_errno(errno));
    r->more = r->more && r->fd >= 0;
out:
    return e;
}

static void
end_reading(struct reading *r)
{
    if (r->fd >= 0) {
        (void)close(r->fd);
    }
    r->fd = -1;
}

/* The next record; empty: none fits, so what is there is torn or old. */
static enum err
read_record(struct reading *r, struct bytes *out)
{
    struct store *s = r->s;
    struct bytes sealed = {0};
    uint8_t head[HEAD];
    size_t len;
    enum err e = OK;

    if (!r->more || r->at > STORE_REDO_SIZE - STORE_REDO_STEP) {
        return OK;
    }
    r->more = false;
    TRY(store_read_at(r->fd, head, sizeof(head), r->at));
    len = store_get_u32(head);
    if (len < STORE_SEAL_EXTRA || len > RECORD_MAX - HEAD) {
        return OK;
    }
    TRY(bytes_alloc(s->cfg.mem, len, &sealed));
    TRY(store_read_at(r->fd, sealed.p, len, r->at + HEAD));
    TRY(store_unseal(s->keys->table[STORE_T_META], STORE_T_META,
                     VIEW_ARRAY(r->where), view_of(&sealed), s->cfg.mem, out));
    r->at = behind(r->at, len);
out:
    bytes_free(&sealed);
    /* What cannot be read may be a commit that others know of. */
    return e == ERR_NOMEM || e == ERR_IO ? e : OK;
}

/* All records, row by row, to each; how many rows they have. */
static enum err
read_all(struct reading *r,
         enum err (*each)(struct store_env_txn *env,
                          const struct store_redo_row *row),
         struct store_env_txn *env, uint64_t *rows)
{
    struct bytes plain = {0};
    struct store_redo_row row;
    struct store_redo_rd rd;
    enum err e;

    *rows = 0;
    TRY(read_record(r, &plain));
    while (plain.len > 0) {
        store_redo_rows(view_of(&plain), &rd);
        while (store_redo_next(&rd, &row)) {
            TRY(each(env, &row));
            (*rows)++;
            if (row.t == STORE_T_META && view_equal(row.key, STATE_KEY)) {
                r->more = bind_to(row.value, r->where);
            }
        }
        TRY(store_redo_end(&rd));
        bytes_free(&plain);
        TRY(read_record(r, &plain));
    }
out:
    bytes_free(&plain);
    return e;
}

static enum err
only_count(struct store_env_txn *env, const struct store_redo_row *row)
{
    (void)env;
    (void)row;
    return OK;
}

enum err
store_redo_pending(struct store *s, uint64_t *rows_out)
{
    struct reading r = {.fd = -1};
    uint64_t rows = 0;
    enum err e;

    TRY(begin_reading(s, &r));
    TRY(read_all(&r, only_count, NULL, &rows));
    *rows_out = rows;
out:
    end_reading(&r);
    return e;
}

/* One attempt; *grow: the map is too small for it. */
static enum err
apply(struct store *s, bool *grow)
{
    struct store_env_txn *env = NULL;
    struct reading r = {.fd = -1};
    uint64_t rows = 0;
    enum err e;

    *grow = false;
    TRY(begin_reading(s, &r));
    TRY(store_env_begin(s->env, true, &env));
    e = read_all(&r, put_row, env, &rows);
    *grow = store_env_map_full(env);
    if (e != OK || rows == 0) {
        store_env_abort(env);
        goto out;
    }
    TRY(store_env_commit(env));
    LOG(s->cfg.log, LOG_INFO, "store.redo.done", LOG_NUM("rows", rows));
out:
    end_reading(&r);
    return e;
}

/* All its blocks are written once, so that later only they are. */
static enum err
make_file(const struct store *s, const char *path, int fd)
{
    struct bytes zeros = {0};
    struct stat st;
    enum err e;

    TRY(fstat(fd, &st) == 0 ? OK : ERR_IO);
    if (st.st_size != STORE_REDO_SIZE) {
        TRY(bytes_alloc(s->cfg.mem, STORE_REDO_SIZE, &zeros));
        memset(zeros.p, 0, zeros.len);
        TRY(store_write_at(fd, view_of(&zeros), 0));
        TRY(ftruncate(fd, STORE_REDO_SIZE) == 0 ? OK : ERR_IO);
        store_sync_fd(fd);
        store_sync_dir(s->cfg.dir);
    }
out:
    if (e != OK) {
        (void)unlink(path);
    }
    bytes_free(&zeros);
    return e;
}

static enum err
open_file(struct store *s)
{
    struct store_redo *r = NULL;
    char path[STORE_PATH_MAX];
    int fd = -1;
    enum err e;

    TRY(store_path(path, s->cfg.dir, FILE_NAME));
    fd = open(path, O_RDWR | O_CREAT | O_DSYNC | O_CLOEXEC, 0600);
    TRY(fd >= 0 ? OK : ERR_IO);
    TRY(make_file(s, path, fd));
    r = mem_alloc(s->cfg.mem, sizeof(*r));
    TRY(r != NULL ? OK : ERR_NOMEM);
    r->fd = fd;
    fd = -1;
    s->redo = r;
out:
    if (fd >= 0) {
        (void)close(fd);
    }
    return e;
}

enum err
store_redo_open(struct store *s)
{
    bool grow = false;
    enum err e;

    do {
        e = apply(s, &grow);
    } while (grow && store_env_grow(s->env) == OK);
    TRY(e);
    e = open_file(s);
    if (e != OK && e != ERR_NOMEM) {
        LOG(s->cfg.log, LOG_WARN, "store.redo.none", LOG_ERR(e));
        e = OK;
    }
out:
    return e;
}

void
store_redo_close(struct store *s)
{
    if (s->redo != NULL) {
        (void)close(s->redo->fd);
        mem_free(s->cfg.mem, s->redo, sizeof(*s->redo));
        s->redo = NULL;
    }
}
