/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Letting a clinic read what a patient says (decisions D 18).  A clinic asks
 * inside the thread, the patient's device signs the answer inside the thread,
 * so every member has it in the same place of the log; the commit that brings
 * the clinic in repeats it in the group.  A withdrawal goes the same way, and
 * whoever orders the thread removes the clinic.
 *
 * Kept per thread: questions under their message id, and for each patient and
 * clinic the newest consent and the highest withdrawal.
 */
#include "federation/core/care.h"

#include "crypto/prim/hash.h"
#include "proto/msg/device.h"

#include <string.h>

/* ------------------------------------------------------------------ records */

static struct fed_key
pair_key(const struct thread_id *thread, const uint8_t patient[32],
         const uint8_t clinic[32])
{
    uint8_t hash[32];
    struct view parts[] = {VIEW_LIT("consent"), {patient, 32}, {clinic, 32}};

    prim_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), hash);
    return fed_key_pair(thread_id_view(thread), VIEW_ARRAY(hash));
}

static struct fed_key
ask_key(const struct thread_id *thread, const uint8_t id[32])
{
    return fed_key_pair(thread_id_view(thread), view_make(id, 32));
}

enum err
fed_consent_pair(struct fed_core *core, const struct thread_id *thread,
                 const uint8_t patient[32], const uint8_t clinic[32],
                 struct fed_rec_consent *out, struct bytes *hold)
{
    struct fed_key key = pair_key(thread, patient, clinic);
    enum err e = fed_tx_load(core, FED_NS_CONSENT, &key, &fed_rec_consent_shape,
                             out, hold);

    if (e == ERR_MISSING) {
        memset(out, 0, sizeof(*out));
        memcpy(out->patient, patient, sizeof(out->patient));
        memcpy(out->clinic, clinic, sizeof(out->clinic));
        e = OK;
    }
    return e;
}

static enum err
save_pair(struct fed_core *core, const struct thread_id *thread,
          const struct fed_rec_consent *rec)
{
    struct fed_key key = pair_key(thread, rec->patient, rec->clinic);

    return fed_tx_save(core, FED_NS_CONSENT, &key, &fed_rec_consent_shape, rec);
}

enum err
fed_consent_carry(struct fed_core *core, const struct thread_id *from,
                  const struct thread_id *to,
                  const struct proto_thread_consent *in)
{
    enum err e;
    struct fed_rec_consent rec;
    struct bytes hold = {0};

    TRY(fed_consent_pair(core, from, in->patient, in->clinic, &rec, &hold));
    if (fed_consent_over(&rec)) {
        goto out; /* taken back: who had it does not come along */
    }
    if (rec.serial == 0) { /* we came after it was given */
        rec.serial = 1;
        rec.scope = IDENT_SCOPE_THREAD;
    }
    rec.desk = in->desk;
    rec.consent = in->consent;
    TRY(save_pair(core, to, &rec));
out:
    bytes_free(&hold);
    return e;
}

bool
fed_consent_over(const struct fed_rec_consent *rec)
{
    return rec->withdrawn != 0 && rec->serial <= rec->withdrawn;
}

/* What we say is taken back, before it stands in the log. */
static struct fed_key
taking_key(const struct thread_id *thread, const uint8_t patient[32],
           const uint8_t clinic[32])
{
    uint8_t hash[32];
    struct view parts[] = {VIEW_LIT("taking"), {patient, 32}, {clinic, 32}};

    prim_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), hash);
    return fed_key_pair(thread_id_view(thread), VIEW_ARRAY(hash));
}

enum err
fed_consent_taking(struct fed_core *core, const struct thread_id *thread,
                   const struct clinic_id *clinic, uint64_t serial)
{
    struct fed_key key = taking_key(thread, core->me.b, clinic->b);
    struct fed_rec_consent rec = {.withdrawn = serial};

    memcpy(rec.patient, core->me.b, sizeof(rec.patient));
    memcpy(rec.clinic, clinic->b, sizeof(rec.clinic));
    return fed_tx_save(core, FED_NS_CONSENT, &key, &fed_rec_consent_shape,
                       &rec);
}

enum err
fed_consent_taken(struct fed_core *core, const struct thread_id *thread,
                  const uint8_t patient[32], const uint8_t clinic[32],
                  enum fed_recall *out)
{
    enum err e;
    struct fed_key key = taking_key(thread, patient, clinic);
    struct fed_rec_consent rec;
    struct fed_rec_consent taking = {.withdrawn = 0};
    struct bytes hold = {0};

    TRY(fed_consent_pair(core, thread, patient, clinic, &rec, &hold));
    bytes_free(&hold);
    e = fed_tx_load(core, FED_NS_CONSENT, &key, &fed_rec_consent_shape, &taking,
                    &hold);
    TRY(e == ERR_MISSING ? OK : e);
    if (fed_consent_over(&rec)) {
        *out = FED_RECALL_LOGGED;
    } else {
        *out = taking.withdrawn != 0 && rec.serial <= taking.withdrawn
                   ? FED_RECALL_SAID
                   : FED_RECALL_NONE;
    }
out:
    bytes_free(&hold);
    return e;
}

/* Is this record one of ours, taken back?  The others are questions, which
   have another shape. */
static bool
ours_over(const struct fed_core *core, struct view value, struct clinic_id *out)
{
    struct fed_rec_consent rec;

    if (fed_rec_decode(value, &fed_rec_consent_shape, &rec) != OK ||
        !fed_consent_over(&rec) ||
        memcmp(rec.patient, core->me.b, sizeof(rec.patient)) != 0) {
        return false;
    }
    memcpy(out->b, rec.clinic, sizeof(out->b));
    return true;
}

enum err
fed_consent_next_over(struct fed_core *core, const struct thread_id *thread,
                      struct fed_key *at, struct clinic_id *out)
{
    enum err e = OK;
    bool found = false;

    while (e == OK && !found) {
        struct bytes key = {0};
        struct bytes value = {0};

        e = fed_tx_next(core, FED_NS_CONSENT, at, thread_id_view(thread), &key,
                        &value);
        if (e == OK) {
            *at = fed_key_of(view_of(&key));
            at->b[at->len++] = 0;
            found = ours_over(core, view_of(&value), out);
        }
        bytes_free(&key);
        bytes_free(&value);
    }
    return e;
}

enum err
fed_consent_withdrawn(struct fed_core *core, const struct thread_id *thread,
                      const uint8_t patient[32], const uint8_t clinic[32],
                      uint64_t *out)
{
    struct fed_rec_consent rec;
    struct bytes hold = {0};
    enum err e = fed_consent_pair(core, thread, patient, clinic, &rec, &hold);

    *out = e == OK ? rec.withdrawn : 0;
    bytes_free(&hold);
    return e;
}

enum err
fed_consent_find(struct fed_core *core, const struct thread_id *thread,
                 const uint8_t patient[32], const uint8_t clinic[32],
                 struct fed_rec_consent *out, struct bytes *hold)
{
    enum err e = fed_consent_pair(core, thread, patient, clinic, out, hold);

    if (e == OK && (out->consent.len == 0 || out->serial <= out->withdrawn)) {
        bytes_free(hold);
        memset(out, 0, sizeof(*out));
        e = ERR_MISSING;
    }
    return e;
}

/* -------------------------------------------------------------------- shows */

/* What it is about. */
struct about {
    const uint8_t *patient;
    const uint8_t *clinic;
    const uint8_t *ask; /* message id; or NULL */
    enum fed_consent code;
};

static enum err
show(struct fed_core *core, const struct fed_thread *t,
     const struct fed_said *said, const struct about *about)
{
    enum err e;
    struct fed_show *s = fed_tx_show(core, FED_SHOW_CONSENT);

    TRY(s == NULL ? ERR_NOMEM : OK);
    s->thread = t->id;
    s->code = (uint64_t)about->code;
    s->term = said->term;
    s->seq = said->seq;
    s->ts_ms = said->ts_ms;
    s->peer = *said->author;
    memcpy(s->author.b, about->patient, sizeof(s->author.b));
    memcpy(s->other.b, about->clinic, sizeof(s->other.b));
    if (about->ask != NULL) {
        memcpy(s->message.b, about->ask, sizeof(s->message.b));
    }
    TRY(bytes_copy(core->mem, said->content, &s->body));
out:
    return e;
}

/* ---------------------------------------------------------------- questions */

bool
fed_subject_is(const struct fed_thread *t, const uint8_t root[32],
               enum proto_subject_kind kind)
{
    struct proto_subject s;

    return proto_group_find(&t->group, root, &s) && s.kind == (uint64_t)kind;
}

enum err
fed_consent_ask_keep(struct fed_core *core, const struct fed_thread *t,
                     const uint8_t id[32], const struct fed_rec_ask *rec)
{
    struct fed_key key = ask_key(&t->id, id);

    return fed_tx_save(core, FED_NS_CONSENT, &key, &fed_rec_ask_shape, rec);
}

static enum err
on_ask(struct fed_core *core, struct fed_thread *t, const struct fed_said *said,
       const struct proto_ask *in)
{
    enum err e;
    struct fed_rec_ask rec = {.ours = said->ours, .content = said->content};
    struct about about = {in->patient, in->clinic, said->id.b,
                          FED_CONSENT_ASKED};

    /* [ask-by-clinic] of a patient in the thread */
    if (!fed_subject_is(t, said->author->b, PROTO_SUBJECT_CLINIC) ||
        !fed_subject_is(t, in->patient, PROTO_SUBJECT_PATIENT)) {
        about.code = FED_CONSENT_INVALID;
        return show(core, t, said, &about);
    }
    memcpy(rec.author, said->author->b, sizeof(rec.author));
    TRY(fed_consent_ask_keep(core, t, said->id.b, &rec));
    TRY(show(core, t, said, &about));
out:
    return e;
}

/* The question that an answer names; ERR_MISSING. */
enum err
fed_consent_ask(struct fed_core *core, const struct fed_thread *t,
                const uint8_t id[32], struct fed_rec_ask *out,
                struct bytes *hold)
{
    struct fed_key key = ask_key(&t->id, id);

    return fed_tx_load(core, FED_NS_CONSENT, &key, &fed_rec_ask_shape, out,
                       hold);
}

/* ------------------------------------------------------------------ answers */

/* The consent inside an answer, verified against the thread's group. */
static enum err
open_answer(struct fed_core *core, const struct fed_thread *t,
            const struct fed_said *said, const struct proto_consent *in,
            struct ident_consent *out)
{
    enum err e;
    struct patient_id id;
    struct view signed_list;
    struct ident_devices list;
    struct ident_check check = {.root = said->author, .now_ms = said->ts_ms};
    struct ident_desk_consent desk;

    memcpy(id.b, in->patient, sizeof(id.b));
    if (in->code == PROTO_CONSENT_DESK) {
        TRY(ident_desk_consent_open(core->mem, in->consent, &check, &desk));
        *out = desk.consent;
    } else {
        /* [answer-by-patient] */
        TRY(memcmp(said->author->b, in->patient, 32) == 0 ? OK : ERR_DENIED);
        TRY(proto_group_list(&t->group, in->patient, &signed_list)
                ? OK
                : ERR_DENIED);
        TRY(ident_devices_open(core->mem, &id, signed_list, &list));
        TRY(ident_consent_open(core->mem, in->consent, &list, out));
    }
    TRY(memcmp(out->patient.b, in->patient, 32) == 0 &&
                memcmp(out->clinic.b, in->clinic, 32) == 0
            ? OK
            : ERR_DENIED);
out:
    return e == OK || fed_ours(e) ? e : ERR_DENIED;
}

/* Ours to ask, and yes: the clinic comes in. */
static enum err
bring_in(struct fed_core *core, struct fed_thread *t,
         const struct ident_consent *consent)
{
    struct fed_rec_intent add = {.kind = FED_INTENT_ADD};
    const struct fed_party *p = fed_party_find(core, &consent->clinic);

    if (consent->scope != IDENT_SCOPE_THREAD || p == NULL ||
        p->rec.ours != PROTO_STANCE_GRANTED ||
        (t->rec.flags & PROTO_GROUP_DIRECT) != 0) {
        return OK;
    }
    memcpy(add.id, consent->clinic.b, sizeof(add.id));
    return fed_intent_add(core, t, &add);
}

/* Consented to us: the patient is one with whom we may open a thread, and the
   first is there by itself. */
static enum err
may_open(struct fed_core *core, const struct fed_thread *t,
         const struct ident_consent *consent)
{
    enum err e;
    struct proto_subject s;
    struct fed_party *p;
    struct thread_id direct;
    bool known;

    if (consent->scope != IDENT_SCOPE_PRIVATE ||
        !clinic_id_equal(&consent->clinic, &core->config.self.root) ||
        !proto_group_find(&t->group, consent->patient.b, &s)) {
        return OK;
    }
    TRY(fed_patient_party(core, &s, &p));
    known = p->rec.ours == PROTO_STANCE_GRANTED;
    if (!known) {
        p->rec.ours = PROTO_STANCE_GRANTED;
        TRY(fed_party_changed(core, p));
    }
    TRY(fed_patient_show(core, p, known, (struct view){0}));
    memcpy(direct.b, p->rec.direct, sizeof(direct.b));
    if (!known && thread_id_is_zero(&direct)) {
        TRY(fed_hub_direct(core, p, (struct view){0}));
    }
out:
    return e;
}

enum err
fed_consent_known(struct fed_core *core, const struct fed_thread *t,
                  const struct ident_consent *consent, bool ours)
{
    enum err e;
    struct proto_subject me;
    struct clinic_id via;
    struct fed_party *p;
    struct proto_device_msg msg = {.type = PROTO_DEVICE_ALLOW};

    if (!proto_group_find(&t->group, core->me.b, &me)) {
        return OK;
    }
    memcpy(via.b, me.node, sizeof(via.b));
    TRY(fed_party_get(core, &consent->clinic, &p));
    if (p->rec.ours == PROTO_STANCE_GRANTED && p->via == NULL) {
        goto out; /* by its own link */
    }
    if (clinic_id_equal(&via, &consent->clinic)) {
        goto out;
    }
    TRY(fed_party_get(core, &via, &p->via));
    p->via = p->via->via != NULL ? p->via->via : p->via; /* detour.c */
    p->rec.theirs = PROTO_STANCE_THREAD;
    if (consent->scope == IDENT_SCOPE_PRIVATE) {
        p->rec.ours = PROTO_STANCE_GRANTED;
    } else if (p->rec.ours != PROTO_STANCE_GRANTED) {
        p->rec.ours = PROTO_STANCE_THREAD;
    }
    TRY(fed_party_changed(core, p));
    if (ours) {
        memcpy(msg.u.allow.clinic, consent->clinic.b,
               sizeof(msg.u.allow.clinic));
        msg.u.allow.allowed = true;
        msg.u.allow.serial = consent->serial;
        TRY(fed_device_put(core, p->via, &msg));
    }
out:
    return e;
}

static enum err
keep_consent(struct fed_core *core, struct fed_thread *t,
             const struct proto_consent *in,
             const struct ident_consent *consent)
{
    enum err e;
    struct fed_rec_consent rec;
    struct bytes hold = {0};

    TRY(fed_consent_pair(core, &t->id, in->patient, in->clinic, &rec, &hold));
    if (consent->serial > rec.serial) {
        rec.serial = consent->serial;
        rec.scope = consent->scope;
        rec.desk = in->code == PROTO_CONSENT_DESK;
        rec.consent = in->consent;
        TRY(save_pair(core, &t->id, &rec));
    }
out:
    bytes_free(&hold);
    return e;
}

/* A yes of the patient, or recorded at a desk.  If it is the first that
   question has and question is ours, its clinic comes in. */
static enum err
given(struct fed_core *core, struct fed_thread *t, const struct fed_said *said,
      const struct proto_consent *in, struct fed_rec_ask *question)
{
    enum err e;
    struct ident_consent consent;
    bool desk = in->code == PROTO_CONSENT_DESK;
    struct about about = {in->patient, in->clinic, in->ask,
                          desk ? FED_CONSENT_DESK : FED_CONSENT_GIVEN};

    e = open_answer(core, t, said, in, &consent);
    if (e != OK) {
        about.code = FED_CONSENT_INVALID;
        return fed_ours(e) ? e : show(core, t, said, &about);
    }
    TRY(keep_consent(core, t, in, &consent));
    TRY(show(core, t, said, &about));
    if (core->kind == FED_KIND_DEVICE) {
        TRY(memcmp(in->patient, core->me.b, 32) == 0
                ? fed_consent_known(core, t, &consent, said->ours || desk)
                : OK);
        goto out;
    }
    TRY(may_open(core, t, &consent));
    if (desk ? said->ours : question->ours && !question->yes) {
        TRY(bring_in(core, t, &consent));
    }
    question->yes = true;
out:
    return e;
}

/* [yes-stays] */
static enum err
on_consent(struct fed_core *core, struct fed_thread *t,
           const struct fed_said *said, const struct proto_consent *in)
{
    enum err e;
    struct fed_rec_ask question = {.ours = false};
    struct bytes hold = {0};
    struct about about = {in->patient, in->clinic, in->ask,
                          FED_CONSENT_REFUSED};
    bool asked;

    e = fed_consent_ask(core, t, in->ask, &question, &hold);
    asked = e == OK;
    TRY(e == ERR_MISSING ? OK : e);
    if (in->code == PROTO_CONSENT_GIVEN || in->code == PROTO_CONSENT_DESK) {
        TRY(given(core, t, said, in, &question));
    } else {
        TRY(show(core, t, said, &about));
    }
    if (asked && (in->code == PROTO_CONSENT_DESK ||
                  memcmp(said->author->b, in->patient, 32) == 0)) {
        question.answered = true;
        TRY(fed_consent_ask_keep(core, t, in->ask, &question));
    }
    TRY(fed_intent_pump(core, t));
out:
    bytes_free(&hold);
    return e;
}

/* ------------------------------------------------------------- withdrawals */

static enum err
on_withdrawal(struct fed_core *core, struct fed_thread *t,
              const struct fed_said *said, const struct proto_withdrawal *in)
{
    enum err e;
    struct patient_id id;
    struct view signed_list;
    struct ident_devices list;
    struct ident_withdrawal w;
    struct fed_rec_consent rec;
    struct fed_rec_intent out_intent = {.kind = FED_INTENT_REMOVE};
    struct bytes hold = {0};
    struct about about = {said->author->b, said->author->b, NULL,
                          FED_CONSENT_WITHDRAWN};

    memcpy(id.b, said->author->b, sizeof(id.b));
    /* [withdrawal-signed] */
    e = proto_group_list(&t->group, id.b, &signed_list) ? OK : ERR_DENIED;
    e = e == OK ? ident_devices_open(core->mem, &id, signed_list, &list) : e;
    e = e == OK ? ident_withdrawal_open(core->mem, in->withdrawal, &list, &w)
                : e;
    if (e != OK || memcmp(w.patient.b, id.b, sizeof(id.b)) != 0) {
        about.code = FED_CONSENT_INVALID;
        e = fed_ours(e) ? e : show(core, t, said, &about);
        goto out;
    }
    about.clinic = w.clinic.b;
    TRY(fed_consent_pair(core, &t->id, id.b, w.clinic.b, &rec, &hold));
    if (w.serial > rec.withdrawn) {
        rec.withdrawn = w.serial;
        TRY(save_pair(core, &t->id, &rec));
    }
    TRY(show(core, t, said, &about));
    if (fed_thread_hub_here(core, t) &&
        fed_subject_is(t, w.clinic.b, PROTO_SUBJECT_CLINIC) &&
        memcmp(w.clinic.b, t->rec.hub, 32) != 0 &&
        rec.withdrawn >= rec.serial) {
        memcpy(out_intent.id, w.clinic.b, sizeof(out_intent.id));
        TRY(fed_intent_add(core, t, &out_intent));
        TRY(fed_intent_pump(core, t));
    }
out:
    bytes_free(&hold);
    return e;
}

enum err
fed_consent_content(struct fed_core *core, struct fed_thread *t,
                    const struct fed_said *said, const struct proto_content *c)
{
    if (c->kind == PROTO_CONTENT_ASK) {
        return on_ask(core, t, said, &c->u.ask);
    }
    if (c->kind == PROTO_CONTENT_CONSENT) {
        return on_consent(core, t, said, &c->u.consent);
    }
    return on_withdrawal(core, t, said, &c->u.withdrawal);
}
