/* SPDX-License-Identifier: Apache-2.0 */
#include "node/fatal.h"
#include "tests/support/check.h"
#include "tests/support/tmp.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a child says that installs the handler and then does die. */
static int
child_says(void (*die)(void), char *said, size_t cap)
{
    int fds[2];
    int status = 0;
    ssize_t n;
    pid_t child;

    CHECK(pipe(fds) == 0);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        dup2(fds[1], STDERR_FILENO);
        node_fatal_install();
        die();
        _exit(0);
    }
    close(fds[1]);
    n = read(fds[0], said, cap - 1);
    said[n > 0 ? n : 0] = '\0';
    close(fds[0]);
    CHECK(waitpid(child, &status, 0) == child);
    return status;
}

/* A map whose file was cut behind our back. */
static void
read_past_a_cut_file(void)
{
    char path[TMP_PATH];
    int fd = tmp_file(path, "balsam-fatal-XXXXXX", 0);
    volatile char *map;

    unlink(path);
    if (fd < 0 || ftruncate(fd, 8192) != 0) {
        _exit(2);
    }
    map = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED || ftruncate(fd, 0) != 0) {
        _exit(2);
    }
    (void)map[5000];
}

static void
raise_segv(void)
{
    raise(SIGSEGV);
}

TEST(a_cut_file_is_said)
{
    char said[512];
    int status = child_says(read_past_a_cut_file, said, sizeof(said));

    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    CHECK(strstr(said, "could not be read from the disk") != NULL);
    CHECK(strstr(said, "balsam verify") != NULL);
}

TEST(an_internal_error_is_said)
{
    char said[512];
    int status = child_says(raise_segv, said, sizeof(said));

    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    CHECK(strstr(said, "internal error") != NULL);
}

int
main(void)
{
    return RUN(T(a_cut_file_is_said), T(an_internal_error_is_said));
}
