/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other clinics: root, pinned certificate generation, signed profile,
 * addresses, policy, and how far the connection has come.
 */
#ifndef STORE_CLINIC_H
#define STORE_CLINIC_H

#include "store/contact.h"

/* Numbers are on disk. */
enum store_clinic_state {
    STORE_CLINIC_KNOWN = 0, /* introduced, or seen in a thread */
    STORE_CLINIC_ASKED = 1, /* we asked to connect */
    STORE_CLINIC_ASKS = 2,  /* they ask; waits for review */
    STORE_CLINIC_CONNECTED = 3,
    STORE_CLINIC_DISCONNECTED = 4,
    STORE_CLINIC_BLOCKED = 5,
    STORE_CLINIC_REFUSED = 6, /* we asked, and they said no */
    STORE_CLINIC_STATE_COUNT_
};

struct store_address {
    uint8_t type;       /* proto's: dns, ip4, ip6, via */
    struct bytes value; /* as the link encodes it */
};

struct store_clinic {
    struct clinic_id id;
    enum store_clinic_state state;
    enum store_learned learned;
    bool has_via;
    struct clinic_id via; /* who introduced it */
    bool has_link;
    struct link_id link; /* ours that they used, or theirs that we used */
    bool has_contact;
    struct contact_id contact;
    uint64_t generation; /* highest certificate generation seen */
    uint64_t created_ms;
    uint64_t changed_ms;
    uint64_t seen_ms;                /* last time it was connected; 0: never */
    struct bytes profile;            /* signed, as received; may be empty */
    struct bytes policy;             /* of the layer above; may be empty */
    struct bytes more;               /* of the layer above; may be empty */
    struct store_address *addresses; /* best first; owned */
    size_t addresses_len;
    const struct mem *mem; /* of addresses */
};

void store_clinic_clear(struct store_clinic *c);

/* Append an address.  ERR_LIMIT  LIMIT_CLINIC_ADDRESSES; ERR_EXISTS */
MUST_CHECK enum err store_clinic_add_address(const struct mem *mem,
                                             struct store_clinic *c,
                                             uint8_t type, struct view value);

/* Write: set a clinic, new or not. */
MUST_CHECK enum err store_clinic_put(struct store_txn *txn,
                                     const struct store_clinic *c);
/* ERR_MISSING */
MUST_CHECK enum err store_clinic_get(struct store_txn *txn,
                                     const struct clinic_id *id,
                                     struct store_clinic *out);
/* Write.  ERR_MISSING */
MUST_CHECK enum err store_clinic_del(struct store_txn *txn,
                                     const struct clinic_id *id);
MUST_CHECK enum err
store_clinic_list(struct store_txn *txn,
                  enum err (*each)(void *ctx, const struct store_clinic *c),
                  void *ctx);

#endif
