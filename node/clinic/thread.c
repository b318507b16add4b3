/* SPDX-License-Identifier: Apache-2.0 */
#include "node/clinic/desk.h"
#include "node/clinic/event.h"
#include "proto/base/limits.h"
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

    while (proto_list_next(&group->subjects, &proto_subject_shape, &at, &s)) {
        struct store_clinic clinic = {0};
        struct clinic_id root;

        memcpy(root.b, s.root, sizeof(root.b));
        if (clinic_id_equal(&root, &desk->self) ||
            s.kind != PROTO_SUBJECT_CLINIC || n == LIMIT_CONV_CONTACTS) {
            continue;
        }
        e = node_desk_clinic(txn, desk, &root, &clinic);
        if (e == OK && clinic.has_contact) {
            ids[n++] = clinic.contact;
        }
        store_clinic_clear(&clinic);
        if (e != OK) {
            return e;
        }
    }
    return store_conv_set_contacts(store_txn_mem(txn), conv, ids, n);
}

/* Until the members are known: the other clinic of a direct thread. */
static enum err
set_other(struct store_txn *txn, struct node_desk *desk,
          const struct fed_show *show, struct store_conv *conv)
{
    enum err e;
    struct store_clinic clinic = {0};
    struct clinic_id other;

    memcpy(other.b, show->other.b, sizeof(other.b));
    TRY(node_desk_clinic(txn, desk, &other, &clinic));
    if (clinic.has_contact) {
        TRY(store_conv_set_contacts(store_txn_mem(txn), conv, &clinic.contact,
                                    1));
    }
out:
    store_clinic_clear(&clinic);
    return e;
}

enum err
node_desk_thread(struct store_txn *txn, struct node_desk *desk,
                 const struct fed_show *show)
{
    enum err e;
    struct store_conv conv = {0};
    struct proto_group group;
    bool direct = (show->value & PROTO_GROUP_DIRECT) != 0;
    bool closed =
        show->code == FED_THREAD_ENDED || show->code == FED_THREAD_REMOVED;
    struct thread_id was;
    struct conv_id id;

    TRY(node_desk_hub(txn, show));
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
        TRY(direct_conv(txn, desk, show, &conv));
    } else {
        TRY(node_desk_conv(txn, &show->thread, &conv));
    }
    was = conv.thread;
    if (show->body.len > 0) {
        TRY(proto_group_decode(view_of(&show->body), &group));
        TRY(set_contacts(txn, desk, &group, &conv));
    } else if (direct) {
        TRY(set_other(txn, desk, show, &conv));
    }
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
