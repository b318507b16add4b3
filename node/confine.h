/* SPDX-License-Identifier: Apache-2.0 */
/* What the sandbox of the daemon leaves open follows from its settings. */
#ifndef NODE_CONFINE_H
#define NODE_CONFINE_H

#include "node/config.h"
#include "node/sandbox.h"
#include "proto/base/log.h"

/*
 * Before the first thread: give up what the daemon has no use for.  *out is for
 * `status`; errors as node_sandbox_enter.
 */
MUST_CHECK enum err node_confine(const struct log *log,
                                 const struct node_config *config,
                                 struct node_sandbox *out);

#endif
