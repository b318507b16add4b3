/* SPDX-License-Identifier: Apache-2.0 */
/* Conversations: the inbox, and the messages of one. */
#include "node/api.h"
#include "node/clinic/desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    INBOX_MAX = 20,
    THREAD_MAX = 50,
    SHOW_MAX = 10000,
    UNREAD_MAX = 200,
    PREVIEW = 60 /* bytes of the newest message's text */
};

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
    struct node_step step = {.step = step_info, .ctx = &i, .when_full = true};

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
