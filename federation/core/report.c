/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports, both ends: to whom one message is shown, and what whoever gets it
 * can know about it.
 *
 * A clinic that takes part in the thread has its own record.  Else the hub's
 * signature counts: as the author's own, if the hub is the author, or as the
 * word of a clinic that we know; and not at all from the hub that reports.
 * What a hub signs is a hash, so it proves nothing about what is not shown.  Of
 * an edited message the edit is reported; it names what it changed by its id,
 * so the words of before are as good.
 */
#include "federation/core/care.h"
#include "federation/core/frank.h"

#include <string.h>

/* ---------------------------------------------------------------- reporting */

static bool
takes_reports(const struct fed_party *p)
{
    return p != NULL && p->kind == FED_KIND_CLINIC && fed_party_open(p);
}

enum err
fed_core_report_to(struct fed_core *core, const struct thread_id *thread,
                   struct clinic_id out[FED_REPORT_TO], size_t *len_out)
{
    enum err e;
    struct fed_thread *t;
    struct clinic_id hub;
    struct fed_party *p;
    size_t n = 0;

    TRY(fed_thread_get(core, thread, &t));
    memcpy(hub.b, t->rec.hub, sizeof(hub.b));
    if (core->kind == FED_KIND_CLINIC) {
        out[n++] = core->me;
    }
    p = clinic_id_equal(&hub, &core->me) ? NULL : fed_party_find(core, &hub);
    if (p != NULL && takes_reports(p->via)) {
        out[n++] = p->via->root;
    }
    if (takes_reports(p) && (p->via == NULL || t->mls != NULL)) {
        out[n++] = hub; /* a carried one's key is in the group */
    }
    *len_out = n;
out:
    return e;
}

static void
fill(const struct fed_report *in, struct proto_report *out)
{
    memcpy(out->thread, in->thread.b, sizeof(out->thread));
    memcpy(out->message, in->message.b, sizeof(out->message));
    memcpy(out->author, in->author.b, sizeof(out->author));
    out->term = in->term;
    out->seq = in->seq;
    out->ts_ms = in->ts_ms;
    out->reason = in->reason;
    out->words = in->words;
    out->content = in->content;
    out->before = in->before;
}

/* [report-edit] What an edit changed is named in it, by its id. */
static bool
edit_fits(const struct proto_report *in)
{
    struct proto_content c;
    struct clinic_id author;
    struct message_id id;

    if (in->before.len == 0) {
        return true;
    }
    memcpy(author.b, in->author, sizeof(author.b));
    fed_message_id(&author, in->before, &id);
    return proto_content_decode(in->content, &c) == OK &&
           c.kind == PROTO_CONTENT_EDIT &&
           memcmp(c.u.edit.target, id.b, sizeof(id.b)) == 0;
}

static enum err
show(struct fed_core *core, const struct fed_party *by,
     const struct proto_report *in, enum fed_proof proof,
     const struct clinic_id *hub)
{
    enum err e;
    struct fed_show *s = fed_tx_show(core, FED_SHOW_REPORT);
    struct proto_peer_msg msg = {.type = PROTO_PEER_REPORT};

    TRY(s == NULL ? ERR_NOMEM : OK);
    s->code = in->reason;
    s->value = (uint64_t)proof;
    s->peer = by == NULL ? core->me : by->subject;
    s->who = by == NULL || by->kind == FED_KIND_CLINIC ? FED_KIND_CLINIC
                                                       : FED_KIND_PATIENT;
    memcpy(s->thread.b, in->thread, sizeof(s->thread.b));
    memcpy(s->message.b, in->message, sizeof(s->message.b));
    memcpy(s->author.b, in->author, sizeof(s->author.b));
    memcpy(s->other.b, hub->b, sizeof(s->other.b));
    s->term = in->term;
    s->seq = in->seq;
    s->ts_ms = in->ts_ms;
    msg.u.report = *in;
    TRY(proto_peer_encode(core->mem, &msg, &s->body));
out:
    return e;
}

/* Through a relay it is sealed to the hub. */
static enum err
send(struct fed_core *core, const struct thread_id *thread,
     const struct clinic_id *to, const struct proto_peer_msg *msg)
{
    enum err e;
    struct fed_party *p = fed_party_find(core, to);
    struct fed_thread *t;
    struct bytes item = {0};

    TRY(p == NULL ? ERR_INTERNAL : OK); /* it was there when we looked */
    if (p->via == NULL) {
        return fed_stream_put(core, p, msg);
    }
    TRY(fed_thread_get(core, thread, &t));
    TRY(fed_report_seal(core, t, msg, &item));
    TRY(fed_route_item(core, p, view_of(&item), NULL));
out:
    bytes_free(&item);
    return e;
}

enum err
fed_core_report(struct fed_core *core, const struct fed_report *in)
{
    enum err e;
    struct clinic_id to[FED_REPORT_TO];
    struct clinic_id none = {{0}};
    struct message_id id;
    struct bytes ids = {0};
    struct bytes proof = {0};
    size_t n;
    struct proto_peer_msg msg = {.type = PROTO_PEER_REPORT};

    TRY(fed_core_report_to(core, &in->thread, to, &n));
    fed_message_id(&in->author, in->content, &id);
    TRY(clinic_id_equal(&in->author, &core->me) ||
                !message_id_equal(&id, &in->message) ||
                in->reason >= PROTO_REPORT_REASON_COUNT
            ? ERR_INVALID
            : OK);
    TRY(in->words.len > LIMIT_REPORT_WORDS || in->content.len > LIMIT_CONTENT ||
                in->before.len > LIMIT_CONTENT
            ? ERR_LIMIT
            : OK);
    fill(in, &msg.u.report);
    TRY(edit_fits(&msg.u.report) ? OK : ERR_INVALID);
    if (core->kind == FED_KIND_DEVICE) {
        e = fed_frank_proof(core, in, &ids, &proof);
        TRY(e == ERR_MISSING ? OK : e);
        msg.u.report.ids = view_of(&ids);
        msg.u.report.proof = view_of(&proof);
    }
    for (size_t i = 0; i < n; i++) {
        TRY(clinic_id_equal(&to[i], &core->me)
                ? show(core, NULL, &msg.u.report, FED_PROOF_OWN, &none)
                : send(core, &in->thread, &to[i], &msg));
    }
out:
    bytes_free(&ids);
    bytes_free(&proof);
    return e;
}

/* ------------------------------------------------------------------ judging */

/* Our own record, if we have one. */
static enum err
by_record(struct fed_core *core, const struct proto_report *in, bool *ours,
          bool *agrees)
{
    enum err e;
    struct thread_id thread;
    struct message_id id;
    struct fed_past p = {0};
    uint64_t term;
    uint64_t seq;

    *ours = false;
    *agrees = true;
    memcpy(thread.b, in->thread, sizeof(thread.b));
    memcpy(id.b, in->message, sizeof(id.b));
    e = fed_tx_known(core, &thread, &id, &term, &seq);
    if (e != OK) {
        return e == ERR_MISSING ? OK : e;
    }
    *ours = true;
    if (in->content.len > 0 || core->config.store.past == NULL) {
        return OK; /* the id says whose it is */
    }
    e = core->config.store.past(core->config.store.ctx, &thread, term, seq, seq,
                                core->mem, &p);
    if (e == OK && message_id_equal(&p.id, &id)) {
        *agrees = memcmp(p.author.b, in->author, sizeof(p.author.b)) == 0;
    }
    bytes_free(&p.content);
    return e == ERR_MISSING ? OK : e;
}

/* [report-signed] Whether the statement is about just this message. */
static bool
about(const struct proto_report *in, const struct proto_frank *said)
{
    struct thread_id thread;
    struct message_id id;
    uint8_t tag[32];

    memcpy(thread.b, in->thread, sizeof(thread.b));
    memcpy(id.b, in->message, sizeof(id.b));
    fed_frank_tag(&thread, in->ids, tag);
    return in->ids.len % sizeof(id.b) == 0 && fed_frank_among(in->ids, &id) &&
           memcmp(said->tag, tag, sizeof(tag)) == 0 &&
           memcmp(said->thread, in->thread, 32) == 0 &&
           memcmp(said->author, in->author, 32) == 0 &&
           said->term == in->term && said->seq == fed_place_entry(in->seq);
}

/* What a hub's signature is worth to us. */
static enum err
by_signature(struct fed_core *core, const struct fed_party *by,
             struct proto_report *in, struct clinic_id *hub,
             enum fed_proof *out)
{
    enum err e;
    static const uint64_t head[] = {PROTO_FRANK_TAKEN, 1};
    /* Its time is judged by what it says, its key by revocation. */
    struct ident_check check = {.now_ms = 0};
    struct ident_node node;
    struct view said;
    struct proto_frank f;
    const struct fed_party *p;

    *out = FED_PROOF_FALSE;
    e = ident_by_node_open(core->mem, IDENT_STATEMENT, in->proof, &check, &node,
                           &said);
    TRY(e);
    TRY(proto_shape_decode(said, &proto_frank_shape, head, 2, &f));
    p = fed_party_find(core, &node.root);
    if (!about(in, &f) || (p != NULL && node.generation < p->rec.revoked)) {
        goto out;
    }
    *hub = node.root;
    in->ts_ms = f.ts_ms; /* the time, too, is what was signed */
    if (memcmp(node.root.b, in->author, sizeof(node.root.b)) == 0) {
        *out = FED_PROOF_AUTHOR;
        goto out;
    }
    /* [report-hub] a clinic that nobody knows, or that reports itself, is no
       witness */
    *out = takes_reports(p) && !clinic_id_equal(&node.root, &by->subject)
               ? FED_PROOF_HUB
               : FED_PROOF_NONE;
out:
    return e == OK || fed_ours(e) ? e : OK;
}

static enum err
judge(struct fed_core *core, const struct fed_party *by,
      struct proto_report *in, struct clinic_id *hub, enum fed_proof *out)
{
    enum err e;
    struct clinic_id author;
    struct message_id id;
    bool ours;
    bool agrees;

    memcpy(author.b, in->author, sizeof(author.b));
    fed_message_id(&author, in->content, &id);
    /* [report-content] neither another content nor another author */
    if ((in->content.len > 0 && memcmp(id.b, in->message, sizeof(id.b)) != 0) ||
        !edit_fits(in)) {
        *out = FED_PROOF_FALSE;
        return OK;
    }
    TRY(by_record(core, in, &ours, &agrees));
    if (ours) {
        *out = agrees ? FED_PROOF_OWN : FED_PROOF_FALSE;
        goto out;
    }
    *out = FED_PROOF_NONE;
    if (in->proof.len > 0 && in->content.len > 0) {
        TRY(by_signature(core, by, in, hub, out));
    }
out:
    return e;
}

/* ---------------------------------------------------------------- receiving */

/* [report-flood] One more of this reporter today? */
static enum err
count(struct fed_core *core, const struct fed_party *by, bool *take,
      bool *first_too_many)
{
    enum err e;
    struct fed_key key = fed_key_of(clinic_id_view(&by->subject));
    struct fed_rec_reporter rec = {0};
    struct bytes hold = {0};
    uint64_t now = fed_now(core);

    e = fed_tx_load(core, FED_NS_REPORTER, &key, &fed_rec_reporter_shape, &rec,
                    &hold);
    TRY(e == ERR_MISSING ? OK : e);
    if (rec.count == 0 || now < rec.since_ms ||
        now - rec.since_ms >= LIMIT_REPORTS_MS) {
        rec = (struct fed_rec_reporter){.since_ms = now};
    }
    *take = rec.count < LIMIT_REPORTS_DAY;
    *first_too_many = rec.count == LIMIT_REPORTS_DAY;
    if (*take || *first_too_many) {
        rec.count++;
        TRY(fed_tx_save(core, FED_NS_REPORTER, &key, &fed_rec_reporter_shape,
                        &rec));
    }
out:
    bytes_free(&hold);
    return e;
}

static enum err
too_many(struct fed_core *core, const struct fed_party *by)
{
    struct fed_show *s = fed_tx_show(core, FED_SHOW_REPORT);

    if (s == NULL) {
        return ERR_NOMEM;
    }
    s->known = true;
    s->peer = by->subject;
    s->who = by->kind == FED_KIND_CLINIC ? FED_KIND_CLINIC : FED_KIND_PATIENT;
    return OK;
}

enum err
fed_report_recv(struct fed_core *core, struct fed_party *p,
                const struct proto_report *in)
{
    enum err e;
    struct clinic_id hub = {{0}};
    struct proto_report judged = *in;
    enum fed_proof proof;
    bool take;
    bool first;

    if (core->kind != FED_KIND_CLINIC) {
        return ERR_DENIED;
    }
    TRY(count(core, p, &take, &first));
    if (!take) {
        TRY(first ? too_many(core, p) : OK);
        goto out;
    }
    TRY(judge(core, p, &judged, &hub, &proof));
    TRY(show(core, p, &judged, proof, &hub));
out:
    return e;
}
