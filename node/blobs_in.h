/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of blobs*.c: the state of the transfers, touched by their thread
 * only.  Tasks are ours; incoming and serving are what peers began.
 */
#ifndef NODE_BLOBS_IN_H
#define NODE_BLOBS_IN_H

#include "node/blobs.h"
#include "proto/msg/peer.h"
#include "store/blob.h"

enum {
    NODE_BLOBS_WINDOW = 4,          /* chunks under way per transfer: 1 MiB */
    NODE_BLOBS_ACTIVE = 4,          /* of our transfers per peer at once */
    NODE_BLOBS_INCOMING = 32,       /* uploads under way to us, all peers */
    NODE_BLOBS_SERVING = 32,        /* ranges asked of us, all peers */
    NODE_BLOBS_SERVING_PEER = 8,    /* of them for one peer */
    NODE_BLOBS_STALL_MS = 30000,    /* without progress: ask again */
    NODE_BLOBS_QUEUE_MAX = 32 << 20 /* bytes of frames waiting */
};

struct blob_task {
    struct node_blob_task t;
    struct store_blob blob; /* loaded while active */
    bool active;
    bool going;       /* UP: the peer said where to go on */
    size_t next;      /* chunks before it are done */
    size_t asked;     /* chunks before it are sent (UP) or asked for (DOWN) */
    uint64_t last_ms; /* of progress */
    struct blob_task *following;
};

/* An upload to us. */
struct blob_incoming {
    bool used;
    struct clinic_id peer;
    struct thread_id thread;
    struct clinic_id far;     /* carried on to this clinic; zeros: for us */
    struct clinic_id patient; /* then for whom */
    bool asking;              /* far is asked first whether it takes it */
    struct store_blob blob;
    size_t next;
    uint64_t last_ms;
};

/* Chunks that a peer asked for. */
struct blob_serving {
    bool used;
    struct clinic_id peer;
    struct thread_id thread;
    struct store_blob blob;
    size_t next;
    size_t end;
};

struct blob_peer {
    struct clinic_id root;
    bool blocked; /* send said ERR_AGAIN */
    struct blob_peer *following;
};

struct blobs_state {
    struct node_blobs_config c;
    struct blob_task *tasks;
    struct blob_peer *peers; /* that are up */
    struct blob_incoming incoming[NODE_BLOBS_INCOMING];
    struct blob_serving serving[NODE_BLOBS_SERVING];
    uint64_t swept_ms; /* mono; 0: not yet */
};

/* ----------------------------------------------------------------- blobs.c */

/* What the thread does, one thing at a time. */
void node_blobs_step_up(struct blobs_state *s, const struct clinic_id *peer);
void node_blobs_step_down(struct blobs_state *s, const struct clinic_id *peer);
void node_blobs_step_writable(struct blobs_state *s,
                              const struct clinic_id *peer);
void node_blobs_step_frame(struct blobs_state *s, const struct clinic_id *peer,
                           struct view frame);
/* Go on with whatever is due. */
void node_blobs_step(struct blobs_state *s);
/* Give back what it holds in memory. */
void node_blobs_step_end(struct blobs_state *s);

/* ------------------------------------------------------------ blobs_wire.c */

struct blob_peer *node_blobs_peer(struct blobs_state *s,
                                  const struct clinic_id *root);

/* Encode and send; notes a peer that takes no more. */
MUST_CHECK enum err node_blobs_say(struct blobs_state *s,
                                   const struct clinic_id *peer,
                                   const struct proto_peer_msg *m);
MUST_CHECK enum err
node_blobs_say_state(struct blobs_state *s, const struct clinic_id *peer,
                     const struct thread_id *thread, const struct hash32 *blob,
                     enum proto_blob_code code, size_t next);
/* Read chunk index and send it.  ERR_MISSING  it is not here, or peer gone */
MUST_CHECK enum err node_blobs_say_chunk(struct blobs_state *s,
                                         const struct clinic_id *peer,
                                         const struct thread_id *thread,
                                         const struct store_blob *blob,
                                         size_t index);

/* far: the patient for whom we carry; zeros. */
MUST_CHECK enum err node_blobs_say_open(struct blobs_state *s,
                                        const struct clinic_id *peer,
                                        const struct thread_id *thread,
                                        const struct clinic_id *far,
                                        const struct store_blob *blob);

/* ------------------------------------------------------------ blobs_task.c */

/* Read the stored tasks that are not known yet. */
MUST_CHECK enum err node_blobs_load(struct blobs_state *s);
/* Begin, go on, ask again: whatever is due. */
void node_blobs_run_tasks(struct blobs_state *s);
/* The peer is gone: its transfers begin anew when it is back. */
void node_blobs_pause(struct blobs_state *s, const struct clinic_id *peer);
void node_blobs_on_state(struct blobs_state *s, const struct clinic_id *peer,
                         const struct proto_blob_state *m);
/* False: no task of ours waits for it. */
bool node_blobs_on_chunk(struct blobs_state *s, const struct clinic_id *peer,
                         const struct proto_blob_put *m);
void node_blobs_free_tasks(struct blobs_state *s);

/* A task that is as good as done, unless there is one for this blob already. */
MUST_CHECK enum err node_blobs_task_if_none(struct store_txn *txn,
                                            const struct node_blob_task *task);
MUST_CHECK enum err node_blobs_task_del(struct store_txn *txn,
                                        const struct node_blob_task *task);

/* ----------------------------------------------------------- blobs_serve.c */

void node_blobs_on_open(struct blobs_state *s, const struct clinic_id *peer,
                        const struct proto_blob_open *m);
void node_blobs_on_put(struct blobs_state *s, const struct clinic_id *peer,
                       const struct proto_blob_put *m);
void node_blobs_on_get(struct blobs_state *s, const struct clinic_id *peer,
                       const struct proto_blob_get *m);
void node_blobs_run_serving(struct blobs_state *s);
void node_blobs_drop_peer(struct blobs_state *s, const struct clinic_id *peer);
void node_blobs_free_incoming(struct blob_incoming *in);
struct blob_incoming *node_blobs_incoming(struct blobs_state *s,
                                          const struct clinic_id *peer,
                                          const uint8_t thread[32],
                                          const uint8_t blob[32]);

/* An upload or a wish about to begin: what the job that records it needs. */
struct blob_opening {
    struct thread_id thread;
    struct clinic_id peer;
    struct clinic_id far;
    struct clinic_id patient; /* whose quota counts too; zeros: nobody's */
    enum fed_right right;
    uint64_t day;
    uint64_t size;
    const struct hash32 *chunks;
    size_t n;
    struct hash32 id;
};
/* What m says, and who may.  ERR_DENIED */
MUST_CHECK enum err node_blobs_opening(struct blobs_state *s,
                                       const struct clinic_id *peer,
                                       const struct proto_blob_open *m,
                                       struct blob_opening *out);
/* Write: count it, once for each blob.  ERR_LIMIT */
MUST_CHECK enum err node_blobs_quota(struct store_txn *txn,
                                     const struct blob_opening *o);
/* Tell the sender how far its upload is; forget it when it is done. */
void node_blobs_answer(struct blobs_state *s, struct blob_incoming *in);

/* ----------------------------------------------------------- blobs_carry.c */

/* Write: keep a blob for this device until the other end has it. */
MUST_CHECK enum err node_blobs_carry(struct store_txn *txn,
                                     const struct blob_opening *o,
                                     enum node_blob_dir dir, uint64_t now_ms);
/* Whether this device's transfer of the blob is carried here. */
bool node_blobs_carried(struct blobs_state *s, const struct clinic_id *device,
                        const struct thread_id *thread,
                        const struct hash32 *blob);
/* An upload began: ask who gets it, if it is there, before chunks come. */
void node_blobs_carry_ask(struct blobs_state *s, struct blob_incoming *in);
/* far took, refused or went away: those who wait for it hear. */
void node_blobs_carry_heard(struct blobs_state *s, const struct clinic_id *far,
                            const struct proto_blob_state *m);
/* All chunks of an upload are here: bring them on. */
MUST_CHECK enum err node_blobs_carry_on(struct blobs_state *s,
                                        const struct blob_incoming *in);
void node_blobs_on_want(struct blobs_state *s, const struct clinic_id *peer,
                        const struct proto_blob_open *m);
/* A device has all of what it wanted. */
void node_blobs_carry_got(struct blobs_state *s, const struct clinic_id *device,
                          const struct proto_blob_state *m);
/* A task ended: devices that wait hear, what is not needed any more goes. */
void node_blobs_carry_done(struct blobs_state *s,
                           const struct node_blob_task *task, enum err result);
/* Once an hour: what was carried for too long, and what nobody refers to. */
void node_blobs_carry_sweep(struct blobs_state *s);

#endif
