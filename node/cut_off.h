/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conversations that a patient shares with others and reaches through this
 * node: when it ends the connection she gets nothing there any more.
 */
#ifndef NODE_CUT_OFF_H
#define NODE_CUT_OFF_H

#include "node/api.h"

/* Adds to o the list "cut_off" of their names; nothing where there are none. */
MUST_CHECK enum err node_cut_off(struct store_txn *txn,
                                 const struct clinic_id *us,
                                 const struct patient_id *patient, json_t *o);

#endif
