/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Franking (reference threads 6.6): who says something commits to it, so that
 * whoever got it can later show exactly that to somebody else, and nothing
 * else.
 *
 * A message's id is the commitment: a hash of its author and of its content,
 * in which there is a random salt, so that it hides the content and fits no
 * other.  What says messages carries, where the hub and relays see it (the
 * AAD), one tag over the thread and the ids of all that it says:
 *
 *     tag   SHA-256("balsam v1 frank", thread, id ...)
 *
 * One message is shown by its content and the other ids.  In a thread with a
 * patient the hub signs for the patient's devices at which place and from whom
 * it accepted a tag; in threads of clinics each has its own record of that.
 */
#ifndef FEDERATION_CORE_FRANK_H
#define FEDERATION_CORE_FRANK_H

#include "federation/core/inside.h"

void fed_frank_tag(const struct thread_id *thread, const struct message_id *ids,
                   size_t n, uint8_t out[32]);

/* The tag of what author says. */
void fed_frank_of(const struct thread_id *thread,
                  const struct clinic_id *author, struct view content,
                  uint8_t out[32]);

/*
 * Does the AAD commit to what was said?  What nobody here can decode yet, it
 * may commit to in a way that we do not know.
 * ERR_AUTH  no
 */
MUST_CHECK enum err fed_frank_check(const struct thread_id *thread,
                                    const struct clinic_id *author,
                                    struct view content, struct view aad);

#endif
