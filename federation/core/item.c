/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Items of a stream, each applied once; and key packages, which are claimed
 * that way.
 */
#include "federation/core/bound.h"

#include <string.h>

/* ------------------------------------------------------------------- claims */

/* Ask who will be added for a key package. */
enum err
fed_claim_send(struct fed_core *core, struct fed_thread *t, uint64_t number,
               struct fed_rec_intent *rec)
{
    enum err e;
    struct clinic_id who;
    struct fed_party *p;
    struct fed_party *hub;
    struct clinic_id hub_root;
    struct proto_peer_msg msg = {.type = PROTO_PEER_KP_CLAIM};
    struct proto_kp_claim *claim = &msg.u.kp_claim;

    memcpy(who.b, rec->id, sizeof(who.b));
    memcpy(hub_root.b, t->rec.hub, sizeof(hub_root.b));
    p = fed_party_find(core, &who);
    if (p == NULL || !fed_party_open(p)) {
        return OK; /* not connected yet, or no longer */
    }
    hub = fed_party_find(core, &hub_root);
    TRY(rng_fill(core->config.rng, rec->req, sizeof(rec->req)));
    memcpy(claim->req, rec->req, sizeof(claim->req));
    memcpy(claim->thread, t->id.b, sizeof(claim->thread));
    memcpy(claim->hub, t->rec.hub, sizeof(claim->hub));
    claim->hub_addrs =
        hub != NULL ? view_of(&hub->addrs) : view_of(&core->addrs);
    claim->suite = core->config.suite;
    rec->submitted = true;
    TRY(fed_intent_put(core, t, number, rec));
    TRY(fed_stream_put(core, p, &msg));
out:
    return e;
}

/*
 * A hub that we do not know will send us things of this thread.  Whom people
 * here refuse, or have still to decide about, does not come in that way.
 * ERR_DENIED
 */
static enum err
expect_hub(struct fed_core *core, struct fed_party *by,
           const struct proto_kp_claim *in)
{
    enum err e;
    struct clinic_id root;
    struct fed_party *hub;

    memcpy(root.b, in->hub, sizeof(root.b));
    if (clinic_id_equal(&root, &core->config.self.root)) {
        return OK;
    }
    hub = fed_party_find(core, &root);
    if (hub != NULL &&
        (hub->rec.blocked || hub->rec.ours == PROTO_STANCE_REVIEW ||
         hub->rec.ours == PROTO_STANCE_REFUSED)) {
        return ERR_DENIED;
    }
    if (hub == NULL || !hub->stored) {
        TRY(by->hubs < LIMIT_HUBS_PER_PARTY ? OK : ERR_DENIED);
        by->hubs++;
    }
    TRY(fed_party_get(core, &root, &hub));
    if (hub->rec.ours == PROTO_STANCE_GRANTED ||
        hub->rec.ours == PROTO_STANCE_ASKED ||
        hub->rec.ours == PROTO_STANCE_THREAD) {
        goto out;
    }
    if (hub->addrs.len == 0) {
        TRY(bytes_copy(core->mem, in->hub_addrs, &hub->addrs));
    }
    TRY(fed_party_stance(core, hub, PROTO_STANCE_THREAD));
out:
    return e;
}

enum err
fed_claim_asked(struct fed_core *core, struct fed_party *p,
                const struct proto_kp_claim *in)
{
    enum err e = OK;
    struct bytes kp = {0};
    struct proto_peer_msg msg = {.type = PROTO_PEER_KP_ANSWER};
    struct proto_kp_answer *a = &msg.u.kp_answer;

    memcpy(a->req, in->req, sizeof(a->req));
    memcpy(a->thread, in->thread, sizeof(a->thread));
    a->addrs = view_of(&core->addrs);
    if (p->rec.ours != PROTO_STANCE_GRANTED || fed_bound_full(core, p)) {
        a->code = PROTO_ANSWER_DENIED;
    } else if (in->suite != core->config.suite) {
        a->code = PROTO_ANSWER_INVALID;
    } else {
        enum err may = expect_hub(core, p, in);

        TRY(may == ERR_DENIED ? OK : may);
        a->code = PROTO_ANSWER_DENIED;
        if (may == OK) {
            TRY(fed_kp_make(core, &p->root, &kp));
            a->code = PROTO_ANSWER_ACCEPTED;
            a->kp = view_of(&kp);
        }
    }
    TRY(fed_stream_put(core, p, &msg));
out:
    bytes_free(&kp);
    return e;
}

enum err
fed_claim_answered(struct fed_core *core, struct fed_party *p,
                   const struct proto_kp_answer *in)
{
    enum err e;
    struct fed_thread *t;
    struct thread_id id;
    uint64_t number = 0;

    memcpy(id.b, in->thread, sizeof(id.b));
    e = fed_thread_get(core, &id, &t);
    if (e != OK) {
        return e == ERR_MISSING ? OK : e;
    }
    for (;; number++) {
        struct fed_rec_intent rec;
        struct bytes hold = {0};
        bool found;

        e = fed_intent_next(core, &id, &number, &rec, &hold);
        found = e == OK && rec.kind == FED_INTENT_ADD && rec.data.len == 0 &&
                memcmp(rec.req, in->req, sizeof(in->req)) == 0 &&
                memcmp(rec.id, p->root.b, 32) == 0;
        if (found && in->code == PROTO_ANSWER_ACCEPTED) {
            rec.data = in->kp;
            rec.addrs = in->addrs;
            rec.submitted = false;
            e = fed_intent_put(core, t, number, &rec);
        } else if (found) {
            e = fed_intent_fail(core, t, number, &rec, PROTO_ANSWER_DENIED);
        }
        bytes_free(&hold);
        if (e != OK || found) {
            break;
        }
    }
    TRY(e == ERR_MISSING ? OK : e);
    if (number < t->next_intent) {
        t->next_intent = number;
    }
    t->idle = false;
    TRY(fed_intent_pump(core, t));
out:
    return e;
}

/* -------------------------------------------------------------------- items */

/* What is said to whoever orders a thread, or to any member. */
static enum err
asked(struct fed_core *core, struct fed_party *p,
      const struct proto_peer_msg *msg)
{
    if (msg->type == PROTO_PEER_APP_SUBMIT) {
        return fed_hub_app(core, p, &msg->u.app_submit);
    }
    if (msg->type == PROTO_PEER_HS_SUBMIT) {
        return fed_hub_hs(core, p, &msg->u.hs_submit);
    }
    if (msg->type == PROTO_PEER_LOG_PULL) {
        return fed_hub_pull(core, p, &msg->u.log_pull);
    }
    if (msg->type == PROTO_PEER_KP_CLAIM) {
        return fed_claim_asked(core, p, &msg->u.kp_claim);
    }
    if (msg->type == PROTO_PEER_GI_GET) {
        return fed_resync_get(core, p, &msg->u.gi_get);
    }
    if (msg->type == PROTO_PEER_FORK_ALERT) {
        return fed_resync_fork(core, p, &msg->u.fork_alert);
    }
    if (msg->type == PROTO_PEER_THREAD_END) {
        return fed_follow_end(core, p, &msg->u.thread_end);
    }
    return ERR_DENIED; /* not something that a stream carries */
}

enum err
fed_item(struct fed_core *core, struct fed_party *p, struct view body)
{
    struct proto_peer_msg msg;
    enum err e = proto_peer_decode(body, &msg);

    if (e != OK) {
        return e;
    }
    if (msg.type == PROTO_PEER_FAN) {
        return fed_follow_fan(core, p, &msg.u.fan);
    }
    if (msg.type == PROTO_PEER_ANSWER) {
        return fed_follow_answer(core, p, &msg.u.answer);
    }
    if (msg.type == PROTO_PEER_WELCOME) {
        return fed_follow_welcome(core, p, &msg.u.welcome);
    }
    if (msg.type == PROTO_PEER_LOG_PART) {
        e = fed_follow_part(core, p, &msg.u.log_part);
        return e == ERR_MISSING ? OK : e;
    }
    if (msg.type == PROTO_PEER_KP_ANSWER) {
        return fed_claim_answered(core, p, &msg.u.kp_answer);
    }
    if (msg.type == PROTO_PEER_GI) {
        return fed_resync_gi(core, p, &msg.u.gi);
    }
    return asked(core, p, &msg);
}
