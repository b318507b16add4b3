/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that a burst of work took and gave back: the allocator keeps it in
 * pieces, several times what a thousand idle peers need.  Once it is quiet the
 * pages go back to the system.
 */
#ifndef NODE_TIDY_H
#define NODE_TIDY_H

#include <stdbool.h>
#include <stdint.h>

/* Empty: zeros. */
struct node_tidy {
    uint64_t steps;  /* at the last turn */
    uint64_t tidied; /* steps when it was done */
    unsigned due;    /* turns since it would have been, were it quiet */
    unsigned again;  /* turns until it is done once more; 0: not */
};

/*
 * Once a second, with the steps that the core has taken since the start: true
 * when memory was given back.  That is after a second with hardly any, or ten
 * with; and once more when connections have become small (conn_rx.c), which
 * they do with the next sign of life.
 */
bool node_tidy_turn(struct node_tidy *t, uint64_t steps);

#endif
