/* SPDX-License-Identifier: Apache-2.0 */
#include "node/sd_notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static uint64_t
watchdog_ms(void)
{
    const char *usec = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");
    char *end;
    unsigned long long n;

    if (usec == NULL || (pid != NULL && strtoull(pid, NULL, 10) !=
                                            (unsigned long long)getpid())) {
        return 0;
    }
    errno = 0;
    n = strtoull(usec, &end, 10);
    return errno != 0 || *end != '\0' ? 0 : n / 1000;
}

void
node_sd_open(struct node_sd *sd)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    size_t len = path == NULL ? 0 : strlen(path);

    *sd = (struct node_sd){.fd = -1};
    if (len < 2 || len >= sizeof(addr.sun_path) ||
        (path[0] != '/' && path[0] != '@')) {
        return;
    }
    memcpy(addr.sun_path, path, len);
    if (path[0] == '@') {
        addr.sun_path[0] = '\0'; /* the abstract namespace */
    }
    sd->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sd->fd >= 0 &&
        connect(sd->fd, (const struct sockaddr *)&addr,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) !=
            0) {
        node_sd_close(sd);
    }
    if (sd->fd >= 0) {
        sd->watchdog_ms = watchdog_ms();
    }
}

static void
tell(const struct node_sd *sd, const char *what)
{
    if (sd->fd >= 0) {
        ssize_t n = send(sd->fd, what, strlen(what), MSG_NOSIGNAL);

        (void)n; /* a manager that went away is no reason to stop serving */
    }
}

void
node_sd_ready(const struct node_sd *sd)
{
    tell(sd, "READY=1");
}

void
node_sd_watchdog(const struct node_sd *sd)
{
    tell(sd, "WATCHDOG=1");
}

void
node_sd_stopping(const struct node_sd *sd)
{
    tell(sd, "STOPPING=1");
}

void
node_sd_close(struct node_sd *sd)
{
    if (sd->fd >= 0) {
        close(sd->fd);
    }
    *sd = (struct node_sd){.fd = -1};
}
