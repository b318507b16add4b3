/* SPDX-License-Identifier: Apache-2.0 */
#include "node/fit.h"

#include <strings.h>

static bool
begins(struct view text, struct view start)
{
    return start.len > 0 && text.len >= start.len &&
           strncasecmp((const char *)text.p, (const char *)start.p,
                       start.len) == 0;
}

enum node_fit
node_fit_of(struct view ref, struct view id, struct view name)
{
    char hex[PROTO_HEX_MAX + 1];

    proto_hex(id, hex);
    if (ref.len == 2 * id.len && begins(view_str(hex), ref)) {
        return NODE_FIT_ID;
    }
    if (begins(name, ref)) {
        return name.len == ref.len ? NODE_FIT_WHOLE : NODE_FIT_BEGINS;
    }
    return ref.len >= 4 && begins(view_str(hex), ref) ? NODE_FIT_ID_BEGINS
                                                      : NODE_FIT_NO;
}

bool
node_fit_best(struct node_best *b, enum node_fit f)
{
    if (f == NODE_FIT_NO || f < b->fit) {
        return false;
    }
    if (f == b->fit) {
        b->count++;
        return false;
    }
    b->fit = f;
    b->count = 1;
    return true;
}

enum err
node_fit_judge(struct node_call *c, const struct node_best *b, const char *what,
               const char *command)
{
    if (b->count == 1) {
        return OK;
    }
    if (b->count == 0) {
        return node_call_fail(c, ERR_MISSING,
                              "There is no %s \"%.*s\". See balsam %s.", what,
                              (int)b->ref.len, (const char *)b->ref.p, command);
    }
    return node_call_fail(
        c, ERR_INVALID,
        "%zu %ss begin with \"%.*s\". Give more of the name, or the id from "
        "balsam %s.",
        b->count, what, (int)b->ref.len, (const char *)b->ref.p, command);
}

struct namesake {
    struct store_txn *txn;
    struct view ref;
    const struct contact_id *in;
    size_t in_len;
    bool apart; /* a contact is called so that is not in it */
};

static enum err
each_namesake(void *ctx, const struct store_contact *contact)
{
    struct namesake *n = ctx;
    struct contact_id id;
    bool one = false;

    if (node_fit_of(n->ref, contact_id_view(&contact->id),
                    proto_phi_reveal(&contact->name)) != NODE_FIT_WHOLE) {
        return OK;
    }
    for (size_t i = 0; i < n->in_len; i++) {
        one = one || (store_contact_resolve(n->txn, &n->in[i], &id) == OK &&
                      contact_id_equal(&id, &contact->id));
    }
    n->apart = n->apart || !one;
    return OK;
}

enum err
node_fit_judge_name(struct node_call *c, struct store_txn *txn,
                    const struct node_best *b, const struct contact_id *in,
                    size_t in_len, const char *what, const char *command)
{
    enum err e;
    struct namesake n = {.txn = txn, .ref = b->ref, .in = in, .in_len = in_len};

    if (b->count > 0 && b->fit < NODE_FIT_WHOLE_ENDED &&
        store_has_word(b->ref)) {
        TRY(store_contact_find(txn, b->ref, NULL, UINT32_MAX, each_namesake,
                               &n));
    }
    if (n.apart) {
        e = node_call_fail(c, ERR_MISSING,
                           "There is no %s \"%.*s\". What only begins so is "
                           "not the contact of that name. See balsam %s.",
                           what, (int)b->ref.len, (const char *)b->ref.p,
                           command);
        goto out;
    }
    TRY(node_fit_judge(c, b, what, command));
out:
    return e;
}
