/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/suite.h"

#include "tests/support/check.h"

TEST(table)
{
    CHECK_EQ(mls_suite_at(0)->id, MLS_SUITE_X25519_CHACHA20);
    CHECK_EQ(mls_suite_at(1)->id, MLS_SUITE_X25519_AES128GCM);
    CHECK(mls_suite_at(2) == NULL);
    CHECK(mls_suite_find(3) == mls_suite_at(0));
    CHECK(mls_suite_find(1) == mls_suite_at(1));
    CHECK(mls_suite_find(2) == NULL);
    CHECK(mls_suite_find(0) == NULL);
    for (size_t i = 0; i < 2; i++) {
        const struct prim_suite *p = &mls_suite_at(i)->prim;

        CHECK_EQ(p->key_size, prim_aead_key_size(p->aead));
    }
}

/* A prefix of the right MAC is not the right MAC (GHSA-8x3w-qj7j-gqhf). */
TEST(mac_needs_its_whole_length)
{
    const struct mls_suite *s = mls_suite_at(0);
    struct prim_secret key = {.len = 32, .b = {1}};
    struct mls_hash mac = {0};
    uint8_t longer[33] = {0};

    mls_mac(s, &key, VIEW_LIT("message"), &mac);
    CHECK_OK(mls_mac_verify(s, &key, VIEW_LIT("message"), mls_hash_view(&mac)));
    CHECK_ERR(mls_mac_verify(s, &key, VIEW_LIT("messagE"), mls_hash_view(&mac)),
              ERR_AUTH);
    for (size_t n = 0; n < 32; n++) {
        CHECK_ERR(
            mls_mac_verify(s, &key, VIEW_LIT("message"), view_make(mac.b, n)),
            ERR_AUTH);
        longer[n] = mac.b[n];
        mac.b[n] ^= 1;
        CHECK_ERR(
            mls_mac_verify(s, &key, VIEW_LIT("message"), mls_hash_view(&mac)),
            ERR_AUTH);
        mac.b[n] ^= 1;
    }
    CHECK_ERR(mls_mac_verify(s, &key, VIEW_LIT("message"), VIEW_ARRAY(longer)),
              ERR_AUTH);
}

int
main(void)
{
    return RUN(T(table), T(mac_needs_its_whole_length));
}
