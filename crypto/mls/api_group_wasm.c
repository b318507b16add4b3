/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on keys, groups and stages; see api_wasm.h. */
#include "crypto/mls/api_wasm.h"

#include <string.h>

/* (opaque seed<V>, empty for a fresh one) -> seed<V>, public<V> */
enum err
mls_api_sign_key(struct mls_api *api, struct proto_tls_rd *in,
                 struct proto_tls_wr *out)
{
    SCRUBBED_STRUCT(prim_sign_key, key);
    SCRUBBED(seed, PRIM_ED25519_SEED);
    struct view given = proto_tls_rd_vec(in);
    enum err e;

    TRY(proto_tls_rd_end(in));
    if (given.len == 0) {
        TRY(rng_fill(api->env.rng, seed, sizeof(seed)));
    } else if (given.len == sizeof(seed)) {
        memcpy(seed, given.p, sizeof(seed));
    } else {
        e = ERR_INVALID;
        goto out;
    }
    prim_ed25519_from_seed(seed, &key);
    proto_tls_wr_vec(out, VIEW_ARRAY(seed));
    proto_tls_wr_vec(out, prim_sign_key_pub(&key));
out:
    return e;
}

/* (identity, u16 suite, u64 from, u64 to, u8 last resort, extensions)
 * -> key package<V>, ref<V>, record<V> */
enum err
mls_api_key_package(struct mls_api *api, struct proto_tls_rd *in,
                    struct proto_tls_wr *out)
{
    struct mls_identity who = {0};
    struct mls_key_package_opts opts = {0};
    struct mls_key_package_made made = {0};
    enum err e;

    TRY(mls_api_identity(api, in, &who));
    opts.suite = proto_tls_rd_u16(in);
    opts.not_before_s = proto_tls_rd_u64(in);
    opts.not_after_s = proto_tls_rd_u64(in);
    opts.last_resort = proto_tls_rd_u8(in) != 0;
    TRY(mls_api_extensions(in, &opts.extensions));
    TRY(proto_tls_rd_end(in));
    TRY(mls_key_package_make(&api->env, &who, &opts, &made));
    proto_tls_wr_vec(out, view_of(&made.key_package));
    proto_tls_wr_vec(out, view_of(&made.ref));
    proto_tls_wr_vec(out, view_of(&made.record));
out:
    mls_key_package_made_clear(&made);
    return e;
}

/* (key package<V>) -> u16 suite, member, u64 from, u64 to, u8 last, ref<V> */
enum err
mls_api_key_package_check(struct mls_api *api, struct proto_tls_rd *in,
                          struct proto_tls_wr *out)
{
    struct mls_key_package_info info = {0};
    struct view kp = proto_tls_rd_vec(in);
    enum err e;

    TRY(proto_tls_rd_end(in));
    TRY(mls_key_package_check(&api->env, kp, &info));
    proto_tls_wr_u16(out, info.suite);
    mls_api_put_member(out, &info.member);
    proto_tls_wr_u64(out, info.not_before_s);
    proto_tls_wr_u64(out, info.not_after_s);
    proto_tls_wr_u8(out, info.last_resort);
    proto_tls_wr_vec(out, VIEW_ARRAY(info.ref));
out:
    return e;
}

/* (identity, u16 suite, group id<V>, extensions) -> group */
enum err
mls_api_create(struct mls_api *api, struct proto_tls_rd *in,
               struct proto_tls_wr *out)
{
    struct mls_identity who = {0};
    struct mls_create_opts opts = {0};
    struct mls_group *group = NULL;
    enum err e;

    TRY(mls_api_identity(api, in, &who));
    opts.suite = proto_tls_rd_u16(in);
    opts.group_id = proto_tls_rd_vec(in);
    TRY(mls_api_extensions(in, &opts.extensions));
    TRY(proto_tls_rd_end(in));
    TRY(mls_create(&api->env, &who, &opts, &group));
    mls_api_put_handle(out, group);
out:
    return e;
}

/* (welcome<V>, key package record<V>, tree<V>) -> group */
enum err
mls_api_join(struct mls_api *api, struct proto_tls_rd *in,
             struct proto_tls_wr *out)
{
    struct mls_join_opts opts = {0};
    struct mls_group *group = NULL;
    enum err e;

    opts.welcome = proto_tls_rd_vec(in);
    opts.key_package_record = proto_tls_rd_vec(in);
    opts.tree = proto_tls_rd_vec(in);
    TRY(proto_tls_rd_end(in));
    TRY(mls_join(&api->env, &opts, &group));
    mls_api_put_handle(out, group);
out:
    return e;
}

/* (identity, group info<V>, tree<V>, u8 resync, u32 leaf, aad<V>)
 * -> group, commit<V> */
enum err
mls_api_join_external(struct mls_api *api, struct proto_tls_rd *in,
                      struct proto_tls_wr *out)
{
    struct mls_identity who = {0};
    struct mls_external_opts opts = {0};
    struct mls_external_made made = {0};
    enum err e;

    TRY(mls_api_identity(api, in, &who));
    opts.group_info = proto_tls_rd_vec(in);
    opts.tree = proto_tls_rd_vec(in);
    opts.resync = proto_tls_rd_u8(in) != 0;
    opts.remove_leaf = proto_tls_rd_u32(in);
    opts.aad = proto_tls_rd_vec(in);
    TRY(proto_tls_rd_end(in));
    TRY(mls_join_external(&api->env, &who, &opts, &made));
    mls_api_put_handle(out, made.group);
    proto_tls_wr_vec(out, view_of(&made.commit));
    TRY(out->e);
    made.group = NULL;
out:
    mls_external_made_clear(&made);
    return e;
}

enum err
mls_api_group_free(struct mls_api *api, struct proto_tls_rd *in,
                   struct proto_tls_wr *out)
{
    struct mls_group *group = mls_api_handle(in);

    (void)api;
    (void)out;
    if (in->e == OK) {
        mls_group_free(group);
    }
    return in->e;
}

/* (group) -> u16 suite, id<V>, u64 epoch, u32 own leaf, u32 leaves, u32
 * members, u8 removed, u8 reinit, authenticator<V>, tree hash<V>, ext<V> */
enum err
mls_api_info(struct mls_api *api, struct proto_tls_rd *in,
             struct proto_tls_wr *out)
{
    const struct mls_group *g = mls_api_handle(in);
    enum err e;

    (void)api;
    TRY(proto_tls_rd_end(in));
    proto_tls_wr_u16(out, mls_group_suite(g));
    proto_tls_wr_vec(out, mls_group_id(g));
    proto_tls_wr_u64(out, mls_group_epoch(g));
    proto_tls_wr_u32(out, mls_group_own_leaf(g));
    proto_tls_wr_u32(out, mls_group_leaf_count(g));
    proto_tls_wr_u32(out, mls_group_member_count(g));
    proto_tls_wr_u8(out, mls_group_is_removed(g));
    proto_tls_wr_u8(out, mls_group_is_reinit(g));
    proto_tls_wr_vec(out, mls_group_authenticator(g));
    proto_tls_wr_vec(out, mls_group_tree_hash(g));
    proto_tls_wr_vec(out, mls_group_extensions(g).raw);
out:
    return e;
}

/* (group, u32 leaf) -> member */
enum err
mls_api_member(struct mls_api *api, struct proto_tls_rd *in,
               struct proto_tls_wr *out)
{
    const struct mls_group *g = mls_api_handle(in);
    uint32_t leaf = proto_tls_rd_u32(in);
    struct mls_member m = {0};
    enum err e;

    (void)api;
    TRY(proto_tls_rd_end(in));
    TRY(mls_member_at(g, leaf, &m));
    mls_api_put_member(out, &m);
out:
    return e;
}

/* (group, label<V>, context<V>, u32 length) -> secret<V> */
enum err
mls_api_export(struct mls_api *api, struct proto_tls_rd *in,
               struct proto_tls_wr *out)
{
    const struct mls_group *g = mls_api_handle(in);
    struct view label = proto_tls_rd_vec(in);
    struct view context = proto_tls_rd_vec(in);
    uint32_t len = proto_tls_rd_u32(in);
    struct bytes secret = {0};
    char *text;
    enum err e;

    TRY(proto_tls_rd_end(in));
    text = arena_alloc(&api->arena, label.len + 1);
    if (text == NULL) {
        e = ERR_NOMEM;
        goto out;
    }
    memcpy(text, label.p, label.len);
    TRY(mls_export(g, text, context, len, &secret));
    proto_tls_wr_vec(out, view_of(&secret));
out:
    bytes_free(&secret);
    return e;
}

/* (group, u8 with tree) -> group info<V> */
enum err
mls_api_group_info(struct mls_api *api, struct proto_tls_rd *in,
                   struct proto_tls_wr *out)
{
    const struct mls_group *g = mls_api_handle(in);
    bool with_tree = proto_tls_rd_u8(in) != 0;
    struct bytes made = {0};
    enum err e;

    (void)api;
    TRY(proto_tls_rd_end(in));
    TRY(mls_group_info(g, with_tree, &made));
    proto_tls_wr_vec(out, view_of(&made));
out:
    bytes_free(&made);
    return e;
}

/* (group, change) -> nothing; consumes the change */
enum err
mls_api_undo(struct mls_api *api, struct proto_tls_rd *in,
             struct proto_tls_wr *out)
{
    struct mls_group *g = mls_api_handle(in);
    struct mls_change *change = mls_api_handle(in);
    enum err e;

    (void)api;
    (void)out;
    TRY(proto_tls_rd_end(in));
    mls_undo(g, &change);
out:
    return e;
}

enum err
mls_api_change_free(struct mls_api *api, struct proto_tls_rd *in,
                    struct proto_tls_wr *out)
{
    struct mls_change *change = mls_api_handle(in);

    (void)api;
    (void)out;
    if (in->e == OK) {
        mls_change_free(change);
    }
    return in->e;
}

/* (group, stage) -> nothing; consumes the stage */
enum err
mls_api_merge(struct mls_api *api, struct proto_tls_rd *in,
              struct proto_tls_wr *out)
{
    struct mls_group *g = mls_api_handle(in);
    struct mls_stage *stage = mls_api_handle(in);
    enum err e;

    (void)api;
    (void)out;
    TRY(proto_tls_rd_end(in));
    TRY(mls_merge(g, &stage));
out:
    return e;
}

enum err
mls_api_stage_free(struct mls_api *api, struct proto_tls_rd *in,
                   struct proto_tls_wr *out)
{
    struct mls_stage *stage = mls_api_handle(in);

    (void)api;
    (void)out;
    if (in->e == OK) {
        mls_stage_free(stage);
    }
    return in->e;
}

/* (stage) -> bytes<V> */
enum err
mls_api_stage_save(struct mls_api *api, struct proto_tls_rd *in,
                   struct proto_tls_wr *out)
{
    const struct mls_stage *stage = mls_api_handle(in);
    struct bytes saved = {0};
    enum err e;

    (void)api;
    TRY(proto_tls_rd_end(in));
    TRY(mls_stage_save(stage, &saved));
    proto_tls_wr_vec(out, view_of(&saved));
out:
    bytes_free(&saved);
    return e;
}

/* (group, bytes<V>) -> stage */
enum err
mls_api_stage_load(struct mls_api *api, struct proto_tls_rd *in,
                   struct proto_tls_wr *out)
{
    const struct mls_group *g = mls_api_handle(in);
    struct view saved = proto_tls_rd_vec(in);
    struct mls_stage *stage = NULL;
    enum err e;

    (void)api;
    TRY(proto_tls_rd_end(in));
    TRY(mls_stage_load(g, saved, &stage));
    mls_api_put_handle(out, stage);
out:
    return e;
}

/* (welcome<V>, ref<V>) -> u8 */
enum err
mls_api_welcome_is_for(struct mls_api *api, struct proto_tls_rd *in,
                       struct proto_tls_wr *out)
{
    struct view welcome = proto_tls_rd_vec(in);
    struct view ref = proto_tls_rd_vec(in);
    bool is_for = false;
    enum err e;

    TRY(proto_tls_rd_end(in));
    TRY(mls_welcome_is_for(&api->env, welcome, ref, &is_for));
    proto_tls_wr_u8(out, is_for);
out:
    return e;
}

/* (message<V>) -> u16 wire format, u8 content type, group id<V>, u64 epoch,
 * aad<V>, u8 external */
enum err
mls_api_peek(struct mls_api *api, struct proto_tls_rd *in,
             struct proto_tls_wr *out)
{
    struct view message = proto_tls_rd_vec(in);
    struct mls_peek p = {0};
    enum err e;

    TRY(proto_tls_rd_end(in));
    TRY(mls_peek(&api->env, message, &p));
    proto_tls_wr_u16(out, (uint16_t)p.wire);
    proto_tls_wr_u8(out, (uint8_t)p.content);
    proto_tls_wr_vec(out, p.group_id);
    proto_tls_wr_u64(out, p.epoch);
    proto_tls_wr_vec(out, p.aad);
    proto_tls_wr_u8(out, p.external);
out:
    return e;
}
