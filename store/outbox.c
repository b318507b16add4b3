/* SPDX-License-Identifier: Apache-2.0 */
#include "store/outbox.h"

#include "proto/base/limits.h"
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"
#include "store/inner.h"
#include "store/records.h"

#include <string.h>

/* An entry's key: peer, u64 seq.  A stream's row has the peer as its key. */
enum {
    ENTRY_KEY = 40
};

static struct view
entry_key(const struct clinic_id *peer, uint64_t seq, uint8_t out[ENTRY_KEY])
{
    memcpy(out, peer->b, sizeof(peer->b));
    store_put_u64(out + 32, seq);
    return view_make(out, ENTRY_KEY);
}

enum err
store_outbox_decode(struct view in, struct store_outbox_entry *out)
{
    struct proto_rd r = proto_rd_open(in);

    proto_rd_array(&r, 4);
    out->queued_ms = proto_rd_u64(&r);
    out->deadline_ms = proto_rd_u64(&r);
    out->ref = proto_rd_u64(&r);
    out->msg = proto_rd_bin(&r, LIMIT_FRAME);
    return proto_rd_end(&r) == OK ? OK : ERR_CORRUPT;
}

enum err
store_outbox_encode(const struct mem *mem, const struct store_outbox_entry *en,
                    struct bytes *out)
{
    struct proto_wr w = proto_wr_open(mem);

    proto_wr_array(&w, 4);
    proto_wr_uint(&w, en->queued_ms);
    proto_wr_uint(&w, en->deadline_ms);
    proto_wr_uint(&w, en->ref);
    proto_wr_bin(&w, en->msg);
    return proto_wr_take(&w, out);
}

/* ------------------------------------------------------------ stream's row */

static enum err
decode_status(struct view in, struct store_outbox_status *out)
{
    struct store_outbox_status st = {0};
    struct proto_rd r = proto_rd_open(in);

    proto_rd_array(&r, 5);
    st.stream = proto_rd_stream_id(&r);
    st.next_seq = proto_rd_u64(&r);
    st.acked = proto_rd_u64(&r);
    st.bytes = proto_rd_u64(&r);
    st.oldest_ms = proto_rd_u64(&r);
    if (proto_rd_end(&r) != OK || st.next_seq == 0 || st.acked >= st.next_seq) {
        return ERR_CORRUPT;
    }
    st.count = st.next_seq - 1 - st.acked;
    *out = st;
    return OK;
}

enum err
store_outbox_status(struct store_txn *txn, const struct clinic_id *peer,
                    struct store_outbox_status *out)
{
    struct bytes b = {0};
    enum err e;

    TRY(store_get(txn, STORE_T_STREAMS_OUT, clinic_id_view(peer), &b));
    TRY(decode_status(view_of(&b), out));
out:
    bytes_free(&b);
    return e;
}

static enum err
put_status(struct store_txn *txn, const struct clinic_id *peer,
           const struct store_outbox_status *st)
{
    struct proto_wr w = proto_wr_open(store_txn_mem(txn));
    struct bytes b = {0};
    enum err e;

    proto_wr_array(&w, 5);
    proto_wr_bin(&w, stream_id_view(&st->stream));
    proto_wr_uint(&w, st->next_seq);
    proto_wr_uint(&w, st->acked);
    proto_wr_uint(&w, st->bytes);
    proto_wr_uint(&w, st->oldest_ms);
    TRY(proto_wr_take(&w, &b));
    TRY(store_put(txn, STORE_T_STREAMS_OUT, clinic_id_view(peer), view_of(&b)));
out:
    bytes_free(&b);
    return e;
}

static enum err
new_status(struct store_txn *txn, struct store_outbox_status *out)
{
    *out = (struct store_outbox_status){.next_seq = 1};
    return store_random(txn->s, out->stream.b, sizeof(out->stream.b));
}

/* ------------------------------------------------------------------ entries */

enum err
store_outbox_push(struct store_txn *txn, const struct clinic_id *peer,
                  struct view msg, uint64_t deadline_ms, uint64_t ref,
                  uint64_t *seq_out)
{
    struct store_outbox_entry en = {.queued_ms = store_now_ms(txn->s),
                                    .deadline_ms = deadline_ms,
                                    .ref = ref,
                                    .msg = msg};
    struct store_outbox_status st;
    struct bytes b = {0};
    uint8_t key[ENTRY_KEY];
    enum err e;

    TRY(msg.len <= LIMIT_FRAME ? OK : ERR_LIMIT);
    e = store_outbox_status(txn, peer, &st);
    TRY(e == ERR_MISSING ? new_status(txn, &st) : e);
    TRY(st.count < LIMIT_OUTBOX_ENTRIES &&
                st.bytes + msg.len <= LIMIT_OUTBOX_BYTES
            ? OK
            : ERR_LIMIT);
    en.seq = st.next_seq;
    TRY(store_outbox_encode(store_txn_mem(txn), &en, &b));
    TRY(store_put(txn, STORE_T_OUTBOX, entry_key(peer, en.seq, key),
                  view_of(&b)));
    st.next_seq++;
    st.bytes += msg.len;
    st.oldest_ms = st.count == 0 ? en.queued_ms : st.oldest_ms;
    TRY(put_status(txn, peer, &st));
    *seq_out = en.seq;
out:
    bytes_free(&b);
    return e;
}

/* The entry at the scan's place. */
static enum err
scan_entry(const struct store_scan *sc, struct store_outbox_entry *out)
{
    if (sc->key.len != ENTRY_KEY || store_outbox_decode(sc->value, out) != OK) {
        return ERR_CORRUPT;
    }
    out->seq = store_get_u64(sc->key.p + 32);
    return OK;
}

enum err
store_outbox_ack(struct store_txn *txn, const struct clinic_id *peer,
                 const struct stream_id *id, uint64_t upto, uint64_t *removed)
{
    struct store_outbox_status st;
    struct store_outbox_entry en;
    struct store_scan sc;
    uint64_t n = 0;
    enum err e;
    enum err end;

    e = store_outbox_status(txn, peer, &st);
    TRY(e == ERR_MISSING ? ERR_STALE : e);
    TRY(stream_id_equal(&st.stream, id) ? OK : ERR_STALE);
    TRY(upto < st.next_seq ? OK : ERR_STATE);
    if (upto <= st.acked) {
        *removed = 0;
        return OK;
    }
    TRY(store_scan_begin(txn, STORE_T_OUTBOX, clinic_id_view(peer), STORE_UP,
                         &sc));
    st.oldest_ms = 0;
    while (e == OK && store_scan_next(&sc)) {
        e = scan_entry(&sc, &en);
        if (e == OK && en.seq > upto) {
            st.oldest_ms = en.queued_ms;
            break;
        }
        if (e == OK) {
            n++;
            st.bytes -= en.msg.len < st.bytes ? en.msg.len : st.bytes;
            e = store_scan_del(&sc);
        }
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
    TRY(n == upto - st.acked ? OK : ERR_CORRUPT);
    st.acked = upto;
    TRY(put_status(txn, peer, &st));
    *removed = n;
out:
    return e;
}

enum err
store_outbox_read(struct store_txn *txn, const struct clinic_id *peer,
                  uint64_t after, uint32_t max, uint64_t bytes_max,
                  enum err (*each)(void *ctx,
                                   const struct store_outbox_entry *entry),
                  void *ctx)
{
    struct store_outbox_entry en;
    struct store_scan sc;
    uint8_t key[ENTRY_KEY];
    uint64_t bytes = 0;
    uint64_t expected = 0;
    enum err e;
    enum err end;

    TRY(store_scan_begin(txn, STORE_T_OUTBOX, clinic_id_view(peer), STORE_UP,
                         &sc));
    store_scan_after(&sc, entry_key(peer, after, key));
    for (uint32_t i = 0; e == OK && i < max && bytes < bytes_max; i++) {
        if (!store_scan_next(&sc)) {
            break;
        }
        e = scan_entry(&sc, &en);
        /* One that is missing in between must not be passed over. */
        if (e == OK && expected != 0 && en.seq != expected) {
            e = ERR_CORRUPT;
        }
        if (e == OK && (i == 0 || bytes + en.msg.len <= bytes_max)) {
            e = each(ctx, &en);
        }
        expected = en.seq + 1;
        bytes += en.msg.len;
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
out:
    return e;
}

enum err
store_outbox_peers(struct store_txn *txn,
                   enum err (*each)(void *ctx, const struct clinic_id *peer,
                                    const struct store_outbox_status *status),
                   void *ctx)
{
    struct store_outbox_status st;
    struct store_scan sc;
    struct clinic_id peer;
    enum err e;
    enum err end;

    TRY(store_scan_begin(txn, STORE_T_STREAMS_OUT, (struct view){0}, STORE_UP,
                         &sc));
    while (e == OK && store_scan_next(&sc)) {
        e = clinic_id_from(sc.key, &peer) == OK ? decode_status(sc.value, &st)
                                                : ERR_CORRUPT;
        if (e == OK) {
            e = each(ctx, &peer, &st);
        }
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
out:
    return e;
}

/*
 * The oldest entry leaves its old number and gets the next new one.  The old
 * numbers are all above the new ones, so nothing is overwritten.
 */
static enum err
renumber_one(struct store_txn *txn, const struct clinic_id *peer, uint64_t old,
             uint64_t seq)
{
    struct bytes b = {0};
    uint8_t key[ENTRY_KEY];
    enum err e;

    e = store_get(txn, STORE_T_OUTBOX, entry_key(peer, old, key), &b);
    TRY(e == ERR_MISSING ? ERR_CORRUPT : e);
    if (old != seq) {
        TRY(store_del(txn, STORE_T_OUTBOX, entry_key(peer, old, key)));
        TRY(store_put(txn, STORE_T_OUTBOX, entry_key(peer, seq, key),
                      view_of(&b)));
    }
out:
    bytes_free(&b);
    return e;
}

enum err
store_outbox_restream(struct store_txn *txn, const struct clinic_id *peer)
{
    struct store_outbox_status st;
    struct store_outbox_status fresh;
    enum err e;

    TRY(new_status(txn, &fresh));
    e = store_outbox_status(txn, peer, &st);
    if (e == ERR_MISSING) {
        return put_status(txn, peer, &fresh);
    }
    TRY(e);
    for (uint64_t seq = st.acked + 1; seq < st.next_seq; seq++) {
        TRY(renumber_one(txn, peer, seq, fresh.next_seq));
        fresh.next_seq++;
    }
    fresh.bytes = st.bytes;
    fresh.oldest_ms = st.oldest_ms;
    TRY(put_status(txn, peer, &fresh));
out:
    return e;
}

enum err
store_outbox_forget(struct store_txn *txn, const struct clinic_id *peer)
{
    enum err e;

    TRY(store_drop(txn, STORE_T_OUTBOX, clinic_id_view(peer)));
    e = store_del(txn, STORE_T_STREAMS_OUT, clinic_id_view(peer));
    TRY(e == ERR_MISSING ? OK : e);
out:
    return e;
}
