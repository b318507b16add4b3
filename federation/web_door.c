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

/* One page with everything that it points to. */
static enum err
copy_page(const struct mem *mem, const struct fed_web_page *from,
          struct fed_web_own_page *out)
{
    enum err e = OK;
    const struct view in[] = {from->path, from->lang, from->type, from->policy,
                              from->body};
    struct fed_web_page *p = &out->page;
    struct view *const to[] = {&p->path, &p->lang, &p->type, &p->policy,
                               &p->body};
    size_t at = 0;

    for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
        TRY(bytes_append(mem, &out->hold, in[i]));
    }
    for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
        *to[i] = view_sub(view_of(&out->hold), at, in[i].len);
        at += in[i].len;
    }
    p->keep = from->keep;
    make_tag(from->body, out->tag);
out:
    return e;
}

static void
free_pages(const struct mem *mem, struct fed_web_own_page *pages)
{
    for (size_t i = 0; pages != NULL && i < FED_WEB_PAGES_MAX; i++) {
        bytes_free(&pages[i].hold);
    }
    mem_free(mem, pages, FED_WEB_PAGES_MAX * sizeof(*pages));
}

enum err
fed_web_set_pages(struct fed_net *net, const struct fed_web_page *pages,
                  size_t len)
{
    enum err e;
    struct fed_web_own_page *fresh = NULL;
    struct fed_web_own_page *old;

    TRY(net->web == NULL ? ERR_STATE : OK);
    TRY(len <= FED_WEB_PAGES_MAX ? OK : ERR_LIMIT);
    fresh = mem_calloc(net->mem, FED_WEB_PAGES_MAX, sizeof(*fresh));
    TRY(fresh == NULL ? ERR_NOMEM : OK);
    for (size_t i = 0; i < len; i++) {
        TRY(copy_page(net->mem, &pages[i], &fresh[i]));
    }
    pthread_mutex_lock(&net->mx);
    old = net->web->pages;
    net->web->pages = fresh;
    net->web->pages_len = len;
    pthread_mutex_unlock(&net->mx);
    fresh = old;
out:
    free_pages(net->mem, fresh);
    return e;
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
    net->web = web;
    e = fed_web_set_pages(net, config->pages, config->pages_len);
    if (e != OK) {
        net->web = NULL;
        fed_web_free(web);
    }
out:
    return e;
}

void
fed_web_free(struct fed_web *web)
{
    if (web != NULL) {
        tlsp_policy_unref(web->policy);
        free_pages(web->mem, web->pages);
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

    if (fed_peers_admit(door->net, s, door)) {
        ERR_IGNORE(fed_web_link_open(door->net, s, door),
                   "the browser tries again");
    }
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
