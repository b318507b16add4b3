/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rejoining a thread whose MLS state is lost, no good, or must not be used
 * (decisions E 21): ask a member for the GroupInfo, make an external commit
 * that replaces our own leaf, have it accepted, and ask for what was missed.
 *
 * A follower asks its hub and submits to it.  A restored hub first learns from
 * its members what it had numbered (check.c), takes the GroupInfo from the one
 * that has most, and accepts its own commit as the first entry of a new term.
 */
#include "federation/core/came.h"
#include "federation/core/care.h"
#include "federation/core/move.h"
#include "federation/core/successor.h"
#include "federation/core/trust.h"
#include "federation/core/watch.h"

#include "crypto/prim/hash.h"

#include <string.h>

enum err
fed_resync_begin(struct fed_core *core, struct fed_thread *t)
{
    enum err e;
    bool hub = fed_thread_hub_here(core, t);
    struct fed_rec_intent work = {.kind = hub ? FED_INTENT_CHECK
                                              : FED_INTENT_RESYNC};

    if (t->rec.state == FED_THREAD_RESYNC ||
        t->rec.state == FED_THREAD_CHECKING) {
        return OK;
    }
    mls_stage_free(t->stage);
    t->stage = NULL;
    mls_group_free(t->joining);
    t->joining = NULL;
    mls_group_free(t->mls);
    t->mls = NULL;
    t->pulling = false;
    t->asked = false;
    t->rec.gap_from = t->rec.seq + 1;
    TRY(fed_mls_drop(core, &t->id));
    TRY(fed_intent_again(core, t));
    TRY(fed_intent_add(core, t, &work));
    fed_check_begin(core, t);
    TRY(fed_thread_state(core, t,
                         hub ? FED_THREAD_CHECKING : FED_THREAD_RESYNC));
out:
    return e;
}

void
fed_resync_back(struct fed_thread *t, uint64_t term, uint64_t seq)
{
    if (term <= t->rec.term || seq > t->rec.seq || seq == 0) {
        return;
    }
    if (t->rec.had_seq == 0) {
        t->rec.had_seq = t->rec.seq;
        t->rec.had_term = t->rec.term;
    }
    if (t->rec.back_to == 0 || seq - 1 < t->rec.back_to) {
        t->rec.back_to = seq - 1;
    }
    if (seq < t->rec.gap_from) {
        t->rec.gap_from = seq;
    }
    t->dirty = true;
}

enum err
fed_resync_question(struct fed_core *core, const struct fed_thread *t,
                    struct proto_gi_get *out)
{
    enum err e;

    TRY(rng_fill(core->config.rng, out->req, sizeof(out->req)));
    memcpy(out->thread, t->id.b, sizeof(out->thread));
    out->term = t->rec.term;
    out->seq = t->rec.seq;
    memcpy(out->head, t->rec.head, sizeof(out->head));
out:
    return e;
}

enum err
fed_resync_ask(struct fed_core *core, struct fed_thread *t, struct fed_party *p)
{
    enum err e;
    struct proto_peer_msg msg = {.type = PROTO_PEER_GI_GET};
    struct proto_gi_get *get = &msg.u.gi_get;

    TRY(fed_resync_question(core, t, get));
    memcpy(t->joining_req, get->req, sizeof(t->joining_req));
    if (p->via != NULL) {
        TRY(fed_veil_ask(core, t, get->seal));
    }
    t->asked = true;
    fed_unanswered_asked(core, t, p);
    TRY(fed_stream_put(core, p, &msg));
out:
    return e;
}

enum err
fed_resync_step(struct fed_core *core, struct fed_thread *t)
{
    struct clinic_id hub;
    struct fed_party *p;
    bool again;
    enum err e = fed_unanswered_due(core, t, &again);

    if (e != OK) {
        return e;
    }
    if (t->asked && fed_thread_hub_here(core, t)) {
        return fed_check_waited(core, t);
    }
    if (t->asked && t->unanswered > 0) {
        return fed_orphan_step(core, t);
    }
    if (t->asked || fed_mono(core) < t->wait_ms) {
        return OK;
    }
    if (fed_thread_hub_here(core, t)) {
        return fed_check_step(core, t);
    }
    memcpy(hub.b, t->rec.hub, sizeof(hub.b));
    p = fed_party_find(core, &hub);
    if (p == NULL || !fed_party_live(p)) {
        return fed_orphan_step(core, t);
    }
    return fed_resync_ask(core, t, p);
}

/* ---------------------------------------------------------------- answering */

static enum proto_answer_code
may_have(struct fed_core *core, struct fed_thread *t, const struct fed_party *p,
         bool lost)
{
    if (t->group_ext.len == 0) {
        /* Who is in it we never knew; as hub we hear it from the others. */
        return fed_thread_hub_here(core, t) ? PROTO_ANSWER_WAIT
                                            : PROTO_ANSWER_LOST;
    }
    if (fed_thread_member(t, &p->subject) == NULL) {
        return PROTO_ANSWER_DENIED;
    }
    if (fed_has_successor(t)) {
        /* for the Welcome to that one; or there has to be another */
        return lost ? PROTO_ANSWER_LOST : PROTO_ANSWER_WAIT;
    }
    if (t->rec.state == FED_THREAD_REMOVED ||
        t->rec.state == FED_THREAD_ENDED) {
        return PROTO_ANSWER_DENIED;
    }
    if (t->rec.state == FED_THREAD_RESYNC &&
        memcmp(t->rec.hub, p->root.b, 32) == 0) {
        return PROTO_ANSWER_LOST; /* its hub asks */
    }
    if (t->rec.state != FED_THREAD_ACTIVE || t->mls == NULL) {
        return PROTO_ANSWER_WAIT;
    }
    if (fed_thread_hub_here(core, t)) {
        return fed_hub_ready(core, t) ? PROTO_ANSWER_ACCEPTED
                                      : PROTO_ANSWER_WAIT;
    }
    return memcmp(t->rec.hub, p->root.b, 32) == 0 ? PROTO_ANSWER_ACCEPTED
                                                  : PROTO_ANSWER_NOT_HUB;
}

enum err
fed_resync_get(struct fed_core *core, struct fed_party *p,
               const struct proto_gi_get *in)
{
    enum err e;
    struct fed_thread *t;
    struct thread_id id;
    struct bytes info = {0};
    struct proto_peer_msg msg = {.type = PROTO_PEER_GI};
    struct proto_gi *gi = &msg.u.gi;
    static const uint8_t open[32];
    uint32_t leaf;
    bool lost;

    memcpy(gi->req, in->req, sizeof(gi->req));
    memcpy(gi->thread, in->thread, sizeof(gi->thread));
    memcpy(id.b, in->thread, sizeof(id.b));
    e = fed_thread_get(core, &id, &t);
    if (e == ERR_MISSING) {
        gi->code = PROTO_ANSWER_LOST; /* or never had */
        return fed_stream_put(core, p, &msg);
    }
    TRY(e);
    TRY(fed_move_tell(core, t, p, in->term));
    TRY(fed_successor_lost(core, t, p, &lost));
    TRY(fed_has_successor(t) && !lost ? fed_successor_say(core, t, p) : OK);
    gi->code = fed_bound_full(core, p) ? PROTO_ANSWER_WAIT
                                       : (uint64_t)may_have(core, t, p, lost);
    if (gi->code == PROTO_ANSWER_ACCEPTED) {
        gi->term = t->rec.term;
        gi->seq = t->rec.seq;
        gi->ts_ms = t->rec.ts_ms;
        memcpy(gi->head, t->rec.head, sizeof(gi->head));
        gi->leaf =
            fed_leaf_at(t->mls, &p->root, &leaf) == OK ? leaf : UINT32_MAX;
        TRY(mls_group_info(t->mls, true, &info));
        if (memcmp(in->seal, open, sizeof(open)) != 0) {
            TRY(fed_veil_seal(core, &id, in->seal, &info));
        } else if (p->via != NULL) {
            TRY(ERR_DENIED); /* [gi-sealed] a relay would read it */
        }
        gi->group_info = view_of(&info);
    }
    TRY(fed_stream_put(core, p, &msg));
    if (p->kind == FED_KIND_DEVICE && t->rec.state == FED_THREAD_CHECKING) {
        TRY(fed_check_without(core, t, p));
    }
    if (gi->code == PROTO_ANSWER_NOT_HUB) {
        TRY(fed_gone_wanted(core, t)); /* a member: may_have */
    }
out:
    bytes_free(&info);
    return e;
}

/* ------------------------------------------------------------------ joining */

static enum err
check_info(struct fed_core *core, const struct fed_thread *t,
           const struct mls_group *mls)
{
    struct mls_extension ext;
    struct proto_group group;
    struct proto_subject me;

    if (!view_equal(mls_group_id(mls), thread_id_view(&t->id)) ||
        !mls_extensions_find(mls_group_extensions(mls), PROTO_EXT_GROUP,
                             &ext) ||
        proto_group_decode(ext.data, &group) != OK ||
        memcmp(group.hub, t->rec.hub, 32) != 0 ||
        !proto_group_find(&group, core->me.b, &me)) {
        return ERR_DENIED;
    }
    /* Nobody slips in, nor turns a conversation of two into another. */
    if ((group.flags & PROTO_GROUP_DIRECT) != 0 && group.subjects.len > 2) {
        return ERR_DENIED;
    }
    return fed_policy_members(core, mls, &group);
}

/* The log position that the GroupInfo belongs to becomes ours. */
static void
stand_at(const struct fed_core *core, struct fed_thread *t,
         const struct proto_gi *in)
{
    t->rec.term = in->term;
    t->rec.seq = in->seq;
    t->rec.ts_ms = fed_watch_time(core, t, in->ts_ms);
    memcpy(t->rec.head, in->head, sizeof(t->rec.head));
    t->rec.kept = 0;
    t->dirty = true;
}

static enum err
submit_join(struct fed_core *core, struct fed_thread *t, struct fed_party *p,
            struct view commit)
{
    enum err e;
    struct proto_peer_msg msg = {.type = PROTO_PEER_HS_SUBMIT};
    struct proto_hs_submit *hs = &msg.u.hs_submit;

    TRY(rng_fill(core->config.rng, hs->req, sizeof(hs->req)));
    memcpy(t->joining_req, hs->req, sizeof(t->joining_req));
    memcpy(hs->thread, t->id.b, sizeof(hs->thread));
    hs->term = t->rec.term;
    hs->message = commit;
    prim_sha256(commit, t->joining_hash);
    TRY(fed_stream_put(core, p, &msg));
out:
    return e;
}

/* An external commit upon a GroupInfo, as if we stood where it does. */
static enum err
make_join(struct fed_core *core, const struct fed_thread *t,
          const struct proto_gi *in, struct mls_external_made *out)
{
    enum err e;
    struct mls_env env = fed_mls_env(core);
    struct mls_identity who = fed_mls_identity(core);
    struct mls_external_opts opts = {.group_info = in->group_info};
    struct proto_aad at = {.term = in->term, .seq = in->seq};
    struct bytes aad = {0};

    memcpy(at.head, in->head, sizeof(at.head));
    TRY(proto_aad_encode(core->mem, &at, &aad));
    opts.aad = view_of(&aad);
    opts.resync = in->leaf != UINT32_MAX;
    opts.remove_leaf = (uint32_t)in->leaf;
    core->judge_ms = fed_now(core);
    core->seen_self = 0;
    TRY(mls_join_external(&env, &who, &opts, out));
    TRY(check_info(core, t, out->group));
out:
    bytes_free(&aad);
    return e;
}

/* Behind theirs, and behind one that we began and of which nobody heard: what
   people here were shown of it keeps its places (decisions E 21). */
static uint64_t
fresh_term(const struct fed_thread *t)
{
    uint64_t term =
        t->rec.had_term > t->rec.term ? t->rec.had_term : t->rec.term;

    return (t->heard_term > term ? t->heard_term : term) + 1;
}

static enum err
join(struct fed_core *core, struct fed_thread *t, struct fed_party *p,
     const struct proto_gi *in)
{
    enum err e;
    struct mls_external_made made = {0};

    fed_refused_from(t, in->term, in->seq);
    TRY(make_join(core, t, in, &made));
    if (core->kind == FED_KIND_CLINIC && core->seen_self >= core->generation) {
        /* decisions E 21: they want a newer certificate than this */
        TRY(fed_tx_renew(core, core->seen_self));
        fed_refused_later(core, t);
        goto out;
    }
    TRY(fed_tx_drop(core, FED_NS_LOG, thread_id_view(&t->id)));
    TRY(fed_tx_drop(core, FED_NS_BODY, thread_id_view(&t->id)));
    if (t->rec.had_seq == 0) { /* not what an earlier try stood at */
        t->rec.had_seq = t->rec.seq;
        t->rec.had_term = t->rec.term;
    }
    stand_at(core, t, in);
    mls_group_free(t->joining);
    t->joining = made.group;
    made.group = NULL;
    if (!fed_thread_hub_here(core, t)) {
        TRY(submit_join(core, t, p, view_of(&made.commit)));
        goto out;
    }
    /* As hub: the first entry of a term in which nothing was numbered. */
    prim_sha256(view_of(&made.commit), t->joining_hash);
    t->joining_commit = view_of(&made.commit);
    e = fed_resync_joined(core, t, fresh_term(t), fed_now(core));
    t->joining_commit = (struct view){0};
    TRY(e);
    TRY(fed_intent_pump(core, t));
out:
    mls_external_made_clear(&made);
    return e;
}

/* Through a relay it came sealed. */
static enum err
unveiled(struct fed_core *core, struct fed_thread *t, struct fed_party *p,
         const struct proto_gi *in)
{
    enum err e;
    struct proto_gi gi = *in;
    struct bytes info = {0};

    if (p->via != NULL) {
        TRY(fed_veil_open(core, t, in->group_info, &info));
        gi.group_info = view_of(&info);
    }
    TRY(join(core, t, p, &gi));
out:
    bytes_free(&info);
    return e;
}

/* What we asked for does not come: why? */
static enum err
not_given(struct fed_core *core, struct fed_thread *t, struct fed_party *p,
          const struct proto_gi *in)
{
    struct fed_member *m = fed_thread_member(t, &p->root);
    bool hub = fed_thread_hub_here(core, t);

    if (p->kind == FED_KIND_DEVICE && hub && in->code != PROTO_ANSWER_WAIT) {
        return fed_check_without(core, t, p);
    }
    if (in->code == PROTO_ANSWER_DENIED) { /* removed while we were away */
        return fed_thread_over(core, t, FED_THREAD_REMOVED);
    }
    if (in->code == PROTO_ANSWER_LOST && hub && m != NULL) {
        t->asked = false;
        m->lost = true;
        return fed_check_step(core, t);
    }
    if (in->code == PROTO_ANSWER_LOST && !hub && t->group_ext.len == 0 &&
        fed_refused_long(core, t)) {
        /* Only that it was is known here, and nothing any more to its hub. */
        return fed_thread_over(core, t, FED_THREAD_ENDED);
    }
    fed_refused_later(core, t);
    return hub ? OK : fed_refused_wait(core, t);
}

enum err
fed_resync_gi(struct fed_core *core, struct fed_party *p,
              const struct proto_gi *in)
{
    enum err e;
    struct fed_thread *t;
    struct thread_id id;
    bool unaware = false;

    memcpy(id.b, in->thread, sizeof(id.b));
    e = fed_thread_get(core, &id, &t);
    if (e == OK && in->code == PROTO_ANSWER_WAIT) {
        TRY(fed_successor_told(core, p, t, in->head)); /* zeros: none */
    }
    if (e != OK || !t->asked || t->joining != NULL ||
        memcmp(t->joining_req, in->req, sizeof(in->req)) != 0) {
        return e == ERR_MISSING ? OK : e;
    }
    if (in->code == PROTO_ANSWER_NOT_HUB || in->code == PROTO_ANSWER_ACCEPTED) {
        TRY(fed_named_unaware(core, t, p, in->term, &unaware));
    }
    if (in->code != PROTO_ANSWER_ACCEPTED || unaware) {
        return not_given(core, t, p, in);
    }
    t->rec.waits_ms = 0;
    t->joining_old = false;
    e = unveiled(core, t, p, in);
    if (e == OK || fed_ours(e)) {
        return e;
    }
    TRY(fed_party_bad(core, p, e));
    fed_refused_later(core, t);
    TRY(fed_thread_hub_here(core, t) ? OK : fed_refused(core, t));
out:
    return e;
}

static enum err
done_intents(struct fed_core *core, struct fed_thread *t)
{
    enum err e;
    uint64_t number = 0;

    for (;;) {
        struct fed_rec_intent rec;
        struct bytes hold = {0};

        e = fed_intent_next(core, &t->id, &number, &rec, &hold);
        if (e == OK &&
            (rec.kind == FED_INTENT_RESYNC || rec.kind == FED_INTENT_CHECK)) {
            e = fed_intent_done(core, t, number);
        }
        bytes_free(&hold);
        if (e != OK) {
            return e == ERR_MISSING ? OK : e;
        }
        number++;
    }
}

static enum err
show_missed(struct fed_core *core, struct fed_thread *t, uint64_t term,
            uint64_t from, uint64_t to)
{
    enum err e;
    struct fed_show *show;

    if (from == 0 || from > to) {
        return OK;
    }
    show = fed_tx_show(core, FED_SHOW_GAP);
    TRY(show == NULL ? ERR_NOMEM : OK);
    show->thread = t->id;
    show->term = term;
    show->seq = from;
    show->value = to;
    if (core->kind == FED_KIND_DEVICE && from == 1 &&
        core->self.incarnation <= 1) {
        goto out; /* a new device: its archive, or a person, asks */
    }
    TRY(fed_missing_add(core, t, term, from, to));
out:
    return e;
}

/*
 * What we have of a log that the others went back behind (their newest was
 * upto) comes to them from us.
 */
static enum err
give_back(struct fed_core *core, struct fed_thread *t, uint64_t upto)
{
    enum err e = OK;
    uint64_t from;

    if (t->rec.back_to != 0 && t->rec.back_to < upto) {
        upto = t->rec.back_to; /* the thread moved on from there */
    }
    if (upto >= t->rec.had_seq) {
        goto out;
    }
    from = upto + 1;
    if (t->rec.had_seq - upto > LIMIT_HISTORY) {
        /* numbers are the hub's word */
        from = t->rec.had_seq - LIMIT_HISTORY + 1;
    }
    for (uint64_t seq = from; seq - 1 < t->rec.had_seq; seq++) {
        TRY(fed_past_resend_terms(core, t, t->rec.had_term, seq, 0));
    }
out:
    t->rec.had_seq = 0;
    t->rec.back_to = 0;
    t->dirty = true;
    return e;
}

/* Our external commit is the next entry: we are in again. */
enum err
fed_resync_joined(struct fed_core *core, struct fed_thread *t, uint64_t term,
                  uint64_t ts_ms)
{
    enum err e;
    struct mls_extension ext;
    uint64_t from = t->rec.gap_from;
    uint64_t upto = t->rec.seq;
    uint64_t before = t->rec.term;
    bool known =
        t->group_ext.len > 0 && (t->group.flags & PROTO_GROUP_CONTINUES) != 0;
    struct fed_entry entry = {
        .term = term,
        .ts_ms = ts_ms > t->rec.ts_ms ? ts_ms : t->rec.ts_ms,
        .kind = PROTO_ENTRY_COMMIT,
        .hash = t->joining_hash,
        .message = t->joining_commit,
    };

    if (fed_thread_hub_here(core, t)) {
        fed_fan_from(t, upto); /* what they had behind it is void */
    }
    TRY(fed_log_append(core, t, &entry));
    t->mls = t->joining;
    t->joining = NULL;
    TRY(mls_extensions_find(mls_group_extensions(t->mls), PROTO_EXT_GROUP, &ext)
            ? OK
            : ERR_INTERNAL);
    TRY(fed_came_back(core, t, ext.data));
    TRY(fed_intent_back(core, t, ext.data));
    TRY(fed_thread_group(core, t, ext.data));
    fed_watch_back(t, upto);
    if (fed_thread_hub_here(core, t)) {
        fed_fan_from(t, t->rec.seq - 1);
        fed_named_open_all(t);
        TRY(fed_move_remind(core, t));
        TRY(fed_hub_fan(core, t, NULL));
    }
    t->rec.epoch_seq = t->rec.seq;
    t->rec.epoch_ts_ms = t->rec.ts_ms;
    t->rec.late = false;
    t->rec.gap_from = 0;
    t->asked = false;
    t->orphan_ms = 0;
    t->orphan_asked = 0;
    t->wait_ms = 0;
    t->next_intent = 0;
    t->idle = false;
    t->dirty = true;
    TRY(fed_mls_save(core, t));
    TRY(fed_patient_group(core, t));
    TRY(done_intents(core, t));
    TRY(fed_past_due(core, t, t));
    TRY(known ? OK : fed_successor_between(core, t));
    TRY(fed_thread_state(core, t, FED_THREAD_ACTIVE));
    TRY(known ? OK : fed_successor_back(core, t));
    TRY(fed_unanswered_over(core, t));
    TRY(fed_refused_over(core, t));
    TRY(show_missed(core, t, before, from, upto));
    TRY(give_back(core, t, upto));
out:
    return e;
}
