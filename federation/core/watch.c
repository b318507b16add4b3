/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has to come in a lively thread, and what people are told when it does
 * not (watch.h).  A row of FED_NS_WATCH says when a thread is looked at next:
 * when our checkpoint is due, when a member's is overdue, when what we said
 * should have been confirmed.  Hours matter here, so times are kept to the
 * hour and cost no record of their own.
 *
 * What is expected of whom: expect.c; what we said: confirm.c.
 */
#include "federation/core/watch.h"

#include "federation/core/care.h"
#include "federation/core/frank.h"

#include <string.h>

/* ---------------------------------------------------------------- the rows */

static struct fed_key
row_key(uint64_t at_ms, const struct thread_id *id)
{
    uint8_t be[8];

    for (int i = 0; i < 8; i++) {
        be[i] = (uint8_t)(at_ms >> (56 - 8 * i));
    }
    return fed_key_pair(VIEW_ARRAY(be), thread_id_view(id));
}

static void
wake_by(struct fed_core *core, uint64_t at_ms)
{
    uint64_t now = fed_now(core);

    fed_tx_timer(core, fed_mono(core) + (at_ms > now ? at_ms - now : 0) + 1);
}

/* Looked at then and no sooner; 0: no more. */
static enum err
look_at(struct fed_core *core, struct fed_thread *t, uint64_t at_ms)
{
    enum err e = OK;
    struct fed_key key;

    if (t->rec.look_ms == at_ms) {
        return OK;
    }
    if (t->rec.look_ms != 0) {
        key = row_key(t->rec.look_ms, &t->id);
        TRY(fed_tx_del(core, FED_NS_WATCH, &key));
    }
    if (at_ms != 0) {
        key = row_key(at_ms, &t->id);
        TRY(fed_tx_put(core, FED_NS_WATCH, &key, VIEW_LIT("\x01")));
        wake_by(core, at_ms);
    }
    t->rec.look_ms = at_ms;
    t->dirty = true;
out:
    return e;
}

enum err
fed_watch_by(struct fed_core *core, struct fed_thread *t, uint64_t at_ms)
{
    return t->rec.look_ms != 0 && t->rec.look_ms <= at_ms
               ? OK
               : look_at(core, t, at_ms);
}

/* ------------------------------------------------------------ what is told */

/* Are we connected with it past who carries? */
static bool
reached(const struct fed_party *p, const struct fed_party *by)
{
    return p != NULL && p != by && p->via == NULL && p->greeted &&
           fed_party_open(p);
}

enum err
fed_watch_show(struct fed_core *core, struct fed_thread *t,
               struct fed_member *m, enum fed_doubt what, bool on, uint64_t seq,
               uint64_t since_ms)
{
    const struct fed_party *by = fed_watch_carrier(core, t, m);
    struct fed_show *s = fed_tx_show(core, FED_SHOW_DOUBT);

    if (s == NULL) {
        return ERR_NOMEM;
    }
    s->code = (uint64_t)what;
    s->value = on ? 1 : 0;
    s->thread = t->id;
    s->term = t->rec.term;
    s->seq = seq;
    s->ts_ms = since_ms;
    memcpy(s->author.b, m->node.b, sizeof(s->author.b));
    if (by != NULL) {
        s->peer = by->root;
    }
    s->verified = what == FED_DOUBT_WITHHELD ||
                  reached(fed_party_find(core, &m->node), by);
    m->rec.doubts = on ? m->rec.doubts | fed_watch_bit(what)
                       : m->rec.doubts & ~fed_watch_bit(what);
    m->dirty = true;
    t->dirty = true;
    if (core->config.log != NULL) {
        LOG(core->config.log, on ? LOG_WARN : LOG_INFO, "fed.thread.doubt",
            LOG_TAG("thread", log_tag_of(thread_id_view(&t->id))),
            LOG_NUM("what", (uint64_t)what), LOG_NUM("on", on ? 1 : 0));
    }
    return OK;
}

enum err
fed_watch_tell(struct fed_core *core, struct fed_thread *t,
               struct fed_member *m, enum fed_doubt what, uint64_t seq,
               uint64_t since_ms)
{
    return (m->rec.doubts & fed_watch_bit(what)) != 0
               ? OK
               : fed_watch_show(core, t, m, what, true, seq, since_ms);
}

enum err
fed_watch_over(struct fed_core *core, struct fed_thread *t,
               struct fed_member *m, enum fed_doubt what)
{
    return (m->rec.doubts & fed_watch_bit(what)) == 0
               ? OK
               : fed_watch_show(core, t, m, what, false, t->rec.seq,
                                fed_now(core));
}

enum err
fed_watch_clear(struct fed_core *core, struct fed_thread *t,
                struct fed_member *m)
{
    static const enum fed_doubt passing[] = {
        FED_DOUBT_SILENT, FED_DOUBT_WITHHELD, FED_DOUBT_UNDELIVERED,
        FED_DOUBT_CLOCK, FED_DOUBT_KEPT_OUT};
    enum err e = OK;

    for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
        TRY(fed_watch_over(core, t, m, passing[i]));
    }
    m->rec.ahead_seq = 0;
    m->dirty = true;
out:
    return e;
}

/* --------------------------------------------------------------- what came */

/* Set a time that is kept to the hour. */
void
fed_watch_touch(struct fed_thread *t, uint64_t *at, uint64_t now)
{
    if (*at > now || now - *at >= LIMIT_HOUR_MS) {
        *at = now;
        t->dirty = true;
    }
}

static bool
words(const struct proto_content *c)
{
    switch (c->kind) {
    case PROTO_CONTENT_TEXT:
    case PROTO_CONTENT_EDIT:
    case PROTO_CONTENT_DELETE:
    case PROTO_CONTENT_REACTION:
    case PROTO_CONTENT_TITLE:
    case PROTO_CONTENT_ASK:
    case PROTO_CONTENT_CONSENT:
    case PROTO_CONTENT_WITHDRAWAL:
        return true;
    case PROTO_CONTENT_RECEIPT:
    case PROTO_CONTENT_HISTORY:
    case PROTO_CONTENT_RESENT:
    case PROTO_CONTENT_LEAVE:
    case PROTO_CONTENT_CHECKPOINT:
    case PROTO_CONTENT_INTRO:
    case PROTO_CONTENT_BUNDLE: /* its messages are looked at one by one */
        break;
    }
    return false;
}

/* Lively until LIMIT_LIVELY_MS after what its author says was now. */
enum err
fed_watch_lively(struct fed_core *core, struct fed_thread *t, uint64_t sent_ms)
{
    uint64_t now = fed_now(core);
    uint64_t at = sent_ms < now ? sent_ms : now;
    uint64_t before = t->rec.lively_ms;

    if (now - at >= LIMIT_LIVELY_MS) {
        return OK; /* old words */
    }
    if (before > now || now - before >= LIMIT_LIVELY_MS) {
        t->rec.woke_ms = now;
        t->rec.lively_ms = at;
        t->dirty = true;
    } else if (at > before + LIMIT_HOUR_MS) {
        t->rec.lively_ms = at;
        t->dirty = true;
    }
    return t->rec.look_ms != 0 ? OK
                               : look_at(core, t, now + LIMIT_CHECKPOINT_MS);
}

static enum err
heard(struct fed_core *core, struct fed_thread *t, struct fed_member *m)
{
    enum err e = OK;
    uint64_t before = m->rec.heard_ms;

    fed_watch_touch(t, &m->rec.heard_ms, fed_now(core));
    m->dirty = m->dirty || before != m->rec.heard_ms;
    TRY(fed_watch_over(core, t, m, FED_DOUBT_SILENT));
    for (size_t i = 0; i < t->members_len; i++) {
        struct fed_member *o = &t->members[i];

        if (o->rec.ahead_seq != 0 && t->rec.term >= o->rec.ahead_term &&
            t->rec.seq >= o->rec.ahead_seq) {
            o->rec.ahead_seq = 0;
            o->dirty = true;
            TRY(fed_watch_over(core, t, o, FED_DOUBT_WITHHELD));
        }
    }
out:
    return e;
}

enum err
fed_watch_entry(struct fed_core *core, struct fed_thread *t,
                const struct clinic_id *author, const struct proto_content *c,
                bool ours)
{
    enum err e = OK;
    struct fed_member *m = fed_thread_member(t, author);

    if (ours) {
        fed_watch_touch(t, &t->rec.spoke_ms, fed_now(core));
    } else if (m != NULL) {
        TRY(heard(core, t, m));
    }
    if (c != NULL && words(c)) {
        TRY(fed_watch_lively(core, t, c->sent_ms));
    }
out:
    return e;
}

/* ------------------------------------------------------------------- looks */

/* A clock that went back does not keep a thread lively for ever. */
static void
not_ahead(struct fed_thread *t, uint64_t now)
{
    uint64_t *const times[] = {&t->rec.lively_ms, &t->rec.woke_ms,
                               &t->rec.spoke_ms,  &t->rec.direct_ms,
                               &t->rec.said_ms,   &t->rec.last_ms};

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        if (*times[i] > now) {
            *times[i] = now;
            t->dirty = true;
        }
    }
}

static enum err
look(struct fed_core *core, struct fed_thread *t)
{
    enum err e = OK;
    uint64_t now = fed_now(core);
    uint64_t next = 0;

    TRY(core->kind == FED_KIND_DEVICE ? fed_report_kept_look(core, t, &next)
                                      : OK);
    if (t->rec.state == FED_THREAD_ENDED ||
        t->rec.state == FED_THREAD_REMOVED) {
        for (size_t i = 0; i < t->members_len; i++) {
            TRY(fed_watch_clear(core, t, &t->members[i]));
        }
        TRY(look_at(core, t, next));
        goto out;
    }
    not_ahead(t, now);
    TRY(fed_watch_undelivered(core, t, now, &next));
    if (t->rec.state != FED_THREAD_ACTIVE || t->mls == NULL) {
        fed_watch_sooner(&next, now + FED_WATCH_AGAIN_MS);
    } else if (t->members_len > 0) {
        TRY(fed_watch_speak(core, t, now, &next));
        for (size_t i = 0; i < t->members_len; i++) {
            TRY(fed_watch_judge(core, t, &t->members[i], now, &next));
        }
    }
    TRY(look_at(core, t,
                next == 0 ? 0
                          : fed_watch_later(next, now + FED_WATCH_LEAST_MS)));
out:
    return e;
}

/* The first row; *at_ms 0: there is none. */
static enum err
first_row(struct fed_core *core, uint64_t *at_ms, struct thread_id *id)
{
    enum err e;
    struct fed_key from = {.len = 0};
    struct bytes key = {0};
    struct bytes value = {0};

    *at_ms = 0;
    e = fed_tx_next(core, FED_NS_WATCH, &from, (struct view){0}, &key, &value);
    if (e == OK && key.len == 40) {
        for (size_t i = 0; i < 8; i++) {
            *at_ms = *at_ms << 8 | key.p[i];
        }
        memcpy(id->b, key.p + 8, sizeof(id->b));
    }
    bytes_free(&key);
    bytes_free(&value);
    return e == ERR_MISSING ? OK : e;
}

/* A device looks when it has what there was for it, or it would judge by what
   it missed while it was off. */
static bool
up_to_date(const struct fed_core *core)
{
    bool any = false;
    uint64_t now = fed_now(core);

    for (size_t i = 0; i < core->parties_len; i++) {
        const struct fed_party *p = core->parties[i];

        if (p->greeted && p->their_last > p->rec.in_applied) {
            return false;
        }
        if (p->greeted && p->slept && now - p->back_ms < LIMIT_BACK_MS) {
            return false; /* it may be gone without our knowing */
        }
        any = any || p->greeted;
    }
    return any;
}

static enum err
wait_for_more(struct fed_core *core, uint64_t now)
{
    struct thread_id id;
    uint64_t at;
    enum err e = first_row(core, &at, &id);

    if (e == OK && at != 0) {
        wake_by(core, now + FED_WATCH_LEAST_MS);
    }
    return e;
}

enum err
fed_watch_tick(struct fed_core *core)
{
    enum err e = OK;
    uint64_t now = fed_now(core);

    if (core->kind == FED_KIND_DEVICE && !up_to_date(core)) {
        return wait_for_more(core, now);
    }
    for (size_t n = 0;; n++) {
        struct fed_thread *t;
        struct thread_id id;
        uint64_t at;

        TRY(first_row(core, &at, &id));
        if (at == 0) {
            goto out;
        }
        /* What is due far from now was written by another clock. */
        if (n == LIMIT_WATCH_TICK ||
            (at > now && at - now <= LIMIT_LOG_AGE_MS)) {
            wake_by(core, at);
            goto out;
        }
        e = fed_thread_get(core, &id, &t);
        if (e == OK && t->rec.look_ms == at) {
            TRY(look(core, t));
        } else if (e == OK || e == ERR_MISSING) {
            struct fed_key key = row_key(at, &id); /* of before a loss */

            TRY(fed_tx_del(core, FED_NS_WATCH, &key));
        }
        TRY(e);
    }
out:
    return e;
}

enum err
fed_watch_rest(struct fed_core *core, bool *looked)
{
    enum err e = OK;
    struct thread_id id;
    uint64_t at;

    *looked = false;
    /* [device-rest] */
    if (core->kind != FED_KIND_DEVICE || !up_to_date(core)) {
        return OK;
    }
    TRY(first_row(core, &at, &id));
    if (at != 0 && at <= fed_now(core)) {
        TRY(fed_watch_tick(core));
        *looked = true;
    }
out:
    return e;
}
