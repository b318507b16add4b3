/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that stands still, because the one clinic in it is gone, is gone on
 * with elsewhere (decisions D 16): the patient asks another clinic, or the same
 * when it is back, for a new thread that says after which one it comes.
 * Nothing moves there: what was said stays where it is, what waited was meant
 * for the other clinic.
 *
 * The new id follows from the old one, so asking again founds nothing twice.
 */
#include "federation/core/care.h"
#include "federation/core/move.h"
#include "federation/core/trust.h"

#include "crypto/prim/hash.h"
#include "proto/msg/device.h"

#include <string.h>

static void
next_id(const struct thread_id *before, const struct clinic_id *patient,
        const struct clinic_id *hub, struct thread_id *out)
{
    struct view parts[] = {
        VIEW_LIT("balsam v1 continues"),
        thread_id_view(before),
        clinic_id_view(patient),
        clinic_id_view(hub),
    };

    prim_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), out->b);
}

enum err
fed_core_continue(struct fed_core *core, const struct thread_id *thread,
                  const struct clinic_id *with, struct thread_id *id_out)
{
    enum err e;
    struct fed_party *p = fed_party_find(core, with);
    struct fed_thread *t;
    struct proto_device_msg msg = {.type = PROTO_DEVICE_CONTINUE};

    if (core->kind != FED_KIND_DEVICE) {
        return ERR_STATE;
    }
    TRY(fed_thread_get(core, thread, &t));
    TRY(p != NULL && p->kind == FED_KIND_CLINIC && p->via == NULL &&
                p->rec.ours == PROTO_STANCE_GRANTED && fed_party_open(p)
            ? OK
            : ERR_DENIED);
    memcpy(msg.u.next.thread, thread->b, sizeof(msg.u.next.thread));
    TRY(fed_device_put(core, p, &msg));
    next_id(thread, &core->me, with, id_out);
out:
    return e;
}

/* [continue-own] a device of a patient of ours asks. */
enum err
fed_after_asked(struct fed_core *core, struct fed_party *device,
                const struct proto_device_continue *in)
{
    enum err e;
    struct thread_id before;
    struct thread_id id;
    struct fed_thread *t;
    struct fed_party *patient = fed_party_find(core, &device->subject);
    struct fed_rec_intent add = {.kind = FED_INTENT_ADD};
    struct bytes kps = {0};

    if (patient == NULL || patient->kind != FED_KIND_PATIENT ||
        patient->via != NULL || patient->rec.ours != PROTO_STANCE_GRANTED ||
        device->lost >= LIMIT_THREADS_PER_PARTY) {
        return OK;
    }
    memcpy(before.b, in->thread, sizeof(before.b));
    next_id(&before, &patient->root, &core->config.self.root, &id);
    e = fed_thread_get(core, &id, &t);
    if (e != ERR_MISSING) {
        return e;
    }
    device->lost++;
    TRY(fed_hub_continue(core, &id, PROTO_GROUP_AFTER, before.b, &t));
    TRY(fed_thread_show(core, t));
    memcpy(add.id, patient->root.b, sizeof(add.id));
    TRY(fed_pool_take(core, patient, &kps));
    add.data = view_of(&kps);
    TRY(fed_intent_add(core, t, &add));
    TRY(fed_intent_pump(core, t));
out:
    bytes_free(&kps);
    return e;
}

/* Since when who orders t was not reached, if for three days; else 0. */
static uint64_t
away_since(struct fed_core *core, const struct fed_thread *t)
{
    struct clinic_id hub;
    const struct fed_party *p;
    uint64_t now = fed_now(core);

    memcpy(hub.b, t->rec.hub, sizeof(hub.b));
    p = fed_party_find(core, &hub);
    p = p != NULL && p->via != NULL ? p->via : p; /* all that we can know */
    return p != NULL && p->stored && !p->greeted && p->rec.seen_ms != 0 &&
                   now > p->rec.seen_ms &&
                   now - p->rec.seen_ms >= LIMIT_CHECK_MS
               ? p->rec.seen_ms
               : 0;
}

enum err
fed_core_stands(struct fed_core *core, const struct thread_id *thread,
                uint64_t *since_ms)
{
    enum err e;
    struct fed_thread *t;

    TRY(fed_thread_get(core, thread, &t));
    *since_ms = 0;
    if (t->rec.state != FED_THREAD_ACTIVE || fed_thread_hub_here(core, t) ||
        fed_move_others(&t->group, t->rec.hub) >
            (core->kind == FED_KIND_CLINIC ? 1u : 0u)) {
        goto out;
    }
    *since_ms = away_since(core, t);
out:
    return e;
}

enum err
fed_core_left_out(struct fed_core *core, const struct thread_id *thread,
                  uint64_t *since_ms)
{
    enum err e;
    struct fed_thread *t;

    TRY(fed_thread_get(core, thread, &t));
    *since_ms =
        t->rec.state == FED_THREAD_RESYNC && !fed_thread_hub_here(core, t)
            ? away_since(core, t)
            : 0;
out:
    return e;
}
