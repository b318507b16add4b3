/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attachments: ciphertext in chunk files of at most 256 KiB, each named by the
 * SHA-256 of its content, under blobs/ (decisions G 34).
 *
 * A chunk is written, synced and renamed, and its folder synced, before the
 * transaction that refers to it.  A blob record lists its chunks; it is made
 * before the first chunk arrives, so that a transfer continues where it
 * stopped: the chunk files that exist are what was received.  References say
 * who needs a blob; without any, and 24 hours old, it is swept.
 *
 * What is inside is ciphertext of the layer above, or sealed by it.
 */
#ifndef STORE_BLOB_H
#define STORE_BLOB_H

#include "proto/base/limits.h"
#include "store/txn.h"

#define STORE_BLOB_CHUNK LIMIT_KIB(256u)

struct store_blob {
    struct hash32 id; /* SHA-256 over the chunks' hashes, in order */
    uint64_t size;    /* bytes of all chunks */
    uint64_t created_ms;
    struct hash32 *chunks; /* owned, chunks_len of them */
    size_t chunks_len;
    const struct mem *mem;
};

void store_blob_clear(struct store_blob *b);

/* The id of a list of chunks. */
void store_blob_id(const struct hash32 *chunks, size_t n, struct hash32 *out);

/*
 * Write: record a blob of size bytes in n chunks, all of STORE_BLOB_CHUNK
 * bytes but the last.  A repeat is OK.
 * ERR_LIMIT  above LIMIT_BLOB_SEALED; ERR_INVALID  n does not fit size
 */
MUST_CHECK enum err store_blob_put(struct store_txn *txn, uint64_t size,
                                   const struct hash32 *chunks, size_t n,
                                   struct hash32 *id_out);

/* ERR_MISSING */
MUST_CHECK enum err store_blob_get(struct store_txn *txn,
                                   const struct hash32 *id,
                                   struct store_blob *out);

/*
 * Write: someone (a message: conversation and seq; a thread's hub; ...) needs
 * the blob; ref is 1 to 64 bytes.  A repeat is OK.
 */
MUST_CHECK enum err store_blob_ref(struct store_txn *txn,
                                   const struct hash32 *id, struct view ref);
/* Write.  ERR_MISSING */
MUST_CHECK enum err store_blob_unref(struct store_txn *txn,
                                     const struct hash32 *id, struct view ref);

/*
 * Chunk files: any thread, no transaction.  Durable when OK; a repeat is OK.
 * ERR_AUTH   bytes do not have this hash
 * ERR_LIMIT  longer than STORE_BLOB_CHUNK
 * ERR_FULL   no room on disk
 */
MUST_CHECK enum err store_chunk_write(struct store *s,
                                      const struct hash32 *hash,
                                      struct view bytes);

/* ERR_MISSING; ERR_CORRUPT  the file does not have this hash */
MUST_CHECK enum err store_chunk_read(struct store *s, const struct hash32 *hash,
                                     struct bytes *out);

/* Whether it is there, by name; the content is checked when it is read. */
bool store_chunk_has(struct store *s, const struct hash32 *hash);

/* The first chunk that is missing, or b->chunks_len when it is complete. */
size_t store_blob_missing(struct store *s, const struct store_blob *b,
                          size_t from);

/*
 * Remove blob records without references that are older than 24 hours, and
 * chunk files that no record lists and that are older than that.  Submits
 * jobs and waits: not from the writer thread.  *removed counts chunk files.
 */
MUST_CHECK enum err store_blob_sweep(struct store *s, uint64_t now_ms,
                                     uint64_t *removed);

#endif
