/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contacts that may be one person: a patient whom another clinic introduced,
 * and whom this one has had as a contact all along.  People decide, with
 * contact link; nothing is merged by itself.
 */
#ifndef NODE_TWINS_H
#define NODE_TWINS_H

#include "node/api.h"
#include "store/contact.h"

enum {
    NODE_TWINS_MAX = 8
};

/*
 * Adds to the list "maybe_same" of o: {of, id, name} for each other patient's
 * contact in whose name all words of this one's name are, NODE_TWINS_MAX at
 * most; of is this one's id.  Nothing for what is no patient's or has no name.
 * apart: leaves out two of whom the app has shown different keys.
 */
MUST_CHECK enum err node_twins(struct store_txn *txn,
                               const struct store_contact *of, bool apart,
                               json_t *o);
/* As node_twins with apart, of the contact id; nothing if there is none. */
MUST_CHECK enum err node_twins_of(struct store_txn *txn,
                                  const struct contact_id *id, json_t *o);

#endif
