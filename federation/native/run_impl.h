/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the runner of an app share; nobody else includes it. */
#ifndef FEDERATION_NATIVE_RUN_IMPL_H
#define FEDERATION_NATIVE_RUN_IMPL_H

#include "federation/native/run.h"
#include "federation/splice.h"
#include "proto/msg/addr.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    FED_RUN_WANTS = 32,
    FED_RUN_STEPS = 256,   /* events in one commit */
    FED_RUN_GATHER_MS = 5, /* for which acknowledgements wait for more */
    FED_RUN_QUEUE_HIGH = 16 * 1024 * 1024
};

enum fed_run_kind {
    FED_RUN_UP,
    FED_RUN_DOWN,
    FED_RUN_FRAME,
    FED_RUN_FAILED
};

struct fed_run_ev {
    struct fed_run_ev *next;
    enum fed_run_kind kind;
    struct fed_peer peer;
    struct fed_up up;
    enum fed_why why;
    bool last;   /* FAILED: it is not dialled again by itself */
    bool paused; /* its connection is read on once this is taken */
    struct bytes frame;
};

struct fed_run_want {
    bool used;
    struct clinic_id clinic;
    struct bytes addrs;
    enum fed_why why;
    uint64_t tries;
    bool spliced; /* an attempt through our home is under way */
};

/* A frame that the network had no room for. */
struct fed_run_late {
    struct fed_run_late *next;
    struct fed_peer peer;
    struct bytes frame;
};

struct fed_run {
    const struct mem *mem;
    const struct log *log;
    const struct clock *clock;
    const struct rng *rng;
    const struct fed_io *io;
    struct fed_net_tuning tuning;
    struct fed_folder *folder;
    struct fed_app *app;
    struct fed_net *net;
    struct fed_splice *splice;
    struct bytes cert; /* that the net shows */
    bool online;
    bool superseded;
    bool dirty;         /* something came since the last turn */
    bool hurry;         /* some of it is more than an acknowledgement */
    uint64_t gather_ms; /* mono: acknowledgements alone have their turn then */
    uint64_t timer_ms;
    struct fed_run_want wants[FED_RUN_WANTS];
    void (*event)(void *ctx, const struct fed_app_event *ev);
    void *event_ctx;

    atomic_bool stopping;
    pthread_mutex_t mx;
    pthread_cond_t wake;
    struct fed_run_ev *first;
    struct fed_run_ev *last;
    size_t queued;

    pthread_mutex_t late_mx;
    struct fed_run_late *late;
};

/* run.c: an event to the queue, from any thread. */
void fed_run_push(struct fed_run *r, struct fed_run_ev *take_ev);

/* run_net.c */
MUST_CHECK enum err fed_run_net_start(struct fed_run *r,
                                      const struct fed_identity *id);
void fed_run_net_stop(struct fed_run *r);
MUST_CHECK enum err fed_run_addr(const struct proto_addr *in,
                                 struct fed_addr *out);
/* Send, or keep until there is room; takes the frame on OK. */
MUST_CHECK enum err fed_run_send(struct fed_run *r, const struct fed_peer *peer,
                                 struct bytes *take_frame);
void fed_run_resume(struct fed_run *r, const struct fed_run_ev *ev);
void fed_run_late_free(struct fed_run *r);

#endif
