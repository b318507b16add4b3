/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/core/chunk.h"
#include "tests/support/check.h"

#include <string.h>

static const uint8_t key[FED_CHUNK_KEY] = {1, 2, 3};
static uint8_t sealed[FED_CHUNK];
static uint8_t opened[FED_CHUNK_PLAIN];

static enum err
open_at(uint64_t index, const struct hash32 *hash, size_t len)
{
    return fed_chunk_open(key, index, hash, view_make(sealed, len), opened);
}

TEST(round_trip_at_every_size_that_matters)
{
    static uint8_t piece[FED_CHUNK_PLAIN];
    static const size_t sizes[] = {0, 1, 1000, FED_CHUNK_PLAIN - 1,
                                   FED_CHUNK_PLAIN};

    memset(piece, 0x5a, sizeof(piece));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct hash32 hash;

        CHECK_OK(
            fed_chunk_seal(key, 7, view_make(piece, sizes[i]), sealed, &hash));
        CHECK_OK(open_at(7, &hash, FED_CHUNK));
        CHECK_VIEW(view_make(opened, sizes[i]), view_make(piece, sizes[i]));
        for (size_t k = sizes[i]; k < FED_CHUNK_PLAIN; k++) {
            CHECK(opened[k] == 0);
        }
    }
}

TEST(another_place_key_hash_or_byte_is_refused)
{
    struct hash32 hash;
    struct hash32 other = {{0}};

    CHECK_OK(fed_chunk_seal(key, 1, VIEW_LIT("x-ray"), sealed, &hash));
    CHECK_ERR(open_at(2, &hash, FED_CHUNK), ERR_AUTH);
    CHECK_ERR(open_at(1, &other, FED_CHUNK), ERR_AUTH);
    CHECK_ERR(open_at(1, &hash, FED_CHUNK - 1), ERR_AUTH);
    sealed[1000] ^= 1;
    CHECK_ERR(open_at(1, &hash, FED_CHUNK), ERR_AUTH);
}

TEST(too_long_a_piece_is_refused)
{
    struct hash32 hash;

    CHECK_ERR(
        fed_chunk_seal(key, 0, view_make(sealed, FED_CHUNK), sealed, &hash),
        ERR_INVALID);
}

TEST(counts_and_pieces)
{
    CHECK_EQ(fed_chunk_count(0), 1);
    CHECK_EQ(fed_chunk_count(1), 1);
    CHECK_EQ(fed_chunk_count(FED_CHUNK_PLAIN), 1);
    CHECK_EQ(fed_chunk_count(FED_CHUNK_PLAIN + 1), 2);
    CHECK_EQ(fed_chunk_count(100 * 1024 * 1024), 401);
    CHECK_EQ(fed_chunk_piece(0, 0), 0);
    CHECK_EQ(fed_chunk_piece(FED_CHUNK_PLAIN + 5, 0), FED_CHUNK_PLAIN);
    CHECK_EQ(fed_chunk_piece(FED_CHUNK_PLAIN + 5, 1), 5);
    CHECK_EQ(fed_chunk_piece(FED_CHUNK_PLAIN + 5, 2), 0);
}

int
main(void)
{
    return RUN(T(round_trip_at_every_size_that_matters),
               T(another_place_key_hash_or_byte_is_refused),
               T(too_long_a_piece_is_refused), T(counts_and_pieces));
}
