/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hub that does not come back (decisions D 16).  Who has something to say
 * and has not seen it for LIMIT_CHECK_MS says so, signed, to the other member
 * clinics; who has not seen it either answers alike, who sees it says that.
 * When all who are there have answered, and they are at least half of the
 * other clinics, the one with most of the log, then the first in the order of
 * successors, begins the next term with their statements.
 *
 * Who rejoins has no state to go on with: its statement says so and counts, but
 * others take over (orphan.c).
 *
 * Statements are records, each sent once in a stream: a crash in between loses
 * nothing.  Whether all have answered is judged anew after a start.
 */
#include "federation/core/move.h"

#include <string.h>

void
fed_gone_met(struct fed_core *core, struct fed_party *p)
{
    uint64_t now = fed_now(core);

    if (p->stored &&
        (now < p->rec.seen_ms || now - p->rec.seen_ms >= LIMIT_HOUR_MS)) {
        p->rec.seen_ms = now;
        p->dirty = true;
    }
}

/* Since when we have not seen the hub; 0: we do, or not for long enough. */
static uint64_t
unseen_since(struct fed_core *core, const struct fed_thread *t)
{
    struct clinic_id hub;
    struct fed_party *p;
    uint64_t now = fed_now(core);

    memcpy(hub.b, t->rec.hub, sizeof(hub.b));
    p = fed_party_find(core, &hub);
    if (p == NULL || !p->stored || p->greeted) {
        return 0;
    }
    if (p->rec.seen_ms == 0 || p->rec.seen_ms > now) {
        p->rec.seen_ms = now; /* never yet: from now on */
        p->dirty = true;
    }
    return now - p->rec.seen_ms >= LIMIT_CHECK_MS ? p->rec.seen_ms : 0;
}

/* Have we been up for so long that we would have met it? */
static bool
may_know(const struct fed_core *core)
{
    return fed_mono(core) - core->start_ms >= LIMIT_MOVE_SETTLE_MS;
}

/* Since when the hub is gone for us; 0: it is not, or we cannot know. */
static uint64_t
gone_since(struct fed_core *core, const struct fed_thread *t)
{
    uint64_t since = unseen_since(core, t);

    return may_know(core) ? since : 0;
}

static void
add_gone(struct fed_core *core, const struct fed_thread *t,
         struct fed_hub_gone *out, size_t max, size_t *len)
{
    struct clinic_id hub;
    const struct fed_party *p;
    uint64_t now = fed_now(core);
    size_t i = 0;

    memcpy(hub.b, t->rec.hub, sizeof(hub.b));
    p = fed_party_find(core, &hub);
    if ((t->rec.state != FED_THREAD_ACTIVE &&
         t->rec.state != FED_THREAD_RESYNC) ||
        p == NULL || p->greeted || p->rec.seen_ms == 0 ||
        now < p->rec.seen_ms || now - p->rec.seen_ms < LIMIT_CHECK_MS) {
        return;
    }
    while (i < *len && !clinic_id_equal(&out[i].hub, &hub)) {
        i++;
    }
    if (i == max) {
        return;
    }
    if (i == *len) {
        out[(*len)++] = (struct fed_hub_gone){hub, p->rec.seen_ms, 0};
    }
    out[i].threads++;
    return;
}

enum err
fed_core_hubs_gone(struct fed_core *core, struct fed_hub_gone *out, size_t max,
                   size_t *len)
{
    enum err e = OK;

    *len = 0;
    for (size_t i = 0; i < core->busy_len && i < LIMIT_GONE_LOOK; i++) {
        struct thread_id id = core->busy[i].id;
        struct fed_thread *t = NULL;

        e = fed_thread_get(core, &id, &t);
        TRY(e == ERR_MISSING ? OK : e);
        if (t != NULL) {
            add_gone(core, t, out, max, len);
        }
        fed_thread_trim(core);
    }
    e = OK;
out:
    return e;
}

/* With the state, or rejoining, without it. */
static bool
may_speak(struct fed_core *core, const struct fed_thread *t)
{
    return (t->rec.state == FED_THREAD_RESYNC ||
            (t->rec.state == FED_THREAD_ACTIVE && t->mls != NULL)) &&
           !fed_thread_hub_here(core, t) &&
           fed_move_order(&t->group, t->rec.hub, core->config.self.root.b) !=
               SIZE_MAX;
}

static struct fed_key
said_key(const struct fed_thread *t, const uint8_t by[32])
{
    return fed_key_pair(thread_id_view(&t->id), view_make(by, 32));
}

/* The statement of a clinic that is stored, if it still counts. */
static enum err
stored(struct fed_core *core, const struct fed_thread *t, const uint8_t by[32],
       struct proto_hub_said *out, struct bytes *hold, bool *counts)
{
    enum err e;
    struct fed_key key = said_key(t, by);
    struct clinic_id who;
    uint64_t began;
    uint64_t now = fed_now(core);

    *counts = false;
    TRY(fed_move_began(core, t, &began));
    e = fed_tx_get(core, FED_NS_GONE, &key, hold);
    if (e == OK) {
        e = fed_said_open(core, PROTO_HUB_GONE, view_of(hold), &who, out);
        *counts = e == OK && out->began == began &&
                  memcmp(out->hub, t->rec.hub, 32) == 0 &&
                  (out->term <= t->rec.term || /* [move-jump] */
                   out->term - t->rec.term < LIMIT_MOVE_JUMP) &&
                  (out->ts_ms > now || now - out->ts_ms < LIMIT_MOVE_AGAIN_MS);
        e = e != OK && !fed_ours(e) ? OK : e;
    }
out:
    return e == ERR_MISSING ? OK : e;
}

/* Say it to all other clinics: where we stand, since when it is gone. */
static enum err
say_gone(struct fed_core *core, struct fed_thread *t, uint64_t since)
{
    enum err e;
    struct proto_hub_said said = {.term = t->rec.term, .since_ms = since};
    struct proto_peer_msg msg = {.type = PROTO_PEER_HUB_GONE};
    struct bytes statement = {0};
    struct fed_key key = said_key(t, core->config.self.root.b);

    memcpy(said.thread, t->id.b, 32);
    memcpy(said.hub, t->rec.hub, 32);
    TRY(fed_move_began(core, t, &said.began));
    said.seq = t->rec.seq;
    memcpy(said.head, t->rec.head, 32);
    if (t->mls != NULL) {
        said.epoch = mls_group_epoch(t->mls);
        memcpy(said.authenticator, mls_group_authenticator(t->mls).p, 32);
    }
    said.ts_ms = fed_now(core);
    TRY(fed_said_make(core, PROTO_HUB_GONE, &said, &statement));
    TRY(fed_tx_put(core, FED_NS_GONE, &key, view_of(&statement)));
    memcpy(msg.u.hub_gone.thread, t->id.b, 32);
    msg.u.hub_gone.statement = view_of(&statement);
    for (size_t i = 0; i < t->members_len; i++) {
        struct fed_party *p = fed_party_find(core, &t->members[i].node);

        if (p != NULL && fed_party_open(p) &&
            fed_move_order(&t->group, t->rec.hub, p->root.b) != SIZE_MAX) {
            TRY(fed_stream_put(core, p, &msg));
        }
    }
    t->gone_ms = fed_mono(core) + LIMIT_MOVE_WAIT_MS;
    fed_tx_timer(core, t->gone_ms);
out:
    bytes_free(&statement);
    return e;
}

/* -------------------------------------------------------------- taking over */

/* What was gathered, in the order of roots as subjects are. */
struct gathered {
    struct bytes *holds;
    struct proto_hub_signed *list;
    uint32_t len;
    bool all; /* every clinic that is there has answered */
    bool any; /* one of them has the state */
    uint64_t term;
    uint64_t seq;
    size_t order;
    struct clinic_id best;
    uint64_t last; /* the latest term that one of them knows of */
};

static enum err
gather_one(struct fed_core *core, struct fed_thread *t, const uint8_t root[32],
           struct gathered *g)
{
    enum err e;
    struct proto_hub_said said;
    struct clinic_id who;
    const struct fed_party *p;
    size_t order = fed_move_order(&t->group, t->rec.hub, root);
    bool me = memcmp(root, core->config.self.root.b, 32) == 0;
    bool counts;

    memcpy(who.b, root, sizeof(who.b));
    p = fed_party_find(core, &who);
    TRY(stored(core, t, root, &said, &g->holds[g->len], &counts));
    if (!counts) {
        bytes_free(&g->holds[g->len]);
        g->all = g->all && (p == NULL || !fed_party_live(p));
        goto out;
    }
    /* Who was there and is gone again does not keep the others waiting. */
    if (!me && (p == NULL || !fed_party_live(p)) &&
        fed_mono(core) >= t->gone_ms) {
        bytes_free(&g->holds[g->len]);
        goto out;
    }
    g->list[g->len].statement = view_of(&g->holds[g->len]);
    g->last = said.term > g->last ? said.term : g->last;
    if (!fed_said_bare(&said) &&
        (!g->any ||
         fed_said_further(&said, order, g->term, g->seq, g->order))) {
        g->any = true;
        g->term = said.term;
        g->seq = said.seq;
        g->order = order;
        g->best = who;
    }
    g->len++;
out:
    return e;
}

/* Our commit, and the proof that goes with it. */
static enum err
take_over(struct fed_core *core, struct fed_thread *t, const struct gathered *g)
{
    enum err e;
    struct fed_rec_intent rec = {.kind = FED_INTENT_MOVE};
    struct proto_peer_msg msg = {.type = PROTO_PEER_HUB_MOVE};
    struct proto_hub_move *move = &msg.u.hub_move;
    struct bytes commit = {0};

    memcpy(move->thread, t->id.b, 32);
    move->term = g->last + 1;
    TRY(fed_move_began(core, t, &move->began));
    memcpy(move->hub, t->rec.hub, 32);
    memcpy(move->to, core->config.self.root.b, 32);
    move->seq = t->rec.seq;
    memcpy(move->head, t->rec.head, 32);
    move->ts_ms = fed_now(core) > t->rec.ts_ms ? fed_now(core) : t->rec.ts_ms;
    move->statements = (struct proto_list){.items = g->list, .len = g->len};
    memcpy(rec.id, move->to, sizeof(rec.id));
    TRY(fed_intent_again(core, t));
    TRY(fed_stage_drop(core, t));
    t->moving = move;
    e = fed_hub_take(core, t, &rec, move->ts_ms, &commit);
    t->moving = NULL;
    TRY(e);
    if (!fed_thread_hub_here(core, t)) {
        goto out; /* it was not possible */
    }
    move->commit = view_of(&commit);
    TRY(fed_proof_put(core, move));
    TRY(fed_tx_drop(core, FED_NS_GONE, thread_id_view(&t->id)));
    for (size_t i = 0; i < t->members_len; i++) {
        struct fed_party *p;

        TRY(fed_party_get(core, &t->members[i].node, &p));
        TRY(fed_stream_put(core, p, &msg));
    }
    TRY(fed_intent_pump(core, t));
out:
    bytes_free(&commit);
    return e;
}

/* Nobody else can order it: people are told once. */
static enum err
nobody(struct fed_core *core, struct fed_thread *t)
{
    struct fed_show *show;

    if (t->told_gone) {
        return OK;
    }
    show = fed_tx_show(core, FED_SHOW_HUB);
    if (show == NULL) {
        return ERR_NOMEM;
    }
    show->thread = t->id;
    show->code = FED_HUB_GONE;
    memcpy(show->peer.b, t->rec.hub, sizeof(show->peer.b));
    t->told_gone = true;
    return OK;
}

/* Everything that was gathered agrees that it is our turn. */
static bool
our_turn(const struct fed_core *core, const struct fed_thread *t,
         const struct gathered *g, size_t others)
{
    uint64_t now = fed_mono(core);

    return g->any && g->len >= (others + 1) / 2 &&
           (g->all || now >= t->gone_ms) &&
           (t->sees_ms == 0 || now >= t->sees_ms) && t->mls != NULL &&
           clinic_id_equal(&g->best, &core->config.self.root) &&
           g->term == t->rec.term && g->seq == t->rec.seq;
}

static enum err
decide(struct fed_core *core, struct fed_thread *t)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_subject s;
    size_t others = fed_move_others(&t->group, t->rec.hub);
    struct gathered g = {.all = true};
    size_t cap = others + 1;

    g.holds = mem_calloc(core->mem, cap, sizeof(g.holds[0]));
    g.list = mem_calloc(core->mem, cap, sizeof(g.list[0]));
    TRY(g.holds == NULL || g.list == NULL ? ERR_NOMEM : OK);
    while (proto_list_next(&t->group.subjects, &proto_subject_shape, &at, &s)) {
        if (s.kind == PROTO_SUBJECT_CLINIC &&
            memcmp(s.root, t->rec.hub, 32) != 0) {
            TRY(gather_one(core, t, s.root, &g));
        }
    }
    if (!g.any && g.len == others) {
        TRY(nobody(core, t)); /* all of us rejoin */
    } else if (our_turn(core, t, &g, others)) {
        TRY(take_over(core, t, &g));
    }
out:
    for (size_t i = 0; g.holds != NULL && i < cap; i++) {
        bytes_free(&g.holds[i]);
    }
    mem_free(core->mem, g.holds, cap * sizeof(g.holds[0]));
    mem_free(core->mem, g.list, cap * sizeof(g.list[0]));
    return e;
}

void
fed_gone_over(struct fed_core *core, struct fed_thread *t)
{
    if (t->gone_ms != 0 && t->waiting == 0 && t->moved_ms == 0) {
        fed_busy_del(core, &t->id);
    }
    t->gone_ms = 0;
}

enum err
fed_gone_step(struct fed_core *core, struct fed_thread *t)
{
    enum err e = OK;
    uint64_t since;
    struct proto_hub_said said;
    struct bytes hold = {0};
    bool counts;

    if ((t->rec.state != FED_THREAD_ACTIVE &&
         t->rec.state != FED_THREAD_RESYNC) ||
        fed_thread_hub_here(core, t)) {
        return OK;
    }
    since = gone_since(core, t);
    if (since == 0) {
        fed_gone_over(core, t);
        return OK;
    }
    if (fed_move_others(&t->group, t->rec.hub) == 0) {
        return nobody(core, t);
    }
    if (!may_speak(core, t)) {
        return OK;
    }
    TRY(stored(core, t, core->config.self.root.b, &said, &hold, &counts));
    if (!counts || said.seq != t->rec.seq || said.term != t->rec.term ||
        fed_said_bare(&said) != (t->mls == NULL)) {
        TRY(say_gone(core, t, since));
    } else if (t->gone_ms == 0) {
        t->gone_ms = fed_mono(core) + LIMIT_MOVE_WAIT_MS;
        fed_tx_timer(core, t->gone_ms);
    }
    TRY(decide(core, t));
out:
    bytes_free(&hold);
    return e;
}

/* ---------------------------------------------------------------- receiving */

/* Who said that it sees the hub says now that it does not. */
static void
unsee(struct fed_thread *t, const struct clinic_id *by)
{
    if (clinic_id_equal(&t->sees_by, by)) {
        t->sees_ms = 0;
    }
}

enum err
fed_gone_recv(struct fed_core *core, struct fed_party *p,
              const struct proto_hub_gone *in)
{
    enum err e;
    struct fed_thread *t;
    struct thread_id id;
    struct proto_hub_said said;
    struct clinic_id by;
    struct fed_key key;
    struct proto_peer_msg msg = {.type = PROTO_PEER_HUB_SEEN};
    uint64_t began;

    memcpy(id.b, in->thread, sizeof(id.b));
    e = fed_thread_get(core, &id, &t);
    if (e != OK || t->group_ext.len == 0) {
        return e == ERR_MISSING ? OK : e;
    }
    TRY(fed_said_open(core, PROTO_HUB_GONE, in->statement, &by, &said));
    TRY(clinic_id_equal(&by, &p->root) && memcmp(said.thread, id.b, 32) == 0 &&
                fed_thread_member(t, &p->subject) != NULL
            ? OK
            : ERR_DENIED);
    TRY(fed_move_began(core, t, &began));
    if (said.began < began) {
        TRY(fed_move_tell(core, t, p, said.term)); /* it moved already */
        goto out;
    }
    if (said.began != began || memcmp(said.hub, t->rec.hub, 32) != 0) {
        goto out; /* we are behind: a proof will come */
    }
    if (!may_speak(core, t)) {
        goto out;
    }
    if (gone_since(core, t) == 0) {
        memcpy(msg.u.hub_seen.thread, id.b, 32);
        msg.u.hub_seen.term = t->rec.term;
        TRY(fed_stream_put(core, p, &msg));
        if (unseen_since(core, t) == 0) {
            goto out;
        }
        /* Too young to know: answered again when we are not. */
        TRY(fed_busy_add(core, &id));
        fed_tx_timer(core, core->start_ms + LIMIT_MOVE_SETTLE_MS);
    }
    unsee(t, &by);
    key = said_key(t, by.b);
    TRY(fed_tx_put(core, FED_NS_GONE, &key, in->statement));
    TRY(fed_gone_wanted(core, t));
out:
    return e;
}

enum err
fed_gone_seen(struct fed_core *core, struct fed_party *p,
              const struct proto_hub_seen *in)
{
    enum err e;
    struct fed_thread *t;
    struct thread_id id;
    uint64_t began;

    memcpy(id.b, in->thread, sizeof(id.b));
    e = fed_thread_get(core, &id, &t);
    if (e != OK || fed_thread_member(t, &p->subject) == NULL) {
        return e == ERR_MISSING ? OK : e;
    }
    if (in->moved != 0) {
        TRY(fed_undone_heard(core, t, p, in));
        goto out;
    }
    TRY(fed_move_began(core, t, &began));
    if (in->term >= began) { /* it may know of a newer term of this hub */
        if (t->sees_ms > fed_mono(core) &&
            !clinic_id_equal(&t->sees_by, &p->root)) {
            memset(&t->sees_by, 0, sizeof(t->sees_by)); /* several do */
        } else {
            t->sees_by = p->root;
        }
        t->sees_ms = fed_mono(core) + LIMIT_HOUR_MS;
    }
out:
    return e;
}

/* Also if we have nothing to say in it: it is looked at until the hub is back
   or another one is found. */
enum err
fed_gone_wanted(struct fed_core *core, struct fed_thread *t)
{
    enum err e;

    TRY(fed_gone_step(core, t));
    TRY(t->gone_ms != 0 && !fed_thread_hub_here(core, t)
            ? fed_busy_add(core, &t->id)
            : OK);
out:
    return e;
}
