/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket: requests of the command line, one JSON object a line,
 * answered by node/api.h.  Mode 0600, and the peer's user is checked: only the
 * user that runs the node (or root) is heard.  Files come beside a request as
 * descriptors (SCM_RIGHTS).  A thread for each connection, a few at a time.
 */
#ifndef NODE_CONTROL_H
#define NODE_CONTROL_H

#include "node/api.h"

enum {
    NODE_CONTROL_LINE = 1024 * 1024,
    NODE_CONTROL_CLIENTS = 32
};

struct node_control;

/*
 * Listen at path.  What an earlier daemon left there is replaced, a live one
 * is not: ERR_EXISTS.  ERR_INVALID  the path is too long for a socket
 */
MUST_CHECK enum err node_control_start(struct node_api *api, const char *path,
                                       struct node_control **out);

/* Close, wait for requests under way, remove the socket.  NULL is accepted. */
void node_control_stop(struct node_control *control);

#endif
