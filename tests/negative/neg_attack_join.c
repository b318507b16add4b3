/* SPDX-License-Identifier: Apache-2.0 */
/* Welcomes and GroupInfos, taken apart with the joiner's keys and put together
 * again. */
#include "crypto/mls/transcript.h"
#include "tests/negative/neg.h"

enum err
neg_set_extension(struct neg *n, struct mls_extensions *x, uint16_t type,
                  const struct view *data)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    struct mls_extensions it = *x;
    struct mls_extension ext;
    bool found = false;

    while (mls_extensions_next(&it, &ext)) {
        if (ext.type != type) {
            mls_extension_write(&w, ext.type, ext.data);
        } else if (data != NULL) {
            mls_extension_write(&w, type, *data);
            found = true;
        }
    }
    if (!found && data != NULL) {
        mls_extension_write(&w, type, *data);
    }
    TRY(w.e);
    TRY(neg_keep(n, proto_tls_wr_view(&w), &x->raw));
out:
    proto_tls_wr_clear(&w);
    return e;
}

/* Sign x, unless its signature was changed from before. */
static enum err
sign_info(struct neg *n, const uint8_t *before, struct mls_group_info *x)
{
    enum err e = OK;
    uint8_t sig[PRIM_SIG_MAX];
    size_t len = 0;

    if (x->signature.p == before) {
        TRY(mls_group_info_sign(n->alice->now->suite, mem_heap(), x,
                                &n->who[NEG_ALICE].key, sig, &len));
        TRY(neg_keep(n, view_make(sig, len), &x->signature));
    }
out:
    return e;
}

enum err
neg_changed_info(struct neg *n,
                 enum err (*change)(struct neg *n, struct mls_group_info *x),
                 struct bytes *out)
{
    enum err e;
    struct bytes made = {0};
    struct mls_message m;
    struct view in;
    const uint8_t *sig;
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());

    TRY(mls_group_info(n->alice, true, &made));
    TRY(neg_keep(n, view_of(&made), &in));
    TRY(mls_message_decode(&n->arena, in, &m, NULL));
    sig = m.u.group_info.signature.p;
    TRY(change(n, &m.u.group_info));
    TRY(sign_info(n, sig, &m.u.group_info));
    mls_message_write(&w, &m);
    TRY(proto_tls_wr_take(&w, out));
out:
    proto_tls_wr_clear(&w);
    bytes_free(&made);
    return e;
}

/* The PSK secret that the secrets of p name. */
static enum err
psk_secret(struct neg *n, const struct neg_welcome_parts *p,
           struct prim_secret *out)
{
    enum err e;
    struct mls_psk_source src = {&n->env, NULL, NULL};
    const struct mls_psk_id *ids[8];

    if (p->secrets.psks.count > sizeof(ids) / sizeof(ids[0])) {
        return ERR_LIMIT;
    }
    for (uint32_t i = 0; i < p->secrets.psks.count; i++) {
        ids[i] = &p->secrets.psks.items[i];
    }
    neg_rules_off(true); /* a PSK that nobody knows counts as empty */
    e = mls_psks_resolve(&src, p->own.suite, ids, p->secrets.psks.count,
                         MLS_RULE_PSK_AVAILABLE, out, NULL);
    neg_rules_off(false);
    return e;
}

static enum err
welcome_keys(struct neg *n, const struct neg_welcome_parts *p,
             struct prim_secret *joiner, struct prim_secret *psk,
             struct mls_key_nonce *key)
{
    enum err e;
    struct prim_secret welcome;

    TRY(prim_secret_set(joiner, p->secrets.joiner_secret));
    TRY(psk_secret(n, p, psk));
    mls_welcome_secret(p->own.suite, joiner, psk, &welcome);
    mls_welcome_key(p->own.suite, &welcome, key);
out:
    return e;
}

/* As Dave opens it. */
static enum err
open_welcome(struct neg *n, struct view message, struct neg_welcome_parts *p)
{
    enum err e;
    struct view in;
    struct mls_message m;
    const struct mls_hpke_ciphertext *c;
    struct prim_secret joiner;
    struct prim_secret psk;
    struct mls_key_nonce key;
    uint8_t *plain;
    size_t len;

    TRY(neg_keep(n, message, &in));
    TRY(mls_message_decode(&n->arena, in, &m, NULL));
    p->welcome = m.u.welcome;
    TRY(mls_own_key_package_read(view_of(&n->dave.record), &p->own));
    c = &p->welcome.secrets[0].secrets;
    plain = arena_alloc(&n->arena, c->ciphertext.len);
    TRY(plain == NULL ? ERR_NOMEM : OK);
    TRY(mls_decrypt(p->own.suite, &p->own.init, c->kem_output,
                    VIEW_LIT("Welcome"), p->welcome.group_info, c->ciphertext,
                    plain));
    TRY(mls_group_secrets_decode(
        &n->arena, view_make(plain, c->ciphertext.len - PRIM_TAG_SIZE),
        &p->secrets));
    TRY(welcome_keys(n, p, &joiner, &psk, &key));
    len = p->welcome.group_info.len;
    plain = arena_alloc(&n->arena, len);
    TRY(plain == NULL ? ERR_NOMEM : OK);
    TRY(prim_aead_open(p->own.suite->prim.aead, prim_secret_view(&key.key),
                       prim_secret_view(&key.nonce), (struct view){0},
                       p->welcome.group_info, plain));
    TRY(mls_group_info_decode(view_make(plain, len - PRIM_TAG_SIZE), &p->info));
out:
    return e;
}

/* The confirmation tag that Dave will compute. */
static enum err
tag_info(struct neg *n, struct neg_welcome_parts *p,
         const struct prim_secret *joiner, const struct prim_secret *psk)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    struct mls_epoch_keys keys;
    struct mls_hash tag;

    mls_group_context_write(&w, &p->info.context);
    TRY(w.e);
    mls_epoch_keys_derive(p->own.suite, joiner, psk, proto_tls_wr_view(&w),
                          &keys);
    mls_confirmation_tag(p->own.suite, &keys.confirmation,
                         p->info.context.confirmed_transcript_hash, &tag);
    TRY(neg_keep(n, mls_hash_view(&tag), &p->info.confirmation_tag));
out:
    proto_tls_wr_clear(&w);
    return e;
}

static enum err
seal_info(struct neg *n, struct neg_welcome_parts *p, const uint8_t *sig)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    struct prim_secret joiner;
    struct prim_secret psk;
    struct mls_key_nonce key;
    uint8_t *ct;
    struct view plain;

    TRY(welcome_keys(n, p, &joiner, &psk, &key));
    if (!p->keep_tag) {
        TRY(tag_info(n, p, &joiner, &psk));
    }
    TRY(sign_info(n, sig, &p->info));
    mls_group_info_write(&w, &p->info);
    TRY(w.e);
    plain = proto_tls_wr_view(&w);
    ct = arena_alloc(&n->arena, plain.len + PRIM_TAG_SIZE);
    TRY(ct == NULL ? ERR_NOMEM : OK);
    TRY(prim_aead_seal(p->own.suite->prim.aead, prim_secret_view(&key.key),
                       prim_secret_view(&key.nonce), (struct view){0}, plain,
                       ct));
    p->welcome.group_info = view_make(ct, plain.len + PRIM_TAG_SIZE);
out:
    proto_tls_wr_clear(&w);
    return e;
}

static enum err
seal_secrets(struct neg *n, struct neg_welcome_parts *p)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    struct mls_encrypted_group_secrets *to =
        arena_alloc(&n->arena, sizeof(*to));
    uint8_t *b;
    struct view plain;

    TRY(to == NULL ? ERR_NOMEM : OK);
    mls_group_secrets_write(&w, &p->secrets);
    TRY(w.e);
    plain = proto_tls_wr_view(&w);
    b = arena_alloc(&n->arena, 32 + plain.len + PRIM_TAG_SIZE);
    TRY(b == NULL ? ERR_NOMEM : OK);
    TRY(mls_encrypt(p->own.suite, &n->rng.rng, p->own.kp.init_key,
                    VIEW_LIT("Welcome"), p->welcome.group_info, plain, b,
                    b + 32));
    to->new_member = p->welcome.secrets[0].new_member;
    to->secrets = (struct mls_hpke_ciphertext){
        view_make(b, 32), view_make(b + 32, plain.len + PRIM_TAG_SIZE)};
    p->welcome.secrets = to;
    p->welcome.count = 1;
out:
    proto_tls_wr_clear(&w);
    return e;
}

enum err
neg_changed_welcome(struct neg *n, bool with_path,
                    enum err (*change)(struct neg *n,
                                       struct neg_welcome_parts *p),
                    struct bytes *out)
{
    enum err e;
    struct mls_committed c = {0};
    struct mls_proposal_in in = {.type = MLS_PROPOSAL_ADD,
                                 .key_package = view_of(&n->dave.key_package)};
    struct mls_commit_opts opts = {
        .proposals = &in, .proposals_len = 1, .force_path = with_path};
    struct neg_welcome_parts p = {0};
    const uint8_t *sig;
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    struct mls_message m = {.wire = MLS_WIRE_WELCOME};

    TRY(mls_commit(n->alice, &opts, &c));
    TRY(open_welcome(n, view_of(&c.welcome), &p));
    sig = p.info.signature.p;
    TRY(change(n, &p));
    TRY(seal_info(n, &p, sig));
    TRY(seal_secrets(n, &p));
    m.u.welcome = p.welcome;
    mls_message_write(&w, &m);
    TRY(proto_tls_wr_take(&w, out));
out:
    proto_tls_wr_clear(&w);
    mls_committed_clear(&c);
    return e;
}
