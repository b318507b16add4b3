/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node's identity: others verify what it makes, a renewal goes one
 * generation up and changes nothing when it fails, records come back as they
 * were, the root's seed goes once the sheet was checked.
 */
#include "node/identity.h"

#include "store/settings.h"
#include "tests/store/fix.h"
#include "tests/support/fail_mem.h"

static struct fix f;
static struct node_identity id;
static struct prim_sign_key root;

static void
begin(void)
{
    fix_begin(&f);
    CHECK_OK(ident_key_new(&f.rng.rng, &root));
    CHECK_OK(
        node_identity_make(mem_heap(), &f.rng.rng, f.wall_ms, &root, 1, &id));
}

static void
end(void)
{
    node_identity_clear(&id);
    fix_end(&f);
}

static enum err
verify(uint64_t now_ms, uint64_t generation_min, struct ident_node *out)
{
    struct ident_check check = {.root = &id.root,
                                .key = id.node.pub,
                                .generation_min = generation_min,
                                .now_ms = now_ms};

    return ident_chain_verify(mem_heap(), view_of(&id.chain), &check, out);
}

static enum err
save(void *ctx, struct store_txn *txn)
{
    return node_identity_save(txn, ctx);
}

static enum err
load(struct node_identity *out)
{
    struct store_txn *txn = NULL;
    enum err e = store_read_begin(f.s, &txn);

    e = e == OK ? node_identity_load(txn, out) : e;
    store_read_end(txn);
    return e;
}

TEST(others_verify_a_new_one)
{
    struct ident_node node;
    struct clinic_id want;

    begin();
    CHECK_OK(verify(f.wall_ms, 0, &node));
    CHECK_EQ(node.generation, ident_generation(1, 1));
    CHECK_OK(clinic_id_from(prim_sign_key_pub(&root), &want));
    CHECK(clinic_id_equal(&node.root, &want));
    CHECK_EQ(id.node_not_after_ms, f.wall_ms + IDENT_NODE_MS);
    CHECK_ERR(
        verify(f.wall_ms + IDENT_NODE_MS + 2 * IDENT_TOLERANCE_MS, 0, &node),
        ERR_STALE);
    end();
}

TEST(renewal_goes_one_up)
{
    struct ident_node node;
    uint64_t later = 0;
    uint8_t key[PRIM_ED25519_PUB];

    begin();
    later = f.wall_ms + IDENT_NODE_MS - IDENT_DAY_MS;
    memcpy(key, id.node.pub, sizeof(key));
    CHECK_OK(node_identity_renew(mem_heap(), &f.rng.rng, later, false, &id));
    CHECK(memcmp(key, id.node.pub, sizeof(key)) == 0);
    CHECK_OK(verify(later, ident_generation(1, 2), &node));
    CHECK_OK(node_identity_renew(mem_heap(), &f.rng.rng, later, true, &id));
    CHECK(memcmp(key, id.node.pub, sizeof(key)) != 0);
    CHECK_OK(verify(later, ident_generation(1, 3), &node));
    CHECK_EQ(node.generation, ident_generation(1, 3));
    end();
}

TEST(due_a_month_before_the_end)
{
    uint64_t end_ms;

    begin();
    end_ms = id.node_not_after_ms;
    CHECK(!node_identity_due(&id, f.wall_ms));
    CHECK(!node_identity_due(&id, end_ms - IDENT_RENEW_EARLY_MS));
    CHECK(node_identity_due(&id, end_ms - IDENT_RENEW_EARLY_MS + 1));
    CHECK(node_identity_due(&id, end_ms + 1));
    CHECK(!node_identity_due(&id, id.renewal_not_after_ms + 1));
    end();
}

TEST(after_two_years_the_sheet_is_needed)
{
    uint64_t generation;

    begin();
    generation = id.generation;
    CHECK_ERR(node_identity_renew(mem_heap(), &f.rng.rng,
                                  id.renewal_not_after_ms + 1, true, &id),
              ERR_STALE);
    CHECK_EQ(id.generation, generation);
    end();
}

/* The last certificate under a renewal key is good to that key's end. */
TEST(the_last_renewal_still_verifies)
{
    struct ident_node node;
    uint64_t last;

    begin();
    last = id.renewal_not_after_ms - IDENT_DAY_MS;
    CHECK_OK(node_identity_renew(mem_heap(), &f.rng.rng, last, true, &id));
    CHECK_OK(verify(last, 0, &node));
    CHECK_EQ(node.not_after_ms, id.renewal_not_after_ms);
    end();
}

TEST(a_failed_renewal_changes_nothing)
{
    struct fail_mem fm;
    struct node_identity was;
    bool done = false;

    begin();
    for (uint64_t n = 1; !done && n < 100; n++) {
        enum err e;

        fail_mem_init(&fm, n);
        was = id;
        e = node_identity_renew(&fm.mem, &f.rng.rng, f.wall_ms, true, &id);
        done = !fm.hit;
        if (done) {
            CHECK_OK(e);
            bytes_free(&id.chain);
        } else {
            CHECK_ERR(e, ERR_NOMEM);
            CHECK(memcmp(&was, &id, sizeof(id)) == 0);
        }
        CHECK_EQ(fm.live, 0);
    }
    CHECK(done);
    end();
}

TEST(records_come_back)
{
    struct node_identity back = {0};

    begin();
    CHECK_ERR(load(&back), ERR_MISSING);
    CHECK_OK(ident_revoke_make(mem_heap(), &root, ident_generation(1, 1),
                               &id.revocation));
    FIX_WRITE(&f, save, &id);
    fix_reopen(&f);
    CHECK_OK(load(&back));
    CHECK(clinic_id_equal(&back.root, &id.root));
    CHECK(memcmp(back.node.pub, id.node.pub, sizeof(id.node.pub)) == 0);
    CHECK(memcmp(back.renewal.seed, id.renewal.seed, sizeof(id.renewal.seed)) ==
          0);
    CHECK_EQ(back.generation, id.generation);
    CHECK_EQ(back.node_not_after_ms, id.node_not_after_ms);
    CHECK_EQ(back.renewal_not_after_ms, id.renewal_not_after_ms);
    CHECK_VIEW(view_of(&back.chain), view_of(&id.chain));
    CHECK_VIEW(view_of(&back.renewal_cert), view_of(&id.renewal_cert));
    CHECK_VIEW(view_of(&back.revocation), view_of(&id.revocation));
    node_identity_clear(&back);
    end();
}

static enum err
spoil(void *ctx, struct store_txn *txn)
{
    (void)ctx;
    return store_setting_put(txn, "node.identity", view_str("\x9a\x01x"));
}

TEST(a_damaged_record_is_said)
{
    struct node_identity back = {0};

    begin();
    FIX_WRITE(&f, spoil, NULL);
    CHECK_ERR(load(&back), ERR_CORRUPT);
    end();
}

static enum err
save_profile(void *ctx, struct store_txn *txn)
{
    return node_profile_save(txn, ctx);
}

TEST(a_profile_comes_back_and_is_verified)
{
    struct node_profile p = {.changed_ms = 9};
    struct node_profile back = {0};
    struct ident_profile open;
    struct ident_check check = {.root = &id.root};
    struct bytes b = {0};
    struct store_txn *txn = NULL;

    begin();
    CHECK_OK(phi_from(mem_heap(), view_str("North Vets"), &p.name));
    CHECK_OK(phi_from(mem_heap(), view_str("1 Road"), &p.address));
    CHECK_OK(phi_from(mem_heap(), view_str("555"), &p.phone));
    FIX_WRITE(&f, save_profile, &p);
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(node_profile_load(txn, &back));
    store_read_end(txn);
    CHECK_EQ(back.changed_ms, 9);
    CHECK_VIEW(proto_phi_reveal(&back.phone), view_str("555"));
    CHECK_OK(node_profile_sign(mem_heap(), &id, &back, &b));
    check.now_ms = f.wall_ms;
    CHECK_OK(ident_profile_open(mem_heap(), view_of(&b), &check, &open));
    CHECK_VIEW(open.name, view_str("North Vets"));
    CHECK_VIEW(open.address, view_str("1 Road"));
    bytes_free(&b);
    node_profile_clear(&p);
    node_profile_clear(&back);
    end();
}

static enum err
save_seed(void *ctx, struct store_txn *txn)
{
    return node_root_seed_save(txn, ctx);
}

static enum err
drop_seed(void *ctx, struct store_txn *txn)
{
    (void)ctx;
    return node_root_seed_drop(txn);
}

static enum err
load_seed(uint8_t seed[PRIM_ED25519_SEED])
{
    struct store_txn *txn = NULL;
    enum err e = store_read_begin(f.s, &txn);

    e = e == OK ? node_root_seed_load(txn, seed) : e;
    store_read_end(txn);
    return e;
}

TEST(the_root_goes_when_the_sheet_was_checked)
{
    uint8_t seed[PRIM_ED25519_SEED] = {0};

    begin();
    FIX_WRITE(&f, save_seed, root.seed);
    CHECK_OK(load_seed(seed));
    CHECK(memcmp(seed, root.seed, sizeof(seed)) == 0);
    FIX_WRITE(&f, drop_seed, NULL);
    CHECK_ERR(load_seed(seed), ERR_MISSING);
    FIX_WRITE(&f, drop_seed, NULL);
    end();
}

int
main(void)
{
    return RUN(
        T(others_verify_a_new_one), T(renewal_goes_one_up),
        T(due_a_month_before_the_end), T(after_two_years_the_sheet_is_needed),
        T(the_last_renewal_still_verifies), T(a_failed_renewal_changes_nothing),
        T(records_come_back), T(a_damaged_record_is_said),
        T(a_profile_comes_back_and_is_verified),
        T(the_root_goes_when_the_sheet_was_checked));
}
