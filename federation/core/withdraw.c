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

static void
raise_to(uint64_t *serial, uint64_t known)
{
    if (known >= *serial && known < UINT64_MAX) {
        *serial = known + 1;
    }
}

/*
 * [withdrawal-above] Our clock may be behind the one that the clinic was
 * allowed by: what is taken back is above all that was said of it in this
 * thread.
 */
static enum err
above(struct fed_core *core, const struct fed_thread *t,
      const struct clinic_id *clinic, uint64_t *serial)
{
    enum err e;
    struct fed_rec_consent rec;
    struct proto_list_at at = {0};
    struct proto_thread_consent in;
    struct ident_consent consent;
    struct bytes hold = {0};

    TRY(fed_consent_pair(core, &t->id, core->me.b, clinic->b, &rec, &hold));
    raise_to(serial, rec.serial);
    raise_to(serial, rec.withdrawn);
    while (proto_list_next(&t->group.consents, &proto_thread_consent_shape, &at,
                           &in)) {
        if (memcmp(in.patient, core->me.b, sizeof(in.patient)) != 0 ||
            memcmp(in.clinic, clinic->b, sizeof(in.clinic)) != 0) {
            continue;
        }
        e = fed_members_opened(core, &t->group, &in, &consent);
        if (e == OK) {
            raise_to(serial, consent.serial);
        }
        TRY(fed_ours(e) ? e : OK); /* whose signer is gone: as we knew it */
    }
out:
    bytes_free(&hold);
    return e;
}

/* Above what was said in any thread. */
static enum err
above_all(struct fed_core *core, const struct clinic_id *clinic,
          uint64_t *serial)
{
    enum err e = OK;
    struct thread_id at;
    const struct thread_id *after = NULL;
    struct fed_thread *t;

    while (fed_core_thread_next(core, after, &at) == OK) {
        TRY(fed_thread_get(core, &at, &t));
        TRY(above(core, t, clinic, serial));
        after = &at;
    }
out:
    return e;
}

static enum err
say(struct fed_core *core, struct fed_thread *t, const struct clinic_id *clinic,
    uint64_t serial, struct view withdrawal)
{
    enum err e;
    struct proto_content c = {.kind = PROTO_CONTENT_WITHDRAWAL};

    TRY(fed_consent_taking(core, &t->id, clinic, serial));
    c.u.withdrawal.withdrawal = withdrawal;
    TRY(fed_intent_say(core, t, &c, false, NULL));
out:
    return e;
}

static enum err
in_thread(struct fed_core *core, const struct thread_id *id,
          const struct clinic_id *clinic, uint64_t serial,
          struct view withdrawal, bool *orders)
{
    enum err e;
    struct fed_thread *t;
    struct proto_subject s;
    struct proto_content c = {.kind = PROTO_CONTENT_LEAVE};

    TRY(fed_thread_get(core, id, &t));
    if (t->rec.state == FED_THREAD_ENDED ||
        t->rec.state == FED_THREAD_REMOVED ||
        !proto_group_find(&t->group, clinic->b, &s)) {
        goto out;
    }
    TRY(say(core, t, clinic, serial, withdrawal));
    if (memcmp(t->rec.hub, clinic->b, 32) == 0) {
        *orders = true;
        TRY(fed_intent_say(core, t, &c, false, NULL));
    }
out:
    return e;
}

/* It is not carried to us any more. */
static enum err
tell_relay(struct fed_core *core, const struct fed_party *p, uint64_t serial)
{
    struct proto_device_msg msg = {.type = PROTO_DEVICE_ALLOW};

    memcpy(msg.u.allow.clinic, p->root.b, sizeof(msg.u.allow.clinic));
    msg.u.allow.serial = serial;
    return fed_device_put(core, p->via, &msg);
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

    if (core->kind != FED_KIND_DEVICE || p == NULL || !p->stored) {
        return ERR_MISSING;
    }
    for (size_t i = 0; i < core->threads_len; i++) {
        TRY(core->threads[i]->dirty ? fed_thread_save(core, core->threads[i])
                                    : OK);
    }
    TRY(above_all(core, clinic, &serial));
    TRY(make(core, clinic, serial, &made));
    while (fed_core_thread_next(core, after, &at) == OK) {
        TRY(in_thread(core, &at, clinic, serial, view_of(&made), &orders));
        after = &at;
    }
    if (p->via != NULL && !orders) {
        TRY(tell_relay(core, p, serial));
    }
    if (p->via != NULL && p->rec.ours == PROTO_STANCE_GRANTED) {
        TRY(fed_party_stance(core, p, PROTO_STANCE_THREAD));
    }
    e = OK;
out:
    bytes_free(&made);
    return e;
}

/* ------------------------------------------------- until the clinic is out */

enum err
fed_withdraw_waits(struct fed_core *core, const struct fed_thread *t,
                   struct view content, bool *out)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_subject s;
    struct proto_content c;
    enum fed_recall taken = FED_RECALL_NONE;

    *out = false;
    if (core->kind != FED_KIND_DEVICE || t->group.subjects.len <= 2 ||
        (proto_content_decode(content, &c) == OK &&
         (c.kind == PROTO_CONTENT_WITHDRAWAL ||
          c.kind == PROTO_CONTENT_LEAVE))) {
        return OK;
    }
    while (taken == FED_RECALL_NONE &&
           proto_list_next(&t->group.subjects, &proto_subject_shape, &at, &s)) {
        TRY(s.kind == PROTO_SUBJECT_CLINIC
                ? fed_consent_taken(core, &t->id, core->me.b, s.root, &taken)
                : OK);
    }
    *out = taken != FED_RECALL_NONE;
out:
    return e;
}

static enum err
once_more(struct fed_core *core, const struct fed_thread *old,
          struct fed_thread *t, const struct clinic_id *clinic)
{
    enum err e;
    struct bytes made = {0};
    uint64_t serial = fed_now(core);
    const struct fed_party *p = fed_party_find(core, clinic);
    enum fed_recall taken;

    TRY(fed_consent_taken(core, &t->id, core->me.b, clinic->b, &taken));
    if (taken != FED_RECALL_NONE) {
        goto out;
    }
    TRY(above(core, old, clinic, &serial));
    TRY(above(core, t, clinic, &serial));
    TRY(make(core, clinic, serial, &made));
    TRY(say(core, t, clinic, serial, view_of(&made)));
    TRY(p != NULL && p->via != NULL ? tell_relay(core, p, serial) : OK);
out:
    bytes_free(&made);
    return e;
}

enum err
fed_withdraw_again(struct fed_core *core, const struct fed_thread *old,
                   struct fed_thread *t)
{
    enum err e = OK;
    struct fed_key at = fed_key_of(thread_id_view(&old->id));
    struct clinic_id clinic;

    if (core->kind != FED_KIND_DEVICE) {
        return OK;
    }
    /* also of those who are not in it, or not yet: who founded it may not
       know */
    while ((e = fed_consent_next_over(core, &old->id, &at, &clinic)) == OK) {
        TRY(memcmp(clinic.b, t->rec.hub, 32) == 0
                ? OK
                : once_more(core, old, t, &clinic));
    }
    e = e == ERR_MISSING ? OK : e;
out:
    return e;
}
