/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people ask for about who orders a thread.  As core.h; kept apart
 * because only a clinic's node needs it.
 */
#ifndef FEDERATION_CORE_HUB_H
#define FEDERATION_CORE_HUB_H

#include "federation/core/core.h"

/*
 * As hub: let another member clinic order the thread, to or (NULL) the first
 * that is there and agrees; leave: and then leave it.  Goes on until it
 * succeeds; HUB shows it.
 * ERR_MISSING  no such thread, or to is not a clinic in it; ERR_STATE  ended;
 * ERR_DENIED  not ordered here; ERR_INVALID  no other clinic takes part
 */
MUST_CHECK enum err fed_core_hand_over(struct fed_core *core,
                                       const struct thread_id *thread,
                                       const struct clinic_id *to, bool leave);

/*
 * Since when (wall) who orders the thread was not reached, when that is three
 * days or more and no clinic is in it that could take over without us; 0: it
 * goes on.  With exactly us and the hub we take over ourselves, once we have
 * something to say.  ERR_MISSING
 */
MUST_CHECK enum err fed_core_stands(struct fed_core *core,
                                    const struct thread_id *thread,
                                    uint64_t *since_ms);

/*
 * Likewise, when we rejoin the thread: we come in with that clinic, or when
 * another that still has it takes over, and if all have lost it, never.
 * ERR_MISSING
 */
MUST_CHECK enum err fed_core_left_out(struct fed_core *core,
                                      const struct thread_id *thread,
                                      uint64_t *since_ms);

/* A clinic that orders what waits here and was not reached for three days. */
struct fed_hub_gone {
    struct clinic_id hub;
    uint64_t since_ms;
    uint64_t threads; /* that wait for it */
};

/* Of the first LIMIT_GONE_LOOK threads in which something waits; *len at most
   max. */
MUST_CHECK enum err fed_core_hubs_gone(struct fed_core *core,
                                       struct fed_hub_gone *out, size_t max,
                                       size_t *len);

#endif
