/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labelled operations.  Each hashes or signs a small struct {label<V>, ...};
 * its head is built on the stack and the (large) rest passed as a part.
 */
#include "crypto/mls/labels.h"

#include "crypto/prim/hpke.h"
#include "proto/base/assert.h"
#include "proto/base/limits.h"

#include <string.h>

/* uint16 length, label<V> with its prefix, and the length of what follows. */
enum {
    PREFIX = 8,
    HEAD_MAX = 2 + 2 + PREFIX + MLS_LABEL_MAX + 4
};

struct head {
    size_t len;
    uint8_t b[HEAD_MAX];
};

static void
put(struct head *h, struct view v)
{
    ASSERT(v.len <= sizeof(h->b) - h->len);
    if (v.len > 0) {
        memcpy(h->b + h->len, v.p, v.len);
        h->len += v.len;
    }
}

static void
put_u8(struct head *h, size_t n)
{
    uint8_t b = (uint8_t)n;

    put(h, view_make(&b, 1));
}

/* A vector length, RFC 9420 2.1.2. */
static void
put_varint(struct head *h, size_t n)
{
    ASSERT(n <= LIMIT_TLS_VECTOR);
    if (n < 64) {
        put_u8(h, n);
        return;
    }
    if (n < 16384) {
        put_u8(h, 0x40 | n >> 8);
        put_u8(h, n);
        return;
    }
    put_u8(h, 0x80 | n >> 24);
    put_u8(h, n >> 16);
    put_u8(h, n >> 8);
    put_u8(h, n);
}

/* label<V> = "MLS 1.0 " || label, then the length of next. */
static void
put_label(struct head *h, struct view label, size_t next)
{
    put_varint(h, PREFIX + label.len);
    put(h, VIEW_LIT("MLS 1.0 "));
    put(h, label);
    put_varint(h, next);
}

/* RFC 9420 5.2 */
void
mls_ref_hash(const struct mls_suite *s, struct view label, struct view value,
             struct mls_hash *out)
{
    struct head label_len = {0};
    struct head value_len = {0};

    put_varint(&label_len, label.len);
    put_varint(&value_len, value.len);
    mls_hash_parts(s,
                   (const struct view[]){{label_len.b, label_len.len},
                                         label,
                                         {value_len.b, value_len.len},
                                         value},
                   4, out);
}

/* SignContent, RFC 9420 5.1.2, in one piece because Ed25519 reads it twice. */
static enum err
sign_content(const struct mem *mem, struct view label, struct view content,
             struct bytes *out)
{
    struct head h = {0};
    enum err e;

    ASSERT(label.len <= MLS_LABEL_MAX);
    put_label(&h, label, content.len);
    TRY(bytes_alloc(mem, h.len + content.len, out));
    memcpy(out->p, h.b, h.len);
    if (content.len > 0) {
        memcpy(out->p + h.len, content.p, content.len);
    }
out:
    return e;
}

enum err
mls_sign(const struct mls_suite *s, const struct mem *mem,
         const struct prim_sign_key *key, struct view label,
         struct view content, uint8_t sig_out[PRIM_SIG_MAX],
         size_t *sig_len_out)
{
    struct bytes tbs = {0};
    enum err e;

    ASSERT(s->prim.sig == PRIM_ED25519);
    TRY(sign_content(mem, label, content, &tbs));
    prim_ed25519_sign(key, view_of(&tbs), sig_out);
    *sig_len_out = PRIM_ED25519_SIG;
out:
    bytes_free(&tbs);
    return e;
}

enum err
mls_verify(const struct mls_suite *s, const struct mem *mem, struct view pub,
           struct view label, struct view content, struct view sig)
{
    struct bytes tbs = {0};
    enum err e;

    ASSERT(s->prim.sig == PRIM_ED25519);
    TRY(sign_content(mem, label, content, &tbs));
    TRY(prim_ed25519_verify(pub, view_of(&tbs), sig));
out:
    bytes_free(&tbs);
    return e;
}

/* EncryptContext, RFC 9420 5.1.3, is the HPKE info. */
enum err
mls_encrypt(const struct mls_suite *s, const struct rng *rng, struct view pub,
            struct view label, struct view context, struct view pt,
            uint8_t *enc_out, uint8_t *ct_out)
{
    struct head h = {0};

    ASSERT(label.len <= MLS_LABEL_MAX);
    put_label(&h, label, context.len);
    return prim_hpke_seal(&s->prim, rng, pub,
                          (const struct view[]){{h.b, h.len}, context}, 2,
                          (struct view){0}, pt, enc_out, ct_out);
}

enum err
mls_decrypt(const struct mls_suite *s, const struct prim_kem_pair *pair,
            struct view enc, struct view label, struct view context,
            struct view ct, uint8_t *pt_out)
{
    struct head h = {0};

    ASSERT(label.len <= MLS_LABEL_MAX);
    put_label(&h, label, context.len);
    return prim_hpke_open(&s->prim, pair, enc,
                          (const struct view[]){{h.b, h.len}, context}, 2,
                          (struct view){0}, ct, pt_out);
}

/* KDFLabel, RFC 9420 8 */
enum err
mls_expand_parts(const struct mls_suite *s, struct view secret,
                 struct view label, const struct view *context, size_t n,
                 uint8_t *out, size_t len)
{
    struct head h = {0};
    struct view all[1 + MLS_CONTEXT_PARTS_MAX];
    size_t context_len = 0;

    ASSERT(s->prim.kdf == PRIM_HKDF_SHA256 && n <= MLS_CONTEXT_PARTS_MAX);
    if (label.len > MLS_LABEL_MAX || len > PRIM_HKDF_MAX) {
        return ERR_LIMIT;
    }
    for (size_t i = 0; i < n; i++) {
        all[1 + i] = context[i];
        context_len += context[i].len;
    }
    put_u8(&h, len >> 8);
    put_u8(&h, len);
    put_label(&h, label, context_len);
    all[0] = view_make(h.b, h.len);
    return prim_hkdf_expand_parts(secret, all, 1 + n, out, len);
}

enum err
mls_expand(const struct mls_suite *s, struct view secret, struct view label,
           struct view context, uint8_t *out, size_t len)
{
    return mls_expand_parts(s, secret, label, &context, 1, out, len);
}

void
mls_expand_secret(const struct mls_suite *s, const struct prim_secret *secret,
                  struct view label, struct view context, size_t len,
                  struct prim_secret *out)
{
    SCRUBBED_SECRET(made);
    enum err e;

    ASSERT(len <= PRIM_SECRET_MAX);
    e = mls_expand(s, prim_secret_view(secret), label, context, made.b, len);
    ASSERT(e == OK);
    made.len = (uint8_t)len;
    *out = made;
}

void
mls_derive_secret(const struct mls_suite *s, const struct prim_secret *secret,
                  struct view label, struct prim_secret *out)
{
    mls_expand_secret(s, secret, label, (struct view){0}, s->prim.hash_size,
                      out);
}

/* RFC 9420 9.1 */
void
mls_derive_tree_secret(const struct mls_suite *s,
                       const struct prim_secret *secret, struct view label,
                       uint32_t generation, size_t len, struct prim_secret *out)
{
    uint8_t g[4] = {(uint8_t)(generation >> 24), (uint8_t)(generation >> 16),
                    (uint8_t)(generation >> 8), (uint8_t)generation};

    mls_expand_secret(s, secret, label, VIEW_ARRAY(g), len, out);
}
