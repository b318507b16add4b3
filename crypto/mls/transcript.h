/* SPDX-License-Identifier: Apache-2.0 */
/* Transcript hashes and the confirmation tag, RFC 9420 8.2 and 6.1. */
#ifndef CRYPTO_MLS_TRANSCRIPT_H
#define CRYPTO_MLS_TRANSCRIPT_H

#include "crypto/mls/suite.h"

/*
 * confirmed[n] = Hash(interim[n-1] || ConfirmedTranscriptHashInput), the latter
 * in parts that are hashed one after the other: wire_format, FramedContent,
 * signature<V>.  interim may be empty (epoch 0).  At most
 * MLS_TRANSCRIPT_PARTS_MAX parts.
 */
enum {
    MLS_TRANSCRIPT_PARTS_MAX = 7
};
void mls_confirmed_hash(const struct mls_suite *s, struct view interim,
                        const struct view *input, size_t n,
                        struct mls_hash *out);

/* interim[n] = Hash(confirmed[n] || confirmation_tag<V>). */
void mls_interim_hash(const struct mls_suite *s, struct view confirmed,
                      struct view confirmation_tag, struct mls_hash *out);

/* MAC(confirmation_key, confirmed_transcript_hash); compare with
 * mls_mac_verify. */
void mls_confirmation_tag(const struct mls_suite *s,
                          const struct prim_secret *confirmation_key,
                          struct view confirmed, struct mls_hash *out);

#endif
