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

/* past.c: what was lost */
MUST_CHECK enum err fed_past_ask(struct fed_core *core, struct fed_thread *t,
                                 uint64_t term, uint64_t from, uint64_t to,
                                 const uint8_t who[32]);
/* Say entry seq again, if it is a message and not of before from_ms. */
MUST_CHECK enum err fed_past_resend(struct fed_core *core, struct fed_thread *t,
                                    uint64_t term, uint64_t seq,
                                    uint64_t from_ms);
MUST_CHECK enum err fed_past_answer(struct fed_core *core, struct fed_thread *t,
                                    const struct clinic_id *asker,
                                    const struct proto_history *in);
MUST_CHECK enum err fed_past_resent(struct fed_core *core, struct fed_thread *t,
                                    const struct clinic_id *by,
                                    const struct proto_resent *in);
/* tx.c: ask the node for a certificate above this generation. */
MUST_CHECK enum err fed_tx_renew(struct fed_core *core, uint64_t generation);

#endif
