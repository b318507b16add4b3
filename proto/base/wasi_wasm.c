/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C library formats numbers through files of its own, so that snprintf
 * would import functions of WASI.  We do no I/O: they are here, and fail.
 */
#include <stdint.h>

enum {
    NOSYS = 52
};

#define WASI(NAME) __imported_wasi_snapshot_preview1_##NAME

int32_t WASI(fd_close)(int32_t fd);
int32_t WASI(fd_seek)(int32_t fd, int64_t offset, int32_t whence, int32_t out);
int32_t WASI(fd_write)(int32_t fd, int32_t iov, int32_t n, int32_t out);
int32_t WASI(fd_fdstat_get)(int32_t fd, int32_t out);

int32_t
WASI(fd_close)(int32_t fd)
{
    (void)fd;
    return NOSYS;
}

int32_t
WASI(fd_seek)(int32_t fd, int64_t offset, int32_t whence, int32_t out)
{
    (void)fd;
    (void)offset;
    (void)whence;
    (void)out;
    return NOSYS;
}

int32_t
WASI(fd_write)(int32_t fd, int32_t iov, int32_t n, int32_t out)
{
    (void)fd;
    (void)iov;
    (void)n;
    (void)out;
    return NOSYS;
}

int32_t
WASI(fd_fdstat_get)(int32_t fd, int32_t out)
{
    (void)fd;
    (void)out;
    return NOSYS;
}
