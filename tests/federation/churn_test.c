/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thousands of peers of every bad kind: afterwards every connection object,
 * file and byte of memory is back, and a good peer never noticed.
 */
#include "crypto/tls/ossl.h"
#include "tests/federation/puppet.h"
#include "tests/support/seed_rng.h"

#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum {
    THREADS = 3,
    ROUNDS = 1200
};

struct counted {
    struct mem mem;
    atomic_llong live;
};

static void *
counted_alloc(void *ctx, size_t size)
{
    struct counted *c = ctx;
    void *p = malloc(size);

    if (p != NULL) {
        atomic_fetch_add(&c->live, (long long)size);
    }
    return p;
}

static void
counted_release(void *ctx, void *p, size_t size)
{
    struct counted *c = ctx;

    atomic_fetch_sub(&c->live, (long long)size);
    free(p);
}

/* A node whose memory is counted. */
static void
counted_start(struct node *n, struct counted *c, uint8_t id,
              const struct fed_net_tuning *t)
{
    uint8_t chain[64];
    struct fed_net_config config = {.mem = &c->mem,
                                    .clock = &world_clock,
                                    .rng = &world_rng,
                                    .io = &n->io,
                                    .tuning = *t,
                                    .user = {node_verify, node_up, node_frame,
                                             node_writable, node_down,
                                             node_failed, n}};

    c->mem = (struct mem){counted_alloc, counted_release, c};
    atomic_init(&c->live, 0);
    *n = (struct node){.known = true};
    signal(SIGPIPE, SIG_IGN);
    pthread_mutex_init(&n->mx, NULL);
    pthread_cond_init(&n->cv, NULL);
    n->io = fed_io_nng(&c->mem);
    memset(n->root.b, id, 32);
    memset(n->seed, id, 32);
    config.identity = node_identity(&n->root, n->seed, chain);
    CHECK_OK(fed_net_start(&config, &n->net));
    node_listen(n, 0);
}

struct churner {
    struct node *n;
    uint64_t seed;
    atomic_int *bad;
};

/* The peer of this kind was not treated as it should be. */
static void
note_bad(struct churner *c, bool fine, int kind)
{
    if (!fine) {
        atomic_fetch_add(c->bad, 1);
        fprintf(stderr, "  bad: kind %d\n", kind);
    }
}

/* A client on bare OpenSSL, without certificate or with an old version. */
static void
openssl_client(uint16_t port, bool old)
{
    static const uint8_t alpn[] = "\x08"
                                  "balsam/1";
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    int fd = puppet_socket(port);
    char c;

    if (old) {
        SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
    }
    SSL_set_alpn_protos(ssl, alpn, sizeof(alpn) - 1);
    SSL_set_fd(ssl, fd);
    if (SSL_connect(ssl) == 1) {
        (void)SSL_read(ssl, &c, 1);
    }
    ERR_clear_error();
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    puppet_reset(fd);
}

static void
greeted(struct churner *c, int kind, uint64_t id)
{
    static const uint8_t large[] = {0xff, 0xff, 0xff, 0xff, 1, 2, 3};
    static const uint8_t good[] = {0, 0, 0, 2, 'h', 'i', 0, 0, 0, 3, 'x'};
    struct puppet p;

    puppet_open(&p, c->n->port, id);
    if (kind == 9) {
        p.answer = ERR_AUTH;
    }
    if (kind == 10) { /* half a handshake */
        puppet_close(&p, true);
        return;
    }
    if (!puppet_greet(&p)) {
        note_bad(c, kind == 9, kind);
    } else if (kind == 5) {
        puppet_say(&p, VIEW_ARRAY(large));
        note_bad(c, puppet_closed(p.fd), kind);
    } else if (kind == 6) {
        puppet_say(&p, VIEW_ARRAY(good));
    } else if (kind == 7) {
        tlsp_shutdown(p.tls);
        puppet_flush(&p);
        note_bad(c, puppet_closed(p.fd), kind);
    } else if (kind == 8) { /* garbage instead of a record */
        puppet_put(p.fd, VIEW_ARRAY(good));
        note_bad(c, puppet_closed(p.fd), kind);
    }
    puppet_close(&p, id % 2 == 0);
}

static void *
churn(void *arg)
{
    struct churner *c = arg;
    struct seed_rng rng;

    seed_rng_init(&rng, c->seed);
    for (int i = 0; i < ROUNDS; i++) {
        int kind = (int)seed_rng_below(&rng, 14);
        int fd;

        switch (kind) {
        case 0:
            puppet_reset(puppet_socket(c->n->port));
            break;
        case 1:
            close(puppet_socket(c->n->port));
            break;
        case 2:
            fd = puppet_socket(c->n->port);
            puppet_put(fd, VIEW_LIT("GET / HTTP/1.1\r\n\r\n"));
            note_bad(c, puppet_closed(fd), kind);
            close(fd);
            break;
        case 3:
            openssl_client(c->n->port, true);
            break;
        case 4:
            openssl_client(c->n->port, false);
            break;
        default:
            greeted(c, kind, c->seed << 32 | (uint64_t)i);
            break;
        }
    }
    return NULL;
}

TEST(churn_leaves_nothing_behind)
{
    struct fed_net_tuning t = {.pending_per_site = 10000,
                               .handshake_ms = 60000,
                               .linger_ms = 60000,
                               .sweep_ms = 50};
    static struct counted mem;
    static struct node n, good;
    static struct churner c[THREADS];
    pthread_t thread[THREADS];
    struct timespec ms = {0, 1000000};
    atomic_int bad = 0;
    long long live;
    int fds;

    counted_start(&n, &mem, 1, &t);
    node_start(&good, 2, NULL);
    node_dial(&good, &n, false);
    CHECK(node_wait(&good, &good.ups, 1));
    openssl_client(n.port, true); /* what is loaded once is loaded now */
    CHECK(node_wait_freed(&n, 1));
    fds = count_fds();
    live = atomic_load(&mem.live);
    for (int i = 0; i < THREADS; i++) {
        c[i] = (struct churner){&n, (uint64_t)i + 1, &bad};
        CHECK(pthread_create(&thread[i], NULL, churn, &c[i]) == 0);
    }
    for (uint32_t i = 0; i < 500; i++) {
        CHECK_OK(node_send(&good, &n.root, i, 100));
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
    }
    CHECK_EQ(bad, 0);
    /* some still wait in the kernel to be accepted; and the count before may
       have had one in it that was just being closed */
    for (int i = 0; i < 20000 && count_fds() > fds; i++) {
        nanosleep(&ms, NULL);
    }
    CHECK(count_fds() <= fds);
    CHECK(node_wait_freed(&n, 1));
    /* but for the larger receive buffer of the good one */
    CHECK(atomic_load(&mem.live) - live <= 65536);
    CHECK_EQ(node_count(&good, &good.downs), 0);
    CHECK_OK(node_send(&good, &n.root, 500, 100));
    node_stop(&good);
    CHECK(node_wait_freed(&n, 0));
    CHECK_EQ(n.ups, n.downs);
    node_stop(&n);
    CHECK_EQ(atomic_load(&mem.live), 0);
}

TEST(only_so_many_from_one_address)
{
    struct fed_net_tuning t = {.pending_per_site = 8, .sweep_ms = 20};
    struct fed_net_stats s;
    static struct node n, good;
    int fd[100];
    int closed = 0;

    node_start(&n, 1, &t);
    for (int i = 0; i < 100; i++) {
        fd[i] = puppet_socket(n.port);
    }
    do {
        fed_net_stats(n.net, &s);
    } while (s.accepted + s.refused < 100);
    CHECK_EQ(s.accepted, 8);
    CHECK_EQ(s.pending, 8);
    for (int i = 0; i < 100; i++) {
        char c;

        closed += recv(fd[i], &c, 1, MSG_DONTWAIT) == 0 ? 1 : 0;
        close(fd[i]);
    }
    CHECK_EQ(closed, 92);
    CHECK(node_wait_freed(&n, 0));
    node_start(&good, 2, NULL);
    node_dial(&good, &n, false);
    CHECK(node_wait(&good, &good.ups, 1));
    node_stop(&good);
    node_stop(&n);
}

TEST(the_oldest_makes_room)
{
    struct fed_net_tuning t = {.pending_max = 16, .sweep_ms = 20};
    static struct node n;
    int fd[40];

    node_start(&n, 1, &t);
    for (int i = 0; i < 40; i++) {
        fd[i] = puppet_socket(n.port);
    }
    CHECK(node_wait_freed(&n, 16));
    CHECK(puppet_closed(fd[0]));
    for (int i = 0; i < 40; i++) {
        close(fd[i]);
    }
    node_stop(&n);
}

TEST(slow_handshakes_end)
{
    struct fed_net_tuning t = {.handshake_ms = 200, .sweep_ms = 20};
    static struct node n;
    int fd[50];
    struct puppet p;

    node_start(&n, 1, &t);
    for (int i = 0; i < 50; i++) {
        fd[i] = puppet_socket(n.port);
        puppet_put(fd[i], VIEW_LIT("\x16"));
    }
    puppet_open(&p, n.port, 1); /* says hello and then nothing */
    for (int i = 0; i < 50; i++) {
        CHECK(puppet_closed(fd[i]));
        close(fd[i]);
    }
    CHECK(puppet_closed(p.fd));
    puppet_close(&p, false);
    CHECK(node_wait_freed(&n, 0));
    node_stop(&n);
}

TEST(the_silent_and_the_slow_are_closed)
{
    static const uint8_t begin[] = {0, 1, 0, 0, 'x'};
    struct fed_net_tuning silent = {.idle_ms = 200, .sweep_ms = 20};
    struct fed_net_tuning slow = {.stall_ms = 200, .sweep_ms = 20};
    struct fed_net_tuning strange = {.stranger_ms = 200, .sweep_ms = 20};
    static struct node n;
    struct puppet p;

    node_start(&n, 1, &silent);
    puppet_open(&p, n.port, 1);
    CHECK(puppet_greet(&p));
    CHECK(node_wait(&n, &n.downs, 1));
    CHECK_EQ(node_why(&n, &n.down_why), FED_WHY_SILENT);
    puppet_close(&p, false);
    node_stop(&n);

    node_start(&n, 1, &slow);
    puppet_open(&p, n.port, 1);
    CHECK(puppet_greet(&p));
    puppet_say(&p, VIEW_ARRAY(begin));
    CHECK(node_wait(&n, &n.downs, 1));
    CHECK_EQ(node_why(&n, &n.down_why), FED_WHY_STALLED);
    puppet_close(&p, false);
    node_stop(&n);

    node_start(&n, 1, &strange);
    n.known = false;
    puppet_open(&p, n.port, 1);
    CHECK(puppet_greet(&p));
    CHECK(node_wait(&n, &n.downs, 1));
    CHECK_EQ(node_why(&n, &n.down_why), FED_WHY_QUOTA);
    puppet_close(&p, false);
    node_stop(&n);
}

/* A peer that takes nothing costs high water, and then its connection. */
TEST(a_peer_that_never_reads_is_closed)
{
    struct fed_net_tuning t = {
        .high_water = 1000000, .stall_ms = 300, .sweep_ms = 20};
    static struct node n;
    struct puppet p;
    uint32_t seq = 0;
    enum err e;

    node_start(&n, 1, &t);
    puppet_open(&p, n.port, 1);
    CHECK(puppet_greet(&p));
    CHECK(node_wait(&n, &n.ups, 1));
    do {
        e = node_send(&n, &n.info.peer.root, seq++, 60000);
        CHECK(fed_net_queued(n.net, &n.info.peer) < 1000000 + 200000);
    } while (e == OK || e == ERR_AGAIN);
    CHECK_ERR(e, ERR_MISSING);
    CHECK(node_wait(&n, &n.downs, 1));
    CHECK_EQ(node_why(&n, &n.down_why), FED_WHY_STALLED);
    puppet_close(&p, false);
    node_stop(&n);
}

static void *
flood(void *arg)
{
    struct puppet *p = arg;
    static const uint8_t nothing[16000];

    for (int i = 0; i < 40; i++) {
        if (tlsp_write(p->tls, VIEW_ARRAY(nothing)) != OK) {
            break;
        }
        puppet_flush(p);
    }
    return NULL;
}

/* 160,000 empty frames of a stranger are taken at its allowance only. */
TEST(a_flood_is_slowed_down)
{
    struct fed_net_tuning t = {.rx_per_s_stranger = 20000, .sweep_ms = 20};
    struct timespec half = {0, 500000000};
    struct fed_net_stats s;
    static struct node n, good;
    struct puppet p;
    pthread_t thread;

    node_start(&n, 1, &t);
    n.known = false;
    puppet_open(&p, n.port, 1);
    CHECK(puppet_greet(&p));
    CHECK(pthread_create(&thread, NULL, flood, &p) == 0);
    nanosleep(&half, NULL);
    fed_net_stats(n.net, &s);
    /* two seconds of burst, and one receive above it */
    CHECK(s.rx_bytes < 20000 * 3 + 4096 + 4096);
    pthread_mutex_lock(&n.mx);
    n.known = true;
    pthread_mutex_unlock(&n.mx);
    node_start(&good, 2, NULL);
    node_dial(&good, &n, false);
    CHECK(node_wait(&good, &good.ups, 1));
    fed_net_revoke(n.net, &n.info.peer.root);
    node_stop(&n);
    shutdown(p.fd, SHUT_RDWR);
    pthread_join(thread, NULL);
    puppet_close(&p, true);
    node_stop(&good);
}

/* In a child: open 200 connections to the port read from in, hold them until
 * in closes. */
static void
hold_connections(int in)
{
    uint16_t port;
    int fd[200];
    char c;

    if (read(in, &port, sizeof(port)) == sizeof(port)) {
        for (int i = 0; i < 200; i++) {
            fd[i] = puppet_socket(port);
            puppet_put(fd[i], VIEW_LIT("\x16"));
        }
        (void)!read(in, &c, 1);
    }
    _exit(0);
}

TEST(no_files_left_is_no_busy_loop)
{
    struct fed_net_tuning t = {.pending_per_site = 1000};
    static struct node n, good;
    struct rlimit old, few;
    struct rusage before, after;
    struct timespec some = {0, 600000000};
    int to[2];
    pid_t child;
    long spent_us;

    CHECK(pipe(to) == 0);
    child = fork();
    if (child == 0) {
        close(to[1]);
        hold_connections(to[0]);
    }
    close(to[0]);
    node_start(&n, 1, &t);
    node_start(&good, 2, NULL);
    node_dial(&good, &n, false);
    CHECK(node_wait(&good, &good.ups, 1));
    CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0);
    few = old;
    few.rlim_cur = (rlim_t)count_fds() + 20;
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    CHECK(write(to[1], &n.port, sizeof(n.port)) == sizeof(n.port));
    getrusage(RUSAGE_SELF, &before);
    nanosleep(&some, NULL);
    getrusage(RUSAGE_SELF, &after);
    /* the one that was there goes on */
    CHECK_OK(node_send(&good, &n.root, 0, 100));
    CHECK(node_wait_u64(&n, &n.frames, 1));
    spent_us = (after.ru_utime.tv_sec - before.ru_utime.tv_sec +
                after.ru_stime.tv_sec - before.ru_stime.tv_sec) *
                   1000000 +
               after.ru_utime.tv_usec - before.ru_utime.tv_usec +
               after.ru_stime.tv_usec - before.ru_stime.tv_usec;
    CHECK(spent_us < 500000);
    CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
    close(to[1]);
    CHECK_EQ(waitpid(child, NULL, 0), child);
    node_stop(&good);
    node_start(&good, 3, NULL);
    node_dial(&good, &n, true);
    CHECK(node_wait(&good, &good.ups, 1));
    node_stop(&good);
    node_stop(&n);
}

int
main(void)
{
    return RUN(T(churn_leaves_nothing_behind), T(only_so_many_from_one_address),
               T(the_oldest_makes_room), T(slow_handshakes_end),
               T(the_silent_and_the_slow_are_closed),
               T(a_peer_that_never_reads_is_closed), T(a_flood_is_slowed_down),
               T(no_files_left_is_no_busy_loop));
}
