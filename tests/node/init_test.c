/* SPDX-License-Identifier: Apache-2.0 */
#include "node/init.h"

#include "crypto/prim/random.h"
#include "node/addrs.h"
#include "node/identity.h"
#include "node/sysclock.h"
#include "node/vault.h"
#include "store/writer.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"
#include "tests/support/seed_rng.h"
#include "tests/support/tmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define NOW_MS UINT64_C(1800000000000)

static struct prim_sign_key
root_key(void)
{
    struct seed_rng s;
    struct prim_sign_key k;

    seed_rng_init(&s, 11);
    CHECK_OK(ident_key_new(&s.rng, &k));
    return k;
}

TEST(an_identity_is_certified_and_renews)
{
    struct seed_rng s;
    struct prim_sign_key root = root_key();
    struct node_identity id = {0};
    struct ident_node n;
    struct ident_check c = {.now_ms = NOW_MS};
    struct prim_sign_key before;

    seed_rng_init(&s, 12);
    CHECK_OK(node_identity_make(mem_heap(), &s.rng, NOW_MS, &root, 1, &id));
    c.root = &id.root;
    c.key = id.node.pub;
    CHECK_OK(ident_chain_verify(mem_heap(), view_of(&id.chain), &c, &n));
    CHECK(n.generation == ident_generation(1, 1));
    CHECK(!node_identity_due(&id, NOW_MS + 59 * IDENT_DAY_MS));
    CHECK(node_identity_due(&id, NOW_MS + 61 * IDENT_DAY_MS));
    before = id.node;
    c.now_ms = NOW_MS + 61 * IDENT_DAY_MS;
    CHECK_OK(node_identity_renew(mem_heap(), &s.rng, c.now_ms, false, &id));
    CHECK_OK(ident_chain_verify(mem_heap(), view_of(&id.chain), &c, &n));
    CHECK(n.generation == ident_generation(1, 2));
    CHECK_VIEW(prim_sign_key_pub(&before), prim_sign_key_pub(&id.node));
    CHECK_OK(node_identity_renew(mem_heap(), &s.rng, c.now_ms, true, &id));
    CHECK(!view_equal(prim_sign_key_pub(&before), prim_sign_key_pub(&id.node)));
    CHECK_ERR(node_identity_renew(mem_heap(), &s.rng,
                                  NOW_MS + 800 * IDENT_DAY_MS, true, &id),
              ERR_STALE);
    node_identity_clear(&id);
}

TEST(no_memory_leaves_the_identity_as_it_was)
{
    struct prim_sign_key root = root_key();

    for (uint64_t i = 1;; i++) {
        struct fail_mem m;
        struct seed_rng s;
        struct node_identity id = {0};
        enum err e;

        seed_rng_init(&s, 12);
        fail_mem_init(&m, i);
        e = node_identity_make(&m.mem, &s.rng, NOW_MS, &root, 1, &id);
        if (e == OK) {
            e = node_identity_renew(&m.mem, &s.rng, NOW_MS, true, &id);
            CHECK(e == OK || id.generation == ident_generation(1, 1));
        }
        node_identity_clear(&id);
        CHECK_EQ(m.live, 0);
        if (!m.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

static void
make_config(struct node_config *c)
{
    char dir[TMP_PATH];

    *c = (struct node_config){0};
    tmp_dir(dir, sizeof(dir), "balsam-init-XXXXXX");
    (void)snprintf(c->data, sizeof(c->data), "%s/data", dir);
    (void)snprintf(c->key_file, sizeof(c->key_file), "%s/data/master.key", dir);
}

static void
remove_config(const struct node_config *c)
{
    char command[NODE_CONFIG_TEXT + 32];

    (void)snprintf(command, sizeof(command), "rm -rf '%.*s'",
                   (int)(strlen(c->data) - strlen("/data")), c->data);
    CHECK_EQ(system(command), 0);
}

TEST(a_new_node_has_everything)
{
    struct node_config config;
    struct node_init init = {VIEW_LIT("Clinic"),
                             VIEW_LIT("Street"),
                             VIEW_LIT("555"),
                             VIEW_LIT("Dr. A"),
                             {0}};
    struct node_sheet sheet = {0};
    struct node_sheet again = {0};
    struct node_vault vault;
    struct store *store = NULL;
    struct store_txn *txn = NULL;
    struct node_identity id = {0};
    struct node_profile profile = {0};
    struct stat st;
    uint8_t seed[PRIM_ED25519_SEED];
    uint8_t typed[PRIM_ED25519_SEED];
    unsigned bad;

    make_config(&config);
    CHECK_OK(node_init(mem_heap(), NULL, &config, &init, &sheet));
    CHECK_EQ(stat(config.key_file, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0600);
    CHECK_EQ(stat(config.data, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0700);
    CHECK_ERR(node_init(mem_heap(), NULL, &config, &init, &again), ERR_EXISTS);
    CHECK_OK(node_vault_open(mem_heap(), NULL, &config, &vault));
    CHECK_OK(store_open(&vault.config, &store));
    CHECK_OK(store_read_begin(store, &txn));
    CHECK_OK(node_identity_load(txn, &id));
    CHECK_OK(node_profile_load(txn, &profile));
    CHECK_OK(node_root_seed_load(txn, seed));
    CHECK(clinic_id_equal(&id.root, &sheet.root));
    CHECK_OK(ident_sheet_read(view_of(&sheet.words), typed, &bad));
    CHECK_VIEW(VIEW_ARRAY(typed), VIEW_ARRAY(seed));
    CHECK_EQ(phi_len(&profile.phone), 3);
    store_read_end(txn);
    store_close(store);
    node_vault_clear(&vault);
    node_identity_clear(&id);
    node_profile_clear(&profile);
    node_sheet_clear(&sheet);
    remove_config(&config);
}

TEST(bad_names_make_no_node)
{
    struct node_config config;
    struct node_init init = {0};
    struct node_sheet sheet = {0};
    struct stat st;

    make_config(&config);
    CHECK_ERR(node_init(mem_heap(), NULL, &config, &init, &sheet), ERR_INVALID);
    init.name = VIEW_LIT("\xff\xfe");
    CHECK_ERR(node_init(mem_heap(), NULL, &config, &init, &sheet), ERR_INVALID);
    CHECK(stat(config.data, &st) != 0);
    remove_config(&config);
}

TEST(a_key_that_others_may_read_is_refused)
{
    struct node_config config;
    struct node_init init = {.name = VIEW_LIT("Clinic")};
    struct node_sheet sheet = {0};
    struct node_vault vault;

    make_config(&config);
    CHECK_OK(node_init(mem_heap(), NULL, &config, &init, &sheet));
    CHECK_EQ(chmod(config.key_file, 0644), 0);
    CHECK_ERR(node_vault_open(mem_heap(), NULL, &config, &vault), ERR_DENIED);
    node_sheet_clear(&sheet);
    remove_config(&config);
}

TEST(addresses_come_from_the_settings_or_from_listening)
{
    struct node_config c = {0};
    struct proto_addr a[2];
    size_t n = 0;
    const char *bad = NULL;

    memcpy(c.listen.item[0], "0.0.0.0:7443", 13);
    c.listen.len = 1;
    CHECK_OK(node_addrs(&c, a, 2, &n, &bad));
    CHECK_EQ(n, 1);
    CHECK_EQ(a[0].port, 7443);
    CHECK(a[0].ip[0] != 0);
    memcpy(c.address.item[0], "clinic.example.org:1", 21);
    c.address.len = 1;
    CHECK_OK(node_addrs(&c, a, 2, &n, &bad));
    CHECK_EQ(a[0].kind, PROTO_ADDR_DNS);
    memcpy(c.address.item[0], "clinic", 7);
    CHECK_ERR(node_addrs(&c, a, 2, &n, &bad), ERR_INVALID);
    CHECK_STR(bad, "clinic");
}

TEST(clocks_go_forward)
{
    const struct clock *c = node_sysclock();
    uint64_t before = clock_mono_ms(c);

    CHECK(clock_mono_ms(c) >= before);
    CHECK(clock_wall_ms(c) > UINT64_C(1700000000000));
}

int
main(void)
{
    return RUN(T(an_identity_is_certified_and_renews),
               T(no_memory_leaves_the_identity_as_it_was),
               T(a_new_node_has_everything), T(bad_names_make_no_node),
               T(a_key_that_others_may_read_is_refused),
               T(addresses_come_from_the_settings_or_from_listening),
               T(clocks_go_forward));
}
