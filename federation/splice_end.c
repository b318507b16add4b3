/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own end of a splice, as a stream for the connection core.  One thread
 * for all of them ends their operations, so that a callback never comes from
 * inside a call and a connection inside never runs on a thread of the one
 * that carries it.
 */
#include "federation/splice_impl.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum {
    MORE_AT = LIMIT_SPLICE_WINDOW / 2
};

static struct fed_splice_end *
end_of(struct fed_stream *s)
{
    return (struct fed_splice_end *)(void *)s;
}

void
fed_splice_wake(struct fed_splice *s)
{
    uint64_t one = 1;
    ssize_t n;

    do {
        n = write(s->wake_fd, &one, sizeof(one));
    } while (n < 0 && errno == EINTR);
}

/* ---------------------------------------------------- as a fed_stream */
static void
end_attach(struct fed_stream *stream, const struct fed_stream_user *user)
{
    end_of(stream)->user = *user;
}

static void
end_recv(struct fed_stream *stream, uint8_t *buf, size_t cap)
{
    struct fed_splice_end *end = end_of(stream);

    pthread_mutex_lock(&end->s->mx);
    end->rx_buf = buf;
    end->rx_cap = cap;
    end->rx_on = true;
    pthread_mutex_unlock(&end->s->mx);
    fed_splice_wake(end->s);
}

static void
end_wait(struct fed_stream *stream, uint32_t ms)
{
    struct fed_splice_end *end = end_of(stream);

    pthread_mutex_lock(&end->s->mx);
    end->waiting = true;
    end->wait_until_ms = clock_mono_ms(end->s->clock) + ms;
    pthread_mutex_unlock(&end->s->mx);
    fed_splice_wake(end->s);
}

static void
end_send(struct fed_stream *stream, struct view data)
{
    struct fed_splice_end *end = end_of(stream);

    pthread_mutex_lock(&end->s->mx);
    end->tx = data;
    end->tx_on = true;
    pthread_mutex_unlock(&end->s->mx);
    fed_splice_wake(end->s);
}

static void
end_close(struct fed_stream *stream)
{
    struct fed_splice_end *end = end_of(stream);

    pthread_mutex_lock(&end->s->mx);
    end->closed = true;
    pthread_mutex_unlock(&end->s->mx);
    fed_splice_wake(end->s);
}

static void
end_free(struct fed_stream *stream)
{
    struct fed_splice_end *end = end_of(stream);
    struct fed_splice *s = end->s;
    struct fed_splice_end **at = &s->ends;

    pthread_mutex_lock(&s->mx);
    end->closed = true;
    while (end->busy) {
        pthread_cond_wait(&s->cv, &s->mx);
    }
    while (*at != end) {
        at = &(*at)->next;
    }
    *at = end->next;
    s->ends_n--;
    if (!end->gone) {
        fed_splice_say_close(s, &end->leg, PROTO_SPLICE_DONE);
    }
    pthread_mutex_unlock(&s->mx);
    bytes_free(&end->in);
    mem_free(s->mem, end, sizeof(*end));
}

static void
end_remote(const struct fed_stream *stream, struct fed_ip *out)
{
    (void)stream;
    *out = (struct fed_ip){0};
}

static const struct fed_stream_ops end_ops = {end_attach, end_recv,  end_wait,
                                              end_send,   end_close, end_free,
                                              end_remote, NULL};

enum err
fed_end_new(struct fed_splice *s, const struct fed_leg *leg,
            struct fed_splice_end **out)
{
    struct fed_splice_end *end;

    if (s->ends_n >= LIMIT_SPLICES) {
        return ERR_LIMIT;
    }
    end = mem_alloc(s->mem, sizeof(*end));
    if (end == NULL) {
        return ERR_NOMEM;
    }
    end->base.ops = &end_ops;
    end->s = s;
    end->leg = *leg;
    end->credit = LIMIT_SPLICE_WINDOW;
    end->next = s->ends;
    s->ends = end;
    s->ends_n++;
    *out = end;
    return OK;
}

enum err
fed_end_data(struct fed_splice_end *end, struct view bytes)
{
    enum err e = OK;

    if (end->in.len - end->in_off + end->owed + bytes.len >
        LIMIT_SPLICE_WINDOW) {
        return ERR_LIMIT; /* beyond what we granted */
    }
    if (!end->closed) {
        e = bytes_append(end->s->mem, &end->in, bytes);
    }
    if (e != OK) {
        end->gone = true;
    }
    fed_splice_wake(end->s);
    return OK;
}

enum err
fed_end_more(struct fed_splice_end *end, uint64_t credit)
{
    if (end->credit + credit > LIMIT_SPLICE_WINDOW) {
        return ERR_LIMIT;
    }
    end->credit += credit;
    fed_splice_wake(end->s);
    return OK;
}

void
fed_end_gone(struct fed_splice_end *end)
{
    end->gone = true;
    fed_splice_wake(end->s);
}

/* -------------------------------------------------------- its worker */
/* Tell the peer what was taken, once it is worth a frame. */
static void
grant(struct fed_splice_end *end)
{
    struct proto_peer_msg m = {.type = PROTO_PEER_SPLICE_MORE};
    enum err e;

    if (end->owed < MORE_AT || end->blocked || end->gone || end->closed) {
        return;
    }
    m.u.splice_more.id = end->leg.id;
    m.u.splice_more.credit = end->owed;
    e = fed_splice_say(end->s, &end->leg.peer, &m);
    end->blocked = e == ERR_AGAIN;
    end->owed = e == OK ? 0 : end->owed;
}

/* As much of tx as window and link take; how much that is. */
static size_t
send_some(struct fed_splice_end *end)
{
    size_t done = 0;

    while (done < end->tx.len && end->credit > 0 && !end->blocked) {
        struct proto_peer_msg m = {.type = PROTO_PEER_SPLICE_DATA};
        size_t n = end->tx.len - done;
        enum err e;

        n = n < LIMIT_SPLICE_CHUNK ? n : LIMIT_SPLICE_CHUNK;
        n = n < end->credit ? n : (size_t)end->credit;
        m.u.splice_data.id = end->leg.id;
        m.u.splice_data.bytes = view_sub(end->tx, done, n);
        e = fed_splice_say(end->s, &end->leg.peer, &m);
        if (e == OK) {
            done += n;
            end->credit -= n;
        } else if (e == ERR_AGAIN) {
            end->blocked = true;
        } else {
            end->gone = true;
            break;
        }
    }
    return done;
}

/* Received bytes into the buffer that was offered. */
static size_t
take_some(struct fed_splice_end *end)
{
    size_t n = end->in.len - end->in_off;

    n = n < end->rx_cap ? n : end->rx_cap;
    if (n > 0) {
        memcpy(end->rx_buf, end->in.p + end->in_off, n);
        end->in_off += n;
        end->owed += n;
        if (end->in_off == end->in.len) {
            bytes_free(&end->in);
            end->in_off = 0;
        }
    }
    return n;
}

static void
call_recv(struct fed_splice_end *end, enum err e, size_t n)
{
    end->rx_on = false;
    end->waiting = false;
    end->busy = true;
    pthread_mutex_unlock(&end->s->mx);
    end->user.on_recv(end->user.ctx, e, n);
    pthread_mutex_lock(&end->s->mx);
    end->busy = false;
    pthread_cond_broadcast(&end->s->cv);
}

static void
call_send(struct fed_splice_end *end, enum err e, size_t n)
{
    end->tx_on = false;
    end->busy = true;
    pthread_mutex_unlock(&end->s->mx);
    end->user.on_send(end->user.ctx, e, n);
    pthread_mutex_lock(&end->s->mx);
    end->busy = false;
    pthread_cond_broadcast(&end->s->cv);
}

static bool
serve_send(struct fed_splice_end *end)
{
    size_t n = end->closed || end->gone ? 0 : send_some(end);

    if (n == 0 && !end->closed && !end->gone) {
        return false;
    }
    call_send(end, n > 0 ? OK : ERR_IO, n);
    return true;
}

static bool
serve_wait(struct fed_splice_end *end, uint64_t now)
{
    if (!end->closed && !end->gone && end->wait_until_ms > now) {
        return false;
    }
    call_recv(end, end->closed ? ERR_IO : OK, 0);
    return true;
}

/* What came before the other side went is still delivered. */
static bool
serve_recv(struct fed_splice_end *end)
{
    size_t n = end->closed ? 0 : take_some(end);

    if (n > 0) {
        call_recv(end, OK, n);
    } else if (end->closed || end->gone) {
        call_recv(end, end->closed ? ERR_IO : ERR_MISSING, 0);
    } else {
        return false;
    }
    return true;
}

/*
 * Do one thing for end.  True when a callback was made: the list may have
 * changed meanwhile.
 */
static bool
serve(struct fed_splice_end *end, uint64_t now)
{
    grant(end);
    return (end->tx_on && serve_send(end)) ||
           (end->waiting && serve_wait(end, now)) ||
           (end->rx_on && serve_recv(end));
}

/* Milliseconds until the earliest wait is over, or -1. */
static int
until_next(const struct fed_splice *s, uint64_t now)
{
    int ms = -1;

    for (const struct fed_splice_end *end = s->ends; end != NULL;
         end = end->next) {
        if (end->waiting) {
            uint64_t left =
                end->wait_until_ms > now ? end->wait_until_ms - now : 0;

            if (ms < 0 || left < (uint64_t)ms) {
                ms = left < 60000 ? (int)left : 60000;
            }
        }
    }
    return ms;
}

void *
fed_splice_work(void *arg)
{
    struct fed_splice *s = arg;
    struct pollfd p = {.fd = s->wake_fd, .events = POLLIN};

    pthread_mutex_lock(&s->mx);
    while (!s->quit) {
        uint64_t now = clock_mono_ms(s->clock);
        struct fed_splice_end *end = s->ends;
        uint64_t count;
        int ms;

        while (end != NULL && !serve(end, now)) {
            end = end->next;
        }
        if (end != NULL) {
            continue;
        }
        ms = until_next(s, now);
        pthread_mutex_unlock(&s->mx);
        if (poll(&p, 1, ms) > 0 &&
            read(s->wake_fd, &count, sizeof(count)) < 0) {
            /* somebody else took it; look again */
        }
        pthread_mutex_lock(&s->mx);
    }
    pthread_mutex_unlock(&s->mx);
    return NULL;
}
