/* SPDX-License-Identifier: Apache-2.0 */
#include "store/stream.h"

#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"
#include "store/inner.h"

#include <string.h>

/*
 * Key: peer, then 0 for the present stream, or 1 and the id of one that the
 * peer has left.  One row changes with each message; the others are only there
 * so that a rolled-back peer is noticed.
 */
enum {
    NOW_KEY = 33,
    LEFT_KEY = 49
};

static struct view
now_key(const struct clinic_id *peer, uint8_t out[NOW_KEY])
{
    memcpy(out, peer->b, sizeof(peer->b));
    out[32] = 0;
    return view_make(out, NOW_KEY);
}

static struct view
left_key(const struct clinic_id *peer, const struct stream_id *id,
         uint8_t out[LEFT_KEY])
{
    memcpy(out, peer->b, sizeof(peer->b));
    out[32] = 1;
    memcpy(out + 33, id->b, sizeof(id->b));
    return view_make(out, LEFT_KEY);
}

static enum err
put_now(struct store_txn *txn, const struct clinic_id *peer,
        const struct store_stream_in *in)
{
    struct proto_wr w = proto_wr_open(store_txn_mem(txn));
    struct bytes b = {0};
    uint8_t key[NOW_KEY];
    enum err e;

    proto_wr_array(&w, 2);
    proto_wr_bin(&w, stream_id_view(&in->id));
    proto_wr_uint(&w, in->applied);
    TRY(proto_wr_take(&w, &b));
    TRY(store_put(txn, STORE_T_STREAMS_IN, now_key(peer, key), view_of(&b)));
out:
    bytes_free(&b);
    return e;
}

enum err
store_stream_in_get(struct store_txn *txn, const struct clinic_id *peer,
                    struct store_stream_in *out)
{
    struct store_stream_in in = {0};
    struct bytes b = {0};
    struct proto_rd r;
    uint8_t key[NOW_KEY];
    enum err e;

    TRY(store_get(txn, STORE_T_STREAMS_IN, now_key(peer, key), &b));
    r = proto_rd_open(view_of(&b));
    proto_rd_array(&r, 2);
    in.id = proto_rd_stream_id(&r);
    in.applied = proto_rd_u64(&r);
    TRY(proto_rd_end(&r) == OK ? OK : ERR_CORRUPT);
    *out = in;
out:
    bytes_free(&b);
    return e;
}

enum err
store_stream_in_open(struct store_txn *txn, const struct clinic_id *peer,
                     const struct stream_id *id)
{
    struct store_stream_in in = {0};
    uint8_t key[LEFT_KEY];
    enum err e;

    e = store_stream_in_get(txn, peer, &in);
    TRY(e == ERR_MISSING ? OK : e);
    if (stream_id_equal(&in.id, id) && !stream_id_is_zero(id)) {
        return OK;
    }
    e = store_has(txn, STORE_T_STREAMS_IN, left_key(peer, id, key));
    TRY(e == OK ? ERR_STALE : e == ERR_MISSING ? OK : e);
    if (!stream_id_is_zero(&in.id)) {
        TRY(store_put(txn, STORE_T_STREAMS_IN, left_key(peer, &in.id, key),
                      (struct view){0}));
    }
    in = (struct store_stream_in){.id = *id};
    TRY(put_now(txn, peer, &in));
out:
    return e;
}

enum err
store_stream_in_apply(struct store_txn *txn, const struct clinic_id *peer,
                      const struct stream_id *id, uint64_t seq)
{
    struct store_stream_in in = {0};
    uint8_t key[LEFT_KEY];
    enum err e;

    e = store_stream_in_get(txn, peer, &in);
    TRY(e == ERR_MISSING ? ERR_STATE : e);
    if (!stream_id_equal(&in.id, id)) {
        e = store_has(txn, STORE_T_STREAMS_IN, left_key(peer, id, key));
        return e == OK ? ERR_STALE : e == ERR_MISSING ? ERR_STATE : e;
    }
    TRY(seq != 0 && seq <= in.applied ? ERR_EXISTS : OK);
    TRY(seq == in.applied + 1 ? OK : ERR_STATE);
    in.applied = seq;
    TRY(put_now(txn, peer, &in));
out:
    return e;
}

enum err
store_stream_in_forget(struct store_txn *txn, const struct clinic_id *peer)
{
    return store_drop(txn, STORE_T_STREAMS_IN, clinic_id_view(peer));
}
