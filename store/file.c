/* SPDX-License-Identifier: Apache-2.0 */
#include "store/file.h"

#include "proto/base/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum err
store_path(char out[STORE_PATH_MAX], const char *dir, const char *name)
{
    int n = snprintf(out, STORE_PATH_MAX, "%s/%s", dir, name);

    return n > 0 && n < STORE_PATH_MAX ? OK : ERR_LIMIT;
}

enum err
store_errno(int number)
{
    switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ERR_FULL;
    case ENOMEM:
        return ERR_NOMEM;
    case ENOENT:
        return ERR_MISSING;
    case EEXIST:
    case ENOTEMPTY:
        return ERR_EXISTS;
    case EACCES:
    case EPERM:
        return ERR_DENIED;
    default:
        return ERR_IO;
    }
}

enum err
store_mkdir(const char *path)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST) {
        return OK;
    }
    return store_errno(errno);
}

enum err
store_write_at(int fd, struct view v, uint64_t offset)
{
    size_t done = 0;

    while (done < v.len) {
        ssize_t n =
            pwrite(fd, v.p + done, v.len - done, (off_t)(offset + done));

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n == 0 ? ERR_FULL : store_errno(errno);
        }
        done += (size_t)n;
    }
    return OK;
}

enum err
store_read_at(int fd, uint8_t *out, size_t len, uint64_t offset)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = pread(fd, out + done, len - done, (off_t)(offset + done));

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n == 0 ? ERR_CORRUPT : ERR_IO;
        }
        done += (size_t)n;
    }
    return OK;
}

void
store_sync_fd(int fd)
{
    ASSERT(fdatasync(fd) == 0);
}

void
store_sync_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    ASSERT(fd >= 0);
    ASSERT(fsync(fd) == 0);
    (void)close(fd);
}

enum err
store_file_make(const char *path, int how, struct view v)
{
    enum err e;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | how, 0600);

    TRY(fd >= 0 ? OK : store_errno(errno));
    TRY(store_write_at(fd, v, 0));
    store_sync_fd(fd);
out:
    if (fd >= 0) {
        (void)close(fd);
        if (e != OK) {
            (void)unlink(path);
        }
    }
    return e;
}

enum err
store_file_replace(const char *dir, const char *name, struct view v)
{
    char path[STORE_PATH_MAX];
    char temp[STORE_PATH_MAX];
    enum err e;

    TRY(store_path(path, dir, name));
    TRY(strlen(path) + sizeof(".new") <= sizeof(temp) ? OK : ERR_LIMIT);
    (void)snprintf(temp, sizeof(temp), "%.*s.new", STORE_PATH_MAX - 8, path);
    TRY(store_file_make(temp, O_TRUNC, v));
    if (rename(temp, path) != 0) {
        e = store_errno(errno);
        (void)unlink(temp);
        goto out;
    }
    store_sync_dir(dir);
out:
    return e;
}

enum err
store_file_read(const struct mem *mem, const char *path, size_t max,
                struct bytes *out)
{
    struct bytes b = {0};
    struct stat st;
    enum err e;
    int fd;

    fd = open(path, O_RDONLY | O_CLOEXEC);
    TRY(fd >= 0 ? OK : store_errno(errno));
    TRY(fstat(fd, &st) == 0 ? OK : ERR_IO);
    TRY(S_ISREG(st.st_mode) && (uint64_t)st.st_size <= max ? OK : ERR_FORMAT);
    TRY(bytes_alloc(mem, (size_t)st.st_size, &b));
    TRY(store_read_at(fd, b.p, b.len, 0));
    *out = bytes_take(&b);
out:
    bytes_free(&b);
    if (fd >= 0) {
        (void)close(fd);
    }
    return e;
}

enum err
store_lock(const char *dir, const char *name, int *fd)
{
    char path[STORE_PATH_MAX];
    enum err e;
    int f = -1;

    TRY(store_path(path, dir, name));
    f = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    TRY(f >= 0 ? OK : store_errno(errno));
    /* Belongs to the open file: a second open here finds it held as well. */
    if (flock(f, LOCK_EX | LOCK_NB) != 0) {
        e = errno == EWOULDBLOCK ? ERR_STATE : ERR_IO;
        goto out;
    }
    *fd = f;
    f = -1;
out:
    if (f >= 0) {
        (void)close(f);
    }
    return e;
}
