/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attachments between our patient's device and a clinic that it is not
 * connected with (decisions F 24, G 34): sealed chunks of one size, of which
 * we know a thread's id, whom they are from and for, and how many.
 *
 * Up: kept from the device until its clinic has all of them, at most 90 days;
 * the clinic is asked first whether it takes them.  Down: fetched when a device
 * asks, kept until it says that it has them, at most 7 days; then it asks
 * again, and the clinic that orders the thread still has them.  What a device
 * carries through us counts as its patient's, a day and altogether.
 */
#include "crypto/prim/hash.h"
#include "node/blobs_in.h"
#include "node/carried.h"
#include "node/ns.h"
#include "proto/base/limits.h"
#include "store/fed.h"
#include "store/writer.h"

#include <string.h>

enum {
    SWEEP_MS = 3600000
};

static enum err
put_carried(struct store_txn *txn, const struct node_carried *c)
{
    uint8_t key[NODE_CARRIED_KEY];
    uint8_t value[NODE_CARRIED_VALUE];

    node_carried_write(c, key, value);
    return store_fed_put(txn, NODE_NS_CARRY, VIEW_ARRAY(key),
                         VIEW_ARRAY(value));
}

/* Who needs the blob: this transfer. */
static void
ref_of(const struct thread_id *thread, const struct clinic_id *device,
       uint8_t ref[1 + PRIM_HASH_SIZE])
{
    uint8_t both[64];

    memcpy(both, thread->b, 32);
    memcpy(both + 32, device->b, 32);
    ref[0] = 'c';
    prim_sha256(VIEW_ARRAY(both), ref + 1);
}

/* Write: it is over. */
static enum err
del_carried(struct store_txn *txn, const struct node_carried *c)
{
    uint8_t ref[1 + PRIM_HASH_SIZE];
    uint8_t key[NODE_CARRIED_KEY];
    enum err e;

    node_carried_key(&c->thread, &c->blob, &c->device, key);
    ref_of(&c->thread, &c->device, ref);
    e = store_fed_del(txn, NODE_NS_CARRY, VIEW_ARRAY(key));
    TRY(e == ERR_MISSING ? OK : e);
    e = store_blob_unref(txn, &c->blob, VIEW_ARRAY(ref));
    TRY(e == ERR_MISSING ? OK : e);
out:
    return e;
}

/* What is kept for one patient. */
struct sum {
    const struct clinic_id *patient;
    uint64_t bytes;
};

static enum err
add_up(void *ctx, struct view key, struct view value)
{
    struct sum *sum = ctx;
    struct node_carried c;
    enum err e = node_carried_read(key, value, &c);

    if (e == OK && clinic_id_equal(&c.patient, sum->patient)) {
        sum->bytes += c.size;
    }
    return e;
}

enum err
node_blobs_carry(struct store_txn *txn, const struct blob_opening *o,
                 enum node_blob_dir dir, uint64_t now_ms)
{
    struct node_carried c = {.thread = o->thread,
                             .blob = o->id,
                             .device = o->peer,
                             .dir = dir,
                             .patient = o->patient,
                             .far = o->far,
                             .size = o->size,
                             .since_ms = now_ms};
    struct sum sum = {.patient = &o->patient};
    struct bytes known = {0};
    uint8_t ref[1 + PRIM_HASH_SIZE];
    uint8_t key[NODE_CARRIED_KEY];
    struct hash32 id;
    enum err e;

    node_carried_key(&o->thread, &o->id, &o->peer, key);
    e = store_fed_get(txn, NODE_NS_CARRY, VIEW_ARRAY(key), &known);
    if (e == ERR_MISSING) {
        TRY(store_fed_scan(txn, NODE_NS_CARRY, (struct view){0},
                           (struct view){0}, STORE_UP, UINT32_MAX, add_up,
                           &sum));
        TRY(sum.bytes + o->size > LIMIT_BLOB_CARRIED ? ERR_LIMIT : OK);
        TRY(put_carried(txn, &c));
    } else {
        TRY(e); /* it goes on, and its time too */
    }
    ref_of(&o->thread, &o->peer, ref);
    TRY(store_blob_put(txn, o->size, o->chunks, o->n, &id));
    TRY(store_blob_ref(txn, &id, VIEW_ARRAY(ref)));
out:
    bytes_free(&known);
    return e;
}

static enum err
load_carried(struct blobs_state *s, const struct clinic_id *device,
             const struct thread_id *thread, const struct hash32 *blob,
             struct node_carried *out)
{
    struct store_txn *txn = NULL;
    struct bytes value = {0};
    uint8_t key[NODE_CARRIED_KEY];
    enum err e;

    node_carried_key(thread, blob, device, key);
    TRY(store_read_begin(s->c.store, &txn));
    TRY(store_fed_get(txn, NODE_NS_CARRY, VIEW_ARRAY(key), &value));
    TRY(node_carried_read(VIEW_ARRAY(key), view_of(&value), out));
out:
    bytes_free(&value);
    store_read_end(txn);
    return e;
}

bool
node_blobs_carried(struct blobs_state *s, const struct clinic_id *device,
                   const struct thread_id *thread, const struct hash32 *blob)
{
    struct node_carried c;

    return load_carried(s, device, thread, blob, &c) == OK;
}

/* ------------------------------------------------------- from device to far */

void
node_blobs_carry_ask(struct blobs_state *s, struct blob_incoming *in)
{
    bool asked = in->asking;

    in->asking = false;
    if (!asked && in->next < in->blob.chunks_len) {
        in->asking = node_blobs_say_open(s, &in->far, &in->thread, &in->patient,
                                         &in->blob) == OK;
    }
    if (!in->asking) {
        node_blobs_answer(s, in);
    }
}

/* The clinic that gets it has said what it thinks of an upload. */
static void
heard(struct blobs_state *s, struct blob_incoming *in,
      const struct proto_blob_state *m)
{
    struct node_blob_task t = {.dir = NODE_BLOB_UP,
                               .thread = in->thread,
                               .blob = in->blob.id,
                               .peer = in->far,
                               .patient = in->patient};
    bool refused = m != NULL && (m->code == PROTO_BLOB_QUOTA ||
                                 m->code == PROTO_BLOB_DENIED);

    in->asking = false;
    if (refused || (m != NULL && m->code == PROTO_BLOB_COMPLETE)) {
        node_blobs_free_incoming(in);
        node_blobs_carry_done(s, &t,
                              !refused                       ? OK
                              : m->code == PROTO_BLOB_DENIED ? ERR_DENIED
                                                             : ERR_LIMIT);
    } else {
        node_blobs_answer(s, in);
    }
}

void
node_blobs_carry_heard(struct blobs_state *s, const struct clinic_id *far,
                       const struct proto_blob_state *m)
{
    for (size_t i = 0; i < NODE_BLOBS_INCOMING; i++) {
        struct blob_incoming *in = &s->incoming[i];

        if (in->used && in->asking && clinic_id_equal(&in->far, far) &&
            (m == NULL || (memcmp(m->thread, in->thread.b, 32) == 0 &&
                           memcmp(m->blob, in->blob.id.b, 32) == 0))) {
            heard(s, in, m);
        }
    }
}

static enum err
task_job(void *ctx, struct store_txn *txn)
{
    return node_blobs_task_if_none(txn, ctx);
}

enum err
node_blobs_carry_on(struct blobs_state *s, const struct blob_incoming *in)
{
    struct node_blob_task t = {.dir = NODE_BLOB_UP,
                               .thread = in->thread,
                               .blob = in->blob.id,
                               .peer = in->far,
                               .patient = in->patient};
    enum err e;

    TRY(store_write(s->c.store, task_job, &t, 0));
    TRY(node_blobs_load(s));
out:
    return e;
}

/* ------------------------------------------------------- from far to device */

struct wish {
    struct blob_opening o;
    uint64_t now_ms;
    bool here; /* all of it, for a thread that we are in ourselves */
};

static enum err
want_job(void *ctx, struct store_txn *txn)
{
    const struct wish *w = ctx;
    struct node_blob_task t = {.dir = NODE_BLOB_DOWN,
                               .thread = w->o.thread,
                               .blob = w->o.id,
                               .peer = w->o.far,
                               .patient = w->o.patient};
    enum err e;

    TRY(node_blobs_quota(txn, &w->o));
    TRY(node_blobs_carry(txn, &w->o, NODE_BLOB_DOWN, w->now_ms));
    TRY(w->here ? OK : node_blobs_task_if_none(txn, &t));
out:
    return e;
}

static bool
is_here(struct blobs_state *s, const struct hash32 *id)
{
    struct store_txn *txn = NULL;
    struct store_blob blob = {0};
    bool here = false;

    if (store_read_begin(s->c.store, &txn) == OK &&
        store_blob_get(txn, id, &blob) == OK) {
        here = store_blob_missing(s->c.store, &blob, 0) == blob.chunks_len;
    }
    store_blob_clear(&blob);
    store_read_end(txn);
    return here;
}

void
node_blobs_on_want(struct blobs_state *s, const struct clinic_id *peer,
                   const struct proto_blob_open *m)
{
    struct wish w = {.now_ms = store_now_ms(s->c.store)};
    enum proto_blob_code code = PROTO_BLOB_DENIED;
    struct thread_id thread;
    struct hash32 blob;
    enum err e;

    memcpy(thread.b, m->thread, 32);
    memcpy(blob.b, m->blob, 32);
    TRY(node_blobs_opening(s, peer, m, &w.o));
    TRY(w.o.right == FED_RIGHT_CARRY ? OK : ERR_DENIED);
    w.here = is_here(s, &w.o.id);
    e = store_write(s->c.store, want_job, &w, 0);
    if (e == ERR_LIMIT || e == ERR_FULL) {
        code = PROTO_BLOB_QUOTA;
    }
    TRY(e);
    TRY(node_blobs_load(s));
    /* the task tells when all of it is here */
    code = w.here ? PROTO_BLOB_COMPLETE : PROTO_BLOB_MORE;
out:
    if (e != OK) {
        LOG(s->c.log, LOG_WARN, "node.blobs.wish_refused",
            LOG_TAG("peer", log_tag_of(clinic_id_view(peer))), LOG_ERR(e));
    }
    ERR_IGNORE(node_blobs_say_state(s, peer, &thread, &blob, code, 0),
               "the device asks again after a silence");
}

static enum err
del_job(void *ctx, struct store_txn *txn)
{
    return del_carried(txn, ctx);
}

void
node_blobs_carry_got(struct blobs_state *s, const struct clinic_id *device,
                     const struct proto_blob_state *m)
{
    struct node_carried c;
    struct thread_id thread;
    struct hash32 blob;
    enum err e;

    memcpy(thread.b, m->thread, 32);
    memcpy(blob.b, m->blob, 32);
    if (m->code != PROTO_BLOB_COMPLETE ||
        load_carried(s, device, &thread, &blob, &c) != OK ||
        c.dir != NODE_BLOB_DOWN) {
        return;
    }
    e = store_write(s->c.store, del_job, &c, STORE_JOB_FREES);
    if (e != OK) {
        LOG(s->c.log, LOG_ERROR, "node.blobs.carry_not_forgotten", LOG_ERR(e));
    }
}

/* ------------------------------------------------------------------ the end */

/* Carried transfers that a scan found: an array of struct node_carried. */
struct found {
    const struct mem *mem;
    struct bytes at;
    bool all; /* or only what is too old: */
    uint64_t now_ms;
};

static uint64_t
kept_ms(const struct node_carried *c)
{
    return c->dir == NODE_BLOB_UP ? LIMIT_BLOB_CARRY_UP_MS
                                  : LIMIT_BLOB_CARRY_DOWN_MS;
}

static enum err
find_one(void *ctx, struct view key, struct view value)
{
    struct found *f = ctx;
    struct node_carried c = {.dir = NODE_BLOB_UP};
    enum err e;

    TRY(node_carried_read(key, value, &c));
    if (f->all ||
        (c.since_ms < f->now_ms && f->now_ms - c.since_ms >= kept_ms(&c))) {
        TRY(bytes_append(f->mem, &f->at, view_make(&c, sizeof(c))));
    }
out:
    return e;
}

static enum err
find(struct blobs_state *s, struct view prefix, struct found *f)
{
    struct store_txn *txn = NULL;
    enum err e;

    TRY(store_read_begin(s->c.store, &txn));
    TRY(store_fed_scan(txn, NODE_NS_CARRY, prefix, (struct view){0}, STORE_UP,
                       UINT32_MAX, find_one, f));
out:
    store_read_end(txn);
    return e;
}

static struct node_carried
found_at(const struct found *f, size_t i)
{
    struct node_carried c;

    memcpy(&c, f->at.p + i * sizeof(c), sizeof(c));
    return c;
}

static size_t
found_len(const struct found *f)
{
    return f->at.len / sizeof(struct node_carried);
}

static enum proto_blob_code
code_of(enum err result)
{
    return result == OK           ? PROTO_BLOB_COMPLETE
           : result == ERR_LIMIT  ? PROTO_BLOB_QUOTA
           : result == ERR_DENIED ? PROTO_BLOB_DENIED
                                  : PROTO_BLOB_UNKNOWN;
}

void
node_blobs_carry_done(struct blobs_state *s, const struct node_blob_task *task,
                      enum err result)
{
    struct found f = {.mem = s->c.mem, .all = true};
    uint8_t prefix[64];
    enum err e;

    memcpy(prefix, task->thread.b, 32);
    memcpy(prefix + 32, task->blob.b, 32);
    TRY(find(s, VIEW_ARRAY(prefix), &f));
    for (size_t i = 0; i < found_len(&f); i++) {
        struct node_carried c = found_at(&f, i);

        if (c.dir != task->dir) {
            continue;
        }
        if (c.dir == NODE_BLOB_UP || result != OK) {
            TRY(store_write(s->c.store, del_job, &c, STORE_JOB_FREES));
        }
        ERR_IGNORE(node_blobs_say_state(s, &c.device, &c.thread, &c.blob,
                                        code_of(result), 0),
                   "a device that is away asks when it is back");
    }
out:
    if (e != OK) {
        LOG(s->c.log, LOG_ERROR, "node.blobs.carry_not_forgotten", LOG_ERR(e));
    }
    bytes_free(&f.at);
}

static enum err
expire_job(void *ctx, struct store_txn *txn)
{
    const struct node_carried *c = ctx;
    struct node_blob_task t = {
        .dir = c->dir, .thread = c->thread, .blob = c->blob};
    enum err e;

    TRY(del_carried(txn, c));
    TRY(c->dir == NODE_BLOB_UP ? node_blobs_task_del(txn, &t) : OK);
out:
    return e;
}

void
node_blobs_carry_sweep(struct blobs_state *s)
{
    uint64_t mono = clock_mono_ms(s->c.clock);
    struct found f = {.mem = s->c.mem, .now_ms = store_now_ms(s->c.store)};
    uint64_t removed = 0;
    enum err e = OK;

    s->swept_ms = s->swept_ms == 0 ? mono : s->swept_ms;
    if (mono - s->swept_ms < SWEEP_MS) {
        return;
    }
    s->swept_ms = mono;
    TRY(find(s, (struct view){0}, &f));
    for (size_t i = 0; i < found_len(&f); i++) {
        struct node_carried c = found_at(&f, i);

        TRY(store_write(s->c.store, expire_job, &c, STORE_JOB_FREES));
    }
    TRY(store_blob_sweep(s->c.store, f.now_ms, &removed));
out:
    if (e != OK) {
        LOG(s->c.log, LOG_ERROR, "node.blobs.sweep_failed", LOG_ERR(e));
    }
    bytes_free(&f.at);
}
