/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is who, for members that were not there before.  Names were said when
 * the thread began, or never, since all had them; a newcomer that gets no
 * history would see keys only.  So the clinic that brought somebody in says
 * what the thread is called and whom it knows there, as its claim; a patient's
 * device says what its patient is called.  Inside MLS, after the commit that
 * lets the newcomer in: before the consent nobody hears of anybody.
 */
#include "federation/core/care.h"

#include <string.h>

/* Does the stage bring in a subject that concerns us? */
static bool
brings(const struct fed_core *core, const struct fed_thread *t,
       const struct proto_group *after)
{
    struct proto_list_at at = {0};
    struct proto_subject s;
    struct proto_subject was;

    if (after->subjects.len <= 2) {
        return false; /* the two know each other */
    }
    while (proto_list_next(&after->subjects, &proto_subject_shape, &at, &s)) {
        if (proto_group_find(&t->group, s.root, &was) ||
            memcmp(s.root, core->me.b, 32) == 0) {
            continue;
        }
        if (core->kind == FED_KIND_DEVICE
                ? s.kind == PROTO_SUBJECT_CLINIC
                : memcmp(s.added_by, core->me.b, 32) == 0) {
            return true;
        }
    }
    return false;
}

/* A patient's new device: who orders the thread tells it, and its patient's
   other devices do. */
static bool
greets(const struct fed_core *core, const struct fed_thread *t,
       const struct fed_who *by)
{
    uint32_t leaf;

    if (by->kind != FED_KIND_DEVICE ||
        clinic_id_equal(&by->node, &core->config.self.root) ||
        fed_leaf_at(t->mls, &by->node, &leaf) == OK) {
        return false;
    }
    return core->kind == FED_KIND_DEVICE
               ? clinic_id_equal(&by->subject, &core->me)
               : fed_thread_hub_here(core, t);
}

bool
fed_intro_due(const struct fed_core *core, const struct fed_thread *t,
              const struct mls_stage *stage, const struct fed_who *by)
{
    struct mls_stage_info info;
    struct mls_extension ext;
    struct proto_group after;

    if ((t->rec.flags & PROTO_GROUP_DIRECT) != 0 ||
        core->config.store.intro == NULL) {
        return false;
    }
    mls_stage_info(stage, &info);
    if (info.external) {
        return greets(core, t, by);
    }
    return mls_extensions_find(mls_stage_extensions(stage), PROTO_EXT_GROUP,
                               &ext) &&
           proto_group_decode(ext.data, &after) == OK &&
           brings(core, t, &after);
}

enum err
fed_intro_say(struct fed_core *core, struct fed_thread *t)
{
    enum err e;
    const struct fed_store *store = &core->config.store;
    struct bytes words = {0};
    struct proto_content c;

    if (store->intro == NULL) {
        return OK;
    }
    e = store->intro(store->ctx, &t->id, &t->group, core->mem, &words);
    if (e == ERR_MISSING) {
        return OK; /* nothing to say */
    }
    TRY(e);
    TRY(proto_content_decode(view_of(&words), &c) == OK &&
                c.kind == PROTO_CONTENT_INTRO
            ? OK
            : ERR_INTERNAL);
    TRY(fed_intent_say(core, t, &c, false, NULL));
out:
    bytes_free(&words);
    return e;
}

enum err
fed_intro_joined(struct fed_core *core, struct fed_thread *t)
{
    return core->kind == FED_KIND_DEVICE &&
                   (t->rec.flags & PROTO_GROUP_DIRECT) == 0
               ? fed_intro_say(core, t)
               : OK;
}

/* [intro-own] Who speaks of a patient is a clinic or that patient. */
static bool
may_name(const struct fed_thread *t, const struct fed_said *said,
         const struct proto_intro_name *n)
{
    struct proto_subject author;
    struct proto_subject about;

    return proto_group_find(&t->group, said->author->b, &author) &&
           proto_group_find(&t->group, n->subject, &about) &&
           (author.kind == PROTO_SUBJECT_CLINIC ||
            memcmp(author.root, about.root, 32) == 0);
}

enum err
fed_intro_content(struct fed_core *core, const struct fed_thread *t,
                  const struct fed_said *said, const struct proto_intro *in)
{
    enum err e;
    struct fed_show *show;
    struct proto_list_at at = {0};
    struct proto_intro_name n;

    while (proto_list_next(&in->names, &proto_intro_name_shape, &at, &n)) {
        if (!may_name(t, said, &n)) {
            return OK; /* nothing follows of it */
        }
    }
    show = fed_tx_show(core, FED_SHOW_INTRO);
    TRY(show == NULL ? ERR_NOMEM : OK);
    show->thread = t->id;
    show->term = said->term;
    show->seq = said->seq;
    show->ts_ms = said->ts_ms;
    memcpy(show->author.b, said->author->b, sizeof(show->author.b));
    TRY(bytes_copy(core->mem, said->content, &show->body));
out:
    return e;
}
