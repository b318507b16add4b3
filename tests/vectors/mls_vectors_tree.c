/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of the ratchet tree: its operations, its hashes, TreeKEM. */
#include "crypto/mls/framing.h"
#include "crypto/mls/tree_hash.h"
#include "crypto/mls/treekem.h"
#include "tests/vectors/mls_vectors.h"

#include <string.h>

static struct mls_tree
read_tree(struct vec *v, const char *key)
{
    struct mls_tree t = {0};
    enum mls_rule broken = MLS_RULE_NONE;

    VEC_OK(v,
           mls_tree_read(v->mem, v->suite, vec_hex(v, v->j, key), &t, &broken));
    return t;
}

static void
check_encoded(struct vec *v, const struct mls_tree *t, const char *key)
{
    struct proto_tls_wr w = proto_tls_wr_open(v->mem);

    mls_tree_write(&w, t);
    vec_eq_hex(v, vec_written(v, &w), v->j, key);
}

static void
check_root_hash(struct vec *v, struct mls_tree *t, const json_t *j,
                const char *key)
{
    struct mls_hash h;

    VEC_OK(v, mls_tree_root_hash(t, &h));
    vec_eq_hex(v, mls_hash_view(&h), j, key);
}

/* ------------------------------------------------------------ operations */

void
vec_run_tree_operations(struct vec *v)
{
    struct mls_tree t = read_tree(v, "tree_before");
    struct mls_proposal p;
    struct mls_leaf *leaf = NULL;
    uint32_t index;

    check_root_hash(v, &t, v->j, "tree_hash_before");
    VEC_OK(v, mls_proposal_decode(v->arena, vec_hex(v, v->j, "proposal"), &p));
    switch (p.type) {
    case MLS_PROPOSAL_ADD:
        VEC_OK(v, mls_leaf_copy(v->mem, &p.u.add->leaf_node, &leaf));
        VEC_OK(v, mls_tree_add(&t, leaf, &index));
        break;
    case MLS_PROPOSAL_UPDATE:
        VEC_OK(v, mls_leaf_copy(v->mem, p.u.update, &leaf));
        mls_tree_update(&t, (uint32_t)vec_num(v, v->j, "proposal_sender"),
                        leaf);
        break;
    case MLS_PROPOSAL_REMOVE:
        mls_tree_remove(&t, p.u.remove);
        mls_tree_truncate(&t);
        break;
    default:
        vec_fail(v, "proposal of type %u", p.type);
    }
    check_encoded(v, &t, "tree_after");
    check_root_hash(v, &t, v->j, "tree_hash_after");
    mls_leaf_drop(leaf);
    mls_tree_free(&t);
}

/* ------------------------------------------------------------ validation */

static void
check_resolution(struct vec *v, const struct mls_tree *t, uint32_t node)
{
    const json_t *want = json_array_get(vec_get(v, v->j, "resolutions"), node);
    struct mls_list got = {0};

    VEC_OK(v, mls_tree_resolve(t, node, NULL, &got));
    if (got.count != json_array_size(want)) {
        vec_fail(v, "resolution of node %u has %u nodes", node, got.count);
    }
    for (uint32_t i = 0; i < got.count; i++) {
        if (got.at[i] !=
            (uint64_t)json_integer_value(json_array_get(want, i))) {
            vec_fail(v, "resolution of node %u has %u", node, got.at[i]);
        }
    }
    mls_list_free(&got);
}

void
vec_run_tree_validation(struct vec *v)
{
    struct mls_tree t = read_tree(v, "tree");
    struct view group_id = vec_hex(v, v->j, "group_id");
    const json_t *hashes = vec_get(v, v->j, "tree_hashes");
    enum mls_rule broken = MLS_RULE_NONE;
    struct mls_hash h;

    VEC_CHECK(v, json_array_size(hashes) == t.count);
    for (uint32_t node = 0; node < t.count; node++) {
        check_resolution(v, &t, node);
        VEC_OK(v, mls_tree_hash(&t, node, &h));
        VEC_EQ(v, mls_hash_view(&h), vec_unhex(v, json_array_get(hashes, node)),
               "tree hash");
    }
    VEC_OK(v, mls_tree_verify(&t, &broken));
    for (uint32_t i = 0; i < mls_tree_leaves(&t); i++) {
        const struct mls_leaf_node *leaf = mls_tree_leaf(&t, i);
        if (leaf != NULL) {
            VEC_OK(v, mls_leaf_node_verify(v->suite, v->mem, leaf, group_id, i,
                                           &broken));
        }
    }
    check_encoded(v, &t, "tree");
    mls_tree_free(&t);
}

/* --------------------------------------------------------------- treekem */

enum {
    MEMBERS_MAX = 64
};

/* A member of which the vector tells the private keys. */
struct private_leaf {
    uint32_t index;
    struct mls_tree_keys keys;
    struct prim_sign_key sign;
};

struct treekem {
    struct mls_tree tree;
    struct view group_id;
    uint64_t epoch;
    struct view confirmed;
    size_t count;
    struct private_leaf at[MEMBERS_MAX];
};

static void
pair_of(struct vec *v, const struct prim_secret *path_secret,
        struct prim_kem_pair *out)
{
    struct prim_secret node;

    mls_derive_secret(v->suite, path_secret, VIEW_LIT("node"), &node);
    VEC_OK(v, prim_kem_derive(&v->suite->prim, prim_secret_view(&node), out));
}

static void
read_private(struct vec *v, struct treekem *g, const json_t *j)
{
    struct private_leaf *p = &g->at[g->count++];
    const json_t *secrets = vec_get(v, j, "path_secrets");
    struct view seed = vec_hex(v, j, "signature_priv");
    struct prim_kem_pair pair;

    p->index = (uint32_t)vec_num(v, j, "index");
    VEC_CHECK(v, seed.len == PRIM_ED25519_SEED);
    prim_ed25519_from_seed(seed.p, &p->sign);
    VEC_OK(v, prim_kem_from_priv(&v->suite->prim,
                                 vec_hex(v, j, "encryption_priv"), &pair));
    VEC_EQ(v, prim_kem_pub(&pair), mls_tree_key(&g->tree, 2 * p->index),
           "leaf key");
    mls_tree_keys_set(&p->keys, 2 * p->index, &pair);
    for (size_t i = 0; i < json_array_size(secrets); i++) {
        const json_t *s = json_array_get(secrets, i);
        uint32_t node = (uint32_t)vec_num(v, s, "node");
        struct prim_secret secret = vec_secret(v, s, "path_secret");
        pair_of(v, &secret, &pair);
        VEC_EQ(v, prim_kem_pub(&pair), mls_tree_key(&g->tree, node),
               "node key");
        mls_tree_keys_set(&p->keys, node, &pair);
    }
}

/* Every other member takes the path and gets the same commit secret. */
static void
check_receivers(struct vec *v, struct treekem *g, uint32_t sender,
                const struct mls_update_path *path, struct mls_tree *after,
                const struct prim_secret *commit, const json_t *path_secrets)
{
    struct mls_hash h;
    struct view context;
    enum mls_rule broken = MLS_RULE_NONE;

    VEC_OK(v, mls_tree_root_hash(after, &h));
    context = vec_group_context(v, g->group_id, g->epoch, mls_hash_view(&h),
                                g->confirmed);
    for (size_t i = 0; i < g->count; i++) {
        struct private_leaf *p = &g->at[i];
        struct mls_tree_keys keys = p->keys;
        struct mls_path_in in = {.path = path,
                                 .sender = sender,
                                 .own = p->index,
                                 .context = context};
        struct prim_secret got;
        struct prim_kem_pair pair;
        const json_t *want = json_array_get(path_secrets, p->index);

        if (p->index == sender) {
            continue;
        }
        VEC_OK(v, mls_path_decrypt(after, &in, &keys, &got, &broken));
        VEC_EQ(v, prim_secret_view(&got), prim_secret_view(commit),
               "commit secret");
        if (path_secrets != NULL) {
            struct prim_secret secret = {0};
            uint32_t node = mls_math_common(2 * sender, 2 * p->index);
            VEC_OK(v, prim_secret_set(&secret, vec_unhex(v, want)));
            pair_of(v, &secret, &pair);
            VEC_CHECK(v, mls_tree_keys_find(&keys, after, node) != NULL);
            VEC_EQ(v, prim_kem_pub(&pair), mls_tree_key(after, node),
                   "path secret");
        }
    }
}

static void
check_path(struct vec *v, struct treekem *g, const json_t *j)
{
    uint32_t sender = (uint32_t)vec_num(v, j, "sender");
    struct prim_secret commit = vec_secret(v, j, "commit_secret");
    struct mls_update_path path;
    struct mls_tree after = {0};
    enum mls_rule broken = MLS_RULE_NONE;

    VEC_OK(v, mls_update_path_decode(v->arena, vec_hex(v, j, "update_path"),
                                     &path));
    VEC_OK(v, mls_leaf_node_verify(v->suite, v->mem, &path.leaf_node,
                                   g->group_id, sender, &broken));
    VEC_OK(v, mls_tree_copy(&g->tree, &after));
    VEC_OK(v, mls_path_apply(&after, sender, &path, NULL, &broken));
    check_root_hash(v, &after, j, "tree_hash_after");
    check_receivers(v, g, sender, &path, &after, &commit,
                    vec_get(v, j, "path_secrets"));
    mls_tree_free(&after);
}

/* Our own path from that member. */
static void
check_own_path(struct vec *v, struct treekem *g, struct private_leaf *p)
{
    struct mls_tree made = {0};
    struct mls_tree taken = {0};
    struct mls_own_path own;
    struct mls_update_path path;
    struct mls_hash h;
    struct mls_leaf_signer signer = {.key = &p->sign, .group_id = g->group_id};
    enum mls_rule broken = MLS_RULE_NONE;
    struct view context;

    VEC_OK(v, mls_tree_copy(&g->tree, &made));
    VEC_OK(v, mls_tree_copy(&g->tree, &taken));
    VEC_OK(v, mls_path_make(&made, v->rng, p->index,
                            mls_tree_leaf(&g->tree, p->index), &signer, &own));
    VEC_OK(v, mls_tree_root_hash(&made, &h));
    context = vec_group_context(v, g->group_id, g->epoch, mls_hash_view(&h),
                                g->confirmed);
    VEC_OK(v, mls_path_encrypt(&made, v->rng, v->arena, p->index, &own, NULL,
                               context, &path));
    VEC_OK(v, mls_leaf_node_verify(v->suite, v->mem, &path.leaf_node,
                                   g->group_id, p->index, &broken));
    VEC_OK(v, mls_path_apply(&taken, p->index, &path, NULL, &broken));
    VEC_OK(v, mls_tree_verify(&taken, &broken));
    check_receivers(v, g, p->index, &path, &taken, &own.commit, NULL);
    mls_tree_free(&made);
    mls_tree_free(&taken);
}

void
vec_run_treekem(struct vec *v)
{
    struct treekem *g = arena_alloc(v->arena, sizeof(*g));
    const json_t *leaves = vec_get(v, v->j, "leaves_private");
    const json_t *paths = vec_get(v, v->j, "update_paths");

    VEC_CHECK(v, g != NULL);
    g->tree = read_tree(v, "ratchet_tree");
    g->group_id = vec_hex(v, v->j, "group_id");
    g->epoch = vec_num(v, v->j, "epoch");
    g->confirmed = vec_hex(v, v->j, "confirmed_transcript_hash");
    VEC_CHECK(v, json_array_size(leaves) <= MEMBERS_MAX);
    for (size_t i = 0; i < json_array_size(leaves); i++) {
        read_private(v, g, json_array_get(leaves, i));
    }
    for (size_t i = 0; i < json_array_size(paths); i++) {
        check_path(v, g, json_array_get(paths, i));
    }
    for (size_t i = 0; i < g->count; i++) {
        check_own_path(v, g, &g->at[i]);
    }
    mls_tree_free(&g->tree);
}
