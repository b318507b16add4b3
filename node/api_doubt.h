/* SPDX-License-Identifier: Apache-2.0 */
/* Doubts about how conversations are carried, as JSON. */
#ifndef NODE_API_DOUBT_H
#define NODE_API_DOUBT_H

#include "node/api.h"
#include "store/journal.h"

/* Whoever has this id, by name; empty: nobody, or not known here. */
void node_json_who(struct store_txn *txn, const uint8_t id[32], const char *key,
                   json_t *o);
/* "doubts" of a conversation; nothing when there are none. */
void node_json_doubts(struct store_txn *txn, const struct conv_id *conv,
                      json_t *out);
/* "doubted": all conversations that have any. */
void node_json_doubted(struct store_txn *txn, json_t *out);
/* What a journal row says of a conversation: its title, and "doubts". */
void node_json_doubt_event(struct store_txn *txn, const struct store_event *ev,
                           json_t *out);
/* "gone": who orders what waits here, and was not reached for three days. */
void node_json_gone(struct node_call *c, json_t *out);

#endif
