/* SPDX-License-Identifier: Apache-2.0 */
/* Listening on the web port: names, pages, certificates, addresses. */
#include "federation/web_impl.h"

#include "crypto/prim/hash.h"

#include <stdio.h>
#include <string.h>

/* A host name with an optional port, in lower case. */
static bool
is_host(struct view host)
{
    struct fed_addr addr;

    for (size_t i = 0; i < host.len; i++) {
        if (host.p[i] >= 'A' && host.p[i] <= 'Z') {
            return false;
        }
    }
    return host.len <= FED_WEB_HOST_MAX &&
           fed_addr_parse(host, 443, &addr) == OK;
}

static void
make_tag(struct view body, char tag[FED_WEB_TAG + 1])
{
    uint8_t hash[PRIM_HASH_SIZE];

    prim_sha256(body, hash);
    (void)snprintf(tag, FED_WEB_TAG + 1, "\"%02x%02x%02x%02x%02x%02x%02x%02x\"",
                   hash[0], hash[1], hash[2], hash[3], hash[4], hash[5],
                   hash[6], hash[7]);
}

enum err
fed_web_open(struct fed_net *net, const struct fed_web_config *config)
{
    struct view host = config->host;
    struct fed_web *web = NULL;
    enum err e;

    TRY(net->web != NULL ? ERR_STATE : OK);
    TRY(host.len == 0 || is_host(host) ? OK : ERR_INVALID);
    TRY(config->pages_len <= FED_WEB_PAGES_MAX ? OK : ERR_LIMIT);
    web = mem_alloc(net->mem, sizeof(*web));
    TRY(web == NULL ? ERR_NOMEM : OK);
    web->mem = net->mem;
    if (host.len > 4 && memcmp(host.p + host.len - 4, ":443", 4) == 0) {
        host.len -= 4;
    }
    if (host.len > 0) {
        memcpy(web->host, host.p, host.len);
    }
    for (size_t i = 0; i < config->pages_len; i++) {
        web->pages[i].page = config->pages[i];
        make_tag(config->pages[i].body, web->pages[i].tag);
    }
    web->pages_len = config->pages_len;
    net->web = web;
out:
    return e;
}

void
fed_web_free(struct fed_web *web)
{
    if (web != NULL) {
        tlsp_policy_unref(web->policy);
        mem_free(web->mem, web, sizeof(*web));
    }
}

enum err
fed_web_set_tls(struct fed_net *net, struct view cert_pem, struct view key_pem)
{
    struct tlsp_policy *fresh = NULL;
    struct tlsp_policy *old;
    enum err e;

    TRY(net->web == NULL ? ERR_STATE : OK);
    TRY(tlsp_policy_web(net->mem, cert_pem, key_pem, &fresh));
    pthread_mutex_lock(&net->mx);
    old = net->web->policy;
    net->web->policy = fresh;
    pthread_mutex_unlock(&net->mx);
    tlsp_policy_unref(old);
out:
    return e;
}

uint64_t
fed_web_tls_ends_ms(struct fed_net *net)
{
    uint64_t ms = 0;

    pthread_mutex_lock(&net->mx);
    if (net->web != NULL && net->web->policy != NULL) {
        ms = tlsp_policy_ends_ms(net->web->policy);
    }
    pthread_mutex_unlock(&net->mx);
    return ms;
}

static void
on_accept(void *ctx, struct fed_stream *s)
{
    const struct fed_web_door *door = ctx;
    struct fed_net *net = door->net;
    struct fed_link *oldest;
    struct fed_ip from;
    bool ok = false;

    s->ops->remote(s, &from);
    oldest = fed_peers_admit(net, &from, door, &ok);
    if (!ok) {
        s->ops->free(s);
        return;
    }
    if (oldest != NULL) {
        fed_conn_close(&oldest->conn, FED_WHY_QUOTA, false);
        fed_link_unref(oldest);
    }
    ERR_IGNORE(fed_web_link_open(net, s, door), "the browser tries again");
}

/* The door that the next listener is for. */
static enum err
next_door(struct fed_net *net, bool tls, bool proxied,
          struct fed_accept_user *out)
{
    struct fed_web_door *door;

    if (net->web == NULL || (tls && net->web->policy == NULL)) {
        return ERR_STATE;
    }
    if (net->listeners_n == FED_LISTENERS) {
        return ERR_LIMIT;
    }
    door = &net->web->doors[net->web->doors_len];
    *door = (struct fed_web_door){net, tls, proxied};
    *out = (struct fed_accept_user){on_accept, door};
    return OK;
}

enum err
fed_web_listen(struct fed_net *net, const struct fed_addr *addr, bool tls,
               uint16_t *port_out)
{
    struct fed_accept_user user;
    struct fed_listener *l = NULL;
    struct fed_ip bound;
    struct fed_ip ip;
    enum err e;

    TRY(fed_addr_numeric(addr, &ip) == OK ? OK : ERR_FORMAT);
    TRY(tls || fed_ip_is_loopback(&ip) ? OK : ERR_DENIED);
    TRY(next_door(net, tls, !tls, &user));
    TRY(net->io->listen(net->io->ctx, &ip, &user, &bound, &l));
    net->listeners[net->listeners_n++] = l;
    net->web->doors_len++;
    LOG(net->log, LOG_INFO, "fed.web.listening", LOG_NUM("port", bound.port),
        LOG_NUM("tls", tls));
    if (port_out != NULL) {
        *port_out = bound.port;
    }
out:
    return e;
}

enum err
fed_web_listen_path(struct fed_net *net, const char *path)
{
    struct fed_accept_user user;
    struct fed_listener *l = NULL;
    enum err e;

    TRY(net->io->listen_path == NULL ? ERR_UNSUPPORTED : OK);
    TRY(next_door(net, false, true, &user));
    TRY(net->io->listen_path(net->io->ctx, path, &user, &l));
    net->listeners[net->listeners_n++] = l;
    net->web->doors_len++;
    LOG(net->log, LOG_INFO, "fed.web.listening", LOG_NUM("port", 0),
        LOG_NUM("tls", 0));
out:
    return e;
}
