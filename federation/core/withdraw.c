/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A patient takes back what a clinic was allowed (decisions D 18): said in
 * every thread that it reads by consent, and what it orders itself is left.
 */
#include "federation/core/care.h"

#include "proto/msg/device.h"

#include <string.h>

/* Signed by this device, about one clinic. */
static enum err
make(struct fed_core *core, const struct clinic_id *clinic, uint64_t serial,
     struct bytes *out)
{
    enum err e;
    struct prim_sign_key key;
    struct ident_withdrawal w = {.clinic = *clinic, .serial = serial};

    memset(&key, 0, sizeof(key));
    memcpy(w.patient.b, core->me.b, sizeof(w.patient.b));
    w.made_ms = fed_now(core);
    prim_ed25519_from_seed(core->seed, &key);
    TRY(ident_withdrawal_make(core->mem, &key, &w, out));
out:
    mem_wipe(&key, sizeof(key));
    return e;
}

static enum err
in_thread(struct fed_core *core, const struct thread_id *id,
          const struct clinic_id *clinic, struct view withdrawal, bool *orders)
{
    enum err e;
    struct fed_thread *t;
    struct proto_subject s;
    struct proto_content c = {.kind = PROTO_CONTENT_WITHDRAWAL};

    TRY(fed_thread_get(core, id, &t));
    if (t->rec.state == FED_THREAD_ENDED ||
        t->rec.state == FED_THREAD_REMOVED ||
        !proto_group_find(&t->group, clinic->b, &s)) {
        goto out;
    }
    c.u.withdrawal.withdrawal = withdrawal;
    TRY(fed_intent_say(core, t, &c, false, NULL));
    if (memcmp(t->rec.hub, clinic->b, 32) == 0) {
        *orders = true;
        c = (struct proto_content){.kind = PROTO_CONTENT_LEAVE};
        TRY(fed_intent_say(core, t, &c, false, NULL));
    }
out:
    return e;
}

enum err
fed_core_withdraw(struct fed_core *core, const struct clinic_id *clinic)
{
    enum err e;
    struct fed_party *p = fed_party_find(core, clinic);
    struct thread_id at;
    const struct thread_id *after = NULL;
    struct bytes made = {0};
    uint64_t serial = fed_now(core);
    bool orders = false;
    struct proto_device_msg msg = {.type = PROTO_DEVICE_ALLOW};

    if (core->kind != FED_KIND_DEVICE || p == NULL || !p->stored) {
        return ERR_MISSING;
    }
    TRY(make(core, clinic, serial, &made));
    for (size_t i = 0; i < core->threads_len; i++) {
        TRY(core->threads[i]->dirty ? fed_thread_save(core, core->threads[i])
                                    : OK);
    }
    while (fed_core_thread_next(core, after, &at) == OK) {
        TRY(in_thread(core, &at, clinic, view_of(&made), &orders));
        after = &at;
    }
    if (p->via != NULL && !orders) {
        memcpy(msg.u.allow.clinic, clinic->b, sizeof(msg.u.allow.clinic));
        msg.u.allow.serial = serial;
        TRY(fed_device_put(core, p->via, &msg));
    }
    if (p->via != NULL && p->rec.ours == PROTO_STANCE_GRANTED) {
        TRY(fed_party_stance(core, p, PROTO_STANCE_THREAD));
    }
    e = OK;
out:
    bytes_free(&made);
    return e;
}
