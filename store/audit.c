/* SPDX-License-Identifier: Apache-2.0 */
#include "store/audit.h"

#include "crypto/prim/hash.h"
#include "proto/base/assert.h"
#include "proto/base/limits.h"
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"
#include "store/inner.h"
#include "store/records.h"

#include <string.h>

enum {
    SIG = 64,
    HEAD_MSG = 96,
    ID_MAX = 32
};

enum err
store_audit_decode(struct view in, struct store_audit *out)
{
    struct proto_rd r = proto_rd_open(in);

    proto_rd_array(&r, 7);
    out->at_ms = proto_rd_u64(&r);
    out->action = proto_rd_u16(&r);
    out->actor = store_rd_actor(&r);
    out->object = proto_rd_bin(&r, ID_MAX);
    out->object2 = proto_rd_bin(&r, ID_MAX);
    out->n = proto_rd_u64(&r);
    out->detail = proto_rd_bin(&r, LIMIT_AUDIT_DETAIL);
    return store_rd_done(&r);
}

enum err
store_audit_encode(const struct mem *mem, const struct store_audit *row,
                   struct bytes *out)
{
    struct proto_wr w = proto_wr_open(mem);

    proto_wr_array(&w, 7);
    proto_wr_uint(&w, row->at_ms);
    proto_wr_uint(&w, row->action);
    store_wr_actor(&w, &row->actor);
    proto_wr_bin(&w, row->object);
    proto_wr_bin(&w, row->object2);
    proto_wr_uint(&w, row->n);
    proto_wr_bin(&w, row->detail);
    return proto_wr_take(&w, out);
}

static void
chain(const struct hash32 *before, uint64_t seq, struct view row,
      struct hash32 *out)
{
    uint8_t number[8];
    struct view parts[4] = {VIEW_LIT("balsam v1 audit row"),
                            hash32_view(before), VIEW_ARRAY(number), row};

    store_put_u64(number, seq);
    prim_sha256_parts(parts, 4, out->b);
}

enum err
store_audit_append(struct store_txn *txn, const struct store_audit *row)
{
    struct store_audit full = *row;
    struct store_state *st;
    struct bytes b = {0};
    struct hash32 next;
    enum err e;

    TRY(row->object.len <= ID_MAX && row->object2.len <= ID_MAX &&
                row->detail.len <= LIMIT_AUDIT_DETAIL
            ? OK
            : ERR_LIMIT);
    if (full.at_ms == 0) {
        full.at_ms = store_rows_now(txn);
    }
    TRY(store_audit_encode(store_txn_mem(txn), &full, &b));
    TRY(store_next(txn, STORE_N_AUDIT, &full.seq));
    TRY(store_rows_add(txn, STORE_T_AUDIT, full.seq, view_of(&b)));
    TRY(store_state(txn, &st));
    chain(&st->audit_head, full.seq, view_of(&b), &next);
    st->audit_head = next;
out:
    bytes_free(&b);
    return e;
}

enum err
store_audit_head(struct store_txn *txn, uint64_t *seq, struct hash32 *hash)
{
    struct store_state *st;
    enum err e;

    TRY(store_state(txn, &st));
    *seq = st->n[STORE_N_AUDIT];
    *hash = st->audit_head;
out:
    return e;
}

struct reading {
    enum err (*each)(void *ctx, const struct store_audit *row);
    void *ctx;
};

static enum err
read_row(void *ctx, uint64_t seq, struct view in)
{
    const struct reading *r = ctx;
    struct store_audit row = {0};
    enum err e;

    TRY(store_audit_decode(in, &row));
    row.seq = seq;
    TRY(r->each(r->ctx, &row));
out:
    return e;
}

enum err
store_audit_read(struct store_txn *txn, uint64_t after, uint32_t max,
                 enum err (*each)(void *ctx, const struct store_audit *row),
                 void *ctx)
{
    struct reading r = {each, ctx};

    return store_rows_walk(txn, STORE_T_AUDIT, after, max, read_row, &r);
}

/* ------------------------------------------------------------- signed heads */

struct head {
    uint64_t seq;
    uint64_t at_ms;
    struct hash32 hash;
    uint8_t env_id[16];
    uint8_t sig[SIG];
};

static enum err
decode_head(struct view in, struct head *out)
{
    struct proto_rd r = proto_rd_open(in);

    proto_rd_array(&r, 4);
    out->at_ms = proto_rd_u64(&r);
    out->hash = proto_rd_hash32(&r);
    proto_rd_fixed(&r, out->env_id, sizeof(out->env_id));
    proto_rd_fixed(&r, out->sig, sizeof(out->sig));
    return store_rd_done(&r);
}

static struct view
head_message(const struct head *h, uint8_t out[HEAD_MSG])
{
    static const char label[] = "balsam v1 audit head";
    size_t n = sizeof(label) - 1;

    memcpy(out, label, n);
    memcpy(out + n, h->env_id, sizeof(h->env_id));
    n += sizeof(h->env_id);
    store_put_u64(out + n, h->seq);
    store_put_u64(out + n + 8, h->at_ms);
    memcpy(out + n + 16, h->hash.b, sizeof(h->hash.b));
    return view_make(out, n + 16 + sizeof(h->hash.b));
}

enum err
store_audit_sign(struct store_txn *txn,
                 enum err (*sign)(void *ctx, struct view msg, uint8_t sig[64]),
                 void *ctx)
{
    struct proto_wr w = proto_wr_open(store_txn_mem(txn));
    struct head h = {0};
    struct bytes b = {0};
    uint8_t msg[HEAD_MSG];
    uint8_t key[8];
    enum err e;

    TRY(store_audit_head(txn, &h.seq, &h.hash));
    store_put_u64(key, h.seq);
    if (h.seq == 0 ||
        store_has(txn, STORE_T_AUDIT_HEADS, VIEW_ARRAY(key)) == OK) {
        goto out;
    }
    h.at_ms = store_now_ms(txn->s);
    memcpy(h.env_id, txn->s->about.env_id, sizeof(h.env_id));
    TRY(sign(ctx, head_message(&h, msg), h.sig));
    proto_wr_array(&w, 4);
    proto_wr_uint(&w, h.at_ms);
    proto_wr_bin(&w, hash32_view(&h.hash));
    proto_wr_bin(&w, VIEW_ARRAY(h.env_id));
    proto_wr_bin(&w, VIEW_ARRAY(h.sig));
    TRY(proto_wr_take(&w, &b));
    TRY(store_put(txn, STORE_T_AUDIT_HEADS, VIEW_ARRAY(key), view_of(&b)));
out:
    proto_wr_clear(&w);
    bytes_free(&b);
    return e;
}

/* -------------------------------------------------------------------- verify
 */

struct check {
    struct store_txn *txn;
    uint64_t rows;
    bool in_row; /* being looked at */
    enum err (*verify)(void *ctx, struct view msg, const uint8_t sig[64]);
    void *ctx;
    struct hash32 hash;
    uint64_t seq;
};

/* The signed head at this row, if there is one, says the same. */
static enum err
check_head(struct store_txn *txn, const struct check *c)
{
    struct head h = {.seq = c->seq};
    struct bytes b = {0};
    uint8_t msg[HEAD_MSG];
    uint8_t key[8];
    enum err e;

    store_put_u64(key, c->seq);
    e = store_get(txn, STORE_T_AUDIT_HEADS, VIEW_ARRAY(key), &b);
    if (e == ERR_MISSING) {
        return OK;
    }
    TRY(e);
    TRY(decode_head(view_of(&b), &h));
    TRY(hash32_equal(&h.hash, &c->hash) ? OK : ERR_CORRUPT);
    if (c->verify != NULL) {
        TRY(c->verify(c->ctx, head_message(&h, msg), h.sig) == OK
                ? OK
                : ERR_CORRUPT);
    }
out:
    bytes_free(&b);
    return e;
}

static enum err
check_row(void *ctx, uint64_t seq, struct view row)
{
    struct check *c = ctx;
    struct hash32 next;
    enum err e;

    c->seq++;
    c->in_row = true;
    TRY(seq == c->seq ? OK : ERR_CORRUPT);
    chain(&c->hash, c->seq, row, &next);
    c->hash = next;
    c->rows++;
    TRY(check_head(c->txn, c));
    c->in_row = false;
out:
    return e;
}

enum err
store_audit_verify(struct store_txn *txn,
                   enum err (*verify)(void *ctx, struct view msg,
                                      const uint8_t sig[64]),
                   void *ctx, uint64_t *rows, uint64_t *bad_seq)
{
    struct check c = {.txn = txn, .verify = verify, .ctx = ctx};
    struct store_state *st;
    enum err e;

    *bad_seq = 0;
    *rows = 0;
    TRY(store_state(txn, &st));
    c.hash = st->audit_base;
    c.seq = st->audit_base_seq;
    e = store_rows_walk(txn, STORE_T_AUDIT, c.seq, UINT32_MAX, check_row, &c);
    if (e == ERR_CORRUPT && !c.in_row) {
        c.seq++; /* the row that did not open */
    }
    TRY(e);
    TRY(c.seq == st->n[STORE_N_AUDIT] && hash32_equal(&c.hash, &st->audit_head)
            ? OK
            : ERR_CORRUPT);
    *rows = c.rows;
out:
    if (e == ERR_CORRUPT) {
        *bad_seq = c.seq;
    }
    return e;
}

struct pruning {
    struct store_state *st;
    uint64_t before_ms;
};

static enum err
may_prune(void *ctx, uint64_t seq, struct view in, bool *stay)
{
    const struct pruning *p = ctx;
    struct store_audit row;
    enum err e;

    TRY(seq > p->st->audit_base_seq ? OK : ERR_CORRUPT);
    TRY(store_audit_decode(in, &row));
    *stay = row.at_ms >= p->before_ms;
out:
    return e;
}

static void
pruned(void *ctx, uint64_t seq, struct view row)
{
    struct store_state *st = ((struct pruning *)ctx)->st;
    struct hash32 next;

    chain(&st->audit_base, seq, row, &next);
    st->audit_base = next;
    st->audit_base_seq = seq;
}

enum err
store_audit_prune(struct store_txn *txn, uint64_t before_ms, uint32_t max,
                  uint32_t *removed)
{
    struct pruning p = {.before_ms = before_ms};
    struct store_rows_prune rows = {may_prune, pruned, &p};
    enum err e;

    TRY(store_state(txn, &p.st));
    txn->state_changed = true;
    TRY(store_rows_drop(txn, STORE_T_AUDIT, &rows, max, removed));
out:
    return e;
}
