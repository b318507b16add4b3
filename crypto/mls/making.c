/* SPDX-License-Identifier: Apache-2.0 */
/* Making a commit: path, signature, key schedule (RFC 9420 12.4.1). */
#include "crypto/mls/commit_int.h"

void
mls_making_clear(struct mls_making *m)
{
    mls_epoch_free(m->next);
    mem_wipe(m, sizeof(*m));
}

/* A new leaf and path in the new tree. */
static enum err
make_path(struct mls_making *m)
{
    enum err e;
    struct mls_build *b = m->b;
    struct mls_leaf_signer signer = {m->sign_new, b->old->context.group_id};
    struct mls_list_scope scope = mls_build_scope(b);
    struct mls_leaf *old = b->tree.node[2 * m->own].leaf;
    bool joining = m->sender.type != MLS_SENDER_MEMBER;
    const struct mls_leaf_node *before = joining ? NULL : &old->node;

    mls_leaf_hold(old);
    scope.extensions = b->extensions;
    TRY(mls_path_make(&b->tree, b->env->rng, m->own, m->like, &signer,
                      &m->path));
    /* Nothing that others would refuse leaves here. */
    TRY(mls_path_leaf_validate(&scope, mls_tree_leaf(&b->tree, m->own), m->own,
                               before, b->broken));
    if (!joining) {
        TRY(mls_build_note(b, MLS_UPDATED, m->own, old,
                           b->tree.node[2 * m->own].leaf));
    }
out:
    mls_leaf_drop(old);
    return e;
}

/* Proposals by value or by reference, as they came into b->list. */
static enum err
list_proposals(struct mls_making *m)
{
    enum err e = OK;
    struct mls_build *b = m->b;
    struct mls_proposal_or_ref *p;

    if (b->list_count == 0) {
        return OK;
    }
    p = arena_calloc(&b->arena, b->list_count, sizeof(*p));
    if (p == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < b->list_count; i++) {
        const struct mls_listed *l = &b->list[i];

        if (!l->by_reference) {
            p[i].type = MLS_BY_VALUE;
            p[i].u.proposal = *l->proposal;
            continue;
        }
        for (const struct mls_pending *k = m->psk_source.group->pending;
             k != NULL; k = k->next) {
            if (k->x.content.u.proposal == l->proposal) {
                p[i].type = MLS_BY_REFERENCE;
                TRY(arena_copy(&b->arena, mls_hash_view(&k->ref),
                               &p[i].u.reference));
            }
        }
    }
    m->commit.proposals = p;
    m->commit.count = (uint32_t)b->list_count;
out:
    return e;
}

/* FramedContent, signed under the old GroupContext (RFC 9420 12.4.1). */
static enum err
sign_commit(struct mls_making *m)
{
    enum err e;
    struct mls_build *b = m->b;
    size_t len = 0;

    TRY(list_proposals(m));
    m->x.wire = m->wire;
    m->x.content = (struct mls_content){
        .group_id = b->old->context.group_id,
        .epoch = b->old->context.epoch,
        .sender = m->sender,
        .authenticated_data = m->aad,
        .type = MLS_CONTENT_COMMIT,
        .u.commit = &m->commit,
    };
    TRY(mls_content_sign(b->old->suite, b->env->mem, m->wire, &m->x.content,
                         view_of(&b->old->encoded), m->sign_old, m->sig, &len));
    m->x.auth.signature = view_make(m->sig, len);
out:
    return e;
}

static enum err
key_epoch(struct mls_making *m, const struct prim_secret *commit_secret)
{
    enum err e;
    struct mls_build *b = m->b;
    struct mls_finish f = {&m->x, m->init, commit_secret, &m->psk, &m->joiner};

    TRY(mls_psks_resolve(&m->psk_source, m->next->suite, b->psks, b->psks_count,
                         MLS_RULE_PSK_AVAILABLE, &m->psk, b->broken));
    TRY(mls_build_finish(b, &f, m->next));
    m->x.auth.confirmation_tag = mls_hash_view(&m->next->tag);
out:
    return e;
}

enum err
mls_making_run(struct mls_making *m)
{
    enum err e;
    struct mls_build *b = m->b;
    SCRUBBED_SECRET(commit_secret);

    mls_zero_secret(b->old->suite, &commit_secret);
    if (m->with_path) {
        TRY(make_path(m));
        commit_secret = m->path.commit;
    }
    TRY(mls_build_check_leaves(b));
    TRY(mls_epoch_new(b->env->mem, b->old->suite, &m->next));
    TRY(mls_build_provisional(b, m->next));
    m->next->own = m->own;
    m->next->sign = m->with_path ? *m->sign_new : *m->sign_old;
    m->next->tree_keys = b->old->tree_keys;
    if (m->with_path) {
        TRY(mls_path_encrypt(&m->next->tree, b->env->rng, &b->arena, m->own,
                             &m->path, &b->added, view_of(&m->next->encoded),
                             &m->update_path));
        m->commit.path = &m->update_path;
        mls_path_keep(&m->next->tree_keys, m->own, &m->path);
    }
    mls_tree_keys_prune(&m->next->tree_keys, &m->next->tree);
    TRY(sign_commit(m));
    TRY(key_epoch(m, &commit_secret));
out:
    return e;
}
