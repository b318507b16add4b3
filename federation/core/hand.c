/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handing a thread over: an offer to the next hub, its yes, our last commit,
 * and the statement that proves it to those who miss the commit.
 */
#include "federation/core/move.h"

#include <string.h>

/* Whom to offer it to: who was named, or the first who is there. */
static struct fed_party *
candidate(struct fed_core *core, const struct fed_thread *t,
          const uint8_t named[32])
{
    static const uint8_t none[32];
    struct fed_party *best = NULL;
    size_t first = SIZE_MAX;

    for (size_t i = 0; i < t->members_len; i++) {
        const struct clinic_id *node = &t->members[i].node;
        struct fed_party *p = fed_party_find(core, node);
        size_t order = fed_move_order(&t->group, t->rec.hub, node->b);

        if (p == NULL || !fed_party_live(p) || order >= first) {
            continue;
        }
        if (memcmp(named, none, 32) == 0 || memcmp(named, node->b, 32) == 0) {
            best = p;
            first = order;
        }
    }
    return best;
}

enum err
fed_move_offer(struct fed_core *core, struct fed_thread *t, uint64_t number,
               struct fed_rec_intent *rec)
{
    enum err e = OK;
    struct proto_peer_msg msg = {.type = PROTO_PEER_HUB_OFFER};
    struct proto_hub_offer *offer = &msg.u.hub_offer;
    struct fed_party *p = candidate(core, t, rec->id);

    (void)number;
    if (p == NULL || t->rec.state != FED_THREAD_ACTIVE ||
        (t->offer_ms != 0 && fed_mono(core) < t->offer_ms)) {
        goto out;
    }
    TRY(rng_fill(core->config.rng, offer->req, sizeof(offer->req)));
    memcpy(t->offer_req, offer->req, sizeof(t->offer_req));
    t->offer_ms = fed_mono(core) + LIMIT_MOVE_WAIT_MS;
    t->offer_to = p->root;
    fed_tx_timer(core, t->offer_ms);
    memcpy(offer->thread, t->id.b, sizeof(offer->thread));
    offer->term = t->rec.term;
    offer->seq = t->rec.seq;
    memcpy(offer->head, t->rec.head, sizeof(offer->head));
    TRY(fed_stream_put(core, p, &msg));
out:
    return e;
}

enum err
fed_move_offered(struct fed_core *core, struct fed_party *p,
                 const struct proto_hub_offer *in)
{
    enum err e;
    struct fed_thread *t = NULL;
    struct thread_id id;
    struct proto_peer_msg msg = {.type = PROTO_PEER_HUB_ACCEPT};
    struct proto_hub_accept *a = &msg.u.hub_accept;

    memcpy(a->req, in->req, sizeof(a->req));
    memcpy(a->thread, in->thread, sizeof(a->thread));
    memcpy(id.b, in->thread, sizeof(id.b));
    a->code = PROTO_ANSWER_DENIED;
    e = fed_thread_get(core, &id, &t);
    TRY(e == ERR_MISSING ? OK : e);
    if (t != NULL && memcmp(t->rec.hub, p->root.b, 32) == 0) {
        a->code = t->rec.state == FED_THREAD_ACTIVE && t->mls != NULL
                      ? PROTO_ANSWER_ACCEPTED
                      : PROTO_ANSWER_WAIT;
    }
    TRY(fed_stream_put(core, p, &msg));
out:
    return e;
}

/* The commit is in the log: what proves it to those who missed it. */
static enum err
prove_handed(struct fed_core *core, struct fed_thread *t, uint64_t began)
{
    enum err e = OK;
    struct proto_hub_said said = {.term = t->rec.term};
    struct proto_hub_signed one;
    struct proto_peer_msg msg = {.type = PROTO_PEER_HUB_MOVE};
    struct proto_hub_move *move = &msg.u.hub_move;
    struct bytes statement = {0};

    memcpy(said.thread, t->id.b, 32);
    memcpy(said.hub, core->config.self.root.b, 32);
    memcpy(said.to, t->rec.hub, 32);
    said.seq = t->rec.seq;
    memcpy(said.head, t->rec.head, 32);
    said.began = began;
    said.epoch = mls_group_epoch(t->mls);
    memcpy(said.authenticator, mls_group_authenticator(t->mls).p, 32);
    said.ts_ms = fed_now(core);
    TRY(fed_said_make(core, PROTO_HUB_HANDED, &said, &statement));
    one.statement = view_of(&statement);
    memcpy(move->thread, said.thread, 32);
    move->term = said.term;
    move->began = began;
    memcpy(move->hub, said.hub, 32);
    memcpy(move->to, said.to, 32);
    move->planned = true;
    move->seq = said.seq;
    memcpy(move->head, said.head, 32);
    move->ts_ms = t->rec.ts_ms;
    move->statements = (struct proto_list){.items = &one, .len = 1};
    TRY(fed_proof_put(core, move));
    for (size_t i = 0; i < t->members_len; i++) {
        struct fed_party *p = fed_party_find(core, &t->members[i].node);

        TRY(p != NULL ? fed_stream_put(core, p, &msg) : OK);
    }
out:
    bytes_free(&statement);
    return e;
}

/* The intent to hand over, if there is one.  ERR_MISSING */
static enum err
find_move(struct fed_core *core, struct fed_thread *t, uint64_t *number,
          bool *leave)
{
    enum err e;

    for (*number = 0;; (*number)++) {
        struct fed_rec_intent rec;
        struct bytes hold = {0};
        bool found;

        e = fed_intent_next(core, &t->id, number, &rec, &hold);
        found = e == OK && rec.kind == FED_INTENT_MOVE;
        *leave = found && rec.data.len > 0;
        bytes_free(&hold);
        if (e != OK || found) {
            return e;
        }
    }
}

enum err
fed_move_accepted(struct fed_core *core, struct fed_party *p,
                  const struct proto_hub_accept *in)
{
    enum err e;
    struct fed_thread *t;
    struct thread_id id;
    struct fed_rec_intent rec = {.kind = FED_INTENT_MOVE};
    struct proto_content left = {.kind = PROTO_CONTENT_LEAVE};
    uint64_t number;
    uint64_t began;
    bool leave;

    memcpy(id.b, in->thread, sizeof(id.b));
    e = fed_thread_get(core, &id, &t);
    if (e != OK || !fed_thread_hub_here(core, t) ||
        t->rec.state != FED_THREAD_ACTIVE || !fed_hub_ready(core, t) ||
        !clinic_id_equal(&t->offer_to, &p->root) ||
        memcmp(t->offer_req, in->req, sizeof(in->req)) != 0) {
        return e == ERR_MISSING ? OK : e;
    }
    memset(t->offer_req, 0, sizeof(t->offer_req));
    e = find_move(core, t, &number, &leave);
    if (e != OK || in->code != PROTO_ANSWER_ACCEPTED) {
        return e == ERR_MISSING ? OK : e; /* offered again, or to another */
    }
    memcpy(rec.id, p->root.b, sizeof(rec.id));
    TRY(fed_intent_done(core, t, number));
    began = t->group.term;
    TRY(fed_hub_commit(core, t, &rec));
    if (fed_thread_hub_here(core, t)) {
        goto out; /* not possible any more: it is out */
    }
    TRY(prove_handed(core, t, began));
    if (leave) {
        TRY(fed_intent_say(core, t, &left, false, NULL));
    }
    TRY(fed_intent_pump(core, t));
out:
    return e;
}

/* ------------------------------------------------------------------- people */

enum err
fed_core_hand_over(struct fed_core *core, const struct thread_id *thread,
                   const struct clinic_id *to, bool leave)
{
    enum err e;
    struct fed_thread *t;
    struct fed_rec_intent rec = {.kind = FED_INTENT_MOVE};
    uint64_t number;
    bool was;

    TRY(fed_thread_get(core, thread, &t));
    TRY(t->rec.state == FED_THREAD_ENDED || t->rec.state == FED_THREAD_REMOVED
            ? ERR_STATE
            : OK);
    TRY(fed_thread_hub_here(core, t) ? OK : ERR_DENIED);
    TRY(fed_move_others(&t->group, t->rec.hub) > 0 ? OK : ERR_INVALID);
    if (to != NULL) {
        TRY(fed_move_order(&t->group, t->rec.hub, to->b) != SIZE_MAX
                ? OK
                : ERR_MISSING);
        memcpy(rec.id, to->b, sizeof(rec.id));
    }
    if (leave) {
        rec.data = VIEW_LIT("leave");
    }
    e = find_move(core, t, &number, &was);
    if (e == OK) {
        e = fed_intent_done(core, t, number); /* the newest wish counts */
    }
    TRY(e == ERR_MISSING ? OK : e);
    t->offer_ms = 0;
    TRY(fed_intent_add(core, t, &rec));
    TRY(fed_intent_pump(core, t));
out:
    return e;
}
