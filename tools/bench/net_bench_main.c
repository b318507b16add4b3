/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network core by itself, on loopback, as JSON lines: round trips, frames
 * per second, and private memory of a server per idle peer (its peers live in
 * a child process and cost it nothing).  One socket pair is both ends of the
 * first two, so they share the processor.
 */
#include "crypto/tls/session.h"
#include "crypto/tls/wrap.h"
#include "federation/net.h"
#include "proto/base/assert.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    ROUND_TRIPS = 5000,
    SMALL = 1024,
    LARGE = 262144,
    IDLE = 500
};

struct side {
    struct fed_net *net;
    struct fed_io io;
    struct clinic_id root;
    struct fed_net_config config;
    uint8_t seed[32];
    uint8_t chain[64];
    uint16_t port;
    pthread_mutex_t mx;
    pthread_cond_t cv;
    bool echo;
    uint64_t frames, ups;
};

static uint64_t
now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint64_t
now_ms(void *ctx)
{
    (void)ctx;
    return now_us() / 1000;
}

static enum err
fill(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    return getrandom(out, len, 0) == (ssize_t)len ? OK : ERR_IO;
}

/* A chain is root || node key here; what a real one costs is ident's. */
static enum err
verify(void *ctx, struct view chain, const struct device_id *key,
       const struct clinic_id *expected, struct fed_verdict *out)
{
    (void)ctx;
    (void)expected;
    if (chain.len != 64 ||
        !view_equal(view_skip(chain, 32), device_id_view(key))) {
        return ERR_AUTH;
    }
    memcpy(out->root.b, chain.p, 32);
    out->known = true;
    return OK;
}

static void *
up(void *ctx, const struct fed_peer_info *info)
{
    struct side *s = ctx;

    (void)info;
    pthread_mutex_lock(&s->mx);
    s->ups++;
    pthread_cond_broadcast(&s->cv);
    pthread_mutex_unlock(&s->mx);
    return s;
}

static void
send_to(struct side *s, const struct fed_peer *peer, size_t len)
{
    enum err e;

    do {
        struct bytes b = {0};

        ASSERT(bytes_alloc(mem_heap(), len, &b) == OK);
        e = fed_net_send(s->net, peer, &b);
        bytes_free(&b);
        if (e == ERR_AGAIN) {
            struct timespec t = {0, 100000};

            nanosleep(&t, NULL);
        }
    } while (e == ERR_AGAIN);
    ASSERT(e == OK);
}

static enum fed_flow
frame(void *ctx, void *peer_ctx, const struct fed_peer *peer, struct view f)
{
    struct side *s = ctx;

    (void)peer_ctx;
    if (s->echo) {
        send_to(s, peer, f.len);
        return FED_GO;
    }
    pthread_mutex_lock(&s->mx);
    s->frames++;
    pthread_cond_broadcast(&s->cv);
    pthread_mutex_unlock(&s->mx);
    return FED_GO;
}

static void
writable(void *ctx, void *peer_ctx, const struct fed_peer *peer)
{
    (void)ctx;
    (void)peer_ctx;
    (void)peer;
}

static void
down(void *ctx, void *peer_ctx, const struct fed_peer *peer, enum fed_why why)
{
    (void)ctx;
    (void)peer_ctx;
    (void)peer;
    (void)why;
}

static void
make_chain(const struct clinic_id *root, const uint8_t seed[32],
           uint8_t chain[64])
{
    struct device_id key;

    ASSERT(tlsp_wrap_key(view_make(seed, 32), &key) == OK);
    memcpy(chain, root->b, 32);
    memcpy(chain + 32, key.b, 32);
}

static void
start(struct side *s, uint8_t id, bool echo)
{
    static const struct clock clock = {now_ms, now_ms, NULL};
    static const struct rng rng = {fill, NULL};
    struct fed_addr addr = {"127.0.0.1", 0};

    *s = (struct side){.echo = echo};
    pthread_mutex_init(&s->mx, NULL);
    pthread_cond_init(&s->cv, NULL);
    s->io = fed_io_nng(mem_heap());
    memset(s->root.b, id, 32);
    memset(s->seed, id, 32);
    make_chain(&s->root, s->seed, s->chain);
    s->config = (struct fed_net_config){
        .mem = mem_heap(),
        .clock = &clock,
        .rng = &rng,
        .io = &s->io,
        .user = {verify, up, frame, writable, down, NULL, s},
        .identity = {s->root, VIEW_ARRAY(s->seed), VIEW_ARRAY(s->chain)},
        .tuning = {.pending_per_site = IDLE, .rx_per_s = 2000000000u}};
    ASSERT(fed_net_start(&s->config, &s->net) == OK);
    ASSERT(fed_net_listen(s->net, &addr, &s->port) == OK);
}

static void
wait_for(struct side *s, const uint64_t *counter, uint64_t want)
{
    pthread_mutex_lock(&s->mx);
    while (*counter < want) {
        pthread_cond_wait(&s->cv, &s->mx);
    }
    pthread_mutex_unlock(&s->mx);
}

static void
dial(struct side *from, struct side *to)
{
    struct fed_addr addr = {"127.0.0.1", to->port};

    ASSERT(fed_net_dial_once(from->net, &to->root, &addr, 1) == OK);
    wait_for(from, &from->ups, 1);
    wait_for(to, &to->ups, 1);
}

static int
by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void
round_trips(void)
{
    static struct side a, b;
    static uint32_t us[ROUND_TRIPS];
    struct fed_peer to;

    start(&a, 1, false);
    start(&b, 2, true);
    dial(&a, &b);
    to = (struct fed_peer){b.root, 0};
    for (uint64_t i = 0; i < ROUND_TRIPS; i++) {
        uint64_t t = now_us();

        send_to(&a, &to, SMALL);
        wait_for(&a, &a.frames, i + 1);
        us[i] = (uint32_t)(now_us() - t);
    }
    qsort(us, ROUND_TRIPS, sizeof(us[0]), by_size);
    printf("{\"bench\":\"net_rtt\",\"bytes\":%d,\"p50_us\":%u,\"p99_us\":%u}\n",
           SMALL, us[ROUND_TRIPS / 2], us[ROUND_TRIPS * 99 / 100]);
    fed_net_stop(a.net);
    fed_net_stop(b.net);
}

static void
throughput(size_t len, uint64_t n)
{
    static struct side a, b;
    struct fed_peer to;
    uint64_t t;
    double s;

    start(&a, 1, false);
    start(&b, 2, false);
    dial(&a, &b);
    to = (struct fed_peer){b.root, 0};
    t = now_us();
    for (uint64_t i = 0; i < n; i++) {
        send_to(&a, &to, len);
    }
    wait_for(&b, &b.frames, n);
    s = (double)(now_us() - t) / 1e6;
    printf("{\"bench\":\"net_throughput\",\"bytes\":%zu,\"per_s\":%.0f,"
           "\"mb_per_s\":%.0f}\n",
           len, (double)n / s, (double)n * (double)len / s / 1e6);
    fed_net_stop(a.net);
    fed_net_stop(b.net);
}

/* ------------------------------------------------------------- memory */
static long
private_kb(void)
{
    FILE *f = fopen("/proc/self/smaps_rollup", "r");
    char line[200];
    long sum = 0;
    long kb;

    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        if (sscanf(line, "Private_Dirty: %ld", &kb) == 1 ||
            sscanf(line, "Private_Clean: %ld", &kb) == 1) {
            sum += kb;
        }
    }
    if (f != NULL) {
        fclose(f);
    }
    return sum;
}

static enum err
trust(void *ctx, struct view chain, const struct device_id *key)
{
    (void)ctx;
    (void)chain;
    (void)key;
    return OK;
}

/* One idle peer: shake hands on a blocking socket and stay. */
static void
idle_peer(uint16_t port, uint32_t id)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct clinic_id root = {{9}};
    uint8_t seed[32] = {9};
    uint8_t chain[64];
    uint8_t wire[4096], plain[64];
    struct tlsp_policy *policy;
    struct tlsp_verifier v = {trust, NULL};
    struct tlsp *tls;
    struct bytes out = {0};
    size_t got = 0;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(root.b + 4, &id, sizeof(id));
    memcpy(seed + 4, &id, sizeof(id));
    make_chain(&root, seed, chain);
    ASSERT(tlsp_policy_node(mem_heap(), VIEW_ARRAY(seed), VIEW_ARRAY(chain),
                            &policy) == OK);
    ASSERT(tlsp_dial(mem_heap(), policy, &v, &tls) == OK);
    ASSERT(connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
    while (got < 4) {
        struct view in;
        ssize_t n;
        enum err e = OK;

        tlsp_take_out(tls, &out);
        n = send(fd, out.p, out.len, MSG_NOSIGNAL);
        ASSERT(n == (ssize_t)out.len);
        bytes_free(&out);
        n = recv(fd, wire, sizeof(wire), 0);
        ASSERT(n > 0);
        in = view_make(wire, (size_t)n);
        while (e == OK) {
            size_t len = 0;

            e = tlsp_read(tls, &in, plain, sizeof(plain), &len);
            got += len;
        }
        tlsp_take_out(tls, &out);
        n = out.len > 0 ? send(fd, out.p, out.len, MSG_NOSIGNAL) : 0;
        ASSERT(n == (ssize_t)out.len);
        bytes_free(&out);
    }
}

/* The child: told a port, it opens IDLE connections and waits for its end. */
static void
be_peers(int in)
{
    uint16_t port;
    char c;

    if (read(in, &port, sizeof(port)) == sizeof(port)) {
        for (uint32_t i = 0; i < IDLE; i++) {
            idle_peer(port, i);
        }
        ASSERT(read(in, &c, 1) == 0);
    }
    _exit(0);
}

static void
memory(int to)
{
    static struct side s;
    struct timespec settle = {0, 300000000};
    long before;
    long after;

    start(&s, 1, false);
    before = private_kb();
    ASSERT(write(to, &s.port, sizeof(s.port)) == sizeof(s.port));
    wait_for(&s, &s.ups, IDLE);
    nanosleep(&settle, NULL);
    after = private_kb();
    printf("{\"bench\":\"net_idle_peer\",\"peers\":%d,\"kb_each\":%.1f,"
           "\"base_kb\":%ld}\n",
           IDLE, (double)(after - before) / IDLE, before);
    close(to);
    fed_net_stop(s.net);
}

int
main(void)
{
    int to[2];
    pid_t child;

    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    ASSERT(pipe(to) == 0);
    child = fork(); /* before nng starts */
    if (child == 0) {
        close(to[1]);
        be_peers(to[0]);
    }
    close(to[0]);
    memory(to[1]);
    ASSERT(waitpid(child, NULL, 0) == child);
    round_trips();
    throughput(SMALL, 300000);
    throughput(LARGE, 2000);
    return 0;
}
