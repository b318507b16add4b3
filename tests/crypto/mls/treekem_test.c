/* SPDX-License-Identifier: Apache-2.0 */
/* TreeKEM: a path that everybody can use, and paths that nobody may. */
#include "crypto/mls/treekem.h"

#include "tests/support/check.h"
#include "tests/support/fail_mem.h"
#include "tests/support/seed_rng.h"

#include <string.h>

static const uint8_t GROUP[] = "group";
static const uint8_t CONTEXT[] = "context";

enum {
    MEMBERS = 5
};

/* Five members, each with its private keys; member 0 committed once. */
struct set {
    struct seed_rng rng;
    struct arena arena;
    const struct mls_suite *suite;
    struct prim_sign_key sign;
    struct mls_tree tree;
    struct mls_tree_keys keys[MEMBERS];
    /* a path of member 1, on the tree before it */
    struct mls_own_path path;
    struct mls_tree after;
    struct mls_update_path update;
};

static void
add_member(struct set *s, uint32_t i)
{
    struct prim_kem_pair pair;
    struct mls_leaf *leaf = NULL;
    uint32_t index = 0;
    struct mls_leaf_node n = {
        .signature_key = prim_sign_key_pub(&s->sign),
        .credential = {MLS_CREDENTIAL_BASIC, VIEW_LIT("x")},
        .capabilities = {.versions = MLS_U16S("\x00\x01"),
                         .suites = MLS_U16S("\x00\x01"),
                         .credentials = MLS_U16S("\x00\x01")},
        .source = MLS_LEAF_KEY_PACKAGE,
        .signature = VIEW_LIT("none"),
    };

    CHECK_OK(prim_kem_generate(&s->suite->prim, &s->rng.rng, &pair));
    n.encryption_key = prim_kem_pub(&pair);
    CHECK_OK(mls_leaf_copy(mem_heap(), &n, &leaf));
    CHECK_OK(mls_tree_add(&s->tree, leaf, &index));
    mls_leaf_drop(leaf);
    CHECK_EQ(index, i);
    mls_tree_keys_set(&s->keys[i], 2 * i, &pair);
}

/* Member from makes a path on *t; what others get is in *out. */
static void
make(struct set *s, struct mls_tree *t, uint32_t from,
     struct mls_update_path *out)
{
    struct mls_leaf_signer signer = {&s->sign, VIEW_ARRAY(GROUP)};

    mls_own_path_wipe(&s->path);
    CHECK_OK(mls_path_make(t, &s->rng.rng, from, mls_tree_leaf(t, from),
                           &signer, &s->path));
    CHECK_OK(mls_path_encrypt(t, &s->rng.rng, &s->arena, from, &s->path, NULL,
                              VIEW_ARRAY(CONTEXT), out));
}

static enum err
receive(struct set *s, const struct mls_update_path *update, uint32_t from,
        uint32_t to, struct mls_tree_keys *keys, enum mls_rule *broken)
{
    enum err e;
    struct mls_tree t = {0};
    struct mls_path_in in = {update, from, to, NULL, VIEW_ARRAY(CONTEXT)};
    struct prim_secret secret = {0};

    CHECK_OK(mls_tree_copy(&s->tree, &t));
    TRY(mls_path_apply(&t, from, update, NULL, broken));
    TRY(mls_path_decrypt(&t, &in, keys, &secret, broken));
    CHECK_VIEW(prim_secret_view(&secret), prim_secret_view(&s->path.commit));
out:
    mls_tree_free(&t);
    return e;
}

/* Member 1 commits on a tree where member 0 did, and 4 is unmerged. */
static void
start(struct set *s)
{
    static const uint8_t seed[32] = {1};
    struct mls_tree t = {0};

    memset(s, 0, sizeof(*s));
    seed_rng_init(&s->rng, 5);
    s->arena.mem = mem_heap();
    s->suite = mls_suite_find(MLS_SUITE_X25519_AES128GCM);
    s->tree = mls_tree_empty(mem_heap(), s->suite);
    prim_ed25519_from_seed(seed, &s->sign);
    for (uint32_t i = 0; i < 4; i++) {
        add_member(s, i);
    }
    CHECK_OK(mls_tree_copy(&s->tree, &t));
    make(s, &t, 0, &s->update);
    for (uint32_t i = 1; i < 4; i++) {
        CHECK_OK(receive(s, &s->update, 0, i, &s->keys[i], NULL));
    }
    mls_path_keep(&s->keys[0], 0, &s->path);
    mls_tree_free(&s->tree);
    s->tree = t;
    add_member(s, 4);
    CHECK_OK(mls_tree_copy(&s->tree, &s->after));
    make(s, &s->after, 1, &s->update);
}

static void
stop(struct set *s)
{
    mls_tree_free(&s->tree);
    mls_tree_free(&s->after);
    arena_clear(&s->arena);
    memset(s, 0, sizeof(*s));
}

TEST(everybody_gets_the_secret)
{
    struct set s;

    start(&s);
    for (uint32_t i = 0; i < MEMBERS; i++) {
        struct mls_tree_keys keys = s.keys[i];

        if (i != 1) {
            CHECK_OK(receive(&s, &s.update, 1, i, &keys, NULL));
            CHECK(mls_tree_keys_find(&keys, &s.after, 2 * i) != NULL);
            /* the root is new for everybody */
            CHECK(mls_tree_keys_find(&keys, &s.after,
                                     mls_math_root(s.after.count)) != NULL);
        }
    }
    /* old keys of the path are gone, by key and not by place */
    CHECK(mls_tree_keys_find(&s.keys[0], &s.after, 1) == NULL);
    mls_tree_keys_prune(&s.keys[0], &s.after);
    CHECK_EQ(s.keys[0].count, 1);
    stop(&s);
}

static void
refused(struct set *s, const struct mls_update_path *update, uint32_t to,
        enum mls_rule rule)
{
    enum mls_rule broken = MLS_RULE_NONE;
    struct mls_tree_keys keys = s->keys[to];

    CHECK_ERR(receive(s, update, 1, to, &keys, &broken), mls_rule_err(rule));
    CHECK_EQ(broken, rule);
}

TEST(shape_of_a_path)
{
    struct set s;
    struct mls_update_path bent;
    struct mls_update_path_node node[4];

    start(&s);
    CHECK_EQ(s.update.count, 3);
    bent = s.update;
    bent.count = 2;
    refused(&s, &bent, 0, MLS_RULE_PATH_LENGTH); /* [path-length] */
    memcpy(node, s.update.nodes, 3 * sizeof(node[0]));
    node[3] = node[2];
    bent = s.update;
    bent.nodes = node;
    bent.count = 4;
    refused(&s, &bent, 0, MLS_RULE_PATH_LENGTH);
    bent.count = 3;
    node[2].count--;
    refused(&s, &bent, 0, MLS_RULE_PATH_CIPHERTEXTS); /* [path-ciphertexts] */
    node[2].count++;
    node[1].encryption_key.len--;
    refused(&s, &bent, 0, MLS_RULE_PATH_KEY_SIZE); /* [path-key-size] */
    node[1].encryption_key = node[0].encryption_key;
    refused(&s, &bent, 0, MLS_RULE_PATH_KEYS_UNIQUE); /* [path-keys-unique] */
    node[1].encryption_key = mls_tree_key(&s.tree, 6);
    refused(&s, &bent, 0, MLS_RULE_PATH_KEYS_UNIQUE); /* [path-keys-unique] */
    stop(&s);
}

TEST(hashes_and_secrets_of_a_path)
{
    struct set s;
    struct mls_update_path bent;
    struct mls_update_path_node node[3];
    struct mls_hpke_ciphertext ct[4];
    uint8_t key[32];
    uint8_t sealed[64];

    start(&s);
    bent = s.update;
    memcpy(node, s.update.nodes, sizeof(node));
    bent.nodes = node;
    memcpy(key, node[1].encryption_key.p, 32);
    key[5] ^= 1;
    node[1].encryption_key = VIEW_ARRAY(key);
    refused(&s, &bent, 0, MLS_RULE_PATH_PARENT_HASH); /* [path-parent-hash] */
    node[1] = s.update.nodes[1];
    /* member 3 reads the ciphertext of node 1 of the path */
    memcpy(ct, node[1].secrets, node[1].count * sizeof(ct[0]));
    for (uint32_t i = 0; i < node[1].count; i++) {
        memcpy(sealed, ct[i].ciphertext.p, ct[i].ciphertext.len);
        sealed[0] ^= 1;
        ct[i].ciphertext.p = sealed;
    }
    node[1].secrets = ct;
    refused(&s, &bent, 3, MLS_RULE_PATH_DECRYPT); /* [path-decrypt] */
    for (uint32_t i = 0; i < node[1].count; i++) {
        ct[i].ciphertext.len--;
    }
    refused(&s, &bent, 3, MLS_RULE_PATH_DECRYPT);
    /* one who holds no key of the resolution */
    node[1] = s.update.nodes[1];
    mls_tree_keys_wipe(&s.keys[3]);
    refused(&s, &bent, 3, MLS_RULE_PATH_DECRYPT);
    stop(&s);
}

TEST(secret_that_does_not_fit)
{
    struct set s;
    struct mls_update_path bent;

    start(&s);
    /* the same tree, but a path secret that leads to other keys */
    s.path.secret[2].b[0] ^= 1;
    CHECK_OK(mls_path_encrypt(&s.after, &s.rng.rng, &s.arena, 1, &s.path, NULL,
                              VIEW_ARRAY(CONTEXT), &bent));
    refused(&s, &bent, 4, MLS_RULE_PATH_SECRET_KEY); /* [path-secret-key] */
    stop(&s);
}

TEST(secret_of_a_welcome)
{
    struct set s;
    struct mls_tree_keys keys = {0};
    enum mls_rule broken = MLS_RULE_NONE;

    start(&s);
    /* member 4 shares only the root with member 1 */
    CHECK_OK(mls_path_from_welcome(
        &s.after, 4, 1, prim_secret_view(&s.path.secret[2]), &keys, NULL));
    CHECK_EQ(keys.count, 1);
    CHECK_ERR(mls_path_from_welcome(&s.after, 4, 1,
                                    prim_secret_view(&s.path.secret[1]), &keys,
                                    &broken),
              ERR_AUTH);
    CHECK_EQ(broken, MLS_RULE_WELCOME_PATH_SECRET); /* [welcome-path-secret] */
    CHECK_ERR(mls_path_from_welcome(&s.after, 1, 1,
                                    prim_secret_view(&s.path.secret[1]), &keys,
                                    &broken),
              ERR_AUTH);
    stop(&s);
}

int
main(void)
{
    return RUN(T(everybody_gets_the_secret), T(shape_of_a_path),
               T(hashes_and_secrets_of_a_path), T(secret_that_does_not_fit),
               T(secret_of_a_welcome));
}
