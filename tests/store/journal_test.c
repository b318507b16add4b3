/* SPDX-License-Identifier: Apache-2.0 */
#include "store/journal.h"

#include "tests/store/fix.h"

struct op {
    struct store_event ev;
    const char *cursor;
    uint64_t seq;
    uint64_t before_ms;
    uint32_t max;
    uint32_t removed;
};

static enum err
append_run(void *ctx, struct store_txn *txn)
{
    struct op *op = ctx;

    return store_journal_append(txn, &op->ev, &op->seq);
}

static enum err
cursor_run(void *ctx, struct store_txn *txn)
{
    struct op *op = ctx;

    return store_cursor_put(txn, op->cursor, op->seq);
}

static enum err
cursor_del_run(void *ctx, struct store_txn *txn)
{
    return store_cursor_del(txn, ((struct op *)ctx)->cursor);
}

static enum err
prune_run(void *ctx, struct store_txn *txn)
{
    struct op *op = ctx;

    return store_journal_prune(txn, op->before_ms, op->max, &op->removed);
}

struct seen {
    uint64_t first;
    uint64_t last;
    unsigned n;
};

static enum err
see(void *ctx, const struct store_event *ev)
{
    struct seen *s = ctx;

    CHECK_EQ(ev->kind, 300);
    CHECK_VIEW(ev->a, VIEW_LIT("id"));
    CHECK_EQ(ev->b.len, 0);
    CHECK_EQ(ev->n, ev->seq * 2);
    s->first = s->n++ == 0 ? ev->seq : s->first;
    s->last = ev->seq;
    return OK;
}

static struct seen
read_after(struct fix *f, uint64_t after, uint32_t max)
{
    struct store_txn *txn;
    struct seen s = {0, 0, 0};

    CHECK_OK(store_read_begin(f->s, &txn));
    CHECK_OK(store_journal_read(txn, after, max, see, &s));
    store_read_end(txn);
    return s;
}

TEST(rows_are_read_from_a_cursor_on)
{
    struct fix f;
    struct op op = {.ev = {.kind = 300, .a = VIEW_LIT("id")}};
    struct store_txn *txn;
    struct seen s;
    uint64_t n = 1;

    fix_begin(&f);
    for (unsigned i = 1; i <= 20; i++) {
        op.ev.n = i * 2;
        FIX_WRITE(&f, append_run, &op);
        CHECK_EQ(op.seq, i);
    }
    fix_reopen(&f);
    s = read_after(&f, 0, 100);
    CHECK_EQ(s.n, 20);
    s = read_after(&f, 15, 3);
    CHECK_EQ(s.first, 16);
    CHECK_EQ(s.last, 18);
    CHECK_EQ(read_after(&f, 20, 3).n, 0);
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_journal_last(txn, &n));
    CHECK_EQ(n, 20);
    CHECK_OK(store_cursor_get(txn, "search", &n));
    CHECK_EQ(n, 0);
    store_read_end(txn);
    fix_end(&f);
}

TEST(pruning_waits_for_the_slowest_consumer)
{
    struct fix f;
    struct op op = {.ev = {.kind = 300, .a = VIEW_LIT("id")}, .max = 100};

    fix_begin(&f);
    for (unsigned i = 1; i <= 20; i++) {
        op.ev.n = i * 2;
        op.ev.at_ms = i;
        FIX_WRITE(&f, append_run, &op);
    }
    op.cursor = "fast";
    op.seq = 18;
    FIX_WRITE(&f, cursor_run, &op);
    op.cursor = "slow";
    op.seq = 5;
    FIX_WRITE(&f, cursor_run, &op);
    op.before_ms = 1000;
    FIX_WRITE(&f, prune_run, &op);
    CHECK_EQ(op.removed, 5);
    FIX_WRITE(&f, cursor_del_run, &op);
    op.before_ms = 10;
    FIX_WRITE(&f, prune_run, &op);
    CHECK_EQ(op.removed, 4);
    op.before_ms = 1000;
    op.max = 2;
    FIX_WRITE(&f, prune_run, &op);
    CHECK_EQ(op.removed, 2);
    CHECK_EQ(read_after(&f, 0, 100).first, 12);
    op.ev.n = 42;
    FIX_WRITE(&f, append_run, &op);
    CHECK_EQ(op.seq, 21);
    CHECK_ERR(store_write(f.s, cursor_del_run, &op, 0), ERR_MISSING);
    fix_end(&f);
}

TEST(ids_have_a_longest)
{
    struct fix f;
    uint8_t id[STORE_EVENT_ID_MAX + 1] = {0};
    struct op op = {.ev = {.kind = 1, .b = VIEW_ARRAY(id)}};

    fix_begin(&f);
    CHECK_ERR(store_write(f.s, append_run, &op, 0), ERR_LIMIT);
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(rows_are_read_from_a_cursor_on),
               T(pruning_waits_for_the_slowest_consumer),
               T(ids_have_a_longest));
}
