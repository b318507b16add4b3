/* SPDX-License-Identifier: Apache-2.0 */
/* Profile, recovery sheet, the node's key. */
#include "crypto/ident/sheet.h"
#include "crypto/prim/random.h"
#include "crypto/prim/secret.h"
#include "node/api.h"
#include "node/clinic/desk.h"
#include "node/clinic/picture.h"
#include "node/init.h"
#include "node/self.h"
#include "node/web_pages.h"

#include <string.h>

/* ----------------------------------------------------------------- profile */

static void
show_profile(const struct node_api *api, json_t *o)
{
    struct proto_picture what;

    node_json_hex(o, "id", clinic_id_view(&api->root));
    node_json_view(o, "name", proto_phi_reveal(&api->profile.name));
    node_json_view(o, "address", proto_phi_reveal(&api->profile.address));
    node_json_view(o, "phone", proto_phi_reveal(&api->profile.phone));
    if (proto_picture_read(view_of(&api->profile.picture), &what) == OK) {
        node_json_picture(o, &what);
    }
}

enum err
node_cmd_profile_show(struct node_call *c)
{
    (void)pthread_mutex_lock(&c->api->identity_mx);
    show_profile(c->api, c->out);
    (void)pthread_mutex_unlock(&c->api->identity_mx);
    return OK;
}

static enum err
set_words(struct node_call *c, const char *flag, size_t max, struct phi *out)
{
    struct view v = node_call_flag(c, flag);

    if (!node_call_has(c, flag)) {
        return OK;
    }
    if (v.len > max) {
        return node_call_fail(c, ERR_LIMIT, "--%s has at most %zu bytes.", flag,
                              max);
    }
    phi_free(out);
    return phi_from(c->api->mem, v, out);
}

/* --picture, --no-picture: *change says that there is one of them. */
static enum err
read_picture(struct node_call *c, bool *change, struct bytes *out)
{
    enum err e = OK;

    *change = node_call_has(c, "no-picture") || c->files_len > 0;
    if (node_call_has(c, "no-picture") && c->files_len > 0) {
        return node_call_fail(c, ERR_INVALID,
                              "Give --picture or --no-picture, not both.");
    }
    if (c->files_len > 0) {
        e = node_picture_file(c->api->mem, c->files[0], out);
    }
    return e == OK || e == ERR_NOMEM
               ? e
               : node_call_fail(c, e, "%s", node_picture_fault(e));
}

enum err
node_cmd_profile_set(struct node_call *c)
{
    enum err e;
    struct node_self s = {.action = NODE_AUDIT_PROFILE};
    struct node_web_owner owner;
    struct bytes picture = {0};
    bool change;

    e = read_picture(c, &change, &picture);
    if (e != OK) {
        return e;
    }
    (void)pthread_mutex_lock(&c->api->identity_mx);
    TRY(node_self_begin(c->api, &s));
    TRY(set_words(c, "name", IDENT_NAME_MAX, &s.profile.name));
    TRY(set_words(c, "street", IDENT_ADDRESS_MAX, &s.profile.address));
    TRY(set_words(c, "phone", IDENT_PHONE_MAX, &s.profile.phone));
    if (phi_len(&s.profile.name) == 0) {
        TRY(node_call_fail(c, ERR_INVALID, "The clinic needs a name."));
    }
    if (change) {
        bytes_free(&s.profile.picture);
        s.profile.picture = bytes_take(&picture);
    }
    s.profile.changed_ms = store_now_ms(c->api->store);
    TRY(node_self_commit(&s));
    owner.root = c->api->root;
    owner.picture = view_of(&c->api->profile.picture);
    e = node_web_pages(c->api->mem, node_runner_net(c->api->runner), &owner);
    TRY(e == ERR_STATE ? OK : e); /* there is no web port */
    show_profile(c->api, c->out);
out:
    (void)pthread_mutex_unlock(&c->api->identity_mx);
    node_self_clear(&s);
    bytes_free(&picture);
    return e;
}

/* ---------------------------------------------------------------- recovery */

struct recovery {
    struct node_call *c;
    uint64_t n; /* 0 printed, 1 checked */
};

static enum err
write_recovery(void *ctx, struct store_txn *txn)
{
    enum err e = OK;
    struct recovery *r = ctx;

    if (r->n == 1) {
        TRY(node_root_seed_drop(txn));
    }
    TRY(node_audit_member(txn, r->c->api, NODE_AUDIT_RECOVERY, (struct view){0},
                          r->n));
out:
    return e;
}

enum err
node_cmd_recovery_sheet(struct node_call *c)
{
    enum err e;
    SCRUBBED(seed, PRIM_ED25519_SEED);
    struct store_txn *txn = NULL;
    struct node_sheet sheet = {0};
    struct recovery r = {c, 0};

    TRY(store_read_begin(c->api->store, &txn));
    e = node_root_seed_load(txn, seed);
    store_read_end(txn);
    if (e == ERR_MISSING) {
        TRY(node_call_fail(c, e,
                           "The sheet was checked, so the node does not "
                           "keep its words any more. They are on your "
                           "paper only."));
    }
    if (e != OK) {
        goto out;
    }
    TRY(node_sheet_make(c->api->mem, seed, &sheet));
    TRY(store_write(c->api->store, write_recovery, &r, STORE_JOB_FREES));
    node_json_hex(c->out, "clinic", clinic_id_view(&sheet.root));
    node_json_view(c->out, "words", view_of(&sheet.words));
    node_json_view(c->out, "code", view_of(&sheet.code));
    node_json_own_name(c->out, "name", c->api);
out:
    node_sheet_clear(&sheet);
    return e;
}

/* The root's key from the words that a person typed. */
static enum err
root_from_words(struct node_call *c, struct view words,
                struct prim_sign_key *out)
{
    SCRUBBED(seed, PRIM_ED25519_SEED);
    unsigned bad = 0;
    enum err e = ident_sheet_read(words, seed, &bad);

    if (e == ERR_FORMAT && bad > 0) {
        return node_call_fail(c, e,
                              "Word %u is not one of the list. Look at "
                              "the sheet again.",
                              bad);
    }
    if (e != OK) {
        return node_call_fail(c, e,
                              "These are not the words of a recovery "
                              "sheet: one is wrong, or two are swapped.");
    }
    prim_ed25519_from_seed(seed, out);
    if (!view_equal(prim_sign_key_pub(out), clinic_id_view(&c->api->root))) {
        return node_call_fail(c, ERR_AUTH,
                              "This is the sheet of another "
                              "clinic.");
    }
    return OK;
}

enum err
node_cmd_recovery_check(struct node_call *c)
{
    enum err e;
    SCRUBBED_STRUCT(prim_sign_key, root);
    struct recovery r = {c, 1};

    TRY(root_from_words(c, node_call_arg(c, 0), &root));
    TRY(store_write(c->api->store, write_recovery, &r, STORE_JOB_FREES));
    node_json_bool(c->out, "checked", true);
out:
    return e;
}

/* -------------------------------------------------------------- rotate-key */

/*
 * With --revoke the root signs that all earlier generations are revoked, and a
 * new renewal key, since whoever had the node had that one too.
 */
static enum err
revoke(struct node_call *c, struct node_self *s)
{
    enum err e;
    SCRUBBED_STRUCT(prim_sign_key, root);
    struct node_identity id = {0};
    uint32_t next = (uint32_t)(s->identity.generation >> 32) + 1;

    TRY(root_from_words(c, node_call_arg(c, 0), &root));
    TRY(node_identity_make(c->api->mem, prim_rng_system(),
                           store_now_ms(c->api->store), &root, next, &id));
    TRY(ident_revoke_make(c->api->mem, &root, ident_generation(next, 0),
                          &id.revocation));
    node_identity_clear(&s->identity);
    s->identity = id;
    memset(&id, 0, sizeof(id));
out:
    node_identity_clear(&id);
    return e;
}

/* A new key; above all that others may have seen when they have seen more. */
static enum err
renew(struct node_call *c, struct node_identity *id)
{
    enum err e;
    struct node_runner_stats stats;
    uint64_t now = store_now_ms(c->api->store);

    node_runner_stats(c->api->runner, &stats);
    if (stats.outdated) {
        TRY(node_identity_raise(id, node_identity_after_loss(id, now)));
    }
    TRY(node_identity_renew(c->api->mem, prim_rng_system(), now, true, id));
out:
    return e;
}

enum err
node_cmd_rotate_key(struct node_call *c)
{
    enum err e;
    struct node_self s = {.action = NODE_AUDIT_KEY};

    (void)pthread_mutex_lock(&c->api->identity_mx);
    TRY(node_self_begin(c->api, &s));
    if (node_call_has(c, "revoke")) {
        s.n = 1;
        TRY(revoke(c, &s));
    } else {
        e = renew(c, &s.identity);
        if (e == ERR_STALE) {
            e = node_call_fail(c, e,
                               "The renewal key has expired. Take the recovery "
                               "sheet and run: balsam rotate-key --revoke");
        }
        if (e != OK) {
            goto out;
        }
    }
    TRY(node_self_commit(&s));
    node_json_num(c->out, "generation",
                  c->api->identity.generation & UINT32_MAX);
    node_json_hex(c->out, "key", VIEW_ARRAY(c->api->identity.node.pub));
out:
    (void)pthread_mutex_unlock(&c->api->identity_mx);
    node_self_clear(&s);
    return e;
}
