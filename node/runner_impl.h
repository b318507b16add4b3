/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the runner share; nobody else includes it. */
#ifndef NODE_RUNNER_IMPL_H
#define NODE_RUNNER_IMPL_H

#include "federation/splice.h"
#include "node/blobs.h"
#include "node/clinic/desk.h"
#include "node/clocks.h"
#include "node/runner.h"
#include "store/writer.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

enum {
    NODE_QUEUE_HIGH = 16 * 1024 * 1024, /* bytes: peers pause above this */
    NODE_QUEUE_LOW = 4 * 1024 * 1024,
    NODE_SHARES = 256, /* of the queue, by connection */
    NODE_SHARE_HIGH = 2 * 1024 * 1024,
    NODE_SHARE_LOW = 512 * 1024,
    NODE_RESUMED = 64,                /* at once */
    NODE_LATE_MAX = 24 * 1024 * 1024, /* a share's frames without room */
    NODE_FOLLOWS = 32,
    NODE_PROFILES = 32,
    NODE_VIAS = 64,
    NODE_STEPS_PER_BATCH = 128, /* then one closes, however many wait */
    NODE_STEPS_ALONE = 4,     /* so small a batch need not be committed aside */
    NODE_STEPS_CAREFUL = 512, /* one to a batch, after one was dropped */
    NODE_GATHER_MS = 5,       /* for which acknowledgements wait for more */
    NODE_PAUSED = 512,
    NODE_SUSPECTS = 16
};

enum node_ev_kind {
    NODE_EV_FRAME,
    NODE_EV_UP,
    NODE_EV_DOWN,
    NODE_EV_OUTDATED, /* that peer knows a newer certificate of ours */
    NODE_EV_ASK
};

/* A request in the queue; the asker's. */
struct node_ask {
    struct node_step step;
    enum err e;
    sem_t finished;
    struct node_ask *next; /* in a batch */
};

struct node_ev {
    struct node_ev *next;
    enum node_ev_kind kind;
    struct fed_peer peer;
    struct fed_up up;
    struct bytes frame; /* UP of a device: its certificate */
    struct node_ask *ask;
};

/* A frame that the network had no room for. */
struct node_late {
    struct node_late *next;
    struct fed_peer peer;
    struct bytes frame;
};

/* A clinic whose frame could not be stored, and until when it is refused. */
struct node_suspect {
    struct clinic_id root;
    uint64_t until_ms;
    uint64_t wait_ms;
};

/* What the batch that is being made, or committed, is made of. */
struct node_made {
    size_t steps;
    bool grows;  /* some of it is not for a full disk */
    bool framed; /* the last step was a frame */
    bool hurry;  /* some of it is more than an acknowledgement */
    struct fed_peer peer;
};

/* What the handshake may know without asking the core. */
struct node_party {
    struct clinic_id root; /* of a device: its id */
    enum fed_kind kind;
    struct patient_id patient; /* DEVICE: whose */
    bool known;
    bool blocked;
    uint64_t generation; /* refuse lower ones */
};

/* A clinic that is reached through another node. */
struct node_via {
    bool used;
    struct clinic_id target;
    struct clinic_id via;
    struct fed_addr addr; /* of the relay */
    uint64_t next_ms;     /* next attempt */
    uint64_t wait_ms;
};

struct node_follow {
    struct node_runner *r;
    bool used;
    struct clinic_id root;
    struct node_answer answer;
};

/* The batch that is being committed. */
struct node_commit {
    struct store_job job;
    const struct fed_batch *batch; /* NULL: only writes of requests */
    struct node_ask *asks;
    struct node_made made;
    enum err e;
    bool finished;
    bool sent; /* its frames have left, by the store's redo record */
};

struct node_runner {
    struct node_runner_config c;
    struct node_identity identity;
    struct bytes addrs;
    struct bytes profile;
    struct bytes picture;
    struct fed_core *core;
    struct fed_net *net;
    struct node_blobs *blobs;
    struct fed_splice *splice;
    struct node_clocks clocks;
    _Atomic uint64_t expires_ms; /* our certificate */
    struct node_desk desk;       /* the writer thread's */

    pthread_t thread;
    bool started;
    pthread_mutex_t mx;
    pthread_cond_t wake; /* of the core thread */
    struct node_ev *first;
    struct node_ev *last;
    size_t queue_bytes;
    size_t queue_len;
    size_t shares[NODE_SHARES];
    struct fed_peer paused[NODE_PAUSED];
    size_t paused_len;
    bool stopping;
    struct node_commit commit;
    bool committing;

    /* the core thread's */
    struct node_ask *asks; /* of the batch being made */
    struct node_ask **asks_end;
    struct node_ask *again; /* of dropped batches: to be done once more */
    unsigned careful;       /* steps to do one to a batch */
    bool unsound;           /* the core could not be reset */
    struct node_made made;
    uint64_t timer_ms;
    bool dirty;         /* a step was done since the last take */
    uint64_t gather_ms; /* mono: acknowledgements alone are taken then */
    struct node_via vias[NODE_VIAS];
    uint64_t via_turn_ms;

    pthread_mutex_t late_mx;
    bool closing; /* the network is about to go */
    struct node_late *late_first;
    struct node_late *late_last;
    size_t late_shares[NODE_SHARES];

    pthread_rwlock_t parties_lock;
    struct node_party *parties;
    size_t parties_len;
    size_t parties_cap;
    struct node_suspect suspects[NODE_SUSPECTS];
    size_t suspects_next;

    pthread_mutex_t follow_mx;
    pthread_cond_t follow_cond;
    struct node_follow follows[NODE_FOLLOWS];
    /* a peer says its profile once a connection; who asks again gets this */
    struct node_desk_profile profiles[NODE_PROFILES];
    size_t profiles_next;

    atomic_ulong batches;
    atomic_ulong steps;
    atomic_bool superseded;    /* by a newer copy of this node */
    atomic_bool outdated;      /* a clinic knows a newer certificate of ours */
    _Atomic uint64_t known_ms; /* a time that has passed for sure */
    atomic_bool clock_behind;
    _Atomic uint64_t renew_above; /* a certificate above this is wanted */
    atomic_ulong failures;
    atomic_ulong beats;
};

/* runner_net.c: the network's callbacks, and what a batch sends. */
struct fed_net_user node_runner_net_user(struct node_runner *r);
void node_runner_act_all(struct node_runner *r, const struct fed_batch *batch);
void node_runner_late_free(struct node_runner *r);

/* runner_party.c: what the handshake knows; who waits for answers. */
MUST_CHECK enum err node_runner_parties_load(struct node_runner *r);
void node_runner_party_update(struct node_runner *r,
                              const struct clinic_id *root);
/* The handshake's copy follows what a batch changed. */
void node_runner_party_follow(struct node_runner *r,
                              const struct fed_batch *batch);
bool node_runner_party_find(struct node_runner *r, const struct clinic_id *root,
                            struct node_party *out);
void node_runner_answer(struct node_runner *r, const struct fed_show *show);
void node_runner_unreachable(struct node_runner *r,
                             const struct clinic_id *root, enum fed_why why);

/* runner_store.c: the core's records in the store. */
struct fed_store node_runner_store(struct node_runner *r);
MUST_CHECK enum err node_runner_write(struct store_txn *txn,
                                      const struct fed_batch *batch);

/* runner_blobs.c: files of messages. */
MUST_CHECK enum err node_runner_blobs_start(struct node_runner *r);

/* runner_splice.c: clinics behind relays.  On the core thread. */
MUST_CHECK enum err node_runner_splice_start(struct node_runner *r);
void node_runner_via_want(struct node_runner *r, const struct clinic_id *target,
                          const struct clinic_id *via,
                          const struct fed_addr *addr);
void node_runner_via_unwant(struct node_runner *r,
                            const struct clinic_id *target);
void node_runner_via_turn(struct node_runner *r);

/*
 * runner_fail.c: batches that cannot be stored, and a full disk.
 * start_over: *made is what failed: r->made, or a batch that was settled.
 */
void node_runner_start_over(struct node_runner *r, const struct node_made *made,
                            enum err why);
/* Put these requests to those that are done once more. */
void node_runner_again(struct node_runner *r, struct node_ask *list);
/* Try again to reset the core; false: nothing may be asked of it. */
bool node_runner_mend(struct node_runner *r);
bool node_runner_is_suspect(struct node_runner *r,
                            const struct clinic_id *root);
/* Whether this may not be done now, since the disk is full. */
bool node_runner_no_room(struct node_runner *r, const struct node_ev *ev);
bool node_runner_ev_grows(const struct node_ev *ev);

/* runner_queue.c: put an event at the end of the queue; locked: under mx. */
void node_runner_push_locked(struct node_runner *r, struct node_ev *take_ev);
void node_runner_push(struct node_runner *r, struct node_ev *take_ev);
/* Take the first event; NULL: none. */
struct node_ev *node_runner_pop(struct node_runner *r);
void node_runner_free_event(struct node_runner *r, struct node_ev *take_ev);
/* Whether this peer has to wait; *close_out: too many wait already. */
bool node_runner_must_pause(struct node_runner *r, const struct fed_peer *peer,
                            bool *close_out);
/* Let paused peers go on whose share is short again. */
void node_runner_resume(struct node_runner *r);

/*
 * runner_commit.c: on the core thread.  Commit the batch, or only what requests
 * write; r->committing until it was ended.
 */
void node_runner_submit(struct node_runner *r, const struct fed_batch *batch);
bool node_runner_commit_finished(struct node_runner *r);
void node_runner_end_commit(struct node_runner *r);
/* The batch under way has ended.  *made: what it was made of. */
MUST_CHECK enum err node_runner_settle(struct node_runner *r,
                                       struct node_made *made);

/* runner.c: answer a request. */
void node_runner_finish(struct node_ask *ask, enum err e);
void node_runner_finish_all(struct node_ask *list, enum err e);
/* The core thread; ctx is the runner. */
void *node_runner_thread(void *ctx);

#endif
