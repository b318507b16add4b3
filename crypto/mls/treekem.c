/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/treekem.h"

#include "crypto/mls/framing.h"
#include "crypto/mls/tree_hash.h"
#include "proto/base/assert.h"

#include <string.h>

#define LABEL_PATH_NODE VIEW_LIT("UpdatePathNode")

/* -------------------------------------------------------------- private keys
 */

void
mls_tree_keys_wipe(struct mls_tree_keys *k)
{
    mem_wipe(k, sizeof(*k));
}

void
mls_tree_keys_set(struct mls_tree_keys *k, uint32_t node,
                  const struct prim_kem_pair *pair)
{
    uint32_t i = 0;

    while (i < k->count && k->at[i].node != node) {
        i++;
    }
    ASSERT(i < MLS_TREE_KEYS_MAX);
    if (i == k->count) {
        k->count++;
    }
    k->at[i].node = node;
    k->at[i].pair = *pair;
}

static bool
is_key_of(const struct mls_node_pair *p, const struct mls_tree *t)
{
    return p->node < t->count && !mls_tree_blank(t, p->node) &&
           view_equal(prim_kem_pub(&p->pair), mls_tree_key(t, p->node));
}

const struct prim_kem_pair *
mls_tree_keys_find(const struct mls_tree_keys *k, const struct mls_tree *t,
                   uint32_t node)
{
    for (uint32_t i = 0; i < k->count; i++) {
        if (k->at[i].node == node && is_key_of(&k->at[i], t)) {
            return &k->at[i].pair;
        }
    }
    return NULL;
}

void
mls_tree_keys_prune(struct mls_tree_keys *k, const struct mls_tree *t)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < k->count; i++) {
        if (is_key_of(&k->at[i], t)) {
            if (kept != i) {
                k->at[kept] = k->at[i];
            }
            kept++;
        }
    }
    mem_wipe(&k->at[kept], (MLS_TREE_KEYS_MAX - kept) * sizeof(k->at[0]));
    k->count = kept;
}

/* --------------------------------------------------------------- own paths */

void
mls_own_path_wipe(struct mls_own_path *p)
{
    mem_wipe(p, sizeof(*p));
}

/* RFC 9420 7.4: the key pair of a node, from its path secret. */
static enum err
node_pair(const struct mls_suite *s, const struct prim_secret *path_secret,
          struct prim_kem_pair *out)
{
    SCRUBBED_SECRET(node_secret);

    mls_derive_secret(s, path_secret, VIEW_LIT("node"), &node_secret);
    return prim_kem_derive(&s->prim, prim_secret_view(&node_secret), out);
}

/*
 * RFC 9420 7.9: the keys of a filtered path into the tree, from the top, each
 * with the hash of its parent; *hash_out is what the leaf has to carry.  The
 * topmost node of the filtered path, which may be below the root, and a leaf
 * without any, carry an empty one.
 */
static enum err
put_parents(struct mls_tree *t, const uint32_t *node, const uint32_t *copath,
            const struct view *key, uint32_t count, struct mls_hash *hash_out)
{
    enum err e = OK;
    struct mls_hash hash = {0};

    for (uint32_t i = count; i > 0; i--) {
        TRY(mls_tree_set_parent(t, node[i - 1], key[i - 1], &hash));
        TRY(mls_tree_parent_hash(t, node[i - 1], copath[i - 1], &hash));
    }
    *hash_out = hash;
out:
    return e;
}

/* A signed leaf of source commit, like another one, with a new key. */
static enum err
make_leaf(struct mls_tree *t, uint32_t index, const struct mls_leaf_node *like,
          struct view key, const struct mls_hash *parent_hash,
          const struct mls_leaf_signer *signer)
{
    enum err e;
    struct mls_leaf_node n = *like;
    struct mls_leaf *leaf = NULL;
    uint8_t sig[PRIM_SIG_MAX];
    size_t sig_len = 0;

    n.encryption_key = key;
    n.source = MLS_LEAF_COMMIT;
    n.parent_hash = mls_hash_view(parent_hash);
    TRY(mls_leaf_node_sign(t->suite, t->mem, &n, signer->group_id, index,
                           signer->key, sig, &sig_len));
    n.signature = view_make(sig, sig_len);
    TRY(mls_leaf_copy(t->mem, &n, &leaf));
    mls_tree_set_leaf(t, index, leaf);
out:
    mls_leaf_drop(leaf);
    return e;
}

/* Path secrets and key pairs for the p->count nodes of p, and what follows. */
static enum err
make_secrets(const struct mls_suite *s, const struct rng *rng,
             struct mls_own_path *p)
{
    enum err e;
    SCRUBBED_SECRET(next);

    next.len = s->prim.hash_size;
    TRY(rng_fill(rng, next.b, next.len));
    for (uint32_t i = 0; i < p->count; i++) {
        p->secret[i] = next;
        TRY(node_pair(s, &p->secret[i], &p->pair[i]));
        mls_derive_secret(s, &next, VIEW_LIT("path"), &next);
    }
    /* RFC 9420 8: the step after the last of the filtered path */
    p->commit = next;
    TRY(prim_kem_generate(&s->prim, rng, &p->leaf_pair));
out:
    return e;
}

enum err
mls_path_make(struct mls_tree *t, const struct rng *rng, uint32_t index,
              const struct mls_leaf_node *like,
              const struct mls_leaf_signer *signer, struct mls_own_path *out)
{
    enum err e;
    struct view key[MLS_DEPTH_MAX];
    struct mls_hash hash;

    /* RFC 9420 7.5: blank the whole direct path, fill the filtered one */
    mls_tree_blank_path(t, index);
    out->count = mls_tree_filtered(t, index, out->node, out->copath);
    TRY(make_secrets(t->suite, rng, out));
    for (uint32_t i = 0; i < out->count; i++) {
        key[i] = prim_kem_pub(&out->pair[i]);
    }
    TRY(put_parents(t, out->node, out->copath, key, out->count, &hash));
    TRY(make_leaf(t, index, like, prim_kem_pub(&out->leaf_pair), &hash,
                  signer));
out:
    return e;
}

void
mls_path_keep(struct mls_tree_keys *keys, uint32_t index,
              const struct mls_own_path *p)
{
    mls_tree_keys_wipe(keys);
    mls_tree_keys_set(keys, 2 * index, &p->leaf_pair);
    for (uint32_t i = 0; i < p->count; i++) {
        mls_tree_keys_set(keys, p->node[i], &p->pair[i]);
    }
}

/* Seal one path secret to one node. */
static enum err
seal_secret(const struct mls_suite *s, const struct rng *rng, struct arena *a,
            struct view pub, struct view context,
            const struct prim_secret *secret, struct mls_hpke_ciphertext *out)
{
    enum err e;
    size_t ct_len = (size_t)secret->len + s->prim.tag_size;
    uint8_t *kem = arena_alloc(a, s->prim.kem_pub_size);
    uint8_t *ct = arena_alloc(a, ct_len);

    if (kem == NULL || ct == NULL) {
        return ERR_NOMEM;
    }
    TRY(mls_encrypt(s, rng, pub, LABEL_PATH_NODE, context,
                    prim_secret_view(secret), kem, ct));
    out->kem_output = view_make(kem, s->prim.kem_pub_size);
    out->ciphertext = view_make(ct, ct_len);
out:
    return e;
}

/* Encrypt the i-th path secret to the resolution of its copath child. */
static enum err
seal_node(const struct mls_tree *t, const struct rng *rng, struct arena *a,
          const struct mls_own_path *p, uint32_t i, const struct mls_list *skip,
          struct view context, struct mls_update_path_node *out)
{
    enum err e;
    struct mls_list to = {0};
    struct mls_hpke_ciphertext *ct = NULL;

    TRY(mls_tree_resolve(t, p->copath[i], skip, &to));
    if (to.count > 0) {
        ct = arena_calloc(a, to.count, sizeof(*ct));
        if (ct == NULL) {
            e = ERR_NOMEM;
            goto out;
        }
    }
    for (uint32_t k = 0; k < to.count; k++) {
        TRY(seal_secret(t->suite, rng, a, mls_tree_key(t, to.at[k]), context,
                        &p->secret[i], &ct[k]));
    }
    out->encryption_key = prim_kem_pub(&p->pair[i]);
    out->secrets = ct;
    out->count = to.count;
out:
    mls_list_free(&to);
    return e;
}

enum err
mls_path_encrypt(const struct mls_tree *t, const struct rng *rng,
                 struct arena *a, uint32_t index, const struct mls_own_path *p,
                 const struct mls_list *skip, struct view context,
                 struct mls_update_path *out)
{
    enum err e = OK;
    struct mls_update_path_node *nodes = NULL;

    if (p->count > 0) {
        nodes = arena_calloc(a, p->count, sizeof(*nodes));
        if (nodes == NULL) {
            return ERR_NOMEM;
        }
    }
    for (uint32_t i = 0; i < p->count; i++) {
        TRY(seal_node(t, rng, a, p, i, skip, context, &nodes[i]));
    }
    out->leaf_node = *mls_tree_leaf(t, index);
    out->nodes = nodes;
    out->count = p->count;
out:
    return e;
}

/* ----------------------------------------------------------- received paths */

/*
 * Whether no key of the path is in the tree or twice in the path.  The leaf at
 * index is replaced by the path, so it does not count.
 */
static bool
keys_are_new(const struct mls_tree *t, uint32_t index,
             const struct mls_update_path *path)
{
    for (uint32_t i = 0; i <= path->count; i++) {
        struct view key = i < path->count ? path->nodes[i].encryption_key
                                          : path->leaf_node.encryption_key;

        for (uint32_t k = 0; k < i; k++) {
            if (view_equal(key, path->nodes[k].encryption_key)) {
                return false;
            }
        }
        for (uint32_t x = 0; x < t->count; x++) {
            if (x != 2 * index && !mls_tree_blank(t, x) &&
                view_equal(key, mls_tree_key(t, x))) {
                return false;
            }
        }
    }
    return true;
}

/* RFC 9420 7.6: one key a node of the filtered path, one ciphertext for each
 * node that the copath child resolves to. */
static enum err
check_shape(const struct mls_tree *t, const struct mls_update_path *path,
            const uint32_t *copath, uint32_t count, const struct mls_list *skip,
            enum mls_rule *broken)
{
    enum err e;
    struct mls_list to = {0};

    /* RFC 9420 7.6 [path-length] */
    TRY(mls_require(path->count == count, MLS_RULE_PATH_LENGTH, broken));
    for (uint32_t i = 0; i < count; i++) {
        to.count = 0;
        TRY(mls_tree_resolve(t, copath[i], skip, &to));
        /* RFC 9420 7.6 [path-ciphertexts] */
        TRY(mls_require(path->nodes[i].count == to.count,
                        MLS_RULE_PATH_CIPHERTEXTS, broken));
        /* RFC 9420 7.6 [path-key-size] */
        TRY(mls_require(path->nodes[i].encryption_key.len ==
                            t->suite->prim.kem_pub_size,
                        MLS_RULE_PATH_KEY_SIZE, broken));
    }
out:
    mls_list_free(&to);
    return e;
}

enum err
mls_path_apply(struct mls_tree *t, uint32_t index,
               const struct mls_update_path *path, const struct mls_list *skip,
               enum mls_rule *broken)
{
    enum err e;
    uint32_t node[MLS_DEPTH_MAX];
    uint32_t copath[MLS_DEPTH_MAX];
    struct view key[MLS_DEPTH_MAX];
    uint32_t count = mls_tree_filtered(t, index, node, copath);
    struct mls_leaf *leaf = NULL;
    struct mls_hash hash;

    TRY(check_shape(t, path, copath, count, skip, broken));
    /* RFC 9420 12.4.2 [path-keys-unique] */
    TRY(mls_require(keys_are_new(t, index, path), MLS_RULE_PATH_KEYS_UNIQUE,
                    broken));
    for (uint32_t i = 0; i < count; i++) {
        key[i] = path->nodes[i].encryption_key;
    }
    mls_tree_blank_path(t, index);
    TRY(put_parents(t, node, copath, key, count, &hash));
    /* RFC 9420 7.9.2 [path-parent-hash] */
    TRY(mls_require(
        view_equal(mls_hash_view(&hash), path->leaf_node.parent_hash),
        MLS_RULE_PATH_PARENT_HASH, broken));
    TRY(mls_leaf_new(t->mem, path->leaf_node.encoded, &leaf));
    mls_tree_set_leaf(t, index, leaf);
out:
    mls_leaf_drop(leaf);
    return e;
}

/* From the path secret of node[0] on: derive, compare, keep. */
static enum err
keep_derived(const struct mls_tree *t, const uint32_t *node, uint32_t count,
             struct prim_secret *path_secret, struct mls_tree_keys *keys,
             enum mls_rule rule, enum mls_rule *broken)
{
    enum err e = OK;
    SCRUBBED_STRUCT(prim_kem_pair, pair);

    for (uint32_t i = 0; i < count; i++) {
        TRY(node_pair(t->suite, path_secret, &pair));
        TRY(mls_require(
            !mls_tree_blank(t, node[i]) &&
                view_equal(prim_kem_pub(&pair), mls_tree_key(t, node[i])),
            rule, broken));
        mls_tree_keys_set(keys, node[i], &pair);
        mls_derive_secret(t->suite, path_secret, VIEW_LIT("path"), path_secret);
    }
out:
    return e;
}

/*
 * RFC 9420 7.5: which ciphertext of the copath child above us is ours: the one
 * for a node whose private key we hold, wherever that node is.
 */
static enum err
find_ours(const struct mls_tree *t, uint32_t copath,
          const struct mls_list *skip, const struct mls_tree_keys *keys,
          uint32_t *index_out, const struct prim_kem_pair **pair_out)
{
    enum err e;
    struct mls_list to = {0};

    *pair_out = NULL;
    TRY(mls_tree_resolve(t, copath, skip, &to));
    for (uint32_t i = 0; i < to.count && *pair_out == NULL; i++) {
        *pair_out = mls_tree_keys_find(keys, t, to.at[i]);
        *index_out = i;
    }
out:
    mls_list_free(&to);
    return e;
}

static enum err
open_secret(const struct mls_suite *s, const struct prim_kem_pair *pair,
            const struct mls_hpke_ciphertext *ct, struct view context,
            struct prim_secret *out)
{
    enum err e;

    if (ct->ciphertext.len != (size_t)s->prim.hash_size + s->prim.tag_size) {
        return ERR_AUTH;
    }
    e = mls_decrypt(s, pair, ct->kem_output, LABEL_PATH_NODE, context,
                    ct->ciphertext, out->b);
    out->len = s->prim.hash_size;
    /* A degenerate kem_output is one that nothing was sealed with. */
    return e == ERR_INVALID ? ERR_AUTH : e;
}

enum err
mls_path_decrypt(const struct mls_tree *t, const struct mls_path_in *in,
                 struct mls_tree_keys *keys, struct prim_secret *commit_out,
                 enum mls_rule *broken)
{
    enum err e;
    uint32_t node[MLS_DEPTH_MAX];
    uint32_t copath[MLS_DEPTH_MAX];
    uint32_t count = mls_tree_filtered(t, in->sender, node, copath);
    const struct prim_kem_pair *pair = NULL;
    uint32_t at = 0;
    uint32_t ours = 0;
    SCRUBBED_SECRET(secret);

    while (at < count && !mls_math_below(2 * in->own, copath[at])) {
        at++;
    }
    ASSERT(at < count && count == in->path->count);
    mls_tree_keys_prune(keys, t);
    TRY(find_ours(t, copath[at], in->skip, keys, &ours, &pair));
    /* RFC 9420 7.6 [path-decrypt] */
    TRY(mls_require(pair != NULL, MLS_RULE_PATH_DECRYPT, broken));
    TRY(mls_require_ok(open_secret(t->suite, pair,
                                   &in->path->nodes[at].secrets[ours],
                                   in->context, &secret),
                       ERR_AUTH, MLS_RULE_PATH_DECRYPT, broken));
    /* RFC 9420 7.5 [path-secret-key] */
    TRY(keep_derived(t, node + at, count - at, &secret, keys,
                     MLS_RULE_PATH_SECRET_KEY, broken));
    *commit_out = secret;
out:
    return e;
}

enum err
mls_path_from_welcome(const struct mls_tree *t, uint32_t own, uint32_t signer,
                      struct view path_secret, struct mls_tree_keys *keys,
                      enum mls_rule *broken)
{
    enum err e;
    uint32_t node[MLS_DEPTH_MAX];
    uint32_t copath[MLS_DEPTH_MAX];
    uint32_t count = mls_tree_filtered(t, signer, node, copath);
    uint32_t at = 0;
    SCRUBBED_SECRET(secret);

    while (at < count && !mls_math_below(2 * own, copath[at])) {
        at++;
    }
    /* RFC 9420 12.4.3.1 [welcome-path-secret] */
    TRY(mls_require(own != signer && at < count &&
                        path_secret.len == t->suite->prim.hash_size,
                    MLS_RULE_WELCOME_PATH_SECRET, broken));
    TRY(prim_secret_set(&secret, path_secret));
    TRY(keep_derived(t, node + at, count - at, &secret, keys,
                     MLS_RULE_WELCOME_PATH_SECRET, broken));
out:
    return e;
}
