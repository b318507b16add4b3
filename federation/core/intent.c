/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intents: what we want to say or change, stored in order, and turned into
 * messages and commits only when the hub is there.  Whatever loses a race or
 * comes too late is built again from its intent (design 5).
 *
 * Order of one sender: nothing of a new epoch is submitted while something of
 * an older one has no answer, so that a refusal cannot let a later message
 * overtake an earlier one.
 */
#include "federation/core/bundle.h"
#include "federation/core/care.h"
#include "federation/core/frank.h"
#include "federation/core/move.h"
#include "federation/core/trust.h"

#include "crypto/prim/hash.h"

#include <string.h>

/* ------------------------------------------------------------------ records */

struct fed_key
fed_intent_key(const struct thread_id *id, uint64_t number)
{
    return fed_key_num(thread_id_view(id), number);
}

enum err
fed_intent_put(struct fed_core *core, const struct fed_thread *t,
               uint64_t number, const struct fed_rec_intent *rec)
{
    struct fed_key key = fed_intent_key(&t->id, number);

    return fed_tx_save(core, FED_NS_INTENT, &key, &fed_rec_intent_shape, rec);
}

enum err
fed_intent_get(struct fed_core *core, const struct thread_id *id,
               uint64_t number, struct fed_rec_intent *out, struct bytes *hold)
{
    struct fed_key key = fed_intent_key(id, number);

    return fed_tx_load(core, FED_NS_INTENT, &key, &fed_rec_intent_shape, out,
                       hold);
}

enum err
fed_intent_next(struct fed_core *core, const struct thread_id *id,
                uint64_t *number, struct fed_rec_intent *out,
                struct bytes *hold)
{
    enum err e;
    struct fed_key key = fed_intent_key(id, *number);
    struct bytes found = {0};

    TRY(fed_tx_next(core, FED_NS_INTENT, &key, thread_id_view(id), &found,
                    hold));
    *number = fed_key_tail(view_of(&found));
    TRY(fed_rec_decode(view_of(hold), &fed_rec_intent_shape, out));
out:
    bytes_free(&found);
    return e;
}

bool
fed_intent_full(const struct fed_core *core, const struct fed_thread *t)
{
    uint64_t max = core->config.limits.intents;

    return t->waiting >= (max != 0 ? max : LIMIT_INTENTS);
}

enum err
fed_intent_add(struct fed_core *core, struct fed_thread *t,
               struct fed_rec_intent *rec)
{
    enum err e;

    rec->made_ms = fed_now(core);
    TRY(fed_busy_add(core, &t->id));
    fed_busy_note(core, t, rec->kind == FED_INTENT_ADD ? rec->id : NULL);
    TRY(fed_intent_put(core, t, t->rec.intents, rec));
    t->rec.intents++;
    t->waiting++;
    t->idle = false;
    t->dirty = true;
out:
    return e;
}

/*
 * Whether the thread has an intent but the one that was just done.  Numbers
 * grow, so what is known to be gone need not be looked for again.
 */
static enum err
any_left(struct fed_core *core, struct fed_thread *t, uint64_t done,
         bool *any_out)
{
    enum err e = OK;
    struct fed_rec_intent rec;
    struct bytes hold = {0};
    uint64_t low = t->low_intent;

    for (size_t i = 0; i < t->subs_len; i++) {
        for (size_t k = 0; k < t->subs[i].parts_len; k++) {
            if (t->subs[i].parts[k].number != done) {
                *any_out = true;
                return OK;
            }
        }
    }
    if (low == 0) {
        e = fed_intent_next(core, &t->id, &low, &rec, &hold);
        low = e == ERR_MISSING ? t->rec.intents : low;
    } else {
        e = ERR_MISSING;
        while (e == ERR_MISSING && low < t->rec.intents) {
            e = fed_intent_get(core, &t->id, low, &rec, &hold);
            low += e == ERR_MISSING ? 1 : 0;
        }
    }
    if (e == OK || e == ERR_MISSING) {
        t->low_intent = low;
        *any_out = e == OK;
        e = OK;
    }
    bytes_free(&hold);
    return e;
}

/* The intent at or above *number; most often it is the very one. */
static enum err
pending(struct fed_core *core, const struct fed_thread *t, uint64_t *number,
        struct fed_rec_intent *out, struct bytes *hold)
{
    enum err e = ERR_MISSING;

    if (*number < t->rec.intents) {
        e = fed_intent_get(core, &t->id, *number, out, hold);
        if (e == ERR_MISSING) {
            e = fed_intent_next(core, &t->id, number, out, hold);
        }
    }
    return e;
}

enum err
fed_intent_gone(struct fed_core *core, struct fed_thread *t, uint64_t number)
{
    struct fed_key key = fed_intent_key(&t->id, number);

    t->waiting -= t->waiting > 0 ? 1 : 0;
    return fed_tx_del(core, FED_NS_INTENT, &key);
}

static enum err
left_but(struct fed_core *core, struct fed_thread *t, uint64_t number)
{
    enum err e;
    bool any;

    TRY(any_left(core, t, number, &any));
    if (!any) {
        fed_busy_del(core, &t->id);
    }
out:
    return e;
}

enum err
fed_intent_left(struct fed_core *core, struct fed_thread *t)
{
    return left_but(core, t, 0);
}

enum err
fed_intent_done(struct fed_core *core, struct fed_thread *t, uint64_t number)
{
    enum err e;

    TRY(fed_intent_gone(core, t, number));
    TRY(left_but(core, t, number));
out:
    return e;
}

enum err
fed_intent_fail(struct fed_core *core, struct fed_thread *t, uint64_t number,
                const struct fed_rec_intent *rec, enum proto_answer_code code)
{
    enum err e;
    struct fed_show *show;

    if (rec->kind == FED_INTENT_SAY) {
        show = fed_tx_show(core, FED_SHOW_STATE);
        TRY(show == NULL ? ERR_NOMEM : OK);
        show->code = FED_MESSAGE_FAILED;
        show->value = (uint64_t)code;
        show->thread = t->id;
        memcpy(show->message.b, rec->id, sizeof(show->message.b));
    }
    TRY(fed_intent_done(core, t, number));
out:
    return e;
}

/* ------------------------------------------------------------- submissions */

static enum err
unsubmit(struct fed_core *core, struct fed_thread *t, uint64_t number)
{
    enum err e;
    struct fed_rec_intent rec;
    struct bytes hold = {0};

    e = fed_intent_get(core, &t->id, number, &rec, &hold);
    if (e == OK) {
        rec.submitted = false;
        e = fed_intent_put(core, t, number, &rec);
    }
    bytes_free(&hold);
    return e == ERR_MISSING ? OK : e;
}

enum err
fed_intent_again(struct fed_core *core, struct fed_thread *t)
{
    enum err e = OK;

    for (size_t i = 0; i < t->subs_len; i++) {
        for (size_t k = 0; k < t->subs[i].parts_len; k++) {
            TRY(unsubmit(core, t, t->subs[i].parts[k].number));
        }
    }
    fed_subs_clear(core, t);
    t->next_intent = 0;
    t->idle = false;
out:
    return e;
}

static enum err
keep_stage(struct fed_core *core, struct fed_thread *t, const uint8_t req[16],
           const struct fed_built *built)
{
    enum err e;
    struct fed_key key = fed_key_of(thread_id_view(&t->id));
    struct fed_rec_stage rec = {0};
    struct bytes saved = {0};

    TRY(mls_stage_save(built->made.stage, &saved));
    memcpy(rec.req, req, sizeof(rec.req));
    prim_sha256(view_of(&built->made.commit), rec.hash);
    rec.stage = view_of(&saved);
    TRY(fed_tx_save(core, FED_NS_STAGE, &key, &fed_rec_stage_shape, &rec));
out:
    bytes_free(&saved);
    return e;
}

static enum err
note_commit(struct fed_core *core, struct fed_thread *t, uint64_t number,
            struct fed_rec_intent *rec, const struct proto_hs_submit *in)
{
    enum err e;
    struct fed_sub *sub;

    TRY(fed_sub_new(core, t, rec->kind, in->req, in->message, &sub));
    if (number != 0) {
        TRY(fed_sub_part(core, sub, number, rec));
        memcpy(rec->req, sub->req, sizeof(rec->req));
        memcpy(rec->hash, sub->hash, sizeof(rec->hash));
        rec->epoch = sub->epoch;
        rec->submitted = true;
        TRY(fed_intent_put(core, t, number, rec));
    }
out:
    return e;
}

static enum err
submit_commit(struct fed_core *core, struct fed_thread *t,
              struct fed_party *hub, uint64_t number,
              struct fed_rec_intent *rec)
{
    enum err e;
    struct fed_built built = {0};
    struct proto_peer_msg msg = {.type = PROTO_PEER_HS_SUBMIT};
    struct proto_hs_submit *in = &msg.u.hs_submit;
    struct proto_node_addr addr = {.addrs = rec->addrs};

    e = fed_commit_build(core, t, rec, &built);
    if (e != OK && !fed_ours(e)) {
        /* Not possible any more: they are in, or out, already. */
        e = number == 0
                ? OK
                : fed_intent_fail(core, t, number, rec, PROTO_ANSWER_INVALID);
        goto out;
    }
    TRY(e);
    TRY(rng_fill(core->config.rng, in->req, sizeof(in->req)));
    TRY(keep_stage(core, t, in->req, &built));
    TRY(fed_mls_change(core, &t->id, built.made.change));
    memcpy(in->thread, t->id.b, sizeof(in->thread));
    in->term = t->rec.term;
    in->message = view_of(&built.made.commit);
    in->welcome = view_of(&built.made.welcome);
    if (!clinic_id_is_zero(&built.added)) {
        memcpy(addr.root, built.added.b, sizeof(addr.root));
        in->added = (struct proto_list){.items = &addr, .len = 1};
    }
    TRY(note_commit(core, t, number, rec, in));
    t->stage = built.made.stage;
    built.made.stage = NULL;
    TRY(fed_stream_put(core, hub, &msg));
out:
    fed_built_clear(&built);
    return e;
}

/* --------------------------------------------------------------------- pump */

/*
 * adding: somebody is being added.  What is said behind that waits a little,
 * so that those who are there from the beginning miss nothing.
 */
static bool
hub_says(struct fed_core *core, const struct fed_thread *t,
         const struct fed_rec_intent *rec, bool adding)
{
    return rec->kind == FED_INTENT_SAY && !rec->held &&
           t->rec.state == FED_THREAD_ACTIVE &&
           !(adding && fed_now(core) - rec->made_ms < LIMIT_BUSY_MS);
}

/* An intent that is no message. */
static enum err
hub_one(struct fed_core *core, struct fed_thread *t, uint64_t number,
        struct fed_rec_intent *rec, bool *adding)
{
    enum err e;
    bool wait;

    if (rec->held || rec->kind == FED_INTENT_SAY) {
        return OK; /* it waits */
    }
    TRY(fed_claim_first(core, t, number, rec, &wait));
    if (wait) {
        *adding = true;
        goto out;
    }
    if (rec->kind == FED_INTENT_MOVE) {
        TRY(fed_move_offer(core, t, number, rec));
        goto out;
    }
    if (fed_past_work(rec->kind)) {
        TRY(fed_past_give(core, t, number, rec, &wait));
        goto out;
    }
    TRY(fed_intent_done(core, t, number));
    if (rec->kind == FED_INTENT_RENEW) {
        goto out; /* hub_pump has done it */
    }
    TRY(fed_hub_commit(core, t, rec));
out:
    return e;
}

static enum err
hub_pump(struct fed_core *core, struct fed_thread *t)
{
    enum err e = OK;
    uint64_t number = 0;
    bool adding = false;
    struct fed_bundle *b = NULL;
    struct fed_rec_intent rekey = {.kind = FED_INTENT_REKEY};

    if (!fed_hub_ready(core, t)) {
        return OK;
    }
    if (t->rec.state == FED_THREAD_ACTIVE && fed_needs_rekey(core, t)) {
        TRY(fed_hub_commit(core, t, &rekey));
    }
    TRY(fed_bundle_new(core, &b));
    while (t->mls != NULL) {
        struct fed_rec_intent rec;
        struct bytes hold = {0};
        bool joins;

        e = pending(core, t, &number, &rec, &hold);
        joins = e == OK && hub_says(core, t, &rec, adding) &&
                fed_bundle_takes(b, &rec);
        if (joins) {
            fed_bundle_add(b, number, &rec, &hold);
        } else if (b->len > 0 && (e == OK || e == ERR_MISSING)) {
            e = fed_bundle_say(core, t, b); /* after which all may differ */
            number--;
        } else if (e == OK) {
            e = hub_one(core, t, number, &rec, &adding);
        }
        bytes_free(&hold);
        if (e != OK) {
            break;
        }
        number++;
    }
out:
    fed_bundle_free(core, b);
    return e == ERR_MISSING ? OK : e;
}

static bool
is_commit(uint64_t kind)
{
    return kind == FED_INTENT_ADD || kind == FED_INTENT_REMOVE ||
           kind == FED_INTENT_REKEY || kind == FED_INTENT_DEVICES;
}

/* An intent that is no message.  *stop: nothing after this one for now. */
static enum err
follow_one(struct fed_core *core, struct fed_thread *t, struct fed_party *hub,
           uint64_t number, struct fed_rec_intent *rec, bool *stop)
{
    enum err e = OK;
    bool wait;

    *stop = false;
    if (rec->held || (rec->submitted && rec->kind != FED_INTENT_ADD)) {
        return OK;
    }
    TRY(fed_claim_first(core, t, number, rec, &wait));
    if (wait) {
        goto out;
    }
    if (rec->kind == FED_INTENT_RENEW) {
        TRY(fed_intent_done(core, t, number)); /* follow_pump has done it */
    } else if (fed_past_work(rec->kind)) {
        TRY(fed_past_give(core, t, number, rec, stop));
    } else if (is_commit(rec->kind)) {
        *stop = true;
        if (t->subs_len == 0) {
            TRY(submit_commit(core, t, hub, number, rec));
        }
    }
out:
    return e;
}

static bool
may_submit(struct fed_core *core, const struct fed_thread *t,
           const struct fed_party *hub)
{
    if (hub == NULL || !fed_party_live(hub) || t->stage != NULL || t->pulling ||
        fed_mono(core) < t->wait_ms || (t->draining && t->subs_len > 0)) {
        return false;
    }
    for (size_t i = 0; i < t->subs_len; i++) {
        if (t->subs[i].epoch != mls_group_epoch(t->mls) ||
            t->subs[i].kind != FED_INTENT_SAY) {
            return false;
        }
    }
    return true;
}

/* A message.  *stop: it waits for a commit that takes a clinic out. */
static enum err
follow_say(struct fed_core *core, struct fed_thread *t, struct fed_party *hub,
           struct fed_bundle *b, struct fed_rec_intent *rec, struct bytes *hold,
           bool *stop)
{
    enum err e = OK;
    bool waits;

    if (rec->held || rec->submitted) {
        t->next_intent++;
        return OK;
    }
    TRY(fed_withdraw_waits(core, t, rec->data, &waits));
    if (!waits && fed_bundle_takes(b, rec)) {
        fed_bundle_add(b, t->next_intent, rec, hold);
        t->next_intent++;
    } else if (b->len > 0) {
        TRY(fed_bundle_submit(core, t, hub, b));
    } else {
        *stop = waits;
        t->next_intent += waits ? 0 : 1;
    }
out:
    return e;
}

/* Gather, submit or do what is next.  *stop: nothing after this for now. */
static enum err
follow_next(struct fed_core *core, struct fed_thread *t, struct fed_party *hub,
            struct fed_bundle *b, bool *stop)
{
    enum err e;
    struct fed_rec_intent rec;
    struct bytes hold = {0};

    e = pending(core, t, &t->next_intent, &rec, &hold);
    if (e == OK && rec.kind == FED_INTENT_SAY) {
        e = follow_say(core, t, hub, b, &rec, &hold, stop);
    } else if (b->len > 0 && (e == OK || e == ERR_MISSING)) {
        e = fed_bundle_submit(core, t, hub, b);
    } else if (e == OK) {
        e = follow_one(core, t, hub, t->next_intent, &rec, stop);
        t->next_intent += *stop ? 0 : 1;
    } else if (e == ERR_MISSING) {
        t->idle = true;
        *stop = true;
        e = OK;
    }
    bytes_free(&hold);
    return e;
}

static enum err
follow_pump(struct fed_core *core, struct fed_thread *t)
{
    enum err e = OK;
    struct clinic_id root;
    struct fed_party *hub;
    struct fed_rec_intent rekey = {.kind = FED_INTENT_REKEY};
    struct fed_bundle *b = NULL;
    bool stop = false;

    memcpy(root.b, t->rec.hub, sizeof(root.b));
    hub = fed_party_find(core, &root);
    t->draining = t->draining && t->subs_len > 0;
    if (t->idle || !may_submit(core, t, hub)) {
        return OK;
    }
    if (fed_needs_rekey(core, t)) {
        return t->subs_len > 0 ? OK : submit_commit(core, t, hub, 0, &rekey);
    }
    TRY(fed_bundle_new(core, &b));
    while (!stop && (b->len > 0 || t->subs_len < LIMIT_SUBMIT_WINDOW)) {
        TRY(follow_next(core, t, hub, b, &stop));
    }
out:
    fed_bundle_free(core, b);
    return e;
}

enum err
fed_intent_pump(struct fed_core *core, struct fed_thread *t)
{
    switch ((enum fed_thread_state)t->rec.state) {
    case FED_THREAD_OPENING:
    case FED_THREAD_ACTIVE:
        if (t->mls == NULL || t->applying) {
            return OK;
        }
        return fed_thread_hub_here(core, t) ? hub_pump(core, t)
                                            : follow_pump(core, t);
    case FED_THREAD_CHECKING:
    case FED_THREAD_RESYNC:
        return fed_resync_step(core, t);
    case FED_THREAD_ENDED:
    case FED_THREAD_REMOVED:
        break;
    }
    return OK;
}

enum err
fed_intent_pump_all(struct fed_core *core)
{
    enum err e = OK;
    size_t i = 0;

    while (i < core->threads_len) {
        struct fed_thread *t = core->threads[i++];

        if (t->pump) {
            t->pump = false;
            TRY(fed_intent_pump(core, t));
            i = 0; /* it may have brought others */
        }
    }
out:
    return e;
}
