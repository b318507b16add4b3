/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The follower: applies the hub's log in order, checks that it is one chain,
 * and takes the answers to its own submissions as the entries that they are.
 */
#include "federation/core/frank.h"
#include "federation/core/line.h"
#include "federation/core/move.h"
#include "federation/core/trust.h"
#include "federation/core/watch.h"

#include "crypto/prim/hash.h"

#include <string.h>

/* One log entry as it arrived. */
struct arrived {
    uint64_t term;
    uint64_t seq;
    uint64_t ts_ms;
    uint64_t kind;
    uint8_t hash[32];
    struct view message; /* empty: our own, or gone */
    struct view frank;   /* the hub's signature, or empty */
};

/* author: who may not be shown with this; or NULL */
static enum err
show_gap(struct fed_core *core, const struct fed_thread *t,
         const struct arrived *a, const struct clinic_id *author, uint64_t code)
{
    struct fed_show *show = fed_tx_show(core, FED_SHOW_GAP);

    if (show == NULL) {
        return ERR_NOMEM;
    }
    show->thread = t->id;
    show->code = code;
    show->term = t->rec.term;
    show->seq = a->seq;
    show->value = a->seq;
    show->ts_ms = a->ts_ms;
    if (author != NULL) {
        memcpy(show->author.b, author->b, sizeof(show->author.b));
    }
    return OK;
}

/* Whoever said so was shown another log: after what it said has its place. */
static enum err
differs(struct fed_core *core, struct fed_thread *t,
        const struct clinic_id *author, enum err seen)
{
    if (seen != OK) {
        t->forked = true;
        t->fork_by = *author;
    }
    if (!t->forked || t->rec.state != FED_THREAD_ACTIVE) {
        t->forked = false;
        return OK;
    }
    return fed_fork_found(core, t, seen != OK ? seen : ERR_AUTH);
}

/* ------------------------------------------------------------------- entries
 */

static enum err
append(struct fed_core *core, struct fed_thread *t, const struct arrived *a)
{
    struct fed_entry entry = {a->term, a->ts_ms, a->kind, a->hash, {0}};

    return fed_log_append(core, t, &entry);
}

/* One of ours, which is at a place of the entry. */
static enum err
own_part(struct fed_core *core, struct fed_thread *t, const struct arrived *a,
         const struct fed_sub_part *part, uint64_t place)
{
    enum err e;
    struct fed_rec_intent rec;
    struct bytes hold = {0};

    if (part->shown) {
        return fed_apply_own(core, t, &part->id, a->term, place, a->ts_ms);
    }
    TRY(fed_intent_get(core, &t->id, part->number, &rec, &hold));
    TRY(fed_apply_at(core, t, &core->me, a->term, place, a->ts_ms, rec.data,
                     true));
out:
    bytes_free(&hold);
    return e == ERR_MISSING ? ERR_CORRUPT : e;
}

/* Our own message, or several, have their place. */
static enum err
own_message(struct fed_core *core, struct fed_thread *t,
            const struct arrived *a, struct fed_sub *sub)
{
    enum err e;
    struct fed_sub own = fed_sub_take(t, sub);

    TRY(append(core, t, a));
    for (size_t i = 0; i < own.parts_len; i++) {
        TRY(own_part(core, t, a, &own.parts[i], fed_place(a->seq, i)));
        TRY(fed_intent_gone(core, t, own.parts[i].number));
    }
    TRY(fed_intent_left(core, t));
    TRY(fed_apply_late(core, t));
out:
    fed_sub_clear(core, &own);
    return e;
}

static enum err
own_commit(struct fed_core *core, struct fed_thread *t, const struct arrived *a,
           struct fed_sub *sub)
{
    enum err e;
    struct mls_stage *stage = t->stage;
    struct fed_sub own = {0};
    struct fed_key key = fed_key_of(thread_id_view(&t->id));

    if (stage == NULL) {
        /* It was accepted, but its secrets are gone: rejoin. */
        TRY(append(core, t, a));
        TRY(fed_resync_begin(core, t));
        TRY(fed_intent_pump(core, t));
        goto out;
    }
    t->stage = NULL;
    TRY(fed_tx_del(core, FED_NS_STAGE, &key));
    TRY(append(core, t, a));
    TRY(fed_apply_stage(core, t, &stage));
    own = fed_sub_take(t, sub);
    for (size_t i = 0; i < own.parts_len; i++) {
        TRY(fed_intent_done(core, t, own.parts[i].number));
    }
    t->next_intent = 0;
    t->idle = false;
out:
    fed_sub_clear(core, &own);
    mls_stage_free(stage);
    return e;
}

/* Keep the chain though we cannot read this one. */
static enum err
unreadable(struct fed_core *core, struct fed_thread *t, const struct arrived *a)
{
    enum err e;

    TRY(append(core, t, a));
    TRY(show_gap(core, t, a, NULL, FED_GAP_UNREADABLE));
    TRY(fed_past_ask(core, t, a->term, a->seq, a->seq, t->rec.hub));
    TRY(fed_missing_note(core, t, a->term, a->seq));
    TRY(fed_apply_late(core, t));
out:
    return e;
}

/*
 * decisions A 4: of a leaf whose key was revoked since.  Only its author, who
 * has another key by now, can say whether it was its own.  It may have been
 * the answer to a question of ours; and ours may be refused in turn, as we have
 * another key, so it is put again.
 */
static enum err
revoked_message(struct fed_core *core, struct fed_thread *t,
                const struct arrived *a, const struct clinic_id *author)
{
    enum err e;
    struct arrived refused = *a;

    refused.kind = FED_ENTRY_REFUSED;
    TRY(append(core, t, &refused));
    TRY(show_gap(core, t, a, author, FED_GAP_REVOKED));
    TRY(fed_past_ask(core, t, a->term, a->seq, a->seq, author->b));
    TRY(fed_missing_again(core, t));
    TRY(fed_missing_note(core, t, a->term, a->seq));
    TRY(fed_give_refused(core, t, author));
    TRY(fed_apply_late(core, t));
out:
    return e;
}

/*
 * [frank-commit] Nobody could show it to others later, so nobody is shown it:
 * the hub should not have taken it.
 */
static enum err
uncommitted(struct fed_core *core, struct fed_thread *t,
            const struct arrived *a)
{
    enum err e;
    struct arrived refused = *a;
    struct clinic_id hub;
    struct fed_party *p;

    refused.kind = FED_ENTRY_REFUSED;
    TRY(append(core, t, &refused));
    TRY(show_gap(core, t, a, NULL, FED_GAP_UNBOUND));
    memcpy(hub.b, t->rec.hub, sizeof(hub.b));
    p = fed_party_find(core, &hub);
    TRY(p == NULL ? OK : fed_party_bad(core, p, ERR_AUTH));
    TRY(fed_apply_late(core, t));
out:
    return e;
}

static enum err
their_message(struct fed_core *core, struct fed_thread *t,
              const struct arrived *a)
{
    enum err e;
    enum err seen;
    struct mls_unprotected u = {0};
    struct clinic_id author;

    e = mls_unprotect(t->mls, a->message, &u);
    if (e == ERR_AGAIN) {
        TRY(fed_fork_found(core, t,
                           e)); /* of an epoch that we were not shown */
        goto out;
    }
    if (e != OK) {
        TRY(fed_ours(e) ? e : unreadable(core, t, a));
        goto out;
    }
    TRY(fed_cred_subject(u.member.credential, &author));
    if (fed_revoked(core, u.member.credential)) { /* [thread-revoked] */
        mls_undo(t->mls, &u.change);
        TRY(revoked_message(core, t, a, &author));
        goto out;
    }
    TRY(fed_mls_change(core, &t->id, u.change));
    seen = fed_log_check(core, t, view_of(&u.aad));
    TRY(fed_ours(seen) ? seen : OK);
    if (fed_frank_check(&t->id, &author, view_of(&u.plaintext),
                        view_of(&u.aad)) != OK) {
        TRY(uncommitted(core, t, a));
        goto out;
    }
    TRY(append(core, t, a));
    TRY(fed_apply_content(core, t, &author, a->term, a->seq, a->ts_ms,
                          view_of(&u.plaintext), false));
    TRY(fed_frank_keep(core, t,
                       &(struct fed_taken){a->term, a->seq, a->ts_ms, &author,
                                           view_of(&u.plaintext), a->frank}));
    TRY(fed_apply_late(core, t));
    if (seen != OK) {
        TRY(fed_fork_found(core, t,
                           seen)); /* the hub showed its author another log */
    }
out:
    mls_unprotected_clear(&u);
    return e;
}

/* A restored hub rejoined: its new term begins (decisions E 21), the next one
   or behind some of which only it knows; never near the end of numbers. */
static bool
new_term(const struct fed_thread *t, const struct arrived *a,
         const struct mls_stage *stage, const struct fed_who *by)
{
    struct mls_stage_info info;

    mls_stage_info(stage, &info);
    return a->term > t->rec.term && a->term - t->rec.term <= LIMIT_MOVE_JUMP &&
           info.external && memcmp(by->subject.b, t->rec.hub, 32) == 0;
}

/* Process it; is it one that may be the next entry? */
static enum err
judge_commit(struct fed_core *core, struct fed_thread *t,
             const struct arrived *a, struct mls_processed *out,
             struct clinic_id *by_out)
{
    enum err e;
    struct fed_who by;

    core->judge_ms = fed_watch_time(core, t, a->ts_ms);
    TRY(mls_process(t->mls, a->message, out));
    TRY(out->kind == MLS_PROCESSED_COMMIT ? OK : ERR_DENIED);
    TRY(fed_policy_commit(core, t, out->stage, &by));
    TRY(a->term != t->rec.term && t->moving == NULL &&
                !new_term(t, a, out->stage, &by)
            ? ERR_DENIED
            : OK);
    *by_out = by.subject;
out:
    return e;
}

static enum err
their_commit(struct fed_core *core, struct fed_thread *t,
             const struct arrived *a)
{
    enum err e;
    struct mls_processed done = {0};
    enum err seen;
    struct clinic_id by;
    bool next = a->term != t->rec.term;

    e = judge_commit(core, t, a, &done, &by);
    if (e != OK) {
        TRY(fed_ours(e) || t->moving != NULL ? e : fed_fork_found(core, t, e));
        goto out;
    }
    seen = fed_log_check(core, t, view_of(&done.aad));
    TRY(fed_ours(seen) ? seen : OK);
    TRY(append(core, t, a));
    TRY(fed_apply_stage(core, t, &done.stage));
    if (seen != OK && t->rec.state == FED_THREAD_ACTIVE) {
        TRY(differs(core, t, &by, seen));
        goto out;
    }
    if (next) {
        t->wait_ms = 0;
        TRY(fed_intent_again(core, t));
    }
    if (t->rec.state == FED_THREAD_ACTIVE) {
        TRY(fed_intent_pump(core, t));
    }
out:
    mls_processed_clear(&done);
    return e;
}

enum err
fed_follow_commit(struct fed_core *core, struct fed_thread *t, uint64_t term,
                  uint64_t ts_ms, struct view commit)
{
    struct arrived a = {.term = term,
                        .seq = t->rec.seq + 1,
                        .ts_ms = ts_ms,
                        .kind = PROTO_ENTRY_COMMIT,
                        .message = commit};

    prim_sha256(commit, a.hash);
    return their_commit(core, t, &a);
}

static enum err
take_entry(struct fed_core *core, struct fed_thread *t, const struct arrived *a)
{
    struct fed_sub *sub = fed_sub_by_hash(t, a->hash);

    if (a->term != t->rec.term &&
        (sub != NULL || a->kind != PROTO_ENTRY_COMMIT)) {
        return fed_fork_found(core, t,
                              ERR_STALE); /* only a commit begins one */
    }
    if (sub != NULL && sub->kind == FED_INTENT_SAY) {
        return own_message(core, t, a, sub);
    }
    if (sub != NULL) {
        return own_commit(core, t, a, sub);
    }
    if (a->kind == PROTO_ENTRY_GONE) {
        return unreadable(core, t, a);
    }
    return a->kind == PROTO_ENTRY_COMMIT ? their_commit(core, t, a)
                                         : their_message(core, t, a);
}

/* While we rejoin. */
static enum err
meanwhile(struct fed_core *core, struct fed_thread *t, const struct arrived *a)
{
    if (t->joining == NULL) {
        fed_resync_back(t, a->term, a->seq);
        return OK;
    }
    /* Only the chain is followed, once we know where it stands. */
    return a->seq == t->rec.seq + 1 && a->term == t->rec.term
               ? append(core, t, a)
               : OK;
}

/*
 * The next entry, if it is the next.  prev is what the hub says came before
 * it; NULL when it is known to be right.
 */
static enum err
next_entry(struct fed_core *core, struct fed_thread *t, struct arrived *a,
           const uint8_t *prev)
{
    enum err e = OK;
    struct clinic_id hub;

    if (t->rec.state == FED_THREAD_RESYNC) {
        return meanwhile(core, t, a);
    }
    if (t->rec.state != FED_THREAD_ACTIVE || t->mls == NULL ||
        a->term < t->rec.term ||
        (a->term == t->rec.term && a->seq <= t->rec.seq)) {
        goto out; /* a repeat */
    }
    if (a->seq <= t->rec.seq) {
        TRY(fed_named_forgot(core, t, a->term, a->seq, prev));
        goto out;
    }
    if (a->seq > t->rec.seq + 1) {
        memcpy(hub.b, t->rec.hub, sizeof(hub.b));
        /* [withheld-gap] */
        TRY(fed_watch_ahead(core, t, &hub, a->term, a->seq));
        if (!t->pulling) {
            t->pulling = true;
            TRY(fed_pull_send(core, t, &hub));
        }
        goto out;
    }
    if (prev != NULL && memcmp(prev, t->rec.head, 32) != 0) {
        TRY(fed_named_differs(core, t));
        goto out;
    }
    fed_named_forget(t);
    TRY(take_entry(core, t, a));
out:
    return e;
}

/* A thread that we should know but do not: it was lost with a restore. */
enum err
fed_lost_thread(struct fed_core *core, struct fed_party *p,
                const struct thread_id *id)
{
    enum err e;
    struct fed_thread *t;

    TRY(p->lost < LIMIT_THREADS_PER_PARTY ? OK : ERR_LIMIT);
    /* [lost-known] nothing was lost here, and who says so is no contact */
    TRY(core->kind == FED_KIND_DEVICE || core->self.incarnation > 1 ||
                p->rec.ours == PROTO_STANCE_GRANTED
            ? OK
            : ERR_DENIED);
    p->lost++;
    TRY(fed_thread_new(core, id, &p->root, FED_THREAD_ENDED, &t));
    TRY(fed_resync_begin(core, t));
    TRY(fed_intent_pump(core, t));
out:
    return e;
}

/* The thread of an item of its hub; *out NULL when there is nothing to do. */
enum err
fed_followed(struct fed_core *core, struct fed_party *p, const uint8_t id[32],
             struct fed_thread **out)
{
    enum err e;
    struct thread_id thread;
    struct fed_thread *t;

    *out = NULL;
    memcpy(thread.b, id, sizeof(thread.b));
    e = fed_thread_get(core, &thread, &t);
    if (e == ERR_MISSING) {
        return ERR_MISSING;
    }
    TRY(e);
    if (memcmp(t->rec.hub, p->root.b, 32) != 0) {
        /* A hub that was, or will be: a proof says which. */
        return fed_thread_member(t, &p->subject) != NULL ? OK : ERR_DENIED;
    }
    *out = t;
out:
    return e;
}

enum err
fed_follow_fan(struct fed_core *core, struct fed_party *p,
               const struct proto_fan *in)
{
    enum err e;
    struct fed_thread *t;
    struct thread_id id;
    struct arrived a = {.term = in->term,
                        .seq = in->seq,
                        .ts_ms = in->ts_ms,
                        .kind = in->kind,
                        .frank = in->frank};

    memcpy(id.b, in->thread, sizeof(id.b));
    e = fed_followed(core, p, in->thread, &t);
    if (e == ERR_MISSING) {
        return fed_lost_thread(core, p, &id);
    }
    TRY(e);
    if (t == NULL) {
        TRY(fed_named_other(core, p, &id, in->term));
        goto out;
    }
    if (core->kind == FED_KIND_DEVICE && t->rec.state == FED_THREAD_REMOVED &&
        in->seq > t->rec.seq) {
        /* Suspended before, and let in again: whether it is so, the hub says
           when we ask. */
        TRY(fed_resync_begin(core, t));
        TRY(fed_intent_pump(core, t));
        goto out;
    }
    if (in->kind == PROTO_ENTRY_GONE) {
        if (in->message.len != sizeof(a.hash)) {
            /* Pruned with its head: only rejoining helps. */
            TRY(t->rec.state == FED_THREAD_ACTIVE && in->seq > t->rec.seq
                    ? fed_named_gone(core, t, in->term, true)
                    : OK);
            goto out;
        }
        memcpy(a.hash, in->message.p, sizeof(a.hash));
    } else {
        a.message = in->message;
        prim_sha256(in->message, a.hash);
    }
    TRY(next_entry(core, t, &a, in->prev));
    TRY(fed_prove_ask(core, t));
out:
    return e;
}

enum err
fed_follow_part(struct fed_core *core, struct fed_party *p,
                const struct proto_log_part *in)
{
    enum err e;
    struct fed_thread *t;
    struct thread_id id;
    struct proto_list_at at = {0};
    struct proto_log_entry entry;
    bool again;

    memcpy(id.b, in->thread, sizeof(id.b));
    TRY(fed_thread_get(core, &id, &t));
    if (fed_thread_hub_here(core, t)) {
        TRY(fed_check_part(core, t, p, in));
        goto out;
    }
    if (memcmp(t->rec.hub, p->root.b, 32) != 0) {
        return fed_thread_member(t, &p->subject) != NULL ? OK : ERR_DENIED;
    }
    t->pulling = false;
    TRY(fed_named_answered(core, t, in, &again));
    if (again) {
        t->pulling = true;
        TRY(fed_pull_send(core, t, &p->root));
        goto out;
    }
    if (in->code != PROTO_LOG_OK) {
        TRY(fed_named_none(core, t, p, in));
        goto out;
    }
    fed_named_has(core, t, in);
    while (proto_list_next(&in->entries, &proto_log_entry_shape, &at, &entry)) {
        const uint8_t *prev = at.index == 1 ? in->prev : NULL;
        struct arrived a = {.term = entry.term,
                            .seq = entry.seq,
                            .ts_ms = entry.ts_ms,
                            .kind = entry.kind,
                            .message = entry.message};

        if (entry.kind == PROTO_ENTRY_GONE) {
            TRY(entry.message.len == sizeof(a.hash) ? OK : ERR_FORMAT);
            memcpy(a.hash, entry.message.p, sizeof(a.hash));
            a.message = (struct view){0};
        } else {
            prim_sha256(entry.message, a.hash);
        }
        TRY(next_entry(core, t, &a, prev));
    }
    TRY(fed_prove_ask(core, t));
    if (t->rec.state == FED_THREAD_ACTIVE && t->rec.seq < in->last &&
        in->entries.len > 0 && !t->pulling) {
        t->pulling = true;
        TRY(fed_pull_send(core, t, &p->root));
    }
    TRY(fed_intent_pump(core, t));
out:
    return e;
}

/* What we submitted is entry in->seq. */
enum err
fed_follow_own(struct fed_core *core, struct fed_thread *t,
               const struct fed_sub *sub, const struct proto_answer *in)
{
    struct arrived a = {.term = in->term, .seq = in->seq, .ts_ms = in->ts_ms};

    memcpy(a.hash, sub->hash, sizeof(a.hash));
    a.kind = sub->kind == FED_INTENT_SAY ? PROTO_ENTRY_APP : PROTO_ENTRY_COMMIT;
    return next_entry(core, t, &a, NULL);
}
