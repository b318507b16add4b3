/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A patient's key (decisions F 23): derived from a recovery code of 128 bits
 * and from nothing else, so that getting an identity back needs no server.
 * The code is shown once, as 12 words of the BIP-39 English list (with its
 * 4-bit checksum) and as a QR code ("balsam:p#"), and once it is confirmed
 * neither code nor key stays on a device.
 *
 *     patient key  Ed25519, seed = HKDF-SHA256(code, "balsam v1 patient key")
 *
 * And what two people compare at the desk: words for a pair of keys, the same
 * on both sides (decisions F 25, "compared").
 *
 * Pure; any thread.
 */
#ifndef CRYPTO_IDENT_PATIENT_H
#define CRYPTO_IDENT_PATIENT_H

#include "crypto/ident/sign.h"

enum {
    IDENT_CODE = 16,
    IDENT_CODE_WORDS = 12,
    /* 88 bits, each try at a collision 4,096 hashes: see the README. */
    IDENT_COMPARE_WORDS = 8
};

/* A fresh code; secret, so hold it SCRUBBED.  ERR_IO  no randomness */
MUST_CHECK enum err ident_code_new(const struct rng *rng,
                                   uint8_t code[IDENT_CODE]);

/* The words, separated by single spaces; secret, freed by the caller. */
MUST_CHECK enum err ident_code_words(const struct mem *mem,
                                     const uint8_t code[IDENT_CODE],
                                     struct bytes *out);

/* The text of the QR code; secret, freed by the caller. */
MUST_CHECK enum err ident_code_qr(const struct mem *mem,
                                  const uint8_t code[IDENT_CODE],
                                  struct bytes *out);

/*
 * The code from either form.
 * ERR_FORMAT       neither; *bad_word is the number (from 1) of the first word
 *                  that is not in the list, else 0
 * ERR_UNSUPPORTED  a QR code of later software
 * ERR_AUTH         the checksum is wrong: a word is another one
 */
MUST_CHECK enum err ident_code_read(struct view text, uint8_t code[IDENT_CODE],
                                    unsigned *bad_word);

/* The patient key; secret, so hold it SCRUBBED and only while needed. */
void ident_patient_key(const uint8_t code[IDENT_CODE],
                       struct prim_sign_key *out);

/*
 * What a patient key and a clinic root have in common: the same whichever is
 * named first.  Takes a few milliseconds on purpose.
 */
void ident_compare(const struct subject_id *a, const struct subject_id *b,
                   struct hash32 *out);

/* IDENT_COMPARE_WORDS words, separated by single spaces; public. */
MUST_CHECK enum err ident_compare_words(const struct mem *mem,
                                        const struct hash32 *code,
                                        struct bytes *out);

/* The text of a QR code ("balsam:c#") with all 256 bits. */
MUST_CHECK enum err ident_compare_qr(const struct mem *mem,
                                     const struct hash32 *code,
                                     struct bytes *out);

/*
 * What was scanned from the other side's screen against our own code.
 * ERR_FORMAT       no such QR code
 * ERR_UNSUPPORTED  one of later software
 * ERR_AUTH         of other keys: somebody may be in between
 */
MUST_CHECK enum err ident_compare_check(struct view text,
                                        const struct hash32 *code);

#endif
