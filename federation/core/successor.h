/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread whose state every member has lost is founded again (decisions G 31):
 * by its hub, which has compared with everybody (successor.c), and how the
 * others come from the one into the other (heir.c).
 */
#ifndef FEDERATION_CORE_SUCCESSOR_H
#define FEDERATION_CORE_SUCCESSOR_H

#include "federation/core/inside.h"

/* ------------------------------------------------------------- successor.c */

bool fed_has_successor(const struct fed_thread *t);
/* As hub: all have lost old. */
MUST_CHECK enum err fed_successor_found(struct fed_core *core,
                                        struct fed_thread *t);
/* t ends, as we were put back before anybody came into it.  Does it continue
   another thread, a new one does so instead. */
MUST_CHECK enum err fed_successor_again(struct fed_core *core,
                                        struct fed_thread *t);
/* Does p, who orders a thread that waits here, rightly ask for a key? */
MUST_CHECK enum err fed_successor_asks(struct fed_core *core,
                                       const struct fed_party *p, bool *out);
/* The thread that a group continues, as we know it; NULL: not at all. */
MUST_CHECK enum err fed_successor_before(struct fed_core *core,
                                         const struct proto_group *group,
                                         struct fed_thread **out);
/* The last of those that continue one another behind old, as we know them:
   its id, and the thread itself if we have it; else NULL. */
MUST_CHECK enum err fed_successor_newest(struct fed_core *core,
                                         const struct fed_thread *old,
                                         struct thread_id *id,
                                         struct fed_thread **out);
/* t continues old; also where another one did, and was lost. */
void fed_successor_follows(struct fed_thread *old, const struct fed_thread *t);
/* old is over, t goes on from where it was. */
MUST_CHECK enum err fed_successor_replace(struct fed_core *core,
                                          struct fed_thread *old,
                                          struct fed_thread *t);
/* The conversation with the other of old alone is in thread id now. */
MUST_CHECK enum err fed_successor_direct(struct fed_core *core,
                                         const struct fed_thread *old,
                                         const struct thread_id *id);
/* We came into one that another clinic founded: who came by us comes again. */
MUST_CHECK enum err fed_successor_bring(struct fed_core *core,
                                        const struct fed_thread *old,
                                        struct fed_thread *t);

/* ------------------------------------------------------------------ heir.c */

/* [welcome-continues]  ERR_DENIED */
MUST_CHECK enum err fed_successor_may(struct fed_core *core,
                                      const struct fed_party *p,
                                      const struct proto_group *group);
/* We are in t, which continues another. */
MUST_CHECK enum err fed_successor_enter(struct fed_core *core,
                                        struct fed_party *p,
                                        struct fed_thread *t);
/* We came into t, of which we knew that it is, with its state: as if by a
   Welcome, where it continues what we have. */
MUST_CHECK enum err fed_successor_back(struct fed_core *core,
                                       struct fed_thread *t);
/* Before t is shown: what it goes on from here, where its group names one
   before that. */
MUST_CHECK enum err fed_successor_between(struct fed_core *core,
                                          struct fed_thread *t);
/* Have we, and p who asks about old, lost what goes on behind it? */
MUST_CHECK enum err fed_successor_lost(struct fed_core *core,
                                       const struct fed_thread *old,
                                       const struct fed_party *p, bool *out);
/* Tell p that old has one; and what we make of that. */
MUST_CHECK enum err fed_successor_say(struct fed_core *core,
                                      struct fed_thread *old,
                                      struct fed_party *p);
MUST_CHECK enum err fed_successor_told(struct fed_core *core,
                                       struct fed_party *p,
                                       struct fed_thread *old,
                                       const uint8_t next[32]);

#endif
