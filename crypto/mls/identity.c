/* SPDX-License-Identifier: Apache-2.0 */
/* Who we are: leaf templates and our own key packages (RFC 9420 7.2, 10). */
#include "crypto/mls/group_int.h"

#include <string.h>

enum {
    RECORD_VERSION = 1
};

#define LIST_BYTES (2 * (LIMIT_MLS_CAPABILITIES + LIMIT_MLS_EXTENSIONS + 1))

/* A list of code points in the making. */
struct types {
    uint8_t *at;
    size_t len;
};

static void
put_type(struct types *t, uint16_t type)
{
    struct mls_u16s sofar = {view_make(t->at, t->len)};

    if (!mls_u16s_has(sofar, type)) {
        t->at[t->len] = (uint8_t)(type >> 8);
        t->at[t->len + 1] = (uint8_t)type;
        t->len += 2;
    }
}

static enum err
list_types(struct arena *a, const uint16_t *types, size_t n,
           struct mls_extensions extra, bool last_resort, struct mls_u16s *out)
{
    struct types t = {arena_alloc(a, LIST_BYTES), 0};
    struct mls_extension ext;

    if (t.at == NULL) {
        return ERR_NOMEM;
    }
    if (n > LIMIT_MLS_CAPABILITIES) {
        return ERR_LIMIT;
    }
    for (size_t i = 0; i < n; i++) {
        put_type(&t, types[i]);
    }
    while (mls_extensions_next(&extra, &ext)) {
        if (!mls_extension_is_default(ext.type)) {
            put_type(&t, ext.type);
        }
    }
    if (last_resort) {
        put_type(&t, MLS_EXT_LAST_RESORT);
    }
    out->raw = view_make(t.at, t.len);
    return OK;
}

enum err
mls_identity_leaf(struct arena *a, const struct mls_identity *who,
                  struct mls_extensions extra, bool last_resort,
                  struct mls_leaf_node *out)
{
    enum err e;
    uint16_t suite[8];
    uint16_t credential[LIMIT_MLS_CAPABILITIES] = {MLS_CREDENTIAL_BASIC};
    size_t n = 0;

    while (n < 8 && mls_suite_at(n) != NULL) {
        suite[n] = mls_suite_at(n)->id;
        n++;
    }
    *out = (struct mls_leaf_node){0};
    out->signature_key = who->signature_key;
    out->credential =
        (struct mls_credential){MLS_CREDENTIAL_BASIC, who->credential};
    out->extensions = who->leaf_extensions;
    out->capabilities.versions = MLS_U16S("\x00\x01");
    if (who->credential_types_len >= LIMIT_MLS_CAPABILITIES) {
        return ERR_LIMIT;
    }
    for (size_t i = 0; i < who->credential_types_len; i++) {
        credential[i + 1] = who->credential_types[i];
    }
    TRY(list_types(a, credential, who->credential_types_len + 1,
                   (struct mls_extensions){0}, false,
                   &out->capabilities.credentials));
    TRY(list_types(a, suite, n, (struct mls_extensions){0}, false,
                   &out->capabilities.suites));
    TRY(list_types(a, who->extension_types, who->extension_types_len, extra,
                   last_resort, &out->capabilities.extensions));
    TRY(list_types(a, who->proposal_types, who->proposal_types_len,
                   (struct mls_extensions){0}, false,
                   &out->capabilities.proposals));
out:
    return e;
}

static enum err
sign_key(struct view priv, struct view pub, struct prim_sign_key *out)
{
    SCRUBBED_STRUCT(prim_sign_key, key);

    if (priv.len != PRIM_ED25519_SEED) {
        return ERR_INVALID;
    }
    prim_ed25519_from_seed(priv.p, &key);
    if (!view_equal(prim_sign_key_pub(&key), pub)) {
        return ERR_INVALID;
    }
    *out = key;
    return OK;
}

enum err
mls_identity_key(const struct mls_identity *who, struct prim_sign_key *out)
{
    return sign_key(who->signature_priv, who->signature_key, out);
}

/* -------------------------------------------------------------- key packages
 */

void
mls_key_package_made_clear(struct mls_key_package_made *made)
{
    bytes_free(&made->key_package);
    bytes_free(&made->ref);
    bytes_free(&made->record);
}

/* record = version, init_priv<V>, leaf_priv<V>, signature_priv<V>,
 * KeyPackage<V> */
static enum err
write_record(const struct mem *mem, struct view kp, struct view init_priv,
             struct view leaf_priv, struct view signature_priv,
             struct bytes *out)
{
    struct proto_tls_wr w = proto_tls_wr_open(mem);

    proto_tls_wr_u8(&w, RECORD_VERSION);
    proto_tls_wr_vec(&w, init_priv);
    proto_tls_wr_vec(&w, leaf_priv);
    proto_tls_wr_vec(&w, signature_priv);
    proto_tls_wr_vec(&w, kp);
    return proto_tls_wr_take(&w, out);
}

static enum err
read_pair(const struct mls_suite *s, struct view priv, struct view pub,
          struct prim_kem_pair *out)
{
    enum err e;

    TRY(prim_kem_from_priv(&s->prim, priv, out));
    if (!view_equal(prim_kem_pub(out), pub)) {
        e = ERR_INVALID;
    }
out:
    return e;
}

enum err
mls_own_key_package_read(struct view record, struct mls_own_key_package *out)
{
    enum err e;
    struct proto_tls_rd r = proto_tls_rd_open(record);
    uint8_t version = proto_tls_rd_u8(&r);
    struct view init = proto_tls_rd_vec(&r);
    struct view leaf = proto_tls_rd_vec(&r);
    struct view sign = proto_tls_rd_vec(&r);
    struct view kp = proto_tls_rd_vec(&r);

    if (r.e == OK && version != RECORD_VERSION) {
        return ERR_UNSUPPORTED;
    }
    if (proto_tls_rd_end(&r) != OK ||
        mls_key_package_decode(kp, &out->kp) != OK) {
        return ERR_CORRUPT;
    }
    out->suite = mls_suite_find(out->kp.suite);
    if (out->suite == NULL) {
        return ERR_UNSUPPORTED;
    }
    TRY(read_pair(out->suite, init, out->kp.init_key, &out->init));
    TRY(read_pair(out->suite, leaf, out->kp.leaf_node.encryption_key,
                  &out->leaf));
    TRY(sign_key(sign, out->kp.leaf_node.signature_key, &out->sign));
    mls_key_package_ref(out->suite, kp, &out->ref);
out:
    return e;
}

enum err
mls_key_package_open(struct arena *a, struct view message,
                     const struct mls_suite **suite_out,
                     struct mls_key_package *out, enum mls_rule *broken)
{
    enum err e;
    struct mls_message m;

    TRY(mls_message_decode(a, message, &m, broken));
    /* RFC 9420 6 [wire-format] */
    TRY(mls_require(m.wire == MLS_WIRE_KEY_PACKAGE, MLS_RULE_WIRE_FORMAT,
                    broken));
    *suite_out = mls_suite_find(m.u.key_package.suite);
    /* RFC 9420 10.1 [key-package-suite] */
    TRY(mls_require(*suite_out != NULL, MLS_RULE_KEY_PACKAGE_SUITE, broken));
    *out = m.u.key_package;
out:
    return e;
}

/* An MLSMessage around an encoded KeyPackage. */
static enum err
as_message(const struct mem *mem, struct view kp, struct bytes *out)
{
    struct proto_tls_wr w = proto_tls_wr_open(mem);

    proto_tls_wr_u16(&w, MLS_VERSION_10);
    proto_tls_wr_u16(&w, MLS_WIRE_KEY_PACKAGE);
    proto_tls_wr_fixed(&w, kp);
    return proto_tls_wr_take(&w, out);
}

enum err
mls_key_package_record(const struct mls_env *env, struct view key_package,
                       struct view init_priv, struct view leaf_priv,
                       struct view signature_priv, struct bytes *record_out)
{
    enum err e;
    enum mls_rule *broken = mls_begin(env);
    struct arena a = {.mem = env->mem};
    const struct mls_suite *suite;
    struct mls_key_package kp;
    struct bytes record = {0};
    SCRUBBED_STRUCT(mls_own_key_package, own);

    TRY(mls_key_package_open(&a, key_package, &suite, &kp, broken));
    TRY(write_record(env->mem, kp.encoded, init_priv, leaf_priv, signature_priv,
                     &record));
    TRY(mls_own_key_package_read(view_of(&record), &own));
    *record_out = bytes_take(&record);
out:
    bytes_free(&record);
    arena_clear(&a);
    return e;
}

/* The three private keys of a package under way. */
struct fresh {
    struct prim_kem_pair init;
    struct prim_kem_pair leaf;
    struct prim_sign_key sign;
};

/* Sign the leaf and the package, and write it. */
static enum err
sign_package(const struct mls_env *env, const struct mls_suite *suite,
             const struct fresh *f, struct mls_key_package *kp,
             struct bytes *out)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(env->mem);
    uint8_t leaf_sig[PRIM_SIG_MAX];
    uint8_t sig[PRIM_SIG_MAX];
    size_t len = 0;

    TRY(mls_leaf_node_sign(suite, env->mem, &kp->leaf_node, (struct view){0}, 0,
                           &f->sign, leaf_sig, &len));
    kp->leaf_node.signature = view_make(leaf_sig, len);
    TRY(mls_key_package_sign(suite, env->mem, kp, &f->sign, sig, &len));
    kp->signature = view_make(sig, len);
    mls_key_package_write(&w, kp);
    TRY(proto_tls_wr_take(&w, out));
out:
    proto_tls_wr_clear(&w);
    return e;
}

/* The extensions of a package: what was asked for, and last resort. */
static enum err
package_extensions(struct arena *a, const struct mls_key_package_opts *opts,
                   struct mls_extensions *out)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(a->mem);
    struct view raw;

    proto_tls_wr_fixed(&w, opts->extensions.raw);
    if (opts->last_resort) {
        mls_extension_write(&w, MLS_EXT_LAST_RESORT, (struct view){0});
    }
    TRY(w.e);
    TRY(arena_copy(a, proto_tls_wr_view(&w), &raw));
    TRY(mls_extensions_from(raw, out));
out:
    proto_tls_wr_clear(&w);
    return e;
}

enum err
mls_key_package_make(const struct mls_env *env, const struct mls_identity *who,
                     const struct mls_key_package_opts *opts,
                     struct mls_key_package_made *out)
{
    enum err e;
    const struct mls_suite *suite = mls_suite_find(opts->suite);
    struct arena a = {.mem = env->mem};
    struct mls_key_package kp = {.version = MLS_VERSION_10};
    struct mls_key_package_made made = {0};
    struct bytes encoded = {0};
    struct mls_hash ref;
    SCRUBBED_STRUCT(fresh, f);

    if (suite == NULL) {
        return ERR_UNSUPPORTED;
    }
    kp.suite = suite->id;
    TRY(mls_identity_key(who, &f.sign));
    TRY(prim_kem_generate(&suite->prim, env->rng, &f.init));
    TRY(prim_kem_generate(&suite->prim, env->rng, &f.leaf));
    TRY(package_extensions(&a, opts, &kp.extensions));
    TRY(mls_identity_leaf(&a, who, kp.extensions, false, &kp.leaf_node));
    kp.init_key = prim_kem_pub(&f.init);
    kp.leaf_node.encryption_key = prim_kem_pub(&f.leaf);
    kp.leaf_node.source = MLS_LEAF_KEY_PACKAGE;
    kp.leaf_node.lifetime =
        (struct mls_lifetime){opts->not_before_s, opts->not_after_s};
    TRY(sign_package(env, suite, &f, &kp, &encoded));
    TRY(write_record(
        env->mem, view_of(&encoded), prim_secret_view(&f.init.priv),
        prim_secret_view(&f.leaf.priv),
        view_make(f.sign.seed, sizeof(f.sign.seed)), &made.record));
    TRY(as_message(env->mem, view_of(&encoded), &made.key_package));
    mls_key_package_ref(suite, view_of(&encoded), &ref);
    TRY(bytes_copy(env->mem, mls_hash_view(&ref), &made.ref));
    *out = made;
    made = (struct mls_key_package_made){0};
out:
    mls_key_package_made_clear(&made);
    bytes_free(&encoded);
    arena_clear(&a);
    return e;
}

/* Seconds since 1970, with the skew that clocks may have. */
enum {
    CLOCK_SKEW_S = 3600
};

enum err
mls_check_lifetime(const struct mls_env *env, const struct mls_leaf_node *n,
                   enum mls_rule *broken)
{
    struct mls_lifetime_policy policy = {.now_s =
                                             clock_wall_ms(env->clock) / 1000,
                                         .skew_s = CLOCK_SKEW_S,
                                         .total_s = env->lifetime_max_s};

    return mls_leaf_check_lifetime(n, &policy, broken);
}

enum err
mls_key_package_check(const struct mls_env *env, struct view key_package,
                      struct mls_key_package_info *out)
{
    enum err e;
    enum mls_rule *broken = mls_begin(env);
    struct arena a = {.mem = env->mem};
    const struct mls_suite *suite;
    struct mls_key_package kp;
    struct mls_extension ext;
    struct mls_hash ref;

    TRY(mls_key_package_open(&a, key_package, &suite, &kp, broken));
    TRY(mls_key_package_validate(suite, env->mem, &kp, broken));
    TRY(mls_check_lifetime(env, &kp.leaf_node, broken));
    TRY(mls_ask_leaf(env, MLS_FOR_KEY_PACKAGE, (struct view){0}, 0, MLS_NO_LEAF,
                     &kp.leaf_node, NULL));
    out->suite = kp.suite;
    mls_member_of(&kp.leaf_node, MLS_NO_LEAF, &out->member);
    out->not_before_s = kp.leaf_node.lifetime.not_before_s;
    out->not_after_s = kp.leaf_node.lifetime.not_after_s;
    out->last_resort =
        mls_extensions_find(kp.extensions, MLS_EXT_LAST_RESORT, &ext);
    mls_key_package_ref(suite, kp.encoded, &ref);
    memcpy(out->ref, ref.b, sizeof(out->ref));
out:
    arena_clear(&a);
    return e;
}
