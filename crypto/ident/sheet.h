/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recovery sheet: the root's seed on paper, as 24 words of the BIP-39
 * English list (with its 8-bit checksum) and as the text of a QR code
 * ("balsam:r#" and base64url of version 1, seed, 4 bytes of SHA-256).
 *
 * Reading forgives case, spacing and line breaks, and takes a word's first
 * four letters for the word.
 */
#ifndef CRYPTO_IDENT_SHEET_H
#define CRYPTO_IDENT_SHEET_H

#include "crypto/ident/sign.h"

enum {
    IDENT_WORDS = 24,
    IDENT_WORDS_TEXT_MAX = 24 * 9
};

/* The words, separated by single spaces; secret, freed by the caller. */
MUST_CHECK enum err ident_sheet_words(const struct mem *mem,
                                      const uint8_t seed[PRIM_ED25519_SEED],
                                      struct bytes *out);

/* The text of the QR code; secret, freed by the caller. */
MUST_CHECK enum err ident_sheet_qr(const struct mem *mem,
                                   const uint8_t seed[PRIM_ED25519_SEED],
                                   struct bytes *out);

/*
 * The seed from either form.
 * ERR_FORMAT  not 24 words or not a recovery code; *bad_word is the number
 *             (from 1) of the first word that is not in the list, else 0
 * ERR_AUTH    all words are in the list but the checksum is wrong: a word is
 *             another one, or two are swapped
 */
MUST_CHECK enum err ident_sheet_read(struct view text,
                                     uint8_t seed[PRIM_ED25519_SEED],
                                     unsigned *bad_word);

#endif
