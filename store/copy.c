/* SPDX-License-Identifier: Apache-2.0 */
#include "store/copy.h"

#include "crypto/prim/secret.h"
#include "proto/base/limits.h"
#include "store/convs.h"
#include "store/page.h"
#include "store/records.h"

#include <string.h>

enum {
    STEP_RECORDS = 1000
};

bool
store_table_is_left_out(enum store_table t)
{
    return t == STORE_T_SECRETS || t == STORE_T_SLOTS || t == STORE_T_OUTBOX ||
           t == STORE_T_STREAMS_OUT;
}

static bool
is_left_out(enum store_table t, struct view key)
{
    return store_table_is_left_out(t) ||
           (t == STORE_T_FED && key.len > 0 && key.p[0] >= STORE_FED_NO_BACKUP);
}

static enum err
drop_in(struct store_txn *txn, enum store_table t)
{
    struct store_env_cur *cur = NULL;
    struct view key = {0};
    struct view sealed;
    enum store_env_step step = STORE_ENV_FIRST;
    enum err e;

    TRY(store_env_cur_open(txn->env, t, &cur));
    while ((e = store_env_cur_move(cur, step, &key, &sealed)) == OK) {
        if (is_left_out(t, key)) {
            TRY(store_env_cur_del(cur));
        }
        step = STORE_ENV_NEXT;
    }
    TRY(e == ERR_MISSING ? OK : e);
    txn->touched |= (uint64_t)1 << t;
out:
    store_env_cur_close(cur);
    return e;
}

enum err
store_drop_left_out(struct store_txn *txn)
{
    enum err e = OK;

    for (enum store_table t = 0; t < STORE_T_COUNT_; t++) {
        if (store_table_is_left_out(t) || t == STORE_T_FED) {
            TRY(drop_in(txn, t));
        }
    }
out:
    return e;
}

/* -------------------------------------------------------------------- check */

static enum err
check_rows(enum store_table t, struct view key, struct view plain)
{
    struct store_rows_rd rd;
    struct view row;
    uint64_t seq;
    enum err e = OK;

    store_rows_open(key, plain, &rd);
    while (e == OK && store_rows_next(&rd, &row, &seq)) {
        struct store_event event;
        struct store_audit audit;

        e = t == STORE_T_JOURNAL ? store_event_decode(row, &event)
                                 : store_audit_decode(row, &audit);
    }
    return e == OK ? store_rows_end(&rd) : e;
}

static enum err
check_runs(struct view plain)
{
    struct store_runs runs;

    return store_runs_decode(plain, &runs);
}

/* Each record that has a decoder of its own. */
static enum err
check_typed(const struct mem *mem, enum store_table t, struct view key,
            struct view plain)
{
    union {
        struct store_contact contact;
        struct store_note note;
        struct store_link link;
        struct store_clinic clinic;
        struct store_invite invite;
        struct store_patient patient;
        struct store_consent consent;
        struct store_blob blob;
        struct store_outbox_entry entry;
        struct store_chunk chunk;
    } u;
    enum err e = OK;

    memset(&u, 0, sizeof(u));
    if (t == STORE_T_JOURNAL || t == STORE_T_AUDIT) {
        e = check_rows(t, key, plain);
    } else if (t == STORE_T_CONTACTS) {
        e = store_contact_decode(mem, plain, &u.contact);
        store_contact_clear(&u.contact);
    } else if (t == STORE_T_CONTACT_NOTES) {
        e = store_note_decode(mem, plain, &u.note);
        phi_free(&u.note.text);
    } else if (t == STORE_T_LINKS) {
        e = store_link_decode(mem, plain, &u.link);
        store_link_clear(&u.link);
    } else if (t == STORE_T_CLINICS) {
        e = store_clinic_decode(mem, plain, &u.clinic);
        store_clinic_clear(&u.clinic);
    } else if (t == STORE_T_INVITES) {
        e = store_invite_decode(mem, plain, &u.invite);
        store_invite_clear(&u.invite);
    } else if (t == STORE_T_PATIENTS) {
        e = store_patient_decode(mem, plain, &u.patient);
        store_patient_clear(&u.patient);
    } else if (t == STORE_T_CONSENTS) {
        e = store_consent_decode(mem, plain, &u.consent);
        store_consent_clear(&u.consent);
    } else if (t == STORE_T_BLOBS) {
        e = store_blob_decode(mem, plain, &u.blob);
        store_blob_clear(&u.blob);
    } else if (t == STORE_T_OUTBOX) {
        e = store_outbox_decode(plain, &u.entry);
    } else if (t == STORE_T_MSG_INDEX) {
        e = key.len == STORE_PLACE_KEY ? check_runs(plain)
                                       : store_chunk_decode(plain, &u.chunk);
    }
    return e;
}

static enum err
check_msg(struct store_txn *txn, struct view key, struct view sealed)
{
    const struct mem *mem = store_txn_mem(txn);
    struct store_msg m = {0};
    struct bytes plain = {0};
    struct conv_id conv;
    enum err e;

    TRY(key.len == 8 && sealed.len >= sizeof(conv.b) ? OK : ERR_CORRUPT);
    TRY(conv_id_from(view_sub(sealed, 0, sizeof(conv.b)), &conv));
    e = store_conv_key(txn, &conv);
    if (e == ERR_MISSING) {
        return OK;
    }
    TRY(e);
    TRY(store_unseal(txn->conv_key, STORE_T_MSGS, key,
                     view_skip(sealed, sizeof(conv.b)), mem, &plain));
    TRY(store_msg_decode(mem, view_of(&plain), &m));
out:
    store_msg_clear(&m);
    bytes_free(&plain);
    return e;
}

static enum err
check_conv(struct store_txn *txn, struct view key, struct view sealed)
{
    const struct mem *mem = store_txn_mem(txn);
    struct store_conv c = {0};
    struct bytes plain = {0};
    struct conv_id id;
    enum err e;

    TRY(conv_id_from(key, &id) == OK ? OK : ERR_CORRUPT);
    e = store_conv_key(txn, &id);
    TRY(e == ERR_MISSING ? ERR_CORRUPT : e);
    TRY(store_unseal(txn->conv_key, STORE_T_CONVS, key, sealed, mem, &plain));
    TRY(store_conv_decode(mem, view_of(&plain), &c));
    TRY(conv_id_equal(&c.id, &id) ? OK : ERR_CORRUPT);
out:
    store_conv_clear(&c);
    bytes_free(&plain);
    return e;
}

/* It says what the conversation's own record says. */
static enum err
check_page(struct store_txn *txn, struct view key, struct view value)
{
    const struct mem *mem = store_txn_mem(txn);
    struct store_conv page = {0};
    struct store_conv conv = {0};
    struct bytes a = {0};
    struct bytes b = {0};
    enum err e;

    TRY(store_page_open(txn, key, value, &page));
    e = store_conv_get(txn, &page.id, &conv);
    TRY(e == ERR_MISSING ? ERR_CORRUPT : e);
    TRY(store_conv_encode(mem, &page, &a));
    TRY(store_conv_encode(mem, &conv, &b));
    TRY(view_equal(view_of(&a), view_of(&b)) ? OK : ERR_CORRUPT);
out:
    store_conv_clear(&page);
    store_conv_clear(&conv);
    bytes_free(&a);
    bytes_free(&b);
    return e;
}

static enum err
check_secret(struct store_txn *txn, struct view key, struct view sealed)
{
    SCRUBBED(under, STORE_SLOT_KEY_SIZE);
    struct store_slot slot;
    struct store_owner owner;
    struct bytes plain = {0};
    enum err e;

    TRY(key.len >= sizeof(owner.b) ? OK : ERR_CORRUPT);
    memcpy(owner.b, key.p, sizeof(owner.b));
    e = store_slot_find(txn, &owner, &slot);
    TRY(e == ERR_MISSING ? ERR_CORRUPT : e);
    TRY(store_slot_key(txn, &slot, under));
    TRY(store_unseal(under, STORE_T_SECRETS, key, sealed, store_txn_mem(txn),
                     &plain));
out:
    bytes_free(&plain);
    return e;
}

enum err
store_check_record(struct store_txn *txn, enum store_table t, struct view key,
                   struct view sealed)
{
    struct bytes plain = {0};
    enum err e;

    if (store_page_is(t, key)) {
        return check_page(txn, key, sealed);
    }
    if (store_table_is_index(t)) {
        return sealed.len == 0 ? OK : ERR_CORRUPT;
    }
    if (t == STORE_T_MSGS) {
        return check_msg(txn, key, sealed);
    }
    if (t == STORE_T_CONVS) {
        return check_conv(txn, key, sealed);
    }
    if (t == STORE_T_SECRETS) {
        return check_secret(txn, key, sealed);
    }
    TRY(store_unseal(txn->s->keys->table[t], (uint8_t)t, key, sealed,
                     store_txn_mem(txn), &plain));
    TRY(check_typed(store_txn_mem(txn), t, key, view_of(&plain)));
out:
    bytes_free(&plain);
    return e;
}

/* --------------------------------------------------------------------- copy */

struct copy {
    struct store_txn *from;
    struct store *to;
    struct store_env_txn *out;
    uint64_t bytes; /* since the last commit */
    uint64_t done;
    uint64_t total;
    uint64_t copied[STORE_T_COUNT_];
    const struct store_progress *progress;
};

static enum err
commit_some(struct copy *c)
{
    struct store_env_txn *out = c->out;
    enum err e;

    c->out = NULL;
    c->bytes = 0;
    TRY(store_env_commit(out));
    TRY(store_env_begin(c->to->env, true, &c->out));
out:
    return e;
}

static enum err
copy_record(struct copy *c, enum store_table t, struct view key,
            struct view sealed)
{
    uint8_t *to;
    enum err e;

    TRY(store_check_record(c->from, t, key, sealed));
    TRY(store_env_put(c->out, t, key, sealed.len, true, &to));
    if (sealed.len > 0) {
        memcpy(to, sealed.p, sealed.len);
    }
    c->bytes += key.len + sealed.len;
    c->done++;
    c->copied[t]++;
    if (c->done % STEP_RECORDS == 0 && c->progress != NULL &&
        !c->progress->step(c->progress->ctx, c->done, c->total)) {
        e = ERR_STATE;
    }
out:
    return e;
}

static enum err
copy_table(struct copy *c, enum store_table t)
{
    struct store_env_cur *cur = NULL;
    struct view key = {0};
    struct view sealed;
    enum store_env_step step = STORE_ENV_FIRST;
    enum err e;

    TRY(store_env_cur_open(c->from->env, t, &cur));
    while ((e = store_env_cur_move(cur, step, &key, &sealed)) == OK) {
        step = STORE_ENV_NEXT;
        if (is_left_out(t, key)) {
            continue;
        }
        e = copy_record(c, t, key, sealed);
        if (e == ERR_CORRUPT || e == ERR_EXISTS) {
            e = store_damaged(c->from, t, key);
        }
        TRY(e);
        if (c->bytes > LIMIT_STORE_BATCH_BYTES) {
            TRY(commit_some(c));
        }
    }
    TRY(e == ERR_MISSING ? OK : e);
out:
    store_env_cur_close(cur);
    return e;
}

/* about and state, sealed anew: they differ from what is copied. */
static enum err
write_meta(struct copy *c, const struct store_about *about)
{
    struct store_state *st;
    struct store_txn txn;
    enum err e;

    TRY(store_state(c->from, &st));
    store_txn_init(&txn, c->to, c->out, true);
    txn.state = *st;
    txn.state_loaded = true;
    for (enum store_table t = 0; t < STORE_T_COUNT_; t++) {
        if (t != STORE_T_META) {
            txn.state.keys[t] = c->copied[t];
        }
    }
    txn.state.n[STORE_N_SLOT] = 0;
    e = store_about_put(&txn, about);
    e = e == OK ? store_state_save(&txn) : e;
    store_txn_clear(&txn);
    TRY(e);
    e = store_env_commit(c->out);
    c->out = NULL;
    TRY(e);
out:
    return e;
}

enum err
store_copy_tables(struct store_txn *from, struct store *to,
                  const struct store_about *about,
                  const struct store_progress *progress)
{
    struct copy c = {.from = from, .to = to, .progress = progress};
    uint64_t n;
    enum err e;

    for (enum store_table t = 0; t < STORE_T_COUNT_; t++) {
        TRY(store_count(from, t, &n));
        c.total += store_table_is_left_out(t) ? 0 : n;
    }
    TRY(store_env_begin(to->env, true, &c.out));
    for (enum store_table t = 0; t < STORE_T_COUNT_; t++) {
        if (t != STORE_T_META && !store_table_is_left_out(t)) {
            TRY(copy_table(&c, t));
        }
    }
    TRY(write_meta(&c, about));
    if (progress != NULL) {
        (void)progress->step(progress->ctx, c.total, c.total);
    }
out:
    if (c.out != NULL) {
        store_env_abort(c.out);
    }
    return e;
}
