/* SPDX-License-Identifier: Apache-2.0 */
#include "node/clinic/desk.h"
#include "node/clinic/event.h"
#include "node/clinic/past.h"
#include "node/ns.h"
#include "proto/base/limits.h"
#include "store/fed.h"
#include "store/journal.h"

#include <string.h>

enum err
node_desk_conv(struct store_txn *txn, const struct thread_id *thread,
               struct store_conv *out)
{
    enum err e;
    struct store_conv c = {0};
    struct conv_id id;

    e = store_conv_by_thread(txn, thread, &id);
    if (e == OK) {
        return store_conv_get(txn, &id, out);
    }
    if (e != ERR_MISSING) {
        return e;
    }
    TRY(store_random(store_txn_store(txn), c.id.b, sizeof(c.id.b)));
    c.channel = STORE_CHANNEL_SECURE;
    c.flags = STORE_CONV_CLINICS;
    c.has_thread = true;
    c.thread = *thread;
    c.created_ms = store_now_ms(store_txn_store(txn));
    c.mem = store_txn_mem(txn);
    TRY(store_conv_create(txn, &c));
    TRY(node_desk_event(txn, NODE_EVENT_CONV, conv_id_view(&c.id), 0));
    id = c.id;
    TRY(store_conv_get(txn, &id, out));
out:
    store_conv_clear(&c);
    return e;
}

/* The clinic's conversation so far, if the thread has none of its own yet. */
static bool
continues(struct store_txn *txn, const struct store_clinic *clinic,
          const struct thread_id *thread, struct store_conv *out)
{
    struct conv_id id;
    struct conv_id own;

    return node_clinic_conv(clinic, &id) &&
           store_conv_by_thread(txn, thread, &own) == ERR_MISSING &&
           store_conv_get(txn, &id, out) == OK;
}

/*
 * Write: the conversation of the one thread that a clinic and we have alone.
 * When they connect again, the new thread continues the old conversation.
 */
static enum err
direct_conv(struct store_txn *txn, struct node_desk *desk,
            const struct fed_show *show, struct store_conv *out)
{
    enum err e;
    struct store_clinic clinic = {0};
    struct clinic_id other;
    struct conv_id id;

    memcpy(other.b, show->other.b, sizeof(other.b));
    TRY(node_desk_clinic(txn, desk, &other, &clinic));
    if (continues(txn, &clinic, &show->thread, out)) {
        out->has_thread = true;
        out->thread = show->thread;
        goto out;
    }
    TRY(node_desk_conv(txn, &show->thread, out));
    if (clinic.has_link) {
        out->has_link = true;
        out->link = clinic.link;
    }
    if (!node_clinic_conv(&clinic, &id) || !conv_id_equal(&id, &out->id)) {
        TRY(node_clinic_set_conv(desk->mem, &clinic, &out->id));
        TRY(store_clinic_put(txn, &clinic));
    }
out:
    store_clinic_clear(&clinic);
    return e;
}

/*
 * Write: the conversation of the one thread that a patient and we have alone;
 * a new thread continues the old conversation.
 */
static enum err
patient_conv(struct store_txn *txn, struct node_desk *desk,
             const struct fed_show *show, struct store_conv *out)
{
    enum err e;
    struct store_patient p = {0};
    struct patient_id other;
    struct conv_id own;

    memcpy(other.b, show->other.b, sizeof(other.b));
    TRY(node_desk_patient_get(txn, desk, &other, &p));
    if (p.has_conv &&
        store_conv_by_thread(txn, &show->thread, &own) == ERR_MISSING &&
        store_conv_get(txn, &p.conv, out) == OK) {
        out->has_thread = true;
        out->thread = show->thread;
        goto out;
    }
    TRY(node_desk_conv(txn, &show->thread, out));
    if (p.has_link) {
        out->has_link = true;
        out->link = p.link;
    }
    if (!p.has_conv || !conv_id_equal(&p.conv, &out->id)) {
        p.has_conv = true;
        p.conv = out->id;
        TRY(store_patient_put(txn, &p));
    }
out:
    store_patient_clear(&p);
    return e;
}

/* Whether subject is a patient that we know. */
static bool
is_patient(struct store_txn *txn, const struct subject_id *subject)
{
    struct patient_id id;

    memcpy(id.b, subject->b, sizeof(id.b));
    return store_patient_has(txn, &id) == OK;
}

/* The contact of one member, and the flag that it gives the conversation. */
static enum err
member_contact(struct store_txn *txn, struct node_desk *desk,
               const struct proto_subject *s, struct contact_id *out, bool *has,
               unsigned *flag)
{
    enum err e;
    struct store_clinic clinic = {0};
    struct store_patient p = {0};
    struct clinic_id root;
    struct patient_id patient;

    if (s->kind == PROTO_SUBJECT_PATIENT) {
        memcpy(patient.b, s->root, sizeof(patient.b));
        TRY(node_desk_patient_get(txn, desk, &patient, &p));
        *has = p.has_contact;
        *out = p.contact;
        *flag = STORE_CONV_PATIENTS;
    } else {
        memcpy(root.b, s->root, sizeof(root.b));
        TRY(node_desk_clinic(txn, desk, &root, &clinic));
        *has = clinic.has_contact;
        *out = clinic.contact;
        *flag = STORE_CONV_CLINICS;
    }
out:
    store_clinic_clear(&clinic);
    store_patient_clear(&p);
    return e;
}

static bool
is_among(const struct contact_id *ids, size_t n, const struct contact_id *id)
{
    bool found = false;

    for (size_t i = 0; i < n && !found; i++) {
        found = contact_id_equal(&ids[i], id);
    }
    return found;
}

/* Who was in it and is not among these is whom it is about from now on, so it
   keeps their names. */
static enum err
set_regarding(struct store_txn *txn, const struct contact_id *now,
              size_t now_len, struct store_conv *conv)
{
    struct contact_id ids[LIMIT_CONV_CONTACTS];
    size_t n = 0;

    for (size_t i = 0; i < conv->regarding_len + conv->contacts_len; i++) {
        const struct contact_id *id =
            i < conv->regarding_len ? &conv->regarding[i]
                                    : &conv->contacts[i - conv->regarding_len];

        if (n < LIMIT_CONV_CONTACTS && !is_among(now, now_len, id) &&
            !is_among(ids, n, id)) {
            ids[n++] = *id;
        }
    }
    return store_conv_set_regarding(store_txn_mem(txn), conv, ids, n);
}

/* The contacts of everybody in the thread but us. */
static enum err
set_contacts(struct store_txn *txn, struct node_desk *desk,
             const struct proto_group *group, struct store_conv *conv)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_subject s;
    struct contact_id ids[LIMIT_CONV_CONTACTS];
    size_t n = 0;

    conv->flags &= ~(unsigned)(STORE_CONV_CLINICS | STORE_CONV_PATIENTS);
    while (proto_list_next(&group->subjects, &proto_subject_shape, &at, &s)) {
        bool has = false;
        unsigned flag = 0;

        if (memcmp(s.root, desk->self.b, sizeof(s.root)) == 0 ||
            n == LIMIT_CONV_CONTACTS) {
            continue;
        }
        e = member_contact(txn, desk, &s, &ids[n], &has, &flag);
        if (e != OK) {
            return e;
        }
        n += has ? 1 : 0;
        conv->flags |= flag;
    }
    e = set_regarding(txn, ids, n, conv);
    if (e != OK) {
        return e;
    }
    return store_conv_set_contacts(store_txn_mem(txn), conv, ids, n);
}

/* Until the members are known: the other side of a direct thread. */
static enum err
set_other(struct store_txn *txn, struct node_desk *desk,
          const struct fed_show *show, struct store_conv *conv)
{
    enum err e;
    struct proto_subject s = {.kind = is_patient(txn, &show->other)
                                          ? PROTO_SUBJECT_PATIENT
                                          : PROTO_SUBJECT_CLINIC};
    struct contact_id contact;
    bool has = false;
    unsigned flag = 0;

    memcpy(s.root, show->other.b, sizeof(s.root));
    TRY(member_contact(txn, desk, &s, &contact, &has, &flag));
    conv->flags &= ~(unsigned)(STORE_CONV_CLINICS | STORE_CONV_PATIENTS);
    conv->flags |= flag;
    if (has) {
        TRY(store_conv_set_contacts(store_txn_mem(txn), conv, &contact, 1));
    }
out:
    return e;
}

/* Write: who is in it, as far as is known. */
static enum err
set_members(struct store_txn *txn, struct node_desk *desk,
            const struct fed_show *show, struct store_conv *conv)
{
    enum err e;
    struct proto_group group;

    if (show->body.len == 0) {
        return (show->value & PROTO_GROUP_DIRECT) != 0
                   ? set_other(txn, desk, show, conv)
                   : OK;
    }
    TRY(proto_group_decode(view_of(&show->body), &group));
    TRY(set_contacts(txn, desk, &group, conv));
    TRY(store_fed_put(txn, NODE_NS_GROUP, thread_id_view(&show->thread),
                      view_of(&show->body)));
out:
    return e;
}

enum err
node_desk_group(struct store_txn *txn, const struct thread_id *thread,
                struct bytes *out)
{
    return store_fed_get(txn, NODE_NS_GROUP, thread_id_view(thread), out);
}

/*
 * Write: a thread that continues another, whose state every member lost, is the
 * conversation's from now on (decisions G 31), and people are told.
 */
static enum err
continue_conv(struct store_txn *txn, const struct fed_show *show)
{
    enum err e;
    struct proto_group group;
    struct thread_id prev;
    struct conv_id id;
    struct store_conv conv = {0};

    if (store_conv_by_thread(txn, &show->thread, &id) == OK) {
        return OK;
    }
    e = node_past_before(txn, &show->thread, &prev);
    if (e == ERR_MISSING) {
        TRY(show->body.len == 0
                ? ERR_MISSING
                : proto_group_decode(view_of(&show->body), &group));
        TRY((group.flags & PROTO_GROUP_CONTINUES) != 0 ? OK : ERR_MISSING);
        memcpy(prev.b, group.prev, sizeof(prev.b));
        e = OK;
    }
    TRY(e);
    TRY(store_conv_by_thread(txn, &prev, &id));
    TRY(store_conv_get(txn, &id, &conv));
    conv.thread = show->thread;
    conv.flags &= ~(unsigned)STORE_CONV_CLOSED;
    TRY(store_conv_put(txn, &conv));
    TRY(node_desk_event(txn, NODE_EVENT_CONTINUED, conv_id_view(&conv.id), 0));
out:
    store_conv_clear(&conv);
    return e == ERR_MISSING ? OK : e;
}

enum err
node_desk_thread(struct store_txn *txn, struct node_desk *desk,
                 const struct fed_show *show)
{
    enum err e;
    struct store_conv conv = {0};
    bool direct = (show->value & PROTO_GROUP_DIRECT) != 0;
    bool closed =
        show->code == FED_THREAD_ENDED || show->code == FED_THREAD_REMOVED;
    struct thread_id was;
    struct conv_id id;

    TRY(node_desk_hub(txn, show));
    TRY(thread_id_is_zero(&show->before)
            ? OK
            : node_past_follows(txn, &show->thread, &show->before));
    TRY(continue_conv(txn, show));
    if (direct && subject_id_is_zero(&show->other)) {
        return OK; /* nobody is in it yet: shown again when somebody is */
    }
    if (closed) {
        e = store_conv_by_thread(txn, &show->thread, &id);
        if (e != OK) { /* another thread continues its conversation */
            return e == ERR_MISSING ? OK : e;
        }
    }
    if (direct && !closed) {
        TRY(is_patient(txn, &show->other)
                ? patient_conv(txn, desk, show, &conv)
                : direct_conv(txn, desk, show, &conv));
    } else {
        TRY(node_desk_conv(txn, &show->thread, &conv));
    }
    was = conv.thread;
    TRY(set_members(txn, desk, show, &conv));
    conv.flags &= ~(unsigned)STORE_CONV_CLOSED;
    if (closed && thread_id_equal(&was, &show->thread)) {
        conv.flags |= STORE_CONV_CLOSED;
    }
    TRY(store_conv_put(txn, &conv));
    TRY(node_desk_event(txn, NODE_EVENT_CONV, conv_id_view(&conv.id),
                        show->code));
out:
    store_conv_clear(&conv);
    return e;
}

enum err
node_desk_member(struct store_txn *txn, const struct fed_show *show)
{
    enum err e;
    struct store_conv conv = {0};
    struct store_event ev = {.kind = NODE_EVENT_MEMBERS, .n = show->code};
    struct conv_id id;

    e = store_conv_by_thread(txn, &show->thread, &id);
    if (e == ERR_MISSING) {
        return OK; /* the thread itself is shown next, and whose it is */
    }
    TRY(e);
    TRY(store_conv_get(txn, &id, &conv));
    ev.a = conv_id_view(&conv.id);
    ev.b = subject_id_view(&show->author);
    TRY(store_journal_append(txn, &ev, NULL));
out:
    store_conv_clear(&conv);
    return e;
}
