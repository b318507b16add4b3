/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wall clock of a program under test, BALSAM_TEST_CLOCK_S seconds from now:
 * loaded before it (LD_PRELOAD).  Time that only passes stays as it is.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int
clock_gettime(clockid_t clock, struct timespec *out)
{
    const char *by = getenv("BALSAM_TEST_CLOCK_S");
    long r = syscall(SYS_clock_gettime, clock, out);

    if (r == 0 && by != NULL &&
        (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        out->tv_sec += atol(by);
    }
    return (int)r;
}

time_t
time(time_t *out)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL) {
        *out = now.tv_sec;
    }
    return now.tv_sec;
}

int
gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now = {0};

    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}
