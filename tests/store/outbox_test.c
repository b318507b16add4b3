/* SPDX-License-Identifier: Apache-2.0 */
#include "store/outbox.h"

#include "tests/store/fix.h"

enum {
    SEEN_MAX = 256
};

static const struct clinic_id peer = {{1}};
static const struct clinic_id other = {{2}};

struct op {
    enum {
        PUSH,
        ACK,
        RESTREAM,
        FORGET
    } kind;
    const struct clinic_id *peer;
    struct view msg;
    struct stream_id stream;
    uint64_t n;
};

static enum err
op_run(void *ctx, struct store_txn *txn)
{
    struct op *op = ctx;

    switch (op->kind) {
    case PUSH:
        return store_outbox_push(txn, op->peer, op->msg, 99, op->n, &op->n);
    case ACK:
        return store_outbox_ack(txn, op->peer, &op->stream, op->n, &op->n);
    case RESTREAM:
        return store_outbox_restream(txn, op->peer);
    case FORGET:
        return store_outbox_forget(txn, op->peer);
    }
    return ERR_INTERNAL;
}

static uint64_t
push(struct fix *f, const struct clinic_id *to, const char *msg)
{
    struct op op = {.kind = PUSH, .peer = to, .msg = view_str(msg), .n = 7};

    FIX_WRITE(f, op_run, &op);
    return op.n;
}

static struct store_outbox_status
status(struct fix *f, const struct clinic_id *of)
{
    struct store_outbox_status st = {.count = 0};
    struct store_txn *txn;

    CHECK_OK(store_read_begin(f->s, &txn));
    CHECK_OK(store_outbox_status(txn, of, &st));
    store_read_end(txn);
    return st;
}

static enum err
ack(struct fix *f, const struct stream_id *stream, uint64_t upto, uint64_t *n)
{
    struct op op = {.kind = ACK, .peer = &peer, .stream = *stream, .n = upto};
    enum err e = store_write(f->s, op_run, &op, STORE_JOB_FREES);

    *n = op.n;
    return e;
}

static enum err
see(void *ctx, const struct store_outbox_entry *en)
{
    char *out = ctx;
    size_t n = strlen(out);

    CHECK_EQ(en->deadline_ms, 99);
    CHECK_EQ(en->ref, 7);
    (void)snprintf(out + n, SEEN_MAX - n, "%llu:%.*s,",
                   (unsigned long long)en->seq, (int)en->msg.len,
                   (const char *)en->msg.p);
    return OK;
}

static void
expect(struct fix *f, uint64_t after, uint32_t max, uint64_t bytes,
       const char *want)
{
    struct store_txn *txn;
    char got[SEEN_MAX] = "";

    CHECK_OK(store_read_begin(f->s, &txn));
    CHECK_OK(store_outbox_read(txn, &peer, after, max, bytes, see, got));
    store_read_end(txn);
    CHECK_STR(got, want);
}

TEST(entries_leave_in_the_order_they_came)
{
    struct fix f;
    struct store_outbox_status st;
    uint64_t n;

    fix_begin(&f);
    CHECK_EQ(push(&f, &peer, "aa"), 1);
    f.wall_ms++;
    CHECK_EQ(push(&f, &other, "xx"), 1);
    CHECK_EQ(push(&f, &peer, "bb"), 2);
    f.wall_ms++;
    CHECK_EQ(push(&f, &peer, "cc"), 3);
    st = status(&f, &peer);
    CHECK_EQ(st.count, 3);
    CHECK_EQ(st.bytes, 6);
    CHECK_EQ(st.oldest_ms, f.wall_ms - 2);
    expect(&f, 0, 10, 100, "1:aa,2:bb,3:cc,");
    expect(&f, 1, 1, 100, "2:bb,");
    expect(&f, 0, 10, 4, "1:aa,2:bb,");
    expect(&f, 0, 10, 3, "1:aa,");
    expect(&f, 0, 10, 1, "1:aa,");
    CHECK_ERR(ack(&f, &st.stream, 4, &n), ERR_STATE);
    CHECK_OK(ack(&f, &st.stream, 2, &n));
    CHECK_EQ(n, 2);
    CHECK_OK(ack(&f, &st.stream, 1, &n));
    CHECK_EQ(n, 0);
    expect(&f, 0, 10, 100, "3:cc,");
    st = status(&f, &peer);
    CHECK_EQ(st.acked, 2);
    CHECK_EQ(st.count, 1);
    CHECK_EQ(st.bytes, 2);
    CHECK_EQ(st.oldest_ms, f.wall_ms);
    CHECK_OK(ack(&f, &st.stream, 3, &n));
    st = status(&f, &peer);
    CHECK_EQ(st.oldest_ms, 0);
    CHECK_EQ(st.bytes, 0);
    fix_reopen(&f);
    CHECK_EQ(push(&f, &peer, "dd"), 4);
    expect(&f, 3, 10, 100, "4:dd,");
    fix_end(&f);
}

TEST(a_new_stream_numbers_what_waits_from_one)
{
    struct fix f;
    struct op op = {.kind = RESTREAM, .peer = &peer};
    struct store_outbox_status before;
    struct store_outbox_status after;
    uint64_t n;

    fix_begin(&f);
    for (int i = 0; i < 5; i++) {
        (void)push(&f, &peer, i < 3 ? "x" : "y");
    }
    before = status(&f, &peer);
    CHECK_OK(ack(&f, &before.stream, 2, &n));
    FIX_WRITE(&f, op_run, &op);
    after = status(&f, &peer);
    CHECK(!stream_id_equal(&before.stream, &after.stream));
    CHECK_EQ(after.count, 3);
    CHECK_EQ(after.bytes, 3);
    expect(&f, 0, 10, 100, "1:x,2:y,3:y,");
    CHECK_ERR(ack(&f, &before.stream, 3, &n), ERR_STALE);
    FIX_WRITE(&f, op_run, &op); /* nothing acknowledged: same numbers */
    expect(&f, 0, 10, 100, "1:x,2:y,3:y,");
    op.kind = FORGET;
    FIX_WRITE(&f, op_run, &op);
    expect(&f, 0, 10, 100, "");
    CHECK_ERR(ack(&f, &after.stream, 3, &n), ERR_STALE);
    fix_end(&f);
}

static enum err
see_peer(void *ctx, const struct clinic_id *p,
         const struct store_outbox_status *st)
{
    uint64_t *sum = ctx;

    *sum += p->b[0] * 10 + st->count;
    return OK;
}

TEST(peers_are_listed)
{
    struct fix f;
    struct store_txn *txn;
    uint64_t sum = 0;

    fix_begin(&f);
    (void)push(&f, &peer, "x");
    (void)push(&f, &other, "x");
    (void)push(&f, &other, "x");
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_outbox_peers(txn, see_peer, &sum));
    CHECK_EQ(sum, 11 + 22);
    store_read_end(txn);
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(entries_leave_in_the_order_they_came),
               T(a_new_stream_numbers_what_waits_from_one),
               T(peers_are_listed));
}
