/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor: the least code that does what a message between two nodes must do.
 * A seals and signs a message, commits it to LMDB, sends it over mutual
 * TLS 1.3; B verifies, opens, commits it and acknowledges.  No protocol and no
 * bookkeeping: what our nodes reach is measured against this, in one run.
 *
 *     floor DIR MESSAGES SINGLES      DIR is an empty folder on the disk to
 *                                     measure
 *
 * Prints JSON lines: the sustained rate with 256 messages under way, CPU per
 * message on both sides, disk bytes and commits per message; and first the
 * latency of single messages at 50 a second, submitted to durably acknowledged.
 */
#include "crypto/prim/aead.h"
#include "crypto/prim/curve.h"
#include "crypto/prim/init.h"
#include "crypto/prim/random.h"
#include "proto/base/assert.h"
#include "tools/bench/floor_db.h"
#include "tools/bench/floor_tls.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    PLAIN = 1024,
    SEALED = PLAIN + PRIM_TAG_SIZE,
    RECORD = 8 + PRIM_NONCE_SIZE + SEALED + PRIM_ED25519_SIG,
    WINDOW = 256,
    SINGLE_RATE = 50,
    SINGLES_MAX = 10000
};

struct record {
    uint8_t b[RECORD];
};

/* What B tells A at the end: of the flood alone, but for the size. */
struct usage {
    double cpu_s;
    uint64_t commits;
    uint64_t size;
};

struct side {
    struct floor_tls *tls;
    struct floor_db *db;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct record ring[WINDOW];
    uint64_t in;    /* records put into the ring */
    uint64_t out;   /* records committed (and sent, at A) */
    uint64_t acked; /* at A: acknowledged by B */
    uint64_t singles;
    struct usage before; /* the flood */
    int closed;
};

static const uint8_t seal_key[PRIM_KEY_MAX] = {7};
static const uint8_t sign_seed[PRIM_ED25519_SEED] = {9};

static double
now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
cpu_s(void)
{
    struct rusage r;

    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static void
make_record(const struct prim_sign_key *key, uint64_t seq, struct record *r)
{
    static const uint8_t plain[PLAIN] = {1};
    uint8_t *nonce = r->b + 8;
    uint8_t *sealed = nonce + PRIM_NONCE_SIZE;

    memcpy(r->b, &seq, 8);
    ASSERT(rng_fill(prim_rng_system(), nonce, PRIM_NONCE_SIZE) == OK);
    ASSERT(prim_aead_seal(PRIM_CHACHA20_POLY1305, VIEW_ARRAY(seal_key),
                          view_make(nonce, PRIM_NONCE_SIZE), view_make(r->b, 8),
                          VIEW_ARRAY(plain), sealed) == OK);
    prim_ed25519_sign(key, view_make(r->b, RECORD - PRIM_ED25519_SIG),
                      sealed + SEALED);
}

static void
check_record(const struct prim_sign_key *key, const struct record *r)
{
    const uint8_t *nonce = r->b + 8;
    const uint8_t *sealed = nonce + PRIM_NONCE_SIZE;
    uint8_t plain[PLAIN];

    ASSERT(prim_ed25519_verify(prim_sign_key_pub(key),
                               view_make(r->b, RECORD - PRIM_ED25519_SIG),
                               view_make(sealed + SEALED, PRIM_ED25519_SIG)) ==
           OK);
    ASSERT(prim_aead_open(PRIM_CHACHA20_POLY1305, VIEW_ARRAY(seal_key),
                          view_make(nonce, PRIM_NONCE_SIZE), view_make(r->b, 8),
                          view_make(sealed, SEALED), plain) == OK);
}

static struct usage
usage_of(const struct side *s)
{
    return (struct usage){cpu_s(), tool_floor_db_commits(s->db),
                          tool_floor_db_size(s->db)};
}

/* The records in [out, in), all there are; waits for one.  0: closed. */
static size_t
next_batch(struct side *s, uint64_t *first)
{
    size_t n;

    pthread_mutex_lock(&s->lock);
    while (s->in == s->out && !s->closed) {
        pthread_cond_wait(&s->changed, &s->lock);
    }
    *first = s->out;
    n = (size_t)(s->in - s->out);
    pthread_mutex_unlock(&s->lock);
    return n;
}

static void
commit_batch(struct side *s, uint64_t first, size_t n)
{
    struct view values[WINDOW];

    for (size_t i = 0; i < n; i++) {
        values[i] = view_make(s->ring[(first + i) % WINDOW].b, RECORD);
    }
    tool_floor_db_commit(s->db, values, n);
}

static void
advance(struct side *s, size_t n)
{
    pthread_mutex_lock(&s->lock);
    s->out += n;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void *
a_writer(void *arg)
{
    struct side *s = arg;
    static uint8_t frames[WINDOW * RECORD];
    uint64_t first;
    size_t n;

    while ((n = next_batch(s, &first)) > 0) {
        commit_batch(s, first, n);
        for (size_t i = 0; i < n; i++) {
            memcpy(frames + i * RECORD, s->ring[(first + i) % WINDOW].b,
                   RECORD);
        }
        tool_floor_tls_write(s->tls, frames, n * RECORD);
        advance(s, n);
    }
    return NULL;
}

static void *
a_reader(void *arg)
{
    struct side *s = arg;
    uint8_t ack[8 * 64];
    size_t have = 0;
    size_t n;

    while ((n = tool_floor_tls_read(s->tls, ack + have, sizeof(ack) - have)) >
           0) {
        have += n;
        if (have >= 8) {
            uint64_t upto;

            memcpy(&upto, ack + (have / 8 - 1) * 8, 8);
            pthread_mutex_lock(&s->lock);
            s->acked = upto;
            pthread_cond_broadcast(&s->changed);
            pthread_mutex_unlock(&s->lock);
            memmove(ack, ack + have / 8 * 8, have % 8);
            have %= 8;
        }
    }
    return NULL;
}

static void
submit(struct side *s, const struct prim_sign_key *key)
{
    pthread_mutex_lock(&s->lock);
    while (s->in - s->acked >= WINDOW) {
        pthread_cond_wait(&s->changed, &s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    make_record(key, s->in, &s->ring[s->in % WINDOW]);
    pthread_mutex_lock(&s->lock);
    s->in++;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void
wait_acked(struct side *s, uint64_t upto)
{
    pthread_mutex_lock(&s->lock);
    while (s->acked < upto) {
        pthread_cond_wait(&s->changed, &s->lock);
    }
    pthread_mutex_unlock(&s->lock);
}

static void *
b_writer(void *arg)
{
    struct side *s = arg;
    uint64_t first;
    size_t n;

    while ((n = next_batch(s, &first)) > 0) {
        uint64_t upto = first + n;

        commit_batch(s, first, n);
        advance(s, n);
        tool_floor_tls_write(s->tls, &upto, sizeof(upto));
    }
    return NULL;
}

static void
b_read_all(struct side *s, const struct prim_sign_key *key)
{
    static uint8_t buf[64 * RECORD];
    size_t have = 0;
    size_t n;

    while ((n = tool_floor_tls_read(s->tls, buf + have, sizeof(buf) - have)) >
           0) {
        size_t at = 0;

        for (have += n; have - at >= RECORD; at += RECORD) {
            struct record *r = &s->ring[s->in % WINDOW];

            pthread_mutex_lock(&s->lock);
            if (s->in == s->singles) {
                s->before = usage_of(s); /* those are acknowledged */
            }
            while (s->in - s->out >= WINDOW) {
                pthread_cond_wait(&s->changed, &s->lock);
            }
            pthread_mutex_unlock(&s->lock);
            memcpy(r->b, buf + at, RECORD);
            check_record(key, r);
            pthread_mutex_lock(&s->lock);
            s->in++;
            pthread_cond_broadcast(&s->changed);
            pthread_mutex_unlock(&s->lock);
        }
        have -= at;
        memmove(buf, buf + at, have);
    }
}

static void
side_open(struct side *s, int fd, int server, const char *dir)
{
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    ASSERT(mkdir(dir, 0700) == 0);
    ASSERT(pthread_mutex_init(&s->lock, NULL) == 0);
    ASSERT(pthread_cond_init(&s->changed, NULL) == 0);
    s->db = tool_floor_db_open(dir);
    s->tls = tool_floor_tls_open(fd, server);
}

static void
run_b(int listener, const char *dir, uint64_t singles, int report)
{
    static struct side s;
    struct prim_sign_key key;
    struct usage u;
    pthread_t writer;
    int fd = accept(listener, NULL, NULL);

    ASSERT(fd >= 0);
    prim_ed25519_from_seed(sign_seed, &key);
    s.singles = singles;
    side_open(&s, fd, 1, dir);
    ASSERT(pthread_create(&writer, NULL, b_writer, &s) == 0);
    b_read_all(&s, &key);
    pthread_mutex_lock(&s.lock);
    s.closed = 1;
    pthread_cond_broadcast(&s.changed);
    pthread_mutex_unlock(&s.lock);
    pthread_join(writer, NULL);
    u = usage_of(&s);
    u.cpu_s -= s.before.cpu_s;
    u.commits -= s.before.commits;
    ASSERT(write(report, &u, sizeof(u)) == sizeof(u));
    tool_floor_tls_close(s.tls);
    tool_floor_db_close(s.db);
}

static int
by_size(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;

    return (*x > *y) - (*x < *y);
}

static void
run_singles(struct side *s, const struct prim_sign_key *key)
{
    static double ms[SINGLES_MAX];
    uint64_t count = s->singles;
    double next = now_s();

    for (size_t i = 0; i < count; i++) {
        double start;

        while ((start = now_s()) < next) {
            usleep((useconds_t)((next - start) * 1e6) + 1);
        }
        submit(s, key);
        wait_acked(s, s->in);
        ms[i] = (now_s() - start) * 1e3;
        next += 1.0 / SINGLE_RATE;
    }
    qsort(ms, count, sizeof(ms[0]), by_size);
    printf("{\"bench\":\"floor_single\",\"per_s\":%d,\"p50_ms\":%.3f,"
           "\"p99_ms\":%.3f}\n",
           SINGLE_RATE, ms[count / 2], ms[count * 99 / 100]);
}

static void
run_a(struct side *s, uint64_t messages, int report)
{
    struct prim_sign_key key;
    struct usage b;
    pthread_t writer;
    pthread_t reader;
    double start;
    double took;
    double cpu;
    double n = (double)messages;

    prim_ed25519_from_seed(sign_seed, &key);
    ASSERT(pthread_create(&writer, NULL, a_writer, s) == 0);
    ASSERT(pthread_create(&reader, NULL, a_reader, s) == 0);
    run_singles(s, &key);
    s->before = usage_of(s);
    start = now_s();
    cpu = cpu_s();
    for (uint64_t i = 0; i < messages; i++) {
        submit(s, &key);
    }
    wait_acked(s, s->in);
    took = now_s() - start;
    cpu = cpu_s() - cpu;
    pthread_mutex_lock(&s->lock);
    s->closed = 1;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    pthread_join(writer, NULL);
    tool_floor_tls_shut(s->tls);
    pthread_join(reader, NULL);
    ASSERT(read(report, &b, sizeof(b)) == sizeof(b));
    printf("{\"bench\":\"floor_sustained\",\"messages\":%.0f,\"per_s\":%.0f,"
           "\"cpu_us_a\":%.1f,\"cpu_us_b\":%.1f,\"disk_bytes_b\":%.0f,"
           "\"commits_a\":%.3f,\"commits_b\":%.3f}\n",
           n, n / took, cpu / n * 1e6, b.cpu_s / n * 1e6,
           (double)b.size / (n + (double)s->singles),
           (double)(tool_floor_db_commits(s->db) - s->before.commits) / n,
           (double)b.commits / n);
}

static int
listen_loopback(struct sockaddr_in *addr)
{
    socklen_t len = sizeof(*addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    *addr = (struct sockaddr_in){.sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    ASSERT(fd >= 0);
    ASSERT(bind(fd, (struct sockaddr *)addr, len) == 0);
    ASSERT(listen(fd, 1) == 0);
    ASSERT(getsockname(fd, (struct sockaddr *)addr, &len) == 0);
    return fd;
}

int
main(int argc, char **argv)
{
    static struct side a;
    struct sockaddr_in addr;
    char dir[2][512];
    int report[2];
    int listener;
    int fd;
    pid_t child;

    if (argc != 4) {
        fprintf(stderr, "usage: floor DIR MESSAGES SINGLES\n");
        return 2;
    }
    a.singles = strtoull(argv[3], NULL, 10);
    ASSERT(a.singles > 0 && a.singles <= SINGLES_MAX);
    ASSERT(prim_init() == OK && pipe(report) == 0);
    snprintf(dir[0], sizeof(dir[0]), "%s/a", argv[1]);
    snprintf(dir[1], sizeof(dir[1]), "%s/b", argv[1]);
    listener = listen_loopback(&addr);
    child = fork();
    ASSERT(child >= 0);
    if (child == 0) {
        run_b(listener, dir[1], a.singles, report[1]);
        _exit(0);
    }
    fd = socket(AF_INET, SOCK_STREAM, 0);
    ASSERT(fd >= 0);
    ASSERT(connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0);
    side_open(&a, fd, 0, dir[0]);
    run_a(&a, strtoull(argv[2], NULL, 10), report[0]);
    tool_floor_tls_close(a.tls);
    tool_floor_db_close(a.db);
    ASSERT(waitpid(child, NULL, 0) == child);
    return 0;
}
