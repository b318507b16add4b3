/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static bool
host_char(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '.';
}

static enum err
read_port(struct view v, uint16_t *out)
{
    uint32_t n = 0;

    if (v.len == 0 || v.len > 5 || (v.len > 1 && v.p[0] == '0')) {
        return ERR_FORMAT;
    }
    for (size_t i = 0; i < v.len; i++) {
        if (v.p[i] < '0' || v.p[i] > '9') {
            return ERR_FORMAT;
        }
        n = n * 10 + (uint32_t)(v.p[i] - '0');
    }
    if (n > UINT16_MAX) {
        return ERR_FORMAT;
    }
    *out = (uint16_t)n;
    return OK;
}

static size_t
find(struct view v, uint8_t c)
{
    size_t i = 0;

    while (i < v.len && v.p[i] != c) {
        i++;
    }
    return i;
}

/* A literal in brackets, or letters, digits, hyphens and dots. */
static bool
host_valid(const char *host, size_t len, bool v6)
{
    uint8_t ip[16];

    if (v6) {
        return strlen(host) == len && inet_pton(AF_INET6, host, ip) == 1;
    }
    for (size_t i = 0; i < len; i++) {
        if (!host_char((uint8_t)host[i])) {
            return false;
        }
    }
    return true;
}

enum err
fed_addr_parse(struct view text, uint16_t default_port, struct fed_addr *out)
{
    enum err e = OK;
    struct fed_addr a = {.port = default_port};
    struct view host = text;
    struct view rest;
    bool v6 = text.len > 0 && text.p[0] == '[';
    size_t end = find(text, v6 ? ']' : ':');

    if (v6) {
        TRY(end < text.len ? OK : ERR_FORMAT);
        host = view_sub(text, 1, end - 1);
        rest = view_skip(text, end + 1);
    } else {
        host = view_sub(text, 0, end);
        rest = view_skip(text, end);
    }
    TRY(host.len > 0 && host.len <= FED_HOST_MAX ? OK : ERR_FORMAT);
    memcpy(a.host, host.p, host.len);
    TRY(host_valid(a.host, host.len, v6) ? OK : ERR_FORMAT);
    if (rest.len > 0) {
        TRY(rest.p[0] == ':' ? OK : ERR_FORMAT);
        TRY(read_port(view_skip(rest, 1), &a.port));
    } else {
        TRY(default_port != 0 ? OK : ERR_FORMAT);
    }
    *out = a;
out:
    return e;
}

void
fed_addr_text(const struct fed_addr *a, char out[FED_ADDR_TEXT_MAX + 1])
{
    bool v6 = strchr(a->host, ':') != NULL;

    (void)snprintf(out, FED_ADDR_TEXT_MAX + 1, v6 ? "[%s]:%u" : "%s:%u",
                   a->host, (unsigned)a->port);
}

enum err
fed_addr_numeric(const struct fed_addr *a, struct fed_ip *out)
{
    struct fed_ip ip = {.port = a->port};

    if (inet_pton(AF_INET, a->host, ip.b) == 1) {
        ip.family = 4;
    } else if (inet_pton(AF_INET6, a->host, ip.b) == 1) {
        ip.family = 6;
    } else {
        return ERR_MISSING;
    }
    *out = ip;
    return OK;
}

void
fed_ip_addr(const struct fed_ip *ip, struct fed_addr *out)
{
    *out = (struct fed_addr){.port = ip->port};
    if (ip->family != 0) {
        (void)inet_ntop(ip->family == 4 ? AF_INET : AF_INET6, ip->b, out->host,
                        sizeof(out->host));
    }
}

bool
fed_ip_same_site(const struct fed_ip *a, const struct fed_ip *b)
{
    return a->family == b->family &&
           memcmp(a->b, b->b, a->family == 4 ? 4 : 8) == 0;
}

bool
fed_ip_is_loopback(const struct fed_ip *ip)
{
    static const uint8_t six[16] = {[15] = 1};

    return ip->family == 4   ? ip->b[0] == 127
           : ip->family == 6 ? memcmp(ip->b, six, sizeof(six)) == 0
                             : false;
}
