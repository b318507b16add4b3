/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile or clumsy peer: a blocking socket and a TLS session in the hands
 * of a test.
 */
#ifndef TESTS_FEDERATION_PUPPET_H
#define TESTS_FEDERATION_PUPPET_H

#include "crypto/tls/session.h"
#include "tests/federation/world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

struct puppet {
    int fd;
    struct tlsp_policy *policy;
    struct tlsp *tls;
    enum err answer; /* what it thinks of the node */
};

/* A socket connected to the node, with a receive deadline of 20 s. */
static inline int
puppet_socket(uint16_t port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct timeval tv = {.tv_sec = 20};
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    CHECK(connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
    return fd;
}

/* Close with a reset. */
static inline void
puppet_reset(int fd)
{
    struct linger l = {1, 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
    close(fd);
}

static inline void
puppet_put(int fd, struct view v)
{
    while (v.len > 0) {
        ssize_t n = send(fd, v.p, v.len, MSG_NOSIGNAL);

        if (n <= 0) {
            return; /* the node may have closed already */
        }
        v = view_skip(v, (size_t)n);
    }
}

/* True when the node closes within the deadline; what it sends is dropped. */
static inline bool
puppet_closed(int fd)
{
    char buf[4096];
    ssize_t n;

    do {
        n = recv(fd, buf, sizeof(buf), 0);
    } while (n > 0);
    return n == 0 || errno != EAGAIN;
}

static inline enum err
puppet_verify(void *ctx, struct view chain, const struct device_id *key)
{
    struct puppet *p = ctx;

    (void)chain;
    (void)key;
    return p->answer;
}

static inline void
puppet_flush(struct puppet *p)
{
    struct bytes out = {0};

    tlsp_take_out(p->tls, &out);
    puppet_put(p->fd, view_of(&out));
    bytes_free(&out);
}

/* A puppet that has sent its ClientHello; id makes its root. */
static inline void
puppet_open(struct puppet *p, uint16_t port, uint64_t id)
{
    struct clinic_id root = {{0xee}};
    uint8_t seed[32] = {0x77};
    uint8_t chain[64];
    struct fed_identity me;
    struct tlsp_verifier v = {puppet_verify, p};

    *p = (struct puppet){.answer = OK};
    memcpy(root.b + 8, &id, 8);
    memcpy(seed + 8, &id, 8);
    me = node_identity(&root, seed, chain);
    CHECK_OK(tlsp_policy_node(mem_heap(), me.node_seed, me.chain, &p->policy));
    CHECK_OK(tlsp_dial(mem_heap(), p->policy, &v, &p->tls));
    p->fd = puppet_socket(port);
    puppet_flush(p);
}

static inline void
puppet_close(struct puppet *p, bool reset)
{
    tlsp_free(p->tls);
    tlsp_policy_unref(p->policy);
    if (reset) {
        puppet_reset(p->fd);
    } else {
        close(p->fd);
    }
}

/* Read until n plain bytes came; false when the node closed before. */
static inline bool
puppet_read(struct puppet *p, size_t n)
{
    while (n > 0) {
        uint8_t wire[4096];
        ssize_t got = recv(p->fd, wire, sizeof(wire), 0);
        struct view in;
        enum err e = OK;

        if (got <= 0) {
            return false;
        }
        in = view_make(wire, (size_t)got);
        while (e == OK) {
            uint8_t plain[4096];
            size_t len = 0;

            e = tlsp_read(p->tls, &in, plain, sizeof(plain), &len);
            n -= len < n ? len : n;
        }
        puppet_flush(p);
        if (e != ERR_AGAIN) {
            return false;
        }
    }
    return true;
}

/* The whole handshake and the node's "accepted". */
static inline bool
puppet_greet(struct puppet *p)
{
    return puppet_read(p, 4);
}

static inline void
puppet_say(struct puppet *p, struct view plain)
{
    CHECK_OK(tlsp_write(p->tls, plain));
    puppet_flush(p);
}

#endif
