/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members: the people of this clinic.  `init` makes the first one.
 */
#ifndef STORE_MEMBER_H
#define STORE_MEMBER_H

#include "proto/base/phi.h"
#include "store/txn.h"

/* Numbers are on disk. */
enum store_member_state {
    STORE_MEMBER_ACTIVE = 0,
    STORE_MEMBER_INVITED = 1,
    STORE_MEMBER_SUSPENDED = 2,
    STORE_MEMBER_COUNT_
};

struct store_member {
    struct member_id id;
    enum store_member_state state;
    bool admin;
    uint64_t created_ms;
    struct phi name;
    struct phi login;  /* unique without regard to case; may be empty */
    struct bytes auth; /* of the layer above: verifiers; may be empty */
};

void store_member_clear(struct store_member *m);

/*
 * Write: set a member, new or not.
 * ERR_EXISTS  another member has this login
 */
MUST_CHECK enum err store_member_put(struct store_txn *txn,
                                     const struct store_member *m);

/* *out is empty before; ERR_MISSING */
MUST_CHECK enum err store_member_get(struct store_txn *txn,
                                     const struct member_id *id,
                                     struct store_member *out);

MUST_CHECK enum err store_member_by_login(struct store_txn *txn,
                                          struct view login,
                                          struct member_id *out);

/* All of them, by id. */
MUST_CHECK enum err
store_member_list(struct store_txn *txn,
                  enum err (*each)(void *ctx, const struct store_member *m),
                  void *ctx);

#endif
