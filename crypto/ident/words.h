/* SPDX-License-Identifier: Apache-2.0 */
/* The 2048 words of BIP-39, English: sorted, each known by 4 letters. */
#ifndef CRYPTO_IDENT_WORDS_H
#define CRYPTO_IDENT_WORDS_H

#include "proto/base/bytes.h"

enum {
    IDENT_WORD_COUNT = 2048,
    IDENT_WORD_MAX = 8
};

/* Word i, NUL-terminated; i < IDENT_WORD_COUNT. */
const char *ident_word(size_t i);

/*
 * The index of a lower-case word, or of the word that its first four letters
 * name; -1 when there is none.
 */
int ident_word_find(struct view word);

#endif
