/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of messages: their form, how they are protected, the Welcome. */
#include "crypto/mls/framing.h"
#include "crypto/mls/secret_tree.h"
#include "crypto/mls/transcript.h"
#include "crypto/mls/tree.h"
#include "crypto/prim/aead.h"
#include "crypto/prim/hpke.h"
#include "tests/vectors/mls_vectors.h"

#include <string.h>

/* ---------------------------------------------------------------- messages */

static void
check_message(struct vec *v, const char *key, enum mls_wire_format wire,
              enum mls_content_type content)
{
    struct view in = vec_hex(v, v->j, key);
    struct mls_message m;
    enum mls_rule broken = MLS_RULE_NONE;
    struct proto_tls_wr w = proto_tls_wr_open(v->mem);

    VEC_OK(v, mls_message_decode(v->arena, in, &m, &broken));
    VEC_CHECK(v, m.wire == wire);
    if (wire == MLS_WIRE_PUBLIC) {
        VEC_CHECK(v, m.u.public_message.content.type == content);
    }
    mls_message_write(&w, &m);
    VEC_EQ(v, vec_written(v, &w), in, key);
}

static void
check_proposal(struct vec *v, const char *key, enum mls_proposal_type type)
{
    struct view body = vec_hex(v, v->j, key);
    struct proto_tls_wr w = proto_tls_wr_open(v->mem);
    struct proto_tls_wr again = proto_tls_wr_open(v->mem);
    struct mls_proposal p;
    struct view in;

    proto_tls_wr_u16(&w, (uint16_t)type);
    proto_tls_wr_fixed(&w, body);
    in = vec_written(v, &w);
    VEC_OK(v, mls_proposal_decode(v->arena, in, &p));
    VEC_CHECK(v, p.type == type);
    mls_proposal_write(&again, &p);
    VEC_EQ(v, vec_written(v, &again), in, key);
}

static void
check_rest(struct vec *v)
{
    struct view in = vec_hex(v, v->j, "group_secrets");
    struct mls_group_secrets secrets;
    struct mls_commit commit;
    struct proto_tls_wr w = proto_tls_wr_open(v->mem);

    VEC_OK(v, mls_group_secrets_decode(v->arena, in, &secrets));
    mls_group_secrets_write(&w, &secrets);
    VEC_EQ(v, vec_written(v, &w), in, "group_secrets");

    in = vec_hex(v, v->j, "commit");
    VEC_OK(v, mls_commit_decode(v->arena, in, &commit));
    mls_commit_write(&w, &commit);
    VEC_EQ(v, vec_written(v, &w), in, "commit");
}

static void
check_tree(struct vec *v)
{
    struct view in = vec_hex(v, v->j, "ratchet_tree");
    struct mls_tree tree = {0};
    enum mls_rule broken = MLS_RULE_NONE;
    struct proto_tls_wr w = proto_tls_wr_open(v->mem);

    VEC_OK(v, mls_tree_read(v->mem, mls_suite_at(0), in, &tree, &broken));
    mls_tree_write(&w, &tree);
    VEC_EQ(v, vec_written(v, &w), in, "ratchet_tree");
    mls_tree_free(&tree);
}

void
vec_run_messages(struct vec *v)
{
    check_message(v, "mls_welcome", MLS_WIRE_WELCOME, 0);
    check_message(v, "mls_group_info", MLS_WIRE_GROUP_INFO, 0);
    check_message(v, "mls_key_package", MLS_WIRE_KEY_PACKAGE, 0);
    check_message(v, "public_message_application", MLS_WIRE_PUBLIC,
                  MLS_CONTENT_APPLICATION);
    check_message(v, "public_message_proposal", MLS_WIRE_PUBLIC,
                  MLS_CONTENT_PROPOSAL);
    check_message(v, "public_message_commit", MLS_WIRE_PUBLIC,
                  MLS_CONTENT_COMMIT);
    check_message(v, "private_message", MLS_WIRE_PRIVATE, 0);
    check_proposal(v, "add_proposal", MLS_PROPOSAL_ADD);
    check_proposal(v, "update_proposal", MLS_PROPOSAL_UPDATE);
    check_proposal(v, "remove_proposal", MLS_PROPOSAL_REMOVE);
    check_proposal(v, "pre_shared_key_proposal", MLS_PROPOSAL_PSK);
    check_proposal(v, "re_init_proposal", MLS_PROPOSAL_REINIT);
    check_proposal(v, "external_init_proposal", MLS_PROPOSAL_EXTERNAL_INIT);
    check_proposal(v, "group_context_extensions_proposal",
                   MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS);
    check_rest(v);
    check_tree(v);
}

/* ------------------------------------------------------- message protection */

/* The group of two of a case; member 1 sends. */
struct protection {
    struct view context;
    struct view signature_pub;
    struct prim_sign_key signature_key;
    struct prim_secret membership;
    struct prim_secret sender_data;
    struct mls_secret_tree *tree;
};

static struct mls_authenticated
opened(struct vec *v, struct protection *g, const struct mls_unverified *u)
{
    struct mls_authenticated x;
    enum mls_rule broken = MLS_RULE_NONE;

    VEC_CHECK(v, mls_unverified_sender(u).type == MLS_SENDER_MEMBER);
    VEC_OK(v, mls_authenticate(v->suite, v->mem, u, g->context,
                               g->signature_pub, &x, &broken));
    return x;
}

static void
check_content(struct vec *v, const struct mls_authenticated *x,
              enum mls_content_type type, const char *key)
{
    struct proto_tls_wr w = proto_tls_wr_open(v->mem);

    VEC_CHECK(v, x->content.type == type);
    if (type == MLS_CONTENT_APPLICATION) {
        vec_eq_hex(v, x->content.u.application, v->j, key);
        return;
    }
    if (type == MLS_CONTENT_PROPOSAL) {
        mls_proposal_write(&w, x->content.u.proposal);
    } else {
        mls_commit_write(&w, x->content.u.commit);
    }
    vec_eq_hex(v, vec_written(v, &w), v->j, key);
}

static struct mls_authenticated
open_public(struct vec *v, struct protection *g, struct view in)
{
    struct mls_message m;
    struct mls_unverified u;
    enum mls_rule broken = MLS_RULE_NONE;

    VEC_OK(v, mls_message_decode(v->arena, in, &m, &broken));
    VEC_CHECK(v, m.wire == MLS_WIRE_PUBLIC);
    VEC_OK(v, mls_public_open(v->suite, v->mem, &m.u.public_message, g->context,
                              &g->membership, &u, &broken));
    return opened(v, g, &u);
}

static enum mls_ratchet
ratchet_of(enum mls_content_type type)
{
    return type == MLS_CONTENT_APPLICATION ? MLS_RATCHET_APPLICATION
                                           : MLS_RATCHET_HANDSHAKE;
}

static struct mls_authenticated
open_private(struct vec *v, struct protection *g, struct view in)
{
    struct mls_message m;
    struct mls_sender_data from;
    struct mls_step *step = NULL;
    struct mls_unverified u;
    struct mls_authenticated x;
    enum mls_rule broken = MLS_RULE_NONE;

    VEC_OK(v, mls_message_decode(v->arena, in, &m, &broken));
    VEC_CHECK(v, m.wire == MLS_WIRE_PRIVATE);
    VEC_OK(v, mls_private_sender(v->suite, v->mem, &m.u.private_message,
                                 &g->sender_data, &from, &broken));
    VEC_OK(v, mls_secret_tree_receive(g->tree, from.leaf_index,
                                      ratchet_of(m.u.private_message.type),
                                      from.generation, &step));
    VEC_OK(v, mls_private_open(v->suite, v->arena, &m.u.private_message, &from,
                               mls_step_key(step), &u, &broken));
    x = opened(v, g, &u);
    mls_step_free(step);
    return x;
}

/* Seal what was opened, ourselves, and open that. */
static void
seal_again(struct vec *v, struct protection *g,
           const struct mls_authenticated *x, enum mls_wire_format wire,
           const char *key)
{
    struct mls_authenticated own = *x;
    struct mls_authenticated back;
    uint8_t sig[PRIM_SIG_MAX];
    size_t sig_len;
    struct bytes out = {0};
    struct mls_step *step = NULL;

    own.wire = wire;
    own.content.encoded = (struct view){0};
    VEC_OK(v, mls_content_sign(v->suite, v->mem, wire, &own.content, g->context,
                               &g->signature_key, sig, &sig_len));
    own.auth.signature = view_make(sig, sig_len);
    if (wire == MLS_WIRE_PUBLIC) {
        VEC_OK(v, mls_public_seal(v->suite, v->mem, &own, g->context,
                                  &g->membership, &out));
        back = open_public(v, g, view_of(&out));
    } else {
        VEC_OK(v, mls_secret_tree_send(g->tree, own.content.sender.index,
                                       ratchet_of(own.content.type), &step));
        struct mls_private_keys keys = {.sender_data = &g->sender_data,
                                        .generation = mls_step_generation(step),
                                        .key = mls_step_key(step)};
        VEC_OK(v, mls_private_seal(v->suite, v->mem, v->rng, &own, &keys, 33,
                                   &out));
        back = open_private(v, g, view_of(&out));
        mls_step_free(step);
    }
    check_content(v, &back, x->content.type, key);
}

void
vec_run_message_protection(struct vec *v)
{
    struct view seed = vec_hex(v, v->j, "signature_priv");
    struct prim_secret encryption = vec_secret(v, v->j, "encryption_secret");
    struct protection g = {
        .context = vec_group_context(
            v, vec_hex(v, v->j, "group_id"), vec_num(v, v->j, "epoch"),
            vec_hex(v, v->j, "tree_hash"),
            vec_hex(v, v->j, "confirmed_transcript_hash")),
        .signature_pub = vec_hex(v, v->j, "signature_pub"),
        .membership = vec_secret(v, v->j, "membership_key"),
        .sender_data = vec_secret(v, v->j, "sender_data_secret")};
    struct mls_authenticated x;

    VEC_CHECK(v, seed.len == PRIM_ED25519_SEED);
    prim_ed25519_from_seed(seed.p, &g.signature_key);
    VEC_OK(v, mls_secret_tree_new(v->mem, v->suite, 2, &encryption, &g.tree));

    x = open_public(v, &g, vec_hex(v, v->j, "proposal_pub"));
    check_content(v, &x, MLS_CONTENT_PROPOSAL, "proposal");
    seal_again(v, &g, &x, MLS_WIRE_PUBLIC, "proposal");
    x = open_private(v, &g, vec_hex(v, v->j, "proposal_priv"));
    check_content(v, &x, MLS_CONTENT_PROPOSAL, "proposal");
    seal_again(v, &g, &x, MLS_WIRE_PRIVATE, "proposal");
    x = open_public(v, &g, vec_hex(v, v->j, "commit_pub"));
    check_content(v, &x, MLS_CONTENT_COMMIT, "commit");
    seal_again(v, &g, &x, MLS_WIRE_PUBLIC, "commit");
    x = open_private(v, &g, vec_hex(v, v->j, "commit_priv"));
    check_content(v, &x, MLS_CONTENT_COMMIT, "commit");
    seal_again(v, &g, &x, MLS_WIRE_PRIVATE, "commit");
    x = open_private(v, &g, vec_hex(v, v->j, "application_priv"));
    check_content(v, &x, MLS_CONTENT_APPLICATION, "application");
    seal_again(v, &g, &x, MLS_WIRE_PRIVATE, "application");
    mls_secret_tree_free(g.tree);
}

/* ------------------------------------------------------------------ welcome */

/* The GroupSecrets that a Welcome holds for a key package. */
static struct mls_group_secrets
group_secrets(struct vec *v, const struct mls_welcome *welcome,
              const struct mls_key_package *kp, uint8_t *pt, size_t pt_max)
{
    struct prim_kem_pair init;
    struct mls_hash ref;
    struct mls_group_secrets out;

    VEC_OK(v, prim_kem_from_priv(&v->suite->prim, vec_hex(v, v->j, "init_priv"),
                                 &init));
    VEC_EQ(v, prim_kem_pub(&init), kp->init_key, "init key");
    mls_key_package_ref(v->suite, kp->encoded, &ref);
    for (uint32_t i = 0; i < welcome->count; i++) {
        const struct mls_encrypted_group_secrets *x = &welcome->secrets[i];
        if (!view_equal(x->new_member, mls_hash_view(&ref))) {
            continue;
        }
        VEC_CHECK(v, x->secrets.ciphertext.len <= pt_max);
        VEC_OK(v, mls_decrypt(v->suite, &init, x->secrets.kem_output,
                              VIEW_LIT("Welcome"), welcome->group_info,
                              x->secrets.ciphertext, pt));
        VEC_OK(v, mls_group_secrets_decode(
                      v->arena,
                      view_make(pt, x->secrets.ciphertext.len -
                                        v->suite->prim.tag_size),
                      &out));
        return out;
    }
    vec_fail(v, "the Welcome is not for this key package");
}

void
vec_run_welcome(struct vec *v)
{
    struct mls_message kp;
    struct mls_message m;
    enum mls_rule broken = MLS_RULE_NONE;
    uint8_t pt[4096];
    struct mls_group_secrets secrets;
    struct prim_secret joiner = {0};
    struct prim_secret psk;
    struct prim_secret welcome;
    struct mls_key_nonce key;
    struct mls_group_info info;
    struct mls_epoch_keys keys;
    struct view sealed;
    uint8_t *plain;

    VEC_OK(v, mls_message_decode(v->arena, vec_hex(v, v->j, "key_package"), &kp,
                                 &broken));
    VEC_OK(v, mls_message_decode(v->arena, vec_hex(v, v->j, "welcome"), &m,
                                 &broken));
    VEC_CHECK(v, kp.wire == MLS_WIRE_KEY_PACKAGE);
    VEC_CHECK(v, m.wire == MLS_WIRE_WELCOME);
    secrets = group_secrets(v, &m.u.welcome, &kp.u.key_package, pt, sizeof(pt));
    VEC_OK(v, prim_secret_set(&joiner, secrets.joiner_secret));
    mls_zero_secret(v->suite, &psk);
    mls_welcome_secret(v->suite, &joiner, &psk, &welcome);
    mls_welcome_key(v->suite, &welcome, &key);
    sealed = m.u.welcome.group_info;
    VEC_CHECK(v, sealed.len > PRIM_TAG_SIZE);
    plain = arena_alloc(v->arena, sealed.len);
    VEC_CHECK(v, plain != NULL);
    VEC_OK(v, prim_aead_open(v->suite->prim.aead, prim_secret_view(&key.key),
                             prim_secret_view(&key.nonce), (struct view){0},
                             sealed, plain));
    VEC_OK(v, mls_group_info_decode(
                  view_make(plain, sealed.len - PRIM_TAG_SIZE), &info));
    VEC_OK(v, mls_group_info_verify(v->suite, v->mem, &info,
                                    vec_hex(v, v->j, "signer_pub"), &broken));
    mls_epoch_keys_derive(v->suite, &joiner, &psk, info.context.encoded, &keys);
    VEC_OK(v, mls_mac_verify(v->suite, &keys.confirmation,
                             info.context.confirmed_transcript_hash,
                             info.confirmation_tag));
}
