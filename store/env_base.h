/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The base: what the environment's file was when all of it was on the disk.
 *
 * Commits that do not wait for the disk (store_env_commit_soon) leave it to the
 * kernel in which order their pages and LMDB's two meta pages get there; after
 * a power loss the newest meta page may point to pages that never did.  So
 * before the first of them the meta page of the last commit that is wholly on
 * the disk is noted, in a part of page 0 that LMDB does not use, and opening
 * the file goes back to it.  Its pages are not used again meanwhile: a reader
 * holds them (store/env.c).  What was committed since is in the redo file.
 *
 * Going back overwrites the newer meta pages, which say how many commits there
 * were; so that is noted with the base first, and the base stays until what the
 * redo file has is done again.  A start that is cut short, or refused, leaves
 * to the next one all that it had itself.
 *
 *     offset 1024 of the file, a sector: all zeros, there is none; else
 *     "balsamB1" | meta page from its magic on, 136 bytes | u64 the newest
 *     commit that was seen, 0 before going back | zeros | SHA-256 of all
 *     before it
 *
 * Internal to store/env*.c.
 */
#ifndef STORE_ENV_BASE_H
#define STORE_ENV_BASE_H

#include "proto/base/bytes.h"

enum {
    STORE_ENV_META_AT = 16, /* of its page, behind the page's header */
    STORE_ENV_META_SIZE = 136
};

struct store_env_base {
    bool has; /* else nothing of the rest */
    uint8_t meta[STORE_ENV_META_SIZE];
    uint64_t txn;  /* the commit that it is */
    uint64_t seen; /* the newest one that LMDB's file was seen to have */
};

/*
 * Note, or with NULL forget, the base; fd writes through to the disk.  Ends the
 * process when it cannot be written, since then nobody knows what there is.
 */
void store_env_base_put(int fd, const uint8_t *meta);

/*
 * Go back to the base if the file has one, which stays noted.
 * ERR_MISSING  no file;  ERR_CORRUPT  what is there is no base;  ERR_IO, ...
 */
MUST_CHECK enum err store_env_base_return(const char *path,
                                          struct store_env_base *out);

/*
 * The same for a file that nobody may write.  ERR_STATE  it has a base, and is
 * not there
 */
MUST_CHECK enum err store_env_base_look(const char *path,
                                        struct store_env_base *out);

#endif
