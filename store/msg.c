/* SPDX-License-Identifier: Apache-2.0 */
#include "store/msg.h"

#include "proto/base/assert.h"
#include "proto/base/limits.h"
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"
#include "store/convs.h"
#include "store/inner.h"
#include "store/records.h"

#include <string.h>

/* ------------------------------------------------------------ chunks of seqs
 */

struct view
store_chunk_key(const struct conv_id *id, uint32_t chunk,
                uint8_t out[STORE_CHUNK_KEY])
{
    memcpy(out, id->b, sizeof(id->b));
    store_put_u32(out + 16, chunk);
    return view_make(out, STORE_CHUNK_KEY);
}

/* The first number, then the steps; none is 0, since no number is twice. */
enum err
store_chunk_decode(struct view in, struct store_chunk *out)
{
    struct proto_rd r = proto_rd_open(in);
    uint64_t seq = 0;

    out->len = proto_rd_list(&r, STORE_CHUNK_MSGS);
    for (size_t i = 0; i < out->len; i++) {
        uint64_t step = proto_rd_u64(&r);

        if (i == 0) {
            seq = step;
        } else if (!store_step_to(seq, step, &seq)) {
            seq = 0;
        }
        if (step == 0 || seq == 0) {
            proto_rd_fail(&r, ERR_FORMAT);
        }
        out->seq[i] = seq;
    }
    return store_rd_done(&r);
}

enum err
store_chunk_encode(const struct mem *mem, const struct store_chunk *c,
                   struct bytes *out)
{
    struct proto_wr w = proto_wr_open(mem);

    proto_wr_array(&w, c->len);
    for (size_t i = 0; i < c->len; i++) {
        proto_wr_uint(&w, i == 0 ? c->seq[0]
                                 : store_step_from(c->seq[i - 1], c->seq[i]));
    }
    return proto_wr_take(&w, out);
}

enum err
store_chunk_get(struct store_txn *txn, const struct conv_id *id, uint32_t chunk,
                struct store_chunk *out)
{
    uint8_t buf[STORE_CHUNK_KEY];
    struct bytes b = {0};
    enum err e;

    TRY(store_get(txn, STORE_T_MSG_INDEX, store_chunk_key(id, chunk, buf), &b));
    TRY(store_chunk_decode(view_of(&b), out));
out:
    bytes_free(&b);
    return e;
}

/* Position pos of the conversation is message seq. */
static enum err
append_chunk(struct store_txn *txn, const struct conv_id *id, uint64_t pos,
             uint64_t seq)
{
    uint32_t chunk = (uint32_t)((pos - 1) / STORE_CHUNK_MSGS);
    struct store_chunk c = {.len = 0};
    uint8_t buf[STORE_CHUNK_KEY];
    struct bytes b = {0};
    enum err e;

    if ((pos - 1) % STORE_CHUNK_MSGS != 0) {
        e = store_chunk_get(txn, id, chunk, &c);
        TRY(e == ERR_MISSING ? ERR_CORRUPT : e);
    }
    TRY(c.len == (pos - 1) % STORE_CHUNK_MSGS ? OK : ERR_CORRUPT);
    c.seq[c.len++] = seq;
    TRY(store_chunk_encode(store_txn_mem(txn), &c, &b));
    TRY(store_put(txn, STORE_T_MSG_INDEX, store_chunk_key(id, chunk, buf),
                  view_of(&b)));
out:
    bytes_free(&b);
    return e;
}

/* ------------------------------------------------------------------ records */

/* Which conversation's key it is sealed under is in front of the seal. */
enum err
store_msg_conv(struct store_txn *txn, uint64_t seq, struct conv_id *out)
{
    uint8_t key[8];
    struct view v;
    enum err e;

    store_put_u64(key, seq);
    TRY(store_env_get(txn->env, STORE_T_MSGS, VIEW_ARRAY(key), &v));
    TRY(v.len >= sizeof(out->b)
            ? conv_id_from(view_sub(v, 0, sizeof(out->b)), out)
            : store_damaged(txn, STORE_T_MSGS, VIEW_ARRAY(key)));
out:
    return e;
}

enum err
store_msg_get(struct store_txn *txn, uint64_t seq, struct store_msg *out)
{
    uint8_t key[8];
    struct conv_id conv;
    struct bytes b = {0};
    struct view v;
    enum err e;

    store_put_u64(key, seq);
    TRY(store_msg_conv(txn, seq, &conv));
    TRY(store_conv_key(txn, &conv));
    TRY(store_env_get(txn->env, STORE_T_MSGS, VIEW_ARRAY(key), &v));
    e = store_unseal(txn->conv_key, STORE_T_MSGS, VIEW_ARRAY(key),
                     view_skip(v, sizeof(conv.b)), store_txn_mem(txn), &b);
    TRY(e == ERR_CORRUPT ? store_damaged(txn, STORE_T_MSGS, VIEW_ARRAY(key))
                         : e);
    TRY(store_msg_decode(store_txn_mem(txn), view_of(&b), out));
    out->seq = seq;
    out->conv = conv;
out:
    bytes_free(&b);
    return e;
}

static enum err
put_msg(struct store_txn *txn, const struct store_msg *m)
{
    struct bytes b = {0};
    uint8_t key[8];
    enum err e;

    TRY(store_conv_key(txn, &m->conv));
    TRY(store_msg_encode(store_txn_mem(txn), m, &b));
    store_put_u64(key, m->seq);
    TRY(store_put_conv(txn, STORE_T_MSGS, VIEW_ARRAY(key), &m->conv,
                       view_of(&b)));
out:
    bytes_free(&b);
    return e;
}

/* ---------------------------------------------------------------- by its id */

struct view
store_msgid_key(const struct conv_id *conv, const struct message_id *id,
                uint64_t seq, uint8_t out[STORE_MSGID_KEY])
{
    memcpy(out, conv->b, 4);
    /* All ids begin with the same byte. */
    memcpy(out + 4, id->b + 1, 8);
    store_put_u64(out + 12, seq);
    return view_make(out, STORE_MSGID_KEY);
}

enum err
store_msg_find(struct store_txn *txn, const struct conv_id *conv,
               const struct message_id *id, struct store_msg *out)
{
    uint8_t buf[STORE_MSGID_KEY];
    struct store_scan sc;
    struct store_msg m = {0};
    bool found = false;
    enum err e;
    enum err end;

    (void)store_msgid_key(conv, id, 0, buf);
    TRY(store_scan_begin(txn, STORE_T_MSG_IDS, view_make(buf, 12), STORE_UP,
                         &sc));
    while (e == OK && !found && store_scan_next(&sc)) {
        store_msg_clear(&m);
        e = sc.key.len == STORE_MSGID_KEY
                ? store_msg_get(txn, store_get_u64(sc.key.p + 12), &m)
                : ERR_CORRUPT;
        found = e == OK && conv_id_equal(&m.conv, conv) &&
                message_id_equal(&m.id, id);
        e = e == ERR_MISSING ? OK : e; /* of a conversation being deleted */
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
    TRY(found ? OK : ERR_MISSING);
    *out = m;
    m.body = (struct bytes){0};
out:
    store_msg_clear(&m);
    return e;
}

/* What this transaction added lately, so that it need not be opened again. */
static uint64_t
added_lately(const struct store_txn *txn, const struct conv_id *conv,
             const struct message_id *id)
{
    for (size_t i = txn->added_len; i > 0; i--) {
        const struct store_added *a = &txn->added[i - 1];

        if (message_id_equal(&a->id, id) && conv_id_equal(&a->conv, conv)) {
            return a->seq;
        }
    }
    return 0;
}

/* Without memory for it, it is opened. */
static void
remember_added(struct store_txn *txn, const struct store_msg *m, uint64_t seq)
{
    if (txn->added == NULL) {
        txn->added =
            mem_calloc(txn->s->cfg.mem, STORE_ADDED_MAX, sizeof(txn->added[0]));
    }
    if (txn->added != NULL && txn->added_len < STORE_ADDED_MAX) {
        txn->added[txn->added_len++] =
            (struct store_added){m->conv, m->id, seq};
    }
}

enum err
store_msg_by_id(struct store_txn *txn, const struct conv_id *conv,
                const struct message_id *id, uint64_t *seq_out)
{
    struct store_msg m = {0};
    uint64_t seq = added_lately(txn, conv, id);
    enum err e = OK;

    if (seq == 0) {
        TRY(store_msg_find(txn, conv, id, &m));
        seq = m.seq;
    }
    *seq_out = seq;
out:
    store_msg_clear(&m);
    return e;
}

/* --------------------------------------------------------------- add, change
 */

enum err
store_msg_add(struct store_txn *txn, const struct store_msg *m,
              uint64_t *seq_out)
{
    struct store_msg made = *m; /* borrows m's body */
    struct store_conv conv = {0};
    uint8_t buf[STORE_MSGID_KEY];
    uint64_t repeat;
    bool has_id = !message_id_is_zero(&m->id);
    enum err e;

    ASSERT(txn->write);
    TRY(m->body.len <= LIMIT_MSG_BODY ? OK : ERR_LIMIT);
    TRY(store_conv_get(txn, &m->conv, &conv));
    if (has_id) {
        e = store_msg_by_id(txn, &m->conv, &m->id, &repeat);
        if (e == OK && seq_out != NULL) {
            *seq_out = repeat;
        }
        TRY(e == OK ? ERR_EXISTS : e == ERR_MISSING ? OK : e);
    }
    TRY(store_next(txn, STORE_N_MSG, &made.seq));
    made.pos = conv.msgs + 1;
    TRY(put_msg(txn, &made));
    TRY(append_chunk(txn, &m->conv, made.pos, made.seq));
    if (has_id) {
        TRY(store_put(txn, STORE_T_MSG_IDS,
                      store_msgid_key(&m->conv, &m->id, made.seq, buf),
                      (struct view){0}));
    }
    TRY(store_conv_advance(txn, &conv, made.seq));
    if (has_id) {
        remember_added(txn, m, made.seq);
    }
    if (seq_out != NULL) {
        *seq_out = made.seq;
    }
out:
    store_conv_clear(&conv);
    return e;
}

enum err
store_msg_update(struct store_txn *txn, const struct store_msg *m)
{
    struct conv_id conv;
    enum err e;

    TRY(m->body.len <= LIMIT_MSG_BODY ? OK : ERR_LIMIT);
    TRY(store_msg_conv(txn, m->seq, &conv));
    TRY(conv_id_equal(&conv, &m->conv) ? OK : ERR_MISSING);
    TRY(put_msg(txn, m));
out:
    return e;
}

/* --------------------------------------------------------------------- list */

struct list {
    struct store_txn *txn;
    const struct conv_id *conv;
    enum err (*each)(void *ctx, const struct store_msg *m);
    void *ctx;
    struct store_chunk chunk;
    uint32_t number; /* of chunk */
    bool loaded;
};

/* Give the message at a position to each. */
static enum err
give(struct list *l, uint64_t pos)
{
    uint32_t number = (uint32_t)((pos - 1) / STORE_CHUNK_MSGS);
    size_t i = (size_t)((pos - 1) % STORE_CHUNK_MSGS);
    struct store_msg m = {0};
    enum err e;

    if (!l->loaded || number != l->number) {
        l->loaded = false;
        e = store_chunk_get(l->txn, l->conv, number, &l->chunk);
        TRY(e == ERR_MISSING ? ERR_CORRUPT : e);
        l->number = number;
        l->loaded = true;
    }
    TRY(i < l->chunk.len ? OK : ERR_CORRUPT);
    e = store_msg_get(l->txn, l->chunk.seq[i], &m);
    TRY(e == ERR_MISSING ? ERR_CORRUPT : e);
    TRY(conv_id_equal(&m.conv, l->conv) ? OK : ERR_CORRUPT);
    m.pos = pos;
    TRY(l->each(l->ctx, &m));
out:
    store_msg_clear(&m);
    return e;
}

enum err
store_msg_list(struct store_txn *txn, const struct conv_id *conv, uint64_t from,
               enum store_dir dir, uint32_t max,
               enum err (*each)(void *ctx, const struct store_msg *m),
               void *ctx)
{
    struct list l = {.txn = txn, .conv = conv, .each = each, .ctx = ctx};
    struct store_conv c = {0};
    uint64_t pos;
    enum err e;

    TRY(store_conv_get(txn, conv, &c));
    if (dir == STORE_UP) {
        pos = from + 1;
    } else {
        pos = from == 0 || from > c.msgs ? c.msgs : from - 1;
    }
    for (uint32_t n = 0; n < max && pos >= 1 && pos <= c.msgs; n++) {
        TRY(give(&l, pos));
        pos = dir == STORE_UP ? pos + 1 : pos - 1;
    }
out:
    store_conv_clear(&c);
    return e;
}

/* -------------------------------------------------------------------- delete
 */

/* Index rows of messages that are not there any more. */
static enum err
drop_ids(struct store_txn *txn, const struct conv_id *id)
{
    struct store_scan sc;
    enum err e;
    enum err end;

    TRY(store_scan_begin(txn, STORE_T_MSG_IDS, view_make(id->b, 4), STORE_UP,
                         &sc));
    while (e == OK && store_scan_next(&sc)) {
        if (sc.key.len == STORE_MSGID_KEY) {
            e = store_has(txn, STORE_T_MSGS, view_skip(sc.key, 12));
            e = e == ERR_MISSING ? store_scan_del(&sc) : e;
        }
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
out:
    return e;
}

/* The messages of one row; a row of places (place.c) has none of its own. */
static enum err
drop_chunk(struct store_txn *txn, struct view row_key, struct view row)
{
    uint8_t key[8];
    struct store_chunk c;
    enum err e;

    if (row_key.len != STORE_CHUNK_KEY) {
        return OK;
    }
    e = store_chunk_decode(row, &c);
    for (size_t i = 0; e == OK && i < c.len; i++) {
        store_put_u64(key, c.seq[i]);
        e = store_del(txn, STORE_T_MSGS, VIEW_ARRAY(key));
        e = e == ERR_MISSING ? OK : e;
    }
    return e;
}

enum err
store_msgs_drop(struct store_txn *txn, const struct conv_id *id, uint32_t max,
                bool *more)
{
    struct store_scan sc;
    uint32_t n = 0;
    bool left = false;
    bool any = false;
    enum err e;
    enum err end;

    TRY(store_scan_begin(txn, STORE_T_MSG_INDEX, conv_id_view(id), STORE_UP,
                         &sc));
    while (e == OK && !left && store_scan_next(&sc)) {
        any = true;
        left = n >= max;
        if (!left) {
            e = drop_chunk(txn, sc.key, sc.value);
            e = e == OK ? store_scan_del(&sc) : e;
            n += STORE_CHUNK_MSGS;
        }
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
    TRY(any ? OK : ERR_MISSING);
    if (!left) {
        TRY(drop_ids(txn, id));
    }
out:
    if (e == OK || e == ERR_MISSING) {
        *more = left;
    }
    return e;
}
