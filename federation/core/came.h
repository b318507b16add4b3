/* SPDX-License-Identifier: Apache-2.0 */
/* Says who came into a thread and who went (FED_SHOW_MEMBER); internal. */
#ifndef FEDERATION_CORE_CAME_H
#define FEDERATION_CORE_CAME_H

#include "federation/core/inside.h"

/* What the commit of stage, by *by, changes.  *shut: somebody lost the right to
   speak in the epoch before. */
MUST_CHECK enum err fed_came_commit(struct fed_core *core,
                                    const struct fed_thread *t,
                                    const struct mls_stage *stage,
                                    const struct mls_stage_info *info,
                                    const struct fed_who *by, bool *shut);

/* We came in by a Welcome; t has its group. */
MUST_CHECK enum err fed_came_in(struct fed_core *core,
                                const struct fed_thread *t);

/* We are in again, in a group (its extension) that may have changed without
   us; t still has the one that we knew. */
MUST_CHECK enum err fed_came_back(struct fed_core *core,
                                  const struct fed_thread *t, struct view ext);

/* Author, which may be us, asks to be taken out, at a place of the log. */
MUST_CHECK enum err fed_came_wish(struct fed_core *core,
                                  const struct fed_thread *t,
                                  const struct clinic_id *author, uint64_t term,
                                  uint64_t place, uint64_t ts_ms);

#endif
