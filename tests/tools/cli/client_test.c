/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line's end of the control socket, against one end of a real
 * socket: lines in pieces and in one, garbage, an end too early, files.
 */
#include "tools/cli/client.h"

#include "tests/store/fix.h"

#include <sys/socket.h>
#include <sys/un.h>

static struct fix f; /* its folder only */
static char path[FIX_PATH + 16];
static int listening;
static int node; /* the other end */
static struct tool_client client;

static void
begin(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    fix_config(&f, 7);
    fix_dir(f.dir);
    (void)snprintf(path, sizeof(path), "%s/control", f.dir);
    memcpy(a.sun_path, path, strlen(path) + 1);
    listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(bind(listening, (const struct sockaddr *)&a, sizeof(a)), 0);
    CHECK_EQ(listen(listening, 1), 0);
    CHECK_OK(tool_client_open(path, &client));
    node = accept(listening, NULL, NULL);
    CHECK(node >= 0);
}

static void
end(void)
{
    tool_client_close(&client);
    (void)close(node);
    (void)close(listening);
    fix_rm(f.dir);
}

static void
put(const char *s)
{
    CHECK_EQ(send(node, s, strlen(s), MSG_NOSIGNAL), (ssize_t)strlen(s));
}

static int
next_number(void)
{
    json_t *o = NULL;
    int n;

    CHECK_OK(tool_client_next(&client, &o));
    n = (int)json_integer_value(json_object_get(o, "n"));
    json_decref(o);
    return n;
}

TEST(lines_come_one_by_one)
{
    json_t *o = NULL;

    begin();
    put("{\"n\":1}\n{\"n\":2}\n{\"n\"");
    CHECK_EQ(next_number(), 1);
    CHECK_EQ(next_number(), 2);
    put(":3}\n");
    CHECK_EQ(next_number(), 3);
    put("nonsense\n{\"n\":4}\n");
    CHECK_ERR(tool_client_next(&client, &o), ERR_FORMAT);
    CHECK_EQ(next_number(), 4);
    put("{\"n\":5}");
    CHECK_EQ(shutdown(node, SHUT_WR), 0);
    CHECK_ERR(tool_client_next(&client, &o), ERR_IO);
    end();
}

TEST(a_request_goes_with_its_files)
{
    union {
        char b[CMSG_SPACE(sizeof(int) * 4)];
        struct cmsghdr align;
    } side;
    char got[256];
    struct iovec v = {got, sizeof(got)};
    struct msghdr h = {.msg_iov = &v,
                       .msg_iovlen = 1,
                       .msg_control = side.b,
                       .msg_controllen = sizeof(side.b)};
    json_t *request = json_pack("{s:s}", "do", "send");
    int ends[2];
    int file;
    char c = 0;

    begin();
    CHECK_EQ(pipe(ends), 0);
    CHECK_OK(tool_client_send(&client, request, &ends[0], 1));
    CHECK_EQ(recvmsg(node, &h, MSG_CMSG_CLOEXEC), 14);
    CHECK_VIEW(view_make(got, 14), view_str("{\"do\":\"send\"}\n"));
    CHECK(CMSG_FIRSTHDR(&h) != NULL);
    memcpy(&file, CMSG_DATA(CMSG_FIRSTHDR(&h)), sizeof(file));
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_EQ(read(file, &c, 1), 1);
    CHECK_EQ(c, 'x');
    (void)close(file);
    (void)close(ends[0]);
    (void)close(ends[1]);
    json_decref(request);
    end();
}

TEST(nobody_listens)
{
    struct tool_client c = {0};
    char longer[200];

    begin();
    (void)close(listening);
    CHECK_ERR(tool_client_open(path, &c), ERR_MISSING);
    CHECK_EQ(unlink(path), 0);
    CHECK_ERR(tool_client_open(path, &c), ERR_MISSING);
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    CHECK_ERR(tool_client_open(longer, &c), ERR_INVALID);
    end();
}

int
main(void)
{
    return RUN(T(lines_come_one_by_one), T(a_request_goes_with_its_files),
               T(nobody_listens));
}
