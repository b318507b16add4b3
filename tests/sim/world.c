/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time, the network and the oracle.
 */
#include "tests/sim/changes.h"
#include "tests/sim/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t
world_below(struct world *w, uint64_t n)
{
    return n == 0 ? 0 : seed_rng_below(&w->rng, n);
}

bool
world_chance(struct world *w, uint64_t per_thousand)
{
    return world_below(w, 1000) < per_thousand;
}

void
world_fault(struct world *w, const char *what, size_t node, uint64_t a)
{
    if (w->fault[0] == '\0') {
        snprintf(w->fault, sizeof(w->fault),
                 "seed %llu at %llu ms: %s, node %zu (%llu)",
                 (unsigned long long)w->seed, (unsigned long long)w->mono_ms,
                 what, node, (unsigned long long)a);
    }
}

/* What happens, where it is asked for (BALSAM_SIM_TRACE). */
void
world_trace(const struct world *w, const char *what, size_t node, uint64_t a,
            uint64_t b)
{
    if (w->trace) {
        printf("    %llu ms node %zu %s %llu %llu\n",
               (unsigned long long)w->mono_ms, node, what,
               (unsigned long long)a, (unsigned long long)b);
    }
}

void
world_init(struct world *w, uint64_t seed, size_t nodes)
{
    memset(w, 0, sizeof(*w));
    seed_rng_init(&w->rng, seed);
    w->seed = seed;
    w->trace = getenv("BALSAM_SIM_TRACE") != NULL;
    w->wall_ms = UINT64_C(1790000000000);
    w->mono_ms = 1000;
    w->nodes_len = nodes;
    w->delay_ms = 20;
    w->commit_ms = 5;
    for (size_t i = 0; i < nodes; i++) {
        sim_node_init(w, i);
        node_start(w, i);
    }
}

static void
conn_clear(struct conn *c)
{
    for (size_t side = 0; side < 2; side++) {
        for (size_t i = 0; i < c->len[side]; i++) {
            bytes_free(&c->queue[side][i].frame);
        }
        free(c->queue[side]);
    }
    *c = (struct conn){0};
}

void
world_free(struct world *w)
{
    for (size_t i = 0; i < w->nodes_len; i++) {
        sim_node_free(&w->nodes[i]);
        bytes_free(&w->nodes[i].list);
    }
    for (size_t i = 0; i < WORLD_CONNS; i++) {
        conn_clear(&w->conns[i]);
    }
    for (size_t i = 0; i < WORLD_PATIENTS; i++) {
        bytes_free(&w->patients[i].text);
    }
    free(w->said);
    free(w->used);
}

/* ------------------------------------------------------------------ network */

static struct conn *
conn_of(struct world *w, size_t a, size_t b)
{
    for (size_t i = 0; i < WORLD_CONNS; i++) {
        struct conn *c = &w->conns[i];

        if (c->serial[0] != 0 && ((c->node[0] == a && c->node[1] == b) ||
                                  (c->node[0] == b && c->node[1] == a))) {
            return c;
        }
    }
    return NULL;
}

/* The handshake: is b's certificate good for a (node/runner_net.c)? */
static bool
lets_in(struct world *w, size_t a, size_t b)
{
    struct fed_party_info info;
    struct clinic_id root = node_root(w, b);
    uint64_t generation = w->nodes[b].generation;

    return fed_core_party(w->nodes[a].core, &root, &info) != OK ||
           (generation >= info.generation && generation >= info.revoked);
}

static void
conn_open(struct world *w, size_t a, size_t b)
{
    struct conn *c = NULL;
    struct fed_up up = {0};

    for (size_t i = 0; i < WORLD_CONNS && c == NULL; i++) {
        c = w->conns[i].serial[0] == 0 ? &w->conns[i] : NULL;
    }
    if (c == NULL || !lets_in(w, a, b)) {
        return;
    }
    if (!lets_in(w, b, a)) { /* its alert */
        struct clinic_id root = node_root(w, b);

        node_stepped(w, a, fed_core_outdated(w->nodes[a].core, &root));
        return;
    }
    c->up = true;
    c->node[0] = a;
    c->node[1] = b;
    c->serial[0] = ++w->serial;
    c->serial[1] = ++w->serial;
    for (size_t i = 0; i < sizeof(up.exporter); i++) {
        up.exporter[i] = (uint8_t)seed_rng_next(&w->rng);
    }
    for (size_t side = 0; side < 2; side++) {
        size_t me = c->node[side];
        size_t other = c->node[1 - side];

        up.root = node_root(w, other);
        up.serial = c->serial[side];
        up.generation = w->nodes[other].generation;
        up.dialled = side == 0;
        up.kind = w->nodes[other].kind;
        up.cert = view_of(&w->nodes[other].chain);
        node_stepped(w, me, fed_core_peer_up(w->nodes[me].core, &up));
    }
}

/* Both ends learn of it in their own time; frames under way are lost. */
void
world_break(struct world *w, size_t a, size_t b)
{
    struct conn *c = conn_of(w, a, b);

    if (c != NULL && c->up) {
        c->up = false;
        c->down_ms = w->mono_ms;
    }
}

void
world_cut(struct world *w, size_t a, size_t b, bool cut)
{
    w->cut[a][b] = w->cut[b][a] = cut;
    if (cut) {
        world_break(w, a, b);
    }
}

/* What node puts on the wire: the frame, or what a liar makes of its item. */
static void
put_frame(struct world *w, size_t node, size_t to, struct view frame,
          struct bytes *out)
{
    struct proto_peer_msg msg;
    struct bytes item = {0};

    if (w->lie != NULL && proto_peer_decode(frame, &msg) == OK &&
        msg.type == PROTO_PEER_DATA &&
        w->lie(w, node, to, msg.u.data.body, &item)) {
        msg.u.data.body = view_of(&item);
        if (proto_peer_encode(mem_heap(), &msg, out) != OK) {
            abort();
        }
        bytes_free(&item);
        return;
    }
    if (bytes_copy(mem_heap(), frame, out) != OK) {
        abort();
    }
}

void
sim_send(struct world *w, size_t node, uint64_t serial, struct view frame)
{
    for (size_t i = 0; i < WORLD_CONNS; i++) {
        struct conn *c = &w->conns[i];

        for (size_t side = 0; side < 2; side++) {
            size_t to = 1 - side;
            uint64_t last;
            struct wire_frame *f;

            if (c->serial[side] != serial || c->node[side] != node || !c->up) {
                continue;
            }
            if (c->len[to] == c->cap[to]) {
                c->cap[to] = c->cap[to] == 0 ? 16 : c->cap[to] * 2;
                c->queue[to] =
                    realloc(c->queue[to], c->cap[to] * sizeof(c->queue[to][0]));
            }
            last = c->len[to] > 0 ? c->queue[to][c->len[to] - 1].due_ms : 0;
            f = &c->queue[to][c->len[to]++];
            *f = (struct wire_frame){0};
            f->due_ms = w->mono_ms + world_below(w, w->delay_ms + 1);
            f->due_ms = f->due_ms < last ? last : f->due_ms;
            put_frame(w, node, c->node[to], frame, &f->frame);
            return;
        }
    }
}

void
sim_close(struct world *w, size_t node, uint64_t serial)
{
    for (size_t i = 0; i < WORLD_CONNS; i++) {
        struct conn *c = &w->conns[i];

        for (size_t side = 0; side < 2; side++) {
            if (c->serial[side] == serial && c->node[side] == node && c->up) {
                c->up = false;
                c->down_ms = w->mono_ms;
            }
        }
    }
}

void
world_sleep(struct world *w, size_t i)
{
    w->nodes[i].asleep = true;
    w->nodes[i].fell_ms = w->mono_ms;
    for (size_t other = 0; other < w->nodes_len; other++) {
        world_break(w, i, other);
    }
}

void
world_wake(struct world *w, size_t i)
{
    struct node *n = &w->nodes[i];

    n->asleep = false;
    n->slept_ms += w->mono_ms - n->fell_ms;
    n->blind_ms = w->mono_ms + 20000;
}

void
sim_hang_up(struct world *w, size_t node)
{
    for (size_t i = 0; i < WORLD_CONNS; i++) {
        struct conn *c = &w->conns[i];

        for (size_t side = 0; side < 2; side++) {
            if (c->serial[side] != 0 && c->node[side] == node) {
                c->up = false;
                c->told_down[side] = true;
            }
        }
    }
}

static void
deliver(struct world *w, struct conn *c, size_t side)
{
    while (c->len[side] > 0 && c->queue[side][0].due_ms <= w->mono_ms) {
        size_t me = c->node[side];
        struct node *n = &w->nodes[me];
        struct clinic_id from = node_root(w, c->node[1 - side]);
        struct bytes frame = c->queue[side][0].frame;

        memmove(&c->queue[side][0], &c->queue[side][1],
                (c->len[side] - 1) * sizeof(c->queue[side][0]));
        c->len[side]--;
        w->frames++;
        sim_heard(w, c->node[1 - side], view_of(&frame));
        if (n->core != NULL && !c->told_down[side]) {
            node_stepped(w, me,
                         fed_core_frame(n->core, &from, c->serial[side],
                                        view_of(&frame)));
        }
        bytes_free(&frame);
    }
}

/* A broken connection: some frames still arrive, then each end notices. */
static void
die(struct world *w, struct conn *c)
{
    for (size_t side = 0; side < 2; side++) {
        struct node *n = &w->nodes[c->node[side]];
        struct clinic_id other = node_root(w, c->node[1 - side]);

        if (c->told_down[side] ||
            (n->core != NULL && (n->asleep || w->mono_ms < n->blind_ms))) {
            continue;
        }
        if (n->core == NULL) {
            c->told_down[side] = true;
        } else if (world_chance(w, 300)) {
            c->told_down[side] = true;
            node_stepped(w, c->node[side],
                         fed_core_peer_down(n->core, &other, c->serial[side]));
        } else {
            deliver(w, c, side);
        }
    }
    if (c->told_down[0] && c->told_down[1]) {
        conn_clear(c);
    }
}

static void
dial(struct world *w)
{
    for (size_t a = 0; a < w->nodes_len; a++) {
        for (size_t b = 0; b < w->nodes_len; b++) {
            if (a != b && w->nodes[a].wants[b] && w->nodes[a].core != NULL &&
                w->nodes[b].core != NULL && !w->nodes[a].asleep &&
                !w->nodes[b].asleep && !w->cut[a][b] &&
                conn_of(w, a, b) == NULL && world_chance(w, 200)) {
                conn_open(w, a, b);
            }
        }
    }
}

/* --------------------------------------------------------------------- time */

/* The node is asked for a certificate; it may have it already. */
static void
renew(struct world *w, size_t i)
{
    struct node *n = &w->nodes[i];

    if (n->generation > n->renew) {
        n->renew = 0;
    } else {
        node_rotate(w, i, false);
    }
}

void
world_step(struct world *w, uint64_t ms)
{
    w->mono_ms += ms;
    w->wall_ms += ms;
    for (size_t i = 0; i < w->nodes_len; i++) {
        struct node *n = &w->nodes[i];

        if (n->core == NULL || n->asleep) {
            continue;
        }
        sim_commit_due(w, i, false);
        if (n->renew != 0) {
            renew(w, i);
        }
        if (n->timer_ms != 0 && n->timer_ms <= w->mono_ms - n->slept_ms) {
            n->timer_ms = 0;
            node_stepped(w, i, fed_core_tick(n->core));
        }
        if (world_chance(w, 800)) {
            sim_take(w, i);
        }
    }
    for (size_t i = 0; i < WORLD_CONNS; i++) {
        struct conn *c = &w->conns[i];

        if (c->serial[0] == 0) {
            continue;
        }
        if (c->up && world_below(w, 1000000) < w->break_ppm) {
            c->up = false;
        }
        if (c->up) {
            deliver(w, c, 0);
            if (c->serial[0] != 0) {
                deliver(w, c, 1);
            }
        } else {
            die(w, c);
        }
    }
    dial(w);
}

void
world_run(struct world *w, uint64_t ms)
{
    uint64_t until = w->mono_ms + ms;

    while (w->mono_ms < until && w->fault[0] == '\0') {
        world_step(w, 1 + world_below(w, 10));
    }
}

static bool
restless(struct world *w, size_t i, const char *why, uint64_t a, uint64_t b)
{
    if (w->tired) {
        world_trace(w, why, i, a, b);
        return true;
    }
    return false;
}

static bool
quiet(struct world *w)
{
    for (size_t i = 0; i < w->nodes_len; i++) {
        struct node *n = &w->nodes[i];
        struct fed_party_info p;
        struct thread_id t;
        const struct clinic_id *after = NULL;
        const struct thread_id *after_t = NULL;
        struct clinic_id at;
        struct thread_id at_t;
        struct fed_thread_info info;

        if (n->pending_len > 0) {
            return false;
        }
        while (fed_core_party_next(n->core, after, &p) == OK) {
            if (p.queued > 0 && !p.blocked && p.ours == PROTO_STANCE_GRANTED &&
                p.theirs == PROTO_STANCE_GRANTED &&
                !restless(w, i, "queued", p.queued, p.up)) {
                return false;
            }
            at = p.root;
            after = &at;
        }
        while (fed_core_thread_next(n->core, after_t, &t) == OK) {
            if (fed_core_thread(n->core, &t, &info) == OK && info.waiting &&
                !restless(w, i, "waiting", info.state, info.seq)) {
                return false;
            }
            at_t = t;
            after_t = &at_t;
        }
    }
    return true;
}

void
world_heal(struct world *w)
{
    uint64_t until;
    size_t still = 0;

    w->break_ppm = 0;
    w->hunger = 0;
    for (size_t i = 0; i < w->nodes_len; i++) {
        w->nodes[i].fail_in = 0;
    }
    memset(w->cut, 0, sizeof(w->cut));
    for (size_t i = 0; i < w->nodes_len; i++) {
        if (w->nodes[i].core == NULL) {
            node_start(w, i);
        }
    }
    until = w->mono_ms + 600000;
    while (still < 40 && w->fault[0] == '\0') {
        for (int i = 0; i < 10; i++) {
            world_step(w, 10);
        }
        still = quiet(w) ? still + 1 : 0;
        if (w->mono_ms > until) {
            w->tired = true;
            (void)quiet(w);
            world_fault(w, "never comes to rest", 0, 0);
        }
    }
}

/* ------------------------------------------------------------------- people */

struct fed_invitation
world_link(struct world *w, size_t i, bool one_time, bool review, uint8_t id)
{
    struct fed_link link = {.one_time = one_time,
                            .in_person = one_time,
                            .review = review,
                            .label = VIEW_LIT("Reception")};
    struct fed_invitation inv = {.one_time = one_time, .in_person = one_time};

    link.id.b[0] = id;
    if (one_time) {
        memset(link.secret, id, sizeof(link.secret));
        memset(inv.secret, id, sizeof(inv.secret));
    }
    inv.root = node_root(w, i);
    inv.link = link.id;
    inv.addrs = view_make(&w->nodes[i].index, 1);
    node_stepped(w, i, fed_core_link_put(w->nodes[i].core, &link));
    sim_take(w, i);
    return inv;
}

struct thread_id
world_direct(struct world *w, size_t a, size_t b)
{
    struct fed_party_info info;
    struct clinic_id root = node_root(w, b);

    if (w->nodes[a].core == NULL ||
        fed_core_party(w->nodes[a].core, &root, &info) != OK) {
        memset(&info.direct, 0, sizeof(info.direct));
    }
    return info.direct;
}

void
world_befriend(struct world *w, size_t a, size_t b)
{
    struct fed_invitation inv = world_link(w, a, false, false, 1);

    node_stepped(w, b, fed_core_connect(w->nodes[b].core, &inv));
    for (int i = 0; i < 600; i++) {
        struct thread_id ta = world_direct(w, a, b);
        struct thread_id tb = world_direct(w, b, a);

        if (!thread_id_is_zero(&ta) && thread_id_equal(&ta, &tb) &&
            node_state(w, a, &ta) == FED_THREAD_ACTIVE &&
            node_state(w, b, &ta) == FED_THREAD_ACTIVE) {
            return;
        }
        world_step(w, 10);
    }
    world_fault(w, "did not become friends", a, b);
}

static enum err
say_one(struct world *w, size_t i, const struct thread_id *thread)
{
    enum err e;
    struct node *n = &w->nodes[i];
    struct proto_content c = {.kind = PROTO_CONTENT_TEXT};
    char text[64];
    struct said *s;

    if (w->said_len == w->said_cap) {
        w->said_cap = w->said_cap == 0 ? 64 : w->said_cap * 2;
        w->said = realloc(w->said, w->said_cap * sizeof(w->said[0]));
    }
    snprintf(text, sizeof(text), "%zu:%llu", i,
             (unsigned long long)n->said + 1);
    c.u.text.text = view_str(text);
    s = &w->said[w->said_len];
    memset(s, 0, sizeof(*s));
    e = fed_core_send(n->core, thread, &c, false, &s->id);
    if (e == OK) {
        s->thread = *thread;
        s->node = i;
        s->number = ++n->said;
        w->said_len++;
    }
    return e;
}

enum err
world_burst(struct world *w, size_t i, const struct thread_id *thread,
            uint64_t count)
{
    enum err e = OK;

    while (e == OK && count-- > 0) {
        e = say_one(w, i, thread);
    }
    node_stepped(w, i,
                 e == ERR_STATE || e == ERR_MISSING || e == ERR_AGAIN ? OK : e);
    return e;
}

enum err
world_say(struct world *w, size_t i, const struct thread_id *thread)
{
    return world_burst(w, i, thread, 1);
}

/* ------------------------------------------------------------------- oracle */

enum fed_thread_state
node_state(struct world *w, size_t i, const struct thread_id *thread)
{
    struct fed_thread_info info;

    if (w->nodes[i].core == NULL ||
        fed_core_thread(w->nodes[i].core, thread, &info) != OK) {
        return (enum fed_thread_state)0;
    }
    return info.state;
}

bool
node_has(struct world *w, size_t i, const struct thread_id *thread,
         const struct message_id *id)
{
    struct fed_key_ {
        uint8_t b[64];
    } key;

    memcpy(key.b, thread->b, 32);
    memcpy(key.b + 32, id->b, 32);
    return rows_find(&w->nodes[i].rows, WORLD_DESK, VIEW_ARRAY(key.b)) != NULL;
}

/* The accepted messages of a thread at a node, by place. */
struct line {
    uint64_t term;
    uint64_t seq;
    const uint8_t *id;
    const struct row *row;
};

static int
by_place(const void *a, const void *b)
{
    const struct line *x = a;
    const struct line *y = b;

    if (x->term != y->term) {
        return x->term < y->term ? -1 : 1;
    }
    return (x->seq > y->seq) - (x->seq < y->seq);
}

static size_t
lines_of(struct world *w, size_t i, const struct thread_id *thread,
         struct line **out)
{
    struct rows *rows = &w->nodes[i].rows;
    size_t at = rows_lower(rows, WORLD_DESK, thread_id_view(thread));
    size_t n = 0;
    struct subject_id me = node_subject(w, i);

    *out = malloc((rows->len + 1) * sizeof(**out));
    for (; at < rows->len && rows->at[at].ns == WORLD_DESK; at++) {
        struct desk d;

        if (memcmp(rows->at[at].key.p, thread->b, 32) != 0) {
            break;
        }
        memcpy(&d, rows->at[at].value.p, sizeof(d));
        if (d.copies > 1 && !subject_id_equal(&d.author, &me)) {
            world_fault(w, "shown twice", i, d.seq);
        }
        if (d.seq != 0) {
            (*out)[n++] = (struct line){d.term, d.seq, rows->at[at].key.p + 32,
                                        &rows->at[at]};
        }
    }
    qsort(*out, n, sizeof(**out), by_place);
    return n;
}

size_t
node_messages(struct world *w, size_t i, const struct thread_id *thread)
{
    struct line *lines;
    size_t n = lines_of(w, i, thread, &lines);

    free(lines);
    return n;
}

/* Each author's messages come in the order in which they were written. */
static void
judge_order(struct world *w, size_t i, const struct line *lines, size_t n)
{
    uint64_t last[WORLD_NODES] = {0};

    for (size_t k = 0; k < n; k++) {
        for (size_t s = 0; s < w->said_len; s++) {
            struct said *said = &w->said[s];

            if (memcmp(said->id.b, lines[k].id, 32) != 0) {
                continue;
            }
            if (said->number <= last[said->node]) {
                world_fault(w, "out of order", i, lines[k].seq);
            }
            last[said->node] = said->number;
        }
    }
}

static void
trace_line(struct world *w, size_t node, const struct line *line)
{
    struct desk d;

    memcpy(&d, line->row->value.p, sizeof(d));
    for (size_t s = 0; s < w->said_len; s++) {
        if (memcmp(w->said[s].id.b, line->id, 32) == 0) {
            world_trace(w, d.resent ? "has resent" : "has", node, line->seq,
                        w->said[s].node * 1000 + w->said[s].number);
            return;
        }
    }
    world_trace(w, "has something", node, line->seq, line->term);
}

void
world_judge(struct world *w, const struct thread_id *thread,
            const size_t *members, size_t len)
{
    struct line *first = NULL;
    size_t first_len = 0;

    for (size_t m = 0; m < len; m++) {
        struct line *lines;
        size_t n = lines_of(w, members[m], thread, &lines);

        judge_order(w, members[m], lines, n);
        for (size_t k = 0; k < n; k++) {
            trace_line(w, members[m], &lines[k]);
        }
        if (m == 0) {
            first = lines;
            first_len = n;
            continue;
        }
        if (n != first_len) {
            world_fault(w, "conversations differ in length", members[m], n);
        }
        for (size_t k = 0; k < n && k < first_len; k++) {
            if (memcmp(lines[k].id, first[k].id, 32) != 0 ||
                lines[k].seq != first[k].seq) {
                world_fault(w, "conversations differ", members[m],
                            lines[k].seq);
                break;
            }
        }
        free(lines);
    }
    free(first);
    sim_judge_lines(w, thread, members, len);
    for (size_t s = 0; s < w->said_len; s++) {
        struct said *said = &w->said[s];

        if (!said->durable || !thread_id_equal(&said->thread, thread)) {
            continue;
        }
        for (size_t m = 0; m < len; m++) {
            if (!node_has(w, members[m], thread, &said->id)) {
                world_fault(w, "lost", members[m], said->number);
            }
        }
    }
}
