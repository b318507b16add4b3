/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that was founded again (successor.c), at its members: who may ask us
 * into it, what it takes the place of here, and what is told to who still asks
 * for the one before, or was put back to it.
 */
#include "federation/core/care.h"
#include "federation/core/successor.h"
#include "federation/core/trust.h"

#include <string.h>

/*
 * A patient's device looks at the consents that it finds there itself.
 * [successor-withdrawn] What it took back from a clinic, of which the others'
 * backups do not know, it says again there (withdraw.c), unless that clinic
 * orders the thread.
 */
static enum err
consents_good(struct fed_core *core, const struct proto_group *group)
{
    enum err e = OK;
    struct thread_id id;
    struct proto_list_at at = {0};
    struct proto_thread_consent c;

    memcpy(id.b, group->prev, sizeof(id.b));
    while (core->kind == FED_KIND_DEVICE &&
           proto_list_next(&group->consents, &proto_thread_consent_shape, &at,
                           &c)) {
        enum fed_recall taken;
        bool again;

        TRY(fed_consent_taken(core, &id, c.patient, c.clinic, &taken));
        again = taken != FED_RECALL_NONE &&
                memcmp(c.patient, core->me.b, 32) == 0 &&
                memcmp(c.clinic, group->hub, 32) != 0;
        TRY(again ? OK : fed_members_consent(core, &id, group, &c));
    }
out:
    return e;
}

/* A clinic that we took something back from, of which others do not know. */
static enum err
back(struct fed_core *core, const struct fed_thread *old,
     const uint8_t clinic[32])
{
    enum err e;
    enum fed_recall taken;

    TRY(fed_consent_taken(core, &old->id, core->me.b, clinic, &taken));
    e = core->kind == FED_KIND_DEVICE && taken != FED_RECALL_NONE ? OK
                                                                  : ERR_DENIED;
out:
    return e;
}

enum err
fed_successor_may(struct fed_core *core, const struct fed_party *p,
                  const struct proto_group *group)
{
    enum err e = OK;
    struct fed_thread *old;
    struct proto_list_at at = {0};
    struct proto_subject s;
    struct proto_subject was;

    if ((group->flags & PROTO_GROUP_CONTINUES) == 0) {
        return OK;
    }
    TRY(fed_successor_before(core, group, &old));
    if (old == NULL) {
        goto out; /* lost with everything else: a thread like any other */
    }
    /* [welcome-continues] by who ordered it, of those who were in it, and not
       while we still have it */
    TRY(memcmp(old->rec.hub, p->root.b, 32) == 0 ? OK : ERR_DENIED);
    TRY(old->rec.state == FED_THREAD_REMOVED ? ERR_DENIED : OK);
    if (old->rec.group.len == 0) {
        goto out; /* a new phone: only that there is such a thread is known */
    }
    while (proto_list_next(&group->subjects, &proto_subject_shape, &at, &s)) {
        TRY(proto_group_find(&old->group, s.root, &was)
                ? OK
                : back(core, old, s.root));
    }
out:
    return e == OK ? consents_good(core, group) : e;
}

/*
 * Who orders old asks for its state: it was put back to before it founded the
 * one that goes on, and we have lost our state there.  So nobody has any, and
 * it founds another.
 */
enum err
fed_successor_lost(struct fed_core *core, const struct fed_thread *old,
                   const struct fed_party *p, bool *out)
{
    enum err e;
    struct fed_thread *t;
    struct thread_id id;

    TRY(fed_successor_newest(core, old, &id, &t));
    *out = t != NULL && t->rec.state == FED_THREAD_RESYNC &&
           memcmp(t->rec.hub, p->root.b, 32) == 0 &&
           memcmp(old->rec.hub, p->root.b, 32) == 0;
out:
    return e;
}

/* The thread that t continues for us: where another did, and is lost here and
   for who orders both, that one. */
static enum err
last_before(struct fed_core *core, const struct fed_thread *t,
            struct fed_thread **out)
{
    enum err e;
    struct fed_thread *next = NULL;
    struct thread_id id;

    TRY(fed_successor_before(core, &t->group, out));
    if (*out != NULL && fed_has_successor(*out)) {
        TRY(fed_successor_newest(core, *out, &id, &next));
    }
    if (next != NULL && next != t && next->rec.state != FED_THREAD_ACTIVE &&
        memcmp(next->rec.hub, t->rec.hub, 32) == 0) {
        *out = next;
    }
out:
    return e;
}

enum err
fed_successor_between(struct fed_core *core, struct fed_thread *t)
{
    enum err e = OK;
    struct fed_thread *old = NULL;

    if ((t->group.flags & PROTO_GROUP_CONTINUES) != 0) {
        TRY(last_before(core, t, &old));
    }
    if (old != NULL && old != t &&
        memcmp(t->group.prev, old->id.b, sizeof(t->group.prev)) != 0) {
        t->between = old->id;
    }
out:
    return e;
}

enum err
fed_successor_enter(struct fed_core *core, struct fed_party *p,
                    struct fed_thread *t)
{
    enum err e;
    struct fed_thread *old;
    struct thread_id id;

    TRY(last_before(core, t, &old));
    if ((t->rec.flags & PROTO_GROUP_DIRECT) != 0) {
        memcpy(id.b, p->rec.direct, sizeof(id.b));
        if (old == NULL && !thread_id_is_zero(&id)) {
            e = fed_thread_get(core, &id, &old);
            TRY(e == ERR_MISSING ? OK : e);
        }
        memcpy(p->rec.direct, t->id.b, sizeof(p->rec.direct));
        TRY(fed_party_changed(core, p));
    }
    e = OK;
    if (old != NULL && old != t && !fed_has_successor(old)) {
        TRY(fed_withdraw_again(core, old, t));
        TRY(fed_successor_bring(core, old, t));
        TRY(fed_successor_replace(core, old, t));
    }
out:
    return e;
}

enum err
fed_successor_back(struct fed_core *core, struct fed_thread *t)
{
    enum err e;
    struct fed_thread *old = NULL;
    struct clinic_id hub;
    struct fed_party *p;

    memcpy(hub.b, t->rec.hub, sizeof(hub.b));
    p = fed_party_find(core, &hub);
    if (p == NULL || (t->group.flags & PROTO_GROUP_CONTINUES) == 0) {
        return OK;
    }
    TRY(fed_successor_before(core, &t->group, &old));
    if (old == NULL) {
        goto out;
    }
    e = fed_successor_may(core, p, &t->group);
    if (e == ERR_DENIED) {
        return OK; /* a conversation of its own */
    }
    TRY(e);
    TRY(fed_successor_enter(core, p, t));
out:
    return e;
}

/* What a member of old is told when it asks or submits there: that it is over,
   as the Welcome may have come from another hub than ours. */
enum err
fed_successor_say(struct fed_core *core, struct fed_thread *old,
                  struct fed_party *p)
{
    enum err e;
    struct proto_peer_msg msg = {.type = PROTO_PEER_GI};
    struct proto_gi *gi = &msg.u.gi;
    struct fed_thread *t;
    struct thread_id id;

    memcpy(gi->thread, old->id.b, sizeof(gi->thread));
    /* Who asks may never have come into one between. */
    TRY(fed_successor_newest(core, old, &id, &t));
    memcpy(gi->head, id.b, sizeof(gi->head));
    gi->code = PROTO_ANSWER_WAIT;
    gi->leaf = UINT32_MAX;
    TRY(fed_thread_member(old, &p->subject) != NULL
            ? fed_stream_put(core, p, &msg)
            : OK);
out:
    return e;
}

/* People have t as a conversation of its own: it points to the one before. */
static enum err
show_continued(struct fed_core *core, const struct fed_thread *old,
               const struct fed_thread *t)
{
    enum err e;
    struct fed_show *show = fed_tx_show(core, FED_SHOW_CONTINUED);

    TRY(show == NULL ? ERR_NOMEM : OK);
    show->thread = t->id;
    TRY(bytes_copy(core->mem, thread_id_view(&old->id), &show->body));
out:
    return e;
}

/*
 * Only p and we are in old, which we order; we were put back to before we
 * founded the one that goes on, and p has it.  What is in it shows with its
 * state, which is compared as any other's.
 */
static enum err
found_before(struct fed_core *core, struct fed_party *p, struct fed_thread *old,
             const struct thread_id *id)
{
    enum err e;
    struct fed_thread *t;

    if (p->lost >= LIMIT_THREADS_PER_PARTY) {
        return OK;
    }
    p->lost++;
    TRY(fed_thread_new(core, id, &core->config.self.root, FED_THREAD_ENDED,
                       &t));
    TRY(fed_thread_group(core, t, view_of(&old->group_ext)));
    TRY(fed_successor_direct(core, old, id));
    TRY(fed_successor_replace(core, old, t));
    TRY(fed_resync_begin(core, t));
    TRY(fed_intent_pump(core, t));
out:
    return e;
}

/* May what p says about old be true? */
static bool
may_tell(const struct fed_party *p, const struct fed_thread *old,
         const struct thread_id *next)
{
    return !thread_id_is_zero(next) && p->via == NULL &&
           p->kind == FED_KIND_CLINIC &&
           memcmp(old->rec.hub, p->root.b, 32) == 0 && !fed_has_successor(old);
}

/* Of two alone, the other. */
static bool
may_remind(const struct fed_core *core, const struct fed_party *p,
           struct fed_thread *old, const struct thread_id *next)
{
    return !thread_id_is_zero(next) && p->via == NULL &&
           p->kind == FED_KIND_CLINIC && fed_thread_hub_here(core, old) &&
           old->rec.state == FED_THREAD_CHECKING && !fed_has_successor(old) &&
           (old->rec.flags & PROTO_GROUP_DIRECT) != 0 &&
           fed_thread_member(old, &p->subject) != NULL;
}

/*
 * [successor-told] By who orders old alone, not through a relay, which could
 * say anything; and only of one that says itself that it continues a thread, in
 * which both of us are.  People have that one as a conversation of its own by
 * now: what waited here is not sent there behind their backs, they are told.
 */
enum err
fed_successor_told(struct fed_core *core, struct fed_party *p,
                   struct fed_thread *old, const uint8_t next[32])
{
    enum err e;
    struct fed_thread *t;
    struct thread_id id;

    memcpy(id.b, next, sizeof(id.b));
    e = fed_thread_get(core, &id, &t);
    if (e == ERR_MISSING && may_remind(core, p, old, &id)) {
        return found_before(core, p, old, &id);
    }
    if (!may_tell(p, old, &id)) {
        return e == ERR_MISSING ? OK : e;
    }
    if (e == ERR_MISSING && old->rec.state == FED_THREAD_RESYNC) {
        /* Put back to before it: we ask for our place there. */
        e = fed_lost_thread(core, p, &id);
        return e == ERR_DENIED || e == ERR_LIMIT ? OK : e;
    }
    if (e != OK || t == old || t->rec.state != FED_THREAD_ACTIVE ||
        (t->group.flags & PROTO_GROUP_CONTINUES) == 0 ||
        fed_thread_member(t, &p->root) == NULL) {
        return e == ERR_MISSING ? OK : e;
    }
    TRY(fed_withdraw_again(core, old, t));
    TRY(fed_successor_bring(core, old, t));
    fed_successor_follows(old, t);
    TRY(fed_thread_over(core, old, FED_THREAD_ENDED));
    TRY(show_continued(core, old, t));
    TRY(fed_intent_pump(core, t));
out:
    return e;
}
