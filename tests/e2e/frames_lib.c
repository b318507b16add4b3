/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program under test reads and writes inside TLS: loaded before it
 * (LD_PRELOAD), it appends to the file BALSAM_TEST_FRAMES records of
 * {session 8, 'r' or 'w', length 4, bytes}, numbers as this machine has them.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

int SSL_read_ex(void *ssl, void *buf, size_t num, size_t *done);
int SSL_write_ex(void *ssl, const void *buf, size_t num, size_t *done);

static int frames = -1;

/* Before the program closes its sandbox. */
__attribute__((constructor)) static void
begin(void)
{
    const char *path = getenv("BALSAM_TEST_FRAMES");

    if (path != NULL) {
        frames = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
}

static void
note(const void *ssl, char way, const void *bytes, size_t n)
{
    uint64_t session = (uint64_t)(uintptr_t)ssl;
    uint32_t len = (uint32_t)n;
    char head[13];
    struct iovec v[2] = {{head, sizeof(head)}, {(void *)(uintptr_t)bytes, n}};

    memcpy(head, &session, 8);
    head[8] = way;
    memcpy(head + 9, &len, 4);
    if (frames >= 0 && writev(frames, v, 2) < 0) {
        abort(); /* a test that sees half of it shows nothing */
    }
}

static void *
real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

int
SSL_read_ex(void *ssl, void *buf, size_t num, size_t *done)
{
    int (*call)(void *, void *, size_t, size_t *);
    void *found = real("SSL_read_ex");
    int ret;

    memcpy(&call, &found, sizeof(found));
    ret = call(ssl, buf, num, done);
    if (ret == 1) {
        note(ssl, 'r', buf, *done);
    }
    return ret;
}

int
SSL_write_ex(void *ssl, const void *buf, size_t num, size_t *done)
{
    int (*call)(void *, const void *, size_t, size_t *);
    void *found = real("SSL_write_ex");
    int ret;

    memcpy(&call, &found, sizeof(found));
    ret = call(ssl, buf, num, done);
    if (ret == 1) {
        note(ssl, 'w', buf, *done);
    }
    return ret;
}
