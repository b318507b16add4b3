/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/suite.h"

#include "proto/base/assert.h"

#define X25519_SHA256_ED25519(ID, AEAD, KEY_SIZE) \
    {                                             \
        .id = (ID),                               \
        .prim = {                                 \
            .kem = PRIM_KEM_X25519,               \
            .kdf = PRIM_HKDF_SHA256,              \
            .aead = (AEAD),                       \
            .sig = PRIM_ED25519,                  \
            .hash_size = PRIM_HASH_SIZE,          \
            .key_size = (KEY_SIZE),               \
            .nonce_size = PRIM_NONCE_SIZE,        \
            .tag_size = PRIM_TAG_SIZE,            \
            .kem_pub_size = PRIM_X25519_SIZE,     \
            .kem_priv_size = PRIM_X25519_SIZE,    \
            .sig_pub_size = PRIM_ED25519_PUB,     \
        },                                        \
    }

static const struct mls_suite suites[] = {
    X25519_SHA256_ED25519(MLS_SUITE_X25519_CHACHA20, PRIM_CHACHA20_POLY1305,
                          32),
#ifndef __wasm__
    X25519_SHA256_ED25519(MLS_SUITE_X25519_AES128GCM, PRIM_AES_128_GCM, 16),
#endif
};

const struct mls_suite *
mls_suite_at(size_t i)
{
    return i < sizeof(suites) / sizeof(suites[0]) ? &suites[i] : NULL;
}

const struct mls_suite *
mls_suite_find(uint16_t id)
{
    for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
        if (suites[i].id == id) {
            return &suites[i];
        }
    }
    return NULL;
}

/* All our suites hash with SHA-256; another hash is a case here and in
 * labels.c. */
static void
assert_sha256(const struct mls_suite *s)
{
    ASSERT(s->prim.kdf == PRIM_HKDF_SHA256);
}

void
mls_hash_parts(const struct mls_suite *s, const struct view *parts, size_t n,
               struct mls_hash *out)
{
    assert_sha256(s);
    prim_sha256_parts(parts, n, out->b);
    out->len = PRIM_HASH_SIZE;
}

void
mls_mac(const struct mls_suite *s, const struct prim_secret *key,
        struct view msg, struct mls_hash *out)
{
    assert_sha256(s);
    prim_hmac_sha256(prim_secret_view(key), msg, out->b);
    out->len = PRIM_HASH_SIZE;
}

enum err
mls_mac_verify(const struct mls_suite *s, const struct prim_secret *key,
               struct view msg, struct view mac)
{
    SCRUBBED_STRUCT(mls_hash, want);

    mls_mac(s, key, msg, &want);
    return prim_equal(mls_hash_view(&want), mac) ? OK : ERR_AUTH;
}
