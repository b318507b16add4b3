/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on messages, commits and records; see api_wasm.h. */
#include "crypto/mls/api_wasm.h"

/* (group, plaintext<V>, aad<V>, u32 padding)
 * -> message<V>, u32 generation, change */
enum err
mls_api_protect(struct mls_api *api, struct proto_tls_rd *in,
                struct proto_tls_wr *out)
{
    struct mls_group *g = mls_api_handle(in);
    struct view plaintext = proto_tls_rd_vec(in);
    struct view aad = proto_tls_rd_vec(in);
    uint32_t padding = proto_tls_rd_u32(in);
    struct mls_protected p = {0};
    enum err e;

    (void)api;
    TRY(proto_tls_rd_end(in));
    TRY(mls_protect(g, plaintext, aad, padding, &p));
    proto_tls_wr_vec(out, view_of(&p.message));
    proto_tls_wr_u32(out, p.generation);
    mls_api_put_change(out, p.change);
    p.change = NULL;
out:
    mls_protected_clear(&p);
    return e;
}

/* (group, message<V>) -> plaintext<V>, aad<V>, u32 sender, u64 epoch, u32
 * generation, member, change */
enum err
mls_api_unprotect(struct mls_api *api, struct proto_tls_rd *in,
                  struct proto_tls_wr *out)
{
    struct mls_group *g = mls_api_handle(in);
    struct view message = proto_tls_rd_vec(in);
    struct mls_unprotected u = {0};
    enum err e;

    (void)api;
    TRY(proto_tls_rd_end(in));
    TRY(mls_unprotect(g, message, &u));
    proto_tls_wr_vec(out, view_of(&u.plaintext));
    proto_tls_wr_vec(out, view_of(&u.aad));
    proto_tls_wr_u32(out, u.sender);
    proto_tls_wr_u64(out, u.epoch);
    proto_tls_wr_u32(out, u.generation);
    mls_api_put_member(out, &u.member);
    mls_api_put_change(out, u.change);
    u.change = NULL;
out:
    mls_unprotected_clear(&u);
    return e;
}

/*
 * u16 type, and for
 *   add         key package<V>
 *   update      u8 whether an identity follows, identity
 *   remove      u32 leaf
 *   psk         PreSharedKeyID
 *   reinit      group id<V>, u16 suite, extensions<V>
 *   extensions  extensions<V>
 *   others      content<V>
 */
static enum err
read_proposal(struct mls_api *api, struct proto_tls_rd *in,
              struct mls_proposal_in *out)
{
    struct mls_proposal_in p = {0};
    struct mls_identity *who;
    enum err e = OK;

    p.type = proto_tls_rd_u16(in);
    switch (p.type) {
    case MLS_PROPOSAL_ADD:
        p.key_package = proto_tls_rd_vec(in);
        break;
    case MLS_PROPOSAL_UPDATE:
        if (!proto_tls_rd_optional(in)) {
            break;
        }
        who = arena_alloc(&api->arena, sizeof(*who));
        if (who == NULL) {
            e = ERR_NOMEM;
            goto out;
        }
        TRY(mls_api_identity(api, in, who));
        p.identity = who;
        break;
    case MLS_PROPOSAL_REMOVE:
        p.leaf = proto_tls_rd_u32(in);
        break;
    case MLS_PROPOSAL_PSK:
        mls_psk_id_read(in, &p.psk);
        break;
    case MLS_PROPOSAL_REINIT:
        p.group_id = proto_tls_rd_vec(in);
        p.suite = proto_tls_rd_u16(in);
        TRY(mls_api_extensions(in, &p.extensions));
        break;
    case MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS:
        TRY(mls_api_extensions(in, &p.extensions));
        break;
    default:
        p.other = proto_tls_rd_vec(in);
        break;
    }
    TRY(in->e);
    *out = p;
out:
    return e;
}

/* (group, u8 private, aad<V>, proposal) -> message<V>, ref<V>, change */
enum err
mls_api_propose(struct mls_api *api, struct proto_tls_rd *in,
                struct proto_tls_wr *out)
{
    struct mls_group *g = mls_api_handle(in);
    bool as_private = proto_tls_rd_u8(in) != 0;
    struct view aad = proto_tls_rd_vec(in);
    struct mls_proposal_in proposal = {0};
    struct mls_proposed p = {0};
    enum err e;

    TRY(read_proposal(api, in, &proposal));
    TRY(proto_tls_rd_end(in));
    TRY(mls_propose(g, &proposal, as_private, aad, &p));
    proto_tls_wr_vec(out, view_of(&p.message));
    proto_tls_wr_vec(out, VIEW_ARRAY(p.ref));
    mls_api_put_change(out, p.change);
    p.change = NULL;
out:
    mls_proposed_clear(&p);
    return e;
}

/* The flags of a commit. */
enum {
    SKIP_PENDING = 1,
    FORCE_PATH = 2,
    AS_PRIVATE = 4,
    NO_TREE = 8,
    WANT_GROUP_INFO = 16
};

/* (group, u8 flags, aad<V>, u8 whether an identity follows, identity, u16 n, n
 * proposals) -> stage, commit<V>, welcome<V>, group info<V>, change */
enum err
mls_api_commit(struct mls_api *api, struct proto_tls_rd *in,
               struct proto_tls_wr *out)
{
    struct mls_group *g = mls_api_handle(in);
    unsigned flags = proto_tls_rd_u8(in);
    struct mls_commit_opts opts = {
        .skip_pending = flags & SKIP_PENDING,
        .force_path = flags & FORCE_PATH,
        .as_private = flags & AS_PRIVATE,
        .no_tree = flags & NO_TREE,
        .want_group_info = flags & WANT_GROUP_INFO,
    };
    struct mls_identity who = {0};
    struct mls_proposal_in *list = NULL;
    struct mls_committed c = {0};
    enum err e;

    opts.aad = proto_tls_rd_vec(in);
    if (proto_tls_rd_optional(in)) {
        TRY(mls_api_identity(api, in, &who));
        opts.identity = &who;
    }
    opts.proposals_len = proto_tls_rd_u16(in);
    if (opts.proposals_len > 0) {
        list = arena_calloc(&api->arena, opts.proposals_len, sizeof(*list));
        if (list == NULL) {
            e = ERR_NOMEM;
            goto out;
        }
    }
    for (size_t i = 0; i < opts.proposals_len; i++) {
        TRY(read_proposal(api, in, &list[i]));
    }
    opts.proposals = list;
    TRY(proto_tls_rd_end(in));
    TRY(mls_commit(g, &opts, &c));
    mls_api_put_handle(out, c.stage);
    proto_tls_wr_vec(out, view_of(&c.commit));
    proto_tls_wr_vec(out, view_of(&c.welcome));
    proto_tls_wr_vec(out, view_of(&c.group_info));
    mls_api_put_change(out, c.change);
    c.stage = NULL;
    c.change = NULL;
out:
    mls_committed_clear(&c);
    return e;
}

/* (group, message<V>) -> u8 kind, u32 sender, aad<V>, u16 proposal, ref<V>,
 * change, stage */
enum err
mls_api_process(struct mls_api *api, struct proto_tls_rd *in,
                struct proto_tls_wr *out)
{
    struct mls_group *g = mls_api_handle(in);
    struct view message = proto_tls_rd_vec(in);
    struct mls_processed p = {0};
    enum err e;

    (void)api;
    TRY(proto_tls_rd_end(in));
    TRY(mls_process(g, message, &p));
    proto_tls_wr_u8(out, (uint8_t)p.kind);
    proto_tls_wr_u32(out, p.sender);
    proto_tls_wr_vec(out, view_of(&p.aad));
    proto_tls_wr_u16(out, p.proposal);
    proto_tls_wr_vec(out, VIEW_ARRAY(p.ref));
    mls_api_put_change(out, p.change);
    mls_api_put_handle(out, p.stage);
    p.change = NULL;
    p.stage = NULL;
out:
    mls_processed_clear(&p);
    return e;
}

/* (stage) -> u64 epoch, u32 committer, u8 own, u8 external, u8 self removed, u8
 * extensions changed, u8 reinit, aad<V>, authenticator<V>, u16 n, n times {u8
 * what, u32 leaf, u8 before follows, member, u8 after follows, member} */
enum err
mls_api_stage_info(struct mls_api *api, struct proto_tls_rd *in,
                   struct proto_tls_wr *out)
{
    const struct mls_stage *stage = mls_api_handle(in);
    struct mls_stage_info info = {0};
    struct mls_leaf_change leaf = {0};
    uint16_t n = 0;
    enum err e;

    (void)api;
    TRY(proto_tls_rd_end(in));
    mls_stage_info(stage, &info);
    proto_tls_wr_u64(out, info.epoch);
    proto_tls_wr_u32(out, info.committer);
    proto_tls_wr_u8(out, info.own);
    proto_tls_wr_u8(out, info.external);
    proto_tls_wr_u8(out, info.self_removed);
    proto_tls_wr_u8(out, info.extensions_changed);
    proto_tls_wr_u8(out, info.reinit);
    proto_tls_wr_vec(out, info.aad);
    proto_tls_wr_vec(out, mls_stage_authenticator(stage));
    while (mls_stage_leaf(stage, n, &leaf)) {
        n++;
    }
    proto_tls_wr_u16(out, n);
    for (uint16_t i = 0; i < n && mls_stage_leaf(stage, i, &leaf); i++) {
        proto_tls_wr_u8(out, (uint8_t)leaf.what);
        proto_tls_wr_u32(out, leaf.leaf);
        proto_tls_wr_optional(out, leaf.what != MLS_ADDED);
        if (leaf.what != MLS_ADDED) {
            mls_api_put_member(out, &leaf.before);
        }
        proto_tls_wr_optional(out, leaf.what != MLS_REMOVED);
        if (leaf.what != MLS_REMOVED) {
            mls_api_put_member(out, &leaf.after);
        }
    }
out:
    return e;
}

/* (group, u8 only what changed) -> change; free it when stored */
enum err
mls_api_save(struct mls_api *api, struct proto_tls_rd *in,
             struct proto_tls_wr *out)
{
    struct mls_group *g = mls_api_handle(in);
    bool changed = proto_tls_rd_u8(in) != 0;
    struct mls_change *change = NULL;
    enum err e;

    (void)api;
    TRY(proto_tls_rd_end(in));
    TRY(mls_save(g, changed ? MLS_SAVE_CHANGED : MLS_SAVE_ALL, &change));
    mls_api_put_change(out, change);
out:
    return e;
}

/* (records<V>: u8 kind, key, bytes<V>) -> group */
enum err
mls_api_load(struct mls_api *api, struct proto_tls_rd *in,
             struct proto_tls_wr *out)
{
    struct proto_tls_rd list = proto_tls_rd_sub(in);
    struct proto_tls_rd count = list;
    struct mls_record *records = NULL;
    struct mls_group *group = NULL;
    size_t n = 0;
    enum err e;

    TRY(proto_tls_rd_end(in));
    while (proto_tls_rd_more(&count)) {
        proto_tls_rd_fixed(&count, 1 + MLS_RECORD_KEY);
        proto_tls_rd_vec(&count);
        n++;
    }
    TRY(proto_tls_rd_end(&count));
    records = arena_calloc(&api->arena, n, sizeof(*records));
    if (records == NULL) {
        e = n == 0 ? ERR_INVALID : ERR_NOMEM;
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        records[i].kind = (enum mls_record_kind)proto_tls_rd_u8(&list);
        for (size_t k = 0; k < MLS_RECORD_KEY; k++) {
            records[i].key[k] = proto_tls_rd_u8(&list);
        }
        records[i].bytes = proto_tls_rd_vec(&list);
    }
    TRY(mls_load(&api->env, records, n, &group));
    mls_api_put_handle(out, group);
out:
    return e;
}
