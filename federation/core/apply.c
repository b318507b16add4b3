/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What log entries mean once they are decrypted: messages take their place,
 * commits become the new epoch.  The same for hub and followers.
 */
#include "federation/core/branch.h"
#include "federation/core/brought.h"
#include "federation/core/came.h"
#include "federation/core/care.h"
#include "federation/core/move.h"
#include "federation/core/trust.h"
#include "federation/core/watch.h"

#include "crypto/prim/hash.h"

#include <string.h>

enum {
    UPTO_BACK = 64 /* shows looked at for one to replace */
};

void
fed_message_id(const struct clinic_id *author, struct view content,
               struct message_id *out)
{
    uint8_t hash[32];
    struct view parts[] = {
        VIEW_LIT("balsam v1 message"),
        clinic_id_view(author),
        content,
    };

    prim_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), hash);
    out->b[0] = 1;
    memcpy(out->b + 1, hash, sizeof(out->b) - 1);
}

/* ---------------------------------------------------------------- messages */

/* One decrypted message and its place. */
struct placed {
    const struct clinic_id *author;
    uint64_t term;
    uint64_t seq; /* fed_place */
    uint64_t ts_ms;
    struct view content;
    bool ours;
    struct message_id id;
};

enum err
fed_show_upto(struct fed_core *core, uint64_t code,
              const struct thread_id *thread, const uint8_t other[32],
              uint64_t term, uint64_t seq)
{
    struct fed_show *show = NULL;
    size_t n = core->cur == NULL ? 0 : core->cur->shows_len;

    for (size_t i = n; i > 0 && n - i < UPTO_BACK && show == NULL; i--) {
        struct fed_show *s = &core->cur->shows[i - 1];

        if (s->kind == FED_SHOW_STATE && s->code == code && s->term == term &&
            s->seq <= seq && memcmp(s->other.b, other, 32) == 0 &&
            thread_id_equal(&s->thread, thread)) {
            show = s; /* the later place says more */
        }
    }
    if (show == NULL) {
        show = fed_tx_show(core, FED_SHOW_STATE);
    }
    if (show == NULL) {
        return ERR_NOMEM;
    }
    show->code = code;
    show->thread = *thread;
    show->term = term;
    show->seq = seq;
    memcpy(show->other.b, other, sizeof(show->other.b));
    return OK;
}

static enum err
show_accepted(struct fed_core *core, struct fed_thread *t,
              const struct placed *m)
{
    enum err e;
    struct fed_show *show = fed_tx_show(core, FED_SHOW_STATE);

    TRY(show == NULL ? ERR_NOMEM : OK);
    show->code = FED_MESSAGE_ACCEPTED;
    show->thread = t->id;
    show->message = m->id;
    show->term = m->term;
    show->seq = m->seq;
    show->ts_ms = m->ts_ms;
    TRY(fed_watch_own(core, t, fed_place_entry(m->seq)));
    if (!fed_thread_hub_here(core, t)) {
        memcpy(show->peer.b, t->rec.hub, sizeof(show->peer.b));
        TRY(fed_show_upto(core, FED_MESSAGE_DELIVERED, &t->id, t->rec.hub,
                          m->term, m->seq));
    }
out:
    return e;
}

/*
 * A hub hears from the stream that a follower's node has its message, but for
 * others, and of a device only what it says itself.
 */
static bool
needs_receipt(const struct fed_core *core, const struct fed_thread *t,
              const struct placed *m)
{
    return !clinic_id_equal(m->author, &core->me) &&
           (t->members_len > 1 || core->kind == FED_KIND_DEVICE);
}

static enum err
show_message(struct fed_core *core, struct fed_thread *t,
             const struct placed *m, bool again)
{
    enum err e;
    struct fed_show *show = fed_tx_show(core, FED_SHOW_MESSAGE);

    TRY(show == NULL ? ERR_NOMEM : OK);
    show->thread = t->id;
    show->message = m->id;
    memcpy(show->author.b, m->author->b, sizeof(show->author.b));
    show->term = m->term;
    show->seq = m->seq;
    show->ts_ms = m->ts_ms;
    if (again) {
        show->resent = true;
        memcpy(show->other.b, m->author->b, sizeof(show->other.b));
    }
    TRY(bytes_copy(core->mem, m->content, &show->body));
    if (t->receipt_ms == 0 && needs_receipt(core, t, m)) {
        t->receipt_ms = fed_mono(core) + LIMIT_RECEIPT_MS;
        fed_tx_timer(core, t->receipt_ms);
    }
out:
    return e;
}

static enum err
take_message(struct fed_core *core, struct fed_thread *t,
             const struct placed *m)
{
    enum err e;
    uint64_t term;
    uint64_t seq;
    bool lost;

    e = fed_tx_known(core, &t->id, &m->id, &term, &seq);
    /* Its place was in a term that lost a race: it is said again. */
    lost = e == OK && fed_branch_void(t, term, seq) &&
           (m->term != term || m->seq != seq);
    if (e == OK && seq != 0 && !lost) {
        return OK; /* the same message again, from before a loss */
    }
    TRY(e == ERR_MISSING ? OK : e);
    TRY(m->ours ? show_accepted(core, t, m) : show_message(core, t, m, lost));
out:
    return e;
}

bool
fed_content_shown(struct view content)
{
    struct proto_content c;

    return proto_content_decode(content, &c) == OK &&
           c.kind == PROTO_CONTENT_TEXT;
}

enum err
fed_apply_own(struct fed_core *core, struct fed_thread *t,
              const struct message_id *id, uint64_t term, uint64_t seq,
              uint64_t ts_ms)
{
    struct placed m = {.author = &core->me,
                       .term = term,
                       .seq = seq,
                       .ts_ms = ts_ms,
                       .ours = true};

    m.id = *id;
    return take_message(core, t, &m);
}

/* Is this still a place of the log?  One of an earlier term may be behind where
   the thread went back to. */
static enum err
still_there(struct fed_core *core, const struct fed_thread *t, uint64_t term,
            uint64_t seq, bool *out)
{
    struct fed_rec_log rec;
    struct bytes hold = {0};
    enum err e = OK;

    *out = term == t->rec.term && seq <= t->rec.seq;
    if (term < t->rec.term) {
        e = fed_log_get(core, &t->id, seq, &rec, &hold);
        *out = e == OK && rec.term == term;
    }
    bytes_free(&hold);
    return e == ERR_MISSING ? OK : e;
}

/* It is numbered: all who follow this log know that we had it so far. */
static enum err
take_own_receipt(struct fed_core *core, struct fed_thread *t,
                 const struct proto_receipt *in)
{
    enum err e;
    bool there;

    TRY(still_there(core, t, in->term, in->upto, &there));
    if (there && in->upto > t->rec.receipt_had) {
        t->rec.receipt_had = in->upto;
        t->dirty = true;
    }
out:
    return e;
}

static enum err
take_receipt(struct fed_core *core, struct fed_thread *t,
             const struct placed *m, const struct proto_receipt *in)
{
    enum err e;
    struct fed_member *member;
    struct fed_show *show;
    bool read = in->what == PROTO_RECEIPT_READ;
    bool there;

    if (m->ours || in->what == 0 || clinic_id_equal(m->author, &core->me)) {
        return m->ours && !read ? take_own_receipt(core, t, in) : OK;
    }
    TRY(fed_checkpoint_seen(core, t, m->author, in->term, in->upto, in->head));
    member = fed_thread_member(t, m->author);
    if (member != NULL) {
        uint64_t *upto = read ? &member->rec.read : &member->rec.delivered;

        if (in->upto <= *upto) {
            return OK;
        }
        TRY(still_there(core, t, in->term, in->upto, &there));
        *upto = there ? in->upto : *upto;
        member->dirty = true;
        t->dirty = true;
        TRY(fed_watch_has(core, t, member));
    }
    show = fed_tx_show(core, FED_SHOW_STATE);
    TRY(show == NULL ? ERR_NOMEM : OK);
    show->code = read ? FED_MESSAGE_READ : FED_MESSAGE_DELIVERED;
    show->thread = t->id;
    show->term = in->term;
    show->seq = fed_place_end(in->upto);
    memcpy(show->other.b, m->author->b, sizeof(show->other.b));
out:
    return e;
}

/* Somebody wants to leave: people see it, and the hub commits it. */
static enum err
take_leave(struct fed_core *core, struct fed_thread *t, const struct placed *m)
{
    enum err e = OK;
    struct fed_rec_intent intent = {.kind = FED_INTENT_REMOVE};

    if (m->ours) {
        goto out;
    }
    TRY(fed_came_wish(core, t, m->author, m->term, m->seq, m->ts_ms));
    if (fed_thread_hub_here(core, t)) {
        memcpy(intent.id, m->author->b, sizeof(intent.id));
        TRY(fed_intent_add(core, t, &intent));
    }
out:
    return e;
}

static enum err
take_resent(struct fed_core *core, struct fed_thread *t, const struct placed *m,
            const struct proto_resent *in)
{
    struct message_id id;

    if (!m->ours) {
        return fed_past_resent(core, t, m->author, m->seq, in);
    }
    memcpy(id.b, in->id, sizeof(id.b));
    return fed_brought_note(core, t, m->seq, &id);
}

/* m, which decoded as c if e is OK, does what it says. */
static enum err
apply_one(struct fed_core *core, struct fed_thread *t, const struct placed *in,
          const struct proto_content *decoded, enum err e)
{
    struct placed m = *in;
    struct proto_content c = *decoded;
    const struct clinic_id *author = m.author;
    struct fed_said said = {author,    m.term, m.seq, m.ts_ms,
                            m.content, m.ours, {{0}}};
    enum err watched =
        fed_watch_entry(core, t, author, e == OK ? &c : NULL, m.ours);

    if (watched != OK) {
        return watched;
    }
    fed_message_id(author, m.content, &m.id);
    said.id = m.id;
    if (e != OK && e != ERR_UNSUPPORTED) {
        c.kind = PROTO_CONTENT_TEXT; /* shown as unreadable by the desk */
    } else if (e == ERR_UNSUPPORTED) {
        return take_message(core, t, &m);
    }
    switch (c.kind) {
    case PROTO_CONTENT_RECEIPT:
        return take_receipt(core, t, &m, &c.u.receipt);
    case PROTO_CONTENT_HISTORY:
        return m.ours ? OK : fed_past_answer(core, t, author, &c.u.history);
    case PROTO_CONTENT_RESENT:
        return take_resent(core, t, &m, &c.u.resent);
    case PROTO_CONTENT_LEAVE:
        return take_leave(core, t, &m);
    case PROTO_CONTENT_CHECKPOINT:
        return m.ours
                   ? OK
                   : fed_checkpoint_seen(core, t, author, c.u.checkpoint.term,
                                         c.u.checkpoint.seq,
                                         c.u.checkpoint.head);
    case PROTO_CONTENT_TEXT:
    case PROTO_CONTENT_EDIT:
    case PROTO_CONTENT_DELETE:
    case PROTO_CONTENT_REACTION:
    case PROTO_CONTENT_TITLE:
        break;
    case PROTO_CONTENT_ASK:
    case PROTO_CONTENT_CONSENT:
    case PROTO_CONTENT_WITHDRAWAL:
        return fed_consent_content(core, t, &said, &c);
    case PROTO_CONTENT_INTRO:
        return m.ours ? OK : fed_intro_content(core, t, &said, &c.u.intro);
    case PROTO_CONTENT_BUNDLE:
        return OK; /* not inside another: proto_content_decode */
    }
    return take_message(core, t, &m);
}

enum err
fed_apply_at(struct fed_core *core, struct fed_thread *t,
             const struct clinic_id *author, uint64_t term, uint64_t seq,
             uint64_t ts_ms, struct view content, bool ours)
{
    struct placed m = {author, term, seq, ts_ms, content, ours, {{0}}};
    struct proto_content c = {.kind = PROTO_CONTENT_TEXT};
    enum err e = proto_content_decode(content, &c);

    return apply_one(core, t, &m, &c, e);
}

/* Each message of a bundle in its own place. */
static enum err
apply_parts(struct fed_core *core, struct fed_thread *t,
            const struct placed *whole, const struct proto_bundle *bundle)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_part part;

    while (proto_list_next(&bundle->parts, &proto_part_shape, &at, &part)) {
        TRY(fed_apply_at(core, t, whole->author, whole->term,
                         whole->seq + at.index - 1, whole->ts_ms, part.content,
                         whole->ours));
    }
out:
    return e;
}

enum err
fed_apply_content(struct fed_core *core, struct fed_thread *t,
                  const struct clinic_id *author, uint64_t term, uint64_t seq,
                  uint64_t ts_ms, struct view content, bool ours)
{
    struct clinic_id by = *author; /* members may change below */
    struct placed m = {&by,  term, fed_place(seq, 0), ts_ms, content,
                       ours, {{0}}};
    struct proto_content c = {.kind = PROTO_CONTENT_TEXT};
    enum err e = proto_content_decode(content, &c);

    return e == OK && c.kind == PROTO_CONTENT_BUNDLE
               ? apply_parts(core, t, &m, &c.u.bundle)
               : apply_one(core, t, &m, &c, e);
}

/* ------------------------------------------------------------------ commits */

enum err
fed_stage_drop(struct fed_core *core, struct fed_thread *t)
{
    struct fed_key key = fed_key_of(thread_id_view(&t->id));

    if (t->stage == NULL) {
        return OK;
    }
    mls_stage_free(t->stage);
    t->stage = NULL;
    return fed_tx_del(core, FED_NS_STAGE, &key);
}

static enum err
new_epoch(struct fed_core *core, struct fed_thread *t, bool shut)
{
    enum err e;
    struct mls_extension ext;

    if (!mls_extensions_find(mls_group_extensions(t->mls), PROTO_EXT_GROUP,
                             &ext)) {
        return ERR_INTERNAL;
    }
    TRY(fed_thread_group(core, t, ext.data));
    t->rec.epoch_seq = t->rec.seq;
    t->rec.epoch_ts_ms = t->rec.ts_ms;
    t->rec.late = !shut;
    if (shut) {
        /* decisions D 13: at once after a Remove or a revoked certificate */
        TRY(mls_forget_past(t->mls, mls_group_epoch(t->mls)));
    }
    TRY(fed_mls_save(core, t));
    TRY(fed_patient_group(core, t));
    t->dirty = true;
out:
    return e;
}

enum err
fed_apply_stage(struct fed_core *core, struct fed_thread *t,
                struct mls_stage **take_stage)
{
    enum err e;
    struct mls_stage_info info;
    struct fed_who by;
    struct clinic_id came[FED_NEWCOMERS];
    size_t came_len;
    bool shut;
    bool intro;

    mls_stage_info(*take_stage, &info);
    came_len = fed_give_newcomers(t, *take_stage, came);
    core->judge_ms = t->rec.ts_ms;
    TRY(fed_policy_commit(core, t, *take_stage, &by));
    TRY(fed_came_commit(core, t, *take_stage, &info, &by, &shut));
    intro = fed_intro_due(core, t, *take_stage, &by);
    if (info.self_removed) {
        mls_stage_free(*take_stage);
        *take_stage = NULL;
        TRY(fed_thread_over(core, t, FED_THREAD_REMOVED));
        goto out;
    }
    TRY(info.external ? fed_missing_again(core, t) : OK);
    TRY(mls_merge(t->mls, take_stage));
    TRY(fed_stage_drop(core, t));
    TRY(new_epoch(core, t, shut));
    if (memcmp(t->group.hub, t->rec.hub, 32) != 0) {
        TRY(fed_move_applied(core, t));
    }
    TRY(fed_thread_show(core, t));
    t->applying = true; /* a Welcome goes before what is said to newcomers */
    for (size_t i = 0; i < came_len; i++) {
        TRY(fed_give_history(core, t, &came[i]));
    }
    TRY(intro ? fed_intro_say(core, t) : OK);
out:
    t->applying = false;
    return e == OK || fed_ours(e) ? e : ERR_INTERNAL;
}

/* decisions D 13: by the log's own numbers and times, never by our clock. */
enum err
fed_apply_late(struct fed_core *core, struct fed_thread *t)
{
    enum err e = OK;

    if (!t->rec.late || t->mls == NULL ||
        (t->rec.seq - t->rec.epoch_seq < LIMIT_EPOCH_LATE_ENTRIES &&
         t->rec.ts_ms - t->rec.epoch_ts_ms < LIMIT_EPOCH_LATE_MS)) {
        return OK;
    }
    t->rec.late = false;
    t->dirty = true;
    TRY(mls_forget_past(t->mls, mls_group_epoch(t->mls)));
    TRY(fed_mls_save(core, t));
out:
    return e;
}
