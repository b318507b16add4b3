/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ident/patient.h"

#include "crypto/ident/paper.h"
#include "crypto/prim/hash.h"
#include "crypto/prim/secret.h"
#include "proto/base/assert.h"
#include "proto/msg/b64.h"

#include <string.h>

enum {
    COMPARE_VERSION = 1,
    COMPARE_ROUNDS = 4096
};

static const char code_prefix[] = "balsam:p#";
static const char compare_prefix[] = "balsam:c#";

enum err
ident_code_new(const struct rng *rng, uint8_t code[IDENT_CODE])
{
    return rng_fill(rng, code, IDENT_CODE);
}

enum err
ident_code_words(const struct mem *mem, const uint8_t code[IDENT_CODE],
                 struct bytes *out)
{
    return ident_paper_words(mem, view_make(code, IDENT_CODE), out);
}

enum err
ident_code_qr(const struct mem *mem, const uint8_t code[IDENT_CODE],
              struct bytes *out)
{
    return ident_paper_qr(mem, code_prefix, view_make(code, IDENT_CODE), out);
}

enum err
ident_code_read(struct view text, uint8_t code[IDENT_CODE], unsigned *bad_word)
{
    return ident_paper_read(text, code_prefix, code, IDENT_CODE, bad_word);
}

void
ident_patient_key(const uint8_t code[IDENT_CODE], struct prim_sign_key *out)
{
    SCRUBBED_STRUCT(prim_secret, prk);
    SCRUBBED(seed, PRIM_ED25519_SEED);
    enum err e;

    prim_hkdf_extract((struct view){0}, view_make(code, IDENT_CODE), &prk);
    e = prim_hkdf_expand(prim_secret_view(&prk),
                         VIEW_LIT("balsam v1 patient key"), seed,
                         PRIM_ED25519_SEED);
    ASSERT(e == OK);
    prim_ed25519_from_seed(seed, out);
}

/*
 * Whoever sits in between picks a key towards each side until both codes have
 * the same words; rounds make each of its tries dear.
 */
void
ident_compare(const struct subject_id *a, const struct subject_id *b,
              struct hash32 *out)
{
    bool swap = subject_id_cmp(a, b) > 0;
    struct view parts[4] = {
        VIEW_LIT("balsam v1 compare\0"),
        {0},
        subject_id_view(swap ? b : a),
        subject_id_view(swap ? a : b),
    };

    prim_sha256_parts(parts, 4, out->b);
    for (int i = 1; i < COMPARE_ROUNDS; i++) {
        parts[1] = hash32_view(out);
        prim_sha256_parts(parts, 4, out->b);
    }
}

enum err
ident_compare_words(const struct mem *mem, const struct hash32 *code,
                    struct bytes *out)
{
    return ident_paper_spell(mem, hash32_view(code), IDENT_COMPARE_WORDS, out);
}

enum err
ident_compare_qr(const struct mem *mem, const struct hash32 *code,
                 struct bytes *out)
{
    enum err e;
    uint8_t raw[1 + sizeof(code->b)];
    struct bytes text = {0};

    raw[0] = COMPARE_VERSION;
    memcpy(raw + 1, code->b, sizeof(code->b));
    TRY(bytes_append(mem, &text, view_str(compare_prefix)));
    TRY(proto_b64_append(mem, VIEW_ARRAY(raw), &text));
    *out = bytes_take(&text);
out:
    bytes_free(&text);
    return e;
}

enum err
ident_compare_check(struct view text, const struct hash32 *code)
{
    size_t prefix = strlen(compare_prefix);
    uint8_t raw[1 + sizeof(code->b)];
    size_t len = 0;

    if (text.len < prefix || memcmp(text.p, compare_prefix, prefix) != 0 ||
        proto_b64_decode(view_skip(text, prefix), raw, sizeof(raw), &len) !=
            OK ||
        len != sizeof(raw)) {
        return ERR_FORMAT;
    }
    if (raw[0] != COMPARE_VERSION) {
        return ERR_UNSUPPORTED;
    }
    return prim_equal(view_skip(VIEW_ARRAY(raw), 1), hash32_view(code))
               ? OK
               : ERR_AUTH;
}
