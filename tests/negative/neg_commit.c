/* SPDX-License-Identifier: Apache-2.0 */
/* Commits whose path or tag breaks a rule (RFC 9420 7.5, 7.6, 12.4), and
 * external commits (12.4.3.2). */
#include "tests/negative/neg.h"

#include <string.h>

/* [commit-path-required] */
static enum err
remove_without_path(struct neg *n, struct bytes *out)
{
    struct mls_proposal p = {.type = MLS_PROPOSAL_REMOVE,
                             .u = {.remove = NEG_CAROL}};

    return neg_commit(n, &p, 1, NULL, out);
}

static enum err
empty_without_path(struct neg *n, struct bytes *out)
{
    return neg_commit(n, NULL, 0, NULL, out);
}

static enum err
extensions_without_path(struct neg *n, struct bytes *out)
{
    struct mls_proposal p = {.type = MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS};

    return neg_commit(n, &p, 1, NULL, out);
}

/* A case that changes an empty commit of Alice. */
#define PATH_CASE(name)                                          \
    static enum err name(struct neg *n, struct bytes *out)       \
    {                                                            \
        struct mls_commit_opts opts = {0};                       \
                                                                 \
        return neg_changed_commit(n, &opts, change_##name, out); \
    }                                                            \
    _Static_assert(true, "")

/* [leaf-source-commit] */
static enum err
change_path_source(struct neg *n, struct neg_commit_parts *p)
{
    p->path.leaf_node.source = MLS_LEAF_UPDATE;
    return neg_sign_leaf(n, NEG_ALICE, NEG_ALICE, &p->path.leaf_node);
}
PATH_CASE(path_source);

/* [leaf-commit-key] */
static enum err
change_path_old_key(struct neg *n, struct neg_commit_parts *p)
{
    p->path.leaf_node.encryption_key =
        mls_tree_leaf(&n->alice->now->tree, NEG_ALICE)->encryption_key;
    return neg_sign_leaf(n, NEG_ALICE, NEG_ALICE, &p->path.leaf_node);
}
PATH_CASE(path_old_key);

/* [leaf-signature]: for another place in the tree */
static enum err
change_path_signature(struct neg *n, struct neg_commit_parts *p)
{
    return neg_sign_leaf(n, NEG_ALICE, NEG_BOB, &p->path.leaf_node);
}
PATH_CASE(path_signature);

/* [path-length] */
static enum err
change_path_shorter(struct neg *n, struct neg_commit_parts *p)
{
    (void)n;
    p->path.count--;
    return OK;
}
PATH_CASE(path_shorter);

static enum err
change_path_longer(struct neg *n, struct neg_commit_parts *p)
{
    (void)n;
    p->nodes[p->path.count] = p->nodes[0];
    p->path.count++;
    return OK;
}
PATH_CASE(path_longer);

/* [path-ciphertexts] */
static enum err
change_path_no_ciphertext(struct neg *n, struct neg_commit_parts *p)
{
    (void)n;
    p->nodes[0].count--;
    return OK;
}
PATH_CASE(path_no_ciphertext);

/* [path-key-size] */
static enum err
change_path_key_size(struct neg *n, struct neg_commit_parts *p)
{
    (void)n;
    p->nodes[1].encryption_key.len--;
    return OK;
}
PATH_CASE(path_key_size);

/* [path-keys-unique]: a key of the tree, and the same key twice */
static enum err
change_path_key_of_tree(struct neg *n, struct neg_commit_parts *p)
{
    p->nodes[1].encryption_key =
        mls_tree_leaf(&n->alice->now->tree, NEG_BOB)->encryption_key;
    return OK;
}
PATH_CASE(path_key_of_tree);

static enum err
change_path_key_twice(struct neg *n, struct neg_commit_parts *p)
{
    (void)n;
    p->nodes[1].encryption_key = p->nodes[0].encryption_key;
    return OK;
}
PATH_CASE(path_key_twice);

/* [path-parent-hash]: of the leaf, and through a changed key */
static enum err
change_path_parent_hash(struct neg *n, struct neg_commit_parts *p)
{
    static const uint8_t HASH[32] = {1};

    p->path.leaf_node.parent_hash = VIEW_ARRAY(HASH);
    return neg_sign_leaf(n, NEG_ALICE, NEG_ALICE, &p->path.leaf_node);
}
PATH_CASE(path_parent_hash);

static enum err
change_path_other_key(struct neg *n, struct neg_commit_parts *p)
{
    static const uint8_t KEY[32] = {99};

    (void)n;
    p->nodes[1].encryption_key = VIEW_ARRAY(KEY);
    return OK;
}
PATH_CASE(path_other_key);

/* [path-keys-unique]: Bob's key in the leaf, the leaf's key in a node */
static enum err
change_path_leaf_of_bob(struct neg *n, struct neg_commit_parts *p)
{
    p->path.leaf_node.encryption_key =
        mls_tree_leaf(&n->alice->now->tree, NEG_BOB)->encryption_key;
    return neg_sign_leaf(n, NEG_ALICE, NEG_ALICE, &p->path.leaf_node);
}
PATH_CASE(path_leaf_of_bob);

static enum err
change_path_key_of_leaf(struct neg *n, struct neg_commit_parts *p)
{
    (void)n;
    p->nodes[1].encryption_key = p->path.leaf_node.encryption_key;
    return OK;
}
PATH_CASE(path_key_of_leaf);

/* Replace what is sealed to Bob, the only one below the first copath node. */
static enum err
seal_to_bob(struct neg *n, struct neg_commit_parts *p,
            struct mls_hpke_ciphertext sealed)
{
    struct mls_hpke_ciphertext *c = arena_alloc(&n->arena, sizeof(*c));

    if (c == NULL) {
        return ERR_NOMEM;
    }
    *c = sealed;
    p->nodes[0].secrets = c;
    return OK;
}

/* [path-decrypt] */
static enum err
change_path_ciphertext(struct neg *n, struct neg_commit_parts *p)
{
    enum err e;
    struct mls_hpke_ciphertext c = p->nodes[0].secrets[0];
    uint8_t *copy = arena_alloc(&n->arena, c.ciphertext.len);

    TRY(copy == NULL ? ERR_NOMEM : OK);
    memcpy(copy, c.ciphertext.p, c.ciphertext.len);
    copy[3] ^= 1;
    c.ciphertext.p = copy;
    TRY(seal_to_bob(n, p, c));
out:
    return e;
}
PATH_CASE(path_ciphertext);

/* [path-secret-key]: well sealed, but another secret than the keys are of */
static enum err
change_path_other_secret(struct neg *n, struct neg_commit_parts *p)
{
    enum err e;
    const struct mls_epoch *now = n->alice->now;
    struct mls_group_context c = p->next->context;
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    static const uint8_t SECRET[32] = {1};
    uint8_t *b = arena_alloc(&n->arena, 32 + 48);

    TRY(b == NULL ? ERR_NOMEM : OK);
    c.confirmed_transcript_hash = now->context.confirmed_transcript_hash;
    mls_group_context_write(&w, &c);
    TRY(w.e);
    TRY(mls_encrypt(now->suite, &n->rng.rng,
                    mls_tree_leaf(&now->tree, NEG_BOB)->encryption_key,
                    VIEW_LIT("UpdatePathNode"), proto_tls_wr_view(&w),
                    VIEW_ARRAY(SECRET), b, b + 32));
    TRY(seal_to_bob(
        n, p,
        (struct mls_hpke_ciphertext){view_make(b, 32), view_make(b + 32, 48)}));
out:
    proto_tls_wr_clear(&w);
    return e;
}
PATH_CASE(path_other_secret);

/* [confirmation-tag] */
static enum err
change_tag(struct neg *n, struct neg_commit_parts *p)
{
    static const uint8_t TAG[32] = {1};

    (void)n;
    p->x.auth.confirmation_tag = VIEW_ARRAY(TAG);
    return OK;
}
PATH_CASE(tag);

static enum err
change_short_tag(struct neg *n, struct neg_commit_parts *p)
{
    (void)n;
    p->x.auth.confirmation_tag.len--;
    return OK;
}
PATH_CASE(short_tag);

/* [leaf-signature-key-unique]: Alice takes Carol's signature key */
static enum err
carols_signature_key(struct neg *n, struct bytes *out)
{
    struct mls_identity id = n->who[NEG_CAROL].id;
    struct mls_commit_opts opts = {.identity = &id};

    id.credential = VIEW_LIT("alice");
    return neg_commit_off(n, &opts, out);
}

/* --------------------------------------------------------- external commits */

#define EXTERNAL_CASE(name)                                 \
    static enum err name(struct neg *n, struct bytes *out)  \
    {                                                       \
        return neg_changed_external(n, change_##name, out); \
    }                                                       \
    _Static_assert(true, "")

static enum err
append(struct neg_commit_parts *p, struct mls_proposal proposal)
{
    p->proposals[p->commit.count].type = MLS_BY_VALUE;
    p->proposals[p->commit.count].u.proposal = proposal;
    p->commit.count++;
    return OK;
}

/* [external-path] */
static enum err
change_external_path(struct neg *n, struct neg_commit_parts *p)
{
    (void)n;
    p->commit.path = NULL;
    return OK;
}
EXTERNAL_CASE(external_path);

/* [external-one-init] */
static enum err
change_no_init(struct neg *n, struct neg_commit_parts *p)
{
    (void)n;
    p->commit.count = 0;
    return OK;
}
EXTERNAL_CASE(no_init);

static enum err
change_two_inits(struct neg *n, struct neg_commit_parts *p)
{
    (void)n;
    return append(p, p->proposals[0].u.proposal);
}
EXTERNAL_CASE(two_inits);

/* [external-one-remove] */
static enum err
change_two_removes(struct neg *n, struct neg_commit_parts *p)
{
    struct mls_proposal remove = {.type = MLS_PROPOSAL_REMOVE,
                                  .u = {.remove = NEG_CAROL}};
    enum err e = append(p, remove);

    (void)n;
    return e != OK ? e : append(p, remove);
}
EXTERNAL_CASE(two_removes);

/* [external-remove-self]: without an authentication service to ask */
static enum err
change_remove_carol(struct neg *n, struct neg_commit_parts *p)
{
    n->bob->env.check_leaf = NULL;
    return append(p, (struct mls_proposal){.type = MLS_PROPOSAL_REMOVE,
                                           .u = {.remove = NEG_CAROL}});
}
EXTERNAL_CASE(remove_carol);

/* [external-proposal-type] */
static enum err
change_external_extensions(struct neg *n, struct neg_commit_parts *p)
{
    (void)n;
    return append(p, (struct mls_proposal){
                         .type = MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS});
}
EXTERNAL_CASE(external_extensions);

/* [external-reference] */
static enum err
change_external_reference(struct neg *n, struct neg_commit_parts *p)
{
    static const uint8_t REF[32] = {1};

    (void)n;
    p->proposals[p->commit.count].type = MLS_BY_REFERENCE;
    p->proposals[p->commit.count].u.reference = VIEW_ARRAY(REF);
    p->commit.count++;
    return OK;
}
EXTERNAL_CASE(external_reference);

/* [external-kem]: too short, and of a degenerate key */
static enum err
change_short_kem(struct neg *n, struct neg_commit_parts *p)
{
    (void)n;
    p->proposals[0].u.proposal.u.kem_output.len--;
    return OK;
}
EXTERNAL_CASE(short_kem);

static enum err
change_zero_kem(struct neg *n, struct neg_commit_parts *p)
{
    static const uint8_t ZERO[32];

    (void)n;
    p->proposals[0].u.proposal.u.kem_output = VIEW_ARRAY(ZERO);
    return OK;
}
EXTERNAL_CASE(zero_kem);

/* [confirmation-tag] */
static enum err
change_external_tag(struct neg *n, struct neg_commit_parts *p)
{
    return change_tag(n, p);
}
EXTERNAL_CASE(external_tag);

static enum err
change_no_change(struct neg *n, struct neg_commit_parts *p)
{
    (void)n;
    (void)p;
    return OK;
}

/* [signature]: not by the key in the path's leaf */
static enum err
external_signed_by_another(struct neg *n, struct bytes *out)
{
    struct prim_sign_key key = n->who[NEG_DAVE].key;
    struct prim_sign_key other = n->who[NEG_MALLORY].key;
    struct bytes honest = {0};
    struct mls_message m;
    struct mls_content *c = &m.u.public_message.content;
    enum err e;

    TRY(neg_changed_external(n, change_no_change, &honest));
    TRY(mls_message_decode(&n->arena, view_of(&honest), &m, NULL));
    e = view_equal(c->u.commit->path->leaf_node.signature_key,
                   prim_sign_key_pub(&key))
            ? OK
            : ERR_INTERNAL;
    TRY(e);
    TRY(neg_public(n, c, &other, m.u.public_message.auth.confirmation_tag,
                   out));
out:
    bytes_free(&honest);
    return e;
}

static const struct neg_case CASES[] = {
    {MLS_RULE_COMMIT_PATH_REQUIRED, NEG_PROCESS, remove_without_path},
    {MLS_RULE_COMMIT_PATH_REQUIRED, NEG_PROCESS, empty_without_path},
    {MLS_RULE_COMMIT_PATH_REQUIRED, NEG_PROCESS, extensions_without_path},
    {MLS_RULE_LEAF_SOURCE_COMMIT, NEG_PROCESS, path_source},
    {MLS_RULE_LEAF_COMMIT_KEY, NEG_PROCESS, path_old_key},
    {MLS_RULE_LEAF_SIGNATURE, NEG_PROCESS, path_signature},
    {MLS_RULE_LEAF_SIGNATURE_KEY_UNIQUE, NEG_PROCESS, carols_signature_key},
    {MLS_RULE_PATH_LENGTH, NEG_PROCESS, path_shorter},
    {MLS_RULE_PATH_LENGTH, NEG_PROCESS, path_longer},
    {MLS_RULE_PATH_CIPHERTEXTS, NEG_PROCESS, path_no_ciphertext},
    {MLS_RULE_PATH_KEY_SIZE, NEG_PROCESS, path_key_size},
    {MLS_RULE_PATH_KEYS_UNIQUE, NEG_PROCESS, path_key_of_tree},
    {MLS_RULE_PATH_KEYS_UNIQUE, NEG_PROCESS, path_key_twice},
    {MLS_RULE_PATH_KEYS_UNIQUE, NEG_PROCESS, path_leaf_of_bob},
    {MLS_RULE_PATH_KEYS_UNIQUE, NEG_PROCESS, path_key_of_leaf},
    {MLS_RULE_PATH_PARENT_HASH, NEG_PROCESS, path_parent_hash},
    {MLS_RULE_PATH_PARENT_HASH, NEG_PROCESS, path_other_key},
    {MLS_RULE_PATH_DECRYPT, NEG_PROCESS, path_ciphertext},
    {MLS_RULE_PATH_SECRET_KEY, NEG_PROCESS, path_other_secret},
    {MLS_RULE_CONFIRMATION_TAG, NEG_PROCESS, tag},
    {MLS_RULE_CONFIRMATION_TAG, NEG_PROCESS, short_tag},
    {MLS_RULE_CONFIRMATION_TAG, NEG_PROCESS, external_tag},
    {MLS_RULE_SIGNATURE, NEG_PROCESS, external_signed_by_another},
    {MLS_RULE_EXTERNAL_PATH, NEG_PROCESS, external_path},
    {MLS_RULE_EXTERNAL_ONE_INIT, NEG_PROCESS, no_init},
    {MLS_RULE_EXTERNAL_ONE_INIT, NEG_PROCESS, two_inits},
    {MLS_RULE_EXTERNAL_ONE_REMOVE, NEG_PROCESS, two_removes},
    {MLS_RULE_EXTERNAL_REMOVE_SELF, NEG_PROCESS, remove_carol},
    {MLS_RULE_EXTERNAL_PROPOSAL_TYPE, NEG_PROCESS, external_extensions},
    {MLS_RULE_EXTERNAL_REFERENCE, NEG_PROCESS, external_reference},
    {MLS_RULE_EXTERNAL_KEM, NEG_PROCESS, short_kem},
    {MLS_RULE_EXTERNAL_KEM, NEG_PROCESS, zero_kem},
};

const struct neg_case *
neg_commit_cases(size_t *count_out)
{
    *count_out = sizeof(CASES) / sizeof(CASES[0]);
    return CASES;
}
