/* SPDX-License-Identifier: Apache-2.0 */
/* Work in a process of its own, which may be ended by what it reads. */
#ifndef TOOLS_CLI_APART_H
#define TOOLS_CLI_APART_H

#include "tools/common/say.h"

/*
 * Do work there; *code is what it returned.  False: a signal ended it.  Where
 * no process is to be had the work is done in this one.
 */
bool tool_apart(enum tool_exit (*work)(void *ctx), void *ctx,
                enum tool_exit *code);

#endif
