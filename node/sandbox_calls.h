/* SPDX-License-Identifier: Apache-2.0 */
/* System calls that the daemon has no use for are refused from here on. */
#ifndef NODE_SANDBOX_CALLS_H
#define NODE_SANDBOX_CALLS_H

#include "proto/base/err.h"

#include <stdbool.h>

/*
 * Install the filter; needs no_new_privs.  exec: programs may be run.
 * *done_out is false where the kernel or processor has no such thing.
 * ERR_IO  the kernel has it and refuses
 */
MUST_CHECK enum err node_sandbox_calls(bool exec, bool *done_out);

#endif
