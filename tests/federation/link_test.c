/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that started a connection may look at the shutdown as the last of
 * all, when the link came up long ago and says goodbye: what it does then, with
 * everything else in its hands (a network that sends when it is told to).
 */
#include "federation/net_impl.h"
#include "tests/federation/world.h"

/* A stream that keeps what it is given while the gate is shut. */
struct gate {
    struct fed_io real;
    pthread_mutex_t mx;
    bool shut;
    enum err now; /* what a write at once says; OK: it is done */
    int writes, ended, nows;
    struct gated *held; /* has something to send */
};

struct gated {
    struct fed_stream base;
    struct fed_stream *inner;
    struct gate *gate;
    struct fed_stream_user user;
    struct view data;
};

static struct gate gate;
static struct fed_accept_user above;

static struct gated *
gated_of(const struct fed_stream *s)
{
    return (struct gated *)(uintptr_t)s;
}

static void
gated_on_recv(void *ctx, enum err e, size_t n)
{
    struct gated *g = ctx;

    g->user.on_recv(g->user.ctx, e, n);
}

static void
gated_on_send(void *ctx, enum err e, size_t n)
{
    struct gated *g = ctx;

    g->user.on_send(g->user.ctx, e, n);
    pthread_mutex_lock(&gate.mx);
    gate.ended++;
    pthread_mutex_unlock(&gate.mx);
}

static void
gated_attach(struct fed_stream *s, const struct fed_stream_user *user)
{
    struct gated *g = gated_of(s);
    struct fed_stream_user here = {gated_on_recv, gated_on_send, g};

    g->user = *user;
    g->inner->ops->attach(g->inner, &here);
}

static void
gated_recv(struct fed_stream *s, uint8_t *buf, size_t cap)
{
    struct gated *g = gated_of(s);

    g->inner->ops->recv(g->inner, buf, cap);
}

static void
gated_wait(struct fed_stream *s, uint32_t ms)
{
    struct gated *g = gated_of(s);

    g->inner->ops->wait(g->inner, ms);
}

static void
gated_send(struct fed_stream *s, struct view data)
{
    struct gated *g = gated_of(s);

    pthread_mutex_lock(&g->gate->mx);
    g->gate->writes++;
    if (g->gate->shut) {
        g->data = data;
        g->gate->held = g;
    } else {
        g->inner->ops->send(g->inner, data);
    }
    pthread_mutex_unlock(&g->gate->mx);
}

static void
gated_close(struct fed_stream *s)
{
    struct gated *g = gated_of(s);

    g->inner->ops->close(g->inner);
}

static void
gated_free(struct fed_stream *s)
{
    struct gated *g = gated_of(s);

    pthread_mutex_lock(&g->gate->mx);
    if (g->gate->held == g) {
        g->gate->held = NULL;
    }
    pthread_mutex_unlock(&g->gate->mx);
    g->inner->ops->free(g->inner);
    free(g);
}

static void
gated_remote(const struct fed_stream *s, struct fed_ip *out)
{
    const struct gated *g = gated_of(s);

    g->inner->ops->remote(g->inner, out);
}

static enum err
gated_send_now(struct fed_stream *s, struct view data, size_t *n_out)
{
    struct gated *g = gated_of(s);
    enum err e;

    pthread_mutex_lock(&g->gate->mx);
    e = g->gate->shut ? ERR_AGAIN : g->gate->now;
    if (e == OK) {
        e = g->inner->ops->send_now(g->inner, data, n_out);
        g->gate->nows++;
    }
    pthread_mutex_unlock(&g->gate->mx);
    return e;
}

static const struct fed_stream_ops gated_ops = {
    gated_attach, gated_recv, gated_wait,   gated_send,
    gated_close,  gated_free, gated_remote, gated_send_now};

static void
gate_accept(void *ctx, struct fed_stream *s)
{
    struct gated *g = calloc(1, sizeof(*g));

    (void)ctx;
    CHECK(g != NULL);
    g->base.ops = &gated_ops;
    g->inner = s;
    g->gate = &gate;
    above.on_accept(above.ctx, &g->base);
}

static enum err
gate_listen(void *ctx, const struct fed_ip *addr,
            const struct fed_accept_user *user, struct fed_ip *bound,
            struct fed_listener **out)
{
    static const struct fed_accept_user here = {gate_accept, NULL};

    (void)ctx;
    above = *user;
    return gate.real.listen(gate.real.ctx, addr, &here, bound, out);
}

static void
gate_unlisten(void *ctx, struct fed_listener *l)
{
    (void)ctx;
    gate.real.unlisten(gate.real.ctx, l);
}

static void
gate_set(bool shut)
{
    struct gated *g;

    pthread_mutex_lock(&gate.mx);
    gate.shut = shut;
    g = gate.held;
    if (!shut && g != NULL) {
        gate.held = NULL;
        g->inner->ops->send(g->inner, g->data);
    }
    pthread_mutex_unlock(&gate.mx);
}

/* With a deadline, so that a failure ends. */
static bool
gate_comes_to(bool (*is)(void))
{
    for (int i = 0; i < 20000; i++) {
        struct timespec ms = {0, 1000000};
        bool now;

        pthread_mutex_lock(&gate.mx);
        now = is();
        pthread_mutex_unlock(&gate.mx);
        if (now) {
            return true;
        }
        nanosleep(&ms, NULL);
    }
    return false;
}

static bool
is_held(void)
{
    return gate.held != NULL;
}

/* Whether something waits at the gate. */
static bool
gate_holds(void)
{
    return gate_comes_to(is_held);
}

/* The other side may have it before we know that it is written. */
static bool
is_idle(void)
{
    return gate.ended == gate.writes;
}

/* Node number id, whose streams have the gate. */
static void
gate_start(struct node *n, uint8_t id, const struct fed_net_tuning *tuning)
{
    node_begin(n, id, false, tuning);
    gate = (struct gate){.real = n->io, .now = ERR_AGAIN};
    pthread_mutex_init(&gate.mx, NULL);
    n->io.listen = gate_listen;
    n->io.unlisten = gate_unlisten;
    node_listen(n, 0);
}

/* As fed_net_stop begins. */
static struct fed_link *
stopping(struct node *n)
{
    struct fed_link *l;

    pthread_mutex_lock(&n->net->mx);
    l = n->net->links;
    fed_link_ref(l);
    pthread_mutex_unlock(&n->net->mx);
    atomic_store(&n->net->stop_by_ms, world_ms(NULL) + 20000);
    fed_peers_close(n->net, NULL, FED_WHY_SHUTDOWN, true);
    return l;
}

/* What was queued before the shutdown comes, and the goodbye behind it. */
TEST(started_late_and_says_goodbye)
{
    static struct node a, b;
    struct fed_link *l;

    gate_start(&a, 1, NULL);
    node_start(&b, 2, NULL);
    node_dial(&b, &a, true);
    CHECK(node_wait(&a, &a.ups, 1));
    CHECK(node_wait(&b, &b.ups, 1));
    gate_set(true);
    CHECK_OK(node_send(&a, &b.root, 0, 1000));
    CHECK(gate_holds());
    l = stopping(&a);
    fed_link_started(l);
    fed_link_unref(l);
    gate_set(false);
    CHECK(node_wait_u64(&b, &b.frames, 1));
    CHECK(node_wait(&b, &b.downs, 1));
    CHECK_EQ(node_why(&b, &b.down_why), FED_WHY_CLOSED_THERE);
    node_stop(&b);
    node_stop(&a);
    pthread_mutex_destroy(&gate.mx);
}

/* Who did not come up has nothing to say: it is closed at once. */
TEST(started_late_and_not_up)
{
    static struct node a, b;
    struct fed_link *l;

    gate_start(&a, 1, NULL);
    node_start(&b, 2, NULL);
    gate_set(true);
    node_dial(&b, &a, true);
    CHECK(gate_holds()); /* our part of the handshake */
    l = stopping(&a);
    fed_link_started(l);
    fed_link_unref(l);
    CHECK(node_wait(&b, &b.fails, 1));
    CHECK_EQ(a.ups, 0);
    gate_set(false);
    node_stop(&b);
    node_stop(&a);
    pthread_mutex_destroy(&gate.mx);
}

static int
counted(const int *what)
{
    int n;

    pthread_mutex_lock(&gate.mx);
    n = *what;
    pthread_mutex_unlock(&gate.mx);
    return n;
}

static int
writes(void)
{
    return counted(&gate.writes);
}

static void
gate_now(enum err e)
{
    pthread_mutex_lock(&gate.mx);
    gate.now = e;
    pthread_mutex_unlock(&gate.mx);
}

/* a, with the gate, and b are connected. */
static void
two_up(struct node *a, struct node *b, const struct fed_net_tuning *tuning)
{
    gate_start(a, 1, tuning);
    node_start(b, 2, NULL);
    node_dial(b, a, true);
    CHECK(node_wait(a, &a->ups, 1));
    CHECK(node_wait(b, &b->ups, 1));
    CHECK(gate_comes_to(is_idle));
}

static void
two_stop(struct node *a, struct node *b)
{
    node_stop(b);
    node_stop(a);
    pthread_mutex_destroy(&gate.mx);
}

/* A small frame is written by who sends it, a large one by other threads. */
TEST(small_at_once)
{
    static struct node a, b;
    int before;

    two_up(&a, &b, NULL);
    gate_now(OK);
    before = writes();
    CHECK_OK(node_send(&a, &b.root, 0, 1000));
    CHECK_EQ(counted(&gate.nows), 1);
    CHECK_EQ(writes(), before);
    CHECK(node_wait_u64(&b, &b.frames, 1));
    CHECK_OK(node_send(&a, &b.root, 1, 40000));
    CHECK_EQ(counted(&gate.nows), 1);
    CHECK_EQ(writes(), before + 1);
    CHECK(node_wait_u64(&b, &b.frames, 2));
    CHECK_EQ(b.bad_order, 0);
    two_stop(&a, &b);
}

/* What does not fit now waits for room, and what follows behind it. */
TEST(no_room_now)
{
    static struct node a, b;

    two_up(&a, &b, NULL);
    gate_now(OK);
    gate_set(true);
    for (uint32_t seq = 0; seq < 3; seq++) {
        CHECK_OK(node_send(&a, &b.root, seq, 1000));
    }
    CHECK(gate_holds());
    gate_set(false);
    CHECK(node_wait_u64(&b, &b.frames, 3));
    CHECK_EQ(b.bad_order, 0);
    two_stop(&a, &b);
}

/* A write at once that fails is the end of the connection, told as such. */
TEST(lost_at_once)
{
    static struct node a, b;

    two_up(&a, &b, NULL);
    gate_now(ERR_IO);
    ERR_IGNORE(node_send(&a, &b.root, 0, 1000), "it ends");
    CHECK(node_wait(&a, &a.downs, 1));
    CHECK_EQ(node_why(&a, &a.down_why), FED_WHY_LOST);
    CHECK(node_wait(&b, &b.downs, 1));
    CHECK_EQ(b.frames, 0);
    two_stop(&a, &b);
}

/* The goodbye as well. */
TEST(closed_at_once)
{
    static struct node a, b;
    struct fed_peer to = {.serial = 0};

    two_up(&a, &b, NULL);
    gate_now(OK);
    to.root = b.root;
    CHECK_OK(node_send(&a, &b.root, 0, 1000));
    fed_net_close(a.net, &to);
    CHECK(node_wait(&b, &b.downs, 1));
    CHECK_EQ(b.frames, 1);
    CHECK_EQ(node_why(&b, &b.down_why), FED_WHY_CLOSED_THERE);
    two_stop(&a, &b);
}

/* Two frames in one write, and so one wake-up at the other side. */
TEST(together_in_one_write)
{
    static struct node a, b;
    struct fed_peer to = {.serial = 0};
    int before;

    two_up(&a, &b, NULL);
    to.root = b.root;
    before = writes();
    fed_net_together(a.net, &to, true);
    CHECK_OK(node_send(&a, &b.root, 0, 1000));
    CHECK_OK(node_send(&a, &b.root, 0, 1000));
    CHECK_EQ(writes(), before);
    fed_net_together(a.net, &to, false);
    CHECK(node_wait_u64(&b, &b.frames, 2));
    CHECK_EQ(writes(), before + 1);
    /* and alone again after it */
    CHECK_OK(node_send(&a, &b.root, 0, 1000));
    CHECK(node_wait_u64(&b, &b.frames, 3));
    CHECK_EQ(writes(), before + 2);
    two_stop(&a, &b);
}

/* So much does not wait for more: nobody would be told that there is room. */
TEST(together_and_much)
{
    static const struct fed_net_tuning tuning = {.high_water = 3000};
    static struct node a, b;
    struct fed_peer to = {.serial = 0};

    two_up(&a, &b, &tuning);
    gate_now(OK);
    to.root = b.root;
    fed_net_together(a.net, &to, true);
    for (uint32_t seq = 0; seq < 10; seq++) {
        CHECK_OK(node_send(&a, &b.root, seq, 1000));
    }
    CHECK(node_wait_u64(&b, &b.frames, 9));
    fed_net_together(a.net, &to, false);
    CHECK(node_wait_u64(&b, &b.frames, 10));
    CHECK_EQ(b.bad_order, 0);
    two_stop(&a, &b);
}

/* Who was told to wait meanwhile is told to go on. */
TEST(together_and_full)
{
    static const struct fed_net_tuning tuning = {.high_water = 3000};
    static struct node a, b;
    struct fed_peer to = {.serial = 0};
    uint32_t sent = 0;

    two_up(&a, &b, &tuning);
    gate_now(OK);
    gate_set(true);
    to.root = b.root;
    fed_net_together(a.net, &to, true);
    while (sent < 10 && node_send(&a, &b.root, sent, 1000) == OK) {
        sent++;
    }
    CHECK_EQ(sent, 3);
    CHECK(gate_holds());
    fed_net_together(a.net, &to, false);
    gate_set(false);
    CHECK(node_wait(&a, &a.writables, 1));
    CHECK(node_wait_u64(&b, &b.frames, sent));
    CHECK_EQ(b.bad_order, 0);
    two_stop(&a, &b);
}

/* What waits for more leaves all the same when the connection is closed. */
TEST(together_and_closed)
{
    static struct node a, b;
    struct fed_peer to = {.serial = 0};

    two_up(&a, &b, NULL);
    to.root = b.root;
    fed_net_together(a.net, &to, true);
    CHECK_OK(node_send(&a, &b.root, 0, 1000));
    fed_net_close(a.net, &to);
    fed_net_together(a.net, &to, false);
    CHECK(node_wait(&b, &b.downs, 1));
    CHECK_EQ(b.frames, 1);
    two_stop(&a, &b);
}

int
main(void)
{
    return RUN(T(started_late_and_says_goodbye), T(started_late_and_not_up),
               T(small_at_once), T(no_room_now), T(lost_at_once),
               T(closed_at_once), T(together_in_one_write),
               T(together_and_much), T(together_and_full),
               T(together_and_closed));
}
