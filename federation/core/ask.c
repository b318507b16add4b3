/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people ask and answer about consents: a clinic asks a patient, or
 * records what was said at its desk; a device signs the answer.
 */
#include "federation/core/care.h"

#include <string.h>

/* The thread, if a question about this may be put in it. */
static enum err
askable(struct fed_core *core, const struct thread_id *thread,
        const struct fed_ask *ask, struct fed_thread **out)
{
    enum err e;
    const struct fed_party *p = fed_party_find(core, &ask->clinic);
    bool self = clinic_id_equal(&ask->clinic, &core->config.self.root);

    if (core->kind != FED_KIND_CLINIC) {
        return ERR_STATE;
    }
    TRY(fed_thread_get(core, thread, out));
    TRY((*out)->rec.state == FED_THREAD_ENDED ||
                (*out)->rec.state == FED_THREAD_REMOVED
            ? ERR_STATE
            : OK);
    TRY(ask->purpose.len > 0 ? OK : ERR_INVALID);
    TRY(fed_subject_is(*out, ask->patient.b, PROTO_SUBJECT_PATIENT)
            ? OK
            : ERR_DENIED);
    if (ask->scope == IDENT_SCOPE_PRIVATE) {
        TRY(self ? OK : ERR_DENIED);
    } else {
        TRY(p != NULL && p->kind == FED_KIND_CLINIC &&
                    p->rec.ours == PROTO_STANCE_GRANTED &&
                    ((*out)->rec.flags & PROTO_GROUP_DIRECT) == 0
                ? OK
                : ERR_DENIED);
    }
out:
    return e;
}

enum err
fed_core_ask(struct fed_core *core, const struct thread_id *thread,
             const struct fed_ask *ask, struct message_id *id_out)
{
    enum err e;
    struct fed_thread *t;
    struct proto_content c = {.kind = PROTO_CONTENT_ASK};
    struct proto_ask *in = &c.u.ask;

    TRY(askable(core, thread, ask, &t));
    memcpy(in->patient, ask->patient.b, sizeof(in->patient));
    memcpy(in->clinic, ask->clinic.b, sizeof(in->clinic));
    in->profile = ask->profile;
    in->purpose = ask->purpose;
    in->history = (uint64_t)ask->history;
    in->history_from_ms = ask->history_from_ms;
    in->scope = (uint64_t)ask->scope;
    in->until_ms = ask->until_ms;
    TRY(fed_intent_say(core, t, &c, false, id_out));
out:
    return e;
}

/* A number above all that was said about the two in this thread. */
static enum err
next_serial(struct fed_core *core, const struct thread_id *thread,
            const uint8_t patient[32], const uint8_t clinic[32], uint64_t *out)
{
    enum err e;
    struct fed_rec_consent rec;
    struct bytes hold = {0};

    TRY(fed_consent_pair(core, thread, patient, clinic, &rec, &hold));
    *out = fed_now(core);
    *out = *out > rec.serial ? *out : rec.serial + 1;
    *out = *out > rec.withdrawn ? *out : rec.withdrawn + 1;
out:
    bytes_free(&hold);
    return e;
}

enum err
fed_core_desk_consent(struct fed_core *core, const struct thread_id *thread,
                      const struct fed_ask *ask, const struct member_id *member,
                      struct view name, struct view why)
{
    enum err e;
    struct fed_thread *t;
    struct prim_sign_key key;
    struct ident_desk_consent desk = {
        .member = *member, .name = name, .why = why};
    struct ident_consent *in = &desk.consent;
    struct bytes made = {0};
    struct proto_content c = {.kind = PROTO_CONTENT_CONSENT};

    memset(&key, 0, sizeof(key));
    TRY(askable(core, thread, ask, &t));
    TRY(rng_fill(core->config.rng, in->id, sizeof(in->id)));
    in->patient = ask->patient;
    in->clinic = ask->clinic;
    in->asker = core->config.self.root;
    TRY(next_serial(core, thread, ask->patient.b, ask->clinic.b, &in->serial));
    in->purpose = ask->purpose;
    in->history = (uint64_t)ask->history;
    in->history_from_ms = ask->history_from_ms;
    in->scope = (uint64_t)ask->scope;
    if (ask->scope == IDENT_SCOPE_THREAD) {
        in->thread = *thread;
    }
    in->made_ms = fed_now(core);
    in->until_ms = ask->until_ms;
    prim_ed25519_from_seed(core->seed, &key);
    TRY(ident_desk_consent_make(core->mem, &key, view_of(&core->chain), &desk,
                                &made));
    c.u.consent.code = PROTO_CONSENT_DESK;
    memcpy(c.u.consent.patient, ask->patient.b, sizeof(c.u.consent.patient));
    memcpy(c.u.consent.clinic, ask->clinic.b, sizeof(c.u.consent.clinic));
    c.u.consent.consent = view_of(&made);
    TRY(fed_intent_say(core, t, &c, false, NULL));
out:
    mem_wipe(&key, sizeof(key));
    bytes_free(&made);
    return e;
}

/* Sign what was asked. */
static enum err
sign_answer(struct fed_core *core, const struct fed_thread *t,
            const struct message_id *id, const struct fed_rec_ask *rec,
            const struct proto_ask *ask, struct ident_consent *consent_out,
            struct bytes *out)
{
    enum err e;
    struct prim_sign_key key;
    struct ident_consent consent = {.scope = ask->scope};

    memset(&key, 0, sizeof(key));
    memcpy(consent.id, id->b + 1, sizeof(consent.id));
    memcpy(consent.patient.b, core->me.b, sizeof(consent.patient.b));
    memcpy(consent.clinic.b, ask->clinic, sizeof(consent.clinic.b));
    memcpy(consent.asker.b, rec->author, sizeof(consent.asker.b));
    TRY(next_serial(core, &t->id, core->me.b, ask->clinic, &consent.serial));
    consent.purpose = ask->purpose;
    consent.history = ask->history;
    consent.history_from_ms = ask->history_from_ms;
    if (ask->scope == IDENT_SCOPE_THREAD) {
        consent.thread = t->id;
    }
    consent.made_ms = fed_now(core);
    consent.until_ms = ask->until_ms;
    prim_ed25519_from_seed(core->seed, &key);
    TRY(ident_consent_make(core->mem, &key, &consent, out));
    *consent_out = consent;
out:
    mem_wipe(&key, sizeof(key));
    return e;
}

enum err
fed_core_asked(struct fed_core *core, const struct thread_id *thread,
               const struct message_id *ask, const struct clinic_id *asker,
               struct view content)
{
    enum err e;
    struct fed_thread *t;
    struct fed_rec_ask rec;
    struct proto_content c;
    struct message_id id;
    struct bytes hold = {0};

    TRY(core->kind == FED_KIND_DEVICE ? OK : ERR_DENIED);
    TRY(fed_thread_get(core, thread, &t));
    TRY(t->rec.state == FED_THREAD_ENDED || t->rec.state == FED_THREAD_REMOVED
            ? ERR_MISSING
            : OK);
    e = fed_consent_ask(core, t, ask->b, &rec, &hold);
    if (e != ERR_MISSING) {
        goto out;
    }
    /* [asked-before] its id says who asked what */
    fed_message_id(asker, content, &id);
    TRY(message_id_equal(&id, ask) && proto_content_decode(content, &c) == OK &&
                c.kind == PROTO_CONTENT_ASK &&
                memcmp(c.u.ask.patient, core->me.b, 32) == 0 &&
                fed_subject_is(t, asker->b, PROTO_SUBJECT_CLINIC)
            ? OK
            : ERR_DENIED);
    rec = (struct fed_rec_ask){.content = content};
    memcpy(rec.author, asker->b, sizeof(rec.author));
    TRY(fed_consent_ask_keep(core, t, ask->b, &rec));
out:
    bytes_free(&hold);
    return e;
}

enum err
fed_core_answer(struct fed_core *core, const struct thread_id *thread,
                const struct message_id *ask, bool yes)
{
    enum err e;
    struct fed_thread *t;
    struct fed_rec_ask rec;
    struct proto_content asked;
    struct bytes hold = {0};
    struct bytes made = {0};
    struct proto_content c = {.kind = PROTO_CONTENT_CONSENT};
    struct ident_consent consent;

    if (core->kind != FED_KIND_DEVICE) {
        return ERR_STATE;
    }
    TRY(fed_thread_get(core, thread, &t));
    TRY(fed_consent_ask(core, t, ask->b, &rec, &hold));
    TRY(rec.answered ? ERR_MISSING : OK);
    TRY(proto_content_decode(rec.content, &asked) == OK ? OK : ERR_CORRUPT);
    TRY(memcmp(asked.u.ask.patient, core->me.b, 32) == 0 ? OK : ERR_MISSING);
    if (yes) {
        TRY(sign_answer(core, t, ask, &rec, &asked.u.ask, &consent, &made));
        /* before the answer: the clinic may open at once what it asked for */
        TRY(fed_consent_known(core, t, &consent, true));
    }
    memcpy(c.u.consent.ask, ask->b, sizeof(c.u.consent.ask));
    c.u.consent.code = yes ? PROTO_CONSENT_GIVEN : PROTO_CONSENT_REFUSED;
    memcpy(c.u.consent.patient, core->me.b, sizeof(c.u.consent.patient));
    memcpy(c.u.consent.clinic, asked.u.ask.clinic, sizeof(c.u.consent.clinic));
    c.u.consent.consent = view_of(&made);
    TRY(fed_intent_say(core, t, &c, false, NULL));
out:
    bytes_free(&hold);
    bytes_free(&made);
    return e;
}
