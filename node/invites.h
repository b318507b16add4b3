/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making invitations: some contacts, each with a one-time link, in one
 * transaction; and showing them (decisions F 27).  Shared by the commands.
 */
#ifndef NODE_INVITES_H
#define NODE_INVITES_H

#include "node/api.h"
#include "node/panel.h"
#include "store/invite.h"

/* One patient who is invited. */
struct node_invites_one {
    struct store_contact contact;
    struct store_link link;
    struct store_invite invite;
};

/* Empty is {.c = ...}. */
struct node_invites {
    struct node_call *c;
    struct node_invites_one *ones; /* owned, ones_len of them */
    size_t ones_len;
    bool resend; /* old and before are changed as well */
    struct store_link old;
    struct store_invite before;
};

void node_invites_clear(struct node_invites *b);

/* Room for n, all empty. */
MUST_CHECK enum err node_invites_alloc(struct node_invites *b, size_t n);

/*
 * A link and an invitation for row, as the flags say.  o->contact is empty,
 * then it becomes a new patient's, or a saved one.  ERR_INVALID  said
 */
MUST_CHECK enum err node_invites_fill(struct node_call *c,
                                      const struct node_panel_row *row,
                                      struct node_invites_one *o);

/* All of it, or nothing. */
MUST_CHECK enum err node_invites_apply(struct node_invites *b);

/* The answer: whose they are, and each with its link. */
MUST_CHECK enum err node_invites_show(struct node_invites *b);

void node_invite_show(const struct node_api *api,
                      const struct store_contact *contact,
                      const struct store_invite *i, const struct store_link *l,
                      json_t *o);

/* "invited", "joined", ... */
const char *node_invite_word(const struct store_invite *i,
                             const struct store_link *l, uint64_t now_ms);

#endif
