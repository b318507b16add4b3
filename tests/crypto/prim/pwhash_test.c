/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/prim/pwhash.h"

#include "tests/support/check.h"

#include <string.h>

static const struct prim_pw_cost cheap = {1, 64};

TEST(key_is_a_function_of_everything)
{
    uint8_t salt[PRIM_PW_SALT_SIZE] = {1};
    struct prim_pw_cost dearer = {2, 64};
    struct prim_secret a = {0};
    struct prim_secret b = {0};

    CHECK_OK(prim_pw_key(VIEW_LIT("pass"), salt, &cheap, &a));
    CHECK_EQ(a.len, PRIM_SECRET_MAX);
    CHECK_OK(prim_pw_key(VIEW_LIT("pass"), salt, &cheap, &b));
    CHECK(prim_equal(prim_secret_view(&a), prim_secret_view(&b)));
    CHECK_OK(prim_pw_key(VIEW_LIT("pasS"), salt, &cheap, &b));
    CHECK(!prim_equal(prim_secret_view(&a), prim_secret_view(&b)));
    CHECK_OK(prim_pw_key(VIEW_LIT("pass"), salt, &dearer, &b));
    CHECK(!prim_equal(prim_secret_view(&a), prim_secret_view(&b)));
    salt[3] = 1;
    CHECK_OK(prim_pw_key(VIEW_LIT("pass"), salt, &cheap, &b));
    CHECK(!prim_equal(prim_secret_view(&a), prim_secret_view(&b)));
}

TEST(store_and_verify)
{
    char one[PRIM_PW_STRING_SIZE];
    char two[PRIM_PW_STRING_SIZE];
    char too_long[PRIM_PW_STRING_SIZE + 1];

    CHECK_OK(prim_pw_store(VIEW_LIT("correct horse"), &cheap, one));
    CHECK_OK(prim_pw_store(VIEW_LIT("correct horse"), &cheap, two));
    CHECK(strncmp(one, "$argon2id$v=19$m=64,t=1,p=1$", 28) == 0);
    CHECK(strcmp(one, two) != 0);
    CHECK_OK(prim_pw_verify(one, VIEW_LIT("correct horse")));
    CHECK_ERR(prim_pw_verify(one, VIEW_LIT("correct hors")), ERR_AUTH);
    CHECK_ERR(prim_pw_verify("", VIEW_LIT("")), ERR_AUTH);
    CHECK_ERR(prim_pw_verify("$argon2id$", VIEW_LIT("")), ERR_AUTH);
    memset(too_long, 'a', sizeof(too_long));
    too_long[PRIM_PW_STRING_SIZE] = '\0';
    CHECK_ERR(prim_pw_verify(too_long, VIEW_LIT("")), ERR_AUTH);
}

TEST(cost_is_checked)
{
    uint8_t salt[PRIM_PW_SALT_SIZE] = {1};
    char out[PRIM_PW_STRING_SIZE];
    struct prim_secret key;

    CHECK_ERR(
        prim_pw_key(VIEW_LIT("x"), salt, &(struct prim_pw_cost){0, 64}, &key),
        ERR_INVALID);
    CHECK_ERR(prim_pw_store(VIEW_LIT("x"), &(struct prim_pw_cost){1, 7}, out),
              ERR_INVALID);
}

int
main(void)
{
    return RUN(T(key_is_a_function_of_everything), T(store_and_verify),
               T(cost_is_checked));
}
