/* SPDX-License-Identifier: Apache-2.0 */
#include "store/file.h"

#include "tests/store/fix.h"

#include <errno.h>
#include <fcntl.h>

TEST(a_file_is_replaced_at_once)
{
    char dir[FIX_PATH];
    char path[STORE_PATH_MAX];
    struct bytes b = {0};

    fix_dir(dir);
    CHECK_OK(store_path(path, dir, "name"));
    CHECK_ERR(store_file_read(mem_heap(), path, 10, &b), ERR_MISSING);
    CHECK_OK(store_file_replace(dir, "name", VIEW_LIT("one")));
    CHECK_OK(store_file_replace(dir, "name", VIEW_LIT("two")));
    CHECK_OK(store_file_read(mem_heap(), path, 10, &b));
    CHECK_VIEW(view_of(&b), VIEW_LIT("two"));
    bytes_free(&b);
    CHECK_ERR(store_file_read(mem_heap(), path, 2, &b), ERR_FORMAT);
    CHECK_ERR(store_file_read(mem_heap(), dir, 10, &b), ERR_FORMAT);
    CHECK_OK(store_path(path, dir, "none"));
    CHECK_ERR(store_file_replace(path, "name", VIEW_LIT("x")), ERR_MISSING);
    fix_rm(dir);
}

TEST(reads_and_writes_are_whole)
{
    char dir[FIX_PATH];
    char path[STORE_PATH_MAX];
    uint8_t got[3];
    int fd;

    fix_dir(dir);
    CHECK_OK(store_path(path, dir, "f"));
    fd = open(path, O_RDWR | O_CREAT, 0600);
    CHECK(fd >= 0);
    CHECK_OK(store_write_at(fd, VIEW_LIT("abc"), 5));
    CHECK_OK(store_read_at(fd, got, 3, 5));
    CHECK_VIEW(VIEW_ARRAY(got), VIEW_LIT("abc"));
    CHECK_ERR(store_read_at(fd, got, 3, 6), ERR_CORRUPT);
    (void)close(fd);
    CHECK_ERR(store_write_at(fd, VIEW_LIT("abc"), 5), ERR_IO);
    CHECK_ERR(store_read_at(fd, got, 3, 5), ERR_IO);
    fix_rm(dir);
}

TEST(a_lock_is_held_by_one)
{
    char dir[FIX_PATH];
    int a;
    int b;

    fix_dir(dir);
    CHECK_OK(store_lock(dir, "lock", &a));
    CHECK_ERR(store_lock(dir, "lock", &b), ERR_STATE);
    (void)close(a);
    CHECK_OK(store_lock(dir, "lock", &b));
    (void)close(b);
    fix_rm(dir);
}

TEST(paths_have_a_longest)
{
    char dir[STORE_PATH_MAX];
    char out[STORE_PATH_MAX];

    memset(dir, 'd', sizeof(dir));
    dir[STORE_PATH_MAX - 4] = '\0';
    CHECK_OK(store_path(out, dir, "n"));
    CHECK_ERR(store_path(out, dir, "nn12"), ERR_LIMIT);
    CHECK_ERR(store_errno(ENOSPC), ERR_FULL);
    CHECK_ERR(store_errno(EIO), ERR_IO);
}

int
main(void)
{
    return RUN(T(a_file_is_replaced_at_once), T(reads_and_writes_are_whole),
               T(a_lock_is_held_by_one), T(paths_have_a_longest));
}
