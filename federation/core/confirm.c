/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What we said and a member has not confirmed: people are told after a day who
 * it is and who carries, and at the end that it was never delivered (decisions
 * D 15, D 19).  The oldest and the newest of ours are followed; what is between
 * them is as old as the one or as new as the other.
 */
#include "federation/core/care.h"
#include "federation/core/trust.h"
#include "federation/core/watch.h"

#include <string.h>

enum err
fed_watch_own(struct fed_core *core, struct fed_thread *t, uint64_t seq)
{
    uint64_t now = fed_now(core);

    if (t->members_len == 0) {
        return OK;
    }
    t->rec.last_seq = seq;
    t->rec.last_ms = now;
    if (t->rec.said_seq == 0) {
        t->rec.said_seq = seq;
        t->rec.said_ms = now;
    }
    fed_watch_touch(t, &t->rec.spoke_ms, now);
    t->dirty = true;
    return fed_watch_lively(core, t, now);
}

/* Up to which entry a member has ours, as far as it or its node said. */
static uint64_t
has(const struct fed_core *core, const struct fed_thread *t,
    const struct fed_member *m)
{
    uint64_t upto =
        m->rec.delivered > m->rec.read ? m->rec.delivered : m->rec.read;

    if (memcmp(m->node.b, t->rec.hub, 32) == 0) {
        return t->rec.seq; /* it numbered them */
    }
    if (fed_thread_hub_here(core, t) && m->rec.acked > upto &&
        fed_subject_is(t, m->node.b, PROTO_SUBJECT_CLINIC)) {
        upto = m->rec.acked; /* its node has it; of a phone only its word */
    }
    return upto;
}

void
fed_watch_back(struct fed_thread *t, uint64_t upto)
{
    if (t->rec.receipt_had > upto) {
        t->rec.receipt_had = upto;
    }
    for (size_t i = 0; i < t->members_len; i++) {
        struct fed_member *m = &t->members[i];

        m->dirty = m->dirty || m->rec.delivered > upto || m->rec.read > upto;
        m->rec.delivered = m->rec.delivered > upto ? upto : m->rec.delivered;
        m->rec.read = m->rec.read > upto ? upto : m->rec.read;
    }
}

enum err
fed_watch_has(struct fed_core *core, struct fed_thread *t, struct fed_member *m)
{
    enum err e = OK;

    if ((m->rec.doubts & fed_watch_bit(FED_DOUBT_UNDELIVERED)) == 0 ||
        has(core, t, m) < t->rec.said_seq) {
        return OK;
    }
    TRY(fed_watch_over(core, t, m, FED_DOUBT_UNDELIVERED));
    TRY(fed_watch_by(core, t, fed_now(core) + FED_WATCH_LEAST_MS));
out:
    return e;
}

/* Everybody has the oldest of ours: from now on it is the newest. */
static void
confirmed(struct fed_thread *t, uint64_t least)
{
    bool all = least >= t->rec.last_seq;

    t->rec.said_seq = all ? 0 : t->rec.last_seq;
    t->rec.said_ms = t->rec.last_ms;
    t->dirty = true;
}

/* What is said_ms old, and who does not have it; *least: what all have. */
static enum err
look(struct fed_core *core, struct fed_thread *t, uint64_t age, uint64_t *least)
{
    enum err e = OK;

    *least = UINT64_MAX;
    for (size_t i = 0; i < t->members_len; i++) {
        struct fed_member *m = &t->members[i];
        uint64_t upto = has(core, t, m);

        *least = upto < *least ? upto : *least;
        if (upto >= t->rec.said_seq) {
            TRY(fed_watch_over(core, t, m, FED_DOUBT_UNDELIVERED));
        } else if (age >= LIMIT_LOG_AGE_MS) {
            TRY(fed_watch_show(core, t, m, FED_DOUBT_NEVER, true,
                               t->rec.said_seq, t->rec.said_ms));
            m->rec.doubts &= ~fed_watch_bit(FED_DOUBT_UNDELIVERED);
        } else if (age >= LIMIT_OVERDUE_MS) {
            TRY(fed_watch_tell(core, t, m, FED_DOUBT_UNDELIVERED,
                               t->rec.said_seq, t->rec.said_ms));
        }
    }
out:
    return e;
}

enum err
fed_watch_undelivered(struct fed_core *core, struct fed_thread *t, uint64_t now,
                      uint64_t *next)
{
    enum err e = OK;

    while (t->rec.said_seq != 0) {
        uint64_t age = now > t->rec.said_ms ? now - t->rec.said_ms : 0;
        uint64_t least;

        if (age >= LIMIT_OVERDUE_MS && core->kind == FED_KIND_CLINIC &&
            fed_clock_just_woke(core)) {
            fed_watch_sooner(next, now + FED_WATCH_LEAST_MS);
            break; /* what confirms it may be on its way */
        }
        TRY(look(core, t, age, &least));
        if (least >= t->rec.said_seq) {
            confirmed(t, least);
        } else if (age >= LIMIT_LOG_AGE_MS) {
            confirmed(t, t->rec.said_seq);
        } else {
            fed_watch_sooner(next, t->rec.said_ms + (age < LIMIT_OVERDUE_MS
                                                         ? LIMIT_OVERDUE_MS
                                                         : LIMIT_LOG_AGE_MS));
            break;
        }
    }
out:
    return e;
}
