/* SPDX-License-Identifier: Apache-2.0 */
/* What peers begin: uploads to us, and chunks that they fetch from us. */
#include "node/blobs_in.h"
#include "node/ns.h"
#include "proto/base/limits.h"
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"
#include "store/fed.h"
#include "store/writer.h"

#include <string.h>

enum {
    DAY_MS = 86400000
};

/* ----------------------------------------------------------------- uploads */

void
node_blobs_free_incoming(struct blob_incoming *in)
{
    store_blob_clear(&in->blob);
    *in = (struct blob_incoming){.used = false};
}

struct blob_incoming *
node_blobs_incoming(struct blobs_state *s, const struct clinic_id *peer,
                    const uint8_t thread[32], const uint8_t blob[32])
{
    for (size_t i = 0; i < NODE_BLOBS_INCOMING; i++) {
        struct blob_incoming *in = &s->incoming[i];

        if (in->used && clinic_id_equal(&in->peer, peer) &&
            view_equal(thread_id_view(&in->thread), view_make(thread, 32)) &&
            view_equal(hash32_view(&in->blob.id), view_make(blob, 32))) {
            return in;
        }
    }
    return NULL;
}

/* A free place, or the one that was silent longest. */
static struct blob_incoming *
incoming_room(struct blobs_state *s)
{
    struct blob_incoming *oldest = &s->incoming[0];

    for (size_t i = 0; i < NODE_BLOBS_INCOMING; i++) {
        if (!s->incoming[i].used) {
            return &s->incoming[i];
        }
        if (s->incoming[i].last_ms < oldest->last_ms) {
            oldest = &s->incoming[i];
        }
    }
    node_blobs_free_incoming(oldest);
    return oldest;
}

/* ------------------------------------------------------------------- quota */

static enum err
read_quota(struct store_txn *txn, const struct clinic_id *who, uint64_t day,
           uint64_t *used_out)
{
    struct bytes value = {0};
    struct proto_rd r;
    uint64_t on;
    uint64_t used;
    enum err e =
        store_fed_get(txn, NODE_NS_BLOB_QUOTA, clinic_id_view(who), &value);

    *used_out = 0;
    if (e == ERR_MISSING) {
        return OK;
    }
    TRY(e);
    r = proto_rd_open(view_of(&value));
    proto_rd_array(&r, 2);
    on = proto_rd_u64(&r);
    used = proto_rd_u64(&r);
    TRY(proto_rd_end(&r) == OK ? OK : ERR_CORRUPT);
    *used_out = on == day ? used : 0;
out:
    bytes_free(&value);
    return e;
}

static enum err
write_quota(struct store_txn *txn, const struct clinic_id *who, uint64_t day,
            uint64_t used)
{
    struct proto_wr w = proto_wr_open(store_txn_mem(txn));
    struct bytes value = {0};
    enum err e;

    proto_wr_array(&w, 2);
    proto_wr_uint(&w, day);
    proto_wr_uint(&w, used);
    TRY(proto_wr_take(&w, &value));
    TRY(store_fed_put(txn, NODE_NS_BLOB_QUOTA, clinic_id_view(who),
                      view_of(&value)));
out:
    bytes_free(&value);
    return e;
}

static enum err
count(struct store_txn *txn, const struct clinic_id *who,
      const struct blob_opening *o, uint64_t limit)
{
    uint64_t used;
    enum err e;

    TRY(read_quota(txn, who, o->day, &used));
    TRY(used + o->size > limit ? ERR_LIMIT : OK);
    TRY(write_quota(txn, who, o->day, used + o->size));
out:
    return e;
}

enum err
node_blobs_quota(struct store_txn *txn, const struct blob_opening *o)
{
    struct store_blob known = {0};
    bool carrying = !clinic_id_is_zero(&o->patient);
    enum err e = store_blob_get(txn, &o->id, &known);

    store_blob_clear(&known);
    if (e != ERR_MISSING) {
        return e;
    }
    e = OK;
    if (carrying) {
        TRY(count(txn, &o->patient, o, LIMIT_BLOB_PATIENT_DAY));
    }
    TRY(count(txn, &o->peer, o, LIMIT_BLOB_PER_DAY));
out:
    return e;
}

/* --------------------------------------------------------------- beginning */

enum err
node_blobs_opening(struct blobs_state *s, const struct clinic_id *peer,
                   const struct proto_blob_open *m, struct blob_opening *out)
{
    struct blob_opening o = {.peer = *peer, .size = m->size};
    struct hash32 blob;
    enum err e;

    memcpy(o.thread.b, m->thread, 32);
    memcpy(o.far.b, m->far, 32);
    memcpy(blob.b, m->blob, 32);
    o.chunks = (const struct hash32 *)m->chunks.p;
    o.n = m->chunks.len / 32;
    o.day = store_now_ms(s->c.store) / DAY_MS;
    TRY(m->chunks.len % 32 == 0 && o.n > 0 &&
                o.size == (uint64_t)o.n * STORE_BLOB_CHUNK
            ? OK
            : ERR_DENIED);
    store_blob_id(o.chunks, o.n, &o.id);
    TRY(hash32_equal(&o.id, &blob) ? OK : ERR_DENIED);
    o.right = s->c.may(s->c.ctx, &o.thread, peer, &o.far, &o.patient);
    TRY(o.right == FED_RIGHT_NONE ? ERR_DENIED : OK);
    *out = o;
out:
    return e;
}

/* An upload: the job that records it. */
struct upload {
    struct blob_opening o;
    uint64_t now_ms;
};

static enum err
open_job(void *ctx, struct store_txn *txn)
{
    const struct upload *u = ctx;
    const struct blob_opening *o = &u->o;
    struct hash32 id;
    uint8_t ref[33] = {'t'};
    enum err e;

    TRY(node_blobs_quota(txn, o));
    if (o->right == FED_RIGHT_CARRY) {
        TRY(node_blobs_carry(txn, o, NODE_BLOB_UP, u->now_ms));
        goto out;
    }
    TRY(store_blob_put(txn, o->size, o->chunks, o->n, &id));
    memcpy(ref + 1, o->thread.b, 32);
    TRY(store_blob_ref(txn, &o->id, VIEW_ARRAY(ref)));
    TRY(node_blobs_grant(txn, &o->thread, &o->id));
out:
    return e;
}

static enum err
remember(struct blobs_state *s, const struct blob_opening *o,
         struct blob_incoming **out)
{
    struct blob_incoming *in =
        node_blobs_incoming(s, &o->peer, o->thread.b, o->id.b);
    struct store_txn *txn = NULL;
    struct store_blob blob = {0};
    enum err e = OK;

    if (in == NULL) {
        TRY(store_read_begin(s->c.store, &txn));
        TRY(store_blob_get(txn, &o->id, &blob));
        in = incoming_room(s);
        *in = (struct blob_incoming){
            .used = true, .peer = o->peer, .thread = o->thread, .blob = blob};
        if (o->right == FED_RIGHT_CARRY) {
            in->far = o->far;
            in->patient = o->patient;
        }
    }
    in->last_ms = clock_mono_ms(s->c.clock);
    in->next = store_blob_missing(s->c.store, &in->blob, 0);
    *out = in;
out:
    store_read_end(txn);
    return e;
}

void
node_blobs_answer(struct blobs_state *s, struct blob_incoming *in)
{
    bool whole = in->next == in->blob.chunks_len;

    if (whole && !clinic_id_is_zero(&in->far) &&
        node_blobs_carry_on(s, in) != OK) {
        return; /* the sender asks again after a silence */
    }
    ERR_IGNORE(node_blobs_say_state(
                   s, &in->peer, &in->thread, &in->blob.id,
                   whole ? PROTO_BLOB_COMPLETE : PROTO_BLOB_MORE, in->next),
               "the sender asks again after a silence");
    if (whole) {
        node_blobs_free_incoming(in);
    }
}

void
node_blobs_on_open(struct blobs_state *s, const struct clinic_id *peer,
                   const struct proto_blob_open *m)
{
    struct upload u = {.now_ms = store_now_ms(s->c.store)};
    enum proto_blob_code code = PROTO_BLOB_DENIED;
    struct blob_incoming *in;
    struct thread_id thread;
    struct hash32 blob;
    enum err e;

    memcpy(thread.b, m->thread, 32);
    memcpy(blob.b, m->blob, 32);
    TRY(node_blobs_opening(s, peer, m, &u.o));
    e = store_write(s->c.store, open_job, &u, 0);
    if (e == ERR_LIMIT || e == ERR_FULL) {
        code = PROTO_BLOB_QUOTA;
    }
    TRY(e);
    TRY(remember(s, &u.o, &in));
    if (u.o.right == FED_RIGHT_CARRY) {
        node_blobs_carry_ask(s, in);
    } else {
        node_blobs_answer(s, in);
    }
    return;
out:
    LOG(s->c.log, LOG_WARN, "node.blobs.upload_refused",
        LOG_TAG("peer", log_tag_of(clinic_id_view(peer))), LOG_ERR(e));
    ERR_IGNORE(node_blobs_say_state(s, peer, &thread, &blob, code, 0),
               "the sender asks again after a silence");
}

void
node_blobs_on_put(struct blobs_state *s, const struct clinic_id *peer,
                  const struct proto_blob_put *m)
{
    struct blob_incoming *in = node_blobs_incoming(s, peer, m->thread, m->blob);
    struct thread_id thread;
    struct hash32 blob;
    enum err e;

    if (in == NULL) {
        memcpy(thread.b, m->thread, 32);
        memcpy(blob.b, m->blob, 32);
        ERR_IGNORE(node_blobs_say_state(s, peer, &thread, &blob,
                                        PROTO_BLOB_UNKNOWN, 0),
                   "the sender asks again after a silence");
        return;
    }
    TRY(m->index < in->blob.chunks_len ? OK : ERR_INVALID);
    TRY(store_chunk_write(s->c.store, &in->blob.chunks[m->index], m->chunk));
    in->last_ms = clock_mono_ms(s->c.clock);
    in->next = store_blob_missing(s->c.store, &in->blob, in->next);
    node_blobs_answer(s, in);
    return;
out:
    LOG(s->c.log, LOG_WARN, "node.blobs.chunk_refused",
        LOG_TAG("peer", log_tag_of(clinic_id_view(peer))), LOG_ERR(e));
}

/* --------------------------------------------------------------- downloads */

static void
free_serving(struct blob_serving *v)
{
    store_blob_clear(&v->blob);
    *v = (struct blob_serving){.used = false};
}

/* A free place, NULL when this peer or everybody asks for too much. */
static struct blob_serving *
serving_room(struct blobs_state *s, const struct clinic_id *peer)
{
    struct blob_serving *room = NULL;
    size_t of_peer = 0;

    for (size_t i = 0; i < NODE_BLOBS_SERVING; i++) {
        struct blob_serving *v = &s->serving[i];

        if (!v->used) {
            room = v;
        } else {
            of_peer += clinic_id_equal(&v->peer, peer);
        }
    }
    return of_peer < NODE_BLOBS_SERVING_PEER ? room : NULL;
}

/* ERR_MISSING  the thread does not refer to such a blob */
static enum err
load_granted(struct blobs_state *s, const struct thread_id *thread,
             const struct hash32 *blob, bool carried, struct store_blob *out)
{
    struct store_txn *txn = NULL;
    struct bytes grant = {0};
    uint8_t key[64];
    enum err e;

    memcpy(key, thread->b, 32);
    memcpy(key + 32, blob->b, 32);
    TRY(store_read_begin(s->c.store, &txn));
    if (!carried) {
        TRY(store_fed_get(txn, NODE_NS_BLOB_GRANT, VIEW_ARRAY(key), &grant));
    }
    TRY(store_blob_get(txn, blob, out));
out:
    bytes_free(&grant);
    store_read_end(txn);
    return e;
}

/* What a peer may fetch.  ERR_DENIED */
static enum err
find_served(struct blobs_state *s, const struct clinic_id *peer,
            const struct proto_blob_get *m, struct blob_serving *out)
{
    struct clinic_id far;
    struct clinic_id patient;
    enum fed_right right;
    enum err e;

    memcpy(far.b, m->far, 32);
    memcpy(out->thread.b, m->thread, 32);
    memcpy(out->blob.id.b, m->blob, 32);
    right = s->c.may(s->c.ctx, &out->thread, peer, &far, &patient);
    TRY(right == FED_RIGHT_NONE ? ERR_DENIED : OK);
    if (right == FED_RIGHT_CARRY) {
        TRY(node_blobs_carried(s, peer, &out->thread, &out->blob.id)
                ? OK
                : ERR_MISSING);
    }
    TRY(load_granted(s, &out->thread, &out->blob.id, right == FED_RIGHT_CARRY,
                     &out->blob));
out:
    return e;
}

void
node_blobs_on_get(struct blobs_state *s, const struct clinic_id *peer,
                  const struct proto_blob_get *m)
{
    struct blob_serving *room = serving_room(s, peer);
    struct blob_serving v = {.used = true, .peer = *peer};
    enum proto_blob_code code = PROTO_BLOB_UNKNOWN;
    struct hash32 id;
    enum err e = find_served(s, peer, m, &v);

    memcpy(id.b, m->blob, 32);
    if (e == ERR_DENIED) {
        code = PROTO_BLOB_DENIED;
    }
    TRY(e);
    TRY(room == NULL ? ERR_LIMIT : OK);
    TRY(m->first < v.blob.chunks_len && m->count > 0 &&
                m->count <= v.blob.chunks_len - m->first
            ? OK
            : ERR_INVALID);
    v.next = (size_t)m->first;
    v.end = (size_t)(m->first + m->count);
    *room = v;
    return;
out:
    store_blob_clear(&v.blob);
    ERR_IGNORE(node_blobs_say_state(s, peer, &v.thread, &id, code, 0),
               "the peer asks again after a silence");
}

/* True when the range is done or cannot go on. */
static bool
serve_on(struct blobs_state *s, struct blob_serving *v)
{
    while (v->next < v->end) {
        enum err e =
            node_blobs_say_chunk(s, &v->peer, &v->thread, &v->blob, v->next);

        if (e == ERR_AGAIN) {
            return false;
        }
        if (e != OK) {
            ERR_IGNORE(node_blobs_say_state(s, &v->peer, &v->thread,
                                            &v->blob.id, PROTO_BLOB_UNKNOWN,
                                            v->next),
                       "the peer asks again after a silence");
            return true;
        }
        v->next++;
    }
    return true;
}

void
node_blobs_run_serving(struct blobs_state *s)
{
    for (size_t i = 0; i < NODE_BLOBS_SERVING; i++) {
        struct blob_serving *v = &s->serving[i];

        if (v->used && serve_on(s, v)) {
            free_serving(v);
        }
    }
}

void
node_blobs_drop_peer(struct blobs_state *s, const struct clinic_id *peer)
{
    for (size_t i = 0; i < NODE_BLOBS_INCOMING; i++) {
        if (s->incoming[i].used &&
            (peer == NULL || clinic_id_equal(&s->incoming[i].peer, peer))) {
            node_blobs_free_incoming(&s->incoming[i]);
        }
    }
    for (size_t i = 0; i < NODE_BLOBS_SERVING; i++) {
        if (s->serving[i].used &&
            (peer == NULL || clinic_id_equal(&s->serving[i].peer, peer))) {
            free_serving(&s->serving[i]);
        }
    }
}
