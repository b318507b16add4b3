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

static void
free_incoming(struct blob_incoming *in)
{
    store_blob_clear(&in->blob);
    *in = (struct blob_incoming){.used = false};
}

static struct blob_incoming *
incoming_of(struct blobs_state *s, const struct clinic_id *peer,
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
    free_incoming(oldest);
    return oldest;
}

/* An upload about to begin: the job that records it. */
struct opening {
    struct thread_id thread;
    struct clinic_id peer;
    uint64_t day;
    uint64_t size;
    const struct hash32 *chunks;
    size_t n;
    struct hash32 id;
};

static enum err
read_quota(struct store_txn *txn, const struct opening *o, uint64_t *used_out)
{
    struct bytes value = {0};
    struct proto_rd r;
    uint64_t day;
    uint64_t used;
    enum err e = store_fed_get(txn, NODE_NS_BLOB_QUOTA,
                               clinic_id_view(&o->peer), &value);

    *used_out = 0;
    if (e == ERR_MISSING) {
        return OK;
    }
    TRY(e);
    r = proto_rd_open(view_of(&value));
    proto_rd_array(&r, 2);
    day = proto_rd_u64(&r);
    used = proto_rd_u64(&r);
    TRY(proto_rd_end(&r) == OK ? OK : ERR_CORRUPT);
    *used_out = day == o->day ? used : 0;
out:
    bytes_free(&value);
    return e;
}

static enum err
write_quota(struct store_txn *txn, const struct opening *o, uint64_t used)
{
    struct proto_wr w = proto_wr_open(store_txn_mem(txn));
    struct bytes value = {0};
    enum err e;

    proto_wr_array(&w, 2);
    proto_wr_uint(&w, o->day);
    proto_wr_uint(&w, used);
    TRY(proto_wr_take(&w, &value));
    TRY(store_fed_put(txn, NODE_NS_BLOB_QUOTA, clinic_id_view(&o->peer),
                      view_of(&value)));
out:
    bytes_free(&value);
    return e;
}

static enum err
open_job(void *ctx, struct store_txn *txn)
{
    struct opening *o = ctx;
    struct store_blob known = {0};
    uint64_t used;
    uint8_t ref[33] = {'t'};
    enum err e;

    e = store_blob_get(txn, &o->id, &known);
    store_blob_clear(&known);
    if (e == ERR_MISSING) {
        TRY(read_quota(txn, o, &used));
        TRY(used + o->size > LIMIT_BLOB_PER_DAY ? ERR_LIMIT : OK);
        TRY(write_quota(txn, o, used + o->size));
    } else {
        TRY(e);
    }
    TRY(store_blob_put(txn, o->size, o->chunks, o->n, &o->id));
    memcpy(ref + 1, o->thread.b, 32);
    TRY(store_blob_ref(txn, &o->id, VIEW_ARRAY(ref)));
    TRY(node_blobs_grant(txn, &o->thread, &o->id));
out:
    return e;
}

static enum err
remember(struct blobs_state *s, const struct opening *o,
         struct blob_incoming **out)
{
    struct blob_incoming *in = incoming_of(s, &o->peer, o->thread.b, o->id.b);
    struct store_txn *txn = NULL;
    struct store_blob blob = {0};
    enum err e = OK;

    if (in == NULL) {
        TRY(store_read_begin(s->c.store, &txn));
        TRY(store_blob_get(txn, &o->id, &blob));
        in = incoming_room(s);
        *in = (struct blob_incoming){
            .used = true, .peer = o->peer, .thread = o->thread, .blob = blob};
    }
    in->last_ms = clock_mono_ms(s->c.clock);
    in->next = store_blob_missing(s->c.store, &in->blob, 0);
    *out = in;
out:
    store_read_end(txn);
    return e;
}

/* Tell the sender how far its upload is; forget it when it is done. */
static void
answer(struct blobs_state *s, struct blob_incoming *in)
{
    bool whole = in->next == in->blob.chunks_len;

    ERR_IGNORE(node_blobs_say_state(
                   s, &in->peer, &in->thread, &in->blob.id,
                   whole ? PROTO_BLOB_COMPLETE : PROTO_BLOB_MORE, in->next),
               "the sender asks again after a silence");
    if (whole) {
        free_incoming(in);
    }
}

void
node_blobs_on_open(struct blobs_state *s, const struct clinic_id *peer,
                   const struct proto_blob_open *m)
{
    struct opening o = {.peer = *peer, .size = m->size};
    enum proto_blob_code code = PROTO_BLOB_DENIED;
    struct blob_incoming *in;
    struct hash32 blob;
    enum err e;

    memcpy(o.thread.b, m->thread, 32);
    memcpy(blob.b, m->blob, 32);
    o.chunks = (const struct hash32 *)m->chunks.p;
    o.n = m->chunks.len / 32;
    o.day = store_now_ms(s->c.store) / DAY_MS;
    TRY(m->chunks.len % 32 == 0 && o.n > 0 &&
                o.size == (uint64_t)o.n * STORE_BLOB_CHUNK &&
                s->c.may(s->c.ctx, &o.thread, peer)
            ? OK
            : ERR_DENIED);
    store_blob_id(o.chunks, o.n, &o.id);
    TRY(hash32_equal(&o.id, &blob) ? OK : ERR_DENIED);
    e = store_write(s->c.store, open_job, &o, 0);
    if (e == ERR_LIMIT || e == ERR_FULL) {
        code = PROTO_BLOB_QUOTA;
    }
    TRY(e);
    TRY(remember(s, &o, &in));
    answer(s, in);
    return;
out:
    LOG(s->c.log, LOG_WARN, "node.blobs.upload_refused",
        LOG_TAG("peer", log_tag_of(clinic_id_view(peer))), LOG_ERR(e));
    ERR_IGNORE(node_blobs_say_state(s, peer, &o.thread, &blob, code, 0),
               "the sender asks again after a silence");
}

void
node_blobs_on_put(struct blobs_state *s, const struct clinic_id *peer,
                  const struct proto_blob_put *m)
{
    struct blob_incoming *in = incoming_of(s, peer, m->thread, m->blob);
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
    answer(s, in);
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
             const struct hash32 *blob, struct store_blob *out)
{
    struct store_txn *txn = NULL;
    struct bytes grant = {0};
    uint8_t key[64];
    enum err e;

    memcpy(key, thread->b, 32);
    memcpy(key + 32, blob->b, 32);
    TRY(store_read_begin(s->c.store, &txn));
    TRY(store_fed_get(txn, NODE_NS_BLOB_GRANT, VIEW_ARRAY(key), &grant));
    TRY(store_blob_get(txn, blob, out));
out:
    bytes_free(&grant);
    store_read_end(txn);
    return e;
}

void
node_blobs_on_get(struct blobs_state *s, const struct clinic_id *peer,
                  const struct proto_blob_get *m)
{
    struct blob_serving *v = serving_room(s, peer);
    enum proto_blob_code code = PROTO_BLOB_UNKNOWN;
    struct store_blob blob = {0};
    struct thread_id thread;
    struct hash32 id;
    enum err e;

    memcpy(thread.b, m->thread, 32);
    memcpy(id.b, m->blob, 32);
    if (!s->c.may(s->c.ctx, &thread, peer)) {
        code = PROTO_BLOB_DENIED;
        TRY(ERR_DENIED);
    }
    TRY(v == NULL ? ERR_LIMIT : OK);
    TRY(load_granted(s, &thread, &id, &blob));
    TRY(m->first < blob.chunks_len && m->count > 0 &&
                m->count <= blob.chunks_len - m->first
            ? OK
            : ERR_INVALID);
    *v = (struct blob_serving){.used = true,
                               .peer = *peer,
                               .thread = thread,
                               .blob = blob,
                               .next = (size_t)m->first,
                               .end = (size_t)(m->first + m->count)};
    return;
out:
    store_blob_clear(&blob);
    ERR_IGNORE(node_blobs_say_state(s, peer, &thread, &id, code, 0),
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
            free_incoming(&s->incoming[i]);
        }
    }
    for (size_t i = 0; i < NODE_BLOBS_SERVING; i++) {
        if (s->serving[i].used &&
            (peer == NULL || clinic_id_equal(&s->serving[i].peer, peer))) {
            free_serving(&s->serving[i]);
        }
    }
}
