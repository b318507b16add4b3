/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that can be held: loaded before a program under test (LD_PRELOAD), its
 * fdatasync, and its writes that go through to the disk, begin no sooner than
 * the file BALSAM_TEST_HELD is gone.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void
wait_while_held(void)
{
    const char *path = getenv("BALSAM_TEST_HELD");
    const struct timespec pause = {0, 1000000};

    while (path != NULL && access(path, F_OK) == 0) {
        (void)nanosleep(&pause, NULL);
    }
}

int
fdatasync(int fd)
{
    wait_while_held();
    return (int)syscall(SYS_fdatasync, fd);
}

ssize_t
pwrite(int fd, const void *p, size_t len, off_t offset)
{
    if ((fcntl(fd, F_GETFL) & O_DSYNC) != 0) {
        wait_while_held();
    }
    return (ssize_t)syscall(SYS_pwrite64, fd, p, len, offset);
}
