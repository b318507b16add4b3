/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A row lists what lies in 1,024 places of a term (16 entries of the log) as
 * runs: places that follow each other and whose messages do, which is what a
 * bundle is.  Runs stand in the order in which they came.  Rows lie behind the
 * conversation's lists of positions, the newest first: what a new message
 * changes is beside each other.
 */
#include "store/place.h"

#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"
#include "store/convs.h"
#include "store/inner.h"
#include "store/records.h"

#include <string.h>

enum {
    PREFIX = 60, /* of a key, without the block */
    BLOCK = 1024 /* places of a row */
};

static struct view
term_key(const struct store_place *in, uint8_t out[STORE_PLACE_KEY])
{
    memcpy(out, in->conv.b, sizeof(in->conv.b));
    store_put_u32(out + 16, UINT32_MAX);
    memcpy(out + 20, in->thread.b, sizeof(in->thread.b));
    store_put_u64(out + 52, ~in->term);
    return view_make(out, PREFIX);
}

static struct view
row_key(const struct store_place *in, uint64_t block,
        uint8_t out[STORE_PLACE_KEY])
{
    (void)term_key(in, out);
    store_put_u64(out + PREFIX, ~block);
    return view_make(out, STORE_PLACE_KEY);
}

/* ------------------------------------------------------------------ records */

enum err
store_runs_decode(struct view in, struct store_runs *out)
{
    struct proto_rd r = proto_rd_open(in);
    uint64_t place = 0;
    uint64_t seq = 0;

    out->len = proto_rd_list(&r, 3 * STORE_PLACE_RUNS);
    if (out->len % 3 != 0) {
        proto_rd_fail(&r, ERR_FORMAT);
    }
    out->len /= 3;
    for (size_t i = 0; i < out->len && r.e == OK; i++) {
        struct store_run *run = &out->run[i];
        bool fits = store_step_to(place, proto_rd_u64(&r), &place);
        uint64_t n;

        fits = store_step_to(seq, proto_rd_u64(&r), &seq) && fits;
        n = proto_rd_u64(&r);
        if (!fits || place >= BLOCK || seq == 0 || seq > INT64_MAX || n == 0 ||
            n > BLOCK - place) {
            proto_rd_fail(&r, ERR_FORMAT);
        }
        *run = (struct store_run){seq, (uint16_t)place, (uint16_t)n};
        place += n;
        seq += n;
    }
    return store_rd_done(&r);
}

enum err
store_runs_encode(const struct mem *mem, const struct store_runs *in,
                  struct bytes *out)
{
    struct proto_wr w = proto_wr_open(mem);
    uint64_t place = 0;
    uint64_t seq = 0;

    proto_wr_array(&w, 3 * in->len);
    for (size_t i = 0; i < in->len; i++) {
        const struct store_run *run = &in->run[i];

        proto_wr_uint(&w, store_step_from(place, run->place));
        proto_wr_uint(&w, store_step_from(seq, run->seq));
        proto_wr_uint(&w, run->n);
        place = (uint64_t)run->place + run->n;
        seq = run->seq + run->n;
    }
    return proto_wr_take(&w, out);
}

/* ------------------------------------------------------------------ writing */

static void
add(struct store_runs *runs, uint16_t place, uint64_t seq)
{
    struct store_run *last = &runs->run[runs->len > 0 ? runs->len - 1 : 0];

    if (runs->len > 0 && last->place + last->n == place &&
        last->seq + last->n == seq) {
        last->n++;
        return;
    }
    if (runs->len == STORE_PLACE_RUNS) {
        runs->len--;
        memmove(&runs->run[0], &runs->run[1], runs->len * sizeof(runs->run[0]));
    }
    runs->run[runs->len++] = (struct store_run){seq, place, 1};
}

enum err
store_place_put(struct store_txn *txn, const struct store_place *in,
                uint64_t place, uint64_t seq)
{
    enum err e;
    uint8_t buf[STORE_PLACE_KEY];
    struct view key = row_key(in, place / BLOCK, buf);
    struct store_runs runs;
    struct bytes b = {0};

    runs.len = 0;
    e = store_get(txn, STORE_T_MSG_INDEX, key, &b);
    TRY(e == ERR_MISSING ? OK : e);
    if (b.len > 0) {
        TRY(store_runs_decode(view_of(&b), &runs));
    }
    add(&runs, (uint16_t)(place % BLOCK), seq);
    bytes_free(&b);
    TRY(store_runs_encode(store_txn_mem(txn), &runs, &b));
    TRY(store_put(txn, STORE_T_MSG_INDEX, key, view_of(&b)));
out:
    bytes_free(&b);
    return e;
}

/* ------------------------------------------------------------------ reading */

/* The first place from *place on that runs have; false: none up to the last. */
static bool
next_place(const struct store_runs *runs, uint64_t last, uint64_t *place)
{
    uint64_t best = UINT64_MAX;

    for (size_t i = 0; i < runs->len; i++) {
        const struct store_run *run = &runs->run[i];
        uint64_t at = run->place > *place ? run->place : *place;

        if (at < (uint64_t)run->place + run->n && at < best) {
            best = at;
        }
    }
    *place = best;
    return best <= last;
}

/* Whether message seq is at this place, and may be given. */
static enum err
is_there(struct store_txn *txn, const struct store_place *in, uint64_t place,
         uint64_t seq, struct store_msg *out)
{
    enum err e = store_msg_get(txn, seq, out);

    if (e == OK &&
        (!conv_id_equal(&out->conv, &in->conv) || out->log_term != in->term ||
         out->log_seq != place || (out->flags & STORE_MSG_DELETED) != 0)) {
        store_msg_clear(out);
        e = ERR_MISSING;
    }
    return e;
}

/* The first message in places from..to of a block. */
static enum err
first_in(struct store_txn *txn, const struct store_place *in, uint64_t block,
         const struct store_runs *runs, uint64_t from, uint64_t to,
         struct store_msg *out)
{
    uint64_t base = block * BLOCK;
    uint64_t place = from > base ? from - base : 0;
    uint64_t last = to - base < BLOCK ? to - base : BLOCK - 1;

    for (; next_place(runs, last, &place); place++) {
        for (size_t i = runs->len; i > 0; i--) {
            const struct store_run *run = &runs->run[i - 1];
            enum err e = ERR_MISSING;

            if (place >= run->place && place - run->place < run->n) {
                e = is_there(txn, in, base + place,
                             run->seq + (place - run->place), out);
            }
            if (e != ERR_MISSING) {
                return e;
            }
        }
    }
    return ERR_MISSING;
}

enum err
store_place_first(struct store_txn *txn, const struct store_place *in,
                  uint64_t from, uint64_t to, struct store_msg *out)
{
    uint8_t prefix[STORE_PLACE_KEY];
    uint8_t after[STORE_PLACE_KEY];
    struct store_runs runs;
    struct store_scan sc;
    bool over = false;
    enum err e;
    enum err end;

    TRY(store_scan_begin(txn, STORE_T_MSG_INDEX, term_key(in, prefix),
                         STORE_DOWN, &sc));
    if (from >= BLOCK) {
        store_scan_after(&sc, row_key(in, from / BLOCK - 1, after));
    }
    e = ERR_MISSING;
    while (e == ERR_MISSING && !over && store_scan_next(&sc)) {
        uint64_t block = 0;

        e = sc.key.len == STORE_PLACE_KEY ? ERR_MISSING : ERR_CORRUPT;
        if (e == ERR_MISSING) {
            block = ~store_get_u64(sc.key.p + PREFIX);
            over = block > to / BLOCK;
        }
        if (e == ERR_MISSING && !over) {
            e = store_runs_decode(sc.value, &runs);
            e = e == OK ? first_in(txn, in, block, &runs, from, to, out) : e;
        }
    }
    end = store_scan_end(&sc);
    TRY(end != OK ? end : e);
out:
    return e;
}
