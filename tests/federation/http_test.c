/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/http.h"
#include "tests/support/check.h"

#include <string.h>

static enum err
read_head(const char *text, struct fed_http_head *out)
{
    return fed_http_read(view_str(text), 0, out);
}

TEST(a_browsers_request)
{
    static const char text[] = "GET /device?x=1 HTTP/1.1\r\n"
                               "Host: clinic.example\r\n"
                               "connection: keep-alive, Upgrade\r\n"
                               "UPGRADE:websocket\r\n"
                               "Origin:\t https://clinic.example \r\n"
                               "X-Other: a b\tc\r\n"
                               "Empty:\r\n"
                               "\r\n"
                               "more";
    struct fed_http_head h;

    CHECK_OK(read_head(text, &h));
    CHECK_EQ(h.len, sizeof(text) - 5);
    CHECK_VIEW(h.method, VIEW_LIT("GET"));
    CHECK_VIEW(h.path, VIEW_LIT("/device"));
    CHECK_VIEW(h.query, VIEW_LIT("x=1"));
    CHECK_EQ(h.minor, 1);
    CHECK_VIEW(h.value[FED_HTTP_HOST], VIEW_LIT("clinic.example"));
    CHECK_VIEW(h.value[FED_HTTP_ORIGIN], VIEW_LIT("https://clinic.example"));
    CHECK(fed_http_list_has(h.value[FED_HTTP_CONNECTION], "upgrade"));
    CHECK(!fed_http_list_has(h.value[FED_HTTP_CONNECTION], "keep"));
    CHECK(fed_http_same(h.value[FED_HTTP_UPGRADE], VIEW_LIT("WebSocket")));
    CHECK(!h.has[FED_HTTP_WS_KEY] && !fed_http_has_body(&h));
}

TEST(byte_by_byte)
{
    static const char text[] = "HEAD / HTTP/1.0\r\nHost: a\r\n\r\n";
    struct fed_http_head h;

    for (size_t n = 1; n < sizeof(text) - 1; n++) {
        CHECK_ERR(fed_http_read(view_make(text, n), n - 1, &h), ERR_AGAIN);
    }
    CHECK_OK(fed_http_read(VIEW_LIT("HEAD / HTTP/1.0\r\nHost: a\r\n\r\n"),
                           sizeof(text) - 2, &h));
    CHECK_EQ(h.minor, 0);
}

/* [http-lines] [http-request-line] [http-target] [http-header] [http-twice]
 * [http-host] */
TEST(what_two_readers_could_read_differently)
{
    static const char *const bad[] = {
        "GET / HTTP/1.1\r\n\r\n", /* no host */
        "GET / HTTP/1.1\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\n\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", /* folded */
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n",
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n"
         "Content-Length: 5\r\n\r\n"),
        "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX y: b\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/11\r\nHost: a\r\n\r\n",
        "GET / http/1.1\r\nHost: a\r\n\r\n",
        "GET /\r\nHost: a\r\n\r\n",
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "get / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\x16\x03\x01",
    };
    struct fed_http_head h;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK_ERR(read_head(bad[i], &h), ERR_FORMAT);
    }
    CHECK_ERR(
        fed_http_read(VIEW_LIT("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"), 0, &h),
        ERR_FORMAT);
    CHECK_ERR(read_head("GET / HTTP/1.2\r\nHost: a\r\n\r\n", &h),
              ERR_UNSUPPORTED);
    CHECK_ERR(read_head("PRI / HTTP/2.0\r\nHost: a\r\n\r\n", &h),
              ERR_UNSUPPORTED);
}

TEST(who_announces_a_body)
{
    struct fed_http_head h;

    CHECK_OK(read_head("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
                       &h));
    CHECK(!fed_http_has_body(&h));
    CHECK_OK(read_head(
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 00\r\n\r\n", &h));
    CHECK(fed_http_has_body(&h));
    CHECK_OK(read_head(
        "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
        &h));
    CHECK(fed_http_has_body(&h));
}

TEST(too_many_headers)
{
    char text[4096] = "GET / HTTP/1.1\r\nHost: a\r\n";
    struct fed_http_head h;

    for (int i = 1; i < FED_HTTP_HEADERS_MAX; i++) {
        strcat(text, "x: y\r\n");
    }
    strcat(text, "\r\n");
    CHECK_OK(read_head(text, &h));
    text[strlen(text) - 2] = '\0';
    strcat(text, "x: y\r\n\r\n");
    CHECK_ERR(read_head(text, &h), ERR_LIMIT);
}

int
main(void)
{
    return RUN(T(a_browsers_request), T(byte_by_byte),
               T(what_two_readers_could_read_differently),
               T(who_announces_a_body), T(too_many_headers));
}
