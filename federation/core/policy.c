/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which commits a thread allows (decisions D 14 and 18).  Every member asks
 * this about every commit, the hub before it accepts one.
 */
#include "federation/core/trust.h"

#include <string.h>

/* One commit under judgement. */
struct judged {
    const struct fed_thread *t;
    const struct proto_group *before;
    struct proto_group after;
    struct clinic_id by;
    uint32_t added;
    uint32_t removed;
};

static enum err
committer_of(const struct fed_thread *t, const struct mls_stage *stage,
             const struct mls_stage_info *info, struct clinic_id *out)
{
    struct mls_leaf_change c;

    for (size_t i = 0; mls_stage_leaf(stage, i, &c); i++) {
        if (c.leaf == info->committer && c.what != MLS_REMOVED) {
            return fed_chain_root(c.after.credential, out);
        }
    }
    return fed_leaf_root(t->mls, info->committer, out);
}

static enum err
after_group(const struct mls_stage *stage, struct proto_group *out)
{
    struct mls_extension ext;

    /* [thread-group-extension] */
    if (!mls_extensions_find(mls_stage_extensions(stage), PROTO_EXT_GROUP,
                             &ext)) {
        return ERR_DENIED;
    }
    return proto_group_decode(ext.data, out);
}

/* The extensions of the group other than ours, how many and the same. */
static bool
extensions_kept(const struct fed_thread *t, const struct mls_stage *stage)
{
    struct mls_extensions before = mls_group_extensions(t->mls);
    struct mls_extensions after = mls_stage_extensions(stage);
    struct mls_extensions it = after;
    struct mls_extension a;
    struct mls_extension b;
    int more = 0;

    while (mls_extensions_next(&it, &a)) {
        more++;
    }
    it = before;
    while (mls_extensions_next(&it, &b)) {
        more--;
        if (!mls_extensions_find(after, b.type, &a) ||
            (b.type != PROTO_EXT_GROUP && !view_equal(a.data, b.data))) {
            return false;
        }
    }
    return more == 0;
}

/* What only the hub's own changes could touch stays. */
static bool
frame_kept(const struct judged *j)
{
    const struct proto_group *a = j->before;
    const struct proto_group *b = &j->after;

    return memcmp(a->hub, b->hub, sizeof(a->hub)) == 0 && a->term == b->term &&
           memcmp(a->prev, b->prev, sizeof(a->prev)) == 0 &&
           a->flags == b->flags && a->successors.len == b->successors.len &&
           view_equal(a->successors.raw, b->successors.raw);
}

/* An external commit replaces the leaf of a subject that takes part. */
static enum err
judge_external(const struct judged *j, const struct mls_stage *stage)
{
    struct proto_subject s;
    struct mls_leaf_change c;
    uint32_t old = MLS_NO_LEAF;
    bool replaced = fed_leaf_of(j->t->mls, &j->by, &old) != OK;
    uint64_t before = 0;
    uint64_t after = 0;

    /* [thread-external-subject] decisions D 14 */
    if (!proto_group_find(j->before, j->by.b, &s)) {
        return ERR_DENIED;
    }
    for (size_t i = 0; mls_stage_leaf(stage, i, &c); i++) {
        struct clinic_id root;

        /* [thread-external-others] nobody else's leaf */
        if (fed_chain_root(c.what == MLS_REMOVED ? c.before.credential
                                                 : c.after.credential,
                           &root) != OK ||
            !clinic_id_equal(&root, &j->by)) {
            return ERR_DENIED;
        }
        if (c.what != MLS_ADDED) {
            replaced = replaced || c.leaf == old;
            before = fed_chain_generation(c.before.credential);
        }
        if (c.what != MLS_REMOVED) {
            after = fed_chain_generation(c.after.credential);
        }
    }
    /* [thread-external-replaces] a second leaf would outlive a removal */
    if (!replaced) {
        return ERR_DENIED;
    }
    /* [thread-external-fresh] decisions E 21: who only has an older copy of
       the node cannot put it in the place of the newer one */
    return after > before ? OK : ERR_DENIED;
}

static enum err
judge_added(struct judged *j, const struct clinic_id *who)
{
    struct proto_subject s;

    j->added++;
    /* [thread-direct-two] a direct conversation is of two */
    if ((j->before->flags & PROTO_GROUP_DIRECT) != 0 &&
        j->after.subjects.len > 2) {
        return ERR_DENIED;
    }
    /* [thread-add-listed] who is added is a new participant, by its adder */
    if (proto_group_find(j->before, who->b, &s) ||
        !proto_group_find(&j->after, who->b, &s) ||
        memcmp(s.added_by, j->by.b, sizeof(s.added_by)) != 0 ||
        memcmp(s.node, who->b, sizeof(s.node)) != 0 ||
        s.kind != PROTO_SUBJECT_CLINIC) {
        return ERR_DENIED;
    }
    return OK;
}

static enum err
judge_removed(struct judged *j, const struct clinic_id *who)
{
    struct proto_subject s;

    j->removed++;
    /* [thread-remove-listed] */
    if (!proto_group_find(j->before, who->b, &s) ||
        proto_group_find(&j->after, who->b, &(struct proto_subject){0})) {
        return ERR_DENIED;
    }
    /* [thread-remove-right] the hub, or who added it */
    if (memcmp(j->by.b, j->before->hub, 32) != 0 &&
        memcmp(j->by.b, s.added_by, 32) != 0) {
        return ERR_DENIED;
    }
    /* [thread-remove-hub] the hub goes only by handing over */
    return memcmp(who->b, j->before->hub, 32) == 0 ? ERR_DENIED : OK;
}

/* Who stays is described as before. */
static enum err
judge_others(const struct judged *j)
{
    struct proto_list_at at = {0};
    struct proto_subject s;
    struct proto_subject b;
    uint32_t same = 0;

    while (proto_list_next(&j->after.subjects, &proto_subject_shape, &at, &s)) {
        if (!proto_group_find(j->before, s.root, &b)) {
            continue;
        }
        /* [thread-others-kept] */
        if (memcmp(s.node, b.node, 32) != 0 || s.kind != b.kind ||
            memcmp(s.added_by, b.added_by, 32) != 0 ||
            s.generation != b.generation) {
            return ERR_DENIED;
        }
        same++;
    }
    if (same + j->added != j->after.subjects.len ||
        same + j->removed != j->before->subjects.len) {
        return ERR_DENIED;
    }
    return OK;
}

static bool
is_newer(const struct mls_leaf_change *c)
{
    uint64_t before = fed_chain_generation(c->before.credential);
    uint64_t after = fed_chain_generation(c->after.credential);

    return view_equal(c->before.signature_key, c->after.signature_key)
               ? after >= before
               : after > before;
}

static enum err
judge_leaves(struct judged *j, const struct mls_stage *stage,
             const struct mls_stage_info *info)
{
    enum err e = OK;
    struct mls_leaf_change c;

    for (size_t i = 0; mls_stage_leaf(stage, i, &c); i++) {
        struct clinic_id who;

        TRY(fed_chain_root(c.what == MLS_REMOVED ? c.before.credential
                                                 : c.after.credential,
                           &who));
        if (c.what == MLS_ADDED) {
            TRY(judge_added(j, &who));
        } else if (c.what == MLS_REMOVED) {
            TRY(judge_removed(j, &who));
        } else {
            /* [thread-update-own] only the committer's own leaf */
            TRY(c.leaf == info->committer ? OK : ERR_DENIED);
            /* [thread-update-newer] another key comes with a newer certificate,
               and nobody goes back to an older one */
            TRY(is_newer(&c) ? OK : ERR_DENIED);
        }
    }
out:
    return e;
}

enum err
fed_policy_commit(struct fed_core *core, const struct fed_thread *t,
                  const struct mls_stage *stage, struct clinic_id *committer)
{
    enum err e;
    struct mls_stage_info info;
    struct judged j = {.t = t, .before = &t->group};

    (void)core;
    mls_stage_info(stage, &info);
    /* [thread-no-reinit] */
    if (info.reinit || info.psks > 0 || info.others > 0) {
        return ERR_DENIED;
    }
    TRY(committer_of(t, stage, &info, &j.by));
    TRY(after_group(stage, &j.after));
    /* [thread-frame-kept] */
    TRY(frame_kept(&j) ? OK : ERR_DENIED);
    /* [thread-extensions-kept] what members must be able to do, and the rest */
    TRY(extensions_kept(t, stage) ? OK : ERR_DENIED);
    if (info.external) {
        TRY(judge_external(&j, stage));
    } else {
        TRY(judge_leaves(&j, stage, &info));
        TRY(judge_others(&j));
    }
    *committer = j.by;
out:
    return e;
}

enum err
fed_policy_members(const struct mls_group *mls, const struct proto_group *group)
{
    uint32_t n = mls_group_leaf_count(mls);

    /* [thread-members] as many leaves as participants, each of one of them */
    if (mls_group_member_count(mls) > group->subjects.len) {
        return ERR_DENIED;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct proto_subject s;
        struct clinic_id root;
        uint32_t first;

        if (fed_leaf_root(mls, i, &root) == OK &&
            (!proto_group_find(group, root.b, &s) ||
             fed_leaf_of(mls, &root, &first) != OK || first != i)) {
            return ERR_DENIED;
        }
    }
    return OK;
}
