/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hub: the member that orders a thread.  It processes what it is given
 * completely before it accepts it, gives it the next number, stores it, and
 * sends it to every other member's node (reference threads 6.4).
 */
#include "federation/core/care.h"
#include "federation/core/frank.h"
#include "federation/core/move.h"
#include "federation/core/successor.h"
#include "federation/core/trust.h"

#include "crypto/prim/hash.h"

#include <string.h>

static uint64_t
next_ts(const struct fed_core *core, const struct fed_thread *t)
{
    uint64_t now = fed_now(core);

    return now > t->rec.ts_ms ? now : t->rec.ts_ms;
}

static enum err
answer(struct fed_core *core, struct fed_party *p, const uint8_t req[16],
       const struct thread_id *id, const struct fed_thread *t,
       enum proto_answer_code code)
{
    struct proto_peer_msg msg = {.type = PROTO_PEER_ANSWER};
    struct proto_answer *a = &msg.u.answer;

    memcpy(a->req, req, sizeof(a->req));
    memcpy(a->thread, id->b, sizeof(a->thread));
    a->code = (uint64_t)code;
    if (t != NULL) {
        a->term = t->rec.term;
        a->seq = t->rec.seq;
        a->ts_ms = t->rec.ts_ms;
        a->epoch = t->mls != NULL ? mls_group_epoch(t->mls) : 0;
    }
    return code == PROTO_ANSWER_ACCEPTED
               ? fed_stream_accepted(core, p, &msg, id, t->rec.seq)
               : fed_stream_put(core, p, &msg);
}

/* May p submit to this thread now?  The answer if not. */
static enum proto_answer_code
may_submit(struct fed_core *core, struct fed_thread *t,
           const struct fed_party *p, uint64_t term)
{
    const struct fed_member *m = fed_thread_member(t, &p->subject);

    if (!fed_thread_hub_here(core, t)) {
        /* What we handed over is still on its way to it. */
        return m != NULL && m->rec.fanned < t->rec.handed
                   ? PROTO_ANSWER_WAIT
                   : PROTO_ANSWER_NOT_HUB;
    }
    if (t->rec.state == FED_THREAD_CHECKING) {
        return PROTO_ANSWER_WAIT;
    }
    if (fed_has_successor(t)) {
        return PROTO_ANSWER_WAIT;
    }
    if (t->rec.state != FED_THREAD_ACTIVE || t->mls == NULL || m == NULL) {
        return PROTO_ANSWER_DENIED;
    }
    if (term != t->rec.term) {
        return PROTO_ANSWER_WRONG_TERM;
    }
    return fed_hub_ready(core, t) ? PROTO_ANSWER_ACCEPTED : PROTO_ANSWER_WAIT;
}

/* --------------------------------------------------------------- messages */

/* decisions D 13 */
static bool
epoch_too_old(const struct fed_core *core, const struct fed_thread *t,
              uint64_t epoch)
{
    uint64_t now = mls_group_epoch(t->mls);

    if (epoch >= now) {
        return false;
    }
    return epoch + 1 != now || !t->rec.late ||
           t->rec.seq - t->rec.epoch_seq >= LIMIT_EPOCH_LATE_ENTRIES ||
           next_ts(core, t) - t->rec.epoch_ts_ms >= LIMIT_EPOCH_LATE_MS;
}

/*
 * Open what p submitted.  The sender must be p's own leaf, and must have seen
 * what our log says.
 */
static enum proto_answer_code
open_app(struct fed_core *core, struct fed_thread *t, struct fed_party *p,
         struct view message, struct mls_unprotected *out, enum err *ours)
{
    struct mls_env env = fed_mls_env(core);
    struct mls_peek peek;
    struct fed_who sender;
    enum err e;

    *ours = OK;
    e = mls_peek(&env, message, &peek);
    if (e != OK || !view_equal(peek.group_id, thread_id_view(&t->id))) {
        *ours = fed_ours(e) ? e : OK;
        return PROTO_ANSWER_INVALID;
    }
    if (epoch_too_old(core, t, peek.epoch)) {
        return PROTO_ANSWER_TOO_OLD;
    }
    core->judge_ms = next_ts(core, t);
    e = mls_unprotect(t->mls, message, out);
    if (e != OK) {
        *ours = fed_ours(e) ? e : OK;
        return e == ERR_STALE ? PROTO_ANSWER_TOO_OLD : PROTO_ANSWER_INVALID;
    }
    e = fed_cred_who(out->member.credential, &sender);
    if (e != OK || !clinic_id_equal(&sender.node, &p->root)) {
        return PROTO_ANSWER_DENIED;
    }
    /* [thread-revoked] decisions A 4: its new key says it again */
    if (fed_revoked(core, out->member.credential)) {
        return PROTO_ANSWER_DENIED;
    }
    e = fed_log_check(core, t, view_of(&out->aad));
    if (e != OK) {
        *ours = fed_ours(e) ? e : OK;
        return PROTO_ANSWER_RESYNC;
    }
    /* [frank-commit] what nobody could report later is not said here */
    e = fed_frank_check(&t->id, &sender.subject, view_of(&out->plaintext),
                        view_of(&out->aad));
    return e == OK ? PROTO_ANSWER_ACCEPTED : PROTO_ANSWER_INVALID;
}

/*
 * Whether anybody but its author has to get an entry.  The author has what it
 * says, and MLS does not let it open its own message.
 */
static bool
lacked(const struct fed_thread *t, const struct fed_party *author)
{
    if (author != NULL && author->kind != FED_KIND_CLINIC) {
        return true; /* its patient may have further devices */
    }
    for (size_t i = 0; i < t->members_len; i++) {
        if (author == NULL ||
            !clinic_id_equal(&t->members[i].node, &author->subject)) {
            return true;
        }
    }
    return false;
}

static enum err
accept_app(struct fed_core *core, struct fed_thread *t, struct fed_party *p,
           const struct proto_app_submit *in, const struct mls_unprotected *u)
{
    enum err e;
    uint8_t hash[32];
    struct fed_entry entry = {
        t->rec.term, next_ts(core, t), PROTO_ENTRY_APP, hash, {0}};

    prim_sha256(in->message, hash);
    if (lacked(t, p)) {
        entry.message = in->message;
    }
    TRY(fed_mls_change(core, &t->id, u->change));
    TRY(fed_log_append(core, t, &entry));
    TRY(answer(core, p, in->req, &t->id, t, PROTO_ANSWER_ACCEPTED));
    TRY(fed_frank_noted(t, &p->subject, view_of(&u->aad)));
    TRY(fed_hub_fan(core, t, p));
    TRY(fed_apply_content(core, t, &p->subject, t->rec.term, t->rec.seq,
                          t->rec.ts_ms, view_of(&u->plaintext), false));
    TRY(fed_apply_late(core, t));
out:
    return e;
}

/*
 * Order of one sender: what it sent behind a submission that was refused, or
 * lost with a relay's queue, before it could know, is refused as well.  What
 * we do not remember to have accepted counts as lost: it is said again.
 */
static bool
out_of_turn(struct fed_thread *t, const struct fed_party *p,
            const struct proto_app_submit *in)
{
    static const uint8_t none[16];
    const struct fed_member *m = fed_thread_member(t, &p->subject);

    for (size_t i = 0; m != NULL && i < FED_TAKEN; i++) {
        if (memcmp(in->after, m->taken[i], sizeof(none)) == 0) {
            return false;
        }
    }
    return m != NULL && memcmp(in->after, none, sizeof(none)) != 0;
}

static void
remember_taken(struct fed_thread *t, const struct fed_party *p,
               const struct proto_app_submit *in)
{
    struct fed_member *m = fed_thread_member(t, &p->subject);

    if (m != NULL) {
        memmove(m->taken[1], m->taken[0],
                sizeof(m->taken) - sizeof(m->taken[0]));
        memcpy(m->taken[0], in->req, sizeof(m->taken[0]));
    }
}

enum err
fed_hub_app(struct fed_core *core, struct fed_party *p,
            const struct proto_app_submit *in)
{
    enum err e;
    enum err ours = OK;
    struct fed_thread *t = NULL;
    struct thread_id id;
    struct mls_unprotected u = {0};
    enum proto_answer_code code;

    memcpy(id.b, in->thread, sizeof(id.b));
    e = fed_thread_get(core, &id, &t);
    if (e == ERR_MISSING) {
        return answer(core, p, in->req, &id, NULL, PROTO_ANSWER_NOT_HUB);
    }
    TRY(e);
    TRY(fed_move_tell(core, t, p, in->term));
    TRY(fed_has_successor(t) ? fed_successor_say(core, t, p) : OK);
    code = may_submit(core, t, p, in->term);
    if (code == PROTO_ANSWER_ACCEPTED && out_of_turn(t, p, in)) {
        code = PROTO_ANSWER_TOO_OLD;
    } else if (code == PROTO_ANSWER_ACCEPTED) {
        code = open_app(core, t, p, in->message, &u, &ours);
        TRY(ours);
        if (code != PROTO_ANSWER_ACCEPTED && u.change != NULL) {
            mls_undo(t->mls, &u.change);
        }
    }
    if (code == PROTO_ANSWER_ACCEPTED) {
        TRY(accept_app(core, t, p, in, &u));
        remember_taken(t, p, in);
        TRY(fed_busy_has(core, &t->id) ? fed_intent_pump(core, t) : OK);
    } else {
        TRY(answer(core, p, in->req, &t->id, t, code));
    }
out:
    mls_unprotected_clear(&u);
    return e;
}

/* Our own message: accepted as it is made. */
enum err
fed_hub_say(struct fed_core *core, struct fed_thread *t, struct view content,
            const uint8_t frank[32])
{
    enum err e;
    struct bytes aad = {0};
    struct mls_protected made = {0};
    uint8_t hash[32];
    struct fed_entry entry = {
        t->rec.term, next_ts(core, t), PROTO_ENTRY_APP, hash, {0}};

    TRY(fed_log_aad(core, t, view_make(frank, 32), &aad));
    TRY(mls_protect(t->mls, content, view_of(&aad),
                    proto_content_padding(content.len), &made));
    fed_log_sealed(core, t, &made);
    TRY(fed_mls_change(core, &t->id, made.change));
    prim_sha256(view_of(&made.message), hash);
    if (lacked(t, NULL)) {
        entry.message = view_of(&made.message);
    }
    TRY(fed_log_append(core, t, &entry));
    TRY(fed_frank_noted(t, &core->me, view_of(&aad)));
    TRY(fed_hub_fan(core, t, NULL));
    TRY(fed_apply_content(core, t, &core->me, t->rec.term, t->rec.seq,
                          t->rec.ts_ms, content, true));
    TRY(fed_apply_late(core, t));
out:
    bytes_free(&aad);
    mls_protected_clear(&made);
    return e == OK || fed_ours(e) ? e : ERR_INTERNAL;
}

/* ---------------------------------------------------------------- commits */

static enum err
send_welcome(struct fed_core *core, struct fed_thread *t,
             const struct clinic_id *to, struct view addrs, struct view welcome)
{
    enum err e;
    struct fed_party *p;
    struct proto_peer_msg msg = {.type = PROTO_PEER_WELCOME};
    struct proto_welcome *w = &msg.u.welcome;

    TRY(fed_party_get(core, to, &p));
    if (!p->stored || p->rec.ours == PROTO_STANCE_NONE ||
        p->rec.ours == PROTO_STANCE_ENDED) {
        if (addrs.len > 0) {
            bytes_free(&p->addrs);
            TRY(bytes_copy(core->mem, addrs, &p->addrs));
        }
        p->rec.ours = PROTO_STANCE_THREAD;
        p->fresh = !p->stored;
        TRY(fed_party_changed(core, p));
        TRY(p->greeted ? fed_contact_say(core, p) : OK);
    }
    memcpy(w->thread, t->id.b, sizeof(w->thread));
    w->term = t->rec.term;
    w->seq = t->rec.seq;
    w->ts_ms = t->rec.ts_ms;
    memcpy(w->head, t->rec.head, sizeof(w->head));
    w->welcome = welcome;
    TRY(fed_stream_put(core, p, &msg));
    TRY(fed_roster_send(core, t));
out:
    return e;
}

/*
 * Accept a staged commit: it takes the next number, is sent to those who were
 * members before it, and becomes the epoch.  from is the submitter or NULL.
 */
static enum err
accept_commit(struct fed_core *core, struct fed_thread *t,
              struct fed_party *from, const uint8_t *req, struct view message,
              struct mls_stage **take_stage)
{
    enum err e;
    uint8_t hash[32];
    struct fed_entry entry = {
        t->rec.term, next_ts(core, t), PROTO_ENTRY_COMMIT, hash, {0}};

    prim_sha256(message, hash);
    if (lacked(t, from)) {
        entry.message = message;
    }
    TRY(fed_log_append(core, t, &entry));
    if (from != NULL) {
        TRY(answer(core, from, req, &t->id, t, PROTO_ANSWER_ACCEPTED));
    }
    TRY(fed_hub_fan(core, t, from));
    TRY(fed_apply_stage(core, t, take_stage));
out:
    return e;
}

enum err
fed_hub_commit(struct fed_core *core, struct fed_thread *t,
               const struct fed_rec_intent *rec)
{
    enum err e;
    struct fed_built built = {0};

    e = fed_commit_build(core, t, rec, &built);
    if (e != OK) {
        return fed_ours(e) ? e : OK; /* no longer possible */
    }
    TRY(fed_mls_change(core, &t->id, built.made.change));
    TRY(accept_commit(core, t, NULL, NULL, view_of(&built.made.commit),
                      &built.made.stage));
    if (!clinic_id_is_zero(&built.added)) {
        TRY(send_welcome(core, t, &built.added, rec->addrs,
                         view_of(&built.made.welcome)));
        TRY(fed_thread_state(core, t, FED_THREAD_ACTIVE));
    }
out:
    fed_built_clear(&built);
    return e;
}

/* Process what p submitted; the stage if it may be accepted. */
static enum proto_answer_code
open_hs(struct fed_core *core, struct fed_thread *t, struct fed_party *p,
        struct view message, struct mls_processed *out, enum err *ours)
{
    struct mls_env env = fed_mls_env(core);
    struct mls_peek peek;
    struct fed_who by;
    enum err e;

    *ours = OK;
    e = mls_peek(&env, message, &peek);
    if (e != OK || peek.content != MLS_CONTENT_COMMIT ||
        !view_equal(peek.group_id, thread_id_view(&t->id))) {
        *ours = fed_ours(e) ? e : OK;
        return PROTO_ANSWER_INVALID;
    }
    if (peek.epoch != mls_group_epoch(t->mls)) {
        return PROTO_ANSWER_WRONG_EPOCH;
    }
    core->judge_ms = next_ts(core, t);
    e = mls_process(t->mls, message, out);
    if (e != OK || out->kind != MLS_PROCESSED_COMMIT) {
        *ours = fed_ours(e) ? e : OK;
        return PROTO_ANSWER_INVALID;
    }
    e = fed_log_check(core, t, view_of(&out->aad));
    if (e != OK) {
        *ours = fed_ours(e) ? e : OK;
        return PROTO_ANSWER_RESYNC;
    }
    e = fed_policy_commit(core, t, out->stage, &by);
    if (e != OK || !clinic_id_equal(&by.node, &p->root)) {
        *ours = fed_ours(e) ? e : OK;
        return PROTO_ANSWER_DENIED;
    }
    return PROTO_ANSWER_ACCEPTED;
}

/* Members after that were not there before (group) get the Welcome, once. */
static enum err
welcome_added(struct fed_core *core, struct fed_thread *t, struct view before,
              const struct proto_hs_submit *in)
{
    enum err e;
    struct proto_list_at at = {0};
    struct proto_node_addr node;
    struct proto_group group;
    struct proto_subject s;
    struct clinic_id last = {{0}};

    TRY(proto_group_decode(before, &group));
    while (proto_list_next(&in->added, &proto_node_addr_shape, &at, &node)) {
        struct clinic_id root;
        bool again;

        memcpy(root.b, node.root, sizeof(root.b));
        again = clinic_id_cmp(&last, &root) >= 0; /* in order, each once */
        last = root;
        if (!again && in->welcome.len > 0 &&
            !proto_group_find(&group, root.b, &s) &&
            fed_thread_member(t, &root) != NULL) {
            TRY(send_welcome(core, t, &root, node.addrs, in->welcome));
        }
    }
out:
    return e;
}

/* Who submits a commit of this epoch has all that is before it. */
static enum err
now_here(struct fed_core *core, struct fed_thread *t, const struct fed_party *p)
{
    struct fed_member *m = fed_thread_member(t, &p->subject);

    return fed_thread_hub_here(core, t) && m != NULL && m->rec.closed
               ? fed_move_open(core, t, m, t->rec.seq)
               : OK;
}

enum err
fed_hub_take(struct fed_core *core, struct fed_thread *t,
             const struct fed_rec_intent *rec, uint64_t ts_ms,
             struct bytes *out)
{
    enum err e;
    struct fed_built built = {0};
    uint8_t hash[32];
    struct fed_entry entry = {
        fed_move_next(t), ts_ms, PROTO_ENTRY_COMMIT, hash, {0}};

    e = fed_commit_build(core, t, rec, &built);
    if (e != OK) {
        return fed_ours(e) ? e : OK; /* no longer possible */
    }
    TRY(fed_mls_change(core, &t->id, built.made.change));
    TRY(bytes_copy(core->mem, view_of(&built.made.commit), out));
    prim_sha256(view_of(&built.made.commit), hash);
    TRY(fed_log_append(core, t, &entry));
    TRY(fed_apply_stage(core, t, &built.made.stage));
out:
    fed_built_clear(&built);
    return e;
}

enum err
fed_hub_hs(struct fed_core *core, struct fed_party *p,
           const struct proto_hs_submit *in)
{
    enum err e;
    enum err ours = OK;
    struct fed_thread *t = NULL;
    struct thread_id id;
    struct mls_processed done = {0};
    struct bytes before = {0};
    enum proto_answer_code code;

    memcpy(id.b, in->thread, sizeof(id.b));
    e = fed_thread_get(core, &id, &t);
    if (e == ERR_MISSING) {
        return answer(core, p, in->req, &id, NULL, PROTO_ANSWER_NOT_HUB);
    }
    TRY(e);
    TRY(fed_move_tell(core, t, p, in->term));
    TRY(fed_has_successor(t) ? fed_successor_say(core, t, p) : OK);
    code = may_submit(core, t, p, in->term);
    if (code == PROTO_ANSWER_ACCEPTED) {
        code = open_hs(core, t, p, in->message, &done, &ours);
        TRY(ours);
    }
    if (code == PROTO_ANSWER_ACCEPTED) {
        TRY(bytes_copy(core->mem, view_of(&t->group_ext), &before));
        TRY(accept_commit(core, t, p, in->req, in->message, &done.stage));
        TRY(welcome_added(core, t, view_of(&before), in));
        TRY(now_here(core, t, p));
        TRY(fed_busy_has(core, &t->id) ? fed_intent_pump(core, t) : OK);
    } else {
        TRY(answer(core, p, in->req, &id, t, code));
    }
out:
    bytes_free(&before);
    mls_processed_clear(&done);
    return e;
}
