/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of the audit trail are signed, also by keys that were replaced. */
#include "node/trail.h"

#include "store/backup.h"
#include "store/settings.h"
#include "store/writer.h"
#include "tests/store/fix.h"
#include "tests/support/seed_rng.h"

#include <string.h>

static struct fix f;
static struct node_identity id;
static struct seed_rng rng;

static enum err
append(void *ctx, struct store_txn *txn)
{
    const uint64_t *n = ctx;
    struct store_audit row = {.action = 1, .n = *n};

    row.actor.kind = STORE_ACTOR_SYSTEM;
    return store_audit_append(txn, &row);
}

static enum err
sign(void *ctx, struct store_txn *txn)
{
    (void)ctx;
    return node_trail_sign(txn, &id);
}

static enum err
forge(void *ctx, struct store_txn *txn)
{
    static const uint8_t other[32] = {1};

    (void)ctx;
    return store_setting_put(txn, "node.audit_keys", VIEW_ARRAY(other));
}

static void
begin(void)
{
    struct prim_sign_key root;

    fix_begin(&f);
    seed_rng_init(&rng, 5);
    CHECK_OK(ident_key_new(&rng.rng, &root));
    CHECK_OK(
        node_identity_make(mem_heap(), &rng.rng, f.wall_ms, &root, 1, &id));
}

static void
end(void)
{
    node_identity_clear(&id);
    fix_end(&f);
}

static void
rows(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        CHECK_OK(store_write(f.s, append, &i, 0));
    }
    CHECK_OK(store_write(f.s, sign, NULL, 0));
}

static enum err
verify(uint64_t *rows_out, uint64_t *heads, uint64_t *bad)
{
    struct store_txn *txn = NULL;
    enum err e;

    CHECK_OK(store_read_begin(f.s, &txn));
    e = node_trail_verify(txn, rows_out, heads, bad);
    store_read_end(txn);
    return e;
}

TEST(heads_stay_good_when_the_key_changes)
{
    uint64_t n;
    uint64_t heads;
    uint64_t bad;

    begin();
    CHECK_OK(verify(&n, &heads, &bad));
    CHECK_EQ(heads, 0);
    rows(3);
    CHECK_OK(store_write(f.s, sign, NULL, 0)); /* nothing new */
    CHECK_OK(node_identity_renew(mem_heap(), &rng.rng, f.wall_ms, true, &id));
    rows(4);
    CHECK_OK(verify(&n, &heads, &bad));
    CHECK_EQ(n, 7);
    CHECK_EQ(heads, 2);
    end();
}

static void
on_bad(void *ctx, const struct store_bad *bad)
{
    CHECK(strcmp(bad->table, "audit") == 0);
    (*(size_t *)ctx)++;
}

static void
close_store(void)
{
    store_close(f.s);
    f.s = NULL;
}

/* Offline as well: by the keys in the store. */
TEST(a_stopped_store_is_checked)
{
    struct store_verify_result r;
    size_t bad = 0;
    const struct store_verify_how signed_too = {
        .found = on_bad, .ctx = &bad, .trail = node_trail_verify};

    begin();
    rows(3);
    rows(2);
    close_store();
    CHECK_OK(store_verify(&f.cfg, &signed_too, &r));
    CHECK_EQ(r.audit_heads, 2);
    CHECK_EQ(r.bad, 0);
    fix_reopen(&f);
    CHECK_OK(store_write(f.s, forge, NULL, 0));
    close_store();
    CHECK_OK(fix_verify(&f.cfg, on_bad, &bad, &r));
    CHECK_EQ(r.bad, 0);
    CHECK_OK(store_verify(&f.cfg, &signed_too, &r));
    CHECK_EQ(r.bad, 1);
    CHECK_EQ(bad, 1);
    fix_reopen(&f);
    end();
}

TEST(a_head_of_an_unknown_key_is_bad)
{
    uint64_t n;
    uint64_t heads;
    uint64_t bad;

    begin();
    rows(3);
    CHECK_OK(store_write(f.s, forge, NULL, 0));
    CHECK_ERR(verify(&n, &heads, &bad), ERR_CORRUPT);
    CHECK_EQ(bad, 3);
    end();
}

int
main(void)
{
    return RUN(T(heads_stay_good_when_the_key_changes),
               T(a_stopped_store_is_checked),
               T(a_head_of_an_unknown_key_is_bad));
}
