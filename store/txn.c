/* SPDX-License-Identifier: Apache-2.0 */
#include "store/txn.h"

#include "crypto/prim/hash.h"
#include "proto/base/assert.h"
#include "store/inner.h"
#include "store/page.h"

#include <string.h>

static const struct {
    const char *name;
    bool index;
} tables[STORE_T_COUNT_] = {
    [STORE_T_META] = {"meta", false},
    [STORE_T_SETTINGS] = {"settings", false},
    [STORE_T_JOURNAL] = {"journal", false},
    [STORE_T_CURSORS] = {"cursors", false},
    [STORE_T_AUDIT] = {"audit", false},
    [STORE_T_AUDIT_HEADS] = {"audit_heads", false},
    [STORE_T_MEMBERS] = {"members", false},
    [STORE_T_CONTACTS] = {"contacts", false},
    [STORE_T_CONTACT_IDENTS] = {"contact_idents", true},
    [STORE_T_CONTACT_WORDS] = {"contact_words", true},
    [STORE_T_CONTACT_NOTES] = {"contact_notes", false},
    [STORE_T_CONTACT_MERGES] = {"contact_merges", false},
    [STORE_T_CONVS] = {"convs", false},
    [STORE_T_CONV_KEYS] = {"conv_keys", false},
    [STORE_T_CONV_THREADS] = {"conv_threads", false},
    [STORE_T_CONV_CONTACTS] = {"conv_contacts", true},
    [STORE_T_CONV_ORDER] = {"conv_order", true},
    [STORE_T_CONV_MARKS] = {"conv_marks", false},
    [STORE_T_MSGS] = {"msgs", false},
    [STORE_T_MSG_INDEX] = {"msg_index", false},
    [STORE_T_MSG_IDS] = {"msg_ids", true},
    [STORE_T_LINKS] = {"links", false},
    [STORE_T_CLINICS] = {"clinics", false},
    [STORE_T_STREAMS_IN] = {"streams_in", false},
    [STORE_T_STREAMS_OUT] = {"streams_out", false},
    [STORE_T_OUTBOX] = {"outbox", false},
    [STORE_T_FED] = {"fed", false},
    [STORE_T_SECRETS] = {"secrets", false},
    [STORE_T_SLOTS] = {"slots", false},
    [STORE_T_BLOBS] = {"blobs", false},
    [STORE_T_BLOB_REFS] = {"blob_refs", true},
    [STORE_T_INVITES] = {"invites", false},
    [STORE_T_PATIENTS] = {"patients", false},
    [STORE_T_CONSENTS] = {"consents", false},
    [STORE_T_CONV_NAMES] = {"conv_names", true},
};

/* Tables whose keys only grow; their pages are filled to the brim. */
static bool
is_append(enum store_table t)
{
    return t == STORE_T_JOURNAL || t == STORE_T_AUDIT || t == STORE_T_MSGS;
}

const char *
store_table_name(enum store_table t)
{
    return tables[t].name;
}

bool
store_table_is_index(enum store_table t)
{
    return tables[t].index;
}

/* ------------------------------------------------------------ transactions */

void
store_txn_init(struct store_txn *txn, struct store *s,
               struct store_env_txn *env, bool write)
{
    memset(txn, 0, sizeof(*txn));
    txn->s = s;
    txn->env = env;
    txn->write = write;
    if (write) {
        store_redo_begin(s);
    }
}

void
store_txn_clear(struct store_txn *txn)
{
    store_slots_clear(txn);
    store_hot_clear(&txn->hot, txn->s->cfg.mem);
    bytes_free(&txn->rows[0].list);
    bytes_free(&txn->rows[1].list);
    mem_free(txn->s->cfg.mem, txn->added,
             STORE_ADDED_MAX * sizeof(txn->added[0]));
    mem_wipe(txn, sizeof(*txn));
}

enum err
store_read_begin(struct store *s, struct store_txn **out)
{
    struct store_txn *txn = mem_alloc(s->cfg.mem, sizeof(*txn));
    struct store_env_txn *env;
    enum err e;

    if (txn == NULL) {
        return ERR_NOMEM;
    }
    e = store_env_begin(s->env, false, &env);
    if (e != OK) {
        mem_free(s->cfg.mem, txn, sizeof(*txn));
        return e;
    }
    store_txn_init(txn, s, env, false);
    *out = txn;
    return OK;
}

void
store_read_end(struct store_txn *txn)
{
    const struct mem *mem;

    if (txn == NULL) {
        return;
    }
    ASSERT(!txn->write);
    mem = txn->s->cfg.mem;
    store_env_abort(txn->env);
    store_txn_clear(txn);
    mem_free(mem, txn, sizeof(*txn));
}

struct store *
store_txn_store(struct store_txn *txn)
{
    return txn->s;
}

const struct mem *
store_txn_mem(struct store_txn *txn)
{
    return txn->s->cfg.mem;
}

bool
store_txn_is_write(const struct store_txn *txn)
{
    return txn->write;
}

/* ---------------------------------------------------------- keys and values */

enum err
store_damaged(struct store_txn *txn, enum store_table t, struct view key)
{
    struct hash32 h;

    /* The tag of a hash: a key may hold the end of a number, not words. */
    prim_sha256(key, h.b);
    LOG(txn->s->cfg.log, LOG_ERROR, "store.record.damaged", LOG_NUM("table", t),
        LOG_TAG("key", log_tag_of(hash32_view(&h))));
    return ERR_CORRUPT;
}

enum err
store_open_value(struct store_txn *txn, enum store_table t, struct view key,
                 struct view sealed, const uint8_t under[32], struct bytes *out)
{
    enum err e;

    if (tables[t].index) {
        return sealed.len == 0 ? OK : store_damaged(txn, t, key);
    }
    e = store_unseal(under, (uint8_t)t, key, sealed, txn->s->cfg.mem, out);
    return e == ERR_CORRUPT ? store_damaged(txn, t, key) : e;
}

static bool
key_ok(struct view key)
{
    return key.len > 0 && key.len <= STORE_KEY_MAX;
}

bool
store_txn_holds(const struct store_txn *txn, enum store_table t)
{
    return txn->write && store_hot_has(t);
}

enum err
store_get_under(struct store_txn *txn, enum store_table t, struct view key,
                const uint8_t under[32], struct bytes *out)
{
    const struct store_hot_row *row = NULL;
    struct view sealed;
    enum err e;

    if (!key_ok(key)) {
        return ERR_MISSING;
    }
    if (store_txn_holds(txn, t)) {
        row = store_hot_find(&txn->hot, t, key);
    }
    if (row != NULL) {
        return row->state == STORE_HOT_DEL
                   ? ERR_MISSING
                   : bytes_copy(txn->s->cfg.mem, view_of(&row->value), out);
    }
    e = store_env_get(txn->env, t, key, &sealed);
    if (e == ERR_CORRUPT) {
        return store_damaged(txn, t, key);
    }
    TRY(e);
    TRY(store_open_value(txn, t, key, sealed, under, out));
    if (store_txn_holds(txn, t)) {
        e = store_hot_set(&txn->hot, txn->s->cfg.mem, t, key, STORE_HOT_CLEAN,
                          under, view_of(out));
        if (e != OK) {
            bytes_free(out);
        }
    }
out:
    return e;
}

enum err
store_get(struct store_txn *txn, enum store_table t, struct view key,
          struct bytes *out)
{
    return store_get_under(txn, t, key, txn->s->keys->table[t], out);
}

enum err
store_has(struct store_txn *txn, enum store_table t, struct view key)
{
    const struct store_hot_row *row = NULL;
    struct view sealed;

    if (key_ok(key) && store_txn_holds(txn, t)) {
        row = store_hot_find(&txn->hot, t, key);
    }
    if (row != NULL) {
        return row->state == STORE_HOT_DEL ? ERR_MISSING : OK;
    }
    return key_ok(key) ? store_env_get(txn->env, t, key, &sealed) : ERR_MISSING;
}

enum err
store_txn_wrote(struct store_txn *txn, enum store_table t, enum err e)
{
    txn->writes++;
    txn->touched |= 1ull << t;
    if (e != OK && txn->failed == OK) {
        txn->failed = e;
    }
    return e;
}

/* Room for a value of len bytes. */
static enum err
put_room(struct store_txn *txn, enum store_table t, struct view key, size_t len,
         uint8_t **to)
{
    enum err e;

    if (!key_ok(key)) {
        return ERR_LIMIT;
    }
    store_redo_note(txn, t, key);
    e = store_env_put(txn->env, t, key, len, is_append(t), to);
    if (e == ERR_EXISTS && is_append(t)) {
        /* Not above all others: an update of an older one. */
        e = store_env_put(txn->env, t, key, len, false, to);
    }
    txn->bytes += len;
    return store_txn_wrote(txn, t, e);
}

/* A row that is sealed already. */
static enum err
put_sealed(struct store_txn *txn, enum store_table t, struct view key,
           struct view sealed)
{
    uint8_t *to;
    enum err e = put_room(txn, t, key, sealed.len, &to);

    if (e == OK) {
        memcpy(to, sealed.p, sealed.len);
    }
    return e;
}

static enum err
put_page(struct store_txn *txn, struct view key)
{
    struct bytes sealed = {0};
    enum err e = store_page_make(txn, key, &sealed);

    e = e == OK ? put_sealed(txn, STORE_T_CONV_ORDER, key, view_of(&sealed))
                : store_txn_wrote(txn, STORE_T_CONV_ORDER, e);
    bytes_free(&sealed);
    return e;
}

static enum err
put_through(struct store_txn *txn, enum store_table t, struct view key,
            const uint8_t under[32], struct view value)
{
    uint8_t *to;
    size_t len = tables[t].index ? 0 : value.len + STORE_SEAL_EXTRA;
    enum err e = put_room(txn, t, key, len, &to);

    if (e == OK && len > 0) {
        store_seal(under, &txn->s->nonces, (uint8_t)t, key, value, to);
    }
    return e;
}

/* Hold a write until the commit. */
static enum err
hold(struct store_txn *txn, enum store_table t, struct view key,
     enum store_hot_state state, const uint8_t under[32], struct view value)
{
    if (!key_ok(key)) {
        return ERR_LIMIT;
    }
    txn->bytes += value.len;
    return store_txn_wrote(
        txn, t,
        store_hot_set(&txn->hot, txn->s->cfg.mem, t, key, state, under, value));
}

static enum err
write_held(void *ctx, const struct store_hot_row *row)
{
    struct store_txn *txn = ctx;
    enum err e = OK;

    if (row->state == STORE_HOT_PUT &&
        store_page_is(row->t, view_of(&row->key))) {
        e = put_page(txn, view_of(&row->key));
    } else if (row->state == STORE_HOT_PUT) {
        e = put_through(txn, row->t, view_of(&row->key), row->under,
                        view_of(&row->value));
    } else if (row->state == STORE_HOT_DEL) {
        store_redo_note(txn, row->t, view_of(&row->key));
        e = store_env_del(txn->env, row->t, view_of(&row->key));
        e = e == ERR_MISSING ? OK : store_txn_wrote(txn, row->t, e);
    }
    return e;
}

enum err
store_hot_write(struct store_txn *txn, enum store_table t)
{
    return store_hot_drain(&txn->hot, txn->s->cfg.mem, t, write_held, txn);
}

enum err
store_put_under(struct store_txn *txn, enum store_table t, struct view key,
                const uint8_t under[32], struct view value)
{
    ASSERT(txn->write && (!tables[t].index || value.len == 0));
    return store_txn_holds(txn, t)
               ? hold(txn, t, key, STORE_HOT_PUT, under, value)
               : put_through(txn, t, key, under, value);
}

enum err
store_put_conv(struct store_txn *txn, enum store_table t, struct view key,
               const struct conv_id *conv, struct view value)
{
    uint8_t *to;
    size_t len = sizeof(conv->b) + value.len + STORE_SEAL_EXTRA;
    enum err e;

    ASSERT(txn->write && txn->conv_known && conv_id_equal(&txn->conv, conv));
    e = put_room(txn, t, key, len, &to);
    if (e == OK) {
        memcpy(to, conv->b, sizeof(conv->b));
        store_seal(txn->conv_key, &txn->s->nonces, (uint8_t)t, key, value,
                   to + sizeof(conv->b));
    }
    return e;
}

enum err
store_put(struct store_txn *txn, enum store_table t, struct view key,
          struct view value)
{
    return store_put_under(txn, t, key, txn->s->keys->table[t], value);
}

enum err
store_del(struct store_txn *txn, enum store_table t, struct view key)
{
    enum err e;

    ASSERT(txn->write);
    if (!key_ok(key)) {
        return ERR_MISSING;
    }
    if (store_txn_holds(txn, t)) {
        static const uint8_t none[32];

        e = store_has(txn, t, key);
        return e != OK
                   ? e
                   : hold(txn, t, key, STORE_HOT_DEL, none, (struct view){0});
    }
    store_redo_note(txn, t, key);
    e = store_env_del(txn->env, t, key);
    return e == ERR_MISSING ? e : store_txn_wrote(txn, t, e);
}

enum err
store_count(struct store_txn *txn, enum store_table t, uint64_t *out)
{
    enum err e = store_txn_holds(txn, t) ? store_hot_write(txn, t) : OK;

    return e == OK ? store_env_entries(txn->env, t, out) : e;
}

enum err
store_key_hash(struct store_txn *txn, const char *label, struct view words,
               uint8_t out[16])
{
    SCRUBBED(hash, PRIM_HASH_SIZE);
    struct prim_hmac m;

    prim_hmac_init(&m, VIEW_ARRAY(txn->s->keys->index));
    prim_hmac_update(&m, view_make(label, strlen(label) + 1));
    prim_hmac_update(&m, words);
    prim_hmac_final(&m, hash);
    memcpy(out, hash, 16);
    return OK;
}
