/* SPDX-License-Identifier: Apache-2.0 */
/* What members and external joiners share when they make a commit. */
#ifndef CRYPTO_MLS_COMMIT_INT_H
#define CRYPTO_MLS_COMMIT_INT_H

#include "crypto/mls/group_int.h"

/* A commit of ours under way; b is applied. */
struct mls_making {
    struct mls_build *b;
    enum mls_wire_format wire;
    struct mls_sender sender;
    struct view aad;
    uint32_t own; /* our leaf in the new tree */
    bool with_path;
    const struct mls_leaf_node *like;     /* our new leaf, with a path */
    const struct prim_sign_key *sign_old; /* signs the commit */
    const struct prim_sign_key *sign_new; /* signs the leaf, and later on */
    const struct prim_secret *init;       /* init_secret */
    struct mls_psk_source psk_source;

    /* what it becomes */
    struct mls_epoch *next;
    struct mls_own_path path;
    struct prim_secret joiner;
    struct prim_secret psk;
    struct mls_update_path update_path;
    struct mls_commit commit;
    struct mls_authenticated x; /* signed and tagged */
    uint8_t sig[PRIM_SIG_MAX];
};

/* Wipes, and frees next unless it was taken. */
void mls_making_clear(struct mls_making *m);

/* From b, applied, to x and next. */
MUST_CHECK enum err mls_making_run(struct mls_making *m);

/*
 * A proposal from what the caller asked for; arrays live in a.
 * Rules: those of opening a key package, leaf-lifetime.
 */
MUST_CHECK enum err mls_proposal_from(const struct mls_env *env,
                                      struct arena *a,
                                      const struct mls_suite *suite,
                                      const struct mls_proposal_in *in,
                                      struct mls_proposal *out);

/* A normal commit, or the first of a successor of parent. */
MUST_CHECK enum err mls_commit_as(struct mls_group *g,
                                  const struct mls_commit_opts *opts,
                                  enum mls_commit_kind kind,
                                  const struct mls_group *parent,
                                  struct mls_committed *out);

#endif
