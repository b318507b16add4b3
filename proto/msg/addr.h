/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Typed addresses of a node: where it can be dialled (decisions B 8).  A DNS
 * name, an IP address, or "via": a node that agreed to splice us through, with
 * its root and its own address.  In links and statements an address is a few
 * bytes; for people it is "name:port", "1.2.3.4:port", "[2001:db8::1]:port" or
 * "via:<64 hex digits>@name:port".
 */
#ifndef PROTO_MSG_ADDR_H
#define PROTO_MSG_ADDR_H

#include "proto/base/id.h"
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"

/* A DNS name without its NUL: RFC 1035 2.3.4. */
enum {
    PROTO_HOST_MAX = 253,
    PROTO_ADDR_TEXT_MAX = 400
};

/* The numbers are on the wire. */
enum proto_addr_kind {
    PROTO_ADDR_SAME = 0, /* links only: the host of the link itself */
    PROTO_ADDR_DNS = 1,
    PROTO_ADDR_IP4 = 2,
    PROTO_ADDR_IP6 = 3
};

struct proto_addr {
    enum proto_addr_kind kind;
    uint16_t port;
    bool via;                      /* the address is that of a splicing node */
    struct clinic_id via_root;     /* and this its root */
    uint8_t ip[16];                /* IP4: the first four */
    char host[PROTO_HOST_MAX + 1]; /* DNS: lower case */
};

/* From text as above.  ERR_INVALID  not an address */
MUST_CHECK enum err proto_addr_parse(struct view text, struct proto_addr *out);

/* As text, NUL-terminated. */
void proto_addr_format(const struct proto_addr *a,
                       char out[PROTO_ADDR_TEXT_MAX]);

bool proto_addr_equal(const struct proto_addr *a, const struct proto_addr *b);

/* From how far an address can be dialled, as its number says. */
enum proto_addr_scope {
    PROTO_SCOPE_HOST, /* 127.0.0.0/8, ::1, unspecified, the name localhost */
    PROTO_SCOPE_NET,  /* private (RFC 1918, RFC 4193), link-local (RFC 3927,
                         RFC 4291 2.5.6), behind a carrier's NAT (RFC 6598) */
    PROTO_SCOPE_ANY   /* any other address; a name: who looks it up will see */
};

/* IPv4 in an IPv6 address (RFC 4291 2.5.5.2) counts as what it holds. */
enum proto_addr_scope proto_addr_scope(const struct proto_addr *a);

/* The few bytes of a, appended to b (not SAME with via). */
MUST_CHECK enum err proto_addr_append(const struct mem *mem, struct bytes *b,
                                      const struct proto_addr *a);

/*
 * Take one address off the front of *in.
 * ERR_FORMAT       malformed
 * ERR_UNSUPPORTED  a kind that we do not know
 */
MUST_CHECK enum err proto_addr_take(struct view *in, struct proto_addr *out);

/* In msgpack: a byte string of those bytes; never SAME. */
void proto_wr_addr(struct proto_wr *w, const struct proto_addr *a);
void proto_rd_addr(struct proto_rd *r, struct proto_addr *out);

#endif
