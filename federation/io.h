/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network as the connection core sees it: listeners, numeric dials and
 * byte streams with one receive and one send under way at most.  nng is one
 * implementation (io_nng.c); the simulator and the splice bring their own.
 *
 * Rules for both sides, from what was measured to break:
 *   - A callback comes on a thread of the implementation, never from inside
 *     the call that started the operation.
 *   - At most one receive (or wait) and one send are started at a time.
 *   - After close nothing more is started; what is under way ends with an
 *     error.  free waits for callbacks under way, so it is called from a
 *     thread of its own (the reaper), never from a callback.
 */
#ifndef FEDERATION_IO_H
#define FEDERATION_IO_H

#include "federation/addr.h"
#include "proto/base/bytes.h"

struct fed_stream;

/* Ends of operations.  e is OK, ERR_TIMEOUT, ERR_IO or ERR_MISSING (end). */
struct fed_stream_user {
    /* n bytes are in the buffer given to recv; 0 after a wait. */
    void (*on_recv)(void *ctx, enum err e, size_t n);
    /* the first n bytes given to send are on their way. */
    void (*on_send)(void *ctx, enum err e, size_t n);
    void *ctx;
};

struct fed_stream_ops {
    /* Called once, before anything else. */
    void (*attach)(struct fed_stream *s, const struct fed_stream_user *user);
    void (*recv)(struct fed_stream *s, uint8_t *buf, size_t cap);
    /* End as a receive of nothing after ms milliseconds. */
    void (*wait)(struct fed_stream *s, uint32_t ms);
    /* data stays in place until on_send; it may take less than all of it. */
    void (*send)(struct fed_stream *s, struct view data);
    /* Any thread; twice is fine. */
    void (*close)(struct fed_stream *s);
    /*
     * Close, wait for callbacks to end, give back.  A stream that was never
     * attached may be freed anywhere.
     */
    void (*free)(struct fed_stream *s);
    /* The other end; family 0 when there is no such thing. */
    void (*remote)(const struct fed_stream *s, struct fed_ip *out);
    /*
     * Send on this thread what fits right now, without on_send: two threads
     * fewer to wake for a small frame.  While no send is under way.  NULL:
     * this stream has none of it.
     * OK         the first *n_out bytes, one at least, are on their way
     * ERR_AGAIN  not one fits, or the stream has ended, as receiving tells
     * ERR_IO, ERR_MISSING  the stream has ended
     */
    enum err (*send_now)(struct fed_stream *s, struct view data, size_t *n_out);
};

/* The first member of every implementation's stream. */
struct fed_stream {
    const struct fed_stream_ops *ops;
};

struct fed_listener;

/* Ownership of s passes to the callback. */
struct fed_accept_user {
    void (*on_accept)(void *ctx, struct fed_stream *s);
    void *ctx;
};

struct fed_dialing;

/*
 * Exactly one end per dial; s is owned by the callback when e is OK.
 * ERR_MISSING: nothing listens there.
 */
struct fed_dial_user {
    void (*on_dial)(void *ctx, enum err e, struct fed_stream *s);
    void *ctx;
};

struct fed_io {
    /*
     * Listen at addr (port 0: any free one).  *bound_out is where.
     * ERR_EXISTS  something else listens there
     * ERR_DENIED  the system does not let us
     * ERR_IO      no such address here, or the network failed
     */
    enum err (*listen)(void *ctx, const struct fed_ip *addr,
                       const struct fed_accept_user *user,
                       struct fed_ip *bound_out, struct fed_listener **out);
    /*
     * Listen at a unix socket of mode 0660; one that a dead process left behind
     * is replaced.  NULL: there are none here.
     * ERR_EXISTS  somebody listens there;  ERR_LIMIT  the path is too long
     */
    enum err (*listen_path)(void *ctx, const char *path,
                            const struct fed_accept_user *user,
                            struct fed_listener **out);
    /* Stop accepting, wait for callbacks to end, give back. */
    void (*unlisten)(void *ctx, struct fed_listener *l);

    /* Start to connect; ends with on_dial within timeout_ms. */
    enum err (*dial)(void *ctx, const struct fed_ip *addr, uint32_t timeout_ms,
                     const struct fed_dial_user *user,
                     struct fed_dialing **out);
    /* End it early: on_dial still comes, with an error. */
    void (*cancel)(void *ctx, struct fed_dialing *d);
    /* Wait for the callback to end, give back.  Reaper only. */
    void (*undial)(void *ctx, struct fed_dialing *d);
    void *ctx;
};

/*
 * The real network on nng.  Nothing of nng may have been used before a fork
 * that follows; all signals should be blocked by then (its threads inherit).
 */
struct fed_io fed_io_nng(const struct mem *mem);

/*
 * nng's own threads, ahead of the first use, which starts them otherwise: half
 * of the time that a node needs from exec to serving.  Any thread; returns when
 * they are there.
 */
void fed_io_nng_early(void);

#endif
