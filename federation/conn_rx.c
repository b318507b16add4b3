/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving: one turn decrypts what arrived, hands it to the mode piece by
 * piece, and starts the next receive.  A pause keeps the rest as it is; an
 * allowance that is used up starts a wait instead.
 */
#include "federation/conn.h"

#include <string.h>

enum {
    RECORD = 16384,
    RX_SMALL = 4096,
    BIG_KEPT_MS = 1000
};

enum step {
    STEP_GOT,  /* bytes for the mode */
    STEP_NONE, /* everything is taken */
    STEP_END   /* closed or lingering */
};

static enum fed_why
why_of(enum err e, bool ready)
{
    switch ((int)e) {
    case ERR_NOMEM:
        return FED_WHY_NO_MEMORY;
    case ERR_DENIED:
        return FED_WHY_NOT_ACCEPTED; /* its alert, after we were done */
    case ERR_STALE:
        return ready ? FED_WHY_OUTDATED : FED_WHY_OLD_PEER;
    case ERR_TIMEOUT:
        return ready ? FED_WHY_EXPIRED : FED_WHY_EXPIRED_PEER;
    case ERR_AUTH:
        return ready ? FED_WHY_BAD_BYTES : FED_WHY_WRONG_PEER;
    case ERR_MISSING:
        return FED_WHY_CLOSED_THERE;
    default:
        return FED_WHY_BAD_BYTES;
    }
}

/* Decrypt, or without TLS just copy; as tlsp_read. */
static enum err
decrypt(struct fed_conn *c, uint8_t *buf, size_t cap, size_t *len_out)
{
    size_t n = c->in.len < cap ? c->in.len : cap;

    if (c->tls != NULL) {
        return tlsp_read(c->tls, &c->in, buf, cap, len_out);
    }
    if (n == 0) {
        return ERR_AGAIN;
    }
    memcpy(buf, c->in.p, n);
    c->in = view_skip(c->in, n);
    *len_out = n;
    return OK;
}

/* TLS ended: say why (an alert), or just go when the peer went in order. */
static void
tls_ended(struct fed_conn *c, enum err e)
{
    bool ready = tlsp_ready(c->tls);

    if (e == ERR_MISSING || c->state == FED_CONN_LINGER) {
        fed_conn_shut(c, why_of(e, ready));
    } else {
        fed_conn_drain(c, why_of(e, ready));
    }
}

/*
 * The next bytes for the mode.  *resumes_out is how often it was resumed by
 * now, *ready_out whether TLS has just been completed.
 */
static enum step
next(struct fed_conn *c, uint8_t *buf, size_t cap, struct view *out,
     uint32_t *resumes_out, bool *ready_out)
{
    enum step step = STEP_GOT;
    enum err e = OK;
    size_t n = 0;

    *ready_out = false;
    pthread_mutex_lock(&c->mx);
    *resumes_out = c->resumes;
    if (c->state == FED_CONN_LIVE && c->left.len > c->left_off) {
        *out = view_skip(view_of(&c->left), c->left_off);
    } else if (c->state != FED_CONN_CLOSED) {
        bytes_free(&c->left);
        c->left_off = 0;
        do { /* lingering: what still comes is read and dropped */
            e = decrypt(c, buf, cap, &n);
        } while (e == OK && c->state == FED_CONN_LINGER);
        *out = view_make(buf, n);
        fed_conn_pump(c);
        if (e == ERR_AGAIN) {
            step = STEP_NONE;
        } else if (e != OK) {
            tls_ended(c, e);
            step = STEP_END;
        }
        if (fed_conn_ready(c) && !c->told_ready) {
            c->told_ready = true;
            *ready_out = c->state == FED_CONN_LIVE;
        }
    }
    if (c->state == FED_CONN_CLOSED) {
        step = STEP_END;
    }
    pthread_mutex_unlock(&c->mx);
    return step;
}

/* Keep what the mode has not taken.  rest may lie in c->left. */
static enum err
keep(struct fed_conn *c, struct view rest)
{
    struct bytes copy = {0};
    enum err e;

    if (c->left.len > 0) {
        c->left_off = c->left.len - rest.len;
        return OK;
    }
    e = bytes_copy(c->env->mem, rest, &copy);
    if (e == OK) {
        c->left = copy;
        c->left_off = 0;
    }
    return e;
}

/* True when the turn ends here: paused, and not resumed meanwhile. */
static bool
park(struct fed_conn *c, uint32_t resumes)
{
    bool parked = true;

    pthread_mutex_lock(&c->mx);
    if (c->state == FED_CONN_LIVE && c->resumes != resumes) {
        parked = false;
    } else {
        c->paused = true;
    }
    pthread_mutex_unlock(&c->mx);
    return parked;
}

static void
resize(struct fed_conn *c, size_t cap)
{
    uint8_t *p = mem_alloc(c->env->mem, cap);

    if (p != NULL) {
        mem_free(c->env->mem, c->rx_buf, c->rx_cap);
        c->rx_buf = p;
        c->rx_cap = cap;
    }
}

/* A busy peer gets a large buffer, an idle one a small one. */
static void
fit_buffer(struct fed_conn *c, uint64_t now)
{
    size_t max = atomic_load(&c->rx_cap_max);

    if (c->rx_last >= RX_SMALL) {
        c->big_ms = now;
    }
    if (c->rx_cap < max && c->rx_last == c->rx_cap) {
        resize(c, max);
    } else if (c->rx_cap > RX_SMALL && now - c->big_ms > BIG_KEPT_MS) {
        resize(c, RX_SMALL);
    }
}

static void
receive(struct fed_conn *c)
{
    uint64_t now = clock_mono_ms(c->env->clock);
    uint32_t wait_ms =
        fed_bucket_spend(&c->bucket, atomic_load(&c->rx_per_s), c->cost, now);

    c->cost = 0;
    bytes_free(&c->left);
    c->left_off = 0;
    fit_buffer(c, now);
    pthread_mutex_lock(&c->mx);
    if (c->state == FED_CONN_CLOSED) {
        /* the reaper has it */
    } else if (wait_ms > 0) {
        c->stream->ops->wait(c->stream, wait_ms);
    } else {
        c->stream->ops->recv(c->stream, c->rx_buf, c->rx_cap);
    }
    pthread_mutex_unlock(&c->mx);
}

static void
turn(struct fed_conn *c)
{
    uint8_t plain[RECORD];

    for (;;) {
        struct view v = {NULL, 0};
        uint32_t resumes = 0;
        bool ready = false;
        enum step step = next(c, plain, sizeof(plain), &v, &resumes, &ready);
        enum fed_flow flow = FED_GO;

        if (step == STEP_END) {
            return;
        }
        if (ready) {
            flow = c->mode->ready(c);
        }
        if (flow == FED_GO && step == STEP_NONE) {
            receive(c);
            return;
        }
        if (flow == FED_GO) {
            flow = c->mode->input(c, &v);
        }
        if (flow == FED_PAUSE) {
            if (keep(c, v) != OK) {
                fed_conn_close(c, FED_WHY_NO_MEMORY, false);
                return;
            }
            if (park(c, resumes)) {
                return;
            }
        } else {
            bytes_free(&c->left);
            c->left_off = 0;
        }
    }
}

void
fed_conn_on_recv(void *ctx, enum err e, size_t n)
{
    struct fed_conn *c = ctx;
    bool go;

    pthread_mutex_lock(&c->mx);
    if (e != OK) {
        fed_conn_shut(c, FED_WHY_LOST);
    }
    go = c->state != FED_CONN_CLOSED;
    if (go && n > 0) {
        c->heard_ms = clock_mono_ms(c->env->clock);
        c->in = view_make(c->rx_buf, n);
        c->rx_last = n;
        c->cost += n;
        atomic_fetch_add(&c->env->rx_bytes, n);
    }
    pthread_mutex_unlock(&c->mx);
    if (go) {
        turn(c);
    }
}
