/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon: opens the store, starts network, protocol and control socket,
 * looks after them until it is told to stop, and stops in order.
 */
#ifndef NODE_DAEMON_H
#define NODE_DAEMON_H

#include "node/config.h"

enum {
    NODE_DAEMON_SAY = 512
};

/*
 * Run until SIGTERM or SIGINT; the caller has blocked them and those that
 * node_daemon_signals names before any thread was made.  say_out becomes a
 * sentence when this is not OK: what is wrong and what to do.
 *
 * ERR_STALE  a newer copy of this node runs elsewhere; not to be started again
 */
MUST_CHECK enum err node_daemon_run(const struct mem *mem,
                                    const struct log *log,
                                    const struct node_config *config,
                                    char say_out[NODE_DAEMON_SAY]);

/* Block what the daemon waits for, ignore SIGPIPE, no core dumps. */
void node_daemon_signals(void);

#endif
