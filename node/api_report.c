/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports: showing a message to the clinics that can do something about it,
 * and what others showed us.
 */
#include "federation/core/report.h"

#include "node/api.h"
#include "node/clinic/report.h"
#include "node/ns.h"
#include "proto/base/limits.h"
#include "store/fed.h"

#include <string.h>

static const char *const reasons[PROTO_REPORT_REASON_COUNT] = {
    [PROTO_REPORT_OTHER] = "other",        [PROTO_REPORT_SPAM] = "spam",
    [PROTO_REPORT_ABUSE] = "abuse",        [PROTO_REPORT_IDENTITY] = "identity",
    [PROTO_REPORT_MISSENT] = "not for me",
};

/* Somebody by the 32 bytes, as they are called here. */
static void
show_who(struct node_call *c, struct store_txn *txn, const uint8_t id[32],
         json_t *o)
{
    struct store_clinic clinic = {0};
    struct store_patient patient = {0};
    struct clinic_id root;
    struct patient_id as_patient;
    struct phi name = {0};

    memcpy(root.b, id, sizeof(root.b));
    memcpy(as_patient.b, id, sizeof(as_patient.b));
    node_json_hex(o, "id", clinic_id_view(&root));
    if (clinic_id_equal(&root, &c->api->root)) {
        node_json_own_name(o, "name", c->api);
        node_json_bool(o, "self", true);
        return;
    }
    if (store_clinic_get(txn, &root, &clinic) == OK) {
        node_clinic_label(txn, &clinic, &name);
    } else if (store_patient_get(txn, &as_patient, &patient) == OK) {
        node_patient_label(txn, &patient, &name);
        node_json_bool(o, "patient", true);
    }
    node_json_view(o, "name", proto_phi_reveal(&name));
    store_clinic_clear(&clinic);
    store_patient_clear(&patient);
    phi_free(&name);
}

static void
add_who(struct node_call *c, struct store_txn *txn, const uint8_t id[32],
        json_t *into, const char *key)
{
    json_t *o = json_object();

    if (o != NULL) {
        show_who(c, txn, id, o);
        (void)json_object_set_new(into, key, o);
    }
}

/* ---------------------------------------------------------------- reporting */

struct reporting {
    struct node_call *c;
    struct fed_report report;
    struct conv_id conv;
    uint64_t number;
    struct store_msg edit; /* where the message was edited */
    struct clinic_id to[FED_REPORT_TO];
    size_t to_len;
};

static enum err
step_look(void *ctx, struct fed_core *core)
{
    struct reporting *r = ctx;

    return fed_core_report_to(core, &r->report.thread, r->to, &r->to_len);
}

static enum err
step_report(void *ctx, struct fed_core *core)
{
    struct reporting *r = ctx;
    enum err e = step_look(ctx, core);

    return e == OK ? fed_core_report(core, &r->report) : e;
}

static enum err
write_report(void *ctx, struct store_txn *txn)
{
    struct reporting *r = ctx;

    return node_audit_member(txn, r->c->api, NODE_AUDIT_REPORT,
                             conv_id_view(&r->conv), r->number);
}

static enum err
reason_of(struct node_call *c, uint64_t *out)
{
    struct view word = node_call_flag(c, "reason");

    *out = PROTO_REPORT_OTHER;
    for (uint64_t i = 0; word.len > 0 && i < PROTO_REPORT_REASON_COUNT; i++) {
        if (view_equal(word, view_str(reasons[i]))) {
            *out = i;
            return OK;
        }
    }
    return word.len == 0
               ? OK
               : node_call_fail(c, ERR_INVALID,
                                "--reason is spam, abuse, identity, \"not for "
                                "me\" or other.");
}

/* Of an edited message the edit is shown, with what it changed. */
static enum err
as_edited(struct store_txn *txn, struct reporting *r, const struct store_msg *m)
{
    enum err e = OK;

    if ((m->flags & STORE_MSG_EDITED) != 0) {
        TRY(store_msg_get(txn, m->about, &r->edit));
        r->report.before = view_of(&m->body);
        m = &r->edit;
    }
    r->report.message = m->id;
    r->report.term = m->log_term;
    r->report.seq = m->log_seq;
    r->report.ts_ms = m->at_ms;
    r->report.content = view_of(&m->body);
out:
    return e;
}

/* The message that people name, as what is reported. */
static enum err
find(struct node_call *c, struct reporting *r, struct store_msg *m)
{
    enum err e;
    struct store_txn *txn = NULL;
    struct store_conv conv = {0};

    TRY(store_read_begin(c->api->store, &txn));
    TRY(node_find_msg(c, txn, node_call_arg(c, 0), m));
    TRY(store_conv_get(txn, &m->conv, &conv));
    if (!store_actor_outside(&m->author) ||
        store_actor_id_len(m->author.kind) != sizeof(r->report.author.b)) {
        TRY(node_call_fail(c, ERR_INVALID,
                           "This message is your own. Only what others wrote "
                           "can be reported."));
    }
    if (!conv.has_thread || m->log_seq == 0 || m->body.len == 0) {
        TRY(node_call_fail(c, ERR_STATE,
                           "What this message said is no longer here, so it "
                           "cannot be shown to anybody."));
    }
    r->conv = m->conv;
    r->number = m->seq;
    r->report.thread = conv.thread;
    memcpy(r->report.author.b, m->author.id, sizeof(r->report.author.b));
    TRY(as_edited(txn, r, m));
    add_who(c, txn, r->report.author.b, c->out, "about");
out:
    store_conv_clear(&conv);
    store_read_end(txn);
    return e;
}

static enum err
show_to(struct node_call *c, const struct reporting *r)
{
    enum err e;
    struct store_txn *txn = NULL;
    json_t *list = node_json_array(c->out, "to");

    TRY(store_read_begin(c->api->store, &txn));
    for (size_t i = 0; i < r->to_len; i++) {
        json_t *o = node_json_item(list);

        if (o != NULL) {
            show_who(c, txn, r->to[i].b, o);
        }
    }
out:
    store_read_end(txn);
    return e;
}

enum err
node_cmd_report(struct node_call *c)
{
    enum err e;
    struct reporting r = {.c = c};
    struct store_msg m = {0};
    bool look = node_call_has(c, "look"); /* only say who would be shown it */
    struct node_step step = {.step = look ? step_look : step_report,
                             .write = look ? NULL : write_report,
                             .ctx = &r};

    TRY(reason_of(c, &r.report.reason));
    r.report.words = node_call_flag(c, "words");
    if (r.report.words.len > LIMIT_REPORT_WORDS) {
        TRY(node_call_fail(c, ERR_LIMIT, "--words takes %u bytes at most.",
                           LIMIT_REPORT_WORDS));
    }
    TRY(find(c, &r, &m));
    e = node_runner_do(c->api->runner, &step);
    if (e == ERR_MISSING || e == ERR_INVALID) {
        e = node_call_fail(c, e,
                           "This message cannot be reported: its conversation "
                           "has ended, or it is not as it was sent.");
    }
    TRY(e);
    TRY(show_to(c, &r));
out:
    store_msg_clear(&r.edit);
    store_msg_clear(&m);
    return e;
}

/* ------------------------------------------------------------------ reports */

struct listing {
    struct node_call *c;
    struct store_txn *txn;
    json_t *array;
    bool all;
    size_t shown;
};

static const char *
proof_word(uint64_t proof)
{
    switch (proof) {
    case FED_PROOF_OWN:
        return "own record";
    case FED_PROOF_AUTHOR:
        return "signed by its author";
    case FED_PROOF_HUB:
        return "confirmed by another clinic";
    case FED_PROOF_FALSE:
        return "does not fit";
    default:
        return "none";
    }
}

static void
show_said(struct view content, json_t *o, const char *key)
{
    struct proto_content decoded;
    json_t *said = json_object();

    if (said != NULL && proto_content_decode(content, &decoded) == OK) {
        node_json_content(&decoded, said);
        node_json_view(said, "member", decoded.author.name);
    }
    (void)json_object_set_new(o, key, said);
}

/* What was said, from our own record where the report leaves it out. */
static void
show_own(struct listing *l, const struct proto_report *in, json_t *o)
{
    struct store_conv conv = {0};
    struct store_msg m = {0};
    struct thread_id thread;
    struct message_id id;

    memcpy(thread.b, in->thread, sizeof(thread.b));
    memcpy(id.b, in->message, sizeof(id.b));
    if (store_conv_by_thread(l->txn, &thread, &conv.id) == OK &&
        store_msg_find(l->txn, &conv.id, &id, &m) == OK) {
        node_json_num(o, "number", m.seq);
        node_json_num(o, "said_ms", m.at_ms);
        if (in->content.len == 0) {
            show_said(view_of(&m.body), o, "message");
        }
    }
    store_msg_clear(&m);
    store_conv_clear(&conv);
}

static enum err
each_report(void *ctx, struct view key, struct view value)
{
    enum err e;
    struct listing *l = ctx;
    struct node_report r;
    struct proto_peer_msg msg;
    const struct proto_report *in = &msg.u.report;
    json_t *o;

    TRY(node_report_decode(value, &r));
    TRY(proto_peer_decode(r.message, &msg) == OK &&
                msg.type == PROTO_PEER_REPORT
            ? OK
            : ERR_CORRUPT);
    if (!l->all && r.closed_ms != 0) {
        return OK;
    }
    o = node_json_item(l->array);
    TRY(o == NULL ? ERR_NOMEM : OK);
    l->shown++;
    node_json_hex(o, "id", key);
    node_json_num(o, "at_ms", r.at_ms);
    node_json_bool(o, "open", r.closed_ms == 0);
    add_who(l->c, l->txn, r.by, o, "by");
    add_who(l->c, l->txn, in->author, o, "about");
    node_json_view(o, "reason", view_str(reasons[in->reason]));
    node_json_view(o, "words", in->words);
    node_json_num(o, "said_ms", in->ts_ms);
    node_json_bool(o, "proven",
                   r.proof == FED_PROOF_OWN || r.proof == FED_PROOF_AUTHOR ||
                       r.proof == FED_PROOF_HUB);
    node_json_view(o, "proof", view_str(proof_word(r.proof)));
    if (r.proof == FED_PROOF_HUB) {
        add_who(l->c, l->txn, r.hub, o, "confirmed_by");
    }
    if (in->content.len > 0) {
        show_said(in->content, o, "message");
    }
    if (r.proof == FED_PROOF_OWN) {
        show_own(l, in, o);
    }
    if (in->before.len > 0) {
        show_said(in->before, o, "before");
    }
out:
    return e;
}

static enum err
write_read(void *ctx, struct store_txn *txn)
{
    const struct listing *l = ctx;

    return node_audit_member(txn, l->c->api, NODE_AUDIT_REPORT_READ,
                             (struct view){0}, l->shown);
}

enum err
node_cmd_reports(struct node_call *c)
{
    enum err e;
    struct listing l = {.c = c,
                        .array = node_json_array(c->out, "reports"),
                        .all = node_call_has(c, "all")};

    TRY(store_read_begin(c->api->store, &l.txn));
    e = store_fed_scan(l.txn, NODE_NS_REPORT, (struct view){0},
                       (struct view){0}, STORE_UP, UINT32_MAX, each_report, &l);
    store_read_end(l.txn);
    l.txn = NULL;
    TRY(e);
    TRY(l.shown > 0 ? store_write(c->api->store, write_read, &l, 0) : OK);
out:
    return e;
}

/* ------------------------------------------------------------------ closing */

struct closing {
    struct node_call *c;
    struct view ref;
    uint8_t id[NODE_REPORT_ID];
    size_t count;
};

static enum err
each_named(void *ctx, struct view key, struct view value)
{
    struct closing *k = ctx;
    char hex[PROTO_HEX_MAX + 1];

    (void)value;
    proto_hex(key, hex);
    if (key.len == sizeof(k->id) && k->ref.len >= 4 &&
        k->ref.len <= strlen(hex) && memcmp(hex, k->ref.p, k->ref.len) == 0) {
        memcpy(k->id, key.p, sizeof(k->id));
        k->count++;
    }
    return OK;
}

static enum err
write_close(void *ctx, struct store_txn *txn)
{
    enum err e;
    struct closing *k = ctx;

    TRY(node_report_close(txn, k->c->api->mem, k->id));
    TRY(node_audit_member(txn, k->c->api, NODE_AUDIT_REPORT_CLOSE,
                          VIEW_ARRAY(k->id), 0));
out:
    return e;
}

enum err
node_cmd_report_close(struct node_call *c)
{
    enum err e;
    struct closing k = {.c = c, .ref = node_call_arg(c, 0)};
    struct store_txn *txn = NULL;

    TRY(store_read_begin(c->api->store, &txn));
    e = store_fed_scan(txn, NODE_NS_REPORT, (struct view){0}, (struct view){0},
                       STORE_UP, UINT32_MAX, each_named, &k);
    store_read_end(txn);
    TRY(e);
    TRY(k.count == 1
            ? OK
            : node_call_fail(c, ERR_MISSING,
                             "There is no such report, or several. Give the "
                             "beginning of its id: balsam reports --all shows "
                             "them."));
    TRY(store_write(c->api->store, write_close, &k, 0));
    node_json_hex(c->out, "id", VIEW_ARRAY(k.id));
out:
    return e;
}
