/* SPDX-License-Identifier: Apache-2.0 */
/* Links of the clinic: made, listed, revoked, replaced (design 4). */
#include "crypto/ident/profile.h"
#include "node/api.h"
#include "node/clinic/desk.h"
#include "node/day.h"

#include <stdio.h>
#include <string.h>

/* ----------------------------------------------------------------- the text */

enum err
node_link_text(const struct node_api *api, const struct store_link *l,
               struct bytes *out)
{
    struct proto_link p = {0};
    size_t host = strlen(api->config->host);
    enum err e;

    p.root = api->root;
    p.id = l->id;
    if ((l->flags & STORE_LINK_ONE_TIME) != 0) {
        p.flags |= PROTO_LINK_ONE_TIME;
        memcpy(p.secret, l->secret, sizeof(p.secret));
    }
    if ((l->flags & STORE_LINK_IN_PERSON) != 0) {
        p.flags |= PROTO_LINK_IN_PERSON;
    }
    p.expiry_s = (uint32_t)(l->expires_ms / 1000);
    if (host <= PROTO_HOST_MAX) {
        memcpy(p.host, api->config->host, host);
    }
    p.addrs_len = (uint8_t)api->addrs_len;
    memcpy(p.addrs, api->addrs, api->addrs_len * sizeof(p.addrs[0]));
    e = proto_link_format(api->mem, &p, out);
    proto_link_wipe(&p);
    return e;
}

const char *
node_link_state(const struct store_link *l, uint64_t now_ms)
{
    if (l->has_next) {
        return "replaced";
    }
    if ((l->flags & STORE_LINK_REVOKED) != 0) {
        return "revoked";
    }
    if (l->expires_ms != 0 && now_ms > l->expires_ms) {
        return "expired";
    }
    if (l->uses_max != 0 && l->uses >= l->uses_max) {
        return "used up";
    }
    return "good";
}

/* How often a link was used and by whom, which the protocol knows. */
struct use {
    struct link_id id;
    uint64_t uses;
    uint64_t again_ms;
};

static enum err
step_use(void *ctx, struct fed_core *core)
{
    struct use *u = ctx;
    struct fed_link l;
    struct bytes hold = {0};
    enum err e = fed_core_link_get(core, &u->id, &l, &hold);

    if (e == OK) {
        u->uses = l.uses;
        u->again_ms = l.again_ms;
    }
    bytes_free(&hold);
    return e == ERR_MISSING ? OK : e;
}

static enum err
describe(struct node_call *c, struct store_link *l, json_t *o)
{
    enum err e;
    struct bytes text = {0};
    struct use use = {.id = l->id};
    struct node_step step = {.step = step_use, .ctx = &use, .when_full = true};

    TRY(node_runner_do(c->api->runner, &step));
    l->uses = use.uses;
    TRY(node_link_text(c->api, l, &text));
    node_json_hex(o, "id", link_id_view(&l->id));
    node_json_view(o, "label", proto_phi_reveal(&l->label));
    node_json_view(o, "link", view_of(&text));
    node_json_bool(o, "one_time", (l->flags & STORE_LINK_ONE_TIME) != 0);
    node_json_bool(o, "in_person", (l->flags & STORE_LINK_IN_PERSON) != 0);
    node_json_bool(o, "review", (l->flags & STORE_LINK_REVIEW) != 0);
    node_json_view(o, "state",
                   view_str(node_link_state(l, store_now_ms(c->api->store))));
    node_json_num(o, "uses", l->uses);
    node_json_num(o, "uses_max", l->uses_max);
    node_json_num(o, "created_ms", l->created_ms);
    node_json_num(o, "expires_ms", l->expires_ms);
    node_json_num(o, "again_ms", use.again_ms);
out:
    bytes_free(&text);
    return e;
}

/* --------------------------------------------------------------- changing */

/* A link in both places: what the desk and what the protocol know of it. */
struct change {
    struct node_call *c;
    enum node_audit action;
    struct store_link *link;
    struct store_link *other; /* rotate: the one that is replaced */
    struct bytes forward;     /* signed, of the other */
};

void
node_link_core(const struct store_link *l, struct view forward,
               struct fed_link *out)
{
    *out = (struct fed_link){0};
    out->id = l->id;
    out->one_time = (l->flags & STORE_LINK_ONE_TIME) != 0;
    out->in_person = (l->flags & STORE_LINK_IN_PERSON) != 0;
    out->review = (l->flags & STORE_LINK_REVIEW) != 0;
    out->revoked = (l->flags & STORE_LINK_REVOKED) != 0;
    out->patients = (l->flags & STORE_LINK_INVITE) != 0;
    out->expiry_s = l->expires_ms / 1000;
    out->uses_max = l->uses_max;
    memcpy(out->secret, l->secret, sizeof(out->secret));
    out->forward = forward;
}

static enum err
step_change(void *ctx, struct fed_core *core)
{
    struct change *ch = ctx;
    struct fed_link l;
    enum err e;

    node_link_core(ch->link, (struct view){0}, &l);
    e = fed_core_link_put(core, &l);
    if (e == OK && ch->other != NULL) {
        node_link_core(ch->other, view_of(&ch->forward), &l);
        e = fed_core_link_put(core, &l);
    }
    mem_wipe(&l, sizeof(l));
    return e;
}

static enum err
write_change(void *ctx, struct store_txn *txn)
{
    struct change *ch = ctx;
    enum err e;

    TRY(store_link_put(txn, ch->link));
    if (ch->other != NULL) {
        TRY(store_link_put(txn, ch->other));
    }
    TRY(node_desk_event(txn, NODE_EVENT_LINK, link_id_view(&ch->link->id), 0));
    TRY(node_audit_member(txn, ch->c->api, ch->action,
                          link_id_view(&ch->link->id), 0));
out:
    return e;
}

static enum err
apply(struct change *ch)
{
    struct node_step step = {step_change, write_change, ch,
                             ch->action == NODE_AUDIT_LINK_REVOKE};

    return node_runner_do(ch->c->api->runner, &step);
}

enum err
node_call_expiry(struct node_call *c, uint64_t now_ms, uint64_t *out)
{
    struct view v = node_call_flag(c, "expires");
    char text[32];
    unsigned n = 0;
    char unit = 0;
    int end = 0;
    uint64_t day;

    if (v.len == 0 || v.len >= sizeof(text)) {
        return node_call_fail(c, ERR_INVALID,
                              "--expires needs a time such as "
                              "30d, 12h or 2027-01-31.");
    }
    memcpy(text, v.p, v.len);
    text[v.len] = '\0';
    if (sscanf(text, "%5u%c%n", &n, &unit, &end) == 2 && text[end] == '\0' &&
        strchr("dhm", unit) != NULL && n > 0) {
        uint64_t s = unit == 'd' ? 86400 : unit == 'h' ? 3600 : 60;

        *out = now_ms + n * s * 1000;
        return OK;
    }
    if (node_day_ms(v, true, &day) == OK && day > now_ms) {
        *out = day;
        return OK;
    }
    return node_call_fail(c, ERR_INVALID,
                          "\"%s\" is not a time to come. Write "
                          "30d, 12h, 90m or 2027-01-31.",
                          text);
}

/* A new link from the flags, not stored yet. */
static enum err
from_flags(struct node_call *c, struct store_link *l)
{
    enum err e;
    const struct node_api *api = c->api;
    bool person = node_call_has(c, "in-person");
    bool one_time = person || node_call_has(c, "one-time");

    l->created_ms = store_now_ms(api->store);
    l->flags |= one_time ? (unsigned)STORE_LINK_ONE_TIME : 0u;
    l->flags |= person ? (unsigned)STORE_LINK_IN_PERSON : 0u;
    l->flags |= node_call_has(c, "review") ? (unsigned)STORE_LINK_REVIEW : 0u;
    TRY(store_random(api->store, l->id.b, sizeof(l->id.b)));
    if (one_time) {
        TRY(store_random(api->store, l->secret, sizeof(l->secret)));
        l->uses_max = 1;
        l->expires_ms = l->created_ms + NODE_LINK_DAYS * IDENT_DAY_MS;
    }
    TRY(node_call_number(c, "uses", l->uses_max, &l->uses_max));
    if (node_call_has(c, "uses") && l->uses_max == 0) {
        TRY(node_call_fail(c, ERR_INVALID,
                           "A link is for one use at least: --uses 1."));
    }
    if (one_time && l->uses_max != 1) {
        TRY(node_call_fail(c, ERR_INVALID,
                           "A one-time link has one use. "
                           "Leave --uses or --one-time out."));
    }
    if (node_call_has(c, "expires")) {
        TRY(node_call_expiry(c, l->created_ms, &l->expires_ms));
    }
    e = phi_from(api->mem, node_call_flag(c, "label"), &l->label);
    if (e == OK && phi_len(&l->label) > LIMIT_PHI_SHORT) {
        e = node_call_fail(c, ERR_LIMIT,
                           "The label is too long: it has at most %d "
                           "bytes.",
                           (int)LIMIT_PHI_SHORT);
    }
out:
    return e;
}

enum err
node_cmd_link_create(struct node_call *c)
{
    enum err e;
    struct store_link l = {0};
    struct change ch = {.c = c, .action = NODE_AUDIT_LINK_CREATE, .link = &l};

    TRY(from_flags(c, &l));
    TRY(apply(&ch));
    TRY(describe(c, &l, c->out));
out:
    store_link_clear(&l);
    return e;
}

/* ----------------------------------------------------------------- reading */

/* Links are read first and described after: describing asks the core. */
struct list {
    const struct mem *mem;
    struct link_id *ids;
    size_t len;
    size_t cap;
};

static enum err
each_id(void *ctx, const struct store_link *l)
{
    struct list *list = ctx;

    if ((l->flags & STORE_LINK_INVITE) != 0) {
        return OK; /* balsam invites lists these */
    }
    if (list->len == list->cap) {
        size_t cap = list->cap == 0 ? 16 : 2 * list->cap;
        struct link_id *more = mem_calloc(list->mem, cap, sizeof(*more));

        if (more == NULL) {
            return ERR_NOMEM;
        }
        if (list->len > 0) {
            memcpy(more, list->ids, list->len * sizeof(*more));
        }
        mem_free(list->mem, list->ids, list->cap * sizeof(*more));
        list->ids = more;
        list->cap = cap;
    }
    list->ids[list->len++] = l->id;
    return OK;
}

static enum err
load(struct node_call *c, const struct link_id *id, struct store_link *out)
{
    struct store_txn *txn = NULL;
    enum err e;

    TRY(store_read_begin(c->api->store, &txn));
    TRY(store_link_get(txn, id, out));
out:
    store_read_end(txn);
    return e;
}

enum err
node_cmd_link_list(struct node_call *c)
{
    enum err e;
    struct store_txn *txn = NULL;
    struct list list = {.mem = c->api->mem};
    json_t *links = node_json_array(c->out, "links");

    TRY(store_read_begin(c->api->store, &txn));
    e = store_link_list(txn, each_id, &list);
    store_read_end(txn);
    for (size_t i = 0; i < list.len && e == OK; i++) {
        struct store_link l = {0};

        e = load(c, &list.ids[i], &l);
        if (e == OK) {
            json_t *o = node_json_item(links);

            e = o == NULL ? ERR_NOMEM : describe(c, &l, o);
        }
        store_link_clear(&l);
    }
out:
    mem_free(list.mem, list.ids, list.cap * sizeof(*list.ids));
    return e;
}

static enum err
find(struct node_call *c, struct store_link *out)
{
    struct store_txn *txn = NULL;
    enum err e;

    TRY(store_read_begin(c->api->store, &txn));
    TRY(node_find_link(c, txn, node_call_arg(c, 0), out));
out:
    store_read_end(txn);
    return e;
}

/* Whose contact is shown as invited by it. */
static enum err
not_invitation(struct node_call *c, const struct store_link *l)
{
    return (l->flags & STORE_LINK_INVITE) == 0
               ? OK
               : node_call_fail(c, ERR_STATE,
                                "This link is an invitation. Write: balsam "
                                "invite resend, or balsam invite revoke.");
}

enum err
node_cmd_link_show(struct node_call *c)
{
    enum err e;
    struct store_link l = {0};

    TRY(find(c, &l));
    TRY(describe(c, &l, c->out));
out:
    store_link_clear(&l);
    return e;
}

enum err
node_cmd_link_revoke(struct node_call *c)
{
    enum err e;
    struct store_link l = {0};
    struct change ch = {.c = c, .action = NODE_AUDIT_LINK_REVOKE, .link = &l};

    TRY(find(c, &l));
    TRY(not_invitation(c, &l));
    l.flags |= STORE_LINK_REVOKED;
    TRY(apply(&ch));
    TRY(describe(c, &l, c->out));
out:
    store_link_clear(&l);
    return e;
}

/* The same rules under a new id and secret. */
static enum err
successor(struct node_call *c, const struct store_link *old,
          struct store_link *out)
{
    enum err e;
    const struct node_api *api = c->api;

    out->flags = old->flags;
    out->created_ms = store_now_ms(api->store);
    out->expires_ms = old->expires_ms;
    out->uses_max = old->uses_max;
    out->owner_kind = old->owner_kind;
    memcpy(out->owner, old->owner, sizeof(out->owner));
    TRY(store_random(api->store, out->id.b, sizeof(out->id.b)));
    if ((old->flags & STORE_LINK_ONE_TIME) != 0) {
        TRY(store_random(api->store, out->secret, sizeof(out->secret)));
    }
    TRY(phi_from(api->mem, proto_phi_reveal(&old->label), &out->label));
out:
    return e;
}

enum err
node_cmd_link_rotate(struct node_call *c)
{
    enum err e;
    struct node_api *api = c->api;
    struct store_link old = {0};
    struct store_link l = {0};
    struct bytes text = {0};
    struct change ch = {
        .c = c, .action = NODE_AUDIT_LINK_ROTATE, .link = &l, .other = &old};

    TRY(find(c, &old));
    TRY(not_invitation(c, &old));
    if ((old.flags & STORE_LINK_REVOKED) != 0 || old.has_next) {
        TRY(node_call_fail(c, ERR_STATE,
                           "This link is not in use any more. "
                           "Make a new one: balsam link "
                           "create."));
    }
    TRY(successor(c, &old, &l));
    TRY(node_link_text(api, &l, &text));
    (void)pthread_mutex_lock(&api->identity_mx);
    e = ident_forward_make(api->mem, &api->identity.node,
                           view_of(&api->identity.chain), &old.id,
                           view_of(&text), &ch.forward);
    (void)pthread_mutex_unlock(&api->identity_mx);
    if (e != OK) {
        goto out;
    }
    old.has_next = true;
    old.next = l.id;
    TRY(apply(&ch));
    TRY(describe(c, &l, c->out));
out:
    store_link_clear(&old);
    store_link_clear(&l);
    bytes_free(&text);
    bytes_free(&ch.forward);
    return e;
}
