/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending: items are queued as they are and encrypted when the stream is free,
 * so many small ones share one record and one write, and what is queued is
 * exactly what the limits count.  A small write is done at once by the thread
 * that has it: the end of an asynchronous one costs two wake-ups.
 */
#include "federation/conn.h"

enum {
    RECORD = 16384,
    WRITE_MAX = 65536,
    NOW_MAX = RECORD,     /* written at once; more is left to other threads */
    BULK_ROOM = WRITE_MAX /* queued, and bulk may still follow */
};

bool
fed_conn_ready(const struct fed_conn *c)
{
    return c->tls == NULL || tlsp_ready(c->tls);
}

static size_t
queued(const struct fed_conn *c)
{
    return c->txq.bytes + (c->out.len - c->out_off);
}

/*
 * More to send comes at once.  Not when a write is full, nor when it is so much
 * that somebody was told to wait: then a send is under way, whose end tells.
 */
static bool
waits_for_more(const struct fed_conn *c)
{
    return c->together && c->state == FED_CONN_LIVE && queued(c) < WRITE_MAX &&
           queued(c) < c->high_water;
}

/* What is ready for the stream. */
static size_t
out_len(const struct fed_conn *c)
{
    return c->tls == NULL ? c->plain.len : tlsp_out(c->tls).len;
}

static enum err
encrypt(struct fed_conn *c, struct view plain)
{
    return c->tls == NULL ? bytes_append(c->env->mem, &c->plain, plain)
                          : tlsp_write(c->tls, plain);
}

static void
take_out(struct fed_conn *c)
{
    if (c->tls == NULL) {
        c->out = bytes_take(&c->plain);
    } else {
        tlsp_take_out(c->tls, &c->out);
    }
    c->out_off = 0;
}

/* Encrypt what is queued until one write is full. */
static enum err
fill(struct fed_conn *c)
{
    enum err e = OK;

    while (c->txq.count > 0 && out_len(c) < WRITE_MAX) {
        uint8_t plain[RECORD];
        size_t done = 0;
        size_t n = fed_txq_read(&c->txq, plain, sizeof(plain), &done);

        TRY(encrypt(c, view_make(plain, n)));
        atomic_fetch_add(&c->env->tx_frames, done);
    }
out:
    return e;
}

/* Whether there is something to write in c->out. */
static bool
next_out(struct fed_conn *c)
{
    if (c->out.len == 0) {
        if (fed_conn_ready(c) && fill(c) != OK) {
            fed_conn_shut(c, FED_WHY_NO_MEMORY);
            return false;
        }
        if (out_len(c) == 0 && c->state == FED_CONN_LINGER &&
            !c->said_goodbye && c->tls != NULL) {
            c->said_goodbye = true;
            tlsp_shutdown(c->tls);
        }
        take_out(c);
    }
    if (c->out.len == 0) {
        bytes_free(&c->out);
        if (c->state == FED_CONN_LINGER && !c->hold) {
            fed_conn_shut(c, c->why);
        }
        return false;
    }
    return true;
}

/* The first n bytes of what was to be written are on their way. */
static void
gone_out(struct fed_conn *c, size_t n)
{
    atomic_fetch_add(&c->env->tx_bytes, n);
    c->out_off += n;
    if (c->out_off >= c->out.len) {
        bytes_free(&c->out);
        c->out_off = 0;
    }
}

/* Whether some of c->out was written on this thread. */
static bool
write_now(struct fed_conn *c)
{
    const struct fed_stream_ops *ops = c->stream->ops;
    struct view rest = view_skip(view_of(&c->out), c->out_off);
    size_t n = 0;
    enum err e = ERR_AGAIN;

    if (ops->send_now != NULL && rest.len <= NOW_MAX) {
        e = ops->send_now(c->stream, rest, &n);
    }
    if (e == OK) {
        gone_out(c, n);
    } else if (e != ERR_AGAIN) {
        fed_conn_shut(c, FED_WHY_LOST);
    }
    return e == OK;
}

void
fed_conn_pump(struct fed_conn *c)
{
    if (c->sending || c->state == FED_CONN_CLOSED || waits_for_more(c)) {
        return;
    }
    while (next_out(c)) {
        c->progress_ms = clock_mono_ms(c->env->clock);
        c->said_ms = c->progress_ms;
        if (!write_now(c)) {
            break;
        }
    }
    if (c->out.len > 0 && c->state != FED_CONN_CLOSED) {
        c->sending = true;
        c->stream->ops->send(c->stream,
                             view_skip(view_of(&c->out), c->out_off));
    }
}

size_t
fed_conn_queued(struct fed_conn *c)
{
    size_t n;

    pthread_mutex_lock(&c->mx);
    n = c->state == FED_CONN_CLOSED ? 0 : queued(c);
    pthread_mutex_unlock(&c->mx);
    return n;
}

static enum err
push(struct fed_conn *c, struct bytes *take_item)
{
    enum err e = fed_txq_push(c->env->mem, &c->txq, take_item);

    if (e == OK) {
        fed_conn_pump(c);
    }
    return e;
}

enum err
fed_conn_send(struct fed_conn *c, struct bytes *take_item, bool force)
{
    enum err e = OK;

    pthread_mutex_lock(&c->mx);
    if (c->state != FED_CONN_LIVE) {
        e = ERR_MISSING;
    } else if (!force && queued(c) >= c->high_water) {
        c->want_writable = true;
        e = ERR_AGAIN;
    } else {
        e = fed_txq_room(c->env->mem, &c->txq);
        if (e == OK && c->mode->wrap != NULL) {
            e = c->mode->wrap(c, take_item);
        }
        if (e == OK) {
            e = push(c, take_item);
        }
    }
    pthread_mutex_unlock(&c->mx);
    return e;
}

void
fed_conn_together(struct fed_conn *c, bool on)
{
    pthread_mutex_lock(&c->mx);
    c->together = on;
    fed_conn_pump(c);
    pthread_mutex_unlock(&c->mx);
}

enum err
fed_conn_send_bulk(struct fed_conn *c, struct bytes *take_item)
{
    bool wait;

    pthread_mutex_lock(&c->mx);
    wait = c->state == FED_CONN_LIVE && queued(c) > BULK_ROOM;
    c->want_bulk = c->want_bulk || wait;
    pthread_mutex_unlock(&c->mx);
    return wait ? ERR_AGAIN : fed_conn_send(c, take_item, false);
}

enum err
fed_conn_send_own(struct fed_conn *c, struct bytes *take_item)
{
    enum err e;

    pthread_mutex_lock(&c->mx);
    e = c->state == FED_CONN_LIVE ? push(c, take_item) : ERR_MISSING;
    pthread_mutex_unlock(&c->mx);
    return e;
}

void
fed_conn_queue(struct fed_conn *c, struct bytes *take_item)
{
    ERR_IGNORE(fed_txq_push(c->env->mem, &c->txq, take_item),
               "it closes without them");
    bytes_free(take_item);
}

void
fed_conn_on_send(void *ctx, enum err e, size_t n)
{
    struct fed_conn *c = ctx;
    bool tell = false;

    pthread_mutex_lock(&c->mx);
    c->sending = false;
    if (e != OK) {
        fed_conn_shut(c, FED_WHY_LOST);
    }
    if (c->state != FED_CONN_CLOSED) {
        gone_out(c, n);
        fed_conn_pump(c);
        if ((c->want_writable && queued(c) <= c->high_water / 2) ||
            (c->want_bulk && queued(c) <= BULK_ROOM)) {
            c->want_writable = false;
            c->want_bulk = false;
            tell = c->state == FED_CONN_LIVE;
        }
    }
    pthread_mutex_unlock(&c->mx);
    if (tell) {
        c->mode->writable(c);
    }
}
