/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ident/patient.h"
#include "crypto/ident/sheet.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"
#include "tests/support/seed_rng.h"

/* Test vectors of BIP-39 for 128 bits. */
static const struct {
    const char *code;
    const char *words;
} vectors[] = {
    {"00000000000000000000000000000000",
     "abandon abandon abandon abandon abandon abandon abandon abandon abandon "
     "abandon abandon about"},
    {"7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
     "legal winner thank year wave sausage worth useful legal winner thank "
     "yellow"},
    {"ffffffffffffffffffffffffffffffff",
     "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong"},
    {"9e885d952ad362caeb4efe34a8e91bd2",
     "ozone drill grab fiber curtain grace pudding thank cruise elder eight "
     "picnic"},
};

TEST(published_vectors)
{
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct bytes b = {0};
        uint8_t code[IDENT_CODE];
        unsigned bad;

        CHECK_OK(
            ident_code_words(mem_heap(), check_hex(vectors[i].code).p, &b));
        CHECK_VIEW(view_of(&b), view_str(vectors[i].words));
        CHECK_OK(ident_code_read(view_of(&b), code, &bad));
        CHECK_VIEW(VIEW_ARRAY(code), check_hex(vectors[i].code));
        bytes_free(&b);
    }
}

/* decisions F 23: the key of a code is the same for ever, on every device */
TEST(the_key_of_a_code)
{
    struct prim_sign_key k;
    struct prim_sign_key other;
    uint8_t code[IDENT_CODE];

    ident_patient_key(check_hex(vectors[3].code).p, &k);
    CHECK_VIEW(VIEW_ARRAY(k.seed),
               check_hex("b8227bd1b82f4c6dc6c843c31ef0523f"
                         "45a35a64e593aacd84de8b4a03ab85df"));
    memcpy(code, check_hex(vectors[3].code).p, sizeof(code));
    code[15] ^= 1;
    ident_patient_key(code, &other);
    CHECK(memcmp(k.pub, other.pub, sizeof(k.pub)) != 0);
}

TEST(reading_forgives_and_names_mistakes)
{
    uint8_t code[IDENT_CODE];
    unsigned bad;

    CHECK_OK(
        ident_code_read(VIEW_LIT(" 1. OZONE 2. dril grab fibe\ncurt grac pudd "
                                 "than crui elde eigh picn "),
                        code, &bad));
    CHECK_EQ(code[0], 0x9e);
    CHECK_EQ(code[15], 0xd2);
    CHECK_ERR(ident_code_read(VIEW_LIT("ozone drill grabb"), code, &bad),
              ERR_FORMAT);
    CHECK_EQ(bad, 3);
    CHECK_ERR(ident_code_read(VIEW_LIT("drill ozone grab fiber curtain grace "
                                       "pudding thank cruise elder eight "
                                       "picnic"),
                              code, &bad),
              ERR_AUTH);
    CHECK_EQ(bad, 0);
    CHECK_ERR(ident_code_read(VIEW_LIT("ozone drill grab fiber curtain grace "
                                       "pudding thank cruise elder eight "
                                       "picnic zoo"),
                              code, &bad),
              ERR_FORMAT);
}

TEST(the_qr_code)
{
    struct seed_rng s;
    uint8_t code[IDENT_CODE];
    uint8_t back[IDENT_CODE];
    uint8_t seed[PRIM_ED25519_SEED] = {0};
    unsigned bad;
    struct bytes b = {0};

    seed_rng_init(&s, 6);
    CHECK_OK(ident_code_new(&s.rng, code));
    CHECK_OK(ident_code_qr(mem_heap(), code, &b));
    CHECK_OK(ident_code_read(view_of(&b), back, &bad));
    CHECK_VIEW(VIEW_ARRAY(back), VIEW_ARRAY(code));
    /* a patient's code is no clinic's sheet, nor the other way round */
    CHECK_ERR(ident_sheet_read(view_of(&b), seed, &bad), ERR_FORMAT);
    for (size_t i = 9; i < b.len; i++) {
        uint8_t was = b.p[i];

        b.p[i] = was == 'A' ? 'B' : 'A';
        CHECK(ident_code_read(view_of(&b), back, &bad) != OK);
        b.p[i] = was;
        CHECK_ERR(ident_code_read(view_sub(view_of(&b), 0, i), back, &bad),
                  ERR_FORMAT);
    }
    bytes_free(&b);
    CHECK_OK(ident_sheet_qr(mem_heap(), seed, &b));
    CHECK_ERR(ident_code_read(view_of(&b), back, &bad), ERR_FORMAT);
    bytes_free(&b);
}

/* decisions F 25: the same on both screens, different for any other pair */
TEST(comparing_at_the_desk)
{
    struct subject_id patient;
    struct subject_id clinic;
    struct subject_id other;
    struct hash32 here;
    struct hash32 there;
    struct bytes words = {0};
    struct bytes qr = {0};
    unsigned spaces = 0;

    memset(patient.b, 2, sizeof(patient.b));
    memset(clinic.b, 1, sizeof(clinic.b));
    ident_compare(&patient, &clinic, &here);
    ident_compare(&clinic, &patient, &there);
    CHECK(hash32_equal(&here, &there));
    CHECK_VIEW(hash32_view(&here),
               check_hex("c6636437989694fabad352d4292acc0f"
                         "70b9f4fe5c3d8af60f2afa7fb80cb27d"));
    CHECK_OK(ident_compare_words(mem_heap(), &here, &words));
    for (size_t i = 0; i < words.len; i++) {
        spaces += words.p[i] == ' ';
    }
    CHECK_EQ(spaces, IDENT_COMPARE_WORDS - 1);
    CHECK_OK(ident_compare_qr(mem_heap(), &here, &qr));
    CHECK_OK(ident_compare_check(view_of(&qr), &there));
    other = clinic;
    other.b[31] ^= 1;
    ident_compare(&patient, &other, &there);
    CHECK_ERR(ident_compare_check(view_of(&qr), &there), ERR_AUTH);
    CHECK_ERR(ident_compare_check(VIEW_LIT("balsam:p#AA"), &here), ERR_FORMAT);
    for (size_t i = 0; i < qr.len; i++) {
        CHECK_ERR(ident_compare_check(view_sub(view_of(&qr), 0, i), &here),
                  ERR_FORMAT);
    }
    qr.p[9] = 'B'; /* version 4 */
    CHECK_ERR(ident_compare_check(view_of(&qr), &here), ERR_UNSUPPORTED);
    bytes_free(&words);
    bytes_free(&qr);
}

TEST(no_memory)
{
    uint8_t code[IDENT_CODE] = {1};
    struct hash32 hash = {{1}};

    for (uint64_t i = 1;; i++) {
        struct fail_mem m;
        struct bytes b[4] = {{0}};
        enum err e;

        fail_mem_init(&m, i);
        e = ident_code_words(&m.mem, code, &b[0]);
        if (e == OK) {
            e = ident_code_qr(&m.mem, code, &b[1]);
        }
        if (e == OK) {
            e = ident_compare_words(&m.mem, &hash, &b[2]);
        }
        if (e == OK) {
            e = ident_compare_qr(&m.mem, &hash, &b[3]);
        }
        for (size_t k = 0; k < 4; k++) {
            bytes_free(&b[k]);
        }
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
    return RUN(T(published_vectors), T(the_key_of_a_code),
               T(reading_forgives_and_names_mistakes), T(the_qr_code),
               T(comparing_at_the_desk), T(no_memory));
}
