/* SPDX-License-Identifier: Apache-2.0 */
/* GroupInfo and Welcome, from the side that makes them (RFC 9420 12.4.3). */
#include "crypto/mls/group_int.h"

#include "proto/base/assert.h"

static enum err
info_extensions(const struct mls_epoch *epoch, bool with_pub, bool with_tree,
                struct bytes *out)
{
    enum err e = OK;
    struct proto_tls_wr w = proto_tls_wr_open(epoch->mem);
    struct proto_tls_wr body = proto_tls_wr_open(epoch->mem);
    SCRUBBED_STRUCT(prim_kem_pair, pair);

    if (with_pub) {
        TRY(mls_external_pair(epoch->suite, &epoch->keys.external, &pair));
        mls_external_pub_write(&body, prim_kem_pub(&pair));
        TRY(body.e);
        mls_extension_write(&w, MLS_EXT_EXTERNAL_PUB, proto_tls_wr_view(&body));
        proto_tls_wr_clear(&body);
    }
    if (with_tree) {
        mls_tree_write(&body, &epoch->tree);
        TRY(body.e);
        mls_extension_write(&w, MLS_EXT_RATCHET_TREE, proto_tls_wr_view(&body));
    }
    TRY(proto_tls_wr_take(&w, out));
out:
    proto_tls_wr_clear(&body);
    proto_tls_wr_clear(&w);
    return e;
}

enum err
mls_epoch_group_info(const struct mls_epoch *epoch, bool with_pub,
                     bool with_tree, bool bare, struct bytes *out)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(epoch->mem);
    struct bytes raw = {0};
    struct mls_message m = {.wire = MLS_WIRE_GROUP_INFO};
    struct mls_group_info *x = &m.u.group_info;
    uint8_t sig[PRIM_SIG_MAX];
    size_t sig_len = 0;

    TRY(info_extensions(epoch, with_pub, with_tree, &raw));
    x->context = epoch->context;
    TRY(mls_extensions_from(view_of(&raw), &x->extensions));
    x->confirmation_tag = mls_hash_view(&epoch->tag);
    x->signer = epoch->own;
    TRY(mls_group_info_sign(epoch->suite, epoch->mem, x, &epoch->sign, sig,
                            &sig_len));
    x->signature = view_make(sig, sig_len);
    if (bare) {
        mls_group_info_write(&w, x);
    } else {
        mls_message_write(&w, &m);
    }
    TRY(proto_tls_wr_take(&w, out));
out:
    proto_tls_wr_clear(&w);
    bytes_free(&raw);
    return e;
}

/* ------------------------------------------------------------------ Welcome */

/* RFC 9420 12.4.3.1: the GroupInfo under a key from the welcome secret */
static enum err
seal_info(const struct mls_welcome_in *in, struct arena *a, struct view *out)
{
    enum err e;
    const struct mls_suite *s = in->next->suite;
    struct bytes info = {0};
    uint8_t *ct;
    SCRUBBED_SECRET(welcome);
    SCRUBBED_STRUCT(mls_key_nonce, k);

    /* no external_pub here: who wants to let others in exports a GroupInfo */
    TRY(mls_epoch_group_info(in->next, false, in->with_tree, true, &info));
    mls_welcome_secret(s, in->joiner, in->psk, &welcome);
    mls_welcome_key(s, &welcome, &k);
    ct = arena_alloc(a, info.len + s->prim.tag_size);
    if (ct == NULL) {
        e = ERR_NOMEM;
        goto out;
    }
    TRY(prim_aead_seal(s->prim.aead, prim_secret_view(&k.key),
                       prim_secret_view(&k.nonce), (struct view){0},
                       view_of(&info), ct));
    *out = view_make(ct, info.len + s->prim.tag_size);
out:
    bytes_free(&info);
    return e;
}

/* The path secret of the lowest common ancestor of leaf and us. */
static const struct prim_secret *
path_secret_for(const struct mls_own_path *path, uint32_t leaf)
{
    for (uint32_t i = 0; path != NULL && i < path->count; i++) {
        if (mls_math_below(2 * leaf, path->copath[i])) {
            return &path->secret[i];
        }
    }
    return NULL;
}

static enum err
encode_secrets(const struct mls_welcome_in *in, struct arena *a, uint32_t leaf,
               struct bytes *out)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(a->mem);
    const struct prim_secret *path = path_secret_for(in->path, leaf);
    struct mls_group_secrets x = {.joiner_secret =
                                      prim_secret_view(in->joiner)};
    struct mls_psk_id *ids = NULL;

    if (path != NULL) {
        x.has_path_secret = true;
        x.path_secret = prim_secret_view(path);
    }
    if (in->psks_count > 0) {
        ids = arena_calloc(a, in->psks_count, sizeof(*ids));
        if (ids == NULL) {
            return ERR_NOMEM;
        }
    }
    for (size_t i = 0; i < in->psks_count; i++) {
        ids[i] = *in->psks[i];
    }
    x.psks.items = ids;
    x.psks.count = (uint32_t)in->psks_count;
    mls_group_secrets_write(&w, &x);
    TRY(proto_tls_wr_take(&w, out));
out:
    proto_tls_wr_clear(&w);
    return e;
}

/* The secrets for the new member of key package kp at leaf. */
static enum err
seal_secrets(const struct mls_env *env, const struct mls_welcome_in *in,
             struct arena *a, const struct mls_key_package *kp, uint32_t leaf,
             struct view info, struct mls_encrypted_group_secrets *out)
{
    enum err e;
    const struct mls_suite *s = in->next->suite;
    struct bytes plain = {0};
    struct mls_hash ref;
    uint8_t *kem = arena_alloc(a, s->prim.kem_pub_size);
    uint8_t *ct;

    TRY(encode_secrets(in, a, leaf, &plain));
    ct = arena_alloc(a, plain.len + s->prim.tag_size);
    if (kem == NULL || ct == NULL) {
        e = ERR_NOMEM;
        goto out;
    }
    TRY(mls_encrypt(s, env->rng, kp->init_key, VIEW_LIT("Welcome"), info,
                    view_of(&plain), kem, ct));
    mls_key_package_ref(s, kp->encoded, &ref);
    TRY(arena_copy(a, mls_hash_view(&ref), &out->new_member));
    out->secrets.kem_output = view_make(kem, s->prim.kem_pub_size);
    out->secrets.ciphertext = view_make(ct, plain.len + s->prim.tag_size);
out:
    bytes_free(&plain);
    return e;
}

enum err
mls_welcome_make(const struct mls_env *env, const struct mls_welcome_in *in,
                 struct bytes *out)
{
    enum err e;
    struct arena a = {.mem = env->mem};
    struct proto_tls_wr w = proto_tls_wr_open(env->mem);
    struct mls_message m = {.wire = MLS_WIRE_WELCOME};
    struct mls_encrypted_group_secrets *to;
    uint32_t n = 0;

    to = arena_calloc(&a, in->added->count, sizeof(*to));
    if (to == NULL) {
        return ERR_NOMEM;
    }
    m.u.welcome.suite = in->next->suite->id;
    TRY(seal_info(in, &a, &m.u.welcome.group_info));
    for (size_t i = 0; i < in->list_count; i++) {
        const struct mls_proposal *p = in->list[i].proposal;

        if (p->type == MLS_PROPOSAL_ADD) {
            ASSERT(n < in->added->count);
            TRY(seal_secrets(env, in, &a, p->u.add, in->added->at[n],
                             m.u.welcome.group_info, &to[n]));
            n++;
        }
    }
    m.u.welcome.secrets = to;
    m.u.welcome.count = n;
    mls_message_write(&w, &m);
    TRY(proto_tls_wr_take(&w, out));
out:
    proto_tls_wr_clear(&w);
    arena_clear(&a);
    return e;
}
