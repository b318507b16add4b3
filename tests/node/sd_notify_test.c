/* SPDX-License-Identifier: Apache-2.0 */
#include "node/sd_notify.h"
#include "tests/support/check.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A manager's socket in the abstract namespace, named in the environment. */
static int
manager(void)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    char name[64];
    int n = snprintf(name, sizeof(name), "@balsam-sd-%d", (int)getpid());
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    memcpy(addr.sun_path, name, (size_t)n);
    addr.sun_path[0] = '\0';
    CHECK(fd >= 0);
    CHECK(bind(fd, (const struct sockaddr *)&addr,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
                           (size_t)n)) == 0);
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

static void
expect(int fd, const char *want)
{
    char got[64] = "";
    ssize_t n = recv(fd, got, sizeof(got) - 1, 0);

    CHECK(n >= 0);
    CHECK_STR(got, want);
}

TEST(tells_the_manager)
{
    struct node_sd sd;
    int fd = manager();

    setenv("WATCHDOG_USEC", "30000000", 1);
    unsetenv("WATCHDOG_PID");
    node_sd_open(&sd);
    CHECK_EQ(sd.watchdog_ms, 30000);
    node_sd_ready(&sd);
    node_sd_watchdog(&sd);
    node_sd_stopping(&sd);
    node_sd_close(&sd);
    expect(fd, "READY=1");
    expect(fd, "WATCHDOG=1");
    expect(fd, "STOPPING=1");
    close(fd);
}

TEST(another_process_is_watched)
{
    struct node_sd sd;
    int fd = manager();

    setenv("WATCHDOG_USEC", "30000000", 1);
    setenv("WATCHDOG_PID", "1", 1);
    node_sd_open(&sd);
    CHECK_EQ(sd.watchdog_ms, 0);
    node_sd_close(&sd);
    close(fd);
}

TEST(without_a_manager_nothing_happens)
{
    struct node_sd sd;

    unsetenv("NOTIFY_SOCKET");
    node_sd_open(&sd);
    CHECK_EQ(sd.fd, -1);
    node_sd_ready(&sd);
    setenv("NOTIFY_SOCKET", "@nobody-listens-here", 1);
    node_sd_open(&sd);
    CHECK_EQ(sd.fd, -1);
    setenv("NOTIFY_SOCKET", "relative/path", 1);
    node_sd_open(&sd);
    CHECK_EQ(sd.fd, -1);
    node_sd_close(&sd);
}

int
main(void)
{
    return RUN(T(tells_the_manager), T(another_process_is_watched),
               T(without_a_manager_nothing_happens));
}
