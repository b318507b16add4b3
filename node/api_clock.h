/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks that differ by more than a day, said to people. */
#ifndef NODE_API_CLOCK_H
#define NODE_API_CLOCK_H

#include "node/api.h"

/* "clock" in o, when root's is far from ours: what to tell people. */
void node_json_clock(struct node_call *c, const struct clinic_id *root,
                     json_t *o);

/* "clocks" in o: whose are far from ours, each with a sentence. */
void node_json_clocks(struct node_call *c, json_t *o);

/* For `doctor`: whether none is; say, of cap bytes, is what about those that
   are, and what to do. */
bool node_clocks_good(struct node_call *c, char *say, size_t cap);

/* Why root cannot be spoken to, if that is the clocks: said, and true. */
bool node_call_clocks(struct node_call *c, enum err e,
                      const struct clinic_id *root);

#endif
