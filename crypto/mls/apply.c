/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/group_int.h"

#include <string.h>

enum {
    DELTA_MIN = 4,
    /* From this many changed leaves on, one pass over all is cheaper. */
    CHECK_ALL = 8
};

void
mls_deltas_free(const struct mem *mem, struct mls_leaf_delta *delta,
                uint32_t count, uint32_t cap)
{
    for (uint32_t i = 0; i < count; i++) {
        mls_leaf_drop(delta[i].before);
        mls_leaf_drop(delta[i].after);
    }
    if (delta != NULL) {
        mem_free(mem, delta, cap * sizeof(*delta));
    }
}

void
mls_build_clear(struct mls_build *b)
{
    mls_tree_free(&b->tree);
    mls_list_free(&b->added);
    if (b->env != NULL) {
        mls_deltas_free(b->env->mem, b->delta, b->delta_count, b->delta_cap);
    }
    arena_clear(&b->arena);
    *b = (struct mls_build){0};
}

struct mls_list_scope
mls_build_scope(const struct mls_build *b)
{
    return (struct mls_list_scope){
        .suite = b->old->suite,
        .mem = b->env->mem,
        .group_id = b->old->context.group_id,
        .extensions = b->old->context.extensions,
        .leaves = mls_tree_as_leaves(&b->old->tree),
    };
}

enum err
mls_build_note(struct mls_build *b, enum mls_leaf_what what, uint32_t leaf,
               struct mls_leaf *before, struct mls_leaf *after)
{
    struct mls_leaf_delta *d;

    if (b->delta_count == b->delta_cap) {
        uint32_t cap = b->delta_cap == 0 ? DELTA_MIN : 2 * b->delta_cap;

        d = mem_calloc(b->env->mem, cap, sizeof(*d));
        if (d == NULL) {
            return ERR_NOMEM;
        }
        if (b->delta != NULL) {
            memcpy(d, b->delta, b->delta_count * sizeof(*d));
            mem_free(b->env->mem, b->delta, b->delta_cap * sizeof(*d));
        }
        b->delta = d;
        b->delta_cap = cap;
    }
    d = &b->delta[b->delta_count];
    d->what = what;
    d->leaf = leaf;
    d->before = before == NULL ? NULL : mls_leaf_hold(before);
    d->after = after == NULL ? NULL : mls_leaf_hold(after);
    b->delta_count++;
    return OK;
}

/* Who may propose from outside is in the extensions: ask for them too. */
static enum err
ask_senders(const struct mls_build *b, struct mls_extensions x)
{
    enum err e;
    struct mls_extension ext;
    struct mls_leaf_node n = {0};
    struct mls_external_sender sender;
    uint32_t count = 0;

    if (!mls_extensions_find(x, MLS_EXT_EXTERNAL_SENDERS, &ext)) {
        return OK;
    }
    TRY(mls_external_senders_check(ext.data, &count));
    for (uint32_t i = 0; i < count; i++) {
        TRY(mls_external_senders_at(ext.data, i, &sender));
        n.credential = sender.credential;
        n.signature_key = sender.signature_key;
        TRY(mls_ask_leaf(b->env, MLS_FOR_SENDER, b->old->context.group_id,
                         b->old->context.epoch + 1, MLS_NO_LEAF, &n, NULL));
    }
out:
    return e;
}

static enum err
apply_extensions(struct mls_build *b, const struct mls_proposal *p)
{
    enum err e;

    TRY(ask_senders(b, p->u.extensions));
    b->extensions = p->u.extensions;
    b->extensions_changed =
        !view_equal(p->u.extensions.raw, b->old->context.extensions.raw);
out:
    return e;
}

static enum err
apply_update(struct mls_build *b, const struct mls_listed *l)
{
    enum err e;
    uint32_t index = l->sender.index;
    struct mls_leaf *before = b->old->tree.node[2 * index].leaf;
    struct mls_leaf *after = NULL;

    TRY(mls_ask_leaf(b->env, MLS_FOR_UPDATE, b->old->context.group_id,
                     b->old->context.epoch, index, l->proposal->u.update,
                     &before->node));
    TRY(mls_leaf_new(b->env->mem, l->proposal->u.update->encoded, &after));
    TRY(mls_build_note(b, MLS_UPDATED, index, before, after));
    mls_tree_update(&b->tree, index, after);
out:
    mls_leaf_drop(after);
    return e;
}

static enum err
apply_remove(struct mls_build *b, const struct mls_proposal *p)
{
    enum err e;
    uint32_t index = p->u.remove;

    TRY(mls_build_note(b, MLS_REMOVED, index, b->old->tree.node[2 * index].leaf,
                       NULL));
    mls_tree_remove(&b->tree, index);
    b->self_removed = b->self_removed || index == b->old->own;
out:
    return e;
}

static enum err
apply_add(struct mls_build *b, const struct mls_proposal *p)
{
    enum err e;
    const struct mls_leaf_node *n = &p->u.add->leaf_node;
    struct mls_leaf *leaf = NULL;
    uint32_t index = 0;

    TRY(mls_ask_leaf(b->env, MLS_FOR_KEY_PACKAGE, b->old->context.group_id,
                     b->old->context.epoch, MLS_NO_LEAF, n, NULL));
    TRY(mls_leaf_new(b->env->mem, n->encoded, &leaf));
    /* RFC 9420 7.7 [list-leaves] */
    TRY(mls_require_ok(mls_tree_add(&b->tree, leaf, &index), ERR_LIMIT,
                       MLS_RULE_LIST_LEAVES, b->broken));
    TRY(mls_list_push(b->env->mem, &b->added, index));
    TRY(mls_build_note(b, MLS_ADDED, index, NULL, leaf));
out:
    mls_leaf_drop(leaf);
    return e;
}

/* Apply the proposals of one type, in order. */
static enum err
apply_type(struct mls_build *b, uint16_t type)
{
    enum err e = OK;

    for (size_t i = 0; i < b->list_count; i++) {
        const struct mls_listed *l = &b->list[i];

        if (l->proposal->type != type) {
            continue;
        }
        switch (type) {
        case MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS:
            TRY(apply_extensions(b, l->proposal));
            break;
        case MLS_PROPOSAL_UPDATE:
            TRY(apply_update(b, l));
            break;
        case MLS_PROPOSAL_REMOVE:
            TRY(apply_remove(b, l->proposal));
            break;
        case MLS_PROPOSAL_ADD:
            TRY(apply_add(b, l->proposal));
            break;
        case MLS_PROPOSAL_PSK:
            b->psks[b->psks_count] = &l->proposal->u.psk;
            b->psks_count++;
            break;
        case MLS_PROPOSAL_EXTERNAL_INIT:
            b->external_init = l->proposal;
            break;
        case MLS_PROPOSAL_REINIT:
            b->reinit = l->proposal;
            break;
        default:
            break;
        }
    }
out:
    return e;
}

enum err
mls_build_apply(struct mls_build *b)
{
    enum err e;

    b->extensions = b->old->context.extensions;
    if (b->list_count > 0) {
        b->psks = arena_calloc(&b->arena, b->list_count, sizeof(*b->psks));
        if (b->psks == NULL) {
            return ERR_NOMEM;
        }
    }
    TRY(mls_tree_copy(&b->old->tree, &b->tree));
    /* RFC 9420 12.3: the order in which they are applied */
    TRY(apply_type(b, MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS));
    TRY(apply_type(b, MLS_PROPOSAL_UPDATE));
    TRY(apply_type(b, MLS_PROPOSAL_REMOVE));
    mls_tree_truncate(&b->tree);
    TRY(apply_type(b, MLS_PROPOSAL_ADD));
    TRY(apply_type(b, MLS_PROPOSAL_PSK));
    TRY(apply_type(b, MLS_PROPOSAL_EXTERNAL_INIT));
    TRY(apply_type(b, MLS_PROPOSAL_REINIT));
out:
    return e;
}

enum err
mls_build_check_leaves(struct mls_build *b)
{
    enum err e = OK;
    struct mls_leaves leaves = mls_tree_as_leaves(&b->tree);

    if (b->extensions_changed || b->delta_count >= CHECK_ALL) {
        return mls_leaves_check(b->env->mem, &leaves, b->extensions, b->broken);
    }
    for (uint32_t i = 0; i < b->delta_count; i++) {
        if (b->delta[i].after != NULL) {
            TRY(mls_leaf_check_among(&b->delta[i].after->node, b->delta[i].leaf,
                                     &leaves, b->broken));
        }
    }
out:
    return e;
}
