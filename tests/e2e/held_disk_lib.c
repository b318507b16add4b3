/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that can be held: loaded before a program under test (LD_PRELOAD), its
 * fdatasync ends no sooner than the file BALSAM_TEST_HELD is gone.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int
fdatasync(int fd)
{
    const char *path = getenv("BALSAM_TEST_HELD");
    const struct timespec pause = {0, 1000000};

    while (path != NULL && access(path, F_OK) == 0) {
        (void)nanosleep(&pause, NULL);
    }
    return (int)syscall(SYS_fdatasync, fd);
}
