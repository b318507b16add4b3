/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that lie together are read one by one, from anywhere. */
#include "store/rows.h"

#include "tests/store/fix.h"

#include "store/journal.h"
#include "store/seal.h"

enum {
    MANY = 500
};

struct op {
    uint64_t first;
    uint64_t n;
    uint64_t before_ms;
    uint32_t max;
    uint32_t removed;
};

static enum err
append_run(void *ctx, struct store_txn *txn)
{
    const struct op *op = ctx;
    enum err e = OK;

    for (uint64_t i = 0; e == OK && i < op->n; i++) {
        struct store_event ev = {.kind = 7, .at_ms = op->first + i};

        ev.n = op->first + i;
        ev.a = VIEW_LIT("sixteen bytes id");
        e = store_journal_append(txn, &ev, NULL);
    }
    return e;
}

static enum err
prune_run(void *ctx, struct store_txn *txn)
{
    struct op *op = ctx;

    return store_journal_prune(txn, op->before_ms, op->max, &op->removed);
}

struct seen {
    uint64_t next;
    uint64_t n;
};

static enum err
see(void *ctx, const struct store_event *ev)
{
    struct seen *s = ctx;

    CHECK_EQ(ev->seq, s->next);
    CHECK_EQ(ev->n, s->next);
    s->next++;
    s->n++;
    return OK;
}

static uint64_t
rows_after(struct fix *f, uint64_t after, uint32_t max)
{
    struct store_txn *txn;
    struct seen s = {after + 1, 0};

    CHECK_OK(store_read_begin(f->s, &txn));
    CHECK_OK(store_journal_read(txn, after, max, see, &s));
    store_read_end(txn);
    return s.n;
}

static uint64_t
records(struct fix *f)
{
    struct store_txn *txn;
    uint64_t n = 0;

    CHECK_OK(store_read_begin(f->s, &txn));
    CHECK_OK(store_count(txn, STORE_T_JOURNAL, &n));
    store_read_end(txn);
    return n;
}

TEST(read_from_anywhere)
{
    struct fix f;
    struct op op = {.first = 1, .n = MANY};

    fix_begin(&f);
    FIX_WRITE(&f, append_run, &op);
    op = (struct op){.first = MANY + 1, .n = 1};
    FIX_WRITE(&f, append_run, &op);
    fix_reopen(&f);
    CHECK(records(&f) < MANY / 8);
    for (uint64_t after = 0; after <= MANY; after++) {
        CHECK_EQ(rows_after(&f, after, UINT32_MAX), MANY + 1 - after);
        CHECK_EQ(rows_after(&f, after, 1), 1);
    }
    CHECK_EQ(rows_after(&f, MANY + 1, 5), 0);
    CHECK_EQ(rows_after(&f, UINT64_MAX, 5), 0);
    CHECK_EQ(rows_after(&f, UINT64_MAX - 1, 5), 0);
    fix_end(&f);
}

/* Whole records only, so some stay that might go. */
TEST(old_ones_go)
{
    struct fix f;
    struct op op = {.first = 1, .n = MANY, .before_ms = 300, .max = MANY};
    uint64_t gone;

    fix_begin(&f);
    FIX_WRITE(&f, append_run, &op);
    FIX_WRITE(&f, prune_run, &op);
    gone = op.removed;
    CHECK(gone < 300 && gone > 300 - STORE_ROWS_MAX);
    CHECK_EQ(rows_after(&f, gone, UINT32_MAX), MANY - gone);
    op.before_ms = UINT64_MAX;
    op.max = 1;
    FIX_WRITE(&f, prune_run, &op);
    CHECK(op.removed >= 1 && op.removed <= STORE_ROWS_MAX);
    op.max = MANY;
    FIX_WRITE(&f, prune_run, &op);
    CHECK_EQ(records(&f), 0);
    op = (struct op){.first = MANY + 1, .n = 3};
    FIX_WRITE(&f, append_run, &op);
    CHECK_EQ(rows_after(&f, MANY, UINT32_MAX), 3);
    fix_end(&f);
}

/* Of ids and text of any length, much alike or not. */
static size_t
odd_row(uint32_t i, uint8_t row[200])
{
    size_t len = i % 7 == 0 ? 150 + i % 50 : 1 + i * i % 120;

    for (size_t k = 0; k < len; k++) {
        row[k] = (uint8_t)(k < 90 ? k * (i % 3) : i + k);
    }
    return len;
}

static enum err
odd_run(void *ctx, struct store_txn *txn)
{
    uint32_t n = *(const uint32_t *)ctx;
    uint8_t row[200];
    enum err e = OK;

    for (uint32_t i = 0; e == OK && i < n; i++) {
        e = store_rows_add(txn, STORE_T_JOURNAL, i + 1,
                           view_make(row, odd_row(i, row)));
    }
    return e;
}

static enum err
see_odd(void *ctx, uint64_t seq, struct view row)
{
    uint8_t want[200];
    size_t len = odd_row((uint32_t)seq - 1, want);

    ++*(uint32_t *)ctx;
    CHECK_VIEW(row, view_make(want, len));
    return OK;
}

TEST(rows_of_all_kinds)
{
    struct fix f;
    struct store_txn *txn;
    uint32_t n = MANY;
    uint32_t seen = 0;

    fix_begin(&f);
    FIX_WRITE(&f, odd_run, &n);
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_rows_walk(txn, STORE_T_JOURNAL, 0, n, see_odd, &seen));
    CHECK_EQ(seen, n);
    store_read_end(txn);
    fix_end(&f);
}

/* What a flood of messages appends: two rows each, of eight conversations. */
static enum err
flood_run(void *ctx, struct store_txn *txn)
{
    enum err e = OK;

    (void)ctx;
    for (uint64_t i = 0; e == OK && i < MANY; i++) {
        uint8_t conv[16] = {(uint8_t)(i % 8), (uint8_t)(i % 8 * 77)};
        struct store_event ev = {.kind = 1, .a = VIEW_ARRAY(conv), .n = i + 1};

        e = store_journal_append(txn, &ev, NULL);
        ev.kind = 2;
        e = e == OK ? store_journal_append(txn, &ev, NULL) : e;
    }
    return e;
}

TEST(rows_that_are_alike_cost_little)
{
    struct fix f;
    struct store_txn *txn;
    struct store_scan sc;
    size_t bytes = 0;

    fix_begin(&f);
    FIX_WRITE(&f, flood_run, NULL);
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_scan_begin(txn, STORE_T_JOURNAL, (struct view){0}, STORE_UP,
                              &sc));
    while (store_scan_next(&sc)) {
        bytes += sc.value.len + STORE_SEAL_EXTRA + 16;
    }
    CHECK_OK(store_scan_end(&sc));
    store_read_end(txn);
    CHECK(bytes / MANY < 2 * 15); /* 2 * 41 otherwise */
    fix_end(&f);
}

/* What no writer makes. */
TEST(records_that_are_none)
{
    static const uint8_t key[8] = {0, 0, 0, 0, 0, 0, 0, 1};
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
        {"", 0},
        {"\x90", 1},
        {"\x92", 1},
        {"\x91\xc4\x01x", 4},                     /* no likeness */
        {"\x92\x00\xc4\x02x", 5},                 /* short */
        {"\x92\x00\x01", 3},                      /* no bytes */
        {"\x92\x00\xc4\x01xy", 6},                /* more than that */
        {"\x92\x01\xc4\x01x", 5},                 /* like none before */
        {"\x94\x00\xc4\x01x\x02\xc4\x00", 8},     /* more than that one has */
        {"\x94\x00\xc4\x01x\xcc\x80\xc4\x00", 9}, /* like two before */
        {"\x94\x00\xc4\x01x\xcd\x08\x00\xc4\x00", 10}, /* too far back */
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct store_rows_rd rd;
        struct view row;
        uint64_t seq;

        store_rows_open(VIEW_ARRAY(key), view_make(bad[i].bytes, bad[i].len),
                        &rd);
        while (store_rows_next(&rd, &row, &seq)) {
            CHECK(row.len <= 1);
        }
        CHECK_ERR(store_rows_end(&rd), ERR_CORRUPT);
    }
}

int
main(void)
{
    return RUN(T(read_from_anywhere), T(old_ones_go), T(rows_of_all_kinds),
               T(rows_that_are_alike_cost_little), T(records_that_are_none));
}
