/* SPDX-License-Identifier: Apache-2.0 */
/* What mls-peer can be asked. */
#include "crypto/mls/group_int.h"
#include "tests/interop/mls_peer.h"

#include <string.h>

static enum err
put_epoch(struct peer_actor *a, json_t *out, const char *key)
{
    peer_put_num(out, key, mls_group_epoch(a->group));
    peer_put_hex(out, "auth", mls_group_authenticator(a->group));
    return OK;
}

static void
drop_group(struct peer_actor *a)
{
    mls_stage_free(a->pending);
    a->pending = NULL;
    mls_group_free(a->group);
    a->group = NULL;
}

/* A new group becomes the actor's, with an empty store. */
static enum err
take_group(struct peer_actor *a, struct mls_group **take_group, json_t *out)
{
    enum err e;

    drop_group(a);
    peer_store_clear(a);
    a->group = *take_group;
    *take_group = NULL;
    TRY(peer_store_saved(a));
    TRY(put_epoch(a, out, "epoch"));
out:
    return e;
}

/* ---------------------------------------------------------- coming in */

static enum err
op_kp(struct peer *p, struct peer_actor *a, json_t *out)
{
    static const uint8_t greased[] = {0x1a, 0x1a, 2, 1, 2};
    enum err e;
    struct mls_key_package_made made = {0};
    struct mls_identity who;
    struct mls_key_package_opts opts = {0};
    struct mls_own_key_package own = {0};
    uint64_t now;

    (void)a;
    TRY(peer_actor_for(p, (uint16_t)peer_num(p->in, "suite", 0), &a));
    a->grease = peer_flag(p->in, "grease", false);
    now = clock_wall_ms(a->env.clock) / 1000u;
    opts.suite = a->suite;
    opts.not_before_s = now - 3600u;
    opts.not_after_s = now + 30u * 86400u;
    if (a->grease) {
        TRY(mls_extensions_from(VIEW_ARRAY(greased), &opts.extensions));
    }
    TRY(peer_identity(a, &who));
    TRY(mls_key_package_make(&a->env, &who, &opts, &made));
    TRY(mls_own_key_package_read(view_of(&made.record), &own));
    bytes_free(&a->key_package);
    a->key_package = bytes_take(&made.record);
    peer_put_hex(out, "kp", view_of(&made.key_package));
    peer_put_hex(out, "init_priv", prim_secret_view(&own.init.priv));
    peer_put_hex(out, "enc_priv", prim_secret_view(&own.leaf.priv));
    peer_put_hex(out, "sig_priv", VIEW_ARRAY(a->seed));
out:
    mem_wipe(&own, sizeof(own));
    mls_key_package_made_clear(&made);
    return e;
}

static enum err
op_create(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e = OK;
    struct mls_create_opts opts = {0};
    struct mls_identity who;
    struct mls_group *group = NULL;

    opts.suite = (uint16_t)peer_num(p->in, "suite", 0);
    opts.group_id = peer_hex(p, p->in, "gid", &e);
    TRY(e);
    TRY(peer_extensions(p, json_object_get(p->in, "exts"), &opts.extensions));
    TRY(peer_actor_for(p, opts.suite, &a));
    TRY(peer_identity(a, &who));
    TRY(mls_create(&a->env, &who, &opts, &group));
    TRY(take_group(a, &group, out));
out:
    mls_group_free(group);
    return e;
}

static enum err
add_psks(struct peer_actor *a, const json_t *list)
{
    enum err e = OK;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *x = json_array_get(list, i);
        struct view id = peer_hex(a->peer, x, "id", &e);
        struct view psk = peer_hex(a->peer, x, "psk", &e);
        TRY(e);
        TRY(peer_psk_add(a, id, psk));
    }
out:
    return e;
}

static enum err
op_join(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e = OK;
    struct mls_join_opts opts = {.key_package_record =
                                     view_of(&a->key_package)};
    struct mls_group *group = NULL;

    opts.welcome = peer_hex(p, p->in, "welcome", &e);
    opts.tree = peer_hex(p, p->in, "tree", &e);
    TRY(e);
    TRY(add_psks(a, json_object_get(p->in, "psks")));
    TRY(mls_join(&a->env, &opts, &group));
    bytes_free(&a->key_package);
    TRY(take_group(a, &group, out));
out:
    mls_group_free(group);
    return e;
}

static enum err
op_extjoin(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e = OK;
    const json_t *list = json_object_get(p->in, "psks");
    struct mls_external_opts opts = {0};
    struct mls_external_made made = {0};
    struct mls_identity who;
    struct mls_psk_id *ids =
        arena_calloc(&p->arena, json_array_size(list) + 1, sizeof(*ids));

    TRY(ids != NULL ? OK : ERR_NOMEM);
    TRY(add_psks(a, list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        ids[i].type = MLS_PSK_EXTERNAL;
        ids[i].id = peer_hex(p, json_array_get(list, i), "id", &e);
        TRY(e);
    }
    opts.psks.items = ids;
    opts.psks.count = (uint32_t)json_array_size(list);
    opts.group_info = peer_hex(p, p->in, "gi", &e);
    opts.tree = peer_hex(p, p->in, "tree", &e);
    TRY(e);
    opts.resync = peer_flag(p->in, "resync", false);
    if (json_object_get(p->in, "remove") != NULL) {
        opts.resync = true;
        opts.remove_leaf = (uint32_t)peer_num(p->in, "remove", 0);
    } else if (opts.resync) {
        TRY(a->group != NULL ? OK : ERR_STATE);
        opts.remove_leaf = mls_group_own_leaf(a->group);
    }
    TRY(peer_identity(a, &who));
    TRY(mls_join_external(&a->env, &who, &opts, &made));
    peer_put_hex(out, "commit", view_of(&made.commit));
    TRY(take_group(a, &made.group, out));
out:
    mls_external_made_clear(&made);
    return e;
}

/* ------------------------------------------------------------ proposals */

static enum err
op_psk(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e = OK;
    struct view id = peer_hex(p, p->in, "id", &e);
    struct view psk = peer_hex(p, p->in, "psk", &e);

    (void)out;
    TRY(e);
    TRY(peer_psk_add(a, id, psk));
out:
    return e;
}

static void
resumption(struct peer_actor *a, uint64_t epoch, struct mls_psk_id *out)
{
    *out = (struct mls_psk_id){.type = MLS_PSK_RESUMPTION,
                               .usage = MLS_PSK_APPLICATION,
                               .group_id = mls_group_id(a->group),
                               .epoch = epoch};
}

static enum err
new_extensions(struct peer *p, const json_t *list, struct mls_proposal_in *in)
{
    in->type = MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS;
    return peer_extensions(p, list, &in->extensions);
}

static enum err
proposal_of(struct peer *p, struct peer_actor *a, struct mls_proposal_in *in)
{
    enum err e = OK;
    struct view kind = peer_text(p->in, "kind");

    *in = (struct mls_proposal_in){0};
    if (view_equal(kind, VIEW_LIT("add"))) {
        in->type = MLS_PROPOSAL_ADD;
        in->key_package = peer_hex(p, p->in, "kp", &e);
    } else if (view_equal(kind, VIEW_LIT("remove"))) {
        in->type = MLS_PROPOSAL_REMOVE;
        in->leaf = (uint32_t)peer_num(p->in, "index", MLS_NO_LEAF);
    } else if (view_equal(kind, VIEW_LIT("update"))) {
        in->type = MLS_PROPOSAL_UPDATE;
    } else if (view_equal(kind, VIEW_LIT("psk"))) {
        in->type = MLS_PROPOSAL_PSK;
        in->psk.type = MLS_PSK_EXTERNAL;
        in->psk.id = peer_hex(p, p->in, "id", &e);
    } else if (view_equal(kind, VIEW_LIT("respsk"))) {
        in->type = MLS_PROPOSAL_PSK;
        resumption(a, peer_num(p->in, "epoch", 0), &in->psk);
    } else if (view_equal(kind, VIEW_LIT("gce"))) {
        e = new_extensions(p, json_object_get(p->in, "exts"), in);
    } else {
        e = ERR_UNSUPPORTED;
    }
    return e;
}

static enum err
op_propose(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e = OK;
    struct mls_proposal_in in;
    struct mls_proposed made = {0};
    struct view aad = peer_hex(p, p->in, "aad", &e);

    TRY(e);
    TRY(proposal_of(p, a, &in));
    TRY(mls_propose(a->group, &in, peer_flag(p->in, "encrypt", true), aad,
                    &made));
    TRY(peer_store_change(a, made.change));
    peer_put_hex(out, "msg", view_of(&made.message));
out:
    mls_proposed_clear(&made);
    return e;
}

/* -------------------------------------------------------------- commits */

enum {
    VALUES_MAX = 64
};

struct values {
    struct mls_proposal_in at[VALUES_MAX];
    size_t count;
};

static struct mls_proposal_in *
next_value(struct values *v, uint16_t type)
{
    struct mls_proposal_in *in = &v->at[v->count++];

    *in = (struct mls_proposal_in){.type = type};
    return in;
}

static enum err
values_of(struct peer *p, struct peer_actor *a, struct values *v)
{
    enum err e = OK;
    const json_t *adds = json_object_get(p->in, "adds");
    const json_t *removes = json_object_get(p->in, "removes");
    const json_t *psks = json_object_get(p->in, "psks");
    const json_t *gce = json_object_get(p->in, "gce");
    size_t i;

    if (json_array_size(adds) + json_array_size(removes) +
            json_array_size(psks) + 2 >
        VALUES_MAX) {
        return ERR_LIMIT;
    }
    if (gce != NULL) {
        TRY(new_extensions(p, gce, next_value(v, 0)));
    }
    for (i = 0; i < json_array_size(removes); i++) {
        next_value(v, MLS_PROPOSAL_REMOVE)->leaf =
            (uint32_t)json_integer_value(json_array_get(removes, i));
    }
    for (i = 0; i < json_array_size(adds); i++) {
        next_value(v, MLS_PROPOSAL_ADD)->key_package =
            peer_unhex(p, json_array_get(adds, i), &e);
    }
    for (i = 0; i < json_array_size(psks); i++) {
        struct mls_psk_id *id = &next_value(v, MLS_PROPOSAL_PSK)->psk;
        id->type = MLS_PSK_EXTERNAL;
        id->id = peer_unhex(p, json_array_get(psks, i), &e);
    }
    if (json_object_get(p->in, "respsk") != NULL) {
        resumption(a, peer_num(p->in, "respsk", 0),
                   &next_value(v, MLS_PROPOSAL_PSK)->psk);
    }
out:
    return e;
}

/* The tree after a commit of our own, for a Welcome that does not bring it:
 * read from the GroupInfo of the new epoch. */
static enum err
put_next_tree(struct peer *p, struct view group_info, json_t *out)
{
    enum err e;
    struct mls_message m;
    struct mls_extension tree;

    TRY(mls_message_decode(&p->arena, group_info, &m, NULL));
    TRY(mls_extensions_find(m.u.group_info.extensions, MLS_EXT_RATCHET_TREE,
                            &tree)
            ? OK
            : ERR_MISSING);
    peer_put_hex(out, "tree", tree.data);
out:
    return e;
}

static enum err
op_commit(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e = OK;
    struct values values = {.count = 0};
    struct mls_commit_opts opts = {0};
    struct mls_committed made = {0};
    bool tree = peer_flag(p->in, "tree", true);

    TRY(values_of(p, a, &values));
    opts.proposals = values.at;
    opts.proposals_len = values.count;
    opts.force_path = peer_flag(p->in, "force_path", false);
    opts.as_private = peer_flag(p->in, "encrypt", true);
    opts.no_tree = !tree;
    opts.want_group_info = !tree;
    opts.aad = peer_hex(p, p->in, "aad", &e);
    TRY(e);
    TRY(mls_commit(a->group, &opts, &made));
    TRY(peer_store_change(a, made.change));
    peer_put_hex(out, "commit", view_of(&made.commit));
    if (made.welcome.len > 0) {
        peer_put_hex(out, "welcome", view_of(&made.welcome));
    }
    if (!tree) {
        TRY(put_next_tree(p, view_of(&made.group_info), out));
    }
    mls_stage_free(a->pending);
    a->pending = made.stage;
    made.stage = NULL;
out:
    mls_committed_clear(&made);
    return e;
}

static enum err
install(struct peer_actor *a, struct mls_stage **take_stage)
{
    enum err e;

    TRY(mls_merge(a->group, take_stage));
    TRY(peer_store_saved(a));
out:
    return e;
}

static enum err
op_merge(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e;

    if (a->pending == NULL) {
        p->why = "nothing to merge";
        return ERR_STATE;
    }
    TRY(install(a, &a->pending));
    TRY(put_epoch(a, out, "epoch"));
out:
    return e;
}

static enum err
op_clear(struct peer *p, struct peer_actor *a, json_t *out)
{
    (void)p;
    (void)out;
    mls_stage_free(a->pending);
    a->pending = NULL;
    return OK;
}

static enum err
process(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e = OK;
    struct mls_processed done = {0};
    struct mls_stage_info info;
    struct view msg = peer_hex(p, p->in, "msg", &e);

    TRY(e);
    TRY(mls_process(a->group, msg, &done));
    if (done.kind == MLS_PROCESSED_PROPOSAL) {
        TRY(peer_store_change(a, done.change));
        json_object_set_new(out, "proposal", json_true());
        goto out;
    }
    mls_stage_info(done.stage, &info);
    TRY(install(a, &done.stage));
    TRY(op_clear(p, a, out)); /* another commit won */
    if (info.self_removed) {
        json_object_set_new(out, "removed", json_true());
        TRY(mls_group_is_removed(a->group) ? OK : ERR_INTERNAL);
        goto out;
    }
    TRY(put_epoch(a, out, "newepoch"));
out:
    mls_processed_clear(&done);
    return e;
}

/* ------------------------------------------------------------- messages */

static enum err
op_protect(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e = OK;
    struct mls_protected made = {0};
    struct view pt = peer_hex(p, p->in, "pt", &e);
    struct view aad = peer_hex(p, p->in, "aad", &e);
    size_t pad = (size_t)peer_num(p->in, "pad", 0);

    TRY(e);
    TRY(mls_protect(a->group, pt, aad, pad, &made));
    if (a->messages++ % 3 == 1) {
        /* The transaction failed: take it back and do it again. */
        mls_undo(a->group, &made.change);
        TRY(peer_store_compare(a));
        mls_protected_clear(&made);
        TRY(mls_protect(a->group, pt, aad, pad, &made));
    }
    TRY(peer_store_change(a, made.change));
    peer_put_hex(out, "msg", view_of(&made.message));
out:
    mls_protected_clear(&made);
    return e;
}

static enum err
unprotect(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e = OK;
    struct mls_unprotected got = {0};
    struct view msg = peer_hex(p, p->in, "msg", &e);

    TRY(e);
    TRY(mls_unprotect(a->group, msg, &got));
    if (a->messages++ % 3 == 1) {
        mls_undo(a->group, &got.change);
        TRY(peer_store_compare(a));
        mls_unprotected_clear(&got);
        TRY(mls_unprotect(a->group, msg, &got));
    }
    TRY(peer_store_change(a, got.change));
    peer_put_hex(out, "pt", view_of(&got.plaintext));
    peer_put_hex(out, "aad", view_of(&got.aad));
    peer_put_num(out, "sender", got.sender);
out:
    mls_unprotected_clear(&got);
    return e;
}

/* An error must have changed nothing. */
static enum err
unchanged(struct peer_actor *a, const uint8_t before[32], enum err e)
{
    uint8_t after[32];

    if (e == OK || e == ERR_CORRUPT) {
        return e;
    }
    if (peer_fingerprint(a, after) != OK || memcmp(before, after, 32) != 0) {
        a->peer->why = "a failed call changed the group";
        return ERR_INTERNAL;
    }
    return e;
}

static enum err
op_process(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e;
    uint8_t before[32];

    TRY(peer_fingerprint(a, before));
    e = unchanged(a, before, process(p, a, out));
out:
    return e;
}

static enum err
op_unprotect(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e;
    uint8_t before[32];

    TRY(peer_fingerprint(a, before));
    e = unchanged(a, before, unprotect(p, a, out));
out:
    return e;
}

/* ------------------------------------------------------------ looking */

static enum err
op_gi(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e;
    struct bytes gi = {0};

    TRY(mls_group_info(a->group, peer_flag(p->in, "tree", true), &gi));
    peer_put_hex(out, "gi", view_of(&gi));
out:
    bytes_free(&gi);
    return e;
}

static enum err
op_info(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e;
    json_t *members = json_array();
    struct bytes tree = {0};

    (void)p;
    for (uint32_t i = 0; i < mls_group_leaf_count(a->group); i++) {
        struct mls_member m;
        json_t *x;
        if (mls_member_at(a->group, i, &m) != OK) {
            continue;
        }
        x = json_object();
        peer_put_num(x, "index", i);
        json_object_set_new(
            x, "identity",
            json_stringn((const char *)m.credential.p, m.credential.len));
        json_array_append_new(members, x);
    }
    json_object_set(out, "members", members);
    TRY(put_epoch(a, out, "epoch"));
    peer_put_num(out, "index", mls_group_own_leaf(a->group));
    peer_put_hex(out, "tree_hash", mls_group_tree_hash(a->group));
    TRY(mls_tree_export(a->group, &tree));
    peer_put_hex(out, "tree", view_of(&tree));
out:
    json_decref(members);
    bytes_free(&tree);
    return e;
}

static enum err
op_export(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e = OK;
    struct bytes secret = {0};
    const char *label = json_string_value(json_object_get(p->in, "label"));
    struct view ctx = peer_hex(p, p->in, "ctx", &e);

    TRY(e);
    TRY(mls_export(a->group, label != NULL ? label : "", ctx,
                   (size_t)peer_num(p->in, "len", 32), &secret));
    peer_put_hex(out, "secret", view_of(&secret));
out:
    bytes_free(&secret);
    return e;
}

static enum err
op_save(struct peer *p, struct peer_actor *a, json_t *out)
{
    (void)p;
    return peer_actor_save(a, out);
}

static enum err
op_load(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e = OK;
    struct view state = peer_hex(p, p->in, "state", &e);

    (void)a;
    (void)out;
    TRY(e);
    TRY(peer_actor_load(p, peer_text(p->in, "who"), state));
out:
    return e;
}

static enum err
op_forget(struct peer *p, struct peer_actor *a, json_t *out)
{
    (void)out;
    peer_forget(p, a);
    return OK;
}

const struct peer_op peer_ops[] = {
    {"kp", false, false, op_kp},
    {"create", false, false, op_create},
    {"join", true, false, op_join},
    {"extjoin", true, false, op_extjoin},
    {"psk", true, false, op_psk},
    {"propose", true, true, op_propose},
    {"commit", true, true, op_commit},
    {"merge", true, true, op_merge},
    {"clear", true, true, op_clear},
    {"process", true, true, op_process},
    {"protect", true, true, op_protect},
    {"unprotect", true, true, op_unprotect},
    {"gi", true, true, op_gi},
    {"info", true, true, op_info},
    {"export", true, true, op_export},
    {"save", true, false, op_save},
    {"load", false, false, op_load},
    {"negative", true, true, peer_op_negative},
    {"forget", true, false, op_forget},
    {NULL, false, false, NULL},
};
