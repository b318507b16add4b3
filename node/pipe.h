/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that only wait for their commit, begun and ended apart: a
 * connection that sends many lines at once has them in one commit instead of
 * one after the other.
 */
#ifndef NODE_PIPE_H
#define NODE_PIPE_H

#include "node/api.h"

struct node_pending;

/*
 * Begin a request: plain texts of `send`.  NULL: it is of another kind, or
 * there is no memory; node_api_answer does all.  Borrows request until the
 * end.  What is begun one after the other is done in this order.
 */
struct node_pending *node_api_begin(struct node_api *api, json_t *request);

/* Wait for it; the reply as node_api_answer gives it. */
json_t *node_api_end(struct node_pending *take_pending);

#endif
