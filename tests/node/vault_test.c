/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new node and its vault: made once, opened with its key and no other,
 * repeated after an interruption, and its sheet brings the same root back.
 */
#include "node/init.h"

#include "node/identity.h"
#include "node/vault.h"
#include "store/member.h"
#include "tests/store/fix.h"

#include <fcntl.h>

static struct fix f; /* its folder only */
static struct node_config config;
static struct node_sheet sheet;

static const struct node_init init = {
    .name = {(const uint8_t *)"North Vets", 10},
    .member = {(const uint8_t *)"Ana", 3},
};

static void
begin(void)
{
    fix_config(&f, 7);
    fix_dir(f.dir);
    memset(&config, 0, sizeof(config));
    (void)snprintf(config.data, sizeof(config.data), "%s/node", f.dir);
    (void)snprintf(config.key_file, sizeof(config.key_file),
                   "%s/node/master.key", f.dir);
}

static void
end(void)
{
    node_sheet_clear(&sheet);
    fix_rm(f.dir);
}

static enum err
make(const struct node_init *with, struct node_sheet *out)
{
    return node_init(mem_heap(), NULL, &config, with, out);
}

/* Open the node; its identity is cleared by the caller. */
static enum err
reopen(struct node_identity *id)
{
    struct node_vault v = {0};
    struct store *s = NULL;
    struct store_txn *txn = NULL;
    enum err e = node_vault_open(mem_heap(), NULL, &config, &v);

    if (e == OK) {
        e = store_open(&v.config, &s);
    }
    if (e == OK) {
        e = store_read_begin(s, &txn);
    }
    if (e == OK) {
        e = node_identity_load(txn, id);
    }
    store_read_end(txn);
    store_close(s);
    node_vault_clear(&v);
    return e;
}

TEST(made_and_opened_again)
{
    struct node_identity id = {0};
    struct stat st;

    begin();
    CHECK_OK(make(&init, &sheet));
    CHECK_OK(reopen(&id));
    CHECK(clinic_id_equal(&id.root, &sheet.root));
    node_identity_clear(&id);
    CHECK_EQ(stat(config.data, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0700);
    CHECK_EQ(stat(config.key_file, &st), 0);
    CHECK_EQ(st.st_mode & 0077, 0);
    end();
}

TEST(made_once)
{
    struct node_sheet second = {0};
    struct node_identity id = {0};

    begin();
    CHECK_OK(make(&init, &sheet));
    CHECK_ERR(make(&init, &second), ERR_EXISTS);
    CHECK_EQ(second.words.len, 0);
    CHECK_OK(reopen(&id));
    CHECK(clinic_id_equal(&id.root, &sheet.root));
    node_identity_clear(&id);
    end();
}

TEST(an_interrupted_init_is_repeated)
{
    struct node_vault v = {0};
    struct node_identity id = {0};

    begin();
    /* the power went between the store and its first transaction */
    CHECK_OK(node_vault_create(mem_heap(), NULL, &config, &v));
    CHECK_OK(store_create(&v.config));
    node_vault_clear(&v);
    CHECK_ERR(reopen(&id), ERR_MISSING);
    CHECK_OK(make(&init, &sheet));
    CHECK_OK(reopen(&id));
    CHECK(clinic_id_equal(&id.root, &sheet.root));
    node_identity_clear(&id);
    CHECK_ERR(make(&init, &sheet), ERR_EXISTS);
    end();
}

TEST(another_key_does_not_open_it)
{
    struct node_identity id = {0};
    struct node_sheet second = {0};

    begin();
    CHECK_OK(make(&init, &sheet));
    CHECK_EQ(unlink(config.key_file), 0);
    CHECK_ERR(reopen(&id), ERR_MISSING);
    CHECK_OK(store_key_file_create(config.key_file, &f.rng.rng));
    CHECK_ERR(reopen(&id), ERR_AUTH);
    CHECK_ERR(make(&init, &second), ERR_EXISTS);
    end();
}

TEST(a_key_that_others_may_read_is_refused)
{
    struct node_identity id = {0};

    begin();
    CHECK_OK(make(&init, &sheet));
    CHECK_EQ(chmod(config.key_file, 0644), 0);
    CHECK_ERR(reopen(&id), ERR_DENIED);
    end();
}

TEST(a_credential_of_the_service_manager_is_the_key)
{
    struct node_identity id = {0};
    char path[FIX_PATH + 16];

    begin();
    (void)snprintf(path, sizeof(path), "%s/master", f.dir);
    CHECK_OK(store_key_file_create(path, &f.rng.rng));
    config.key_file[0] = '\0';
    (void)snprintf(config.credential, sizeof(config.credential), "master");
    CHECK_EQ(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    CHECK_ERR(make(&init, &sheet), ERR_MISSING);
    CHECK_EQ(setenv("CREDENTIALS_DIRECTORY", f.dir, 1), 0);
    CHECK_OK(make(&init, &sheet));
    CHECK_OK(reopen(&id));
    node_identity_clear(&id);
    /* newer ones keep it on tmpfs, with an access list: 0440 by its mode */
    CHECK_EQ(chmod(path, 0440), 0);
    CHECK_OK(reopen(&id));
    node_identity_clear(&id);
    CHECK_EQ(chmod(path, 0444), 0);
    CHECK_ERR(reopen(&id), ERR_DENIED);
    CHECK_EQ(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    end();
}

TEST(bad_words_make_nothing)
{
    struct node_init bad = init;
    char longer[IDENT_NAME_MAX + 2];

    begin();
    bad.name = (struct view){0};
    CHECK_ERR(make(&bad, &sheet), ERR_INVALID);
    bad.name = view_str("\xff");
    CHECK_ERR(make(&bad, &sheet), ERR_INVALID);
    memset(longer, 'n', sizeof(longer));
    bad.name = view_make(longer, IDENT_NAME_MAX + 1);
    CHECK_ERR(make(&bad, &sheet), ERR_INVALID);
    CHECK(access(config.data, F_OK) != 0);
    end();
}

TEST(the_sheet_brings_the_root_back)
{
    uint8_t seed[PRIM_ED25519_SEED];
    struct node_sheet again = {0};
    unsigned bad = 0;

    begin();
    CHECK_OK(make(&init, &sheet));
    CHECK_OK(ident_sheet_read(view_of(&sheet.words), seed, &bad));
    CHECK_OK(node_sheet_make(mem_heap(), seed, &again));
    CHECK(clinic_id_equal(&again.root, &sheet.root));
    memset(seed, 0, sizeof(seed));
    CHECK_OK(ident_sheet_read(view_of(&sheet.code), seed, &bad));
    node_sheet_clear(&again);
    CHECK_OK(node_sheet_make(mem_heap(), seed, &again));
    CHECK(clinic_id_equal(&again.root, &sheet.root));
    CHECK_VIEW(view_of(&again.words), view_of(&sheet.words));
    node_sheet_clear(&again);
    end();
}

int
main(void)
{
    return RUN(T(made_and_opened_again), T(made_once),
               T(an_interrupted_init_is_repeated),
               T(another_key_does_not_open_it),
               T(a_key_that_others_may_read_is_refused),
               T(a_credential_of_the_service_manager_is_the_key),
               T(bad_words_make_nothing), T(the_sheet_brings_the_root_back));
}
