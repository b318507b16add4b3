/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of proposals and lists of them (validate.h, RFC 9420 12.1, 12.2). */
#include "crypto/mls/validate.h"

#include "proto/base/limits.h"

static const struct mls_leaf_node *
leaf_at(const struct mls_leaves *leaves, uint32_t index)
{
    return index < leaves->count ? leaves->at(leaves->ctx, index) : NULL;
}

static enum err
check_update(const struct mls_list_scope *x, const struct mls_listed *p,
             enum mls_rule *broken)
{
    enum err e;
    const struct mls_leaf_node *n = p->proposal->u.update;
    const struct mls_leaf_node *before = NULL;

    if (p->sender.type == MLS_SENDER_MEMBER) {
        before = leaf_at(&x->leaves, p->sender.index);
    }
    /* RFC 9420 12.1.2 [update-sender] */
    TRY(mls_require(before != NULL, MLS_RULE_UPDATE_SENDER, broken));
    TRY(mls_leaf_check(x->suite, n, MLS_LEAF_UPDATE, broken));
    /* RFC 9420 7.3 [leaf-update-key] */
    TRY(mls_require(!view_equal(n->encryption_key, before->encryption_key),
                    MLS_RULE_LEAF_UPDATE_KEY, broken));
    TRY(mls_leaf_check_group(n, x->extensions, broken));
    TRY(mls_leaf_node_verify(x->suite, x->mem, n, x->group_id, p->sender.index,
                             broken));
out:
    return e;
}

static enum err
check_psk(const struct mls_suite *s, enum mls_commit_kind kind,
          const struct mls_psk_id *psk, enum mls_rule *broken)
{
    enum err e;
    bool resumption = psk->type == MLS_PSK_RESUMPTION;

    /* RFC 9420 12.1.4 [psk-reinit] */
    TRY(mls_require(!resumption || psk->usage != MLS_PSK_REINIT ||
                        kind == MLS_COMMIT_REINIT,
                    MLS_RULE_PSK_REINIT, broken));
    /* RFC 9420 12.1.4 [psk-branch] */
    TRY(mls_require(!resumption || psk->usage != MLS_PSK_BRANCH ||
                        kind == MLS_COMMIT_BRANCH,
                    MLS_RULE_PSK_BRANCH, broken));
    /* RFC 9420 12.1.4 [psk-nonce] */
    TRY(mls_require(psk->nonce.len == s->prim.hash_size, MLS_RULE_PSK_NONCE,
                    broken));
out:
    return e;
}

static enum err
check_reinit(const struct mls_reinit *reinit, enum mls_rule *broken)
{
    enum err e;

    /* RFC 9420 12.1.5 [reinit-version] */
    TRY(mls_require(reinit->version >= MLS_VERSION_10, MLS_RULE_REINIT_VERSION,
                    broken));
    /* RFC 9420 13.4 [reinit-extension-twice] */
    TRY(mls_require(!mls_extensions_twice(reinit->extensions),
                    MLS_RULE_REINIT_EXTENSION_TWICE, broken));
out:
    return e;
}

static enum err
check_one(const struct mls_list_scope *x, enum mls_commit_kind kind,
          const struct mls_listed *p, enum mls_rule *broken)
{
    const struct mls_proposal *proposal = p->proposal;
    enum err e;

    switch (proposal->type) {
    case MLS_PROPOSAL_ADD:
        e = mls_leaf_check_group(&proposal->u.add->leaf_node, x->extensions,
                                 broken);
        return e != OK ? e
                       : mls_key_package_validate(x->suite, x->mem,
                                                  proposal->u.add, broken);
    case MLS_PROPOSAL_UPDATE:
        return check_update(x, p, broken);
    case MLS_PROPOSAL_REMOVE:
        /* RFC 9420 12.1.3 [remove-leaf] */
        return mls_require(leaf_at(&x->leaves, proposal->u.remove) != NULL,
                           MLS_RULE_REMOVE_LEAF, broken);
    case MLS_PROPOSAL_PSK:
        return check_psk(x->suite, kind, &proposal->u.psk, broken);
    case MLS_PROPOSAL_REINIT:
        return check_reinit(&proposal->u.reinit, broken);
    case MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS:
        return mls_group_extensions_check(proposal->u.extensions, broken);
    case MLS_PROPOSAL_EXTERNAL_INIT:
    default:
        return OK;
    }
}

enum err
mls_proposal_validate(const struct mls_list_scope *x,
                      const struct mls_listed *p, enum mls_rule *broken)
{
    return check_one(x, MLS_COMMIT_NORMAL, p, broken);
}

/* What a pass over the list found; touched has one byte per leaf. */
enum {
    LEAF_UPDATED = 1,
    LEAF_REMOVED = 2
};

struct survey {
    uint8_t *touched;
    size_t adds;
    size_t psks;
    size_t removes;
    const struct mls_proposal *extensions;
};

/* An Update or Remove of a leaf that exists. */
static enum err
touch(struct survey *v, uint32_t leaf, uint8_t how, enum mls_rule *broken)
{
    enum err e;

    /* RFC 9420 12.2 [list-leaf-twice] */
    TRY(mls_require(v->touched[leaf] == 0, MLS_RULE_LIST_LEAF_TWICE, broken));
    v->touched[leaf] = how;
out:
    return e;
}

/* The shape of the list: what may stand in it, and how often. */
static enum err
check_shape(const struct mls_listed *list, size_t n, struct survey *v,
            enum mls_rule *broken)
{
    enum err e = OK;

    for (size_t i = 0; i < n; i++) {
        const struct mls_proposal *p = list[i].proposal;

        /* RFC 9420 12.2 [list-external-init] */
        TRY(mls_require(p->type != MLS_PROPOSAL_EXTERNAL_INIT,
                        MLS_RULE_LIST_EXTERNAL_INIT, broken));
        /* RFC 9420 12.2 [list-reinit-alone] */
        TRY(mls_require(p->type != MLS_PROPOSAL_REINIT || n == 1,
                        MLS_RULE_LIST_REINIT_ALONE, broken));
        if (p->type == MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS) {
            /* RFC 9420 12.2 [list-group-extensions-twice] */
            TRY(mls_require(v->extensions == NULL,
                            MLS_RULE_LIST_GROUP_EXTENSIONS_TWICE, broken));
            v->extensions = p;
        }
        v->adds += p->type == MLS_PROPOSAL_ADD;
        v->psks += p->type == MLS_PROPOSAL_PSK;
    }
out:
    return e;
}

/* The leaves that Updates and Removes are about. */
static enum err
check_touched(const struct mls_list_scope *x, uint32_t committer,
              const struct mls_listed *list, size_t n, struct survey *v,
              enum mls_rule *broken)
{
    enum err e = OK;

    for (size_t i = 0; i < n; i++) {
        const struct mls_proposal *p = list[i].proposal;
        struct mls_sender from = list[i].sender;

        if (p->type == MLS_PROPOSAL_UPDATE) {
            TRY(mls_require(from.type == MLS_SENDER_MEMBER &&
                                leaf_at(&x->leaves, from.index) != NULL,
                            MLS_RULE_UPDATE_SENDER, broken));
            /* RFC 9420 12.2 [list-own-update] */
            TRY(mls_require(from.index != committer, MLS_RULE_LIST_OWN_UPDATE,
                            broken));
            TRY(touch(v, from.index, LEAF_UPDATED, broken));
        } else if (p->type == MLS_PROPOSAL_REMOVE) {
            TRY(mls_require(leaf_at(&x->leaves, p->u.remove) != NULL,
                            MLS_RULE_REMOVE_LEAF, broken));
            /* RFC 9420 12.2 [list-self-remove] */
            TRY(mls_require(p->u.remove != committer, MLS_RULE_LIST_SELF_REMOVE,
                            broken));
            TRY(touch(v, p->u.remove, LEAF_REMOVED, broken));
            v->removes++;
        }
    }
out:
    return e;
}

/* The clients that are added; the same client is the same signature key. */
static enum err
check_clients(const struct mls_list_scope *x, const struct mls_listed *list,
              size_t n, const struct survey *v, enum mls_rule *broken)
{
    enum err e = OK;
    size_t size = (v->adds + x->leaves.count) * sizeof(struct view);
    struct view *keys = NULL;
    size_t k = 0;

    if (v->adds == 0) {
        return OK;
    }
    keys = mem_alloc(x->mem, size);
    TRY(keys == NULL ? ERR_NOMEM : OK);
    for (size_t i = 0; i < n; i++) {
        if (list[i].proposal->type == MLS_PROPOSAL_ADD) {
            keys[k++] = list[i].proposal->u.add->leaf_node.signature_key;
        }
    }
    /* RFC 9420 12.2 [list-client-twice] */
    TRY(mls_require(mls_keys_unique(keys, k), MLS_RULE_LIST_CLIENT_TWICE,
                    broken));
    for (uint32_t i = 0; i < x->leaves.count; i++) {
        const struct mls_leaf_node *leaf = leaf_at(&x->leaves, i);

        if (leaf != NULL && v->touched[i] != LEAF_REMOVED) {
            keys[k++] = leaf->signature_key;
        }
    }
    /* RFC 9420 12.2 [list-client-present] */
    TRY(mls_require(mls_keys_unique(keys, k), MLS_RULE_LIST_CLIENT_PRESENT,
                    broken));
    /* our own bound, RFC 9420 7.7 [list-leaves] */
    TRY(mls_require(k <= LIMIT_MLS_LEAVES, MLS_RULE_LIST_LEAVES, broken));
out:
    mem_free(x->mem, keys, size);
    return e;
}

/* No PSK twice. */
static enum err
check_psks(const struct mls_psk_id **psks, size_t n, enum mls_rule *broken)
{
    enum err e = OK;

    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            /* RFC 9420 12.2 [list-psk-twice] */
            TRY(mls_require(!mls_psk_id_equal(psks[i], psks[j]),
                            MLS_RULE_LIST_PSK_TWICE, broken));
        }
    }
out:
    return e;
}

static enum err
check_listed_psks(const struct mls_listed *list, size_t n,
                  enum mls_rule *broken)
{
    enum err e = OK;
    const struct mls_psk_id *psks[LIMIT_MLS_PSKS];
    size_t k = 0;

    for (size_t i = 0; i < n; i++) {
        if (list[i].proposal->type == MLS_PROPOSAL_PSK) {
            TRY(mls_require(k < LIMIT_MLS_PSKS, MLS_RULE_MESSAGE_SIZE, broken));
            psks[k++] = &list[i].proposal->u.psk;
        }
    }
    TRY(check_psks(psks, k, broken));
out:
    return e;
}

/* Types that RFC 9420 does not define: all who process the commit know them. */
static enum err
check_types(const struct mls_list_scope *x, const struct mls_listed *list,
            size_t n, const struct survey *v, enum mls_rule *broken)
{
    enum err e = OK;

    for (size_t i = 0; i < n; i++) {
        uint16_t type = list[i].proposal->type;

        for (uint32_t k = 0;
             !mls_proposal_is_default(type) && k < x->leaves.count; k++) {
            const struct mls_leaf_node *leaf = leaf_at(&x->leaves, k);

            /* RFC 9420 12.2 [list-type-supported] */
            TRY(mls_require(
                leaf == NULL || v->touched[k] == LEAF_REMOVED ||
                    mls_u16s_has(leaf->capabilities.proposals, type),
                MLS_RULE_LIST_TYPE_SUPPORTED, broken));
        }
    }
out:
    return e;
}

/*
 * New extensions of the group: everybody who stays must support them.  Leaves
 * that the commit brings (Adds, Updates, the committer's path, which is
 * mandatory here) are judged where they are.
 */
static enum err
check_new_extensions(const struct mls_list_scope *x, uint32_t committer,
                     const struct survey *v, enum mls_rule *broken)
{
    enum err e = OK;

    for (uint32_t i = 0; v->extensions != NULL && i < x->leaves.count; i++) {
        const struct mls_leaf_node *leaf = leaf_at(&x->leaves, i);
        enum mls_rule of_leaf = MLS_RULE_NONE;

        if (leaf == NULL || v->touched[i] != 0 || i == committer ||
            mls_leaf_check_group(leaf, x->extensions, &of_leaf) == OK) {
            continue;
        }
        /* RFC 9420 13.4 [group-extension-supported] */
        TRY(mls_require(of_leaf != MLS_RULE_LEAF_GROUP_EXTENSION,
                        MLS_RULE_GROUP_EXTENSION_SUPPORTED, broken));
        /* RFC 9420 12.1.7 [group-required-supported] */
        TRY(mls_broken(MLS_RULE_GROUP_REQUIRED_SUPPORTED, broken));
    }
out:
    return e;
}

enum err
mls_list_validate(const struct mls_list_scope *x, enum mls_commit_kind kind,
                  uint32_t committer, const struct mls_listed *list, size_t n,
                  enum mls_rule *broken)
{
    enum err e;
    struct survey v = {0};
    struct mls_list_scope after = *x;
    size_t size = (size_t)x->leaves.count + 1;

    v.touched = mem_alloc(x->mem, size);
    TRY(v.touched == NULL ? ERR_NOMEM : OK);
    TRY(check_shape(list, n, &v, broken));
    TRY(check_touched(x, committer, list, n, &v, broken));
    if (v.extensions != NULL) {
        /* RFC 9420 12.3: the others are judged by the new extensions */
        TRY(mls_group_extensions_check(v.extensions->u.extensions, broken));
        after.extensions = v.extensions->u.extensions;
    }
    TRY(check_new_extensions(&after, committer, &v, broken));
    TRY(check_types(x, list, n, &v, broken));
    TRY(check_clients(x, list, n, &v, broken));
    TRY(check_listed_psks(list, n, broken));
    for (size_t i = 0; i < n; i++) {
        TRY(check_one(&after, kind, &list[i], broken));
    }
out:
    mem_free(x->mem, v.touched, size);
    return e;
}

/* One proposal of an external commit; counts what is limited. */
static enum err
check_external(const struct mls_list_scope *x, const struct mls_commit *commit,
               const struct mls_proposal *p, struct survey *v, size_t *inits,
               enum mls_rule *broken)
{
    enum err e = OK;
    const struct mls_leaf_node *removed;

    switch (p->type) {
    case MLS_PROPOSAL_EXTERNAL_INIT:
        /* RFC 9420 8.3 [external-kem] */
        TRY(mls_require(p->u.kem_output.len == x->suite->prim.kem_pub_size,
                        MLS_RULE_EXTERNAL_KEM, broken));
        ++*inits;
        break;
    case MLS_PROPOSAL_REMOVE:
        removed = leaf_at(&x->leaves, p->u.remove);
        TRY(mls_require(removed != NULL, MLS_RULE_REMOVE_LEAF, broken));
        TRY(mls_require(!view_equal(removed->encryption_key,
                                    commit->path->leaf_node.encryption_key),
                        MLS_RULE_LEAF_UPDATE_KEY, broken));
        v->removes++;
        break;
    case MLS_PROPOSAL_PSK:
        TRY(check_psk(x->suite, MLS_COMMIT_NORMAL, &p->u.psk, broken));
        break;
    default:
        /* RFC 9420 12.2 [external-proposal-type] */
        TRY(mls_broken(MLS_RULE_EXTERNAL_PROPOSAL_TYPE, broken));
    }
out:
    return e;
}

enum err
mls_external_list_validate(const struct mls_list_scope *x,
                           const struct mls_commit *commit,
                           enum mls_rule *broken)
{
    enum err e;
    struct survey v = {0};
    size_t inits = 0;
    const struct mls_psk_id *psks[LIMIT_MLS_PSKS];

    TRY(mls_require(commit->path != NULL, MLS_RULE_EXTERNAL_PATH, broken));
    for (uint32_t i = 0; i < commit->count; i++) {
        const struct mls_proposal_or_ref *p = &commit->proposals[i];

        /* RFC 9420 12.4.3.2 [external-reference] */
        TRY(mls_require(p->type == MLS_BY_VALUE, MLS_RULE_EXTERNAL_REFERENCE,
                        broken));
        TRY(check_external(x, commit, &p->u.proposal, &v, &inits, broken));
        if (p->u.proposal.type == MLS_PROPOSAL_PSK) {
            TRY(mls_require(v.psks < LIMIT_MLS_PSKS, MLS_RULE_MESSAGE_SIZE,
                            broken));
            psks[v.psks++] = &p->u.proposal.u.psk;
        }
    }
    /* RFC 9420 12.2 [external-one-init] */
    TRY(mls_require(inits == 1, MLS_RULE_EXTERNAL_ONE_INIT, broken));
    /* RFC 9420 12.2 [external-one-remove] */
    TRY(mls_require(v.removes <= 1, MLS_RULE_EXTERNAL_ONE_REMOVE, broken));
    TRY(check_psks(psks, v.psks, broken));
out:
    return e;
}

bool
mls_path_required(const struct mls_listed *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t type = list[i].proposal->type;

        /* RFC 9420 12.4 [commit-path-required] */
        if (type != MLS_PROPOSAL_ADD && type != MLS_PROPOSAL_PSK &&
            type != MLS_PROPOSAL_REINIT) {
            return true;
        }
    }
    return n == 0;
}

enum err
mls_path_leaf_validate(const struct mls_list_scope *x,
                       const struct mls_leaf_node *n, uint32_t leaf_index,
                       const struct mls_leaf_node *before,
                       enum mls_rule *broken)
{
    enum err e;

    TRY(mls_leaf_check(x->suite, n, MLS_LEAF_COMMIT, broken));
    /* RFC 9420 12.4.2 [leaf-commit-key] */
    TRY(mls_require(before == NULL ||
                        !view_equal(n->encryption_key, before->encryption_key),
                    MLS_RULE_LEAF_COMMIT_KEY, broken));
    TRY(mls_leaf_check_group(n, x->extensions, broken));
    TRY(mls_leaf_node_verify(x->suite, x->mem, n, x->group_id, leaf_index,
                             broken));
out:
    return e;
}
