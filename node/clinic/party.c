/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ident/profile.h"
#include "node/clinic/desk.h"
#include "node/clinic/event.h"
#include "node/clinic/picture.h"
#include "store/audit.h"
#include "store/contact.h"
#include "store/journal.h"

#include <stdio.h>
#include <string.h>

enum {
    CONV_SIZE = sizeof(struct conv_id)
};

bool
node_clinic_conv(const struct store_clinic *c, struct conv_id *out)
{
    return conv_id_from(view_of(&c->more), out) == OK;
}

enum err
node_clinic_set_conv(const struct mem *mem, struct store_clinic *c,
                     const struct conv_id *conv)
{
    bytes_free(&c->more);
    return bytes_copy(mem, conv_id_view(conv), &c->more);
}

/* Signed and verified when it came; its time no longer matters. */
static enum err
open_profile(const struct mem *mem, const struct clinic_id *root,
             struct view signed_profile, struct ident_profile *out)
{
    struct ident_check check = {.root = root};

    if (signed_profile.len == 0) {
        return ERR_MISSING;
    }
    return ident_profile_open(mem, signed_profile, &check, out);
}

enum err
node_clinic_name(const struct mem *mem, const struct store_clinic *c,
                 struct phi *out)
{
    enum err e;
    struct ident_profile p;

    TRY(open_profile(mem, &c->id, view_of(&c->profile), &p));
    TRY(phi_from(mem, p.name, out));
out:
    return e;
}

/* What a clinic is called until its profile comes. */
static enum err
plain_name(const struct mem *mem, const struct clinic_id *root, struct phi *out)
{
    char text[32];
    char hex[PROTO_HEX_MAX + 1];

    proto_hex(clinic_id_view(root), hex);
    (void)snprintf(text, sizeof(text), "Clinic %.8s", hex);
    return phi_from(mem, view_str(text), out);
}

static enum err
shown_name(const struct mem *mem, const struct store_clinic *c, struct phi *out)
{
    enum err e = node_clinic_name(mem, c, out);

    return e == ERR_MISSING ? plain_name(mem, &c->id, out) : e;
}

/* Write: give the clinic a contact, an existing one with its key if any. */
static enum err
ensure_contact(struct store_txn *txn, struct node_desk *desk,
               struct store_clinic *c)
{
    enum err e;
    struct store_contact contact = {0};
    size_t found = 0;
    uint64_t now = store_now_ms(store_txn_store(txn));

    e = store_contact_by_ident(txn, STORE_IDENT_CLINIC, clinic_id_view(&c->id),
                               1, &c->contact, &found);
    if (e == OK && found == 1) {
        c->has_contact = true;
        goto out;
    }
    if (e != OK && e != ERR_MISSING) {
        goto out;
    }
    TRY(store_random(store_txn_store(txn), contact.id.b, sizeof(contact.id.b)));
    contact.kind = STORE_CONTACT_CLINIC;
    contact.created_ms = now;
    contact.changed_ms = now;
    TRY(shown_name(desk->mem, c, &contact.name));
    TRY(store_contact_add_ident(desk->mem, &contact, STORE_IDENT_CLINIC,
                                clinic_id_view(&c->id), (struct view){0},
                                c->learned, now));
    TRY(store_contact_put(txn, &contact));
    TRY(node_desk_event(txn, NODE_EVENT_CONTACT, contact_id_view(&contact.id),
                        0));
    c->contact = contact.id;
    c->has_contact = true;
out:
    store_contact_clear(&contact);
    return e;
}

/* Take a profile that came before the clinic was known. */
static enum err
take_early_profile(struct node_desk *desk, struct store_clinic *c)
{
    for (size_t i = 0; i < NODE_DESK_PROFILES; i++) {
        struct node_desk_profile *p = &desk->profiles[i];

        if (p->profile.len > 0 && clinic_id_equal(&p->root, &c->id)) {
            return bytes_copy(desk->mem, view_of(&p->profile), &c->profile);
        }
    }
    return OK;
}

enum err
node_desk_clinic(struct store_txn *txn, struct node_desk *desk,
                 const struct clinic_id *root, struct store_clinic *out)
{
    enum err e;
    struct store_clinic c = {0};

    e = store_clinic_get(txn, root, out);
    if (e != ERR_MISSING) {
        return e;
    }
    c.id = *root;
    c.created_ms = store_now_ms(store_txn_store(txn));
    c.changed_ms = c.created_ms;
    c.mem = desk->mem;
    TRY(take_early_profile(desk, &c));
    TRY(ensure_contact(txn, desk, &c));
    TRY(store_clinic_put(txn, &c));
    *out = c;
    memset(&c, 0, sizeof(c));
out:
    store_clinic_clear(&c);
    return e;
}

/* What our and their stance amount to at the desk. */
static enum store_clinic_state
state_of(const struct fed_show *show, enum store_clinic_state before)
{
    bool over = show->value == PROTO_STANCE_ENDED ||
                show->value == PROTO_STANCE_REFUSED;

    switch (show->code) {
    case PROTO_STANCE_ASKED:
        return show->value == PROTO_STANCE_REFUSED ? STORE_CLINIC_REFUSED
                                                   : STORE_CLINIC_ASKED;
    case PROTO_STANCE_REVIEW:
        return over ? STORE_CLINIC_DISCONNECTED : STORE_CLINIC_ASKS;
    case PROTO_STANCE_GRANTED:
        return over ? STORE_CLINIC_DISCONNECTED : STORE_CLINIC_CONNECTED;
    case PROTO_STANCE_REFUSED:
    case PROTO_STANCE_ENDED:
        return before == STORE_CLINIC_BLOCKED ? before
                                              : STORE_CLINIC_DISCONNECTED;
    case PROTO_STANCE_NONE: /* what we asked has been answered */
        return before == STORE_CLINIC_ASKED || before == STORE_CLINIC_REFUSED
                   ? STORE_CLINIC_REFUSED
                   : STORE_CLINIC_KNOWN;
    default:
        return STORE_CLINIC_KNOWN;
    }
}

/* Write: the peer came to be connected or to ask: journal and audit. */
static enum err
note_state(struct store_txn *txn, const struct store_clinic *c)
{
    enum err e;
    struct store_audit row = {.action = NODE_AUDIT_CONNECTED};

    TRY(node_desk_event(txn,
                        c->state == STORE_CLINIC_ASKS ? NODE_EVENT_REQUEST
                                                      : NODE_EVENT_CLINIC,
                        clinic_id_view(&c->id), (uint64_t)c->state));
    row.actor = store_actor_peer(&c->id);
    row.object = clinic_id_view(&c->id);
    row.n = (uint64_t)c->state;
    TRY(store_audit_append(txn, &row));
out:
    return e;
}

enum err
node_desk_party(struct store_txn *txn, struct node_desk *desk,
                const struct fed_show *show)
{
    enum err e;
    struct store_clinic c = {0};
    enum store_clinic_state state;
    enum store_learned learned;

    TRY(node_desk_clinic(txn, desk, &show->peer, &c));
    state = state_of(show, c.state);
    learned = show->verified ? STORE_LEARNED_SCANNED : STORE_LEARNED_LINK;
    if (c.state == state && c.learned == learned) {
        goto out;
    }
    c.changed_ms = store_now_ms(store_txn_store(txn));
    if (learned > c.learned) {
        c.learned = learned;
    }
    if (!link_id_is_zero(&show->link)) {
        c.has_link = true;
        c.link = show->link;
    }
    if (c.state != state) {
        c.state = state;
        TRY(note_state(txn, &c));
    }
    if (state != STORE_CLINIC_CONNECTED) {
        TRY(node_picture_put(txn, &c.id, (struct view){0}));
    }
    TRY(store_clinic_put(txn, &c));
out:
    store_clinic_clear(&c);
    return e;
}

/* Write: the contact follows the profile while it bears the profile's name. */
static enum err
rename_contact(struct store_txn *txn, struct node_desk *desk,
               const struct store_clinic *c, const struct phi *before)
{
    enum err e;
    struct store_contact contact = {0};
    struct phi name = {0};

    TRY(shown_name(desk->mem, c, &name));
    TRY(store_contact_get(txn, &c->contact, &contact));
    if (!view_equal(proto_phi_reveal(&contact.name),
                    proto_phi_reveal(before))) {
        goto out;
    }
    phi_free(&contact.name);
    contact.name = name;
    name = (struct phi){0};
    contact.changed_ms = store_now_ms(store_txn_store(txn));
    TRY(store_contact_put(txn, &contact));
    TRY(node_desk_event(txn, NODE_EVENT_CONTACT, contact_id_view(&contact.id),
                        0));
out:
    store_contact_clear(&contact);
    phi_free(&name);
    return e;
}

/* Keep the profile of somebody who may become known in a moment. */
static enum err
keep_early(struct node_desk *desk, const struct fed_show *show)
{
    struct node_desk_profile *p = NULL;
    struct bytes copy = {0};
    enum err e;

    for (size_t i = 0; i < NODE_DESK_PROFILES; i++) {
        if (clinic_id_equal(&desk->profiles[i].root, &show->peer)) {
            p = &desk->profiles[i];
        }
    }
    if (p == NULL) {
        p = &desk->profiles[desk->profiles_next++ % NODE_DESK_PROFILES];
    }
    TRY(bytes_copy(desk->mem, view_of(&show->body), &copy));
    bytes_free(&p->profile);
    p->root = show->peer;
    p->profile = copy;
out:
    return e;
}

enum err
node_desk_profile(struct store_txn *txn, struct node_desk *desk,
                  const struct fed_show *show)
{
    enum err e;
    struct store_clinic c = {0};
    struct phi before = {0};

    e = store_clinic_get(txn, &show->peer, &c);
    if (e == ERR_MISSING) {
        return keep_early(desk, show);
    }
    if (e != OK) {
        return e;
    }
    TRY(shown_name(desk->mem, &c, &before));
    bytes_free(&c.profile);
    TRY(bytes_copy(desk->mem, view_of(&show->body), &c.profile));
    c.changed_ms = store_now_ms(store_txn_store(txn));
    TRY(store_clinic_put(txn, &c));
    TRY(node_desk_picture_profile(txn, show));
    if (c.has_contact) {
        TRY(rename_contact(txn, desk, &c, &before));
    }
    TRY(node_desk_event(txn, NODE_EVENT_CLINIC, clinic_id_view(&c.id),
                        (uint64_t)c.state));
out:
    store_clinic_clear(&c);
    phi_free(&before);
    return e;
}

enum err
node_desk_link_used(struct store_txn *txn, const struct fed_show *show)
{
    enum err e;
    struct store_event ev = {.kind = NODE_EVENT_LINK_USED, .n = show->code};
    struct store_audit row = {.action = NODE_AUDIT_LINK_AGAIN};

    ev.a = link_id_view(&show->link);
    ev.b = clinic_id_view(&show->peer);
    if (show->who == FED_KIND_PATIENT && show->code == PROTO_REDEEM_PROOF) {
        return node_desk_birth_wrong(txn, show);
    }
    if (show->code == PROTO_REDEEM_USED) {
        row.actor = store_actor_system();
        row.object = ev.a;
        row.object2 = ev.b;
        TRY(store_audit_append(txn, &row));
    }
    TRY(store_journal_append(txn, &ev, NULL));
out:
    return e;
}
