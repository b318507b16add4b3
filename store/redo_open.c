/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the redo file: doing again what it has, and judging whether that is
 * all.  A record is written only when the one before it is on the disk, and
 * LMDB commits only what has its record there.  So the last record may be torn,
 * but nothing was told of it; and these say that commits are lost which others
 * know of:
 *
 *     - there is a base (store/env_base.h), and no record that follows it;
 *     - behind the end of the row a record opens that is a later commit;
 *     - LMDB's file had more commits than there are records, but for one that
 *       went without a record and was not told of either;
 *     - it had the commit whose record is there and does not open.
 */
#include "store/file.h"
#include "store/inner.h"
#include "store/redo_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Reading records one after the other. */
struct reading {
    struct store *s;
    int fd; /* -1: there is no file */
    uint64_t at;
    uint64_t number;               /* of the last commit */
    bool more;                     /* next is known */
    uint8_t next[STORE_REDO_HEAD]; /* but for its length */
    bool claimed; /* a record says that it is the next one, and does not open */
    struct store_redo_found found;
};

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

/* The last commit is this one; the next record follows its state. */
static void
at_commit(struct reading *r, uint64_t number, struct view state)
{
    r->number = number;
    r->more = store_redo_head(number + 1, state, r->next);
}

/* The first follows what LMDB has. */
static enum err
begin_reading(struct store *s, struct reading *r)
{
    struct store_txn *txn = NULL;
    struct store_state *st;
    struct view state;
    char path[STORE_PATH_MAX];
    enum err e;

    *r = (struct reading){.s = s, .fd = -1};
    TRY(store_path(path, s->cfg.dir, STORE_REDO_FILE));
    TRY(store_read_begin(s, &txn));
    TRY(store_state(txn, &st));
    if (store_env_get(txn->env, STORE_T_META, STORE_REDO_STATE, &state) == OK) {
        at_commit(r, st->n[STORE_N_COMMIT], state);
    }
    r->fd = open(path, O_RDONLY | O_CLOEXEC);
    TRY(r->fd >= 0 || errno == ENOENT ? OK : store_errno(errno));
    r->more = r->more && r->fd >= 0;
out:
    store_read_end(txn);
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

/* What cannot be read may be a commit that others know of. */
static enum err
only_grave(enum err e)
{
    return e == ERR_NOMEM || e == ERR_IO ? e : OK;
}

/* The head of what lies here; zeros: there is none. */
static enum err
read_head(const struct reading *r, uint64_t at, uint8_t head[STORE_REDO_HEAD])
{
    enum err e = OK;

    memset(head, 0, STORE_REDO_HEAD);
    if (r->fd >= 0 && at <= STORE_REDO_SIZE - STORE_REDO_STEP) {
        e = store_read_at(r->fd, head, STORE_REDO_HEAD, at);
    }
    return only_grave(e);
}

/* The rows that are sealed for this head and so long; empty: none are. */
static enum err
open_rows(const struct reading *r, uint64_t at,
          const uint8_t head[STORE_REDO_HEAD], size_t len, struct bytes *out)
{
    struct store *s = r->s;
    struct bytes sealed = {0};
    uint8_t label[STORE_REDO_LABEL];
    enum err e;

    if (len < STORE_SEAL_EXTRA ||
        len > STORE_REDO_RECORD_MAX - STORE_REDO_HEAD) {
        return OK;
    }
    TRY(bytes_alloc(s->cfg.mem, len, &sealed));
    TRY(store_read_at(r->fd, sealed.p, len, at + STORE_REDO_HEAD));
    TRY(store_unseal(s->keys->table[STORE_T_META], STORE_T_META,
                     store_redo_label(head, label), view_of(&sealed),
                     s->cfg.mem, out));
out:
    bytes_free(&sealed);
    return only_grave(e);
}

/* The same with one of the two lengths that are said there. */
static enum err
open_record(const struct reading *r, uint64_t at,
            const uint8_t said[STORE_REDO_HEAD],
            const uint8_t head[STORE_REDO_HEAD], struct bytes *out, size_t *len)
{
    size_t again = store_get_u32(said + STORE_REDO_AGAIN_AT);
    enum err e;

    *len = store_get_u32(said);
    TRY(open_rows(r, at, head, *len, out));
    if (out->len == 0 && again != *len) {
        *len = again;
        TRY(open_rows(r, at, head, again, out));
    }
out:
    return e;
}

/*
 * The next record; empty: none fits, so what is there is torn or old.  Which
 * one it has to be is known, whatever its head says.
 */
static enum err
read_record(struct reading *r, struct bytes *out)
{
    uint8_t said[STORE_REDO_HEAD];
    size_t len;
    enum err e = OK;

    if (!r->more) {
        return OK;
    }
    r->more = false;
    TRY(read_head(r, r->at, said));
    TRY(open_record(r, r->at, said, r->next, out, &len));
    r->claimed = out->len == 0 &&
                 memcmp(said + STORE_REDO_NUMBER_AT,
                        r->next + STORE_REDO_NUMBER_AT, STORE_REDO_BINDS) == 0;
    if (out->len > 0) {
        r->at = store_redo_behind(r->at, len);
    }
out:
    return e;
}

/* All records, row by row, to each. */
static enum err
read_all(struct reading *r,
         enum err (*each)(struct store_env_txn *env,
                          const struct store_redo_row *row),
         struct store_env_txn *env)
{
    struct bytes plain = {0};
    struct store_redo_row row;
    struct store_redo_rd rd;
    enum err e;

    TRY(read_record(r, &plain));
    while (plain.len > 0) {
        r->found.commits++;
        store_redo_rows(view_of(&plain), &rd);
        while (store_redo_next(&rd, &row)) {
            TRY(each(env, &row));
            r->found.rows++;
            if (row.t == STORE_T_META &&
                view_equal(row.key, STORE_REDO_STATE)) {
                at_commit(r, r->number + 1, row.value);
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

/* How far beyond the end of the row a commit is whose record opens. */
static enum err
look_behind(const struct reading *r, uint64_t *beyond)
{
    struct bytes plain = {0};
    enum err e = OK;

    *beyond = 0;
    for (uint64_t at = r->at; e == OK && at < STORE_REDO_SIZE;
         at += STORE_REDO_STEP) {
        uint8_t head[STORE_REDO_HEAD];
        uint64_t number;
        size_t len;

        TRY(read_head(r, at, head));
        number = store_get_u64(head + STORE_REDO_NUMBER_AT);
        if (number > r->number && number - r->number > *beyond) {
            TRY(open_record(r, at, head, head, &plain, &len));
            *beyond = plain.len > 0 ? number - r->number : *beyond;
            bytes_free(&plain);
        }
    }
out:
    bytes_free(&plain);
    return e;
}

/* Whether the row that was read is all that was told. */
static enum err
judge(struct reading *r)
{
    uint64_t n = r->found.commits;
    uint64_t ahead;
    uint64_t lost = 0;
    enum err e = OK;

    if (store_env_returned(r->s->env, &ahead)) {
        TRY(look_behind(r, &lost));
        if (lost == 0 && ahead > n + 1) {
            lost = ahead - n - 1;
        }
        if (lost == 0 && (n == 0 || (r->claimed && ahead > n))) {
            lost = 1;
        }
    }
    r->found.lost = lost;
out:
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
store_redo_pending(struct store *s, struct store_redo_found *out)
{
    struct reading r = {.fd = -1};
    enum err e;

    TRY(begin_reading(s, &r));
    TRY(read_all(&r, only_count, NULL));
    TRY(judge(&r));
    *out = r.found;
out:
    end_reading(&r);
    return e;
}

/* What is done beside, when commits are lost. */
struct forgo {
    enum err (*change)(void *ctx, struct store_txn *txn);
    void *ctx;
    uint64_t lost;
};

static enum err
change_it(struct store *s, const struct forgo *f, struct store_env_txn *env)
{
    struct store_txn txn;
    enum err e;

    store_txn_init(&txn, s, env, true);
    e = f->change(f->ctx, &txn);
    e = e == OK ? txn.failed : e;
    e = e == OK ? store_state_save(&txn) : e;
    store_txn_clear(&txn);
    return e;
}

/* What to do about those that are lost. */
static enum err
about_lost(struct store *s, const struct reading *r, struct forgo *f,
           struct store_env_txn *env)
{
    uint64_t lost = r->found.lost;

    if (f != NULL) {
        f->lost = lost;
        return lost > 0 ? change_it(s, f, env) : ERR_MISSING;
    }
    if (lost > 0) {
        LOG(s->cfg.log, LOG_ERROR, "store.redo.lost", LOG_NUM("commits", lost),
            LOG_NUM("whole", r->found.commits));
    }
    return lost > 0 ? ERR_CORRUPT : OK;
}

/* One attempt; *grow: the map is too small for it. */
static enum err
apply(struct store *s, struct forgo *f, bool *grow)
{
    struct store_env_txn *env = NULL;
    struct reading r = {.fd = -1};
    enum err e;

    *grow = false;
    TRY(begin_reading(s, &r));
    TRY(store_env_begin(s->env, true, &env));
    e = read_all(&r, put_row, env);
    e = e == OK ? judge(&r) : e;
    e = e == OK ? about_lost(s, &r, f, env) : e;
    *grow = store_env_map_full(env);
    if (e != OK || (r.found.rows == 0 && f == NULL)) {
        store_env_abort(env);
        goto out;
    }
    e = store_env_commit(env);
    *grow = e != OK && store_env_commit_full(s->env);
    TRY(e);
    LOG(s->cfg.log, LOG_INFO, "store.redo.done",
        LOG_NUM("commits", r.found.commits), LOG_NUM("rows", r.found.rows));
out:
    end_reading(&r);
    return e;
}

enum err
store_redo_forgo(struct store *s,
                 enum err (*change)(void *ctx, struct store_txn *txn),
                 void *ctx, uint64_t *lost)
{
    struct forgo f = {.change = change, .ctx = ctx};
    bool grow = false;
    enum err e;

    do {
        e = apply(s, &f, &grow);
    } while (grow && store_env_grow(s->env) == OK);
    if (e == OK) {
        *lost = f.lost;
    }
    return e;
}

enum err
store_redo_open(struct store *s)
{
    bool grow = false;
    enum err e;

    do {
        e = apply(s, NULL, &grow);
    } while (grow && store_env_grow(s->env) == OK);
    TRY(e);
    e = store_redo_open_file(s);
    if (e != OK && e != ERR_NOMEM) {
        LOG(s->cfg.log, LOG_WARN, "store.redo.none", LOG_ERR(e));
        e = OK;
    }
out:
    return e;
}
