/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two records of the meta table: "about" (what this store is) and "state"
 * (numbers that every commit carries along, written once a commit).
 */
#include "proto/base/assert.h"
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"
#include "store/inner.h"

#include <string.h>

#define ABOUT_KEY VIEW_LIT("about")
#define STATE_KEY VIEW_LIT("state")

static enum err
decode_state(struct view in, struct store_state *out)
{
    struct proto_rd r = proto_rd_open(in);
    uint32_t n;

    proto_rd_array(&r, 5);
    n = proto_rd_list(&r, STORE_N_COUNT_);
    for (uint32_t i = 0; i < n; i++) {
        out->n[i] = proto_rd_u64(&r);
    }
    out->audit_head = proto_rd_hash32(&r);
    out->audit_base = proto_rd_hash32(&r);
    out->audit_base_seq = proto_rd_u64(&r);
    n = proto_rd_list(&r, STORE_T_COUNT_);
    for (uint32_t i = 0; i < n; i++) {
        out->keys[i] = proto_rd_u64(&r);
    }
    return proto_rd_end(&r) == OK ? OK : ERR_CORRUPT;
}

static enum err
encode_state(const struct mem *mem, const struct store_state *st,
             struct bytes *out)
{
    struct proto_wr w = proto_wr_open(mem);

    proto_wr_array(&w, 5);
    proto_wr_array(&w, STORE_N_COUNT_);
    for (size_t i = 0; i < STORE_N_COUNT_; i++) {
        proto_wr_uint(&w, st->n[i]);
    }
    proto_wr_bin(&w, hash32_view(&st->audit_head));
    proto_wr_bin(&w, hash32_view(&st->audit_base));
    proto_wr_uint(&w, st->audit_base_seq);
    proto_wr_array(&w, STORE_T_COUNT_);
    for (size_t i = 0; i < STORE_T_COUNT_; i++) {
        proto_wr_uint(&w, st->keys[i]);
    }
    return proto_wr_take(&w, out);
}

enum err
store_state(struct store_txn *txn, struct store_state **out)
{
    struct bytes b = {0};
    enum err e = OK;

    if (!txn->state_loaded) {
        e = store_get(txn, STORE_T_META, STATE_KEY, &b);
        TRY(e == ERR_MISSING ? OK : e);
        if (b.len > 0) {
            TRY(decode_state(view_of(&b), &txn->state));
        }
        txn->state_loaded = true;
    }
    *out = &txn->state;
out:
    bytes_free(&b);
    return e;
}

enum err
store_next(struct store_txn *txn, enum store_counter n, uint64_t *out)
{
    struct store_state *st;
    enum err e;

    ASSERT(txn->write);
    TRY(store_state(txn, &st));
    st->n[n]++;
    txn->writes++; /* a job that fails from here on has to be undone */
    txn->state_changed = true;
    *out = st->n[n];
out:
    return e;
}

enum err
store_state_save(struct store_txn *txn)
{
    struct store_state *st;
    struct bytes b = {0};
    enum err e;

    TRY(store_state(txn, &st));
    TRY(store_hot_write(txn, STORE_T_COUNT_));
    TRY(store_rows_write(txn));
    for (enum store_table t = 0; t < STORE_T_COUNT_; t++) {
        /* This very record is counted below, when it is new. */
        if ((txn->touched >> t & 1) != 0) {
            TRY(store_count(txn, t, &st->keys[t]));
        }
    }
    if (store_has(txn, STORE_T_META, STATE_KEY) == ERR_MISSING) {
        TRY(store_count(txn, STORE_T_META, &st->keys[STORE_T_META]));
        st->keys[STORE_T_META]++;
    }
    st->n[STORE_N_COMMIT]++;
    TRY(encode_state(txn->s->cfg.mem, st, &b));
    store_redo_bind(txn, st->n[STORE_N_COMMIT]);
    TRY(store_put(txn, STORE_T_META, STATE_KEY, view_of(&b)));
out:
    bytes_free(&b);
    return e;
}

enum err
store_counts(struct store_txn *txn, struct store_counts *out)
{
    struct store_env_info info;
    struct store_state *st;
    enum err e;

    TRY(store_state(txn, &st));
    store_env_info(txn->s->env, txn->env, &info);
    out->messages = st->n[STORE_N_MSG];
    out->free_bytes = info.free_bytes;
out:
    return e;
}

enum err
store_about_get(struct store_txn *txn, struct store_about *out)
{
    struct store_about a = {0};
    struct bytes b = {0};
    struct proto_rd r;
    enum err e;

    TRY(store_get(txn, STORE_T_META, ABOUT_KEY, &b));
    r = proto_rd_open(view_of(&b));
    proto_rd_array(&r, 7);
    a.schema = proto_rd_u32(&r);
    proto_rd_fixed(&r, a.env_id, sizeof(a.env_id));
    a.created_ms = proto_rd_u64(&r);
    a.restored_ms = proto_rd_u64(&r);
    a.restores = proto_rd_u64(&r);
    a.copied_ms = proto_rd_u64(&r);
    a.lacking = proto_rd_u64(&r);
    TRY(proto_rd_end(&r) == OK ? OK : ERR_CORRUPT);
    *out = a;
out:
    bytes_free(&b);
    return e;
}

enum err
store_about_put(struct store_txn *txn, const struct store_about *about)
{
    struct proto_wr w = proto_wr_open(txn->s->cfg.mem);
    struct bytes b = {0};
    enum err e;

    proto_wr_array(&w, 7);
    proto_wr_uint(&w, about->schema);
    proto_wr_bin(&w, VIEW_ARRAY(about->env_id));
    proto_wr_uint(&w, about->created_ms);
    proto_wr_uint(&w, about->restored_ms);
    proto_wr_uint(&w, about->restores);
    proto_wr_uint(&w, about->copied_ms);
    proto_wr_uint(&w, about->lacking);
    TRY(proto_wr_take(&w, &b));
    TRY(store_put(txn, STORE_T_META, ABOUT_KEY, view_of(&b)));
out:
    bytes_free(&b);
    return e;
}
