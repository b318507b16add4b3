/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request heads from anybody.  What we take, Debian's http-parser takes too and
 * sees the same in: method, target, number of headers that we look at, end of
 * the head.  Cutting the input into pieces changes nothing.
 */
#include "federation/http.h"
#include "proto/base/assert.h"

#include <http_parser.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    struct view url;
    size_t hosts;
    struct view field;
    struct view host;
    bool done;
};

static int
on_url(http_parser *p, const char *at, size_t len)
{
    ((struct seen *)p->data)->url = view_make(at, len);
    return 0;
}

static int
on_field(http_parser *p, const char *at, size_t len)
{
    ((struct seen *)p->data)->field = view_make(at, len);
    return 0;
}

static int
on_value(http_parser *p, const char *at, size_t len)
{
    struct seen *s = p->data;

    if (fed_http_same(s->field, VIEW_LIT("host"))) {
        s->hosts++;
        s->host = view_make(at, len);
    }
    return 0;
}

static int
on_complete(http_parser *p)
{
    ((struct seen *)p->data)->done = true;
    http_parser_pause(p, 1);
    return 0;
}

static bool
known_method(struct view method)
{
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "DELETE"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (view_equal(method, view_str(names[i]))) {
            return true;
        }
    }
    return false;
}

static struct view
trim(struct view v)
{
    while (v.len > 0 && (v.p[v.len - 1] == ' ' || v.p[v.len - 1] == '\t')) {
        v.len--;
    }
    return v;
}

/* The other reader's opinion of a head that we took. */
static void
compare(struct view in, const struct fed_http_head *h)
{
    http_parser_settings settings;
    http_parser p;
    struct seen s = {.hosts = 0};

    if (!known_method(h->method) || fed_http_has_body(h)) {
        return; /* it knows fewer methods; bodies are refused */
    }
    if (h->has[FED_HTTP_CONTENT_LENGTH]) {
        return;
    }
    http_parser_settings_init(&settings);
    settings.on_url = on_url;
    settings.on_header_field = on_field;
    settings.on_header_value = on_value;
    settings.on_headers_complete = on_complete;
    http_parser_init(&p, HTTP_REQUEST);
    p.data = &s;
    (void)http_parser_execute(&p, &settings, (const char *)in.p, h->len);
    ASSERT(s.done);
    ASSERT(view_equal(view_str(http_method_str((enum http_method)p.method)),
                      h->method));
    ASSERT(s.url.len >= h->path.len &&
           memcmp(s.url.p, h->path.p, h->path.len) == 0);
    ASSERT(s.hosts == 1);
    ASSERT(view_equal(trim(s.host), h->value[FED_HTTP_HOST]));
    ASSERT(p.http_major == 1 && p.http_minor == h->minor);
}

/* One of ours, and one that it names if it is not the first. */
static void
languages(struct view accept)
{
    static const struct view tags[] = {{(const uint8_t *)"en", 2},
                                       {(const uint8_t *)"de", 2}};
    size_t at = fed_http_language(accept, tags, 2);
    bool named = false;

    for (size_t i = 0; i + 2 <= accept.len; i++) {
        named = named || fed_http_same(view_sub(accept, i, 2), tags[1]);
    }
    ASSERT(at == 0 || (at == 1 && named));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = view_make(data, size);
    struct fed_http_head h;
    struct fed_http_head again;
    enum err e;

    if (size > 8192) {
        return 0;
    }
    e = fed_http_read(in, 0, &h);
    if (e != OK) {
        return 0;
    }
    ASSERT(h.len <= size);
    ASSERT(fed_http_read(view_sub(in, 0, h.len), h.len - 1, &again) == OK);
    ASSERT(fed_http_read(view_sub(in, 0, h.len - 1), 0, &again) == ERR_AGAIN);
    compare(in, &h);
    languages(h.value[FED_HTTP_ACCEPT_LANGUAGE]);
    return 0;
}
