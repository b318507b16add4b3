/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of what has no tree and no messages: arithmetic, labels, schedules.
 */
#include "crypto/mls/psk.h"
#include "crypto/mls/secret_tree.h"
#include "crypto/mls/transcript.h"
#include "crypto/mls/tree_math.h"
#include "crypto/prim/hpke.h"
#include "tests/vectors/mls_vectors.h"

#include <string.h>

void
vec_run_deserialization(struct vec *v)
{
    struct view header = vec_hex(v, v->j, "vlbytes_header");
    uint64_t length = vec_num(v, v->j, "length");
    struct proto_tls_rd r = proto_tls_rd_open(header);
    struct proto_tls_wr w = proto_tls_wr_open(v->mem);

    VEC_CHECK(v, proto_tls_rd_varint(&r) == length);
    VEC_OK(v, proto_tls_rd_end(&r));
    proto_tls_wr_varint(&w, (size_t)length);
    VEC_EQ(v, vec_written(v, &w), header, "written length");
}

static void
check_node(struct vec *v, const char *key, size_t x, bool present, uint32_t got)
{
    const json_t *want = json_array_get(vec_get(v, v->j, key), x);

    if (json_is_null(want) == present) {
        vec_fail(v, "%s of node %zu", key, x);
    }
    if (present && (uint64_t)json_integer_value(want) != got) {
        vec_fail(v, "%s of node %zu is %u", key, x, got);
    }
}

void
vec_run_tree_math(struct vec *v)
{
    uint32_t leaves = (uint32_t)vec_num(v, v->j, "n_leaves");
    uint32_t nodes = mls_math_nodes(leaves);
    uint32_t root = mls_math_root(nodes);

    VEC_CHECK(v, nodes == vec_num(v, v->j, "n_nodes"));
    VEC_CHECK(v, root == vec_num(v, v->j, "root"));
    for (uint32_t x = 0; x < nodes; x++) {
        bool leaf = mls_math_is_leaf(x);
        check_node(v, "left", x, !leaf, leaf ? 0 : mls_math_left(x));
        check_node(v, "right", x, !leaf, leaf ? 0 : mls_math_right(x));
        check_node(v, "parent", x, x != root,
                   x == root ? 0 : mls_math_parent(x));
        check_node(v, "sibling", x, x != root,
                   x == root ? 0 : mls_math_sibling(x));
    }
}

static struct prim_sign_key
sign_key(struct vec *v, const json_t *j, const char *key)
{
    struct prim_sign_key k;
    struct view seed = vec_hex(v, j, key);

    VEC_CHECK(v, seed.len == PRIM_ED25519_SEED);
    prim_ed25519_from_seed(seed.p, &k);
    return k;
}

static void
check_sign(struct vec *v, const json_t *j)
{
    struct prim_sign_key k = sign_key(v, j, "priv");
    struct view label = vec_text(v, j, "label");
    struct view content = vec_hex(v, j, "content");
    struct view pub = vec_hex(v, j, "pub");
    uint8_t sig[PRIM_SIG_MAX];
    size_t len;

    vec_eq_hex(v, prim_sign_key_pub(&k), j, "pub");
    VEC_OK(v, mls_verify(v->suite, v->mem, pub, label, content,
                         vec_hex(v, j, "signature")));
    VEC_OK(v, mls_sign(v->suite, v->mem, &k, label, content, sig, &len));
    VEC_OK(v, mls_verify(v->suite, v->mem, pub, label, content,
                         view_make(sig, len)));
    sig[0] ^= 1;
    VEC_CHECK(v, mls_verify(v->suite, v->mem, pub, label, content,
                            view_make(sig, len)) == ERR_AUTH);
}

static void
check_encrypt(struct vec *v, const json_t *j)
{
    struct prim_kem_pair pair;
    struct view label = vec_text(v, j, "label");
    struct view context = vec_hex(v, j, "context");
    struct view pt = vec_hex(v, j, "plaintext");
    struct view ct = vec_hex(v, j, "ciphertext");
    uint8_t enc[PRIM_KEM_PUB_MAX];
    uint8_t sealed[256];
    uint8_t opened[256];
    size_t sealed_len = pt.len + v->suite->prim.tag_size;

    VEC_CHECK(v, ct.len == sealed_len && ct.len <= sizeof(sealed));
    VEC_OK(v,
           prim_kem_from_priv(&v->suite->prim, vec_hex(v, j, "priv"), &pair));
    vec_eq_hex(v, prim_kem_pub(&pair), j, "pub");
    VEC_OK(v, mls_decrypt(v->suite, &pair, vec_hex(v, j, "kem_output"), label,
                          context, ct, opened));
    VEC_EQ(v, view_make(opened, pt.len), pt, "plaintext");
    VEC_OK(v, mls_encrypt(v->suite, v->rng, prim_kem_pub(&pair), label, context,
                          pt, enc, sealed));
    memset(opened, 0, sizeof(opened));
    VEC_OK(v, mls_decrypt(v->suite, &pair,
                          view_make(enc, v->suite->prim.kem_pub_size), label,
                          context, view_make(sealed, sealed_len), opened));
    VEC_EQ(v, view_make(opened, pt.len), pt, "own plaintext");
}

void
vec_run_crypto_basics(struct vec *v)
{
    const json_t *j = vec_get(v, v->j, "ref_hash");
    struct mls_hash hash;
    struct prim_secret secret;
    struct prim_secret out;
    uint8_t expanded[256];
    size_t len;

    mls_ref_hash(v->suite, vec_text(v, j, "label"), vec_hex(v, j, "value"),
                 &hash);
    vec_eq_hex(v, mls_hash_view(&hash), j, "out");

    j = vec_get(v, v->j, "expand_with_label");
    len = (size_t)vec_num(v, j, "length");
    VEC_CHECK(v, len <= sizeof(expanded));
    VEC_OK(v, mls_expand(v->suite, vec_hex(v, j, "secret"),
                         vec_text(v, j, "label"), vec_hex(v, j, "context"),
                         expanded, len));
    vec_eq_hex(v, view_make(expanded, len), j, "out");

    j = vec_get(v, v->j, "derive_secret");
    secret = vec_secret(v, j, "secret");
    mls_derive_secret(v->suite, &secret, vec_text(v, j, "label"), &out);
    vec_eq_secret(v, &out, j, "out");

    j = vec_get(v, v->j, "derive_tree_secret");
    secret = vec_secret(v, j, "secret");
    len = (size_t)vec_num(v, j, "length");
    VEC_CHECK(v, len <= PRIM_SECRET_MAX);
    mls_derive_tree_secret(v->suite, &secret, vec_text(v, j, "label"),
                           (uint32_t)vec_num(v, j, "generation"), len, &out);
    vec_eq_secret(v, &out, j, "out");

    check_sign(v, vec_get(v, v->j, "sign_with_label"));
    check_encrypt(v, vec_get(v, v->j, "encrypt_with_label"));
}

static void
check_epoch(struct vec *v, const json_t *j, uint64_t epoch,
            struct prim_secret *init)
{
    struct view context = vec_group_context(
        v, vec_hex(v, v->j, "group_id"), epoch, vec_hex(v, j, "tree_hash"),
        vec_hex(v, j, "confirmed_transcript_hash"));
    struct prim_secret commit = vec_secret(v, j, "commit_secret");
    struct prim_secret psk = vec_secret(v, j, "psk_secret");
    const json_t *x = vec_get(v, j, "exporter");
    size_t len = (size_t)vec_num(v, x, "length");
    struct prim_secret joiner;
    struct prim_secret welcome;
    struct mls_epoch_keys k;
    struct prim_kem_pair external;
    uint8_t out[256];

    vec_eq_hex(v, context, j, "group_context");
    mls_joiner_secret(v->suite, init, &commit, context, &joiner);
    vec_eq_secret(v, &joiner, j, "joiner_secret");
    mls_welcome_secret(v->suite, &joiner, &psk, &welcome);
    vec_eq_secret(v, &welcome, j, "welcome_secret");
    mls_epoch_keys_derive(v->suite, &joiner, &psk, context, &k);
    vec_eq_secret(v, &k.sender_data, j, "sender_data_secret");
    vec_eq_secret(v, &k.encryption, j, "encryption_secret");
    vec_eq_secret(v, &k.exporter, j, "exporter_secret");
    vec_eq_secret(v, &k.external, j, "external_secret");
    vec_eq_secret(v, &k.confirmation, j, "confirmation_key");
    vec_eq_secret(v, &k.membership, j, "membership_key");
    vec_eq_secret(v, &k.resumption_psk, j, "resumption_psk");
    vec_eq_secret(v, &k.authenticator, j, "epoch_authenticator");
    vec_eq_secret(v, &k.init, j, "init_secret");
    VEC_OK(v, mls_external_pair(v->suite, &k.external, &external));
    vec_eq_hex(v, prim_kem_pub(&external), j, "external_pub");
    VEC_CHECK(v, len <= sizeof(out));
    VEC_OK(v, mls_exporter(v->suite, &k.exporter, vec_text(v, x, "label"),
                           vec_hex(v, x, "context"), out, len));
    vec_eq_hex(v, view_make(out, len), x, "secret");
    *init = k.init;
}

void
vec_run_key_schedule(struct vec *v)
{
    struct prim_secret init = vec_secret(v, v->j, "initial_init_secret");
    const json_t *epochs = vec_get(v, v->j, "epochs");
    size_t i;
    const json_t *epoch;

    VEC_CHECK(v, json_array_size(epochs) > 0);
    for (i = 0; (epoch = json_array_get(epochs, i)) != NULL; i++) {
        check_epoch(v, epoch, i, &init);
    }
}

void
vec_run_psk_secret(struct vec *v)
{
    const json_t *psks = vec_get(v, v->j, "psks");
    struct mls_psk_input in[32];
    size_t n = json_array_size(psks);
    struct prim_secret out;

    VEC_CHECK(v, n <= sizeof(in) / sizeof(in[0]));
    for (size_t i = 0; i < n; i++) {
        const json_t *j = json_array_get(psks, i);
        struct mls_psk_id id = {.type = MLS_PSK_EXTERNAL,
                                .id = vec_hex(v, j, "psk_id"),
                                .nonce = vec_hex(v, j, "psk_nonce")};
        struct proto_tls_wr w = proto_tls_wr_open(v->mem);
        mls_psk_id_write(&w, &id);
        in[i].id = vec_written(v, &w);
        in[i].secret = vec_hex(v, j, "psk");
    }
    VEC_OK(v, mls_psk_secret(v->suite, in, n, &out));
    vec_eq_secret(v, &out, v->j, "psk_secret");
}

static void
check_generation(struct vec *v, struct mls_secret_tree *t, uint32_t leaf,
                 enum mls_ratchet type, const json_t *j)
{
    bool handshake = type == MLS_RATCHET_HANDSHAKE;
    uint32_t generation = (uint32_t)vec_num(v, j, "generation");
    struct mls_step *step = NULL;
    struct mls_step *again = NULL;

    VEC_OK(v, mls_secret_tree_receive(t, leaf, type, generation, &step));
    vec_eq_key(v, mls_step_key(step), j,
               handshake ? "handshake_key" : "application_key",
               handshake ? "handshake_nonce" : "application_nonce");
    VEC_OK(v, mls_step_apply(step));
    VEC_CHECK(v,
              mls_secret_tree_receive(t, leaf, type, generation, &again) != OK);
    mls_step_free(step);
}

void
vec_run_secret_tree(struct vec *v)
{
    const json_t *j = vec_get(v, v->j, "sender_data");
    const json_t *leaves = vec_get(v, v->j, "leaves");
    struct prim_secret secret = vec_secret(v, j, "sender_data_secret");
    struct mls_key_nonce key;
    struct mls_secret_tree *t = NULL;

    mls_sender_data_key(v->suite, &secret, vec_hex(v, j, "ciphertext"), &key);
    vec_eq_key(v, &key, j, "key", "nonce");

    secret = vec_secret(v, v->j, "encryption_secret");
    VEC_OK(v,
           mls_secret_tree_new(v->mem, v->suite,
                               (uint32_t)json_array_size(leaves), &secret, &t));
    for (uint32_t leaf = 0; leaf < json_array_size(leaves); leaf++) {
        const json_t *list = json_array_get(leaves, leaf);
        for (size_t i = 0; i < json_array_size(list); i++) {
            const json_t *g = json_array_get(list, i);
            check_generation(v, t, leaf, MLS_RATCHET_HANDSHAKE, g);
            check_generation(v, t, leaf, MLS_RATCHET_APPLICATION, g);
        }
    }
    mls_secret_tree_free(t);
}

void
vec_run_transcript_hashes(struct vec *v)
{
    struct mls_authenticated x;
    struct prim_secret key = vec_secret(v, v->j, "confirmation_key");
    struct proto_tls_wr w = proto_tls_wr_open(v->mem);
    struct mls_hash confirmed;
    struct mls_hash interim;
    struct mls_hash tag;
    struct view input;

    VEC_OK(v, mls_authenticated_decode(
                  v->arena, vec_hex(v, v->j, "authenticated_content"), &x));
    VEC_CHECK(v, x.content.type == MLS_CONTENT_COMMIT);
    mls_authenticated_write_transcript(&w, &x);
    input = vec_written(v, &w);
    mls_confirmed_hash(v->suite,
                       vec_hex(v, v->j, "interim_transcript_hash_before"),
                       &input, 1, &confirmed);
    vec_eq_hex(v, mls_hash_view(&confirmed), v->j,
               "confirmed_transcript_hash_after");
    mls_confirmation_tag(v->suite, &key, mls_hash_view(&confirmed), &tag);
    VEC_EQ(v, mls_hash_view(&tag), x.auth.confirmation_tag, "confirmation tag");
    mls_interim_hash(v->suite, mls_hash_view(&confirmed),
                     x.auth.confirmation_tag, &interim);
    vec_eq_hex(v, mls_hash_view(&interim), v->j,
               "interim_transcript_hash_after");
}
