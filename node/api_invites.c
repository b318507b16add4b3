/* SPDX-License-Identifier: Apache-2.0 */
/* Invitations that were made: listed, replaced, revoked. */
#include "node/api.h"
#include "node/invites.h"

/* ----------------------------------------------------------- those that are
 */

struct list {
    struct store_txn *txn;
    const struct node_api *api;
    json_t *array;
    bool all;
};

static enum err
each_invite(void *ctx, const struct store_invite *i)
{
    enum err e;
    struct list *list = ctx;
    struct store_contact contact = {0};
    struct store_link l = {0};
    json_t *o;

    if (!list->all && (i->state == STORE_INVITE_REPLACED ||
                       i->state == STORE_INVITE_REVOKED)) {
        return OK;
    }
    TRY(store_contact_get(list->txn, &i->contact, &contact));
    TRY(store_link_get(list->txn, &i->link, &l));
    o = node_json_item(list->array);
    TRY(o == NULL ? ERR_NOMEM : OK);
    node_invite_show(list->api, &contact, i, &l, o);
out:
    store_contact_clear(&contact);
    store_link_clear(&l);
    return e;
}

enum err
node_cmd_invites(struct node_call *c)
{
    enum err e;
    struct list list = {.api = c->api, .all = node_call_has(c, "all")};

    list.array = node_json_array(c->out, "invitations");
    TRY(store_read_begin(c->api->store, &list.txn));
    TRY(store_invite_list(list.txn, each_invite, &list));
out:
    store_read_end(list.txn);
    return e;
}

/* ------------------------------------------------------- changing one of them
 */

static enum err
load(struct node_call *c, struct node_invites *b, struct store_contact *contact)
{
    enum err e;
    struct store_txn *txn = NULL;

    TRY(store_read_begin(c->api->store, &txn));
    TRY(node_find_invite(c, txn, node_call_arg(c, 0), &b->before));
    TRY(store_link_get(txn, &b->before.link, &b->old));
    TRY(store_contact_get(txn, &b->before.contact, contact));
    if (b->before.state == STORE_INVITE_JOINED) {
        TRY(node_call_fail(c, ERR_STATE,
                           "This patient has joined. To remove a lost phone: "
                           "balsam devices."));
    }
    if (b->before.state == STORE_INVITE_REPLACED) {
        TRY(node_call_fail(c, ERR_STATE,
                           "This invitation was replaced by a newer one."));
    }
out:
    store_read_end(txn);
    return e;
}

/* What the flags say, or else what was said before. */
static struct view
flag_or(const struct node_call *c, const char *flag, const struct phi *before)
{
    return node_call_has(c, flag) ? node_call_flag(c, flag)
                                  : proto_phi_reveal(before);
}

enum err
node_cmd_invite_resend(struct node_call *c)
{
    enum err e;
    struct node_invites b = {.c = c, .resend = true};
    struct node_panel_row row = {0};
    const char *what;

    TRY(node_invites_alloc(&b, 1));
    TRY(load(c, &b, &b.ones[0].contact));
    row.name = proto_phi_reveal(&b.ones[0].contact.name);
    row.phone = flag_or(c, "phone", &b.before.phone);
    row.email = flag_or(c, "email", &b.before.email);
    row.birth = flag_or(c, "birth", &b.before.birth);
    row.purpose = flag_or(c, "purpose", &b.before.purpose);
    what = node_panel_judge(&row, store_now_ms(c->api->store));
    if (what != NULL) {
        TRY(node_call_fail(c, ERR_INVALID, "%s", what));
    }
    TRY(node_invites_fill(c, &row, &b.ones[0]));
    b.old.flags |= STORE_LINK_REVOKED;
    b.before.state = STORE_INVITE_REPLACED;
    b.before.changed_ms = store_now_ms(c->api->store);
    b.before.has_next = true;
    b.before.next = b.ones[0].link.id;
    TRY(node_invites_apply(&b));
    TRY(node_invites_show(&b));
out:
    node_invites_clear(&b);
    return e;
}

enum err
node_cmd_invite_revoke(struct node_call *c)
{
    enum err e;
    struct node_invites b = {.c = c, .resend = true};
    struct store_contact contact = {0};

    TRY(load(c, &b, &contact));
    b.old.flags |= STORE_LINK_REVOKED;
    b.before.state = STORE_INVITE_REVOKED;
    b.before.changed_ms = store_now_ms(c->api->store);
    TRY(node_invites_apply(&b));
    node_invite_show(c->api, &contact, &b.before, &b.old, c->out);
out:
    store_contact_clear(&contact);
    node_invites_clear(&b);
    return e;
}
