/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device that nobody has seen for 90 days weakens the secrecy of every thread
 * that it is in (reference threads 6.4), so who delivers to it takes it out:
 * its queue and its key packages go, and its leaf leaves the threads that we
 * order; who orders the others that we carry hears of it and does the same.
 * The patient stays a participant and the device in the list: when it greets
 * us again it joins by itself (decisions D 14), and reads what was said as one
 * does that the desk suspended and resumed.
 */
#include "federation/core/care.h"

#include <string.h>

#define IDLE_MS LIMIT_LOG_AGE_MS

/* A node that was away itself gives its patients' phones time to come. */
#define IDLE_SETTLE_MS (12u * LIMIT_HOUR_MS)

static enum err
show(struct fed_core *core, const struct fed_party *p, enum fed_devices why)
{
    struct fed_show *s = fed_tx_show(core, FED_SHOW_DEVICES);

    if (s == NULL) {
        return ERR_NOMEM;
    }
    s->code = (uint64_t)why;
    memcpy(s->author.b, p->subject.b, sizeof(s->author.b));
    memcpy(s->message.b, p->root.b, sizeof(s->message.b));
    return OK;
}

/* The clinics that we carry its patient to. */
static enum err
tell(struct fed_core *core, const struct fed_party *p, bool away)
{
    enum err e;
    struct fed_key at = fed_key_of(clinic_id_view(&p->subject));
    struct proto_peer_msg msg = {.type = PROTO_PEER_AWAY};
    struct fed_party *clinic;

    memcpy(msg.u.away.patient, p->subject.b, sizeof(msg.u.away.patient));
    memcpy(msg.u.away.device, p->root.b, sizeof(msg.u.away.device));
    msg.u.away.away = away;
    while ((e = fed_allow_next(core, &p->subject, &at, &clinic)) == OK) {
        TRY(fed_stream_put(core, clinic, &msg));
    }
out:
    return e == ERR_MISSING ? OK : e;
}

/* Its leaf goes from the threads that we order. */
static enum err
leave_threads(struct fed_core *core, const struct clinic_id *patient,
              const uint8_t device[32])
{
    enum err e;
    struct fed_rec_out gone;
    struct fed_rec_intent work = {.kind = FED_INTENT_DEVICES};
    struct bytes data = {0};

    memcpy(gone.device, device, sizeof(gone.device));
    TRY(fed_rec_encode(core->mem, &fed_rec_out_shape, &gone, &data));
    memcpy(work.id, patient->b, sizeof(work.id));
    work.data = view_of(&data);
    TRY(fed_patient_threads(core, patient, &work));
out:
    bytes_free(&data);
    return e;
}

enum err
fed_idle_out(struct fed_core *core, struct fed_party *p, enum fed_devices why)
{
    enum err e;

    TRY(fed_stream_drop(core, p));
    TRY(fed_stream_new(core, p));
    TRY(fed_party_save(core, p));
    TRY(fed_pool_drop(core, &p->root));
    p->keys_asked = false; /* it brings others when it is back */
    TRY(show(core, p, why));
    TRY(leave_threads(core, &p->subject, p->root.b));
    TRY(tell(core, p, true));
out:
    return e;
}

enum err
fed_idle_here(struct fed_core *core, struct fed_party *p)
{
    enum err e;

    TRY(fed_patient_invite(core, p)); /* it joins by itself */
    TRY(tell(core, p, false));
out:
    return e;
}

enum err
fed_idle_in(struct fed_core *core, struct fed_party *p, enum fed_devices why)
{
    enum err e;

    if (why == FED_DEVICES_RESUMED) { /* nothing of before is for it */
        TRY(fed_stream_drop(core, p));
        TRY(fed_stream_new(core, p));
    }
    TRY(fed_party_save(core, p));
    TRY(show(core, p, why));
    TRY(fed_idle_here(core, p));
out:
    return e;
}

/* Also of a stranger: it cannot turn our clock, only agree with it. */
void
fed_idle_clock(struct fed_core *core, uint64_t theirs_ms)
{
    uint64_t now = fed_now(core);
    uint64_t off = now > theirs_ms ? now - theirs_ms : theirs_ms - now;

    if (off < IDENT_DAY_MS) {
        core->agreed_ms = now;
        core->agreed_mono_ms = fed_mono(core);
    }
}

/* [idle-clock] Is it as late as our wall clock says?  Somebody who greeted us
   thought so, and since then it has gone as the other clock. */
static bool
clock_trusted(const struct fed_core *core)
{
    uint64_t wall = fed_now(core) - core->agreed_ms;
    uint64_t mono = fed_mono(core) - core->agreed_mono_ms;

    return core->agreed_mono_ms != 0 && fed_now(core) >= core->agreed_ms &&
           wall < mono + IDENT_DAY_MS;
}

static bool
delivered_to(const struct fed_party *p)
{
    return p->stored && p->kind == FED_KIND_DEVICE && p->via == NULL &&
           p->rec.ours == PROTO_STANCE_GRANTED && !p->rec.blocked;
}

enum err
fed_idle_tick(struct fed_core *core)
{
    enum err e = OK;
    uint64_t now = fed_now(core);
    uint64_t up = fed_mono(core) - core->start_ms;
    bool any = false;

    for (size_t i = 0; i < core->parties_len; i++) {
        struct fed_party *p = core->parties[i];

        if (!delivered_to(p)) {
            continue;
        }
        any = true;
        if (p->greeted || p->rec.away) {
            continue;
        }
        if (p->rec.seen_ms == 0 || p->rec.seen_ms > now) {
            p->rec.seen_ms = now; /* never yet: from now on */
            p->dirty = true;
        }
        if (up >= IDLE_SETTLE_MS && now - p->rec.seen_ms >= IDLE_MS &&
            clock_trusted(core)) {
            p->rec.away = true;
            TRY(fed_idle_out(core, p, FED_DEVICES_IDLE));
        }
    }
    if (any) {
        fed_tx_timer(core, fed_mono(core) + LIMIT_HOUR_MS);
    }
out:
    return e;
}

enum err
fed_idle_seen(struct fed_core *core, struct fed_party *p)
{
    enum err e = OK;

    if (p->kind == FED_KIND_DEVICE && p->rec.away && delivered_to(p)) {
        p->rec.away = false;
        TRY(fed_idle_in(core, p, FED_DEVICES_BACK));
    }
out:
    return e;
}

/* -------------------------------------------------- the clinic that orders */

/* Its removal, where nothing has come of it yet, is not wanted any more. */
static enum err
not_removed(struct fed_core *core, struct fed_thread *t,
            const uint8_t device[32])
{
    enum err e;
    uint64_t number = 0;

    for (;; number++) {
        struct fed_rec_intent rec;
        struct fed_rec_out out = {{0}};
        struct bytes hold = {0};

        e = fed_intent_next(core, &t->id, &number, &rec, &hold);
        if (e == OK && rec.kind == FED_INTENT_DEVICES && rec.data.len > 0) {
            e = fed_rec_decode(rec.data, &fed_rec_out_shape, &out);
        }
        if (e == OK && memcmp(out.device, device, sizeof(out.device)) == 0) {
            e = fed_intent_done(core, t, number);
        }
        bytes_free(&hold);
        if (e != OK) {
            return e == ERR_MISSING ? OK : e;
        }
    }
}

enum err
fed_idle_recv(struct fed_core *core, struct fed_party *p,
              const struct proto_away *in)
{
    enum err e = OK;
    struct clinic_id id;
    struct fed_party *d;

    /* [away-relay] only who delivers says so, of devices in the list */
    if (core->kind != FED_KIND_CLINIC || p->kind != FED_KIND_CLINIC ||
        p->via != NULL) {
        return ERR_DENIED;
    }
    TRY(fed_route_device(core, p, in->patient, in->device, &d));
    if (d == NULL) {
        goto out;
    }
    memcpy(id.b, in->patient, sizeof(id.b));
    if (in->away) {
        TRY(leave_threads(core, &id, in->device));
        goto out;
    }
    for (size_t i = core->busy_len; i > 0; i--) {
        struct fed_thread *t;

        if (i <= core->busy_len) {
            e = fed_thread_get(core, &core->busy[i - 1].id, &t);
            TRY(e == OK ? not_removed(core, t, in->device)
                        : (e == ERR_MISSING ? OK : e));
        }
    }
    TRY(fed_patient_invite(core, d));
out:
    return e;
}

/* ------------------------------------------------------------------ people */

bool
fed_core_queue_next(const struct fed_core *core, size_t *at,
                    struct fed_queue_info *out)
{
    for (; *at < core->parties_len; (*at)++) {
        const struct fed_party *p = core->parties[*at];
        uint64_t queued = p->rec.out_next - 1 - p->rec.out_acked;

        if (!delivered_to(p) || (queued == 0 && !p->rec.away)) {
            continue;
        }
        *out = (struct fed_queue_info){
            .queued = queued,
            .waits_ms = queued > 0 ? p->rec.waits_ms : 0,
            .idle = p->rec.away,
        };
        memcpy(out->patient.b, p->subject.b, sizeof(out->patient.b));
        memcpy(out->device.b, p->root.b, sizeof(out->device.b));
        (*at)++;
        return true;
    }
    return false;
}
