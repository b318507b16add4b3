/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a loss left open, or cannot be read here (decisions E 22): a range of
 * the log, asked for from one member after the other, until all were asked.
 * Whoever comes back from a loss of its own meanwhile has forgotten the
 * question, or lost the answer, and what a revoked leaf says may have been the
 * answer: then all are asked again.  So they are, ever less often for a month,
 * where an answer may have been kept from us on its way: the first time after
 * ten minutes, then after four times as long.  What came stays; a message is
 * never shown twice.  When the month is over people are told, at the first
 * place of our log where something lacks.
 */
#include "federation/core/line.h"
#include "federation/core/trust.h"

#include <string.h>

/* Of the terms that numbers go on through, the newest. */
enum {
    TERMS = 8,
    ROUNDS = 8 /* the last one begins after the month */
};

static enum err
is_here(struct fed_core *core, const struct fed_thread *t, uint64_t term,
        uint64_t seq, bool *out)
{
    enum err e = ERR_MISSING;

    for (uint64_t n = 0; n < TERMS && n < term && e == ERR_MISSING; n++) {
        struct fed_past p = {0};

        e = core->config.store.past(core->config.store.ctx, &t->id, term - n,
                                    fed_place(seq, 0), fed_place_end(seq),
                                    core->mem, &p);
        bytes_free(&p.content);
    }
    *out = e == OK;
    return e == ERR_MISSING ? OK : e;
}

/* Cut off at both ends what has come. */
static enum err
shorten(struct fed_core *core, struct fed_thread *t)
{
    enum err e = OK;
    uint64_t n = t->rec.missing_to - t->rec.missing_from;
    bool here = true;

    if (n >= LIMIT_MISSING_LOOK) {
        return OK;
    }
    while (here && t->rec.missing_from <= t->rec.missing_to) {
        TRY(is_here(core, t, t->rec.missing_term, t->rec.missing_from, &here));
        t->rec.missing_from += here ? 1 : 0;
    }
    for (here = true; here && t->rec.missing_from <= t->rec.missing_to;) {
        TRY(is_here(core, t, t->rec.missing_term, t->rec.missing_to, &here));
        t->rec.missing_to -= here ? 1 : 0;
    }
    t->dirty = true;
out:
    return e;
}

/* Patients' devices are not asked (decisions E 22). */
static bool
is_clinic(struct fed_core *core, const struct clinic_id *subject)
{
    const struct fed_party *p = fed_party_find(core, subject);

    return p == NULL || p->kind == FED_KIND_CLINIC;
}

/* Whom to ask as number n: who orders the thread, or had most; then others. */
static const struct clinic_id *
whom(struct fed_core *core, struct fed_thread *t, uint64_t n)
{
    struct clinic_id first;
    uint64_t i = 0;

    memcpy(first.b, t->rec.hub, sizeof(first.b));
    if (fed_thread_hub_here(core, t)) {
        first = t->best;
    }
    if (fed_thread_member(t, &first) == NULL) {
        first = t->members[0].node;
    }
    for (size_t m = 0; m < t->members_len; m++) {
        if (n == 0 && clinic_id_equal(&t->members[m].node, &first)) {
            return &t->members[m].node;
        }
        if (!clinic_id_equal(&t->members[m].node, &first) &&
            is_clinic(core, &t->members[m].node) && ++i == n) {
            return &t->members[m].node;
        }
    }
    return NULL;
}

/* Whether our log has a message in the range that is not here: what lies before
 * our log may be commits alone, and is asked for once. */
static enum err
lacks_one(struct fed_core *core, struct fed_thread *t, bool *out,
          uint64_t *first)
{
    enum err e = OK;

    *out = false;
    for (uint64_t seq = t->rec.missing_from; !*out && seq <= t->rec.missing_to;
         seq++) {
        struct fed_rec_log rec;
        struct bytes hold = {0};
        bool here = true;

        e = fed_log_get(core, &t->id, seq, &rec, &hold);
        if (e == OK && rec.kind != PROTO_ENTRY_COMMIT) {
            e = is_here(core, t, t->rec.missing_term, seq, &here);
        }
        bytes_free(&hold);
        TRY(e == ERR_MISSING ? OK : e);
        *out = !here;
        *first = seq;
    }
out:
    return e;
}

enum err
fed_core_missing(struct fed_core *core, const struct thread_id *thread,
                 uint64_t *term, uint64_t *seq)
{
    enum err e;
    struct fed_thread *t;
    bool lacks = false;

    TRY(fed_thread_get(core, thread, &t));
    if (t->rec.missing_from != 0 &&
        t->rec.missing_to - t->rec.missing_from < LIMIT_MISSING_LOOK) {
        TRY(lacks_one(core, t, &lacks, seq));
    }
    *term = t->rec.missing_term;
    e = lacks ? OK : ERR_MISSING;
out:
    return e;
}

/* When all are asked once more, who were asked so often in vain. */
static uint64_t
round_due(const struct fed_thread *t)
{
    uint64_t rounds = t->rec.missing_asked / t->members_len;

    return rounds == 0 ? 0
                       : t->rec.missing_ms +
                             ((uint64_t)LIMIT_MISSING_AGAIN_MS
                              << 2 * (rounds < ROUNDS ? rounds - 1 : ROUNDS));
}

/* For a month, in vain: people read it where it lacks. */
static enum err
give_up(struct fed_core *core, struct fed_thread *t)
{
    enum err e = OK;
    struct fed_rec_log rec;
    struct bytes hold = {0};
    struct fed_show *show;
    uint64_t first = 0;
    bool lacks = false;

    if (t->rec.missing_to - t->rec.missing_from < LIMIT_MISSING_LOOK) {
        TRY(shorten(core, t));
        TRY(lacks_one(core, t, &lacks, &first));
    }
    if (lacks) {
        TRY(fed_log_get(core, &t->id, first, &rec, &hold));
        show = fed_tx_show(core, FED_SHOW_GAP);
        TRY(show == NULL ? ERR_NOMEM : OK);
        show->thread = t->id;
        show->code = FED_GAP_LOST;
        show->term = rec.term;
        show->seq = first;
        show->ts_ms = rec.ts_ms;
    }
    t->rec.missing_from = 0;
    t->dirty = true;
out:
    bytes_free(&hold);
    return e;
}

/* All were asked.  *again: they are once more. */
static enum err
all_asked(struct fed_core *core, struct fed_thread *t, bool *again)
{
    enum err e = OK;
    uint64_t now = fed_now(core);
    uint64_t due = round_due(t);
    uint64_t over = t->rec.missing_ms + LIMIT_MISSING_AGE_MS + 1;
    uint64_t first;
    bool lacks;

    *again = false;
    if (now >= over) {
        TRY(give_up(core, t));
        goto out;
    }
    if (t->rec.missing_to - t->rec.missing_from >= LIMIT_MISSING_LOOK) {
        goto out; /* much would be said again that is here */
    }
    TRY(shorten(core, t));
    TRY(lacks_one(core, t, &lacks, &first));
    *again = lacks && now >= due;
    if (t->rec.missing_from > t->rec.missing_to) {
        t->rec.missing_from = 0;
    } else if (lacks && !*again) {
        fed_tx_timer(core, fed_mono(core) + (due < over ? due : over) - now);
    }
out:
    return e;
}

enum err
fed_missing_turn(struct fed_core *core, struct fed_thread *t)
{
    enum err e = OK;
    const struct clinic_id *who;
    uint64_t now = fed_mono(core);
    bool again;

    if (t->rec.missing_from == 0) {
        return OK;
    }
    if (t->rec.state == FED_THREAD_OPENING) {
        fed_tx_timer(core, now + LIMIT_WAIT_MS);
    }
    if (t->rec.state != FED_THREAD_ACTIVE || t->mls == NULL ||
        t->members_len == 0) {
        return OK;
    }
    if (now < t->missing_due) {
        fed_tx_timer(core, t->missing_due);
        return OK;
    }
    if (t->rec.missing_asked >= t->members_len &&
        t->rec.missing_asked % t->members_len == 0) {
        TRY(all_asked(core, t, &again));
        if (!again) {
            goto out;
        }
    }
    /* The first time whole: in those places may be what lost a race. */
    TRY(t->rec.missing_asked > 0 ? shorten(core, t) : OK);
    if (t->rec.missing_from > t->rec.missing_to) {
        t->rec.missing_from = 0;
        goto out;
    }
    who = whom(core, t, t->rec.missing_asked % t->members_len);
    t->rec.missing_asked++;
    t->missing_due = now + LIMIT_MISSING_MS;
    t->dirty = true;
    fed_tx_timer(core, t->missing_due);
    TRY(who == NULL
            ? OK
            : fed_past_ask(core, t, t->rec.missing_term, t->rec.missing_from,
                           t->rec.missing_to, who->b));
out:
    return e;
}

enum err
fed_missing_add(struct fed_core *core, struct fed_thread *t, uint64_t term,
                uint64_t from, uint64_t to)
{
    if (t->rec.missing_from == 0 || from < t->rec.missing_from) {
        t->rec.missing_from = from;
    }
    t->rec.missing_to = to > t->rec.missing_to ? to : t->rec.missing_to;
    t->rec.missing_term =
        term > t->rec.missing_term ? term : t->rec.missing_term;
    t->rec.missing_ms = fed_now(core);
    t->rec.missing_asked = 0;
    t->missing_due = 0;
    t->dirty = true;
    return fed_missing_turn(core, t);
}

enum err
fed_missing_note(struct fed_core *core, struct fed_thread *t, uint64_t term,
                 uint64_t seq)
{
    bool begins = t->rec.missing_from == 0;

    if (!begins && (term != t->rec.missing_term || seq < t->rec.missing_from ||
                    seq - t->rec.missing_from >= LIMIT_MISSING_LOOK)) {
        return OK; /* a range that wide would bring back what is here */
    }
    if (begins) {
        t->rec.missing_from = seq;
        t->rec.missing_to = seq;
        t->rec.missing_term = term;
        t->rec.missing_asked = 1;
    }
    t->rec.missing_to = seq > t->rec.missing_to ? seq : t->rec.missing_to;
    t->rec.missing_ms = fed_now(core);
    t->missing_due = fed_mono(core) + LIMIT_MISSING_MS;
    t->dirty = true;
    fed_tx_timer(core, t->missing_due);
    return OK;
}

enum err
fed_missing_again(struct fed_core *core, struct fed_thread *t)
{
    if (t->rec.missing_from == 0) {
        return OK;
    }
    t->rec.missing_asked = 0;
    t->missing_due = fed_mono(core) + LIMIT_WAIT_MS; /* it joins first */
    t->dirty = true;
    fed_tx_timer(core, t->missing_due);
    return OK;
}

enum err
fed_core_past_before(struct fed_core *core, const struct thread_id *thread)
{
    enum err e;
    struct fed_thread *t;
    uint64_t from;
    uint64_t to;
    bool here = false;

    TRY(fed_thread_get(core, thread, &t));
    to = t->rec.kept == 0 ? t->rec.seq : t->rec.kept - 1;
    from = to + 1;
    while (from > 1 && to + 1 - from < LIMIT_HISTORY) {
        TRY(is_here(core, t, t->rec.term, from - 1, &here));
        if (here) {
            break;
        }
        from--;
    }
    TRY(from <= to ? fed_missing_add(core, t, t->rec.term, from, to) : OK);
out:
    return e;
}
