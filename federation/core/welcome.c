/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Into a thread by Welcome, and out of one.  When two clinics opened their
 * direct conversation twice, the one of the smaller root stays and what was
 * said in the other moves over, under the same message ids (decisions D 17).
 */
#include "federation/core/came.h"
#include "federation/core/care.h"
#include "federation/core/successor.h"
#include "federation/core/trust.h"
#include "federation/core/watch.h"

#include <string.h>

static enum err
say_end(struct fed_core *core, struct fed_party *p,
        const struct thread_id *thread)
{
    struct proto_peer_msg msg = {.type = PROTO_PEER_THREAD_END};

    memcpy(msg.u.thread_end.thread, thread->b, 32);
    msg.u.thread_end.reason = 1;
    return fed_stream_put(core, p, &msg);
}

/* What we said in old and what waits there goes to t. */
static enum err
move_words(struct fed_core *core, struct fed_thread *old, struct fed_thread *t)
{
    enum err e = OK;

    /* What of it is here: its numbers are what its hub says they are. */
    if (old->rec.kept != 0) {
        TRY(fed_past_again(core, &old->id, old->rec.term,
                           fed_place(old->rec.kept, 0),
                           fed_place_end(old->rec.seq), t));
    }
    TRY(fed_intent_move(core, old, t));
out:
    return e;
}

/*
 * t is a direct thread from p.  *keep: it becomes the one; else ours stays and
 * t is left.
 */
static enum err
only_one(struct fed_core *core, struct fed_party *p, struct fed_thread *t,
         bool *keep)
{
    enum err e;
    struct thread_id old_id;
    struct fed_thread *old = NULL;

    *keep = true;
    memcpy(old_id.b, p->rec.direct, sizeof(old_id.b));
    memcpy(p->rec.direct, t->id.b, sizeof(p->rec.direct));
    if (thread_id_is_zero(&old_id) || thread_id_equal(&old_id, &t->id)) {
        TRY(fed_party_changed(core, p));
        goto out;
    }
    e = fed_thread_get(core, &old_id, &old);
    TRY(e == ERR_MISSING ? OK : e);
    if (old != NULL && fed_thread_hub_here(core, old) &&
        (old->rec.state == FED_THREAD_ACTIVE ||
         old->rec.state == FED_THREAD_OPENING) &&
        clinic_id_cmp(&core->config.self.root, &p->root) < 0) {
        memcpy(p->rec.direct, old_id.b, sizeof(p->rec.direct));
        *keep = false;
        goto out;
    }
    if (old != NULL) {
        TRY(move_words(core, old, t));
        TRY(say_end(core, p, &old_id));
        TRY(fed_thread_over(core, old, FED_THREAD_ENDED));
    }
    TRY(fed_party_changed(core, p));
out:
    return e;
}

/*
 * A patient is brought into threads by a clinic that it is a patient of, or
 * that it let in (decisions D 18).
 */
static enum err
brought_by(struct fed_core *core, const struct proto_subject *me)
{
    struct clinic_id by;
    const struct fed_party *p;

    memcpy(by.b, me->added_by, sizeof(by.b));
    p = fed_party_find(core, &by);
    /* [welcome-by] */
    return p != NULL && p->rec.ours == PROTO_STANCE_GRANTED && !p->rec.blocked
               ? OK
               : ERR_DENIED;
}

/*
 * [welcome-claimed] A key package that somebody claimed for a thread brings us
 * into that one, by who claimed it; one that came with a link, into the
 * conversation with whom we connected.  Nobody makes a thread of his own of it.
 */
static enum err
as_claimed(const struct fed_party *p, const struct proto_welcome *in,
           const struct fed_claimed *claimed, const struct proto_group *group,
           const struct proto_subject *me)
{
    static const uint8_t none[32];

    if (memcmp(claimed->thread, none, sizeof(none)) == 0) {
        return (group->flags & PROTO_GROUP_DIRECT) != 0 &&
                       memcmp(claimed->peer, p->root.b, 32) == 0
                   ? OK
                   : ERR_DENIED;
    }
    return memcmp(claimed->thread, in->thread, 32) == 0 &&
                   memcmp(claimed->peer, me->added_by, 32) == 0
               ? OK
               : ERR_DENIED;
}

/*
 * [welcome-signer] Who the group says has added us made the commit that did,
 * and signed its GroupInfo: a hub that saw the key package on its way cannot
 * add us in another's name.
 */
static enum err
signed_by(const struct mls_group *mls, const struct proto_subject *me)
{
    enum err e;
    struct mls_member m;
    struct clinic_id by;
    uint32_t leaf;

    TRY(mls_group_inviter(mls, &leaf) ? OK : ERR_INVALID);
    TRY(mls_member_at(mls, leaf, &m));
    TRY(fed_cred_subject(m.credential, &by));
    TRY(memcmp(by.b, me->added_by, sizeof(by.b)) == 0 ? OK : ERR_DENIED);
out:
    return e;
}

/* Is this a group that p may have added us to? */
static enum err
check_group(struct fed_core *core, const struct fed_party *p,
            const struct mls_group *mls, const struct proto_welcome *in,
            const struct fed_claimed *claimed, struct view *ext_out,
            struct proto_group *group)
{
    enum err e;
    struct mls_extension ext;
    struct proto_subject me;

    TRY(view_equal(mls_group_id(mls), VIEW_ARRAY(in->thread)) ? OK
                                                              : ERR_INVALID);
    TRY(mls_extensions_find(mls_group_extensions(mls), PROTO_EXT_GROUP, &ext)
            ? OK
            : ERR_INVALID);
    TRY(proto_group_decode(ext.data, group));
    /* [welcome-hub] the Welcome comes from who orders the thread */
    TRY(memcmp(group->hub, p->root.b, 32) == 0 ? OK : ERR_DENIED);
    /* [welcome-listed] */
    TRY(proto_group_find(group, core->me.b, &me) ? OK : ERR_DENIED);
    /* [welcome-members] every leaf belongs to a participant */
    TRY(fed_policy_members(core, mls, group));
    TRY(fed_successor_may(core, p, group));
    /* [welcome-direct] of us two, who are connected */
    TRY((group->flags & PROTO_GROUP_DIRECT) == 0 ||
                (group->subjects.len == 2 &&
                 p->rec.ours == PROTO_STANCE_GRANTED)
            ? OK
            : ERR_DENIED);
    TRY(core->kind == FED_KIND_DEVICE ? brought_by(core, &me)
                                      : as_claimed(p, in, claimed, group, &me));
    TRY(signed_by(mls, &me));
    *ext_out = ext.data;
out:
    return e;
}

static enum err
enter(struct fed_core *core, struct fed_party *p,
      const struct proto_welcome *in, struct mls_group **take_mls,
      struct view ext, uint64_t flags)
{
    enum err e;
    struct thread_id id;
    struct fed_thread *t;
    bool keep = true;

    memcpy(id.b, in->thread, sizeof(id.b));
    e = fed_thread_get(core, &id, &t);
    if (e == ERR_MISSING) {
        TRY(fed_thread_new(core, &id, &p->root, FED_THREAD_OPENING, &t));
    }
    TRY(e == ERR_MISSING ? OK : e);
    t->rec.term = in->term;
    t->rec.seq = in->seq;
    t->rec.ts_ms = fed_watch_time(core, t, in->ts_ms);
    t->rec.epoch_seq = in->seq;
    t->rec.epoch_ts_ms = t->rec.ts_ms;
    t->rec.late = false;
    memcpy(t->rec.head, in->head, sizeof(t->rec.head));
    mls_group_free(t->mls);
    t->mls = *take_mls;
    *take_mls = NULL;
    TRY(fed_thread_group(core, t, ext));
    if ((flags & PROTO_GROUP_CONTINUES) != 0) {
        TRY(fed_successor_between(core, t));
        TRY(fed_mls_save(core, t));
        TRY(fed_patient_group(core, t));
        TRY(fed_thread_state(core, t, FED_THREAD_ACTIVE));
        TRY(fed_came_in(core, t));
        TRY(fed_successor_enter(core, p, t));
        TRY(fed_intro_joined(core, t));
        TRY(fed_intent_pump(core, t));
        goto out;
    }
    if ((flags & PROTO_GROUP_DIRECT) != 0) {
        TRY(only_one(core, p, t, &keep));
    }
    if (!keep) {
        TRY(say_end(core, p, &id));
        t->rec.state = FED_THREAD_ACTIVE;
        TRY(fed_thread_over(core, t, FED_THREAD_ENDED));
        goto out;
    }
    TRY(fed_mls_save(core, t));
    TRY(fed_patient_group(core, t));
    TRY(fed_thread_state(core, t, FED_THREAD_ACTIVE));
    TRY(fed_came_in(core, t));
    TRY(fed_intro_joined(core, t));
    TRY(fed_intent_pump(core, t));
out:
    return e;
}

enum err
fed_follow_welcome(struct fed_core *core, struct fed_party *p,
                   const struct proto_welcome *in)
{
    enum err e;
    struct mls_group *mls = NULL;
    struct proto_group group;
    struct thread_id id;
    struct fed_thread *t;
    struct fed_claimed claimed = {{0}, {0}};
    struct view ext;

    memcpy(id.b, in->thread, sizeof(id.b));
    e = fed_thread_get(core, &id, &t);
    if (e == OK && t->rec.state != FED_THREAD_REMOVED) {
        return OK; /* we are in it, or rejoining */
    }
    if (e == OK && (in->term < t->rec.term ||
                    (in->term == t->rec.term && in->seq <= t->rec.seq))) {
        return ERR_STALE; /* [welcome-newer] of before we were removed */
    }
    TRY(e == ERR_MISSING ? OK : e);
    TRY(p->lost < LIMIT_THREADS_PER_PARTY ? OK : ERR_LIMIT);
    core->judge_ms = in->ts_ms;
    e = fed_kp_join(core, in->welcome, &claimed, &mls);
    if (e == ERR_MISSING) {
        /* The key package went with a restore: rejoin instead. */
        TRY(fed_lost_thread(core, p, &id));
        goto out;
    }
    TRY(e);
    TRY(check_group(core, p, mls, in, &claimed, &ext, &group));
    p->lost++;
    TRY(enter(core, p, in, &mls, ext, group.flags));
out:
    mls_group_free(mls);
    return e;
}

/* The hub, or the other of two, ended the thread. */
enum err
fed_follow_end(struct fed_core *core, struct fed_party *p,
               const struct proto_thread_end *in)
{
    enum err e;
    struct thread_id id;
    struct fed_thread *t;
    struct fed_thread *now = NULL;
    struct thread_id direct;

    memcpy(id.b, in->thread, sizeof(id.b));
    e = fed_thread_get(core, &id, &t);
    if (e != OK) {
        return e == ERR_MISSING ? OK : e;
    }
    if ((t->rec.flags & PROTO_GROUP_DIRECT) == 0 ||
        (fed_thread_member(t, &p->subject) == NULL)) {
        return ERR_DENIED;
    }
    memcpy(direct.b, p->rec.direct, sizeof(direct.b));
    if (!thread_id_equal(&direct, &id) && !thread_id_is_zero(&direct)) {
        e = fed_thread_get(core, &direct, &now);
        TRY(e == ERR_MISSING ? OK : e);
        if (now != NULL) {
            TRY(move_words(core, t, now));
        }
    } else {
        memset(p->rec.direct, 0, sizeof(p->rec.direct));
        p->dirty = true;
    }
    TRY(fed_thread_over(core, t, FED_THREAD_ENDED));
    TRY(now != NULL ? fed_intent_pump(core, now) : OK);
out:
    return e;
}
