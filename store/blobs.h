/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What blobs, chunk files, backup and verify know of each other.
 *
 * Internal to store/.
 */
#ifndef STORE_BLOBS_H
#define STORE_BLOBS_H

#include "store/blob.h"
#include "store/file.h"

/* Write: remove records that are older than that and that nobody needs. */
MUST_CHECK enum err store_blob_drop_unused(struct store_txn *txn,
                                           uint64_t before_ms);

/* dir/blobs/ab and dir/blobs/ab/cdef... */
MUST_CHECK enum err store_chunk_path(const char *dir, const struct hash32 *hash,
                                     char folder[STORE_PATH_MAX],
                                     char path[STORE_PATH_MAX]);

/* As store_chunk_write and store_chunk_read, in another folder. */
MUST_CHECK enum err store_chunk_write_in(struct store *s, const char *dir,
                                         const struct hash32 *hash,
                                         struct view bytes);
MUST_CHECK enum err store_chunk_read_in(const struct mem *mem, const char *dir,
                                        const struct hash32 *hash,
                                        struct bytes *out);

struct store_chunk_file {
    char path[STORE_PATH_MAX];
    bool named; /* after a hash; else what an interrupted write left */
    struct hash32 hash;
    uint64_t changed_ms;
};

/* Every file under dir/blobs. */
MUST_CHECK enum err
store_chunk_each(const char *dir,
                 enum err (*each)(void *ctx, const struct store_chunk_file *f),
                 void *ctx);

#endif
