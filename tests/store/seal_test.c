/* SPDX-License-Identifier: Apache-2.0 */
#include "store/seal.h"

#include "tests/store/fix.h"

TEST(a_value_opens_only_where_it_was_put)
{
    static const uint8_t key[32] = {1};
    static const uint8_t other[32] = {2};
    uint8_t sealed[5 + STORE_SEAL_EXTRA];
    struct store_nonces nonces;
    struct seed_rng rng;
    struct bytes b = {0};

    seed_rng_init(&rng, 1);
    CHECK_OK(store_nonces_init(&nonces, &rng.rng));
    store_seal(key, &nonces, 3, VIEW_LIT("where"), VIEW_LIT("value"), sealed);
    CHECK_OK(store_unseal(key, 3, VIEW_LIT("where"), VIEW_ARRAY(sealed),
                          mem_heap(), &b));
    CHECK_VIEW(view_of(&b), VIEW_LIT("value"));
    bytes_free(&b);
    CHECK_ERR(store_unseal(other, 3, VIEW_LIT("where"), VIEW_ARRAY(sealed),
                           mem_heap(), &b),
              ERR_CORRUPT);
    CHECK_ERR(store_unseal(key, 4, VIEW_LIT("where"), VIEW_ARRAY(sealed),
                           mem_heap(), &b),
              ERR_CORRUPT);
    CHECK_ERR(store_unseal(key, 3, VIEW_LIT("there"), VIEW_ARRAY(sealed),
                           mem_heap(), &b),
              ERR_CORRUPT);
    for (size_t i = 0; i < sizeof(sealed) * 8; i++) {
        enum err e;

        sealed[i / 8] ^= (uint8_t)(1u << i % 8);
        e = store_unseal(key, 3, VIEW_LIT("where"), VIEW_ARRAY(sealed),
                         mem_heap(), &b);
        CHECK(e == ERR_CORRUPT || (i < 8 && e == ERR_UNSUPPORTED));
        sealed[i / 8] ^= (uint8_t)(1u << i % 8);
        CHECK_ERR(store_unseal(key, 3, VIEW_LIT("where"),
                               view_make(sealed, i / 8), mem_heap(), &b),
                  ERR_CORRUPT);
    }
}

TEST(no_nonce_twice)
{
    static const uint8_t key[32] = {1};
    uint8_t a[STORE_SEAL_EXTRA];
    uint8_t b[STORE_SEAL_EXTRA];
    struct store_nonces one;
    struct store_nonces two;
    struct seed_rng rng;

    seed_rng_init(&rng, 1);
    CHECK_OK(store_nonces_init(&one, &rng.rng));
    CHECK_OK(store_nonces_init(&two, &rng.rng));
    store_seal(key, &one, 3, VIEW_LIT("k"), (struct view){0}, a);
    store_seal(key, &one, 3, VIEW_LIT("k"), (struct view){0}, b);
    CHECK(memcmp(a + 1, b + 1, STORE_NONCE_SIZE) != 0);
    store_seal(key, &two, 3, VIEW_LIT("k"), (struct view){0}, b);
    CHECK(memcmp(a + 1, b + 1, STORE_NONCE_SIZE) != 0);
}

int
main(void)
{
    return RUN(T(a_value_opens_only_where_it_was_put), T(no_nonce_twice));
}
