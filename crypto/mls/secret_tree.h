/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secret tree of one epoch, RFC 9420 9: for each leaf a handshake and an
 * application ratchet, derived only when first used.
 *
 * Taking a key does not change the tree.  It makes a *step*: the key, and the
 * new state of what the key came from, derived on a copy.  Applying the step
 * swaps that state in; the step then holds the old state and is an undo.
 *
 *     mls_secret_tree_receive(t, leaf, type, generation, &step)
 *     ... open and verify with mls_step_key(step) ...
 *     mls_step_apply(step)         now the generation is used up
 *     ... write mls_step_changed(step) in the caller's transaction ...
 *     mls_step_undo(step)          only if that transaction failed
 *     mls_step_free(step)          wipes; without apply, nothing happened
 *
 * Steps of one tree are applied one at a time: a step made before another was
 * applied must be thrown away (apply says ERR_STATE), and undone in the
 * opposite order.
 *
 * Saved as records of their own (decisions G 29): one "nodes" record with the
 * secrets that no leaf was derived from yet (it changes the first time a leaf
 * is used), and one per leaf and type.  A used key is in none of them.
 */
#ifndef CRYPTO_MLS_SECRET_TREE_H
#define CRYPTO_MLS_SECRET_TREE_H

#include "crypto/mls/key_schedule.h"

struct proto_tls_rd;
struct proto_tls_wr;
struct mls_secret_tree;
struct mls_step;

/* Which record; also which ratchet. */
enum mls_ratchet {
    MLS_RATCHET_NODES = 0, /* not a ratchet; leaf is 0 */
    MLS_RATCHET_HANDSHAKE = 1,
    MLS_RATCHET_APPLICATION = 2
};

struct mls_ratchet_id {
    uint32_t leaf;
    enum mls_ratchet type;
};

/* A first use changes the nodes and both ratchets of the leaf. */
enum {
    MLS_STEP_CHANGED_MAX = 3
};

/*
 * A tree over `leaves` leaves (at most LIMIT_MLS_LEAVES; rounded up to a power
 * of two) with encryption_secret at its root; the caller wipes its copy.
 * ERR_NOMEM, ERR_LIMIT
 */
MUST_CHECK enum err mls_secret_tree_new(const struct mem *mem,
                                        const struct mls_suite *s,
                                        uint32_t leaves,
                                        const struct prim_secret *encryption,
                                        struct mls_secret_tree **out);

/* The same without any secret, to be filled by mls_secret_tree_load. */
MUST_CHECK enum err mls_secret_tree_empty(const struct mem *mem,
                                          const struct mls_suite *s,
                                          uint32_t leaves,
                                          struct mls_secret_tree **out);

/* Wipes; t may be NULL. */
void mls_secret_tree_free(struct mls_secret_tree *t);

/*
 * A step with the next unused key of leaf, for sending.
 *
 * ERR_INVALID  no such leaf, or type is not a ratchet
 * ERR_CORRUPT  the leaf's secrets are gone (restored without its records)
 * ERR_LIMIT    the ratchet is at its last generation
 * ERR_NOMEM
 */
MUST_CHECK enum err mls_secret_tree_send(struct mls_secret_tree *t,
                                         uint32_t leaf, enum mls_ratchet type,
                                         struct mls_step **out);

/*
 * A step with the key of a generation, for receiving.  Skipped keys are kept:
 * the newest LIMIT_MLS_SKIPPED_PER_SENDER of a ratchet, as long as the tree
 * holds at most LIMIT_MLS_SKIPPED_PER_EPOCH.
 *
 * ERR_EXISTS  that key was used before, or is too old and was dropped
 * ERR_LIMIT   more than LIMIT_MLS_FORWARD generations ahead
 * ERR_INVALID, ERR_CORRUPT, ERR_NOMEM  as above
 */
MUST_CHECK enum err mls_secret_tree_receive(struct mls_secret_tree *t,
                                            uint32_t leaf,
                                            enum mls_ratchet type,
                                            uint32_t generation,
                                            struct mls_step **out);

const struct mls_key_nonce *mls_step_key(const struct mls_step *step);
uint32_t mls_step_generation(const struct mls_step *step);

/*
 * Swap the new state in and wipe the step's key.
 * ERR_STATE  another step was applied since this one was made, or it is applied
 */
MUST_CHECK enum err mls_step_apply(struct mls_step *step);

/* Swap the old state back.  ERR_STATE  not the last applied step */
MUST_CHECK enum err mls_step_undo(struct mls_step *step);

/* The records that the step changed; returns how many. */
size_t mls_step_changed(const struct mls_step *step,
                        struct mls_ratchet_id out[MLS_STEP_CHANGED_MAX]);

/* Wipes.  The tree stays as it is, and may be gone.  step may be NULL. */
void mls_step_free(struct mls_step *step);

/*
 * Every record there is: the i-th, nodes first, then by leaf and type.
 * Returns false from i = their number.
 */
bool mls_secret_tree_at(const struct mls_secret_tree *t, size_t i,
                        struct mls_ratchet_id *out);

/* Append one record, with its version.  ERR_MISSING  there is none */
MUST_CHECK enum err mls_secret_tree_save(const struct mls_secret_tree *t,
                                         struct mls_ratchet_id id,
                                         struct proto_tls_wr *w);

/*
 * Read one record into a tree made by mls_secret_tree_empty.
 * ERR_CORRUPT      not a record of this suite, tree size and id
 * ERR_UNSUPPORTED  written by a newer version
 * ERR_EXISTS       that record was loaded before
 * ERR_NOMEM
 */
MUST_CHECK enum err mls_secret_tree_load(struct mls_secret_tree *t,
                                         struct mls_ratchet_id id,
                                         struct view record);

#endif
