/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who came into a thread and who went, as every member tells its people: at the
 * place of the commit, so that all see the same lines in the same order.  Who
 * rejoins cannot know where something changed while it was away: it compares
 * the members that it knew with those that it finds, and says so where it came
 * back.  A thread that continues another (decisions G 31) brings nobody in who
 * was in that one.
 */
#include "federation/core/came.h"

#include "federation/core/line.h"
#include "federation/core/trust.h"

#include <string.h>

static enum err
show(struct fed_core *core, const struct fed_thread *t,
     const struct clinic_id *who, const struct clinic_id *by,
     enum fed_member_change code, struct fed_show **out)
{
    struct fed_show *s = fed_tx_show(core, FED_SHOW_MEMBER);

    if (s == NULL) {
        return ERR_NOMEM;
    }
    s->thread = t->id;
    s->code = (uint64_t)code;
    s->value = t->rec.flags;
    s->term = t->rec.term;
    s->seq = fed_place(t->rec.seq, 0);
    s->ts_ms = t->rec.ts_ms;
    memcpy(s->author.b, who->b, sizeof(s->author.b));
    memcpy(s->other.b, by->b, sizeof(s->other.b));
    *out = s;
    return OK;
}

/* The same about the device that who may be. */
static enum err
show_who(struct fed_core *core, const struct fed_thread *t,
         const struct fed_who *who, const struct clinic_id *by,
         enum fed_member_change code)
{
    struct fed_show *s;
    enum err e = show(core, t, &who->subject, by, code, &s);

    if (e == OK && who->kind == FED_KIND_DEVICE) {
        memcpy(s->message.b, who->node.b, sizeof(s->message.b));
    }
    return e;
}

/* Was it in the thread that t continues? */
static enum err
was_in(struct fed_core *core, const struct proto_group *group,
       const struct clinic_id *who, bool *out)
{
    enum err e;
    struct thread_id prev;
    struct fed_thread *old;
    struct proto_subject s;

    *out = false;
    if ((group->flags & PROTO_GROUP_CONTINUES) == 0) {
        return OK;
    }
    memcpy(prev.b, group->prev, sizeof(prev.b));
    e = fed_thread_get(core, &prev, &old);
    if (e != OK) {
        return e == ERR_MISSING ? OK : e;
    }
    /* Who knows of it only that it is was asked into it. */
    *out = old->group_ext.len == 0
               ? clinic_id_equal(who, &core->config.self.root)
               : proto_group_find(&old->group, who->b, &s);
    return OK;
}

/* One leaf that came or went: with its subject, or as a device of it.  Of a
   subject with several leaves it is said once. */
static enum err
show_leaf(struct fed_core *core, const struct fed_thread *t,
          const struct proto_group *after, const struct mls_leaf_change *c,
          const struct fed_who *by, struct clinic_id *last)
{
    enum err e;
    struct fed_who who;
    struct proto_subject s;
    bool came = c->what == MLS_ADDED;
    bool before;
    bool again;

    TRY(fed_cred_who(came ? c->after.credential : c->before.credential, &who));
    before = proto_group_find(&t->group, who.subject.b, &s);
    if (before && proto_group_find(after, who.subject.b, &s)) {
        TRY(show_who(core, t, &who, &by->subject,
                     came ? FED_MEMBER_DEVICE_CAME : FED_MEMBER_DEVICE_OUT));
        goto out;
    }
    if (clinic_id_equal(last, &who.subject)) {
        goto out;
    }
    *last = who.subject;
    TRY(was_in(core, after, &who.subject, &again));
    TRY(show_who(core, t, &who, &by->subject,
                 !came   ? FED_MEMBER_OUT
                 : again ? FED_MEMBER_REJOINED
                         : FED_MEMBER_CAME));
out:
    return e;
}

enum err
fed_came_commit(struct fed_core *core, const struct fed_thread *t,
                const struct mls_stage *stage,
                const struct mls_stage_info *info, const struct fed_who *by,
                bool *shut)
{
    enum err e = OK;
    struct mls_leaf_change c;
    struct mls_extension ext;
    struct proto_group after;
    struct clinic_id last = {{0}};
    uint32_t old;

    *shut = false;
    if (info->external) {
        *shut = true; /* the old leaf of the one that rejoined */
        return show_who(core, t, by, &by->subject,
                        by->kind == FED_KIND_DEVICE &&
                                fed_leaf_at(t->mls, &by->node, &old) != OK
                            ? FED_MEMBER_DEVICE_CAME
                            : FED_MEMBER_REJOINED);
    }
    if (!mls_extensions_find(mls_stage_extensions(stage), PROTO_EXT_GROUP,
                             &ext)) {
        return ERR_INTERNAL;
    }
    TRY(proto_group_decode(ext.data, &after));
    for (size_t i = 0; mls_stage_leaf(stage, i, &c); i++) {
        if (c.what == MLS_UPDATED) {
            *shut = *shut || fed_replaces_revoked(core, &c);
            continue;
        }
        *shut = *shut || c.what == MLS_REMOVED;
        TRY(show_leaf(core, t, &after, &c, by, &last));
    }
out:
    return e;
}

enum err
fed_came_in(struct fed_core *core, const struct fed_thread *t)
{
    enum err e = OK;
    struct proto_subject me;
    struct clinic_id by;
    struct fed_show *s;
    bool again;

    if (!proto_group_find(&t->group, core->me.b, &me)) {
        goto out;
    }
    memcpy(by.b, me.added_by, sizeof(by.b));
    TRY(was_in(core, &t->group, &core->me, &again));
    TRY(show(core, t, &core->me, &by,
             again ? FED_MEMBER_REJOINED : FED_MEMBER_CAME, &s));
out:
    return e;
}

/* Who is in one group and not in the other. */
static enum err
differ(struct fed_core *core, const struct fed_thread *t,
       const struct proto_group *in, const struct proto_group *not_in,
       enum fed_member_change code)
{
    static const struct clinic_id nobody;
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_subject s;
    struct proto_subject other;
    struct clinic_id who;
    struct fed_show *out;

    while (proto_list_next(&in->subjects, &proto_subject_shape, &at, &s)) {
        if (!proto_group_find(not_in, s.root, &other)) {
            memcpy(who.b, s.root, sizeof(who.b));
            TRY(show(core, t, &who, &nobody, code, &out));
        }
    }
out:
    return e;
}

enum err
fed_came_back(struct fed_core *core, const struct fed_thread *t,
              struct view ext)
{
    enum err e = OK;
    struct proto_group after;
    struct proto_subject me;
    const struct fed_who who = {.kind = core->kind,
                                .subject = core->me,
                                .node = core->config.self.root};

    if (!proto_group_find(&t->group, core->me.b, &me)) {
        /* Nobody that we knew: put back to before it, or what let us in could
           not be kept; not a new device. */
        TRY(core->kind == FED_KIND_CLINIC || core->self.incarnation > 1
                ? show_who(core, t, &who, &core->me, FED_MEMBER_REJOINED)
                : OK);
        goto out;
    }
    TRY(proto_group_decode(ext, &after));
    TRY(show_who(core, t, &who, &core->me, FED_MEMBER_REJOINED));
    TRY(differ(core, t, &t->group, &after, FED_MEMBER_OUT));
    TRY(differ(core, t, &after, &t->group, FED_MEMBER_CAME));
out:
    return e;
}

enum err
fed_came_wish(struct fed_core *core, const struct fed_thread *t,
              const struct clinic_id *author, uint64_t term, uint64_t place,
              uint64_t ts_ms)
{
    struct fed_show *s;
    enum err e = show(core, t, author, author, FED_MEMBER_WANTS_OUT, &s);

    if (e == OK) {
        s->term = term;
        s->seq = place;
        s->ts_ms = ts_ms;
    }
    return e;
}
