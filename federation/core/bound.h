/* SPDX-License-Identifier: Apache-2.0 */
/* What one clinic can make us keep, and how entries go out.  Not for others. */
#ifndef FEDERATION_CORE_BOUND_H
#define FEDERATION_CORE_BOUND_H

#include "federation/core/inside.h"

/* ------------------------------------------------- bound.c: what is too much
 */

/* Does p leave so many answers unread that it gets no large ones? */
bool fed_bound_full(const struct fed_core *core, const struct fed_party *p);
/* Is p not listened to any more?  Then it is told and closed. */
MUST_CHECK enum err fed_bound_deaf(struct fed_core *core, struct fed_party *p,
                                   bool *deaf);
/* A row of this size was put for p, or acknowledged. */
void fed_bound_put(struct fed_party *p, uint64_t bytes);
void fed_bound_acked(struct fed_party *p, uint64_t bytes);
/* May somebody come by a link that nobody reviews?  Counts it. */
MUST_CHECK enum err fed_bound_link(struct fed_core *core,
                                   const struct fed_party *p,
                                   const uint8_t id[8],
                                   struct fed_rec_link *link, bool *may);

/* Somebody else opens a one-time link that was used: the owner is told, once
   an hour. */
MUST_CHECK enum err fed_bound_again(struct fed_core *core,
                                    const struct fed_party *p,
                                    const uint8_t id[8],
                                    struct fed_rec_link *link);

/* ---------------------------------------------- fan.c: entries to the members
 */

/* Put what m's node has not been sent, as far as its window allows. */
MUST_CHECK enum err fed_fan_member(struct fed_core *core, struct fed_thread *t,
                                   struct fed_member *m);
/* Everybody has what comes before, and nothing behind: rows begin after seq. */
void fed_fan_from(struct fed_thread *t, uint64_t seq);
/* rows rows, the last one of entry, were acknowledged by m's node. */
MUST_CHECK enum err fed_fan_acked(struct fed_core *core, struct fed_thread *t,
                                  struct fed_member *m, uint64_t rows);

/* ---------------------------------------------- busy.c: what is left to do */

MUST_CHECK enum err fed_busy_add(struct fed_core *core,
                                 const struct thread_id *id);
/* The thread, if it is busy, has to do with its hub, its members and who. */
void fed_busy_note(struct fed_core *core, const struct fed_thread *t,
                   const uint8_t *who);
bool fed_busy_has(const struct fed_core *core, const struct thread_id *id);
void fed_busy_del(struct fed_core *core, const struct thread_id *id);
/* Look at all busy threads that this party has to do with. */
MUST_CHECK enum err fed_busy_kick(struct fed_core *core,
                                  const struct fed_party *p);

#endif
