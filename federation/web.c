/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection of the web port: one request, and when that asks for the
 * device's socket, WebSocket frames with the channel inside.  From the moment
 * the channel is ready it is a link like any other.
 */
#include "federation/web_impl.h"

#include <string.h>

enum {
    PONG_QUEUE_MAX = 4096, /* who does not read gets no more pongs */
    /* Closes that the app may act upon, besides those of RFC 6455. */
    CODE_UNPROVEN = 4401,
    CODE_DENIED = 4403,
    CODE_REPLACED = 4409,
    CODE_STALE = 4410
};

static struct fed_link *
link_of(struct fed_conn *c)
{
    return (struct fed_link *)(void *)c;
}

/* One of our frames; *out is empty on entry. */
static enum err
frame(const struct mem *mem, enum fed_ws_what what, struct view payload,
      struct bytes *out)
{
    uint8_t header[FED_WS_HEADER_OUT];
    size_t n = fed_ws_header(what, payload.len, header);
    enum err e = bytes_alloc(mem, n + payload.len, out);

    if (e == OK) {
        memcpy(out->p, header, n);
        if (payload.len > 0) {
            memcpy(out->p + n, payload.p, payload.len);
        }
    }
    return e;
}

/* A frame of the connection itself. */
static void
say(struct fed_link *l, enum fed_ws_what what, struct view payload)
{
    struct bytes b = {0};

    if (frame(l->net->mem, what, payload, &b) == OK) {
        ERR_IGNORE(fed_conn_send_own(&l->conn, &b),
                   "a deadline notices when it does not work");
    }
    bytes_free(&b);
}

static enum fed_flow
refuse(struct fed_link *l, enum fed_why why, uint16_t code)
{
    pthread_mutex_lock(&l->conn.mx);
    if (l->web->close_code == 0) {
        l->web->close_code = code;
    }
    pthread_mutex_unlock(&l->conn.mx);
    fed_conn_close(&l->conn, why, true);
    return FED_PAUSE;
}

/* --------------------------------------------------------------- request */
static enum err
judge(void *ctx, struct view cert, const struct device_id *key)
{
    struct fed_link *l = ctx;
    enum err e = fed_link_judge(l, cert, key);

    return e == OK && l->verdict.kind != FED_PEER_DEVICE ? ERR_AUTH : e;
}

static enum err
open_channel(struct fed_link *l, const char *host)
{
    struct fed_net *net = l->net;
    struct fed_chan_node c = {
        .host = view_str(host), .root = net->root, .judge = {judge, l}};
    enum err e;

    pthread_mutex_lock(&net->mx);
    c.seed = VIEW_ARRAY(net->seed);
    c.chain = view_of(&net->chain);
    e = fed_chan_node_new(net->mem, net->rng, &c, &l->web->chan);
    pthread_mutex_unlock(&net->mx);
    return e;
}

/*
 * The answer is everything.  more: the other side may still be sending, which
 * would destroy the answer on its way if we closed at once; so wait a moment
 * for it to close.
 */
static enum fed_flow
answer_and_close(struct fed_link *l, bool more, struct bytes *take_out)
{
    l->web->state = FED_WEB_ANSWERED;
    pthread_mutex_lock(&l->conn.mx);
    l->conn.hold = more;
    if (!more) { /* a slow reader gets as long as a slow writer */
        l->conn.linger_ms = l->net->env.tuning.handshake_ms;
    }
    pthread_mutex_unlock(&l->conn.mx);
    ERR_IGNORE(fed_conn_send_own(&l->conn, take_out), "it asks again");
    fed_conn_close(&l->conn, FED_WHY_CLOSED_HERE, true);
    return FED_GO;
}

static enum fed_flow
answer(struct fed_link *l, enum err read, const struct fed_http_head *head)
{
    char host[FED_WEB_HOST_MAX + 1] = "";
    enum fed_web_reply reply = FED_WEB_CLOSE;
    struct bytes out = {0};
    enum fed_flow flow = FED_GO;
    bool more = head->len < l->web->head.len;
    enum err e;

    /* who sends frames before it is asked to means to confuse somebody */
    if (read == OK && more && head->has[FED_HTTP_UPGRADE]) {
        read = ERR_FORMAT;
    }
    pthread_mutex_lock(&l->net->mx); /* the pages may be replaced */
    e = fed_web_answer(l->web->web, l->web->door->tls, read, head, host, &reply,
                       &out);
    pthread_mutex_unlock(&l->net->mx);
    TRY(e);
    if (reply == FED_WEB_CLOSE) {
        flow = answer_and_close(
            l, read != OK || more || fed_http_has_body(head), &out);
    } else {
        TRY(open_channel(l, host));
        TRY(fed_conn_send_own(&l->conn, &out));
        pthread_mutex_lock(&l->conn.mx);
        l->web->socket = true;
        pthread_mutex_unlock(&l->conn.mx);
        l->web->state = FED_WEB_SOCKET;
    }
out:
    bytes_free(&out);
    bytes_free(&l->web->head);
    if (e != OK) {
        fed_conn_close(&l->conn, FED_WHY_NO_MEMORY, false);
        flow = FED_PAUSE;
    }
    return flow;
}

static enum fed_flow
on_request(struct fed_link *l, struct view *in)
{
    struct bytes *got = &l->web->head;
    size_t seen = got->len;
    size_t room = (size_t)FED_WEB_HEAD_MAX - seen;
    size_t n = in->len < room ? in->len : room;
    struct fed_http_head head = {.len = 0};
    enum err e;

    if (bytes_append(l->net->mem, got, view_sub(*in, 0, n)) != OK) {
        fed_conn_close(&l->conn, FED_WHY_NO_MEMORY, false);
        return FED_PAUSE;
    }
    *in = view_skip(*in, n);
    e = fed_http_read(view_of(got), seen, &head);
    if (e == ERR_AGAIN && got->len < FED_WEB_HEAD_MAX) {
        return FED_GO;
    }
    return answer(l, e == ERR_AGAIN ? ERR_LIMIT : e, &head);
}

/* ---------------------------------------------------------------- channel */
static enum fed_flow
refuse_hello(struct fed_link *l, enum err e)
{
    switch ((int)e) {
    case ERR_NOMEM:
    case ERR_IO:
        return refuse(l, FED_WHY_NO_MEMORY, FED_WS_OUR_FAULT);
    case ERR_AUTH:
        return refuse(l, FED_WHY_WRONG_PEER, CODE_UNPROVEN);
    case ERR_DENIED:
        return refuse(l, FED_WHY_WRONG_PEER, CODE_DENIED);
    case ERR_STALE:
        return refuse(l, FED_WHY_WRONG_PEER, CODE_STALE);
    default:
        return refuse(l, FED_WHY_BAD_BYTES, FED_WS_PROTOCOL);
    }
}

static enum fed_flow
on_hello(struct fed_link *l, struct view message)
{
    struct fed_web_link *w = l->web;
    enum fed_flow flow = FED_GO;
    struct bytes out = {0};
    enum err e;

    TRY(fed_chan_step(w->chan, message, &out));
    if (!fed_chan_ready(w->chan)) {
        say(l, FED_WS_BINARY, view_of(&out));
    } else {
        TRY(fed_chan_exporter(w->chan, l->exporter));
        TRY(frame(l->net->mem, FED_WS_BINARY, view_of(&out), &w->done));
        flow = fed_link_offer(l);
    }
out:
    bytes_free(&out);
    return e == OK ? flow : refuse_hello(l, e);
}

void
fed_web_link_up(struct fed_link *l)
{
    pthread_mutex_lock(&l->conn.mx);
    if (l->conn.state == FED_CONN_LIVE) {
        fed_conn_queue(&l->conn, &l->web->done);
        fed_conn_pump(&l->conn);
        l->web->open = true;
    }
    pthread_mutex_unlock(&l->conn.mx);
}

/* A sealed message is opened where it lies. */
static enum fed_flow
on_sealed(struct fed_link *l, struct bytes *message)
{
    enum err e;

    pthread_mutex_lock(&l->conn.mx);
    e = fed_chan_open(l->web->chan, view_of(message), message->p);
    pthread_mutex_unlock(&l->conn.mx);
    if (e != OK) {
        return refuse(l, FED_WHY_BAD_BYTES, CODE_UNPROVEN);
    }
    return fed_link_deliver(
        l, view_make(message->p, message->len - FED_CHAN_OVERHEAD));
}

/* ----------------------------------------------------------------- frames */
static void
on_ping(struct fed_link *l, struct view payload)
{
    l->conn.cost += FED_QUOTA_FRAME_COST;
    if (fed_conn_queued(&l->conn) < PONG_QUEUE_MAX) {
        say(l, FED_WS_PONG, payload);
    }
}

static enum fed_flow
on_frame(struct fed_link *l, enum fed_ws_what what, struct view payload)
{
    bool up;

    switch (what) {
    case FED_WS_PING:
        on_ping(l, payload);
        return FED_GO;
    case FED_WS_PONG:
        l->conn.cost += FED_QUOTA_FRAME_COST;
        return FED_GO;
    case FED_WS_CLOSE:
        return refuse(l, FED_WHY_CLOSED_THERE, FED_WS_NORMAL);
    case FED_WS_BINARY:
    default:
        pthread_mutex_lock(&l->conn.mx);
        up = l->web->open;
        pthread_mutex_unlock(&l->conn.mx);
        return up ? on_sealed(l, &l->web->ws.message) : on_hello(l, payload);
    }
}

static size_t
message_max(struct fed_link *l)
{
    if (!fed_chan_ready(l->web->chan)) {
        return FED_CHAN_HELLO_MAX;
    }
    return (atomic_load(&l->known) ? LIMIT_FRAME : LIMIT_FRAME_UNKNOWN_PEER) +
           FED_CHAN_OVERHEAD;
}

static enum fed_flow
refuse_frame(struct fed_link *l, enum err e)
{
    switch ((int)e) {
    case ERR_NOMEM:
        return refuse(l, FED_WHY_NO_MEMORY, FED_WS_OUR_FAULT);
    case ERR_LIMIT:
        return refuse(l, FED_WHY_BAD_BYTES, FED_WS_TOO_BIG);
    case ERR_UNSUPPORTED:
        return refuse(l, FED_WHY_BAD_BYTES, FED_WS_NOT_TEXT);
    default:
        return refuse(l, FED_WHY_BAD_BYTES, FED_WS_PROTOCOL);
    }
}

static enum fed_flow
on_socket(struct fed_link *l, struct view *in)
{
    struct fed_ws_rd *ws = &l->web->ws;

    while (!atomic_load(&l->conn.ending)) {
        enum fed_ws_what what = FED_WS_BINARY;
        size_t before = in->len;
        struct view payload;
        enum err e = fed_ws_next(ws, message_max(l), in, &what, &payload);

        if (fed_link_account(l, fed_ws_held(ws)) != OK) {
            return refuse(l, FED_WHY_QUOTA, FED_WS_LATER);
        }
        fed_link_time(l, e == ERR_AGAIN && fed_ws_partial(ws),
                      before - in->len);
        if (e == ERR_AGAIN) {
            return FED_GO;
        }
        if (e != OK) {
            return refuse_frame(l, e);
        }
        if (on_frame(l, what, payload) == FED_PAUSE) {
            return FED_PAUSE;
        }
    }
    return FED_PAUSE;
}

/* ------------------------------------------------------------------ mode */
static enum fed_flow
ready(struct fed_conn *c)
{
    (void)c;
    return FED_GO;
}

static enum fed_flow
input(struct fed_conn *c, struct view *in)
{
    struct fed_link *l = link_of(c);
    enum fed_flow flow = FED_GO;

    if (l->web->state == FED_WEB_REQUEST) {
        flow = on_request(l, in);
    }
    if (flow == FED_GO && l->web->state == FED_WEB_SOCKET) {
        flow = on_socket(l, in);
    }
    if (l->web->state == FED_WEB_ANSWERED) {
        *in = view_make(NULL, 0);
    }
    return flow;
}

static void
closed(struct fed_conn *c)
{
    fed_reaper_link(link_of(c));
}

/* Seal one frame of the layer above. */
static enum err
wrap(struct fed_conn *c, struct bytes *item)
{
    struct fed_web_link *w = link_of(c)->web;
    size_t sealed = item->len + FED_CHAN_OVERHEAD;
    uint8_t header[FED_WS_HEADER_OUT];
    size_t n = fed_ws_header(FED_WS_BINARY, sealed, header);
    struct bytes b = {0};
    enum err e;

    TRY(w->open ? OK : ERR_MISSING);
    TRY(bytes_alloc(c->env->mem, n + sealed, &b));
    memcpy(b.p, header, n);
    e = fed_chan_seal(w->chan, view_of(item), b.p + n);
    if (e != OK) { /* its numbers are used up: a new connection has new keys */
        fed_conn_shut(c, FED_WHY_QUOTA);
        e = ERR_MISSING;
        goto out;
    }
    bytes_free(item);
    *item = bytes_take(&b);
out:
    bytes_free(&b);
    return e;
}

static uint16_t
code_of(enum fed_why why)
{
    switch ((int)why) {
    case FED_WHY_SHUTDOWN:
        return FED_WS_GOING_AWAY;
    case FED_WHY_REPLACED:
        return CODE_REPLACED;
    case FED_WHY_REVOKED:
        return CODE_DENIED;
    case FED_WHY_BAD_BYTES:
        return FED_WS_PROTOCOL;
    case FED_WHY_QUOTA:
        return FED_WS_LATER;
    case FED_WHY_NO_MEMORY:
        return FED_WS_OUR_FAULT;
    default:
        return FED_WS_NORMAL;
    }
}

static void
goodbye(struct fed_conn *c)
{
    struct fed_web_link *w = link_of(c)->web;
    uint16_t code = w->close_code != 0 ? w->close_code : code_of(c->why);
    uint8_t payload[2] = {(uint8_t)(code >> 8), (uint8_t)code};
    struct bytes b = {0};

    if (w->socket &&
        frame(c->env->mem, FED_WS_CLOSE, VIEW_ARRAY(payload), &b) == OK) {
        fed_conn_queue(c, &b);
    }
    w->open = false;
    bytes_free(&b);
}

static const struct fed_conn_mode web_mode = {
    .raw = true,
    .ready = ready,
    .input = input,
    .writable = fed_link_writable,
    .closed = closed,
    .wrap = wrap,
    .goodbye = goodbye,
};

/* ------------------------------------------------------------------- life */
void
fed_web_link_ping(struct fed_link *l)
{
    say(l, FED_WS_PING, view_make(NULL, 0));
}

void
fed_web_link_free(struct fed_link *l)
{
    struct fed_web_link *w = l->web;

    if (w != NULL) {
        bytes_free(&w->head);
        bytes_free(&w->done);
        fed_ws_clear(&w->ws);
        pthread_mutex_lock(&l->conn.mx);
        w->open = false;
        fed_chan_free(w->chan);
        w->chan = NULL;
        pthread_mutex_unlock(&l->conn.mx);
    }
}

enum err
fed_web_link_open(struct fed_net *net, struct fed_stream *stream,
                  const struct fed_web_door *door)
{
    struct fed_link *l = mem_alloc(net->mem, sizeof(*l));
    struct fed_web_link *w = mem_alloc(net->mem, sizeof(*w));
    struct tlsp_policy *policy = NULL;
    struct tlsp *tls = NULL;
    enum err e;

    TRY(l == NULL || w == NULL ? ERR_NOMEM : OK);
    l->net = net;
    l->web = w;
    w->web = net->web;
    w->door = door;
    w->ws.mem = net->mem;
    if (door->tls) {
        pthread_mutex_lock(&net->mx);
        policy = tlsp_policy_ref(net->web->policy);
        pthread_mutex_unlock(&net->mx);
        TRY(tlsp_accept(net->mem, policy, NULL, &tls));
    }
    TRY(fed_link_run(l, &web_mode, stream, tls));
out:
    tlsp_policy_unref(policy);
    if (e != OK) {
        tlsp_free(tls);
        mem_free(net->mem, w, sizeof(*w));
        mem_free(net->mem, l, sizeof(*l));
        stream->ops->free(stream);
    }
    return e;
}
