/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether an address of ours can be dialled, as far as this machine can tell:
 * it opens a connection to it and sees whether this very node accepts one.
 * Many routers do not let a machine reach its own public address, so that no
 * answer is not the last word; a refusal is.
 */
#ifndef NODE_REACH_H
#define NODE_REACH_H

#include "federation/net.h"
#include "proto/msg/addr.h"

enum node_reach {
    NODE_REACH_OURS,    /* this node answered */
    NODE_REACH_OTHER,   /* something else answered */
    NODE_REACH_REFUSED, /* nothing listens there, or it is turned away */
    NODE_REACH_SILENT,  /* no answer: a firewall, or a router's way */
    NODE_REACH_NO_NAME, /* the name does not resolve */
    NODE_REACH_NO_WAY,  /* no route from here: no such network */
    NODE_REACH_COUNT_
};

/* Blocks up to wait_ms, and as long as a name takes to be looked up. */
enum node_reach node_reach_try(struct fed_net *net,
                               const struct proto_addr *addr, int wait_ms);

/* What that means, and what to do; NULL for OURS. */
const char *node_reach_say(enum node_reach r);

#endif
