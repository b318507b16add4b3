/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invitations of patients (decisions F 27): a one-time link for one contact,
 * alone or for a whole panel; all of a panel or nothing.
 *
 * Where it was sent proves nothing.  A date of birth is asked for as well when
 * it is given, and is never enough for earlier history.
 */
#include "node/api.h"
#include "node/invites.h"
#include "node/panel.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NAMED_MAX = 8, /* of one name that are told of */
    SAME_MAX = 64  /* contacts with one telephone number that are looked at */
};

/* ------------------------------------------------- who is known here already
 */

struct known {
    struct store_txn *txn;
    const struct node_panel_row *row;
    const char *what;
};

static bool
same_name(struct view a, struct view b)
{
    return view_equal(a, b);
}

static void
judge_known(struct known *k, const struct contact_id *id)
{
    struct store_contact contact = {0};

    if (store_contact_get(k->txn, id, &contact) == OK &&
        contact.kind == STORE_CONTACT_PATIENT &&
        same_name(proto_phi_reveal(&contact.name), k->row->name)) {
        if (store_contact_ident(&contact, STORE_IDENT_PATIENT,
                                (struct view){0}) != NULL) {
            k->what = "This patient has the app already: write to them.";
        } else if (store_contact_ident(&contact, STORE_IDENT_INVITE,
                                       (struct view){0}) != NULL) {
            k->what = "This patient is invited already: balsam invite resend.";
        } else {
            k->what = "A contact of this name is saved with the same number "
                      "or address: give its id with --contact, or change it.";
        }
    }
    store_contact_clear(&contact);
}

static enum err
look_for(struct known *k, enum store_ident_kind kind, struct view value)
{
    struct contact_id ids[SAME_MAX];
    size_t n = 0;
    enum err e;

    if (value.len == 0 || k->what != NULL) {
        return OK;
    }
    e = store_contact_by_ident(k->txn, kind, value, SAME_MAX, ids, &n);
    for (size_t i = 0; e == OK && i < n; i++) {
        judge_known(k, &ids[i]);
    }
    return e == ERR_MISSING ? OK : e;
}

/* What speaks against inviting row as somebody new, or NULL. */
static enum err
is_known(struct store_txn *txn, const struct node_panel_row *row,
         const char **what)
{
    struct known k = {.txn = txn, .row = row};
    enum err e;

    TRY(look_for(&k, STORE_IDENT_PHONE, row->phone));
    TRY(look_for(&k, STORE_IDENT_EMAIL, row->email));
    *what = k.what;
out:
    return e;
}

/* --contact: a saved contact that nobody has joined as. */
static enum err
take_contact(struct node_call *c, struct store_txn *txn,
             struct store_contact *out)
{
    enum err e;

    TRY(node_find_contact(c, txn, node_call_flag(c, "contact"), out));
    if (out->kind != STORE_CONTACT_PATIENT) {
        TRY(node_call_fail(c, ERR_INVALID,
                           "This contact is not a patient. Clinics get a link: "
                           "balsam link create."));
    }
    if (node_call_has(c, "lost-code")) {
        goto out; /* a new key, which people are told to compare */
    }
    if (store_contact_ident(out, STORE_IDENT_PATIENT, (struct view){0}) !=
        NULL) {
        TRY(node_call_fail(c, ERR_EXISTS,
                           "This patient has the app already: write to "
                           "them. Without phone and recovery code they "
                           "need a new key: --lost-code, then compare."));
    }
    if (store_contact_ident(out, STORE_IDENT_INVITE, (struct view){0}) !=
        NULL) {
        TRY(node_call_fail(c, ERR_EXISTS,
                           "This patient is invited already: balsam invite "
                           "resend."));
    }
out:
    return e;
}

/* -------------------------------------------------------------- one patient
 */

static enum err
invite_one(struct node_invites *b)
{
    struct node_call *c = b->c;
    struct store_txn *txn = NULL;
    struct node_panel_row row = {0};
    const char *what = NULL;
    enum err e;

    row.name = node_call_arg(c, 0);
    row.phone = node_call_flag(c, "phone");
    row.email = node_call_flag(c, "email");
    row.birth = node_call_flag(c, "birth");
    row.purpose = node_call_flag(c, "purpose");
    TRY(node_invites_alloc(b, 1));
    TRY(store_read_begin(c->api->store, &txn));
    if (node_call_has(c, "contact")) {
        TRY(take_contact(c, txn, &b->ones[0].contact));
        row.name = proto_phi_reveal(&b->ones[0].contact.name);
    } else {
        TRY(is_known(txn, &row, &what));
    }
    store_read_end(txn);
    txn = NULL;
    what = what == NULL ? node_panel_judge(&row, store_now_ms(c->api->store))
                        : what;
    if (what != NULL) {
        TRY(node_call_fail(c, ERR_INVALID, "%s", what));
    }
    TRY(node_invites_fill(c, &row, &b->ones[0]));
out:
    store_read_end(txn);
    return e;
}

/* ----------------------------------------------------------------- a panel
 */

struct wrong {
    json_t *lines; /* array of [line, what] */
    struct node_call *c;
};

static void
say_line(void *ctx, uint32_t line, const char *what)
{
    struct wrong *w = ctx;

    if (json_array_size(w->lines) < NODE_PANEL_ROWS) {
        (void)json_array_append_new(
            w->lines, json_sprintf("Line %u: %s", (unsigned)line, what));
    }
}

static enum err
read_file(struct node_call *c, struct bytes *out)
{
    enum err e;
    struct stat st;
    size_t at = 0;

    if (c->files_len != 1 || fstat(c->files[0], &st) != 0 ||
        !S_ISREG(st.st_mode)) {
        return node_call_fail(c, ERR_INVALID, "--file needs a file.");
    }
    if (st.st_size > NODE_PANEL_BYTES) {
        return node_call_fail(c, ERR_LIMIT,
                              "The file is too long. Cut it into parts of at "
                              "most %d patients.",
                              NODE_PANEL_ROWS);
    }
    TRY(bytes_alloc(c->api->mem, (size_t)st.st_size, out));
    while (at < out->len) {
        ssize_t n = pread(c->files[0], out->p + at, out->len - at, (off_t)at);

        if (n <= 0) {
            TRY(node_call_fail(c, ERR_IO, "The file cannot be read."));
        }
        at += (size_t)n;
    }
out:
    return e;
}

/* All that is wrong, as one text with a line for each. */
static enum err
say_wrong(struct node_call *c, const json_t *lines)
{
    size_t i;
    const json_t *line;
    json_t *all = json_string("Nobody was invited.");

    json_array_foreach(lines, i, line)
    {
        json_t *more = json_sprintf("%s\n%s", json_string_value(all),
                                    json_string_value(line));

        json_decref(all);
        all = more;
    }
    json_decref(c->say);
    c->say = all;
    return ERR_INVALID;
}

/* Everybody in the panel is new here; what speaks against it is said. */
static enum err
judge_panel(struct node_call *c, const struct node_panel *p, struct wrong *w)
{
    struct store_txn *txn = NULL;
    enum err e;

    TRY(store_read_begin(c->api->store, &txn));
    for (size_t i = 0; i < p->rows_len; i++) {
        const char *what = NULL;

        TRY(is_known(txn, &p->rows[i], &what));
        if (what != NULL) {
            say_line(w, p->rows[i].line, what);
        }
    }
out:
    store_read_end(txn);
    return e;
}

static enum err
invite_panel(struct node_invites *b)
{
    struct node_call *c = b->c;
    struct bytes csv = {0};
    struct node_panel p = {0};
    struct wrong w = {.lines = json_array(), .c = c};
    struct node_panel_wrong say = {say_line, &w};
    enum err e;

    TRY(w.lines == NULL ? ERR_NOMEM : OK);
    TRY(read_file(c, &csv));
    e = node_panel_read(c->api->mem, view_of(&csv), store_now_ms(c->api->store),
                        &say, &p);
    if (e == OK || e == ERR_INVALID) {
        e = judge_panel(c, &p, &w);
    }
    if (e == ERR_LIMIT) {
        e = node_call_fail(c, e,
                           "The file has too many lines. Cut it into parts of "
                           "at most %d patients.",
                           NODE_PANEL_ROWS);
    }
    if (json_array_size(w.lines) > 0 && e == OK) {
        e = say_wrong(c, w.lines);
    }
    if (e != OK) {
        goto out;
    }
    TRY(node_invites_alloc(b, p.rows_len));
    for (size_t i = 0; i < p.rows_len; i++) {
        TRY(node_invites_fill(c, &p.rows[i], &b->ones[i]));
    }
out:
    json_decref(w.lines);
    node_panel_clear(&p);
    bytes_free(&csv);
    return e;
}

/* ------------------------------------------------------------- the same name
 */

struct named {
    struct store_txn *txn;
    const struct store_contact *of;
    uint64_t now_ms;
    json_t *out;
};

/* The invitation of a contact that nobody has joined as. */
static enum err
invite_of(struct store_txn *txn, const struct store_contact *contact,
          struct store_invite *out)
{
    struct link_id id = {{0}};

    for (size_t i = 0; i < contact->idents_len; i++) {
        const struct store_ident *ident = &contact->idents[i];

        if (ident->kind == STORE_IDENT_INVITE &&
            ident->value.len == sizeof(id.b)) {
            memcpy(id.b, ident->value.p, sizeof(id.b));
            return store_invite_get(txn, &id, out);
        }
    }
    return ERR_MISSING;
}

static enum err
each_named(void *ctx, const struct store_contact *contact)
{
    enum err e = OK;
    const struct named *n = ctx;
    struct store_invite invite = {0};
    struct store_link link = {0};
    json_t *list = json_object_get(n->out, "same_name");
    json_t *o;
    bool invited;

    if (contact->kind != STORE_CONTACT_PATIENT ||
        contact_id_equal(&contact->id, &n->of->id) ||
        !view_equal(proto_phi_reveal(&contact->name),
                    proto_phi_reveal(&n->of->name))) {
        goto out;
    }
    o = node_json_item(list == NULL ? node_json_array(n->out, "same_name")
                                    : list);
    TRY(o == NULL ? ERR_NOMEM : OK);
    node_json_hex(o, "id", contact_id_view(&contact->id));
    node_json_view(o, "name", proto_phi_reveal(&contact->name));
    invited = invite_of(n->txn, contact, &invite) == OK &&
              store_link_get(n->txn, &invite.link, &link) == OK;
    if (invited) {
        node_json_view(o, "state",
                       view_str(node_invite_word(&invite, &link, n->now_ms)));
        node_json_hex(o, "invitation", link_id_view(&invite.link));
        node_json_num(o, "since_ms", invite.created_ms);
    }
out:
    store_invite_clear(&invite);
    store_link_clear(&link);
    return e;
}

/* Who was just invited may be invited already: two people may have one name,
   so the second invitation is made as asked, and the first is said. */
static enum err
invited_already(struct node_call *c, const struct store_contact *of)
{
    enum err e;
    struct named n = {.of = of, .out = c->out};

    n.now_ms = store_now_ms(c->api->store);
    if (!store_has_word(proto_phi_reveal(&of->name))) {
        return OK;
    }
    TRY(store_read_begin(c->api->store, &n.txn));
    e = store_contact_find(n.txn, proto_phi_reveal(&of->name), NULL, NAMED_MAX,
                           each_named, &n);
out:
    store_read_end(n.txn);
    return e;
}

enum err
node_cmd_invite(struct node_call *c)
{
    enum err e;
    struct node_invites b = {.c = c};
    bool file = node_call_has(c, "file");

    if (file && (json_array_size(c->args) > 0 || node_call_has(c, "contact") ||
                 node_call_has(c, "birth") || node_call_has(c, "phone") ||
                 node_call_has(c, "email"))) {
        TRY(node_call_fail(c, ERR_INVALID,
                           "With --file, names and the rest are in the "
                           "file."));
    }
    if (!file && json_array_size(c->args) == 0 &&
        !node_call_has(c, "contact")) {
        TRY(node_call_fail(c, ERR_INVALID,
                           "Whom? Give a name, --contact or --file."));
    }
    TRY(file ? invite_panel(&b) : invite_one(&b));
    TRY(node_invites_apply(&b));
    TRY(node_invites_show(&b));
    TRY(file ? OK : invited_already(c, &b.ones[0].contact));
out:
    node_invites_clear(&b);
    return e;
}
