/* SPDX-License-Identifier: Apache-2.0 */
/* Conversations: the inbox, a conversation's messages, watching. */
#include "node/api.h"
#include "node/clinic/desk.h"
#include "store/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    INBOX_MAX = 20,
    THREAD_MAX = 50,
    SHOW_MAX = 10000,
    UNREAD_MAX = 200,
    PREVIEW = 60 /* bytes of the newest message's text */
};

/* ---------------------------------------------------------------- messages */

static const char *
kind_word(uint16_t kind)
{
    switch (kind) {
    case PROTO_CONTENT_TEXT:
        return "text";
    case PROTO_CONTENT_EDIT:
        return "edit";
    case PROTO_CONTENT_DELETE:
        return "delete";
    case PROTO_CONTENT_REACTION:
        return "reaction";
    case PROTO_CONTENT_TITLE:
        return "title";
    default:
        return "newer";
    }
}

/* The least that every other clinic's mark of a kind has reached. */
struct reached {
    uint64_t least;
    size_t count;
};

static enum err
each_mark(void *ctx, struct view subject, uint64_t value)
{
    struct reached *r = ctx;

    (void)subject;
    if (r->count == 0 || value < r->least) {
        r->least = value;
    }
    r->count++;
    return OK;
}

static bool
all_reached(struct store_txn *txn, const struct store_conv *conv, uint8_t mark,
            const struct store_msg *m)
{
    struct reached r = {0};

    return store_conv_marks(txn, &conv->id, mark, each_mark, &r) == OK &&
           r.count >= conv->contacts_len && r.count > 0 &&
           r.least >= node_log_place(m->log_term, m->log_seq);
}

static const char *
state_of(struct store_txn *txn, const struct store_conv *conv,
         const struct store_msg *m)
{
    switch (m->state) {
    case STORE_MSG_QUEUED:
        return "queued";
    case STORE_MSG_FAILED:
        return "failed";
    case STORE_MSG_LOCAL:
        return "note";
    case STORE_MSG_RECEIVED:
        return "received";
    case STORE_MSG_ACCEPTED:
    case STORE_MSG_DELIVERED:
    case STORE_MSG_STATE_COUNT_:
        break;
    }
    if (all_reached(txn, conv, NODE_MARK_READ, m)) {
        return "read";
    }
    return all_reached(txn, conv, NODE_MARK_DELIVERED, m) ? "delivered"
                                                          : "accepted";
}

/* Who wrote it: the clinic, and the name that it shows. */
static void
show_author(struct node_call *c, struct store_txn *txn,
            const struct store_msg *m, const struct proto_content *content,
            json_t *into)
{
    struct store_clinic clinic = {0};
    struct phi name = {0};
    struct clinic_id root;

    node_json_bool(into, "ours", m->author.kind != STORE_ACTOR_PEER);
    if (m->author.kind == STORE_ACTOR_PEER) {
        memcpy(root.b, m->author.id, sizeof(root.b));
        if (store_clinic_get(txn, &root, &clinic) == OK) {
            node_clinic_label(txn, &clinic, &name);
        }
        node_json_hex(into, "clinic", clinic_id_view(&root));
        node_json_view(into, "from", proto_phi_reveal(&name));
    } else {
        node_json_view(into, "from", proto_phi_reveal(&c->api->profile.name));
    }
    if (content != NULL && content->author.name.len > 0) {
        node_json_view(into, "author", content->author.name);
    }
    store_clinic_clear(&clinic);
    phi_free(&name);
}

static void
show_files(const struct proto_text *text, json_t *into)
{
    struct proto_list_at at = {0};
    struct proto_attachment a;
    json_t *files;

    if (text->attachments.len == 0) {
        return;
    }
    files = node_json_array(into, "attachments");
    while (
        proto_list_next(&text->attachments, &proto_attachment_shape, &at, &a)) {
        json_t *o = node_json_item(files);

        if (o != NULL) {
            node_json_view(o, "name", a.name);
            node_json_view(o, "type", a.type);
            node_json_num(o, "size", a.size);
        }
        mem_wipe(&a, sizeof(a));
    }
}

static void
show_content(const struct proto_content *content, json_t *into)
{
    switch ((int)content->kind) {
    case PROTO_CONTENT_TEXT:
        node_json_view(into, "text", content->u.text.text);
        show_files(&content->u.text, into);
        break;
    case PROTO_CONTENT_EDIT:
        node_json_view(into, "text", content->u.edit.text);
        break;
    case PROTO_CONTENT_REACTION:
        node_json_view(into, "emoji", content->u.reaction.emoji);
        node_json_bool(into, "on", content->u.reaction.on);
        break;
    case PROTO_CONTENT_TITLE:
        node_json_view(into, "text", content->u.title.title);
        break;
    default:
        break;
    }
}

/* An edited message shows its newest text. */
static void
show_edited(struct store_txn *txn, const struct store_msg *m, json_t *into)
{
    struct store_msg edit = {0};
    struct proto_content content;

    node_json_bool(into, "edited", true);
    if (store_msg_get(txn, m->about, &edit) == OK &&
        proto_content_decode(view_of(&edit.body), &content) == OK) {
        show_content(&content, into);
    }
    store_msg_clear(&edit);
}

void
node_json_message(struct node_call *c, struct store_txn *txn,
                  const struct store_conv *conv, const struct store_msg *m,
                  json_t *into)
{
    struct proto_content decoded;
    const struct proto_content *content = NULL;

    if ((m->flags & STORE_MSG_OPAQUE) == 0 &&
        proto_content_decode(view_of(&m->body), &decoded) == OK) {
        content = &decoded;
    }
    node_json_num(into, "number", m->seq);
    node_json_hex(into, "id", message_id_view(&m->id));
    node_json_hex(into, "thread", conv_id_view(&m->conv));
    node_json_view(into, "kind", view_str(kind_word(m->kind)));
    show_author(c, txn, m, content, into);
    node_json_num(into, "at_ms", m->at_ms);
    node_json_num(into, "sent_ms", m->sent_ms);
    node_json_view(into, "state", view_str(state_of(txn, conv, m)));
    if (m->about != 0 && (m->flags & STORE_MSG_EDITED) == 0) {
        node_json_num(into, "about", m->about);
    }
    if ((m->flags & STORE_MSG_AUTO) != 0) {
        node_json_bool(into, "auto", true);
    }
    if ((m->flags & STORE_MSG_RESENT) != 0) {
        node_json_bool(into, "resent", true);
    }
    if ((m->flags & STORE_MSG_DELETED) != 0) {
        node_json_bool(into, "deleted", true);
        return;
    }
    if (content != NULL) {
        show_content(content, into);
    }
    if ((m->flags & STORE_MSG_EDITED) != 0) {
        show_edited(txn, m, into);
    }
}

/* ------------------------------------------------------------------- inbox */

struct inbox {
    struct node_call *c;
    struct store_txn *txn;
    json_t *array;
    uint64_t number;
    bool clinics;
    uint64_t max;
};

/* The newest message that has words, cut to a line. */
static void
show_preview(struct inbox *i, const struct store_conv *conv, json_t *o)
{
    struct store_msg m = {0};
    struct proto_content content;

    if (conv->last_msg != 0 &&
        store_msg_get(i->txn, conv->last_msg, &m) == OK) {
        node_json_num(o, "at_ms", m.at_ms);
        node_json_bool(o, "ours", m.author.kind != STORE_ACTOR_PEER);
        if ((m.flags & STORE_MSG_DELETED) == 0 &&
            proto_content_decode(view_of(&m.body), &content) == OK &&
            content.kind == PROTO_CONTENT_TEXT) {
            struct view v = content.u.text.text;

            if (v.len > PREVIEW) {
                v.len = PREVIEW;
                while (v.len > 0 && (v.p[v.len] & 0xc0) == 0x80) {
                    v.len--; /* whole characters */
                }
            }
            node_json_view(o, "preview", v);
        }
    }
    store_msg_clear(&m);
}

/* What others wrote since somebody here looked; enough to say "many". */
static enum err
each_unread(void *ctx, const struct store_msg *m)
{
    uint64_t *n = ctx;

    if (m->author.kind == STORE_ACTOR_PEER &&
        (m->kind == PROTO_CONTENT_TEXT || (m->flags & STORE_MSG_OPAQUE) != 0) &&
        (m->flags & STORE_MSG_DELETED) == 0) {
        (*n)++;
    }
    return OK;
}

static uint64_t
unread(const struct inbox *i, const struct store_conv *conv)
{
    uint64_t seen = 0;
    uint64_t n = 0;

    if (store_conv_mark_get(i->txn, &conv->id, NODE_MARK_SEEN,
                            member_id_view(&i->c->api->member), &seen) != OK ||
        store_msg_list(i->txn, &conv->id, seen, STORE_UP, UNREAD_MAX,
                       each_unread, &n) != OK) {
        return 0;
    }
    return n;
}

static enum err
each_conv(void *ctx, const struct store_conv *conv)
{
    struct inbox *i = ctx;
    struct phi name = {0};
    json_t *o;

    i->number++;
    if ((i->clinics && (conv->flags & STORE_CONV_CLINICS) == 0) ||
        json_array_size(i->array) >= i->max) {
        return OK;
    }
    o = node_json_item(i->array);
    if (o == NULL) {
        return ERR_NOMEM;
    }
    node_conv_label(i->txn, conv, &name);
    node_json_num(o, "number", i->number);
    node_json_hex(o, "id", conv_id_view(&conv->id));
    node_json_view(o, "title", proto_phi_reveal(&name));
    node_json_num(o, "messages", conv->msgs);
    node_json_bool(o, "clinics", (conv->flags & STORE_CONV_CLINICS) != 0);
    node_json_bool(o, "closed", (conv->flags & STORE_CONV_CLOSED) != 0);
    node_json_num(o, "unread", unread(i, conv));
    show_preview(i, conv, o);
    phi_free(&name);
    return OK;
}

enum err
node_cmd_inbox(struct node_call *c)
{
    enum err e;
    struct inbox i = {.c = c, .clinics = node_call_has(c, "clinics")};
    struct store_conv_query q = {.view = STORE_VIEW_EVERY, .max = UINT32_MAX};

    TRY(node_call_number(c, "limit", INBOX_MAX, &i.max));
    i.array = node_json_array(c->out, "conversations");
    TRY(store_read_begin(c->api->store, &i.txn));
    TRY(store_conv_list(i.txn, &q, each_conv, &i));
out:
    store_read_end(i.txn);
    return e;
}

/* ------------------------------------------------------------ conversation */

/* A message and its place: in the log, or queued behind everything. */
struct line {
    uint64_t place;
    uint64_t pos;
    json_t *o;
};

struct show {
    struct node_call *c;
    struct store_txn *txn;
    const struct store_conv *conv;
    struct line *lines; /* to be put in the order of the log */
    size_t lines_len;
    json_t *reactions; /* by the number of what they are about */
    uint64_t last_pos;
    uint64_t term; /* of the newest message of others */
    uint64_t seq;
};

/* The key of a message's reactions while they wait for it. */
static const char *
reaction_key(uint64_t seq, char out[24])
{
    (void)snprintf(out, 24, "%llu", (unsigned long long)seq);
    return out;
}

/* Newest come first: the first word of each clinic about a message counts. */
static void
keep_reaction(struct show *s, const struct store_msg *m)
{
    char key[24];
    json_t *o = json_object();
    json_t *list;
    const json_t *from;
    size_t i;
    const json_t *other;

    if (o == NULL || m->about == 0) {
        json_decref(o);
        return;
    }
    node_json_message(s->c, s->txn, s->conv, m, o);
    list = json_object_get(s->reactions, reaction_key(m->about, key));
    if (list == NULL) {
        list = node_json_array(s->reactions, key);
    }
    from = json_object_get(o, "from");
    json_array_foreach(list, i, other)
    {
        if (json_equal(json_object_get(other, "from"), from)) {
            json_decref(o);
            return;
        }
    }
    (void)json_array_append_new(list, o);
}

/* The reactions of message m that stand. */
static void
show_reactions(struct show *s, const struct store_msg *m, json_t *into)
{
    char key[24];
    const json_t *list =
        json_object_get(s->reactions, reaction_key(m->seq, key));
    json_t *array = NULL;
    size_t i;
    const json_t *r;

    json_array_foreach(list, i, r)
    {
        json_t *o;

        if (!json_is_true(json_object_get(r, "on"))) {
            continue;
        }
        array = array == NULL ? node_json_array(into, "reactions") : array;
        o = node_json_item(array);
        if (o != NULL) {
            (void)json_object_set(o, "emoji", json_object_get(r, "emoji"));
            (void)json_object_set(o, "from", json_object_get(r, "from"));
        }
    }
}

static enum err
each_msg(void *ctx, const struct store_msg *m)
{
    struct show *s = ctx;
    json_t *o;

    if (m->pos > s->last_pos) {
        s->last_pos = m->pos;
    }
    if (m->author.kind == STORE_ACTOR_PEER &&
        node_log_place(m->log_term, m->log_seq) >
            node_log_place(s->term, s->seq)) {
        s->term = m->log_term;
        s->seq = m->log_seq;
    }
    if (m->kind == PROTO_CONTENT_REACTION) {
        keep_reaction(s, m);
        return OK;
    }
    if (m->kind == PROTO_CONTENT_EDIT || m->kind == PROTO_CONTENT_DELETE) {
        return OK; /* seen in the message itself */
    }
    o = json_object();
    if (o == NULL) {
        return ERR_NOMEM;
    }
    node_json_message(s->c, s->txn, s->conv, m, o);
    show_reactions(s, m, o);
    s->lines[s->lines_len++] = (struct line){
        m->log_seq == 0 ? UINT64_MAX : node_log_place(m->log_term, m->log_seq),
        m->pos, o};
    return OK;
}

static int
by_place(const void *a, const void *b)
{
    const struct line *x = a;
    const struct line *y = b;

    if (x->place != y->place) {
        return x->place < y->place ? -1 : 1;
    }
    return x->pos < y->pos ? -1 : x->pos > y->pos;
}

/*
 * The newest messages, in the order that all members see: that of the log, what
 * waits to be sent last.
 */
static enum err
show_messages(struct show *s, uint64_t max, json_t *array)
{
    enum err e;

    max = max < 1 ? 1 : max > SHOW_MAX ? SHOW_MAX : max;
    s->lines = mem_calloc(s->c->api->mem, (size_t)max, sizeof(*s->lines));
    if (s->lines == NULL) {
        return ERR_NOMEM;
    }
    e = store_msg_list(s->txn, &s->conv->id, 0, STORE_DOWN, (uint32_t)max,
                       each_msg, s);
    qsort(s->lines, s->lines_len, sizeof(*s->lines), by_place);
    for (size_t i = 0; i < s->lines_len; i++) {
        (void)json_array_append_new(array, s->lines[i].o);
    }
    mem_free(s->c->api->mem, s->lines, (size_t)max * sizeof(*s->lines));
    return e;
}

/* A person has seen it: here, and to the others. */
struct seen {
    struct node_call *c;
    struct conv_id conv;
    struct thread_id thread;
    bool has_thread;
    uint64_t pos;
    uint64_t term;
    uint64_t seq;
};

static enum err
step_seen(void *ctx, struct fed_core *core)
{
    struct seen *s = ctx;
    enum err e = OK;

    if (s->has_thread && s->seq != 0) {
        e = fed_core_read_upto(core, &s->thread, s->term, s->seq);
    }
    /* a thread that has ended needs no receipt */
    return e == ERR_MISSING || e == ERR_STATE ? OK : e;
}

static enum err
write_seen(void *ctx, struct store_txn *txn)
{
    enum err e;
    struct seen *s = ctx;

    TRY(store_conv_mark_put(txn, &s->conv, NODE_MARK_SEEN,
                            member_id_view(&s->c->api->member), s->pos));
    TRY(node_audit_member(txn, s->c->api, NODE_AUDIT_READ,
                          conv_id_view(&s->conv), s->pos));
out:
    return e;
}

static enum err
mark_seen(struct node_call *c, const struct store_conv *conv,
          const struct show *show)
{
    struct seen s = {.c = c,
                     .conv = conv->id,
                     .thread = conv->thread,
                     .has_thread = conv->has_thread,
                     .pos = show->last_pos,
                     .term = show->term,
                     .seq = show->seq};
    struct node_step step = {step_seen, write_seen, &s};

    return show->last_pos == 0 ? OK : node_runner_do(c->api->runner, &step);
}

static const char *
thread_word(enum fed_thread_state s)
{
    switch (s) {
    case FED_THREAD_OPENING:
        return "opening";
    case FED_THREAD_ACTIVE:
        return "active";
    case FED_THREAD_CHECKING:
        return "comparing with the others after a restore";
    case FED_THREAD_RESYNC:
        return "rejoining after a loss";
    case FED_THREAD_ENDED:
        return "ended";
    case FED_THREAD_REMOVED:
        return "removed";
    }
    return "unknown";
}

struct info {
    struct thread_id id;
    struct fed_thread_info info;
};

static enum err
step_info(void *ctx, struct fed_core *core)
{
    struct info *i = ctx;

    return fed_core_thread(core, &i->id, &i->info);
}

/* How the thread stands: its order, its queue, its authenticator. */
static void
show_thread(struct node_call *c, const struct store_conv *conv)
{
    struct info i = {.id = conv->thread};
    struct node_step step = {.step = step_info, .ctx = &i};

    if (!conv->has_thread || node_runner_do(c->api->runner, &step) != OK) {
        return;
    }
    node_json_view(c->out, "state", view_str(thread_word(i.info.state)));
    node_json_bool(c->out, "hub_here", i.info.hub_here);
    node_json_num(c->out, "term", i.info.term);
    node_json_num(c->out, "log", i.info.seq);
    node_json_num(c->out, "epoch", i.info.epoch);
    node_json_bool(c->out, "waiting", i.info.waiting);
    node_json_hex(c->out, "authenticator", VIEW_ARRAY(i.info.authenticator));
}

enum err
node_cmd_thread_show(struct node_call *c)
{
    enum err e;
    struct store_conv conv = {0};
    struct phi name = {0};
    struct show s = {.c = c, .conv = &conv, .reactions = json_object()};
    uint64_t max = 0;

    TRY(node_call_number(c, "limit", THREAD_MAX, &max));
    TRY(store_read_begin(c->api->store, &s.txn));
    TRY(node_find_conv(c, s.txn, node_call_arg(c, 0), &conv));
    node_conv_label(s.txn, &conv, &name);
    node_json_hex(c->out, "id", conv_id_view(&conv.id));
    node_json_view(c->out, "title", proto_phi_reveal(&name));
    node_json_bool(c->out, "closed", (conv.flags & STORE_CONV_CLOSED) != 0);
    node_json_num(c->out, "total", conv.msgs);
    TRY(show_messages(&s, max, node_json_array(c->out, "messages")));
    store_read_end(s.txn);
    s.txn = NULL;
    show_thread(c, &conv);
    TRY(mark_seen(c, &conv, &s));
out:
    store_read_end(s.txn);
    json_decref(s.reactions);
    store_conv_clear(&conv);
    phi_free(&name);
    return e;
}

/* ------------------------------------------------------------------- watch */

struct watch {
    struct node_call *c;
    struct store_txn *txn;
    bool one; /* only this conversation */
    struct conv_id conv;
    uint64_t after;
    json_t *lines;
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
        [NODE_EVENT_MEMBERS] = "members",
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
    }
    json_decref(message);
    store_msg_clear(&m);
    store_conv_clear(&conv);
    phi_free(&name);
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
    } else if (ev->kind == NODE_EVENT_CLINIC ||
               ev->kind == NODE_EVENT_REQUEST) {
        show_event_clinic(w, ev->a, o);
    } else if (ev->kind == NODE_EVENT_LINK_USED) {
        show_event_clinic(w, ev->b, o);
    }
    return OK;
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
        *e = store_journal_read(w->txn, w->after, 256, each_event, w);
        store_read_end(w->txn);
    }
    json_array_foreach(w->lines, i, line)
    {
        listening = listening && w->c->emit(w->c->emit_ctx, line);
    }
    json_decref(w->lines);
    return listening && *e == OK;
}

/* Wait for the journal to grow; false when the node stops. */
static bool
wait_journal(struct node_api *api, uint64_t after)
{
    struct timespec until;
    bool stopping;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 1; /* to look whether anybody still listens */
    (void)pthread_mutex_lock(&api->journal_mx);
    if (api->journal_seq <= after && !api->stopping) {
        (void)pthread_cond_timedwait(&api->journal_cond, &api->journal_mx,
                                     &until);
    }
    stopping = api->stopping;
    (void)pthread_mutex_unlock(&api->journal_mx);
    return !stopping;
}

enum err
node_cmd_watch(struct node_call *c)
{
    enum err e;
    struct watch w = {.c = c, .one = json_array_size(c->args) > 0};
    struct store_conv conv = {0};
    json_t *ready = json_object();

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
    while (emit_new(&w, &e) && wait_journal(c->api, w.after)) {
        continue;
    }
out:
    json_decref(ready);
    store_conv_clear(&conv);
    return e;
}
