/* SPDX-License-Identifier: Apache-2.0 */
#include "node/addrs.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

static bool
is_any(const struct proto_addr *a)
{
    static const uint8_t zero[16];

    return (a->kind == PROTO_ADDR_IP4 && memcmp(a->ip, zero, 4) == 0) ||
           (a->kind == PROTO_ADDR_IP6 && memcmp(a->ip, zero, 16) == 0);
}

/* This machine's first IPv4 address that others may know, else loopback. */
static void
own_address(struct proto_addr *a)
{
    struct ifaddrs *all = NULL;

    a->kind = PROTO_ADDR_IP4;
    memset(a->ip, 0, sizeof(a->ip));
    a->ip[0] = 127;
    a->ip[3] = 1;
    if (getifaddrs(&all) != 0) {
        return;
    }
    for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
        struct sockaddr_in in;

        if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET ||
            (i->ifa_flags & IFF_LOOPBACK) != 0 ||
            (i->ifa_flags & IFF_UP) == 0) {
            continue;
        }
        memcpy(&in, i->ifa_addr, sizeof(in));
        memcpy(a->ip, &in.sin_addr, 4);
        break;
    }
    freeifaddrs(all);
}

enum err
node_addrs(const struct node_config *config, struct proto_addr *out, size_t max,
           size_t *len_out, const char **bad_out)
{
    const struct node_config_list *from =
        config->address.len > 0 ? &config->address : &config->listen;
    size_t n = 0;

    for (size_t i = 0; i < from->len && n < max; i++) {
        if (proto_addr_parse(view_str(from->item[i]), &out[n]) != OK) {
            *bad_out = from->item[i];
            return ERR_INVALID;
        }
        if (is_any(&out[n])) {
            own_address(&out[n]);
        }
        n++;
    }
    *len_out = n;
    return OK;
}
