/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the splice share; nobody else includes it.
 *
 *   splice.c        the functions of splice.h, frames in and out
 *   splice_end.c    our own end of a splice: a fed_stream and its thread
 *   splice_relay.c  two legs and what passes between them
 *
 * s->mx guards everything.  It is taken with a connection's lock held (the
 * stream's operations), and fed_net_send is called with it held: inner
 * connection, splice, net, outer connection.
 */
#ifndef FEDERATION_SPLICE_IMPL_H
#define FEDERATION_SPLICE_IMPL_H

#include "federation/splice.h"
#include "proto/msg/peer.h"

#include <pthread.h>

/* A splice as one neighbour knows it. */
struct fed_leg {
    struct fed_peer peer;
    uint64_t id;
};

struct fed_splice_end {
    struct fed_stream base; /* first */
    struct fed_splice *s;
    struct fed_splice_end *next;
    struct fed_leg leg;
    struct fed_stream_user user;
    /* receiving */
    struct bytes in;
    size_t in_off;
    uint8_t *rx_buf;
    size_t rx_cap;
    bool rx_on;
    bool waiting;
    uint64_t wait_until_ms;
    uint64_t owed; /* taken, and the peer does not know it yet */
    /* sending */
    struct view tx;
    bool tx_on;
    uint64_t credit;
    bool blocked; /* until the link has room */

    bool gone;   /* the other side ended it */
    bool closed; /* we did */
    bool busy;   /* the worker is with it, without the lock */
};

/* Direction 0 is from leg 0 to leg 1. */
struct fed_relay {
    struct fed_relay *next;
    struct fed_leg leg[2];
    struct clinic_id target;
    uint64_t day_bytes;
    struct {
        struct bytes held; /* not yet sent on; at most the window */
        uint64_t credit;   /* what may still come in */
        uint64_t more;     /* credit not yet told to the sender */
        bool over;         /* the sender ended it: send the rest, then close */
        uint64_t code;
    } way[2];
};

/* What passed for one target today. */
struct fed_splice_day {
    struct clinic_id target;
    uint64_t day;
    uint64_t bytes;
};

struct fed_splice {
    const struct mem *mem;
    const struct clock *clock;
    struct clinic_id root;
    struct fed_net *net;
    struct fed_splice_user user;
    pthread_mutex_t mx;
    pthread_cond_t cv; /* an end is no longer busy */
    struct fed_splice_end *ends;
    struct fed_relay *relays;
    struct fed_splice_day days[LIMIT_SPLICES];
    size_t ends_n, relays_n;
    uint64_t next_id;
    uint64_t bytes;
    pthread_t worker;
    bool worker_runs, quit;
    int wake_fd;
};

/* ------------------------------------------------------------ splice.c */
/* Encode and queue; mx is held or not.  As fed_net_send. */
MUST_CHECK enum err fed_splice_say(struct fed_splice *s,
                                   const struct fed_peer *peer,
                                   const struct proto_peer_msg *m);
/* The same of a CLOSE, whatever becomes of it. */
void fed_splice_say_close(struct fed_splice *s, const struct fed_leg *leg,
                          uint64_t code);
/* A fresh id for a splice that we open with peer; mx is held. */
uint64_t fed_splice_id(struct fed_splice *s, const struct clinic_id *peer);
bool fed_leg_is(const struct fed_leg *leg, const struct fed_peer *peer,
                uint64_t id);

/* -------------------------------------------------------- splice_end.c */
/* A new end; mx is held.  ERR_LIMIT, ERR_NOMEM */
MUST_CHECK enum err fed_end_new(struct fed_splice *s, const struct fed_leg *leg,
                                struct fed_splice_end **out);
/* Frames for it; mx is held. */
MUST_CHECK enum err fed_end_data(struct fed_splice_end *end, struct view bytes);
MUST_CHECK enum err fed_end_more(struct fed_splice_end *end, uint64_t credit);
void fed_end_gone(struct fed_splice_end *end);
void fed_splice_wake(struct fed_splice *s);
void *fed_splice_work(void *arg);

/* ------------------------------------------------------ splice_relay.c */
/* Begin to relay; mx is held.  The code to refuse with, or DONE. */
enum proto_splice_code fed_relay_open(struct fed_splice *s,
                                      const struct fed_leg *from,
                                      const struct clinic_id *target);
/* Frames on leg side of it; mx is held. */
MUST_CHECK enum err fed_relay_data(struct fed_splice *s, struct fed_relay *r,
                                   int side, struct view bytes);
MUST_CHECK enum err fed_relay_more(struct fed_splice *s, struct fed_relay *r,
                                   int side, uint64_t credit);
void fed_relay_over(struct fed_splice *s, struct fed_relay *r, int side,
                    uint64_t code);
/* May it still pass?  r may be gone afterwards; mx is held. */
void fed_relay_judge(struct fed_splice *s, struct fed_relay *r);
/* Send what is held; r may be gone afterwards. */
void fed_relay_flush(struct fed_splice *s, struct fed_relay *r);
void fed_relay_drop(struct fed_splice *s, struct fed_relay *r);

#endif
