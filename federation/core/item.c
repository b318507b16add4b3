/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Items of a stream, each applied once; and key packages, which are claimed
 * that way.
 */
#include "federation/core/bound.h"
#include "federation/core/care.h"
#include "federation/core/frank.h"
#include "federation/core/move.h"
#include "federation/core/picture.h"
#include "federation/core/successor.h"
#include "federation/core/trust.h"
#include "federation/core/watch.h"

#include "proto/msg/device.h"

#include <string.h>

/* ------------------------------------------------------------------- claims */

/* Ask who will be added for a key package. */
static enum err
claim_send(struct fed_core *core, struct fed_thread *t, uint64_t number,
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
    if (p->kind == FED_KIND_PATIENT && p->via == NULL) {
        return OK; /* its devices' pool is here: fed_pool_filled */
    }
    if (p->kind == FED_KIND_PATIENT) {
        memcpy(claim->who, p->root.b, sizeof(claim->who));
        p = p->via;
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

/* The key package of a clinic that has revoked its key since, or of long ago.
 */
static enum err
stale(struct fed_core *core, const struct fed_rec_intent *rec, bool *out)
{
    struct clinic_id id;
    const struct fed_party *p;
    struct fed_who who;
    enum err e = OK;

    memcpy(id.b, rec->id, sizeof(id.b));
    p = fed_party_find(core, &id);
    if (rec->data.len > 0 && (p == NULL || p->kind == FED_KIND_CLINIC)) {
        e = fed_kp_check(core, rec->data, &who);
    }
    *out = e != OK && !fed_ours(e);
    return *out ? OK : e;
}

enum err
fed_claim_first(struct fed_core *core, struct fed_thread *t, uint64_t number,
                struct fed_rec_intent *rec, bool *wait)
{
    enum err e = OK;
    bool again = false;

    *wait = false;
    if (rec->kind != FED_INTENT_ADD) {
        return OK;
    }
    TRY(stale(core, rec, &again));
    if (again && rec->tries < LIMIT_INTENT_TRIES) {
        rec->data = (struct view){0};
        rec->submitted = false;
        rec->tries++;
        TRY(fed_intent_put(core, t, number, rec));
    }
    *wait = rec->data.len == 0;
    TRY(*wait && !rec->submitted ? claim_send(core, t, number, rec) : OK);
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
    static const uint8_t none[32];
    enum err e = OK;
    bool grant = p->rec.ours == PROTO_STANCE_GRANTED;
    struct bytes kp = {0};
    struct proto_peer_msg msg = {.type = PROTO_PEER_KP_ANSWER};
    struct proto_kp_answer *a = &msg.u.kp_answer;

    if (core->kind != FED_KIND_CLINIC || p->kind != FED_KIND_CLINIC) {
        return ERR_DENIED;
    }
    if (memcmp(in->who, none, sizeof(none)) != 0) {
        return fed_pool_claimed(core, p, in);
    }
    memcpy(a->req, in->req, sizeof(a->req));
    memcpy(a->thread, in->thread, sizeof(a->thread));
    a->addrs = view_of(&core->addrs);
    if (p->rec.ours == PROTO_STANCE_THREAD) {
        TRY(fed_successor_asks(core, p, &grant));
    }
    if (!grant || fed_bound_full(core, p)) {
        a->code = PROTO_ANSWER_DENIED;
    } else if (in->suite != core->config.suite) {
        a->code = PROTO_ANSWER_INVALID;
    } else {
        enum err may = expect_hub(core, p, in);

        TRY(may == ERR_DENIED ? OK : may);
        a->code = PROTO_ANSWER_DENIED;
        if (may == OK) {
            TRY(fed_kp_claimed(core, &p->root, in->thread, false, &kp));
            a->code = PROTO_ANSWER_ACCEPTED;
            a->kp = view_of(&kp);
        }
    }
    TRY(fed_stream_put(core, p, &msg));
out:
    bytes_free(&kp);
    return e;
}

/*
 * What a relay gave us of its patient's devices, as an intent keeps it.  A key
 * package that the patient's list does not know is the relay's own.
 */
static enum err
patient_keys(struct fed_core *core, struct fed_party *relay,
             const struct proto_kp_answer *in, struct bytes *out)
{
    enum err e;
    struct clinic_id who;
    struct patient_id id;
    struct fed_party *p;
    struct fed_rec_kps rec = {in->kps};
    struct proto_list_at at = {0};
    struct proto_key_package kp;

    memcpy(who.b, in->who, sizeof(who.b));
    memcpy(id.b, in->who, sizeof(id.b));
    p = fed_party_find(core, &who);
    TRY(p != NULL && p->kind == FED_KIND_PATIENT && p->via == relay
            ? OK
            : ERR_DENIED);
    e = fed_patient_learn(core, &id, in->list, FED_LEARNED_INTRODUCED,
                          &relay->root);
    TRY(e == ERR_EXISTS || e == ERR_STALE ? OK : e);
    while (proto_list_next(&in->kps, &proto_key_package_shape, &at, &kp)) {
        /* [claim-ghost] */
        TRY(fed_pool_check(core, &who, kp.kp));
    }
    TRY(in->kps.len > 0 ? OK : ERR_DENIED);
    TRY(fed_rec_encode(core->mem, &fed_rec_kps_shape, &rec, out));
out:
    return e;
}

/* What an answer gives an intent; empty: refused. */
static enum err
answer_data(struct fed_core *core, struct fed_party *p,
            const struct proto_kp_answer *in, struct bytes *out, bool *ghost)
{
    static const uint8_t none[32];
    enum err e;

    if (in->code != PROTO_ANSWER_ACCEPTED) {
        return OK;
    }
    if (memcmp(in->who, none, sizeof(none)) == 0) {
        return bytes_copy(core->mem, in->kp, out);
    }
    e = patient_keys(core, p, in, out);
    *ghost = e != OK && !fed_ours(e);
    return e == OK || fed_ours(e) ? e : fed_party_bad(core, p, e);
}

/* What was to be let in as a patient's device is not: people are told. */
static enum err
tell_ghost(struct fed_core *core, const struct fed_thread *t,
           const struct fed_party *relay, const struct proto_kp_answer *in)
{
    struct fed_show *s = fed_tx_show(core, FED_SHOW_DOUBT);

    if (s == NULL) {
        return ERR_NOMEM;
    }
    s->code = FED_DOUBT_GHOST;
    s->value = 1;
    s->thread = t->id;
    s->ts_ms = fed_now(core);
    s->verified = true;
    s->peer = relay->root;
    memcpy(s->author.b, in->who, sizeof(s->author.b));
    return OK;
}

/* Is this the intent that an answer is for? */
static bool
answers(const struct fed_party *p, const struct proto_kp_answer *in,
        const struct fed_rec_intent *rec)
{
    static const uint8_t none[32];
    bool own = memcmp(in->who, none, sizeof(none)) == 0;

    return rec->kind == FED_INTENT_ADD && rec->data.len == 0 &&
           memcmp(rec->req, in->req, sizeof(in->req)) == 0 &&
           memcmp(rec->id, own ? p->root.b : in->who, 32) == 0;
}

enum err
fed_claim_answered(struct fed_core *core, struct fed_party *p,
                   const struct proto_kp_answer *in)
{
    enum err e;
    struct fed_thread *t;
    struct thread_id id;
    uint64_t number = 0;
    struct bytes data = {0};
    bool ghost = false;

    memcpy(id.b, in->thread, sizeof(id.b));
    e = fed_thread_get(core, &id, &t);
    if (e != OK) {
        return e == ERR_MISSING ? OK : e;
    }
    TRY(answer_data(core, p, in, &data, &ghost));
    for (;; number++) {
        struct fed_rec_intent rec;
        struct bytes hold = {0};
        bool found;

        e = fed_intent_next(core, &id, &number, &rec, &hold);
        found = e == OK && answers(p, in, &rec);
        if (found && data.len > 0) {
            rec.data = view_of(&data);
            rec.addrs = in->addrs;
            rec.submitted = false;
            e = fed_intent_put(core, t, number, &rec);
        } else if (found) {
            e = fed_intent_fail(core, t, number, &rec, PROTO_ANSWER_DENIED);
            e = e == OK && ghost ? tell_ghost(core, t, p, in) : e;
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
    bytes_free(&data);
    return e;
}

/* -------------------------------------------------------------------- items */

/* About who orders a thread. */
static enum err
hubs(struct fed_core *core, struct fed_party *p,
     const struct proto_peer_msg *msg)
{
    if (msg->type == PROTO_PEER_CHECKPOINT) {
        return fed_checkpoint_recv(core, p, &msg->u.checkpoint);
    }
    if (msg->type == PROTO_PEER_HUB_OFFER) {
        return fed_move_offered(core, p, &msg->u.hub_offer);
    }
    if (msg->type == PROTO_PEER_PICTURE_GET) {
        return fed_picture_give(core, p, &msg->u.picture_get);
    }
    if (msg->type == PROTO_PEER_PICTURE) {
        return fed_picture_recv(core, p, &msg->u.picture);
    }
    if (msg->type == PROTO_PEER_REPORT_SEALED) {
        return fed_report_sealed_recv(core, p, &msg->u.report_sealed);
    }
    if (msg->type == PROTO_PEER_REPORT_SEEN) {
        return fed_report_seen_recv(core, p, &msg->u.report_seen);
    }
    if (msg->type == PROTO_PEER_REPORT && p->via == NULL) {
        return fed_report_recv(core, p, &msg->u.report);
    }
    if (msg->type == PROTO_PEER_HUB_ACCEPT) {
        return fed_move_accepted(core, p, &msg->u.hub_accept);
    }
    if (msg->type == PROTO_PEER_HUB_GONE) {
        return fed_gone_recv(core, p, &msg->u.hub_gone);
    }
    if (msg->type == PROTO_PEER_HUB_SEEN) {
        return fed_gone_seen(core, p, &msg->u.hub_seen);
    }
    if (msg->type == PROTO_PEER_AWAY) {
        return fed_idle_recv(core, p, &msg->u.away);
    }
    if (msg->type == PROTO_PEER_ROSTER) {
        return fed_roster_recv(core, p, &msg->u.roster);
    }
    if (msg->type == PROTO_PEER_HUB_MOVE) {
        return fed_move_recv(core, p, &msg->u.hub_move);
    }
    return ERR_DENIED; /* not something that a stream carries */
}

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
        return fed_fork_alert(core, p, &msg->u.fork_alert);
    }
    if (msg->type == PROTO_PEER_THREAD_END && p->kind == FED_KIND_CLINIC) {
        return fed_follow_end(core, p, &msg->u.thread_end);
    }
    if (msg->type == PROTO_PEER_ROUTE) {
        return fed_route_recv(core, p, &msg->u.route);
    }
    if (msg->type == PROTO_PEER_ROUTED) {
        return fed_routed_recv(core, p, &msg->u.routed);
    }
    return hubs(core, p, msg);
}

enum err
fed_item(struct fed_core *core, struct fed_party *p, struct view body)
{
    struct proto_peer_msg msg;
    enum err e;

    if (proto_peer_peek(body) >= PROTO_DEVICE_ENROL) {
        return fed_device_item(core, p, body);
    }
    e = proto_peer_decode(body, &msg);
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
