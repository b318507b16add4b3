/* SPDX-License-Identifier: Apache-2.0 */
#include "node/init.h"

#include "crypto/prim/random.h"
#include "crypto/prim/secret.h"
#include "node/clinic/event.h"
#include "node/identity.h"
#include "node/plain.h"
#include "node/sysclock.h"
#include "node/vault.h"
#include "store/audit.h"
#include "store/member.h"
#include "store/writer.h"

#include <string.h>

void
node_sheet_clear(struct node_sheet *sheet)
{
    bytes_free(&sheet->words);
    bytes_free(&sheet->code);
}

enum err
node_sheet_make(const struct mem *mem, const uint8_t seed[PRIM_ED25519_SEED],
                struct node_sheet *out)
{
    enum err e;
    struct node_sheet sheet = {0};
    SCRUBBED_STRUCT(prim_sign_key, key);

    prim_ed25519_from_seed(seed, &key);
    TRY(clinic_id_from(prim_sign_key_pub(&key), &sheet.root));
    TRY(ident_sheet_words(mem, seed, &sheet.words));
    TRY(ident_sheet_qr(mem, seed, &sheet.code));
    *out = sheet;
    memset(&sheet, 0, sizeof(sheet));
out:
    node_sheet_clear(&sheet);
    return e;
}

/* What the one transaction of a new node writes. */
struct first {
    const struct mem *mem;
    const struct node_init *init;
    const struct prim_sign_key *root;
};

static enum err
write_member(struct store_txn *txn, const struct first *f, uint64_t now_ms)
{
    enum err e;
    struct store_member m = {0};
    struct store_audit row = {.action = NODE_AUDIT_INIT};

    TRY(store_random(store_txn_store(txn), m.id.b, sizeof(m.id.b)));
    m.admin = true;
    m.created_ms = now_ms;
    TRY(phi_from(f->mem, f->init->member, &m.name));
    TRY(store_member_put(txn, &m));
    row.actor = store_actor_member(&m.id);
    TRY(store_audit_append(txn, &row));
out:
    store_member_clear(&m);
    return e;
}

static enum err
write_first(void *ctx, struct store_txn *txn)
{
    enum err e;
    const struct first *f = ctx;
    struct node_identity id = {0};
    struct node_profile profile = {0};
    uint64_t now_ms = store_now_ms(store_txn_store(txn));

    TRY(node_identity_make(f->mem, prim_rng_system(), now_ms, f->root, 1, &id));
    TRY(node_identity_save(txn, &id));
    TRY(node_root_seed_save(txn, f->root->seed));
    profile.changed_ms = now_ms;
    TRY(phi_from(f->mem, f->init->name, &profile.name));
    TRY(phi_from(f->mem, f->init->address, &profile.address));
    TRY(phi_from(f->mem, f->init->phone, &profile.phone));
    TRY(bytes_copy(f->mem, f->init->picture, &profile.picture));
    TRY(node_profile_save(txn, &profile));
    TRY(write_member(txn, f, now_ms));
out:
    node_identity_clear(&id);
    node_profile_clear(&profile);
    return e;
}

static bool
words_good(const struct node_init *init)
{
    return init->name.len > 0 && init->name.len <= IDENT_NAME_MAX &&
           init->address.len <= IDENT_ADDRESS_MAX &&
           init->phone.len <= IDENT_PHONE_MAX &&
           init->member.len <= IDENT_NAME_MAX && node_plain(init->name) &&
           node_plain(init->address) && node_plain(init->phone) &&
           node_plain(init->member);
}

/*
 * Make the store and open it.  One without an identity is what an interrupted
 * init left: it is taken over.
 */
static enum err
new_store(const struct store_config *config, struct store **out)
{
    enum err e = store_create(config);
    struct store *s = NULL;
    struct store_txn *txn = NULL;
    struct node_identity id = {0};

    if (e == OK) {
        return store_open(config, out);
    }
    if (e != ERR_EXISTS || store_open(config, &s) != OK ||
        store_read_begin(s, &txn) != OK) {
        goto out;
    }
    if (node_identity_load(txn, &id) == ERR_MISSING) {
        *out = s;
        s = NULL;
        e = OK;
    }
out:
    node_identity_clear(&id);
    store_read_end(txn);
    store_close(s);
    return e;
}

enum err
node_init(const struct mem *mem, const struct log *log,
          const struct node_config *config, const struct node_init *init,
          struct node_sheet *out)
{
    enum err e;
    struct node_vault vault = {0};
    struct store *store = NULL;
    struct node_sheet sheet = {0};
    SCRUBBED_STRUCT(prim_sign_key, root);
    struct first f = {mem, init, &root};

    if (!words_good(init)) {
        return ERR_INVALID;
    }
    TRY(ident_key_new(prim_rng_system(), &root));
    TRY(node_sheet_make(mem, root.seed, &sheet));
    TRY(node_vault_create(mem, log, config, &vault));
    TRY(new_store(&vault.config, &store));
    TRY(store_write(store, write_first, &f, 0));
    *out = sheet;
    memset(&sheet, 0, sizeof(sheet));
out:
    store_close(store);
    node_vault_clear(&vault);
    node_sheet_clear(&sheet);
    return e;
}
