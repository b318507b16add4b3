/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two nodes' transfers wired together in one process, each with a real store:
 * what one sends is a frame of the other.
 */
#include "crypto/prim/hash.h"
#include "crypto/prim/random.h"
#include "node/attach.h"
#include "node/blobs.h"
#include "proto/msg/peer.h"
#include "store/blob.h"
#include "store/writer.h"
#include "tests/support/check.h"
#include "tests/support/tmp.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t
real_wall_ms(void *ctx)
{
    (void)ctx;
    return (uint64_t)time(NULL) * 1000;
}

static uint64_t
real_mono_ms(void *ctx)
{
    struct timespec t;

    (void)ctx;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static const struct clock clock_real = {real_wall_ms, real_mono_ms, NULL};

struct end {
    struct clinic_id root;
    char dir[TMP_PATH];
    struct store *store;
    struct node_blobs *blobs;
    struct end *other;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int done;         /* tasks that ended */
    enum err result;  /* of the last */
    int puts;         /* chunks sent */
    int puts_allowed; /* then the line is cut */
    bool again_once;  /* the next chunk meets a full line */
    bool member;      /* whether the other end is in the thread */
};

static struct end a;
static struct end b;
static const struct thread_id thread = {{7}};

/* The line between the two: cut before one of them is given back. */
static pthread_mutex_t line_mx = PTHREAD_MUTEX_INITIALIZER;
static bool line_cut;

static void
cut_line(bool cut)
{
    pthread_mutex_lock(&line_mx);
    line_cut = cut;
    pthread_mutex_unlock(&line_mx);
}

static enum err
send_frame(void *ctx, const struct clinic_id *peer, struct bytes *take_frame)
{
    struct end *e = ctx;
    bool put = proto_peer_peek(view_of(take_frame)) == PROTO_PEER_BLOB_PUT;

    CHECK(clinic_id_equal(peer, &e->other->root));
    if (put) {
        if (e->puts >= e->puts_allowed) {
            return ERR_MISSING;
        }
        if (e->again_once) {
            e->again_once = false;
            node_blobs_writable(e->blobs, peer);
            return ERR_AGAIN;
        }
        e->puts++;
    }
    pthread_mutex_lock(&line_mx);
    if (line_cut) {
        pthread_mutex_unlock(&line_mx);
        return ERR_MISSING;
    }
    node_blobs_frame(e->other->blobs, &e->root, view_of(take_frame));
    pthread_mutex_unlock(&line_mx);
    bytes_free(take_frame);
    return OK;
}

static enum fed_right
may(void *ctx, const struct thread_id *t, const struct clinic_id *peer,
    const struct clinic_id *far, struct clinic_id *patient_out)
{
    struct end *e = ctx;

    (void)peer;
    CHECK(clinic_id_is_zero(far));
    *patient_out = *far;
    return e->member && thread_id_equal(t, &thread) ? FED_RIGHT_MEMBER
                                                    : FED_RIGHT_NONE;
}

static void
on_done(void *ctx, const struct node_blob_task *task, enum err result)
{
    struct end *e = ctx;

    (void)task;
    pthread_mutex_lock(&e->lock);
    e->done++;
    e->result = result;
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->lock);
}

static void
wait_done(struct end *e, int count)
{
    struct timespec until;
    int rc = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 120; /* a bound for a hang, not a measure */
    pthread_mutex_lock(&e->lock);
    while (e->done < count && rc == 0) {
        rc = pthread_cond_timedwait(&e->changed, &e->lock, &until);
    }
    pthread_mutex_unlock(&e->lock);
    CHECK(rc == 0);
}

static void
start_blobs(struct end *e)
{
    struct node_blobs_config c = {
        .mem = mem_heap(),
        .store = e->store,
        .clock = &clock_real,
        .send = send_frame,
        .may = may,
        .on_done = on_done,
        .ctx = e,
    };

    CHECK_OK(node_blobs_start(&c, &e->blobs));
}

static void
open_end(struct end *e, struct end *other, uint8_t id)
{
    static const uint8_t key[32] = {1};
    struct store_config c = {
        .dir = e->dir,
        .key = {STORE_KEY_RAW, VIEW_ARRAY(key)},
        .mem = mem_heap(),
        .clock = &clock_real,
        .rng = prim_rng_system(),
        .reserve_bytes = 1 << 20,
    };

    *e = (struct end){
        .root = {{id}}, .other = other, .puts_allowed = 1000, .member = true};
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->changed, NULL);
    tmp_dir(e->dir, sizeof(e->dir), "balsam-blobs-XXXXXX");
    CHECK_OK(store_create(&c));
    CHECK_OK(store_open(&c, &e->store));
    start_blobs(e);
}

static void
close_end(struct end *e)
{
    char command[2 * TMP_PATH + 64];

    node_blobs_stop(e->blobs);
    store_close(e->store);
    snprintf(command, sizeof(command), "rm -rf %s", e->dir);
    CHECK(system(command) == 0);
    pthread_cond_destroy(&e->changed);
    pthread_mutex_destroy(&e->lock);
}

static void
open_both(void)
{
    cut_line(false);
    open_end(&a, &b, 1);
    open_end(&b, &a, 2);
    node_blobs_peer_up(a.blobs, &b.root);
    node_blobs_peer_up(b.blobs, &a.root);
}

static void
close_both(void)
{
    cut_line(true); /* neither may send to the other once one is gone */
    close_end(&a);
    close_end(&b);
}

/* A file of size bytes that tell their place, sealed into e's store. */
static void
make_file(struct end *e, size_t size, struct node_attach *out)
{
    FILE *f = tmpfile();

    CHECK(f != NULL);
    for (size_t i = 0; i < size; i++) {
        fputc((int)((i * 2654435761u) >> 24 & 255), f);
    }
    fflush(f);
    rewind(f);
    CHECK_OK(node_attach_seal(e->store, fileno(f), NULL, out));
    fclose(f);
    CHECK_EQ(out->size, size);
}

static void
check_file(struct end *e, const struct node_attach *att)
{
    FILE *f = tmpfile();

    CHECK(f != NULL);
    CHECK_OK(node_attach_open(e->store, att, fileno(f), NULL));
    rewind(f);
    for (size_t i = 0; i < att->size; i++) {
        CHECK_EQ(fgetc(f), (int)((i * 2654435761u) >> 24 & 255));
    }
    CHECK(fgetc(f) == EOF);
    fclose(f);
}

struct adding {
    struct node_blob_task task;
    const struct node_attach *att;
};

static enum err
add_job(void *ctx, struct store_txn *txn)
{
    struct adding *x = ctx;

    return node_blobs_add(txn, &x->task,
                          (const struct hash32 *)x->att->chunks.p,
                          x->att->chunks.len / 32);
}

static void
add_task(struct end *e, enum node_blob_dir dir, const struct node_attach *att)
{
    struct adding x = {{dir, thread, att->blob, e->other->root, {{0}}}, att};

    CHECK_OK(store_write(e->store, add_job, &x, 0));
    node_blobs_kick(e->blobs);
}

static enum err
grant_job(void *ctx, struct store_txn *txn)
{
    return node_blobs_grant(txn, &thread, ctx);
}

TEST(up_to_the_hub)
{
    struct node_attach att;

    open_both();
    make_file(&a, 2000000, &att); /* 8 chunks, two windows */
    a.again_once = true;
    add_task(&a, NODE_BLOB_UP, &att);
    wait_done(&a, 1);
    CHECK_OK(a.result);
    CHECK_EQ(a.puts, 8);
    check_file(&b, &att);
    node_attach_clear(&att);
    close_both();
}

TEST(down_from_the_hub)
{
    struct node_attach att;

    open_both();
    make_file(&b, 2000000, &att);
    CHECK_OK(store_write(b.store, grant_job, &att.blob, 0));
    b.again_once = true;
    add_task(&a, NODE_BLOB_DOWN, &att);
    wait_done(&a, 1);
    CHECK_OK(a.result);
    CHECK_EQ(b.puts, 8);
    check_file(&a, &att);
    node_attach_clear(&att);
    close_both();
}

TEST(an_upload_goes_on_where_it_stopped)
{
    struct node_attach att;

    open_both();
    make_file(&a, 1500000, &att); /* 6 chunks */
    a.puts_allowed = 2;
    add_task(&a, NODE_BLOB_UP, &att);
    while (store_chunk_has(
               b.store, &((const struct hash32 *)att.chunks.p)[1]) == false) {
        usleep(1000);
    }
    cut_line(true);
    node_blobs_stop(a.blobs); /* the process ends */
    start_blobs(&a);
    cut_line(false);
    a.puts_allowed = 1000;
    node_blobs_peer_up(a.blobs, &b.root);
    wait_done(&a, 1);
    CHECK_OK(a.result);
    CHECK_EQ(a.puts, 6);
    check_file(&b, &att);
    node_attach_clear(&att);
    close_both();
}

TEST(strangers_to_the_thread_get_nothing)
{
    struct node_attach att;

    open_both();
    b.member = false;
    make_file(&a, 1000, &att);
    add_task(&a, NODE_BLOB_UP, &att);
    wait_done(&a, 1);
    CHECK_ERR(a.result, ERR_DENIED);
    CHECK_EQ(a.puts, 0);
    node_attach_clear(&att);
    make_file(&b, 1000, &att);
    CHECK_OK(store_write(b.store, grant_job, &att.blob, 0));
    add_task(&a, NODE_BLOB_DOWN, &att);
    wait_done(&a, 2);
    CHECK_ERR(a.result, ERR_DENIED);
    CHECK_EQ(b.puts, 0);
    node_attach_clear(&att);
    close_both();
}

TEST(a_wrong_chunk_is_not_kept)
{
    static uint8_t junk[FED_CHUNK];
    struct proto_peer_msg m = {.type = PROTO_PEER_BLOB_PUT};
    struct node_attach att;
    struct bytes frame = {0};

    open_both();
    make_file(&a, 500000, &att); /* 2 chunks */
    a.puts_allowed = 0;
    add_task(&a, NODE_BLOB_UP, &att); /* b knows of the upload, no chunk yet */
    memcpy(m.u.blob_put.thread, thread.b, 32);
    memcpy(m.u.blob_put.blob, att.blob.b, 32);
    m.u.blob_put.chunk = VIEW_ARRAY(junk);
    CHECK_OK(proto_peer_encode(mem_heap(), &m, &frame));
    node_blobs_frame(b.blobs, &a.root, view_of(&frame));
    bytes_free(&frame);
    a.puts_allowed = 1000;
    node_blobs_peer_up(a.blobs, &b.root);
    wait_done(&a, 1);
    CHECK_OK(a.result);
    check_file(&b, &att);
    node_attach_clear(&att);
    close_both();
}

TEST(garbage_frames_are_dropped)
{
    struct node_attach att;

    open_both();
    node_blobs_frame(b.blobs, &a.root, VIEW_LIT("\xc1garbage"));
    node_blobs_frame(b.blobs, &a.root, VIEW_LIT(""));
    make_file(&a, 0, &att);
    add_task(&a, NODE_BLOB_UP, &att);
    wait_done(&a, 1);
    CHECK_OK(a.result);
    check_file(&b, &att);
    node_attach_clear(&att);
    close_both();
}

int
main(void)
{
    return RUN(T(up_to_the_hub), T(down_from_the_hub),
               T(an_upload_goes_on_where_it_stopped),
               T(strangers_to_the_thread_get_nothing),
               T(a_wrong_chunk_is_not_kept), T(garbage_frames_are_dropped));
}
