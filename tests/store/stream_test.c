/* SPDX-License-Identifier: Apache-2.0 */
#include "store/stream.h"

#include "tests/store/fix.h"

struct op {
    enum {
        OPEN,
        APPLY,
        FORGET
    } kind;
    struct clinic_id peer;
    struct stream_id id;
    uint64_t seq;
};

static enum err
op_run(void *ctx, struct store_txn *txn)
{
    const struct op *op = ctx;

    switch (op->kind) {
    case OPEN:
        return store_stream_in_open(txn, &op->peer, &op->id);
    case APPLY:
        return store_stream_in_apply(txn, &op->peer, &op->id, op->seq);
    case FORGET:
        return store_stream_in_forget(txn, &op->peer);
    }
    return ERR_INTERNAL;
}

static enum err
do_op(struct fix *f, unsigned kind, uint8_t stream, uint64_t seq)
{
    struct op op = {.peer = {{1}}, .id = {{stream}}, .seq = seq};

    op.kind = kind;
    return store_write(f->s, op_run, &op, 0);
}

TEST(each_number_is_applied_once_and_in_order)
{
    struct fix f;
    struct store_stream_in in;
    struct clinic_id peer = {{1}};
    struct store_txn *txn;

    fix_begin(&f);
    CHECK_ERR(do_op(&f, APPLY, 1, 1), ERR_STATE);
    CHECK_OK(do_op(&f, OPEN, 1, 0));
    CHECK_ERR(do_op(&f, APPLY, 1, 2), ERR_STATE);
    CHECK_ERR(do_op(&f, APPLY, 1, 0), ERR_STATE);
    CHECK_OK(do_op(&f, APPLY, 1, 1));
    CHECK_ERR(do_op(&f, APPLY, 1, 1), ERR_EXISTS);
    CHECK_OK(do_op(&f, OPEN, 1, 0));
    CHECK_OK(do_op(&f, APPLY, 1, 2));
    fix_reopen(&f);
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_stream_in_get(txn, &peer, &in));
    CHECK_EQ(in.applied, 2);
    CHECK_EQ(in.id.b[0], 1);
    store_read_end(txn);
    fix_end(&f);
}

TEST(a_rolled_back_peer_is_noticed)
{
    struct fix f;

    fix_begin(&f);
    CHECK_OK(do_op(&f, OPEN, 1, 0));
    CHECK_OK(do_op(&f, APPLY, 1, 1));
    CHECK_OK(do_op(&f, OPEN, 2, 0));
    CHECK_ERR(do_op(&f, APPLY, 1, 2), ERR_STALE);
    CHECK_ERR(do_op(&f, OPEN, 1, 0), ERR_STALE);
    CHECK_OK(do_op(&f, APPLY, 2, 1));
    CHECK_ERR(do_op(&f, APPLY, 3, 1), ERR_STATE);
    CHECK_OK(do_op(&f, FORGET, 0, 0));
    CHECK_OK(do_op(&f, OPEN, 1, 0));
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(each_number_is_applied_once_and_in_order),
               T(a_rolled_back_peer_is_noticed));
}
