/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who carries a thread may hold back, reorder, repeat or show two members two
 * logs (decisions D 19).  Not for others.
 *
 * A thread is lively for LIMIT_LIVELY_MS after words of people, by the time
 * that their author wrote into them: who carries cannot change that.  While it
 * is, every member says at least every LIMIT_CHECKPOINT_MS in the log where it
 * stands, unless it said something else; and clinics that are connected past
 * the hub tell each other likewise.  A quiet thread costs nothing: no row of
 * FED_NS_WATCH has its time.
 */
#ifndef FEDERATION_CORE_WATCH_H
#define FEDERATION_CORE_WATCH_H

#include "federation/core/inside.h"

enum {
    FED_WATCH_AGAIN_MS = 3600000, /* when it is not ours to say */
    FED_WATCH_LEAST_MS = 300000   /* between two looks */
};

static inline uint64_t
fed_watch_bit(enum fed_doubt what)
{
    return UINT64_C(1) << what;
}

static inline uint64_t
fed_watch_later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static inline void
fed_watch_sooner(uint64_t *next, uint64_t at)
{
    *next = *next == 0 || at < *next ? at : *next;
}

/* ------------------------------------------- watch.c: when it is looked at */

/* A content of author has its place; c: NULL when we cannot read it. */
MUST_CHECK enum err fed_watch_entry(struct fed_core *core, struct fed_thread *t,
                                    const struct clinic_id *author,
                                    const struct proto_content *c, bool ours);
/* Set a time that is kept to the hour. */
void fed_watch_touch(struct fed_thread *t, uint64_t *at, uint64_t now);
/* Lively until LIMIT_LIVELY_MS after what an author says was now. */
MUST_CHECK enum err fed_watch_lively(struct fed_core *core,
                                     struct fed_thread *t, uint64_t sent_ms);
/* Look at t by at_ms (wall) at the latest. */
MUST_CHECK enum err fed_watch_by(struct fed_core *core, struct fed_thread *t,
                                 uint64_t at_ms);
MUST_CHECK enum err fed_watch_tick(struct fed_core *core);
/* A device that has what its clinics had for it, and may be off soon, looks at
   what is due now.  *looked: something was. */
MUST_CHECK enum err fed_watch_rest(struct fed_core *core, bool *looked);
MUST_CHECK enum err fed_watch_show(struct fed_core *core, struct fed_thread *t,
                                   struct fed_member *m, enum fed_doubt what,
                                   bool on, uint64_t seq, uint64_t since_ms);
/* Tell people, once, or that it is over. */
MUST_CHECK enum err fed_watch_tell(struct fed_core *core, struct fed_thread *t,
                                   struct fed_member *m, enum fed_doubt what,
                                   uint64_t seq, uint64_t since_ms);
MUST_CHECK enum err fed_watch_over(struct fed_core *core, struct fed_thread *t,
                                   struct fed_member *m, enum fed_doubt what);
/* Nothing is expected of m any more: what was in doubt is over. */
MUST_CHECK enum err fed_watch_clear(struct fed_core *core, struct fed_thread *t,
                                    struct fed_member *m);
/* ------------------- unanswered.c: who rejoins is not answered (in memory) */

/* p was asked for a GroupInfo. */
void fed_unanswered_asked(struct fed_core *core, struct fed_thread *t,
                          const struct fed_party *p);
/* *again: it did not answer in time, and nobody is asked now. */
MUST_CHECK enum err fed_unanswered_due(struct fed_core *core,
                                       struct fed_thread *t, bool *again);
/* Is there a member to ask that is not mute?  If not, none is any more. */
bool fed_unanswered_other(struct fed_core *core, struct fed_thread *t);
/* We are in again. */
MUST_CHECK enum err fed_unanswered_over(struct fed_core *core,
                                        struct fed_thread *t);
/* ------------------------ refused.c: who rejoins is answered, and kept out */

/* A GroupInfo came that says to be of this place: is it older than what we
   know?  Before it counts as where we stand. */
void fed_refused_from(struct fed_thread *t, uint64_t term, uint64_t seq);
/* It is no good, or our commit upon it was refused: when to ask again. */
MUST_CHECK enum err fed_refused(struct fed_core *core, struct fed_thread *t);
/* The hub says to wait. */
MUST_CHECK enum err fed_refused_wait(struct fed_core *core,
                                     struct fed_thread *t);
/* Ask again soon, then ever less often: a hub may compare for three days. */
void fed_refused_later(struct fed_core *core, struct fed_thread *t);
/* Has it said to wait for all of them? */
bool fed_refused_long(struct fed_core *core, struct fed_thread *t);
/* Of another hub nothing was asked yet. */
void fed_refused_none(struct fed_thread *t);
/* We are in again. */
MUST_CHECK enum err fed_refused_over(struct fed_core *core,
                                     struct fed_thread *t);
/* --------------------------------------- expect.c: what we say, what comes */

/* Who carries between m and us; NULL: nobody, we are connected. */
struct fed_party *fed_watch_carrier(struct fed_core *core,
                                    const struct fed_thread *t,
                                    const struct fed_member *m);
/* who was shown, or shows, the log up to seq of term. */
MUST_CHECK enum err fed_watch_ahead(struct fed_core *core, struct fed_thread *t,
                                    const struct clinic_id *who, uint64_t term,
                                    uint64_t seq);
/* p greets: before fed_gone_met. */
void fed_watch_met(struct fed_core *core, struct fed_party *p);
/* A look at now: *next is when the next one is due. */
MUST_CHECK enum err fed_watch_speak(struct fed_core *core, struct fed_thread *t,
                                    uint64_t now, uint64_t *next);
MUST_CHECK enum err fed_watch_judge(struct fed_core *core, struct fed_thread *t,
                                    struct fed_member *m, uint64_t now,
                                    uint64_t *next);
/*
 * The time of the next entry, whatever its hub says: never back, and at most
 * LIMIT_HUB_CLOCK_MS before our clock.  fed_watch_clock also tells people.
 */
uint64_t fed_watch_time(const struct fed_core *core, const struct fed_thread *t,
                        uint64_t ts_ms);
MUST_CHECK enum err fed_watch_clock(struct fed_core *core, struct fed_thread *t,
                                    uint64_t ts_ms);

/* ------------------------------------------- confirm.c: what we said */

/* Our words have place seq. */
MUST_CHECK enum err fed_watch_own(struct fed_core *core, struct fed_thread *t,
                                  uint64_t seq);
/* The log went back to upto: what members said to have of it behind that, they
   have not; nor is their word void for it that a hub is gone. */
void fed_watch_back(struct fed_thread *t, uint64_t upto);
/* A member has more of ours than it had. */
MUST_CHECK enum err fed_watch_has(struct fed_core *core, struct fed_thread *t,
                                  struct fed_member *m);
MUST_CHECK enum err fed_watch_undelivered(struct fed_core *core,
                                          struct fed_thread *t, uint64_t now,
                                          uint64_t *next);

/* --------------------------------------------- checkpoint.c: where we stand */

/* In the log; and to the other members whom we reach without its hub. */
MUST_CHECK enum err fed_checkpoint_say(struct fed_core *core,
                                       struct fed_thread *t);
MUST_CHECK enum err fed_checkpoint_direct(struct fed_core *core,
                                          struct fed_thread *t);
MUST_CHECK enum err fed_checkpoint_recv(struct fed_core *core,
                                        struct fed_party *p,
                                        const struct proto_checkpoint_msg *in);
/*
 * What author saw as the head of entry seq of term.  Another than ours: said
 * at once as hub, else t->forked, and the caller rejoins when it is done.
 */
MUST_CHECK enum err fed_checkpoint_seen(struct fed_core *core,
                                        struct fed_thread *t,
                                        const struct clinic_id *author,
                                        uint64_t term, uint64_t seq,
                                        const uint8_t head[32]);
/* Say that the logs differ: to people, and to all members. */
MUST_CHECK enum err fed_fork_tell(struct fed_core *core, struct fed_thread *t,
                                  const struct clinic_id *by, enum err why);
/* follow.c: and rejoin. */
MUST_CHECK enum err fed_fork_found(struct fed_core *core, struct fed_thread *t,
                                   enum err why);

#endif
