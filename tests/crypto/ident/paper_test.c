/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ident/paper.h"
#include "tests/support/check.h"
#include "tests/support/seed_rng.h"

/* Vectors of BIP-39 are in sheet_test.c and patient_test.c; here all sizes. */
TEST(both_forms_of_every_size)
{
    struct seed_rng s;
    uint8_t secret[IDENT_PAPER_MAX];
    uint8_t back[IDENT_PAPER_MAX];
    unsigned bad;

    seed_rng_init(&s, 1);
    for (size_t len = 16; len <= IDENT_PAPER_MAX; len += 4) {
        struct bytes words = {0};
        struct bytes qr = {0};

        CHECK_OK(rng_fill(&s.rng, secret, len));
        CHECK_OK(ident_paper_words(mem_heap(), view_make(secret, len), &words));
        CHECK_OK(ident_paper_read(view_of(&words), "x#", back, len, &bad));
        CHECK_VIEW(view_make(back, len), view_make(secret, len));
        CHECK_OK(ident_paper_qr(mem_heap(), "x#", view_make(secret, len), &qr));
        CHECK_OK(ident_paper_read(view_of(&qr), "x#", back, len, &bad));
        CHECK_VIEW(view_make(back, len), view_make(secret, len));
        CHECK_ERR(ident_paper_read(view_of(&qr), "y#", back, len, &bad),
                  ERR_FORMAT);
        CHECK_ERR(ident_paper_read(view_of(&qr), "x#", back,
                                   len == 16 ? 20 : 16, &bad),
                  ERR_FORMAT);
        bytes_free(&words);
        bytes_free(&qr);
    }
}

TEST(spelling)
{
    struct bytes b = {0};

    CHECK_OK(ident_paper_spell(mem_heap(), check_hex("00000000"), 2, &b));
    CHECK_VIEW(view_of(&b), VIEW_LIT("abandon abandon"));
    bytes_free(&b);
    CHECK_OK(ident_paper_spell(mem_heap(), check_hex("0020 07ff"), 2, &b));
    CHECK_VIEW(view_of(&b), VIEW_LIT("ability ability"));
    bytes_free(&b);
}

int
main(void)
{
    return RUN(T(both_forms_of_every_size), T(spelling));
}
