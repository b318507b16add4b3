/* SPDX-License-Identifier: Apache-2.0 */
/* An address of ours that answers is told from one that does not. */
#include "node/reach.h"

#include "tests/node/api_fix.h"

#include <arpa/inet.h>
#include <sys/socket.h>

static struct end n;

/* A port of this machine; *listening_out (may be NULL) holds it open. */
static uint16_t
some_port(int *listening_out)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    if (listening_out == NULL) {
        (void)close(fd);
    } else {
        CHECK_EQ(listen(fd, 4), 0);
        *listening_out = fd;
    }
    return ntohs(a.sin_port);
}

static enum node_reach
reach(struct proto_addr a)
{
    return node_reach_try(node_runner_net(n.api.runner), &a, 2000);
}

TEST(who_answers_is_told)
{
    struct proto_addr a = {.kind = PROTO_ADDR_IP4, .ip = {127, 0, 0, 1}};
    struct proto_addr name = {.kind = PROTO_ADDR_DNS, .host = "localhost"};
    struct proto_addr wrong = {.kind = PROTO_ADDR_DNS,
                               .host = "no-such-name.invalid"};
    int other;

    end_make(&n, "Clinic");
    CHECK_EQ(reach(n.api.addrs[0]), NODE_REACH_OURS);
    a.port = some_port(&other);
    CHECK_EQ(reach(a), NODE_REACH_OTHER);
    (void)close(other);
    a.port = some_port(NULL);
    CHECK_EQ(reach(a), NODE_REACH_REFUSED);
    name.port = n.api.addrs[0].port;
    CHECK_EQ(reach(name), NODE_REACH_OURS);
    wrong.port = 1;
    CHECK_EQ(reach(wrong), NODE_REACH_NO_NAME);
    CHECK(node_reach_say(NODE_REACH_OURS) == NULL);
    for (int r = NODE_REACH_OURS + 1; r < NODE_REACH_COUNT_; r++) {
        CHECK(node_reach_say((enum node_reach)r) != NULL);
    }
    end_remove(&n);
}

int
main(void)
{
    node_json_init();
    return RUN(T(who_answers_is_told));
}
