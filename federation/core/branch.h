/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Branches of a thread's log that lost a race (HUB.md, "two at once"): what
 * stood there is said again, and gets a place in the branch that counts.  Terms
 * of the two may be the same, so a place of a void term may be of either.
 */
#ifndef FEDERATION_CORE_BRANCH_H
#define FEDERATION_CORE_BRANCH_H

#include "federation/core/state.h"

/*
 * Entries behind seq in the terms from..to are of a branch that lost.  Whose
 * words are said again only later is still found then: the last
 * FED_BRANCHES_LOST branches of a thread are remembered.
 */
void fed_branch_lost(struct fed_thread *t, uint64_t from, uint64_t to,
                     uint64_t seq);

/* Was a place (fed_place) in a branch that lost?  What is said there gets
   another when it is said again.  It may be one of the branch that counts as
   well. */
bool fed_branch_void(const struct fed_thread *t, uint64_t term, uint64_t place);

/*
 * Is what we keep in such a place, of that time, not of the branch that counts,
 * as far as our log tells?
 */
MUST_CHECK enum err fed_branch_left(struct fed_core *core,
                                    const struct fed_thread *t, uint64_t term,
                                    uint64_t place, uint64_t ts_ms, bool *out);

#endif
