/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of people to chunks in the store and back.  Reads and writes file
 * descriptors that the command line passed over; takes as long as the disk:
 * never on a network thread or the store's writer.
 */
#ifndef NODE_ATTACH_H
#define NODE_ATTACH_H

#include "federation/core/chunk.h"
#include "store/store.h"

/* What the message needs to say about a file, name and type apart. */
struct node_attach {
    struct hash32 blob;
    uint8_t key[FED_CHUNK_KEY]; /* secret */
    uint64_t size;              /* of the file */
    struct bytes chunks;        /* hashes, 32 bytes each */
};

/* Wipes. */
void node_attach_clear(struct node_attach *a);

/* How far it is, for progress bars.  False: give up (ERR_AGAIN). */
struct node_attach_progress {
    bool (*step)(void *ctx, uint64_t done_bytes);
    void *ctx;
};

/*
 * Seal everything that fd gives into chunk files and record the blob.  It is
 * swept after 24 hours unless a message refers to it by then.  progress may be
 * NULL.
 *
 * ERR_LIMIT  longer than LIMIT_BLOB_SIZE
 * ERR_FULL   no room on disk
 * ERR_IO     fd cannot be read
 */
MUST_CHECK enum err
node_attach_seal(struct store *s, int fd,
                 const struct node_attach_progress *progress,
                 struct node_attach *out);

/*
 * Write the file to fd.
 *
 * ERR_MISSING  not all of it has arrived yet; nothing was written
 * ERR_AUTH     the chunks are not what the message says
 * ERR_CORRUPT  a chunk file is damaged
 * ERR_FULL, ERR_IO  fd cannot be written
 */
MUST_CHECK enum err
node_attach_open(struct store *s, const struct node_attach *a, int fd,
                 const struct node_attach_progress *progress);

#endif
