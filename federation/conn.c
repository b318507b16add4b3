/* SPDX-License-Identifier: Apache-2.0 */
/* Life of a connection: begin, linger, close, deadlines, end. */
#include "federation/conn.h"

#include "proto/base/assert.h"

enum {
    RX_SMALL = 4096
};

enum err
fed_conn_init(struct fed_conn *c, struct fed_conn_env *env,
              const struct fed_conn_mode *mode, struct fed_stream *stream,
              struct tlsp *tls)
{
    uint64_t now = clock_mono_ms(env->clock);
    struct fed_stream_user user = {fed_conn_on_recv, fed_conn_on_send, c};

    c->rx_buf = mem_alloc(env->mem, RX_SMALL);
    if (c->rx_buf == NULL) {
        return ERR_NOMEM;
    }
    if (pthread_mutex_init(&c->mx, NULL) != 0) {
        mem_free(env->mem, c->rx_buf, RX_SMALL);
        c->rx_buf = NULL;
        return ERR_NOMEM;
    }
    c->rx_cap = RX_SMALL;
    c->env = env;
    c->mode = mode;
    c->stream = stream;
    c->tls = tls;
    c->heard_ms = c->said_ms = c->progress_ms = now;
    c->high_water = env->tuning.high_water_stranger;
    c->linger_ms = env->tuning.linger_ms;
    c->txq.raw = mode->raw;
    c->bucket.at_ms = now;
    atomic_init(&c->refs, 1);
    atomic_init(&c->ending, false);
    atomic_init(&c->rx_per_s, env->tuning.rx_per_s_stranger);
    atomic_init(&c->rx_cap_max, RX_SMALL);
    stream->ops->attach(stream, &user);
    return OK;
}

void
fed_conn_start(struct fed_conn *c)
{
    pthread_mutex_lock(&c->mx);
    if (c->state != FED_CONN_CLOSED) {
        fed_conn_pump(c);
    }
    if (c->state != FED_CONN_CLOSED) {
        c->stream->ops->recv(c->stream, c->rx_buf, c->rx_cap);
    }
    pthread_mutex_unlock(&c->mx);
}

void
fed_conn_shut(struct fed_conn *c, enum fed_why why)
{
    if (c->state == FED_CONN_CLOSED) {
        return;
    }
    c->state = FED_CONN_CLOSED;
    atomic_store(&c->ending, true);
    if (c->why == FED_WHY_NONE) {
        c->why = why;
    }
    c->mode->closed(c);
}

void
fed_conn_drain(struct fed_conn *c, enum fed_why why)
{
    if (c->state != FED_CONN_LIVE) {
        return;
    }
    c->state = FED_CONN_LINGER;
    atomic_store(&c->ending, true);
    c->why = why;
    c->linger_until_ms = clock_mono_ms(c->env->clock) + c->linger_ms;
    if (c->mode->goodbye != NULL) {
        c->mode->goodbye(c);
    }
    fed_conn_pump(c);
}

void
fed_conn_close(struct fed_conn *c, enum fed_why why, bool linger)
{
    pthread_mutex_lock(&c->mx);
    if (linger) {
        fed_conn_drain(c, why);
    } else {
        fed_conn_shut(c, why);
    }
    pthread_mutex_unlock(&c->mx);
}

void
fed_conn_resume(struct fed_conn *c)
{
    pthread_mutex_lock(&c->mx);
    c->resumes++;
    if (c->paused && c->state != FED_CONN_CLOSED) {
        c->paused = false;
        c->stream->ops->wait(c->stream, 0);
    }
    pthread_mutex_unlock(&c->mx);
}

void
fed_conn_sweep(struct fed_conn *c, uint64_t now_ms)
{
    const struct fed_net_tuning *t = &c->env->tuning;

    pthread_mutex_lock(&c->mx);
    if (c->paused) {
        c->heard_ms = now_ms; /* we do not listen */
    }
    if (c->state == FED_CONN_LINGER) {
        if (now_ms >= c->linger_until_ms) {
            fed_conn_shut(c, c->why);
        }
    } else if (c->state == FED_CONN_LIVE) {
        if (fed_since(now_ms, c->heard_ms) >= t->idle_ms) {
            fed_conn_shut(c, FED_WHY_SILENT);
        } else if (c->sending &&
                   fed_since(now_ms, c->progress_ms) >= t->stall_ms) {
            fed_conn_shut(c, FED_WHY_STALLED);
        }
    }
    pthread_mutex_unlock(&c->mx);
}

void
fed_conn_reap(struct fed_conn *c)
{
    ASSERT(c->state == FED_CONN_CLOSED);
    c->stream->ops->free(c->stream);
    pthread_mutex_lock(&c->mx);
    c->stream = NULL;
    tlsp_free(c->tls);
    c->tls = NULL;
    fed_txq_clear(c->env->mem, &c->txq);
    bytes_free(&c->plain);
    bytes_free(&c->out);
    bytes_free(&c->left);
    mem_free(c->env->mem, c->rx_buf, c->rx_cap);
    c->rx_buf = NULL;
    pthread_mutex_unlock(&c->mx);
}

void
fed_conn_clear(struct fed_conn *c)
{
    pthread_mutex_destroy(&c->mx);
}
