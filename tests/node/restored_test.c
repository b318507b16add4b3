/* SPDX-License-Identifier: Apache-2.0 */
/* A restore is seen once, and stands once in the audit trail. */
#include "node/restored.h"

#include "node/clinic/event.h"
#include "store/audit.h"
#include "store/txn.h"
#include "store/writer.h"
#include "tests/store/fix.h"

static struct fix f;
static struct store_status status;

static enum err
note(void *ctx, struct store_txn *txn)
{
    (void)ctx;
    return node_restored_note(txn, &status);
}

static bool
seen(void)
{
    struct store_txn *txn = NULL;
    bool yes;

    CHECK_OK(store_read_begin(f.s, &txn));
    yes = node_is_restored(txn, &status);
    store_read_end(txn);
    return yes;
}

static enum err
count(void *ctx, const struct store_audit *row)
{
    uint64_t *n = ctx;

    CHECK_EQ(row->action, NODE_AUDIT_RESTORED);
    CHECK_EQ(row->actor.kind, STORE_ACTOR_SYSTEM);
    *n = *n * 10 + row->n;
    return OK;
}

static uint64_t
rows(void)
{
    struct store_txn *txn = NULL;
    uint64_t n = 0;

    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_audit_read(txn, 0, 64, count, &n));
    store_read_end(txn);
    return n;
}

TEST(each_restore_is_noted_once)
{
    fix_begin(&f);
    CHECK_OK(store_status(f.s, &status));
    CHECK_EQ(status.restores, 0);
    CHECK(!seen());
    CHECK_OK(store_write(f.s, note, NULL, STORE_JOB_FREES));
    CHECK_EQ(rows(), 0);
    for (status.restores = 1; status.restores <= 2; status.restores++) {
        CHECK(seen());
        CHECK_OK(store_write(f.s, note, NULL, STORE_JOB_FREES));
        CHECK(!seen());
        CHECK_OK(store_write(f.s, note, NULL, STORE_JOB_FREES));
    }
    CHECK_EQ(rows(), 12);
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(each_restore_is_noted_once));
}
