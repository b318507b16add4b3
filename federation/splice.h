/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Splices (decisions B 8): reaching a clinic that cannot be dialled through a
 * node that can be, and that agreed to it.  The relay moves opaque bytes: TLS
 * runs end to end inside, so it learns who talks to whom and how much, and
 * nothing else.
 *
 *     dialler   fed_splice_dial: a stream over the connection to the relay
 *     relay     allow: whom it agreed to splice for, and how much a day
 *     target    accept: whose splices it takes; the stream is then accepted
 *               like any connection
 *
 * The layer above hands over frames of types PROTO_PEER_SPLICE_*, and tells
 * about connections that end or have room again.  Any thread; calls back only
 * allow and accept, from fed_splice_frame.
 */
#ifndef FEDERATION_SPLICE_H
#define FEDERATION_SPLICE_H

#include "federation/net.h"

struct fed_splice;

struct fed_splice_user {
    /*
     * Relay: may from reach target through us?  *day_bytes_out is how much may
     * pass to and from target in a day.  ERR_DENIED  no
     */
    enum err (*allow)(void *ctx, const struct clinic_id *from,
                      const struct clinic_id *target, uint64_t *day_bytes_out);
    /* Target: is this relay one of ours? */
    bool (*accept)(void *ctx, const struct clinic_id *relay);
    void *ctx;
};

struct fed_splice_config {
    const struct mem *mem;
    const struct clock *clock;
    struct clinic_id root; /* our own */
    struct fed_net *net;
    struct fed_splice_user user;
};

/* What config points to must outlive it. */
MUST_CHECK enum err fed_splice_new(const struct fed_splice_config *config,
                                   struct fed_splice **out);

/* After fed_net_stop.  s may be NULL. */
void fed_splice_free(struct fed_splice *s);

/*
 * Dial target through via, which must be connected; what follows is as for
 * fed_net_dial_stream (on_peer_up or on_dial_failed).
 * ERR_MISSING  via is not connected;  ERR_LIMIT  too many splices
 */
MUST_CHECK enum err fed_splice_dial(struct fed_splice *s,
                                    const struct clinic_id *target,
                                    const struct clinic_id *via);

/*
 * One frame of a type from PROTO_PEER_SPLICE_OPEN on, from peer.
 * ERR_FORMAT, ERR_LIMIT, ERR_UNSUPPORTED  close the connection to peer
 */
MUST_CHECK enum err fed_splice_frame(struct fed_splice *s,
                                     const struct fed_peer *peer,
                                     struct view frame);

/* From on_writable, for every peer. */
void fed_splice_writable(struct fed_splice *s, const struct fed_peer *peer);

/* From on_peer_down, for every peer. */
void fed_splice_peer_down(struct fed_splice *s, const struct fed_peer *peer);

/* Relay: allow says something else about target now.  Every splice to it is
   judged again, and ended when it may no longer pass. */
void fed_splice_judge(struct fed_splice *s, const struct clinic_id *target);

/* For status. */
struct fed_splice_stats {
    uint32_t ends;    /* streams of our own under way */
    uint32_t relayed; /* splices that pass through */
    uint64_t bytes;   /* relayed since the start */
};
void fed_splice_stats(struct fed_splice *s, struct fed_splice_stats *out);

#endif
