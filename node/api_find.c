/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding what people call so: by id, by name, by the beginning of a name if
 * only one begins so.
 */
#include "node/api.h"
#include "node/clinic/desk.h"
#include "node/fit.h"

#include <ctype.h>
#include <string.h>

/* ----------------------------------------------------------------- clinics */

struct clinic_search {
    struct node_best best;
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
    enum node_fit fit;
    enum node_fit also = NODE_FIT_NO;

    node_clinic_label(s->txn, c, &name);
    fit = node_fit_of(s->best.ref, id, proto_phi_reveal(&name));
    if (node_clinic_name(store_txn_mem(s->txn), c, &own) == OK) {
        also = node_fit_of(s->best.ref, id, proto_phi_reveal(&own));
    }
    if (node_fit_best(&s->best, also > fit ? also : fit)) {
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
    TRY(node_fit_judge_name(c, txn, &s.best, NULL, 0, "clinic", "clinics"));
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
    struct node_best best;
    struct store_txn *txn;
    struct patient_id id;
};

static enum err
each_patient(void *ctx, const struct store_patient *p)
{
    struct patient_search *s = ctx;
    struct phi name = {0};

    node_patient_label(s->txn, p, &name);
    if (node_fit_best(&s->best,
                      node_fit_of(s->best.ref, patient_id_view(&p->id),
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
    TRY(node_fit_judge_name(c, txn, &s.best, NULL, 0, "patient", "patients"));
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
    struct node_best both = {.ref = ref};

    TRY(store_patient_list(txn, each_patient, &p));
    TRY(store_clinic_list(txn, each_clinic, &k));
    both.fit = p.best.fit > k.best.fit ? p.best.fit : k.best.fit;
    both.count = p.best.fit > k.best.fit   ? p.best.count
                 : p.best.fit < k.best.fit ? k.best.count
                                           : p.best.count + k.best.count;
    TRY(node_fit_judge_name(c, txn, &both, NULL, 0, "clinic or patient",
                            "clinics and balsam patients"));
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
    struct node_best best;
    uint64_t now_ms;
    struct link_id id;
};

static enum err
each_link(void *ctx, const struct store_link *l)
{
    struct link_search *s = ctx;
    enum node_fit f = node_fit_of(s->best.ref, link_id_view(&l->id),
                                  proto_phi_reveal(&l->label));

    if (strcmp(node_link_state(l, s->now_ms), "good") != 0 &&
        (f == NODE_FIT_BEGINS || f == NODE_FIT_WHOLE)) {
        f--; /* its label is the newer one's */
    }
    if (node_fit_best(&s->best, f)) {
        s->id = l->id;
    }
    return OK;
}

enum err
node_find_link(struct node_call *c, struct store_txn *txn, struct view ref,
               struct store_link *out)
{
    enum err e;
    struct link_search s = {.best = {.ref = ref},
                            .now_ms = store_now_ms(c->api->store)};

    TRY(store_link_list(txn, each_link, &s));
    TRY(node_fit_judge(c, &s.best, "link", "link list"));
    TRY(store_link_get(txn, &s.id, out));
out:
    return e;
}

/* ------------------------------------------------------------- invitations */

struct invite_search {
    struct node_best best;
    struct store_txn *txn;
    struct link_id id;
};

/* By the name of whom it is for; the ones in use before those that are not. */
static enum err
each_invite(void *ctx, const struct store_invite *i)
{
    struct invite_search *s = ctx;
    struct store_contact contact = {0};
    enum node_fit f = NODE_FIT_NO;
    bool over = i->state != STORE_INVITE_OPEN;

    if (store_contact_get(s->txn, &i->contact, &contact) == OK) {
        f = node_fit_of(s->best.ref, link_id_view(&i->link),
                        proto_phi_reveal(&contact.name));
        if (i->state == STORE_INVITE_REPLACED && f != NODE_FIT_ID) {
            f = NODE_FIT_NO; /* its name is the newer one's */
        } else if (over && (f == NODE_FIT_WHOLE || f == NODE_FIT_BEGINS)) {
            f = f == NODE_FIT_WHOLE ? NODE_FIT_WHOLE_ENDED
                                    : NODE_FIT_BEGINS_ENDED;
        }
    }
    if (node_fit_best(&s->best, f)) {
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
    TRY(node_fit_judge_name(c, txn, &s.best, NULL, 0, "invitation", "invites"));
    TRY(store_invite_get(txn, &s.id, out));
out:
    return e;
}

/* ---------------------------------------------------------------- contacts */

struct contact_search {
    struct node_best best;
    bool by_words; /* its words are in the name */
    struct contact_id id;
};

static enum err
each_contact(void *ctx, const struct store_contact *contact)
{
    struct contact_search *s = ctx;
    enum node_fit f = node_fit_of(s->best.ref, contact_id_view(&contact->id),
                                  proto_phi_reveal(&contact->name));

    f = f == NODE_FIT_NO && s->by_words ? NODE_FIT_WORDS : f;
    if (node_fit_best(&s->best, f)) {
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

    s.by_words = store_has_word(ref);
    if (s.by_words) {
        TRY(store_contact_find(txn, ref, NULL, UINT32_MAX, each_contact, &s));
    }
    s.by_words = false;
    if (s.best.count == 0) { /* by its id, or by signs that are no word */
        TRY(store_contact_find(txn, (struct view){0}, NULL, UINT32_MAX,
                               each_contact, &s));
    }
    TRY(node_fit_judge(c, &s.best, "contact", "contact find"));
    TRY(store_contact_get(txn, &s.id, out));
out:
    return e;
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
