/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carried attachments as a story from a seed: a patient's device D, the clinic
 * that delivers H, and the clinic B that orders the thread, over lines that are
 * cut, with crashes of each.  H and B are the node's own state machine on real
 * stores; D speaks the device's side of the protocol.
 */
#include "crypto/prim/hash.h"
#include "crypto/prim/random.h"
#include "node/blobs_in.h"
#include "node/ns.h"
#include "proto/wire/mp_wr.h"
#include "store/fed.h"
#include "store/writer.h"
#include "tests/support/check.h"
#include "tests/support/seed_rng.h"
#include "tests/support/tmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    CHUNKS = 5,
    FILES = 4, /* even ones go up, odd ones come down */
    LINE = 64, /* frames under way in one direction */
    DAY_MS = 86400000,
    STALL_MS = 30000
};

enum end_of {
    D,
    H,
    B,
    ENDS
};

static const struct clinic_id ids[ENDS] = {{{1}}, {{2}}, {{3}}};
static const struct clinic_id patient = {{4}};
static const struct thread_id thread = {{7}};

struct file {
    struct hash32 id;
    struct hash32 chunk[CHUNKS];
};

/* The device: what its storage holds (kept over a crash), and what moves. */
struct device {
    size_t next[FILES]; /* COMPLETE told, or chunk number */
    bool done[FILES];
    bool failed[FILES];
    enum proto_blob_code why;
    size_t at;
    bool active;
    size_t asked;
    uint64_t last_ms;
};

struct line {
    struct bytes frame[LINE];
    size_t len;
};

struct world {
    struct seed_rng seed;
    struct clock clock;
    uint64_t now_ms;
    char dir[ENDS][TMP_PATH];
    struct store *store[ENDS];
    struct blobs_state node[ENDS];
    struct device device;
    struct line line[ENDS][ENDS]; /* from, to */
    bool up[ENDS];                /* the line to H; H's own: always */
    struct file file[FILES];
    bool stranger; /* the device is not one of H's */
};

static struct world w;

static uint8_t chunk_bytes[STORE_BLOB_CHUNK];

/* Chunk i of file f, in chunk_bytes. */
static struct view
chunk_of(size_t f, size_t i)
{
    memset(chunk_bytes, (int)(f * 16 + i + 1), sizeof(chunk_bytes));
    return view_make(chunk_bytes, sizeof(chunk_bytes));
}

static uint64_t
now(void *ctx)
{
    (void)ctx;
    return w.now_ms;
}

static bool
connected(enum end_of from, enum end_of to)
{
    return from == H ? w.up[to] : to == H && w.up[from];
}

static void
push(enum end_of from, enum end_of to, struct bytes *take_frame)
{
    struct line *l = &w.line[from][to];

    CHECK(l->len < LINE);
    l->frame[l->len++] = bytes_take(take_frame);
}

static enum end_of
end_with(const struct clinic_id *id)
{
    return clinic_id_equal(id, &ids[D])   ? D
           : clinic_id_equal(id, &ids[H]) ? H
                                          : B;
}

/* Chunks meet a full line when three frames are on it. */
static enum err
send_frame(void *ctx, const struct clinic_id *peer, struct bytes *take_frame)
{
    enum end_of from = (enum end_of)((const struct clinic_id *)ctx - ids);
    enum end_of to = end_with(peer);

    if (!connected(from, to)) {
        return ERR_MISSING;
    }
    if (proto_peer_peek(view_of(take_frame)) == PROTO_PEER_BLOB_PUT &&
        w.line[from][to].len >= 3) {
        return ERR_AGAIN;
    }
    push(from, to, take_frame);
    return OK;
}

static enum fed_right
may(void *ctx, const struct thread_id *t, const struct clinic_id *peer,
    const struct clinic_id *far, struct clinic_id *patient_out)
{
    enum end_of at = (enum end_of)((const struct clinic_id *)ctx - ids);

    *patient_out = patient;
    if (!thread_id_equal(t, &thread)) {
        return FED_RIGHT_NONE;
    }
    if (at == H && clinic_id_equal(peer, &ids[D]) &&
        clinic_id_equal(far, &ids[B]) && !w.stranger) {
        return FED_RIGHT_CARRY;
    }
    return at == B && clinic_id_equal(peer, &ids[H]) &&
                   clinic_id_equal(far, &patient)
               ? FED_RIGHT_MEMBER
               : FED_RIGHT_NONE;
}

static void
on_done(void *ctx, const struct node_blob_task *task, enum err e)
{
    (void)ctx;
    (void)task;
    (void)e;
    CHECK(false); /* nobody has a file of its own */
}

/* ------------------------------------------------------------------- nodes */

static struct store_config
config_of(enum end_of at)
{
    static const uint8_t key[32] = {1};

    return (struct store_config){
        .dir = w.dir[at],
        .key = {STORE_KEY_RAW, VIEW_ARRAY(key)},
        .mem = mem_heap(),
        .clock = &w.clock,
        .rng = prim_rng_system(),
        .reserve_bytes = 1 << 20,
    };
}

static void
begin_node(enum end_of at)
{
    struct store_config c = config_of(at);

    CHECK_OK(store_open(&c, &w.store[at]));
    w.node[at] =
        (struct blobs_state){.c = {.mem = mem_heap(),
                                   .store = w.store[at],
                                   .clock = &w.clock,
                                   .send = send_frame,
                                   .may = may,
                                   .on_done = on_done,
                                   .ctx = (void *)(uintptr_t)&ids[at]}};
    CHECK_OK(node_blobs_load(&w.node[at]));
}

static void
new_node(enum end_of at)
{
    struct store_config c = config_of(at);

    tmp_dir(w.dir[at], sizeof(w.dir[at]), "balsam-carry-XXXXXX");
    CHECK_OK(store_create(&c));
    begin_node(at);
}

static void
end_node(enum end_of at)
{
    node_blobs_step_end(&w.node[at]);
    store_close(w.store[at]);
}

/* ------------------------------------------------------------------- lines */

static void
cut(enum end_of far)
{
    for (size_t i = 0; i < 2; i++) {
        struct line *l = i == 0 ? &w.line[far][H] : &w.line[H][far];

        while (l->len > 0) {
            bytes_free(&l->frame[--l->len]);
        }
    }
    if (w.up[far]) {
        w.up[far] = false;
        node_blobs_step_down(&w.node[H], &ids[far]);
        if (far == B) {
            node_blobs_step_down(&w.node[B], &ids[H]);
        }
    }
    w.device.active = far == D ? false : w.device.active;
}

static void
join(enum end_of far)
{
    if (!w.up[far]) {
        w.up[far] = true;
        node_blobs_step_up(&w.node[H], &ids[far]);
        if (far == B) {
            node_blobs_step_up(&w.node[B], &ids[H]);
        }
    }
}

static void
crash(enum end_of at)
{
    cut(at == H ? D : at);
    if (at == H) {
        cut(B);
    }
    if (at != D) {
        end_node(at);
        begin_node(at);
    }
}

/* -------------------------------------------------------------- the device */

static void
device_say(struct proto_peer_msg *m, uint8_t *thread_at, uint8_t *blob_at)
{
    struct bytes frame = {0};

    memcpy(thread_at, thread.b, 32);
    memcpy(blob_at, w.file[w.device.at].id.b, 32);
    CHECK_OK(proto_peer_encode(mem_heap(), m, &frame));
    push(D, H, &frame);
}

static void
device_open(bool up)
{
    struct proto_peer_msg m = {.type = up ? PROTO_PEER_BLOB_OPEN
                                          : PROTO_PEER_BLOB_WANT};
    struct proto_blob_open *o = up ? &m.u.blob_open : &m.u.blob_want;

    memcpy(o->far, ids[B].b, 32);
    o->size = (uint64_t)CHUNKS * STORE_BLOB_CHUNK;
    o->chunks = VIEW_ARRAY(w.file[w.device.at].chunk);
    device_say(&m, o->thread, o->blob);
}

static void
device_get(void)
{
    struct proto_peer_msg m = {.type = PROTO_PEER_BLOB_GET};
    struct proto_blob_get *g = &m.u.blob_get;
    size_t left = CHUNKS - w.device.next[w.device.at];

    memcpy(g->far, ids[B].b, 32);
    g->first = w.device.next[w.device.at];
    g->count = left < 2 ? left : 2;
    w.device.asked = (size_t)(g->first + g->count);
    device_say(&m, g->thread, g->blob);
}

static void
device_put(size_t from)
{
    struct device *d = &w.device;

    d->asked = d->asked < from ? from : d->asked;
    while (d->asked < CHUNKS && d->asked < from + 2) {
        struct proto_peer_msg m = {.type = PROTO_PEER_BLOB_PUT};

        m.u.blob_put.index = d->asked;
        m.u.blob_put.chunk = chunk_of(d->at, d->asked++);
        device_say(&m, m.u.blob_put.thread, m.u.blob_put.blob);
    }
}

static void
device_go(void)
{
    struct device *d = &w.device;

    if (!w.up[D] || (d->active && w.now_ms - d->last_ms < STALL_MS)) {
        return;
    }
    d->active = false;
    for (size_t i = 0; i < FILES && !d->active; i++) {
        d->at = (d->at + 1) % FILES;
        d->active = !d->done[d->at] && !d->failed[d->at];
    }
    if (d->active) {
        d->last_ms = w.now_ms;
        d->asked = 0;
        device_open(d->at % 2 == 0);
    }
}

static void
device_got(const struct proto_blob_put *m)
{
    struct proto_peer_msg done = {.type = PROTO_PEER_BLOB_STATE};
    struct device *d = &w.device;
    uint8_t hash[32];

    if (m->index != d->next[d->at]) {
        return;
    }
    prim_sha256(m->chunk, hash);
    CHECK(memcmp(hash, w.file[d->at].chunk[m->index].b, 32) == 0);
    d->next[d->at]++;
    if (d->next[d->at] == CHUNKS) {
        d->done[d->at] = true;
        d->active = false;
        done.u.blob_state.code = PROTO_BLOB_COMPLETE;
        device_say(&done, done.u.blob_state.thread, done.u.blob_state.blob);
    } else if (d->next[d->at] >= d->asked) {
        device_get();
    }
}

static void
device_frame(struct view frame)
{
    struct proto_peer_msg m;
    struct device *d = &w.device;
    bool up = d->at % 2 == 0;
    bool put;

    CHECK_OK(proto_peer_decode(frame, &m));
    put = m.type == PROTO_PEER_BLOB_PUT;
    if (!d->active || memcmp(put ? m.u.blob_put.blob : m.u.blob_state.blob,
                             w.file[d->at].id.b, 32) != 0) {
        return;
    }
    d->last_ms = w.now_ms;
    if (put) {
        device_got(&m.u.blob_put);
    } else if (m.u.blob_state.code == PROTO_BLOB_QUOTA ||
               m.u.blob_state.code == PROTO_BLOB_DENIED) {
        d->failed[d->at] = true;
        d->why = (enum proto_blob_code)m.u.blob_state.code;
        d->active = false;
    } else if (up && m.u.blob_state.code == PROTO_BLOB_COMPLETE) {
        d->done[d->at] = true;
        d->active = false;
    } else if (up && m.u.blob_state.code == PROTO_BLOB_MORE) {
        device_put((size_t)m.u.blob_state.next);
    } else if (m.u.blob_state.code == PROTO_BLOB_COMPLETE) {
        device_get();
    } else if (up) {
        d->active = false;
    }
}

/* ---------------------------------------------------------------- the story */

static bool
deliver(enum end_of from, enum end_of to)
{
    struct line *l = &w.line[from][to];
    struct bytes frame;

    if (l->len == 0) {
        return false;
    }
    frame = l->frame[0];
    l->len--;
    memmove(&l->frame[0], &l->frame[1], l->len * sizeof(frame));
    if (to == D) {
        device_frame(view_of(&frame));
    } else {
        node_blobs_step_frame(&w.node[to], &ids[from], view_of(&frame));
    }
    if (from != D) {
        node_blobs_step_writable(&w.node[from], &ids[to]);
    }
    bytes_free(&frame);
    return true;
}

/* Whatever is under way, until nothing moves any more. */
static void
settle(void)
{
    bool moved = true;

    while (moved) {
        moved = false;
        node_blobs_step(&w.node[H]);
        node_blobs_step(&w.node[B]);
        device_go();
        moved = deliver(D, H) || moved;
        moved = deliver(H, B) || moved;
        moved = deliver(B, H) || moved;
        moved = deliver(H, D) || moved;
    }
}

static enum err
give_job(void *ctx, struct store_txn *txn)
{
    struct file *f = ctx;
    struct hash32 id;
    enum err e;

    TRY(store_blob_put(txn, (uint64_t)CHUNKS * STORE_BLOB_CHUNK, f->chunk,
                       CHUNKS, &id));
    TRY(store_blob_ref(txn, &id, VIEW_LIT("its message")));
    TRY(node_blobs_grant(txn, &thread, &id));
out:
    return e;
}

/* The clock begins at the machine's, which dates the chunk files. */
static void
begin_world(uint64_t seed)
{
    w = (struct world){.now_ms = (uint64_t)time(NULL) * 1000};
    w.clock = (struct clock){now, now, NULL};
    seed_rng_init(&w.seed, seed);
    new_node(H);
    new_node(B);
    for (size_t f = 0; f < FILES; f++) {
        for (size_t i = 0; i < CHUNKS; i++) {
            prim_sha256(chunk_of(f, i), w.file[f].chunk[i].b);
        }
        store_blob_id(w.file[f].chunk, CHUNKS, &w.file[f].id);
        for (size_t i = 0; i < CHUNKS && f % 2 == 1; i++) {
            CHECK_OK(store_chunk_write(w.store[B], &w.file[f].chunk[i],
                                       chunk_of(f, i)));
        }
        if (f % 2 == 1) {
            CHECK_OK(store_write(w.store[B], give_job, &w.file[f], 0));
        }
    }
}

static void
end_world(void)
{
    char command[2 * TMP_PATH + 64];

    cut(D);
    cut(B);
    end_node(H);
    end_node(B);
    snprintf(command, sizeof(command), "rm -rf %s %s", w.dir[H], w.dir[B]);
    CHECK(system(command) == 0);
}

static size_t
chunks_at(enum end_of at)
{
    size_t n = 0;

    for (size_t f = 0; f < FILES; f++) {
        for (size_t i = 0; i < CHUNKS; i++) {
            n += store_chunk_has(w.store[at], &w.file[f].chunk[i]);
        }
    }
    return n;
}

static bool
kept(size_t f)
{
    return node_blobs_carried(&w.node[H], &ids[D], &thread, &w.file[f].id);
}

static void
step(void)
{
    switch (seed_rng_below(&w.seed, 40)) {
    case 0:
        cut(D);
        break;
    case 1:
        cut(B);
        break;
    case 2:
        crash((enum end_of)seed_rng_below(&w.seed, ENDS));
        break;
    case 3:
        w.now_ms += seed_rng_below(&w.seed, 2 * STALL_MS);
        break;
    case 4:
    case 5:
        join(D);
        break;
    case 6:
    case 7:
        join(B);
        break;
    case 8:
    case 9:
        node_blobs_step(&w.node[H]);
        node_blobs_step(&w.node[B]);
        break;
    case 10:
        device_go();
        break;
    default:
        switch (seed_rng_below(&w.seed, 4)) {
        case 0:
            (void)deliver(D, H);
            break;
        case 1:
            (void)deliver(H, B);
            break;
        case 2:
            (void)deliver(B, H);
            break;
        default:
            (void)deliver(H, D);
            break;
        }
    }
}

/* Everything is whole in the end, and nothing stays with who carried it. */
static void
story(uint64_t seed)
{
    uint64_t removed = 0;

    begin_world(seed);
    for (size_t i = 0; i < 400; i++) {
        step();
    }
    for (size_t i = 0; i < 20; i++) {
        join(D);
        join(B);
        settle();
        w.now_ms += STALL_MS;
    }
    for (size_t f = 0; f < FILES; f++) {
        CHECK(w.device.done[f]);
        CHECK(!kept(f));
    }
    CHECK_EQ(chunks_at(B), (size_t)FILES * CHUNKS);
    CHECK(w.node[H].tasks == NULL);
    w.now_ms += 2 * (uint64_t)DAY_MS;
    CHECK_OK(store_blob_sweep(w.store[H], w.now_ms, &removed));
    CHECK_EQ(removed, (size_t)FILES * CHUNKS);
    CHECK_EQ(chunks_at(H), 0);
    end_world();
}

TEST(carried_through_cuts_and_crashes)
{
    const char *more = getenv("BALSAM_SIM_SEEDS");
    const char *one = getenv("BALSAM_SIM_SEED");
    uint64_t n = more == NULL ? 6 : strtoull(more, NULL, 10);
    uint64_t first = one == NULL ? 1 : strtoull(one, NULL, 10);

    for (uint64_t seed = first; seed < first + (one == NULL ? n : 1); seed++) {
        printf("# seed %llu\n", (unsigned long long)seed);
        story(seed);
    }
}

/* -------------------------------------------------------- bounds and rights */

struct used {
    enum end_of at;
    uint64_t bytes;
};

static enum err
use_job(void *ctx, struct store_txn *txn)
{
    struct used *u = ctx;
    struct proto_wr wr = proto_wr_open(mem_heap());
    struct bytes value = {0};
    enum err e;

    proto_wr_array(&wr, 2);
    proto_wr_uint(&wr, w.now_ms / DAY_MS);
    proto_wr_uint(&wr, u->bytes);
    TRY(proto_wr_take(&wr, &value));
    TRY(store_fed_put(txn, NODE_NS_BLOB_QUOTA, clinic_id_view(&patient),
                      view_of(&value)));
out:
    bytes_free(&value);
    return e;
}

/* What the patient has used up at one of the two is said before a chunk. */
static void
used_up(enum end_of at)
{
    struct used u = {at, LIMIT_BLOB_PATIENT_DAY};

    begin_world(1);
    CHECK_OK(store_write(w.store[at], use_job, &u, 0));
    join(D);
    join(B);
    settle();
    CHECK(w.device.failed[0] && w.device.failed[2]);
    CHECK(w.device.why == PROTO_BLOB_QUOTA);
    CHECK_EQ(chunks_at(B), (size_t)FILES / 2 * CHUNKS);
    CHECK(!kept(0));
    CHECK_EQ(w.device.failed[1], at == H);
    CHECK_EQ(chunks_at(H), at == H ? 0 : FILES / 2 * CHUNKS);
    w.now_ms += DAY_MS;
    memset(w.device.failed, 0, sizeof(w.device.failed));
    settle();
    CHECK(w.device.done[0] && w.device.done[1]);
    end_world();
}

TEST(a_quota_is_said_before_the_upload)
{
    used_up(H);
    used_up(B);
}

TEST(nobody_else_is_carried)
{
    begin_world(1);
    w.stranger = true;
    join(D);
    join(B);
    settle();
    for (size_t f = 0; f < FILES; f++) {
        CHECK(w.device.failed[f] && !kept(f));
    }
    CHECK(w.device.why == PROTO_BLOB_DENIED);
    CHECK_EQ(chunks_at(H), 0);
    end_world();
}

/* B never comes: 90 days up; the device does not fetch: 7 days down. */
TEST(nothing_is_kept_for_ever)
{
    begin_world(1);
    join(D);
    w.device.done[1] = true;
    w.device.done[3] = true;
    settle();
    CHECK(w.device.done[0] && w.device.done[2] && kept(0) && kept(2));
    CHECK_EQ(chunks_at(H), 2 * CHUNKS);
    w.now_ms += LIMIT_BLOB_CARRY_UP_MS - DAY_MS;
    settle();
    CHECK(kept(0));
    w.now_ms += DAY_MS;
    settle();
    CHECK(!kept(0) && !kept(2));
    CHECK_EQ(chunks_at(H), 0);
    join(B);
    settle();
    end_world();

    begin_world(1);
    join(D);
    join(B);
    w.device.done[0] = true;
    w.device.done[2] = true;
    device_go();
    (void)deliver(D, H); /* its wish, and then it is gone */
    cut(D);
    settle();
    CHECK(kept(1));
    CHECK_EQ(chunks_at(H), CHUNKS);
    w.now_ms += LIMIT_BLOB_CARRY_DOWN_MS;
    settle();
    CHECK(!kept(1));
    CHECK_EQ(chunks_at(H), 0);
    join(D);
    settle();
    CHECK(w.device.done[1] && w.device.done[3]);
    end_world();
}

/* What is kept for one patient altogether has a bound. */
/* A start has other things to do than to look through all folders. */
TEST(not_swept_at_a_start_but_an_hour_later)
{
    for (uint64_t odd = 0; odd < 2; odd++) {
        begin_world(3);
        w.now_ms = w.now_ms / 2 * 2 + 2 * (uint64_t)DAY_MS + odd;
        CHECK_OK(
            store_chunk_write(w.store[H], &w.file[0].chunk[0], chunk_of(0, 0)));
        node_blobs_step(&w.node[H]);
        w.now_ms++;
        node_blobs_step(&w.node[H]);
        CHECK_EQ(chunks_at(H), 1);
        w.now_ms += 3600000;
        node_blobs_step(&w.node[H]);
        CHECK_EQ(chunks_at(H), 0);
        end_world();
    }
}

TEST(too_much_at_once_is_refused)
{
    struct used none = {H, 0};
    size_t kept_now = 0;

    begin_world(1);
    join(D);
    for (size_t f = 0; f < FILES; f++) {
        w.device.done[f] = true;
    }
    for (uint8_t i = 0; i < 20; i++) { /* 100 MiB each, chunks never sent */
        struct proto_peer_msg m = {.type = PROTO_PEER_BLOB_OPEN};
        struct hash32 chunks[400];
        struct bytes frame = {0};
        struct hash32 id;

        memset(chunks, i, sizeof(chunks));
        store_blob_id(chunks, 400, &id);
        CHECK_OK(store_write(w.store[H], use_job, &none, 0));
        memcpy(m.u.blob_open.thread, thread.b, 32);
        memcpy(m.u.blob_open.far, ids[B].b, 32);
        memcpy(m.u.blob_open.blob, id.b, 32);
        m.u.blob_open.size = 400ull * STORE_BLOB_CHUNK;
        m.u.blob_open.chunks = VIEW_ARRAY(chunks);
        CHECK_OK(proto_peer_encode(mem_heap(), &m, &frame));
        push(D, H, &frame);
        settle();
        kept_now += node_blobs_carried(&w.node[H], &ids[D], &thread, &id);
    }
    CHECK_EQ(kept_now, LIMIT_BLOB_CARRIED / (400ull * STORE_BLOB_CHUNK));
    end_world();
}

int
main(void)
{
    return RUN(T(not_swept_at_a_start_but_an_hour_later),
               T(carried_through_cuts_and_crashes),
               T(a_quota_is_said_before_the_upload), T(nobody_else_is_carried),
               T(nothing_is_kept_for_ever), T(too_much_at_once_is_refused));
}
