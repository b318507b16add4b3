/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/prim/aead.h"

#include "tests/support/check.h"

#include <string.h>

struct known {
    enum prim_aead a;
    const char *key;
    const char *nonce;
    const char *aad;
    const char *pt;
    const char *ct;
};

static const struct known known[] = {
    /* the GCM specification, test case 4 */
    {PRIM_AES_128_GCM, "feffe9928665731c6d6a8f9467308308",
     "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
     "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
     "5bc94fbc3221a5db94fae95ae7121a47"},
    /* RFC 8439 2.8.2 */
    {PRIM_CHACHA20_POLY1305,
     "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
     "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
     "4c616469657320616e642047656e746c656d656e206f662074686520636c6173"
     "73206f66202739393a204966204920636f756c64206f6666657220796f75206f"
     "6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73"
     "637265656e20776f756c642062652069742e",
     "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
     "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
     "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
     "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd060"
     "0691"},
};

TEST(known_answers)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const struct known *k = &known[i];
        uint8_t out[256];
        struct view pt = check_hex(k->pt);
        struct view ct = check_hex(k->ct);

        CHECK_OK(prim_aead_seal(k->a, check_hex(k->key), check_hex(k->nonce),
                                check_hex(k->aad), pt, out));
        CHECK_VIEW(view_make(out, ct.len), ct);
        /* in place */
        CHECK_OK(prim_aead_open(k->a, check_hex(k->key), check_hex(k->nonce),
                                check_hex(k->aad), view_make(out, ct.len),
                                out));
        CHECK_VIEW(view_make(out, pt.len), pt);
    }
}

static const enum prim_aead both[] = {PRIM_AES_128_GCM, PRIM_CHACHA20_POLY1305};

TEST(every_flipped_bit_is_refused)
{
    uint8_t key[32] = {1};
    uint8_t nonce[12] = {2};
    uint8_t msg[20] = "nineteen and a half";

    for (size_t a = 0; a < 2; a++) {
        struct view k = view_make(key, prim_aead_key_size(both[a]));
        struct view n = VIEW_ARRAY(nonce);
        uint8_t ct[sizeof(msg) + PRIM_TAG_SIZE];
        uint8_t out[sizeof(msg)];

        CHECK_OK(
            prim_aead_seal(both[a], k, n, VIEW_LIT("ad"), VIEW_ARRAY(msg), ct));
        for (size_t bit = 0; bit < 8 * sizeof(ct); bit++) {
            ct[bit / 8] ^= (uint8_t)(1 << bit % 8);
            memset(out, 0xee, sizeof(out));
            CHECK_ERR(prim_aead_open(both[a], k, n, VIEW_LIT("ad"),
                                     VIEW_ARRAY(ct), out),
                      ERR_AUTH);
            CHECK(memcmp(out, msg, 4) != 0);
            ct[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        CHECK_ERR(
            prim_aead_open(both[a], k, n, VIEW_LIT("aD"), VIEW_ARRAY(ct), out),
            ERR_AUTH);
        CHECK_OK(
            prim_aead_open(both[a], k, n, VIEW_LIT("ad"), VIEW_ARRAY(ct), out));
    }
}

TEST(empty_and_short)
{
    uint8_t key[32] = {1};
    uint8_t nonce[12] = {2};
    uint8_t ct[PRIM_TAG_SIZE];
    uint8_t out[1];

    for (size_t a = 0; a < 2; a++) {
        struct view k = view_make(key, prim_aead_key_size(both[a]));
        struct view n = VIEW_ARRAY(nonce);
        struct view none = {0};

        CHECK_OK(prim_aead_seal(both[a], k, n, none, none, ct));
        CHECK_OK(prim_aead_open(both[a], k, n, none, VIEW_ARRAY(ct), out));
        CHECK_ERR(prim_aead_open(both[a], k, n, none,
                                 view_make(ct, PRIM_TAG_SIZE - 1), out),
                  ERR_AUTH);
        CHECK_ERR(prim_aead_open(both[a], k, n, none, none, out), ERR_AUTH);
        CHECK_ERR(
            prim_aead_seal(both[a], view_make(key, 31), n, none, none, ct),
            ERR_INVALID);
        CHECK_ERR(
            prim_aead_seal(both[a], k, view_make(nonce, 11), none, none, ct),
            ERR_INVALID);
    }
}

/* draft-irtf-cfrg-xchacha 2.2.1 A.3.1 */
TEST(xchacha)
{
    uint8_t out[256];
    struct view pt = check_hex(known[1].pt);
    struct view key = check_hex(known[1].key);
    struct view nonce =
        check_hex("404142434445464748494a4b4c4d4e4f5051525354555657");
    struct view aad = check_hex(known[1].aad);

    prim_xseal(key.p, nonce.p, aad, pt, out);
    CHECK_VIEW(view_make(out + pt.len, PRIM_TAG_SIZE),
               check_hex("c0875924c1c7987947deafd8780acf49"));
    CHECK_OK(prim_xopen(key.p, nonce.p, aad,
                        view_make(out, pt.len + PRIM_TAG_SIZE), out));
    CHECK_VIEW(view_make(out, pt.len), pt);
    CHECK_ERR(prim_xopen(key.p, nonce.p, aad, view_make(out, 40), out),
              ERR_AUTH);
    CHECK_ERR(prim_xopen(key.p, nonce.p, aad, view_make(out, 3), out),
              ERR_AUTH);
}

int
main(void)
{
    return RUN(T(known_answers), T(every_flipped_bit_is_refused),
               T(empty_and_short), T(xchacha));
}
