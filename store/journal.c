/* SPDX-License-Identifier: Apache-2.0 */
#include "store/journal.h"

#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"
#include "store/inner.h"
#include "store/records.h"

enum err
store_event_decode(struct view in, struct store_event *out)
{
    struct proto_rd r = proto_rd_open(in);

    proto_rd_array(&r, 5);
    out->at_ms = proto_rd_u64(&r);
    out->kind = proto_rd_u16(&r);
    out->a = proto_rd_bin(&r, STORE_EVENT_ID_MAX);
    out->b = proto_rd_bin(&r, STORE_EVENT_ID_MAX);
    out->n = proto_rd_u64(&r);
    return proto_rd_end(&r) == OK ? OK : ERR_CORRUPT;
}

enum err
store_event_encode(const struct mem *mem, const struct store_event *ev,
                   struct bytes *out)
{
    struct proto_wr w = proto_wr_open(mem);

    proto_wr_array(&w, 5);
    proto_wr_uint(&w, ev->at_ms);
    proto_wr_uint(&w, ev->kind);
    proto_wr_bin(&w, ev->a);
    proto_wr_bin(&w, ev->b);
    proto_wr_uint(&w, ev->n);
    return proto_wr_take(&w, out);
}

enum err
store_journal_append(struct store_txn *txn, const struct store_event *ev,
                     uint64_t *seq_out)
{
    struct store_event row = *ev;
    struct bytes b = {0};
    enum err e;

    TRY(ev->a.len <= STORE_EVENT_ID_MAX && ev->b.len <= STORE_EVENT_ID_MAX
            ? OK
            : ERR_LIMIT);
    if (row.at_ms == 0) {
        row.at_ms = store_rows_now(txn);
    }
    TRY(store_event_encode(store_txn_mem(txn), &row, &b));
    TRY(store_next(txn, STORE_N_JOURNAL, &row.seq));
    TRY(store_rows_add(txn, STORE_T_JOURNAL, row.seq, view_of(&b)));
    txn->journal = true;
    if (seq_out != NULL) {
        *seq_out = row.seq;
    }
out:
    bytes_free(&b);
    return e;
}

enum err
store_journal_last(struct store_txn *txn, uint64_t *out)
{
    struct store_state *st;
    enum err e;

    TRY(store_state(txn, &st));
    *out = st->n[STORE_N_JOURNAL];
out:
    return e;
}

struct reading {
    enum err (*each)(void *ctx, const struct store_event *ev);
    void *ctx;
};

static enum err
read_row(void *ctx, uint64_t seq, struct view row)
{
    const struct reading *r = ctx;
    struct store_event ev = {0};
    enum err e;

    TRY(store_event_decode(row, &ev));
    ev.seq = seq;
    TRY(r->each(r->ctx, &ev));
out:
    return e;
}

enum err
store_journal_read(struct store_txn *txn, uint64_t after, uint32_t max,
                   enum err (*each)(void *ctx, const struct store_event *ev),
                   void *ctx)
{
    struct reading r = {each, ctx};

    return store_rows_walk(txn, STORE_T_JOURNAL, after, max, read_row, &r);
}

/* ------------------------------------------------------------------ cursors */

enum err
store_cursor_get(struct store_txn *txn, const char *name, uint64_t *out)
{
    struct bytes b = {0};
    enum err e;

    e = store_get(txn, STORE_T_CURSORS, view_str(name), &b);
    if (e == ERR_MISSING) {
        *out = 0;
        return OK;
    }
    TRY(e);
    TRY(b.len == 8 ? OK : ERR_CORRUPT);
    *out = store_get_u64(b.p);
out:
    bytes_free(&b);
    return e;
}

enum err
store_cursor_put(struct store_txn *txn, const char *name, uint64_t seq)
{
    uint8_t value[8];

    store_put_u64(value, seq);
    return store_put(txn, STORE_T_CURSORS, view_str(name), VIEW_ARRAY(value));
}

enum err
store_cursor_del(struct store_txn *txn, const char *name)
{
    return store_del(txn, STORE_T_CURSORS, view_str(name));
}

/* The seq that every consumer has dealt with. */
static enum err
lowest_cursor(struct store_txn *txn, uint64_t *out)
{
    struct store_scan sc;
    uint64_t low = UINT64_MAX;
    enum err e;
    enum err end;

    TRY(store_scan_begin(txn, STORE_T_CURSORS, (struct view){0}, STORE_UP,
                         &sc));
    while (e == OK && store_scan_next(&sc)) {
        uint64_t seq = 0;

        e = sc.value.len == 8 ? OK : ERR_CORRUPT;
        if (e == OK) {
            seq = store_get_u64(sc.value.p);
            low = seq < low ? seq : low;
        }
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
    *out = low;
out:
    return e;
}

struct pruning {
    uint64_t low;
    uint64_t before_ms;
};

static enum err
may_prune(void *ctx, uint64_t seq, struct view row, bool *stay)
{
    const struct pruning *p = ctx;
    struct store_event ev;
    enum err e;

    TRY(store_event_decode(row, &ev));
    *stay = seq > p->low || ev.at_ms >= p->before_ms;
out:
    return e;
}

enum err
store_journal_prune(struct store_txn *txn, uint64_t before_ms, uint32_t max,
                    uint32_t *removed)
{
    struct pruning p = {0, before_ms};
    struct store_rows_prune rows = {may_prune, NULL, &p};
    enum err e;

    TRY(lowest_cursor(txn, &p.low));
    TRY(store_rows_drop(txn, STORE_T_JOURNAL, &rows, max, removed));
out:
    return e;
}
