/* SPDX-License-Identifier: Apache-2.0 */
/* The web port: pages, and devices through WebSockets. */
#include "tests/federation/web_client.h"

static bool
has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

static bool
is(const char *text, const char *status)
{
    return strncmp(text, "HTTP/1.1 ", 9) == 0 &&
           strncmp(text + 9, status, strlen(status)) == 0;
}

#define HOST "Host: localhost\r\n"

TEST(pages)
{
    static struct site s;
    const char *a;
    char tag[128];

    site_start(&s, NULL, "");
    a = site_ask(&s, "GET /l HTTP/1.1\r\n" HOST "\r\n");
    CHECK(is(a, "200 OK"));
    CHECK(has(a, "Content-Type: text/html; charset=utf-8\r\n"));
    CHECK(has(a, "Content-Security-Policy: default-src 'none'\r\n"));
    CHECK(has(a, "Content-Length: 7\r\n"));
    CHECK(has(a, "Connection: close\r\n"));
    CHECK(has(a, "\r\n\r\n<p>page"));
    CHECK(!has(a, "Strict-Transport-Security")); /* not TLS here */
    snprintf(tag, sizeof(tag), "%.26s", strstr(a, "ETag: "));
    CHECK(is(site_ask(&s, "GET /l?x HTTP/1.0\r\n" HOST "\r\n"), "200 OK"));
    a = site_ask(&s, "HEAD /l HTTP/1.1\r\n" HOST "\r\n");
    CHECK(is(a, "200 OK") && has(a, "Content-Length: 7\r\n"));
    CHECK(!has(a, "<p>"));
    {
        char request[256];

        snprintf(request, sizeof(request),
                 "GET /l HTTP/1.1\r\n" HOST "If-None-Match: \"a\", %s\r\n\r\n",
                 strchr(tag, '"'));
        a = site_ask(&s, request);
        CHECK(is(a, "304 ") && !has(a, "<p>"));
    }
    a = site_ask(&s, "GET /health HTTP/1.1\r\n" HOST "\r\n");
    CHECK(is(a, "200 OK") && has(a, "Cache-Control: no-store\r\n"));
    CHECK(has(a, "\r\n\r\nok\n"));
    CHECK(node_wait_freed(&s.node, 0));
    site_stop(&s);
}

/* One path in two languages; and other pages while it runs. */
TEST(pages_in_languages)
{
    static struct site s;
    const struct fed_web_page pages[] = {
        {.path = VIEW_LIT("/l"),
         .lang = VIEW_LIT("en"),
         .type = VIEW_LIT("text/html"),
         .policy = VIEW_LIT("default-src 'none'"),
         .body = VIEW_LIT("hello"),
         .keep = true},
        {.path = VIEW_LIT("/l"),
         .lang = VIEW_LIT("de"),
         .type = VIEW_LIT("text/html"),
         .policy = VIEW_LIT("default-src 'none'"),
         .body = VIEW_LIT("hallo"),
         .keep = true},
    };
    struct fed_web_page many[FED_WEB_PAGES_MAX + 1] = {{.keep = true}};
    const char *a;

    site_start(&s, NULL, "");
    CHECK_OK(fed_web_set_pages(s.node.net, pages, 2));
    CHECK_ERR(fed_web_set_pages(s.node.net, many, FED_WEB_PAGES_MAX + 1),
              ERR_LIMIT);
    a = site_ask(&s, "GET /l HTTP/1.1\r\n" HOST "\r\n");
    CHECK(has(a, "hello") && has(a, "Content-Language: en\r\n"));
    CHECK(has(a, "Vary: Accept-Language\r\n"));
    a = site_ask(&s, "GET /l HTTP/1.1\r\n" HOST
                     "Accept-Language: it, de-AT;q=0.8, en;q=0.3\r\n\r\n");
    CHECK(has(a, "hallo") && has(a, "Content-Language: de\r\n"));
    CHECK(has(a, "Vary: Accept-Language\r\n"));
    CHECK(is(site_ask(&s, "GET /health HTTP/1.1\r\n" HOST "\r\n"), "404 "));
    CHECK(is(site_ask(&s, "GET /l HTTP/1.1\r\n" HOST "Accept-Language: de\r\n"
                          "Accept-Language: en\r\n\r\n"),
             "400 "));
    CHECK_OK(fed_web_set_pages(s.node.net, NULL, 0));
    CHECK(is(site_ask(&s, "GET /l HTTP/1.1\r\n" HOST "\r\n"), "404 "));
    CHECK(node_wait_freed(&s.node, 0));
    site_stop(&s);
}

TEST(requests_that_are_refused)
{
    static const struct {
        const char *request;
        const char *status;
    } cases[] = {
        {"GET / HTTP/1.1\r\n" HOST "\r\n", "404 "},
        {"GET /l/../l HTTP/1.1\r\n" HOST "\r\n", "404 "},
        {"GET /%6c HTTP/1.1\r\n" HOST "\r\n", "404 "},
        {"POST /l HTTP/1.1\r\n" HOST "\r\n", "405 "},
        {"OPTIONS /l HTTP/1.1\r\n" HOST "\r\n", "405 "},
        {"POST /l HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello", "413 "},
        {"GET /l HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello", "413 "},
        {"GET /l HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
         "0\r\n\r\nGET /health HTTP/1.1\r\n" HOST "\r\n",
         "413 "},
        {"GET /l HTTP/1.1\r\n" HOST "Content-Length: 0\r\n"
         "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         "413 "},
        {"GET /l HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n\r\n",
         "400 "},
        {"GET /l HTTP/1.1\r\nHost: evil.example\r\n\r\n", "421 "},
        {"GET /l HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n", "421 "},
        {"GET /l HTTP/1.1\r\nHost:\r\n\r\n", "421 "},
        {"GET /l HTTP/1.1\r\n\r\n", "400 "},
        {"GET /l HTTP/1.1\n" HOST "\n", ""}, /* never ends: see slow ones */
        {"GET /l HTTP/1.1\r\n" HOST HOST "\r\n", "400 "},
        {"GET /l HTTP/3.0\r\n" HOST "\r\n", "505 "},
        {"GET http://localhost/l HTTP/1.1\r\n" HOST "\r\n", "400 "},
        {"hello", "400 "},
        {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", "400 "},
        {"GET /device HTTP/1.1\r\n" HOST "\r\n", "426 "},
    };
    struct fed_net_tuning t = {.handshake_ms = 300, .sweep_ms = 50};
    static struct site s;

    site_start(&s, &t, "");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *a = site_ask(&s, cases[i].request);

        if (cases[i].status[0] == '\0') {
            CHECK_STR(a, "");
        } else {
            CHECK(is(a, cases[i].status));
            CHECK(has(a, "Content-Security-Policy: default-src 'none'\r\n"));
        }
    }
    CHECK(node_wait_freed(&s.node, 0));
    site_stop(&s);
}

/* Only the first request is answered, whatever follows it. */
TEST(no_pipelining)
{
    static struct site s;
    const char *a;

    site_start(&s, NULL, "");
    a = site_ask(&s, "GET /health HTTP/1.1\r\n" HOST "\r\n"
                     "GET /l HTTP/1.1\r\n" HOST "\r\n");
    CHECK(is(a, "200 OK") && has(a, "ok\n") && !has(a, "<p>"));
    site_stop(&s);
}

TEST(a_head_that_is_too_long)
{
    static const char start[] = "GET /l HTTP/1.1\r\n" HOST "A: ";
    static char text[10000];
    static struct site s;
    const char *a;

    site_start(&s, NULL, "");
    memset(text, 'x', sizeof(text) - 1);
    memcpy(text, start, sizeof(start) - 1);
    a = site_ask(&s, text);
    CHECK(is(a, "431 "));
    CHECK(node_wait_freed(&s.node, 0));
    site_stop(&s);
}

TEST(names)
{
    static const struct {
        const char *host;
        const char *status;
    } cases[] = {
        {"clinic.example", "200 "},      {"Clinic.Example:443", "200 "},
        {"clinic.example:8443", "200 "}, {"localhost", "421 "},
        {"clinic.example.", "421 "},     {"clinic.example:", "421 "},
    };
    static const struct {
        const char *host;
        const char *status;
    } with_port[] = {
        {"clinic.example:8443", "200 "},
        {"clinic.example", "421 "},
        {"clinic.example:443", "421 "},
    };
    static struct site s;
    struct fed_web_config again = {.pages_len = 0};

    site_start(&s, NULL, "clinic.example:8443");
    for (size_t i = 0; i < sizeof(with_port) / sizeof(with_port[0]); i++) {
        char request[256];

        snprintf(request, sizeof(request),
                 "GET /l HTTP/1.1\r\nHost: %s\r\n\r\n", with_port[i].host);
        CHECK(is(site_ask(&s, request), with_port[i].status));
    }
    site_stop(&s);
    site_start(&s, NULL, "clinic.example:443");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char request[256];

        snprintf(request, sizeof(request),
                 "GET /l HTTP/1.1\r\nHost: %s\r\n\r\n", cases[i].host);
        CHECK(is(site_ask(&s, request), cases[i].status));
    }
    CHECK_ERR(fed_web_open(s.node.net, &again), ERR_STATE);
    site_stop(&s);
    {
        struct node n;

        node_start(&n, 1, NULL);
        again.host = VIEW_LIT("Clinic.example");
        CHECK_ERR(fed_web_open(n.net, &again), ERR_INVALID);
        again.host = VIEW_LIT("clinic example");
        CHECK_ERR(fed_web_open(n.net, &again), ERR_INVALID);
        node_stop(&n);
    }
}

/* What a request for the socket must say. */
TEST(upgrades_that_are_refused)
{
    static const struct {
        const char *from; /* of upgrade_format, replaced */
        const char *to;
        const char *status;
    } cases[] = {
        {"Connection: Upgrade\r\n", "Connection: close\r\n", "426 "},
        {"Upgrade: websocket\r\n", "Upgrade: h2c\r\n", "426 "},
        {"Version: 13", "Version: 8", "426 "},
        {"HTTP/1.1", "HTTP/1.0", "426 "},
        {"dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ=", "400 "},
        {"balsam.device.1", "balsam.device.2", "400 "},
        {"\r\n\r\n", "\r\nOrigin: https://evil.example\r\n\r\n", "403 "},
        {"\r\n\r\n", "\r\nOrigin: null\r\n\r\n", "403 "},
        {"\r\n\r\n", "\r\nOrigin: http://clinic.example\r\n\r\n", "403 "},
        {"\r\n\r\n", "\r\nOrigin: https://clinic.example:8443\r\n\r\n", "403 "},
        {"\r\n\r\n", "\r\nContent-Length: 3\r\n\r\n", "413 "},
        {"\r\n\r\n", "\r\n\r\n\x82", "400 "}, /* a frame before the answer */
        {"\r\n\r\n", "\r\nOrigin: https://clinic.example\r\n\r\n", "101 "},
    };
    struct fed_net_tuning t = {.handshake_ms = 300, .sweep_ms = 50};
    static struct site s;

    site_start(&s, &t, "clinic.example");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char good[512];
        char text[1024];
        const char *at;

        snprintf(good, sizeof(good), upgrade_format, "clinic.example");
        at = strstr(good, cases[i].from);
        snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good), good,
                 cases[i].to, at + strlen(cases[i].from));
        CHECK(is(site_ask(&s, text), cases[i].status));
    }
    CHECK(node_wait_freed(&s.node, 0));
    site_stop(&s);
}

TEST(a_device_comes_by_websocket)
{
    static struct site s;
    struct fed_net_stats st;
    struct client c;
    struct bytes got = {0};
    struct bytes big = {0};
    uint8_t exporter[FED_CHAN_EXPORTER];

    site_start(&s, NULL, "");
    s.node.echo = true;
    client_device(&c, &s, 7);
    CHECK(node_wait(&s.node, &s.node.ups, 1));
    CHECK_EQ(s.node.info.kind, FED_PEER_DEVICE);
    CHECK(s.node.info.web && !s.node.info.dialled && s.node.info.known);
    CHECK(clinic_id_equal(&s.node.info.peer.root, &c.root));
    CHECK_OK(fed_chan_exporter(c.chan, exporter));
    CHECK_VIEW(VIEW_ARRAY(exporter), VIEW_ARRAY(s.node.info.exporter));
    client_say(&c, VIEW_LIT("\0\0\0\0hello"));
    client_hear(&c, &got);
    CHECK_VIEW(view_of(&got), VIEW_LIT("\0\0\0\0hello"));
    CHECK_OK(bytes_alloc(mem_heap(), 3000000, &big));
    big.p[0] = 1;
    client_say(&c, view_of(&big));
    client_hear(&c, &got);
    CHECK_VIEW(view_of(&got), view_of(&big));
    fed_net_stats(s.node.net, &st);
    CHECK_EQ(st.devices, 1);
    CHECK_EQ(st.web, 1);
    CHECK_EQ(s.node.bad_order, 0);
    client_frame(&c, 0x88, VIEW_LIT("\x03\xe8"));
    CHECK_EQ(client_close_code(&c), 1000);
    CHECK(node_wait(&s.node, &s.node.downs, 1));
    CHECK_EQ(node_why(&s.node, &s.node.down_why), FED_WHY_CLOSED_THERE);
    client_close(&c);
    bytes_free(&big);
    bytes_free(&got);
    CHECK(node_wait_freed(&s.node, 0));
    fed_net_stats(s.node.net, &st);
    CHECK_EQ(st.web, 0);
    site_stop(&s);
}

/* A message in pieces, with a ping between. */
TEST(pieces_and_pings)
{
    static struct site s;
    struct client c;
    struct bytes got = {0};
    uint8_t sealed[40 + FED_CHAN_OVERHEAD];
    static const uint8_t plain[40];

    site_start(&s, NULL, "");
    client_device(&c, &s, 7);
    CHECK_OK(fed_chan_seal(c.chan, VIEW_ARRAY(plain), sealed));
    client_frame(&c, 0x02, view_make(sealed, 10));
    client_frame(&c, 0x89, VIEW_LIT("are you there"));
    client_frame(&c, 0x00, view_make(sealed + 10, 0));
    client_frame(&c, 0x80, view_make(sealed + 10, sizeof(sealed) - 10));
    CHECK_EQ(client_read(&c, &got), FED_WS_PONG);
    CHECK_VIEW(view_of(&got), VIEW_LIT("are you there"));
    CHECK(node_wait_u64(&s.node, &s.node.frames, 1));
    CHECK_EQ(s.node.last_len, 40);
    client_close(&c);
    bytes_free(&got);
    site_stop(&s);
}

TEST(the_node_closes)
{
    struct fed_net_tuning t = {.sweep_ms = 50};
    static struct site s;
    struct client c;
    struct client d;

    site_start(&s, &t, "");
    client_device(&c, &s, 7);
    CHECK(node_wait(&s.node, &s.node.ups, 1));
    fed_net_close(s.node.net, &s.node.info.peer);
    CHECK_EQ(client_close_code(&c), 1000);
    client_close(&c);
    CHECK(node_wait(&s.node, &s.node.downs, 1));
    /* the same device again: the newer connection stays */
    client_device(&c, &s, 7);
    CHECK(node_wait(&s.node, &s.node.ups, 2));
    client_device(&d, &s, 7);
    CHECK(node_wait(&s.node, &s.node.ups, 3));
    CHECK(!client_more(&c));
    client_close(&c);
    client_say(&d, VIEW_LIT("\0\0\0\0still here"));
    CHECK(node_wait_u64(&s.node, &s.node.frames, 1));
    fed_net_revoke(s.node.net, &d.root);
    CHECK(!client_more(&d));
    client_close(&d);
    CHECK(node_wait(&s.node, &s.node.downs, 3));
    CHECK_EQ(node_why(&s.node, &s.node.down_why), FED_WHY_REVOKED);
    site_stop(&s);
}

TEST(shutdown_says_goodbye)
{
    static struct site s;
    struct client c;

    site_start(&s, NULL, "");
    client_device(&c, &s, 7);
    CHECK(node_wait(&s.node, &s.node.ups, 1));
    site_stop(&s);
    CHECK_EQ(client_close_code(&c), 1001);
    client_close(&c);
}

/* A rotated node key: new channels show it, those that are up stay. */
TEST(a_new_node_key)
{
    static struct site s;
    struct fixture next;
    struct fed_identity id;
    struct client c;
    struct client d;
    struct ident_node n;

    site_start(&s, NULL, "");
    client_device(&c, &s, 7);
    fixture_init(&next, 1);
    next.node_cert.generation = ident_generation(1, 6);
    memset(next.node.seed, 9, sizeof(next.node.seed));
    prim_ed25519_from_seed(next.node.seed, &next.node);
    memcpy(next.node_cert.key, next.node.pub, sizeof(next.node.pub));
    fixture_certify(&next);
    id = (struct fed_identity){next.id, VIEW_ARRAY(next.node.seed),
                               view_of(&next.chain)};
    CHECK_OK(fed_net_set_identity(s.node.net, &id));
    client_device(&d, &s, 8);
    CHECK_OK(fed_chan_peer_node(d.chan, &n));
    CHECK(n.generation == ident_generation(1, 6));
    client_say(&c, VIEW_LIT("\0\0\0\0still here"));
    CHECK(node_wait_u64(&s.node, &s.node.frames, 1));
    client_close(&c);
    client_close(&d);
    fixture_clear(&next);
    site_stop(&s);
}

TEST(devices_that_are_not_welcome)
{
    static const struct {
        enum err answer;
        int code;
    } cases[] = {{ERR_AUTH, 4401}, {ERR_DENIED, 4403}, {ERR_STALE, 4410}};
    static struct site s;

    site_start(&s, NULL, "");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct client c;
        char host[32];

        s.node.answer = cases[i].answer;
        client_open(&c, s.port);
        snprintf(host, sizeof(host), "localhost:%u", s.port);
        client_upgrade(&c, host);
        CHECK(!client_hello(&c, &s, 7, host));
        CHECK_EQ(client_close_code(&c), cases[i].code);
        client_close(&c);
    }
    CHECK_EQ(node_count(&s.node, &s.node.ups), 0);
    CHECK(node_wait_freed(&s.node, 0));
    site_stop(&s);
}

/* A proxy at another name, or one that says another name to us. */
TEST(what_was_signed_for_another_host)
{
    static struct site s;
    struct client c;

    site_start(&s, NULL, "clinic.example");
    client_open(&c, s.port);
    client_upgrade(&c, "clinic.example");
    CHECK(!client_hello(&c, &s, 7, "evil.example"));
    client_close(&c);
    client_open(&c, s.port);
    client_upgrade(&c, "clinic.example:443");
    CHECK(client_hello(&c, &s, 7, "clinic.example"));
    client_close(&c);
    client_open(&c, s.port);
    client_upgrade(&c, "Clinic.Example:8443");
    CHECK(client_hello(&c, &s, 7, "clinic.example:8443"));
    client_close(&c);
    site_stop(&s);
}

TEST(an_unknown_device_may_only_enrol)
{
    struct fed_net_tuning t = {.stranger_ms = 400, .sweep_ms = 50};
    static uint8_t big[LIMIT_FRAME_UNKNOWN_PEER + 1];
    static struct site s;
    struct client c;

    site_start(&s, &t, "");
    s.node.known = false;
    client_device(&c, &s, 7);
    client_say(&c, view_make(big, sizeof(big) - 1));
    CHECK(node_wait_u64(&s.node, &s.node.frames, 1));
    client_say(&c, VIEW_ARRAY(big));
    CHECK_EQ(client_close_code(&c), 1009);
    client_close(&c);
    client_device(&c, &s, 7);
    CHECK_EQ(client_close_code(&c), 1013); /* it took too long */
    client_close(&c);
    client_device(&c, &s, 7);
    CHECK(node_wait(&s.node, &s.node.ups, 3));
    fed_net_known(s.node.net, &s.node.info.peer);
    big[0] = 0;
    client_say(&c, VIEW_ARRAY(big));
    CHECK(node_wait_u64(&s.node, &s.node.frames, 2));
    client_close(&c);
    site_stop(&s);
}

TEST(a_unix_socket)
{
    char dir[] = "/tmp/balsam-web-XXXXXX";
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    char long_path[200];
    static struct site s;
    struct client c = {.fd = -1};
    const char *a;

    CHECK(mkdtemp(dir) != NULL);
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/web", dir);
    site_start(&s, NULL, "clinic.example");
    memset(long_path, 'x', sizeof(long_path) - 1);
    long_path[0] = '/';
    long_path[sizeof(long_path) - 1] = '\0';
    CHECK_ERR(fed_web_listen_path(s.node.net, long_path), ERR_LIMIT);
    CHECK_OK(fed_web_listen_path(s.node.net, sa.sun_path));
    CHECK(fed_web_listen_path(s.node.net, sa.sun_path) == ERR_EXISTS);
    c.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(c.fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
    client_put(&c, VIEW_LIT("GET /l HTTP/1.1\r\nHost: clinic.example\r\n\r\n"));
    a = client_all(&c);
    CHECK(is(a, "200 OK"));
    client_close(&c);
    c = (struct client){.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    CHECK(connect(c.fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
    client_upgrade(&c, "clinic.example");
    CHECK(client_hello(&c, &s, 7, "clinic.example"));
    CHECK(node_wait(&s.node, &s.node.ups, 1));
    client_close(&c);
    site_stop(&s);
    CHECK(access(sa.sun_path, F_OK) != 0); /* gone with the node */
    CHECK(rmdir(dir) == 0);
}

TEST(plain_only_where_a_proxy_can_be)
{
    static struct site s;
    struct fed_addr any = {"0.0.0.0", 0};
    struct fed_addr name = {"localhost", 0};
    struct fed_addr own = {"127.0.0.1", 0};

    site_start(&s, NULL, "clinic.example");
    CHECK_ERR(fed_web_listen(s.node.net, &any, false, NULL), ERR_DENIED);
    CHECK_ERR(fed_web_listen(s.node.net, &name, true, NULL), ERR_FORMAT);
    CHECK_ERR(fed_web_listen(s.node.net, &own, true, NULL), ERR_STATE);
    site_stop(&s);
}

int
main(void)
{
    return RUN(T(pages), T(pages_in_languages), T(requests_that_are_refused),
               T(no_pipelining), T(a_head_that_is_too_long), T(names),
               T(upgrades_that_are_refused), T(a_device_comes_by_websocket),
               T(pieces_and_pings), T(the_node_closes),
               T(shutdown_says_goodbye), T(a_new_node_key),
               T(devices_that_are_not_welcome),
               T(what_was_signed_for_another_host),
               T(an_unknown_device_may_only_enrol), T(a_unix_socket),
               T(plain_only_where_a_proxy_can_be));
}
