/* SPDX-License-Identifier: Apache-2.0 */
/* Reports in the simulator: what one would show, and what is made of it. */
#ifndef TESTS_SIM_REPORT_H
#define TESTS_SIM_REPORT_H

#include "federation/core/report.h"
#include "tests/sim/world.h"

struct fed_party;

/* A message as it would be reported; its content is freed by the caller. */
struct sim_shown {
    struct fed_report report;
    struct bytes content;
};

/* The newest of a thread that node i did not write. */
void sim_newest(struct world *w, size_t i, const struct thread_id *id,
                struct sim_shown *out);
/* What node i makes of this report by a party: enum fed_proof; 7: too many, 99:
   nothing. */
uint64_t sim_judged(struct world *w, size_t i, struct fed_party *by,
                    const struct proto_report *in);

#endif
