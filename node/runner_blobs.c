/* SPDX-License-Identifier: Apache-2.0 */
/* The runner and the files of messages: when they are up, messages go. */
#include "node/runner_impl.h"

#include <string.h>

static enum err
send_frame(void *ctx, const struct clinic_id *peer, struct bytes *take_frame)
{
    struct node_runner *r = ctx;
    struct fed_peer p = {*peer, 0};
    enum err e = ERR_MISSING;

    (void)pthread_mutex_lock(&r->late_mx);
    if (!r->closing) {
        e = proto_peer_peek(view_of(take_frame)) == PROTO_PEER_BLOB_PUT
                ? fed_net_send_bulk(r->net, &p, take_frame)
                : fed_net_send(r->net, &p, take_frame);
    }
    (void)pthread_mutex_unlock(&r->late_mx);
    return e;
}

struct asking {
    const struct thread_id *thread;
    const struct clinic_id *peer;
    const struct clinic_id *far;
    enum fed_right right;
    struct clinic_id *patient;
};

static enum err
step_right(void *ctx, struct fed_core *core)
{
    struct asking *a = ctx;

    return fed_core_blob_right(core, a->thread, a->peer, a->far, &a->right,
                               a->patient);
}

static enum fed_right
may(void *ctx, const struct thread_id *thread, const struct clinic_id *peer,
    const struct clinic_id *far, struct clinic_id *patient_out)
{
    struct asking a = {thread, peer, far, FED_RIGHT_NONE, patient_out};
    struct node_step step = {.step = step_right, .ctx = &a, .when_full = true};

    return node_runner_do(ctx, &step) == OK ? a.right : FED_RIGHT_NONE;
}

/* A file reached the hub, or cannot. */
struct arrival {
    const struct node_blob_task *task;
    struct message_id message;
    bool ready;
    bool failed;
};

/* Only this thread changes what waits for files, so it stays true. */
static enum err
look_up(struct node_runner *r, struct arrival *a)
{
    struct store_txn *txn = NULL;
    enum err e = store_read_begin(r->c.store, &txn);

    if (e == OK) {
        e = node_desk_file_held(txn, &a->task->thread, &a->task->blob,
                                &a->message, &a->ready);
    }
    store_read_end(txn);
    return e;
}

static enum err
step_arrival(void *ctx, struct fed_core *core)
{
    struct arrival *a = ctx;
    enum err e = OK;

    if (a->ready && !a->failed) {
        e = fed_core_release(core, &a->task->thread, &a->message);
    }
    /* a thread that has ended takes nothing: so much for its file */
    return e == ERR_MISSING || e == ERR_STATE ? OK : e;
}

static enum err
write_arrival(void *ctx, struct store_txn *txn)
{
    struct arrival *a = ctx;
    enum err e;

    if (a->failed) {
        e = node_desk_file_failed(txn, &a->task->thread, &a->task->blob);
    } else {
        e = node_desk_file_up(txn, &a->task->thread, &a->task->blob);
    }
    return e == ERR_MISSING ? OK : e;
}

/*
 * That the file is there and that its message may go is one transaction: a
 * crash between the two would hold the message for ever.
 */
static void
on_done(void *ctx, const struct node_blob_task *task, enum err e)
{
    struct arrival a = {.task = task, .failed = e != OK};
    struct node_step step = {step_arrival, write_arrival, &a, true};
    struct node_runner *r = ctx;

    if (task->dir != NODE_BLOB_UP) {
        return;
    }
    e = look_up(r, &a);
    if (e == OK) {
        e = node_runner_do(r, &step);
    }
    if ((e != OK && e != ERR_MISSING) || a.failed) {
        LOG(r->c.log, LOG_WARN, "node.file.not_sent", LOG_ERR(e));
    }
}

static enum err
write_again(void *ctx, struct store_txn *txn)
{
    struct node_runner *r = ctx;

    return node_desk_files_again(txn, r->c.mem);
}

enum err
node_runner_blobs_start(struct node_runner *r)
{
    struct node_blobs_config c = {
        .mem = r->c.mem,
        .store = r->c.store,
        .clock = r->c.clock,
        .log = r->c.log,
        .send = send_frame,
        .may = may,
        .on_done = on_done,
        .ctx = r,
    };
    enum err e = store_write(r->c.store, write_again, r, STORE_JOB_FREES);

    return e == OK ? node_blobs_start(&c, &r->blobs) : e;
}
