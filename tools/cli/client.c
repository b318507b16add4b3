/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/client.h"

#include "proto/base/bytes.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    LINE_FIRST = 64 * 1024,
    LINE_MAX_BYTES = 256 * 1024 * 1024, /* 50 messages of the worst text fit */
    FILES_MAX = 16
};

enum err
tool_client_open(const char *path, struct tool_client *out)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(a.sun_path)) {
        return ERR_INVALID;
    }
    memcpy(a.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return ERR_IO;
    }
    if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) != 0) {
        enum err e =
            errno == EACCES || errno == EPERM ? ERR_DENIED : ERR_MISSING;

        (void)close(fd);
        return e;
    }
    *out = (struct tool_client){.fd = fd};
    out->cap = LINE_FIRST;
    out->line = mem_alloc(mem_heap(), out->cap);
    if (out->line == NULL) {
        (void)close(fd);
        return ERR_NOMEM;
    }
    return OK;
}

/* The first byte carries the files. */
static ssize_t
send_some(int fd, const char *p, size_t len, const int *files, size_t n)
{
    union {
        char b[CMSG_SPACE(sizeof(int) * FILES_MAX)];
        struct cmsghdr align;
    } side = {{0}};
    char copy[4096];
    struct iovec v = {copy, len < sizeof(copy) ? len : sizeof(copy)};
    struct msghdr h = {.msg_iov = &v, .msg_iovlen = 1};
    struct cmsghdr *c;

    memcpy(copy, p, v.iov_len);
    if (n > 0) {
        h.msg_control = side.b;
        h.msg_controllen = CMSG_SPACE(sizeof(int) * n);
        c = CMSG_FIRSTHDR(&h);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * n);
        memcpy(CMSG_DATA(c), files, sizeof(int) * n);
    }
    return sendmsg(fd, &h, MSG_NOSIGNAL);
}

enum err
tool_client_send(struct tool_client *c, const json_t *request, const int *files,
                 size_t files_len)
{
    char *text;
    size_t len;
    size_t done = 0;

    if (files_len > FILES_MAX) {
        return ERR_LIMIT;
    }
    text = json_dumps(request, JSON_COMPACT);
    if (text == NULL) {
        return ERR_NOMEM;
    }
    len = strlen(text) + 1;
    text[len - 1] = '\n';
    while (done < len) {
        ssize_t n = send_some(c->fd, text + done, len - done, files,
                              done == 0 ? files_len : 0);

        if (n <= 0 && errno != EINTR) {
            break;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    {
        json_malloc_t give;
        json_free_t release;

        json_get_alloc_funcs(&give, &release);
        release(text);
    }
    return done == len ? OK : ERR_IO;
}

/* Room for more of a line. */
static enum err
grow(struct tool_client *c)
{
    char *more;

    if (c->len < c->cap) {
        return OK;
    }
    if (c->cap >= LINE_MAX_BYTES) {
        return ERR_LIMIT;
    }
    more = mem_alloc(mem_heap(), 2 * c->cap);
    if (more == NULL) {
        return ERR_NOMEM;
    }
    memcpy(more, c->line, c->len);
    mem_free(mem_heap(), c->line, c->cap);
    c->line = more;
    c->cap *= 2;
    return OK;
}

enum err
tool_client_next(struct tool_client *c, json_t **out)
{
    json_error_t error;
    const char *end;
    size_t len;
    size_t seen = 0; /* no line ends before here */

    for (;;) {
        enum err e;
        ssize_t n;

        end = memchr(c->line + seen, '\n', c->len - seen);
        if (end != NULL) {
            break;
        }
        seen = c->len;
        e = grow(c);
        if (e != OK) {
            return e;
        }
        n = recv(c->fd, c->line + c->len, c->cap - c->len, 0);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return ERR_IO;
        }
        c->len += (size_t)n;
    }
    len = (size_t)(end - c->line) + 1;
    *out = json_loadb(c->line, len, 0, &error);
    memmove(c->line, c->line + len, c->len - len);
    c->len -= len;
    return *out == NULL ? ERR_FORMAT : OK;
}

void
tool_client_close(struct tool_client *c)
{
    if (c->line != NULL) {
        (void)close(c->fd);
        mem_free(mem_heap(), c->line, c->cap);
        c->line = NULL;
    }
}
