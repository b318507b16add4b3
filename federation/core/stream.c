/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams: each direction between two nodes is a numbered sequence of items,
 * applied exactly once (decisions C 12).  An item stays in FED_NS_OUT until it
 * is acknowledged, whatever happens to connections.  A row is one byte that
 * tells its form: the item itself, or a pointer to a log entry, so that the
 * hub stores a message once however many members there are.
 */
#include "federation/core/bound.h"
#include "federation/core/care.h"
#include "federation/core/watch.h"

#include <string.h>

enum {
    ROW_ITEM = 0,
    ROW_FAN = 1,
    ROW_ACCEPTED = 2, /* thread, log number, item: their entry's answer */
    ROW_ANSWER = 3,   /* an item, put while p's own was being applied */
    ROW_FAN_SIZE = 1 + 32 + 8
};

static struct fed_key
out_key(const struct fed_party *p, uint64_t seq)
{
    return fed_key_num(clinic_id_view(&p->root), seq);
}

/* New ids and numbers for what we send, after a restore. */
enum err
fed_stream_new(struct fed_core *core, struct fed_party *p)
{
    enum err e;
    uint8_t id[16];

    TRY(rng_fill(core->config.rng, id, sizeof(id)));
    if (p->rec.out_told) {
        memcpy(p->rec.out_before, p->rec.out_stream, sizeof(id));
        p->rec.out_told = false;
    }
    memcpy(p->rec.out_stream, id, sizeof(id));
    p->rec.out_next = 1;
    p->rec.out_acked = 0;
    p->known_next = 1;
    p->rec.answers = 0;
    p->rec.answer_bytes = 0;
    p->sent = 0;
    memset(p->rec.in_stream, 0, sizeof(p->rec.in_stream));
    p->rec.in_applied = 0;
    p->picture_asked = false;
    p->dirty = true;
out:
    return e;
}

enum err
fed_stream_drop(struct fed_core *core, struct fed_party *p)
{
    return fed_tx_drop(core, FED_NS_OUT, clinic_id_view(&p->root));
}

static enum err
put_row(struct fed_core *core, struct fed_party *p, struct view row)
{
    enum err e;
    struct fed_key key = out_key(p, p->rec.out_next);

    fed_party_touch(core, p);
    TRY(fed_tx_put(core, FED_NS_OUT, &key, row));
    if (p->rec.out_next == p->rec.out_acked + 1) {
        p->rec.waits_ms = fed_now(core);
        fed_tx_timer(core, fed_mono(core) + LIMIT_OVERDUE_MS);
    }
    p->rec.out_next++;
    p->dirty = true;
    TRY(fed_party_live(p) ? fed_stream_pump(core, p) : OK);
out:
    return e;
}

enum err
fed_stream_item(struct fed_core *core, struct fed_party *p, struct view item)
{
    static const uint8_t form = ROW_ITEM;
    enum err e;
    struct bytes row = {0};

    TRY(bytes_append(core->mem, &row, view_make(&form, 1)));
    TRY(bytes_append(core->mem, &row, item));
    TRY(put_row(core, p, view_of(&row)));
out:
    bytes_free(&row);
    return e;
}

static enum err
put_item(struct fed_core *core, struct fed_party *p, struct view front,
         const struct proto_peer_msg *msg)
{
    enum err e;
    struct bytes item = {0};
    struct bytes row = {0};

    TRY(proto_peer_encode(core->mem, msg, &item));
    if (fed_route_needed(p)) {
        TRY(fed_route_item(core, p, view_of(&item), NULL));
        goto out;
    }
    TRY(bytes_append(core->mem, &row, front));
    TRY(bytes_append(core->mem, &row, view_of(&item)));
    TRY(put_row(core, p, view_of(&row)));
    if (front.p[0] != ROW_ITEM) {
        fed_bound_put(p, row.len);
    }
out:
    bytes_free(&item);
    bytes_free(&row);
    return e == OK || fed_ours(e) ? e : ERR_INTERNAL;
}

enum err
fed_stream_put(struct fed_core *core, struct fed_party *p,
               const struct proto_peer_msg *msg)
{
    uint8_t form = core->answering == p ? ROW_ANSWER : ROW_ITEM;

    return put_item(core, p, view_make(&form, 1), msg);
}

/* A row's form, and the entry that it is about. */
static void
entry_row(uint8_t form, const struct thread_id *thread, uint64_t entry,
          uint8_t row[ROW_FAN_SIZE])
{
    row[0] = form;
    memcpy(row + 1, thread->b, sizeof(thread->b));
    for (int i = 0; i < 8; i++) {
        row[33 + i] = (uint8_t)(entry >> (56 - 8 * i));
    }
}

enum err
fed_stream_accepted(struct fed_core *core, struct fed_party *p,
                    const struct proto_peer_msg *msg,
                    const struct thread_id *thread, uint64_t entry)
{
    uint8_t row[ROW_FAN_SIZE];

    entry_row(ROW_ACCEPTED, thread, entry, row);
    return put_item(core, p, VIEW_ARRAY(row), msg);
}

enum err
fed_stream_fan(struct fed_core *core, struct fed_party *p,
               const struct thread_id *thread, uint64_t entry)
{
    uint8_t row[ROW_FAN_SIZE];

    entry_row(ROW_FAN, thread, entry, row);
    return put_row(core, p, VIEW_ARRAY(row));
}

/* ---------------------------------------------------------------- sending */

/* GONE when it was pruned. */
enum err
fed_stream_entry(struct fed_core *core, const struct thread_id *thread,
                 uint64_t entry, struct view frank, struct bytes *out)
{
    enum err e;
    struct fed_rec_log rec;
    struct bytes hold = {0};
    struct bytes body = {0};
    struct proto_peer_msg msg = {.type = PROTO_PEER_FAN};
    struct proto_fan *fan = &msg.u.fan;

    memcpy(fan->thread, thread->b, sizeof(fan->thread));
    fan->seq = entry;
    e = fed_log_get(core, thread, entry, &rec, &hold);
    if (e == ERR_MISSING) {
        fan->kind = PROTO_ENTRY_GONE;
        TRY(proto_peer_encode(core->mem, &msg, out));
        goto out;
    }
    TRY(e);
    TRY(fed_log_body(core, thread, entry, &body));
    memcpy(fan->prev, rec.prev, sizeof(fan->prev));
    fan->term = rec.term;
    fan->ts_ms = rec.ts_ms;
    fan->kind = body.len > 0 ? rec.kind : PROTO_ENTRY_GONE;
    fan->frank = frank;
    fan->message = body.len > 0 ? view_of(&body) : VIEW_ARRAY(rec.hash);
    TRY(proto_peer_encode(core->mem, &msg, out));
out:
    bytes_free(&body);
    bytes_free(&hold);
    return e;
}

/* What the acknowledgement of a row tells. */
static void
flight_from(struct view row, struct fed_flight *out)
{
    *out = (struct fed_flight){0};
    if (row.len == ROW_FAN_SIZE && row.p[0] == ROW_FAN) {
        out->fan = true;
    } else {
        out->answer = row.len > ROW_FAN_SIZE && row.p[0] == ROW_ACCEPTED;
        out->kept = out->answer || (row.len > 0 && row.p[0] == ROW_ANSWER)
                        ? row.len
                        : 0;
    }
    if (!out->fan && !out->answer) {
        return;
    }
    memcpy(out->thread.b, row.p + 1, sizeof(out->thread.b));
    out->entry = fed_key_tail(view_sub(row, 0, ROW_FAN_SIZE));
}

static enum err
row_item(struct fed_core *core, struct view row, struct fed_flight *flight,
         struct bytes *out)
{
    enum err e;

    flight_from(row, flight);
    if (flight->fan) {
        TRY(fed_stream_entry(core, &flight->thread, flight->entry,
                             (struct view){0}, out));
    } else if (flight->answer) {
        TRY(bytes_copy(core->mem, view_skip(row, ROW_FAN_SIZE), out));
    } else if (row.len > 1 &&
               (row.p[0] == ROW_ITEM || row.p[0] == ROW_ANSWER)) {
        TRY(bytes_copy(core->mem, view_skip(row, 1), out));
    } else {
        TRY(ERR_CORRUPT);
    }
    flight->size = (uint32_t)out->len;
out:
    return e;
}

static enum err
send_one(struct fed_core *core, struct fed_party *p, uint64_t seq)
{
    enum err e;
    struct fed_key key = out_key(p, seq);
    struct bytes row = {0};
    struct bytes item = {0};
    struct proto_peer_msg msg = {.type = PROTO_PEER_DATA};
    struct fed_flight flight;

    TRY(fed_tx_get(core, FED_NS_OUT, &key, &row));
    TRY(row_item(core, view_of(&row), &flight, &item));
    msg.u.data.seq = seq;
    msg.u.data.body = view_of(&item);
    TRY(fed_party_say(core, p, &msg));
    p->flight[seq % LIMIT_STREAM_WINDOW] = flight;
    p->under_way += flight.size;
    p->sent = seq;
out:
    bytes_free(&row);
    bytes_free(&item);
    return e == ERR_MISSING ? ERR_CORRUPT : e;
}

enum err
fed_stream_pump(struct fed_core *core, struct fed_party *p)
{
    enum err e = OK;

    if (!fed_party_live(p) || p->acking) {
        return OK;
    }
    if (p->flight == NULL && p->sent + 1 < p->rec.out_next) {
        p->flight =
            mem_calloc(core->mem, LIMIT_STREAM_WINDOW, sizeof(p->flight[0]));
        TRY(p->flight == NULL ? ERR_NOMEM : OK);
    }
    while (p->sent + 1 < p->rec.out_next &&
           p->sent - p->rec.out_acked < LIMIT_STREAM_WINDOW &&
           p->under_way < LIMIT_STREAM_WINDOW_BYTES) {
        TRY(send_one(core, p, p->sent + 1));
    }
out:
    return e;
}

/* ---------------------------------------------------------- acknowledgement */

/* Nothing is under way: an idle party costs no window. */
static void
close_window(struct fed_core *core, struct fed_party *p)
{
    if (p->rec.out_acked + 1 == p->rec.out_next) {
        mem_free(core->mem, p->flight,
                 LIMIT_STREAM_WINDOW * sizeof(p->flight[0]));
        p->flight = NULL;
    }
}

/* What was acknowledged of one thread so far. */
struct has {
    bool any;
    struct thread_id thread;
    uint64_t entry; /* their node has everything up to here */
    uint64_t fan;   /* the last of these that it did not write; 0: none */
    uint64_t rows;  /* of these */
};

/* A member's node has everything of a thread up to an entry. */
static enum err
member_has(struct fed_core *core, struct fed_party *p, const struct has *has)
{
    enum err e;
    struct fed_thread *t;
    struct fed_member *m;

    if (!has->any) {
        return OK;
    }
    e = fed_thread_get(core, &has->thread, &t);
    if (e != OK) {
        return e == ERR_MISSING ? OK : e;
    }
    m = fed_thread_member(t, &p->subject);
    if (m == NULL) {
        return OK;
    }
    TRY(fed_fan_acked(core, t, m, has->rows));
    if (has->entry <= m->rec.acked) {
        goto out;
    }
    m->rec.acked = has->entry;
    m->dirty = true;
    t->dirty = true;
    TRY(fed_watch_has(core, t, m));
    TRY(fed_log_prune(core, t));
    if (has->fan == 0) {
        goto out;
    }
    TRY(fed_show_upto(core, FED_MESSAGE_DELIVERED, &has->thread, p->subject.b,
                      t->rec.term, fed_place_end(has->fan)));
out:
    return e;
}

/* What item seq was; read back when it was sent on an earlier connection. */
static enum err
flight_of(struct fed_core *core, struct fed_party *p, uint64_t seq,
          struct fed_flight *out)
{
    enum err e;
    struct fed_key key = out_key(p, seq);
    struct bytes row = {0};

    *out = (struct fed_flight){0};
    if (p->flight != NULL && seq <= p->sent) {
        *out = p->flight[seq % LIMIT_STREAM_WINDOW];
        return OK;
    }
    e = fed_tx_get(core, FED_NS_OUT, &key, &row);
    if (e == OK) {
        flight_from(view_of(&row), out);
    }
    bytes_free(&row);
    return e == ERR_MISSING ? OK : e;
}

enum err
fed_stream_acked(struct fed_core *core, struct fed_party *p, uint64_t applied)
{
    enum err e = OK;
    struct has has = {0};

    if (applied >= p->rec.out_next) {
        return fed_party_bad(core, p, ERR_STATE);
    }
    p->acking = true;
    for (uint64_t seq = p->rec.out_acked + 1; seq <= applied; seq++) {
        struct fed_flight f;
        struct fed_key key = out_key(p, seq);

        TRY(flight_of(core, p, seq, &f));
        TRY(fed_tx_del(core, FED_NS_OUT, &key));
        p->under_way -= f.size < p->under_way ? f.size : p->under_way;
        if (f.kept > 0) {
            fed_bound_acked(p, f.kept);
        }
        if (!f.fan && !f.answer) {
            continue;
        }
        if (has.any && !thread_id_equal(&f.thread, &has.thread)) {
            TRY(member_has(core, p, &has));
            has = (struct has){0};
        }
        has.any = true;
        has.thread = f.thread;
        has.entry = f.entry;
        has.fan = f.fan ? f.entry : has.fan;
        has.rows += f.fan ? 1 : 0;
    }
    if (applied > p->rec.out_acked) {
        p->rec.out_acked = applied;
        p->rec.waits_ms = fed_now(core);
        p->rec.overdue = false;
        p->dirty = true;
        if (p->sent < applied) {
            p->sent = applied;
        }
    }
    TRY(member_has(core, p, &has));
    p->acking = false;
    TRY(fed_stream_pump(core, p));
    close_window(core, p);
    TRY(fed_party_want(core, p));
out:
    p->acking = false;
    return e;
}

/* -------------------------------------------------------------- receiving */

enum err
fed_stream_data(struct fed_core *core, struct fed_party *p,
                const struct proto_data *data)
{
    enum err e;
    bool deaf;

    if (!p->stored) {
        return fed_party_bad(core, p, ERR_DENIED);
    }
    if (!fed_party_open(p)) {
        /* Not agreed, or no longer: nothing is taken, and the next greeting
           makes clear where both stand. */
        return fed_party_close(core, p, PROTO_BYE_CLOSING);
    }
    if (data->seq <= p->rec.in_applied) {
        p->ack_due = true; /* a repeat: acknowledged, not applied */
        return OK;
    }
    if (data->seq != p->rec.in_applied + 1) {
        return fed_party_close(core, p, PROTO_BYE_PROTOCOL);
    }
    TRY(fed_bound_deaf(core, p, &deaf));
    if (deaf) {
        goto out;
    }
    core->answering = p;
    e = fed_item(core, p, data->body);
    core->answering = NULL;
    if (e == ERR_AGAIN) {
        return fed_party_close(core, p, PROTO_BYE_LIMIT); /* not taken */
    }
    if (e != OK && fed_ours(e)) {
        return e;
    }
    p->rec.in_applied = data->seq;
    p->ack_due = true;
    p->dirty = true;
    e = e == OK ? OK : fed_party_bad(core, p, e);
out:
    return e;
}
