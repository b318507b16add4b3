/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened in conversations beside what was said (federation/core/line.h):
 * sealed records of the node, apart from messages, which are counted, quoted
 * and given to others.
 */
#ifndef NODE_CLINIC_LINE_H
#define NODE_CLINIC_LINE_H

#include "federation/core/line.h"
#include "store/txn.h"

/* Write: MEMBER and HUB. */
MUST_CHECK enum err node_line_put(struct store_txn *txn, const struct mem *mem,
                                  const struct fed_show *show);

/* Write: VOID. */
MUST_CHECK enum err node_line_void(struct store_txn *txn,
                                   const struct fed_show *show);

/* Read: the newest of thread and of those that it continues, oldest first;
 *lines_out, room for FED_LINES_MAX, is the caller's. */
MUST_CHECK enum err node_lines(struct store_txn *txn, const struct mem *mem,
                               const struct thread_id *thread,
                               struct fed_line **lines_out, size_t *len_out);

#endif
