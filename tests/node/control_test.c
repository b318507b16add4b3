/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket: only its user is heard, every line is answered, files
 * that came with a request are closed, a stop leaves nobody waiting.
 */
#include "node/control.h"

#include "tests/store/fix.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

enum {
    NOBODY = 65534
};

static struct fix f; /* its folder only */
static struct node_api api;
static struct node_control *control;
static char path[FIX_PATH + 16];

static void
begin(void)
{
    fix_config(&f, 7);
    fix_dir(f.dir);
    (void)snprintf(path, sizeof(path), "%s/control", f.dir);
    memset(&api, 0, sizeof(api));
    api.mem = mem_heap();
    control = NULL;
    CHECK_OK(node_control_start(&api, path, &control));
}

static void
end(void)
{
    node_control_stop(control);
    fix_rm(f.dir);
}

/* A connection, or -1. */
static int
dial(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(a.sun_path, path, strlen(path) + 1);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof(a)) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static void
put(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

        CHECK(n > 0);
        p += n;
        len -= (size_t)n;
    }
}

/* One line without its end, as JSON; NULL when the other end has closed. */
static json_t *
next(int fd)
{
    char line[2048];
    size_t len = 0;
    json_error_t error;

    while (len < sizeof(line)) {
        ssize_t n = recv(fd, line + len, 1, 0);

        if (n <= 0) {
            return NULL;
        }
        if (line[len++] == '\n') {
            return json_loadb(line, len, 0, &error);
        }
    }
    return NULL;
}

/* CHECK that the next answer is this error, in words. */
static void
refused(int fd, const char *want)
{
    json_t *o = next(fd);

    CHECK(o != NULL);
    CHECK(json_is_false(json_object_get(o, "ok")));
    CHECK_STR(json_string_value(json_object_get(o, "error")), want);
    CHECK(json_string_length(json_object_get(o, "say")) > 0);
    json_decref(o);
}

static void
say(int fd, const char *line)
{
    put(fd, line, strlen(line));
}

TEST(every_line_is_answered)
{
    static const char *const garbage[] = {
        "\n",        "hello\n", "[]\n", "{\"do\":\n", "{\"do\":1,\"do\":2}\n",
        "\xff\xfe\n"};
    int fd;

    begin();
    fd = dial();
    CHECK(fd >= 0);
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        say(fd, garbage[i]);
        refused(fd, err_name(ERR_FORMAT));
    }
    say(fd, "{\"do\":\"fly\"}\n");
    refused(fd, err_name(ERR_UNSUPPORTED));
    say(fd, "{\"do\":7}\n");
    refused(fd, err_name(ERR_UNSUPPORTED));
    say(fd, "{\"do\":\"send\",\"args\":{}}\n");
    refused(fd, err_name(ERR_INVALID));
    (void)close(fd);
    end();
}

TEST(a_line_may_come_in_pieces)
{
    int fd;

    begin();
    fd = dial();
    CHECK(fd >= 0);
    say(fd, "{\"do\":");
    say(fd, "\"fly\"");
    say(fd, "}\n");
    refused(fd, err_name(ERR_UNSUPPORTED));
    (void)close(fd);
    end();
}

/* Requests may be sent before the answers to earlier ones have come. */
TEST(many_lines_at_once)
{
    int fd;

    begin();
    fd = dial();
    CHECK(fd >= 0);
    say(fd, "{\"do\":\"fly\"}\nhello\n{\"do\":\"send\",\"args\":{}}\n{\"do\"");
    refused(fd, err_name(ERR_UNSUPPORTED));
    refused(fd, err_name(ERR_FORMAT));
    refused(fd, err_name(ERR_INVALID));
    say(fd, ":1}\n\n");
    refused(fd, err_name(ERR_UNSUPPORTED));
    refused(fd, err_name(ERR_FORMAT));
    (void)close(fd);
    end();
}

TEST(too_long_a_line_is_refused_and_ends_it)
{
    static char line[NODE_CONTROL_LINE];
    int fd;

    begin();
    fd = dial();
    CHECK(fd >= 0);
    memset(line, ' ', sizeof(line));
    put(fd, line, sizeof(line));
    refused(fd, err_name(ERR_LIMIT));
    CHECK(next(fd) == NULL);
    (void)close(fd);
    /* others go on */
    fd = dial();
    CHECK(fd >= 0);
    say(fd, "{}\n");
    refused(fd, err_name(ERR_UNSUPPORTED));
    (void)close(fd);
    end();
}

/* Send line with n copies of a descriptor beside it. */
static void
say_with(int fd, const char *line, int file, size_t n)
{
    union {
        char b[CMSG_SPACE(sizeof(int) * NODE_API_FILES)];
        struct cmsghdr align;
    } side = {{0}};
    char copy[64];
    struct iovec v = {copy, strlen(line)};
    struct msghdr h = {.msg_iov = &v,
                       .msg_iovlen = 1,
                       .msg_control = side.b,
                       .msg_controllen = CMSG_SPACE(sizeof(int) * n)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&h);

    CHECK(v.iov_len <= sizeof(copy));
    memcpy(copy, line, v.iov_len);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int) * n);
    for (size_t i = 0; i < n; i++) {
        memcpy(CMSG_DATA(c) + i * sizeof(int), &file, sizeof(int));
    }
    CHECK_EQ(sendmsg(fd, &h, MSG_NOSIGNAL), (ssize_t)v.iov_len);
}

TEST(files_of_a_request_are_closed)
{
    int fd;
    int ends[2];
    char c;

    begin();
    fd = dial();
    CHECK(fd >= 0);
    CHECK_EQ(pipe(ends), 0);
    say_with(fd, "{\"do\":\"fly\"}\n", ends[1], 3);
    refused(fd, err_name(ERR_UNSUPPORTED));
    /* more than a request may have, over two pieces */
    say_with(fd, "{\"do\":", ends[1], NODE_API_FILES);
    say_with(fd, "\"fly\"}\n", ends[1], NODE_API_FILES);
    refused(fd, err_name(ERR_UNSUPPORTED));
    (void)close(ends[1]);
    CHECK_EQ(read(ends[0], &c, 1), 0); /* nobody else has it open */
    (void)close(ends[0]);
    (void)close(fd);
    end();
}

TEST(files_of_half_a_request_are_closed)
{
    int fd;
    int ends[2];
    char c;

    begin();
    fd = dial();
    CHECK(fd >= 0);
    CHECK_EQ(pipe(ends), 0);
    say_with(fd, "{\"do\":", ends[1], 1);
    (void)close(fd);
    (void)close(ends[1]);
    CHECK_EQ(read(ends[0], &c, 1), 0);
    (void)close(ends[0]);
    end();
}

TEST(a_live_socket_is_left_a_dead_one_replaced)
{
    struct node_control *second = NULL;
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct stat st;
    int fd;

    begin();
    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0600);
    CHECK_ERR(node_control_start(&api, path, &second), ERR_EXISTS);
    node_control_stop(control);
    CHECK(access(path, F_OK) != 0);
    memcpy(a.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
    (void)close(fd);
    CHECK_OK(node_control_start(&api, path, &control));
    end();
}

TEST(too_long_a_path_is_said)
{
    struct node_control *second = NULL;
    char longer[200];

    begin();
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    CHECK_ERR(node_control_start(&api, longer, &second), ERR_INVALID);
    end();
}

TEST(a_stop_ends_those_who_wait)
{
    int fd;

    begin();
    fd = dial();
    CHECK(fd >= 0);
    say(fd, "{\"do\":\"fly\"}\n");
    refused(fd, err_name(ERR_UNSUPPORTED));
    end();
    CHECK(next(fd) == NULL);
    (void)close(fd);
}

/* What another user gets to see: 0 nothing, 1 an answer, 2 no connection. */
static int
as_nobody(void)
{
    int fd;
    char c;

    if (setuid(NOBODY) != 0) {
        return 3;
    }
    fd = dial();
    if (fd < 0) {
        return 2;
    }
    (void)send(fd, "{}\n", 3, MSG_NOSIGNAL);
    return recv(fd, &c, 1, 0) == 1;
}

TEST(other_users_are_not_heard)
{
    pid_t pid;
    int status = 0;

    if (geteuid() != 0) {
        SKIP("only root can become another user");
    }
    begin();
    pid = fork();
    if (pid == 0) {
        _exit(as_nobody());
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 2);
    /* even where the file's mode lets them in */
    CHECK_EQ(chmod(f.dir, 0755), 0);
    CHECK_EQ(chmod(path, 0666), 0);
    pid = fork();
    if (pid == 0) {
        _exit(as_nobody());
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 0);
    end();
}

int
main(void)
{
    return RUN(T(every_line_is_answered), T(a_line_may_come_in_pieces),
               T(many_lines_at_once), T(too_long_a_line_is_refused_and_ends_it),
               T(files_of_a_request_are_closed),
               T(files_of_half_a_request_are_closed),
               T(a_live_socket_is_left_a_dead_one_replaced),
               T(too_long_a_path_is_said), T(a_stop_ends_those_who_wait),
               T(other_users_are_not_heard));
}
