/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/labels.h"

#include "crypto/prim/hpke.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"
#include "tests/support/seed_rng.h"

#define KNOWN_BASICS
#include "tests/crypto/mls/known.h"

#include <string.h>

static struct prim_secret
secret_of(const char *hex)
{
    struct prim_secret s = {0};

    CHECK_OK(prim_secret_set(&s, check_hex(hex)));
    return s;
}

TEST(hashes_and_derivations)
{
    for (size_t i = 0; i < KNOWN_N(known_basics); i++) {
        const struct known_basics *k = &known_basics[i];
        const struct mls_suite *s = mls_suite_find(k->suite);
        struct view want = check_hex(k->expand_out);
        struct prim_secret secret = secret_of(k->derive_secret);
        struct mls_hash hash = {0};
        uint8_t out[64];

        CHECK(s != NULL);
        mls_ref_hash(s, VIEW_LIT("RefHash"), check_hex(k->ref_value), &hash);
        CHECK_VIEW(mls_hash_view(&hash), check_hex(k->ref_out));
        CHECK_OK(mls_expand(s, check_hex(k->expand_secret),
                            VIEW_LIT("ExpandWithLabel"),
                            check_hex(k->expand_context), out, want.len));
        CHECK_VIEW(view_make(out, want.len), want);
        mls_derive_secret(s, &secret, VIEW_LIT("DeriveSecret"), &secret);
        CHECK_VIEW(prim_secret_view(&secret), check_hex(k->derive_out));
        secret = secret_of(k->tree_secret);
        want = check_hex(k->tree_out);
        mls_derive_tree_secret(s, &secret, VIEW_LIT("DeriveTreeSecret"),
                               k->tree_generation, want.len, &secret);
        CHECK_VIEW(prim_secret_view(&secret), want);
    }
}

TEST(sign_and_verify)
{
    for (size_t i = 0; i < KNOWN_N(known_basics); i++) {
        const struct known_basics *k = &known_basics[i];
        const struct mls_suite *s = mls_suite_find(k->suite);
        struct view content = check_hex(k->sign_content);
        struct view label = VIEW_LIT("SignWithLabel");
        struct prim_sign_key key;
        uint8_t sig[PRIM_SIG_MAX];
        size_t len = 0;

        prim_ed25519_from_seed(check_hex(k->sign_priv).p, &key);
        CHECK_VIEW(prim_sign_key_pub(&key), check_hex(k->sign_pub));
        CHECK_OK(mls_sign(s, mem_heap(), &key, label, content, sig, &len));
        CHECK_VIEW(view_make(sig, len), check_hex(k->sign_sig));
        CHECK_OK(mls_verify(s, mem_heap(), prim_sign_key_pub(&key), label,
                            content, view_make(sig, len)));
        CHECK_ERR(mls_verify(s, mem_heap(), prim_sign_key_pub(&key),
                             VIEW_LIT("SignWithLabeL"), content,
                             view_make(sig, len)),
                  ERR_AUTH);
        CHECK_ERR(mls_verify(s, mem_heap(), prim_sign_key_pub(&key), label,
                             view_skip(content, 1), view_make(sig, len)),
                  ERR_AUTH);
        CHECK_ERR(mls_verify(s, mem_heap(), prim_sign_key_pub(&key), label,
                             content, view_make(sig, len - 1)),
                  ERR_AUTH);
    }
}

TEST(encrypt_and_decrypt)
{
    for (size_t i = 0; i < KNOWN_N(known_basics); i++) {
        const struct known_basics *k = &known_basics[i];
        const struct mls_suite *s = mls_suite_find(k->suite);
        struct view context = check_hex(k->enc_context);
        struct view label = VIEW_LIT("EncryptWithLabel");
        struct view ct = check_hex(k->enc_ciphertext);
        struct view want = check_hex(k->enc_plaintext);
        struct prim_kem_pair pair = {0};
        struct seed_rng seed;
        uint8_t enc[PRIM_KEM_PUB_MAX];
        uint8_t out[256];
        uint8_t sealed[256];

        seed_rng_init(&seed, 7);
        CHECK_OK(prim_kem_from_priv(&s->prim, check_hex(k->enc_priv), &pair));
        CHECK_VIEW(prim_kem_pub(&pair), check_hex(k->enc_pub));
        CHECK_OK(mls_decrypt(s, &pair, check_hex(k->enc_kem_output), label,
                             context, ct, out));
        CHECK_VIEW(view_make(out, want.len), want);
        CHECK_OK(mls_encrypt(s, &seed.rng, prim_kem_pub(&pair), label, context,
                             want, enc, sealed));
        CHECK_OK(mls_decrypt(s, &pair, view_make(enc, 32), label, context,
                             view_make(sealed, want.len + 16), out));
        CHECK_VIEW(view_make(out, want.len), want);
        CHECK_ERR(mls_decrypt(s, &pair, view_make(enc, 32), label,
                              view_skip(context, 1),
                              view_make(sealed, want.len + 16), out),
                  ERR_AUTH);
    }
}

/* The head of the hashed struct has lengths of 1, 2 and 4 bytes. */
TEST(long_contexts_and_labels)
{
    const struct mls_suite *s = mls_suite_at(0);
    static const size_t sizes[] = {63, 64, 16383, 16384};
    static uint8_t context[20000];
    char label[MLS_LABEL_MAX + 1];
    uint8_t last[32] = {0};
    uint8_t out[32];

    memset(label, 'x', sizeof(label));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct view c = view_make(context, sizes[i]);
        struct view halves[] = {view_sub(c, 0, 10), view_skip(c, 10)};

        CHECK_OK(
            mls_expand(s, VIEW_ARRAY(last), view_make(label, 255), c, out, 32));
        CHECK(!view_equal(VIEW_ARRAY(out), VIEW_ARRAY(last)));
        CHECK_OK(mls_expand_parts(s, VIEW_ARRAY(last), view_make(label, 255),
                                  halves, 2, last, 32));
        CHECK_VIEW(VIEW_ARRAY(last), VIEW_ARRAY(out));
    }
    CHECK_ERR(mls_expand(s, VIEW_ARRAY(last), view_make(label, 256),
                         (struct view){0}, out, 32),
              ERR_LIMIT);
    CHECK_ERR(mls_expand(s, VIEW_ARRAY(last), view_make(label, 1),
                         (struct view){0}, context, PRIM_HKDF_MAX + 1),
              ERR_LIMIT);
}

TEST(sign_reports_no_memory)
{
    const struct mls_suite *s = mls_suite_at(0);
    struct prim_sign_key key;
    uint8_t seed[32] = {1};
    uint8_t sig[PRIM_SIG_MAX];
    size_t len = 77;
    struct fail_mem f;

    prim_ed25519_from_seed(seed, &key);
    fail_mem_init(&f, 1);
    CHECK_ERR(
        mls_sign(s, &f.mem, &key, VIEW_LIT("l"), VIEW_LIT("c"), sig, &len),
        ERR_NOMEM);
    CHECK_EQ(len, 77);
    fail_mem_init(&f, 1);
    CHECK_ERR(mls_verify(s, &f.mem, prim_sign_key_pub(&key), VIEW_LIT("l"),
                         VIEW_LIT("c"), view_make(sig, 64)),
              ERR_NOMEM);
    CHECK_EQ(f.live, 0);
}

int
main(void)
{
    return RUN(T(hashes_and_derivations), T(sign_and_verify),
               T(encrypt_and_decrypt), T(long_contexts_and_labels),
               T(sign_reports_no_memory));
}
