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
};

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

/* ----------------------------------------------------------- blobs_serve.c */

void node_blobs_on_open(struct blobs_state *s, const struct clinic_id *peer,
                        const struct proto_blob_open *m);
void node_blobs_on_put(struct blobs_state *s, const struct clinic_id *peer,
                       const struct proto_blob_put *m);
void node_blobs_on_get(struct blobs_state *s, const struct clinic_id *peer,
                       const struct proto_blob_get *m);
void node_blobs_run_serving(struct blobs_state *s);
void node_blobs_drop_peer(struct blobs_state *s, const struct clinic_id *peer);

#endif
