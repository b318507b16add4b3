/* SPDX-License-Identifier: Apache-2.0 */
#include "node/invites.h"

#include "crypto/ident/profile.h"
#include "node/clinic/desk.h"
#include "store/journal.h"

#include <string.h>

enum {
    BIRTH_TRIES = 5
};

void
node_invites_clear(struct node_invites *b)
{
    for (size_t i = 0; i < b->ones_len; i++) {
        store_contact_clear(&b->ones[i].contact);
        store_link_clear(&b->ones[i].link);
        store_invite_clear(&b->ones[i].invite);
    }
    mem_free(b->c->api->mem, b->ones, b->ones_len * sizeof(*b->ones));
    store_link_clear(&b->old);
    store_invite_clear(&b->before);
}

enum err
node_invites_alloc(struct node_invites *b, size_t n)
{
    b->ones = mem_calloc(b->c->api->mem, n, sizeof(*b->ones));
    b->ones_len = b->ones == NULL ? 0 : n;
    return b->ones == NULL ? ERR_NOMEM : OK;
}

/* ------------------------------------------------------------------- doing
 */

static void
core_link(const struct node_invites_one *o, struct fed_link *out)
{
    node_link_core(&o->link, (struct view){0}, out);
    out->birth = proto_phi_reveal(&o->invite.birth);
}

static enum err
step_batch(void *ctx, struct fed_core *core)
{
    struct node_invites *b = ctx;
    struct fed_link l;
    enum err e = OK;

    for (size_t i = 0; i < b->ones_len && e == OK; i++) {
        core_link(&b->ones[i], &l);
        e = fed_core_link_put(core, &l);
    }
    if (b->resend && e == OK) {
        node_link_core(&b->old, (struct view){0}, &l);
        e = fed_core_link_put(core, &l);
    }
    mem_wipe(&l, sizeof(l));
    return e;
}

static enum err
note(struct store_txn *txn, const struct node_api *api,
     const struct store_invite *i)
{
    enum err e;
    struct store_event ev = {.kind = NODE_EVENT_INVITE, .n = i->state};

    ev.a = link_id_view(&i->link);
    ev.b = contact_id_view(&i->contact);
    TRY(store_journal_append(txn, &ev, NULL));
    TRY(node_audit_member(txn, api, NODE_AUDIT_INVITE, link_id_view(&i->link),
                          i->state));
out:
    return e;
}

static enum err
write_batch(void *ctx, struct store_txn *txn)
{
    enum err e = OK;
    struct node_invites *b = ctx;

    if (b->resend) {
        TRY(store_link_put(txn, &b->old));
        TRY(store_invite_put(txn, &b->before));
        TRY(note(txn, b->c->api, &b->before));
    }
    for (size_t i = 0; i < b->ones_len; i++) {
        struct node_invites_one *o = &b->ones[i];

        TRY(store_contact_put(txn, &o->contact));
        TRY(store_link_put(txn, &o->link));
        TRY(store_invite_put(txn, &o->invite));
        TRY(node_desk_event(txn, NODE_EVENT_CONTACT,
                            contact_id_view(&o->contact.id), 0));
        TRY(note(txn, b->c->api, &o->invite));
    }
out:
    return e;
}

enum err
node_invites_apply(struct node_invites *b)
{
    struct node_step step = {step_batch, write_batch, b, false};

    return node_runner_do(b->c->api->runner, &step);
}

/* ------------------------------------------------------------------ making
 */

/* A new one-time link for contact o, from the flags. */
static enum err
fill_link(struct node_call *c, struct node_invites_one *o)
{
    enum err e;
    struct store *s = c->api->store;
    struct store_link *l = &o->link;

    l->flags = STORE_LINK_ONE_TIME | STORE_LINK_INVITE;
    if (node_call_has(c, "in-person")) {
        l->flags |= STORE_LINK_IN_PERSON;
    }
    l->uses_max = 1;
    l->created_ms = store_now_ms(s);
    l->expires_ms = l->created_ms + NODE_LINK_DAYS * IDENT_DAY_MS;
    if (node_call_has(c, "expires")) {
        TRY(node_call_expiry(c, l->created_ms, &l->expires_ms));
    }
    TRY(store_random(s, l->id.b, sizeof(l->id.b)));
    TRY(store_random(s, l->secret, sizeof(l->secret)));
    TRY(phi_from(c->api->mem, proto_phi_reveal(&o->contact.name), &l->label));
out:
    return e;
}

static enum err
fill_invite(struct node_call *c, const struct node_panel_row *row,
            struct node_invites_one *o)
{
    enum err e;
    const struct mem *mem = c->api->mem;
    struct store_invite *i = &o->invite;

    i->link = o->link.id;
    i->contact = o->contact.id;
    i->state = STORE_INVITE_OPEN;
    i->tries = BIRTH_TRIES;
    i->created_ms = o->link.created_ms;
    i->changed_ms = i->created_ms;
    i->by = store_actor_member(&c->api->member);
    TRY(phi_from(mem, row->purpose, &i->purpose));
    TRY(phi_from(mem, row->phone, &i->phone));
    TRY(phi_from(mem, row->email, &i->email));
    TRY(phi_from(mem, row->birth, &i->birth));
out:
    return e;
}

/* What staff typed; it is found by it, and it proves nothing. */
static enum err
add_typed(struct node_call *c, struct store_contact *contact,
          enum store_ident_kind kind, struct view value)
{
    enum err e = OK;

    if (value.len > 0) {
        e = store_contact_add_ident(c->api->mem, contact, kind, value,
                                    (struct view){0}, STORE_LEARNED_NONE,
                                    store_now_ms(c->api->store));
    }
    return e == ERR_EXISTS ? OK : e;
}

/* The contact is known by its newest invitation alone. */
static enum err
set_ident(struct node_call *c, struct node_invites_one *o)
{
    struct store_ident *i =
        store_contact_ident(&o->contact, STORE_IDENT_INVITE, (struct view){0});

    if (i != NULL && i->value.len == sizeof(o->link.id.b)) {
        memcpy(i->value.p, o->link.id.b, sizeof(o->link.id.b));
        i->added_ms = o->link.created_ms;
        return OK;
    }
    return store_contact_add_ident(c->api->mem, &o->contact, STORE_IDENT_INVITE,
                                   link_id_view(&o->link.id), (struct view){0},
                                   STORE_LEARNED_NONE, o->link.created_ms);
}

enum err
node_invites_fill(struct node_call *c, const struct node_panel_row *row,
                  struct node_invites_one *o)
{
    enum err e;
    struct store_contact *contact = &o->contact;
    uint64_t now = store_now_ms(c->api->store);

    if (contact_id_is_zero(&contact->id)) {
        contact->kind = STORE_CONTACT_PATIENT;
        contact->created_ms = now;
        TRY(store_random(c->api->store, contact->id.b, sizeof(contact->id.b)));
        TRY(phi_from(c->api->mem, row->name, &contact->name));
    }
    contact->changed_ms = now;
    TRY(add_typed(c, contact, STORE_IDENT_PHONE, row->phone));
    TRY(add_typed(c, contact, STORE_IDENT_EMAIL, row->email));
    TRY(fill_link(c, o));
    TRY(set_ident(c, o));
    TRY(fill_invite(c, row, o));
out:
    return e;
}

/* ----------------------------------------------------------------- showing
 */

const char *
node_invite_word(const struct store_invite *i, const struct store_link *l,
                 uint64_t now_ms)
{
    static const char *const words[STORE_INVITE_STATE_COUNT_] = {
        [STORE_INVITE_OPEN] = "invited",
        [STORE_INVITE_JOINED] = "joined",
        [STORE_INVITE_REVOKED] = "revoked",
        [STORE_INVITE_REPLACED] = "replaced",
        [STORE_INVITE_DEAD] = "locked", /* the date of birth was wrong */
    };

    if (i->state == STORE_INVITE_OPEN && l->expires_ms != 0 &&
        now_ms > l->expires_ms) {
        return "expired";
    }
    return words[i->state];
}

void
node_invite_show(const struct node_api *api,
                 const struct store_contact *contact,
                 const struct store_invite *i, const struct store_link *l,
                 json_t *o)
{
    node_json_hex(o, "id", link_id_view(&i->link));
    node_json_hex(o, "contact", contact_id_view(&i->contact));
    node_json_view(o, "name", proto_phi_reveal(&contact->name));
    node_json_view(o, "state",
                   view_str(node_invite_word(i, l, store_now_ms(api->store))));
    node_json_bool(o, "in_person", (l->flags & STORE_LINK_IN_PERSON) != 0);
    node_json_num(o, "created_ms", i->created_ms);
    node_json_num(o, "expires_ms", l->expires_ms);
    node_json_view(o, "purpose", proto_phi_reveal(&i->purpose));
    node_json_view(o, "phone", proto_phi_reveal(&i->phone));
    node_json_view(o, "email", proto_phi_reveal(&i->email));
    node_json_bool(o, "birth_asked", phi_len(&i->birth) > 0);
    if (phi_len(&i->birth) > 0) {
        node_json_num(o, "tries", i->tries);
    }
    if (i->has_next) {
        node_json_hex(o, "next", link_id_view(&i->next));
    }
    if (i->has_patient) {
        node_json_hex(o, "patient", patient_id_view(&i->patient));
    }
}

/* What is handed over: words and link. */
static enum err
show_one(struct node_call *c, const struct node_invites_one *o, json_t *into)
{
    enum err e;
    struct bytes text = {0};

    TRY(node_link_text(c->api, &o->link, &text));
    node_invite_show(c->api, &o->contact, &o->invite, &o->link, into);
    node_json_view(into, "link", view_of(&text));
out:
    bytes_free(&text);
    return e;
}

/* Whose invitation it is, for what is printed. */
static void
show_clinic(struct node_call *c)
{
    struct node_api *api = c->api;

    node_json_own_name(c->out, "clinic", api);
    (void)pthread_mutex_lock(&api->self_mx);
    node_json_view(c->out, "clinic_address",
                   proto_phi_reveal(&api->profile.address));
    node_json_view(c->out, "clinic_phone",
                   proto_phi_reveal(&api->profile.phone));
    (void)pthread_mutex_unlock(&api->self_mx);
}

enum err
node_invites_show(struct node_invites *b)
{
    json_t *list = node_json_array(b->c->out, "invitations");
    enum err e = OK;

    show_clinic(b->c);
    for (size_t i = 0; i < b->ones_len && e == OK; i++) {
        json_t *o = node_json_item(list);

        e = o == NULL ? ERR_NOMEM : show_one(b->c, &b->ones[i], o);
    }
    return e;
}
