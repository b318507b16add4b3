/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HPKE base mode over any suite of the table.  The KEM (DHKEM) and the key
 * schedule both hash "HPKE-v1", a suite id and a label before their input; the
 * two labeled functions below are all there is to it.
 */
#include "crypto/prim/hpke.h"

#include "proto/base/assert.h"

#include <string.h>

/* "KEM" and a number, or "HPKE" and three. */
struct suite_id {
    uint8_t len;
    uint8_t b[10];
};

enum {
    PARTS_MAX = 12,
    CONTEXT_SIZE = 1 + 2 * PRIM_HASH_SIZE
};

static void
put_u16(uint8_t *out, unsigned n)
{
    out[0] = (uint8_t)(n >> 8);
    out[1] = (uint8_t)n;
}

static struct suite_id
kem_id(const struct prim_suite *s)
{
    struct suite_id id = {.len = 5, .b = "KEM"};

    put_u16(id.b + 3, s->kem);
    return id;
}

static struct suite_id
hpke_id(const struct prim_suite *s)
{
    struct suite_id id = {.len = 10, .b = "HPKE"};

    put_u16(id.b + 4, s->kem);
    put_u16(id.b + 6, s->kdf);
    put_u16(id.b + 8, s->aead);
    return id;
}

/* LabeledExtract(salt, label, parts) */
static void
labeled_extract(struct suite_id id, struct view salt, struct view label,
                const struct view *parts, size_t n, struct prim_secret *out)
{
    struct view all[PARTS_MAX] = {VIEW_LIT("HPKE-v1"), {id.b, id.len}, label};

    ASSERT(n <= PARTS_MAX - 3);
    if (n > 0) {
        memcpy(all + 3, parts, n * sizeof(*parts));
    }
    prim_hkdf_extract_parts(salt, all, n + 3, out);
}

/* LabeledExpand(prk, label, info, len) */
static enum err
labeled_expand(struct suite_id id, const struct prim_secret *prk,
               struct view label, struct view info, uint8_t *out, size_t len)
{
    uint8_t size[2];
    struct view all[] = {
        {size, sizeof(size)}, VIEW_LIT("HPKE-v1"), {id.b, id.len}, label, info};

    if (len > PRIM_HKDF_MAX) {
        return ERR_LIMIT;
    }
    put_u16(size, (unsigned)len);
    return prim_hkdf_expand_parts(prim_secret_view(prk), all,
                                  sizeof(all) / sizeof(all[0]), out, len);
}

static enum err
pair_of(const struct prim_suite *s, const struct prim_secret *priv,
        struct prim_kem_pair *out)
{
    if (s->kem != PRIM_KEM_X25519) {
        return ERR_UNSUPPORTED;
    }
    out->priv = *priv;
    prim_x25519_base(priv->b, out->pub);
    out->pub_len = PRIM_X25519_SIZE;
    return OK;
}

enum err
prim_kem_derive(const struct prim_suite *s, struct view ikm,
                struct prim_kem_pair *out)
{
    enum err e;
    SCRUBBED_SECRET(prk);
    SCRUBBED_SECRET(priv);

    labeled_extract(kem_id(s), (struct view){0}, VIEW_LIT("dkp_prk"), &ikm, 1,
                    &prk);
    priv.len = s->kem_priv_size;
    TRY(labeled_expand(kem_id(s), &prk, VIEW_LIT("sk"), (struct view){0},
                       priv.b, priv.len));
    TRY(pair_of(s, &priv, out));
out:
    return e;
}

enum err
prim_kem_generate(const struct prim_suite *s, const struct rng *rng,
                  struct prim_kem_pair *out)
{
    enum err e;
    SCRUBBED_SECRET(priv);

    priv.len = s->kem_priv_size;
    TRY(rng_fill(rng, priv.b, priv.len));
    TRY(pair_of(s, &priv, out));
out:
    return e;
}

enum err
prim_kem_from_priv(const struct prim_suite *s, struct view priv,
                   struct prim_kem_pair *out)
{
    enum err e = ERR_INVALID;
    SCRUBBED_SECRET(copy);

    if (priv.len != s->kem_priv_size) {
        goto out;
    }
    TRY(prim_secret_set(&copy, priv));
    TRY(pair_of(s, &copy, out));
out:
    return e;
}

/* ExtractAndExpand of the DH of priv and pub, with enc and the receiver's
 * public key as context. */
static enum err
shared_secret(const struct prim_suite *s, const struct prim_secret *priv,
              struct view pub, struct view enc, struct view receiver,
              struct prim_secret *out)
{
    enum err e = ERR_INVALID;
    SCRUBBED(dh, PRIM_X25519_SIZE);
    SCRUBBED_SECRET(prk);
    uint8_t context[2 * PRIM_KEM_PUB_MAX];
    struct view dh_view = VIEW_ARRAY(dh);

    if (s->kem != PRIM_KEM_X25519 || priv->len != PRIM_X25519_SIZE ||
        pub.len != PRIM_X25519_SIZE) {
        goto out;
    }
    TRY(prim_x25519(priv->b, pub.p, dh));
    memcpy(context, enc.p, enc.len);
    memcpy(context + enc.len, receiver.p, receiver.len);
    labeled_extract(kem_id(s), (struct view){0}, VIEW_LIT("eae_prk"), &dh_view,
                    1, &prk);
    TRY(labeled_expand(kem_id(s), &prk, VIEW_LIT("shared_secret"),
                       view_make(context, enc.len + receiver.len), out->b,
                       s->hash_size));
    out->len = s->hash_size;
out:
    return e;
}

/* Encap: writes enc, gives the shared secret. */
static enum err
encap(const struct prim_suite *s, const struct rng *rng, struct view pub,
      uint8_t *enc_out, struct prim_secret *shared)
{
    enum err e = ERR_INVALID;
    SCRUBBED_STRUCT(prim_kem_pair, eph);

    if (pub.len != s->kem_pub_size) {
        goto out;
    }
    TRY(prim_kem_generate(s, rng, &eph));
    TRY(shared_secret(s, &eph.priv, pub, prim_kem_pub(&eph), pub, shared));
    memcpy(enc_out, eph.pub, eph.pub_len);
out:
    return e;
}

static enum err
decap(const struct prim_suite *s, const struct prim_kem_pair *pair,
      struct view enc, struct prim_secret *shared)
{
    if (enc.len != s->kem_pub_size) {
        return ERR_INVALID;
    }
    return shared_secret(s, &pair->priv, enc, enc, prim_kem_pub(pair), shared);
}

/* What KeySchedule leaves of one context. */
struct schedule {
    struct prim_secret secret;
    uint8_t context[CONTEXT_SIZE];
};

static void
schedule(const struct prim_suite *s, const struct prim_secret *shared,
         const struct view *info, size_t info_n, struct schedule *out)
{
    struct suite_id id = hpke_id(s);
    struct prim_secret hash = {0};
    struct view none = {0};

    out->context[0] = 0; /* mode_base */
    labeled_extract(id, none, VIEW_LIT("psk_id_hash"), &none, 1, &hash);
    memcpy(out->context + 1, hash.b, PRIM_HASH_SIZE);
    labeled_extract(id, none, VIEW_LIT("info_hash"), info, info_n, &hash);
    memcpy(out->context + 1 + PRIM_HASH_SIZE, hash.b, PRIM_HASH_SIZE);
    labeled_extract(id, prim_secret_view(shared), VIEW_LIT("secret"), &none, 1,
                    &out->secret);
}

/* Key and nonce of message 0, the only one a single-shot context has. */
static enum err
first_key(const struct prim_suite *s, const struct schedule *ks,
          uint8_t key[PRIM_KEY_MAX], uint8_t nonce[PRIM_NONCE_SIZE])
{
    struct view context = VIEW_ARRAY(ks->context);
    enum err e;

    TRY(labeled_expand(hpke_id(s), &ks->secret, VIEW_LIT("key"), context, key,
                       s->key_size));
    TRY(labeled_expand(hpke_id(s), &ks->secret, VIEW_LIT("base_nonce"), context,
                       nonce, s->nonce_size));
out:
    return e;
}

static enum err
export_from(const struct prim_suite *s, const struct schedule *ks,
            struct view context, uint8_t *out, size_t len)
{
    enum err e;
    SCRUBBED_SECRET(exporter);

    exporter.len = s->hash_size;
    TRY(labeled_expand(hpke_id(s), &ks->secret, VIEW_LIT("exp"),
                       VIEW_ARRAY(ks->context), exporter.b, exporter.len));
    TRY(labeled_expand(hpke_id(s), &exporter, VIEW_LIT("sec"), context, out,
                       len));
out:
    return e;
}

enum err
prim_hpke_seal(const struct prim_suite *s, const struct rng *rng,
               struct view pub, const struct view *info, size_t info_n,
               struct view aad, struct view pt, uint8_t *enc_out,
               uint8_t *ct_out)
{
    enum err e;
    SCRUBBED_SECRET(shared);
    SCRUBBED_STRUCT(schedule, ks);
    SCRUBBED(key, PRIM_KEY_MAX);
    SCRUBBED(nonce, PRIM_NONCE_SIZE);
    uint8_t enc[PRIM_KEM_PUB_MAX];

    TRY(encap(s, rng, pub, enc, &shared));
    schedule(s, &shared, info, info_n, &ks);
    TRY(first_key(s, &ks, key, nonce));
    TRY(prim_aead_seal(s->aead, view_make(key, s->key_size),
                       view_make(nonce, s->nonce_size), aad, pt, ct_out));
    memcpy(enc_out, enc, s->kem_pub_size);
out:
    return e;
}

enum err
prim_hpke_open(const struct prim_suite *s, const struct prim_kem_pair *pair,
               struct view enc, const struct view *info, size_t info_n,
               struct view aad, struct view ct, uint8_t *pt_out)
{
    enum err e;
    SCRUBBED_SECRET(shared);
    SCRUBBED_STRUCT(schedule, ks);
    SCRUBBED(key, PRIM_KEY_MAX);
    SCRUBBED(nonce, PRIM_NONCE_SIZE);

    TRY(decap(s, pair, enc, &shared));
    schedule(s, &shared, info, info_n, &ks);
    TRY(first_key(s, &ks, key, nonce));
    TRY(prim_aead_open(s->aead, view_make(key, s->key_size),
                       view_make(nonce, s->nonce_size), aad, ct, pt_out));
out:
    return e;
}

enum err
prim_hpke_export_send(const struct prim_suite *s, const struct rng *rng,
                      struct view pub, const struct view *info, size_t info_n,
                      struct view context, uint8_t *enc_out, uint8_t *out,
                      size_t len)
{
    enum err e;
    SCRUBBED_SECRET(shared);
    SCRUBBED_STRUCT(schedule, ks);
    uint8_t enc[PRIM_KEM_PUB_MAX];

    TRY(encap(s, rng, pub, enc, &shared));
    schedule(s, &shared, info, info_n, &ks);
    TRY(export_from(s, &ks, context, out, len));
    memcpy(enc_out, enc, s->kem_pub_size);
out:
    return e;
}

enum err
prim_hpke_export_receive(const struct prim_suite *s,
                         const struct prim_kem_pair *pair, struct view enc,
                         const struct view *info, size_t info_n,
                         struct view context, uint8_t *out, size_t len)
{
    enum err e;
    SCRUBBED_SECRET(shared);
    SCRUBBED_STRUCT(schedule, ks);

    TRY(decap(s, pair, enc, &shared));
    schedule(s, &shared, info, info_n, &ks);
    TRY(export_from(s, &ks, context, out, len));
out:
    return e;
}
