/* SPDX-License-Identifier: Apache-2.0 */
/* Who came and went, as each node's desk keeps it; and the oracle about it. */
#ifndef TESTS_SIM_CHANGES_H
#define TESTS_SIM_CHANGES_H

#include "federation/core/line.h"
#include "tests/sim/world.h"

/* Of a MEMBER or HUB: a row beside the batch's other writes. */
void sim_show_line(struct node *n, const struct fed_show *show);
void sim_show_void(struct node *n, const struct fed_show *show);

/* What people of node i see between the messages of thread; how many. */
size_t sim_lines(const struct world *w, size_t i,
                 const struct thread_id *thread, struct fed_line *out,
                 size_t max);

/* From where both came in, or back, two members see the same. */
void sim_judge_lines(struct world *w, const struct thread_id *thread,
                     const size_t *members, size_t len);

#endif
