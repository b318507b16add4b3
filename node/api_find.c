/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding what people call so: by id, by name, by the beginning of a name if
 * only one begins so.
 */
#include "node/api.h"
#include "node/clinic/desk.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* How well something fits; the best single one is taken. */
enum fit {
    FIT_NO,
    FIT_BEGINS_ENDED, /* what has ended gives way to what goes on */
    FIT_BEGINS,
    FIT_WHOLE_ENDED,
    FIT_WHOLE,
    FIT_ID
};

struct best {
    struct view ref;
    enum fit fit;
    size_t count; /* of things that fit as well as that */
};

static bool
begins(struct view text, struct view start)
{
    return start.len > 0 && text.len >= start.len &&
           strncasecmp((const char *)text.p, (const char *)start.p,
                       start.len) == 0;
}

static enum fit
fit_of(struct view ref, struct view id, struct view name)
{
    char hex[PROTO_HEX_MAX + 1];

    proto_hex(id, hex);
    if (ref.len >= 4 && begins(view_str(hex), ref)) {
        return FIT_ID;
    }
    if (begins(name, ref)) {
        return name.len == ref.len ? FIT_WHOLE : FIT_BEGINS;
    }
    return FIT_NO;
}

/* Whether what fits so well is now the best (the first of its kind). */
static bool
is_best(struct best *b, enum fit f)
{
    if (f == FIT_NO || f < b->fit) {
        return false;
    }
    if (f == b->fit) {
        b->count++;
        return false;
    }
    b->fit = f;
    b->count = 1;
    return true;
}

static enum err
judge(struct node_call *c, const struct best *b, const char *what,
      const char *command)
{
    if (b->count == 1) {
        return OK;
    }
    if (b->count == 0) {
        return node_call_fail(c, ERR_MISSING,
                              "There is no %s \"%.*s\". See balsam %s.", what,
                              (int)b->ref.len, (const char *)b->ref.p, command);
    }
    return node_call_fail(
        c, ERR_INVALID,
        "%zu %ss begin with \"%.*s\". Give more of the name, or the id from "
        "balsam %s.",
        b->count, what, (int)b->ref.len, (const char *)b->ref.p, command);
}

/* ----------------------------------------------------------------- clinics */

struct clinic_search {
    struct best best;
    struct store_txn *txn;
    struct clinic_id id;
};

/* By what it is called here, or by what it calls itself. */
static enum err
each_clinic(void *ctx, const struct store_clinic *c)
{
    struct clinic_search *s = ctx;
    struct phi name = {0};
    struct phi own = {0};
    struct view id = clinic_id_view(&c->id);
    enum fit fit;
    enum fit also = FIT_NO;

    node_clinic_label(s->txn, c, &name);
    fit = fit_of(s->best.ref, id, proto_phi_reveal(&name));
    if (node_clinic_name(store_txn_mem(s->txn), c, &own) == OK) {
        also = fit_of(s->best.ref, id, proto_phi_reveal(&own));
    }
    if (is_best(&s->best, also > fit ? also : fit)) {
        s->id = c->id;
    }
    phi_free(&own);
    phi_free(&name);
    return OK;
}

enum err
node_find_clinic(struct node_call *c, struct store_txn *txn, struct view ref,
                 struct store_clinic *out)
{
    enum err e;
    struct clinic_search s = {.best = {.ref = ref}, .txn = txn};

    TRY(store_clinic_list(txn, each_clinic, &s));
    TRY(judge(c, &s.best, "clinic", "clinics"));
    TRY(store_clinic_get(txn, &s.id, out));
out:
    return e;
}

void
node_clinic_label(struct store_txn *txn, const struct store_clinic *c,
                  struct phi *out)
{
    struct store_contact contact = {0};

    if (c->has_contact && store_contact_get(txn, &c->contact, &contact) == OK) {
        *out = contact.name;
        contact.name = (struct phi){0};
    } else {
        ERR_IGNORE(node_clinic_name(store_txn_mem(txn), c, out),
                   "then it is shown by its id");
    }
    store_contact_clear(&contact);
}

/* ---------------------------------------------------------------- patients */

struct patient_search {
    struct best best;
    struct store_txn *txn;
    struct patient_id id;
};

static enum err
each_patient(void *ctx, const struct store_patient *p)
{
    struct patient_search *s = ctx;
    struct phi name = {0};

    node_patient_label(s->txn, p, &name);
    if (is_best(&s->best, fit_of(s->best.ref, patient_id_view(&p->id),
                                 proto_phi_reveal(&name)))) {
        s->id = p->id;
    }
    phi_free(&name);
    return OK;
}

enum err
node_find_patient(struct node_call *c, struct store_txn *txn, struct view ref,
                  struct store_patient *out)
{
    enum err e;
    struct patient_search s = {.best = {.ref = ref}, .txn = txn};

    TRY(store_patient_list(txn, each_patient, &s));
    TRY(judge(c, &s.best, "patient", "patients"));
    TRY(store_patient_get(txn, &s.id, out));
out:
    return e;
}

void
node_patient_label(struct store_txn *txn, const struct store_patient *p,
                   struct phi *out)
{
    struct store_contact contact = {0};
    struct contact_id id;

    if (p->has_contact && store_contact_resolve(txn, &p->contact, &id) == OK &&
        store_contact_get(txn, &id, &contact) == OK) {
        *out = contact.name;
        contact.name = (struct phi){0};
    }
    store_contact_clear(&contact);
}

enum err
node_find_who(struct node_call *c, struct store_txn *txn, struct view ref,
              struct node_who *out)
{
    enum err e;
    struct patient_search p = {.best = {.ref = ref}, .txn = txn};
    struct clinic_search k = {.best = {.ref = ref}, .txn = txn};
    struct best both = {.ref = ref};

    TRY(store_patient_list(txn, each_patient, &p));
    TRY(store_clinic_list(txn, each_clinic, &k));
    both.count = p.best.fit > k.best.fit   ? p.best.count
                 : p.best.fit < k.best.fit ? k.best.count
                                           : p.best.count + k.best.count;
    TRY(judge(c, &both, "clinic or patient", "clinics and balsam patients"));
    out->patient = p.best.fit > k.best.fit;
    if (out->patient) {
        struct store_patient found = {0};

        memcpy(out->id.b, p.id.b, sizeof(out->id.b));
        TRY(store_patient_get(txn, &p.id, &found));
        node_patient_label(txn, &found, &out->name);
        store_patient_clear(&found);
    } else {
        struct store_clinic found = {0};

        out->id = k.id;
        TRY(store_clinic_get(txn, &k.id, &found));
        node_clinic_label(txn, &found, &out->name);
        store_clinic_clear(&found);
    }
out:
    return e;
}

/* ------------------------------------------------------------------- links */

struct link_search {
    struct best best;
    struct link_id id;
};

static enum err
each_link(void *ctx, const struct store_link *l)
{
    struct link_search *s = ctx;

    if (is_best(&s->best, fit_of(s->best.ref, link_id_view(&l->id),
                                 proto_phi_reveal(&l->label)))) {
        s->id = l->id;
    }
    return OK;
}

enum err
node_find_link(struct node_call *c, struct store_txn *txn, struct view ref,
               struct store_link *out)
{
    enum err e;
    struct link_search s = {.best = {.ref = ref}};

    TRY(store_link_list(txn, each_link, &s));
    TRY(judge(c, &s.best, "link", "link list"));
    TRY(store_link_get(txn, &s.id, out));
out:
    return e;
}

/* ------------------------------------------------------------- invitations */

struct invite_search {
    struct best best;
    struct store_txn *txn;
    struct link_id id;
};

/* By the name of whom it is for; the ones in use before those that are not. */
static enum err
each_invite(void *ctx, const struct store_invite *i)
{
    struct invite_search *s = ctx;
    struct store_contact contact = {0};
    enum fit f = FIT_NO;
    bool over = i->state != STORE_INVITE_OPEN;

    if (store_contact_get(s->txn, &i->contact, &contact) == OK) {
        f = fit_of(s->best.ref, link_id_view(&i->link),
                   proto_phi_reveal(&contact.name));
        if (i->state == STORE_INVITE_REPLACED && f != FIT_ID) {
            f = FIT_NO; /* its name is the newer one's */
        } else if (over && (f == FIT_WHOLE || f == FIT_BEGINS)) {
            f = f == FIT_WHOLE ? FIT_WHOLE_ENDED : FIT_BEGINS_ENDED;
        }
    }
    if (is_best(&s->best, f)) {
        s->id = i->link;
    }
    store_contact_clear(&contact);
    return OK;
}

enum err
node_find_invite(struct node_call *c, struct store_txn *txn, struct view ref,
                 struct store_invite *out)
{
    enum err e;
    struct invite_search s = {.best = {.ref = ref}, .txn = txn};

    TRY(store_invite_list(txn, each_invite, &s));
    TRY(judge(c, &s.best, "invitation", "invites"));
    TRY(store_invite_get(txn, &s.id, out));
out:
    return e;
}

/* ---------------------------------------------------------------- contacts */

struct contact_search {
    struct best best;
    struct contact_id id;
};

static enum err
each_contact(void *ctx, const struct store_contact *contact)
{
    struct contact_search *s = ctx;

    if (is_best(&s->best, fit_of(s->best.ref, contact_id_view(&contact->id),
                                 proto_phi_reveal(&contact->name)))) {
        s->id = contact->id;
    }
    return OK;
}

enum err
node_find_contact(struct node_call *c, struct store_txn *txn, struct view ref,
                  struct store_contact *out)
{
    enum err e;
    struct contact_search s = {.best = {.ref = ref}};

    TRY(store_contact_find(txn, (struct view){0}, NULL, UINT32_MAX,
                           each_contact, &s));
    TRY(judge(c, &s.best, "contact", "contact find"));
    TRY(store_contact_get(txn, &s.id, out));
out:
    return e;
}

/* ----------------------------------------------------------- conversations */

struct conv_search {
    struct best best;
    struct store_txn *txn;
    uint64_t number; /* in the inbox, 0: not asked for */
    uint64_t at;
    struct conv_id id;
};

static enum err
each_conv(void *ctx, const struct store_conv *conv)
{
    struct conv_search *s = ctx;
    struct phi name = {0};
    enum fit fit;

    s->at++;
    if (s->number != 0) {
        if (s->at == s->number) {
            s->id = conv->id;
            s->best.count = 1;
            s->best.fit = FIT_ID;
        }
        return OK;
    }
    node_conv_label(s->txn, conv, &name);
    fit = fit_of(s->best.ref, conv_id_view(&conv->id), proto_phi_reveal(&name));
    if ((conv->flags & STORE_CONV_CLOSED) != 0 &&
        (fit == FIT_BEGINS || fit == FIT_WHOLE)) {
        fit--;
    }
    if (is_best(&s->best, fit)) {
        s->id = conv->id;
    }
    phi_free(&name);
    return OK;
}

/* A number of at most 4 digits, else 0. */
static uint64_t
small_number(struct view ref)
{
    uint64_t n = 0;

    for (size_t i = 0; i < ref.len; i++) {
        if (!isdigit(ref.p[i]) || i == 4) {
            return 0;
        }
        n = n * 10 + (uint64_t)(ref.p[i] - '0');
    }
    return n;
}

/* The conversation with the clinic that calls itself so. */
static enum err
by_clinic(struct conv_search *s)
{
    enum err e;
    struct clinic_search k = {.best = {.ref = s->best.ref}, .txn = s->txn};
    struct store_clinic clinic = {0};

    TRY(store_clinic_list(s->txn, each_clinic, &k));
    if (k.best.count == 1) {
        TRY(store_clinic_get(s->txn, &k.id, &clinic));
        s->best.count = node_clinic_conv(&clinic, &s->id) ? 1 : 0;
    }
out:
    store_clinic_clear(&clinic);
    return e;
}

enum err
node_find_conv(struct node_call *c, struct store_txn *txn, struct view ref,
               struct store_conv *out)
{
    enum err e;
    struct conv_search s = {.best = {.ref = ref}, .txn = txn};
    struct store_conv_query q = {.view = STORE_VIEW_EVERY, .max = UINT32_MAX};

    /* Programs give the whole id: no need to look at all of them. */
    if (ref.len == 2 * sizeof(s.id.b) &&
        proto_unhex(ref, s.id.b, sizeof(s.id.b)) == OK) {
        e = store_conv_get(txn, &s.id, out);
        if (e != ERR_MISSING) {
            return e;
        }
    }
    s.number = small_number(ref);
    TRY(store_conv_list(txn, &q, each_conv, &s));
    TRY(s.best.count == 0 ? by_clinic(&s) : OK);
    TRY(judge(c, &s.best, "conversation", "inbox"));
    TRY(store_conv_get(txn, &s.id, out));
out:
    return e;
}

void
node_conv_label(struct store_txn *txn, const struct store_conv *conv,
                struct phi *out)
{
    enum err e = OK;
    struct bytes text = {0};
    const struct mem *mem = store_txn_mem(txn);

    if (phi_len(&conv->title) > 0) {
        TRY(phi_from(mem, proto_phi_reveal(&conv->title), out));
        goto out;
    }
    for (size_t i = 0; i < conv->contacts_len; i++) {
        struct store_contact contact = {0};
        struct contact_id id;

        if (store_contact_resolve(txn, &conv->contacts[i], &id) == OK &&
            store_contact_get(txn, &id, &contact) == OK) {
            e = text.len > 0 ? bytes_append(mem, &text, VIEW_LIT(", ")) : OK;
            if (e == OK) {
                e = bytes_append(mem, &text, proto_phi_reveal(&contact.name));
            }
        }
        store_contact_clear(&contact);
        if (e != OK) {
            goto out;
        }
    }
    TRY(phi_from(mem, view_of(&text), out));
out:
    bytes_free(&text);
}

/* A message by its id, in whatever conversation it is. */
struct msg_search {
    struct store_txn *txn;
    struct message_id id;
    uint64_t seq;
};

static enum err
each_conv_msg(void *ctx, const struct store_conv *conv)
{
    struct msg_search *s = ctx;
    enum err e = OK;

    if (s->seq == 0) {
        e = store_msg_by_id(s->txn, &conv->id, &s->id, &s->seq);
    }
    return e == ERR_MISSING ? OK : e;
}

static uint64_t
msg_by_id(struct store_txn *txn, struct view hex)
{
    struct msg_search s = {.txn = txn};
    struct store_conv_query q = {.view = STORE_VIEW_EVERY, .max = UINT32_MAX};

    if (proto_unhex(hex, s.id.b, sizeof(s.id.b)) != OK ||
        store_conv_list(txn, &q, each_conv_msg, &s) != OK) {
        return 0;
    }
    return s.seq;
}

enum err
node_find_msg(struct node_call *c, struct store_txn *txn, struct view ref,
              struct store_msg *out)
{
    uint64_t n = 0;
    enum err e = ERR_MISSING;

    if (ref.len > 1 && ref.p[0] == '#') {
        ref = view_skip(ref, 1);
    }
    for (size_t i = 0; i < ref.len; i++) {
        if (!isdigit(ref.p[i]) || i == 18) {
            n = 0;
            break;
        }
        n = n * 10 + (uint64_t)(ref.p[i] - '0');
    }
    if (ref.len == 2 * sizeof(struct message_id)) {
        n = msg_by_id(txn, ref);
    }
    if (n > 0) {
        e = store_msg_get(txn, n, out);
    }
    if (e == ERR_MISSING) {
        return node_call_fail(c, e,
                              "There is no message %.*s. balsam thread show "
                              "gives the number of each.",
                              (int)ref.len, (const char *)ref.p);
    }
    return e;
}
