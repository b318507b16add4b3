/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who rejoins a thread is answered by its hub, and yet kept out: the commit
 * made upon the GroupInfo is refused, the GroupInfo is no good, or it has to
 * wait. An honest hub does each of these sometimes: another commit was quicker,
 * or it compares after a restore, for three days at most.  Not again and again;
 * and never does it show a log that ends before what was shown already.  People
 * are told (decisions D 19) until we are in; we go on asking, ever less often.
 */
#include "federation/core/trust.h"
#include "federation/core/watch.h"

#include <string.h>

enum {
    QUICKLY = 3, /* refusals that a race may explain: we ask again at once */
    DOUBLED = 8, /* then at most every nine minutes */
    TELL = 4,
    TELL_MS = 900000,
    WAITS = 4,         /* answers to wait: we ask again soon */
    WAITS_DOUBLED = 5, /* then at most every minute */
};

/* A hub compares for LIMIT_CHECK_MS, and may have been started in between. */
static const uint64_t wait_tell_ms = LIMIT_CHECK_MS + UINT64_C(86400000);

void
fed_refused_from(struct fed_thread *t, uint64_t term, uint64_t seq)
{
    bool before = t->rec.had_seq != 0; /* an earlier try stood elsewhere */
    uint64_t known_term = before ? t->rec.had_term : t->rec.term;
    uint64_t known_seq = before ? t->rec.had_seq : t->rec.seq;

    /* [gi-older] */
    t->joining_old =
        term < known_term || (term == known_term && seq < known_seq);
}

static enum err
tell(struct fed_core *core, struct fed_thread *t, uint64_t since_ms)
{
    struct clinic_id hub;
    struct fed_member *m;

    memcpy(hub.b, t->rec.hub, sizeof(hub.b));
    m = fed_thread_member(t, &hub);
    return m == NULL ? OK
                     : fed_watch_tell(core, t, m, FED_DOUBT_KEPT_OUT,
                                      t->rec.seq, since_ms);
}

/* How long ago *since was; it begins now if it had not, or was ahead of us. */
static uint64_t
age(struct fed_core *core, struct fed_thread *t, uint64_t *since)
{
    uint64_t now = fed_now(core);

    if (*since == 0 || *since > now) {
        *since = now;
        t->dirty = true;
    }
    return now - *since;
}

enum err
fed_refused(struct fed_core *core, struct fed_thread *t)
{
    enum err e = OK;
    uint64_t old = age(core, t, &t->rec.refused_ms);
    uint64_t more;

    t->rec.refused++;
    t->dirty = true;
    more = t->rec.refused < QUICKLY ? 0 : t->rec.refused - QUICKLY;
    if (t->rec.refused > QUICKLY) {
        t->wait_ms = fed_mono(core) + ((uint64_t)LIMIT_WAIT_MS
                                       << (more < DOUBLED ? more : DOUBLED));
        fed_tx_timer(core, t->wait_ms);
    }
    if (t->joining_old || (t->rec.refused >= TELL && old >= TELL_MS)) {
        TRY(tell(core, t, t->rec.refused_ms));
    }
out:
    return e;
}

enum err
fed_refused_wait(struct fed_core *core, struct fed_thread *t)
{
    return age(core, t, &t->rec.waits_ms) < wait_tell_ms
               ? OK
               : tell(core, t, t->rec.waits_ms);
}

void
fed_refused_later(struct fed_core *core, struct fed_thread *t)
{
    unsigned doubled = t->waits < WAITS ? 0 : t->waits - WAITS;

    t->waits += doubled < WAITS_DOUBLED ? 1 : 0;
    t->asked = false;
    t->wait_ms = fed_mono(core) + ((uint64_t)LIMIT_WAIT_MS << doubled);
    fed_tx_timer(core, t->wait_ms);
}

bool
fed_refused_long(struct fed_core *core, struct fed_thread *t)
{
    return age(core, t, &t->rec.waits_ms) > LIMIT_CHECK_MS;
}

void
fed_refused_none(struct fed_thread *t)
{
    t->waits = 0;
    t->dirty = t->dirty || t->rec.refused != 0 || t->rec.waits_ms != 0;
    t->rec.refused = 0;
    t->rec.refused_ms = 0;
    t->rec.waits_ms = 0;
    t->joining_old = false;
}

enum err
fed_refused_over(struct fed_core *core, struct fed_thread *t)
{
    enum err e = OK;

    fed_refused_none(t);
    for (size_t i = 0; i < t->members_len; i++) {
        TRY(fed_watch_over(core, t, &t->members[i], FED_DOUBT_KEPT_OUT));
    }
out:
    return e;
}
