/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patients at the desk: whose key is whose contact, how it was learned, and
 * what they let other clinics read.  Two contacts are never made one here: an
 * invitation binds its own contact, everybody else is a new one.
 */
#include "store/patient.h"
#include "crypto/prim/hash.h"
#include "node/clinic/desk.h"
#include "node/clinic/event.h"
#include "store/audit.h"
#include "store/invite.h"
#include "store/journal.h"

#include <stdio.h>
#include <string.h>

static struct patient_id
patient_of(const uint8_t b[32])
{
    struct patient_id id;

    memcpy(id.b, b, sizeof(id.b));
    return id;
}

/* What a patient is called until they say a name. */
static enum err
plain_name(const struct mem *mem, const struct patient_id *id, struct phi *out)
{
    char text[32];
    char hex[PROTO_HEX_MAX + 1];

    proto_hex(patient_id_view(id), hex);
    (void)snprintf(text, sizeof(text), "Patient %.8s", hex);
    return phi_from(mem, view_str(text), out);
}

static enum store_learned
learned_of(uint64_t code)
{
    switch (code) {
    case FED_LEARNED_IN_PERSON:
        return STORE_LEARNED_SCANNED;
    case FED_LEARNED_INTRODUCED:
        return STORE_LEARNED_INTRODUCED;
    case FED_LEARNED_COMPARED:
        return STORE_LEARNED_COMPARED;
    case FED_LEARNED_LINK:
        return STORE_LEARNED_LINK;
    default:
        return STORE_LEARNED_NONE;
    }
}

static enum err
note_contact(struct store_txn *txn, const struct contact_id *id)
{
    return node_desk_event(txn, NODE_EVENT_CONTACT, contact_id_view(id), 0);
}

/* ----------------------------------------------------------------- contacts
 */

/* Write: a contact of their own. */
static enum err
new_contact(struct store_txn *txn, struct node_desk *desk,
            struct store_patient *p)
{
    enum err e;
    struct store_contact c = {.kind = STORE_CONTACT_PATIENT};

    TRY(store_random(store_txn_store(txn), c.id.b, sizeof(c.id.b)));
    c.created_ms = store_now_ms(store_txn_store(txn));
    c.changed_ms = c.created_ms;
    if (phi_len(&p->claim) > 0) {
        TRY(phi_from(desk->mem, proto_phi_reveal(&p->claim), &c.name));
    } else {
        TRY(plain_name(desk->mem, &p->id, &c.name));
    }
    TRY(store_contact_add_ident(desk->mem, &c, STORE_IDENT_PATIENT,
                                patient_id_view(&p->id), (struct view){0},
                                p->learned, c.created_ms));
    TRY(store_contact_put(txn, &c));
    TRY(note_contact(txn, &c.id));
    p->contact = c.id;
    p->has_contact = true;
out:
    store_contact_clear(&c);
    return e;
}

/*
 * Write: who was invited has joined.  If the contact had another key, this one
 * replaces it, which people are told: the two have to compare.
 */
static enum err
bind_contact(struct store_txn *txn, struct node_desk *desk,
             const struct store_invite *i, struct store_patient *p)
{
    enum err e;
    struct store_contact c = {0};
    struct store_event ev = {.kind = NODE_EVENT_IDENTITY};

    TRY(store_contact_get(txn, &i->contact, &c));
    p->replaces =
        store_contact_ident(&c, STORE_IDENT_PATIENT, (struct view){0}) != NULL;
    e = store_contact_add_ident(desk->mem, &c, STORE_IDENT_PATIENT,
                                patient_id_view(&p->id), (struct view){0},
                                p->learned, store_now_ms(store_txn_store(txn)));
    if (e != OK && e != ERR_EXISTS) {
        goto out;
    }
    c.changed_ms = store_now_ms(store_txn_store(txn));
    TRY(store_contact_put(txn, &c));
    TRY(note_contact(txn, &c.id));
    p->contact = c.id;
    p->has_contact = true;
    if (p->replaces) {
        ev.a = contact_id_view(&c.id);
        ev.b = patient_id_view(&p->id);
        TRY(store_journal_append(txn, &ev, NULL));
    }
out:
    store_contact_clear(&c);
    return e;
}

/* Write: an invitation changed: journal, and the audit row of who did it. */
static enum err
note_invite(struct store_txn *txn, const struct store_invite *i,
            const struct store_actor *actor)
{
    enum err e;
    struct store_event ev = {.kind = NODE_EVENT_INVITE, .n = i->state};
    struct store_audit row = {.action = NODE_AUDIT_INVITE, .n = i->state};

    ev.a = link_id_view(&i->link);
    ev.b = contact_id_view(&i->contact);
    row.actor = *actor;
    row.object = ev.a;
    TRY(store_invite_put(txn, i));
    TRY(store_journal_append(txn, &ev, NULL));
    TRY(store_audit_append(txn, &row));
out:
    return e;
}

/*
 * Write: they came by this link.  If it is an invitation, it is used up now,
 * and its contact is theirs unless they have one already: then both stay, and
 * people may link them.
 */
static enum err
use_invite(struct store_txn *txn, struct node_desk *desk,
           const struct link_id *link, struct store_patient *p)
{
    enum err e;
    struct store_invite i = {0};
    struct store_actor actor = store_actor_patient(&p->id);

    e = store_invite_get(txn, link, &i);
    if (e != OK || i.state == STORE_INVITE_JOINED) {
        e = e == ERR_MISSING ? OK : e;
        goto out;
    }
    i.state = STORE_INVITE_JOINED;
    i.has_patient = true;
    i.patient = p->id;
    i.changed_ms = store_now_ms(store_txn_store(txn));
    if (!p->has_contact) {
        TRY(bind_contact(txn, desk, &i, p));
    }
    TRY(note_invite(txn, &i, &actor));
out:
    store_invite_clear(&i);
    return e;
}

/* Write: the contact says how the key was learned, as it is now. */
static enum err
set_learned(struct store_txn *txn, const struct store_patient *p)
{
    enum err e;
    struct store_contact c = {0};
    struct store_ident *i;

    TRY(store_contact_get(txn, &p->contact, &c));
    i = store_contact_ident(&c, STORE_IDENT_PATIENT, patient_id_view(&p->id));
    if (i != NULL && i->learned != p->learned) {
        i->learned = p->learned;
        TRY(store_contact_put(txn, &c));
        TRY(note_contact(txn, &c.id));
    }
out:
    store_contact_clear(&c);
    return e;
}

enum err
node_desk_patient_get(struct store_txn *txn, struct node_desk *desk,
                      const struct patient_id *id, struct store_patient *out)
{
    enum err e;
    struct store_patient p = {.id = *id, .state = STORE_PATIENT_KNOWN};

    e = store_patient_get(txn, id, out);
    if (e != ERR_MISSING) {
        return e;
    }
    p.created_ms = store_now_ms(store_txn_store(txn));
    p.changed_ms = p.created_ms;
    TRY(new_contact(txn, desk, &p));
    TRY(store_patient_put(txn, &p));
    *out = p;
    memset(&p, 0, sizeof(p));
out:
    store_patient_clear(&p);
    return e;
}

/* -------------------------------------------------------------------- shows
 */

/* What PATIENT says, put into the record. */
static enum err
take_show(const struct mem *mem, const struct fed_show *show,
          struct store_patient *p)
{
    enum err e = OK;

    p->learned = learned_of(show->code);
    p->generation = show->value;
    p->has_introducer = !clinic_id_is_zero(&show->peer);
    p->introducer = show->peer;
    memcpy(p->delivery.b, show->other.b, sizeof(p->delivery.b));
    if (!link_id_is_zero(&show->link)) {
        p->has_link = true;
        p->link = show->link;
    }
    if (show->body.len > 0) {
        struct phi claim = {0};

        TRY(phi_from(mem, view_of(&show->body), &claim));
        phi_free(&p->claim);
        p->claim = claim;
    }
    if (p->learned == STORE_LEARNED_COMPARED) {
        p->replaces = false;
    }
out:
    return e == ERR_FORMAT ? OK : e; /* no words: no name */
}

enum err
node_desk_patient(struct store_txn *txn, struct node_desk *desk,
                  const struct fed_show *show)
{
    enum err e;
    struct patient_id id = patient_of(show->author.b);
    struct store_patient p = {0};

    e = store_patient_get(txn, &id, &p);
    if (e == ERR_MISSING) {
        p.id = id;
        p.state = STORE_PATIENT_KNOWN;
        p.created_ms = store_now_ms(store_txn_store(txn));
        e = OK;
    }
    TRY(e);
    TRY(take_show(desk->mem, show, &p));
    p.changed_ms = store_now_ms(store_txn_store(txn));
    if (!link_id_is_zero(&show->link)) {
        TRY(use_invite(txn, desk, &show->link, &p));
    }
    if (!p.has_contact) {
        TRY(new_contact(txn, desk, &p));
    }
    TRY(set_learned(txn, &p));
    TRY(store_patient_put(txn, &p));
    if (show->body.len > 0) { /* the contact may be older than the name */
        TRY(node_desk_patient_named(txn, desk->mem, &id, view_of(&show->body)));
    }
    TRY(node_desk_event(txn, NODE_EVENT_PATIENT, patient_id_view(&p.id),
                        (uint64_t)p.state));
out:
    store_patient_clear(&p);
    return e;
}

static enum store_patient_state
state_of(const struct fed_show *show, enum store_patient_state before)
{
    switch (show->code) {
    case PROTO_STANCE_REVIEW:
        return STORE_PATIENT_ASKS;
    case PROTO_STANCE_GRANTED:
        return show->value == PROTO_STANCE_ENDED ? STORE_PATIENT_ENDED
                                                 : STORE_PATIENT_JOINED;
    case PROTO_STANCE_REFUSED:
    case PROTO_STANCE_ENDED:
        return before == STORE_PATIENT_BLOCKED ? before : STORE_PATIENT_ENDED;
    default:
        return STORE_PATIENT_KNOWN;
    }
}

enum err
node_desk_patient_party(struct store_txn *txn, struct node_desk *desk,
                        const struct fed_show *show)
{
    enum err e;
    struct patient_id id = patient_of(show->peer.b);
    struct store_patient p = {0};
    struct store_audit row = {.action = NODE_AUDIT_PATIENT};
    enum store_patient_state before;

    if (store_patient_has(txn, &id) == ERR_MISSING &&
        !link_id_is_zero(&show->link)) {
        /* what comes by an invitation is its contact's: before any other */
        p.id = id;
        p.learned = show->verified ? STORE_LEARNED_SCANNED : STORE_LEARNED_LINK;
        p.created_ms = store_now_ms(store_txn_store(txn));
        p.has_link = true;
        p.link = show->link;
        TRY(use_invite(txn, desk, &show->link, &p));
        if (!p.has_contact) {
            TRY(new_contact(txn, desk, &p));
        }
    } else {
        TRY(node_desk_patient_get(txn, desk, &id, &p));
    }
    before = p.state;
    p.state = state_of(show, before);
    p.changed_ms = store_now_ms(store_txn_store(txn));
    TRY(store_patient_put(txn, &p));
    if (p.state == before) {
        goto out;
    }
    TRY(node_desk_event(txn,
                        p.state == STORE_PATIENT_ASKS ? NODE_EVENT_REQUEST
                                                      : NODE_EVENT_PATIENT,
                        patient_id_view(&id), (uint64_t)p.state));
    row.actor = store_actor_patient(&id);
    row.object = patient_id_view(&id);
    row.n = (uint64_t)p.state;
    TRY(store_audit_append(txn, &row));
out:
    store_patient_clear(&p);
    return e;
}

/* Write: a wrong date of birth; after the last try the link is dead. */
enum err
node_desk_birth_wrong(struct store_txn *txn, const struct fed_show *show)
{
    enum err e;
    struct store_invite i = {0};
    struct store_actor actor = store_actor_system();

    e = store_invite_get(txn, &show->link, &i);
    if (e != OK) {
        return e == ERR_MISSING ? OK : e;
    }
    i.tries = show->value > UINT8_MAX ? UINT8_MAX : (uint8_t)show->value;
    i.changed_ms = store_now_ms(store_txn_store(txn));
    if (i.tries == 0 && i.state == STORE_INVITE_OPEN) {
        i.state = STORE_INVITE_DEAD;
    }
    TRY(note_invite(txn, &i, &actor));
out:
    store_invite_clear(&i);
    return e;
}

enum err
node_desk_devices(struct store_txn *txn, struct node_desk *desk,
                  const struct fed_show *show)
{
    enum err e;
    struct patient_id id = patient_of(show->author.b);
    struct store_patient p = {0};
    struct store_event ev = {.kind = NODE_EVENT_DEVICES, .n = show->code};
    struct store_audit row = {.action = NODE_AUDIT_DEVICES, .n = show->code};

    TRY(node_desk_patient_get(txn, desk, &id, &p));
    if (show->code == FED_DEVICES_NEW || show->code == FED_DEVICES_ALARM) {
        p.alarm = show->code == FED_DEVICES_ALARM;
        p.generation = show->value;
        p.changed_ms = store_now_ms(store_txn_store(txn));
        TRY(store_patient_put(txn, &p));
    }
    ev.a = patient_id_view(&id);
    ev.b = view_make(show->message.b, sizeof(show->message.b));
    TRY(store_journal_append(txn, &ev, NULL));
    row.actor = store_actor_patient(&id);
    row.object = ev.a;
    TRY(store_audit_append(txn, &row));
out:
    store_patient_clear(&p);
    return e;
}

/* ----------------------------------------------------------------- consents
 */

/* Who said it: the asker or the desk, or the patient. */
static void
speaker(const struct fed_show *show, struct subject_id *out)
{
    if (show->code == FED_CONSENT_ASKED || show->code == FED_CONSENT_DESK) {
        memcpy(out->b, show->peer.b, sizeof(out->b));
    } else {
        *out = show->author;
    }
}

enum err
node_desk_consent(struct store_txn *txn, struct node_desk *desk,
                  const struct fed_show *show)
{
    enum err e;
    struct store_patient p = {0};
    struct store_conv conv = {0};
    struct store_consent c = {.code = (uint16_t)show->code};
    struct store_event ev = {.kind = NODE_EVENT_CONSENT, .n = show->code};
    struct fed_show said = *show; /* its body stays show's */
    struct hash32 hash;

    if (show->seq == 0 && show->code != FED_CONSENT_ASKED) {
        return OK; /* ours, on its way: shown again in its place */
    }
    c.patient = patient_of(show->author.b);
    if (show->code == FED_CONSENT_INVALID) {
        e = store_patient_has(txn, &c.patient);
        if (e != OK) { /* whoever said it is no patient */
            return e == ERR_MISSING ? OK : e;
        }
    }
    TRY(node_desk_patient_get(txn, desk, &c.patient, &p));
    TRY(node_desk_conv(txn, &show->thread, &conv));
    prim_sha256(view_of(&show->body), hash.b);
    if (show->code == FED_CONSENT_ASKED) {
        c.id = show->message;
    } else {
        memcpy(c.id.b, hash.b, sizeof(c.id.b));
    }
    if (show->code != FED_CONSENT_INVALID) {
        said.message = c.id;
        speaker(show, &said.author);
        TRY(node_desk_said(txn, desk, &said));
    }
    c.at_ms = show->ts_ms;
    memcpy(c.clinic.b, show->other.b, sizeof(c.clinic.b));
    c.asker = show->peer;
    c.question = show->message;
    c.conv = conv.id;
    if (show->seq != 0) {
        TRY(bytes_copy(desk->mem, view_of(&show->body), &c.content));
        TRY(store_consent_put(txn, &c));
    }
    ev.a = conv_id_view(&conv.id);
    ev.b = patient_id_view(&c.patient);
    TRY(store_journal_append(txn, &ev, NULL));
out:
    store_patient_clear(&p);
    store_conv_clear(&conv);
    store_consent_clear(&c);
    return e;
}

/* ------------------------------------------------------------------- naming
 */

/* The contact of a patient.  ERR_MISSING */
static enum err
load(struct store_txn *txn, const struct patient_id *id,
     struct store_patient *p, struct store_contact *c)
{
    enum err e;

    TRY(store_patient_get(txn, id, p));
    TRY(p->has_contact ? store_contact_get(txn, &p->contact, c) : ERR_MISSING);
out:
    return e;
}

/* Has the contact a name that neither its key nor another clinic gave? */
static enum err
has_own(const struct mem *mem, const struct store_patient *p,
        const struct store_contact *c, bool *out)
{
    enum err e;
    struct view name = proto_phi_reveal(&c->name);
    struct phi plain = {0};

    TRY(plain_name(mem, &p->id, &plain));
    *out = !view_equal(name, proto_phi_reveal(&plain)) &&
           !(p->has_caller && view_equal(name, proto_phi_reveal(&p->called)));
out:
    phi_free(&plain);
    return e;
}

/* Write: the name goes to the contact that has none of its own. */
static enum err
rename_contact(struct store_txn *txn, const struct mem *mem,
               struct store_contact *c, struct view name)
{
    enum err e;

    phi_free(&c->name);
    TRY(phi_from(mem, name, &c->name));
    c->changed_ms = store_now_ms(store_txn_store(txn));
    TRY(store_contact_put(txn, c));
    TRY(note_contact(txn, &c->id));
out:
    return e;
}

/* name as by says; by NULL: as they say themselves. */
static enum err
name_by(struct store_txn *txn, const struct mem *mem,
        const struct patient_id *id, struct view name,
        const struct clinic_id *by)
{
    enum err e;
    struct store_patient p = {0};
    struct store_contact c = {0};
    struct phi called = {0};
    bool own = true;

    TRY(load(txn, id, &p, &c));
    TRY(has_own(mem, &p, &c, &own));
    if (own) {
        goto out;
    }
    TRY(rename_contact(txn, mem, &c, name));
    if (by == NULL && !p.has_caller) {
        goto out;
    }
    TRY(by == NULL ? OK : phi_from(mem, name, &called));
    phi_free(&p.called);
    p.called = called;
    called = (struct phi){0};
    p.has_caller = by != NULL;
    p.caller = by != NULL ? *by : (struct clinic_id){{0}};
    TRY(store_patient_put(txn, &p));
out:
    store_patient_clear(&p);
    store_contact_clear(&c);
    phi_free(&called);
    return e == ERR_MISSING || e == ERR_FORMAT ? OK : e;
}

enum err
node_desk_patient_named(struct store_txn *txn, const struct mem *mem,
                        const struct patient_id *id, struct view name)
{
    return name_by(txn, mem, id, name, NULL);
}

enum err
node_desk_patient_called(struct store_txn *txn, const struct mem *mem,
                         const struct patient_id *id, struct view name,
                         const struct clinic_id *by)
{
    return name_by(txn, mem, id, name, by);
}

enum err
node_patient_called(struct store_txn *txn, const struct patient_id *id,
                    const struct mem *mem, struct phi *out)
{
    enum err e;
    struct store_patient p = {0};
    struct store_contact c = {0};
    struct phi plain = {0};

    TRY(load(txn, id, &p, &c));
    TRY(plain_name(mem, id, &plain));
    TRY(view_equal(proto_phi_reveal(&c.name), proto_phi_reveal(&plain))
            ? ERR_MISSING
            : OK);
    TRY(phi_from(mem, proto_phi_reveal(&c.name), out));
out:
    store_patient_clear(&p);
    store_contact_clear(&c);
    phi_free(&plain);
    return e;
}
