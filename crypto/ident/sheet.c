/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ident/sheet.h"

#include "crypto/ident/paper.h"

static const char qr_prefix[] = "balsam:r#";

enum err
ident_sheet_words(const struct mem *mem, const uint8_t seed[PRIM_ED25519_SEED],
                  struct bytes *out)
{
    return ident_paper_words(mem, view_make(seed, PRIM_ED25519_SEED), out);
}

enum err
ident_sheet_qr(const struct mem *mem, const uint8_t seed[PRIM_ED25519_SEED],
               struct bytes *out)
{
    return ident_paper_qr(mem, qr_prefix, view_make(seed, PRIM_ED25519_SEED),
                          out);
}

enum err
ident_sheet_read(struct view text, uint8_t seed[PRIM_ED25519_SEED],
                 unsigned *bad_word)
{
    return ident_paper_read(text, qr_prefix, seed, PRIM_ED25519_SEED, bad_word);
}
