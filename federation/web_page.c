/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request is answered.  Nothing here depends on a connection: the same
 * request gets the same bytes.
 */
#include "federation/web_impl.h"

#include "crypto/tls/ws_accept.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    ANSWER_MAX = 2048
};

/* An answer being written. */
struct answer {
    char head[ANSWER_MAX];
    size_t len;
};

__attribute__((format(printf, 2, 3))) static void
say(struct answer *a, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(a->head + a->len, sizeof(a->head) - a->len, format, args);
    va_end(args);
    if (n > 0) { /* what does not fit is noticed by finish */
        a->len += (size_t)n;
        a->len = a->len < sizeof(a->head) ? a->len : sizeof(a->head);
    }
}

static enum err
finish(const struct mem *mem, const struct answer *a, struct view body,
       struct bytes *out)
{
    struct bytes b = {0};
    enum err e;

    TRY(a->len < sizeof(a->head) ? OK : ERR_LIMIT);
    TRY(bytes_copy(mem, view_make(a->head, a->len), &b));
    TRY(bytes_append(mem, &b, body));
    *out = bytes_take(&b);
out:
    bytes_free(&b);
    return e;
}

/* What every answer says. */
static void
begin(struct answer *a, bool tls, const char *status)
{
    a->len = 0;
    say(a,
        "HTTP/1.1 %s\r\n"
        "Connection: close\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "Referrer-Policy: no-referrer\r\n"
        "X-Frame-Options: DENY\r\n"
        "Cross-Origin-Opener-Policy: same-origin\r\n"
        "Cross-Origin-Resource-Policy: same-origin\r\n",
        status);
    if (tls) {
        say(a, "Strict-Transport-Security: max-age=31536000\r\n");
    }
}

/* A sentence for who sees it. */
static enum err
plain(const struct fed_web *web, bool tls, const char *status,
      const char *extra, const char *text, bool body, struct bytes *out)
{
    struct answer a;

    begin(&a, tls, status);
    say(&a,
        "%s"
        "Cache-Control: no-store\r\n"
        "Content-Security-Policy: default-src 'none'\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        "Content-Length: %zu\r\n\r\n",
        extra, strlen(text));
    return finish(web->mem, &a, body ? view_str(text) : view_make(NULL, 0),
                  out);
}

static enum err
page(const struct fed_web *web, bool tls, const struct fed_web_own_page *p,
     const struct fed_http_head *head, bool body, struct bytes *out)
{
    bool same =
        p->page.keep &&
        (fed_http_list_has(head->value[FED_HTTP_IF_NONE_MATCH], p->tag));
    struct answer a;

    begin(&a, tls, same ? "304 Not Modified" : "200 OK");
    if (p->page.keep) {
        say(&a, "Cache-Control: no-cache\r\nETag: %s\r\n", p->tag);
    } else {
        say(&a, "Cache-Control: no-store\r\n");
    }
    if (p->page.lang.len > 0) {
        say(&a, "Vary: Accept-Language\r\nContent-Language: %.*s\r\n",
            (int)p->page.lang.len, (const char *)p->page.lang.p);
    }
    say(&a, "Content-Security-Policy: %.*s\r\n", (int)p->page.policy.len,
        (const char *)p->page.policy.p);
    if (!same) {
        say(&a, "Content-Type: %.*s\r\nContent-Length: %zu\r\n",
            (int)p->page.type.len, (const char *)p->page.type.p,
            p->page.body.len);
    }
    say(&a, "\r\n");
    return finish(web->mem, &a,
                  same || !body ? view_make(NULL, 0) : p->page.body, out);
}

/* ------------------------------------------------------------------ names */
static bool
take_end(struct view *v, const char *end)
{
    size_t n = strlen(end);

    if (v->len < n || memcmp(v->p + v->len - n, end, n) != 0) {
        return false;
    }
    v->len -= n;
    return true;
}

/* Without a port, if there is one. */
static struct view
no_port(struct view host)
{
    size_t end = host.len;

    while (end > 0 && host.p[end - 1] >= '0' && host.p[end - 1] <= '9') {
        end--;
    }
    if (end > 0 && end < host.len && host.p[end - 1] == ':') {
        host.len = end - 1;
    }
    return host;
}

/* "localhost", "127.0.0.1" or "[::1]", with any port. */
static bool
is_loopback(struct view host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};

    host = no_port(host);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (view_equal(host, view_str(names[i]))) {
            return true;
        }
    }
    return false;
}

/* Our name as the request says it: *out in lower case, without the scheme's
 * own port.  False: another host. */
static bool
our_host(const struct fed_web *web, bool tls, struct view said, char *out)
{
    struct view v;

    if (said.len == 0 || said.len > FED_WEB_HOST_MAX) {
        return false;
    }
    for (size_t i = 0; i < said.len; i++) {
        char c = (char)said.p[i];

        out[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    v = view_make(out, said.len);
    (void)take_end(&v, tls || !is_loopback(v) ? ":443" : ":80");
    out[v.len] = '\0';
    if (web->host[0] == '\0') {
        return is_loopback(v);
    }
    return strcmp(out, web->host) == 0 ||
           view_equal(no_port(v), view_str(web->host));
}

/* A browser says where the page is from that opens the socket. */
static bool
our_origin(bool tls, const char *host, const struct fed_http_head *head)
{
    struct view origin = head->value[FED_HTTP_ORIGIN];
    char want[FED_WEB_HOST_MAX + 16];

    if (!head->has[FED_HTTP_ORIGIN]) {
        return true; /* not a browser: nothing of others' can be misused */
    }
    (void)snprintf(want, sizeof(want), "https://%s", host);
    if (view_equal(origin, view_str(want))) {
        return true;
    }
    (void)snprintf(want, sizeof(want), "http://%s", host);
    return !tls && is_loopback(view_str(host)) &&
           view_equal(origin, view_str(want));
}

/* -------------------------------------------------------------- websocket */
/* RFC 6455 4.2.1 */
static bool
is_upgrade(const struct fed_http_head *head)
{
    return head->minor == 1 &&
           fed_http_list_has(head->value[FED_HTTP_CONNECTION], "upgrade") &&
           fed_http_list_has(head->value[FED_HTTP_UPGRADE], "websocket");
}

static enum err
upgrade(const struct fed_web *web, bool tls, const char *host,
        const struct fed_http_head *head, enum fed_web_reply *reply_out,
        struct bytes *out)
{
    char accept[TLSP_WS_ACCEPT + 1];
    struct answer a = {.len = 0};
    enum err e;

    if (!is_upgrade(head) ||
        !view_equal(head->value[FED_HTTP_WS_VERSION], VIEW_LIT("13"))) {
        return plain(web, tls, "426 Upgrade Required",
                     "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
                     "This address is for the app.\n", true, out);
    }
    if (!our_origin(tls, host, head)) {
        return plain(web, tls, "403 Forbidden", "",
                     "Another site may not use this address.\n", true, out);
    }
    e = tlsp_ws_accept(head->value[FED_HTTP_WS_KEY], accept);
    if (e == ERR_FORMAT || !fed_http_list_has(head->value[FED_HTTP_WS_PROTOCOL],
                                              FED_WEB_PROTOCOL)) {
        return plain(web, tls, "400 Bad Request", "",
                     "This is not a request of the app.\n", true, out);
    }
    TRY(e);
    say(&a,
        "HTTP/1.1 101 Switching Protocols\r\n"
        "Connection: Upgrade\r\n"
        "Upgrade: websocket\r\n"
        "Sec-WebSocket-Accept: %s\r\n"
        "Sec-WebSocket-Protocol: %s\r\n\r\n",
        accept, FED_WEB_PROTOCOL);
    TRY(finish(web->mem, &a, view_make(NULL, 0), out));
    *reply_out = FED_WEB_UPGRADE;
out:
    return e;
}

/* ---------------------------------------------------------------- requests */
static enum err
refuse_unread(const struct fed_web *web, bool tls, enum err e,
              struct bytes *out)
{
    if (e == ERR_LIMIT) {
        return plain(web, tls, "431 Request Header Fields Too Large", "",
                     "The request is too long.\n", true, out);
    }
    if (e == ERR_UNSUPPORTED) {
        return plain(web, tls, "505 HTTP Version Not Supported", "",
                     "Only HTTP/1.1 is spoken here.\n", true, out);
    }
    return plain(web, tls, "400 Bad Request", "",
                 "This is not a request that can be answered.\n", true, out);
}

/* Of a path's pages the one in the language that is wanted most. */
static const struct fed_web_own_page *
find_page(const struct fed_web *web, const struct fed_http_head *head)
{
    struct view langs[FED_WEB_PAGES_MAX];
    const struct fed_web_own_page *of[FED_WEB_PAGES_MAX];
    size_t len = 0;

    for (size_t i = 0; i < web->pages_len; i++) {
        if (view_equal(web->pages[i].page.path, head->path)) {
            langs[len] = web->pages[i].page.lang;
            of[len++] = &web->pages[i];
        }
    }
    return len == 0 ? NULL
                    : of[fed_http_language(
                          head->value[FED_HTTP_ACCEPT_LANGUAGE], langs, len)];
}

enum err
fed_web_answer(const struct fed_web *web, bool tls, enum err read,
               const struct fed_http_head *head, char *host,
               enum fed_web_reply *reply_out, struct bytes *out)
{
    const struct fed_web_own_page *p;
    bool get;

    *reply_out = FED_WEB_CLOSE;
    if (read != OK) {
        return refuse_unread(web, tls, read, out);
    }
    get = view_equal(head->method, VIEW_LIT("GET"));
    if (fed_http_has_body(head)) {
        return plain(web, tls, "413 Content Too Large", "",
                     "Nothing is taken here.\n", true, out);
    }
    if (!our_host(web, tls, head->value[FED_HTTP_HOST], host)) {
        return plain(web, tls, "421 Misdirected Request", "",
                     "Another server has this name.\n", true, out);
    }
    if (!get && !view_equal(head->method, VIEW_LIT("HEAD"))) {
        return plain(web, tls, "405 Method Not Allowed", "Allow: GET, HEAD\r\n",
                     "This page can only be read.\n", true, out);
    }
    if (get && view_equal(head->path, view_str(FED_WEB_DEVICE))) {
        return upgrade(web, tls, host, head, reply_out, out);
    }
    p = find_page(web, head);
    if (p == NULL) {
        return plain(web, tls, "404 Not Found", "",
                     "There is no page at this address.\n", get, out);
    }
    return page(web, tls, p, head, get, out);
}
