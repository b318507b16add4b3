/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an intent to a commit: the MLS proposals and the participants list
 * always change together.
 */
#include "federation/core/inside.h"

#include <string.h>

void
fed_built_clear(struct fed_built *b)
{
    mls_committed_clear(&b->made);
}

/* The group extension with one subject more or less. */
struct edit {
    const struct proto_subject *add; /* or NULL */
    const uint8_t *remove;           /* root, or NULL */
};

static enum err
edit_group(struct fed_core *core, const struct fed_thread *t,
           const struct edit *edit, struct bytes *out)
{
    enum err e = OK;
    struct proto_group group = t->group;
    struct proto_subject *list;
    struct proto_subject s;
    struct proto_list_at at = {0};
    size_t cap = group.subjects.len + 1u;
    uint32_t n = 0;
    bool placed = edit->add == NULL;

    list = mem_calloc(core->mem, cap, sizeof(list[0]));
    TRY(list == NULL ? ERR_NOMEM : OK);
    while (proto_list_next(&t->group.subjects, &proto_subject_shape, &at, &s)) {
        if (edit->remove != NULL && memcmp(edit->remove, s.root, 32) == 0) {
            continue;
        }
        if (!placed && memcmp(edit->add->root, s.root, 32) < 0) {
            list[n++] = *edit->add;
            placed = true;
        }
        list[n++] = s;
    }
    if (!placed) {
        list[n++] = *edit->add;
    }
    group.subjects = (struct proto_list){.items = list, .len = n};
    TRY(proto_group_encode(core->mem, &group, out));
out:
    mem_free(core->mem, list, cap * sizeof(list[0]));
    return e;
}

/* The group's other extensions as they are, ours replaced. */
static void
write_extensions(struct proto_tls_wr *w, const struct fed_thread *t,
                 struct view group)
{
    struct mls_extensions it = mls_group_extensions(t->mls);
    struct mls_extension ext;

    while (mls_extensions_next(&it, &ext)) {
        mls_extension_write(w, ext.type,
                            ext.type == PROTO_EXT_GROUP ? group : ext.data);
    }
}

static enum err
commit_with(struct fed_core *core, struct fed_thread *t,
            const struct mls_proposal_in *first, const struct edit *edit,
            struct fed_built *out)
{
    enum err e;
    struct bytes aad = {0};
    struct bytes group = {0};
    struct proto_tls_wr w = proto_tls_wr_open(core->mem);
    struct mls_identity who = fed_mls_identity(core);
    struct mls_proposal_in in[2] = {
        {.type = MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS}};
    struct mls_commit_opts opts = {.skip_pending = true,
                                   .force_path = true,
                                   .as_private = true,
                                   .identity = &who};

    TRY(fed_log_aad(core, t, &aad));
    opts.aad = view_of(&aad);
    if (first != NULL) {
        TRY(edit_group(core, t, edit, &group));
        write_extensions(&w, t, view_of(&group));
        TRY(w.e);
        in[0].extensions.raw = proto_tls_wr_view(&w);
        in[1] = *first;
        opts.proposals = in;
        opts.proposals_len = 2;
    }
    core->judge_ms = fed_now(core);
    TRY(mls_commit(t->mls, &opts, &out->made));
out:
    proto_tls_wr_clear(&w);
    bytes_free(&aad);
    bytes_free(&group);
    return e;
}

static enum err
build_add(struct fed_core *core, struct fed_thread *t,
          const struct fed_rec_intent *rec, struct fed_built *out)
{
    enum err e;
    struct proto_subject s = {.kind = PROTO_SUBJECT_CLINIC};
    struct edit edit = {.add = &s};
    struct mls_proposal_in add = {.type = MLS_PROPOSAL_ADD,
                                  .key_package = rec->data};
    struct clinic_id of;
    struct proto_subject known;

    TRY(fed_kp_check(core, rec->data, &of));
    TRY(memcmp(of.b, rec->id, 32) == 0 ? OK : ERR_AUTH);
    TRY(proto_group_find(&t->group, rec->id, &known) ? ERR_EXISTS : OK);
    TRY(t->group.subjects.len < LIMIT_THREAD_SUBJECTS ? OK : ERR_LIMIT);
    memcpy(s.root, rec->id, sizeof(s.root));
    memcpy(s.node, rec->id, sizeof(s.node));
    memcpy(s.added_by, core->config.self.root.b, sizeof(s.added_by));
    TRY(commit_with(core, t, &add, &edit, out));
    out->added = of;
out:
    return e;
}

static enum err
build_remove(struct fed_core *core, struct fed_thread *t,
             const struct fed_rec_intent *rec, struct fed_built *out)
{
    enum err e;
    struct clinic_id who;
    struct edit edit = {.remove = rec->id};
    struct mls_proposal_in in = {.type = MLS_PROPOSAL_REMOVE};

    memcpy(who.b, rec->id, sizeof(who.b));
    TRY(fed_leaf_of(t->mls, &who, &in.leaf));
    TRY(in.leaf == mls_group_own_leaf(t->mls) ? ERR_INVALID : OK);
    TRY(commit_with(core, t, &in, &edit, out));
out:
    return e;
}

enum err
fed_commit_build(struct fed_core *core, struct fed_thread *t,
                 const struct fed_rec_intent *rec, struct fed_built *out)
{
    enum err e;
    struct clinic_id by;

    if (rec->kind == FED_INTENT_ADD) {
        TRY(build_add(core, t, rec, out));
    } else if (rec->kind == FED_INTENT_REMOVE) {
        TRY(build_remove(core, t, rec, out));
    } else {
        TRY(commit_with(core, t, NULL, NULL, out));
    }
    /* What the others would refuse is not sent. */
    TRY(fed_policy_commit(core, t, out->made.stage, &by));
out:
    if (e != OK) {
        mls_undo(t->mls, &out->made.change);
        fed_built_clear(out);
        *out = (struct fed_built){0};
    }
    return e;
}
