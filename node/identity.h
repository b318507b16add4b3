/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who this node is, as it is kept in the store: renewal key, node key, their
 * certificates, what the clinic says about itself, and whether its recovery
 * sheet was ever checked (decisions A 1).
 *
 * The root's seed stays, sealed like everything, only until somebody has shown
 * with `recovery check` that the sheet is at hand; then it is deleted.
 */
#ifndef NODE_IDENTITY_H
#define NODE_IDENTITY_H

#include "crypto/ident/cert.h"
#include "crypto/ident/profile.h"
#include "proto/base/phi.h"
#include "store/txn.h"

/* Holds secrets: clear it on every exit. */
struct node_identity {
    struct clinic_id root;
    struct prim_sign_key renewal;
    struct prim_sign_key node;
    uint64_t generation; /* of the node certificate */
    uint64_t renewal_not_after_ms;
    uint64_t node_not_after_ms;
    struct bytes renewal_cert; /* signed */
    struct bytes chain;
    struct bytes revocation; /* newest, signed by the root; may be empty */
};

void node_identity_clear(struct node_identity *id);

/*
 * A new identity under root, whose key is needed once.  renewal_generation is
 * 1 at first, and one more each time the sheet was needed.
 */
MUST_CHECK enum err node_identity_make(const struct mem *mem,
                                       const struct rng *rng, uint64_t now_ms,
                                       const struct prim_sign_key *root,
                                       uint32_t renewal_generation,
                                       struct node_identity *out);

/*
 * The next certificate: one generation up, with a fresh node key when
 * new_key is true.  id is unchanged on failure.
 * ERR_STALE  the renewal key has expired: the recovery sheet is needed
 */
MUST_CHECK enum err node_identity_renew(const struct mem *mem,
                                        const struct rng *rng, uint64_t now_ms,
                                        bool new_key, struct node_identity *id);

/*
 * The next certificate will be of a generation above this one.
 * ERR_STALE  only with a newer renewal key: the recovery sheet is needed
 */
MUST_CHECK enum err node_identity_raise(struct node_identity *id,
                                        uint64_t above);

/*
 * Above all that this node can have had, since certificates do not come faster
 * than seconds: for a node that does not remember how far it was.
 */
uint64_t node_identity_after_loss(const struct node_identity *id,
                                  uint64_t now_ms);

/* Whether the certificate is due for renewal. */
bool node_identity_due(const struct node_identity *id, uint64_t now_ms);

/* Write. */
MUST_CHECK enum err node_identity_save(struct store_txn *txn,
                                       const struct node_identity *id);
/* ERR_MISSING  init was never run */
MUST_CHECK enum err node_identity_load(struct store_txn *txn,
                                       struct node_identity *out);

/* What the clinic says about itself. */
struct node_profile {
    uint64_t changed_ms;
    struct phi name;
    struct phi address;
    struct phi phone;
    struct bytes picture; /* may be empty (node/clinic/picture.h) */
};

void node_profile_clear(struct node_profile *p);

/* Write. */
MUST_CHECK enum err node_profile_save(struct store_txn *txn,
                                      const struct node_profile *p);
MUST_CHECK enum err node_profile_load(struct store_txn *txn,
                                      struct node_profile *out);

/* The profile as it is shown to others, signed. */
MUST_CHECK enum err node_profile_sign(const struct mem *mem,
                                      const struct node_identity *id,
                                      const struct node_profile *p,
                                      struct bytes *out);

/*
 * The root's seed while it is here.
 * ERR_MISSING  the sheet was checked and the seed deleted
 */
MUST_CHECK enum err node_root_seed_load(struct store_txn *txn,
                                        uint8_t seed[PRIM_ED25519_SEED]);
/* Write. */
MUST_CHECK enum err node_root_seed_save(struct store_txn *txn,
                                        const uint8_t seed[PRIM_ED25519_SEED]);
/* Write: the sheet is at hand.  OK also when the seed is gone already. */
MUST_CHECK enum err node_root_seed_drop(struct store_txn *txn);

#endif
