/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connection core: a byte stream, TLS (or none, behind a proxy) and a queue of
 * items to send, with exact back-pressure both ways.  What the bytes mean is
 * the business of a mode (node frames in link.c, HTTP and WebSocket in web.c),
 * which sees them decrypted and answers with FED_GO or FED_PAUSE.
 *
 * Threads: one receive or wait is under way at a time; its end is a "turn", so
 * the mode's ready and input are never called twice at once.  The lock guards
 * everything else.  Nothing is started on a stream once it is closed, and only
 * the reaper frees it (reference/transport.md 2).  Lock order: a connection's
 * lock, then the net's, then the reaper's.
 */
#ifndef FEDERATION_CONN_H
#define FEDERATION_CONN_H

#include "crypto/tls/session.h"
#include "federation/io.h"
#include "federation/net.h"
#include "federation/quota.h"
#include "federation/txq.h"

#include <pthread.h>
#include <stdatomic.h>

struct fed_conn;

/* Called without the lock, but for wrap, goodbye and closed. */
struct fed_conn_mode {
    bool raw; /* items are sent as they are, without a frame's header */
    /* TLS is done.  FED_PAUSE: nothing is read until fed_conn_resume. */
    enum fed_flow (*ready)(struct fed_conn *c);
    /*
     * Take from the front of *in; all of it when the answer is FED_GO.  To
     * refuse, call fed_conn_close and answer FED_PAUSE.
     */
    enum fed_flow (*input)(struct fed_conn *c, struct view *in);
    /* Below half of high water after a send was refused. */
    void (*writable)(struct fed_conn *c);
    /* Hand it to the reaper; the lock is held. */
    void (*closed)(struct fed_conn *c);
    /*
     * Make of an item what is queued; on failure it is untouched and the result
     * is fed_conn_send's.  The lock is held.  May be NULL.
     */
    enum err (*wrap)(struct fed_conn *c, struct bytes *item);
    /* It begins to linger: queue last words (fed_conn_queue).  The lock is
     * held.  May be NULL. */
    void (*goodbye)(struct fed_conn *c);
};

enum fed_conn_state {
    FED_CONN_LIVE,
    FED_CONN_LINGER, /* only flushing */
    FED_CONN_CLOSED  /* nothing is started any more */
};

/* What one connection needs of its surroundings; outlives it. */
struct fed_conn_env {
    const struct mem *mem;
    const struct clock *clock;
    struct fed_net_tuning tuning; /* no zeros */
    atomic_ullong rx_bytes, tx_bytes, tx_frames;
};

struct fed_conn {
    struct fed_conn_env *env;
    const struct fed_conn_mode *mode;
    struct fed_stream *stream;
    pthread_mutex_t mx;
    atomic_uint refs;
    atomic_bool ending;     /* LINGER or CLOSED */
    atomic_uint rx_per_s;   /* allowance of the peer */
    atomic_uint rx_cap_max; /* largest receive buffer */

    /* under mx */
    struct tlsp *tls; /* NULL: plain */
    enum fed_conn_state state;
    enum fed_why why;
    struct fed_txq txq;
    struct bytes plain; /* without TLS: to be sent next */
    struct bytes out;   /* encrypted, being sent */
    size_t out_off;
    uint32_t high_water;
    uint32_t linger_ms;
    uint32_t resumes;
    bool sending;
    bool together; /* more to send comes at once */
    bool paused;
    bool want_writable;
    bool want_bulk;
    bool said_goodbye;
    bool hold; /* lingering: the other side closes, we wait for it */
    uint64_t heard_ms, said_ms, progress_ms, linger_until_ms;

    /* of the turn */
    uint8_t *rx_buf;
    size_t rx_cap, rx_last;
    struct view in;    /* received, not yet decrypted */
    struct bytes left; /* decrypted, not yet taken by the mode */
    size_t left_off;
    struct fed_bucket bucket;
    uint64_t cost;   /* to be spent at the end of the turn */
    uint64_t big_ms; /* when the buffer was last used well */
    bool told_ready;
};

/*
 * Prepare c, whose memory is zeroed and stays in place, on an open stream.  On
 * OK the stream and tls (NULL: plain) are taken and c has one reference, given
 * up by fed_conn_clear; on failure nothing is taken.
 */
MUST_CHECK enum err fed_conn_init(struct fed_conn *c, struct fed_conn_env *env,
                                  const struct fed_conn_mode *mode,
                                  struct fed_stream *stream, struct tlsp *tls);

/* Send the first flight, if any, and begin to receive. */
void fed_conn_start(struct fed_conn *c);

/*
 * Queue one item, as fed_net_send.  force ignores high water (our own bytes).
 * ERR_AGAIN  high water;  ERR_MISSING  closing;  ERR_NOMEM
 */
MUST_CHECK enum err fed_conn_send(struct fed_conn *c, struct bytes *take_item,
                                  bool force);

/* The same of bytes of the mode's own: not wrapped, whatever is queued. */
/* ERR_AGAIN unless (almost) nothing is queued; mode->writable follows. */
MUST_CHECK enum err fed_conn_send_bulk(struct fed_conn *c,
                                       struct bytes *take_item);
MUST_CHECK enum err fed_conn_send_own(struct fed_conn *c,
                                      struct bytes *take_item);

/* As fed_net_together. */
void fed_conn_together(struct fed_conn *c, bool on);

/* Bytes queued or being sent. */
size_t fed_conn_queued(struct fed_conn *c);

/* Read on after FED_PAUSE; counted, so it may come early. */
void fed_conn_resume(struct fed_conn *c);

/*
 * End it.  linger: first send what is queued and say goodbye, within
 * linger_ms.  The first reason given stays.
 */
void fed_conn_close(struct fed_conn *c, enum fed_why why, bool linger);

/* Deadlines that do not depend on the mode; once per sweep. */
void fed_conn_sweep(struct fed_conn *c, uint64_t now_ms);

/* Free the stream (waits for callbacks), TLS and buffers.  Reaper only. */
void fed_conn_reap(struct fed_conn *c);

/* After fed_conn_reap, when the last reference is gone. */
void fed_conn_clear(struct fed_conn *c);

/* How long since was before now; 0 when it is later (other threads go on
 * while a sweep runs with the time of its start). */
static inline uint64_t
fed_since(uint64_t now_ms, uint64_t since_ms)
{
    return now_ms > since_ms ? now_ms - since_ms : 0;
}

/* Inside goodbye; dropped when there is no memory. */
void fed_conn_queue(struct fed_conn *c, struct bytes *take_item);

/* For conn_rx.c and conn_tx.c; mx is held. */
bool fed_conn_ready(const struct fed_conn *c);
void fed_conn_shut(struct fed_conn *c, enum fed_why why);
void fed_conn_pump(struct fed_conn *c);
void fed_conn_drain(struct fed_conn *c, enum fed_why why);

/* Ends of the stream's operations. */
void fed_conn_on_recv(void *ctx, enum err e, size_t n);
void fed_conn_on_send(void *ctx, enum err e, size_t n);

#endif
