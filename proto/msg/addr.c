/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/msg/addr.h"

#include "proto/base/assert.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* The first byte of an address: its kind, and whether a root precedes it. */
enum {
    VIA = 0x80,
    IP4_SIZE = 4,
    IP6_SIZE = 16
};

/* Letters, digits, hyphens, dots between labels; lower case. */
static bool
host_valid(const char *host, size_t len)
{
    size_t label = 0;

    if (len == 0 || len > PROTO_HOST_MAX) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        char c = host[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        if (c == '.') {
            if (label == 0 || host[i - 1] == '-') {
                return false;
            }
            label = 0;
            continue;
        }
        if (!word && (c != '-' || label == 0)) {
            return false;
        }
        if (++label > 63) {
            return false;
        }
    }
    return label > 0 && host[len - 1] != '-';
}

static bool
parse_port(const char *s, uint16_t *out)
{
    uint32_t n = 0;

    if (*s == '\0' || *s == '0') {
        return false;
    }
    for (; *s != '\0'; s++) {
        if (*s < '0' || *s > '9') {
            return false;
        }
        n = n * 10 + (uint32_t)(*s - '0');
        if (n > UINT16_MAX) {
            return false;
        }
    }
    *out = (uint16_t)n;
    return true;
}

static bool
parse_via(char **s, struct proto_addr *a)
{
    static const char prefix[] = "via:";
    size_t hex = 2 * sizeof(a->via_root.b);
    char *p = *s;

    if (strncmp(p, prefix, sizeof(prefix) - 1) != 0) {
        return true;
    }
    p += sizeof(prefix) - 1;
    if (strlen(p) <= hex || p[hex] != '@' ||
        proto_unhex(view_make(p, hex), a->via_root.b, sizeof(a->via_root.b)) !=
            OK) {
        return false;
    }
    a->via = true;
    *s = p + hex + 1;
    return true;
}

static bool
parse_host(char *host, struct proto_addr *a)
{
    size_t len = strlen(host);

    if (inet_pton(AF_INET, host, a->ip) == 1) {
        a->kind = PROTO_ADDR_IP4;
        return true;
    }
    if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        a->kind = PROTO_ADDR_IP6;
        return inet_pton(AF_INET6, host + 1, a->ip) == 1;
    }
    for (size_t i = 0; i < len; i++) {
        if (host[i] >= 'A' && host[i] <= 'Z') {
            host[i] = (char)(host[i] - 'A' + 'a');
        }
    }
    if (!host_valid(host, len)) {
        return false;
    }
    a->kind = PROTO_ADDR_DNS;
    memcpy(a->host, host, len + 1);
    return true;
}

enum err
proto_addr_parse(struct view text, struct proto_addr *out)
{
    struct proto_addr a = {0};
    char buf[PROTO_ADDR_TEXT_MAX];
    char *s = buf;
    char *colon;

    if (text.len == 0 || text.len >= sizeof(buf) ||
        memchr(text.p, 0, text.len) != NULL) {
        return ERR_INVALID;
    }
    memcpy(buf, text.p, text.len);
    buf[text.len] = '\0';
    if (!parse_via(&s, &a)) {
        return ERR_INVALID;
    }
    colon = strrchr(s, ':');
    if (colon == NULL || !parse_port(colon + 1, &a.port)) {
        return ERR_INVALID;
    }
    *colon = '\0';
    if (!parse_host(s, &a)) {
        return ERR_INVALID;
    }
    *out = a;
    return OK;
}

void
proto_addr_format(const struct proto_addr *a, char out[PROTO_ADDR_TEXT_MAX])
{
    char ip[INET6_ADDRSTRLEN] = "";
    char via[sizeof("via:@") + PROTO_HEX_MAX] = "";
    const char *host = a->host;
    const char *open = "";
    const char *close = "";

    if (a->via) {
        char hex[PROTO_HEX_MAX + 1];

        proto_hex(clinic_id_view(&a->via_root), hex);
        (void)snprintf(via, sizeof(via), "via:%s@", hex);
    }
    if (a->kind == PROTO_ADDR_IP4) {
        host = inet_ntop(AF_INET, a->ip, ip, sizeof(ip));
    } else if (a->kind == PROTO_ADDR_IP6) {
        host = inet_ntop(AF_INET6, a->ip, ip, sizeof(ip));
        open = "[";
        close = "]";
    }
    (void)snprintf(out, PROTO_ADDR_TEXT_MAX, "%s%s%s%s:%u", via, open,
                   host == NULL ? "" : host, close, (unsigned)a->port);
}

/* A block of addresses: the first bits of them. */
struct block {
    uint8_t b[16];
    uint8_t bits;
    enum proto_addr_scope scope;
};

static const struct block blocks4[] = {
    {{0}, 8, PROTO_SCOPE_HOST},        {{127}, 8, PROTO_SCOPE_HOST},
    {{10}, 8, PROTO_SCOPE_NET},        {{172, 16}, 12, PROTO_SCOPE_NET},
    {{192, 168}, 16, PROTO_SCOPE_NET}, {{169, 254}, 16, PROTO_SCOPE_NET},
    {{100, 64}, 10, PROTO_SCOPE_NET},
};

static const struct block blocks6[] = {
    {{0}, 128, PROTO_SCOPE_HOST},
    {{[15] = 1}, 128, PROTO_SCOPE_HOST},
    {{0xfc}, 7, PROTO_SCOPE_NET},
    {{0xfe, 0x80}, 10, PROTO_SCOPE_NET},
};

static bool
is_in(const uint8_t *ip, const struct block *block)
{
    size_t whole = block->bits / 8;
    uint8_t rest = (uint8_t)(0xff00 >> block->bits % 8);

    return memcmp(ip, block->b, whole) == 0 &&
           (block->bits % 8 == 0 || (ip[whole] & rest) == block->b[whole]);
}

static enum proto_addr_scope
scope_of(const uint8_t *ip, const struct block *blocks, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (is_in(ip, &blocks[i])) {
            return blocks[i].scope;
        }
    }
    return PROTO_SCOPE_ANY;
}

enum proto_addr_scope
proto_addr_scope(const struct proto_addr *a)
{
    static const uint8_t mapped[12] = {[10] = 0xff, 0xff};

    switch (a->kind) {
    case PROTO_ADDR_IP4:
        return scope_of(a->ip, blocks4, sizeof(blocks4) / sizeof(blocks4[0]));
    case PROTO_ADDR_IP6:
        return memcmp(a->ip, mapped, sizeof(mapped)) == 0
                   ? scope_of(a->ip + 12, blocks4,
                              sizeof(blocks4) / sizeof(blocks4[0]))
                   : scope_of(a->ip, blocks6,
                              sizeof(blocks6) / sizeof(blocks6[0]));
    case PROTO_ADDR_DNS:
        return strcmp(a->host, "localhost") == 0 ? PROTO_SCOPE_HOST
                                                 : PROTO_SCOPE_ANY;
    case PROTO_ADDR_SAME:
    default:
        return PROTO_SCOPE_ANY;
    }
}

bool
proto_addr_equal(const struct proto_addr *a, const struct proto_addr *b)
{
    return a->kind == b->kind && a->port == b->port && a->via == b->via &&
           clinic_id_equal(&a->via_root, &b->via_root) &&
           memcmp(a->ip, b->ip, sizeof(a->ip)) == 0 &&
           strcmp(a->host, b->host) == 0;
}

enum err
proto_addr_append(const struct mem *mem, struct bytes *b,
                  const struct proto_addr *a)
{
    enum err e;
    size_t before = b->len;
    size_t host = strlen(a->host);
    uint8_t first = (uint8_t)((unsigned)a->kind | (a->via ? VIA : 0u));
    uint8_t port[2] = {(uint8_t)(a->port >> 8), (uint8_t)a->port};
    uint8_t host_len = (uint8_t)host;

    ASSERT(!a->via || a->kind != PROTO_ADDR_SAME);
    TRY(bytes_append(mem, b, view_make(&first, 1)));
    if (a->via) {
        TRY(bytes_append(mem, b, clinic_id_view(&a->via_root)));
    }
    switch (a->kind) {
    case PROTO_ADDR_SAME:
        break;
    case PROTO_ADDR_DNS:
        TRY(bytes_append(mem, b, view_make(&host_len, 1)));
        TRY(bytes_append(mem, b, view_make(a->host, host)));
        break;
    case PROTO_ADDR_IP4:
        TRY(bytes_append(mem, b, view_make(a->ip, IP4_SIZE)));
        break;
    case PROTO_ADDR_IP6:
        TRY(bytes_append(mem, b, view_make(a->ip, IP6_SIZE)));
        break;
    }
    TRY(bytes_append(mem, b, VIEW_ARRAY(port)));
out:
    if (e != OK) {
        bytes_truncate(b, before);
    }
    return e;
}

/* Copy len bytes off the front of in. */
static enum err
take(struct view *in, void *out, size_t len)
{
    if (in->len < len) {
        return ERR_FORMAT;
    }
    if (len > 0) {
        memcpy(out, in->p, len);
        *in = view_skip(*in, len);
    }
    return OK;
}

static enum err
take_host(struct view *in, struct proto_addr *a)
{
    enum err e;
    uint8_t len;

    switch (a->kind) {
    case PROTO_ADDR_SAME:
        return a->via ? ERR_FORMAT : OK;
    case PROTO_ADDR_DNS:
        TRY(take(in, &len, 1));
        if (len > PROTO_HOST_MAX) {
            return ERR_FORMAT;
        }
        TRY(take(in, a->host, len));
        return host_valid(a->host, len) ? OK : ERR_FORMAT;
    case PROTO_ADDR_IP4:
        return take(in, a->ip, IP4_SIZE);
    case PROTO_ADDR_IP6:
        return take(in, a->ip, IP6_SIZE);
    }
    e = ERR_UNSUPPORTED;
out:
    return e;
}

enum err
proto_addr_take(struct view *in, struct proto_addr *out)
{
    enum err e;
    struct proto_addr a = {0};
    struct view left = *in;
    uint8_t first;
    uint8_t port[2];

    TRY(take(&left, &first, 1));
    if ((first & 0x7f) > PROTO_ADDR_IP6) {
        return ERR_UNSUPPORTED;
    }
    a.kind = (enum proto_addr_kind)(first & 0x7f);
    a.via = (first & VIA) != 0;
    if (a.via) {
        TRY(take(&left, a.via_root.b, sizeof(a.via_root.b)));
    }
    TRY(take_host(&left, &a));
    TRY(take(&left, port, sizeof(port)));
    a.port = (uint16_t)(port[0] << 8 | port[1]);
    if (a.port == 0) {
        return ERR_FORMAT;
    }
    *in = left;
    *out = a;
out:
    return e;
}

void
proto_wr_addr(struct proto_wr *w, const struct proto_addr *a)
{
    struct bytes b = {0};
    enum err e = proto_addr_append(w->mem, &b, a);

    ASSERT(a->kind != PROTO_ADDR_SAME);
    if (e != OK) {
        proto_wr_fail(w, e);
    }
    proto_wr_bin(w, view_of(&b));
    bytes_free(&b);
}

void
proto_rd_addr(struct proto_rd *r, struct proto_addr *out)
{
    struct view v = proto_rd_bin(r, PROTO_ADDR_TEXT_MAX);
    enum err e = proto_addr_take(&v, out);

    if (e == OK && (v.len > 0 || out->kind == PROTO_ADDR_SAME)) {
        e = ERR_FORMAT;
    }
    if (e != OK) {
        proto_rd_fail(r, e);
        *out = (struct proto_addr){0};
    }
}
