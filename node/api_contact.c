/* SPDX-License-Identifier: Apache-2.0 */
/* Contacts: saved people and clinics, with notes that never leave here. */
#include "node/api.h"
#include "node/clinic/desk.h"
#include "node/twins.h"
#include "proto/base/limits.h"

#include <string.h>

enum {
    LINKED_MAX = 64 /* contacts of one person */
};

static const char *const kinds[STORE_CONTACT_KIND_COUNT_] = {
    [STORE_CONTACT_UNKNOWN] = "unknown",
    [STORE_CONTACT_PATIENT] = "patient",
    [STORE_CONTACT_CLINIC] = "clinic",
    [STORE_CONTACT_PROFESSIONAL] = "professional",
};

static const char *const idents[STORE_IDENT_KIND_COUNT_] = {
    [STORE_IDENT_PHONE] = "phone",       [STORE_IDENT_EMAIL] = "email",
    [STORE_IDENT_FAX] = "fax",           [STORE_IDENT_ADDRESS] = "address",
    [STORE_IDENT_EXTERNAL] = "external", [STORE_IDENT_CLINIC] = "clinic",
    [STORE_IDENT_PATIENT] = "patient",   [STORE_IDENT_INVITE] = NULL,
};

static const char *const learned[STORE_LEARNED_COUNT_] = {
    [STORE_LEARNED_NONE] = "",
    [STORE_LEARNED_LINK] = "by link",
    [STORE_LEARNED_SCANNED] = "scanned",
    [STORE_LEARNED_INTRODUCED] = "introduced",
    [STORE_LEARNED_COMPARED] = "compared",
};

/* ----------------------------------------------------------------- showing */

static void
show_ident(const struct store_ident *i, json_t *list)
{
    json_t *o = idents[i->kind] == NULL ? NULL : node_json_item(list);
    bool key = i->kind == STORE_IDENT_CLINIC || i->kind == STORE_IDENT_PATIENT;

    if (o == NULL) {
        return;
    }
    node_json_view(o, "kind", view_str(idents[i->kind]));
    if (key) {
        node_json_hex(o, "value", view_of(&i->value));
        node_json_view(o, "learned", view_str(learned[i->learned]));
    } else {
        node_json_view(o, "value", view_of(&i->value));
    }
}

/* Whether a patient has the app. */
static const char *
app_word(const struct store_contact *contact)
{
    const char *word = "not invited";

    for (size_t i = 0; i < contact->idents_len; i++) {
        if (contact->idents[i].kind == STORE_IDENT_PATIENT) {
            return "joined";
        }
        if (contact->idents[i].kind == STORE_IDENT_INVITE) {
            word = "invited";
        }
    }
    return word;
}

static void
show_idents(const struct store_contact *contact, json_t *list)
{
    for (size_t i = 0; i < contact->idents_len; i++) {
        show_ident(&contact->idents[i], list);
    }
}

static void
show_contact(const struct store_contact *contact, json_t *o)
{
    json_t *list = node_json_array(o, "identities");

    node_json_hex(o, "id", contact_id_view(&contact->id));
    node_json_view(o, "name", proto_phi_reveal(&contact->name));
    node_json_view(o, "kind", view_str(kinds[contact->kind]));
    node_json_num(o, "since_ms", contact->created_ms);
    if (contact->kind == STORE_CONTACT_PATIENT) {
        node_json_view(o, "app", view_str(app_word(contact)));
    }
    show_idents(contact, list);
}

static enum err
each_note(void *ctx, const struct store_note *n)
{
    json_t *o = node_json_item(ctx);

    if (o == NULL) {
        return ERR_NOMEM;
    }
    node_json_num(o, "number", n->seq);
    node_json_num(o, "at_ms", n->at_ms);
    node_json_view(o, "text", proto_phi_reveal(&n->text));
    return OK;
}

struct notes {
    struct store_txn *txn;
    json_t *list;
};

/* Conversations stay apart by channel and point at each other here. */
static enum err
each_conv(void *ctx, const struct conv_id *id)
{
    enum err e;
    struct notes *n = ctx;
    struct store_conv conv = {0};
    struct phi title = {0};
    json_t *o = node_json_item(n->list);

    TRY(o == NULL ? ERR_NOMEM : OK);
    TRY(store_conv_get(n->txn, id, &conv));
    node_conv_label(n->txn, &conv, &title);
    node_json_hex(o, "id", conv_id_view(id));
    node_json_view(o, "title", proto_phi_reveal(&title));
    node_json_view(o, "channel",
                   conv.channel == STORE_CHANNEL_SECURE ? VIEW_LIT("secure")
                                                        : VIEW_LIT("standard"));
    node_json_bool(o, "closed", (conv.flags & STORE_CONV_CLOSED) != 0);
out:
    store_conv_clear(&conv);
    phi_free(&title);
    return e;
}

/* A contact and those that were linked into it, also by way of another. */
struct person {
    struct contact_id ids[LINKED_MAX];
    size_t len;
};

static enum err
each_merged(void *ctx, const struct contact_id *from)
{
    struct person *p = ctx;

    if (p->len < LINKED_MAX) {
        p->ids[p->len++] = *from;
    }
    return OK;
}

/* All that is kept of the person, under whichever of its contacts. */
static enum err
show_person(struct store_txn *txn, const struct contact_id *id, json_t *o)
{
    enum err e = OK;
    struct person p = {.ids = {*id}, .len = 1};
    struct notes notes = {txn, node_json_array(o, "notes")};
    struct notes convs = {txn, node_json_array(o, "conversations")};
    struct store_contact other = {0};

    for (size_t i = 0; i < p.len; i++) {
        TRY(store_contact_notes(txn, &p.ids[i], each_note, notes.list));
        TRY(store_conv_by_contact(txn, &p.ids[i], false, each_conv, &convs));
        TRY(store_contact_merged(txn, &p.ids[i], each_merged, &p));
        if (i > 0) {
            TRY(store_contact_get(txn, &p.ids[i], &other));
            show_idents(&other, json_object_get(o, "identities"));
            if (strcmp(app_word(&other), "joined") == 0) {
                node_json_view(o, "app", VIEW_LIT("joined"));
            }
            store_contact_clear(&other);
        }
    }
out:
    store_contact_clear(&other);
    return e;
}

/* Who saw what: a contact, or how many. */
struct shown {
    struct node_call *c;
    enum node_audit action;
    const struct contact_id *id;
    uint64_t n;
};

static enum err
write_shown(void *ctx, struct store_txn *txn)
{
    const struct shown *s = ctx;

    return node_audit_member(
        txn, s->c->api, s->action,
        s->id == NULL ? (struct view){0} : contact_id_view(s->id), s->n);
}

enum err
node_cmd_contact_show(struct node_call *c)
{
    enum err e;
    struct store_txn *txn = NULL;
    struct store_contact contact = {0};
    struct shown shown;

    TRY(store_read_begin(c->api->store, &txn));
    TRY(node_find_contact(c, txn, node_call_arg(c, 0), &contact));
    show_contact(&contact, c->out);
    TRY(show_person(txn, &contact.id, c->out));
    TRY(node_twins(txn, &contact, false, c->out));
    store_read_end(txn);
    txn = NULL;
    shown = (struct shown){c, NODE_AUDIT_CONTACT_READ, &contact.id, 0};
    TRY(store_write(c->api->store, write_shown, &shown, STORE_JOB_FREES));
out:
    store_read_end(txn);
    store_contact_clear(&contact);
    return e;
}

static enum err
each_found(void *ctx, const struct store_contact *contact)
{
    json_t *o = node_json_item(ctx);

    if (o == NULL) {
        return ERR_NOMEM;
    }
    show_contact(contact, o);
    return OK;
}

enum err
node_cmd_contact_find(struct node_call *c)
{
    enum err e;
    struct store_txn *txn = NULL;
    json_t *list = node_json_array(c->out, "contacts");
    struct shown shown = {c, NODE_AUDIT_CONTACT_FIND, NULL, 0};

    TRY(store_read_begin(c->api->store, &txn));
    TRY(store_contact_find(txn, node_call_arg(c, 0), NULL, 1000, each_found,
                           list));
    store_read_end(txn);
    txn = NULL;
    shown.n = json_array_size(list);
    TRY(store_write(c->api->store, write_shown, &shown, STORE_JOB_FREES));
out:
    store_read_end(txn);
    return e;
}

/* ---------------------------------------------------------------- changing */

struct edit {
    struct node_call *c;
    struct store_contact contact;
    bool has_clinic;
    struct clinic_id clinic;
    struct view note;
};

static enum err
set_kind(struct node_call *c, struct store_contact *contact)
{
    struct view v = node_call_flag(c, "kind");

    for (size_t i = STORE_CONTACT_PATIENT;
         v.len > 0 && i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (view_equal(v, view_str(kinds[i]))) {
            contact->kind = (enum store_contact_kind)i;
            return OK;
        }
    }
    return v.len == 0 ? OK
                      : node_call_fail(c, ERR_INVALID,
                                       "--kind is patient, clinic or "
                                       "professional.");
}

static enum err
set_ident(struct node_call *c, struct store_contact *contact, const char *flag,
          enum store_ident_kind kind)
{
    struct view v = node_call_flag(c, flag);
    enum err e;

    if (v.len == 0) {
        return OK;
    }
    if (v.len > LIMIT_PHI_SHORT) {
        return node_call_fail(c, ERR_LIMIT,
                              "--%s is too long: %d bytes at most.", flag,
                              (int)LIMIT_PHI_SHORT);
    }
    e = store_contact_add_ident(c->api->mem, contact, kind, v, (struct view){0},
                                STORE_LEARNED_NONE,
                                store_now_ms(c->api->store));
    return e == ERR_EXISTS ? OK : e;
}

/* What the flags say, put into the contact. */
static enum err
from_flags(struct node_call *c, struct edit *ed, struct view name)
{
    enum err e = OK;
    struct store_txn *txn = NULL;
    struct store_clinic clinic = {0};

    if (name.len > IDENT_NAME_MAX) {
        return node_call_fail(c, ERR_LIMIT,
                              "The name is too long: %d bytes at most.",
                              IDENT_NAME_MAX);
    }
    if (name.len > 0) {
        phi_free(&ed->contact.name);
        TRY(phi_from(c->api->mem, name, &ed->contact.name));
    }
    TRY(set_kind(c, &ed->contact));
    TRY(set_ident(c, &ed->contact, "phone", STORE_IDENT_PHONE));
    TRY(set_ident(c, &ed->contact, "email", STORE_IDENT_EMAIL));
    if (node_call_has(c, "clinic")) {
        TRY(store_read_begin(c->api->store, &txn));
        TRY(node_find_clinic(c, txn, node_call_flag(c, "clinic"), &clinic));
        ed->clinic = clinic.id;
        ed->has_clinic = true;
    }
    ed->contact.changed_ms = store_now_ms(c->api->store);
out:
    store_read_end(txn);
    store_clinic_clear(&clinic);
    return e;
}

/*
 * Write: the saved contact stands for the connected clinic from now on; the
 * contact that came with the connection is merged into it, and can be taken
 * apart again.
 */
static enum err
join_clinic(struct store_txn *txn, struct edit *ed)
{
    enum err e;
    struct store_clinic clinic = {0};
    struct contact_id before;
    bool merge;

    TRY(store_clinic_get(txn, &ed->clinic, &clinic));
    before = clinic.contact;
    merge = clinic.has_contact && !contact_id_equal(&before, &ed->contact.id);
    e = store_contact_add_ident(ed->c->api->mem, &ed->contact,
                                STORE_IDENT_CLINIC, clinic_id_view(&clinic.id),
                                (struct view){0}, clinic.learned,
                                ed->contact.changed_ms);
    if (e != OK && e != ERR_EXISTS) {
        goto out;
    }
    ed->contact.kind = STORE_CONTACT_CLINIC;
    TRY(store_contact_put(txn, &ed->contact));
    if (merge) {
        e = store_contact_merge(txn, &before, &ed->contact.id);
        if (e != OK && e != ERR_EXISTS) {
            goto out;
        }
    }
    clinic.has_contact = true;
    clinic.contact = ed->contact.id;
    TRY(store_clinic_put(txn, &clinic));
out:
    store_clinic_clear(&clinic);
    return e;
}

static enum err
write_edit(void *ctx, struct store_txn *txn)
{
    enum err e;
    struct edit *ed = ctx;

    TRY(store_contact_put(txn, &ed->contact));
    if (ed->has_clinic) {
        TRY(join_clinic(txn, ed));
    }
    TRY(node_desk_event(txn, NODE_EVENT_CONTACT,
                        contact_id_view(&ed->contact.id), 0));
    TRY(node_audit_member(txn, ed->c->api, NODE_AUDIT_CONTACT,
                          contact_id_view(&ed->contact.id), 0));
out:
    return e;
}

enum err
node_cmd_contact_add(struct node_call *c)
{
    enum err e;
    struct edit ed = {.c = c};
    struct store_txn *txn = NULL;

    ed.contact.kind = STORE_CONTACT_PROFESSIONAL;
    ed.contact.created_ms = store_now_ms(c->api->store);
    TRY(store_random(c->api->store, ed.contact.id.b, sizeof(ed.contact.id.b)));
    if (node_call_arg(c, 0).len == 0) {
        TRY(node_call_fail(c, ERR_INVALID, "A contact needs a name."));
    }
    TRY(from_flags(c, &ed, node_call_arg(c, 0)));
    TRY(store_write(c->api->store, write_edit, &ed, 0));
    show_contact(&ed.contact, c->out);
    TRY(store_read_begin(c->api->store, &txn));
    TRY(node_twins(txn, &ed.contact, false, c->out));
out:
    store_read_end(txn);
    store_contact_clear(&ed.contact);
    return e;
}

static enum err
find(struct node_call *c, struct store_contact *out)
{
    struct store_txn *txn = NULL;
    enum err e;

    TRY(store_read_begin(c->api->store, &txn));
    TRY(node_find_contact(c, txn, node_call_arg(c, 0), out));
out:
    store_read_end(txn);
    return e;
}

/* A change that changes nothing is a mistake. */
static enum err
says_what(struct node_call *c)
{
    static const char *const flags[] = {"name", "kind", "phone", "email",
                                        "clinic"};
    bool any = false;

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        any = any || node_call_has(c, flags[i]);
    }
    if (any &&
        (!node_call_has(c, "name") || node_call_flag(c, "name").len > 0)) {
        return OK;
    }
    return node_call_fail(c, ERR_INVALID,
                          "Say what to change, and to what: --name NAME, "
                          "--kind, --phone, --email or --clinic.");
}

enum err
node_cmd_contact_edit(struct node_call *c)
{
    enum err e;
    struct edit ed = {.c = c};

    TRY(find(c, &ed.contact));
    TRY(says_what(c));
    TRY(from_flags(c, &ed, node_call_flag(c, "name")));
    TRY(store_write(c->api->store, write_edit, &ed, 0));
    show_contact(&ed.contact, c->out);
out:
    store_contact_clear(&ed.contact);
    return e;
}

static enum err
write_note(void *ctx, struct store_txn *txn)
{
    enum err e;
    struct edit *ed = ctx;
    struct store_note n = {0};

    n.at_ms = store_now_ms(store_txn_store(txn));
    n.actor = store_actor_member(&ed->c->api->member);
    TRY(phi_from(store_txn_mem(txn), ed->note, &n.text));
    TRY(store_contact_note_add(txn, &ed->contact.id, &n));
    TRY(node_desk_event(txn, NODE_EVENT_CONTACT,
                        contact_id_view(&ed->contact.id), 0));
    TRY(node_audit_member(txn, ed->c->api, NODE_AUDIT_NOTE,
                          contact_id_view(&ed->contact.id), 0));
out:
    phi_free(&n.text);
    return e;
}

enum err
node_cmd_contact_note(struct node_call *c)
{
    enum err e;
    struct edit ed = {.c = c, .note = node_call_arg(c, 1)};

    if (ed.note.len == 0 || ed.note.len > LIMIT_PHI_LONG) {
        return node_call_fail(c, ERR_INVALID, "A note has 1 to %u bytes.",
                              LIMIT_PHI_LONG);
    }
    TRY(find(c, &ed.contact));
    TRY(store_write(c->api->store, write_note, &ed, 0));
    node_json_hex(c->out, "id", contact_id_view(&ed.contact.id));
    node_json_view(c->out, "name", proto_phi_reveal(&ed.contact.name));
out:
    store_contact_clear(&ed.contact);
    return e;
}
