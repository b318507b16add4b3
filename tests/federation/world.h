/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes for tests of the network: real sockets on loopback, chains that are
 * just root || node key (a device's: 'D' || key), and counters to wait for.
 * Waiting has a deadline only so that a failure ends.
 */
#ifndef TESTS_FEDERATION_WORLD_H
#define TESTS_FEDERATION_WORLD_H

#include "crypto/tls/wrap.h"
#include "federation/net.h"
#include "federation/splice.h"
#include "proto/msg/peer.h"
#include "tests/support/check.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

struct node {
    struct fed_net *net;
    struct fed_splice *splice; /* NULL: none */
    struct fed_io io;
    struct clinic_id root;
    uint8_t seed[32];
    uint16_t port;

    pthread_mutex_t mx;
    pthread_cond_t cv;
    /* what the verifier answers */
    enum err answer;
    bool known;
    enum fed_flow flow; /* answer to each frame */
    bool echo;
    /* what happened */
    int ups, downs, fails, writables;
    uint64_t frames, bytes, bad_order;
    uint32_t next_seq;
    enum fed_why down_why, fail_why;
    struct fed_peer_info info; /* of the last one up */
    size_t last_len;
};

static inline uint64_t
world_ms(void *ctx)
{
    struct timespec t;

    (void)ctx;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static inline enum err
world_fill(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    return getrandom(out, len, 0) == (ssize_t)len ? OK : ERR_IO;
}

static const struct clock world_clock = {world_ms, world_ms, NULL};
static const struct rng world_rng = {world_fill, NULL};

static inline enum err
node_verify(void *ctx, struct view chain, const struct device_id *key,
            const struct clinic_id *expected, struct fed_verdict *out)
{
    struct node *n = ctx;
    enum err e;

    if (chain.len < 32 ||
        !view_equal(view_skip(chain, chain.len - 32), device_id_view(key))) {
        return ERR_AUTH;
    }
    if (chain.len == 33 && chain.p[0] == 'D') {
        out->kind = FED_PEER_DEVICE;
    } else if (chain.len != 64) {
        return ERR_AUTH;
    }
    memcpy(out->root.b, chain.len == 33 ? chain.p + 1 : chain.p, 32);
    if (expected != NULL && !clinic_id_equal(expected, &out->root)) {
        return ERR_AUTH;
    }
    pthread_mutex_lock(&n->mx);
    e = n->answer;
    out->known = n->known;
    pthread_mutex_unlock(&n->mx);
    return e;
}

static inline void *
node_up(void *ctx, const struct fed_peer_info *info)
{
    struct node *n = ctx;

    pthread_mutex_lock(&n->mx);
    n->ups++;
    n->info = *info;
    n->next_seq = 0;
    pthread_cond_broadcast(&n->cv);
    pthread_mutex_unlock(&n->mx);
    return n;
}

static inline enum fed_flow
node_frame(void *ctx, void *peer_ctx, const struct fed_peer *peer,
           struct view frame)
{
    struct node *n = ctx;
    enum fed_flow flow;
    uint32_t seq = 0;
    bool echo;

    if (n->splice != NULL && proto_peer_peek(frame) >= PROTO_PEER_SPLICE_OPEN) {
        if (fed_splice_frame(n->splice, peer, frame) != OK) {
            fed_net_close(n->net, peer);
        }
        return FED_GO;
    }
    pthread_mutex_lock(&n->mx);
    if (peer_ctx != n) {
        n->bad_order++;
    }
    n->frames++;
    n->bytes += frame.len;
    n->last_len = frame.len;
    if (frame.len >= 4) {
        memcpy(&seq, frame.p, 4);
        n->bad_order += seq != n->next_seq ? 1 : 0;
        n->next_seq = seq + 1;
    }
    flow = n->flow;
    echo = n->echo;
    pthread_cond_broadcast(&n->cv);
    pthread_mutex_unlock(&n->mx);
    if (echo) {
        struct bytes copy = {0};

        if (bytes_copy(mem_heap(), frame, &copy) == OK) {
            ERR_IGNORE(fed_net_send(n->net, peer, &copy), "counted there");
        }
        bytes_free(&copy);
    }
    return flow;
}

static inline void
node_writable(void *ctx, void *peer_ctx, const struct fed_peer *peer)
{
    struct node *n = ctx;

    (void)peer_ctx;
    if (n->splice != NULL) {
        fed_splice_writable(n->splice, peer);
    }
    pthread_mutex_lock(&n->mx);
    n->writables++;
    pthread_cond_broadcast(&n->cv);
    pthread_mutex_unlock(&n->mx);
}

static inline void
node_down(void *ctx, void *peer_ctx, const struct fed_peer *peer,
          enum fed_why why)
{
    struct node *n = ctx;

    (void)peer_ctx;
    if (n->splice != NULL) {
        fed_splice_peer_down(n->splice, peer);
    }
    pthread_mutex_lock(&n->mx);
    n->downs++;
    n->down_why = why;
    pthread_cond_broadcast(&n->cv);
    pthread_mutex_unlock(&n->mx);
}

static inline void
node_failed(void *ctx, const struct clinic_id *root, enum fed_why why,
            uint64_t retry_ms)
{
    struct node *n = ctx;

    (void)root;
    (void)retry_ms;
    pthread_mutex_lock(&n->mx);
    n->fails++;
    n->fail_why = why;
    pthread_cond_broadcast(&n->cv);
    pthread_mutex_unlock(&n->mx);
}

/* The identity of a node with a given node key; buf is 64 bytes. */
static inline struct fed_identity
node_identity(const struct clinic_id *root, const uint8_t seed[32],
              uint8_t buf[64])
{
    struct device_id key;

    CHECK_OK(tlsp_wrap_key(view_make(seed, 32), &key));
    memcpy(buf, root->b, 32);
    memcpy(buf + 32, key.b, 32);
    return (struct fed_identity){*root, view_make(seed, 32),
                                 view_make(buf, 64)};
}

static inline void
node_listen(struct node *n, uint16_t port)
{
    struct fed_addr addr = {"127.0.0.1", port};

    CHECK_OK(fed_net_listen(n->net, &addr, &n->port));
}

/* The same of a device; buf is 33 bytes. */
static inline struct fed_identity
device_identity(const uint8_t seed[32], uint8_t buf[33])
{
    struct fed_identity out = {.node_seed = view_make(seed, 32),
                               .chain = view_make(buf, 33)};
    struct device_id key;

    CHECK_OK(tlsp_wrap_key(view_make(seed, 32), &key));
    buf[0] = 'D';
    memcpy(buf + 1, key.b, 32);
    memcpy(out.root.b, key.b, 32);
    return out;
}

static inline void
node_begin(struct node *n, uint8_t id, bool device,
           const struct fed_net_tuning *tuning)
{
    uint8_t chain[64];
    struct fed_net_config c = {.mem = mem_heap(),
                               .clock = &world_clock,
                               .rng = &world_rng,
                               .io = &n->io,
                               .user = {node_verify, node_up, node_frame,
                                        node_writable, node_down, node_failed,
                                        n}};

    *n = (struct node){.known = true};
    signal(SIGPIPE, SIG_IGN);
    pthread_mutex_init(&n->mx, NULL);
    pthread_cond_init(&n->cv, NULL);
    n->io = fed_io_nng(mem_heap());
    memset(n->root.b, id, 32);
    memset(n->seed, id + 100, 32);
    c.identity = device ? device_identity(n->seed, chain)
                        : node_identity(&n->root, n->seed, chain);
    n->root = c.identity.root;
    if (tuning != NULL) {
        c.tuning = *tuning;
    }
    CHECK_OK(fed_net_start(&c, &n->net));
}

/* Start node number id; tuning may be NULL. */
static inline void
node_start(struct node *n, uint8_t id, const struct fed_net_tuning *tuning)
{
    node_begin(n, id, false, tuning);
    node_listen(n, 0);
}

/* Start device number id; it never listens. */
static inline void
device_start(struct node *n, uint8_t id, const struct fed_net_tuning *tuning)
{
    node_begin(n, id, true, tuning);
}

static inline void
node_stop(struct node *n)
{
    fed_net_stop(n->net);
    fed_splice_free(n->splice);
    pthread_mutex_destroy(&n->mx);
    pthread_cond_destroy(&n->cv);
}

/* Wait until *(counter) >= want; false after 20 s. */
static inline bool
node_wait_u64(struct node *n, const uint64_t *counter, uint64_t want)
{
    struct timespec until;
    bool ok;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    pthread_mutex_lock(&n->mx);
    while (*counter < want &&
           pthread_cond_timedwait(&n->cv, &n->mx, &until) == 0) {
    }
    ok = *counter >= want;
    pthread_mutex_unlock(&n->mx);
    return ok;
}

/* What a counter says now, while connections may come and go. */
static inline int
node_count(struct node *n, const int *counter)
{
    int got;

    pthread_mutex_lock(&n->mx);
    got = *counter;
    pthread_mutex_unlock(&n->mx);
    return got;
}

/* Why the last connection ended, or the last attempt failed. */
static inline int
node_why(struct node *n, const enum fed_why *why)
{
    int got;

    pthread_mutex_lock(&n->mx);
    got = (int)*why;
    pthread_mutex_unlock(&n->mx);
    return got;
}

static inline bool
node_wait(struct node *n, const int *counter, int want)
{
    struct timespec until;
    bool ok;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    pthread_mutex_lock(&n->mx);
    while (*counter < want &&
           pthread_cond_timedwait(&n->cv, &n->mx, &until) == 0) {
    }
    ok = *counter >= want;
    pthread_mutex_unlock(&n->mx);
    return ok;
}

static inline void
node_dial(struct node *from, const struct node *to, bool standing)
{
    struct fed_addr addr = {"127.0.0.1", to->port};

    if (standing) {
        CHECK_OK(fed_net_dial(from->net, &to->root, &addr, 1));
    } else {
        CHECK_OK(fed_net_dial_once(from->net, &to->root, &addr, 1));
    }
}

/* Send len bytes (at least 4), which begin with seq. */
static inline enum err
node_send(struct node *n, const struct clinic_id *to, uint32_t seq, size_t len)
{
    struct fed_peer peer = {*to, 0};
    struct bytes b = {0};
    enum err e;

    CHECK_OK(bytes_alloc(mem_heap(), len, &b));
    memcpy(b.p, &seq, 4);
    e = fed_net_send(n->net, &peer, &b);
    CHECK(e != OK || b.p == NULL);
    bytes_free(&b);
    return e;
}

/* Open files of this process. */
static inline int
count_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(d) != NULL) {
        n++;
    }
    closedir(d);
    return n;
}

/* Wait until every connection object that was made is given back again but
 * for left of them. */
static inline bool
node_wait_freed(struct node *n, uint64_t left)
{
    for (int i = 0; i < 20000; i++) {
        struct fed_net_stats s;
        struct timespec ms = {0, 1000000};

        fed_net_stats(n->net, &s);
        if (s.opened - s.freed == left) {
            return true;
        }
        nanosleep(&ms, NULL);
    }
    return false;
}

#endif
