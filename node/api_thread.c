/* SPDX-License-Identifier: Apache-2.0 */
/* Who takes part in a conversation: clinics and patients. */
#include "federation/core/hub.h"
#include "node/api.h"
#include "node/clinic/desk.h"
#include "node/say.h"
#include "proto/base/limits.h"
#include "proto/msg/group.h"

#include <string.h>
#include <time.h>

enum {
    WITH_MAX = 8,
    OPEN_WAIT_S = 20 /* for a patient's app to come into a new thread */
};

/* Somebody named on the command line. */
struct with {
    struct clinic_id id;
    bool patient;
};

struct change {
    struct node_call *c;
    enum node_audit action;
    struct with with[WITH_MAX];
    size_t with_len;
    size_t patients;
    struct view title;
    bool closed; /* it has ended for us */
    struct conv_id conv;
    struct thread_id thread;
};

/* A patient's conversation opens with the patient alone: clinics come in by
   consent. */
static enum err
open_thread(struct change *ch, struct fed_core *core)
{
    struct clinic_id ids[WITH_MAX];
    size_t n = 0;

    for (size_t i = 0; i < ch->with_len; i++) {
        if (ch->patients == 0 || ch->with[i].patient) {
            ids[n++] = ch->with[i].id;
        }
    }
    return fed_core_thread_open(core, ids, n, ch->title, &ch->thread);
}

static enum err
step_change(void *ctx, struct fed_core *core)
{
    struct change *ch = ctx;
    struct subject_id subject;

    switch ((int)ch->action) {
    case NODE_AUDIT_THREAD_NEW:
        return open_thread(ch, core);
    case NODE_AUDIT_THREAD_ADD:
        return fed_core_add(core, &ch->thread, &ch->with[0].id);
    case NODE_AUDIT_THREAD_REMOVE:
        memcpy(subject.b, ch->with[0].id.b, sizeof(subject.b));
        return fed_core_remove(core, &ch->thread, &subject);
    case NODE_AUDIT_THREAD_LEAVE:
        return fed_core_leave(core, &ch->thread);
    case NODE_AUDIT_THREAD_HAND:
        return fed_core_hand_over(core, &ch->thread,
                                  ch->with_len > 0 ? &ch->with[0].id : NULL,
                                  false);
    default:
        return ERR_INVALID;
    }
}

static enum err
write_change(void *ctx, struct store_txn *txn)
{
    enum err e;
    struct change *ch = ctx;
    struct store_conv conv = {0};

    TRY(node_audit_member(txn, ch->c->api, ch->action,
                          thread_id_view(&ch->thread), 0));
    if (ch->action == NODE_AUDIT_THREAD_NEW && ch->title.len > 0) {
        TRY(node_desk_conv(txn, &ch->thread, &conv));
        phi_free(&conv.title);
        TRY(phi_from(ch->c->api->mem, ch->title, &conv.title));
        TRY(store_conv_put(txn, &conv));
    }
out:
    store_conv_clear(&conv);
    return e;
}

static enum err
left_already(struct node_call *c)
{
    return node_call_fail(c, ERR_STATE,
                          "This conversation has ended for you already. What "
                          "was said stays readable.");
}

/* In words of what was asked. */
static enum err
why_not(struct node_call *c, const struct change *ch, enum err e)
{
    bool hand = ch->action == NODE_AUDIT_THREAD_HAND;

    if (hand && e == ERR_DENIED) {
        return node_call_fail(c, e,
                              "Another clinic's node orders this conversation; "
                              "only it can hand it over.");
    }
    if (hand && e == ERR_MISSING) {
        return node_call_fail(c, e,
                              "This clinic does not take part: balsam thread "
                              "members shows who does.");
    }
    if (ch->action == NODE_AUDIT_THREAD_NEW && e == ERR_DENIED &&
        ch->patients > 0) {
        return node_call_fail(
            c, e,
            "The patient has not said yes to a conversation "
            "with you. Ask in one that you share: balsam "
            "thread ask CONVERSATION PATIENT --purpose TEXT.");
    }
    if (ch->action == NODE_AUDIT_THREAD_LEAVE &&
        (e == ERR_STATE || e == ERR_MISSING)) {
        return left_already(c);
    }
    if (e == ERR_INVALID && (hand || ch->action == NODE_AUDIT_THREAD_LEAVE)) {
        return node_call_fail(c, e,
                              "Your node orders this conversation, and no "
                              "other clinic is in it to go on with it. Add one "
                              "first: balsam thread add.");
    }
    return node_say_why(c, e);
}

static enum err
change(struct node_call *c, struct change *ch)
{
    struct node_step step = {step_change, write_change, ch,
                             ch->action == NODE_AUDIT_THREAD_LEAVE};
    enum err e = node_runner_do(c->api->runner, &step);

    if (e == ERR_DENIED && ch->action == NODE_AUDIT_THREAD_REMOVE) {
        return node_call_fail(c, e,
                              "Another clinic brought them in; only it, or "
                              "they themselves, can take them out.");
    }
    return e == OK ? OK : why_not(c, ch, e);
}

/* Whether somebody was named before, perhaps by another name. */
static bool
is_named(const struct change *ch, const struct node_who *who)
{
    for (size_t i = 0; i < ch->with_len; i++) {
        if (clinic_id_equal(&ch->with[i].id, &who->id)) {
            return true;
        }
    }
    return false;
}

/* Those named from argument number from on, each once. */
static enum err
find_with(struct node_call *c, size_t from, struct change *ch)
{
    enum err e;
    struct store_txn *txn = NULL;

    TRY(store_read_begin(c->api->store, &txn));
    for (size_t i = from; i < json_array_size(c->args); i++) {
        struct node_who who = {0};

        if (ch->with_len == WITH_MAX) {
            TRY(node_call_fail(c, ERR_LIMIT, "At most %d at a time.",
                               WITH_MAX));
        }
        e = node_find_who(c, txn, node_call_arg(c, i), &who);
        phi_free(&who.name);
        if (e != OK) {
            goto out;
        }
        if (!is_named(ch, &who)) {
            ch->with[ch->with_len++] = (struct with){who.id, who.patient};
            ch->patients += who.patient ? 1 : 0;
        }
    }
out:
    store_read_end(txn);
    return e;
}

static enum err
find_thread(struct node_call *c, struct change *ch)
{
    enum err e;
    struct store_txn *txn = NULL;
    struct store_conv conv = {0};

    TRY(store_read_begin(c->api->store, &txn));
    TRY(node_find_conv(c, txn, node_call_arg(c, 0), &conv));
    if (!conv.has_thread) {
        TRY(node_say_why(c, ERR_MISSING));
    }
    ch->closed = (conv.flags & STORE_CONV_CLOSED) != 0;
    ch->conv = conv.id;
    ch->thread = conv.thread;
out:
    store_read_end(txn);
    store_conv_clear(&conv);
    return e;
}

/* ------------------------------------------------------- with their consent
 */

/* Who is in a thread, as far as people ask. */
struct inside {
    bool patient;
    bool direct; /* it belongs to two alone, for good */
    bool named;  /* the first of ch->with */
    size_t count;
};

static enum err
look_inside(struct node_call *c, const struct change *ch, struct inside *out)
{
    enum err e;
    struct store_txn *txn = NULL;
    struct bytes b = {0};
    struct proto_group g;
    struct proto_list_at at = {0};
    struct proto_subject s;

    *out = (struct inside){.patient = false};
    TRY(store_read_begin(c->api->store, &txn));
    TRY(node_desk_group(txn, &ch->thread, &b));
    TRY(proto_group_decode(view_of(&b), &g));
    out->direct = (g.flags & PROTO_GROUP_DIRECT) != 0;
    while (proto_list_next(&g.subjects, &proto_subject_shape, &at, &s)) {
        out->count++;
        out->patient = out->patient || s.kind == PROTO_SUBJECT_PATIENT;
        out->named = out->named ||
                     (ch->with_len > 0 &&
                      memcmp(s.root, ch->with[0].id.b, sizeof(s.root)) == 0);
    }
out:
    store_read_end(txn);
    bytes_free(&b);
    return e == ERR_MISSING ? OK : e; /* not open yet: nobody is in it */
}

static enum err
ask_for(struct node_call *c, const struct thread_id *thread,
        const struct with *with)
{
    enum err e;
    struct store_txn *txn = NULL;
    struct store_clinic clinic = {0};

    if (with->patient) {
        return node_call_fail(c, ERR_INVALID,
                              "One patient is not brought into another's "
                              "conversation.");
    }
    TRY(store_read_begin(c->api->store, &txn));
    TRY(store_clinic_get(txn, &with->id, &clinic));
    store_read_end(txn);
    txn = NULL;
    TRY(node_thread_add_asked(c, thread, &clinic));
out:
    store_read_end(txn);
    store_clinic_clear(&clinic);
    return e;
}

/* Until something happens at the desk, or a second has passed. */
static bool
wait_a_moment(struct node_api *api, uint64_t *seen)
{
    struct timespec until;
    bool going;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 1;
    (void)pthread_mutex_lock(&api->journal_mx);
    if (api->journal_seq <= *seen && !api->stopping) {
        (void)pthread_cond_timedwait(&api->journal_cond, &api->journal_mx,
                                     &until);
    }
    *seen = api->journal_seq;
    going = !api->stopping;
    (void)pthread_mutex_unlock(&api->journal_mx);
    return going;
}

/* The clinics of a new conversation, once the patient is in it. */
static enum err
ask_for_clinics(struct node_call *c, const struct change *ch)
{
    enum err e = OK;
    uint64_t seen = 0;
    uint64_t until = clock_mono_ms(node_sysclock()) + OPEN_WAIT_S * 1000;
    struct inside in = {.patient = false};

    while (e == OK && !in.patient && clock_mono_ms(node_sysclock()) < until) {
        e = look_inside(c, ch, &in);
        if (e == OK && !in.patient && !wait_a_moment(c->api, &seen)) {
            break;
        }
    }
    if (e == OK && !in.patient) {
        node_json_view(c->out, "state", VIEW_LIT("waiting"));
        return OK;
    }
    for (size_t i = 0; i < ch->with_len && e == OK; i++) {
        if (!ch->with[i].patient) {
            e = ask_for(c, &ch->thread, &ch->with[i]);
        }
    }
    return e;
}

/* ----------------------------------------------------------------- commands
 */

/* All that is asked of a patient has to be right before anything is made. */
static enum err
flags_for_new(struct node_call *c, const struct change *ch)
{
    static const char *const asks[] = {"purpose", "history", "expires",
                                       "desk-consent", "why"};

    if (ch->patients == 1 && ch->with_len > 1) {
        return node_call_has(c, "purpose")
                   ? node_thread_asked_flags(c)
                   : node_call_fail(
                         c, ERR_INVALID,
                         "The patient decides who reads along. Say what for: "
                         "--purpose, and how much they may read of what was "
                         "said before: --history.");
    }
    for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
        if (node_call_has(c, asks[i])) {
            return node_call_fail(c, ERR_INVALID,
                                  "--%s is asked of a patient, when clinics "
                                  "are to read along: balsam thread new "
                                  "PATIENT CLINIC.",
                                  asks[i]);
        }
    }
    return OK;
}

enum err
node_cmd_thread_new(struct node_call *c)
{
    enum err e;
    struct change ch = {.c = c, .action = NODE_AUDIT_THREAD_NEW};
    struct store_txn *txn = NULL;
    struct store_conv conv = {0};
    struct conv_id id;

    ch.title = node_call_flag(c, "title");
    if (ch.title.len > LIMIT_NAME) {
        TRY(node_call_fail(c, ERR_LIMIT, "A title has at most %d bytes.",
                           LIMIT_NAME));
    }
    TRY(find_with(c, 0, &ch));
    if (ch.patients > 1) {
        TRY(node_call_fail(c, ERR_INVALID,
                           "One patient is not brought into another's "
                           "conversation."));
    }
    TRY(flags_for_new(c, &ch));
    TRY(change(c, &ch));
    TRY(store_read_begin(c->api->store, &txn));
    TRY(store_conv_by_thread(txn, &ch.thread, &id));
    TRY(store_conv_get(txn, &id, &conv));
    store_read_end(txn);
    txn = NULL;
    node_json_hex(c->out, "id", conv_id_view(&id));
    node_json_num(c->out, "number", conv.number);
    if (ch.patients == 1 && ch.with_len > 1) {
        TRY(ask_for_clinics(c, &ch));
    }
out:
    store_read_end(txn);
    store_conv_clear(&conv);
    return e;
}

/* What needs no asking of the protocol, in words. */
static enum err
may_change(struct node_call *c, const struct change *ch,
           const struct inside *in)
{
    bool add = ch->action == NODE_AUDIT_THREAD_ADD;

    if (add && in->direct) {
        return node_call_fail(c, ERR_STATE,
                              "This conversation is of two alone, and stays "
                              "so. Start one for all: balsam thread new.");
    }
    if (add && in->named) {
        return node_call_fail(c, ERR_EXISTS,
                              "They are in this conversation already: balsam "
                              "thread members shows who is.");
    }
    if (ch->action == NODE_AUDIT_THREAD_REMOVE && !in->named) {
        return node_call_fail(c, ERR_MISSING,
                              "They are not in this conversation: balsam "
                              "thread members shows who is.");
    }
    if (ch->action == NODE_AUDIT_THREAD_LEAVE && ch->closed) {
        return left_already(c);
    }
    if (ch->action == NODE_AUDIT_THREAD_LEAVE && in->count == 1) {
        return node_call_fail(c, ERR_STATE,
                              "Nobody else is in this conversation any more, "
                              "so there is nothing to leave. What was said "
                              "stays readable here.");
    }
    return OK;
}

static enum err
change_existing(struct node_call *c, enum node_audit action)
{
    enum err e;
    struct change ch = {.c = c, .action = action};
    bool add = action == NODE_AUDIT_THREAD_ADD;
    struct inside in;

    TRY(find_thread(c, &ch));
    TRY(find_with(c, 1, &ch));
    TRY(look_inside(c, &ch, &in));
    TRY(may_change(c, &ch, &in));
    TRY(add && in.patient ? ask_for(c, &ch.thread, &ch.with[0])
                          : change(c, &ch));
    node_json_hex(c->out, "id", conv_id_view(&ch.conv));
out:
    return e;
}

enum err
node_cmd_thread_add(struct node_call *c)
{
    return change_existing(c, NODE_AUDIT_THREAD_ADD);
}

enum err
node_cmd_thread_remove(struct node_call *c)
{
    return change_existing(c, NODE_AUDIT_THREAD_REMOVE);
}

enum err
node_cmd_thread_hand_over(struct node_call *c)
{
    return change_existing(c, NODE_AUDIT_THREAD_HAND);
}

enum err
node_cmd_thread_leave(struct node_call *c)
{
    return change_existing(c, NODE_AUDIT_THREAD_LEAVE);
}
