/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/federation/world.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static void
connect_two(struct node *a, struct node *b)
{
    node_dial(a, b, true);
    CHECK(node_wait(a, &a->ups, 1));
    CHECK(node_wait(b, &b->ups, 1));
}

TEST(two_nodes_talk)
{
    static struct node a, b;
    struct fed_peer_info info;
    struct fed_net_stats s;

    node_start(&a, 1, NULL);
    node_start(&b, 2, NULL);
    connect_two(&a, &b);
    CHECK(a.info.dialled && !b.info.dialled);
    CHECK(clinic_id_equal(&a.info.peer.root, &b.root));
    CHECK(clinic_id_equal(&b.info.peer.root, &a.root));
    CHECK_VIEW(VIEW_ARRAY(a.info.exporter), VIEW_ARRAY(b.info.exporter));
    CHECK(fed_net_find(a.net, &b.root, &info));
    CHECK_VIEW(VIEW_ARRAY(a.info.exporter), VIEW_ARRAY(info.exporter));
    for (uint32_t i = 0; i < 1000; i++) {
        CHECK_OK(node_send(&a, &b.root, i, 4 + i * 3));
        CHECK_OK(node_send(&b, &a.root, i, 1000));
    }
    CHECK(node_wait_u64(&a, &a.frames, 1000));
    CHECK(node_wait_u64(&b, &b.frames, 1000));
    CHECK_EQ(a.bad_order + b.bad_order, 0);
    CHECK_EQ(a.bytes, 1000000);
    fed_net_stats(a.net, &s);
    CHECK_EQ(s.peers, 1);
    CHECK_EQ(s.pending, 0);
    CHECK_EQ(s.rx_frames, 1000);
    node_stop(&a);
    CHECK(node_wait(&b, &b.downs, 1));
    CHECK_EQ(node_why(&b, &b.down_why), FED_WHY_CLOSED_THERE);
    node_stop(&b);
}

/* Connected TCP sockets of this process; those with Nagle's delay in *slow. */
static int
tcp_sockets(int *slow)
{
    int found = 0;

    *slow = 0;
    for (int fd = 3; fd < 256; fd++) {
        struct sockaddr_storage peer;
        socklen_t len = sizeof(peer);
        int on = 0;
        socklen_t on_len = sizeof(on);

        if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0 &&
            getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &on_len) == 0) {
            found++;
            *slow += on == 0;
        }
    }
    return found;
}

/* Both ends: the second of two small frames must not wait for the first one's
   acknowledgement, which the other kernel delays. */
TEST(no_end_delays_small_frames)
{
    static struct node a, b;
    int slow;

    node_start(&a, 1, NULL);
    node_start(&b, 2, NULL);
    connect_two(&a, &b);
    CHECK_EQ(tcp_sockets(&slow), 2);
    CHECK_EQ(slow, 0);
    node_stop(&a);
    node_stop(&b);
}

TEST(frames_of_all_sizes)
{
    static const size_t sizes[] = {1,     4,     5,       4091,     4092,
                                   16379, 16380, 16384,   65536,    1000000,
                                   4,     9,     5000000, 16777216, 4};
    static struct node a, b;
    struct bytes big = {0};
    struct fed_peer to;

    node_start(&a, 1, NULL);
    node_start(&b, 2, NULL);
    connect_two(&a, &b);
    to = a.info.peer;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        CHECK_OK(bytes_alloc(mem_heap(), sizes[i], &big));
        CHECK_OK(fed_net_send(a.net, &to, &big));
        CHECK(node_wait_u64(&b, &b.frames, i + 1));
        CHECK_EQ(b.last_len, sizes[i]);
    }
    CHECK_ERR(fed_net_send(a.net, &to, &big), ERR_LIMIT);
    CHECK_OK(bytes_alloc(mem_heap(), LIMIT_FRAME + 1, &big));
    CHECK_ERR(fed_net_send(a.net, &to, &big), ERR_LIMIT);
    to.serial += 7;
    bytes_truncate(&big, 10);
    CHECK_ERR(fed_net_send(a.net, &to, &big), ERR_STALE);
    to.root = a.root;
    CHECK_ERR(fed_net_send(a.net, &to, &big), ERR_MISSING);
    bytes_free(&big);
    node_stop(&a);
    node_stop(&b);
}

TEST(a_stranger_is_limited)
{
    static struct node a, b;
    struct fed_peer who;

    node_start(&a, 1, NULL);
    node_start(&b, 2, NULL);
    b.known = false;
    node_dial(&a, &b, false);
    CHECK(node_wait(&a, &a.ups, 1) && node_wait(&b, &b.ups, 1));
    CHECK(!b.info.known && a.info.known);
    CHECK_OK(node_send(&a, &b.root, 0, LIMIT_FRAME_UNKNOWN_PEER));
    CHECK(node_wait_u64(&b, &b.frames, 1));
    who = b.info.peer;
    fed_net_known(b.net, &who);
    CHECK_OK(node_send(&a, &b.root, 1, 1000000));
    CHECK(node_wait_u64(&b, &b.frames, 2));
    node_stop(&a);
    CHECK(node_wait(&b, &b.downs, 1));

    node_start(&a, 1, NULL);
    node_dial(&a, &b, false);
    CHECK(node_wait(&a, &a.ups, 1) && node_wait(&b, &b.ups, 2));
    CHECK_OK(node_send(&a, &b.root, 0, LIMIT_FRAME_UNKNOWN_PEER + 1));
    CHECK(node_wait(&b, &b.downs, 2));
    CHECK_EQ(node_why(&b, &b.down_why), FED_WHY_BAD_BYTES);
    CHECK_EQ(b.frames, 2);
    CHECK(node_wait(&a, &a.downs, 1));
    node_stop(&a);
    node_stop(&b);
}

TEST(a_slow_reader_bounds_the_sender)
{
    struct fed_net_tuning t = {.high_water = 100000};
    static struct node a, b;
    uint32_t sent = 0;
    size_t most = 0;
    int rounds = 0;

    node_start(&a, 1, &t);
    node_start(&b, 2, NULL);
    b.flow = FED_PAUSE;
    connect_two(&a, &b);
    while (sent < 20000) {
        enum err e = node_send(&a, &b.root, sent, 1000);
        size_t queued = fed_net_queued(a.net, &a.info.peer);

        most = queued > most ? queued : most;
        if (e == OK) {
            sent++;
            continue;
        }
        CHECK_ERR(e, ERR_AGAIN);
        if (rounds++ == 0) {
            /* the peer took one frame and pauses: let it go on */
            CHECK(node_wait_u64(&b, &b.frames, 1));
            CHECK_EQ(b.frames, 1);
            pthread_mutex_lock(&b.mx);
            b.flow = FED_GO;
            pthread_mutex_unlock(&b.mx);
            fed_net_resume(b.net, &b.info.peer);
        }
        CHECK(node_wait(&a, &a.writables, rounds));
    }
    CHECK(rounds > 0);
    CHECK(most < 100000 + 1004 + 70000);
    CHECK(node_wait_u64(&b, &b.frames, sent));
    CHECK_EQ(b.bad_order, 0);
    node_stop(&a);
    node_stop(&b);
}

/* A pause after every frame, with the resume at any moment. */
TEST(pause_and_resume_lose_nothing)
{
    static struct node a, b;

    node_start(&a, 1, NULL);
    node_start(&b, 2, NULL);
    connect_two(&a, &b);
    pthread_mutex_lock(&b.mx);
    b.flow = FED_PAUSE;
    pthread_mutex_unlock(&b.mx);
    for (uint32_t i = 0; i < 500; i++) {
        CHECK_OK(node_send(&a, &b.root, i, 700));
    }
    for (uint64_t i = 1; i <= 500; i++) {
        CHECK(node_wait_u64(&b, &b.frames, i));
        fed_net_resume(b.net, &b.info.peer);
    }
    CHECK_EQ(b.frames, 500);
    CHECK_EQ(b.bad_order, 0);
    node_stop(&a);
    node_stop(&b);
}

static int
ups_now(struct node *n)
{
    int up;

    pthread_mutex_lock(&n->mx);
    up = n->ups - n->downs;
    pthread_mutex_unlock(&n->mx);
    return up;
}

/* Nothing under way, and one connection, the same at both ends. */
static bool
settled(struct node *a, struct node *b)
{
    for (int i = 0; i < 20000; i++) {
        struct fed_peer_info ia, ib;
        struct fed_net_stats sa, sb;
        struct timespec ms = {0, 1000000};

        fed_net_stats(a->net, &sa);
        fed_net_stats(b->net, &sb);
        if (sa.dials + sb.dials + sa.pending + sb.pending == 0 &&
            sa.opened - sa.freed == 1 && sb.opened - sb.freed == 1 &&
            ups_now(a) == 1 && ups_now(b) == 1 &&
            fed_net_find(a->net, &b->root, &ia) &&
            fed_net_find(b->net, &a->root, &ib) && ia.dialled != ib.dialled &&
            view_equal(VIEW_ARRAY(ia.exporter), VIEW_ARRAY(ib.exporter))) {
            return true;
        }
        nanosleep(&ms, NULL);
    }
    return false;
}

TEST(simultaneous_dials_end_in_one)
{
    for (int round = 0; round < 30; round++) {
        static struct node a, b;

        node_start(&a, 1, NULL);
        node_start(&b, 2, NULL);
        node_dial(&a, &b, true);
        node_dial(&b, &a, true);
        CHECK(node_wait(&a, &a.ups, 1) && node_wait(&b, &b.ups, 1));
        CHECK(settled(&a, &b));
        node_stop(&a);
        node_stop(&b);
        CHECK_EQ(a.ups, a.downs);
        CHECK_EQ(b.ups, b.downs);
    }
}

/* The peer lost its side and comes again: the newer one replaces ours. */
TEST(a_newer_connection_replaces_a_dead_one)
{
    static struct node a, b, again;

    node_start(&a, 1, NULL);
    node_start(&b, 2, NULL);
    node_start(&again, 2, NULL);
    node_dial(&b, &a, false);
    CHECK(node_wait(&a, &a.ups, 1) && node_wait(&b, &b.ups, 1));
    node_dial(&again, &a, false);
    CHECK(node_wait(&again, &again.ups, 1));
    CHECK(node_wait(&a, &a.ups, 2));
    CHECK(node_wait(&b, &b.downs, 1));
    CHECK_EQ(node_count(&a, &a.downs), 1);
    CHECK_EQ(node_why(&a, &a.down_why), FED_WHY_REPLACED);
    CHECK_OK(node_send(&again, &a.root, 0, 50));
    CHECK(node_wait_u64(&a, &a.frames, 1));
    node_stop(&a);
    node_stop(&b);
    node_stop(&again);
}

TEST(someone_else_answers)
{
    static struct node a, b;
    struct clinic_id other;
    struct fed_addr addr;

    node_start(&a, 1, NULL);
    node_start(&b, 2, NULL);
    memset(other.b, 9, 32);
    addr = (struct fed_addr){"127.0.0.1", b.port};
    CHECK_OK(fed_net_dial_once(a.net, &other, &addr, 1));
    CHECK(node_wait(&a, &a.fails, 1));
    CHECK_EQ(node_why(&a, &a.fail_why), FED_WHY_WRONG_PEER);
    CHECK_ERR(fed_net_dial(a.net, &a.root, &addr, 1), ERR_INVALID);
    CHECK_EQ(a.ups + b.ups, 0);
    node_stop(&a);
    node_stop(&b);
}

TEST(the_peer_does_not_want_us)
{
    static const struct {
        enum err answer;
        enum fed_why why;
    } cases[] = {{ERR_AUTH, FED_WHY_NOT_ACCEPTED},
                 {ERR_DENIED, FED_WHY_NOT_ACCEPTED},
                 {ERR_STALE, FED_WHY_OUTDATED},
                 {ERR_TIMEOUT, FED_WHY_EXPIRED}};

    for (int i = 0; i < 4; i++) {
        static struct node a, b;

        node_start(&a, 1, NULL);
        node_start(&b, 2, NULL);
        b.answer = cases[i].answer;
        node_dial(&a, &b, false);
        CHECK(node_wait(&a, &a.fails, 1));
        CHECK_EQ(node_why(&a, &a.fail_why), cases[i].why);
        CHECK_EQ(a.ups + b.ups, 0);
        node_stop(&a);
        node_stop(&b);
    }
}

TEST(addresses_are_tried_in_turn)
{
    static struct node a, b;
    struct fed_addr addrs[3] = {
        {"no-such-host.invalid", 7}, {"127.0.0.1", 1}, {"127.0.0.1", 0}};

    node_start(&a, 1, NULL);
    node_start(&b, 2, NULL);
    addrs[2].port = b.port;
    CHECK_OK(fed_net_dial_once(a.net, &b.root, addrs, 3));
    CHECK(node_wait(&a, &a.ups, 1));
    CHECK_EQ(node_count(&a, &a.fails), 0);
    fed_net_revoke(a.net, &b.root);
    CHECK(node_wait(&a, &a.downs, 1));
    CHECK_OK(fed_net_dial_once(a.net, &b.root, addrs, 2));
    CHECK(node_wait(&a, &a.fails, 1));
    CHECK_EQ(node_why(&a, &a.fail_why), FED_WHY_REFUSED);
    node_stop(&a);
    node_stop(&b);
}

TEST(a_lost_peer_is_dialled_again)
{
    struct fed_net_tuning t = {.backoff_min_ms = 10, .sweep_ms = 10};
    static struct node a, b;
    uint16_t port;

    node_start(&a, 1, &t);
    node_start(&b, 2, NULL);
    connect_two(&a, &b);
    port = b.port;
    node_stop(&b);
    CHECK(node_wait(&a, &a.downs, 1));
    CHECK(node_wait(&a, &a.fails, 2));
    CHECK_EQ(node_why(&a, &a.fail_why), FED_WHY_REFUSED);
    node_start(&b, 2, NULL);
    node_listen(&b, port);
    CHECK(node_wait(&a, &a.ups, 2));
    fed_net_undial(a.net, &b.root);
    fed_net_close(a.net, &a.info.peer);
    CHECK(node_wait(&a, &a.downs, 2));
    CHECK_EQ(node_why(&a, &a.down_why), FED_WHY_CLOSED_HERE);
    CHECK(node_wait(&b, &b.downs, 1));
    CHECK_EQ(node_why(&b, &b.down_why), FED_WHY_CLOSED_THERE);
    node_stop(&a);
    node_stop(&b);
}

/* Blocked: taken and closed, again and again, ever less often. */
TEST(short_links_count_as_failures)
{
    struct fed_net_tuning t = {.backoff_min_ms = 20, .sweep_ms = 10};
    struct fed_addr addr = {"127.0.0.1", 0};
    static struct node a, b;
    uint64_t until;
    int rounds = 0;

    node_start(&a, 1, &t);
    node_start(&b, 2, NULL);
    addr.port = b.port;
    node_dial(&a, &b, true);
    until = world_ms(NULL) + 1200;
    while (world_ms(NULL) < until) {
        rounds++;
        CHECK(node_wait(&b, &b.ups, rounds) && node_wait(&a, &a.ups, rounds));
        fed_net_revoke(b.net, &a.root);
        CHECK(node_wait(&a, &a.downs, rounds));
        /* wished for again: no reason to hurry */
        CHECK_OK(fed_net_dial(a.net, &b.root, &addr, 1));
    }
    /* waits of at least 10, 20, 40... ms: no more than eight of them fit */
    CHECK(rounds <= 9);
    node_stop(&a);
    node_stop(&b);
}

TEST(rotation_shows_the_new_key)
{
    static struct node a, b;
    uint8_t seed[32] = {42};
    uint8_t chain[64];
    struct fed_identity id;
    struct device_id fresh;

    node_start(&a, 1, NULL);
    node_start(&b, 2, NULL);
    connect_two(&a, &b);
    id = node_identity(&b.root, seed, chain);
    CHECK_OK(fed_net_set_identity(b.net, &id));
    CHECK_EQ(node_count(&a, &a.downs), 0);
    fed_net_close(b.net, &b.info.peer);
    CHECK(node_wait(&a, &a.ups, 2));
    CHECK_OK(tlsp_wrap_key(VIEW_ARRAY(seed), &fresh));
    CHECK(device_id_equal(&a.info.tls_key, &fresh));
    id.root.b[0] ^= 1;
    CHECK_ERR(fed_net_set_identity(b.net, &id), ERR_INVALID);
    node_stop(&a);
    node_stop(&b);
}

TEST(stop_sends_what_is_queued)
{
    static struct node a, b;

    node_start(&a, 1, NULL);
    node_start(&b, 2, NULL);
    connect_two(&a, &b);
    for (uint32_t i = 0; i < 3000; i++) {
        CHECK_OK(node_send(&a, &b.root, i, 1000));
    }
    node_stop(&a);
    CHECK(node_wait(&b, &b.downs, 1));
    CHECK_EQ(b.frames, 3000);
    CHECK_EQ(b.bad_order, 0);
    node_stop(&b);
}

TEST(stop_while_everything_is_under_way)
{
    for (int i = 0; i < 20; i++) {
        static struct node a, b;
        struct fed_addr nowhere = {"no-such-host.invalid", 7};
        struct fed_addr black = {"192.0.2.1", 7};
        struct clinic_id c;

        node_start(&a, 1, NULL);
        node_start(&b, 2, NULL);
        memset(c.b, 7, 32);
        CHECK_OK(fed_net_dial(a.net, &c, &nowhere, 1));
        c.b[0]++;
        CHECK_OK(fed_net_dial(a.net, &c, &black, 1));
        node_dial(&a, &b, true);
        node_dial(&b, &a, true);
        if (i % 2 == 0) {
            CHECK(node_wait(&a, &a.ups, 1));
        }
        node_stop(&a);
        CHECK_EQ(a.ups, a.downs);
        node_stop(&b);
        CHECK_EQ(b.ups, b.downs);
    }
}

int
main(void)
{
    return RUN(
        T(two_nodes_talk), T(no_end_delays_small_frames),
        T(frames_of_all_sizes), T(a_stranger_is_limited),
        T(a_slow_reader_bounds_the_sender), T(pause_and_resume_lose_nothing),
        T(simultaneous_dials_end_in_one),
        T(a_newer_connection_replaces_a_dead_one), T(someone_else_answers),
        T(the_peer_does_not_want_us), T(addresses_are_tried_in_turn),
        T(a_lost_peer_is_dialled_again), T(short_links_count_as_failures),
        T(rotation_shows_the_new_key), T(stop_sends_what_is_queued),
        T(stop_while_everything_is_under_way));
}
