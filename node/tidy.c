/* SPDX-License-Identifier: Apache-2.0 */
#include "node/tidy.h"

#include <malloc.h>

enum {
    WORTH = 16,  /* steps; fewer in a second are quiet, and not worth it */
    LATEST = 10, /* turns */
    AGAIN = 30   /* turns: idle peers say within 25 s that they are there */
};

bool
node_tidy_turn(struct node_tidy *t, uint64_t steps)
{
    bool quiet = steps - t->steps < WORTH;
    bool once_more = t->again > 0 && --t->again == 0;

    t->steps = steps;
    if (steps - t->tidied >= WORTH && (quiet || ++t->due >= LATEST)) {
        t->tidied = steps;
        t->due = 0;
        t->again = AGAIN;
    } else if (!once_more) {
        return false;
    }
    (void)malloc_trim(0);
    return true;
}
