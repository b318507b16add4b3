/* SPDX-License-Identifier: Apache-2.0 */
/* A GroupInfo that somebody gave us (RFC 9420 12.4.3.1, 12.4.3.3). */
#include "crypto/mls/group_int.h"

#include "crypto/mls/tree_hash.h"

#include <string.h>

static enum err
read_tree(const struct mls_group_info *x, struct view tree,
          struct mls_epoch *epoch, enum mls_rule *broken)
{
    enum err e;
    struct mls_extension ext = {0};
    struct mls_hash hash;

    if (mls_extensions_find(x->extensions, MLS_EXT_RATCHET_TREE, &ext)) {
        tree = ext.data;
    }
    /* RFC 9420 12.4.3.3 [group-info-tree] */
    TRY(mls_require(tree.len > 0, MLS_RULE_GROUP_INFO_TREE, broken));
    TRY(mls_tree_read(epoch->mem, epoch->suite, tree, &epoch->tree, broken));
    TRY(mls_tree_root_hash(&epoch->tree, &hash));
    /* RFC 9420 12.4.3.1 [tree-hash] */
    TRY(mls_require(view_equal(mls_hash_view(&hash), x->context.tree_hash),
                    MLS_RULE_TREE_HASH, broken));
out:
    return e;
}

static enum err
check_leaves(const struct mls_env *env, struct mls_epoch *epoch,
             enum mls_rule *broken)
{
    enum err e;
    struct mls_leaves leaves = mls_tree_as_leaves(&epoch->tree);
    struct view id = epoch->context.group_id;

    TRY(mls_leaves_check(env->mem, &leaves, epoch->context.extensions, broken));
    TRY(mls_tree_verify(&epoch->tree, broken));
    for (uint32_t i = 0; i < leaves.count; i++) {
        const struct mls_leaf_node *n = mls_tree_leaf(&epoch->tree, i);

        if (n == NULL) {
            continue;
        }
        TRY(mls_leaf_check_any(epoch->suite, n, broken));
        TRY(mls_leaf_node_verify(epoch->suite, env->mem, n, id, i, broken));
        TRY(mls_ask_leaf(env, MLS_FOR_TREE, id, epoch->context.epoch, i, n,
                         NULL));
    }
out:
    return e;
}

static enum err
check_signer(const struct mls_env *env, const struct mls_group_info *x,
             const struct mls_epoch *epoch, enum mls_rule *broken)
{
    enum err e;
    const struct mls_leaf_node *signer = mls_tree_leaf(&epoch->tree, x->signer);

    /* RFC 9420 12.4.3.1 [group-info-signer] */
    TRY(mls_require(signer != NULL, MLS_RULE_GROUP_INFO_SIGNER, broken));
    TRY(mls_group_info_verify(epoch->suite, env->mem, x, signer->signature_key,
                              broken));
out:
    return e;
}

enum err
mls_info_open(const struct mls_env *env, const struct mls_suite *suite,
              const struct mls_group_info *x, struct view tree,
              struct mls_epoch **out, enum mls_rule *broken)
{
    enum err e;
    struct mls_epoch *epoch = NULL;

    TRY(mls_group_info_check(suite, x, broken));
    TRY(mls_epoch_new(env->mem, suite, &epoch));
    TRY(read_tree(x, tree, epoch, broken));
    TRY(check_signer(env, x, epoch, broken));
    TRY(mls_epoch_set_context(epoch, &x->context));
    TRY(check_leaves(env, epoch, broken));
    /* RFC 9420 6.1: a MAC of another length is no MAC */
    if (x->confirmation_tag.len != suite->prim.hash_size) {
        TRY(mls_broken(MLS_RULE_GROUP_INFO_CONFIRMATION, broken));
    }
    epoch->tag.len = (uint8_t)x->confirmation_tag.len;
    memcpy(epoch->tag.b, x->confirmation_tag.p, x->confirmation_tag.len);
    *out = epoch;
    epoch = NULL;
out:
    mls_epoch_free(epoch);
    return e;
}
