/* SPDX-License-Identifier: Apache-2.0 */
#include "store/redo.h"

#include "proto/base/assert.h"
#include "proto/wire/mp_wr.h"
#include "store/file.h"
#include "store/inner.h"
#include "store/redo_impl.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NOTES = 8 << 10,
    SOME = STORE_REDO_SIZE / 4,
    MUCH = STORE_REDO_SIZE / 4 * 3
};

struct store_redo {
    int fd;      /* writes through to the disk */
    uint64_t at; /* the next record */
    bool named;  /* the disk has the file's name, too */
    bool fails;  /* the last record could not be written */
    bool unsure; /* ... in this transaction: who knows what the file has */
    bool bound;
    uint8_t head[STORE_REDO_HEAD];
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
        s->redo->unsure = false;
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

uint64_t
store_redo_behind(uint64_t at, size_t len)
{
    uint64_t end = at + STORE_REDO_HEAD + len;

    return (end + STORE_REDO_STEP - 1) / STORE_REDO_STEP * STORE_REDO_STEP;
}

bool
store_redo_head(uint64_t number, struct view state,
                uint8_t out[STORE_REDO_HEAD])
{
    if (state.len < STORE_REDO_BOUND) {
        return false;
    }
    memset(out, 0, STORE_REDO_HEAD);
    store_put_u64(out + STORE_REDO_NUMBER_AT, number);
    memcpy(out + STORE_REDO_BOUND_AT, state.p, STORE_REDO_BOUND);
    return true;
}

struct view
store_redo_label(const uint8_t head[STORE_REDO_HEAD],
                 uint8_t out[STORE_REDO_LABEL])
{
    memcpy(out, "redo", 4);
    memcpy(out + 4, head + STORE_REDO_NUMBER_AT, STORE_REDO_BINDS);
    return view_make(out, STORE_REDO_LABEL);
}

void
store_redo_bind(struct store_txn *txn, uint64_t number)
{
    struct store_redo *r = txn->s->redo;
    struct view state;

    if (r != NULL && !r->over) {
        r->bound = store_env_get(txn->env, STORE_T_META, STORE_REDO_STATE,
                                 &state) == OK &&
                   store_redo_head(number, state, r->head);
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

/* Head and sealed rows, as they are in the file. */
static enum err
make_record(struct store_txn *txn, struct store_redo *r, struct bytes *out)
{
    struct store *s = txn->s;
    struct bytes plain = {0};
    uint8_t label[STORE_REDO_LABEL];
    size_t len;
    enum err e;

    TRY(make_plain(txn, r, &plain));
    len = plain.len + STORE_SEAL_EXTRA;
    TRY(STORE_REDO_HEAD + len <= STORE_REDO_RECORD_MAX &&
                store_redo_behind(r->at, len) <= STORE_REDO_SIZE
            ? OK
            : ERR_LIMIT);
    TRY(bytes_alloc(s->cfg.mem, STORE_REDO_HEAD + len, out));
    store_put_u32(r->head, (uint32_t)len);
    store_put_u32(r->head + STORE_REDO_AGAIN_AT, (uint32_t)len);
    memcpy(out->p, r->head, STORE_REDO_HEAD);
    store_seal(s->keys->table[STORE_T_META], &s->nonces, STORE_T_META,
               store_redo_label(r->head, label), view_of(&plain),
               out->p + STORE_REDO_HEAD);
out:
    bytes_free(&plain);
    return e;
}

/* Once when it begins and once when it is over. */
static void
say_fails(const struct store *s, bool fails, enum err e)
{
    if (fails != s->redo->fails) {
        LOG(s->cfg.log, fails ? LOG_ERROR : LOG_INFO, "store.redo.write",
            LOG_NUM("fails", fails), LOG_ERR(e));
        s->redo->fails = fails;
    }
}

bool
store_redo_write(struct store_txn *txn)
{
    struct store *s = txn->s;
    struct store_redo *r = s->redo;
    struct bytes file = {0};
    enum err e;

    if (r == NULL || !r->bound || r->over || store_env_tight(s->env, r->rows)) {
        return false; /* behind its record LMDB's commit must not fail */
    }
    if (!store_env_behind(s->env)) {
        r->at = 0; /* LMDB's file has what the others are for */
    }
    TRY(make_record(txn, r, &file));
    if (!r->named) {
        store_sync_dir(s->cfg.dir);
        r->named = true;
    }
    e = store_write_at(r->fd, view_of(&file), r->at);
    r->unsure = e != OK;
    say_fails(s, r->unsure, e);
    TRY(e);
    r->at = store_redo_behind(r->at, file.len - STORE_REDO_HEAD);
out:
    bytes_free(&file);
    return e == OK;
}

bool
store_redo_unsure(const struct store *s)
{
    return s->redo != NULL && s->redo->unsure;
}

enum store_redo_fill
store_redo_fill(const struct store *s)
{
    uint64_t at = s->redo != NULL && store_env_behind(s->env) ? s->redo->at : 0;

    return at > MUCH   ? STORE_REDO_MUCH
           : at > SOME ? STORE_REDO_SOME
                       : STORE_REDO_LITTLE;
}

/* ----------------------------------------------------------------- the file */

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
    }
out:
    if (e != OK) {
        (void)unlink(path);
    }
    bytes_free(&zeros);
    return e;
}

enum err
store_redo_open_file(struct store *s)
{
    struct store_redo *r = NULL;
    char path[STORE_PATH_MAX];
    int fd = -1;
    enum err e;

    TRY(store_path(path, s->cfg.dir, STORE_REDO_FILE));
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

void
store_redo_close(struct store *s)
{
    if (s->redo != NULL) {
        (void)close(s->redo->fd);
        mem_free(s->cfg.mem, s->redo, sizeof(*s->redo));
        s->redo = NULL;
    }
}
