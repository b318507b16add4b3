/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving attachments between nodes (decisions G 34): to the thread's hub
 * before a message is submitted, from the hub when a message has come.  What
 * is to be moved is a durable task, made in the transaction of the message;
 * transfers go on where they stopped, after a lost connection or a restart.
 *
 * Between a patient's device and a clinic that it is not connected with, the
 * clinic that delivers carries (blobs_carry.c): what comes from the one is kept
 * here, and brought on by a task, only until the other has it.
 *
 * One thread of its own does all disk work.  The node's network callbacks hand
 * over the frames with types from PROTO_PEER_BLOB_OPEN on; nothing here blocks
 * them.  Members of a thread may fetch what the thread refers to, nobody
 * anything else.
 */
#ifndef NODE_BLOBS_H
#define NODE_BLOBS_H

#include "federation/core/carry.h"
#include "proto/base/log.h"
#include "store/store.h"
#include "store/txn.h"

struct node_blobs;

enum node_blob_dir {
    NODE_BLOB_UP = 1,  /* from here to peer */
    NODE_BLOB_DOWN = 2 /* from peer to here */
};

struct node_blob_task {
    enum node_blob_dir dir;
    struct thread_id thread;
    struct hash32 blob;
    struct clinic_id peer;    /* the hub */
    struct clinic_id patient; /* for whom we carry; zeros: our own */
};

/* Everything pointed to outlives the blobs.  Callbacks: on their thread. */
struct node_blobs_config {
    const struct mem *mem;
    struct store *store;
    const struct clock *clock; /* mono time */
    const struct log *log;     /* may be NULL */
    /* As fed_net_send to whichever connection to peer is up: takes *take on
       OK.  ERR_AGAIN: node_blobs_writable follows; ERR_MISSING: not up. */
    enum err (*send)(void *ctx, const struct clinic_id *peer,
                     struct bytes *take_frame);
    /* As fed_core_blob_right; FED_RIGHT_NONE when it cannot be found out. */
    enum fed_right (*may)(void *ctx, const struct thread_id *thread,
                          const struct clinic_id *peer,
                          const struct clinic_id *far,
                          struct clinic_id *patient_out);
    /*
     * A task ended and is forgotten.  OK: all chunks are there.
     * ERR_LIMIT  above the peer's quota; ERR_DENIED  the peer refuses;
     * ERR_MISSING  the blob's record is gone here
     */
    void (*on_done)(void *ctx, const struct node_blob_task *task, enum err e);
    void *ctx;
};

MUST_CHECK enum err node_blobs_start(const struct node_blobs_config *config,
                                     struct node_blobs **out);

/* Stop the thread and give back.  Tasks stay stored.  NULL is accepted. */
void node_blobs_stop(struct node_blobs *b);

/*
 * Write, in the transaction of the message: make a task.  The blob's record
 * must exist for UP; for DOWN it is made from the n chunk hashes.  Also lets
 * members fetch it from here.  A repeat is OK.  After the commit: kick.
 */
MUST_CHECK enum err node_blobs_add(struct store_txn *txn,
                                   const struct node_blob_task *task,
                                   const struct hash32 *chunks, size_t n);

/* Write: only let the members of thread fetch a blob that is complete here
   (we are the hub and it is our own). */
MUST_CHECK enum err node_blobs_grant(struct store_txn *txn,
                                     const struct thread_id *thread,
                                     const struct hash32 *blob);

/* Any thread, never block.  frame is copied; above a bound it is dropped and
   asked for again later. */
void node_blobs_kick(struct node_blobs *b);
void node_blobs_peer_up(struct node_blobs *b, const struct clinic_id *peer);
void node_blobs_peer_down(struct node_blobs *b, const struct clinic_id *peer);
void node_blobs_writable(struct node_blobs *b, const struct clinic_id *peer);
void node_blobs_frame(struct node_blobs *b, const struct clinic_id *peer,
                      struct view frame);

#endif
