/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation of two nodes that connect, talk and stop fails in turn:
 * they connect all the same, because they try again, and nothing leaks.
 */
#include "tests/federation/world.h"

#include <stdatomic.h>

/* As fail_mem, for many threads. */
struct shared_mem {
    struct mem mem;
    atomic_ullong count;
    atomic_llong live;
    unsigned long long fail_at;
    atomic_bool hit;
};

static void *
shared_alloc(void *ctx, size_t size)
{
    struct shared_mem *m = ctx;
    void *p;

    if (atomic_fetch_add(&m->count, 1) + 1 == m->fail_at) {
        atomic_store(&m->hit, true);
        return NULL;
    }
    p = malloc(size);
    atomic_fetch_add(&m->live, p != NULL ? (long long)size : 0);
    return p;
}

static void
shared_release(void *ctx, void *p, size_t size)
{
    struct shared_mem *m = ctx;

    atomic_fetch_sub(&m->live, (long long)size);
    free(p);
}

/* False when it could not even start. */
static bool
start(struct node *n, struct shared_mem *m, uint8_t id)
{
    uint8_t chain[64];
    struct fed_addr addr = {"127.0.0.1", 0};
    struct fed_net_config c = {
        .mem = &m->mem,
        .clock = &world_clock,
        .rng = &world_rng,
        .io = &n->io,
        .tuning = {.backoff_min_ms = 4, .sweep_ms = 5, .handshake_ms = 500},
        .user = {node_verify, node_up, node_frame, node_writable, node_down,
                 node_failed, n}};

    *n = (struct node){.known = true};
    pthread_mutex_init(&n->mx, NULL);
    pthread_cond_init(&n->cv, NULL);
    n->io = fed_io_nng(&m->mem);
    memset(n->root.b, id, 32);
    memset(n->seed, id, 32);
    c.identity = node_identity(&n->root, n->seed, chain);
    if (fed_net_start(&c, &n->net) != OK) {
        return false;
    }
    return fed_net_listen(n->net, &addr, &n->port) == OK;
}

/* Send until something arrives; a connection may be lost on the way. */
static bool
talk(struct node *a, struct node *b)
{
    for (int i = 0; i < 20000; i++) {
        struct timespec ms = {0, 1000000};
        struct fed_peer peer = {b->root, 0};
        struct bytes f = {0};
        uint64_t frames;

        CHECK_OK(bytes_alloc(mem_heap(), 20000, &f));
        ERR_IGNORE(fed_net_send(a->net, &peer, &f), "the next one may do");
        bytes_free(&f);
        nanosleep(&ms, NULL);
        pthread_mutex_lock(&b->mx);
        frames = b->frames;
        pthread_mutex_unlock(&b->mx);
        if (frames > 0) {
            return true;
        }
    }
    return false;
}

TEST(no_memory_at_any_point)
{
    static struct node a, b;
    static struct shared_mem m;
    unsigned long long n;
    int hits = 0;

    signal(SIGPIPE, SIG_IGN);
    /* how many there are depends on the timing of threads: 40 to 180 */
    for (n = 1; n <= 150; n++) {
        bool began;

        m = (struct shared_mem){.fail_at = n};
        m.mem = (struct mem){shared_alloc, shared_release, &m};
        began = start(&a, &m, 1) && start(&b, &m, 2);
        if (began) {
            struct fed_addr addr = {"127.0.0.1", b.port};
            enum err e = fed_net_dial(a.net, &b.root, &addr, 1);

            if (e == ERR_NOMEM) {
                e = fed_net_dial(a.net, &b.root, &addr, 1);
            }
            CHECK_OK(e);
            CHECK(talk(&a, &b));
        }
        fed_net_stop(a.net);
        fed_net_stop(b.net);
        a.net = NULL;
        b.net = NULL;
        CHECK_EQ(a.ups, a.downs);
        CHECK_EQ(b.ups, b.downs);
        CHECK_EQ(atomic_load(&m.live), 0);
        CHECK(began || atomic_load(&m.hit));
        hits += atomic_load(&m.hit) ? 1 : 0;
    }
    CHECK(hits >= 30);
}

int
main(void)
{
    return RUN(T(no_memory_at_any_point));
}
