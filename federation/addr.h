/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a node can be reached: a host (DNS name, IPv4 or IPv6 in digits) and a
 * TCP port.  As text "host:port" or "[v6]:port".  Pure.
 */
#ifndef FEDERATION_ADDR_H
#define FEDERATION_ADDR_H

#include "proto/base/bytes.h"

/* RFC 1035: 253 characters.  host_text + ":65535" */
enum {
    FED_HOST_MAX = 253,
    FED_ADDR_TEXT_MAX = FED_HOST_MAX + 8
};

struct fed_addr {
    char host[FED_HOST_MAX + 1]; /* no brackets */
    uint16_t port;
};

/* A numeric address: what the network core works with. */
struct fed_ip {
    uint8_t family; /* 4 or 6; 0 is no address */
    uint8_t b[16];  /* network order; the first 4 for IPv4 */
    uint16_t port;
};

/*
 * Read "host:port".  Hosts are letters, digits, hyphens and dots, or a literal
 * IPv6 address in brackets.
 * ERR_FORMAT  anything else, or no port and default_port is 0
 */
MUST_CHECK enum err fed_addr_parse(struct view text, uint16_t default_port,
                                   struct fed_addr *out);

/* "host:port" or "[v6]:port", NUL-terminated. */
void fed_addr_text(const struct fed_addr *a, char out[FED_ADDR_TEXT_MAX + 1]);

/* The address itself when host is numeric.  ERR_MISSING  it is a name */
MUST_CHECK enum err fed_addr_numeric(const struct fed_addr *a,
                                     struct fed_ip *out);

/* The text form of a numeric address. */
void fed_ip_addr(const struct fed_ip *ip, struct fed_addr *out);

/* Only this machine can connect to it. */
bool fed_ip_is_loopback(const struct fed_ip *ip);

/* Same host (not port): IPv4 whole, IPv6 by its /64. */
bool fed_ip_same_site(const struct fed_ip *a, const struct fed_ip *b);

#endif
