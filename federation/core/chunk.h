/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attachments as ciphertext: a file is cut into pieces, each sealed under the
 * file's own random key into a chunk of one fixed size, so that nobody who
 * carries or stores it learns more than its size in 256 KiB steps (decisions
 * C 11, G 34).  The key and the chunks' hashes travel inside MLS; a chunk that
 * hashes right and opens is the right piece in the right place.  Pure.
 */
#ifndef FEDERATION_CORE_CHUNK_H
#define FEDERATION_CORE_CHUNK_H

#include "proto/base/id.h"

enum {
    FED_CHUNK = 256 * 1024,
    FED_CHUNK_PLAIN = FED_CHUNK - 16,
    FED_CHUNK_KEY = 32
};

/* Chunks of a file of size bytes: at least one. */
uint64_t fed_chunk_count(uint64_t size);

/*
 * Seal piece index, at most FED_CHUNK_PLAIN bytes, padded with zeros.  A key
 * is for one file.  hash_out is the chunk's name.
 * ERR_INVALID  piece is longer
 */
MUST_CHECK enum err fed_chunk_seal(const uint8_t key[FED_CHUNK_KEY],
                                   uint64_t index, struct view piece,
                                   uint8_t out[FED_CHUNK],
                                   struct hash32 *hash_out);

/*
 * Open chunk index into out; the first bytes that the file's size leaves for
 * it are the piece.
 * ERR_AUTH  it is not the chunk of that hash, key and place
 */
MUST_CHECK enum err fed_chunk_open(const uint8_t key[FED_CHUNK_KEY],
                                   uint64_t index, const struct hash32 *hash,
                                   struct view chunk,
                                   uint8_t out[FED_CHUNK_PLAIN]);

/* Bytes of piece index in a file of size bytes. */
size_t fed_chunk_piece(uint64_t size, uint64_t index);

#endif
