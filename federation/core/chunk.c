/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/core/chunk.h"

#include "crypto/prim/aead.h"
#include "crypto/prim/hash.h"

#include <string.h>

static const char label[] = "balsam v1 chunk";

enum {
    AAD = sizeof(label) - 1 + 8
};

uint64_t
fed_chunk_count(uint64_t size)
{
    return size == 0 ? 1 : (size - 1) / FED_CHUNK_PLAIN + 1;
}

size_t
fed_chunk_piece(uint64_t size, uint64_t index)
{
    uint64_t from = index * FED_CHUNK_PLAIN;
    uint64_t left = from < size ? size - from : 0;

    return left < FED_CHUNK_PLAIN ? (size_t)left : FED_CHUNK_PLAIN;
}

/* The nonce is the place, as the key is for one file; so is the AAD. */
static void
place(uint64_t index, uint8_t nonce[PRIM_NONCE_SIZE], uint8_t aad[AAD])
{
    memset(nonce, 0, PRIM_NONCE_SIZE);
    memcpy(aad, label, sizeof(label) - 1);
    for (size_t i = 0; i < 8; i++) {
        uint8_t b = (uint8_t)(index >> (56 - 8 * i));

        nonce[PRIM_NONCE_SIZE - 8 + i] = b;
        aad[sizeof(label) - 1 + i] = b;
    }
}

enum err
fed_chunk_seal(const uint8_t key[FED_CHUNK_KEY], uint64_t index,
               struct view piece, uint8_t out[FED_CHUNK],
               struct hash32 *hash_out)
{
    uint8_t nonce[PRIM_NONCE_SIZE];
    uint8_t aad[AAD];
    enum err e;

    TRY(piece.len <= FED_CHUNK_PLAIN ? OK : ERR_INVALID);
    place(index, nonce, aad);
    if (piece.len > 0) {
        memmove(out, piece.p, piece.len);
    }
    memset(out + piece.len, 0, FED_CHUNK_PLAIN - piece.len);
    TRY(prim_aead_seal(PRIM_CHACHA20_POLY1305, view_make(key, FED_CHUNK_KEY),
                       VIEW_ARRAY(nonce), VIEW_ARRAY(aad),
                       view_make(out, FED_CHUNK_PLAIN), out));
    prim_sha256(view_make(out, FED_CHUNK), hash_out->b);
out:
    return e;
}

enum err
fed_chunk_open(const uint8_t key[FED_CHUNK_KEY], uint64_t index,
               const struct hash32 *hash, struct view chunk,
               uint8_t out[FED_CHUNK_PLAIN])
{
    uint8_t nonce[PRIM_NONCE_SIZE];
    uint8_t aad[AAD];
    struct hash32 is;
    enum err e;

    TRY(chunk.len == FED_CHUNK ? OK : ERR_AUTH);
    prim_sha256(chunk, is.b);
    TRY(hash32_equal(&is, hash) ? OK : ERR_AUTH);
    place(index, nonce, aad);
    TRY(prim_aead_open(PRIM_CHACHA20_POLY1305, view_make(key, FED_CHUNK_KEY),
                       VIEW_ARRAY(nonce), VIEW_ARRAY(aad), chunk, out));
out:
    return e;
}
