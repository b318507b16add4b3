/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ident/sign.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"
#include "tests/support/seed_rng.h"

static struct prim_sign_key
key_of(uint64_t seed)
{
    struct seed_rng s;
    struct prim_sign_key k;

    seed_rng_init(&s, seed);
    CHECK_OK(ident_key_new(&s.rng, &k));
    return k;
}

TEST(labels_are_all_different_and_none_starts_another)
{
    for (int a = 1; a < IDENT_TYPE_END_; a++) {
        const char *la = ident_label((enum ident_type)a);

        CHECK(strncmp(la, "balsam v1 ", 10) == 0);
        for (int b = a + 1; b < IDENT_TYPE_END_; b++) {
            CHECK(strcmp(la, ident_label((enum ident_type)b)) != 0);
        }
    }
}

TEST(what_is_signed_starts_with_the_label)
{
    struct prim_sign_key k = key_of(1);
    uint8_t sig[PRIM_ED25519_SIG];

    CHECK_OK(ident_sign(mem_heap(), IDENT_REVOKE, &k, VIEW_LIT("abc"), sig));
    CHECK_OK(prim_ed25519_verify(prim_sign_key_pub(&k),
                                 VIEW_LIT("balsam v1 revoke\0abc"),
                                 VIEW_ARRAY(sig)));
}

TEST(signed_statements)
{
    struct prim_sign_key k = key_of(1);
    struct prim_sign_key other = key_of(2);
    struct bytes b = {0};
    struct view s = {0};

    CHECK_OK(
        ident_signed_make(mem_heap(), IDENT_CONTACT, &k, VIEW_LIT("x"), &b));
    CHECK_ERR(ident_signed_open(mem_heap(), IDENT_CONTACT, other.pub,
                                view_of(&b), &s),
              ERR_AUTH);
    CHECK_OK(
        ident_signed_open(mem_heap(), IDENT_CONTACT, k.pub, view_of(&b), &s));
    CHECK_VIEW(s, VIEW_LIT("x"));
    s = (struct view){0};
    CHECK_OK(ident_signed_peek(view_of(&b), &s));
    CHECK_VIEW(s, VIEW_LIT("x"));
    for (size_t i = 0; i < b.len; i++) {
        CHECK_ERR(ident_signed_peek(view_sub(view_of(&b), 0, i), &s),
                  ERR_FORMAT);
        b.p[i] ^= 0x40;
        CHECK(ident_signed_open(mem_heap(), IDENT_CONTACT, k.pub, view_of(&b),
                                &s) != OK);
        b.p[i] ^= 0x40;
        CHECK_ERR(ident_signed_open(mem_heap(), IDENT_CONTACT, k.pub,
                                    view_sub(view_of(&b), 0, i), &s),
                  ERR_FORMAT);
    }
    bytes_free(&b);
}

TEST(too_long_a_statement)
{
    struct prim_sign_key k = key_of(1);
    struct bytes big = {0};
    struct bytes out = {0};

    CHECK_OK(bytes_alloc(mem_heap(), IDENT_STATEMENT_MAX + 1, &big));
    CHECK_ERR(
        ident_signed_make(mem_heap(), IDENT_CONTACT, &k, view_of(&big), &out),
        ERR_LIMIT);
    bytes_free(&big);
}

TEST(no_memory)
{
    struct prim_sign_key k = key_of(1);

    for (uint64_t i = 1;; i++) {
        struct fail_mem m;
        struct bytes b = {0};
        enum err e;

        fail_mem_init(&m, i);
        e = ident_signed_make(&m.mem, IDENT_CONTACT, &k, VIEW_LIT("x"), &b);
        bytes_free(&b);
        CHECK_EQ(m.live, 0);
        if (!m.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

int
main(void)
{
    return RUN(T(labels_are_all_different_and_none_starts_another),
               T(what_is_signed_starts_with_the_label), T(signed_statements),
               T(too_long_a_statement), T(no_memory));
}
