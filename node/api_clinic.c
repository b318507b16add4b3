/* SPDX-License-Identifier: Apache-2.0 */
/* Other clinics: what is behind a link, connecting, deciding, ending. */
#include "crypto/ident/profile.h"
#include "node/api.h"
#include "node/api_clock.h"
#include "node/clinic/desk.h"
#include "node/clinic/picture.h"
#include "node/clocks.h"

#include <string.h>

enum {
    LOOK_WAIT_MS = 15000,
    CONNECT_WAIT_S = 30
};

/* --------------------------------------------------------------- the link */

static enum err
read_link(struct node_call *c, struct proto_link *out)
{
    enum proto_link_fault fault;
    uint64_t now_s = store_now_ms(c->api->store) / 1000;
    enum err e = proto_link_parse(node_call_arg(c, 0), now_s, out, &fault);

    if (e != OK) {
        return node_call_fail(c, e, "%s", proto_link_fault_text(fault));
    }
    if (clinic_id_equal(&out->root, &c->api->root)) {
        return node_call_fail(c, ERR_INVALID,
                              "This is your own link. Give it to the other "
                              "clinic.");
    }
    return OK;
}

struct invite {
    struct proto_link link;
    struct bytes addrs;
    struct fed_invitation inv;
};

static enum err
invite_make(struct node_call *c, struct invite *out)
{
    enum err e;

    TRY(read_link(c, &out->link));
    for (size_t i = 0; i < out->link.addrs_len; i++) {
        TRY(proto_addr_append(c->api->mem, &out->addrs, &out->link.addrs[i]));
    }
    out->inv.root = out->link.root;
    out->inv.link = out->link.id;
    out->inv.one_time = (out->link.flags & PROTO_LINK_ONE_TIME) != 0;
    out->inv.in_person = (out->link.flags & PROTO_LINK_IN_PERSON) != 0;
    memcpy(out->inv.secret, out->link.secret, sizeof(out->inv.secret));
    out->inv.addrs = view_of(&out->addrs);
out:
    return e;
}

static void
invite_clear(struct invite *i)
{
    proto_link_wipe(&i->link);
    mem_wipe(i->inv.secret, sizeof(i->inv.secret));
    bytes_free(&i->addrs);
}

/* ------------------------------------------------------------ what it says */

static enum err
show_profile(struct node_call *c, const struct clinic_id *root,
             const struct node_answer *a, json_t *into)
{
    struct ident_check check = {.root = root};
    struct ident_profile p;
    enum err e;

    if (a->profile.len == 0) {
        return ERR_MISSING;
    }
    e = ident_profile_open(c->api->mem, view_of(&a->profile), &check, &p);
    if (e == OK) {
        node_json_hex(into, "id", clinic_id_view(root));
        node_json_view(into, "name", p.name);
        node_json_view(into, "address", p.address);
        node_json_view(into, "phone", p.phone);
        if (p.picture.type != PROTO_PICTURE_NONE) {
            node_json_picture(into, &p.picture);
        }
    }
    return e;
}

/* Why a clinic could not be reached, and what to do. */
static enum err
unreachable(struct node_call *c, const struct clinic_id *root, enum fed_why why)
{
    if ((why == FED_WHY_EXPIRED || why == FED_WHY_EXPIRED_PEER) &&
        node_call_clocks(c, ERR_STALE, root)) {
        return ERR_STALE;
    }
    switch ((int)why) {
    case FED_WHY_WRONG_PEER:
        return node_call_fail(
            c, ERR_AUTH,
            "Another node answers at the address of this link: its key is not "
            "the clinic's. Nothing was sent. Ask the clinic for a new link.");
    case FED_WHY_OUTDATED:
        return node_call_fail(c, ERR_STALE,
                              "The clinic does not take this node's key. Is "
                              "the machine's clock right? If it is, they have "
                              "seen a newer key of this node: run balsam "
                              "doctor.");
    case FED_WHY_OLD_PEER:
        return node_call_fail(
            c, ERR_STALE,
            "What answers is an older copy of the clinic's node, or its key "
            "was revoked. Nothing was sent. Tell the clinic.");
    case FED_WHY_EXPIRED:
        return node_call_fail(
            c, ERR_STALE,
            "By the clock of the clinic's machine this node's certificate has "
            "expired. Look at both clocks: if one is wrong, set it. If both "
            "are right, run balsam doctor.");
    case FED_WHY_EXPIRED_PEER:
        return node_call_fail(
            c, ERR_STALE,
            "By this machine's clock the certificate of the clinic's node has "
            "expired. Look at both clocks: if one is wrong, set it. If both "
            "are right, tell the clinic.");
    case FED_WHY_NO_ADDRESS:
        return node_call_fail(c, ERR_TIMEOUT,
                              "The address in this link is not known. Check "
                              "the network, or ask the clinic for a new link.");
    case FED_WHY_REFUSED:
        return node_call_fail(
            c, ERR_TIMEOUT,
            "The clinic's node does not answer (nothing listens there). Try "
            "again later, or give them your link: balsam link create.");
    case FED_WHY_NOT_ACCEPTED:
        return node_call_fail(c, ERR_DENIED,
                              "The clinic's node refused the connection.");
    default:
        return node_call_fail(
            c, ERR_TIMEOUT,
            "The clinic cannot be reached (%s). Try again later, or give them "
            "your link to open: balsam link create.",
            fed_why_name(why));
    }
}

/* What the owner of the link says to it. */
static enum err
link_answer(struct node_call *c, const struct invite *inv,
            const struct node_answer *a)
{
    static const char *const words[PROTO_REDEEM_CODE_COUNT] = {
        [PROTO_REDEEM_UNKNOWN] = "The clinic does not know this link. Ask it "
                                 "for a new one.",
        [PROTO_REDEEM_EXPIRED] = "This link has expired. Ask the clinic for a "
                                 "new one.",
        [PROTO_REDEEM_REVOKED] = "The clinic has revoked this link. Ask it for "
                                 "a new one.",
        [PROTO_REDEEM_USED] = "This link was used already, by somebody else or "
                              "as often as it may be. Ask the clinic for a new "
                              "one.",
        [PROTO_REDEEM_PROOF] = "The secret in this link is wrong. Copy it "
                               "again, or scan the QR code.",
        [PROTO_REDEEM_REFUSED] = "The clinic does not want to connect.",
        [PROTO_REDEEM_LATER] = "Very many clinics use this link just now.  "
                               "Your node asks again by itself, within an "
                               "hour.",
    };
    struct ident_check check = {.root = &inv->link.root};
    struct view text;

    if (a->code == PROTO_REDEEM_OK || a->code == PROTO_REDEEM_REVIEW) {
        return OK;
    }
    if (a->code == PROTO_REDEEM_ROTATED) {
        if (ident_forward_open(c->api->mem, view_of(&a->label), &check,
                               &inv->link.id, &text) == OK) {
            return node_call_fail(c, ERR_STALE,
                                  "The clinic has replaced this link. Its new "
                                  "one, signed by the same clinic: %.*s",
                                  (int)text.len, (const char *)text.p);
        }
        return node_call_fail(c, ERR_STALE,
                              "The clinic has replaced this "
                              "link. Ask it for the new one.");
    }
    return node_call_fail(
        c, ERR_DENIED, "%s",
        a->code < PROTO_REDEEM_CODE_COUNT && words[a->code] != NULL
            ? words[a->code]
            : "The clinic does not accept this link. Ask it for a new one.");
}

/* -------------------------------------------------------------------- look */

static enum err
step_look(void *ctx, struct fed_core *core)
{
    return fed_core_look(core, &((struct invite *)ctx)->inv);
}

static enum err
step_look_end(void *ctx, struct fed_core *core)
{
    return fed_core_look_end(core, ctx);
}

/* Of a clinic that is known here already. */
static void
take_stored(struct node_call *c, const struct clinic_id *root,
            struct node_answer *a)
{
    struct store_txn *txn = NULL;
    struct store_clinic clinic = {0};

    if (a->profile.len == 0 && store_read_begin(c->api->store, &txn) == OK &&
        store_clinic_get(txn, root, &clinic) == OK) {
        a->profile = bytes_take(&clinic.profile);
    }
    store_read_end(txn);
    store_clinic_clear(&clinic);
}

enum err
node_cmd_look(struct node_call *c)
{
    enum err e;
    struct invite inv = {0};
    struct node_follow *follow = NULL;
    struct node_answer a = {0};
    struct node_step step = {.step = step_look, .ctx = &inv};
    uint64_t until = clock_mono_ms(node_sysclock()) + LOOK_WAIT_MS;
    uint64_t wait_s;

    TRY(node_call_number(c, "wait", 0, &wait_s)); /* before anybody is asked */
    TRY(invite_make(c, &inv));
    TRY(node_runner_follow(c->api->runner, &inv.inv.root, &follow));
    TRY(node_runner_do(c->api->runner, &step));
    while (!a.has_link || a.profile.len == 0) {
        uint64_t now = clock_mono_ms(node_sysclock());

        e = now < until ? node_follow_wait(follow, until - now, &a)
                        : ERR_TIMEOUT;
        if (e == ERR_TIMEOUT || (e == OK && a.why != FED_WHY_NONE)) {
            e = unreachable(c, &inv.inv.root,
                            a.why == FED_WHY_NONE ? FED_WHY_TIMEOUT : a.why);
        }
        if (e == OK && a.has_link) {
            e = link_answer(c, &inv, &a);
            take_stored(c, &inv.inv.root, &a);
        }
        if (e != OK) {
            goto out;
        }
    }
    TRY(show_profile(c, &inv.inv.root, &a, c->out));
    node_json_bool(c->out, "one_time", (a.bits & FED_LINK_ONE_TIME) != 0);
    node_json_bool(c->out, "in_person", (a.bits & FED_LINK_IN_PERSON) != 0);
    node_json_bool(c->out, "review", (a.bits & FED_LINK_REVIEW) != 0);
out:
    if (e != OK && follow != NULL) {
        step.step = step_look_end;
        step.ctx = &inv.inv.root;
        ERR_IGNORE(node_runner_do(c->api->runner, &step), "it was only a look");
    }
    node_runner_unfollow(c->api->runner, follow);
    node_answer_clear(&a);
    invite_clear(&inv);
    return e;
}

enum err
node_cmd_look_end(struct node_call *c)
{
    enum err e;
    struct invite inv = {0};
    struct node_step step = {
        .step = step_look_end, .ctx = &inv.inv.root, .when_full = true};

    TRY(invite_make(c, &inv));
    TRY(node_runner_do(c->api->runner, &step));
out:
    invite_clear(&inv);
    return e;
}

/* ----------------------------------------------------------------- connect */

struct connect {
    struct node_call *c;
    struct invite inv;
};

static enum err
step_connect(void *ctx, struct fed_core *core)
{
    return fed_core_connect(core, &((struct connect *)ctx)->inv.inv);
}

static enum err
write_connect(void *ctx, struct store_txn *txn)
{
    struct connect *k = ctx;

    return node_audit_member(txn, k->c->api, NODE_AUDIT_CONNECT,
                             clinic_id_view(&k->inv.inv.root), 0);
}

static enum err
already(struct node_call *c, enum err e)
{
    switch ((int)e) {
    case ERR_EXISTS:
        node_json_view(c->out, "state", VIEW_LIT("connected"));
        node_json_bool(c->out, "already", true);
        return OK;
    case ERR_DENIED:
        return node_call_fail(c, e,
                              "You have blocked this clinic. Allow it "
                              "again first: balsam unblock.");
    default:
        return e;
    }
}

/* Who asked us while we asked it is granted as well, and need not say more. */
static bool
is_connected(const struct node_answer *a)
{
    return a->has_party && a->ours == PROTO_STANCE_GRANTED &&
           (a->theirs == PROTO_STANCE_GRANTED ||
            a->theirs == PROTO_STANCE_ASKED);
}

static bool
clocks_differ(const struct connect *k)
{
    struct node_clock_apart a;

    return node_clocks_of(node_runner_clocks(k->c->api->runner),
                          &k->inv.inv.root, &a);
}

/* Wait for what the other clinic says; it is durable, so nothing is lost when
   it says it later. */
static enum err
wait_connect(struct node_call *c, struct connect *k, struct node_follow *follow,
             uint64_t wait_ms)
{
    struct node_answer a = {0};
    uint64_t until = clock_mono_ms(node_sysclock()) + wait_ms;
    const char *state = "waiting";
    enum err e = OK;

    while (e == OK && !is_connected(&a)) {
        uint64_t now = clock_mono_ms(node_sysclock());

        if (a.has_link && a.code == PROTO_REDEEM_LATER && clocks_differ(k)) {
            break; /* said with the answer */
        }
        if (a.has_link) {
            e = link_answer(c, &k->inv, &a);
            if (e == OK && a.code == PROTO_REDEEM_REVIEW) {
                state = "review";
                break;
            }
        }
        if (e == OK) {
            e = now < until ? node_follow_wait(follow, until - now, &a)
                            : ERR_TIMEOUT;
        }
    }
    if (e == ERR_TIMEOUT) {
        e = OK; /* it goes on by itself */
        node_json_view(c->out, "why", view_str(fed_why_name(a.why)));
    }
    if (e == OK) {
        node_json_view(c->out, "state",
                       view_str(is_connected(&a) ? "connected" : state));
        node_json_clock(c, &k->inv.inv.root, c->out);
        ERR_IGNORE(show_profile(c, &k->inv.inv.root, &a, c->out),
                   "its name was shown before");
    }
    node_answer_clear(&a);
    return e;
}

enum err
node_cmd_connect(struct node_call *c)
{
    enum err e;
    struct connect k = {.c = c};
    struct node_follow *follow = NULL;
    struct node_step step = {step_connect, write_connect, &k, false};
    uint64_t wait_s = 0;

    TRY(node_call_number(c, "wait", CONNECT_WAIT_S, &wait_s));
    TRY(invite_make(c, &k.inv));
    node_json_hex(c->out, "id", clinic_id_view(&k.inv.inv.root));
    TRY(node_runner_follow(c->api->runner, &k.inv.inv.root, &follow));
    e = node_runner_do(c->api->runner, &step);
    if (e != OK) {
        e = already(c, e);
        goto out;
    }
    TRY(wait_connect(c, &k, follow, wait_s * 1000));
out:
    node_runner_unfollow(c->api->runner, follow);
    invite_clear(&k.inv);
    return e;
}

/* ------------------------------------------------------------------- lists */

struct list {
    struct node_call *c;
    struct store_txn *txn;
    json_t *array;
    bool requests; /* only those that wait for a decision */
};

static const char *
state_word(enum store_clinic_state s)
{
    static const char *const words[STORE_CLINIC_STATE_COUNT_] = {
        [STORE_CLINIC_KNOWN] = "known",
        [STORE_CLINIC_ASKED] = "asked",
        [STORE_CLINIC_ASKS] = "asks",
        [STORE_CLINIC_CONNECTED] = "connected",
        [STORE_CLINIC_DISCONNECTED] = "disconnected",
        [STORE_CLINIC_BLOCKED] = "blocked",
        [STORE_CLINIC_REFUSED] = "refused",
    };

    return s < STORE_CLINIC_STATE_COUNT_ ? words[s] : "unknown";
}

const char *
node_learned_word(enum store_learned l)
{
    static const char *const words[STORE_LEARNED_COUNT_] = {
        [STORE_LEARNED_NONE] = "not known how",
        [STORE_LEARNED_LINK] = "came by link",
        [STORE_LEARNED_SCANNED] = "verified in person",
        [STORE_LEARNED_INTRODUCED] = "introduced",
        [STORE_LEARNED_COMPARED] = "compared",
    };

    return l < STORE_LEARNED_COUNT_ ? words[l] : "not known how";
}

static void
show_clinic(struct list *l, const struct store_clinic *clinic, json_t *o)
{
    struct phi name = {0};
    struct phi own = {0};
    struct node_answer a = {.profile = clinic->profile};
    struct fed_peer_info info;
    struct conv_id conv;

    if (show_profile(l->c, &clinic->id, &a, o) != OK) {
        node_json_hex(o, "id", clinic_id_view(&clinic->id));
    }
    node_clinic_label(l->txn, clinic, &name);
    node_json_view(o, "name", proto_phi_reveal(&name));
    if (node_clinic_name(l->c->api->mem, clinic, &own) == OK &&
        !view_equal(proto_phi_reveal(&own), proto_phi_reveal(&name))) {
        node_json_view(o, "own_name", proto_phi_reveal(&own));
    }
    phi_free(&own);
    node_json_view(o, "state", view_str(state_word(clinic->state)));
    node_json_view(o, "learned", view_str(node_learned_word(clinic->learned)));
    node_json_bool(
        o, "online",
        fed_net_find(node_runner_net(l->c->api->runner), &clinic->id, &info));
    node_json_clock(l->c, &clinic->id, o);
    if (clinic->has_link) {
        node_json_hex(o, "link", link_id_view(&clinic->link));
    }
    if (node_clinic_conv(clinic, &conv)) {
        node_json_hex(o, "thread", conv_id_view(&conv));
    }
    node_json_num(o, "since_ms", clinic->created_ms);
    if (clinic->state == STORE_CLINIC_REFUSED) {
        node_json_num(o, "refused_ms", clinic->changed_ms);
    }
    phi_free(&name);
}

static enum err
each_clinic(void *ctx, const struct store_clinic *clinic)
{
    struct list *l = ctx;
    json_t *o;

    if (l->requests != (clinic->state == STORE_CLINIC_ASKS)) {
        return OK;
    }
    o = node_json_item(l->array);
    if (o == NULL) {
        return ERR_NOMEM;
    }
    show_clinic(l, clinic, o);
    return OK;
}

static enum err
list(struct node_call *c, bool requests)
{
    enum err e;
    struct list l = {.c = c, .requests = requests};

    l.array = node_json_array(c->out, requests ? "requests" : "clinics");
    TRY(store_read_begin(c->api->store, &l.txn));
    TRY(store_clinic_list(l.txn, each_clinic, &l));
    if (requests) {
        TRY(node_patients_list(c, l.txn, true,
                               node_json_array(c->out, "patients")));
    }
out:
    store_read_end(l.txn);
    return e;
}

enum err
node_cmd_requests(struct node_call *c)
{
    return list(c, true);
}

enum err
node_cmd_clinics(struct node_call *c)
{
    return list(c, false);
}

/* The picture into the file that came with the request. */
static enum err
save_picture(struct node_call *c, const struct store_clinic *clinic,
             struct view picture)
{
    enum err e;

    if (picture.len == 0) {
        return node_call_fail(c, ERR_MISSING,
                              clinic->state == STORE_CLINIC_CONNECTED &&
                                      json_object_get(c->out, "picture") != NULL
                                  ? "The picture has not arrived yet. Try "
                                    "again in a moment."
                                  : "There is no picture of this clinic.");
    }
    e = node_picture_write(c->files[0], picture);
    return e == OK ? OK
                   : node_call_fail(c, e,
                                    "The picture cannot be written there "
                                    "(%s). Choose another file.",
                                    err_name(e));
}

enum err
node_cmd_clinics_show(struct node_call *c)
{
    enum err e;
    struct list l = {.c = c};
    struct store_clinic clinic = {0};
    struct bytes picture = {0};

    TRY(store_read_begin(c->api->store, &l.txn));
    TRY(node_find_clinic(c, l.txn, node_call_arg(c, 0), &clinic));
    show_clinic(&l, &clinic, c->out);
    e = node_picture_get(l.txn, &clinic.id, &picture);
    TRY(e == ERR_MISSING ? OK : e);
    store_read_end(l.txn);
    l.txn = NULL;
    node_json_bool(json_object_get(c->out, "picture"), "here", picture.len > 0);
    TRY(c->files_len == 0 ? OK : save_picture(c, &clinic, view_of(&picture)));
out:
    store_read_end(l.txn);
    store_clinic_clear(&clinic);
    bytes_free(&picture);
    return e;
}
