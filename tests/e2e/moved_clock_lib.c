/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clocks of a program under test: loaded before it (LD_PRELOAD).  The wall
 * clock is BALSAM_TEST_CLOCK_S seconds from now.  Time that only passes stays
 * as it is, or leaps: when it is BALSAM_TEST_LEAP_AT seconds, the next
 * BALSAM_TEST_LEAP_S are gone at once.  What waits until a moment waits as long
 * as the program means to by these clocks.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
    WALL_S = 1000000000 /* no machine is up for so long */
};

static long
number(const char *name)
{
    const char *s = getenv(name);

    return s != NULL ? atol(s) : 0;
}

/* By how much a clock that stands at now is ahead. */
static long
ahead(bool wall, long now)
{
    if (wall) {
        return number("BALSAM_TEST_CLOCK_S");
    }
    return number("BALSAM_TEST_LEAP_S") > 0 &&
                   now >= number("BALSAM_TEST_LEAP_AT")
               ? number("BALSAM_TEST_LEAP_S")
               : 0;
}

int
clock_gettime(clockid_t clock, struct timespec *out)
{
    long r = syscall(SYS_clock_gettime, clock, out);

    if (r == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        out->tv_sec += ahead(true, out->tv_sec);
    } else if (r == 0 &&
               (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE)) {
        out->tv_sec += ahead(false, out->tv_sec);
    }
    return (int)r;
}

/* Which clock is meant shows by its size. */
int
pthread_cond_timedwait(pthread_cond_t *restrict cond,
                       pthread_mutex_t *restrict mx,
                       const struct timespec *restrict until)
{
    struct timespec real = *until;
    struct timespec now = {0};
    bool wall = until->tv_sec > WALL_S;

    (void)syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    real.tv_sec -= ahead(wall, now.tv_sec);
    return pthread_cond_clockwait(
        cond, mx, wall ? CLOCK_REALTIME : CLOCK_MONOTONIC, &real);
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
