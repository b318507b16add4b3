/* SPDX-License-Identifier: Apache-2.0 */
#include "node/control.h"

#include "node/pipe.h"
#include "node/request.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    PENDING_MAX = 64,     /* requests of one connection under way at once */
    ACCEPT_REST_MS = 100, /* after accept failed, for lack of files say */
    SEND_PIECE_MS = 500,
    SEND_TRIES = 120 /* pieces: who reads nothing for a minute is let go */
};

/* One connection of the command line. */
struct client {
    struct node_control *control;
    pthread_t thread;
    int fd; /* -1: free */
    bool ended;
    bool gone; /* nobody reads the answers any more */
    struct node_pending *pending[PENDING_MAX]; /* in order */
    size_t pending_len;
};

struct node_control {
    struct node_api *api;
    int fd;
    int stop[2]; /* a byte in here ends the accepting thread */
    pthread_t thread;
    atomic_bool stopping;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    pthread_mutex_t mx;
    struct client clients[NODE_CONTROL_CLIENTS];
};

/* ----------------------------------------------------------------- a client */

/* Lines as they arrive, with the files beside them. */
struct incoming {
    char *line;
    size_t len;
    size_t seen; /* no line ends before this */
    int files[NODE_API_FILES];
    size_t files_len;
};

static void
take_files(struct msghdr *h, struct incoming *in)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL;
         c = CMSG_NXTHDR(h, c)) {
        size_t n;
        int fds[NODE_API_FILES];

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        n = n > NODE_API_FILES ? NODE_API_FILES : n;
        memcpy(fds, CMSG_DATA(c), n * sizeof(int));
        for (size_t i = 0; i < n; i++) {
            if (in->files_len < NODE_API_FILES) {
                in->files[in->files_len++] = fds[i];
            } else {
                (void)close(fds[i]);
            }
        }
    }
}

/* Read what there is.  ERR_MISSING: whoever asked is gone */
static enum err
read_some(int fd, struct incoming *in)
{
    union {
        char b[CMSG_SPACE(sizeof(int) * NODE_API_FILES)];
        struct cmsghdr align;
    } side;
    struct iovec v = {in->line + in->len, NODE_CONTROL_LINE - in->len};
    struct msghdr h = {.msg_iov = &v, .msg_iovlen = 1};
    ssize_t n;

    do {
        h.msg_control = side.b;
        h.msg_controllen = sizeof(side.b);
        n = recvmsg(fd, &h, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n <= 0) {
        return ERR_MISSING;
    }
    take_files(&h, in);
    in->len += (size_t)n;
    return OK;
}

/* Wait for room; false when nobody reads any more, or the node stops. */
static bool
wait_room(const struct client *c)
{
    for (int i = 0; i < SEND_TRIES; i++) {
        struct pollfd p = {.fd = c->fd, .events = POLLOUT};
        int n = poll(&p, 1, SEND_PIECE_MS);

        if (n > 0) {
            return (p.revents & (POLLERR | POLLHUP)) == 0;
        }
        if ((n < 0 && errno != EINTR) || atomic_load(&c->control->stopping)) {
            return false;
        }
    }
    return false;
}

static bool
write_all(const struct client *c, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = send(c->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            if (!wait_room(c)) {
                return false;
            }
            continue;
        }
        if (n <= 0) {
            return false;
        }
        p += n;
        len -= (size_t)n;
    }
    return true;
}

/* Whether anybody is still at the other end. */
static bool
is_there(const struct client *c)
{
    struct pollfd p = {.fd = c->fd};

    return poll(&p, 1, 0) <= 0 || (p.revents & (POLLERR | POLLHUP)) == 0;
}

/* Add a line to what will be written. */
static bool
add_line(struct bytes *out, const struct mem *mem, json_t *line)
{
    json_malloc_t give;
    json_free_t release;
    char *text = json_dumps(line, JSON_COMPACT);
    bool good;

    if (text == NULL) {
        return false;
    }
    good = bytes_append(mem, out, view_str(text)) == OK &&
           bytes_append(mem, out, VIEW_LIT("\n")) == OK;
    json_get_alloc_funcs(&give, &release);
    release(text);
    return good;
}

static bool
write_json(void *ctx, json_t *line)
{
    struct client *c = ctx;
    struct bytes out = {0};
    bool good;

    if (line == NULL) {
        return is_there(c);
    }
    good = add_line(&out, c->control->api->mem, line) &&
           write_all(c, (const char *)out.p, out.len);
    c->gone = c->gone || !good;
    bytes_free(&out);
    return good;
}

/* What cannot be answered is refused in words. */
static void
refuse(struct client *c, enum err e, const char *say)
{
    json_t *o = json_object();

    (void)json_object_set_new(o, "ok", json_false());
    (void)json_object_set_new(o, "error", json_string(err_name(e)));
    (void)json_object_set_new(o, "say", json_string(say));
    ERR_IGNORE(o != NULL && write_json(c, o) ? OK : ERR_IO,
               "whoever asked is gone");
    json_decref(o);
}

/* Wait for what was begun, and answer it all at once, in order. */
static void
end_pending(struct client *c)
{
    const struct mem *mem = c->control->api->mem;
    struct bytes out = {0};
    bool good = true;

    for (size_t i = 0; i < c->pending_len; i++) {
        json_t *reply = node_api_end(c->pending[i]);

        good = reply != NULL && add_line(&out, mem, reply) && good;
        json_decref(reply);
    }
    c->pending_len = 0;
    if (out.len > 0) {
        good = write_all(c, (const char *)out.p, out.len) && good;
    }
    bytes_free(&out);
    c->gone = c->gone || !good;
}

/* Begin it, so that more can come after it; false: it is not of that kind. */
static bool
begin(struct client *c, json_t *request, const struct incoming *in)
{
    struct node_pending *p;

    if (in->files_len > 0) {
        return false;
    }
    if (c->pending_len == PENDING_MAX) {
        end_pending(c);
    }
    p = node_api_begin(c->control->api, request);
    if (p != NULL) {
        c->pending[c->pending_len++] = p;
    }
    return p != NULL;
}

static void
answer(struct client *c, struct incoming *in, size_t start, size_t len)
{
    json_t *request = node_request_read(view_make(in->line + start, len));
    json_t *reply = NULL;

    if (json_is_object(request) && begin(c, request, in)) {
        json_decref(request);
        return;
    }
    end_pending(c);
    if (json_is_object(request)) {
        reply = node_api_answer(c->control->api, request, in->files,
                                in->files_len, write_json, c);
    }
    if (reply != NULL) {
        ERR_IGNORE(write_json(c, reply) ? OK : ERR_IO, "whoever asked is gone");
    } else if (json_is_object(request)) {
        refuse(c, ERR_NOMEM, "The node has no memory left. Try again later.");
    } else {
        refuse(c, ERR_FORMAT, "A request is one JSON object on one line.");
    }
    json_decref(request);
    json_decref(reply);
}

static void
close_files(struct incoming *in)
{
    for (size_t i = 0; i < in->files_len; i++) {
        (void)close(in->files[i]);
    }
    in->files_len = 0;
}

/*
 * Answer the lines that are complete.  Files belong to the first line that is
 * complete with them: whoever sends any sends them with a whole line.
 */
static void
answer_lines(struct client *c, struct incoming *in)
{
    size_t start = 0;
    char *end;

    while (!c->gone && !atomic_load(&c->control->stopping) &&
           (end = memchr(in->line + in->seen, '\n', in->len - in->seen)) !=
               NULL) {
        size_t next = (size_t)(end - in->line) + 1;

        answer(c, in, start, next - start);
        close_files(in);
        start = next;
        in->seen = next;
    }
    end_pending(c);
    memmove(in->line, in->line + start, in->len - start);
    mem_wipe(in->line + in->len - start, start);
    in->len -= start;
    in->seen = in->len;
}

static void *
client_thread(void *ctx)
{
    struct client *c = ctx;
    const struct mem *mem = c->control->api->mem;
    struct incoming in = {.line = mem_alloc(mem, NODE_CONTROL_LINE)};
    enum err e = in.line == NULL ? ERR_NOMEM : OK;

    while (e == OK && !c->gone && (e = read_some(c->fd, &in)) == OK) {
        answer_lines(c, &in);
        e = in.len == NODE_CONTROL_LINE ? ERR_LIMIT : OK;
    }
    if (e == ERR_LIMIT) {
        refuse(c, e, "That is too long. Send it as a file, or in parts.");
    }
    close_files(&in);
    mem_free(mem, in.line, NODE_CONTROL_LINE);
    (void)pthread_mutex_lock(&c->control->mx);
    (void)shutdown(c->fd, SHUT_RDWR);
    c->ended = true;
    (void)pthread_mutex_unlock(&c->control->mx);
    return NULL;
}

/* ---------------------------------------------------------------- accepting */

/* Only the user of the node, or root. */
static bool
may_speak(int fd)
{
    struct ucred cred;
    socklen_t len = sizeof(cred);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 &&
           (cred.uid == geteuid() || cred.uid == 0);
}

/* Give back the places of those that have ended. */
static void
collect(struct node_control *n)
{
    for (size_t i = 0; i < NODE_CONTROL_CLIENTS; i++) {
        struct client *c = &n->clients[i];
        bool ended;

        (void)pthread_mutex_lock(&n->mx);
        ended = c->fd >= 0 && c->ended;
        (void)pthread_mutex_unlock(&n->mx);
        if (ended) {
            (void)pthread_join(c->thread, NULL);
            (void)close(c->fd);
            c->fd = -1;
        }
    }
}

static void
admit(struct node_control *n, int fd)
{
    collect(n);
    for (size_t i = 0; i < NODE_CONTROL_CLIENTS && may_speak(fd); i++) {
        struct client *c = &n->clients[i];

        if (c->fd >= 0) {
            continue;
        }
        c->fd = fd;
        c->ended = false;
        c->gone = false;
        c->control = n;
        if (pthread_create(&c->thread, NULL, client_thread, c) == 0) {
            return;
        }
        c->fd = -1;
        break;
    }
    LOG(n->api->log, LOG_WARN, "node.control.refused",
        LOG_NUM("clients_max", NODE_CONTROL_CLIENTS));
    if (may_speak(fd)) {
        struct client full = {.control = n, .fd = fd};

        (void)shutdown(fd, SHUT_RD);
        refuse(&full, ERR_LIMIT,
               "Too many commands run at once. End some (balsam watch?), then "
               "try again.");
    }
    (void)close(fd);
}

static void *
accept_thread(void *ctx)
{
    struct node_control *n = ctx;

    for (;;) {
        struct pollfd p[2] = {{.fd = n->fd, .events = POLLIN},
                              {.fd = n->stop[0], .events = POLLIN}};
        int fd;

        if (poll(p, 2, -1) < 0 && errno != EINTR) {
            return NULL;
        }
        if (p[1].revents != 0) {
            return NULL;
        }
        if (p[0].revents == 0) {
            continue;
        }
        fd = accept4(n->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            admit(n, fd);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
                   errno == ENOBUFS) {
            (void)poll(&p[1], 1, ACCEPT_REST_MS); /* or the node stops */
        }
    }
}

/* Whether somebody listens at this path. */
static bool
is_live(const struct sockaddr_un *a)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool live =
        fd >= 0 && connect(fd, (const struct sockaddr *)a, sizeof(*a)) == 0;

    if (fd >= 0) {
        (void)close(fd);
    }
    return live;
}

static enum err
listen_at(struct node_control *n)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    mode_t mask;
    int rc;

    memcpy(a.sun_path, n->path, sizeof(a.sun_path));
    if (is_live(&a)) {
        return ERR_EXISTS;
    }
    (void)unlink(n->path);
    n->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (n->fd < 0) {
        return ERR_IO;
    }
    mask = umask(0177);
    rc = bind(n->fd, (const struct sockaddr *)&a, sizeof(a));
    (void)umask(mask);
    return rc == 0 && listen(n->fd, NODE_CONTROL_CLIENTS) == 0 ? OK : ERR_IO;
}

enum err
node_control_start(struct node_api *api, const char *path,
                   struct node_control **out)
{
    enum err e;
    struct node_control *n = mem_alloc(api->mem, sizeof(*n));

    if (n == NULL) {
        return ERR_NOMEM;
    }
    n->api = api;
    n->fd = -1;
    n->stop[0] = n->stop[1] = -1;
    (void)pthread_mutex_init(&n->mx, NULL);
    for (size_t i = 0; i < NODE_CONTROL_CLIENTS; i++) {
        n->clients[i].fd = -1;
    }
    if (strlen(path) >= sizeof(n->path)) {
        TRY(ERR_INVALID);
    }
    memcpy(n->path, path, strlen(path) + 1);
    TRY(listen_at(n));
    if (pipe2(n->stop, O_CLOEXEC) != 0 ||
        pthread_create(&n->thread, NULL, accept_thread, n) != 0) {
        TRY(ERR_IO);
    }
    *out = n;
    return OK;
out:
    if (n->fd >= 0) {
        (void)close(n->fd);
    }
    if (n->stop[0] >= 0) {
        (void)close(n->stop[0]);
        (void)close(n->stop[1]);
    }
    (void)pthread_mutex_destroy(&n->mx);
    mem_free(api->mem, n, sizeof(*n));
    return e;
}

void
node_control_stop(struct node_control *control)
{
    struct node_control *n = control;
    ssize_t wrote;

    if (n == NULL) {
        return;
    }
    atomic_store(&n->stopping, true);
    wrote = write(n->stop[1], "", 1);
    (void)wrote;
    (void)pthread_join(n->thread, NULL);
    (void)unlink(n->path);
    for (size_t i = 0; i < NODE_CONTROL_CLIENTS; i++) {
        struct client *c = &n->clients[i];

        if (c->fd >= 0) {
            (void)shutdown(c->fd, SHUT_RD);
            (void)pthread_join(c->thread, NULL);
            (void)close(c->fd);
        }
    }
    (void)close(n->fd);
    (void)close(n->stop[0]);
    (void)close(n->stop[1]);
    (void)pthread_mutex_destroy(&n->mx);
    mem_free(n->api->mem, n, sizeof(*n));
}
