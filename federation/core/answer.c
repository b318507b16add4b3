/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hub's answers to what we submitted: accepted it is an entry, else it is
 * built again from its intent, or given up.
 */
#include "federation/core/move.h"
#include "federation/core/trust.h"
#include "federation/core/watch.h"

#include <string.h>

static enum err
unsubmit_one(struct fed_core *core, struct fed_thread *t, uint64_t number,
             bool count)
{
    enum err e;
    struct fed_rec_intent rec;
    struct bytes hold = {0};

    if (number < t->next_intent) {
        t->next_intent = number;
    }
    TRY(fed_intent_get(core, &t->id, number, &rec, &hold));
    rec.submitted = false;
    rec.tries += count ? 1 : 0;
    if (rec.tries >= LIMIT_INTENT_TRIES) {
        TRY(fed_intent_fail(core, t, number, &rec, PROTO_ANSWER_INVALID));
    } else {
        TRY(fed_intent_put(core, t, number, &rec));
    }
out:
    bytes_free(&hold);
    return e;
}

/* Back to what it was before it was submitted. */
static enum err
unsubmit(struct fed_core *core, struct fed_thread *t, struct fed_sub *sub,
         bool count)
{
    enum err e = OK;
    struct fed_key key = fed_key_of(thread_id_view(&t->id));
    struct fed_sub own = fed_sub_take(t, sub);

    t->idle = false;
    t->draining = t->subs_len > 0;
    if (own.kind != FED_INTENT_SAY && t->stage != NULL) {
        mls_stage_free(t->stage);
        t->stage = NULL;
        TRY(fed_tx_del(core, FED_NS_STAGE, &key));
    }
    for (size_t i = 0; i < own.parts_len; i++) {
        TRY(unsubmit_one(core, t, own.parts[i].number, count));
    }
out:
    fed_sub_clear(core, &own);
    return e;
}

/* What began its term comes before this, if it knows that we are here: it was
   put back, or we were.  Here we stand; and not at once again. */
static enum err
other_term(struct fed_core *core, struct fed_thread *t,
           const struct fed_party *p, uint64_t term)
{
    if (term == t->rec.term) {
        return OK;
    }
    t->wait_ms = fed_mono(core) + LIMIT_WAIT_MS;
    fed_tx_timer(core, t->wait_ms);
    if (t->pulling) {
        return OK;
    }
    t->pulling = true;
    return fed_pull_send(core, t, &p->root);
}

static enum err
refused(struct fed_core *core, struct fed_thread *t, struct fed_party *p,
        struct fed_sub *sub, const struct proto_answer *in)
{
    enum err e = OK;
    bool unaware = false;

    switch ((enum proto_answer_code)in->code) {
    case PROTO_ANSWER_WRONG_TERM:
        TRY(other_term(core, t, p, in->term));
        TRY(unsubmit(core, t, sub, false));
        break;
    case PROTO_ANSWER_WRONG_EPOCH:
    case PROTO_ANSWER_TOO_OLD:
        TRY(unsubmit(core, t, sub, false));
        break;
    case PROTO_ANSWER_WAIT:
        TRY(unsubmit(core, t, sub, false));
        t->wait_ms = fed_mono(core) + LIMIT_WAIT_MS;
        fed_tx_timer(core, t->wait_ms);
        break;
    case PROTO_ANSWER_NOT_HUB:
        TRY(in->term == 0 /* it has nothing of the thread */
                ? OK
                : fed_named_unaware(core, t, p, in->term, &unaware));
        TRY(unsubmit(core, t, sub, !unaware));
        TRY(unaware ? OK : fed_resync_begin(core, t));
        break;
    case PROTO_ANSWER_RESYNC:
        TRY(fed_named_unsure(core, t, &unaware));
        TRY(unsubmit(core, t, sub, !unaware));
        TRY(unaware ? OK : fed_resync_begin(core, t));
        break;
    case PROTO_ANSWER_DENIED:
    case PROTO_ANSWER_INVALID:
    case PROTO_ANSWER_ACCEPTED:
    case PROTO_ANSWER_LOST:
    case PROTO_ANSWER_CODE_COUNT:
        TRY(unsubmit(core, t, sub, true));
        break;
    }
out:
    return e;
}

/* Our external commit: accepted it is the next entry, else we try again. */
static enum err
joined(struct fed_core *core, struct fed_thread *t,
       const struct proto_answer *in)
{
    enum err e;

    if (in->code == PROTO_ANSWER_ACCEPTED && in->seq == t->rec.seq + 1) {
        TRY(fed_resync_joined(core, t, in->term, in->ts_ms));
        TRY(fed_intent_pump(core, t));
        goto out;
    }
    mls_group_free(t->joining);
    t->joining = NULL;
    if (in->code == PROTO_ANSWER_DENIED) {
        TRY(fed_thread_over(core, t, FED_THREAD_REMOVED));
        goto out;
    }
    t->wait_ms =
        fed_mono(core) + (in->code == PROTO_ANSWER_WAIT ? LIMIT_WAIT_MS : 0);
    fed_tx_timer(core, t->wait_ms);
    t->asked = false;
    TRY(in->code == PROTO_ANSWER_WAIT ? fed_refused_wait(core, t)
                                      : fed_refused(core, t));
    TRY(fed_intent_pump(core, t));
out:
    return e;
}

enum err
fed_follow_answer(struct fed_core *core, struct fed_party *p,
                  const struct proto_answer *in)
{
    enum err e;
    struct fed_thread *t;
    struct fed_sub *sub;

    e = fed_followed(core, p, in->thread, &t);
    if (e != OK || t == NULL) {
        return e == ERR_MISSING ? OK : e;
    }
    if (t->joining != NULL && memcmp(t->joining_req, in->req, 16) == 0) {
        TRY(joined(core, t, in));
        goto out;
    }
    sub = fed_sub_find(t, in->req);
    if (sub == NULL) {
        return OK; /* of before a loss */
    }
    if (in->code == PROTO_ANSWER_ACCEPTED) {
        TRY(fed_follow_own(core, t, sub, in));
    } else {
        TRY(refused(core, t, p, sub, in));
    }
    TRY(fed_intent_pump(core, t));
out:
    return e;
}
