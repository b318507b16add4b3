/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rows.h"

#include "proto/base/assert.h"
#include "proto/wire/mp_wr.h"
#include "store/inner.h"

#include <string.h>

enum {
    ROW_MAX = 1 << 16,
    LIKE_STEP = STORE_ROWS_LIKE + 1,
    LIKE_WORTH = 8,     /* bytes in common */
    LIKE_COSTS = 3 + 2, /* at most, beside the rest */
    HEAD = 8
};

static struct store_rows *
rows_of(struct store_txn *txn, enum store_table t)
{
    ASSERT(t == STORE_T_JOURNAL || t == STORE_T_AUDIT);
    return &txn->rows[t == STORE_T_AUDIT];
}

uint64_t
store_rows_now(struct store_txn *txn)
{
    if (txn->now_ms == 0) {
        txn->now_ms = store_now_ms(txn->s);
    }
    return txn->now_ms;
}

/* Row i, which is one of the last. */
static struct view
row_at(const struct store_rows *rows, uint32_t i)
{
    struct view rest =
        view_skip(view_of(&rows->list), rows->last[i % STORE_ROWS_BACK]);

    return view_sub(rest, HEAD, store_get_u32(rest.p + 4));
}

static size_t
in_common(struct view a, struct view b)
{
    size_t max = a.len < b.len ? a.len : b.len;
    size_t n = 0;

    while (max - n >= 16 && memcmp(a.p + n, b.p + n, 16) == 0) {
        n += 16;
    }
    while (n < max && a.p[n] == b.p[n]) {
        n++;
    }
    return n < STORE_ROWS_LIKE ? n : STORE_ROWS_LIKE;
}

/* What to write of row instead of its beginning; 0: nothing. */
static uint32_t
find_like(const struct store_rows *rows, struct view row, size_t *same_out)
{
    uint32_t like = 0;

    *same_out = 0;
    for (uint32_t back = 1; back <= STORE_ROWS_BACK && back <= rows->n &&
                            row.len <= STORE_ROWS_LIKE;
         back++) {
        size_t same = in_common(row_at(rows, rows->n - back), row);

        if (same > *same_out && same >= LIKE_WORTH) {
            *same_out = same;
            like = (back - 1) * LIKE_STEP + (uint32_t)same;
        }
    }
    return like;
}

static enum err
write_rows(struct store_txn *txn, enum store_table t)
{
    enum err e;
    struct store_rows *rows = rows_of(txn, t);
    struct proto_wr w = proto_wr_open(store_txn_mem(txn));
    struct view rest = view_of(&rows->list);
    struct bytes value = {0};
    uint8_t key[8];

    if (rows->n == 0) {
        return OK;
    }
    proto_wr_array(&w, (size_t)2 * rows->n);
    while (rest.len > 0) {
        uint32_t like = store_get_u32(rest.p);
        size_t same = like % LIKE_STEP;
        size_t len = store_get_u32(rest.p + 4);

        proto_wr_uint(&w, like);
        proto_wr_bin(&w, view_sub(rest, HEAD + same, len - same));
        rest = view_skip(rest, HEAD + len);
    }
    TRY(proto_wr_take(&w, &value));
    store_put_u64(key, rows->first);
    TRY(store_put(txn, t, VIEW_ARRAY(key), view_of(&value)));
    rows->n = 0;
    rows->packed = 0;
    bytes_free(&rows->list);
out:
    proto_wr_clear(&w);
    bytes_free(&value);
    return e;
}

enum err
store_rows_write(struct store_txn *txn)
{
    enum err e;

    TRY(write_rows(txn, STORE_T_JOURNAL));
    TRY(write_rows(txn, STORE_T_AUDIT));
out:
    return e;
}

enum err
store_rows_add(struct store_txn *txn, enum store_table t, uint64_t seq,
               struct view row)
{
    enum err e = OK;
    struct store_rows *rows = rows_of(txn, t);
    const struct mem *mem = store_txn_mem(txn);
    uint8_t head[HEAD];
    uint32_t like;
    size_t same;

    ASSERT(txn->write && row.len <= ROW_MAX);
    like = find_like(rows, row, &same);
    if (rows->n == STORE_ROWS_MAX ||
        rows->packed + row.len - same > STORE_ROWS_BYTES) {
        TRY(write_rows(txn, t));
        like = 0;
        same = 0;
    }
    ASSERT(rows->n == 0 || rows->first + rows->n == seq);
    store_put_u32(head, like);
    store_put_u32(head + 4, (uint32_t)row.len);
    TRY(bytes_reserve(mem, &rows->list, rows->list.len + HEAD + row.len));
    rows->last[rows->n % STORE_ROWS_BACK] = rows->list.len;
    TRY(bytes_append(mem, &rows->list, VIEW_ARRAY(head)));
    TRY(bytes_append(mem, &rows->list, row));
    rows->packed += row.len - same + (like == 0 ? 0 : LIKE_COSTS);
    rows->first = rows->n == 0 ? seq : rows->first;
    rows->n++;
    txn->writes++; /* a job that fails from here on has to be undone */
out:
    if (e != OK && txn->failed == OK) {
        txn->failed = e;
    }
    return e;
}

/* ------------------------------------------------------------------ reading */

void
store_rows_open(struct view key, struct view value, struct store_rows_rd *out)
{
    out->r = proto_rd_open(value);
    out->left = proto_rd_list(&out->r, 2 * STORE_ROWS_MAX);
    out->seq = key.len == 8 ? store_get_u64(key.p) : 0;
    out->n = 0;
    if (key.len != 8 ||
        (out->r.e == OK && (out->left == 0 || out->left % 2 != 0))) {
        proto_rd_fail(&out->r, ERR_FORMAT);
    }
    out->left /= 2;
}

/* Put the row together that rd->like and rd->rest tell of. */
static struct view
put_together(struct store_rows_rd *rd)
{
    uint32_t at = rd->n % STORE_ROWS_BACK;
    uint64_t back = rd->like / LIKE_STEP + 1;
    size_t same = rd->like % LIKE_STEP;
    size_t len = same + rd->rest.len;
    size_t of;

    if (rd->like == 0) {
        len = len < STORE_ROWS_LIKE ? len : STORE_ROWS_LIKE;
        rd->len[at] = (uint8_t)len;
        if (len > 0) {
            memcpy(rd->head[at], rd->rest.p, len);
        }
        return rd->rest;
    }
    of = (size_t)(rd->n - back) % STORE_ROWS_BACK;
    if (back > rd->n || same == 0 || same > rd->len[of] ||
        len > STORE_ROWS_LIKE) {
        proto_rd_fail(&rd->r, ERR_FORMAT);
        return (struct view){0};
    }
    memmove(rd->head[at], rd->head[of], same);
    if (rd->rest.len > 0) {
        memcpy(rd->head[at] + same, rd->rest.p, rd->rest.len);
    }
    rd->len[at] = (uint8_t)len;
    return view_make(rd->head[at], len);
}

bool
store_rows_next(struct store_rows_rd *rd, struct view *row, uint64_t *seq_out)
{
    if (rd->left == 0 || rd->r.e != OK) {
        return false;
    }
    rd->like = proto_rd_uint(&rd->r, (uint64_t)STORE_ROWS_BACK * LIKE_STEP - 1);
    rd->rest = proto_rd_bin(&rd->r, ROW_MAX);
    if (rd->r.e != OK) {
        return false;
    }
    *row = put_together(rd);
    *seq_out = rd->seq;
    rd->left--;
    rd->seq++;
    rd->n++;
    return rd->r.e == OK;
}

enum err
store_rows_end(const struct store_rows_rd *rd)
{
    return proto_rd_end(&rd->r) == OK ? OK : ERR_CORRUPT;
}

/* The number of the record that row seq is in, or would be. */
static enum err
record_of(struct store_txn *txn, enum store_table t, uint64_t seq,
          uint64_t *first_out)
{
    enum err e;
    enum err end;
    struct store_scan sc;
    uint8_t key[8];

    *first_out = 0;
    store_put_u64(key, seq == UINT64_MAX ? seq : seq + 1);
    TRY(store_scan_begin(txn, t, (struct view){0}, STORE_DOWN, &sc));
    store_scan_keys(&sc);
    store_scan_after(&sc, VIEW_ARRAY(key));
    if (store_scan_next(&sc)) {
        *first_out = sc.key.len == 8 ? store_get_u64(sc.key.p) : 0;
    }
    end = store_scan_end(&sc);
    TRY(end);
out:
    return e;
}

enum err
store_rows_walk(struct store_txn *txn, enum store_table t, uint64_t after,
                uint32_t max,
                enum err (*each)(void *ctx, uint64_t seq, struct view row),
                void *ctx)
{
    enum err e;
    enum err end;
    struct store_scan sc;
    uint64_t first;
    uint8_t key[8];
    uint32_t n = 0;

    if (after == UINT64_MAX) {
        return OK;
    }
    TRY(txn->write ? store_rows_write(txn) : OK);
    TRY(record_of(txn, t, after + 1, &first));
    TRY(store_scan_begin(txn, t, (struct view){0}, STORE_UP, &sc));
    if (first > 0) {
        store_put_u64(key, first - 1);
        store_scan_after(&sc, VIEW_ARRAY(key));
    }
    while (e == OK && n < max && store_scan_next(&sc)) {
        struct store_rows_rd rd;
        struct view row;
        uint64_t seq;

        store_rows_open(sc.key, sc.value, &rd);
        while (e == OK && n < max && store_rows_next(&rd, &row, &seq)) {
            if (seq > after) {
                e = each(ctx, seq, row);
                n++;
            }
        }
        e = e == OK && rd.r.e != OK ? ERR_CORRUPT : e;
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
out:
    return e;
}

/* ------------------------------------------------------------------ pruning */

/* Whether all rows of a record may go; if so each is told of. */
static enum err
may_go(const struct store_rows_prune *p, const struct store_scan *sc,
       bool *stay, uint32_t *n)
{
    enum err e;
    struct store_rows_rd rd;
    struct view row;
    uint64_t seq;

    *stay = false;
    store_rows_open(sc->key, sc->value, &rd);
    while (!*stay && store_rows_next(&rd, &row, &seq)) {
        TRY(p->may(p->ctx, seq, row, stay));
    }
    if (*stay) {
        e = OK;
        goto out;
    }
    TRY(store_rows_end(&rd));
    store_rows_open(sc->key, sc->value, &rd);
    while (store_rows_next(&rd, &row, &seq)) {
        ++*n;
        if (p->gone != NULL) {
            p->gone(p->ctx, seq, row);
        }
    }
out:
    return e;
}

enum err
store_rows_drop(struct store_txn *txn, enum store_table t,
                const struct store_rows_prune *p, uint32_t max,
                uint32_t *removed)
{
    enum err e;
    enum err end;
    struct store_scan sc;
    uint32_t n = 0;
    bool stay = false;

    ASSERT(txn->write);
    TRY(store_rows_write(txn));
    TRY(store_scan_begin(txn, t, (struct view){0}, STORE_UP, &sc));
    while (e == OK && n < max && store_scan_next(&sc)) {
        e = may_go(p, &sc, &stay, &n);
        if (e != OK || stay) {
            break;
        }
        e = store_scan_del(&sc);
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
    *removed = n;
out:
    return e;
}
