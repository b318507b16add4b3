/* SPDX-License-Identifier: Apache-2.0 */
/* What happened in a conversation beside what was said, as JSON. */
#ifndef NODE_API_LINE_H
#define NODE_API_LINE_H

#include "node/api.h"

/* A message that is shown: its number, and where it is (fed_line_at; 0: it has
   no place yet). */
struct node_shown {
    uint64_t number;
    uint64_t at;
};

/*
 * "changes" of a conversation of which these messages are shown, newest first
 * (all: there are no older ones): each says "after" which of them it comes, or
 * 0, before the first.
 */
MUST_CHECK enum err node_json_changes(struct node_call *c,
                                      struct store_txn *txn,
                                      const struct store_conv *conv,
                                      const struct node_shown *shown,
                                      size_t len, bool all);

#endif
