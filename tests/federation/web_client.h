/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A browser's side of the web port in the hands of a test: a blocking socket
 * (or TLS on it), requests as text, WebSocket frames, the app's channel.
 */
#ifndef TESTS_FEDERATION_WEB_CLIENT_H
#define TESTS_FEDERATION_WEB_CLIENT_H

#include "crypto/tls/ossl.h"
#include "federation/web.h"
#include "federation/ws.h"
#include "tests/federation/core/chan_fixture.h"
#include "tests/federation/puppet.h"

#include <stdio.h>
#include <sys/un.h>

enum {
    WEB_TEXT = 64 * 1024
};

/* A node with a real chain and a web port, plain on loopback. */
struct site {
    struct node node;
    struct fixture clinic;
    uint16_t port;
};

struct client {
    int fd;
    SSL_CTX *ctx;
    SSL *ssl;        /* NULL: plain */
    struct bytes in; /* received, not yet looked at */
    struct seed_rng rng;
    struct fed_chan *chan;
    uint8_t seed[32];
    struct clinic_id root; /* of the device, as the node sees it */
};

static const struct fed_web_page site_pages[] = {
    {.path = {(const uint8_t *)"/l", 2},
     .type = {(const uint8_t *)"text/html; charset=utf-8", 24},
     .policy = {(const uint8_t *)"default-src 'none'", 18},
     .body = {(const uint8_t *)"<p>page", 7},
     .keep = true},
    {.path = {(const uint8_t *)"/health", 7},
     .type = {(const uint8_t *)"text/plain", 10},
     .policy = {(const uint8_t *)"default-src 'none'", 18},
     .body = {(const uint8_t *)"ok\n", 3}}};

static inline void
site_start(struct site *s, const struct fed_net_tuning *tuning,
           const char *host)
{
    struct fed_net_config c = {.mem = mem_heap(),
                               .clock = &world_clock,
                               .rng = &world_rng,
                               .io = &s->node.io,
                               .user = {node_verify, node_up, node_frame,
                                        node_writable, node_down, node_failed,
                                        &s->node}};
    struct fed_web_config web = {
        .host = view_str(host), .pages = site_pages, .pages_len = 2};
    struct fed_addr addr = {"127.0.0.1", 0};

    *s = (struct site){.node = {.known = true}};
    signal(SIGPIPE, SIG_IGN);
    pthread_mutex_init(&s->node.mx, NULL);
    pthread_cond_init(&s->node.cv, NULL);
    s->node.io = fed_io_nng(mem_heap());
    fixture_init(&s->clinic, 1);
    s->node.root = s->clinic.id;
    c.identity =
        (struct fed_identity){s->clinic.id, VIEW_ARRAY(s->clinic.node.seed),
                              view_of(&s->clinic.chain)};
    if (tuning != NULL) {
        c.tuning = *tuning;
    }
    c.tuning.linger_ms = 200; /* who reads to the end waits for it */
    c.tuning.sweep_ms = 50;
    CHECK_OK(fed_net_start(&c, &s->node.net));
    CHECK_OK(fed_web_open(s->node.net, &web));
    CHECK_OK(fed_web_listen(s->node.net, &addr, false, &s->port));
}

static inline void
site_stop(struct site *s)
{
    node_stop(&s->node);
    fixture_clear(&s->clinic);
}

/* ---------------------------------------------------------------- bytes */
static inline void
client_open(struct client *c, uint16_t port)
{
    *c = (struct client){.fd = puppet_socket(port)};
    seed_rng_init(&c->rng, port);
}

static inline void
client_close(struct client *c)
{
    SSL_free(c->ssl);
    SSL_CTX_free(c->ctx);
    close(c->fd);
    bytes_free(&c->in);
    fed_chan_free(c->chan);
    c->chan = NULL;
}

static inline void
client_put(struct client *c, struct view v)
{
    if (c->ssl == NULL) {
        puppet_put(c->fd, v);
    } else if (v.len > 0) {
        CHECK_EQ(SSL_write(c->ssl, v.p, (int)v.len), (int64_t)v.len);
    }
}

/* Receive more; false at the end. */
static inline bool
client_more(struct client *c)
{
    uint8_t buf[4096];
    ssize_t n = c->ssl != NULL ? SSL_read(c->ssl, buf, sizeof(buf))
                               : recv(c->fd, buf, sizeof(buf), 0);

    if (n <= 0) {
        return false;
    }
    CHECK_OK(bytes_append(mem_heap(), &c->in, view_make(buf, (size_t)n)));
    return true;
}

/* Take n bytes from the front of what was received. */
static inline void
client_drop(struct client *c, size_t n)
{
    memmove(c->in.p, c->in.p + n, c->in.len - n);
    c->in.len -= n;
}

/* Everything until the other side closes, as text. */
static inline const char *
client_all(struct client *c)
{
    static char text[WEB_TEXT];
    size_t n;

    while (client_more(c)) {
    }
    n = c->in.len < sizeof(text) - 1 ? c->in.len : sizeof(text) - 1;
    if (n > 0) {
        memcpy(text, c->in.p, n);
    }
    text[n] = '\0';
    return text;
}

/* One request and what is answered until the close. */
static inline const char *
site_ask(const struct site *s, const char *request)
{
    struct client c;
    const char *answer;

    client_open(&c, s->port);
    client_put(&c, view_str(request));
    answer = client_all(&c);
    client_close(&c);
    return answer;
}

/* ------------------------------------------------------------ websocket */
static const char upgrade_format[] = "GET /device HTTP/1.1\r\n"
                                     "Host: %s\r\n"
                                     "Connection: Upgrade\r\n"
                                     "Upgrade: websocket\r\n"
                                     "Sec-WebSocket-Version: 13\r\n"
                                     "Sec-WebSocket-Key: "
                                     "dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                     "Sec-WebSocket-Protocol: "
                                     "other, balsam.device.1\r\n"
                                     "\r\n";

/* Upgrade; the head of the answer is gone afterwards. */
static inline void
client_upgrade(struct client *c, const char *host)
{
    char text[512];
    char *end = NULL;

    snprintf(text, sizeof(text), upgrade_format, host);
    client_put(c, view_str(text));
    while (end == NULL) {
        CHECK(client_more(c));
        CHECK_OK(bytes_append(mem_heap(), &c->in, VIEW_LIT("\0")));
        c->in.len--;
        end = strstr((char *)c->in.p, "\r\n\r\n");
    }
    CHECK(strncmp((char *)c->in.p, "HTTP/1.1 101 ", 13) == 0);
    CHECK(strstr((char *)c->in.p,
                 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    CHECK(
        strstr((char *)c->in.p, "Sec-WebSocket-Protocol: balsam.device.1\r\n"));
    client_drop(c, (size_t)(end + 4 - (char *)c->in.p));
}

/* A masked frame with this first byte. */
static inline void
client_frame(struct client *c, uint8_t first, struct view payload)
{
    static const uint8_t mask[4] = {1, 2, 3, 4};
    uint8_t h[FED_WS_HEADER_OUT];
    size_t n = fed_ws_header(FED_WS_BINARY, payload.len, h);
    struct bytes b = {0};

    h[0] = first;
    h[1] |= 0x80;
    CHECK_OK(bytes_append(mem_heap(), &b, view_make(h, n)));
    CHECK_OK(bytes_append(mem_heap(), &b, VIEW_ARRAY(mask)));
    CHECK_OK(bytes_append(mem_heap(), &b, payload));
    for (size_t i = 0; i < payload.len; i++) {
        b.p[n + 4 + i] ^= mask[i % 4];
    }
    client_put(c, view_of(&b));
    bytes_free(&b);
}

/* The next frame of the node: its opcode, or -1 at the end. */
static inline int
client_read(struct client *c, struct bytes *payload)
{
    for (;;) {
        size_t head = 2;
        uint64_t len = 0;

        if (c->in.len >= 2) {
            uint8_t seven = c->in.p[1];

            CHECK(seven < 128); /* a server does not mask */
            head += seven == 126 ? 2 : seven == 127 ? 8 : 0;
            if (c->in.len >= head) {
                len = seven;
                for (size_t i = 2; i < head; i++) {
                    len = (i == 2 ? 0 : len << 8) | c->in.p[i];
                }
                if (c->in.len - head >= len) {
                    int opcode = c->in.p[0] & 15;

                    CHECK((c->in.p[0] & 0xf0) == 0x80);
                    bytes_free(payload);
                    CHECK_OK(bytes_copy(mem_heap(),
                                        view_sub(view_of(&c->in), head, len),
                                        payload));
                    client_drop(c, head + len);
                    return opcode;
                }
            }
        }
        if (!client_more(c)) {
            return -1;
        }
    }
}

/* The code of the node's close, after whatever comes before; 0: none. */
static inline int
client_close_code(struct client *c)
{
    struct bytes b = {0};
    int code = 0;
    int op;

    do {
        op = client_read(c, &b);
    } while (op != -1 && op != FED_WS_CLOSE);
    if (op == FED_WS_CLOSE) {
        CHECK(b.len >= 2);
        code = b.p[0] << 8 | b.p[1];
    }
    bytes_free(&b);
    return code;
}

/* -------------------------------------------------------------- channel */
/* The app's handshake as device number id; false: refused. */
static inline bool
client_hello(struct client *c, const struct site *s, uint8_t id,
             const char *host)
{
    struct bytes m = {0};
    struct bytes answer = {0};
    struct fed_chan_app a = {
        .host = view_str(host),
        .check = {.root = &s->clinic.id, .now_ms = FIXTURE_NOW_MS}};
    uint8_t cert[33];
    struct fed_identity self;
    enum err e = OK;
    int op = 0;

    memset(c->seed, id, sizeof(c->seed));
    self = device_identity(c->seed, cert);
    c->root = self.root;
    a.seed = self.node_seed;
    a.cert = self.chain;
    CHECK_OK(fed_chan_app_new(mem_heap(), &world_rng, &a, &m, &c->chan));
    while (e == OK && op != -1 && !fed_chan_ready(c->chan)) {
        client_frame(c, 0x82, view_of(&m));
        bytes_free(&m);
        op = client_read(c, &answer);
        if (op == FED_WS_BINARY) {
            e = fed_chan_step(c->chan, view_of(&answer), &m);
            if (e == OK && m.len == 0) {
                break;
            }
        } else {
            e = ERR_DENIED;
            if (op == FED_WS_CLOSE) { /* for client_close_code */
                uint8_t h[4] = {0x88, 2, answer.p[0], answer.p[1]};

                CHECK_OK(bytes_append(mem_heap(), &c->in, VIEW_ARRAY(h)));
            }
        }
    }
    bytes_free(&answer);
    bytes_free(&m);
    return e == OK && op != -1;
}

/* A device that is up, on a plain port for trying out. */
static inline void
client_device(struct client *c, const struct site *s, uint8_t id)
{
    char host[32];

    client_open(c, s->port);
    snprintf(host, sizeof(host), "localhost:%u", s->port);
    client_upgrade(c, host);
    CHECK(client_hello(c, s, id, host));
}

static inline void
client_say(struct client *c, struct view plain)
{
    struct bytes b = {0};

    CHECK_OK(bytes_alloc(mem_heap(), plain.len + FED_CHAN_OVERHEAD, &b));
    CHECK_OK(fed_chan_seal(c->chan, plain, b.p));
    client_frame(c, 0x82, view_of(&b));
    bytes_free(&b);
}

/* The next message of the node, opened. */
static inline void
client_hear(struct client *c, struct bytes *out)
{
    int op;

    do {
        op = client_read(c, out);
    } while (op == FED_WS_PING);
    CHECK_EQ(op, FED_WS_BINARY);
    CHECK_OK(fed_chan_open(c->chan, view_of(out), out->p));
    bytes_truncate(out, out->len - FED_CHAN_OVERHEAD);
}

#endif
