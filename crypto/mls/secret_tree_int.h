/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a secret tree looks like inside, for secret_tree.c (the frontier),
 * secret_tree_step.c (ratchets) and secret_tree_save.c (records); nobody else
 * includes it.
 */
#ifndef CRYPTO_MLS_SECRET_TREE_INT_H
#define CRYPTO_MLS_SECRET_TREE_INT_H

#include "crypto/mls/secret_tree.h"

/* Nh of every suite we have. */
enum {
    MLS_NODE_SECRET = PRIM_HASH_SIZE
};

struct mls_node_secret {
    uint32_t node; /* array index, RFC 9420 appendix C */
    uint8_t secret[MLS_NODE_SECRET];
};

/* In order of node; no node is an ancestor of another. */
struct mls_frontier {
    struct mls_node_secret *at;
    size_t n;
};

struct mls_skipped {
    uint32_t generation;
    uint8_t key[PRIM_KEY_MAX];
    uint8_t nonce[PRIM_NONCE_SIZE];
};

/* next: the generation that secret stands for; skipped ones are below it, in
 * order. */
struct mls_ratchet_state {
    struct prim_secret secret;
    uint32_t next;
    uint32_t skipped_n;
    struct mls_skipped *skipped;
};

struct mls_leaf_ratchets {
    struct mls_ratchet_state r[2]; /* handshake, application */
    bool present[2];               /* false: its record was not loaded yet */
};

struct mls_secret_tree {
    const struct mem *mem;
    const struct mls_suite *suite;
    uint32_t leaves; /* a power of two */
    bool has_frontier;
    size_t skipped_n; /* in all ratchets */
    uint64_t revision;
    uint64_t last_revision;
    struct mls_frontier frontier;
    struct mls_leaf_ratchets **ratchets; /* one a leaf, NULL until used */
};

void mls_frontier_free(const struct mem *mem, struct mls_frontier *f);
void mls_skipped_free(const struct mem *mem, struct mls_ratchet_state *r);
/* l may be NULL. */
void mls_leaf_ratchets_free(const struct mem *mem, struct mls_leaf_ratchets *l);

struct mls_ratchet_state *mls_ratchet_of(struct mls_leaf_ratchets *l,
                                         enum mls_ratchet type);

/*
 * The secret of an unused leaf, and the frontier without it.  t stays.
 * ERR_CORRUPT  no secret is left that leads to the leaf; ERR_NOMEM
 */
MUST_CHECK enum err mls_secret_tree_split(const struct mls_secret_tree *t,
                                          uint32_t leaf,
                                          struct mls_frontier *out,
                                          uint8_t secret_out[MLS_NODE_SECRET]);

/* Both ratchets at generation 0. */
void mls_leaf_ratchets_start(const struct mls_suite *s,
                             const uint8_t secret[MLS_NODE_SECRET],
                             struct mls_leaf_ratchets *out);

#endif
