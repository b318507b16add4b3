/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --on-event: runs a command when somebody connects, asks to, or writes.  It
 * gets what happened and ids as arguments, never a word of people:
 *
 *     sh -c 'COMMAND "$@"' balsam message <conversation> <number>
 *     ... request|clinic <clinic> <state>, link-used <link> <code>,
 *         overdue <conversation> <number>
 *
 * One thread, one command at a time; a consumer of the journal with a durable
 * cursor, so that nothing is forgotten while the node is down.
 */
#ifndef NODE_HOOK_H
#define NODE_HOOK_H

#include "node/api.h"

struct node_hook;

/* command must outlive it. */
MUST_CHECK enum err node_hook_start(struct node_api *api, const char *command,
                                    struct node_hook **out);

/* After node_api_journal(api, 0, true).  NULL is accepted. */
void node_hook_stop(struct node_hook *hook);

#endif
