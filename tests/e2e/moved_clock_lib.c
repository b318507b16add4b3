/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clocks of a program under test: loaded before it (LD_PRELOAD).  The wall
 * clock is BALSAM_TEST_CLOCK_S seconds from now.  What waits until a moment
 * waits as long as the program means to by these clocks.
 *
 * Three files of one number (8 bytes) of seconds, which may change while
 * programs run: by BALSAM_TEST_CLOCK_FILE both clocks are ahead, by
 * BALSAM_TEST_UP_FILE only the one of time that passes, as if the program had
 * been up for longer, and by BALSAM_TEST_WALL_FILE only the one on the wall, as
 * if somebody had set it.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
    WALL_S = 1000000000 /* no machine is up for so long */
};

/* mapped before any sandbox */
static const volatile int64_t *passed;
static const volatile int64_t *up;
static const volatile int64_t *set;

/* The C library's own: a sanitizer has taken note of the wait already. */
static int (*wait_until)(pthread_cond_t *cond, pthread_mutex_t *mx,
                         clockid_t clock, const struct timespec *until);

static const volatile int64_t *
number_in(const char *name)
{
    const char *path = getenv(name);
    int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    void *at = fd < 0
                   ? MAP_FAILED
                   : mmap(NULL, sizeof(*passed), PROT_READ, MAP_SHARED, fd, 0);

    if (fd >= 0) {
        (void)close(fd);
    }
    return at == MAP_FAILED ? NULL : at;
}

__attribute__((constructor)) static void
map_numbers(void)
{
    passed = number_in("BALSAM_TEST_CLOCK_FILE");
    up = number_in("BALSAM_TEST_UP_FILE");
    set = number_in("BALSAM_TEST_WALL_FILE");
}

/* Somebody may wait before the constructor ran. */
static void
find_wait(void)
{
    void *found = dlsym(RTLD_NEXT, "pthread_cond_clockwait");

    if (found == NULL) {
        abort();
    }
    memcpy(&wait_until, &found, sizeof(found)); /* ISO C has no such cast */
}

static long
number(const char *name)
{
    const char *s = getenv(name);

    return s != NULL ? atol(s) : 0;
}

/* By how much a clock is ahead. */
static long
ahead(bool wall)
{
    long both = passed == NULL ? 0 : (long)*passed;

    if (wall) {
        return both + (set == NULL ? 0 : (long)*set) +
               number("BALSAM_TEST_CLOCK_S");
    }
    return both + (up == NULL ? 0 : (long)*up);
}

int
clock_gettime(clockid_t clock, struct timespec *out)
{
    long r = syscall(SYS_clock_gettime, clock, out);

    if (r == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        out->tv_sec += ahead(true);
    } else if (r == 0 &&
               (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE)) {
        out->tv_sec += ahead(false);
    }
    return (int)r;
}

/* Which clock is meant shows by its size. */
int
pthread_cond_timedwait(pthread_cond_t *restrict cond,
                       pthread_mutex_t *restrict mx,
                       const struct timespec *restrict until)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct timespec real = *until;
    bool wall = until->tv_sec > WALL_S;

    (void)pthread_once(&once, find_wait);
    real.tv_sec -= ahead(wall);
    return wait_until(cond, mx, wall ? CLOCK_REALTIME : CLOCK_MONOTONIC, &real);
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
