/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scrub: every record on its own, then what records say of each other,
 * which finds the ones that are missing.
 */
#include "proto/base/limits.h"
#include "store/blobs.h"
#include "store/convs.h"
#include "store/copy.h"
#include "store/file.h"
#include "store/records.h"
#include "store/redo.h"

#include <string.h>
#include <unistd.h>

enum {
    STEP_RECORDS = 1000,
    KEYS_FILE_MAX = 1024
};

struct scrub {
    struct store s;
    struct store_txn txn;
    bool reading;
    const struct store_verify_how *how;
    struct store_verify_result *result;
    uint64_t total;
};

static void
report(struct scrub *v, const char *table, struct view key, enum err e)
{
    struct store_bad bad = {table, key, e};

    v->result->bad++;
    v->how->found(v->how->ctx, &bad);
}

/* -------------------------------------------------------------- each record */

static bool
go_on(const struct scrub *v)
{
    const struct store_progress *p = v->how->progress;

    return p == NULL || v->result->records % STEP_RECORDS != 0 ||
           p->step(p->ctx, v->result->records, v->total);
}

static enum err
scrub_table(struct scrub *v, enum store_table t)
{
    struct store_env_cur *cur = NULL;
    struct view key = {0};
    struct view sealed;
    uint8_t last[STORE_KEY_MAX];
    size_t last_len = 0;
    enum store_env_step step = STORE_ENV_FIRST;
    struct store_state *st;
    uint64_t n = 0;
    enum err e;

    TRY(store_env_cur_open(v->txn.env, t, &cur));
    while ((e = store_env_cur_move(cur, step, &key, &sealed)) == OK) {
        step = STORE_ENV_NEXT;
        if (key.len > sizeof(last) ||
            view_cmp(key, view_make(last, last_len)) <= 0) {
            e = ERR_CORRUPT;
            break;
        }
        memcpy(last, key.p, key.len);
        last_len = key.len;
        n++;
        v->result->records++;
        e = store_check_record(&v->txn, t, key, sealed);
        if (e != OK && e != ERR_NOMEM) {
            report(v, store_table_name(t), key, e);
            e = OK;
        }
        TRY(e);
        TRY(go_on(v) ? OK : ERR_STATE);
    }
    if (e != ERR_MISSING) {
        /* The pages themselves are damaged: what follows cannot be reached. */
        report(v, store_table_name(t), view_make(last, last_len), e);
    }
    if (store_state(&v->txn, &st) == OK && st->keys[t] != n) {
        report(v, store_table_name(t), (struct view){0}, ERR_MISSING);
    }
    e = OK;
out:
    store_env_cur_close(cur);
    return e;
}

/* ----------------------------------------------------------- conversations */

static enum err
has(struct scrub *v, enum store_table t, struct view key)
{
    enum err e = store_has(&v->txn, t, key);

    if (e != OK) {
        report(v, store_table_name(t), key, e);
    }
    return OK;
}

static enum err
scrub_msg(struct scrub *v, const struct store_conv *c, uint64_t seq)
{
    uint8_t buf[STORE_MSGID_KEY];
    struct store_msg m = {0};
    uint8_t key[8];
    enum err e = store_msg_get(&v->txn, seq, &m);

    store_put_u64(key, seq);
    if (e == OK && !conv_id_equal(&m.conv, &c->id)) {
        e = ERR_CORRUPT;
    }
    if (e == OK && !message_id_is_zero(&m.id)) {
        e = has(v, STORE_T_MSG_IDS, store_msgid_key(&c->id, &m.id, seq, buf));
    }
    store_msg_clear(&m);
    /* One that does not open was reported as a record. */
    if (e == ERR_MISSING || e == ERR_CORRUPT) {
        if (e == ERR_MISSING) {
            report(v, "msgs", VIEW_ARRAY(key), e);
        }
        return OK;
    }
    return e;
}

static enum err
scrub_messages(struct scrub *v, const struct store_conv *c)
{
    uint64_t pos = 0;
    uint32_t number = 0;
    enum err e = OK;

    while (e == OK && pos < c->msgs) {
        struct store_chunk chunk = {.len = 0};
        struct bytes b = {0};
        uint8_t buf[STORE_CHUNK_KEY];
        struct view key = store_chunk_key(&c->id, number++, buf);

        e = store_get(&v->txn, STORE_T_MSG_INDEX, key, &b);
        e = e == OK ? store_chunk_decode(view_of(&b), &chunk) : e;
        bytes_free(&b);
        if (e != OK || chunk.len == 0) {
            report(v, "msg_index", key, e == OK ? ERR_CORRUPT : e);
            return e == ERR_NOMEM ? e : OK;
        }
        for (size_t i = 0; e == OK && i < chunk.len; i++) {
            e = scrub_msg(v, c, chunk.seq[i]);
            pos++;
        }
    }
    if (e == OK && pos != c->msgs) {
        report(v, "convs", conv_id_view(&c->id), ERR_CORRUPT);
    }
    return e;
}

static enum err
scrub_conv(struct scrub *v, const struct store_conv *c)
{
    unsigned views = store_conv_views(c);
    uint8_t buf[STORE_ORDER_KEY];
    enum err e = OK;

    for (enum store_conv_view i = 0; e == OK && i <= STORE_VIEW_EVERY; i++) {
        if ((views >> i & 1) != 0) {
            e = has(v, STORE_T_CONV_ORDER, store_order_key(c, i, buf));
        }
    }
    if (e == OK) {
        e = has(v, STORE_T_CONV_NAMES, store_conv_number_key(c, buf));
    }
    if (e == OK && c->has_thread) {
        e = has(v, STORE_T_CONV_THREADS, thread_id_view(&c->thread));
    }
    return e == OK ? scrub_messages(v, c) : e;
}

static enum err
scrub_convs(struct scrub *v)
{
    struct store_scan sc;
    enum err e;
    enum err end;

    TRY(store_scan_begin(&v->txn, STORE_T_CONV_KEYS, (struct view){0}, STORE_UP,
                         &sc));
    store_scan_keys(&sc);
    while (e == OK && store_scan_next(&sc)) {
        struct store_conv c = {0};
        struct conv_id id;

        e = conv_id_from(sc.key, &id) == OK ? store_conv_get(&v->txn, &id, &c)
                                            : ERR_CORRUPT;
        if (e == OK) {
            e = scrub_conv(v, &c);
        } else if (e == ERR_MISSING) {
            report(v, "convs", sc.key, e);
            e = OK;
        } else if (e == ERR_CORRUPT) {
            e = OK; /* reported as a record */
        }
        store_conv_clear(&c);
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end == ERR_CORRUPT ? OK : end);
out:
    return e;
}

/* -------------------------------------------------------------- other parts */

static enum err
scrub_slot(void *ctx, const struct store_slot *slot)
{
    struct scrub *v = ctx;
    enum err e = store_slot_check(&v->txn, slot);

    if (e != OK) {
        report(v, "slots", view_make(slot->owner.b, sizeof(slot->owner.b)), e);
    }
    return OK;
}

static enum err
skip_entry(void *ctx, const struct store_outbox_entry *en)
{
    uint64_t *expected = ctx;

    return en->seq == (*expected)++ ? OK : ERR_CORRUPT;
}

/* Every number between the last acknowledged and the next is there. */
static enum err
scrub_outbox(void *ctx, const struct clinic_id *peer,
             const struct store_outbox_status *st)
{
    struct scrub *v = ctx;
    uint64_t expected = st->acked + 1;
    enum err e = store_outbox_read(&v->txn, peer, st->acked, UINT32_MAX,
                                   UINT64_MAX, skip_entry, &expected);

    if (e != OK || expected != st->next_seq) {
        report(v, "outbox", clinic_id_view(peer), e == OK ? ERR_MISSING : e);
    }
    return e == ERR_NOMEM ? e : OK;
}

static enum err
scrub_file(void *ctx, const struct store_chunk_file *f)
{
    struct scrub *v = ctx;
    struct bytes b = {0};
    enum err e;

    if (!f->named) {
        return OK;
    }
    e = store_chunk_read_in(v->s.cfg.mem, v->s.cfg.dir, &f->hash, &b);
    bytes_free(&b);
    v->result->chunks++;
    if (e != OK) {
        report(v, "blobs", hash32_view(&f->hash), e);
    }
    return e == ERR_NOMEM ? e : OK;
}

static enum err
chain_alone(struct store_txn *txn, uint64_t *rows, uint64_t *heads,
            uint64_t *bad_seq)
{
    *heads = 0;
    return store_audit_verify(txn, NULL, NULL, rows, bad_seq);
}

static enum err
scrub_audit(struct scrub *v)
{
    uint8_t key[8];
    uint64_t bad = 0;
    enum err (*trail)(struct store_txn * txn, uint64_t * rows, uint64_t * heads,
                      uint64_t * bad_seq) =
        v->how->trail != NULL ? v->how->trail : chain_alone;
    enum err e =
        trail(&v->txn, &v->result->audit_rows, &v->result->audit_heads, &bad);

    if (e == ERR_CORRUPT || e == ERR_MISSING) {
        store_put_u64(key, bad);
        report(v, "audit", VIEW_ARRAY(key), ERR_CORRUPT);
        e = OK;
    }
    return e;
}

/* What the backup says of itself: no file of an attachment has gone since. */
static enum err
scrub_backup(struct scrub *v)
{
    struct store_about about;
    uint64_t lacking;
    enum err e = store_about_get(&v->txn, &about);

    if (e == ERR_MISSING || e == ERR_CORRUPT) {
        return OK; /* a record, or missing, which its count says */
    }
    TRY(e);
    TRY(about.schema <= STORE_SCHEMA ? OK : ERR_UNSUPPORTED);
    v->result->made_ms = about.copied_ms;
    e = store_backup_marker(&v->s.cfg, v->s.cfg.dir, about.env_id);
    if (e != OK || about.copied_ms == 0) {
        report(v, "file", VIEW_LIT("backup"), ERR_CORRUPT);
    }
    e = store_chunks_lacking(&v->txn, v->s.cfg.dir, &lacking);
    if (e != OK && e != ERR_CORRUPT) {
        goto out;
    }
    if (e == OK && lacking > about.lacking) {
        report(v, "blobs", (struct view){0}, ERR_MISSING);
    }
    e = OK;
out:
    return e;
}

static enum err
scrub_all(struct scrub *v)
{
    uint64_t n;
    enum err e;

    if (v->how->backup != NULL) {
        TRY(scrub_backup(v));
    }

    for (enum store_table t = 0; t < STORE_T_COUNT_; t++) {
        if (store_count(&v->txn, t, &n) == OK) {
            v->total += n;
        }
    }
    for (enum store_table t = 0; t < STORE_T_COUNT_; t++) {
        TRY(scrub_table(v, t));
    }
    TRY(scrub_convs(v));
    TRY(scrub_audit(v));
    e = store_slot_each(&v->txn, scrub_slot, v);
    TRY(e == ERR_CORRUPT ? OK : e);
    e = store_outbox_peers(&v->txn, scrub_outbox, v);
    TRY(e == ERR_CORRUPT ? OK : e);
    TRY(store_chunk_each(v->s.cfg.dir, scrub_file, v));
    TRY(store_count(&v->txn, STORE_T_CONVS, &v->result->convs));
    TRY(store_count(&v->txn, STORE_T_MSGS, &v->result->msgs));
    if (v->how->look != NULL) {
        v->how->look(v->how->ctx, &v->txn);
    }
out:
    return e;
}

/* --------------------------------------------------------------------- open */

static enum err
open_keys(struct scrub *v, const struct store_config *cfg)
{
    char path[STORE_PATH_MAX];
    struct bytes file = {0};
    enum err e;

    TRY(store_path(path, v->s.cfg.dir, "keys"));
    e = store_file_read(cfg->mem, path, KEYS_FILE_MAX, &file);
    if (e == OK) {
        e = store_keys_unwrap(&cfg->key, view_of(&file), v->s.keys->vault);
    }
    if (e == ERR_MISSING || e == ERR_FORMAT || e == ERR_CORRUPT) {
        report(v, "keys", (struct view){0}, e);
        e = ERR_CORRUPT;
    }
    TRY(e);
    TRY(store_keys_derive(v->s.keys));
out:
    bytes_free(&file);
    return e;
}

/* The last commit may not be in LMDB yet; its record is sealed as one piece. */
static enum err
scrub_redo(struct scrub *v)
{
    struct store_redo_found found = {0};
    enum err e = store_redo_pending(&v->s, &found);

    v->result->pending = found.rows;
    v->result->lost = found.lost;
    if (e == ERR_CORRUPT || found.lost > 0) {
        report(v, "redo", VIEW_LIT("redo"), ERR_CORRUPT);
        e = OK;
    }
    return e;
}

/* What a backup does not have: who else is at it, slots, the redo file. */
static enum err
open_rest(struct scrub *v)
{
    enum err e = store_slots_open(&v->s, &v->s.slots);

    if (e == ERR_CORRUPT) {
        report(v, "file", VIEW_LIT("secrets.slots"), e);
    }
    TRY(e);
    TRY(scrub_redo(v));
out:
    return e;
}

static enum err
open_parts(struct scrub *v, const struct store_config *cfg)
{
    bool backup = v->how->backup != NULL;
    char path[STORE_PATH_MAX];
    struct store_env_config ec;
    struct store_env_txn *env;
    enum err e;

    TRY(store_path(path, v->s.cfg.dir, "data.mdb"));
    TRY(backup ? store_backup_marker(cfg, v->s.cfg.dir, NULL) : OK);
    TRY(access(path, F_OK) == 0 ? OK : ERR_MISSING);
    TRY(backup ? OK : store_lock(v->s.cfg.dir, "lock", &v->s.lock_fd));
    TRY(open_keys(v, cfg));
    ec = store_env_of(cfg, path);
    ec.mode = STORE_ENV_READ_ONLY;
    e = backup ? OK : store_env_return(path);
    e = e == OK ? store_env_open(&ec, &v->s.env) : e;
    if (e == ERR_CORRUPT || e == ERR_STATE) {
        /* ERR_STATE: a base, which no backup has */
        e = ERR_CORRUPT;
        report(v, "file", VIEW_LIT("data.mdb"), e);
    }
    TRY(e);
    TRY(backup ? OK : open_rest(v));
    TRY(store_env_begin(v->s.env, false, &env));
    store_txn_init(&v->txn, &v->s, env, false);
    v->reading = true;
out:
    return e == ERR_EXISTS ? ERR_CORRUPT : e;
}

enum err
store_verify(const struct store_config *cfg, const struct store_verify_how *how,
             struct store_verify_result *result)
{
    struct scrub v = {.how = how, .result = result};
    enum err e;

    *result = (struct store_verify_result){0};
    v.s = (struct store){.cfg = *cfg, .lock_fd = -1};
    v.s.cfg.dir = how->backup != NULL ? how->backup : cfg->dir;
    /* Each bad record is given to found, once: the log would tell it again. */
    v.s.cfg.log = NULL;
    v.s.keys = mem_alloc(cfg->mem, sizeof(*v.s.keys));
    TRY(v.s.keys != NULL ? OK : ERR_NOMEM);
    TRY(open_parts(&v, cfg));
    TRY(scrub_all(&v));
out:
    if (v.reading) {
        store_env_abort(v.txn.env);
        store_txn_clear(&v.txn);
    }
    store_slots_close(v.s.slots);
    ERR_IGNORE(store_env_close(v.s.env), "it is read-only");
    mem_free(cfg->mem, v.s.keys, sizeof(*v.s.keys));
    if (v.s.lock_fd >= 0) {
        (void)close(v.s.lock_fd);
    }
    return e;
}
