/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/tls/ossl.h"
#include "crypto/tls/wrap.h"
#include "proto/base/limits.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"
#include "tests/support/seed_rng.h"

#include <string.h>

static const uint8_t seed_a[32] = {7, 1, 2, 3};

/* A chain of len bytes. */
static struct view
chain_of(size_t len)
{
    static uint8_t b[LIMIT_TLS_CHAIN + 1];

    for (size_t i = 0; i < sizeof(b); i++) {
        b[i] = (uint8_t)(i * 7 + 1);
    }
    return view_make(b, len);
}

TEST(every_length_comes_back)
{
    struct device_id want;

    CHECK_OK(tlsp_wrap_key(VIEW_ARRAY(seed_a), &want));
    for (size_t len = 1; len <= LIMIT_TLS_CHAIN; len += len < 300 ? 1 : 97) {
        struct bytes der = {0};
        struct device_id key;
        struct view chain;

        CHECK_OK(tlsp_wrap_make(mem_heap(), VIEW_ARRAY(seed_a), chain_of(len),
                                &der));
        CHECK_OK(tlsp_wrap_parse(view_of(&der), &key, &chain));
        CHECK(device_id_equal(&key, &want));
        CHECK_VIEW(chain, chain_of(len));
        bytes_free(&der);
    }
}

TEST(openssl_reads_the_same)
{
    struct bytes der = {0};
    struct device_id key;
    uint8_t raw[32];
    size_t raw_len = sizeof(raw);
    const unsigned char *p;
    unsigned char *again = NULL;
    X509 *x;
    int len;

    CHECK_OK(
        tlsp_wrap_make(mem_heap(), VIEW_ARRAY(seed_a), chain_of(700), &der));
    CHECK_OK(tlsp_wrap_key(VIEW_ARRAY(seed_a), &key));
    p = der.p;
    x = d2i_X509(NULL, &p, (long)der.len);
    CHECK(x != NULL && p == der.p + der.len);
    CHECK_EQ(X509_get_version(x), X509_VERSION_3);
    CHECK_EQ(X509_get_ext_count(x), 1);
    CHECK_EQ(X509_self_signed(x, 1), 1);
    CHECK_EQ(EVP_PKEY_get_raw_public_key(X509_get0_pubkey(x), raw, &raw_len),
             1);
    CHECK_VIEW(VIEW_ARRAY(raw), device_id_view(&key));
    len = i2d_X509(x, &again);
    CHECK_VIEW(view_make(again, (size_t)len), view_of(&der));
    OPENSSL_free(again);
    X509_free(x);
    bytes_free(&der);
}

TEST(bounds_are_kept)
{
    struct bytes der = {0};
    struct device_id key;
    struct view chain;
    uint8_t big[LIMIT_TLS_CHAIN + 1024] = {0};

    CHECK_ERR(tlsp_wrap_make(mem_heap(), VIEW_ARRAY(seed_a), chain_of(0), &der),
              ERR_INVALID);
    CHECK_ERR(tlsp_wrap_make(mem_heap(), VIEW_ARRAY(seed_a),
                             chain_of(LIMIT_TLS_CHAIN + 1), &der),
              ERR_LIMIT);
    CHECK_ERR(
        tlsp_wrap_make(mem_heap(), view_make(seed_a, 31), chain_of(5), &der),
        ERR_INVALID);
    CHECK_ERR(tlsp_wrap_parse(VIEW_ARRAY(big), &key, &chain), ERR_LIMIT);
    CHECK_ERR(tlsp_wrap_parse(view_make(big, 300), &key, &chain), ERR_FORMAT);
    for (size_t n = 0; n < 260; n++) {
        CHECK_ERR(tlsp_wrap_parse(view_make(big, n), &key, &chain), ERR_FORMAT);
    }
}

/* Outside of key, chain and signature no bit may change. */
TEST(one_encoding_only)
{
    struct bytes der = {0};
    struct device_id key;
    struct view chain;
    size_t refused = 0;

    CHECK_OK(
        tlsp_wrap_make(mem_heap(), VIEW_ARRAY(seed_a), chain_of(200), &der));
    for (size_t i = 0; i < der.len; i++) {
        der.p[i] ^= 1;
        if (tlsp_wrap_parse(view_of(&der), &key, &chain) != OK) {
            refused++;
        }
        der.p[i] ^= 1;
    }
    CHECK_EQ(refused, der.len - 32 - 200 - 64);
    CHECK_ERR(tlsp_wrap_parse(view_make(der.p, der.len - 1), &key, &chain),
              ERR_FORMAT);
    bytes_free(&der);
}

TEST(no_memory)
{
    for (uint64_t n = 1;; n++) {
        struct fail_mem f;
        struct bytes der = {0};
        enum err e;

        fail_mem_init(&f, n);
        e = tlsp_wrap_make(&f.mem, VIEW_ARRAY(seed_a), chain_of(9), &der);
        bytes_free(&der);
        CHECK_EQ(f.live, 0);
        if (!f.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

int
main(void)
{
    return RUN(T(every_length_comes_back), T(openssl_reads_the_same),
               T(bounds_are_kept), T(one_encoding_only), T(no_memory));
}
