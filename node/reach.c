/* SPDX-License-Identifier: Apache-2.0 */
#include "node/reach.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LOOK_MS = 20, /* between two looks at what was accepted */
    LOOKS = 50
};

/* The address as the system knows it; freed with freeaddrinfo. */
static struct addrinfo *
look_up(const struct proto_addr *addr)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    char host[PROTO_HOST_MAX + 1];
    char port[8];

    if (addr->kind == PROTO_ADDR_DNS) {
        memcpy(host, addr->host, sizeof(host));
    } else if (addr->kind == PROTO_ADDR_IP4) {
        (void)snprintf(host, sizeof(host), "%u.%u.%u.%u", addr->ip[0],
                       addr->ip[1], addr->ip[2], addr->ip[3]);
        hints.ai_flags = AI_NUMERICHOST;
    } else {
        size_t at = 0;

        for (size_t i = 0; i < 16; i += 2) {
            at += (size_t)snprintf(host + at, sizeof(host) - at, "%s%x",
                                   i == 0 ? "" : ":",
                                   addr->ip[i] << 8 | addr->ip[i + 1]);
        }
        hints.ai_flags = AI_NUMERICHOST;
    }
    (void)snprintf(port, sizeof(port), "%u", addr->port);
    return getaddrinfo(host, port, &hints, &list) == 0 ? list : NULL;
}

/* An errno of connect, as what it tells. */
static enum node_reach
meaning(int error)
{
    switch (error) {
    case 0:
        return NODE_REACH_OURS; /* somebody: who is looked at next */
    case ECONNREFUSED:
    case ECONNRESET:
        return NODE_REACH_REFUSED;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
        return NODE_REACH_NO_WAY;
    default:
        return NODE_REACH_SILENT;
    }
}

static uint64_t
accepted(struct fed_net *net)
{
    struct fed_net_stats s;

    fed_net_stats(net, &s);
    return s.accepted + s.refused;
}

/* Whether this node has accepted one more connection in a moment. */
static bool
was_us(struct fed_net *net, uint64_t before)
{
    for (int i = 0; i < LOOKS; i++) {
        if (accepted(net) > before) {
            return true;
        }
        (void)poll(NULL, 0, LOOK_MS);
    }
    return false;
}

static enum node_reach
connect_to(struct fed_net *net, const struct addrinfo *a, int wait_ms)
{
    uint64_t before = accepted(net);
    int error = 0;
    socklen_t len = sizeof(error);
    enum node_reach r;
    struct pollfd p = {
        .fd =
            socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
        .events = POLLOUT};

    if (p.fd < 0) {
        return meaning(errno);
    }
    if (connect(p.fd, a->ai_addr, a->ai_addrlen) != 0 && errno != EINPROGRESS) {
        error = errno;
    } else if (poll(&p, 1, wait_ms) != 1) {
        error = ETIMEDOUT;
    } else if (getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) {
        error = errno;
    }
    r = meaning(error);
    if (r == NODE_REACH_OURS && !was_us(net, before)) {
        r = NODE_REACH_OTHER;
    }
    (void)close(p.fd);
    return r;
}

enum node_reach
node_reach_try(struct fed_net *net, const struct proto_addr *addr, int wait_ms)
{
    struct addrinfo *list = look_up(addr);
    enum node_reach r = NODE_REACH_NO_NAME;

    for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) {
        r = connect_to(net, a, wait_ms);
        if (r == NODE_REACH_OURS) {
            break;
        }
    }
    if (list != NULL) {
        freeaddrinfo(list);
    }
    return r;
}

const char *
node_reach_say(enum node_reach r)
{
    static const char *const words[NODE_REACH_COUNT_] = {
        [NODE_REACH_OTHER] =
            "Something else answers there: another program has this port, or "
            "the router passes it to another machine.",
        [NODE_REACH_REFUSED] =
            "It is refused: let the router pass this port to this machine, "
            "and a firewall let it in, then look again.",
        [NODE_REACH_SILENT] =
            "No answer when this machine dials it. A firewall drops it, or "
            "the router does not pass the port, or it only does not let a "
            "machine reach its own public address: try from outside (nc -vz "
            "ADDRESS PORT from another network).",
        [NODE_REACH_NO_NAME] =
            "The name cannot be looked up: is it right, and in the DNS?",
        [NODE_REACH_NO_WAY] = "There is no way to this address from here: is "
                              "this its network (IPv6)?",
    };

    return words[r];
}
