/* SPDX-License-Identifier: Apache-2.0 */
/* Conversations: the inbox, and the messages of one. */
#include "federation/core/hub.h"
#include "federation/core/spoken.h"
#include "node/api.h"
#include "node/api_doubt.h"
#include "node/api_line.h"
#include "node/clinic/desk.h"
#include "node/clinic/past.h"
#include "node/twins.h"
#include "proto/msg/group.h"

#include <stdio.h>
#include <string.h>

enum {
    INBOX_MAX = 20,
    THREAD_MAX = 50,
    SHOW_MAX = 10000,
    UNREAD_MAX = 100,
    INBOX_LIMIT = 1000,
    PREVIEW = 60,     /* bytes of the newest message's text */
    PREVIEW_LOOK = 32 /* messages that are looked at for one with words */
};

/* ------------------------------------------------------------------- inbox */

struct inbox {
    struct node_call *c;
    struct store_txn *txn;
    json_t *array;
    unsigned flags; /* of conversations that are wanted; 0: all */
    uint64_t max;
};

/* Looking for the newest message that has words. */
struct preview {
    struct store_txn *txn;
    json_t *into;
};

/* A line of text: whole characters. */
static struct view
cut(struct view v)
{
    if (v.len > PREVIEW) {
        v.len = PREVIEW;
        while (v.len > 0 && (v.p[v.len] & 0xc0) == 0x80) {
            v.len--;
        }
    }
    return v;
}

/* What came without a word is known by its first file's name. */
static void
show_file(const struct proto_content *content, json_t *into)
{
    struct proto_list_at at = {0};
    struct proto_attachment a;

    if (content->kind == PROTO_CONTENT_TEXT &&
        proto_list_next(&content->u.text.attachments, &proto_attachment_shape,
                        &at, &a)) {
        node_json_view(into, "file", a.name);
        mem_wipe(&a, sizeof(a));
    }
}

/* As it reads now: its newest edit, or that it was deleted. */
static enum err
each_preview(void *ctx, const struct store_msg *m)
{
    const struct preview *p = ctx;
    struct store_msg edit = {0};
    struct proto_content content;
    const struct store_msg *shown = m;

    if (m->kind != PROTO_CONTENT_TEXT || (m->flags & STORE_MSG_OPAQUE) != 0) {
        return OK;
    }
    node_json_bool(p->into, "ours", !store_actor_outside(&m->author));
    if ((m->flags & STORE_MSG_DELETED) != 0) {
        node_json_bool(p->into, "deleted", true);
        return ERR_EXISTS; /* found: ends the walk */
    }
    if ((m->flags & STORE_MSG_EDITED) != 0 &&
        store_msg_get(p->txn, m->about, &edit) == OK) {
        shown = &edit;
    }
    if (proto_content_decode(view_of(&shown->body), &content) == OK) {
        show_file(&content, p->into);
        node_json_view(p->into, "preview",
                       cut(content.kind == PROTO_CONTENT_EDIT
                               ? content.u.edit.text
                               : content.u.text.text));
    }
    store_msg_clear(&edit);
    return ERR_EXISTS;
}

/* When something last happened, and the newest message that has words. */
static enum err
show_preview(struct inbox *i, const struct store_conv *conv, json_t *o)
{
    struct store_msg m = {0};
    struct preview p = {i->txn, o};
    enum err e;

    if (conv->last_msg != 0 &&
        store_msg_get(i->txn, conv->last_msg, &m) == OK) {
        node_json_num(o, "at_ms", m.at_ms);
    }
    store_msg_clear(&m);
    e = store_msg_list(i->txn, &conv->id, 0, STORE_DOWN, PREVIEW_LOOK,
                       each_preview, &p);
    return e == ERR_EXISTS ? OK : e;
}

/* What others wrote since somebody here looked; enough to say "many". */
static enum err
each_unread(void *ctx, const struct store_msg *m)
{
    uint64_t *n = ctx;

    if (store_actor_outside(&m->author) &&
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

/* One that goes on in another is in the list once. */
static bool
is_gone_on(struct store_txn *txn, const struct store_conv *conv)
{
    struct conv_id next;

    return (conv->flags & STORE_CONV_CLOSED) != 0 && conv->has_thread &&
           node_past_linked(txn, NODE_NS_NEXT, &conv->thread, &next) == OK;
}

static enum err
each_conv(void *ctx, const struct store_conv *conv)
{
    struct inbox *i = ctx;
    struct phi name = {0};
    json_t *o;

    if (json_array_size(i->array) >= i->max) {
        return ERR_EXISTS; /* enough: ends the walk */
    }
    if ((i->flags != 0 && (conv->flags & i->flags) == 0) ||
        is_gone_on(i->txn, conv)) {
        return OK;
    }
    o = node_json_item(i->array);
    if (o == NULL) {
        return ERR_NOMEM;
    }
    node_conv_label(i->txn, conv, &name);
    node_json_num(o, "number", conv->number);
    node_json_hex(o, "id", conv_id_view(&conv->id));
    node_json_view(o, "title", proto_phi_reveal(&name));
    node_json_num(o, "messages", conv->msgs);
    node_json_bool(o, "clinics", (conv->flags & STORE_CONV_CLINICS) != 0);
    node_json_bool(o, "patients", (conv->flags & STORE_CONV_PATIENTS) != 0);
    node_json_bool(o, "closed", (conv->flags & STORE_CONV_CLOSED) != 0);
    node_json_num(o, "unread", unread(i, conv));
    phi_free(&name);
    return show_preview(i, conv, o);
}

static enum err
write_inbox_seen(void *ctx, struct store_txn *txn)
{
    const struct inbox *i = ctx;

    return node_audit_member(txn, i->c->api, NODE_AUDIT_INBOX, (struct view){0},
                             json_array_size(i->array));
}

enum err
node_cmd_inbox(struct node_call *c)
{
    enum err e;
    struct inbox i = {.c = c};
    struct store_conv_query q = {.view = STORE_VIEW_EVERY, .max = UINT32_MAX};

    TRY(node_call_limit(c, INBOX_MAX, INBOX_LIMIT, &i.max));
    i.flags |= node_call_has(c, "clinics") ? (unsigned)STORE_CONV_CLINICS : 0u;
    i.flags |=
        node_call_has(c, "patients") ? (unsigned)STORE_CONV_PATIENTS : 0u;
    i.array = node_json_array(c->out, "conversations");
    TRY(store_read_begin(c->api->store, &i.txn));
    e = store_conv_list(i.txn, &q, each_conv, &i);
    store_read_end(i.txn);
    i.txn = NULL;
    TRY(e == ERR_EXISTS ? OK : e);
    /* beginnings of messages were shown */
    if (json_array_size(i.array) > 0) {
        TRY(store_write(c->api->store, write_inbox_seen, &i, STORE_JOB_FREES));
    }
out:
    store_read_end(i.txn);
    return e;
}

/* ------------------------------------------------------------ conversation */

struct show {
    struct node_call *c;
    struct store_txn *txn;
    const struct store_conv *conv;
    json_t **lines; /* newest first */
    struct node_shown *shown;
    size_t lines_len;
    size_t looked;     /* messages, also those that are seen in others */
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

    s->looked++;
    if (m->pos > s->last_pos) {
        s->last_pos = m->pos;
    }
    if (store_actor_outside(&m->author) &&
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
    s->shown[s->lines_len] = (struct node_shown){
        m->seq, m->log_seq == 0 ? 0 : node_log_place(m->log_term, m->log_seq)};
    s->lines[s->lines_len++] = o;
    return OK;
}

/*
 * The newest messages in the order of their positions, which all members see:
 * that of the log, what waits to be sent last.
 */
static enum err
show_messages(struct show *s, uint64_t max, json_t *array)
{
    enum err e;
    const struct mem *mem = s->c->api->mem;

    s->lines = mem_calloc(mem, (size_t)max, sizeof(*s->lines));
    s->shown = mem_calloc(mem, (size_t)max, sizeof(*s->shown));
    TRY(s->lines == NULL || s->shown == NULL ? ERR_NOMEM : OK);
    e = store_msg_list(s->txn, &s->conv->id, 0, STORE_DOWN, (uint32_t)max,
                       each_msg, s);
    for (size_t i = s->lines_len; i > 0; i--) {
        (void)json_array_append_new(array, s->lines[i - 1]);
    }
    TRY(e);
    TRY(node_json_changes(s->c, s->txn, s->conv, s->shown, s->lines_len,
                          s->looked == s->conv->msgs));
out:
    mem_free(mem, s->shown, (size_t)max * sizeof(*s->shown));
    mem_free(mem, s->lines, (size_t)max * sizeof(*s->lines));
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
    struct node_step step = {step_seen, write_seen, &s, true};

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
    uint64_t stands_ms;
    uint64_t left_out_ms;
};

static enum err
step_info(void *ctx, struct fed_core *core)
{
    struct info *i = ctx;

    enum err e = fed_core_thread(core, &i->id, &i->info);

    e = e == OK ? fed_core_stands(core, &i->id, &i->stands_ms) : e;
    return e == OK ? fed_core_left_out(core, &i->id, &i->left_out_ms) : e;
}

/* How the thread stands: its order, its queue, its authenticator. */
static void
show_thread(struct node_call *c, const struct store_conv *conv)
{
    struct info i = {.id = conv->thread};
    struct node_step step = {.step = step_info, .ctx = &i, .when_full = true};

    if (!conv->has_thread || node_runner_do(c->api->runner, &step) != OK) {
        return;
    }
    node_json_view(c->out, "state", view_str(thread_word(i.info.state)));
    node_json_bool(c->out, "hub_here", i.info.hub_here);
    if (i.stands_ms != 0) {
        node_json_num(c->out, "hub_gone_since_ms", i.stands_ms);
    }
    if (i.left_out_ms != 0) {
        node_json_num(c->out, "left_out_since_ms", i.left_out_ms);
    }
    node_json_num(c->out, "term", i.info.term);
    node_json_num(c->out, "log", i.info.seq);
    node_json_num(c->out, "epoch", i.info.epoch);
    node_json_bool(c->out, "waiting", i.info.waiting);
    node_json_hex(c->out, "authenticator", VIEW_ARRAY(i.info.authenticator));
}

/* What everybody in it calls it, whatever number it has there. */
static void
show_spoken(struct node_call *c, const struct store_conv *conv)
{
    char spoken[FED_SPOKEN_LEN + 1];

    if (conv->has_thread) {
        fed_spoken(&conv->thread, spoken);
        node_json_view(c->out, "spoken", view_str(spoken));
    }
}

/* A patient asked for it after a conversation whose clinic was gone. */
static void
show_before(struct node_call *c, struct store_txn *txn,
            const struct store_conv *conv)
{
    struct bytes ext = {0};
    struct proto_group group;
    struct thread_id before;
    struct conv_id id;

    if (conv->has_thread && node_desk_group(txn, &conv->thread, &ext) == OK &&
        proto_group_decode(view_of(&ext), &group) == OK &&
        (group.flags & PROTO_GROUP_AFTER) != 0) {
        node_json_bool(c->out, "continues", true);
        memcpy(before.b, group.prev, sizeof(before.b));
        if (group.term == 1 && store_conv_by_thread(txn, &before, &id) == OK) {
            node_json_hex(c->out, "after", conv_id_view(&id));
        }
    }
    bytes_free(&ext);
}

/* We came late into a thread that was founded anew: the conversation of before
   and the one in which it goes on point to each other. */
static void
show_linked(struct node_call *c, struct store_txn *txn,
            const struct store_conv *conv, enum node_ns ns, const char *key)
{
    struct conv_id id;
    struct store_conv other = {0};

    if (conv->has_thread &&
        node_past_linked(txn, ns, &conv->thread, &id) == OK &&
        store_conv_get(txn, &id, &other) == OK) {
        node_json_num(c->out, key, other.number);
    }
    store_conv_clear(&other);
}

/* A patient in it may be one whom this clinic knew before. */
static enum err
show_twins(struct store_txn *txn, const struct store_conv *conv, json_t *o)
{
    enum err e = OK;

    for (size_t i = 0; e == OK && i < conv->contacts_len; i++) {
        e = node_twins_of(txn, &conv->contacts[i], o);
    }
    return e;
}

enum err
node_cmd_thread_show(struct node_call *c)
{
    enum err e;
    struct store_conv conv = {0};
    struct phi name = {0};
    struct show s = {.c = c, .conv = &conv, .reactions = json_object()};
    uint64_t max = 0;

    TRY(node_call_limit(c, THREAD_MAX, SHOW_MAX, &max));
    TRY(store_read_begin(c->api->store, &s.txn));
    TRY(node_find_conv(c, s.txn, node_call_arg(c, 0), &conv));
    node_conv_label(s.txn, &conv, &name);
    node_json_hex(c->out, "id", conv_id_view(&conv.id));
    node_json_view(c->out, "title", proto_phi_reveal(&name));
    node_json_bool(c->out, "closed", (conv.flags & STORE_CONV_CLOSED) != 0);
    show_spoken(c, &conv);
    show_before(c, s.txn, &conv);
    show_linked(c, s.txn, &conv, NODE_NS_FROM, "goes_on_from");
    show_linked(c, s.txn, &conv, NODE_NS_NEXT, "goes_on_in");
    node_json_doubts(s.txn, &conv.id, c->out);
    TRY(show_twins(s.txn, &conv, c->out));
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
