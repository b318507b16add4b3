/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's clocks. */
#ifndef NODE_SYSCLOCK_H
#define NODE_SYSCLOCK_H

#include "proto/base/clock.h"

/* Never NULL; any thread. */
const struct clock *node_sysclock(void);

#endif
