/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names to addresses on threads of our own: nng aborts the process when a DNS
 * dial times out and has four resolver threads for everything, so it only
 * ever sees numeric addresses.  Answers are cached for a minute, failures for
 * five seconds.
 */
#ifndef FEDERATION_RESOLVE_H
#define FEDERATION_RESOLVE_H

#include "federation/addr.h"
#include "proto/base/clock.h"

struct fed_resolver;

enum {
    FED_RESOLVE_MAX = 8
};

/* Exactly one call per question, on a resolver thread or from fed_resolve. */
struct fed_resolve_user {
    /*
     * n addresses with the port asked for, IPv6 and IPv4 taking turns.
     * ERR_MISSING  no such name;  ERR_AGAIN  no answer now;  ERR_STATE  closed
     */
    void (*on_resolved)(void *ctx, enum err e, const struct fed_ip *ips,
                        size_t n);
    void *ctx;
};

/* How a name is looked up; NULL is getaddrinfo.  For tests. */
struct fed_lookup {
    enum err (*lookup)(void *ctx, const char *host, struct fed_ip *out,
                       size_t cap, size_t *n_out);
    void *ctx;
};

/*
 * threads of them at most, 1 to 8, started by what is asked: a node whose peers
 * have numeric addresses has none.  mem and clock must outlive it.
 */
MUST_CHECK enum err fed_resolver_new(const struct mem *mem,
                                     const struct clock *clock,
                                     const struct fed_lookup *lookup,
                                     size_t threads, struct fed_resolver **out);

/*
 * Ask.  Numeric and cached answers come at once, from inside the call.
 * ERR_LIMIT  too many questions are waiting;  ERR_NOMEM
 */
MUST_CHECK enum err fed_resolve(struct fed_resolver *r,
                                const struct fed_addr *addr,
                                const struct fed_resolve_user *user);

/*
 * Answer all that wait, and whoever still asks, with ERR_STATE.  A look-up
 * that hangs in the system does not hold it up.  Returns when no callback is
 * about to begin; one may be under way.
 */
void fed_resolver_close(struct fed_resolver *r);

/*
 * Close and let go; a thread that hangs in the system ends by itself later,
 * so mem and clock must then be there still.  r may be NULL.
 */
void fed_resolver_free(struct fed_resolver *r);

#endif
