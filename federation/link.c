/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection that speaks node frames.  The acceptor's first frame is empty
 * and says "accepted": in TLS 1.3 the dialler is done before its certificate
 * was judged, so only this proves that it is welcome.  Later empty frames say
 * "still here".
 */
#include "federation/web_impl.h"

#include <string.h>

enum {
    RX_LARGE = 65536,
    SLOW_FRAME_PER_S = 1024 /* least speed of a frame once it is late */
};

static struct fed_link *
link_of(struct fed_conn *c)
{
    return (struct fed_link *)(void *)c;
}

enum err
fed_link_judge(struct fed_link *l, struct view chain,
               const struct device_id *key)
{
    struct fed_net *net = l->net;
    struct fed_verdict v = {.known = false};
    enum err e = net->user.verify(net->user.ctx, chain, key,
                                  l->dialled ? &l->expected : NULL, &v);

    if (e == OK && l->dialled &&
        (v.kind != FED_PEER_CLINIC ||
         !clinic_id_equal(&v.root, &l->expected))) {
        e = ERR_AUTH;
    }
    if (e == OK && v.kind == FED_PEER_DEVICE &&
        !view_equal(clinic_id_view(&v.root), device_id_view(key))) {
        e = ERR_AUTH;
    }
    if (e == OK) {
        e = bytes_copy(net->mem, chain, &l->chain);
    }
    if (e == OK) {
        l->verdict = v;
        l->tls_key = *key;
    }
    return e;
}

/* Inside the handshake, under the connection's lock. */
static enum err
judge(void *ctx, struct view chain, const struct device_id *key)
{
    return fed_link_judge(ctx, chain, key);
}

/* Nothing to say; says that we are there. */
static void
say_nothing(struct fed_link *l)
{
    struct bytes empty = {0};

    ERR_IGNORE(fed_conn_send(&l->conn, &empty, true),
               "the deadline notices when it does not work");
}

void
fed_link_known(struct fed_link *l)
{
    const struct fed_net_tuning *t = &l->net->env.tuning;
    bool device = l->verdict.kind == FED_PEER_DEVICE;

    pthread_mutex_lock(&l->conn.mx);
    l->conn.high_water = device ? t->high_water_device : t->high_water;
    pthread_mutex_unlock(&l->conn.mx);
    atomic_store(&l->conn.rx_per_s, device ? t->rx_per_s_device : t->rx_per_s);
    atomic_store(&l->conn.rx_cap_max, RX_LARGE);
    atomic_store(&l->known, true);
}

void
fed_link_info(const struct fed_link *l, struct fed_peer_info *out)
{
    *out = (struct fed_peer_info){
        .kind = l->verdict.kind,
        .peer = {.root = l->verdict.root, .serial = l->serial},
        .tls_key = l->tls_key,
        .remote = l->remote,
        .dialled = l->dialled,
        .web = l->web != NULL,
        .known = atomic_load(&l->known),
    };
    memcpy(out->exporter, l->exporter, sizeof(out->exporter));
}

void
fed_link_go_up(struct fed_link *l)
{
    struct fed_net *net = l->net;
    struct fed_peer_info info;
    bool missed;
    void *ctx;

    if (l->verdict.known) {
        fed_link_known(l);
    }
    if (l->web != NULL) {
        fed_web_link_up(l);
    } else if (!l->dialled) {
        say_nothing(l);
    }
    fed_link_info(l, &info);
    info.chain = view_of(&l->chain);
    LOG(net->log, LOG_INFO, "fed.peer.up",
        LOG_TAG("peer", log_tag_of(clinic_id_view(&info.peer.root))),
        LOG_NUM("serial", l->serial), LOG_NUM("dialled", l->dialled),
        LOG_NUM("kind", info.kind));
    ctx = net->user.on_peer_up(net->user.ctx, &info);
    mem_wipe(&info, sizeof(info));
    bytes_free(&l->chain);
    pthread_mutex_lock(&l->conn.mx);
    l->peer_ctx = ctx;
    l->ctx_set = true;
    missed = l->writable_missed;
    pthread_mutex_unlock(&l->conn.mx);
    if (missed) {
        struct fed_peer peer = {l->verdict.root, l->serial};

        net->user.on_writable(net->user.ctx, ctx, &peer);
    }
}

/* l is proven, and accepted if we dialled. */
enum fed_flow
fed_link_offer(struct fed_link *l)
{
    enum fed_why why = FED_WHY_NONE;

    switch (fed_peers_offer(l, &why)) {
    case FED_OFFER_UP:
        fed_link_go_up(l);
        return FED_GO;
    case FED_OFFER_WAIT:
        return FED_PAUSE;
    case FED_OFFER_REFUSED:
    default:
        fed_conn_close(&l->conn, why, true);
        return FED_PAUSE;
    }
}

static enum fed_flow
ready(struct fed_conn *c)
{
    struct fed_link *l = link_of(c);
    enum err e;

    pthread_mutex_lock(&c->mx);
    e = c->tls == NULL ? ERR_STATE
                       : tlsp_export(c->tls, FED_EXPORTER_LABEL,
                                     view_make(NULL, 0), l->exporter);
    pthread_mutex_unlock(&c->mx);
    if (e != OK) {
        fed_conn_close(c, FED_WHY_NO_MEMORY, false);
        return FED_PAUSE;
    }
    return l->dialled ? FED_GO : fed_link_offer(l);
}

/* Keep the sum of unfinished frames over all peers. */
enum err
fed_link_account(struct fed_link *l, size_t held)
{
    struct fed_net *net = l->net;
    uint64_t all;

    if (held == l->held) {
        return OK;
    }
    if (held > l->held) {
        all =
            atomic_fetch_add(&net->assembling, held - l->held) + held - l->held;
    } else {
        all =
            atomic_fetch_sub(&net->assembling, l->held - held) - l->held + held;
    }
    l->held = held;
    return all > net->env.tuning.assembling_max ? ERR_LIMIT : OK;
}

void
fed_link_time(struct fed_link *l, bool partial, size_t got)
{
    if (!partial) {
        atomic_store(&l->frame_since_ms, 0);
        atomic_store(&l->frame_got, 0);
    } else {
        if (atomic_load(&l->frame_since_ms) == 0) {
            atomic_store(&l->frame_since_ms, clock_mono_ms(l->net->clock));
        }
        atomic_fetch_add(&l->frame_got, got);
    }
}

static enum fed_flow
refuse(struct fed_link *l, enum fed_why why)
{
    fed_conn_close(&l->conn, why, true);
    return FED_PAUSE;
}

/* Only read in the turn once the link is up. */
enum fed_flow
fed_link_deliver(struct fed_link *l, struct view frame)
{
    struct fed_net *net = l->net;
    struct fed_peer peer = {l->verdict.root, l->serial};

    l->conn.cost += FED_QUOTA_FRAME_COST;
    if (frame.len == 0) {
        return FED_GO;
    }
    atomic_fetch_add(&net->rx_frames, 1);
    return net->user.on_frame(net->user.ctx, l->peer_ctx, &peer, frame);
}

static enum fed_flow
input(struct fed_conn *c, struct view *in)
{
    struct fed_link *l = link_of(c);

    while (!atomic_load(&c->ending)) {
        uint32_t max =
            atomic_load(&l->known) ? LIMIT_FRAME : LIMIT_FRAME_UNKNOWN_PEER;
        size_t before = in->len;
        struct view frame;
        enum err e = fed_frame_next(&l->rd, max, in, &frame);
        enum fed_flow flow;

        if (fed_link_account(l, fed_frame_held(&l->rd)) != OK) {
            return refuse(l, FED_WHY_QUOTA);
        }
        fed_link_time(l, e != OK && fed_frame_partial(&l->rd),
                      before - in->len);
        if (e == ERR_AGAIN) {
            return FED_GO;
        }
        if (e != OK) {
            return refuse(l, e == ERR_NOMEM ? FED_WHY_NO_MEMORY
                                            : FED_WHY_BAD_BYTES);
        }
        if (!l->ctx_set) { /* we dialled: the first frame says "accepted" */
            flow = frame.len == 0 ? fed_link_offer(l)
                                  : refuse(l, FED_WHY_BAD_BYTES);
        } else {
            flow = fed_link_deliver(l, frame);
        }
        if (flow == FED_PAUSE) {
            return FED_PAUSE;
        }
    }
    return FED_PAUSE;
}

void
fed_link_writable(struct fed_conn *c)
{
    struct fed_link *l = link_of(c);
    struct fed_peer peer = {l->verdict.root, l->serial};
    bool tell;

    pthread_mutex_lock(&c->mx);
    tell = l->ctx_set;
    l->writable_missed = !tell;
    pthread_mutex_unlock(&c->mx);
    if (tell) {
        l->net->user.on_writable(l->net->user.ctx, l->peer_ctx, &peer);
    }
}

static void
closed(struct fed_conn *c)
{
    fed_reaper_link(link_of(c));
}

static const struct fed_conn_mode link_mode = {.ready = ready,
                                               .input = input,
                                               .writable = fed_link_writable,
                                               .closed = closed};

static enum err
open_tls(struct fed_link *l, struct tlsp_policy *policy, struct tlsp **out)
{
    struct tlsp_verifier v = {judge, l};

    return l->dialled ? tlsp_dial(l->net->mem, policy, &v, out)
                      : tlsp_accept(l->net->mem, policy, &v, out);
}

void
fed_link_started(struct fed_link *l)
{
    struct fed_net *net = l->net;
    bool up;

    if (atomic_load(&net->stop_by_ms) == 0) {
        return;
    }
    /* the shutdown may have missed it; or it came up meanwhile and says
       goodbye */
    pthread_mutex_lock(&net->mx);
    up = l->phase == FED_PHASE_UP;
    pthread_mutex_unlock(&net->mx);
    fed_conn_close(&l->conn, FED_WHY_SHUTDOWN, up);
}

enum err
fed_link_run(struct fed_link *l, const struct fed_conn_mode *mode,
             struct fed_stream *stream, struct tlsp *tls)
{
    struct fed_net *net = l->net;
    enum err e;

    l->rd.mem = net->mem;
    l->opened_ms = clock_mono_ms(net->clock);
    stream->ops->remote(stream, &l->remote);
    TRY(fed_conn_init(&l->conn, &net->env, mode, stream, tls));
    pthread_mutex_lock(&net->mx);
    fed_peers_add(l);
    fed_link_ref(l); /* until it is started */
    pthread_mutex_unlock(&net->mx);
    fed_conn_start(&l->conn);
    fed_link_started(l);
    fed_link_unref(l);
out:
    return e;
}

enum err
fed_link_open(struct fed_net *net, struct fed_stream *stream,
              const struct clinic_id *expected, struct fed_attempt *attempt)
{
    enum err e;
    struct fed_link *l = mem_alloc(net->mem, sizeof(*l));
    struct tlsp_policy *policy = NULL;
    struct tlsp *tls = NULL;

    TRY(l == NULL ? ERR_NOMEM : OK);
    l->net = net;
    l->dialled = expected != NULL;
    l->attempt = attempt;
    if (expected != NULL) {
        l->expected = *expected;
    }
    pthread_mutex_lock(&net->mx);
    policy = tlsp_policy_ref(net->policy);
    pthread_mutex_unlock(&net->mx);
    TRY(open_tls(l, policy, &tls));
    TRY(fed_link_run(l, &link_mode, stream, tls));
out:
    tlsp_policy_unref(policy);
    if (e != OK) {
        tlsp_free(tls);
        mem_free(net->mem, l, sizeof(*l));
        stream->ops->free(stream);
    }
    return e;
}

void
fed_link_ref(struct fed_link *l)
{
    atomic_fetch_add(&l->conn.refs, 1);
}

void
fed_link_unref(struct fed_link *l)
{
    if (atomic_fetch_sub(&l->conn.refs, 1) == 1) {
        fed_conn_clear(&l->conn);
        mem_free(l->net->mem, l->web, sizeof(*l->web));
        mem_free(l->net->mem, l, sizeof(*l));
    }
}

static void
report_down(struct fed_link *l, bool was_up)
{
    struct fed_net *net = l->net;
    struct fed_peer peer = {l->verdict.root, l->serial};
    enum fed_why why = l->conn.why;

    if (was_up) {
        LOG(net->log, LOG_INFO, "fed.peer.down",
            LOG_TAG("peer", log_tag_of(clinic_id_view(&peer.root))),
            LOG_NUM("serial", l->serial), LOG_NUM("why", why));
        net->user.on_peer_down(net->user.ctx, l->peer_ctx, &peer, why);
    } else {
        LOG(net->log, LOG_DEBUG, "fed.link.failed",
            LOG_NUM("serial", l->serial), LOG_NUM("why", why),
            LOG_NUM("dialled", l->dialled));
    }
}

void
fed_link_reap(struct fed_link *l)
{
    struct fed_net *net = l->net;
    struct fed_attempt *attempt;
    struct fed_link *heir;
    bool was_up;

    fed_conn_reap(&l->conn);
    fed_frame_clear(&l->rd);
    fed_web_link_free(l);
    ERR_IGNORE(fed_link_account(l, 0), "it only shrinks");
    bytes_free(&l->chain);
    pthread_mutex_lock(&net->mx);
    was_up = l->phase == FED_PHASE_UP;
    attempt = l->attempt;
    l->attempt = NULL;
    pthread_mutex_unlock(&net->mx);
    report_down(l, was_up);
    heir = fed_peers_remove(l);
    if (attempt != NULL) {
        fed_dialer_link_failed(attempt, l->conn.why);
    } else if (l->dialled && !was_up) {
        fed_dialer_stream_failed(l);
    }
    if (heir != NULL) {
        fed_link_go_up(heir);
        fed_conn_resume(&heir->conn);
        fed_link_unref(heir);
    }
    fed_link_unref(l);
}

static bool
frame_too_slow(struct fed_link *l, uint64_t now_ms)
{
    uint64_t since = atomic_load(&l->frame_since_ms);

    return since != 0 && now_ms > since &&
           now_ms - since >= l->net->env.tuning.stall_ms &&
           atomic_load(&l->frame_got) * 1000 / (now_ms - since) <
               SLOW_FRAME_PER_S;
}

void
fed_link_sweep(struct fed_link *l, uint64_t now_ms)
{
    const struct fed_net_tuning *t = &l->net->env.tuning;
    enum fed_phase phase;
    uint64_t up_ms;
    bool quiet;

    fed_conn_sweep(&l->conn, now_ms);
    pthread_mutex_lock(&l->net->mx);
    phase = l->phase;
    up_ms = l->up_ms;
    pthread_mutex_unlock(&l->net->mx);
    if (phase != FED_PHASE_UP) {
        if (!atomic_load(&l->conn.ending) &&
            fed_since(now_ms, l->opened_ms) >= t->handshake_ms) {
            fed_conn_close(&l->conn, FED_WHY_TIMEOUT, false);
        }
        return;
    }
    if (!atomic_load(&l->known) && fed_since(now_ms, up_ms) >= t->stranger_ms) {
        fed_conn_close(&l->conn, FED_WHY_QUOTA, true);
    }
    pthread_mutex_lock(&l->conn.mx);
    if (l->conn.paused && atomic_load(&l->frame_since_ms) != 0) {
        atomic_store(&l->frame_since_ms, now_ms); /* it is we who wait */
        atomic_store(&l->frame_got, 0);
    }
    quiet = !l->conn.sending &&
            fed_since(now_ms, l->conn.said_ms) >= t->keepalive_ms;
    pthread_mutex_unlock(&l->conn.mx);
    if (frame_too_slow(l, now_ms)) {
        fed_conn_close(&l->conn, FED_WHY_STALLED, false);
    }
    if (quiet && l->web != NULL) {
        fed_web_link_ping(l);
    } else if (quiet) {
        say_nothing(l);
    }
}
