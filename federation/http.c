/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/http.h"

#include <string.h>

static const char *const names[FED_HTTP_NAME_COUNT] = {
    "host",
    "origin",
    "connection",
    "upgrade",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-protocol",
    "if-none-match",
    "accept-language",
    "content-length",
    "transfer-encoding",
};

static uint8_t
lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

bool
fed_http_same(struct view a, struct view b)
{
    bool same = a.len == b.len;

    for (size_t i = 0; same && i < a.len; i++) {
        same = lower(a.p[i]) == lower(b.p[i]);
    }
    return same;
}

static bool
is_token(uint8_t c)
{
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') ||
           (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool
is_space(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static struct view
trim(struct view v)
{
    while (v.len > 0 && is_space(v.p[0])) {
        v = view_skip(v, 1);
    }
    while (v.len > 0 && is_space(v.p[v.len - 1])) {
        v.len--;
    }
    return v;
}

/* The offset of c, or v.len. */
static size_t
find(struct view v, uint8_t c)
{
    const uint8_t *at = v.len == 0 ? NULL : memchr(v.p, c, v.len);

    return at == NULL ? v.len : (size_t)(at - v.p);
}

/* The offset behind the empty line, or 0. */
static size_t
head_end(struct view in, size_t from)
{
    for (size_t i = from; i + 4 <= in.len; i++) {
        if (memcmp(in.p + i, "\r\n\r\n", 4) == 0) {
            return i + 4;
        }
    }
    return 0;
}

/* Take a line off the front of *in, which ends with one.  RFC 9112 2.2
 * [http-lines] */
static enum err
take_line(struct view *in, struct view *line)
{
    size_t n = find(*in, '\n');

    if (n == in->len || n == 0 || in->p[n - 1] != '\r') {
        return ERR_FORMAT;
    }
    *line = view_sub(*in, 0, n - 1);
    *in = view_skip(*in, n + 1);
    return OK;
}

/* Take what is before the next space. */
static struct view
take_word(struct view *line)
{
    size_t n = find(*line, ' ');
    struct view word = view_sub(*line, 0, n);

    *line = view_skip(*line, n < line->len ? n + 1 : n);
    return word;
}

static bool
all_tokens(struct view v)
{
    bool ok = v.len > 0;

    for (size_t i = 0; ok && i < v.len; i++) {
        ok = is_token(v.p[i]);
    }
    return ok;
}

/* RFC 9112 3.2.1: only the origin form [http-target] */
static enum err
read_target(struct view target, struct fed_http_head *out)
{
    size_t n = find(target, '?');

    if (target.len == 0 || target.p[0] != '/') {
        return ERR_FORMAT;
    }
    for (size_t i = 0; i < target.len; i++) {
        if (target.p[i] <= ' ' || target.p[i] >= 0x7f || target.p[i] == '#') {
            return ERR_FORMAT;
        }
    }
    out->path = view_sub(target, 0, n);
    if (n < target.len) {
        out->query = view_skip(target, n + 1);
    }
    return OK;
}

/* RFC 9112 3 [http-request-line] */
static enum err
read_request(struct view line, struct fed_http_head *out)
{
    struct view target;
    enum err e;

    out->method = take_word(&line);
    target = take_word(&line);
    TRY(all_tokens(out->method) ? OK : ERR_FORMAT);
    TRY(read_target(target, out));
    TRY(line.len == 8 && memcmp(line.p, "HTTP/", 5) == 0 && line.p[5] >= '0' &&
                line.p[5] <= '9' && line.p[6] == '.' && line.p[7] >= '0' &&
                line.p[7] <= '9'
            ? OK
            : ERR_FORMAT);
    TRY(line.p[5] == '1' && line.p[7] <= '1' ? OK : ERR_UNSUPPORTED);
    out->minor = (uint8_t)(line.p[7] - '0');
out:
    return e;
}

/* RFC 9112 5: no space before the colon, nothing folded [http-header] */
static enum err
read_header(struct view line, struct fed_http_head *out)
{
    size_t n = find(line, ':');
    struct view name = view_sub(line, 0, n);
    struct view value;

    if (n == line.len || !all_tokens(name)) {
        return ERR_FORMAT;
    }
    value = trim(view_skip(line, n + 1));
    for (size_t i = 0; i < value.len; i++) {
        if ((value.p[i] < ' ' && value.p[i] != '\t') || value.p[i] == 0x7f) {
            return ERR_FORMAT;
        }
    }
    for (size_t i = 0; i < FED_HTTP_NAME_COUNT; i++) {
        if (fed_http_same(name, view_str(names[i]))) {
            /* one meaning for everybody who reads it [http-twice] */
            if (out->has[i]) {
                return ERR_FORMAT;
            }
            out->has[i] = true;
            out->value[i] = value;
        }
    }
    return OK;
}

enum err
fed_http_read(struct view in, size_t seen, struct fed_http_head *out)
{
    struct fed_http_head h = {.len = 0};
    struct view line;
    enum err e;
    size_t lines = 0;

    /* so that what is no HTTP at all is not waited for */
    TRY(in.len == 0 || (in.p[0] >= 'A' && in.p[0] <= 'Z') ? OK : ERR_FORMAT);
    h.len = head_end(in, seen > 3 ? seen - 3 : 0);
    TRY(h.len > 0 ? OK : ERR_AGAIN);
    in.len = h.len - 2;
    TRY(take_line(&in, &line));
    TRY(read_request(line, &h));
    while (in.len > 0) {
        TRY(++lines <= FED_HTTP_HEADERS_MAX ? OK : ERR_LIMIT);
        TRY(take_line(&in, &line));
        TRY(read_header(line, &h));
    }
    /* RFC 9112 3.2 [http-host] */
    TRY(h.has[FED_HTTP_HOST] ? OK : ERR_FORMAT);
    *out = h;
out:
    return e;
}

bool
fed_http_has_body(const struct fed_http_head *head)
{
    return head->has[FED_HTTP_TRANSFER_ENCODING] ||
           (head->has[FED_HTTP_CONTENT_LENGTH] &&
            !view_equal(head->value[FED_HTTP_CONTENT_LENGTH], VIEW_LIT("0")));
}

bool
fed_http_list_has(struct view list, const char *word)
{
    while (list.len > 0) {
        size_t n = find(list, ',');

        if (fed_http_same(trim(view_sub(list, 0, n)), view_str(word))) {
            return true;
        }
        list = view_skip(list, n < list.len ? n + 1 : n);
    }
    return false;
}
