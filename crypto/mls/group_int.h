/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of a group; only crypto/mls includes this.
 *
 * An *epoch* is everything that belongs to one epoch.  A group has the present
 * one and a few past ones, of which only what opens late application messages
 * is left.  A stage holds the next one.  Epochs are built once and never
 * changed afterwards, but for their secret tree.
 */
#ifndef CRYPTO_MLS_GROUP_INT_H
#define CRYPTO_MLS_GROUP_INT_H

#include "crypto/mls/mls.h"
#include "crypto/mls/secret_tree.h"
#include "crypto/mls/treekem.h"
#include "crypto/mls/validate.h"
#include "proto/base/limits.h"

/* ------------------------------------------------------------------- epochs */

struct mls_epoch {
    const struct mem *mem;
    const struct mls_suite *suite;
    struct mls_tree tree;
    struct bytes encoded;             /* the GroupContext */
    struct mls_group_context context; /* views into encoded */
    struct mls_hash interim;          /* interim transcript hash */
    struct mls_hash tag;              /* confirmation tag */
    uint32_t own;                     /* leaf */
    bool past;                        /* only what late messages need */
    bool stored;                      /* mls_save gave out its records */
    bool saved;                       /* and it has not changed since */
    struct mls_epoch *next_gone;

    struct mls_epoch_keys keys; /* without encryption: it is in secrets */
    struct mls_secret_tree *secrets;
    struct mls_tree_keys tree_keys;
    struct prim_sign_key sign;
};

/* An empty epoch of a suite. */
MUST_CHECK enum err mls_epoch_new(const struct mem *mem,
                                  const struct mls_suite *suite,
                                  struct mls_epoch **out);
void mls_epoch_free(struct mls_epoch *epoch);

/* Encode c as the GroupContext of epoch, replacing what it had. */
MUST_CHECK enum err mls_epoch_set_context(struct mls_epoch *epoch,
                                          const struct mls_group_context *c);

/*
 * The keys of epoch from joiner and PSK secret, and its secret tree; *keys
 * keep everything but the encryption secret.
 */
MUST_CHECK enum err mls_epoch_derive(struct mls_epoch *epoch,
                                     const struct prim_secret *joiner,
                                     const struct prim_secret *psk);

/* Leave only what opens late application messages. */
void mls_epoch_retire(struct mls_epoch *epoch);

/* The leaves of a tree, as validate.h wants them. */
struct mls_leaves mls_tree_as_leaves(const struct mls_tree *t);

/* ------------------------------------------------------------------- groups */

/* A proposal that came by itself and may be committed by reference. */
struct mls_pending {
    struct mls_pending *next;
    struct mls_hash ref;
    struct bytes encoded;       /* AuthenticatedContent */
    struct arena arena;         /* of x */
    struct mls_authenticated x; /* views into encoded */
    bool own_update;            /* pair and sign are of our own Update */
    struct prim_kem_pair pair;
    struct prim_sign_key sign;
};

struct mls_resumption {
    uint64_t epoch;
    struct prim_secret psk;
};

struct mls_group {
    struct mls_env env;
    struct mls_epoch *now;
    struct mls_epoch *past[LIMIT_MLS_PAST_EPOCHS]; /* newest first */
    uint32_t past_count;
    struct mls_resumption resumption[LIMIT_MLS_RESUMPTION_PSKS]; /* newest
                                                                    first */
    uint32_t resumption_count;
    struct mls_pending *pending; /* in order of arrival */
    bool removed;
    bool invited; /* we came by a Welcome that this leaf signed */
    uint32_t inviter;
    struct bytes reinit; /* the ReInit proposal that ended the group, encoded */
    bool saved;          /* the group's own record is as stored */
    struct mls_epoch *gone; /* stored epochs, forgotten since the last save */
};

/* A group in epoch *take_now. */
MUST_CHECK enum err mls_group_new(const struct mls_env *env,
                                  struct mls_epoch **take_now,
                                  struct mls_group **out);

/* As mls_create, with exactly these extensions. */
MUST_CHECK enum err mls_create_exact(const struct mls_env *env,
                                     const struct mls_identity *who,
                                     const struct mls_create_opts *opts,
                                     struct mls_group **out);

/*
 * Whether every client of tree a is one of tree b, by credential (RFC 9420
 * 11.3: "match").
 */
bool mls_clients_within(const struct mls_tree *a, const struct mls_tree *b);

/* Start a call: no rule is broken yet.  Returns where a broken one goes. */
enum mls_rule *mls_begin(const struct mls_env *env);

/* [leaf-credential]: ask the authentication service.  before may be NULL. */
MUST_CHECK enum err mls_ask_leaf(const struct mls_env *env,
                                 enum mls_leaf_use use, struct view group_id,
                                 uint64_t epoch, uint32_t leaf,
                                 const struct mls_leaf_node *n,
                                 const struct mls_leaf_node *before);

void mls_member_of(const struct mls_leaf_node *n, uint32_t leaf,
                   struct mls_member *out);

void mls_pending_free(const struct mem *mem, struct mls_pending *p);
void mls_pending_clear(struct mls_group *g);
struct mls_pending *mls_pending_find(const struct mls_group *g,
                                     struct view ref);

/* A pending proposal from its encoded AuthenticatedContent, which is copied. */
MUST_CHECK enum err mls_pending_new(const struct mls_env *env,
                                    const struct mls_suite *suite,
                                    struct view encoded,
                                    struct mls_pending **out);

/*
 * Add a pending proposal, use up the step it came with (which may be NULL), and
 * say what to store.  On failure *take_p stays the caller's.
 */
MUST_CHECK enum err mls_pending_keep(struct mls_group *g,
                                     struct mls_pending **take_p,
                                     struct mls_step **take_step,
                                     struct mls_change **out);

/* -------------------------------------------------- identities, key packages
 */

/*
 * A leaf node template of who: credential, signature key, capabilities,
 * extensions; also lists the types in extra.  Lists live in a.
 */
MUST_CHECK enum err mls_identity_leaf(struct arena *a,
                                      const struct mls_identity *who,
                                      struct mls_extensions extra,
                                      bool last_resort,
                                      struct mls_leaf_node *out);

/* ERR_INVALID  lengths, or the halves do not belong together */
MUST_CHECK enum err mls_identity_key(const struct mls_identity *who,
                                     struct prim_sign_key *out);

/* A key package with its private parts, as stored. */
struct mls_own_key_package {
    const struct mls_suite *suite;
    struct mls_key_package kp; /* views into the record */
    struct mls_hash ref;
    struct prim_kem_pair init;
    struct prim_kem_pair leaf;
    struct prim_sign_key sign;
};

MUST_CHECK enum err mls_own_key_package_read(struct view record,
                                             struct mls_own_key_package *out);

/* leaf-lifetime, by the clock, with an hour for clocks that differ. */
MUST_CHECK enum err mls_check_lifetime(const struct mls_env *env,
                                       const struct mls_leaf_node *n,
                                       enum mls_rule *broken);

/* A key package in an MLSMessage, of a suite that is built. */
MUST_CHECK enum err mls_key_package_open(struct arena *a, struct view message,
                                         const struct mls_suite **suite_out,
                                         struct mls_key_package *out,
                                         enum mls_rule *broken);

/* --------------------------------------------------------------- pre-shared
 * keys */

/* Where the secrets of PSKs come from: own group (or NULL), another (or NULL,
 * the group that a successor continues), then env. */
struct mls_psk_source {
    const struct mls_env *env;
    const struct mls_group *group;
    const struct mls_group *parent;
};

/*
 * psk_secret of n PSKs.
 * ERR_MISSING  one is unknown; rule is reported
 */
MUST_CHECK enum err mls_psks_resolve(const struct mls_psk_source *src,
                                     const struct mls_suite *suite,
                                     const struct mls_psk_id **ids, size_t n,
                                     enum mls_rule rule,
                                     struct prim_secret *out,
                                     enum mls_rule *broken);

/* -------------------------------------------------------------- the new epoch
 */

/* A leaf that a commit changes; holds the leaves. */
struct mls_leaf_delta {
    enum mls_leaf_what what;
    uint32_t leaf;
    struct mls_leaf *before;
    struct mls_leaf *after;
};

/*
 * A commit under way: the proposals of it applied to a copy of the tree.
 * Proposals are borrowed from the commit and from pending ones.
 */
struct mls_build {
    const struct mls_env *env;
    const struct mls_epoch *old;
    enum mls_rule *broken;
    struct arena arena;

    struct mls_listed *list;
    size_t list_count;
    struct mls_extensions extensions; /* of the new epoch */
    bool extensions_changed;
    const struct mls_proposal *external_init;
    const struct mls_proposal *reinit;
    const struct mls_psk_id **psks;
    size_t psks_count;

    struct mls_tree tree;  /* of the new epoch */
    struct mls_list added; /* leaf indices, in order of the Adds */
    struct mls_leaf_delta *delta;
    uint32_t delta_count;
    uint32_t delta_cap;
    bool self_removed;
};

void mls_build_clear(struct mls_build *b);

struct mls_list_scope mls_build_scope(const struct mls_build *b);

/*
 * Apply b->list (validated, b->arena and b->old set) to a copy of the tree,
 * asking for each credential.
 * Rules: list-leaves, leaf-credential, and those of the leaves as a set.
 */
MUST_CHECK enum err mls_build_apply(struct mls_build *b);

/* Note a leaf that changes.  before and after are held, either may be NULL. */
MUST_CHECK enum err mls_build_note(struct mls_build *b, enum mls_leaf_what what,
                                   uint32_t leaf, struct mls_leaf *before,
                                   struct mls_leaf *after);

/* The leaves of the new tree as a set: those that changed, or all. */
MUST_CHECK enum err mls_build_check_leaves(struct mls_build *b);

/* A provisional GroupContext: new epoch, tree and extensions, old transcript.
 */
MUST_CHECK enum err mls_build_provisional(struct mls_build *b,
                                          struct mls_epoch *next);

/* What a commit is hashed and keyed from. */
struct mls_finish {
    const struct mls_authenticated *commit; /* signature set */
    const struct prim_secret *init;         /* init_secret to use */
    const struct prim_secret *commit_secret;
    const struct prim_secret *psk_secret;
    struct prim_secret *joiner_out; /* or NULL */
};

/*
 * Finish next: transcript, GroupContext, key schedule, secret tree and
 * confirmation tag (next->tag).
 */
MUST_CHECK enum err mls_build_finish(const struct mls_build *b,
                                     const struct mls_finish *f,
                                     struct mls_epoch *next);

/* ------------------------------------------------------------------- stages */

struct mls_stage {
    struct mls_env env;
    struct mls_hash base; /* of the GroupContext it was built on */
    struct mls_stage_info info;
    struct bytes aad;
    struct mls_epoch *next; /* without secrets when self_removed */
    struct mls_leaf_delta *delta;
    uint32_t delta_count;
    uint32_t delta_cap;
    struct bytes extras; /* PSK, ReInit and other proposals, encoded */
    struct arena arena;  /* of extra */
    const struct mls_proposal *extra;
    size_t extra_count;
    struct mls_hash message; /* hash of an own commit's bytes */
};

/* A stage with next; takes the deltas of b. */
MUST_CHECK enum err mls_stage_new(struct mls_build *b,
                                  const struct mls_authenticated *commit,
                                  struct mls_epoch **take_next,
                                  struct mls_stage **out);

/* Read st->extras into st->extra and count. */
MUST_CHECK enum err mls_stage_index(struct mls_stage *st);

void mls_deltas_free(const struct mem *mem, struct mls_leaf_delta *delta,
                     uint32_t count, uint32_t cap);

/* Hash of a group's present GroupContext: what a stage is built on. */
void mls_epoch_mark(const struct mls_epoch *epoch, struct mls_hash *out);

/* ------------------------------------------------------------------ messages
 */

/*
 * Seal signed content of a member as PublicMessage or, with a step of its
 * ratchet that is applied, as PrivateMessage.
 */
struct mls_sealed {
    struct bytes message;
    struct mls_change *change; /* of a PrivateMessage */
    uint32_t generation;
};

MUST_CHECK enum err mls_seal(struct mls_group *g,
                             const struct mls_authenticated *x, size_t padding,
                             struct mls_sealed *out);

/* A message that was opened and verified. */
struct mls_opened {
    struct arena arena;
    struct mls_message message;
    struct mls_authenticated x;
    struct mls_epoch *epoch;
    struct mls_step *step; /* of a PrivateMessage, not applied */
};

void mls_opened_clear(struct mls_opened *o);

/* Open and verify a PublicMessage or PrivateMessage. */
MUST_CHECK enum err mls_open(struct mls_group *g, struct view message,
                             struct mls_opened *out, enum mls_rule *broken);

/* ------------------------------------------------------------------- changes
 */

/* Build the change of an applied step (may be NULL) and perhaps of pending
 * proposals.  On failure the step is undone and freed. */
MUST_CHECK enum err mls_change_of(struct mls_group *g, struct mls_epoch *epoch,
                                  struct mls_step **take_step, bool pending,
                                  struct mls_change **out);

/* Move the records and the step of *take_from into c. */
MUST_CHECK enum err mls_change_join(struct mls_change *c,
                                    struct mls_change **take_from);

/* ------------------------------------------------------- Welcome, GroupInfo */

/* The GroupInfo of epoch, signed, as MLSMessage or (bare) not. */
MUST_CHECK enum err mls_epoch_group_info(const struct mls_epoch *epoch,
                                         bool with_pub, bool with_tree,
                                         bool bare, struct bytes *out);

/*
 * An epoch from a GroupInfo and its tree (in it, or in tree), with everything
 * verified that needs no secret: rules of the GroupInfo, tree, leaves,
 * credentials, signature.  It has no keys, and its tag is the GroupInfo's.
 */
MUST_CHECK enum err mls_info_open(const struct mls_env *env,
                                  const struct mls_suite *suite,
                                  const struct mls_group_info *x,
                                  struct view tree, struct mls_epoch **out,
                                  enum mls_rule *broken);

struct mls_welcome_in {
    const struct mls_epoch *next;
    const struct mls_listed *list; /* whose Adds, in order, */
    size_t list_count;
    const struct mls_list *added;    /* came to these leaves */
    const struct mls_own_path *path; /* or NULL */
    const struct prim_secret *joiner;
    const struct prim_secret *psk;
    const struct mls_psk_id **psks;
    size_t psks_count;
    bool with_tree;
};

MUST_CHECK enum err mls_welcome_make(const struct mls_env *env,
                                     const struct mls_welcome_in *in,
                                     struct bytes *out);

#endif
