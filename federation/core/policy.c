/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which commits a thread allows (decisions D 14 and 18).  Every member asks
 * this about every commit, the hub before it accepts one.  A clinic has one
 * leaf, a patient one for each device; whose devices they are and which clinic
 * may read along is judged in members.c on the group as it will be.
 */
#include "federation/core/care.h"
#include "federation/core/move.h"
#include "federation/core/trust.h"

#include <string.h>

/* One commit under judgement. */
struct judged {
    struct fed_core *core;
    const struct fed_thread *t;
    const struct proto_group *before;
    struct proto_group after;
    struct fed_who by;
};

static enum err
committer_of(const struct fed_thread *t, const struct mls_stage *stage,
             const struct mls_stage_info *info, struct fed_who *out)
{
    struct mls_leaf_change c;

    for (size_t i = 0; mls_stage_leaf(stage, i, &c); i++) {
        if (c.leaf == info->committer && c.what != MLS_REMOVED) {
            return fed_cred_who(c.after.credential, out);
        }
    }
    return fed_leaf_who(t->mls, info->committer, out);
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

    return a->flags == b->flags && a->successors.len == b->successors.len &&
           view_equal(a->successors.raw, b->successors.raw);
}

/* The hub stays, or goes as move.c allows: alone, and not from outside. */
static enum err
judge_hub(struct fed_core *core, const struct judged *j, bool external)
{
    const struct proto_group *a = j->before;
    const struct proto_group *b = &j->after;

    if (memcmp(a->hub, b->hub, sizeof(a->hub)) == 0) {
        return a->term == b->term && memcmp(a->prev, b->prev, 32) == 0
                   ? OK
                   : ERR_DENIED;
    }
    /* [move-alone] with nobody coming or going */
    return external || a->subjects.len != b->subjects.len ||
                   !view_equal(a->subjects.raw, b->subjects.raw)
               ? ERR_DENIED
               : fed_move_judge(core, j->t, b, &j->by.subject);
}

static enum err
who_of(const struct mls_leaf_change *c, struct fed_who *out)
{
    return fed_cred_who(c->what == MLS_REMOVED ? c->before.credential
                                               : c->after.credential,
                        out);
}

/* An external commit replaces, or for a new device adds, a leaf of a subject
   that takes part. */
static enum err
judge_external(const struct judged *j, const struct mls_stage *stage)
{
    struct proto_subject s;
    struct mls_leaf_change c;
    uint32_t old = MLS_NO_LEAF;
    bool replaced = fed_leaf_at(j->t->mls, &j->by.node, &old) != OK;
    uint64_t before = 0;
    uint64_t after = 0;

    /* [thread-external-subject] decisions D 14 */
    if (!proto_group_find(j->before, j->by.subject.b, &s)) {
        return ERR_DENIED;
    }
    for (size_t i = 0; mls_stage_leaf(stage, i, &c); i++) {
        struct fed_who who;

        /* [thread-external-others] nobody else's leaf */
        if (who_of(&c, &who) != OK ||
            !clinic_id_equal(&who.node, &j->by.node) ||
            !clinic_id_equal(&who.subject, &j->by.subject)) {
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
    return after > before || j->by.kind == FED_KIND_DEVICE ? OK : ERR_DENIED;
}

/* The kind that a leaf's subject has to be listed as. */
static bool
kind_fits(const struct proto_subject *s, const struct fed_who *who)
{
    return s->kind == (who->kind == FED_KIND_DEVICE ? PROTO_SUBJECT_PATIENT
                                                    : PROTO_SUBJECT_CLINIC);
}

/* A subject that was not there. */
static enum err
judge_newcomer(const struct judged *j, const struct proto_subject *s)
{
    /* [thread-direct-two] a direct conversation is of two */
    if ((j->before->flags & PROTO_GROUP_DIRECT) != 0 &&
        j->after.subjects.len > 2) {
        return ERR_DENIED;
    }
    /* [thread-patients-add-nobody] */
    if (j->by.kind != FED_KIND_CLINIC) {
        return ERR_DENIED;
    }
    /* [thread-add-listed] a new participant, by its adder; a clinic's node is
       its own */
    if (memcmp(s->added_by, j->by.subject.b, sizeof(s->added_by)) != 0 ||
        (s->kind == PROTO_SUBJECT_CLINIC &&
         (memcmp(s->node, s->root, sizeof(s->node)) != 0 ||
          s->generation != 0))) {
        return ERR_DENIED;
    }
    return OK;
}

static enum err
judge_added(const struct judged *j, const struct fed_who *who)
{
    struct proto_subject s;
    uint32_t old;
    bool there = proto_group_find(j->before, who->subject.b, &s);

    if (!proto_group_find(&j->after, who->subject.b, &s) ||
        !kind_fits(&s, who)) {
        return ERR_DENIED; /* [thread-add-listed] */
    }
    /* [thread-add-once] one leaf a clinic, one a device */
    if (fed_leaf_at(j->t->mls, &who->node, &old) == OK ||
        (there && who->kind == FED_KIND_CLINIC)) {
        return ERR_DENIED;
    }
    return there ? OK : judge_newcomer(j, &s);
}

static enum err
judge_removed(const struct judged *j, const struct fed_who *who)
{
    struct proto_subject s;
    bool own = clinic_id_equal(&j->by.subject, &who->subject);
    bool stays;

    /* [thread-remove-listed] */
    if (!proto_group_find(j->before, who->subject.b, &s)) {
        return ERR_DENIED;
    }
    stays =
        proto_group_find(&j->after, who->subject.b, &(struct proto_subject){0});
    /* [thread-remove-whole] a clinic is in with its leaf, or out */
    if (stays && who->kind == FED_KIND_CLINIC) {
        return ERR_DENIED;
    }
    /* [thread-remove-device] one device: by its patient's list, or by who
       delivers or orders (decisions F 23) */
    if (stays && fed_members_listed(j->core, &j->after, who)) {
        return memcmp(j->by.subject.b, j->before->hub, 32) == 0 ||
                       memcmp(j->by.subject.b, s.node, 32) == 0
                   ? OK
                   : ERR_DENIED;
    }
    if (stays) {
        return OK;
    }
    /* [thread-remove-right] the hub, or who added it */
    if (own || (memcmp(j->by.subject.b, j->before->hub, 32) != 0 &&
                memcmp(j->by.subject.b, s.added_by, 32) != 0)) {
        return ERR_DENIED;
    }
    /* [thread-remove-hub] the hub goes only by handing over */
    return memcmp(who->subject.b, j->before->hub, 32) == 0 ? ERR_DENIED : OK;
}

/* How many leaves of a subject there are after the commit. */
static uint32_t
leaves_after(const struct judged *j, const struct mls_stage *stage,
             const uint8_t subject[32])
{
    uint32_t n = mls_group_leaf_count(j->t->mls);
    uint32_t count = 0;
    struct mls_leaf_change c;
    struct fed_who who;

    for (uint32_t i = 0; i < n; i++) {
        count += fed_leaf_who(j->t->mls, i, &who) == OK &&
                         memcmp(who.subject.b, subject, 32) == 0
                     ? 1
                     : 0;
    }
    for (size_t i = 0; mls_stage_leaf(stage, i, &c); i++) {
        if (who_of(&c, &who) != OK || memcmp(who.subject.b, subject, 32) != 0) {
            continue;
        }
        count += c.what == MLS_ADDED ? 1 : 0;
        count -= c.what == MLS_REMOVED ? 1 : 0;
    }
    return count;
}

/* Who stays is described as before; who is listed has a leaf, who is not has
   none. */
static enum err
judge_subjects(const struct judged *j, const struct mls_stage *stage)
{
    struct proto_list_at at = {0};
    struct proto_subject s;
    struct proto_subject b;

    while (proto_list_next(&j->after.subjects, &proto_subject_shape, &at, &s)) {
        bool patient = s.kind == PROTO_SUBJECT_PATIENT;

        /* [thread-others-kept] */
        if (proto_group_find(j->before, s.root, &b) &&
            (memcmp(s.node, b.node, 32) != 0 || s.kind != b.kind ||
             memcmp(s.added_by, b.added_by, 32) != 0 ||
             (!patient && s.generation != b.generation))) {
            return ERR_DENIED;
        }
        /* [thread-listed-has-leaf] a patient's last device may be gone */
        if (leaves_after(j, stage, s.root) == 0 &&
            !(patient && proto_group_find(j->before, s.root, &b))) {
            return ERR_DENIED;
        }
    }
    at = (struct proto_list_at){0};
    while (
        proto_list_next(&j->before->subjects, &proto_subject_shape, &at, &b)) {
        /* [thread-removed-leafless] */
        if (!proto_group_find(&j->after, b.root, &s) &&
            (leaves_after(j, stage, b.root) != 0 ||
             memcmp(b.root, j->before->hub, 32) == 0)) {
            return ERR_DENIED;
        }
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
judge_leaves(const struct judged *j, const struct mls_stage *stage,
             const struct mls_stage_info *info)
{
    enum err e = OK;
    struct mls_leaf_change c;

    for (size_t i = 0; mls_stage_leaf(stage, i, &c); i++) {
        struct fed_who who;

        TRY(who_of(&c, &who));
        if (c.what == MLS_ADDED) {
            TRY(judge_added(j, &who));
        } else if (c.what == MLS_REMOVED) {
            TRY(judge_removed(j, &who));
        } else {
            struct fed_who old;

            /* [thread-update-own] only the committer's own leaf */
            TRY(c.leaf == info->committer ? OK : ERR_DENIED);
            TRY(fed_cred_who(c.before.credential, &old));
            TRY(clinic_id_equal(&old.node, &who.node) &&
                        clinic_id_equal(&old.subject, &who.subject)
                    ? OK
                    : ERR_DENIED);
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
                  const struct mls_stage *stage, struct fed_who *committer)
{
    enum err e;
    struct mls_stage_info info;
    struct judged j = {.core = core, .t = t, .before = &t->group};

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
        TRY(judge_subjects(&j, stage));
    }
    TRY(fed_members_commit(core, t, stage, &j.after));
    TRY(judge_hub(core, &j, info.external));
    *committer = j.by;
out:
    return e;
}
