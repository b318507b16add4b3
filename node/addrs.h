/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where others reach this node: what the settings say, or otherwise what it
 * listens on, with this machine's own address in place of "any".
 */
#ifndef NODE_ADDRS_H
#define NODE_ADDRS_H

#include "node/config.h"
#include "proto/msg/addr.h"

/*
 * At most max addresses, best first; *len_out of them, at least one.
 * ERR_INVALID  a setting is not an address: *bad_out is which
 */
MUST_CHECK enum err node_addrs(const struct node_config *config,
                               struct proto_addr *out, size_t max,
                               size_t *len_out, const char **bad_out);

#endif
