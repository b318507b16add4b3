/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network on nng_stream over tcp://, and nothing else of nng: its TLS, SP
 * sockets, WebSocket and HTTP were each measured to leak or hang.  The only
 * file that sees nng's headers.
 *
 * NNG_OPT_TCP_NODELAY is set on both ends: nng turns it off, and then the
 * second of two small frames waits 40 ms for the other side's delayed
 * acknowledgement.
 */
#include "federation/io.h"

#include <nng/nng.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum {
    RETRY_ACCEPT_MS = 100, /* after accept failed, for lack of files say */
    URL_MAX = 80,
    SUN_PATH = 108, /* of struct sockaddr_un */
    SOCKET_MODE = 0660
};

static enum err
err_of(int rv)
{
    switch (rv) {
    case 0:
        return OK;
    case NNG_ETIMEDOUT:
        return ERR_TIMEOUT;
    case NNG_ECONNSHUT:
    case NNG_ECONNREFUSED:
        return ERR_MISSING;
    case NNG_ENOMEM:
        return ERR_NOMEM;
    case NNG_EADDRINUSE:
        return ERR_EXISTS;
    case NNG_EPERM:
        return ERR_DENIED;
    default:
        return ERR_IO;
    }
}

/* ------------------------------------------------------------- streams */
struct nng_conn {
    struct fed_stream base;
    const struct mem *mem;
    nng_stream *s;
    nng_aio *rx, *tx;
    nng_aio *now; /* has no callback: nng wakes nobody at its end */
    struct fed_stream_user user;
};

static struct nng_conn *
conn_of(struct fed_stream *s)
{
    return (struct nng_conn *)(void *)s;
}

static void
rx_done(void *arg)
{
    struct nng_conn *c = arg;
    int rv = nng_aio_result(c->rx);

    c->user.on_recv(c->user.ctx, err_of(rv),
                    rv == 0 ? nng_aio_count(c->rx) : 0);
}

static void
tx_done(void *arg)
{
    struct nng_conn *c = arg;
    int rv = nng_aio_result(c->tx);

    c->user.on_send(c->user.ctx, err_of(rv),
                    rv == 0 ? nng_aio_count(c->tx) : 0);
}

static void
conn_attach(struct fed_stream *s, const struct fed_stream_user *user)
{
    conn_of(s)->user = *user;
}

static void
set_buffer(nng_aio *aio, const void *buf, size_t len)
{
    nng_iov iov = {.iov_buf = (void *)(uintptr_t)buf, .iov_len = len};

    /* fails only for more than eight of them */
    (void)nng_aio_set_iov(aio, 1, &iov);
}

static void
conn_recv(struct fed_stream *s, uint8_t *buf, size_t cap)
{
    struct nng_conn *c = conn_of(s);

    set_buffer(c->rx, buf, cap);
    nng_stream_recv(c->s, c->rx);
}

static void
conn_wait(struct fed_stream *s, uint32_t ms)
{
    struct nng_conn *c = conn_of(s);

    set_buffer(c->rx, NULL, 0);
    nng_sleep_aio((nng_duration)ms, c->rx);
}

static void
conn_send(struct fed_stream *s, struct view data)
{
    struct nng_conn *c = conn_of(s);

    set_buffer(c->tx, data.p, data.len);
    nng_stream_send(c->s, c->tx);
}

/*
 * nng writes to the socket in nng_stream_send already, and what is full is
 * taken back before it can be written later.
 */
static enum err
conn_send_now(struct fed_stream *s, struct view data, size_t *n_out)
{
    struct nng_conn *c = conn_of(s);
    int rv;

    set_buffer(c->now, data.p, data.len);
    nng_stream_send(c->s, c->now);
    nng_aio_cancel(c->now);
    nng_aio_wait(c->now);
    rv = nng_aio_result(c->now);
    *n_out = rv == 0 ? nng_aio_count(c->now) : 0;
    return rv == NNG_ECANCELED ? ERR_AGAIN : err_of(rv);
}

static void
conn_close(struct fed_stream *s)
{
    struct nng_conn *c = conn_of(s);

    nng_stream_close(c->s);
    nng_aio_cancel(c->rx); /* it may be a wait */
}

static void
conn_free(struct fed_stream *s)
{
    struct nng_conn *c = conn_of(s);

    if (c->s != NULL) {
        nng_stream_close(c->s);
    }
    if (c->rx != NULL) {
        nng_aio_stop(c->rx);
        nng_aio_free(c->rx);
    }
    if (c->tx != NULL) {
        nng_aio_stop(c->tx);
        nng_aio_free(c->tx);
    }
    if (c->now != NULL) {
        nng_aio_stop(c->now);
        nng_aio_free(c->now);
    }
    if (c->s != NULL) {
        nng_stream_free(c->s);
    }
    mem_free(c->mem, c, sizeof(*c));
}

static void
ip_of(const nng_sockaddr *sa, struct fed_ip *out)
{
    *out = (struct fed_ip){0};
    if (sa->s_family == NNG_AF_INET) {
        out->family = 4;
        memcpy(out->b, &sa->s_in.sa_addr, 4);
        memcpy(&out->port, &sa->s_in.sa_port, 2);
    } else if (sa->s_family == NNG_AF_INET6) {
        out->family = 6;
        memcpy(out->b, sa->s_in6.sa_addr, 16);
        memcpy(&out->port, &sa->s_in6.sa_port, 2);
    }
    out->port = (uint16_t)(out->port << 8 | out->port >> 8);
}

static void
conn_remote(const struct fed_stream *s, struct fed_ip *out)
{
    const struct nng_conn *c = (const void *)s;
    nng_sockaddr sa;

    *out = (struct fed_ip){0};
    if (nng_stream_get_addr(c->s, NNG_OPT_REMADDR, &sa) == 0) {
        ip_of(&sa, out);
    }
}

static const struct fed_stream_ops conn_ops = {
    conn_attach, conn_recv, conn_wait,   conn_send,
    conn_close,  conn_free, conn_remote, conn_send_now};

/* Takes s in every case. */
static enum err
wrap(const struct mem *mem, nng_stream *s, struct fed_stream **out)
{
    struct nng_conn *c = mem_alloc(mem, sizeof(*c));

    if (c == NULL) {
        nng_stream_free(s);
        return ERR_NOMEM;
    }
    c->base.ops = &conn_ops;
    c->mem = mem;
    c->s = s;
    if (nng_aio_alloc(&c->rx, rx_done, c) != 0 ||
        nng_aio_alloc(&c->tx, tx_done, c) != 0 ||
        nng_aio_alloc(&c->now, NULL, NULL) != 0) {
        conn_free(&c->base);
        return ERR_NOMEM;
    }
    nng_aio_set_timeout(c->rx, NNG_DURATION_INFINITE);
    nng_aio_set_timeout(c->tx, NNG_DURATION_INFINITE);
    *out = &c->base;
    return OK;
}

static void
url_of(const struct fed_ip *ip, char out[URL_MAX])
{
    struct fed_addr a;

    fed_ip_addr(ip, &a);
    (void)snprintf(out, URL_MAX,
                   ip->family == 6 ? "tcp://[%.45s]:%u" : "tcp://%.45s:%u",
                   a.host, (unsigned)ip->port);
}

/* ----------------------------------------------------------- listeners */
struct fed_listener {
    const struct mem *mem;
    nng_stream_listener *l;
    nng_aio *aio;
    struct fed_accept_user user;
    bool resting; /* the aio is a pause, not an accept */
    atomic_bool stopping;
};

static void
accepted(void *arg)
{
    struct fed_listener *l = arg;
    int rv = nng_aio_result(l->aio);
    struct fed_stream *s = NULL;

    if (atomic_load(&l->stopping)) {
        if (rv == 0 && !l->resting) {
            nng_stream_free(nng_aio_get_output(l->aio, 0));
        }
        return;
    }
    if (l->resting || rv == 0) {
        if (!l->resting &&
            wrap(l->mem, nng_aio_get_output(l->aio, 0), &s) == OK) {
            l->user.on_accept(l->user.ctx, s);
        }
        l->resting = false;
        nng_stream_listener_accept(l->l, l->aio);
        return;
    }
    /* No busy loop when files or memory ran out. */
    l->resting = true;
    nng_sleep_aio(RETRY_ACCEPT_MS, l->aio);
}

static void
io_unlisten(void *ctx, struct fed_listener *l)
{
    (void)ctx;
    if (l == NULL) {
        return;
    }
    atomic_store(&l->stopping, true);
    if (l->l != NULL) {
        nng_stream_listener_close(l->l);
    }
    if (l->aio != NULL) {
        nng_aio_stop(l->aio);
        nng_aio_free(l->aio);
    }
    if (l->l != NULL) {
        nng_stream_listener_free(l->l);
    }
    mem_free(l->mem, l, sizeof(*l));
}

/* Bound and listening, not yet accepting. */
static enum err
open_listener(const struct mem *mem, const char *url, int mode,
              const struct fed_accept_user *user, struct fed_listener **out)
{
    struct fed_listener *l = mem_alloc(mem, sizeof(*l));
    int rv;

    if (l == NULL) {
        return ERR_NOMEM;
    }
    l->mem = mem;
    l->user = *user;
    rv = nng_stream_listener_alloc(&l->l, url);
    if (rv == 0) {
        rv = nng_aio_alloc(&l->aio, accepted, l);
    }
    if (rv == 0 && mode != 0) {
        rv = nng_stream_listener_set_int(l->l, NNG_OPT_IPC_PERMISSIONS, mode);
    }
    if (rv == 0 && mode == 0) {
        rv = nng_stream_listener_set_bool(l->l, NNG_OPT_TCP_NODELAY, true);
    }
    if (rv == 0) {
        rv = nng_stream_listener_listen(l->l);
    }
    if (rv != 0) {
        io_unlisten(NULL, l);
        return err_of(rv);
    }
    *out = l;
    return OK;
}

static enum err
io_listen(void *ctx, const struct fed_ip *addr,
          const struct fed_accept_user *user, struct fed_ip *bound_out,
          struct fed_listener **out)
{
    struct fed_listener *l = NULL;
    char url[URL_MAX];
    nng_sockaddr sa;
    int port = 0;
    enum err e;

    url_of(addr, url);
    e = open_listener(ctx, url, 0, user, &l);
    if (e != OK) {
        return e;
    }
    *bound_out = *addr;
    if (nng_stream_listener_get_addr(l->l, NNG_OPT_LOCADDR, &sa) == 0) {
        ip_of(&sa, bound_out);
    } else if (nng_stream_listener_get_int(l->l, NNG_OPT_TCP_BOUND_PORT,
                                           &port) == 0) {
        bound_out->port = (uint16_t)port;
    }
    *out = l;
    nng_stream_listener_accept(l->l, l->aio);
    return OK;
}

/* nng removes a socket that nobody answers at, and its own when it closes. */
static enum err
io_listen_path(void *ctx, const char *path, const struct fed_accept_user *user,
               struct fed_listener **out)
{
    struct fed_listener *l = NULL;
    char url[NNG_MAXADDRLEN + 8];
    int n = snprintf(url, sizeof(url), "ipc://%s", path);
    enum err e;

    if (n < 0 || (size_t)n >= sizeof(url) || strlen(path) >= SUN_PATH) {
        return ERR_LIMIT;
    }
    e = open_listener(ctx, url, SOCKET_MODE, user, &l);
    if (e == OK) {
        *out = l;
        nng_stream_listener_accept(l->l, l->aio);
    }
    return e;
}

/* --------------------------------------------------------------- dials */
struct fed_dialing {
    const struct mem *mem;
    nng_stream_dialer *d;
    nng_aio *aio;
    struct fed_dial_user user;
};

static void
dialled(void *arg)
{
    struct fed_dialing *d = arg;
    enum err e = err_of(nng_aio_result(d->aio));
    struct fed_stream *s = NULL;

    if (e == OK) {
        e = wrap(d->mem, nng_aio_get_output(d->aio, 0), &s);
    }
    d->user.on_dial(d->user.ctx, e, s);
}

static void
io_undial(void *ctx, struct fed_dialing *d)
{
    (void)ctx;
    if (d == NULL) {
        return;
    }
    if (d->aio != NULL) {
        nng_aio_stop(d->aio);
        nng_aio_free(d->aio);
    }
    if (d->d != NULL) {
        nng_stream_dialer_free(d->d);
    }
    mem_free(d->mem, d, sizeof(*d));
}

static enum err
io_dial(void *ctx, const struct fed_ip *addr, uint32_t timeout_ms,
        const struct fed_dial_user *user, struct fed_dialing **out)
{
    const struct mem *mem = ctx;
    struct fed_dialing *d = mem_alloc(mem, sizeof(*d));
    char url[URL_MAX];
    int rv;

    if (d == NULL) {
        return ERR_NOMEM;
    }
    d->mem = mem;
    d->user = *user;
    url_of(addr, url);
    rv = nng_stream_dialer_alloc(&d->d, url);
    if (rv == 0) {
        rv = nng_stream_dialer_set_bool(d->d, NNG_OPT_TCP_NODELAY, true);
    }
    if (rv == 0) {
        rv = nng_aio_alloc(&d->aio, dialled, d);
    }
    if (rv != 0) {
        io_undial(ctx, d);
        return err_of(rv);
    }
    nng_aio_set_timeout(d->aio, (nng_duration)timeout_ms);
    *out = d;
    nng_stream_dialer_dial(d->d, d->aio);
    return OK;
}

static void
io_cancel(void *ctx, struct fed_dialing *d)
{
    (void)ctx;
    nng_aio_cancel(d->aio);
}

struct fed_io
fed_io_nng(const struct mem *mem)
{
    struct fed_io io = {.listen = io_listen,
                        .listen_path = io_listen_path,
                        .unlisten = io_unlisten,
                        .dial = io_dial,
                        .cancel = io_cancel,
                        .undial = io_undial,
                        .ctx = (void *)(uintptr_t)mem};

    return io;
}

static void
nothing_ends(void *arg)
{
    (void)arg;
}

void
fed_io_nng_early(void)
{
    nng_aio *aio = NULL;

    /* whatever is used first begins all of it; what fails, fails again there */
    if (nng_aio_alloc(&aio, nothing_ends, NULL) == 0) {
        nng_aio_free(aio);
    }
}
