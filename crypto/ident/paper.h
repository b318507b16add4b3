/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets on paper, in two forms: as words of the BIP-39 English list with its
 * checksum (16 bytes are 12 words, 32 are 24), and as the text of a QR code:
 * a prefix and base64url of version 1, the secret, 4 bytes of SHA-256 of both.
 *
 * Reading forgives case, spacing, numbering and line breaks, and takes a
 * word's first four letters for the word.  Pure; any thread.
 */
#ifndef CRYPTO_IDENT_PAPER_H
#define CRYPTO_IDENT_PAPER_H

#include "proto/base/bytes.h"

enum {
    IDENT_PAPER_MAX = 32 /* bytes of a secret: a multiple of 4 */
};

/* The words, separated by single spaces; secret, freed by the caller. */
MUST_CHECK enum err ident_paper_words(const struct mem *mem, struct view secret,
                                      struct bytes *out);

/* The text of the QR code; secret, freed by the caller. */
MUST_CHECK enum err ident_paper_qr(const struct mem *mem, const char *prefix,
                                   struct view secret, struct bytes *out);

/*
 * The len bytes of a secret from either form.
 * ERR_FORMAT       not that many words, and no such code; *bad_word is the
 *                  number (from 1) of the first word not in the list, else 0
 * ERR_UNSUPPORTED  a code of later software
 * ERR_AUTH         all words are in the list but the checksum is wrong: a word
 *                  is another one, or two are swapped
 */
MUST_CHECK enum err ident_paper_read(struct view text, const char *prefix,
                                     uint8_t *secret, size_t len,
                                     unsigned *bad_word);

/*
 * Words for the first words * 11 bits of v, which has as many; separated by
 * single spaces.
 */
MUST_CHECK enum err ident_paper_spell(const struct mem *mem, struct view v,
                                      unsigned words, struct bytes *out);

#endif
