/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an entry of the log brought back (decisions E 22).  A message that is
 * sent again keeps its first place, which may be of a term long ago: whoever
 * was away when it came back does not miss that place, but this entry.  So each
 * member remembers which messages an entry brought that it had not had there,
 * or that it said itself, and who asks for the entry is given them too.
 */
#ifndef FEDERATION_CORE_BROUGHT_H
#define FEDERATION_CORE_BROUGHT_H

#include "federation/core/inside.h"

/* The message in place at (fed_place) brought back id. */
MUST_CHECK enum err fed_brought_note(struct fed_core *core,
                                     const struct fed_thread *t, uint64_t at,
                                     const struct message_id *id);
/*
 * Say again what the entries from..to brought, each message once, if it is not
 * of before from_ms; but for those in the places from..to themselves, of term
 * and before, which are said as such.
 */
MUST_CHECK enum err fed_brought_give(struct fed_core *core,
                                     struct fed_thread *t, uint64_t term,
                                     uint64_t from, uint64_t to,
                                     uint64_t from_ms);

#endif
