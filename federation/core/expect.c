/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What we say in a lively thread, and what has to come of each other clinic.
 * Silence alone is no proof: who carries has to be connected, and a member that
 * we would reach past it, and do not, is away and not held back.
 */
#include "federation/core/care.h"
#include "federation/core/trust.h"
#include "federation/core/watch.h"

#include <string.h>

static struct fed_party *
hub_of(struct fed_core *core, const struct fed_thread *t)
{
    struct clinic_id hub;

    memcpy(hub.b, t->rec.hub, sizeof(hub.b));
    return fed_party_find(core, &hub);
}

/* Who carries between m and us; NULL: nobody, we are connected. */
struct fed_party *
fed_watch_carrier(struct fed_core *core, const struct fed_thread *t,
                  const struct fed_member *m)
{
    struct fed_party *p = fed_thread_hub_here(core, t)
                              ? fed_party_find(core, &m->node)
                              : hub_of(core, t);

    if (p != NULL && p->via != NULL) {
        return p->via;
    }
    return fed_thread_hub_here(core, t) ? NULL : p;
}

/* ------------------------------------------------------------ who is quiet */

enum err
fed_watch_ahead(struct fed_core *core, struct fed_thread *t,
                const struct clinic_id *who, uint64_t term, uint64_t seq)
{
    struct fed_member *m = fed_thread_member(t, who);

    if (m == NULL || term < t->rec.term ||
        (term == t->rec.term && seq <= t->rec.seq) || m->rec.ahead_seq != 0) {
        return OK;
    }
    m->rec.ahead_seq = seq;
    m->rec.ahead_term = term;
    m->rec.ahead_ms = fed_now(core);
    m->dirty = true;
    t->dirty = true;
    return fed_watch_by(core, t, m->rec.ahead_ms + LIMIT_AHEAD_MS);
}

void
fed_watch_met(struct fed_core *core, struct fed_party *p)
{
    uint64_t now = fed_now(core);

    fed_clock_awake(core);
    if (core->kind == FED_KIND_DEVICE && (p->back_ms == 0 || p->slept)) {
        p->back_ms = 1; /* the phone was off: what came meanwhile is there */
        fed_tx_timer(core, fed_mono(core) + FED_WATCH_LEAST_MS);
    } else if (p->back_ms == 0 || p->back_ms > now || p->rec.seen_ms > now ||
               now - p->rec.seen_ms > LIMIT_BACK_MS) {
        p->back_ms = now;
    }
    p->slept = false;
}

/*
 * Connected, and not just back: what it had for us has come.  A phone may not
 * stay for long, but is told how much there is for it.
 */
static bool
steady(const struct fed_core *core, const struct fed_party *p, uint64_t now)
{
    if (p == NULL || !p->greeted || !fed_party_open(p) || p->back_ms > now) {
        return false;
    }
    return now - p->back_ms >= LIMIT_BACK_MS &&
           (core->kind != FED_KIND_DEVICE ||
            p->their_last <= p->rec.in_applied);
}

/* It is away from us as well, past who carries, or not yet long back. */
static bool
away(const struct fed_core *core, const struct fed_party *p,
     const struct fed_party *by, uint64_t now)
{
    return p != NULL && p != by && p->via == NULL && fed_party_open(p) &&
           !steady(core, p, now);
}

/* Somebody was shown more: we ask for it again, and people are told. */
static enum err
behind(struct fed_core *core, struct fed_thread *t, struct fed_member *m,
       const struct fed_party *by, uint64_t now, uint64_t *next)
{
    enum err e = OK;
    struct clinic_id hub;
    uint64_t due = m->rec.ahead_ms + LIMIT_AHEAD_MS;

    if (now < due) {
        fed_watch_sooner(next, due);
        return OK;
    }
    fed_watch_sooner(next, now + FED_WATCH_AGAIN_MS);
    if (!steady(core, by, now)) {
        return OK;
    }
    memcpy(hub.b, t->rec.hub, sizeof(hub.b));
    t->pulling = true;
    TRY(fed_pull_send(core, t, &hub));
    TRY(fed_watch_tell(core, t, m, FED_DOUBT_WITHHELD, m->rec.ahead_seq,
                       m->rec.ahead_ms));
out:
    return e;
}

enum err
fed_watch_judge(struct fed_core *core, struct fed_thread *t,
                struct fed_member *m, uint64_t now, uint64_t *next)
{
    enum err e = OK;
    const struct fed_party *by = fed_watch_carrier(core, t, m);
    uint64_t from = fed_watch_later(m->rec.heard_ms, t->rec.woke_ms);

    if (fed_thread_hub_here(core, t) ||
        !fed_subject_is(t, m->node.b, PROTO_SUBJECT_CLINIC)) {
        return OK; /* nobody is between; and phones are switched off */
    }
    TRY(m->rec.ahead_seq != 0 ? behind(core, t, m, by, now, next) : OK);
    if ((m->rec.doubts & fed_watch_bit(FED_DOUBT_SILENT)) != 0 ||
        from + LIMIT_CHECKPOINT_MS > t->rec.lively_ms + LIMIT_LIVELY_MS) {
        goto out; /* told; or it need not have said anything */
    }
    if (now < from + LIMIT_SILENT_MS) {
        fed_watch_sooner(next, from + LIMIT_SILENT_MS);
    } else if (steady(core, by, now) &&
               !away(core, fed_party_find(core, &m->node), by, now)) {
        TRY(fed_watch_tell(core, t, m, FED_DOUBT_SILENT, t->rec.seq, from));
    } else {
        fed_watch_sooner(next, now + FED_WATCH_AGAIN_MS);
    }
out:
    return e;
}

/* May we say something now that is not worth waiting for? */
static bool
may_speak(struct fed_core *core, const struct fed_thread *t)
{
    const struct fed_party *hub = hub_of(core, t);

    if (t->waiting > 0) {
        return false;
    }
    return fed_thread_hub_here(core, t) ? fed_hub_ready(core, t)
                                        : hub != NULL && fed_party_live(hub);
}

enum err
fed_watch_speak(struct fed_core *core, struct fed_thread *t, uint64_t now,
                uint64_t *next)
{
    enum err e = OK;
    /* Longer than others expect it, as all times are to the hour. */
    uint64_t end = t->rec.lively_ms + LIMIT_LIVELY_MS + 3 * LIMIT_HOUR_MS;
    uint64_t due =
        fed_watch_later(t->rec.spoke_ms, t->rec.woke_ms) + LIMIT_CHECKPOINT_MS;
    uint64_t direct =
        fed_watch_later(t->rec.direct_ms, t->rec.woke_ms) + LIMIT_CHECKPOINT_MS;

    if (direct <= now && direct <= end) {
        TRY(fed_checkpoint_direct(core, t));
        t->rec.direct_ms = now;
        t->dirty = true;
        direct = now + LIMIT_CHECKPOINT_MS;
    }
    if (due <= now && due <= end && may_speak(core, t)) {
        TRY(fed_checkpoint_say(core, t));
        t->rec.spoke_ms = now;
        t->dirty = true;
        due = now + LIMIT_CHECKPOINT_MS;
    } else if (due <= now && due <= end && now < end) {
        due = now + FED_WATCH_AGAIN_MS;
    }
    if (due > now && due <= end) {
        fed_watch_sooner(next, due);
    }
    if (direct <= end) {
        fed_watch_sooner(next, direct);
    }
out:
    return e;
}

/* ---------------------------------------------------------- the hub's clock */

static uint64_t
clock_end(const struct fed_core *core)
{
    struct fed_clock clock;
    uint64_t now = fed_now(core);

    fed_core_clock(core, &clock);
    return fed_watch_later(now, clock.known_ms) + LIMIT_HUB_CLOCK_MS;
}

uint64_t
fed_watch_time(const struct fed_core *core, const struct fed_thread *t,
               uint64_t ts_ms)
{
    uint64_t end;

    if (fed_thread_hub_here(core, t)) {
        return ts_ms;
    }
    end = clock_end(core);
    return fed_watch_later(t->rec.ts_ms,
                           ts_ms < end ? ts_ms : end); /* [hub-time] */
}

enum err
fed_watch_clock(struct fed_core *core, struct fed_thread *t, uint64_t ts_ms)
{
    struct clinic_id hub;
    struct fed_member *m;

    memcpy(hub.b, t->rec.hub, sizeof(hub.b));
    m = fed_thread_member(t, &hub);
    if (fed_thread_hub_here(core, t) || m == NULL) {
        return OK;
    }
    if (ts_ms >= t->rec.ts_ms && ts_ms <= clock_end(core)) {
        return fed_watch_over(core, t, m, FED_DOUBT_CLOCK);
    }
    return fed_watch_tell(core, t, m, FED_DOUBT_CLOCK, t->rec.seq + 1, ts_ms);
}
