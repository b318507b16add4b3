/* SPDX-License-Identifier: Apache-2.0 */
#include "node/identity.h"

#include "crypto/prim/hash.h"
#include "node/clinic/picture.h"

#include "crypto/prim/secret.h"
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"
#include "store/settings.h"

#include <string.h>

static const char IDENTITY[] = "node.identity";
static const char PROFILE[] = "node.profile";
static const char ROOT_SEED[] = "node.root_seed";

enum {
    VERSION = 1,
    RECORD_MAX = 8192,
    GENERATION_EPOCH_S = 1735689600 /* 2025-01-01, before the first node */
};

void
node_identity_clear(struct node_identity *id)
{
    bytes_free(&id->renewal_cert);
    bytes_free(&id->chain);
    bytes_free(&id->revocation);
    mem_wipe(id, sizeof(*id));
}

/* Certify id->node at id->generation and make the chain. */
static enum err
certify_node(const struct mem *mem, uint64_t now_ms, struct node_identity *id)
{
    enum err e;
    struct ident_cert cert = {0};
    struct bytes signed_cert = {0};
    struct bytes chain = {0};

    cert.root = id->root;
    memcpy(cert.key, id->node.pub, sizeof(cert.key));
    cert.generation = id->generation;
    cert.not_before_ms = now_ms;
    cert.not_after_ms = now_ms + IDENT_NODE_MS;
    TRY(ident_cert_make(mem, IDENT_NODE, &id->renewal, &cert, &signed_cert));
    TRY(ident_chain_make(mem, view_of(&id->renewal_cert), view_of(&signed_cert),
                         &chain));
    bytes_free(&id->chain);
    id->chain = bytes_take(&chain);
    id->node_not_after_ms = cert.not_after_ms;
out:
    bytes_free(&signed_cert);
    bytes_free(&chain);
    return e;
}

enum err
node_identity_make(const struct mem *mem, const struct rng *rng,
                   uint64_t now_ms, const struct prim_sign_key *root,
                   uint32_t renewal_generation, struct node_identity *out)
{
    enum err e;
    struct node_identity id = {0};
    struct ident_cert cert = {0};

    TRY(clinic_id_from(prim_sign_key_pub(root), &id.root));
    TRY(ident_key_new(rng, &id.renewal));
    TRY(ident_key_new(rng, &id.node));
    cert.root = id.root;
    memcpy(cert.key, id.renewal.pub, sizeof(cert.key));
    cert.generation = ident_generation(renewal_generation, 0);
    cert.not_before_ms = now_ms;
    cert.not_after_ms = now_ms + IDENT_RENEWAL_MS;
    TRY(ident_cert_make(mem, IDENT_RENEWAL, root, &cert, &id.renewal_cert));
    id.renewal_not_after_ms = cert.not_after_ms;
    id.generation = ident_generation(renewal_generation, 1);
    TRY(certify_node(mem, now_ms, &id));
    *out = id;
    memset(&id, 0, sizeof(id));
out:
    node_identity_clear(&id);
    return e;
}

enum err
node_identity_renew(const struct mem *mem, const struct rng *rng,
                    uint64_t now_ms, bool new_key, struct node_identity *id)
{
    enum err e = OK;
    SCRUBBED_STRUCT(prim_sign_key, before);
    uint64_t generation = id->generation;

    if (now_ms > id->renewal_not_after_ms) {
        return ERR_STALE;
    }
    before = id->node;
    if (new_key) {
        TRY(ident_key_new(rng, &id->node));
    }
    id->generation++;
    TRY(certify_node(mem, now_ms, id));
out:
    if (e != OK) {
        id->node = before;
        id->generation = generation;
    }
    return e;
}

enum err
node_identity_raise(struct node_identity *id, uint64_t above)
{
    if (above >> 32 > id->generation >> 32) {
        return ERR_STALE;
    }
    id->generation = above > id->generation ? above : id->generation;
    return OK;
}

uint64_t
node_identity_after_loss(const struct node_identity *id, uint64_t now_ms)
{
    uint64_t s = now_ms / 1000;

    s = s > GENERATION_EPOCH_S ? s - GENERATION_EPOCH_S : 0;
    return ident_generation((uint32_t)(id->generation >> 32),
                            s > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)s);
}

bool
node_identity_due(const struct node_identity *id, uint64_t now_ms)
{
    return now_ms + IDENT_RENEW_EARLY_MS > id->node_not_after_ms &&
           now_ms <= id->renewal_not_after_ms &&
           id->node_not_after_ms < id->renewal_not_after_ms;
}

enum err
node_identity_save(struct store_txn *txn, const struct node_identity *id)
{
    enum err e;
    struct proto_wr w = proto_wr_open(store_txn_mem(txn));

    proto_wr_array(&w, 10);
    proto_wr_uint(&w, VERSION);
    proto_wr_bin(&w, clinic_id_view(&id->root));
    proto_wr_bin(&w, VIEW_ARRAY(id->renewal.seed));
    proto_wr_bin(&w, VIEW_ARRAY(id->node.seed));
    proto_wr_uint(&w, id->generation);
    proto_wr_uint(&w, id->renewal_not_after_ms);
    proto_wr_uint(&w, id->node_not_after_ms);
    proto_wr_bin(&w, view_of(&id->renewal_cert));
    proto_wr_bin(&w, view_of(&id->chain));
    proto_wr_bin(&w, view_of(&id->revocation));
    TRY(w.e);
    TRY(store_setting_put(txn, IDENTITY, proto_wr_view(&w)));
out:
    proto_wr_clear(&w);
    return e;
}

static enum err
identity_decode(const struct mem *mem, struct view in,
                struct node_identity *out)
{
    enum err e;
    struct node_identity id = {0};
    struct proto_rd r = proto_rd_open(in);
    struct view renewal_cert;
    struct view chain;
    struct view revocation;
    SCRUBBED(renewal, PRIM_ED25519_SEED);
    SCRUBBED(node, PRIM_ED25519_SEED);

    proto_rd_array(&r, 10);
    (void)proto_rd_uint(&r, VERSION);
    id.root = proto_rd_clinic_id(&r);
    proto_rd_fixed(&r, renewal, PRIM_ED25519_SEED);
    proto_rd_fixed(&r, node, PRIM_ED25519_SEED);
    id.generation = proto_rd_u64(&r);
    id.renewal_not_after_ms = proto_rd_u64(&r);
    id.node_not_after_ms = proto_rd_u64(&r);
    renewal_cert = proto_rd_bin(&r, RECORD_MAX);
    chain = proto_rd_bin(&r, RECORD_MAX);
    revocation = proto_rd_bin(&r, RECORD_MAX);
    TRY(proto_rd_end(&r));
    prim_ed25519_from_seed(renewal, &id.renewal);
    prim_ed25519_from_seed(node, &id.node);
    TRY(bytes_copy(mem, renewal_cert, &id.renewal_cert));
    TRY(bytes_copy(mem, chain, &id.chain));
    TRY(bytes_copy(mem, revocation, &id.revocation));
    *out = id;
    memset(&id, 0, sizeof(id));
out:
    node_identity_clear(&id);
    return e;
}

enum err
node_identity_load(struct store_txn *txn, struct node_identity *out)
{
    enum err e;
    struct bytes b = {0};

    TRY(store_setting_get(txn, IDENTITY, &b));
    TRY(identity_decode(store_txn_mem(txn), view_of(&b), out));
out:
    bytes_free(&b);
    return e == ERR_FORMAT || e == ERR_LIMIT ? ERR_CORRUPT : e;
}

/* ----------------------------------------------------------------- profile */

void
node_profile_clear(struct node_profile *p)
{
    phi_free(&p->name);
    phi_free(&p->address);
    phi_free(&p->phone);
    bytes_free(&p->picture);
    p->changed_ms = 0;
}

enum err
node_profile_save(struct store_txn *txn, const struct node_profile *p)
{
    enum err e;
    struct proto_wr w = proto_wr_open(store_txn_mem(txn));

    proto_wr_array(&w, 5);
    proto_wr_uint(&w, VERSION);
    proto_wr_uint(&w, p->changed_ms);
    proto_wr_str(&w, proto_phi_reveal(&p->name));
    proto_wr_str(&w, proto_phi_reveal(&p->address));
    proto_wr_str(&w, proto_phi_reveal(&p->phone));
    TRY(w.e);
    TRY(store_setting_put(txn, PROFILE, proto_wr_view(&w)));
    TRY(node_picture_put(txn, NULL, view_of(&p->picture)));
out:
    proto_wr_clear(&w);
    return e;
}

enum err
node_profile_load(struct store_txn *txn, struct node_profile *out)
{
    enum err e;
    struct bytes b = {0};
    struct node_profile p = {0};
    struct proto_rd r;
    struct view name;
    struct view address;
    struct view phone;
    const struct mem *mem = store_txn_mem(txn);

    TRY(store_setting_get(txn, PROFILE, &b));
    r = proto_rd_open(view_of(&b));
    proto_rd_array(&r, 5);
    (void)proto_rd_uint(&r, VERSION);
    p.changed_ms = proto_rd_u64(&r);
    name = proto_rd_str(&r, IDENT_NAME_MAX);
    address = proto_rd_str(&r, IDENT_ADDRESS_MAX);
    phone = proto_rd_str(&r, IDENT_PHONE_MAX);
    TRY(proto_rd_end(&r));
    TRY(phi_from(mem, name, &p.name));
    TRY(phi_from(mem, address, &p.address));
    TRY(phi_from(mem, phone, &p.phone));
    e = node_picture_get(txn, NULL, &p.picture);
    TRY(e == ERR_MISSING ? OK : e);
    *out = p;
    memset(&p, 0, sizeof(p));
out:
    node_profile_clear(&p);
    bytes_free(&b);
    return e;
}

enum err
node_profile_sign(const struct mem *mem, const struct node_identity *id,
                  const struct node_profile *p, struct bytes *out)
{
    struct ident_profile profile = {0};
    enum err e = OK;

    profile.root = id->root;
    profile.changed_ms = p->changed_ms;
    profile.name = proto_phi_reveal(&p->name);
    profile.address = proto_phi_reveal(&p->address);
    profile.phone = proto_phi_reveal(&p->phone);
    if (p->picture.len > 0) {
        TRY(proto_picture_read(view_of(&p->picture), &profile.picture));
        prim_sha256(view_of(&p->picture), profile.picture_hash.b);
    }
    TRY(ident_profile_make(mem, &id->node, view_of(&id->chain), &profile, out));
out:
    return e;
}

/* -------------------------------------------------------------------- root */

enum err
node_root_seed_load(struct store_txn *txn, uint8_t seed[PRIM_ED25519_SEED])
{
    enum err e;
    struct bytes b = {0};

    TRY(store_setting_get(txn, ROOT_SEED, &b));
    if (b.len != PRIM_ED25519_SEED) {
        TRY(ERR_CORRUPT);
    }
    memcpy(seed, b.p, PRIM_ED25519_SEED);
out:
    bytes_free(&b);
    return e;
}

enum err
node_root_seed_save(struct store_txn *txn,
                    const uint8_t seed[PRIM_ED25519_SEED])
{
    return store_setting_put(txn, ROOT_SEED,
                             view_make(seed, PRIM_ED25519_SEED));
}

enum err
node_root_seed_drop(struct store_txn *txn)
{
    enum err e = store_setting_del(txn, ROOT_SEED);

    return e == ERR_MISSING ? OK : e;
}
