/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/prim/curve.h"

#include "tests/support/check.h"

#include <string.h>

/* RFC 7748 5.2 and 6.1 */
TEST(x25519)
{
    uint8_t out[PRIM_X25519_SIZE];
    uint8_t nine[PRIM_X25519_SIZE] = {9};
    uint8_t base[PRIM_X25519_SIZE];
    struct view priv = check_hex("a546e36bf0527c9d3b16154b82465edd"
                                 "62144c0ac1fc5a18506a2244ba449ac4");

    CHECK_OK(prim_x25519(priv.p,
                         check_hex("e6db6867583030db3594c1a424b15f7c"
                                   "726624ec26b3353b10a903a6d0ab1c4c")
                             .p,
                         out));
    CHECK_VIEW(VIEW_ARRAY(out), check_hex("c3da55379de9c6908e94ea4df28d084f"
                                          "32eccf03491c71f754b4075577a28552"));
    prim_x25519_base(priv.p, base);
    CHECK_OK(prim_x25519(priv.p, nine, out));
    CHECK_VIEW(VIEW_ARRAY(out), VIEW_ARRAY(base));
}

/* One key for both: the pair that a signing key gives. */
TEST(x25519_of_a_signing_key)
{
    static const uint8_t seed[PRIM_ED25519_SEED] = {3};
    struct prim_sign_key key;
    uint8_t priv[PRIM_X25519_SIZE];
    uint8_t pub[PRIM_X25519_SIZE];
    uint8_t base[PRIM_X25519_SIZE];

    prim_ed25519_from_seed(seed, &key);
    prim_x25519_of_key(&key, priv);
    CHECK_OK(prim_x25519_of_pub(key.pub, pub));
    prim_x25519_base(priv, base);
    CHECK_VIEW(VIEW_ARRAY(base), VIEW_ARRAY(pub));
    memset(key.pub, 0, sizeof(key.pub));
    CHECK_ERR(prim_x25519_of_pub(key.pub, pub), ERR_INVALID);
}

/* [x25519-zero] points of small order give zero whatever the key */
TEST(x25519_refuses_degenerate_keys)
{
    static const char *const degenerate[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    uint8_t priv[PRIM_X25519_SIZE] = {0x42, 7};
    uint8_t out[PRIM_X25519_SIZE];

    for (size_t i = 0; i < sizeof(degenerate) / sizeof(degenerate[0]); i++) {
        CHECK_ERR(prim_x25519(priv, check_hex(degenerate[i]).p, out),
                  ERR_INVALID);
        CHECK(prim_is_zero(VIEW_ARRAY(out)));
    }
}

/* RFC 8032 7.1, test 1 */
TEST(ed25519)
{
    struct prim_sign_key key;
    uint8_t sig[PRIM_ED25519_SIG];
    struct view none = {0};

    prim_ed25519_from_seed(check_hex("9d61b19deffd5a60ba844af492ec2cc4"
                                     "4449c5697b326919703bac031cae7f60")
                               .p,
                           &key);
    CHECK_VIEW(prim_sign_key_pub(&key),
               check_hex("d75a980182b10ab7d54bfed3c964073a"
                         "0ee172f3daa62325af021a68f707511a"));
    prim_ed25519_sign(&key, none, sig);
    CHECK_VIEW(VIEW_ARRAY(sig),
               check_hex("e5564300c360ac729086e2cc806e828a"
                         "84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e"
                         "39701cf9b46bd25bf5f0595bbe24655141438e7a100b"));
    CHECK_OK(
        prim_ed25519_verify(prim_sign_key_pub(&key), none, VIEW_ARRAY(sig)));
    CHECK_ERR(prim_ed25519_verify(prim_sign_key_pub(&key), VIEW_LIT("x"),
                                  VIEW_ARRAY(sig)),
              ERR_AUTH);
    CHECK_ERR(
        prim_ed25519_verify(prim_sign_key_pub(&key), none, view_make(sig, 63)),
        ERR_AUTH);
    CHECK_ERR(
        prim_ed25519_verify(view_make(key.pub, 31), none, VIEW_ARRAY(sig)),
        ERR_AUTH);
    sig[40] ^= 1;
    CHECK_ERR(
        prim_ed25519_verify(prim_sign_key_pub(&key), none, VIEW_ARRAY(sig)),
        ERR_AUTH);
}

/* A public key of small order verifies nothing, whatever the signature. */
TEST(ed25519_refuses_weak_keys)
{
    uint8_t sig[PRIM_ED25519_SIG] = {1};
    uint8_t pub[PRIM_ED25519_PUB] = {1};

    CHECK_ERR(
        prim_ed25519_verify(VIEW_ARRAY(pub), VIEW_LIT("any"), VIEW_ARRAY(sig)),
        ERR_AUTH);
}

int
main(void)
{
    return RUN(T(x25519), T(x25519_of_a_signing_key),
               T(x25519_refuses_degenerate_keys), T(ed25519),
               T(ed25519_refuses_weak_keys));
}
