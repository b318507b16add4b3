/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES-128-GCM by OpenSSL, ChaCha20-Poly1305 by libsodium (the faster of the two
 * for short messages).
 */
#include "crypto/prim/aead.h"
#include "crypto/prim/openssl.h"

#include <limits.h>
#include <openssl/evp.h>
#include <sodium.h>

/* Both libraries take this much; OpenSSL counts in int. */
enum {
    AEAD_MAX = INT_MAX - PRIM_TAG_SIZE
};

static enum err
check_sizes(enum prim_aead a, struct view key, struct view nonce,
            struct view aad, struct view text)
{
    if (key.len != prim_aead_key_size(a) || nonce.len != PRIM_NONCE_SIZE) {
        return ERR_INVALID;
    }
    return aad.len > AEAD_MAX || text.len > AEAD_MAX ? ERR_LIMIT : OK;
}

/* Key, nonce and associated data into ctx. */
static bool
gcm_start(EVP_CIPHER_CTX *ctx, struct view key, struct view nonce,
          struct view aad, int enc)
{
    int n;

    if (EVP_CipherInit_ex(ctx, EVP_aes_128_gcm(), NULL, key.p, nonce.p, enc) !=
        1) {
        return false;
    }
    return aad.len == 0 ||
           EVP_CipherUpdate(ctx, NULL, &n, aad.p, (int)aad.len) == 1;
}

static bool
gcm_text(EVP_CIPHER_CTX *ctx, struct view in, uint8_t *out)
{
    int n;

    return in.len == 0 ||
           EVP_CipherUpdate(ctx, out, &n, in.p, (int)in.len) == 1;
}

static enum err
gcm_seal(struct view key, struct view nonce, struct view aad, struct view pt,
         uint8_t *out)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    size_t len = pt.len;
    enum err e = ERR_INTERNAL;
    int n;

    if (ctx == NULL) {
        return ERR_NOMEM;
    }
    if (gcm_start(ctx, key, nonce, aad, 1) && gcm_text(ctx, pt, out) &&
        EVP_CipherFinal_ex(ctx, out + len, &n) == 1 &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, PRIM_TAG_SIZE,
                            out + len) == 1) {
        e = OK;
    }
    EVP_CIPHER_CTX_free(ctx);
    return e;
}

static enum err
gcm_open(struct view key, struct view nonce, struct view aad, struct view ct,
         uint8_t *out)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    struct view text = view_sub(ct, 0, ct.len - PRIM_TAG_SIZE);
    SCRUBBED(tag, PRIM_TAG_SIZE);
    enum err e = ERR_INTERNAL;
    int n;

    if (ctx == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < PRIM_TAG_SIZE; i++) {
        tag[i] = ct.p[text.len + i];
    }
    if (gcm_start(ctx, key, nonce, aad, 0) &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, PRIM_TAG_SIZE, tag) ==
            1 &&
        gcm_text(ctx, text, out)) {
        e = EVP_CipherFinal_ex(ctx, tag, &n) == 1 ? OK : ERR_AUTH;
    }
    EVP_CIPHER_CTX_free(ctx);
    if (e != OK && text.len > 0) {
        mem_wipe(out, text.len);
    }
    return e;
}

enum err
prim_aead_seal(enum prim_aead a, struct view key, struct view nonce,
               struct view aad, struct view pt, uint8_t *out)
{
    enum err e = check_sizes(a, key, nonce, aad, pt);

    if (e != OK) {
        return e;
    }
    if (a == PRIM_AES_128_GCM) {
        return gcm_seal(key, nonce, aad, pt, out);
    }
    crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, pt.p, pt.len, aad.p,
                                              aad.len, NULL, nonce.p, key.p);
    return OK;
}

enum err
prim_aead_open(enum prim_aead a, struct view key, struct view nonce,
               struct view aad, struct view ct, uint8_t *out)
{
    enum err e = check_sizes(a, key, nonce, aad, ct);

    if (e != OK) {
        return e;
    }
    if (ct.len < PRIM_TAG_SIZE) {
        return ERR_AUTH;
    }
    if (a == PRIM_AES_128_GCM) {
        return gcm_open(key, nonce, aad, ct, out);
    }
    if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, ct.p, ct.len,
                                                  aad.p, aad.len, nonce.p,
                                                  key.p) != 0) {
        return ERR_AUTH;
    }
    return OK;
}

void
prim_xseal(const uint8_t key[PRIM_XKEY_SIZE],
           const uint8_t nonce[PRIM_XNONCE_SIZE], struct view aad,
           struct view pt, uint8_t *out)
{
    crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, pt.p, pt.len, aad.p,
                                               aad.len, NULL, nonce, key);
}

enum err
prim_xopen(const uint8_t key[PRIM_XKEY_SIZE],
           const uint8_t nonce[PRIM_XNONCE_SIZE], struct view aad,
           struct view ct, uint8_t *out)
{
    if (ct.len < PRIM_TAG_SIZE ||
        crypto_aead_xchacha20poly1305_ietf_decrypt(
            out, NULL, NULL, ct.p, ct.len, aad.p, aad.len, nonce, key) != 0) {
        return ERR_AUTH;
    }
    return OK;
}
