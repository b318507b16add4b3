/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files that are replaced at once: write under a temporary name, fsync,
 * rename, fsync the folder.  A failed fsync ends the process: what the kernel
 * then still has in memory is not what is on the disk, and a second fsync
 * would say OK.
 *
 * Internal to store/.
 */
#ifndef STORE_FILE_H
#define STORE_FILE_H

#include "proto/base/bytes.h"

enum {
    STORE_PATH_MAX = 1024
};

/* dir/name into out.  ERR_LIMIT  too long */
MUST_CHECK enum err store_path(char out[STORE_PATH_MAX], const char *dir,
                               const char *name);

/* Our word for errno. */
enum err store_errno(int number);

/* Make a folder with mode 0700; OK when it is there. */
MUST_CHECK enum err store_mkdir(const char *path);

/* All of v at offset.  ERR_FULL, ERR_IO */
MUST_CHECK enum err store_write_at(int fd, struct view v, uint64_t offset);

/* Exactly len bytes at offset.  ERR_CORRUPT  the file is shorter */
MUST_CHECK enum err store_read_at(int fd, uint8_t *out, size_t len,
                                  uint64_t offset);

/* fdatasync, or end the process. */
void store_sync_fd(int fd);
void store_sync_dir(const char *path);

/* path is v, durably, mode 0600; or there is nothing.  how: O_EXCL or O_TRUNC
 */
MUST_CHECK enum err store_file_make(const char *path, int how, struct view v);

/* dir/name becomes v, durably and at once, mode 0600. */
MUST_CHECK enum err store_file_replace(const char *dir, const char *name,
                                       struct view v);

/* All of a file of at most max bytes.  ERR_MISSING, ERR_FORMAT (longer) */
MUST_CHECK enum err store_file_read(const struct mem *mem, const char *path,
                                    size_t max, struct bytes *out);

/* An exclusive lock on dir/name, which is made.  ERR_STATE  it is held. */
MUST_CHECK enum err store_lock(const char *dir, const char *name, int *fd);

#endif
