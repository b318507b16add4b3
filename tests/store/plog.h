/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every write and sync that the store and LMDB do passes through here, by
 * defining the C library's functions again.  A child process is killed at one
 * of them, or is told that one failed, or records them all for power-loss
 * images; it may be killed as well while it does so.
 *
 * Included by one source of a program.
 */
#ifndef TESTS_STORE_PLOG_H
#define TESTS_STORE_PLOG_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum plog_mode {
    PLOG_OFF,
    PLOG_KILL,
    PLOG_RECORD
};

enum plog_type {
    PLOG_WRITE,
    PLOG_WRITE_THROUGH, /* durable when it returns */
    PLOG_SYNC,
    PLOG_CREATE,
    PLOG_RENAME,
    PLOG_UNLINK,
    PLOG_DIR_SYNC,
    PLOG_DROP /* a sync failed: what it was for is here, and never there */
};

enum {
    PLOG_FILES = 32,
    PLOG_NAME = 64,
    PLOG_EVENTS = 65536,
    PLOG_KILLED = 137
};

#define PLOG_BYTES (512ull << 20)

struct plog_event {
    enum plog_type type;
    unsigned file; /* of the inode */
    uint64_t offset;
    uint64_t len;
    uint64_t data;  /* where in bytes */
    uint64_t acked; /* so far */
    char name[PLOG_NAME];
    char to[PLOG_NAME];
};

/* Shared with the child. */
struct plog {
    enum plog_mode mode;
    uint64_t kill_at; /* counting from 1; 0: never */
    bool tear;        /* do half of that write first */
    int fail;         /* not killed: that one fails with this errno, ... */
    uint64_t fails;   /* ... and so many in all */
    uint64_t until;   /* the test's */
    uint64_t ops;
    uint64_t acked;
    uint64_t failed; /* the item that was told to have failed; 0: none */
    size_t events_len;
    uint64_t bytes_len;
    unsigned files_len;
    uint64_t inode[PLOG_FILES];
    struct plog_event events[PLOG_EVENTS];
    uint8_t bytes[];
};

static struct plog *plog;
static pthread_mutex_t plog_mx = PTHREAD_MUTEX_INITIALIZER;

static inline void
plog_init(void)
{
    void *p = mmap(NULL, sizeof(*plog) + PLOG_BYTES, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    plog = p == MAP_FAILED ? NULL : p;
}

static inline void
plog_reset(enum plog_mode mode)
{
    plog->mode = mode;
    plog->kill_at = 0;
    plog->tear = false;
    plog->fail = 0;
    plog->fails = 1;
    plog->ops = plog->acked = plog->bytes_len = plog->failed = 0;
    plog->events_len = 0;
    plog->files_len = 0;
}

static const char *
plog_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static struct plog_event *
plog_add(enum plog_type type)
{
    struct plog_event *ev = &plog->events[plog->events_len];

    if (plog->events_len >= PLOG_EVENTS - 1) {
        _exit(3);
    }
    plog->events_len++;
    memset(ev, 0, sizeof(*ev));
    ev->type = type;
    ev->acked = plog->acked;
    return ev;
}

static unsigned
plog_file(int fd)
{
    struct plog_event *ev;
    struct stat st;
    char link[64];
    char path[512] = "";
    unsigned i;

    (void)fstat(fd, &st);
    for (i = 0; i < plog->files_len; i++) {
        if (plog->inode[i] == st.st_ino) {
            return i;
        }
    }
    if (i >= PLOG_FILES) {
        _exit(4);
    }
    plog->inode[plog->files_len++] = st.st_ino;
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    if (readlink(link, path, sizeof(path) - 1) < 0) {
        _exit(5);
    }
    ev = plog_add(PLOG_CREATE);
    ev->file = i;
    (void)snprintf(ev->name, sizeof(ev->name), "%.63s", plog_base(path));
    return i;
}

static bool
plog_through(int fd)
{
    return (fcntl(fd, F_GETFL) & O_DSYNC) != 0;
}

static void
plog_record_write(int fd, const void *p, size_t len, uint64_t offset)
{
    unsigned file = plog_file(fd);
    struct plog_event *ev =
        plog_add(plog_through(fd) ? PLOG_WRITE_THROUGH : PLOG_WRITE);

    if (plog->bytes_len + len > PLOG_BYTES) {
        _exit(6);
    }
    ev->file = file;
    ev->offset = offset;
    ev->len = len;
    ev->data = plog->bytes_len;
    memcpy(plog->bytes + plog->bytes_len, p, len);
    plog->bytes_len += len;
}

/* One more operation; the process may end here. */
static bool
plog_op(void)
{
    uint64_t n;

    if (plog == NULL || plog->mode == PLOG_OFF || plog->kill_at == 0) {
        return false;
    }
    n = __atomic_add_fetch(&plog->ops, 1, __ATOMIC_SEQ_CST);
    return n >= plog->kill_at && n - plog->kill_at < plog->fails;
}

static int
plog_die(void)
{
    if (plog->fail == 0) {
        (void)syscall(SYS_exit_group, PLOG_KILLED);
    }
    errno = plog->fail;
    return -1;
}

static bool
plog_recording(void)
{
    return plog != NULL && plog->mode == PLOG_RECORD;
}

ssize_t
pwrite(int fd, const void *p, size_t len, off_t offset)
{
    bool die = plog_op();

    if (die && plog->fail != 0 && plog_through(fd)) {
        /* It is in memory by then. */
        (void)syscall(SYS_pwrite64, fd, p, len, offset);
        return plog_die();
    }
    if (die) {
        /* A disk writes whole sectors. */
        len = plog->tear ? len / 2 / 512 * 512 : 0;
    }
    if (plog_recording() && len > 0) {
        (void)pthread_mutex_lock(&plog_mx);
        plog_record_write(fd, p, len, (uint64_t)offset);
        (void)pthread_mutex_unlock(&plog_mx);
    }
    if (die) {
        (void)syscall(SYS_pwrite64, fd, p, len, offset);
        return plog_die();
    }
    return (ssize_t)syscall(SYS_pwrite64, fd, p, len, offset);
}

ssize_t
writev(int fd, const struct iovec *iov, int n)
{
    off_t at = lseek(fd, 0, SEEK_CUR);
    bool die = plog_op();

    if (die) {
        n = plog->tear ? (n + 1) / 2 : 0;
    }
    if (plog_recording()) {
        (void)pthread_mutex_lock(&plog_mx);
        for (int i = 0; i < n; i++) {
            plog_record_write(fd, iov[i].iov_base, iov[i].iov_len,
                              (uint64_t)at);
            at += (off_t)iov[i].iov_len;
        }
        (void)pthread_mutex_unlock(&plog_mx);
    }
    if (die) {
        (void)syscall(SYS_writev, fd, iov, n);
        return plog_die();
    }
    return (ssize_t)syscall(SYS_writev, fd, iov, n);
}

static int
plog_sync(int fd, long number)
{
    struct stat st;
    int rc;

    if (plog_op()) {
        if (plog_recording() && plog->fail != 0 && fstat(fd, &st) == 0 &&
            !S_ISDIR(st.st_mode)) {
            unsigned file = plog_file(fd);

            plog_add(PLOG_DROP)->file = file;
        }
        return plog_die();
    }
    /* Tests that only count and kill need no disk to wait for. */
    rc = plog_recording() || plog == NULL ? (int)syscall(number, fd) : 0;
    if (plog_recording() && fstat(fd, &st) == 0) {
        (void)pthread_mutex_lock(&plog_mx);
        if (S_ISDIR(st.st_mode)) {
            (void)plog_add(PLOG_DIR_SYNC);
        } else {
            unsigned file = plog_file(fd);

            plog_add(PLOG_SYNC)->file = file;
        }
        (void)pthread_mutex_unlock(&plog_mx);
    }
    return rc;
}

int
fdatasync(int fd)
{
    return plog_sync(fd, SYS_fdatasync);
}

int
fsync(int fd)
{
    return plog_sync(fd, SYS_fsync);
}

int
rename(const char *from, const char *to)
{
    if (plog_op()) {
        return plog_die();
    }
    if (plog_recording()) {
        struct plog_event *ev;

        (void)pthread_mutex_lock(&plog_mx);
        ev = plog_add(PLOG_RENAME);
        (void)snprintf(ev->name, sizeof(ev->name), "%.63s", plog_base(from));
        (void)snprintf(ev->to, sizeof(ev->to), "%.63s", plog_base(to));
        (void)pthread_mutex_unlock(&plog_mx);
    }
    return (int)syscall(SYS_rename, from, to);
}

int
unlink(const char *path)
{
    if (plog_recording()) {
        struct plog_event *ev;

        (void)pthread_mutex_lock(&plog_mx);
        ev = plog_add(PLOG_UNLINK);
        (void)snprintf(ev->name, sizeof(ev->name), "%.63s", plog_base(path));
        (void)pthread_mutex_unlock(&plog_mx);
    }
    return (int)syscall(SYS_unlink, path);
}

#endif
