/* SPDX-License-Identifier: Apache-2.0 */
#include "node/say.h"

#include "node/clinic/desk.h"
#include "node/sysclock.h"

#include <string.h>

enum {
    CONV_WAIT_MS = 20 * 1000
};

static enum err
step_say(void *ctx, struct fed_core *core)
{
    struct node_say *s = ctx;
    struct fed_thread_info info;
    bool hold = false;

    if (s->files && fed_core_thread(core, &s->thread, &info) == OK) {
        hold = !info.hub_here; /* until its files are there */
    }
    return fed_core_send(core, &s->thread, &s->content, hold, &s->id);
}

static enum err
write_say(void *ctx, struct store_txn *txn)
{
    enum err e;
    struct node_say *s = ctx;
    struct store_conv conv = {0};

    TRY(node_audit_member(txn, s->c->api, s->action, conv_id_view(&s->conv),
                          0));
    TRY(store_conv_get(txn, &s->conv, &conv));
    TRY(store_conv_mark_put(txn, &s->conv, NODE_MARK_SEEN, /* who answers has
                                                              read */
                            member_id_view(&s->c->api->member), conv.msgs));
    e = store_msg_by_id(txn, &s->conv, &s->id, &s->seq);
    e = e == ERR_MISSING ? OK : e; /* in another conversation by now */
out:
    store_conv_clear(&conv);
    return e;
}

bool
node_say_blank(struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (memchr(" \t\r\n", text.p[i], 4) == NULL) {
            return false;
        }
    }
    return true;
}

enum err
node_say_why(struct node_call *c, enum err e)
{
    switch ((int)e) {
    case ERR_STATE:
    case ERR_MISSING:
        return node_call_fail(c, e,
                              "This conversation has ended. Connect with the "
                              "clinic again, or start a new one.");
    case ERR_DENIED:
        return node_call_fail(c, e, "You are not connected with this clinic.");
    case ERR_AGAIN:
        return node_call_fail(c, e,
                              "Too many messages of this conversation wait "
                              "for the other clinic already. Wait until its "
                              "node is back: balsam peers shows it.");
    case ERR_LIMIT:
        return node_call_fail(c, e,
                              "The message is too long. Send it as a file, or "
                              "in parts.");
    case ERR_INVALID:
        return node_call_fail(c, e,
                              "The message has characters that are not "
                              "text.");
    default:
        return e;
    }
}

enum err
node_say_find(struct node_call *c, struct view ref, struct node_say *s)
{
    enum err e;
    struct store_txn *txn = NULL;
    struct store_conv conv = {0};

    TRY(store_read_begin(c->api->store, &txn));
    TRY(node_find_conv(c, txn, ref, &conv));
    s->conv = conv.id;
    s->thread = conv.thread;
    s->closed = (conv.flags & STORE_CONV_CLOSED) != 0;
    if (!conv.has_thread) {
        e = node_say_why(c, ERR_MISSING);
    }
out:
    store_read_end(txn);
    store_conv_clear(&conv);
    return e;
}

/* A clinic that has just been connected: its conversation is on its way. */
static bool
is_coming(struct node_call *c, struct view ref)
{
    struct store_txn *txn = NULL;
    struct store_clinic clinic = {0};
    json_t *say = c->say;
    bool is;

    c->say = NULL;
    is = store_read_begin(c->api->store, &txn) == OK &&
         node_find_clinic(c, txn, ref, &clinic) == OK &&
         clinic.state == STORE_CLINIC_CONNECTED;
    store_read_end(txn);
    store_clinic_clear(&clinic);
    json_decref(c->say);
    c->say = say;
    return is;
}

struct reopening {
    const struct conv_id *conv;
    bool is;
};

static enum err
each_clinic(void *ctx, const struct store_clinic *clinic)
{
    struct reopening *r = ctx;
    struct conv_id conv;

    r->is = r->is ||
            (clinic->state == STORE_CLINIC_CONNECTED &&
             node_clinic_conv(clinic, &conv) && conv_id_equal(&conv, r->conv));
    return OK;
}

/* One that is connected again: a new thread of their conversation comes. */
static bool
is_reopening(struct node_call *c, const struct conv_id *conv)
{
    struct store_txn *txn = NULL;
    struct reopening r = {conv, false};
    enum err e = store_read_begin(c->api->store, &txn);

    e = e == OK ? store_clinic_list(txn, each_clinic, &r) : e;
    store_read_end(txn);
    return e == OK && r.is;
}

enum err
node_say_find_soon(struct node_call *c, struct view ref, struct node_say *s)
{
    uint64_t until = clock_mono_ms(node_sysclock()) + CONV_WAIT_MS;
    uint64_t after;
    enum err e;

    for (;;) {
        (void)pthread_mutex_lock(&c->api->journal_mx);
        after = c->api->journal_seq;
        (void)pthread_mutex_unlock(&c->api->journal_mx);
        e = node_say_find(c, ref, s);
        if (!(e == OK ? s->closed && is_reopening(c, &s->conv)
                      : e == ERR_MISSING && is_coming(c, ref)) ||
            clock_mono_ms(node_sysclock()) >= until ||
            !node_api_wait(c->api, after)) {
            return e;
        }
        json_decref(c->say);
        c->say = NULL;
    }
}

/* What was just said, and to whom. */
static enum err
show_said(struct node_call *c, const struct node_say *s)
{
    enum err e;
    struct store_txn *txn = NULL;
    struct store_msg m = {0};
    struct store_conv conv = {0};
    struct phi name = {0};

    if (node_call_has(c, "brief")) {
        node_json_num(c->out, "number", s->seq);
        return OK;
    }
    TRY(store_read_begin(c->api->store, &txn));
    TRY(store_msg_find(txn, &s->conv, &s->id, &m));
    TRY(store_conv_get(txn, &s->conv, &conv));
    node_json_message(c, txn, &conv, &m, c->out);
    node_conv_label(txn, &conv, &name);
    node_json_view(c->out, "title", proto_phi_reveal(&name));
out:
    store_read_end(txn);
    store_msg_clear(&m);
    phi_free(&name);
    store_conv_clear(&conv);
    return e;
}

enum err
node_say_begin(struct node_call *c, struct node_say *s)
{
    struct node_step step = {step_say, write_say, s,
                             s->action == NODE_AUDIT_DELETE};

    s->c = c;
    node_api_author(c->api, &s->content.author);
    return node_runner_begin(c->api->runner, &step, &s->ask);
}

enum err
node_say_end(struct node_call *c, struct node_say *s)
{
    enum err e = node_runner_wait(c->api->runner, &s->ask);

    return e == OK ? show_said(c, s) : node_say_why(c, e);
}

enum err
node_say(struct node_call *c, struct node_say *s)
{
    enum err e = node_say_begin(c, s);

    return e == OK ? node_say_end(c, s) : node_say_why(c, e);
}
