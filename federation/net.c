/* SPDX-License-Identifier: Apache-2.0 */
/* Start, stop, and the functions of net.h that only look something up. */
#include "federation/web_impl.h"

#include "proto/base/assert.h"

#include <string.h>

enum {
    RESOLVER_THREADS = 4
};

const char *
fed_why_name(enum fed_why why)
{
    static const char *const names[FED_WHY_COUNT_] = {
        "none",         "closed_here", "closed_there", "lost",     "silent",
        "stalled",      "bad_bytes",   "replaced",     "revoked",  "shutdown",
        "quota",        "no_address",  "refused",      "timeout",  "wrong_peer",
        "not_accepted", "no_memory",   "outdated",     "old_peer", "expired",
        "expired_peer"};

    return (unsigned)why < FED_WHY_COUNT_ ? names[why] : names[0];
}

static void
or_default(uint32_t *n, uint32_t value)
{
    if (*n == 0) {
        *n = value;
    }
}

static struct fed_net_tuning
with_defaults(struct fed_net_tuning t)
{
    or_default(&t.connect_ms, 10000);
    or_default(&t.handshake_ms, 10000);
    or_default(&t.stranger_ms, 60000);
    or_default(&t.keepalive_ms, 25000);
    or_default(&t.idle_ms, 80000);
    or_default(&t.stall_ms, 60000);
    or_default(&t.linger_ms, 2000);
    or_default(&t.stop_ms, 5000);
    or_default(&t.sweep_ms, 1000);
    or_default(&t.high_water, LIMIT_MIB(4u));
    or_default(&t.high_water_stranger, LIMIT_KIB(64u));
    or_default(&t.pending_max, 1024);
    or_default(&t.pending_per_site, 64);
    or_default(&t.high_water_device, LIMIT_MIB(1u));
    or_default(&t.strangers_max, 256);
    or_default(&t.rx_per_s, LIMIT_MIB(64u));
    or_default(&t.rx_per_s_device, LIMIT_MIB(8u));
    or_default(&t.rx_per_s_stranger, LIMIT_KIB(32u));
    or_default(&t.assembling_max, LIMIT_MIB(256u));
    or_default(&t.dials_max, 64);
    or_default(&t.backoff_min_ms, 1000);
    return t;
}

static void
net_free(struct fed_net *net)
{
    fed_resolver_free(net->resolver);
    fed_web_free(net->web);
    bytes_free(&net->chain);
    tlsp_policy_unref(net->policy);
    pthread_mutex_destroy(&net->mx);
    pthread_cond_destroy(&net->idle_cv);
    pthread_mutex_destroy(&net->reaper_mx);
    pthread_cond_destroy(&net->reaper_cv);
    mem_free(net->mem, net, sizeof(*net));
}

static struct fed_net *
net_new(const struct fed_net_config *config)
{
    struct fed_net *net = mem_alloc(config->mem, sizeof(*net));

    if (net == NULL) {
        return NULL;
    }
    net->mem = config->mem;
    net->clock = config->clock;
    net->rng = config->rng;
    net->log = config->log;
    net->io = config->io;
    net->user = config->user;
    net->root = config->identity.root;
    net->env.mem = config->mem;
    net->env.clock = config->clock;
    net->env.tuning = with_defaults(config->tuning);
    net->wake_fd = -1;
    pthread_mutex_init(&net->mx, NULL);
    pthread_cond_init(&net->idle_cv, NULL);
    pthread_mutex_init(&net->reaper_mx, NULL);
    pthread_cond_init(&net->reaper_cv, NULL);
    return net;
}

/* For channels inside WebSockets, which have no TLS policy. */
static enum err
keep_identity(struct fed_net *net, const struct fed_identity *identity)
{
    struct bytes chain = {0};
    enum err e;

    TRY(identity->node_seed.len == sizeof(net->seed) ? OK : ERR_INVALID);
    TRY(bytes_copy(net->mem, identity->chain, &chain));
    bytes_free(&net->chain);
    net->chain = bytes_take(&chain);
    memcpy(net->seed, identity->node_seed.p, sizeof(net->seed));
out:
    return e;
}

enum err
fed_net_start(const struct fed_net_config *config, struct fed_net **out)
{
    enum err e;
    struct fed_net *net = net_new(config);

    TRY(net == NULL ? ERR_NOMEM : OK);
    TRY(rng_fill(net->rng, (uint8_t *)&net->hash_seed, sizeof(net->hash_seed)));
    TRY(tlsp_policy_node(net->mem, config->identity.node_seed,
                         config->identity.chain, &net->policy));
    TRY(keep_identity(net, &config->identity));
    TRY(fed_resolver_new(net->mem, net->clock, NULL, RESOLVER_THREADS,
                         &net->resolver));
    TRY(fed_reaper_start(net));
    *out = net;
out:
    if (e != OK && net != NULL) {
        fed_reaper_stop(net);
        net_free(net);
    }
    return e;
}

static void
on_accept(void *ctx, struct fed_stream *s)
{
    struct fed_net *net = ctx;

    if (fed_peers_admit(net, s, NULL)) {
        ERR_IGNORE(fed_link_open(net, s, NULL, NULL), "the peer tries again");
    }
}

enum err
fed_net_listen(struct fed_net *net, const struct fed_addr *addr,
               uint16_t *port_out)
{
    enum err e;
    struct fed_ip ip;
    struct fed_ip bound;
    struct fed_accept_user user = {on_accept, net};
    struct fed_listener *l = NULL;

    TRY(fed_addr_numeric(addr, &ip) == OK ? OK : ERR_FORMAT);
    TRY(net->listeners_n < FED_LISTENERS ? OK : ERR_LIMIT);
    TRY(net->io->listen(net->io->ctx, &ip, &user, &bound, &l));
    net->listeners[net->listeners_n++] = l;
    LOG(net->log, LOG_INFO, "fed.listening", LOG_NUM("port", bound.port));
    if (port_out != NULL) {
        *port_out = bound.port;
    }
out:
    return e;
}

void
fed_net_note_idle(struct fed_net *net)
{
    if (net->stopping && net->links == NULL && net->attempts == 0) {
        pthread_cond_broadcast(&net->idle_cv);
    }
}

void
fed_net_stop(struct fed_net *net)
{
    uint64_t by;

    if (net == NULL) {
        return;
    }
    by = clock_mono_ms(net->clock) + net->env.tuning.stop_ms;
    pthread_mutex_lock(&net->mx);
    net->stopping = true;
    pthread_mutex_unlock(&net->mx);
    atomic_store(&net->stop_by_ms, by == 0 ? 1 : by);
    for (size_t i = 0; i < net->listeners_n; i++) {
        net->io->unlisten(net->io->ctx, net->listeners[i]);
    }
    fed_resolver_close(net->resolver);
    fed_dialer_stop(net);
    fed_peers_close(net, NULL, FED_WHY_SHUTDOWN, true);
    pthread_mutex_lock(&net->mx);
    while (net->links != NULL || net->attempts > 0) {
        pthread_cond_wait(&net->idle_cv, &net->mx);
    }
    pthread_mutex_unlock(&net->mx);
    fed_reaper_stop(net);
    LOG(net->log, LOG_INFO, "fed.stopped", LOG_NUM("links", net->stats.opened));
    net_free(net);
}

enum err
fed_net_set_identity(struct fed_net *net, const struct fed_identity *identity)
{
    enum err e;
    struct tlsp_policy *fresh = NULL;
    struct tlsp_policy *old;

    TRY(clinic_id_equal(&identity->root, &net->root) ? OK : ERR_INVALID);
    TRY(tlsp_policy_node(net->mem, identity->node_seed, identity->chain,
                         &fresh));
    pthread_mutex_lock(&net->mx);
    e = keep_identity(net, identity);
    old = e == OK ? net->policy : fresh;
    net->policy = e == OK ? fresh : net->policy;
    pthread_mutex_unlock(&net->mx);
    tlsp_policy_unref(old);
out:
    return e;
}

enum err
fed_net_dial_stream(struct fed_net *net, const struct clinic_id *root,
                    struct fed_stream **take_stream)
{
    struct fed_stream *s = *take_stream;

    *take_stream = NULL;
    if (clinic_id_equal(root, &net->root)) {
        s->ops->free(s);
        return ERR_INVALID;
    }
    return fed_link_open(net, s, root, NULL);
}

enum err
fed_net_accept_stream(struct fed_net *net, struct fed_stream **take_stream)
{
    struct fed_stream *s = *take_stream;

    *take_stream = NULL;
    return fed_link_open(net, s, NULL, NULL);
}

static enum err
send_frame(struct fed_net *net, const struct fed_peer *peer,
           struct bytes *take_frame, bool bulk)
{
    enum err e;
    struct fed_link *l = NULL;

    TRY(take_frame->len > 0 && take_frame->len <= LIMIT_FRAME ? OK : ERR_LIMIT);
    l = fed_peers_get(net, peer, &e);
    TRY(e);
    TRY(bulk ? fed_conn_send_bulk(&l->conn, take_frame)
             : fed_conn_send(&l->conn, take_frame, false));
out:
    if (l != NULL) {
        fed_link_unref(l);
    }
    return e;
}

enum err
fed_net_send(struct fed_net *net, const struct fed_peer *peer,
             struct bytes *take_frame)
{
    return send_frame(net, peer, take_frame, false);
}

enum err
fed_net_send_bulk(struct fed_net *net, const struct fed_peer *peer,
                  struct bytes *take_frame)
{
    return send_frame(net, peer, take_frame, true);
}

void
fed_net_together(struct fed_net *net, const struct fed_peer *peer, bool on)
{
    enum err e;
    struct fed_link *l = fed_peers_get(net, peer, &e);

    if (l != NULL) {
        fed_conn_together(&l->conn, on);
        fed_link_unref(l);
    }
}

size_t
fed_net_queued(struct fed_net *net, const struct fed_peer *peer)
{
    enum err e;
    struct fed_link *l = fed_peers_get(net, peer, &e);
    size_t n = 0;

    if (l != NULL) {
        n = fed_conn_queued(&l->conn);
        fed_link_unref(l);
    }
    return n;
}

void
fed_net_resume(struct fed_net *net, const struct fed_peer *peer)
{
    enum err e;
    struct fed_link *l = fed_peers_get(net, peer, &e);

    if (l != NULL) {
        fed_conn_resume(&l->conn);
        fed_link_unref(l);
    }
}

void
fed_net_known(struct fed_net *net, const struct fed_peer *peer)
{
    enum err e;
    struct fed_link *l = fed_peers_get(net, peer, &e);

    if (l != NULL) {
        pthread_mutex_lock(&net->mx);
        fed_peers_no_stranger(l);
        pthread_mutex_unlock(&net->mx);
        fed_link_known(l);
        fed_link_unref(l);
    }
}

void
fed_net_close(struct fed_net *net, const struct fed_peer *peer)
{
    enum err e;
    struct fed_link *l = fed_peers_get(net, peer, &e);

    if (l != NULL) {
        fed_conn_close(&l->conn, FED_WHY_CLOSED_HERE, true);
        fed_link_unref(l);
    }
}

void
fed_net_close_all(struct fed_net *net)
{
    fed_peers_close(net, NULL, FED_WHY_CLOSED_HERE, true);
}

void
fed_net_revoke(struct fed_net *net, const struct clinic_id *root)
{
    fed_net_undial(net, root);
    fed_peers_close(net, root, FED_WHY_REVOKED, false);
}

bool
fed_net_find(struct fed_net *net, const struct clinic_id *root,
             struct fed_peer_info *info_out)
{
    enum err e;
    struct fed_peer peer = {.root = *root};
    struct fed_link *l = fed_peers_get(net, &peer, &e);

    if (l == NULL) {
        return false;
    }
    if (info_out != NULL) {
        fed_link_info(l, info_out);
    }
    fed_link_unref(l);
    return true;
}

void
fed_net_stats(struct fed_net *net, struct fed_net_stats *out)
{
    struct fed_net_stats s;

    pthread_mutex_lock(&net->mx);
    s = net->stats;
    s.strangers = (uint32_t)(net->strangers[FED_PEER_CLINIC] +
                             net->strangers[FED_PEER_DEVICE]);
    s.clinics =
        (uint32_t)(s.peers - s.devices - net->strangers[FED_PEER_CLINIC]);
    s.dials = (uint32_t)net->attempts;
    s.wanted = (uint32_t)net->standing;
    for (size_t i = 0; i < FED_BUCKETS; i++) {
        for (struct fed_entry *e = net->buckets[i]; e != NULL; e = e->next) {
            s.wanted_down += e->want.standing && e->current == NULL ? 1 : 0;
        }
    }
    pthread_mutex_unlock(&net->mx);
    s.rx_frames = atomic_load(&net->rx_frames);
    s.tx_frames = atomic_load(&net->env.tx_frames);
    s.rx_bytes = atomic_load(&net->env.rx_bytes);
    s.tx_bytes = atomic_load(&net->env.tx_bytes);
    *out = s;
}
