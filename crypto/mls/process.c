/* SPDX-License-Identifier: Apache-2.0 */
/* Proposals and commits of others (RFC 9420 12.1, 12.4.2). */
#include "crypto/mls/group_int.h"

#include <string.h>

void
mls_processed_clear(struct mls_processed *p)
{
    bytes_free(&p->aad);
    mls_change_free(p->change);
    mls_stage_free(p->stage);
    *p = (struct mls_processed){0};
}

/* ----------------------------------------------------------------- proposals
 */

static enum err
validate_proposal(struct mls_group *g, const struct mls_authenticated *x,
                  enum mls_rule *broken)
{
    struct mls_build b = {.env = &g->env, .old = g->now};
    struct mls_list_scope scope = mls_build_scope(&b);
    struct mls_listed listed = {x->content.u.proposal, x->content.sender, true};

    return mls_proposal_validate(&scope, &listed, broken);
}

static enum err
new_pending(struct mls_group *g, const struct mls_authenticated *x,
            struct mls_pending **out)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(g->env.mem);

    mls_authenticated_write(&w, x);
    TRY(w.e);
    TRY(mls_pending_new(&g->env, g->now->suite, proto_tls_wr_view(&w), out));
out:
    proto_tls_wr_clear(&w);
    return e;
}

enum err
mls_pending_keep(struct mls_group *g, struct mls_pending **take_p,
                 struct mls_step **take_step, struct mls_change **out)
{
    enum err e;
    struct mls_pending **at = &g->pending;

    if (mls_group_pending_count(g) >= LIMIT_MLS_PROPOSALS) {
        return ERR_LIMIT;
    }
    if (mls_pending_find(g, mls_hash_view(&(*take_p)->ref)) != NULL) {
        return ERR_EXISTS;
    }
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = *take_p;
    if (*take_step != NULL) {
        TRY(mls_step_apply(*take_step));
    }
    TRY(mls_change_of(g, g->now, take_step, true, out));
    *take_p = NULL;
out:
    if (e != OK) {
        *at = NULL;
    }
    return e;
}

static enum err
process_proposal(struct mls_group *g, struct mls_opened *o,
                 struct mls_processed *out)
{
    enum err e;
    struct mls_processed p = {.kind = MLS_PROCESSED_PROPOSAL};
    struct mls_pending *pending = NULL;

    p.sender = o->x.content.sender.type == MLS_SENDER_MEMBER
                   ? o->x.content.sender.index
                   : MLS_NO_LEAF;
    p.proposal = o->x.content.u.proposal->type;
    TRY(validate_proposal(g, &o->x, g->env.rule_out));
    TRY(new_pending(g, &o->x, &pending));
    memcpy(p.ref, pending->ref.b, sizeof(p.ref));
    TRY(bytes_copy(g->env.mem, o->x.content.authenticated_data, &p.aad));
    TRY(mls_pending_keep(g, &pending, &o->step, &p.change));
    *out = p;
    p = (struct mls_processed){0};
out:
    mls_pending_free(g->env.mem, pending);
    mls_processed_clear(&p);
    return e;
}

/* ------------------------------------------------------------------- commits
 */

/* A commit of somebody else under way. */
struct incoming {
    struct mls_group *g;
    struct mls_build b;
    const struct mls_authenticated *x;
    const struct mls_commit *commit;
    bool external;
    uint32_t committer;
    struct mls_epoch *next;
};

/* The proposals of the commit, those by reference looked up. */
static enum err
collect(struct incoming *in)
{
    enum err e = OK;
    struct mls_build *b = &in->b;
    const struct mls_commit *c = in->commit;

    if (c->count == 0) {
        return OK;
    }
    b->list = arena_calloc(&b->arena, c->count, sizeof(*b->list));
    if (b->list == NULL) {
        return ERR_NOMEM;
    }
    for (uint32_t i = 0; i < c->count; i++) {
        const struct mls_proposal_or_ref *p = &c->proposals[i];
        struct mls_listed *l = &b->list[i];
        const struct mls_pending *known;

        if (p->type == MLS_BY_VALUE) {
            *l = (struct mls_listed){&p->u.proposal, in->x->content.sender,
                                     false};
            continue;
        }
        known = mls_pending_find(in->g, p->u.reference);
        /* RFC 9420 12.4 [list-reference] */
        TRY(mls_require(known != NULL, MLS_RULE_LIST_REFERENCE, b->broken));
        *l = (struct mls_listed){known->x.content.u.proposal,
                                 known->x.content.sender, true};
    }
    b->list_count = c->count;
out:
    return e;
}

static enum err
validate_list(struct incoming *in)
{
    enum err e;
    struct mls_build *b = &in->b;
    struct mls_list_scope scope = mls_build_scope(b);

    if (in->external) {
        TRY(mls_external_list_validate(&scope, in->commit, b->broken));
        TRY(collect(in));
    } else {
        TRY(collect(in));
        TRY(mls_list_validate(&scope, MLS_COMMIT_NORMAL, in->committer, b->list,
                              b->list_count, b->broken));
    }
    /* RFC 9420 12.4 [commit-path-required] */
    TRY(mls_require(in->commit->path != NULL ||
                        !mls_path_required(b->list, b->list_count),
                    MLS_RULE_COMMIT_PATH_REQUIRED, b->broken));
out:
    return e;
}

/* The leaf that an external commit removes, or NULL. */
static const struct mls_leaf_node *
resynced(const struct incoming *in)
{
    for (size_t i = 0; i < in->b.list_count; i++) {
        const struct mls_proposal *p = in->b.list[i].proposal;

        if (p->type == MLS_PROPOSAL_REMOVE) {
            return mls_tree_leaf(&in->b.old->tree, p->u.remove);
        }
    }
    return NULL;
}

/* Without an authentication service, a client is its credential. */
static bool
same_client(const struct mls_leaf_node *a, const struct mls_leaf_node *b)
{
    return a->credential.type == b->credential.type &&
           view_equal(a->credential.data, b->credential.data);
}

/* RFC 9420 12.4.3.2: the joiner takes the leftmost blank leaf. */
static enum err
seat_joiner(struct incoming *in)
{
    enum err e;
    struct mls_build *b = &in->b;
    const struct mls_leaf_node *n = &in->commit->path->leaf_node;
    const struct mls_leaf_node *before = resynced(in);
    struct mls_leaf *leaf = NULL;

    /* RFC 9420 12.2 [external-remove-self] */
    TRY(mls_require(before == NULL || b->env->check_leaf != NULL ||
                        same_client(before, n),
                    MLS_RULE_EXTERNAL_REMOVE_SELF, b->broken));
    TRY(mls_leaf_new(b->env->mem, n->encoded, &leaf));
    TRY(mls_require_ok(mls_tree_add(&b->tree, leaf, &in->committer), ERR_LIMIT,
                       MLS_RULE_LIST_LEAVES, b->broken));
    TRY(mls_ask_leaf(b->env, MLS_FOR_EXTERNAL, b->old->context.group_id,
                     b->old->context.epoch, in->committer, n, before));
    TRY(mls_build_note(b, MLS_ADDED, in->committer, NULL, leaf));
out:
    mls_leaf_drop(leaf);
    return e;
}

static enum err
apply_path(struct incoming *in)
{
    enum err e;
    struct mls_build *b = &in->b;
    const struct mls_update_path *path = in->commit->path;
    struct mls_list_scope scope = mls_build_scope(b);
    const struct mls_leaf_node *before = NULL;
    struct mls_leaf *old = NULL;

    scope.extensions = b->extensions;
    if (in->external) {
        TRY(seat_joiner(in));
    } else {
        old = b->old->tree.node[2 * in->committer].leaf;
        before = &old->node;
    }
    TRY(mls_path_leaf_validate(&scope, &path->leaf_node, in->committer, before,
                               b->broken));
    TRY(mls_path_apply(&b->tree, in->committer, path, &b->added, b->broken));
    if (!in->external) {
        TRY(mls_ask_leaf(b->env, MLS_FOR_COMMIT, b->old->context.group_id,
                         b->old->context.epoch, in->committer, &path->leaf_node,
                         before));
        TRY(mls_build_note(b, MLS_UPDATED, in->committer, old,
                           b->tree.node[2 * in->committer].leaf));
    }
out:
    return e;
}

/* Our own Update in this commit brings the keys it was made with. */
static void
take_own_update(struct incoming *in)
{
    for (size_t i = 0; i < in->b.list_count; i++) {
        const struct mls_pending *p = in->g->pending;

        while (p != NULL && p->x.content.u.proposal != in->b.list[i].proposal) {
            p = p->next;
        }
        if (p != NULL && p->own_update) {
            mls_tree_keys_set(&in->next->tree_keys, 2 * in->next->own,
                              &p->pair);
            in->next->sign = p->sign;
        }
    }
}

/* What comes out of the path, or of its absence. */
static enum err
commit_secret(struct incoming *in, struct prim_secret *out)
{
    struct mls_epoch *next = in->next;
    struct mls_path_in path = {
        .path = in->commit->path,
        .sender = in->committer,
        .own = next->own,
        .skip = &in->b.added,
        .context = view_of(&next->encoded),
    };

    next->tree_keys = in->b.old->tree_keys;
    take_own_update(in);
    if (path.path == NULL) {
        mls_tree_keys_prune(&next->tree_keys, &next->tree);
        mls_zero_secret(next->suite, out);
        return OK;
    }
    return mls_path_decrypt(&next->tree, &path, &next->tree_keys, out,
                            in->b.broken);
}

/* RFC 9420 8.3: the init secret, of the last epoch or from outside */
static enum err
init_secret(const struct incoming *in, struct prim_secret *out)
{
    enum err e;
    const struct mls_epoch *old = in->b.old;
    SCRUBBED_STRUCT(prim_kem_pair, pair);

    if (!in->external) {
        *out = old->keys.init;
        return OK;
    }
    TRY(mls_external_pair(old->suite, &old->keys.external, &pair));
    /* RFC 9420 8.3 [external-kem] */
    TRY(mls_require_ok(
        mls_external_init_receive(old->suite, &pair,
                                  in->b.external_init->u.kem_output, out),
        ERR_INVALID, MLS_RULE_EXTERNAL_KEM, in->b.broken));
out:
    return e;
}

static enum err
key_epoch(struct incoming *in)
{
    enum err e;
    struct mls_psk_source src = {&in->g->env, in->g, NULL};
    struct mls_finish f = {.commit = in->x};
    SCRUBBED_SECRET(init);
    SCRUBBED_SECRET(secret);
    SCRUBBED_SECRET(psk);

    TRY(commit_secret(in, &secret));
    TRY(init_secret(in, &init));
    TRY(mls_psks_resolve(&src, in->next->suite, in->b.psks, in->b.psks_count,
                         MLS_RULE_PSK_AVAILABLE, &psk, in->b.broken));
    f.init = &init;
    f.commit_secret = &secret;
    f.psk_secret = &psk;
    TRY(mls_build_finish(&in->b, &f, in->next));
    /* RFC 9420 12.4.2 [confirmation-tag] */
    TRY(mls_require(
        prim_equal(mls_hash_view(&in->next->tag), in->x->auth.confirmation_tag),
        MLS_RULE_CONFIRMATION_TAG, in->b.broken));
out:
    return e;
}

static enum err
build_next(struct incoming *in)
{
    enum err e;
    struct mls_build *b = &in->b;

    TRY(validate_list(in));
    TRY(mls_build_apply(b));
    if (in->commit->path != NULL) {
        TRY(apply_path(in));
    }
    TRY(mls_build_check_leaves(b));
    TRY(mls_epoch_new(b->env->mem, b->old->suite, &in->next));
    TRY(mls_build_provisional(b, in->next));
    if (!b->self_removed) {
        in->next->own = b->old->own;
        in->next->sign = b->old->sign;
        TRY(key_epoch(in));
    }
out:
    return e;
}

static enum err
process_commit(struct mls_group *g, const struct mls_opened *o,
               struct mls_processed *out)
{
    enum err e;
    struct incoming in = {
        .g = g,
        .b = {.env = &g->env, .old = g->now, .broken = g->env.rule_out},
        .x = &o->x,
        .commit = o->x.content.u.commit,
        .external = o->x.content.sender.type == MLS_SENDER_NEW_MEMBER_COMMIT,
        .committer = o->x.content.sender.index,
    };
    struct mls_processed p = {.kind = MLS_PROCESSED_COMMIT};

    in.b.arena.mem = g->env.mem;
    TRY(build_next(&in));
    TRY(bytes_copy(g->env.mem, o->x.content.authenticated_data, &p.aad));
    TRY(mls_stage_new(&in.b, &o->x, &in.next, &p.stage));
    p.stage->info.committer = in.committer;
    p.sender = in.external ? MLS_NO_LEAF : in.committer;
    *out = p;
    p = (struct mls_processed){0};
out:
    mls_epoch_free(in.next);
    mls_build_clear(&in.b);
    mls_processed_clear(&p);
    return e;
}

enum err
mls_process(struct mls_group *group, struct view message,
            struct mls_processed *out)
{
    enum err e;
    struct mls_opened o = {0};

    TRY(mls_open(group, message, &o, mls_begin(&group->env)));
    if (o.x.content.type == MLS_CONTENT_PROPOSAL) {
        TRY(process_proposal(group, &o, out));
    } else if (o.x.content.type == MLS_CONTENT_COMMIT) {
        TRY(process_commit(group, &o, out));
    } else {
        e = ERR_STATE;
    }
out:
    mls_opened_clear(&o);
    return e;
}
