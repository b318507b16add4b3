/* SPDX-License-Identifier: Apache-2.0 */
/* What the sandbox of the daemon leaves open follows from its settings. */
#ifndef NODE_CONFINE_H
#define NODE_CONFINE_H

#include "node/config.h"
#include "node/sandbox.h"
#include "proto/base/log.h"

#include <limits.h>

/* What a setting names and is not there. */
struct node_absent {
    const char *setting; /* NULL: nothing is absent */
    char path[PATH_MAX];
};

/*
 * Before the first thread: give up what the daemon has no use for.  The command
 * of --on-event runs in the same sandbox; the file that it begins with, when
 * that is an absolute path, may be read and run wherever it lies.  *out is for
 * `status`; errors as node_sandbox_enter.
 *
 * ERR_MISSING  also: *absent, which a setting names
 */
MUST_CHECK enum err node_confine(const struct log *log,
                                 const struct node_config *config,
                                 struct node_sandbox *out,
                                 struct node_absent *absent);

#endif
