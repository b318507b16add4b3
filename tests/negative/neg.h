/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attacker.  A member with every key that a member has, a joiner, an
 * external sender, built on crypto/mls itself with its checks switched off
 * (neg_rules_off), and on its inner parts where switching off is not enough.
 * For each validation rule it makes a message that breaks it; the library as
 * it is must refuse that message by that rule and stay as it was.
 *
 * Only tests link this; nothing here is reachable from the product.
 */
#ifndef TESTS_NEGATIVE_NEG_H
#define TESTS_NEGATIVE_NEG_H

#include "crypto/mls/group_int.h"
#include "tests/support/seed_rng.h"

/* Stop checking rules (all of crypto/mls), or check again. */
void neg_rules_off(bool off);

enum neg_who {
    NEG_ALICE,   /* the attacker, at leaf 0 */
    NEG_BOB,     /* who must not fall for it, at leaf 1 */
    NEG_CAROL,   /* another member, at leaf 2 */
    NEG_DAVE,    /* wants in, by Welcome or from outside */
    NEG_MALLORY, /* whom Bob's authentication service refuses */
    NEG_SENDER,  /* the external sender of the group */
    NEG_PEOPLE
};

struct neg_person {
    struct prim_sign_key key;
    struct mls_identity id;
};

/* Leaves 0 to 2 are members, 3 is blank.  Empty is {0}. */
struct neg {
    struct seed_rng rng;
    struct clock clock;
    enum mls_rule broken;   /* what Bob's or Dave's call reported */
    struct arena arena;     /* of messages in the making */
    struct mls_env env;     /* the attacker's: believes everybody */
    struct mls_env careful; /* the others' */
    struct neg_person who[NEG_PEOPLE];
    struct mls_group *alice;
    struct mls_group *bob;
    struct mls_group *carol;
    struct mls_key_package_made dave; /* its key package */
    bool in_group;                    /* Dave is in that group already */
    struct mls_group *parent;         /* what Dave says it continues */
    uint16_t suite;
};

/* Everybody in place, in epoch 2.  ERR_* is a bug of the test. */
MUST_CHECK enum err neg_init(struct neg *n, uint16_t suite);
void neg_clear(struct neg *n);

/* ------------------------------------------------------------------- cases */

enum neg_how {
    NEG_PROCESS,   /* Bob gets it */
    NEG_UNPROTECT, /* Bob gets it as application data */
    NEG_JOIN,      /* Dave gets it as a Welcome */
    NEG_EXTERNAL,  /* Dave joins with it as a GroupInfo */
    NEG_CALL       /* make itself calls Bob and gives back what he says */
};

struct neg_case {
    enum mls_rule rule;
    enum neg_how how;
    enum err (*make)(struct neg *n, struct bytes *out);
};

/* The cases of one file; *count_out of them. */
const struct neg_case *neg_message_cases(size_t *count_out);
const struct neg_case *neg_proposal_cases(size_t *count_out);
const struct neg_case *neg_list_cases(size_t *count_out);
const struct neg_case *neg_commit_cases(size_t *count_out);
const struct neg_case *neg_join_cases(size_t *count_out);
const struct neg_case *neg_tree_cases(size_t *count_out);

/* ----------------------------------------------------------------- making */

/* A content of Alice of the present epoch. */
struct mls_content neg_content(const struct neg *n, enum mls_content_type type);

/* Sign c with key and seal it as PublicMessage; a commit gets tag. */
MUST_CHECK enum err neg_public(struct neg *n, const struct mls_content *c,
                               const struct prim_sign_key *key, struct view tag,
                               struct bytes *out);

/* A proposal of a member, by message. */
MUST_CHECK enum err neg_propose(struct neg *n, enum neg_who from,
                                const struct mls_proposal *p,
                                struct bytes *out);

/* Alice's commit of these by value, with path (or NULL) and a senseless
 * confirmation tag, which is looked at last. */
MUST_CHECK enum err neg_commit(struct neg *n, const struct mls_proposal *p,
                               size_t count, const struct mls_update_path *path,
                               struct bytes *out);

/* An honest commit of Alice, but for what change does to it before it is signed
 * again. */
struct neg_commit_parts {
    struct mls_content content;
    struct mls_commit commit;
    struct mls_proposal_or_ref *proposals;
    struct mls_update_path path;
    struct mls_update_path_node *nodes;
    struct mls_authenticated x;
    struct mls_epoch *next; /* the stage's */
};
MUST_CHECK enum err neg_changed_commit(
    struct neg *n, const struct mls_commit_opts *opts,
    enum err (*change)(struct neg *n, struct neg_commit_parts *p),
    struct bytes *out);

/* Sign a leaf again, as for leaf_index. */
MUST_CHECK enum err neg_sign_leaf(struct neg *n, enum neg_who who,
                                  uint32_t leaf_index, struct mls_leaf_node *l);

/* A key package of who as change leaves it, signed again. */
MUST_CHECK enum err
neg_key_package(struct neg *n, enum neg_who who,
                enum err (*change)(struct neg *n, struct mls_key_package *kp),
                struct bytes *out);

/* Alice commits these with all rules off; fully consistent otherwise. */
MUST_CHECK enum err neg_commit_off(struct neg *n,
                                   const struct mls_commit_opts *opts,
                                   struct bytes *out);
MUST_CHECK enum err neg_commit_one(struct neg *n,
                                   const struct mls_proposal_in *in,
                                   size_t count, struct bytes *out);

/* Dave's external commit, changed and signed again. */
MUST_CHECK enum err neg_changed_external(
    struct neg *n,
    enum err (*change)(struct neg *n, struct neg_commit_parts *p),
    struct bytes *out);

/* A Welcome to Dave in the making; what change leaves is sealed and signed. */
struct neg_welcome_parts {
    struct mls_welcome welcome;
    struct mls_own_key_package own; /* Dave's */
    struct mls_group_secrets secrets;
    struct mls_group_info info;
    bool keep_tag; /* do not compute the confirmation tag again */
};
MUST_CHECK enum err neg_changed_welcome(
    struct neg *n, bool with_path,
    enum err (*change)(struct neg *n, struct neg_welcome_parts *p),
    struct bytes *out);

/* A GroupInfo of Alice as change leaves it, signed. */
MUST_CHECK enum err
neg_changed_info(struct neg *n,
                 enum err (*change)(struct neg *n, struct mls_group_info *x),
                 struct bytes *out);

/* Replace the data of an extension in x; data NULL takes it away. */
MUST_CHECK enum err neg_set_extension(struct neg *n, struct mls_extensions *x,
                                      uint16_t type, const struct view *data);

/* A copy in n->arena. */
MUST_CHECK enum err neg_keep(struct neg *n, struct view v, struct view *out);

#endif
