/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MLS (RFC 9420): the one header for everybody outside crypto/mls.
 *
 * A group is one member's view of one MLS group.  It does no I/O, keeps no
 * globals and reads no clock: memory, randomness, time, credential checks and
 * foreign PSKs come in through struct mls_env.
 *
 * Nothing happens in place.  Making or processing a commit builds a *stage*:
 * the new epoch beside the old, which can be looked at, refused, saved, and is
 * installed by mls_merge.  Protecting or unprotecting a message advances one
 * ratchet and hands back a *change*: the few records to store in the same
 * transaction as the message, and the way back when that transaction fails.
 * A call that returns an error has changed nothing: mls_save(MLS_SAVE_ALL)
 * gives the same bytes before and after.
 *
 * A group, its stages and its changes belong to one thread at a time.  Views
 * handed out point into the group (or stage, change) and live until the next
 * call that changes it, unless said otherwise.  struct bytes handed out are
 * the caller's.  Every *_free accepts NULL, every *_clear accepts empty.
 *
 * Errors common to all calls that take bytes from outside; which rule of RFC
 * 9420 was broken is written through env->rule_out:
 *   ERR_NOMEM        no memory
 *   ERR_FORMAT       malformed, trailing bytes, a length not in shortest form
 *   ERR_UNSUPPORTED  well-formed, but a version, suite or kind not spoken here
 *   ERR_LIMIT        above a bound of limits.h (leaves, generations, sizes)
 *   ERR_AUTH         a signature, MAC, AEAD or hash does not verify
 *   ERR_INVALID      another validation rule is broken
 *   ERR_DENIED       env->check_leaf refused a credential, or an external
 *                    sender may not do this
 *   ERR_STALE        a past epoch or generation, an expired key package
 *   ERR_AGAIN        an epoch of the future
 *   ERR_EXISTS       our own message, a used generation, a present member
 *   ERR_MISSING      another group's; an unknown proposal, PSK or key package
 *   ERR_STATE        not in this state: removed, reinitialised
 */
#ifndef CRYPTO_MLS_MLS_H
#define CRYPTO_MLS_MLS_H

#include "crypto/mls/message.h"
#include "crypto/mls/rule.h"
#include "crypto/mls/suite.h"
#include "proto/base/bytes.h"
#include "proto/base/clock.h"
#include "proto/base/rng.h"

/* No leaf: of a member that is not in the tree, or a sender outside. */
#define MLS_NO_LEAF UINT32_MAX

struct mls_group;
struct mls_stage;
struct mls_change;

/* ------------------------------------------------------------ environment */

/* A leaf of a group, or one that is about to become one. */
struct mls_member {
    uint32_t leaf;             /* MLS_NO_LEAF while it has none */
    uint16_t credential_type;  /* 1 basic */
    struct view credential;    /* basic: the identity bytes; else the encoded
                                  credential after its type */
    struct view signature_key; /* public */
    struct view leaf_node;     /* the whole encoded LeafNode */
};

/* Why check_leaf is asked. */
enum mls_leaf_use {
    MLS_FOR_KEY_PACKAGE, /* somebody is added, or we add them */
    MLS_FOR_UPDATE,      /* before is the leaf it replaces */
    MLS_FOR_COMMIT,      /* the same, the committer's own */
    MLS_FOR_EXTERNAL,    /* an external joiner; before when it resyncs */
    MLS_FOR_TREE,        /* in a tree that we join */
    MLS_FOR_SENDER       /* an external sender; signature_key, credential */
};

struct mls_leaf_check {
    enum mls_leaf_use use;
    struct view group_id; /* empty for a key package outside a group */
    uint64_t epoch;
    const struct mls_member *leaf;
    const struct mls_member *before; /* or NULL */
};

/*
 * What the group needs from the world.  Copied by value into each group; what
 * it points to must outlive the group and its stages.
 */
struct mls_env {
    const struct mem *mem;
    const struct rng *rng;
    const struct clock *clock; /* wall time: lifetimes only */
    void *ctx;                 /* for the callbacks */

    /*
     * The authentication service (RFC 9420 5.3.1): OK when credential and
     * signature key belong together and may be in the group; any other value
     * ends the call with ERR_DENIED.  NULL accepts every credential.
     */
    enum err (*check_leaf)(void *ctx, const struct mls_leaf_check *check);

    /*
     * The secret of a PSK (ignore the nonce): external ones, and resumption
     * PSKs of other groups; this group's own are known.  *out is empty on
     * entry, allocated from mem, and wiped by us.  ERR_MISSING when unknown.
     * NULL knows none.
     */
    enum err (*find_psk)(void *ctx, const struct mls_psk_id *id,
                         struct bytes *out);

    /* Whether we are already in a group with this id, which a new one must not
       have (RFC 9420 12.4.3.1).  NULL says no. */
    bool (*has_group)(void *ctx, struct view group_id);

    /* Which rule was broken, MLS_RULE_NONE for other errors.  Or NULL. */
    enum mls_rule *rule_out;

    /* Longest lifetime of a key package that we check or add, seconds; 0: any.
     */
    uint64_t lifetime_max_s;

    /* Past epochs kept for late application messages; at most
       LIMIT_MLS_PAST_EPOCHS.  0 keeps none. */
    uint32_t past_epochs;
};

/* ------------------------------------------------- identities, key packages */

/* Who we are in a group.  Borrowed for the call. */
struct mls_identity {
    struct view credential;     /* identity bytes of a basic credential */
    struct view signature_key;  /* Ed25519 public key, 32 bytes */
    struct view signature_priv; /* its seed, 32 bytes */
    /* Capabilities beyond RFC 9420's defaults: what our app understands.
       Suites and versions are filled in. */
    const uint16_t *extension_types;
    size_t extension_types_len;
    const uint16_t *proposal_types;
    size_t proposal_types_len;
    const uint16_t *credential_types; /* besides basic */
    size_t credential_types_len;
    /* Extensions of the leaf itself; types must be listed above. */
    struct mls_extensions leaf_extensions;
};

/* Private-use extension (empty data) of a last-resort key package: its private
   part may serve several Welcomes.  Listed in the leaf's capabilities. */
#define MLS_EXT_LAST_RESORT 0xf1ffu

struct mls_key_package_opts {
    uint16_t suite;
    uint64_t not_before_s; /* seconds since 1970 */
    uint64_t not_after_s;
    bool last_resort;
    struct mls_extensions extensions; /* of the KeyPackage */
};

struct mls_key_package_made {
    struct bytes key_package; /* an MLSMessage, to publish */
    struct bytes ref;         /* KeyPackageRef (5.2): names it in a Welcome */
    struct bytes record;      /* public and private part, secret: store it
                                 sealed, delete it after joining */
};
void mls_key_package_made_clear(struct mls_key_package_made *made);

/*
 * A fresh key package of who.  One key per package: the init key and the leaf
 * key are generated here.
 */
MUST_CHECK enum err
mls_key_package_make(const struct mls_env *env, const struct mls_identity *who,
                     const struct mls_key_package_opts *opts,
                     struct mls_key_package_made *out);

/*
 * The record for a key package made elsewhere (test vectors).  All keys are
 * raw private keys.  ERR_INVALID  they do not belong to it
 */
MUST_CHECK enum err
mls_key_package_record(const struct mls_env *env, struct view key_package,
                       struct view init_priv, struct view leaf_priv,
                       struct view signature_priv, struct bytes *record_out);

/* A key package, looked at and verified (RFC 9420 10.1). */
struct mls_key_package_info {
    uint16_t suite;
    struct mls_member member; /* views into the input */
    uint64_t not_before_s;
    uint64_t not_after_s;
    bool last_resort;
    uint8_t ref[32];
};

/* Verify key_package (an MLSMessage): signature, rules, lifetime by clock. */
MUST_CHECK enum err mls_key_package_check(const struct mls_env *env,
                                          struct view key_package,
                                          struct mls_key_package_info *out);

/* ------------------------------------------------------- messages, in general
 */

/* What can be read of an MLSMessage without any key; nothing is verified. */
struct mls_peek {
    enum mls_wire_format wire;
    enum mls_content_type content; /* public and private messages */
    struct view group_id;          /* these and GroupInfo */
    uint64_t epoch;
    struct view aad;
    bool external; /* public: the sender is not a member */
};

MUST_CHECK enum err mls_peek(const struct mls_env *env, struct view message,
                             struct mls_peek *out);

/* Whether a Welcome (an MLSMessage) is for the key package called ref. */
MUST_CHECK enum err mls_welcome_is_for(const struct mls_env *env,
                                       struct view welcome, struct view ref,
                                       bool *out);

/*
 * The references of the key packages that a Welcome is for, in its order: the
 * first max of them; they point into welcome.
 */
MUST_CHECK enum err mls_welcome_refs(const struct mls_env *env,
                                     struct view welcome, struct view *refs,
                                     size_t max, size_t *len_out);

/* -------------------------------------------------------------- group: life */

/*
 * A new group with one member, who.  extensions become the GroupContext
 * extensions; their types that RFC 9420 does not define are put into
 * required_capabilities unless they bring its own, and must be listed in who.
 */
struct mls_create_opts {
    uint16_t suite;
    struct view group_id; /* not empty */
    struct mls_extensions extensions;
};

MUST_CHECK enum err mls_create(const struct mls_env *env,
                               const struct mls_identity *who,
                               const struct mls_create_opts *opts,
                               struct mls_group **out);

/*
 * Join by Welcome (RFC 9420 12.4.3.1).  key_package_record is deleted by the
 * caller in the transaction that stores the group, unless it is last resort.
 * tree is the encoded ratchet_tree when the Welcome does not bring it, else
 * empty.  parent is the old group when this one continues it (ReInit) or
 * branches from it, else NULL.
 *
 * ERR_MISSING  not for this key package, or no tree, or an unknown PSK
 */
struct mls_join_opts {
    struct view welcome; /* an MLSMessage */
    struct view key_package_record;
    struct view tree;
    const struct mls_group *parent;
};

MUST_CHECK enum err mls_join(const struct mls_env *env,
                             const struct mls_join_opts *opts,
                             struct mls_group **out);

/*
 * Join by external commit (RFC 9420 12.4.3.2).  The group is already in the
 * new epoch: store it durably, send commit, use it once the commit is
 * accepted; if it is not, free it and start again from a newer GroupInfo.
 */
struct mls_external_opts {
    struct view group_info; /* an MLSMessage with external_pub */
    struct view tree;       /* when not in the GroupInfo */
    bool resync;            /* remove our own old leaf, remove_leaf */
    uint32_t remove_leaf;
    struct mls_psk_ids psks; /* nonces are filled in */
    struct view aad;
    bool want_group_info;
};

struct mls_external_made {
    struct mls_group *group;
    struct bytes commit;     /* an MLSMessage (public) */
    struct bytes group_info; /* of the new epoch, when wanted */
};
/* Frees the group too, unless it was taken (set to NULL). */
void mls_external_made_clear(struct mls_external_made *made);

MUST_CHECK enum err mls_join_external(const struct mls_env *env,
                                      const struct mls_identity *who,
                                      const struct mls_external_opts *opts,
                                      struct mls_external_made *out);

/* Wipe and give back.  What is saved stays saved. */
void mls_group_free(struct mls_group *group);

/* -------------------------------------------------------- group: looking at it
 */

uint16_t mls_group_suite(const struct mls_group *group);
struct view mls_group_id(const struct mls_group *group);
uint64_t mls_group_epoch(const struct mls_group *group);
uint32_t mls_group_own_leaf(const struct mls_group *group);
/* The leaf that signed the Welcome's GroupInfo: who added us.  False once the
   group was stored and loaded, or when there was no Welcome. */
bool mls_group_inviter(const struct mls_group *group, uint32_t *leaf_out);
struct view mls_group_tree_hash(const struct mls_group *group);
struct view mls_group_transcript_hash(const struct mls_group *group);
struct view mls_group_authenticator(const struct mls_group *group);

/* True once a merged commit removed us: nothing but looking and freeing. */
bool mls_group_is_removed(const struct mls_group *group);
/* True once a ReInit was merged: only mls_successor and late messages. */
bool mls_group_is_reinit(const struct mls_group *group);

/* Leaves to look at are 0 .. mls_group_leaf_count - 1; some may be blank. */
uint32_t mls_group_leaf_count(const struct mls_group *group);
uint32_t mls_group_member_count(const struct mls_group *group);
/* ERR_MISSING  blank or outside the tree */
MUST_CHECK enum err mls_member_at(const struct mls_group *group, uint32_t leaf,
                                  struct mls_member *out);

/* GroupContext extensions. */
struct mls_extensions mls_group_extensions(const struct mls_group *group);

/* The encoded ratchet_tree (RFC 9420 12.4.3.3). */
MUST_CHECK enum err mls_tree_export(const struct mls_group *group,
                                    struct bytes *out);

/* A signed GroupInfo as MLSMessage, with external_pub; with_tree adds it. */
MUST_CHECK enum err mls_group_info(const struct mls_group *group,
                                   bool with_tree, struct bytes *out);

/* MLS-Exporter (RFC 9420 8.5). */
MUST_CHECK enum err mls_export(const struct mls_group *group, const char *label,
                               struct view context, size_t len,
                               struct bytes *out);

/*
 * The resumption PSK of an epoch (8.6): the present one, or one of the last
 * LIMIT_MLS_RESUMPTION_PSKS.  For env->find_psk of another group.
 */
MUST_CHECK enum err mls_resumption_psk(const struct mls_group *group,
                                       uint64_t epoch, struct bytes *out);

/* --------------------------------------------------------- records, changes */

/*
 * What a group is saved as.  A record is {kind, key, bytes}; bytes start with
 * a version.  tree is public; the others are secret and must be sealed under
 * a key that is destroyed when they are replaced.  An empty bytes means:
 * delete the record of that key.
 */
enum mls_record_kind {
    MLS_RECORD_TREE = 1,   /* public: the ratchet tree, per commit */
    MLS_RECORD_EPOCH = 2,  /* secrets, per commit, and pending proposals */
    MLS_RECORD_RATCHET = 3 /* one per sender and content type, per message */
};

enum {
    MLS_RECORD_KEY = 14
};

struct mls_record {
    enum mls_record_kind kind;
    uint8_t key[MLS_RECORD_KEY]; /* unique in the group, all kinds together;
                                    sorts by kind */
    struct view bytes;
};

/*
 * Records that belong to one step.  Free it when the transaction is durable;
 * give it to mls_undo when it failed.  Once a later stage was merged there is
 * no way back: free the changes and the group (in any order), and load it.
 */
size_t mls_change_count(const struct mls_change *change);
void mls_change_at(const struct mls_change *change, size_t i,
                   struct mls_record *out);
void mls_change_free(struct mls_change *change);

/*
 * Take the step back, as if the call had not been made, and free it.  When
 * several changes of a group are pending, undo the newest first.  Only for
 * changes of mls_protect, mls_unprotect, mls_process and mls_propose, and for
 * those of mls_commit; not for those of mls_save.
 */
void mls_undo(struct mls_group *group, struct mls_change **take_change);

enum mls_save_what {
    MLS_SAVE_ALL,    /* every record */
    MLS_SAVE_CHANGED /* what mls_merge, joining or mls_forget_past changed
                        since the last mls_save, deletions included */
};

/*
 * The records to store.  After MLS_SAVE_CHANGED the group counts as saved;
 * when the transaction fails, free the group and load it again.
 */
MUST_CHECK enum err mls_save(struct mls_group *group, enum mls_save_what what,
                             struct mls_change **out);

/*
 * The group from its records (any order).
 * ERR_CORRUPT      they do not fit together
 * ERR_UNSUPPORTED  written by a newer version
 */
MUST_CHECK enum err mls_load(const struct mls_env *env,
                             const struct mls_record *records,
                             size_t records_len, struct mls_group **out);

/* ----------------------------------------------------------- application data
 */

struct mls_protected {
    struct bytes message; /* an MLSMessage (private) */
    uint32_t generation;
    struct mls_change *change; /* durable before message leaves */
};
void mls_protected_clear(struct mls_protected *p);

/*
 * Encrypt and sign plaintext; padding zero bytes are added inside.  aad is
 * authenticated, not encrypted.
 * Whether pending proposals should be committed first (RFC 9420 15.2) is for
 * the caller to decide.
 * ERR_STATE  removed, or reinitialised
 */
MUST_CHECK enum err mls_protect(struct mls_group *group, struct view plaintext,
                                struct view aad, size_t padding,
                                struct mls_protected *out);

struct mls_unprotected {
    struct bytes plaintext;
    struct bytes aad;
    uint32_t sender; /* leaf */
    uint64_t epoch;
    uint32_t generation;
    struct mls_member member; /* of the sender, as it was in that epoch */
    struct mls_change *change;
};
void mls_unprotected_clear(struct mls_unprotected *u);

/*
 * Open an application message of the present epoch or a kept past one.
 *
 * ERR_EXISTS  our own: keep plaintext yourself and know the echo by its hash
 * ERR_STALE   the epoch is past and not kept, or the generation was used
 * ERR_LIMIT   the generation is too far ahead
 * ERR_STATE   not an application message: use mls_process
 */
MUST_CHECK enum err mls_unprotect(struct mls_group *group, struct view message,
                                  struct mls_unprotected *out);

/* Delete what is kept of epochs before epoch; saved by mls_save. */
MUST_CHECK enum err mls_forget_past(struct mls_group *group, uint64_t epoch);

/* ------------------------------------------------------------------ proposals
 */

struct mls_proposal_in {
    uint16_t type;           /* enum mls_proposal_type, or another */
    struct view key_package; /* ADD: an MLSMessage */
    uint32_t leaf;           /* REMOVE */
    struct mls_psk_id psk;   /* PSK */
    /* GROUP_CONTEXT_EXTENSIONS, REINIT: the whole new list */
    struct mls_extensions extensions;
    const struct mls_identity *identity; /* UPDATE: new credential and signature
                                            key, or NULL to keep them */
    struct view group_id;                /* REINIT */
    uint16_t suite;                      /* REINIT */
    struct view other;                   /* another type: its content */
};

struct mls_proposed {
    struct bytes message;      /* an MLSMessage */
    uint8_t ref[32];           /* ProposalRef */
    struct mls_change *change; /* durable before message leaves */
};
void mls_proposed_clear(struct mls_proposed *p);

/*
 * Propose something; it is also remembered here for the next commit.
 * ERR_INVALID  it could not be committed
 * ERR_EXISTS   the very same public message is pending already
 */
MUST_CHECK enum err mls_propose(struct mls_group *group,
                                const struct mls_proposal_in *in,
                                bool as_private, struct view aad,
                                struct mls_proposed *out);

/* Pending proposals by reference; the next merge forgets them. */
size_t mls_group_pending_count(const struct mls_group *group);

/*
 * An Add of oneself to a group one is not in (sender new_member_proposal,
 * RFC 9420 12.1.8).  record is the key package's.
 */
MUST_CHECK enum err mls_propose_self(const struct mls_env *env,
                                     struct view key_package_record,
                                     struct view group_id, uint64_t epoch,
                                     struct bytes *message_out);

/*
 * A proposal of an external sender listed at index sender of the group's
 * external_senders extension (add, remove, psk, reinit, extensions).
 */
MUST_CHECK enum err mls_propose_external(const struct mls_env *env,
                                         uint16_t suite, struct view group_id,
                                         uint64_t epoch, uint32_t sender,
                                         struct view signature_priv,
                                         const struct mls_proposal_in *in,
                                         struct bytes *message_out);

/* -------------------------------------------------------------------- commits
 */

struct mls_commit_opts {
    const struct mls_proposal_in *proposals; /* by value, in this order */
    size_t proposals_len;
    bool skip_pending;    /* do not commit what was proposed by reference */
    bool force_path;      /* a path even when it is optional */
    bool as_private;      /* PrivateMessage */
    bool no_tree;         /* leave ratchet_tree out of the Welcome */
    bool want_group_info; /* of the new epoch, with external_pub and tree */
    const struct mls_identity *identity; /* rotate: new credential and
                                            signature key in our leaf */
    struct view aad;
};

struct mls_committed {
    struct mls_stage *stage;
    struct bytes commit;       /* an MLSMessage */
    struct bytes welcome;      /* an MLSMessage; empty when nobody was added */
    struct bytes group_info;   /* an MLSMessage, when wanted */
    struct mls_change *change; /* NULL or the handshake ratchet: durable with
                                  the stage before commit leaves */
};
void mls_committed_clear(struct mls_committed *c);

/*
 * Make a commit.  Pending proposals that are invalid together are left out by
 * RFC 9420 12.2 priority: a Remove wins over an Update of the same leaf, the
 * newest Update wins, our own Update is left out.
 */
MUST_CHECK enum err mls_commit(struct mls_group *group,
                               const struct mls_commit_opts *opts,
                               struct mls_committed *out);

enum mls_processed_kind {
    MLS_PROCESSED_PROPOSAL, /* remembered; change to store */
    MLS_PROCESSED_COMMIT    /* stage to look at and merge or free */
};

struct mls_processed {
    enum mls_processed_kind kind;
    uint32_t sender; /* leaf, or MLS_NO_LEAF */
    struct bytes aad;
    uint16_t proposal;         /* PROPOSAL: enum mls_proposal_type or other */
    uint8_t ref[32];           /* PROPOSAL */
    struct mls_change *change; /* PROPOSAL */
    struct mls_stage *stage;   /* COMMIT */
};
void mls_processed_clear(struct mls_processed *p);

/*
 * Process a proposal or commit of the present epoch.
 *
 * ERR_EXISTS  our own: merge the stage that mls_commit gave (mls_stage_is)
 * ERR_STALE   a past epoch
 * ERR_AGAIN   a future epoch
 * ERR_MISSING an unknown proposal reference or PSK
 * ERR_STATE   an application message: use mls_unprotect
 */
MUST_CHECK enum err mls_process(struct mls_group *group, struct view message,
                                struct mls_processed *out);

/* ---------------------------------------------------------------------- stages
 */

enum mls_leaf_what {
    MLS_ADDED,
    MLS_REMOVED,
    MLS_UPDATED /* an Update, or the committer's path */
};

struct mls_leaf_change {
    enum mls_leaf_what what;
    uint32_t leaf;
    struct mls_member before; /* REMOVED, UPDATED */
    struct mls_member after;  /* ADDED, UPDATED */
};

struct mls_stage_info {
    uint64_t epoch;     /* the new one */
    uint32_t committer; /* leaf after the commit, also of an external one */
    bool own;           /* made by us */
    bool external;      /* an external commit */
    bool self_removed;  /* after merging we are out */
    bool has_path;
    bool extensions_changed;
    bool reinit;   /* the group ends; see mls_stage_reinit */
    size_t psks;   /* PSKs that went in */
    size_t others; /* proposals of other types */
    struct view aad;
};

void mls_stage_info(const struct mls_stage *stage, struct mls_stage_info *out);

/* Leaves that change, in order of application; false past the end. */
bool mls_stage_leaf(const struct mls_stage *stage, size_t index,
                    struct mls_leaf_change *out);
/* GroupContext extensions of the new epoch. */
struct mls_extensions mls_stage_extensions(const struct mls_stage *stage);
/* PSKs that went in. */
bool mls_stage_psk(const struct mls_stage *stage, size_t index,
                   struct mls_psk_id *out);
/* Proposals of other types, type and content. */
bool mls_stage_other(const struct mls_stage *stage, size_t index,
                     struct mls_extension *out);
/* What follows a ReInit. */
bool mls_stage_reinit(const struct mls_stage *stage, struct mls_reinit *out);
struct view mls_stage_authenticator(const struct mls_stage *stage);

/* True when message is the very commit that this own stage made. */
bool mls_stage_is(const struct mls_stage *stage, struct view message);

/*
 * Install the new epoch and consume the stage (*take_stage becomes NULL).
 * Cannot fail for lack of memory.  ERR_STATE  the stage was not built on the
 * group's present epoch; the stage is left alone
 */
MUST_CHECK enum err mls_merge(struct mls_group *group,
                              struct mls_stage **take_stage);
void mls_stage_free(struct mls_stage *stage);

/*
 * A stage as bytes (secret: seal it) and back, for an own commit that is not
 * acknowledged yet when the process ends.
 * ERR_STALE  it does not belong to the group's present epoch
 */
MUST_CHECK enum err mls_stage_save(const struct mls_stage *stage,
                                   struct bytes *out);
MUST_CHECK enum err mls_stage_load(const struct mls_group *group,
                                   struct view saved, struct mls_stage **out);

/* ---------------------------------------------------------- reinit and branch
 */

/*
 * The group that follows old: after a merged ReInit (11.2), with its group id,
 * suite and extensions, or a branch (11.3) with group_id and the old suite and
 * extensions.  key_packages (MLSMessages) must be of members of old, for ReInit
 * of all others.  *group_out is in epoch 1; send welcome to the members.
 */
struct mls_successor_opts {
    bool branch;
    struct view group_id; /* branch */
    const struct view *key_packages;
    size_t key_packages_len;
    bool no_tree;
};

MUST_CHECK enum err mls_successor(struct mls_group *old,
                                  const struct mls_identity *who,
                                  const struct mls_successor_opts *opts,
                                  struct mls_group **group_out,
                                  struct bytes *welcome_out);

#endif
