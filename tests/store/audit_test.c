/* SPDX-License-Identifier: Apache-2.0 */
#include "store/audit.h"

#include "tests/store/fix.h"

struct op {
    struct store_audit row;
    uint64_t before_ms;
    uint32_t removed;
    unsigned signs;
};

static enum err
append_run(void *ctx, struct store_txn *txn)
{
    return store_audit_append(txn, &((struct op *)ctx)->row);
}

static enum err
prune_run(void *ctx, struct store_txn *txn)
{
    struct op *op = ctx;

    return store_audit_prune(txn, op->before_ms, 100, &op->removed);
}

/* A signature of the test: each byte says what the message's is. */
static enum err
sign(void *ctx, struct view msg, uint8_t sig[64])
{
    ++*(unsigned *)ctx;
    CHECK(msg.len > 64);
    memcpy(sig, msg.p + msg.len - 64, 64);
    return OK;
}

static enum err
check_sig(void *ctx, struct view msg, const uint8_t sig[64])
{
    (void)ctx;
    return memcmp(sig, msg.p + msg.len - 64, 64) == 0 ? OK : ERR_AUTH;
}

static enum err
sign_run(void *ctx, struct store_txn *txn)
{
    return store_audit_sign(txn, sign, &((struct op *)ctx)->signs);
}

static enum err
verify(struct fix *f, uint64_t *rows, uint64_t *bad)
{
    struct store_txn *txn;
    enum err e;

    CHECK_OK(store_read_begin(f->s, &txn));
    e = store_audit_verify(txn, check_sig, NULL, rows, bad);
    store_read_end(txn);
    return e;
}

static void
fill(struct fix *f, unsigned from, unsigned to)
{
    struct member_id me = {{5}};
    struct op op = {.row = {.action = 7, .object = VIEW_LIT("obj")}};

    op.row.actor = store_actor_member(&me);
    for (unsigned i = from; i <= to; i++) {
        op.row.at_ms = i;
        op.row.n = i;
        FIX_WRITE(f, append_run, &op);
    }
}

static enum err
see(void *ctx, const struct store_audit *row)
{
    struct member_id me = {{5}};
    struct store_actor want = store_actor_member(&me);

    CHECK(store_actor_equal(&row->actor, &want));
    CHECK_EQ(row->n, row->seq);
    CHECK_VIEW(row->object, VIEW_LIT("obj"));
    ++*(unsigned *)ctx;
    return OK;
}

TEST(the_chain_holds)
{
    struct fix f;
    struct op op = {.signs = 0};
    struct store_txn *txn;
    struct hash32 head;
    uint64_t rows = 1;
    uint64_t bad;
    unsigned n = 0;

    fix_begin(&f);
    CHECK_OK(verify(&f, &rows, &bad));
    CHECK_EQ(rows, 0);
    fill(&f, 1, 10);
    FIX_WRITE(&f, sign_run, &op);
    FIX_WRITE(&f, sign_run, &op);
    CHECK_EQ(op.signs, 1);
    fix_reopen(&f);
    fill(&f, 11, 20);
    FIX_WRITE(&f, sign_run, &op);
    CHECK_EQ(op.signs, 2);
    CHECK_OK(verify(&f, &rows, &bad));
    CHECK_EQ(rows, 20);
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_audit_read(txn, 4, 100, see, &n));
    CHECK_EQ(n, 16);
    CHECK_OK(store_audit_head(txn, &rows, &head));
    CHECK_EQ(rows, 20);
    CHECK(!hash32_is_zero(&head));
    store_read_end(txn);
    fix_end(&f);
}

TEST(a_changed_or_missing_row_is_found)
{
    struct fix f;
    struct bytes b = {0};
    uint8_t key[8] = {0, 0, 0, 0, 0, 0, 0, 6};
    uint64_t rows;
    uint64_t bad;

    fix_begin(&f);
    fill(&f, 1, 10);
    /* With the key in hand, a row can be replaced; not the chain's end. */
    CHECK_OK(fix_get(&f, STORE_T_AUDIT, VIEW_ARRAY(key), &b));
    b.p[b.len - 6] ^= 1;
    CHECK_OK(fix_put(&f, STORE_T_AUDIT, VIEW_ARRAY(key), view_of(&b)));
    CHECK_ERR(verify(&f, &rows, &bad), ERR_CORRUPT);
    b.p[b.len - 6] ^= 1;
    CHECK_OK(fix_put(&f, STORE_T_AUDIT, VIEW_ARRAY(key), view_of(&b)));
    CHECK_OK(verify(&f, &rows, &bad));
    CHECK_OK(fix_del(&f, STORE_T_AUDIT, VIEW_ARRAY(key)));
    CHECK_ERR(verify(&f, &rows, &bad), ERR_CORRUPT);
    CHECK_EQ(bad, 6);
    bytes_free(&b);
    fix_end(&f);
}

TEST(pruning_keeps_the_chain)
{
    struct fix f;
    struct op op = {.before_ms = 8};
    uint64_t rows;
    uint64_t bad;

    fix_begin(&f);
    fill(&f, 1, 10);
    FIX_WRITE(&f, prune_run, &op);
    CHECK_EQ(op.removed, 7);
    CHECK_OK(verify(&f, &rows, &bad));
    CHECK_EQ(rows, 3);
    fill(&f, 11, 12);
    op.before_ms = 12;
    FIX_WRITE(&f, prune_run, &op);
    CHECK_EQ(op.removed, 4);
    fix_reopen(&f);
    CHECK_OK(verify(&f, &rows, &bad));
    CHECK_EQ(rows, 1);
    op.before_ms = 100;
    FIX_WRITE(&f, prune_run, &op);
    CHECK_OK(verify(&f, &rows, &bad));
    CHECK_EQ(rows, 0);
    fill(&f, 13, 13);
    CHECK_OK(verify(&f, &rows, &bad));
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(the_chain_holds), T(a_changed_or_missing_row_is_found),
               T(pruning_keeps_the_chain));
}
