/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the core share about keys that were revoked, copies that
 * were put back, and what time it is.  Not for others.
 */
#ifndef FEDERATION_CORE_TRUST_H
#define FEDERATION_CORE_TRUST_H

#include "federation/core/inside.h"

/* revoke.c: keys that were revoked */
uint64_t fed_chain_generation(struct view chain); /* 0: none */
/* Generations of root below this are revoked. */
uint64_t fed_revoked_below(struct fed_core *core, const struct clinic_id *root);
bool fed_revoked(struct fed_core *core, struct view credential);
/* Does this change of a leaf replace a revoked key? */
bool fed_replaces_revoked(struct fed_core *core,
                          const struct mls_leaf_change *c);
MUST_CHECK enum err fed_revoke_kick(struct fed_core *core,
                                    const struct fed_party *p);
MUST_CHECK enum err fed_revoke_own(struct fed_core *core);

/* clock.c */
MUST_CHECK enum err fed_clock_tick(struct fed_core *core);
/* Look whether the machine slept: then who seems connected may not be, and has
   to be back for a while before it is judged. */
void fed_clock_awake(struct fed_core *core);
/* We were started, or slept, a quarter of an hour ago or less. */
bool fed_clock_just_woke(const struct fed_core *core);

/* give.c: what a newcomer may read of before */
enum {
    FED_NEWCOMERS = 8 /* clinics that one commit brings */
};
/* Clinics that the stage brings by consent; how many. */
size_t fed_give_newcomers(const struct fed_thread *t,
                          const struct mls_stage *stage,
                          struct clinic_id out[FED_NEWCOMERS]);
/* The time of the oldest entry that a member may have: 0 unless it came by
   consent.  What is not a consent gives nothing. */
MUST_CHECK enum err fed_give_since(struct fed_core *core,
                                   const struct fed_thread *t,
                                   const struct clinic_id *who,
                                   uint64_t *from_ms);
/* It is in: say again what was agreed to, if it was ours to ask for. */
MUST_CHECK enum err fed_give_history(struct fed_core *core,
                                     struct fed_thread *t,
                                     const struct clinic_id *who);

/* Something that giver said to us was refused: if it was to give us history,
   that may have been it, and the members are asked for it. */
MUST_CHECK enum err fed_give_refused(struct fed_core *core,
                                     struct fed_thread *t,
                                     const struct clinic_id *giver);

/* past.c: what was lost */
MUST_CHECK enum err fed_past_ask(struct fed_core *core, struct fed_thread *t,
                                 uint64_t term, uint64_t from, uint64_t to,
                                 const uint8_t who[32]);
/* Say entry seq again, if it is a message and not of before from_ms. */
MUST_CHECK enum err fed_past_resend(struct fed_core *core, struct fed_thread *t,
                                    uint64_t term, uint64_t seq,
                                    uint64_t from_ms);
/* The same in this and earlier terms: numbers go on from term to term. */
MUST_CHECK enum err fed_past_resend_terms(struct fed_core *core,
                                          struct fed_thread *t, uint64_t term,
                                          uint64_t seq, uint64_t from_ms);
/* The one message in a place. */
MUST_CHECK enum err fed_past_resend_at(struct fed_core *core,
                                       struct fed_thread *t, uint64_t term,
                                       uint64_t place, uint64_t from_ms);
/* Is a place one of those that entries from..to of term are answered with? */
bool fed_past_covers(uint64_t term, uint64_t from, uint64_t to,
                     uint64_t at_term, uint64_t at);
/* What we said in the places from..to of a thread's term is said in t. */
MUST_CHECK enum err fed_past_again(struct fed_core *core,
                                   const struct thread_id *thread,
                                   uint64_t term, uint64_t from, uint64_t to,
                                   struct fed_thread *t);
/* What we said in t from this entry on, of this term, is void: it is said again
   once we are in again, for what is being stored cannot be read (AGAIN). */
MUST_CHECK enum err fed_past_later(struct fed_core *core, struct fed_thread *t,
                                   uint64_t term, uint64_t from);
/* Say now in t what old has put off so, before all that waits in t. */
MUST_CHECK enum err fed_past_due(struct fed_core *core, struct fed_thread *old,
                                 struct fed_thread *t);
/* Is it an intent GIVE or AGAIN? */
bool fed_past_work(uint64_t kind);
/* GIVE: what a member asked for, said again once the question is stored, for
   what came with it cannot be read before; *wait: it is not yet. */
MUST_CHECK enum err fed_past_give(struct fed_core *core, struct fed_thread *t,
                                  uint64_t number,
                                  const struct fed_rec_intent *rec, bool *wait);
MUST_CHECK enum err fed_past_answer(struct fed_core *core, struct fed_thread *t,
                                    const struct clinic_id *asker,
                                    const struct proto_history *in);
/* by said, in place at, what in brings back. */
MUST_CHECK enum err fed_past_resent(struct fed_core *core, struct fed_thread *t,
                                    const struct clinic_id *by, uint64_t at,
                                    const struct proto_resent *in);
/* missing.c: entries from..to are missing after a loss, ask for them. */
MUST_CHECK enum err fed_missing_add(struct fed_core *core, struct fed_thread *t,
                                    uint64_t term, uint64_t from, uint64_t to);
/* Entry seq cannot be read here, its hub was asked for it: if that brings
   nothing, the others are asked. */
MUST_CHECK enum err fed_missing_note(struct fed_core *core,
                                     struct fed_thread *t, uint64_t term,
                                     uint64_t seq);
MUST_CHECK enum err fed_missing_turn(struct fed_core *core,
                                     struct fed_thread *t);
/* Somebody came back after a loss of its own: what it was asked it forgot. */
MUST_CHECK enum err fed_missing_again(struct fed_core *core,
                                      struct fed_thread *t);
/* asks.c: what lay in the stream from or to p is gone; NULL: in all of them */
void fed_asks_lost(struct fed_core *core, const struct fed_party *p);
/* open.c */
MUST_CHECK enum err fed_hub_continue(struct fed_core *core,
                                     const struct thread_id *id, uint64_t flags,
                                     const uint8_t prev[32],
                                     struct fed_thread **out);
/* tx.c: ask the node for a certificate above this generation. */
MUST_CHECK enum err fed_tx_renew(struct fed_core *core, uint64_t generation);

#endif
