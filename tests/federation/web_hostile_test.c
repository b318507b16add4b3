/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slow, flooding and malformed clients of the web port: each is closed in
 * time, costs little while it lasts, and leaves nothing behind.
 */
#include "tests/federation/web_client.h"

#include <poll.h>

static uint64_t
now_ms(void)
{
    return world_ms(NULL);
}

/* Until the node closes; what it says meanwhile is dropped. */
static void
until_closed(struct client *c)
{
    while (client_more(c)) {
        bytes_free(&c->in);
    }
}

/* True when the node has closed by now. */
static bool
is_closed(struct client *c)
{
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    uint8_t b;

    return poll(&p, 1, 0) == 1 && recv(c->fd, &b, 1, MSG_PEEK) <= 0;
}

/* A head that comes byte by byte never gets past its deadline. */
TEST(slow_heads)
{
    struct fed_net_tuning t = {.handshake_ms = 400};
    static struct client c[40];
    static struct site s;
    bool open = true;

    site_start(&s, &t, "");
    for (size_t i = 0; i < 40; i++) {
        client_open(&c[i], s.port);
        client_put(&c[i], VIEW_LIT("GET /l HTTP/1.1\r\nX: "));
    }
    while (open) { /* goes on sending as long as it may */
        struct timespec ms = {0, 5000000};

        open = false;
        for (size_t i = 0; i < 40; i++) {
            client_put(&c[i], VIEW_LIT("x"));
            open = open || !is_closed(&c[i]);
        }
        nanosleep(&ms, NULL);
    }
    for (size_t i = 0; i < 40; i++) {
        client_close(&c[i]);
    }
    CHECK(node_wait_freed(&s.node, 0));
    site_stop(&s);
}

/* A socket that is opened and then says nothing, or half of a handshake. */
TEST(sockets_without_a_device)
{
    struct fed_net_tuning t = {.handshake_ms = 300};
    static struct site s;

    site_start(&s, &t, "");
    for (int how = 0; how < 4; how++) {
        struct client c;
        struct fed_chan_app a = {.host = VIEW_LIT("localhost"),
                                 .check = {.root = &s.clinic.id}};
        struct bytes open = {0};
        uint8_t cert[33];
        struct fed_identity self;

        client_open(&c, s.port);
        self = device_identity(c.seed, cert);
        a.seed = self.node_seed;
        a.cert = self.chain;
        client_upgrade(&c, "localhost");
        if (how == 1) { /* pings keep nobody alive who is not proven */
            client_frame(&c, 0x89, VIEW_LIT("x"));
        } else if (how >= 2) {
            CHECK_OK(
                fed_chan_app_new(mem_heap(), &world_rng, &a, &open, &c.chan));
            client_frame(&c, 0x82,
                         how == 2 ? view_of(&open) : VIEW_LIT("not an OPEN"));
        }
        until_closed(&c);
        bytes_free(&open);
        client_close(&c);
    }
    CHECK_EQ(node_count(&s.node, &s.node.ups), 0);
    CHECK(node_wait_freed(&s.node, 0));
    site_stop(&s);
}

/* Frames that no browser sends, before and after the channel is ready. */
TEST(malformed_frames)
{
    static const struct {
        const char *hex;
        int code;
    } cases[] = {
        {"82 00", 1002},                           /* not masked */
        {"c2 80 00000000", 1002},                  /* RSV: compressed */
        {"81 81 00000000 41", 1003},               /* text */
        {"80 80 00000000", 1002},                  /* a piece of nothing */
        {"89 fe 0080 00000000", 1002},             /* a long ping */
        {"09 80 00000000", 1002},                  /* a ping in pieces */
        {"8f 80 00000000", 1002},                  /* no such frame */
        {"82 ff 00000000ffffffff 00000000", 1009}, /* 4 GiB */
        {"82 fe 0001 00000000 41", 1002},          /* a longer length */
        {"88 81 00000000 41", 1002},               /* half a code */
        {"82 90 00000000 00000000000000000000000000000000", 4401},
        {"82 80 00000000", 4401}, /* nothing sealed */
    };
    static struct site s;

    site_start(&s, NULL, "");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct client c;

        client_device(&c, &s, 9);
        client_put(&c, check_hex(cases[i].hex));
        CHECK_EQ(client_close_code(&c), cases[i].code);
        client_close(&c);
        if (cases[i].code != 4401) { /* before: the same */
            client_open(&c, s.port);
            client_upgrade(&c, "localhost");
            client_put(&c, check_hex(cases[i].hex));
            CHECK_EQ(client_close_code(&c), cases[i].code);
            client_close(&c);
        }
    }
    CHECK(node_wait_freed(&s.node, 0));
    CHECK_EQ(s.node.frames, 0);
    site_stop(&s);
}

/* A message said again by the proxy in between: its number is used up. */
TEST(a_replayed_message)
{
    static struct site s;
    struct client c;
    uint8_t sealed[8 + FED_CHAN_OVERHEAD];

    site_start(&s, NULL, "");
    client_device(&c, &s, 9);
    CHECK_OK(fed_chan_seal(c.chan, VIEW_LIT("\0\0\0\0once"), sealed));
    client_frame(&c, 0x82, VIEW_ARRAY(sealed));
    CHECK(node_wait_u64(&s.node, &s.node.frames, 1));
    client_frame(&c, 0x82, VIEW_ARRAY(sealed));
    CHECK_EQ(client_close_code(&c), 4401);
    CHECK_EQ(s.node.frames, 1);
    client_close(&c);
    site_stop(&s);
}

/* Pings that nobody reads the pongs of: what waits for them stays small, and
 * they are read ever more slowly. */
TEST(a_flood_of_pings)
{
    struct fed_net_tuning t = {.stall_ms = 1000, .rx_per_s_device = 65536};
    static uint8_t flood[6 * 1000];
    static struct site s;
    struct client c;
    struct client other;
    uint64_t until;
    size_t most = 0;

    site_start(&s, &t, "");
    for (size_t i = 0; i < sizeof(flood); i += 6) {
        memcpy(flood + i, "\x89\x80\0\0\0\0", 6);
    }
    client_device(&c, &s, 9);
    CHECK(node_wait(&s.node, &s.node.ups, 1));
    until = now_ms() + 1500;
    while (now_ms() < until) {
        size_t queued;

        (void)send(c.fd, flood, sizeof(flood), MSG_NOSIGNAL | MSG_DONTWAIT);
        queued = fed_net_queued(s.node.net, &s.node.info.peer);
        most = queued > most ? queued : most;
    }
    CHECK(most <= 8192);
    client_device(&other, &s, 10); /* nobody else suffers */
    client_say(&other, VIEW_LIT("\0\0\0\0hello"));
    CHECK(node_wait_u64(&s.node, &s.node.frames, 1));
    client_close(&other);
    client_close(&c);
    CHECK(node_wait_freed(&s.node, 0));
    site_stop(&s);
}

/* A message in endless empty pieces, or one that never ends. */
TEST(pieces_without_end)
{
    struct fed_net_tuning t = {.stall_ms = 300};
    static struct site s;
    struct client c;

    site_start(&s, &t, "");
    client_device(&c, &s, 9);
    client_frame(&c, 0x02, VIEW_LIT(""));
    for (int i = 0; i < 40; i++) {
        client_frame(&c, 0x00, VIEW_LIT(""));
    }
    CHECK_EQ(client_close_code(&c), 1009);
    client_close(&c);
    client_device(&c, &s, 9);
    client_put(&c, check_hex("82 ff 0000000000100000 00000000 41 42 43"));
    until_closed(&c);
    client_close(&c);
    CHECK(node_wait(&s.node, &s.node.downs, 2));
    CHECK_EQ(node_why(&s.node, &s.node.down_why), FED_WHY_STALLED);
    CHECK(node_wait_freed(&s.node, 0));
    site_stop(&s);
}

/* A device that takes nothing: we hold at most high water, then close it. */
TEST(a_device_that_does_not_read)
{
    struct fed_net_tuning t = {.stall_ms = 500, .high_water_device = 100000};
    static struct site s;
    struct client c;
    struct clinic_id root;
    enum err e = OK;
    size_t most = 0;
    int small = 4096;

    site_start(&s, &t, "");
    client_open(&c, s.port);
    setsockopt(c.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    client_upgrade(&c, "localhost");
    CHECK(client_hello(&c, &s, 9, "localhost"));
    CHECK(node_wait(&s.node, &s.node.ups, 1));
    root = s.node.info.peer.root;
    while (e == OK || e == ERR_AGAIN) { /* the system holds some of it */
        struct timespec ms = {0, 1000000};

        e = node_send(&s.node, &root, 0, 10000);
        most = fed_net_queued(s.node.net, &s.node.info.peer) > most
                   ? fed_net_queued(s.node.net, &s.node.info.peer)
                   : most;
        if (e == ERR_AGAIN) {
            nanosleep(&ms, NULL);
        }
    }
    CHECK_ERR(e, ERR_MISSING);
    CHECK(most > 50000 && most < 120000);
    CHECK(node_wait(&s.node, &s.node.downs, 1));
    CHECK_EQ(node_why(&s.node, &s.node.down_why), FED_WHY_STALLED);
    client_close(&c);
    CHECK(node_wait_freed(&s.node, 0));
    site_stop(&s);
}

/* Idle browsers are pinged, and go when they do not answer. */
TEST(who_does_not_answer_pings)
{
    struct fed_net_tuning t = {.keepalive_ms = 100, .idle_ms = 2000};
    static struct site s;
    struct bytes got = {0};
    struct client c;

    site_start(&s, &t, "");
    client_device(&c, &s, 9);
    for (int i = 0; i < 25; i++) { /* beyond idle_ms: answers keep it */
        CHECK_EQ(client_read(&c, &got), FED_WS_PING);
        client_frame(&c, 0x8a, view_of(&got));
    }
    CHECK_EQ(node_count(&s.node, &s.node.downs), 0);
    until_closed(&c);
    CHECK(node_wait(&s.node, &s.node.downs, 1));
    CHECK_EQ(node_why(&s.node, &s.node.down_why), FED_WHY_SILENT);
    client_close(&c);
    bytes_free(&got);
    site_stop(&s);
}

/* From one address only so many may wait to be proven; clinics come in all the
 * same. */
TEST(a_flood_of_connections)
{
    struct fed_net_tuning t = {.pending_max = 30, .handshake_ms = 5000};
    static struct client c[100];
    static struct site s;
    static struct node other;
    struct client d;

    site_start(&s, &t, "");
    node_listen(&s.node, 0);
    for (size_t i = 0; i < 100; i++) {
        client_open(&c[i], s.port);
        client_put(&c[i], VIEW_LIT("GET"));
    }
    client_device(&d, &s, 9); /* the newest gets room */
    CHECK(node_wait(&s.node, &s.node.ups, 1));
    device_start(&other, 3, NULL);
    s.node.answer = ERR_DENIED; /* it is heard, that is all we want to know */
    node_dial(&other, &s.node, false);
    CHECK(node_wait(&other, &other.fails, 1));
    node_stop(&other);
    client_close(&d);
    for (size_t i = 0; i < 100; i++) {
        client_close(&c[i]);
    }
    CHECK(node_wait_freed(&s.node, 0));
    site_stop(&s);
}

/* Clients of every kind, ended in every way. */
TEST(churn_leaves_nothing)
{
    static struct site s;
    struct seed_rng rng;
    int fds;

    site_start(&s, NULL, "");
    seed_rng_init(&rng, 5);
    fds = count_fds();
    for (int i = 0; i < 300; i++) {
        struct client c;
        uint64_t how = seed_rng_below(&rng, 6);

        if (how >= 4) {
            client_device(&c, &s, (uint8_t)(20 + i % 3));
            if (how == 4) {
                client_say(&c, VIEW_LIT("x"));
            }
        } else {
            client_open(&c, s.port);
            if (how > 0) {
                client_put(&c, VIEW_LIT("GET /l HTTP/1.1\r\nHost: loc"));
            }
            if (how > 1) {
                client_put(&c, VIEW_LIT("alhost\r\n\r\n"));
            }
            if (how > 2) {
                client_put(&c, VIEW_LIT("garbage behind it"));
            }
        }
        if (seed_rng_below(&rng, 2) == 0) {
            struct linger l = {1, 0};

            setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
        }
        client_close(&c);
    }
    CHECK(node_wait_freed(&s.node, 0));
    for (int i = 0; i < 20000 && count_fds() > fds; i++) {
        struct timespec ms = {0, 1000000};

        nanosleep(&ms, NULL); /* closed by a thread of nng's */
    }
    CHECK(count_fds() <= fds);
    CHECK_EQ(s.node.ups, s.node.downs);
    site_stop(&s);
}

int
main(void)
{
    return RUN(T(slow_heads), T(sockets_without_a_device), T(malformed_frames),
               T(a_replayed_message), T(a_flood_of_pings),
               T(pieces_without_end), T(a_device_that_does_not_read),
               T(who_does_not_answer_pings), T(a_flood_of_connections),
               T(churn_leaves_nothing));
}
