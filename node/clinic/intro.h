/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is who in a thread, said to members that come later and heard from
 * others.  What a clinic says about a patient is its claim: shown as "as
 * Hillside calls them" until the patient says a name.  Functions over a
 * transaction of the store.
 */
#ifndef NODE_CLINIC_INTRO_H
#define NODE_CLINIC_INTRO_H

#include "node/clinic/desk.h"
#include "proto/msg/group.h"

/*
 * Read: the encoded content INTRO of this desk about a thread; self and
 * profile are the clinic's own.  ERR_MISSING  there is nothing to say
 */
MUST_CHECK enum err
node_intro_make(struct store_txn *txn, const struct thread_id *thread,
                const struct proto_group *group, const struct clinic_id *self,
                struct view profile, const struct mem *mem, struct bytes *out);

/* Write: what a member said. */
MUST_CHECK enum err node_desk_intro(struct store_txn *txn,
                                    struct node_desk *desk,
                                    const struct fed_show *show);

/* Write: a patient of ours has another home from now on: people are told. */
MUST_CHECK enum err node_desk_home(struct store_txn *txn,
                                   const struct fed_show *show);

#endif
