/* SPDX-License-Identifier: Apache-2.0 */
/*
 * History (decisions E 22): a member that lost entries asks another inside the
 * thread, which sends them again as content with the original id, place,
 * author and time.  Who has them already drops them by their id.
 */
#include "federation/core/branch.h"
#include "federation/core/brought.h"
#include "federation/core/frank.h"
#include "federation/core/trust.h"

#include <string.h>

enum {
    STORED_MS = 20, /* until what is being stored is looked at again */
    TERMS = 8       /* a question is of one and those before it */
};

enum err
fed_past_ask(struct fed_core *core, struct fed_thread *t, uint64_t term,
             uint64_t from, uint64_t to, const uint8_t who[32])
{
    struct proto_content c = {.kind = PROTO_CONTENT_HISTORY};

    c.u.history.term = term;
    c.u.history.from = from;
    c.u.history.to = to;
    memcpy(c.u.history.who, who, sizeof(c.u.history.who));
    return fed_intent_say(core, t, &c, false, NULL);
}

static enum err
past(struct fed_core *core, const struct thread_id *thread, uint64_t term,
     uint64_t from, uint64_t to, struct fed_past *out)
{
    return core->config.store.past(core->config.store.ctx, thread, term, from,
                                   to, core->mem, out);
}

enum err
fed_past_again(struct fed_core *core, const struct thread_id *thread,
               uint64_t term, uint64_t from, uint64_t to, struct fed_thread *t)
{
    enum err e = OK;

    while (e == OK && from <= to) {
        struct fed_rec_intent say = {.kind = FED_INTENT_SAY};
        struct fed_past p = {0};

        e = past(core, thread, term, from, to, &p);
        from = p.seq + 1;
        if (e == OK && memcmp(p.author.b, core->me.b, 32) == 0) {
            memcpy(say.id, p.id.b, sizeof(say.id));
            say.data = view_of(&p.content);
            e = fed_intent_add(core, t, &say);
        }
        bytes_free(&p.content);
    }
    return e == ERR_MISSING ? OK : e;
}

enum err
fed_past_later(struct fed_core *core, struct fed_thread *t, uint64_t term,
               uint64_t from)
{
    enum err e;
    struct proto_content range = {
        .kind = PROTO_CONTENT_HISTORY,
        .u.history = {.term = term, .from = from, .to = UINT64_MAX}};
    struct fed_rec_intent again = {.kind = FED_INTENT_AGAIN};
    struct bytes data = {0};

    TRY(proto_content_encode(core->mem, &range, &data));
    again.data = view_of(&data);
    TRY(fed_intent_add(core, t, &again));
out:
    bytes_free(&data);
    return e;
}

bool
fed_past_work(uint64_t kind)
{
    return kind == FED_INTENT_GIVE || kind == FED_INTENT_AGAIN;
}

static enum err
again(struct fed_core *core, struct fed_thread *old, struct fed_thread *t,
      uint64_t number, const struct fed_rec_intent *rec)
{
    enum err e;
    struct proto_content c;

    TRY(proto_content_decode(rec->data, &c) == OK &&
                c.kind == PROTO_CONTENT_HISTORY
            ? OK
            : ERR_CORRUPT);
    TRY(fed_past_again(core, &old->id, c.u.history.term,
                       fed_place(c.u.history.from, 0), UINT64_MAX, t));
    TRY(fed_intent_done(core, old, number));
out:
    return e;
}

enum err
fed_past_due(struct fed_core *core, struct fed_thread *old,
             struct fed_thread *t)
{
    enum err e = OK;
    uint64_t end = old->rec.intents;
    uint64_t waiting = t->rec.intents;

    for (uint64_t number = 0; e == OK && number < end; number++) {
        struct fed_rec_intent rec;
        struct bytes hold = {0};

        e = fed_intent_next(core, &old->id, &number, &rec, &hold);
        if (e == OK && number < end && rec.kind == FED_INTENT_AGAIN) {
            e = again(core, old, t, number, &rec);
        }
        bytes_free(&hold);
    }
    TRY(e == ERR_MISSING ? OK : e);
    TRY(fed_intent_behind(core, t, waiting));
out:
    return e;
}

static enum err
resend_one(struct fed_core *core, struct fed_thread *t, uint64_t term,
           const struct fed_past *p)
{
    struct proto_content c = {.kind = PROTO_CONTENT_RESENT};
    struct proto_resent *r = &c.u.resent;
    enum err e;

    memcpy(r->id, p->id.b, sizeof(r->id));
    memcpy(r->author, p->author.b, sizeof(r->author));
    r->term = term;
    r->seq = fed_place_entry(p->seq);
    r->part = fed_place_part(p->seq);
    r->ts_ms = p->ts_ms;
    r->content = view_of(&p->content);
    e = fed_intent_say(core, t, &c, false, NULL);
    return e == ERR_LIMIT ? OK : e;
}

/* What is in the places from..to of a term. */
static enum err
resend(struct fed_core *core, struct fed_thread *t, uint64_t term,
       uint64_t from, uint64_t to, uint64_t from_ms)
{
    enum err e = OK;

    while (e == OK && from <= to) {
        struct fed_past p = {0};
        bool lost = false;

        e = past(core, &t->id, term, from, to, &p);
        from = p.seq + 1;
        if (e == OK) { /* [resent-lost] it is said again */
            e = fed_branch_left(core, t, term, p.seq, p.ts_ms, &lost);
        }
        if (e == OK && p.ts_ms >= from_ms && !lost) {
            e = resend_one(core, t, term, &p);
        }
        bytes_free(&p.content);
    }
    return e == ERR_MISSING ? OK : e;
}

enum err
fed_past_resend(struct fed_core *core, struct fed_thread *t, uint64_t term,
                uint64_t seq, uint64_t from_ms)
{
    return resend(core, t, term, fed_place(seq, 0), fed_place_end(seq),
                  from_ms);
}

enum err
fed_past_resend_at(struct fed_core *core, struct fed_thread *t, uint64_t term,
                   uint64_t place, uint64_t from_ms)
{
    return resend(core, t, term, place, place, from_ms);
}

enum err
fed_past_resend_terms(struct fed_core *core, struct fed_thread *t,
                      uint64_t term, uint64_t seq, uint64_t from_ms)
{
    enum err e = OK;

    for (uint64_t n = 0; n < TERMS && n < term; n++) {
        TRY(fed_past_resend(core, t, term - n, seq, from_ms));
    }
out:
    return e;
}

bool
fed_past_covers(uint64_t term, uint64_t from, uint64_t to, uint64_t at_term,
                uint64_t at)
{
    return at_term <= term && term - at_term < TERMS &&
           fed_place_entry(at) >= from && fed_place_entry(at) <= to;
}

static enum err
resend_all(struct fed_core *core, struct fed_thread *t,
           const struct clinic_id *asker, const struct proto_history *in)
{
    enum err e;
    struct clinic_id who = *asker; /* members may change below */
    uint64_t from_ms;

    /* decisions D 18 [history-agreed] */
    TRY(fed_give_since(core, t, &who, &from_ms));
    for (uint64_t seq = in->from; seq <= in->to; seq++) {
        TRY(fed_past_resend_terms(core, t, in->term, seq, from_ms));
    }
    TRY(fed_brought_give(core, t, in->term, in->from, in->to, from_ms));
out:
    return e;
}

enum err
fed_past_give(struct fed_core *core, struct fed_thread *t, uint64_t number,
              const struct fed_rec_intent *rec, bool *wait)
{
    enum err e;
    struct proto_content c;
    struct clinic_id asker;
    struct fed_key key = fed_intent_key(&t->id, number);

    *wait = fed_tx_pending(core, FED_NS_INTENT, &key);
    if (*wait) {
        fed_tx_timer(core, fed_mono(core) + STORED_MS);
        return OK;
    }
    if (rec->kind == FED_INTENT_AGAIN) {
        return again(core, t, t, number, rec);
    }
    memcpy(asker.b, rec->id, sizeof(asker.b));
    TRY(proto_content_decode(rec->data, &c) == OK &&
                c.kind == PROTO_CONTENT_HISTORY
            ? OK
            : ERR_CORRUPT);
    if (fed_thread_member(t, &asker) != NULL) {
        TRY(resend_all(core, t, &asker, &c.u.history));
    }
    TRY(fed_intent_done(core, t, number));
out:
    return e;
}

/*
 * Only what the asker may have seen: it was a member then, or is told by us
 * what we show it; entries are those of this thread alone.  What came in one
 * batch with the question cannot be read yet: the question is stored, and
 * answered once it is.
 */
enum err
fed_past_answer(struct fed_core *core, struct fed_thread *t,
                const struct clinic_id *asker, const struct proto_history *in)
{
    enum err e = OK;
    struct fed_member *m = fed_thread_member(t, asker);
    uint64_t now = fed_mono(core);
    uint64_t to = in->to;
    struct proto_content range = {.kind = PROTO_CONTENT_HISTORY,
                                  .u.history = *in};
    struct fed_rec_intent give = {.kind = FED_INTENT_GIVE};
    struct bytes data = {0};

    if (memcmp(in->who, core->me.b, 32) != 0 || in->from == 0 ||
        in->from > in->to || m == NULL) {
        return OK;
    }
    if (to - in->from >= LIMIT_HISTORY) {
        to = in->from + LIMIT_HISTORY - 1;
    }
    if (to > t->rec.seq) {
        to = t->rec.seq;
    }
    /* One short request is answered with much, in everybody's log. */
    if (now - m->past_ms >= LIMIT_HISTORY_MS) {
        m->past_ms = now;
        m->past = 0;
    }
    if (in->from > to || m->past + (to - in->from) >= LIMIT_HISTORY_ASKED) {
        return OK;
    }
    m->past += to - in->from + 1;
    range.u.history.to = to;
    TRY(proto_content_encode(core->mem, &range, &data));
    memcpy(give.id, asker->b, sizeof(give.id));
    give.data = view_of(&data);
    TRY(fed_intent_add(core, t, &give));
    t->pump = true; /* nothing else may come that looks at it */
out:
    bytes_free(&data);
    return e;
}

/*
 * The earliest place of a message is its place: one that was sent again after
 * a loss, because its author did not know better, goes back to where it was.
 */
static bool
earlier(const struct proto_resent *in, uint64_t term, uint64_t place)
{
    return in->term < term ||
           (in->term == term && fed_place(in->seq, in->part) < place);
}

/* Whether what by brings back can be what our log has in its place. */
static bool
fits(const struct fed_rec_log *rec, const struct clinic_id *by,
     const struct proto_resent *in)
{
    if (rec->kind == PROTO_ENTRY_COMMIT || rec->ts_ms != in->ts_ms) {
        return false;
    }
    /* [resent-refused] only its author can say that it was its own */
    return rec->kind != FED_ENTRY_REFUSED ||
           memcmp(by->b, in->author, sizeof(by->b)) == 0;
}

/*
 * decisions E 22, "checked against the log": nothing is brought back into a
 * place that is not there yet, is a commit's, or has another message.
 */
static enum err
place_free(struct fed_core *core, const struct fed_thread *t,
           const struct clinic_id *by, const struct proto_resent *in, bool *out)
{
    enum err e;
    struct fed_rec_log rec;
    struct bytes hold = {0};
    struct fed_past p = {0};
    uint64_t place = fed_place(in->seq, in->part);

    *out = in->seq != 0 && (in->term < t->rec.term ||
                            (in->term == t->rec.term && in->seq <= t->rec.seq));
    e = fed_log_get(core, &t->id, in->seq, &rec, &hold);
    TRY(e == ERR_MISSING ? OK : e);
    if (hold.len > 0 && rec.term == in->term && !fits(&rec, by, in)) {
        *out = false;
    }
    e = past(core, &t->id, in->term, place, place, &p);
    /* In a term that lost a race, what is there will go elsewhere. */
    if (e == OK && memcmp(p.id.b, in->id, sizeof(p.id.b)) != 0 &&
        !fed_branch_void(t, in->term, place)) {
        *out = false;
    }
    e = e == ERR_MISSING ? OK : e;
out:
    bytes_free(&p.content);
    bytes_free(&hold);
    return e;
}

enum err
fed_past_resent(struct fed_core *core, struct fed_thread *t,
                const struct clinic_id *by, uint64_t at,
                const struct proto_resent *in)
{
    enum err e;
    struct message_id id;
    struct clinic_id author;
    struct fed_show *show;
    struct proto_content c;
    uint64_t term;
    uint64_t seq;
    bool may;

    if (proto_content_decode(in->content, &c) == OK &&
        c.kind == PROTO_CONTENT_BUNDLE) {
        return OK; /* [resent-bundle] its messages are resent one by one */
    }
    memcpy(author.b, in->author, sizeof(author.b));
    fed_message_id(&author, in->content, &id);
    if (memcmp(id.b, in->id, sizeof(id.b)) != 0) {
        return OK; /* its id does not belong to its words */
    }
    TRY(place_free(core, t, by, in, &may));
    if (!may) {
        goto out;
    }
    e = fed_tx_known(core, &t->id, &id, &term, &seq);
    if (e == OK && seq != 0 && !earlier(in, term, seq) &&
        !fed_branch_void(t, term, seq)) {
        goto out;
    }
    TRY(e == ERR_MISSING ? OK : e);
    TRY(fed_brought_note(core, t, at, &id));
    show = fed_tx_show(core, FED_SHOW_MESSAGE);
    TRY(show == NULL ? ERR_NOMEM : OK);
    show->thread = t->id;
    show->message = id;
    memcpy(show->author.b, in->author, sizeof(show->author.b));
    memcpy(show->other.b, by->b, sizeof(show->other.b));
    show->term = in->term;
    show->seq = fed_place(in->seq, in->part);
    show->ts_ms = in->ts_ms;
    show->resent = true;
    show->proven = memcmp(by->b, in->author, sizeof(by->b)) == 0;
    TRY(bytes_copy(core->mem, in->content, &show->body));
    TRY(clinic_id_equal(&author, &core->me)
            ? OK
            : fed_prove_place(core, t, in->term, show->seq));
out:
    return e;
}
