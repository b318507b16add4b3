/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invitations: one-time links, each bound to a contact, who counts as invited
 * until they join (decisions F 27).  The link itself is in store/link.h under
 * the same id.
 *
 * Where an invitation was sent proves nothing about who opens it.
 */
#ifndef STORE_INVITE_H
#define STORE_INVITE_H

#include "proto/base/phi.h"
#include "store/actor.h"
#include "store/txn.h"

/* Numbers are on disk.  An expired one stays OPEN: the link says until when. */
enum store_invite_state {
    STORE_INVITE_OPEN = 1,
    STORE_INVITE_JOINED = 2,
    STORE_INVITE_REVOKED = 3,
    STORE_INVITE_REPLACED = 4, /* by next */
    STORE_INVITE_DEAD = 5,     /* the date of birth was wrong too often */
    STORE_INVITE_STATE_COUNT_
};

struct store_invite {
    struct link_id link;
    struct contact_id contact;
    enum store_invite_state state;
    uint8_t tries; /* left for the date of birth */
    uint64_t created_ms;
    uint64_t changed_ms;
    struct store_actor by; /* who invited */
    bool has_next;
    struct link_id next;
    bool has_patient;
    struct patient_id patient; /* who joined by it */
    struct phi purpose;        /* may be empty */
    struct phi phone;          /* where it was sent; may be empty */
    struct phi email;
    struct phi birth; /* 1980-02-29; empty: not asked for */
};

void store_invite_clear(struct store_invite *i);

/* Write: set an invitation, new or not.  ERR_LIMIT  a text is too long */
MUST_CHECK enum err store_invite_put(struct store_txn *txn,
                                     const struct store_invite *i);
/* ERR_MISSING */
MUST_CHECK enum err store_invite_get(struct store_txn *txn,
                                     const struct link_id *id,
                                     struct store_invite *out);
/* Write.  ERR_MISSING */
MUST_CHECK enum err store_invite_del(struct store_txn *txn,
                                     const struct link_id *id);
/* All of them, in no particular order. */
MUST_CHECK enum err
store_invite_list(struct store_txn *txn,
                  enum err (*each)(void *ctx, const struct store_invite *i),
                  void *ctx);

#endif
