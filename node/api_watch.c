/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watching: the journal as it grows, a line for each thing that happens; and
 * news, which is ahead of it (node/news.h).
 */
#include "node/api.h"
#include "node/api_doubt.h"
#include "node/clinic/desk.h"
#include "store/journal.h"

#include <string.h>

enum {
    WATCH_READ = 256, /* events at once */
    WATCH_TOLD = 64   /* messages remembered as audited */
};

struct seen {
    struct conv_id conv;
    uint64_t seq;
};

struct watch {
    struct node_call *c;
    struct store_txn *txn;
    bool one; /* only this conversation */
    struct conv_id conv;
    uint64_t after;
    uint64_t news; /* told up to here */
    json_t *lines;
    struct seen seen[WATCH_READ]; /* what the lines show of messages */
    size_t seen_len;
    struct seen told[WATCH_TOLD]; /* shown by this watch, and on record */
    size_t told_next;
};

static const char *
event_word(uint16_t kind)
{
    static const char *const words[] = {
        [NODE_EVENT_MESSAGE] = "message",
        [NODE_EVENT_STATE] = "state",
        [NODE_EVENT_CONV] = "thread",
        [NODE_EVENT_CLINIC] = "clinic",
        [NODE_EVENT_REQUEST] = "request",
        [NODE_EVENT_LINK] = "link",
        [NODE_EVENT_LINK_USED] = "link used",
        [NODE_EVENT_CONTACT] = "contact",
        [NODE_EVENT_GAP] = "gap",
        [NODE_EVENT_OVERDUE] = "overdue",
        [NODE_EVENT_ROLLBACK] = "rollback",
        [NODE_EVENT_FORK] = "fork",
        [NODE_EVENT_DOUBT] = "doubt",
        [NODE_EVENT_SETTLED] = "doubt settled",
        [NODE_EVENT_MEMBERS] = "members",
        [NODE_EVENT_INVITE] = "invitation",
        [NODE_EVENT_PATIENT] = "patient",
        [NODE_EVENT_DEVICES] = "devices",
        [NODE_EVENT_CONSENT] = "consent",
        [NODE_EVENT_IDENTITY] = "identity changed",
        [NODE_EVENT_CONTINUED] = "continued",
        [NODE_EVENT_REPORTED] = "reported",
        [NODE_EVENT_HOME] = "home moved",
    };

    return kind < sizeof(words) / sizeof(*words) && words[kind] != NULL
               ? words[kind]
               : "change";
}

static void
show_event_clinic(struct watch *w, struct view root, json_t *o)
{
    struct store_clinic clinic = {0};
    struct clinic_id id;
    struct phi name = {0};

    if (clinic_id_from(root, &id) == OK &&
        store_clinic_get(w->txn, &id, &clinic) == OK) {
        node_clinic_label(w->txn, &clinic, &name);
        node_json_view(o, "clinic_name", proto_phi_reveal(&name));
    }
    store_clinic_clear(&clinic);
    phi_free(&name);
}

/*
 * What a member wrote is on record as written by that very member, and what
 * this watch has shown before (its state changed) as shown.
 */
static bool
on_record(const struct watch *w, const struct store_msg *m)
{
    struct store_actor self = store_actor_member(&w->c->api->member);

    for (size_t i = 0; i < WATCH_TOLD; i++) {
        if (w->told[i].seq == m->seq &&
            conv_id_equal(&w->told[i].conv, &m->conv)) {
            return true;
        }
    }
    return store_actor_equal(&m->author, &self);
}

/* One row a conversation: up to which message. */
static void
note_seen(struct watch *w, const struct store_msg *m)
{
    if (on_record(w, m)) {
        return;
    }
    w->told[w->told_next++ % WATCH_TOLD] = (struct seen){m->conv, m->seq};
    for (size_t i = 0; i < w->seen_len; i++) {
        if (conv_id_equal(&w->seen[i].conv, &m->conv)) {
            w->seen[i].seq = m->seq > w->seen[i].seq ? m->seq : w->seen[i].seq;
            return;
        }
    }
    w->seen[w->seen_len++] = (struct seen){m->conv, m->seq};
}

static enum err
write_seen(void *ctx, struct store_txn *txn)
{
    const struct watch *w = ctx;
    enum err e = OK;

    for (size_t i = 0; i < w->seen_len; i++) {
        TRY(node_audit_member(txn, w->c->api, NODE_AUDIT_WATCH,
                              conv_id_view(&w->seen[i].conv), w->seen[i].seq));
    }
out:
    return e;
}

static void
show_event_patient(struct watch *w, struct view patient, json_t *o)
{
    struct store_patient p = {0};
    struct patient_id id;
    struct phi name = {0};

    if (patient_id_from(patient, &id) == OK &&
        store_patient_get(w->txn, &id, &p) == OK) {
        node_patient_label(w->txn, &p, &name);
        node_json_view(o, "patient_name", proto_phi_reveal(&name));
    }
    store_patient_clear(&p);
    phi_free(&name);
}

static void
show_event_msg(struct watch *w, const struct store_event *ev, json_t *o)
{
    struct store_msg m = {0};
    struct store_conv conv = {0};
    struct phi name = {0};
    json_t *message = json_object();

    if (ev->n != 0 && message != NULL &&
        store_msg_get(w->txn, ev->n, &m) == OK &&
        store_conv_get(w->txn, &m.conv, &conv) == OK) {
        node_conv_label(w->txn, &conv, &name);
        node_json_view(o, "title", proto_phi_reveal(&name));
        node_json_message(w->c, w->txn, &conv, &m, message);
        (void)json_object_set(o, "message", message);
        note_seen(w, &m);
    }
    json_decref(message);
    store_msg_clear(&m);
    store_conv_clear(&conv);
    phi_free(&name);
}

/* Who came in or is out, of which conversation; we too may be out. */
static void
show_event_members(struct watch *w, const struct store_event *ev, json_t *o)
{
    struct store_conv conv = {0};
    struct conv_id id;
    struct phi name = {0};

    if (conv_id_from(ev->a, &id) == OK &&
        store_conv_get(w->txn, &id, &conv) == OK) {
        node_conv_label(w->txn, &conv, &name);
        node_json_view(o, "title", proto_phi_reveal(&name));
    }
    if (view_equal(ev->b, clinic_id_view(&w->c->api->root))) {
        node_json_own_name(o, "clinic_name", w->c->api);
    } else {
        show_event_clinic(w, ev->b, o);
        show_event_patient(w, ev->b, o);
    }
    store_conv_clear(&conv);
    phi_free(&name);
}

/* What our link is called, or whom it invites; who came by it. */
static void
show_event_link(struct watch *w, const struct store_event *ev, json_t *o)
{
    struct store_link link = {0};
    struct store_invite invite = {0};
    struct store_contact contact = {0};
    struct link_id id;

    if (link_id_from(ev->a, &id) == OK &&
        store_invite_get(w->txn, &id, &invite) == OK &&
        store_contact_get(w->txn, &invite.contact, &contact) == OK) {
        node_json_view(o, "invited", proto_phi_reveal(&contact.name));
    } else if (store_link_get(w->txn, &id, &link) == OK) {
        node_json_view(o, "label", proto_phi_reveal(&link.label));
    }
    show_event_clinic(w, ev->b, o);
    store_link_clear(&link);
    store_invite_clear(&invite);
    store_contact_clear(&contact);
}

/* Which clinic or patient it is about. */
static void
show_event_who(struct watch *w, const struct store_event *ev, json_t *o)
{
    switch (ev->kind) {
    case NODE_EVENT_CLINIC:
    case NODE_EVENT_REQUEST:
    case NODE_EVENT_REPORTED:
        show_event_clinic(w, ev->a, o);
        show_event_patient(w, ev->a, o);
        break;
    case NODE_EVENT_PATIENT:
    case NODE_EVENT_DEVICES:
        show_event_patient(w, ev->a, o);
        break;
    case NODE_EVENT_CONSENT:
    case NODE_EVENT_IDENTITY:
        show_event_patient(w, ev->b, o);
        break;
    case NODE_EVENT_MEMBERS:
        show_event_members(w, ev, o);
        break;
    case NODE_EVENT_LINK_USED:
        show_event_link(w, ev, o);
        break;
    default:
        break;
    }
}

static enum err
each_event(void *ctx, const struct store_event *ev)
{
    struct watch *w = ctx;
    json_t *o;

    w->after = ev->seq;
    if (w->one && !view_equal(ev->a, conv_id_view(&w->conv))) {
        return OK;
    }
    o = node_json_item(w->lines);
    if (o == NULL) {
        return ERR_NOMEM;
    }
    node_json_num(o, "seq", ev->seq);
    node_json_num(o, "at_ms", ev->at_ms);
    node_json_view(o, "event", view_str(event_word(ev->kind)));
    node_json_hex(o, "about", ev->a);
    node_json_num(o, "n", ev->n);
    if (ev->kind == NODE_EVENT_MESSAGE || ev->kind == NODE_EVENT_STATE) {
        show_event_msg(w, ev, o);
    } else if (ev->kind == NODE_EVENT_DOUBT || ev->kind == NODE_EVENT_SETTLED) {
        node_json_doubt_event(w->txn, ev, o);
    } else {
        show_event_who(w, ev, o);
    }
    return OK;
}

/*
 * Without a number: the event that has one comes when it is stored.  After the
 * journal, in the same transaction, so that the message was shown before.
 */
static enum err
show_news(struct watch *w, const struct node_news_item *item)
{
    struct store_msg m = {0};
    struct conv_id conv;
    json_t *o;
    enum err e;

    TRY(store_conv_by_thread(w->txn, &item->thread, &conv));
    if (w->one && !conv_id_equal(&conv, &w->conv)) {
        goto out;
    }
    TRY(store_msg_find(w->txn, &conv, &item->message, &m));
    if (m.state != STORE_MSG_QUEUED) {
        goto out; /* stored meanwhile */
    }
    o = node_json_item(w->lines);
    TRY(o == NULL ? ERR_NOMEM : OK);
    node_json_num(o, "at_ms", item->at_ms);
    node_json_view(o, "event", VIEW_LIT("state"));
    node_json_hex(o, "about", conv_id_view(&conv));
    node_json_num(o, "n", m.seq);
    node_json_view(o, "state", VIEW_LIT("accepted"));
out:
    store_msg_clear(&m);
    return e == ERR_MISSING ? OK : e; /* nothing that people see */
}

/* What was committed since, and what is known beyond it. */
static enum err
read_new(struct watch *w)
{
    enum err e;
    struct node_news_item item;
    uint64_t before = w->after;

    TRY(store_journal_read(w->txn, w->after, WATCH_READ, each_event, w));
    while (w->after - before < WATCH_READ &&
           node_news_next(w->c->api, &w->news, &item)) {
        TRY(show_news(w, &item));
    }
out:
    return e;
}

/* Send what is new; false when nobody listens. */
static bool
emit_new(struct watch *w, enum err *e)
{
    bool listening = w->c->emit(w->c->emit_ctx, NULL);
    size_t i;
    json_t *line;

    w->lines = json_array();
    *e = w->lines == NULL ? ERR_NOMEM
                          : store_read_begin(w->c->api->store, &w->txn);
    if (*e == OK) {
        w->seen_len = 0;
        *e = read_new(w);
        store_read_end(w->txn);
    }
    if (*e == OK && w->seen_len > 0) {
        *e = store_write(w->c->api->store, write_seen, w, STORE_JOB_FREES);
    }
    json_array_foreach(w->lines, i, line)
    {
        listening = listening && *e == OK && w->c->emit(w->c->emit_ctx, line);
    }
    json_decref(w->lines);
    return listening && *e == OK;
}

enum err
node_cmd_watch(struct node_call *c)
{
    enum err e;
    struct watch w = {.c = c, .one = json_array_size(c->args) > 0};
    struct store_conv conv = {0};
    json_t *ready = json_object();

    w.news = node_news_listen(c->api);
    TRY(store_read_begin(c->api->store, &w.txn));
    e = store_journal_last(w.txn, &w.after);
    if (e == OK && w.one) {
        e = node_find_conv(c, w.txn, node_call_arg(c, 0), &conv);
        w.conv = conv.id;
    }
    store_read_end(w.txn);
    if (e != OK || ready == NULL) {
        goto out;
    }
    node_json_view(ready, "event", VIEW_LIT("ready"));
    if (!c->emit(c->emit_ctx, ready)) {
        goto out;
    }
    while (emit_new(&w, &e) && node_news_wait(c->api, w.after, w.news)) {
        continue;
    }
out:
    node_news_leave(c->api);
    json_decref(ready);
    store_conv_clear(&conv);
    return e;
}
