/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ident/sheet.h"
#include "crypto/ident/words.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"
#include "tests/support/seed_rng.h"

/* Test vectors of BIP-39 for 256 bits. */
TEST(published_vectors)
{
    static const struct {
        const char *seed;
        const char *words;
    } v[] = {
        {"00000000000000000000000000000000"
         "00000000000000000000000000000000",
         "abandon abandon abandon abandon abandon abandon abandon abandon "
         "abandon abandon abandon abandon abandon abandon abandon abandon "
         "abandon abandon abandon abandon abandon abandon abandon art"},
        {"ffffffffffffffffffffffffffffffff"
         "ffffffffffffffffffffffffffffffff",
         "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo "
         "zoo zoo zoo zoo zoo zoo vote"},
        {"f585c11aec520db57dd353c69554b21a"
         "89b20fb0650966fa0a9d6f74fd989d8f",
         "void come effort suffer camp survey warrior heavy shoot primary "
         "clutch crush open amazing screen patrol group space point ten exist "
         "slush involve unfold"},
    };

    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        struct bytes b = {0};
        uint8_t seed[PRIM_ED25519_SEED];
        unsigned bad;

        CHECK_OK(ident_sheet_words(mem_heap(), check_hex(v[i].seed).p, &b));
        CHECK_VIEW(view_of(&b), view_str(v[i].words));
        CHECK_OK(ident_sheet_read(view_of(&b), seed, &bad));
        CHECK_VIEW(VIEW_ARRAY(seed), check_hex(v[i].seed));
        bytes_free(&b);
    }
}

TEST(reading_forgives)
{
    uint8_t seed[PRIM_ED25519_SEED];
    unsigned bad;

    CHECK_OK(ident_sheet_read(
        VIEW_LIT("  1. VOID  2. come\n3 effo suff camp surv warr heav shoo "
                 "prim clut crus open amaz scre patr grou spac poin ten exis "
                 "slus invo unfo\n"),
        seed, &bad));
    CHECK_EQ(seed[0], 0xf5);
}

TEST(mistakes_are_named)
{
    static const char *const good =
        "void come effort suffer camp survey warrior heavy shoot primary "
        "clutch crush open amazing screen patrol group space point ten exist "
        "slush involve unfold";
    uint8_t seed[PRIM_ED25519_SEED];
    unsigned bad;

    CHECK_ERR(ident_sheet_read(VIEW_LIT("void come eforts"), seed, &bad),
              ERR_FORMAT);
    CHECK_EQ(bad, 3);
    CHECK_ERR(ident_sheet_read(VIEW_LIT("void come"), seed, &bad), ERR_FORMAT);
    CHECK_EQ(bad, 3);
    CHECK_ERR(ident_sheet_read(VIEW_LIT(""), seed, &bad), ERR_FORMAT);
    CHECK_EQ(bad, 1);
    CHECK_ERR(
        ident_sheet_read(VIEW_LIT("come void effort suffer camp survey warrior "
                                  "heavy shoot primary clutch crush open "
                                  "amazing screen patrol group space point ten "
                                  "exist slush involve unfold"),
                         seed, &bad),
        ERR_AUTH);
    CHECK_EQ(bad, 0);
    CHECK_ERR(ident_sheet_read(view_make(good, strlen(good) - 2), seed, &bad),
              OK);
    CHECK_ERR(ident_sheet_read(
                  VIEW_LIT("void come effort suffer camp survey warrior heavy "
                           "shoot primary clutch crush open amazing screen "
                           "patrol group space point ten exist slush involve "
                           "unfold zoo"),
                  seed, &bad),
              ERR_FORMAT);
}

TEST(the_code)
{
    struct seed_rng s;
    uint8_t seed[PRIM_ED25519_SEED];
    uint8_t back[PRIM_ED25519_SEED];
    unsigned bad;
    struct bytes b = {0};

    seed_rng_init(&s, 5);
    CHECK_OK(rng_fill(&s.rng, seed, sizeof(seed)));
    CHECK_OK(ident_sheet_qr(mem_heap(), seed, &b));
    CHECK_OK(ident_sheet_read(view_of(&b), back, &bad));
    CHECK_VIEW(VIEW_ARRAY(back), VIEW_ARRAY(seed));
    b.p[b.len - 10] = b.p[b.len - 10] == 'A' ? 'B' : 'A';
    CHECK_ERR(ident_sheet_read(view_of(&b), back, &bad), ERR_AUTH);
    CHECK_ERR(ident_sheet_read(view_sub(view_of(&b), 0, b.len - 1), back, &bad),
              ERR_FORMAT);
    bytes_free(&b);
}

TEST(every_word_is_found_by_itself_and_four_letters)
{
    for (size_t i = 0; i < IDENT_WORD_COUNT; i++) {
        struct view w = view_str(ident_word(i));

        CHECK_EQ(ident_word_find(w), (int)i);
        if (w.len > 4) {
            CHECK_EQ(ident_word_find(view_sub(w, 0, 4)), (int)i);
        }
    }
    CHECK_EQ(ident_word_find(VIEW_LIT("aban")), 0);
    CHECK_EQ(ident_word_find(VIEW_LIT("aba")), -1);
    CHECK_EQ(ident_word_find(VIEW_LIT("abandonx")), -1);
    CHECK_EQ(ident_word_find(VIEW_LIT("zzzz")), -1);
}

TEST(no_memory)
{
    uint8_t seed[PRIM_ED25519_SEED] = {1};

    for (uint64_t i = 1;; i++) {
        struct fail_mem m;
        struct bytes a = {0};
        struct bytes b = {0};
        enum err e;

        fail_mem_init(&m, i);
        e = ident_sheet_words(&m.mem, seed, &a);
        if (e == OK) {
            e = ident_sheet_qr(&m.mem, seed, &b);
        }
        bytes_free(&a);
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
    return RUN(T(published_vectors), T(reading_forgives), T(mistakes_are_named),
               T(the_code), T(every_word_is_found_by_itself_and_four_letters),
               T(no_memory));
}
