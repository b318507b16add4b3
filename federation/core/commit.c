/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an intent to a commit: the MLS proposals and the participants list
 * always change together.
 */
#include "federation/core/care.h"

#include <string.h>

void
fed_built_clear(struct fed_built *b)
{
    mls_committed_clear(&b->made);
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

/* A commit of these proposals and the new description that goes with them. */
static enum err
commit_with(struct fed_core *core, struct fed_thread *t,
            struct mls_proposal_in *in, size_t in_len,
            const struct fed_regroup *want, struct fed_built *out)
{
    enum err e;
    struct bytes aad = {0};
    struct bytes group = {0};
    struct proto_tls_wr w = proto_tls_wr_open(core->mem);
    struct mls_identity who = fed_mls_identity(core);
    struct mls_commit_opts opts = {.skip_pending = true,
                                   .force_path = true,
                                   .as_private = true,
                                   .identity = &who};

    TRY(fed_log_aad(core, t, (struct view){0}, &aad));
    opts.aad = view_of(&aad);
    if (in_len > 0) {
        TRY(fed_regroup(core, t, want, &group));
        write_extensions(&w, t, view_of(&group));
        TRY(w.e);
        in[0].type = MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS;
        in[0].extensions.raw = proto_tls_wr_view(&w);
        opts.proposals = in;
        opts.proposals_len = in_len;
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
add_clinic(struct fed_core *core, struct fed_thread *t,
           const struct fed_rec_intent *rec, struct fed_built *out)
{
    enum err e;
    struct proto_subject s = {.kind = PROTO_SUBJECT_CLINIC};
    struct fed_regroup want = {.add = &s};
    struct mls_proposal_in in[2] = {{0}};
    struct fed_who of;

    TRY(fed_kp_check(core, rec->data, &of));
    TRY(of.kind == FED_KIND_CLINIC && memcmp(of.subject.b, rec->id, 32) == 0
            ? OK
            : ERR_AUTH);
    in[1].type = MLS_PROPOSAL_ADD;
    in[1].key_package = rec->data;
    memcpy(s.root, rec->id, sizeof(s.root));
    memcpy(s.node, rec->id, sizeof(s.node));
    memcpy(s.added_by, core->me.b, sizeof(s.added_by));
    TRY(commit_with(core, t, in, 2, &want, out));
    out->added = of.subject;
out:
    return e;
}

/* A patient comes with all of its devices that gave a key package. */
static enum err
add_patient(struct fed_core *core, struct fed_thread *t,
            const struct fed_party *p, const struct fed_rec_intent *rec,
            struct fed_built *out)
{
    enum err e;
    struct proto_subject s = {.kind = PROTO_SUBJECT_PATIENT};
    struct fed_regroup want = {.add = &s, .patient = rec->id};
    struct mls_proposal_in in[1 + PROTO_PATIENT_DEVICES] = {{0}};
    size_t n = 1;
    struct patient_id id;
    struct ident_devices list;
    struct fed_rec_patient known;
    struct fed_rec_kps kps;
    struct proto_list_at at = {0};
    struct proto_key_package kp;
    struct bytes hold = {0};

    memcpy(id.b, rec->id, sizeof(id.b));
    TRY(fed_patient_load(core, &id, &known, &hold));
    TRY(fed_patient_list(core, &id, &list));
    TRY(fed_rec_decode(rec->data, &fed_rec_kps_shape, &kps));
    while (proto_list_next(&kps.kps, &proto_key_package_shape, &at, &kp)) {
        e = fed_pool_check(core, &p->root, kp.kp);
        if (fed_ours(e)) {
            goto out;
        }
        if (e == OK) { /* or of a device that has gone meanwhile */
            in[n].type = MLS_PROPOSAL_ADD;
            in[n++].key_package = kp.kp;
        }
    }
    TRY(n > 1 ? OK : ERR_DENIED);
    memcpy(s.root, rec->id, sizeof(s.root));
    memcpy(s.node, p->via != NULL ? p->via->root.b : core->config.self.root.b,
           sizeof(s.node));
    memcpy(s.added_by, core->me.b, sizeof(s.added_by));
    s.generation = list.generation;
    want.generation = list.generation;
    want.list = known.list;
    TRY(commit_with(core, t, in, n, &want, out));
    out->added = p->root;
out:
    bytes_free(&hold);
    return e;
}

static enum err
build_add(struct fed_core *core, struct fed_thread *t,
          const struct fed_rec_intent *rec, struct fed_built *out)
{
    struct clinic_id who;
    const struct fed_party *p;
    struct proto_subject known;

    memcpy(who.b, rec->id, sizeof(who.b));
    p = fed_party_find(core, &who);
    if (proto_group_find(&t->group, rec->id, &known)) {
        return ERR_EXISTS;
    }
    if (t->group.subjects.len >= LIMIT_THREAD_SUBJECTS) {
        return ERR_LIMIT;
    }
    return p != NULL && p->kind == FED_KIND_PATIENT
               ? add_patient(core, t, p, rec, out)
               : add_clinic(core, t, rec, out);
}

/* All leaves of a subject, behind in[0]. */
static enum err
remove_leaves(const struct fed_thread *t, const uint8_t subject[32],
              const struct ident_devices *but, struct mls_proposal_in *in,
              size_t *n)
{
    uint32_t count = mls_group_leaf_count(t->mls);

    for (uint32_t i = 0; i < count; i++) {
        struct fed_who who;
        struct device_id device;

        if (fed_leaf_who(t->mls, i, &who) != OK ||
            memcmp(who.subject.b, subject, 32) != 0) {
            continue;
        }
        memcpy(device.b, who.node.b, sizeof(device.b));
        if (but != NULL && ident_devices_find(but, &device) != NULL) {
            continue;
        }
        if (i == mls_group_own_leaf(t->mls)) {
            return ERR_INVALID;
        }
        if (*n > PROTO_PATIENT_DEVICES) {
            return ERR_LIMIT;
        }
        in[*n].type = MLS_PROPOSAL_REMOVE;
        in[*n].leaf = i;
        (*n)++;
    }
    return OK;
}

static enum err
build_remove(struct fed_core *core, struct fed_thread *t,
             const struct fed_rec_intent *rec, struct fed_built *out)
{
    enum err e;
    struct fed_regroup want = {.remove = rec->id};
    struct mls_proposal_in in[2 + PROTO_PATIENT_DEVICES] = {{0}};
    struct proto_subject s;
    size_t n = 1;

    TRY(proto_group_find(&t->group, rec->id, &s) ? OK : ERR_MISSING);
    TRY(remove_leaves(t, rec->id, NULL, in, &n));
    TRY(commit_with(core, t, in, n, &want, out));
out:
    return e;
}

/*
 * A patient's leaves as its newest list says; new devices join by themselves
 * (decisions D 14).  With a device named, that one goes although it is listed.
 */
static enum err
build_devices(struct fed_core *core, struct fed_thread *t,
              const struct fed_rec_intent *rec, struct fed_built *out)
{
    enum err e;
    struct fed_regroup want = {.patient = rec->id};
    struct mls_proposal_in in[2 + PROTO_PATIENT_DEVICES] = {{0}};
    size_t n = 1;
    struct patient_id id;
    struct proto_subject s;
    struct ident_devices list;
    struct fed_rec_patient known;
    struct fed_rec_out gone = {{0}};
    struct clinic_id device;
    struct bytes hold = {0};

    memcpy(id.b, rec->id, sizeof(id.b));
    TRY(proto_group_find(&t->group, rec->id, &s) ? OK : ERR_MISSING);
    TRY(fed_patient_load(core, &id, &known, &hold));
    TRY(fed_patient_list(core, &id, &list));
    if (rec->data.len > 0) {
        TRY(fed_rec_decode(rec->data, &fed_rec_out_shape, &gone));
    }
    memcpy(device.b, gone.device, sizeof(device.b));
    want.generation = s.generation;
    TRY(proto_group_list(&t->group, rec->id, &want.list) ? OK : ERR_DENIED);
    if (list.generation > s.generation) {
        want.generation = list.generation;
        want.list = known.list;
        TRY(remove_leaves(t, rec->id, &list, in, &n));
    }
    if (!clinic_id_is_zero(&device) && n <= PROTO_PATIENT_DEVICES) {
        e = fed_leaf_at(t->mls, &device, &in[n].leaf);
        in[n].type = MLS_PROPOSAL_REMOVE;
        n += e == OK ? 1 : 0;
    }
    TRY(n > 1 || want.generation != s.generation ? OK : ERR_EXISTS);
    TRY(commit_with(core, t, in, n, &want, out));
out:
    bytes_free(&hold);
    return e;
}

enum err
fed_commit_build(struct fed_core *core, struct fed_thread *t,
                 const struct fed_rec_intent *rec, struct fed_built *out)
{
    enum err e;
    struct fed_who by;

    if (rec->kind == FED_INTENT_ADD) {
        TRY(build_add(core, t, rec, out));
    } else if (rec->kind == FED_INTENT_REMOVE) {
        TRY(build_remove(core, t, rec, out));
    } else if (rec->kind == FED_INTENT_DEVICES) {
        TRY(build_devices(core, t, rec, out));
    } else if (rec->kind == FED_INTENT_MOVE) {
        struct fed_regroup want = {.hub = rec->id};
        struct mls_proposal_in in[1] = {{0}};

        TRY(commit_with(core, t, in, 1, &want, out));
    } else {
        TRY(commit_with(core, t, NULL, 0, NULL, out));
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
