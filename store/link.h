/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links of the clinic: endpoints that it gives out (design 4, decisions B).
 */
#ifndef STORE_LINK_H
#define STORE_LINK_H

#include "proto/base/phi.h"
#include "store/txn.h"

enum store_link_flag {
    STORE_LINK_ONE_TIME = 1,  /* else public */
    STORE_LINK_REVIEW = 2,    /* accept after review, else at once */
    STORE_LINK_IN_PERSON = 4, /* shown, not sent: may claim "verified" */
    STORE_LINK_REVOKED = 8,
    STORE_LINK_INVITE = 16 /* of an invitation: store/invite.h */
};

struct store_link {
    struct link_id id;
    unsigned flags;     /* enum store_link_flag */
    uint8_t secret[16]; /* of one-time links; else zero */
    uint64_t created_ms;
    uint64_t expires_ms; /* 0: never */
    uint64_t uses;
    uint64_t uses_max; /* 0: any number */
    bool has_next;
    struct link_id next; /* it was rotated: the one that follows */
    bool has_bound;
    struct subject_id bound; /* root that a one-time link belongs to now */
    uint8_t owner_kind;      /* 0 organisation, 1 member, 2 team */
    uint8_t owner[16];
    struct phi label;
    struct phi shown;  /* who it was sent to, proves nothing; or empty */
    struct bytes more; /* of the layer above: members, tags, forward */
};

void store_link_clear(struct store_link *l);

/* Write: set a link, new or not. */
MUST_CHECK enum err store_link_put(struct store_txn *txn,
                                   const struct store_link *l);
/* ERR_MISSING */
MUST_CHECK enum err store_link_get(struct store_txn *txn,
                                   const struct link_id *id,
                                   struct store_link *out);
/* Write.  ERR_MISSING */
MUST_CHECK enum err store_link_del(struct store_txn *txn,
                                   const struct link_id *id);
MUST_CHECK enum err
store_link_list(struct store_txn *txn,
                enum err (*each)(void *ctx, const struct store_link *l),
                void *ctx);

#endif
