/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A simulated node: the runner around a core, and its desk.
 */
#include "crypto/ident/profile.h"
#include "crypto/prim/hash.h"
#include "tests/sim/changes.h"
#include "tests/sim/store.h"

#include <stdlib.h>
#include <string.h>

static void
must(enum err e)
{
    if (e != OK) {
        abort();
    }
}

static void *
more(void *p, size_t len, size_t *cap, size_t size)
{
    if (len < *cap) {
        return p;
    }
    *cap = *cap == 0 ? 64 : *cap * 2;
    p = realloc(p, *cap * size);
    if (p == NULL) {
        abort();
    }
    return p;
}

/* ------------------------------------------------------------------ identity
 */

static void
new_key(struct world *w, struct prim_sign_key *out)
{
    uint8_t seed[PRIM_ED25519_SEED];

    for (size_t i = 0; i < sizeof(seed); i++) {
        seed[i] = (uint8_t)seed_rng_next(&w->rng);
    }
    prim_ed25519_from_seed(seed, out);
}

/* What is kept on the disk, and comes back with it. */
struct self_row {
    struct prim_sign_key renewal;
    struct prim_sign_key key;
    uint64_t generation;
    uint32_t renewal_generation;
    size_t chain_len;
};

static void
save_self(struct node *n)
{
    struct self_row row;
    struct bytes value = {0};

    memset(&row, 0, sizeof(row));
    row.renewal = n->renewal;
    row.key = n->key;
    row.generation = n->generation;
    row.renewal_generation = n->renewal_generation;
    row.chain_len = n->chain.len;
    must(bytes_append(mem_heap(), &value, view_make(&row, sizeof(row))));
    must(bytes_append(mem_heap(), &value, view_of(&n->chain)));
    must(bytes_append(mem_heap(), &value, view_of(&n->revocation)));
    rows_put(&n->rows, WORLD_SELF, VIEW_LIT("self"), view_of(&value));
    bytes_free(&value);
}

static void
load_self(struct node *n)
{
    const struct row *r = rows_find(&n->rows, WORLD_SELF, VIEW_LIT("self"));
    struct self_row row;
    struct view rest;

    if (r == NULL || n->kind == FED_KIND_DEVICE) {
        return;
    }
    memcpy(&row, r->value.p, sizeof(row));
    n->renewal = row.renewal;
    n->key = row.key;
    n->generation = row.generation;
    n->renewal_generation = row.renewal_generation;
    rest = view_skip(view_of(&r->value), sizeof(row));
    bytes_free(&n->chain);
    bytes_free(&n->revocation);
    must(bytes_copy(mem_heap(), view_make(rest.p, row.chain_len), &n->chain));
    must(
        bytes_copy(mem_heap(), view_skip(rest, row.chain_len), &n->revocation));
}

/* What a profile says about a picture; the test may have one that is none. */
static void
sim_picture(const struct node *n, struct ident_profile *profile)
{
    if (n->picture.len > 0 &&
        proto_picture_read(n->picture, &profile->picture) != OK) {
        profile->picture =
            (struct proto_picture){PROTO_PICTURE_PNG, n->picture.len, 1, 1};
    }
    prim_sha256(n->picture, profile->picture_hash.b);
}

/* The next certificate, of a generation above n->renew. */
void
sim_certify(struct world *w, struct node *n)
{
    struct ident_cert cert = {.not_before_ms = w->wall_ms - 1000,
                              .not_after_ms = w->wall_ms + IDENT_RENEWAL_MS};
    struct bytes renewal = {0};
    struct bytes node = {0};
    struct ident_profile profile = {.name = VIEW_LIT("A clinic")};

    new_key(w, &n->key);
    memcpy(cert.root.b, n->root.pub, 32);
    memcpy(cert.key, n->renewal.pub, 32);
    cert.generation = ident_generation(n->renewal_generation, 0);
    must(ident_cert_make(mem_heap(), IDENT_RENEWAL, &n->root, &cert, &renewal));
    memcpy(cert.key, n->key.pub, 32);
    n->generation = n->generation > n->renew ? n->generation : n->renew;
    n->generation =
        n->generation < cert.generation ? cert.generation : n->generation;
    n->generation++;
    n->renew = 0;
    cert.generation = n->generation;
    cert.not_after_ms = w->wall_ms + IDENT_NODE_MS;
    must(ident_cert_make(mem_heap(), IDENT_NODE, &n->renewal, &cert, &node));
    bytes_free(&n->chain);
    must(ident_chain_make(mem_heap(), view_of(&renewal), view_of(&node),
                          &n->chain));
    profile.root = cert.root;
    profile.changed_ms = w->wall_ms;
    sim_picture(n, &profile);
    bytes_free(&n->profile);
    must(ident_profile_make(mem_heap(), &n->key, view_of(&n->chain), &profile,
                            &n->profile));
    bytes_free(&renewal);
    bytes_free(&node);
    save_self(n);
}

void
node_rotate(struct world *w, size_t i, bool revoke)
{
    struct node *n = &w->nodes[i];
    struct fed_self self;

    if (revoke) {
        n->renewal_generation++;
        new_key(w, &n->renewal);
        bytes_free(&n->revocation);
        must(ident_revoke_make(mem_heap(), &n->root,
                               ident_generation(n->renewal_generation, 0),
                               &n->revocation));
    }
    sim_certify(w, n);
    self = sim_self(n);
    node_stepped(w, i, fed_core_set_self(n->core, &self));
}

void
node_picture(struct world *w, size_t i, struct view picture)
{
    w->nodes[i].picture = picture;
    if (w->nodes[i].core != NULL) {
        node_rotate(w, i, false);
    } else {
        sim_certify(w, &w->nodes[i]);
    }
}

static uint64_t
wall(void *ctx)
{
    return ((struct node *)ctx)->world->wall_ms;
}

static uint64_t
mono(void *ctx)
{
    const struct node *n = ctx;

    return n->world->mono_ms - n->slept_ms;
}

static uint64_t
field(const struct log_event *ev, const char *name)
{
    for (size_t i = 0; i < ev->fields_len; i++) {
        if (strcmp(ev->fields[i].name, name) == 0) {
            return ev->fields[i].kind == LOG_KIND_TAG
                       ? strtoull(ev->fields[i].u.tag.s, NULL, 16)
                       : (uint64_t)ev->fields[i].u.num;
        }
    }
    return 0;
}

/* The core says in its log which generation it sealed with. */
static void
emit(void *ctx, const struct log_event *ev)
{
    struct node *n = ctx;

    if (strcmp(ev->name, "fed.sealed") != 0) {
        for (size_t i = 0; i < ev->fields_len; i++) {
            if (ev->fields[i].kind == LOG_KIND_ERR) {
                world_trace(n->world, err_name(ev->fields[i].u.err), n->index,
                            field(ev, "rule"), 0);
            }
        }
        world_trace(n->world, ev->name, n->index, field(ev, "seq"), 0);
        return;
    }
    n->sealed =
        more(n->sealed, n->sealed_len, &n->sealed_cap, sizeof(n->sealed[0]));
    n->sealed[n->sealed_len++] = (struct sealed){
        field(ev, "thread"), field(ev, "epoch"), field(ev, "of"),
        field(ev, "generation"), field(ev, "tail")};
}

/* Memory that runs out now and then. */
static void *
hungry_alloc(void *ctx, size_t size)
{
    struct node *n = ctx;

    if (n->fail_in > 0 && --n->fail_in == 0) {
        n->fail_in = 1 + world_below(n->world, 2 * n->world->hunger);
        return NULL;
    }
    return malloc(size);
}

static void
hungry_release(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    (void)size;
    free(ptr);
}

void
sim_node_init(struct world *w, size_t i)
{
    struct node *n = &w->nodes[i];

    n->world = w;
    n->index = i;
    new_key(w, &n->root);
    new_key(w, &n->renewal);
    n->renewal_generation = 1;
    sim_certify(w, n);
    n->clock = (struct clock){wall, mono, n};
    n->log = (struct log){emit, n, LOG_DEBUG};
    n->mem = (struct mem){hungry_alloc, hungry_release, n};
}

struct clinic_id
node_root(const struct world *w, size_t i)
{
    struct clinic_id id;

    memcpy(id.b, w->nodes[i].root.pub, sizeof(id.b));
    return id;
}

struct fed_self
sim_self(const struct node *n)
{
    struct fed_self self = {
        .chain = view_of(&n->chain),
        .node_seed = VIEW_ARRAY(n->key.seed),
        .addrs = view_make(&n->index, 1),
        .profile = view_of(&n->profile),
        .picture = n->picture,
        .revocation = view_of(&n->revocation),
    };

    memcpy(self.root.b, n->root.pub, sizeof(self.root.b));
    if (n->kind == FED_KIND_DEVICE) {
        sim_device_self(n, &self);
    }
    return self;
}

/* --------------------------------------------------------------- the desk */

static void
desk_key(const struct fed_show *s, uint8_t key[64])
{
    memcpy(key, s->thread.b, 32);
    memcpy(key + 32, s->message.b, 32);
}

static void
desk_put(struct node *n, const uint8_t key[64], const struct desk *d,
         struct view content)
{
    struct bytes value = {0};

    must(bytes_append(mem_heap(), &value, view_make(d, sizeof(*d))));
    must(bytes_append(mem_heap(), &value, content));
    rows_put(&n->rows, WORLD_DESK, view_make(key, 64), view_of(&value));
    bytes_free(&value);
}

static void
told(struct world *w, size_t node, const struct message_id *id)
{
    for (size_t i = 0; i < w->said_len; i++) {
        if (w->said[i].node == node && message_id_equal(&w->said[i].id, id)) {
            w->said[i].durable = true;
        }
    }
}

static void
show_message(struct world *w, struct node *n, const struct fed_show *s)
{
    uint8_t key[64];
    const struct row *r;
    struct desk d;

    desk_key(s, key);
    r = rows_find(&n->rows, WORLD_DESK, VIEW_ARRAY(key));
    memset(&d, 0, sizeof(d));
    if (r != NULL) {
        memcpy(&d, r->value.p, sizeof(d));
    }
    d.copies += s->resent ? 0 : 1;
    d.term = s->term;
    d.seq = s->seq;
    d.ts_ms = s->ts_ms;
    d.author = s->author;
    d.resent = s->resent;
    n->resent += s->resent ? 1 : 0;
    d.state = s->seq == 0 ? FED_MESSAGE_QUEUED : FED_MESSAGE_ACCEPTED;
    desk_put(n, key, &d, view_of(&s->body));
    if (s->seq == 0) {
        told(w, n->index, &s->message);
    }
}

static void
show_state(struct node *n, const struct fed_show *s)
{
    uint8_t key[64];
    const struct row *r;
    struct desk d;
    struct bytes content = {0};

    if (s->code != FED_MESSAGE_ACCEPTED && s->code != FED_MESSAGE_FAILED) {
        return;
    }
    desk_key(s, key);
    r = rows_find(&n->rows, WORLD_DESK, VIEW_ARRAY(key));
    if (r == NULL) {
        return; /* not a person's message */
    }
    memcpy(&d, r->value.p, sizeof(d));
    must(bytes_copy(mem_heap(), view_skip(view_of(&r->value), sizeof(d)),
                    &content));
    d.state = s->code;
    if (s->code == FED_MESSAGE_ACCEPTED) {
        d.term = s->term;
        d.seq = s->seq;
        d.ts_ms = s->ts_ms;
    }
    desk_put(n, key, &d, view_of(&content));
    bytes_free(&content);
}

/* Its messages are in the conversation of thread now. */
static void
move_desk(struct node *n, const uint8_t before[32], const struct thread_id *now)
{
    for (;;) {
        size_t at = rows_lower(&n->rows, WORLD_DESK, view_make(before, 32));
        uint8_t key[64];
        uint8_t from[64];
        struct bytes value = {0};

        if (at == n->rows.len || n->rows.at[at].ns != WORLD_DESK ||
            memcmp(n->rows.at[at].key.p, before, 32) != 0) {
            return;
        }
        memcpy(from, n->rows.at[at].key.p, 64);
        memcpy(key, from, 64);
        memcpy(key, now->b, 32);
        must(bytes_copy(mem_heap(), view_of(&n->rows.at[at].value), &value));
        rows_del(&n->rows, WORLD_DESK, VIEW_ARRAY(from));
        if (rows_find(&n->rows, WORLD_DESK, VIEW_ARRAY(key)) == NULL) {
            rows_put(&n->rows, WORLD_DESK, VIEW_ARRAY(key), view_of(&value));
        }
        bytes_free(&value);
    }
}

/* A thread continues another: as its group says, or as was found out here. */
static void
continue_desk(struct node *n, const struct fed_show *s)
{
    struct proto_group group;

    if (!thread_id_is_zero(&s->before)) {
        move_desk(n, s->before.b, &s->thread);
    }
    if (s->body.len > 0 &&
        proto_group_decode(view_of(&s->body), &group) == OK &&
        (group.flags & PROTO_GROUP_CONTINUES) != 0) {
        move_desk(n, group.prev, &s->thread);
    }
}

static void
show_thread(struct node *n, const struct fed_show *s)
{
    continue_desk(n, s);
    rows_put(&n->rows, WORLD_STATE, thread_id_view(&s->thread),
             view_make(&s->code, sizeof(s->code)));
}

static void
show_doubt(struct node *n, const struct fed_show *s)
{
    size_t code = s->code < 11 ? (size_t)s->code : 0;

    if (s->value == 0) {
        n->settled[code]++;
        return;
    }
    n->doubts[code]++;
    n->doubt[code] = *s;
    n->doubt[code].body = (struct bytes){0};
}

static void
show(struct world *w, struct node *n, const struct fed_show *s)
{
    static const char *const names[] = {
        [FED_SHOW_THREAD] = "thread state",
        [FED_SHOW_GAP] = "gap",
        [FED_SHOW_ROLLBACK] = "rollback",
        [FED_SHOW_FORK] = "fork",
        [FED_SHOW_BAD] = "bad",
        [FED_SHOW_MEMBER] = "member",
        [FED_SHOW_CONSENT] = "consent",
        [FED_SHOW_DEVICES] = "devices",
        [FED_SHOW_ENROL] = "enrol",
        [FED_SHOW_HUB] = "hub",
        [FED_SHOW_REPORT] = "report",
        [FED_SHOW_PICTURE] = "picture",
        [FED_SHOW_DOUBT] = "doubt",
    };

    if (s->kind < sizeof(names) / sizeof(names[0]) && names[s->kind] != NULL) {
        world_trace(w, names[s->kind], n->index,
                    s->kind == FED_SHOW_GAP ? s->value : s->code, s->seq);
    }
    switch (s->kind) {
    case FED_SHOW_MESSAGE:
        show_message(w, n, s);
        break;
    case FED_SHOW_STATE:
        show_state(n, s);
        break;
    case FED_SHOW_THREAD:
        show_thread(n, s);
        break;
    case FED_SHOW_ROLLBACK:
        n->rollbacks += s->code == 0 ? 1 : 0;
        n->stopped += s->code == 2 ? 1 : 0;
        n->put_back += s->code == 1 ? 1 : 0;
        break;
    case FED_SHOW_CONTINUED:
        n->continued++;
        if (s->body.len == sizeof(n->continued_from.b)) {
            memcpy(n->continued_from.b, s->body.p, s->body.len);
        }
        break;
    case FED_SHOW_FORK:
        n->forks++;
        n->fork = *s;
        n->fork.body = (struct bytes){0};
        break;
    case FED_SHOW_GAP:
        if (s->code == FED_GAP_LOST) {
            sim_show_line(n, s);
        } else {
            n->gaps++;
        }
        break;
    case FED_SHOW_BAD:
        n->bad++;
        break;
    case FED_SHOW_LINK:
        n->links_shown[s->code]++;
        break;
    case FED_SHOW_LINK_USED:
        n->links_used[s->code]++;
        break;
    case FED_SHOW_OVERDUE:
        n->overdue++;
        break;
    case FED_SHOW_DOUBT:
        show_doubt(n, s);
        break;
    case FED_SHOW_HUB:
        n->hubs[s->code < 4 ? s->code : 0]++;
        sim_show_line(n, s);
        break;
    case FED_SHOW_VOID:
        sim_show_void(n, s);
        break;
    case FED_SHOW_REPORT:
        n->reports[s->known ? 7 : s->value]++;
        break;
    case FED_SHOW_MEMBER:
    case FED_SHOW_PATIENT:
    case FED_SHOW_DEVICES:
    case FED_SHOW_CONSENT:
    case FED_SHOW_ENROL:
    case FED_SHOW_INTRO:
        sim_show_patient(n, s);
        break;
    case FED_SHOW_PICTURE:
        rows_put(&n->rows, WORLD_PICTURE, clinic_id_view(&s->peer),
                 view_of(&s->body));
        break;
    case FED_SHOW_PARTY:
    case FED_SHOW_PROFILE:
    case FED_SHOW_REVOKED:
    case FED_SHOW_ARCHIVE:
    case FED_SHOW_HOME:
    case FED_SHOW_PROVEN:
        break;
    }
}

/* ------------------------------------------------------------------ commits */

static bool
is_ratchet(const struct fed_write *wr)
{
    return wr->ns == FED_NS_SECRET && wr->key.len > 32 && wr->key.p[32] == 3;
}

static void
write_rows(const struct world *w, struct node *n, const struct fed_batch *b)
{
    for (size_t i = 0; i < b->writes_len; i++) {
        const struct fed_write *wr = b->writes[i];

        if (w->tooth == TOOTH_NO_RATCHET && is_ratchet(wr)) {
            continue;
        }
        if (wr->del) {
            rows_del(&n->rows, (uint16_t)wr->ns, view_of(&wr->key));
        } else {
            rows_put(&n->rows, (uint16_t)wr->ns, view_of(&wr->key),
                     view_of(&wr->value));
        }
    }
}

static void
write_batch(struct world *w, struct node *n, const struct fed_batch *b)
{
    write_rows(w, n, b);
    for (size_t i = 0; i < b->shows_len; i++) {
        show(w, n, &b->shows[i]);
        if (w->tooth == TOOTH_SHOW_TWICE) {
            show(w, n, &b->shows[i]);
        }
    }
}

static void
act(struct world *w, struct node *n, const struct fed_batch *b)
{
    for (size_t i = 0; i < b->acts_len; i++) {
        const struct fed_act *a = &b->acts[i];
        size_t peer = 0;

        while (peer < w->nodes_len &&
               memcmp(w->nodes[peer].root.pub, a->peer.b, 32) != 0) {
            peer++;
        }
        switch (a->kind) {
        case FED_ACT_SEND:
            sim_send(w, n->index, a->serial, view_of(&a->body));
            break;
        case FED_ACT_CLOSE:
            sim_close(w, n->index, a->serial);
            break;
        case FED_ACT_WANT:
        case FED_ACT_UNWANT:
            if (peer < w->nodes_len) {
                n->wants[peer] = a->kind == FED_ACT_WANT;
            }
            break;
        case FED_ACT_RENEW:
            n->renew = a->generation > n->renew ? a->generation : n->renew;
            break;
        case FED_ACT_KNOWN:
        case FED_ACT_ROTATE:
            break;
        }
    }
}

static void
drop_pending(struct node *n)
{
    for (size_t i = 0; i < n->pending_len; i++) {
        free(n->pending[i].sealed);
    }
    n->pending_len = 0;
    n->sealed_len = 0;
}

/* The oldest batch is committed. */
static void
commit_one(struct world *w, struct node *n)
{
    struct pending p = n->pending[0];

    memmove(&n->pending[0], &n->pending[1],
            (n->pending_len - 1) * sizeof(n->pending[0]));
    n->pending_len--;
    write_batch(w, n, p.batch);
    sim_sealed(w, n, p.sealed, p.sealed_len);
    free(p.sealed);
    if (w->tooth != TOOTH_ACT_BEFORE_COMMIT) {
        act(w, n, p.batch);
    }
    fed_core_done(n->core, p.batch);
}

void
sim_commit_due(struct world *w, size_t i, bool all)
{
    struct node *n = &w->nodes[i];

    while (n->pending_len > 0 && (all || n->pending[0].due_ms <= w->mono_ms)) {
        commit_one(w, n);
    }
}

/* A step or a batch failed for lack of memory: as the contract says. */
static void
reset(struct world *w, struct node *n)
{
    uint64_t fail_in = n->fail_in;

    n->resets++;
    world_trace(w, "reset", n->index, n->resets, 0);
    n->fail_in = 0;
    sim_hang_up(w, n->index);
    drop_pending(n);
    memset(n->wants, 0, sizeof(n->wants));
    must(fed_core_reset(n->core));
    sim_take(w, n->index);
    n->fail_in = fail_in;
}

/* Close the batch; it will be durable a little later. */
void
sim_take(struct world *w, size_t i)
{
    struct node *n = &w->nodes[i];
    struct pending *p;
    const struct fed_batch *b;

    if (n->pending_len == sizeof(n->pending) / sizeof(n->pending[0])) {
        commit_one(w, n);
    }
    if (fed_core_take(n->core, &b) != OK) {
        reset(w, n);
        return;
    }
    if (b == NULL) {
        return;
    }
    n->timer_ms = b->timer_ms;
    p = &n->pending[n->pending_len++];
    p->batch = b;
    p->due_ms = w->mono_ms + world_below(w, w->commit_ms + 1);
    p->sealed = n->sealed;
    p->sealed_len = n->sealed_len;
    n->sealed = NULL;
    n->sealed_len = n->sealed_cap = 0;
    if (w->tooth == TOOTH_ACT_BEFORE_COMMIT) {
        act(w, n, b);
    }
}

void
node_stepped(struct world *w, size_t i, enum err e)
{
    struct node *n = &w->nodes[i];

    if (e == ERR_NOMEM && w->hunger > 0) {
        reset(w, n);
    } else if (e != OK) {
        world_fault(w, err_name(e), i, 0);
    }
    if (n->core != NULL && world_chance(w, 700)) {
        sim_take(w, i);
    }
}

/* ------------------------------------------------------------ life and death
 */

void
node_start(struct world *w, size_t i)
{
    struct node *n = &w->nodes[i];
    struct fed_core_config config = {
        .mem = &n->mem,
        .rng = &w->rng.rng,
        .clock = &n->clock,
        .log = &n->log,
        .store = sim_store(n),
        .self = sim_self(n),
        .limits = w->limits,
    };

    memset(n->wants, 0, sizeof(n->wants));
    n->timer_ms = 0;
    n->fail_in = 0;
    load_self(n);
    config.self = sim_self(n);
    must(fed_core_new(&config, &n->core));
    sim_take(w, i);
    n->fail_in = w->hunger > 0 ? 1 + world_below(w, 2 * w->hunger) : 0;
}

void
node_crash(struct world *w, size_t i)
{
    struct node *n = &w->nodes[i];

    if (n->core == NULL) {
        return;
    }
    if (w->tooth == TOOTH_TWO_TRANSACTIONS && n->pending_len > 0) {
        write_rows(w, n, n->pending[0].batch);
    }
    drop_pending(n);
    fed_core_free(n->core);
    n->core = NULL;
    for (size_t j = 0; j < w->nodes_len; j++) {
        world_break(w, i, j);
    }
}

void
node_snapshot(struct world *w, size_t i, struct rows *out)
{
    rows_copy(&w->nodes[i].rows, out);
}

void
node_copy_back(struct world *w, size_t i, const struct rows *from)
{
    node_crash(w, i);
    rows_copy(from, &w->nodes[i].rows);
}

void
node_restore(struct world *w, size_t i, const struct rows *from)
{
    struct node *n = &w->nodes[i];

    node_copy_back(w, i, from);
    for (size_t r = n->rows.len; r > 0; r--) {
        uint16_t ns = n->rows.at[r - 1].ns;

        if (ns == FED_NS_SECRET || ns == FED_NS_STAGE || ns == FED_NS_KP ||
            ns == FED_NS_OUT || ns == FED_NS_BODY) {
            struct row *row = &n->rows.at[r - 1];

            bytes_free(&row->key);
            bytes_free(&row->value);
            memmove(row, row + 1, (n->rows.len - r) * sizeof(*row));
            n->rows.len--;
        }
    }
    if (n->kind == FED_KIND_CLINIC) {
        load_self(n);
        n->renew = ident_generation(n->renewal_generation,
                                    (uint32_t)(w->wall_ms / 1000));
        sim_certify(w, n);
    }
    node_start(w, i);
    must(fed_core_restored(n->core));
    sim_take(w, i);
    sim_commit_due(w, i, true);
}

void
sim_node_free(struct node *n)
{
    drop_pending(n);
    fed_core_free(n->core);
    free(n->sealed);
    bytes_free(&n->chain);
    bytes_free(&n->profile);
    bytes_free(&n->revocation);
    rows_free(&n->rows);
}
