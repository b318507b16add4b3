/* SPDX-License-Identifier: Apache-2.0 */
#include "store/env_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

void
store_env_disk_init(struct store_env_disk *d, int fd, uint64_t reserve)
{
    struct stat st;

    *d = (struct store_env_disk){.fd = fd, .reserve = reserve};
    /* A sparse copy has fewer blocks than its length says. */
    if (fstat(fd, &st) == 0 &&
        (uint64_t)st.st_blocks * 512 >= (uint64_t)st.st_size) {
        d->allocated = (uint64_t)st.st_size;
    }
}

static uint64_t
step(const struct store_env_disk *d)
{
    return d->reserve / 4;
}

uint64_t
store_env_disk_want(const struct store_env_disk *d)
{
    return d->reserve + step(d);
}

static bool
allocate(struct store_env_disk *d, uint64_t end)
{
    uint64_t from = d->allocated;

    if (end <= from) {
        return true;
    }
    /* Pages that are free, inside, may be holes as well. */
    if (fallocate(d->fd, 0, (off_t)from, (off_t)(end - from)) == 0) {
        d->allocated = end;
        return true;
    }
    if (errno == EOPNOTSUPP || errno == ENOSYS) {
        d->cannot_allocate = true;
    }
    return false;
}

static uint64_t
left_on_disk(const struct store_env_disk *d)
{
    struct statvfs vfs;

    if (fstatvfs(d->fd, &vfs) != 0) {
        return 0;
    }
    return (uint64_t)vfs.f_bavail * vfs.f_frsize;
}

uint64_t
store_env_disk_left(struct store_env_disk *d, uint64_t used)
{
    uint64_t want = store_env_disk_want(d);

    if (!d->cannot_allocate && d->allocated < used + want &&
        !allocate(d, used + want + step(d))) {
        /* Then at least what is wanted; if not, the reserve is being used. */
        if (!allocate(d, used + want)) {
            return d->cannot_allocate    ? left_on_disk(d)
                   : d->allocated > used ? d->allocated - used
                                         : 0;
        }
    }
    return d->cannot_allocate ? left_on_disk(d) : d->allocated - used;
}
