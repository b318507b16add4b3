/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/prim/hash.h"

#include "tests/support/check.h"

#include <string.h>

TEST(sha256_of_pieces)
{
    uint8_t out[PRIM_HASH_SIZE];
    struct view parts[] = {VIEW_LIT("a"), {0}, VIEW_LIT("bc")};

    /* FIPS 180-4 examples */
    prim_sha256(VIEW_LIT("abc"), out);
    CHECK_VIEW(VIEW_ARRAY(out), check_hex("ba7816bf8f01cfea414140de5dae2223"
                                          "b00361a396177a9cb410ff61f20015ad"));
    prim_sha256_parts(parts, 3, out);
    CHECK_VIEW(VIEW_ARRAY(out), check_hex("ba7816bf8f01cfea414140de5dae2223"
                                          "b00361a396177a9cb410ff61f20015ad"));
    prim_sha256((struct view){0}, out);
    CHECK_VIEW(VIEW_ARRAY(out), check_hex("e3b0c44298fc1c149afbf4c8996fb924"
                                          "27ae41e4649b934ca495991b7852b855"));
}

TEST(sha256_million)
{
    uint8_t a[1000];
    uint8_t out[PRIM_HASH_SIZE];
    struct prim_sha256 h;

    memset(a, 'a', sizeof(a));
    prim_sha256_init(&h);
    for (int i = 0; i < 1000; i++) {
        prim_sha256_update(&h, VIEW_ARRAY(a));
    }
    prim_sha256_final(&h, out);
    CHECK_VIEW(VIEW_ARRAY(out), check_hex("cdc76e5c9914fb9281a1c7e284d73e67"
                                          "f1809a48a497200e046d39ccc7112cd0"));
    CHECK(prim_is_zero(view_make(&h, sizeof(h))));
}

/* RFC 4231 4.3 and 4.7: a short key, and one longer than a block */
TEST(hmac)
{
    uint8_t long_key[131];
    uint8_t out[PRIM_HASH_SIZE];

    prim_hmac_sha256(VIEW_LIT("Jefe"), VIEW_LIT("what do ya want for nothing?"),
                     out);
    CHECK_VIEW(VIEW_ARRAY(out), check_hex("5bdcc146bf60754e6a042426089575c7"
                                          "5a003f089d2739839dec58b964ec3843"));
    memset(long_key, 0xaa, sizeof(long_key));
    prim_hmac_sha256(
        VIEW_ARRAY(long_key),
        VIEW_LIT("Test Using Larger Than Block-Size Key - Hash Key First"),
        out);
    CHECK_VIEW(VIEW_ARRAY(out), check_hex("60e431591ee0b67f0d8a26aacbf5b77f"
                                          "8e0bc6213728c5140546040f0ee37f54"));
}

/* RFC 5869 A.1 */
TEST(hkdf_basic)
{
    struct prim_secret prk = {0};
    uint8_t out[42];

    prim_hkdf_extract(check_hex("000102030405060708090a0b0c"),
                      check_hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"),
                      &prk);
    CHECK_VIEW(prim_secret_view(&prk),
               check_hex("077709362c2e32df0ddc3f0dc47bba63"
                         "90b6c73bb50f9c3122ec844ad7c2b3e5"));
    CHECK_OK(prim_hkdf_expand(prim_secret_view(&prk),
                              check_hex("f0f1f2f3f4f5f6f7f8f9"), out,
                              sizeof(out)));
    CHECK_VIEW(VIEW_ARRAY(out),
               check_hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db0"
                         "2d56ecc4c5bf34007208d5b887185865"));
}

/* RFC 5869 A.2: more than one block of everything */
TEST(hkdf_long)
{
    uint8_t bytes[256];
    struct prim_secret prk = {0};
    uint8_t out[82];

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)i;
    }
    prim_hkdf_extract(view_make(bytes + 0x60, 80), view_make(bytes, 80), &prk);
    CHECK_OK(prim_hkdf_expand(prim_secret_view(&prk),
                              view_make(bytes + 0xb0, 80), out, sizeof(out)));
    CHECK_VIEW(VIEW_ARRAY(out),
               check_hex("b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050"
                         "cc4c19afa97c59045a99cac7827271cb41c65e590e09da327560"
                         "0c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3"
                         "434f1d87"));
}

/* RFC 5869 A.3: empty salt and info */
TEST(hkdf_empty)
{
    struct prim_secret prk = {0};
    uint8_t out[42];

    prim_hkdf_extract((struct view){0},
                      check_hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"),
                      &prk);
    CHECK_OK(prim_hkdf_expand(prim_secret_view(&prk), (struct view){0}, out,
                              sizeof(out)));
    CHECK_VIEW(VIEW_ARRAY(out),
               check_hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec345"
                         "4e5f3c738d2d9d201395faa4b61a96c8"));
}

TEST(hkdf_length_is_bounded)
{
    static uint8_t out[PRIM_HKDF_MAX + 1];
    struct view prk = VIEW_LIT("0123456789012345");

    CHECK_OK(prim_hkdf_expand(prk, (struct view){0}, out, PRIM_HKDF_MAX));
    CHECK_OK(prim_hkdf_expand(prk, (struct view){0}, out, 0));
    CHECK_ERR(prim_hkdf_expand(prk, (struct view){0}, out, PRIM_HKDF_MAX + 1),
              ERR_LIMIT);
}

TEST(blake2b_keyed)
{
    uint8_t key[64];
    uint8_t out[64];

    for (size_t i = 0; i < sizeof(key); i++) {
        key[i] = (uint8_t)i;
    }
    /* the first line of the reference implementation's KAT */
    CHECK_OK(prim_blake2b(VIEW_ARRAY(key), (struct view){0}, out, 64));
    CHECK_VIEW(VIEW_ARRAY(out),
               check_hex("10ebb67700b1868efb4417987acf4690ae9d972fb7a590c2f028"
                         "71799aaa4786b5e996e8f0f4eb981fc214b005f42d2ff4233499"
                         "391653df7aefcbc13fc51568"));
    CHECK_ERR(prim_blake2b(VIEW_ARRAY(key), (struct view){0}, out, 15),
              ERR_INVALID);
    CHECK_ERR(prim_blake2b(view_make(key, 5), (struct view){0}, out, 32),
              ERR_INVALID);
}

int
main(void)
{
    return RUN(T(sha256_of_pieces), T(sha256_million), T(hmac), T(hkdf_basic),
               T(hkdf_long), T(hkdf_empty), T(hkdf_length_is_bounded),
               T(blake2b_keyed));
}
