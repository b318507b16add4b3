/* SPDX-License-Identifier: Apache-2.0 */
/* How an actor of mls-peer comes into a group. */
#include "crypto/mls/group_int.h"
#include "tests/interop/mls_peer.h"

enum err
peer_put_epoch(struct peer_actor *a, json_t *out, const char *key)
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
    TRY(peer_put_epoch(a, out, "epoch"));
out:
    return e;
}

/* ---------------------------------------------------------- coming in */

enum err
peer_op_kp(struct peer *p, struct peer_actor *a, json_t *out)
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

enum err
peer_op_create(struct peer *p, struct peer_actor *a, json_t *out)
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

enum err
peer_op_join(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e = OK;
    struct mls_join_opts opts = {.key_package_record =
                                     view_of(&a->key_package)};
    struct mls_group *group = NULL;

    opts.welcome = peer_hex(p, p->in, "welcome", &e);
    opts.tree = peer_hex(p, p->in, "tree", &e);
    TRY(e);
    if (peer_flag(p->in, "parent", false)) {
        opts.parent = a->group;
    }
    TRY(add_psks(a, json_object_get(p->in, "psks")));
    TRY(mls_join(&a->env, &opts, &group));
    bytes_free(&a->key_package);
    TRY(take_group(a, &group, out));
out:
    mls_group_free(group);
    return e;
}

enum err
peer_op_extjoin(struct peer *p, struct peer_actor *a, json_t *out)
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

enum err
peer_op_successor(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e = OK;
    const json_t *list = json_object_get(p->in, "kps");
    size_t n = json_array_size(list);
    struct view *kps = arena_calloc(&p->arena, n + 1, sizeof(*kps));
    struct mls_successor_opts opts = {0};
    struct mls_identity who;
    struct mls_group *group = NULL;
    struct bytes welcome = {0};

    TRY(kps != NULL ? OK : ERR_NOMEM);
    for (size_t i = 0; i < n; i++) {
        kps[i] = peer_unhex(p, json_array_get(list, i), &e);
    }
    opts.branch = peer_flag(p->in, "branch", false);
    opts.group_id = peer_hex(p, p->in, "gid", &e);
    TRY(e);
    opts.key_packages = kps;
    opts.key_packages_len = n;
    TRY(peer_identity(a, &who));
    TRY(mls_successor(a->group, &who, &opts, &group, &welcome));
    peer_put_hex(out, "welcome", view_of(&welcome));
    TRY(take_group(a, &group, out));
out:
    mls_group_free(group);
    bytes_free(&welcome);
    return e;
}
